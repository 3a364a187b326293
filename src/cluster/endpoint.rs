//! URLs to addresses.

use std::fmt;
use std::net::Ipv6Addr;

use crate::error::{Error, ErrorKind, Result};

pub(crate) const DEFAULT_PORT: u16 = 6570;

/// Host and port of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// An address as a node tells it, without brackets.
    pub(crate) fn new(host: impl Into<String>, port: u16) -> Self {
        Address { host: host.into(), port }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Reads `host[:port]`, as in a URL.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let bad = |why| Error::invalid_argument(format!("the address `{}` {why}", shown(text)));
        parse_host(text.trim()).map_err(bad)
    }
}

/// Whether connections are encrypted. One answer for all connections of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    Plaintext,
    Tls,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads `hstream://host[:port][,host[:port]]...`, or `hstreams://` for TLS. The scheme may be written in any
/// case, spaces around commas do not count, IPv6 addresses stand in brackets, and `http` and `https` are taken
/// as aliases.
pub(crate) fn parse_url(url: &str) -> Result<(Security, Vec<Address>)> {
    let bad = |why: String| Error::invalid_argument(format!("the URL `{}` {why}", shown(url)));
    let Some((scheme, hosts)) = url.trim().split_once("://") else {
        return Err(bad("has no scheme; the form is hstream://host[:port][,host[:port]...]".into()));
    };
    let security = match scheme.to_ascii_lowercase().as_str() {
        "hstream" | "http" => Security::Plaintext,
        // Never plaintext instead.
        "hstreams" | "https" if cfg!(feature = "tls") => Security::Tls,
        "hstreams" | "https" => {
            let message =
                format!("the URL `{}` asks for TLS, and this build has none (feature `tls`)", shown(url));
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        other => return Err(bad(format!("has the unknown scheme `{other}`; use hstream or hstreams"))),
    };
    let hosts = hosts.trim_end_matches('/').split(',').map(|host| parse_host(host.trim()).map_err(bad));
    Ok((security, hosts.collect::<Result<_>>()?))
}

/// A URL for an error message: what may be a password is not repeated.
fn shown(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, hosts)) => format!("...@{hosts}"),
        None => url.to_owned(),
    }
}

fn parse_host(text: &str) -> Result<Address, String> {
    if let Some(odd) = text.chars().find(|c| matches!(c, '/' | '?' | '#' | '@') || c.is_whitespace()) {
        return Err(match odd {
            '@' => "has a user part, which means nothing here; credentials are options of their own".into(),
            ' ' => "has a space inside of a host".into(),
            _ => format!("has a path or query (at `{odd}`), which means nothing here"),
        });
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("has a `[` without a `]`")?;
            host.parse::<Ipv6Addr>()
                .map_err(|_| format!("has `{host}` in brackets, which is no IPv6 address"))?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or("has something other than a port after a `]`")?),
            };
            (host, port)
        }
        None => match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => {
                return Err(format!("has the IPv6 address `{text}` without brackets"));
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err("has an empty host".into());
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(number @ 1..) if port.bytes().all(|byte| byte.is_ascii_digit()) => number,
            _ => return Err(format!("has the port `{port}`, which is not a number from 1 to 65535")),
        },
    };
    Ok(Address::new(host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Vec<String> {
        let (_, addresses) = parse_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        addresses.iter().map(Address::to_string).collect()
    }

    #[test]
    fn one_or_more_hosts_each_with_its_own_port() {
        for (url, expected) in [
            ("hstream://localhost", vec!["localhost:6570"]),
            ("HStream://a:1", vec!["a:1"]),
            (" hstream://a:1 , b , [::1]:2,[fe80::1] ", vec!["a:1", "b:6570", "[::1]:2", "[fe80::1]:6570"]),
            ("http://127.0.0.1:6570/", vec!["127.0.0.1:6570"]),
        ] {
            assert_eq!(parsed(url), expected, "{url}");
        }
    }

    #[test]
    fn the_scheme_decides_on_tls_and_never_falls_back() {
        for (url, expected) in [("hstream://a", Security::Plaintext), ("http://a", Security::Plaintext)] {
            assert_eq!(parse_url(url).unwrap().0, expected);
        }
        for url in ["hstreams://a", "HTTPS://a"] {
            match parse_url(url) {
                Ok((security, _)) => assert_eq!(security, Security::Tls),
                Err(error) => {
                    assert!(error.to_string().contains("TLS") && cfg!(not(feature = "tls")), "{error}")
                }
            }
        }
    }

    #[test]
    fn whatever_else_is_refused_by_name() {
        for (url, part) in [
            ("localhost:6570", "no scheme"),
            ("kafka://a", "kafka"),
            ("hstream://", "empty host"),
            ("hstream://a,,b", "empty host"),
            ("hstream://:1", "empty host"),
            ("hstream://a:0", "`0`"),
            ("hstream://a:65536", "65536"),
            ("hstream://a:+1", "+1"),
            ("hstream://a:", "port"),
            ("hstream://a/b", "path"),
            ("hstream://a?b=c", "path"),
            ("hstream://user:secret@a", "user part"),
            ("hstream://::1", "brackets"),
            ("hstream://[::1", "]"),
            ("hstream://[a]", "no IPv6"),
            ("hstream://[::1]x", "after a `]`"),
            ("hstream://a b", "space"),
            ("", "no scheme"),
        ] {
            let error = parse_url(url).unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
