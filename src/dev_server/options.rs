//! What a server is started with.

use std::time::Duration;

use super::server::DevServer;
use crate::error::Result;

/// Options of a [`DevServer`]; the defaults are those of a real server, on any free port.
///
/// ```
/// # fn main() -> hstreamdb::Result<()> {
/// use std::time::Duration;
/// use hstreamdb::dev_server::DevServerOptions;
///
/// let server = DevServerOptions::new().assignment_tick(Duration::from_millis(10)).start()?;
/// assert!(server.url().starts_with("hstream://127.0.0.1:"));
/// # server.stop();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct DevServerOptions {
    pub(super) port: u16,
    pub(super) max_bytes: Option<u64>,
    pub(super) ticks: Ticks,
    pub(super) early_headers: bool,
    pub(super) seed: Option<u64>,
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

impl DevServerOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The port to listen on, on the loopback interface. Default: 0, any free one.
    pub fn port(self, port: u16) -> Self {
        DevServerOptions { port, ..self }
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

    /// Makes the random part of shard ids come out the same in each run. Default: it differs.
    pub fn seed(self, seed: u64) -> Self {
        DevServerOptions { seed: Some(seed), ..self }
    }

    /// Starts a server.
    ///
    /// # Errors
    ///
    /// If the port is taken (the message names the address), or no thread can be had.
    pub fn start(self) -> Result<DevServer> {
        DevServer::start_with(self)
    }
}

/// A tick of no length would never end, one of ages overflows clocks.
fn at_least_a_millisecond(tick: Duration) -> Duration {
    tick.clamp(Duration::from_millis(1), Duration::from_secs(24 * 3600))
}
