//! What offsets mean: the first batch of a read, the last one, and how far a trim goes.

use tonic::{Code, Status};

use super::errors;
use super::log::{OLDEST, ShardLog};
use crate::proto::{self, ErrorCode, SpecialOffset};

/// An offset of a shard or of a stream, as it came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Offset {
    /// No offset at all.
    Unset,
    /// An offset that is there and says nothing.
    Empty,
    Special(i32, Kind),
    Record(proto::RecordId),
    /// Milliseconds since 1970. Whether they are meant strictly does not matter: they are taken so.
    Time(i64),
}

/// Whose special offset it is: they differ in what is said of unknown ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Shard,
    Stream,
}

impl From<Option<proto::ShardOffset>> for Offset {
    fn from(offset: Option<proto::ShardOffset>) -> Self {
        use proto::shard_offset::Offset as Given;
        match offset.map(|offset| offset.offset) {
            None => Offset::Unset,
            Some(None) => Offset::Empty,
            Some(Some(Given::SpecialOffset(special))) => Offset::Special(special, Kind::Shard),
            Some(Some(Given::RecordOffset(record))) => Offset::Record(record),
            Some(Some(Given::TimestampOffset(time))) => Offset::Time(time.timestamp_in_ms),
        }
    }
}

impl From<Option<proto::StreamOffset>> for Offset {
    fn from(offset: Option<proto::StreamOffset>) -> Self {
        use proto::stream_offset::Offset as Given;
        match offset.map(|offset| offset.offset) {
            None => Offset::Unset,
            Some(None) => Offset::Empty,
            Some(Some(Given::SpecialOffset(special))) => Offset::Special(special, Kind::Stream),
            Some(Some(Given::TimestampOffset(time))) => Offset::Time(time.timestamp_in_ms),
        }
    }
}

/// Where a read ends; the batch of this number is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) lsn: u64,
    /// Batches stored later than this are not part of it either.
    pub(super) until_ms: Option<u64>,
}

/// The first batch that a read from this offset is about.
pub(super) fn start(offset: Offset, shard: u64, log: &ShardLog) -> Result<u64, Status> {
    match offset {
        Offset::Unset => Ok(OLDEST),
        Offset::Empty => Err(nothing_in_it()),
        Offset::Special(special, kind) => match known(special, kind)? {
            SpecialOffset::Earliest => Ok(OLDEST),
            SpecialOffset::Latest => Ok(log.after_tail()),
        },
        // The whole batch is read, from its first record on.
        Offset::Record(record) => Ok(own_record(&record, shard)?.max(OLDEST)),
        Offset::Time(ms) => Ok(log.find_time(ms)),
    }
}

/// The last batch of a read until this offset. None for no end.
pub(super) fn end(offset: Offset, shard: u64, log: &ShardLog) -> Result<Option<End>, Status> {
    let at = |lsn| Ok(Some(End { lsn, until_ms: None }));
    match offset {
        Offset::Unset => Ok(None),
        Offset::Empty => Err(nothing_in_it()),
        Offset::Special(special, kind) => match known(special, kind)? {
            SpecialOffset::Earliest => at(OLDEST),
            SpecialOffset::Latest => at(log.tail()),
        },
        Offset::Record(record) => at(own_record(&record, shard)?),
        Offset::Time(ms) => {
            let found = log.find_time(ms);
            match log.get(found) {
                Some(_) => Ok(Some(End { lsn: found, until_ms: Some(u64::try_from(ms).unwrap_or(0)) })),
                // Nothing is that late yet.
                None => at(log.tail()),
            }
        }
    }
}

/// The last batch that a trim takes.
pub(super) fn trim_point(offset: Offset, log: &ShardLog) -> Result<u64, Status> {
    match offset {
        Offset::Unset => Err(invalid_trim_point()),
        Offset::Empty => Err(nothing_in_it()),
        Offset::Special(special, kind) => match known(special, kind)? {
            SpecialOffset::Earliest => Ok(OLDEST),
            SpecialOffset::Latest => Ok(log.tail()),
        },
        // Neither the record's place in its batch nor its shard is looked at.
        Offset::Record(record) => Ok(record.batch_id),
        Offset::Time(ms) => Ok(log.find_time(ms)),
    }
}

fn known(special: i32, kind: Kind) -> Result<SpecialOffset, Status> {
    SpecialOffset::try_from(special).map_err(|_| {
        invalid_offset(match kind {
            Kind::Shard => "UnKnownShardOffset",
            Kind::Stream => "InvalidShardOffset",
        })
    })
}

fn own_record(record: &proto::RecordId, shard: u64) -> Result<u64, Status> {
    if record.shard_id == shard {
        return Ok(record.batch_id);
    }
    let extra = format!(
        "shardId {shard} doesn't match with recordId RecordId {{recordIdShardId = {}, \
         recordIdBatchId = {}, recordIdBatchIndex = {}}}",
        record.shard_id, record.batch_id, record.batch_index
    );
    Err(conflict(extra))
}

/// What is said of a read that would end before it begins.
pub(super) fn backwards(start: u64, end: u64) -> Status {
    conflict(format!("startLSN({start}) should less than and equal to endLSN({end})"))
}

fn conflict(extra: String) -> Status {
    let error = ErrorCode::ShardReaderConflictOffset;
    errors::json(Code::InvalidArgument, error, "ConflictShardReaderOffset", extra)
}

pub(super) fn invalid_offset(extra: &str) -> Status {
    errors::json(Code::InvalidArgument, ErrorCode::StreamInvalidOffset, "InvalidShardOffset", extra)
}

pub(super) fn invalid_trim_point() -> Status {
    let (error, extra) = (ErrorCode::StreamInvalidOffset, "invalid trim point: Nothing");
    errors::json(Code::InvalidArgument, error, "InvalidTrimPoint", extra)
}

/// Nobody thought of an offset without an offset.
fn nothing_in_it() -> Status {
    errors::unknown_exception("Maybe.fromJust: Nothing")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::log::EMPTY_TAIL;
    use super::*;

    const SHARD: u64 = 7;
    const FIRST: u64 = EMPTY_TAIL + 1;

    fn log(times: &[u64]) -> ShardLog {
        let mut log = ShardLog::new();
        for ms in times {
            log.append(3, 0, Bytes::new(), *ms);
        }
        log
    }

    fn special(number: i32) -> Offset {
        Offset::Special(number, Kind::Shard)
    }

    fn record(shard_id: u64, batch_id: u64) -> Offset {
        Offset::Record(proto::RecordId { shard_id, batch_id, batch_index: 2 })
    }

    fn message<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
        result.unwrap_err().message().to_owned()
    }

    /// Server behaviour, section 4.5.
    #[test]
    fn a_read_starts_with_the_batch_that_its_offset_means() {
        let log = log(&[1000, 2000]);
        for (offset, lsn) in [
            (Offset::Unset, 1),
            (special(0), 1),
            (special(1), FIRST + 2),
            (record(SHARD, FIRST + 1), FIRST + 1),
            (record(SHARD, 0), 1),
            (Offset::Time(1000), FIRST),
            (Offset::Time(1001), FIRST + 1),
            (Offset::Time(i64::MIN), FIRST),
            (Offset::Time(i64::MAX), FIRST + 2),
        ] {
            assert_eq!(start(offset, SHARD, &log).unwrap(), lsn, "{offset:?}");
        }
    }

    /// Server behaviour, section 4.5.
    #[test]
    fn a_read_ends_with_the_batch_that_its_offset_means() {
        let log = log(&[1000, 2000]);
        let at = |lsn| Some(End { lsn, until_ms: None });
        for (offset, expected) in [
            (Offset::Unset, None),
            (special(0), at(1)),
            (special(1), at(FIRST + 1)),
            (record(SHARD, u64::MAX), at(u64::MAX)),
            (Offset::Time(1500), Some(End { lsn: FIRST + 1, until_ms: Some(1500) })),
            (Offset::Time(2001), at(FIRST + 1)),
        ] {
            assert_eq!(end(offset, SHARD, &log).unwrap(), expected, "{offset:?}");
        }
        assert_eq!(end(Offset::Time(5), SHARD, &self::log(&[])).unwrap(), at(EMPTY_TAIL));
    }

    /// Server behaviour, section 4.5.
    #[test]
    fn offsets_that_mean_nothing_are_refused_in_their_own_ways() {
        let log = log(&[]);
        let unknown = |kind| message(start(Offset::Special(9, kind), SHARD, &log));
        assert!(unknown(Kind::Shard).contains(r#""error":208,"extra":"UnKnownShardOffset""#));
        assert!(unknown(Kind::Stream).contains(r#""error":208,"extra":"InvalidShardOffset""#));
        let foreign = message(end(record(8, 5), SHARD, &log));
        assert!(foreign.contains("901") && foreign.contains("RecordId {recordIdShardId = 8, "), "{foreign}");
        assert_eq!(start(Offset::Empty, SHARD, &log).unwrap_err().code(), Code::Unknown);
        assert_eq!(end(Offset::Empty, SHARD, &log).unwrap_err().code(), Code::Unknown);
        assert_eq!(trim_point(Offset::Empty, &log).unwrap_err().code(), Code::Unknown);
        assert!(message(trim_point(Offset::Unset, &log)).contains("invalid trim point: Nothing"));
    }

    /// Server behaviour, section 7.
    #[test]
    fn a_trim_point_is_the_last_batch_to_go() {
        let log = log(&[1000, 2000]);
        for (offset, lsn) in [
            (special(0), 1),
            (special(1), FIRST + 1),
            (record(8, FIRST), FIRST),
            (Offset::Time(1001), FIRST + 1),
            (Offset::Time(2001), FIRST + 2),
        ] {
            assert_eq!(trim_point(offset, &log).unwrap(), lsn, "{offset:?}");
        }
    }
}
