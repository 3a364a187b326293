//! What a server is started with.

use std::time::Duration;

use super::server::DevServer;
#[cfg(feature = "tls")]
use super::tls::TlsFiles;
use crate::error::Result;

/// Options of a [`DevServer`]; the defaults are those of a real server of one node, on any free port.
///
/// ```
/// # fn main() -> hstreamdb::Result<()> {
/// use std::time::Duration;
/// use hstreamdb::dev_server::DevServerOptions;
///
/// let server = DevServerOptions::new().nodes(3).assignment_tick(Duration::from_millis(10)).start()?;
/// assert_eq!(server.node_urls().len(), 3);
/// # server.stop();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct DevServerOptions {
    pub(super) port: u16,
    pub(super) nodes: u32,
    pub(super) max_bytes: Option<u64>,
    pub(super) ticks: Ticks,
    pub(super) early_headers: bool,
    pub(super) seed: Option<u64>,
    pub(super) advertised: Vec<(String, u16)>,
    pub(super) listeners: Vec<ListenerOptions>,
    pub(super) failure_detection: Duration,
    pub(super) startup_delay: Duration,
    pub(super) version: Option<String>,
    pub(super) tokens: Vec<String>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsFiles>,
}

/// One more port of each node, whose answers name the ports of its kind.
#[derive(Clone, Debug)]
pub(super) struct ListenerOptions {
    pub(super) key: String,
    pub(super) tls: bool,
}

/// How often a running subscription looks after its consumers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    pub(super) assignment: Duration,
    pub(super) resend: Duration,
}

impl Default for Ticks {
    fn default() -> Self {
        Ticks { assignment: Duration::from_secs(1), resend: Duration::from_millis(100) }
    }
}

impl Default for DevServerOptions {
    fn default() -> Self {
        DevServerOptions {
            port: 0,
            nodes: 1,
            max_bytes: None,
            ticks: Ticks::default(),
            early_headers: false,
            seed: None,
            advertised: Vec::new(),
            listeners: Vec::new(),
            failure_detection: Duration::from_millis(2500),
            startup_delay: Duration::ZERO,
            version: None,
            tokens: Vec::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl DevServerOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The port of the first node, on the loopback interface; the others have those after it. Default: 0,
    /// any free ones.
    pub fn port(self, port: u16) -> Self {
        DevServerOptions { port, ..self }
    }

    /// How many nodes there are at first, 1 at least. They share streams, subscriptions and readers; what a
    /// real node keeps in its own memory, each keeps for itself. Default: 1.
    pub fn nodes(self, nodes: u32) -> Self {
        DevServerOptions { nodes: nodes.max(1), ..self }
    }

    /// Keeps the newest records only: when the stored batches of all streams take more than this many
    /// bytes, the oldest are dropped, as trimming drops them. The newest batch always stays. Default: no
    /// bound.
    pub fn max_bytes(self, bytes: u64) -> Self {
        DevServerOptions { max_bytes: Some(bytes), ..self }
    }

    /// How often shards are handed to the consumers that wait for some, 1 ms at least. Default: 1 s, so
    /// the first record takes a second after the first consumer came.
    pub fn assignment_tick(mut self, tick: Duration) -> Self {
        self.ticks.assignment = at_least_a_millisecond(tick);
        self
    }

    /// How often it is looked for records to send again, 1 ms at least. Default: 100 ms.
    pub fn resend_tick(mut self, tick: Duration) -> Self {
        self.ticks.resend = at_least_a_millisecond(tick);
        self
    }

    /// Whether streaming calls send their response headers at once, as most gRPC servers do. Default: no,
    /// they come with the first message or with the status, as from a real server.
    pub fn early_headers(self, early: bool) -> Self {
        DevServerOptions { early_headers: early, ..self }
    }

    /// Makes what is left to chance come out the same in each run: shard ids but for the time in them, and
    /// the calls that faults by percent hit. Default: it differs.
    pub fn seed(self, seed: u64) -> Self {
        DevServerOptions { seed: Some(seed), ..self }
    }

    /// Where clients are told that the next node is, instead of where it listens: an address of a proxy or
    /// of a port forwarded from elsewhere. The first call is for the first node, and so on. Default: the
    /// loopback address and the node's port.
    pub fn advertised_address(mut self, host: &str, port: u16) -> Self {
        self.advertised.push((host.to_owned(), port));
        self
    }

    /// Gives each node one more port, free ones, under this key. What is asked through such a port is
    /// answered with the ports of the same key; tokens are not asked for there. Default: none.
    pub fn listener(mut self, key: &str) -> Self {
        self.listeners.push(ListenerOptions { key: key.to_owned(), tls: false });
        self
    }

    /// The same, with the TLS of the main port.
    #[cfg(feature = "tls")]
    pub fn tls_listener(mut self, key: &str) -> Self {
        self.listeners.push(ListenerOptions { key: key.to_owned(), tls: true });
        self
    }

    /// How long look-ups still name a node that was killed, as a real cluster takes its time to miss one.
    /// A node that is stopped says so, and is missed at once. Default: 2.5 s.
    pub fn failure_detection(self, time: Duration) -> Self {
        DevServerOptions { failure_detection: time, ..self }
    }

    /// How long a node keeps look-ups waiting after it has started. Real ones do for about 5 s. Default: 0,
    /// for the sake of whoever waits.
    pub fn startup_delay(self, time: Duration) -> Self {
        DevServerOptions { startup_delay: time, ..self }
    }

    /// The release to behave like, `0.14.0` to `0.20.3`: without the calls that came later, and with the
    /// errors and answers of its time. Default: `0.20.3`.
    pub fn version(self, version: &str) -> Self {
        DevServerOptions { version: Some(version.to_owned()), ..self }
    }

    /// A token that calls must show one of, on the main ports: base64 of `user:password`. Default: none is
    /// asked for.
    pub fn token(mut self, token: &str) -> Self {
        self.tokens.push(token.to_owned());
        self
    }

    /// Makes the main ports speak TLS and nothing else: a certificate chain and its key, both PEM.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, certificate: &[u8], key: &[u8]) -> Self {
        let client_ca = self.tls.take().and_then(|tls| tls.client_ca);
        self.tls = Some(TlsFiles { certificate: certificate.to_owned(), key: key.to_owned(), client_ca });
        self
    }

    /// Clients must have a certificate signed by this CA, PEM. Works with [`tls`](Self::tls) only.
    #[cfg(feature = "tls")]
    pub fn client_ca(mut self, ca: &[u8]) -> Self {
        let tls = self.tls.get_or_insert_with(|| TlsFiles {
            certificate: Vec::new(),
            key: Vec::new(),
            client_ca: None,
        });
        tls.client_ca = Some(ca.to_owned());
        self
    }

    /// Starts a server.
    ///
    /// # Errors
    ///
    /// If a port is taken (the message names the address), or no thread can be had; if there is no such
    /// version; if certificates or keys can't be read, or don't fit each other.
    pub fn start(self) -> Result<DevServer> {
        DevServer::start_with(self)
    }
}

/// A tick of no length would never end, one of ages overflows clocks.
pub(super) fn at_least_a_millisecond(tick: Duration) -> Duration {
    tick.clamp(Duration::from_millis(1), Duration::from_secs(24 * 3600))
}
