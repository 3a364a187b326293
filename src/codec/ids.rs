//! Ids, offsets and shards to their messages and back.

use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::proto;
use crate::record_id::{RecordId, StartAt};
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
