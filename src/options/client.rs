//! The options of a client.

use super::{
    ConfigOption, bad, boolean, get, level, ms, number, optional_ms, required_ms, set, shown_level, text,
};
use crate::config::ClientConfig;
use crate::error::{Error, Result};

/// All options of a client. The keys are the setters' names with dots.
pub(crate) const CLIENT: &[ConfigOption<ClientConfig>] = &[
    option!(
        "url",
        Text,
        "hstream:// or hstreams://, hosts by comma",
        "Where the cluster is.",
        |c, v| c.url = v.to_owned(),
        c.url.clone()
    ),
    option!(
        "lazy.connect",
        Bool,
        "true, false",
        "Connecting does not wait for a node to answer.",
        |c, v| c.lazy = boolean(v)?,
        c.lazy.to_string()
    ),
    option!(
        "request.timeout.ms",
        Milliseconds,
        "0 or more, -1 for ever",
        "A call, with look-ups and retries.",
        |c, v| c.request_timeout = optional_ms(v)?,
        ms(c.request_timeout)
    ),
    option!(
        "connect.timeout.ms",
        Milliseconds,
        "1 or more",
        "Connecting to one address.",
        |c, v| c.connect_timeout = required_ms(v)?,
        ms(Some(c.connect_timeout))
    ),
    option!(
        "retry.max.attempts",
        Number,
        "1 or more",
        "How often a call is tried.",
        |c, v| c.max_attempts = number(v)?,
        c.max_attempts.to_string()
    ),
    option!(
        "retry.first.backoff.ms",
        Milliseconds,
        "1 or more",
        "The pause before the second attempt.",
        |c, v| c.first_backoff = required_ms(v)?,
        ms(Some(c.first_backoff))
    ),
    option!(
        "retry.max.backoff.ms",
        Milliseconds,
        "retry.first.backoff.ms or more",
        "The longest pause.",
        |c, v| c.max_backoff = required_ms(v)?,
        ms(Some(c.max_backoff))
    ),
    option!(
        "refresh.ms",
        Milliseconds,
        "0 or more",
        "Age at which the cluster is looked at again.",
        |c, v| c.refresh_age = required_ms(v)?,
        ms(Some(c.refresh_age))
    ),
    option!(
        "max.receive.bytes",
        Number,
        "1 or more",
        "The largest message accepted.",
        |c, v| c.max_receive_bytes = number(v)?,
        c.max_receive_bytes.to_string()
    ),
    option!(
        "user.agent",
        Text,
        "printable ASCII",
        "The application's name.",
        |c, v| c.user_agent = text(v),
        c.user_agent.clone().unwrap_or_default()
    ),
    option!(
        "map.address",
        Text,
        "advertised=reachable, pairs by comma",
        "Addresses to dial instead of those told.",
        |c, v| c.address_map = pairs(v)?,
        shown_pairs(&c.address_map)
    ),
    option!(
        "tcp.keepalive.ms",
        Milliseconds,
        "1 or more, -1 none",
        "Idle time before the kernel asks the peer.",
        |c, v| c.tcp_keepalive = optional_ms(v)?,
        ms(c.tcp_keepalive)
    ),
    option!(
        "tcp.user.timeout.ms",
        Milliseconds,
        "1 or more, -1 none",
        "Unacknowledged data ends a connection (Linux).",
        |c, v| c.tcp_user_timeout = optional_ms(v)?,
        ms(c.tcp_user_timeout)
    ),
    option!(
        "keepalive.ms",
        Milliseconds,
        "1 or more, -1 none",
        "Interval of HTTP/2 pings; below 300000 servers object.",
        |c, v| c.keepalive = optional_ms(v)?,
        ms(c.keepalive)
    ),
    option!(
        "keepalive.timeout.ms",
        Milliseconds,
        "1 or more",
        "How long a ping may go unanswered.",
        |c, v| c.keepalive_timeout = required_ms(v)?,
        ms(Some(c.keepalive_timeout))
    ),
    option!(
        "windows.stream.bytes",
        Number,
        "65535 to 2147483647",
        "HTTP/2 receive window of a call.",
        |c, v| c.stream_window = number(v)?,
        c.stream_window.to_string()
    ),
    option!(
        "windows.connection.bytes",
        Number,
        "ten times windows.stream.bytes or more",
        "The same of a connection.",
        |c, v| c.connection_window = number(v)?,
        c.connection_window.to_string()
    ),
    option!(
        "buffer.bytes",
        Number,
        "0 or more; 0 is no limit",
        "What all producers may hold together.",
        |c, v| c.buffer_bytes = number(v)?,
        c.buffer_bytes.to_string()
    ),
    option!(
        "append.compression.kind",
        Word,
        "none, gzip, zstd",
        "How appends without a producer are compressed, unless they say otherwise.",
        |c, v| c.append_compression.kind = v.parse()?,
        c.append_compression.kind.to_string()
    ),
    option!(
        "append.compression.level",
        Text,
        "gzip 0 to 9, zstd 1 to 22, or default",
        "And how hard.",
        |c, v| c.append_compression.level = level(v)?,
        shown_level(c.append_compression.level)
    ),
    option!(
        "basic.auth.user",
        Text,
        "no colon",
        "The user that calls are made as.",
        |c, v| c.user = text(v),
        c.user.clone().unwrap_or_default()
    ),
    option!(
        "basic.auth.password",
        Secret,
        "any",
        "And the password.",
        |c, v| c.password = v.into(),
        String::from_utf8_lossy(&c.password).into_owned()
    ),
    option!(
        "auth.token",
        Secret,
        "printable ASCII",
        "A ready token, instead of user and password.",
        |c, v| c.token = text(v).map(Into::into),
        c.token.as_deref().map_or(String::new(), |t| String::from_utf8_lossy(t).into_owned())
    ),
    option!(
        "plaintext.auth",
        Bool,
        "true, false",
        "Credentials may be sent without TLS.",
        |c, v| c.plaintext_auth = boolean(v)?,
        c.plaintext_auth.to_string()
    ),
    #[cfg(feature = "tls")]
    option!(
        "tls.ca.file",
        Text,
        "a path",
        "PEM file of the CAs to trust, instead of the system's.",
        |c, v| c.tls = std::mem::take(&mut c.tls).ca_file(v),
        c.tls.ca_path()
    ),
    #[cfg(feature = "tls")]
    option!(
        "tls.ca.pem",
        Text,
        "PEM",
        "The same from memory.",
        |c, v| c.tls = std::mem::take(&mut c.tls).ca_pem(v),
        c.tls.ca_text()
    ),
    #[cfg(feature = "tls")]
    option!(
        "tls.identity.files",
        Text,
        "certificate,key: two paths",
        "The client's certificate and key.",
        |c, v| c.tls = identity_files(std::mem::take(&mut c.tls), v)?,
        c.tls.identity_paths()
    ),
    #[cfg(feature = "tls")]
    option!(
        "tls.server.name",
        Text,
        "a name or an address",
        "The name to verify, where it isn't the host.",
        |c, v| c.tls = std::mem::take(&mut c.tls).server_name(v),
        c.tls.name_text()
    ),
];

impl ClientConfig {
    /// Sets an option by text: the same keys in all languages, in files and in environments.
    ///
    /// # Errors
    ///
    /// There is no such option, and the error names the one that comes nearest; or the text is no value of it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        set(CLIENT, self, key, value)
    }

    /// An option as text; secrets come as `***`.
    ///
    /// # Errors
    ///
    /// There is no such option.
    pub fn get(&self, key: &str) -> Result<String> {
        get(CLIENT, self, key)
    }

    /// Options from a text of lines `key=value`; empty lines and those that begin with `#` do not count.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), with the number of the line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut config = ClientConfig::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at_line =
                |error: Error| Error::new(error.kind(), format!("line {number}: {}", error.message()));
            let pair =
                line.split_once('=').ok_or_else(|| Error::invalid_argument("not of the form key=value"));
            let (key, value) = pair.map_err(at_line)?;
            config.set(key.trim(), value.trim()).map_err(at_line)?;
        }
        Ok(config)
    }
}

fn pairs(value: &str) -> Result<Vec<(String, String)>> {
    let pairs = value.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (from, to) =
                pair.split_once('=').ok_or_else(|| bad(pair, "of the form advertised=reachable"))?;
            Ok((from.trim().to_owned(), to.trim().to_owned()))
        })
        .collect()
}

fn shown_pairs(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(from, to)| format!("{from}={to}")).collect::<Vec<_>>().join(",")
}

#[cfg(feature = "tls")]
fn identity_files(tls: crate::TlsConfig, value: &str) -> Result<crate::TlsConfig> {
    let (certificate, key) =
        value.split_once(',').ok_or_else(|| bad(value, "two paths with a comma between"))?;
    Ok(tls.identity_files(certificate.trim(), key.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn unknown_keys_are_refused_with_the_nearest_one() {
        let error = ClientConfig::default().set("conect.timeout.ms", "1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOption);
        assert!(error.to_string().contains("`connect.timeout.ms`"), "{error}");
    }

    #[test]
    fn bad_values_are_told_with_what_is_taken() {
        for (key, value) in [
            ("connect.timeout.ms", "1s"),
            ("retry.max.attempts", "-1"),
            ("lazy.connect", "maybe"),
            ("map.address", "a"),
        ] {
            let error = ClientConfig::default().set(key, value).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(value) && error.contains("it takes"), "{error}");
        }
    }

    #[test]
    fn a_client_is_configured_from_lines_of_text() {
        let config = ClientConfig::parse(
            "# a comment\n\nurl = hstream://a:1\nrequest.timeout.ms=-1\nauth.token=c2VjcmV0",
        );
        let config = config.unwrap();
        assert_eq!((config.url.as_str(), config.request_timeout), ("hstream://a:1", None));
        assert_eq!(config.get("auth.token").unwrap(), "***");
        assert!(!format!("{config:?}").contains("c2VjcmV0"));
        let error = ClientConfig::parse("\nurl").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
