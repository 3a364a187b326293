//! Releases of the real server, and what each of them could do.

use std::fmt;

/// A release, as in its number: 0.20.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release(pub(super) u8, pub(super) u8, pub(super) u8);

/// The release whose behaviour is imitated unless another one is asked for.
pub(super) const NEWEST: Release = Release(0, 20, 3);
/// The oldest that can be asked for.
pub(super) const OLDEST: Release = Release(0, 14, 0);

/// Errors are JSON objects.
pub(super) const JSON_ERRORS: Release = Release(0, 15, 0);
/// DescribeCluster has its present layout, and nodes tell their version; a call at the wrong node gets
/// WrongServer.
pub(super) const NEW_LAYOUT: Release = Release(0, 15, 2);
/// LookupResource looks at the ids.
pub(super) const CHECKED_RESOURCE_IDS: Release = Release(0, 15, 4);
/// Readers know where to stop.
pub(super) const BOUNDED_READS: Release = Release(0, 16, 0);
/// Tokens are looked at.
pub(super) const TOKENS: Release = Release(0, 18, 2);
/// ReadShard tells of gaps.
pub(super) const GAP_ERRORS: Release = Release(0, 18, 4);
/// TrimShards without ids is an answer.
pub(super) const TRIM_OF_NOTHING: Release = Release(0, 20, 0);

/// The calls that came after the oldest release.
const SINCE: &[(Release, &[&str])] = &[
    (
        Release(0, 15, 0),
        &[
            "ReadShardStream",
            "ExecuteViewQuery",
            "ExecuteViewQueryWithNamespace",
            "CreateQueryWithNamespace",
            "TerminateQuery",
            "ResumeQuery",
            "ParseSql",
            "GetConnectorSpec",
            "GetConnectorLogs",
        ],
    ),
    (Release(0, 16, 0), &["GetTailRecordId", "ReadStream", "ReadSingleShardStream"]),
    (Release(0, 16, 1), &["TrimStream", "TrimShard", "ReadStreamByKey", "LookupKey"]),
    (Release(0, 17, 0), &["TrimShards"]),
    (Release(0, 19, 1), &["AlterConnectorConfig"]),
];

impl Release {
    /// Reads `0.17.0`, also with a `v` in front.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.').map(str::parse);
        let mut next = || parts.next()?.ok();
        let release = Release(next()?, next()?, next()?);
        (parts.next().is_none() && (OLDEST..=NEWEST).contains(&release)).then_some(release)
    }

    /// Whether it has this call, if any does.
    pub(super) fn has(self, rpc: &str) -> bool {
        SINCE.iter().all(|(since, rpcs)| self >= *since || !rpcs.contains(&rpc))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_as_written() {
        assert_eq!(Release::parse("v0.15.1"), Some(Release(0, 15, 1)));
        assert_eq!(Release::parse(&NEWEST.to_string()), Some(NEWEST));
        for bad in ["", "0.15", "0.15.0.1", "0.13.9", "0.20.4", "1.0.0", "0.15.x", "0.999.0"] {
            assert_eq!(Release::parse(bad), None, "{bad}");
        }
    }

    /// Server behaviour, section 14.
    #[test]
    fn calls_come_with_their_release() {
        assert!(!Release(0, 16, 0).has("TrimStream") && Release(0, 16, 1).has("TrimStream"));
        assert!(!Release(0, 14, 0).has("ReadShardStream") && Release(0, 15, 0).has("ReadShardStream"));
        assert!(Release(0, 14, 0).has("Append"));
        assert!(SINCE.iter().flat_map(|(_, rpcs)| *rpcs).all(|rpc| NEWEST.has(rpc)));
    }
}
