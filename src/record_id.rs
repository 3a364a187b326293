//! Where a record stands, and where reading begins or ends.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use crate::error::{Error, Result};

/// The id of a stored record: its shard, the batch it was appended in, and its place in that batch.
///
/// Within a shard, ids are ordered by (batch id, batch index), which is the order of the fields here;
/// ids of different shards do not compare, and `Ord` between them is only a sort order. The text form is
/// `shard-batch-index` in unsigned decimals, the same in all clients of HStreamDB and on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The shard that holds the record.
    pub shard_id: u64,
    /// The batch, as the log numbered it.
    pub batch_id: u64,
    /// Position in the batch, from 0.
    pub batch_index: u32,
}

impl RecordId {
    /// An id of these three numbers.
    pub const fn new(shard_id: u64, batch_id: u64, batch_index: u32) -> Self {
        RecordId { shard_id, batch_id, batch_index }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.shard_id, self.batch_id, self.batch_index)
    }
}

impl FromStr for RecordId {
    type Err = Error;

    /// Reads `shard-batch-index`.
    fn from_str(text: &str) -> Result<Self> {
        fn number<T: FromStr>(part: Option<&str>) -> Option<T> {
            // `parse` would take a sign as well.
            part.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
        }
        let mut parts = text.split('-');
        let id =
            (|| Some(RecordId::new(number(parts.next())?, number(parts.next())?, number(parts.next())?)))();
        id.filter(|_| parts.next().is_none()).ok_or_else(|| {
            Error::invalid_argument(format!(
                "`{}` is not a record id; the form is shard-batch-index in unsigned decimals",
                text.chars().take(80).collect::<String>()
            ))
        })
    }
}

/// Where reading begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offset {
    /// The first record that is kept.
    Earliest,
    /// Behind the last record.
    Latest,
    /// A record.
    Record(RecordId),
    /// The first record stored at or after this time, to the millisecond.
    Time(SystemTime),
    /// The same, or some minutes earlier: where the store finds it with less effort.
    NearTime(SystemTime),
}

/// Where a new subscription starts. The server knows these two only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartAt {
    /// With the first record that is kept.
    Earliest,
    /// Behind the last record there is when the subscription is created.
    #[default]
    Latest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_unsigned_and_round_trips() {
        for id in [RecordId::default(), RecordId::new(u64::MAX, u64::MAX, u32::MAX), RecordId::new(1, 2, 3)] {
            assert_eq!(id.to_string().parse::<RecordId>().unwrap(), id);
        }
        assert_eq!(RecordId::new(u64::MAX, 1, 0).to_string(), "18446744073709551615-1-0");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "1",
            "1-2",
            "1-2-3-4",
            "-1-2-3",
            "+1-2-3",
            "1-2-4294967296",
            "a-b-c",
            "1--2",
            "1-2-",
            " 1-2-3",
        ] {
            let error = text.parse::<RecordId>().unwrap_err();
            assert!(error.to_string().contains("record id"), "{text}: {error}");
        }
    }
}
