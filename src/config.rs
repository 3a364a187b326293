//! A client's options, and the single home of their defaults.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use crate::cluster::credentials::{Credentials, Metadata};
use crate::cluster::endpoint::{Address, DEFAULT_PORT, Security, parse_url};
use crate::cluster::retry::Backoff;
use crate::cluster::settings::ClusterSettings;
#[cfg(feature = "tls")]
use crate::cluster::tls::{Tls, TlsConfig};
use crate::codec::compression::Compression;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::events::EventCallback;

/// Options of a [`Client`](crate::Client).
///
/// A URL alone is one as well: `Client::connect("hstream://localhost")`. Mistakes are reported when the client
/// connects. [`set`](Self::set) takes options as text.
#[derive(Clone)]
#[must_use]
pub struct ClientConfig {
    pub(crate) url: String,
    pub(crate) lazy: bool,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) first_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) refresh_age: Duration,
    pub(crate) max_receive_bytes: usize,
    pub(crate) user_agent: Option<String>,
    pub(crate) address_map: Vec<(String, String)>,
    pub(crate) tcp_keepalive: Option<Duration>,
    pub(crate) tcp_user_timeout: Option<Duration>,
    pub(crate) keepalive: Option<Duration>,
    pub(crate) keepalive_timeout: Duration,
    pub(crate) stream_window: u32,
    pub(crate) connection_window: u32,
    pub(crate) buffer_bytes: usize,
    pub(crate) append_compression: Compression,
    pub(crate) user: Option<String>,
    pub(crate) password: Vec<u8>,
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) plaintext_auth: bool,
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
    pub(crate) on_event: Option<EventCallback>,
    #[cfg(feature = "tls")]
    pub(crate) tls: TlsConfig,
}

impl Default for ClientConfig {
    fn default() -> Self {
        ClientConfig {
            url: format!("hstream://127.0.0.1:{DEFAULT_PORT}"),
            lazy: false,
            request_timeout: Some(Duration::from_secs(30)),
            connect_timeout: Duration::from_secs(3),
            max_attempts: 6,
            first_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            refresh_age: Duration::from_secs(30),
            max_receive_bytes: 64 << 20,
            user_agent: None,
            address_map: Vec::new(),
            tcp_keepalive: Some(Duration::from_secs(30)),
            tcp_user_timeout: Some(Duration::from_secs(30)),
            keepalive: None,
            keepalive_timeout: Duration::from_secs(20),
            // Batches are up to 1 MiB.
            stream_window: 2 << 20,
            // More than ten times a stream's: below that, small messages that wait unread end the connection
            // (h2 counts them against half of this window).
            connection_window: 32 << 20,
            buffer_bytes: 0,
            append_compression: Compression::none(),
            user: None,
            password: Vec::new(),
            token: None,
            plaintext_auth: false,
            metadata: Vec::new(),
            on_event: None,
            #[cfg(feature = "tls")]
            tls: TlsConfig::new(),
        }
    }
}

impl ClientConfig {
    /// Options for the cluster at this URL: `hstream://host[:port][,host[:port]]...`, or `hstreams://` for TLS.
    /// Each host is a seed: a node to ask about the cluster, at the start and whenever no other answers.
    pub fn new(url: impl Into<String>) -> Self {
        ClientConfig { url: url.into(), ..Self::default() }
    }

    /// Whether connecting waits for a node to answer; by default it does. A lazy client finds out with its
    /// first call.
    pub fn lazy_connect(self, on: bool) -> Self {
        ClientConfig { lazy: on, ..self }
    }

    /// The cluster's URL, as for [`new`](Self::new).
    pub fn url(self, url: impl Into<String>) -> Self {
        ClientConfig { url: url.into(), ..self }
    }

    /// How long a call may take in all, with look-ups and retries; default 30 s, `None` is for ever.
    /// [`Client::within`](crate::Client::within) sets it call by call.
    pub fn request_timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        ClientConfig { request_timeout: timeout.into(), ..self }
    }

    /// How long connecting to one address may take, and a TLS handshake; default 3 s.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        ClientConfig { connect_timeout: timeout, ..self }
    }

    /// How often a call is tried, and the pauses between: the first one, doubled each time up to the
    /// longest, each shortened by chance by up to a half. Default 6, 100 ms and 5 s. Buffered producers and
    /// consumers have their own.
    pub fn retry(self, max_attempts: u32, first_backoff: Duration, max_backoff: Duration) -> Self {
        ClientConfig { max_attempts, first_backoff, max_backoff, ..self }
    }

    /// The age at which the view of the cluster is looked at again, by the next call; default 30 s.
    pub fn refresh_age(self, age: Duration) -> Self {
        ClientConfig { refresh_age: age, ..self }
    }

    /// The largest message that is accepted; default 64 MiB. Servers send several batches of up to 1 MiB
    /// in one.
    pub fn max_receive_bytes(self, bytes: usize) -> Self {
        ClientConfig { max_receive_bytes: bytes, ..self }
    }

    /// The application's name, sent behind this library's own.
    pub fn user_agent(self, application: impl Into<String>) -> Self {
        ClientConfig { user_agent: Some(application.into()), ..self }
    }

    /// Dials `reachable` where the cluster names `advertised`, both as `host[:port]`: for nodes behind a NAT, or
    /// in containers. With TLS, the name to verify stays the advertised one.
    pub fn map_address(mut self, advertised: impl Into<String>, reachable: impl Into<String>) -> Self {
        self.address_map.push((advertised.into(), reachable.into()));
        self
    }

    /// When a connection has been idle for so long, the kernel asks the peer whether it is there, and again
    /// after each such time; and how long what was sent may go unacknowledged before the connection is given
    /// up. Default 30 s each; `None` leaves it to the system. The second is for Linux alone.
    pub fn tcp_keepalive(
        self,
        idle: impl Into<Option<Duration>>,
        user_timeout: impl Into<Option<Duration>>,
    ) -> Self {
        ClientConfig { tcp_keepalive: idle.into(), tcp_user_timeout: user_timeout.into(), ..self }
    }

    /// HTTP/2 pings at this interval, and how long to wait for their answers. Off by default, and best left so:
    /// servers close connections that ping more often than every five minutes.
    pub fn keepalive(self, interval: impl Into<Option<Duration>>, timeout: Duration) -> Self {
        ClientConfig { keepalive: interval.into(), keepalive_timeout: timeout, ..self }
    }

    /// HTTP/2 receive windows: of each call, and of a connection. Default 2 MiB and 32 MiB. The second must be
    /// ten times the first at least, or connections end when small messages wait unread.
    pub fn windows(self, stream_bytes: u32, connection_bytes: u32) -> Self {
        ClientConfig { stream_window: stream_bytes, connection_window: connection_bytes, ..self }
    }

    /// How many bytes of records all producers of the client may have on the way together, beside what each may
    /// ([`ProducerConfig::buffer_bytes`](crate::ProducerConfig::buffer_bytes)); default 0, which is no limit.
    pub fn buffer_bytes(self, bytes: usize) -> Self {
        ClientConfig { buffer_bytes: bytes, ..self }
    }

    /// How appends without a producer are compressed where the call does not say it, as
    /// [`Client::append_one`](crate::Client::append_one) can't; default not at all.
    pub fn append_compression(self, compression: impl Into<Compression>) -> Self {
        ClientConfig { append_compression: compression.into(), ..self }
    }

    /// Sends these credentials with every call. Over plaintext connections only if
    /// [`plaintext_auth`](Self::plaintext_auth) allows it.
    pub fn basic_auth(self, user: impl Into<String>, password: impl Into<Vec<u8>>) -> Self {
        ClientConfig { user: Some(user.into()), password: password.into(), ..self }
    }

    /// The same with a token as servers have it in their configuration: base64 of `user:password`.
    pub fn auth_token(self, token: impl Into<Vec<u8>>) -> Self {
        ClientConfig { token: Some(token.into()), ..self }
    }

    /// Whether credentials may be sent without TLS, where everybody on the way can read them; default no.
    pub fn plaintext_auth(self, allowed: bool) -> Self {
        ClientConfig { plaintext_auth: allowed, ..self }
    }

    /// Sends gRPC metadata with every call. A name that ends in `-bin` takes any bytes, others printable ASCII.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.metadata.push((name.into(), value.into()));
        self
    }

    /// Has this called for what operators may want to know: nodes that are lost, consumers that connect anew, and
    /// so on. The log has the same.
    ///
    /// It is called on a thread of the client's own, with one event at a time, in order. The client never waits for
    /// it: of events that come while 1,024 are waiting, none is told, and they are counted in the
    /// [metrics](crate::Client::metrics). It may block, and call everything of this library but
    /// [`Client::close`](crate::Client::close), which ends with
    /// [`WouldDeadlock`](crate::ErrorKind::WouldDeadlock) there. A panic in it is logged, and ends nothing. After
    /// [`Client::close`](crate::Client::close) it is not called any more. If it holds the client, close that:
    /// dropping the other handles does not end it then.
    pub fn on_event(self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        ClientConfig { on_event: Some(EventCallback::new(callback)), ..self }
    }

    /// How `hstreams://` connections are made.
    #[cfg(feature = "tls")]
    pub fn tls(self, tls: TlsConfig) -> Self {
        ClientConfig { tls, ..self }
    }

    pub(crate) fn check(&self) -> Result<ClusterSettings> {
        let (security, seeds) = parse_url(&self.url)?;
        self.check_numbers()?;
        self.append_compression.check()?;
        self.check_backoffs()?;
        self.check_windows()?;
        Ok(ClusterSettings {
            seeds,
            #[cfg(feature = "tls")]
            tls: self.check_tls(security)?,
            credentials: self.check_credentials(security)?,
            security,
            metadata: self.check_metadata()?,
            address_map: self.check_address_map()?,
            user_agent: self.full_user_agent()?,
            connect_timeout: self.connect_timeout,
            attempt_timeout: Duration::from_secs(5),
            lookup_timeout: Duration::from_secs(10),
            max_attempts: self.max_attempts,
            backoff: Backoff { first: self.first_backoff, cap: self.max_backoff },
            refresh_age: self.refresh_age,
            max_receive_bytes: self.max_receive_bytes,
            tcp_keepalive: self.tcp_keepalive,
            tcp_user_timeout: self.tcp_user_timeout,
            keepalive: self.keepalive.map(|interval| (interval, self.keepalive_timeout)),
            stream_window: self.stream_window,
            connection_window: self.connection_window,
        })
    }

    fn check_numbers(&self) -> Result<()> {
        let zero = Some(Duration::ZERO);
        for (what, is_zero) in [
            ("connect time-out", self.connect_timeout.is_zero()),
            ("number of attempts", self.max_attempts == 0),
            ("first pause between attempts", self.first_backoff.is_zero()),
            ("largest message", self.max_receive_bytes == 0),
            ("TCP keepalive time", self.tcp_keepalive == zero),
            ("TCP user time-out", self.tcp_user_timeout == zero),
            ("keepalive interval", self.keepalive == zero),
            ("keepalive time-out", self.keepalive_timeout.is_zero()),
        ] {
            if is_zero {
                return Err(Error::invalid_argument(format!("the {what} must be more than 0")));
            }
        }
        const MOST: u32 = (1 << 31) - 1;
        for (what, bytes) in [("stream", self.stream_window), ("connection", self.connection_window)] {
            if !(65_535..=MOST).contains(&bytes) {
                let message = format!("the {what} window of {bytes} bytes is out of range, 65535 to {MOST}");
                return Err(Error::invalid_argument(message));
            }
        }
        Ok(())
    }

    pub(crate) fn check_backoffs(&self) -> Result<()> {
        if self.max_backoff < self.first_backoff {
            let message = format!(
                "the longest pause between attempts ({:?}) is shorter than the first ({:?})",
                self.max_backoff, self.first_backoff
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(())
    }

    pub(crate) fn check_windows(&self) -> Result<()> {
        if u64::from(self.connection_window) < 10 * u64::from(self.stream_window) {
            let message = format!(
                "the connection window ({}) is less than ten times the stream window ({})",
                self.connection_window, self.stream_window
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(())
    }

    /// Each option on its own: without the files that it names, and without what only another option says to it.
    #[cfg(feature = "ffi")]
    pub(crate) fn check_each(&self) -> Result<()> {
        parse_url(&self.url)?;
        self.check_numbers()?;
        self.append_compression.check()?;
        self.check_metadata()?;
        self.check_address_map()?;
        self.full_user_agent()?;
        if let Some(user) = &self.user {
            Credentials::basic(user, &self.password)?;
        }
        if let Some(token) = &self.token {
            Credentials::token(token)?;
        }
        #[cfg(feature = "tls")]
        self.tls.check_each()?;
        Ok(())
    }

    fn check_metadata(&self) -> Result<Vec<Metadata>> {
        self.metadata.iter().map(|(name, value)| Metadata::new(name, value)).collect()
    }

    #[cfg(feature = "tls")]
    fn check_tls(&self, security: Security) -> Result<Option<std::sync::Arc<Tls>>> {
        match security {
            Security::Tls => Ok(Some(std::sync::Arc::new(Tls::load(self.tls.clone())?))),
            Security::Plaintext if self.tls.is_default() => Ok(None),
            Security::Plaintext => Err(Error::new(
                ErrorKind::Config,
                "there are options for TLS, but the URL says hstream, not hstreams",
            )),
        }
    }

    fn check_credentials(&self, security: Security) -> Result<Option<Credentials>> {
        let credentials = match (&self.user, &self.token) {
            (None, None) => return Ok(None),
            (Some(user), None) => Credentials::basic(user, &self.password)?,
            (None, Some(token)) => Credentials::token(token)?,
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "there are a user and a token, and one of them is too much",
                ));
            }
        };
        check_plaintext_auth(security, self.plaintext_auth)?;
        Ok(Some(credentials))
    }

    fn check_address_map(&self) -> Result<HashMap<Address, Address>> {
        let pair = |(advertised, reachable): &(String, String)| {
            Ok((Address::parse(advertised)?, Address::parse(reachable)?))
        };
        self.address_map.iter().map(pair).collect()
    }

    fn full_user_agent(&self) -> Result<String> {
        let ours = concat!("hstreamdb-blocking/", env!("CARGO_PKG_VERSION"));
        match &self.user_agent {
            None => Ok(ours.to_owned()),
            Some(application) if application.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
                Ok(format!("{ours} {application}"))
            }
            Some(_) => {
                Err(Error::invalid_argument("the user agent has characters other than printable ASCII"))
            }
        }
    }
}

/// Refuses to send credentials where anybody can read them, unless asked to.
pub(crate) fn check_plaintext_auth(security: Security, allowed: bool) -> Result<()> {
    if security == Security::Plaintext && !allowed {
        let message =
            "credentials are not sent without TLS; use hstreams, or allow it by the option plaintext.auth";
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(())
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ClientConfig");
        for option in crate::options::CLIENT {
            debug.field(option.key, &option.shown(self));
        }
        debug.finish()
    }
}

impl From<&str> for ClientConfig {
    fn from(url: &str) -> Self {
        ClientConfig::new(url)
    }
}

impl From<String> for ClientConfig {
    fn from(url: String) -> Self {
        ClientConfig::new(url)
    }
}

impl From<&String> for ClientConfig {
    fn from(url: &String) -> Self {
        ClientConfig::new(url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_reported_by_name() {
        let second = Duration::from_secs(1);
        for (config, part) in [
            (ClientConfig::new("nonsense"), "nonsense"),
            (ClientConfig::default().connect_timeout(Duration::ZERO), "connect time-out"),
            (ClientConfig::default().windows(1 << 20, 1 << 20), "ten times"),
            (ClientConfig::default().windows(1, 1 << 20), "stream window"),
            (ClientConfig::default().auth_token("x"), "without TLS"),
            (ClientConfig::default().auth_token("x").basic_auth("u", "p").plaintext_auth(true), "too much"),
            (ClientConfig::default().metadata("a b", "x"), "a b"),
            (ClientConfig::default().map_address("a:1", "b:x"), "b:x"),
            (ClientConfig::default().retry(0, second, second), "attempts"),
            (ClientConfig::default().retry(3, second, Duration::ZERO), "shorter"),
            (ClientConfig::default().user_agent("a\nb"), "user agent"),
            (ClientConfig::default().append_compression(Compression::gzip().with_level(10)), "level 10"),
        ] {
            let error = config.check().err().unwrap().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(ClientConfig::default().user_agent("app/1").check().is_ok());
    }
}
