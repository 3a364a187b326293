//! A client's options, and the single home of their defaults.

use std::time::Duration;

use crate::cluster::endpoint::{DEFAULT_PORT, parse_url};
use crate::cluster::retry::Backoff;
use crate::cluster::settings::ClusterSettings;
use crate::error::{Error, ErrorKind, Result};

/// Options of a [`Client`](crate::Client).
///
/// A URL alone is one as well: `Client::connect("hstream://localhost")`.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientConfig {
    url: String,
    request_timeout: Option<Duration>,
    connect_timeout: Duration,
    max_attempts: u32,
    first_backoff: Duration,
    max_backoff: Duration,
    refresh_age: Duration,
    max_receive_bytes: usize,
    user_agent: Option<String>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        ClientConfig {
            url: format!("hstream://127.0.0.1:{DEFAULT_PORT}"),
            request_timeout: Some(Duration::from_secs(30)),
            connect_timeout: Duration::from_secs(3),
            max_attempts: 6,
            first_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            refresh_age: Duration::from_secs(30),
            max_receive_bytes: 64 << 20,
            user_agent: None,
        }
    }
}

impl ClientConfig {
    /// Options for the cluster at this URL: `hstream://host[:port][,host[:port]]...`. Each host is a seed:
    /// a node to ask about the cluster, at the start and whenever no other answers.
    pub fn new(url: impl Into<String>) -> Self {
        ClientConfig { url: url.into(), ..Self::default() }
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

    /// How long connecting to one address may take; default 3 s.
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

    /// The time that calls have without a limit of their own.
    pub(crate) fn default_timeout(&self) -> Option<Duration> {
        self.request_timeout
    }

    pub(crate) fn check(&self) -> Result<ClusterSettings> {
        let positive = |name: &str, time: Duration| {
            if time.is_zero() {
                Err(Error::invalid_argument(format!("{name} must be more than 0")))
            } else {
                Ok(time)
            }
        };
        if self.max_attempts == 0 {
            return Err(Error::invalid_argument("the number of attempts must be more than 0"));
        }
        if self.max_backoff < self.first_backoff {
            let message = format!(
                "the longest pause between attempts ({:?}) is shorter than the first ({:?})",
                self.max_backoff, self.first_backoff
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(ClusterSettings {
            seeds: parse_url(&self.url)?,
            user_agent: self.full_user_agent()?,
            connect_timeout: positive("the connect time-out", self.connect_timeout)?,
            attempt_timeout: Duration::from_secs(5),
            lookup_timeout: Duration::from_secs(10),
            max_attempts: self.max_attempts,
            backoff: Backoff {
                first: positive("the first pause", self.first_backoff)?,
                cap: self.max_backoff,
            },
            refresh_age: self.refresh_age,
            max_receive_bytes: self.max_receive_bytes,
        })
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
            (ClientConfig::default().retry(0, second, second), "attempts"),
            (ClientConfig::default().retry(3, second, Duration::ZERO), "shorter"),
            (ClientConfig::default().user_agent("a\nb"), "user agent"),
        ] {
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(ClientConfig::default().user_agent("app/1").check().is_ok());
    }
}
