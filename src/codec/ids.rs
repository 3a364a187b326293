//! Ids, offsets and shards to their messages and back.

use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::proto;
use crate::record_id::{Offset, RecordId, StartAt};
use crate::shard::{Shard, parse_bound};

impl From<RecordId> for proto::RecordId {
    fn from(id: RecordId) -> Self {
        proto::RecordId { shard_id: id.shard_id, batch_id: id.batch_id, batch_index: id.batch_index }
    }
}

impl From<proto::RecordId> for RecordId {
    fn from(id: proto::RecordId) -> Self {
        RecordId::new(id.shard_id, id.batch_id, id.batch_index)
    }
}

impl From<StartAt> for proto::SpecialOffset {
    fn from(start: StartAt) -> Self {
        match start {
            StartAt::Earliest => proto::SpecialOffset::Earliest,
            StartAt::Latest => proto::SpecialOffset::Latest,
        }
    }
}

impl From<proto::SpecialOffset> for StartAt {
    fn from(offset: proto::SpecialOffset) -> Self {
        match offset {
            proto::SpecialOffset::Earliest => StartAt::Earliest,
            proto::SpecialOffset::Latest => StartAt::Latest,
        }
    }
}

impl From<Offset> for proto::ShardOffset {
    fn from(offset: Offset) -> Self {
        use proto::shard_offset::Offset as Shard;
        let offset = match offset {
            Offset::Earliest => Shard::SpecialOffset(proto::SpecialOffset::Earliest as i32),
            Offset::Latest => Shard::SpecialOffset(proto::SpecialOffset::Latest as i32),
            Offset::Record(id) => Shard::RecordOffset(id.into()),
            Offset::Time(time) => Shard::TimestampOffset(time_offset(time, true)),
            Offset::NearTime(time) => Shard::TimestampOffset(time_offset(time, false)),
        };
        proto::ShardOffset { offset: Some(offset) }
    }
}

impl TryFrom<Offset> for proto::StreamOffset {
    type Error = Error;

    fn try_from(offset: Offset) -> Result<Self> {
        use proto::stream_offset::Offset as Stream;
        let offset = match offset {
            Offset::Earliest => Stream::SpecialOffset(proto::SpecialOffset::Earliest as i32),
            Offset::Latest => Stream::SpecialOffset(proto::SpecialOffset::Latest as i32),
            Offset::Record(id) => {
                let message = format!("the record {id} is an offset in its shard, and none in a stream");
                return Err(Error::invalid_argument(message));
            }
            Offset::Time(time) => Stream::TimestampOffset(time_offset(time, true)),
            Offset::NearTime(time) => Stream::TimestampOffset(time_offset(time, false)),
        };
        Ok(proto::StreamOffset { offset: Some(offset) })
    }
}

/// The store's times are whole milliseconds, rounded down, and so are these: what was stored after a time but in the
/// same millisecond counts.
fn time_offset(time: SystemTime, strict_accuracy: bool) -> proto::TimestampOffset {
    let millis = |nanos: u128| i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX);
    let timestamp_in_ms = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => millis(since.as_nanos()),
        Err(before) => -millis(before.duration().as_nanos() + 999_999),
    };
    proto::TimestampOffset { timestamp_in_ms, strict_accuracy }
}

impl TryFrom<proto::Shard> for Shard {
    type Error = Error;

    fn try_from(shard: proto::Shard) -> Result<Self> {
        Ok(Shard {
            id: shard.shard_id,
            start: parse_bound(&shard.start_hash_range_key, shard.shard_id)?,
            end: parse_bound(&shard.end_hash_range_key, shard.shard_id)?,
            stream: shard.stream_name,
            epoch: shard.epoch,
            active: shard.is_active,
        })
    }
}

/// The time in a message, if it is one that the system clock can hold.
pub(crate) fn system_time(time: Option<prost_types::Timestamp>) -> Option<SystemTime> {
    let time = time?;
    let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let seconds = Duration::from_secs(time.seconds.unsigned_abs());
    let whole = if time.seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(seconds)?
    } else {
        SystemTime::UNIX_EPOCH.checked_add(seconds)?
    };
    whole.checked_add(Duration::from_nanos(nanos.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_offsets_are_rounded_down_to_milliseconds() {
        let epoch = SystemTime::UNIX_EPOCH;
        let millis = |time| time_offset(time, true).timestamp_in_ms;
        assert_eq!(millis(epoch + Duration::from_millis(7)), 7);
        assert_eq!(millis(epoch + Duration::from_micros(7999)), 7);
        assert_eq!(millis(epoch - Duration::from_micros(7001)), -8);
        assert_eq!(millis(epoch + Duration::from_secs(i64::MAX as u64)), i64::MAX);
        assert_eq!(millis(epoch - Duration::from_secs(i64::MAX as u64)), -i64::MAX);
    }

    #[test]
    fn a_record_is_no_offset_in_a_stream() {
        let error = proto::StreamOffset::try_from(Offset::Record(RecordId::new(1, 2, 3))).unwrap_err();
        assert!(error.to_string().contains("1-2-3"), "{error}");
        for offset in [Offset::Earliest, Offset::Latest, Offset::NearTime(SystemTime::UNIX_EPOCH)] {
            assert!(proto::StreamOffset::try_from(offset).unwrap().offset.is_some());
        }
    }

    #[test]
    fn times_out_of_range_are_no_times() {
        let time = |seconds, nanos| system_time(Some(prost_types::Timestamp { seconds, nanos }));
        assert_eq!(time(1, 500), Some(SystemTime::UNIX_EPOCH + Duration::new(1, 500)));
        assert_eq!(time(-1, 0), Some(SystemTime::UNIX_EPOCH - Duration::from_secs(1)));
        assert_eq!(time(1, -1), None);
        assert_eq!(time(1, 1_000_000_000), None);
        assert_eq!(time(i64::MIN, i32::MAX), None);
        assert_eq!(system_time(None), None);
    }
}
