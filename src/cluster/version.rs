//! Versions of servers, and what they lack. Pure.

use std::fmt;

/// A server's version, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

/// The oldest that this client works with: before it, errors had no codes.
pub(crate) const OLDEST: Version = Version(0, 15, 0);

impl Version {
    /// Reads `0.15.2`, with or without a leading v; `None` for builds that do not say.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().trim_start_matches('v').split(['.', '-', '+']);
        let mut next = || numbers.next()?.parse().ok();
        let (major, minor) = (next()?, next()?);
        Some(Version(major, minor, next().unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The first version that has a call; `None` for those that all supported ones have.
pub(crate) fn since(rpc: &str) -> Option<Version> {
    match rpc {
        "GetTailRecordId" | "ReadStream" | "ReadSingleShardStream" => Some(Version(0, 16, 0)),
        "TrimStream" | "TrimShard" | "ReadStreamByKey" | "LookupKey" => Some(Version(0, 16, 1)),
        "TrimShards" | "RegisterSchema" | "GetSchema" | "UnregisterSchema" => Some(Version(0, 17, 0)),
        "AlterConnectorConfig" => Some(Version(0, 19, 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        for (text, expected) in [
            ("0.20.3", Some(Version(0, 20, 3))),
            ("v0.15.1", Some(Version(0, 15, 1))),
            ("0.17.0-rc1", Some(Version(0, 17, 0))),
            ("0.14", Some(Version(0, 14, 0))),
            ("unknown version", None),
            ("", None),
        ] {
            assert_eq!(Version::parse(text), expected, "{text}");
        }
        assert!(Version(0, 14, 9) < OLDEST && OLDEST < Version(0, 15, 2));
    }
}
