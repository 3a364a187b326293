//! Where reading starts, and the readers that are kept for ReadShard.

use tonic::{Code, Status};

use super::errors;
use super::log::{OLDEST, ShardLog};
use crate::proto::shard_offset::Offset;
use crate::proto::{self, ErrorCode, SpecialOffset};

/// A reader as it was created. How far it has read is only known to the node that it reads from.
#[derive(Clone, Debug)]
pub(super) struct ReaderInfo {
    pub(super) stream: String,
    pub(super) shard: u64,
    pub(super) start: u64,
    pub(super) timeout: u32,
}

/// The batch that an offset means, at this moment.
pub(super) fn resolve_start(offset: Offset, shard: u64, log: &ShardLog) -> Result<u64, Status> {
    match offset {
        Offset::SpecialOffset(special) => match SpecialOffset::try_from(special) {
            Ok(SpecialOffset::Earliest) => Ok(OLDEST),
            Ok(SpecialOffset::Latest) => Ok(log.after_tail()),
            Err(_) => Err(invalid_offset("UnKnownShardOffset")),
        },
        // The whole batch is read, from its first record on.
        Offset::RecordOffset(record) if record.shard_id == shard => Ok(record.batch_id.max(OLDEST)),
        Offset::RecordOffset(record) => Err(foreign_record(shard, &record)),
        Offset::TimestampOffset(time) => Ok(log.find_time(time.timestamp_in_ms)),
    }
}

pub(super) fn invalid_offset(extra: &str) -> Status {
    errors::json(Code::InvalidArgument, ErrorCode::StreamInvalidOffset, "InvalidShardOffset", extra)
}

fn foreign_record(shard: u64, record: &proto::RecordId) -> Status {
    let extra = format!(
        "shardId {shard} doesn't match with recordId RecordId {{recordIdShardId = {}, \
         recordIdBatchId = {}, recordIdBatchIndex = {}}}",
        record.shard_id, record.batch_id, record.batch_index
    );
    errors::json(
        Code::InvalidArgument,
        ErrorCode::ShardReaderConflictOffset,
        "ConflictShardReaderOffset",
        extra,
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::log::EMPTY_TAIL;
    use super::*;

    /// Server behaviour, section 4.5.
    #[test]
    fn offsets_mean_batches() {
        let mut log = ShardLog::new();
        log.append(3, 0, Bytes::new(), 1000);
        let resolve = |offset| resolve_start(offset, 7, &log).map_err(|status| status.message().to_owned());
        let record = |shard_id| {
            Offset::RecordOffset(proto::RecordId { shard_id, batch_id: EMPTY_TAIL + 1, batch_index: 2 })
        };
        let time = |timestamp_in_ms| {
            Offset::TimestampOffset(proto::TimestampOffset { timestamp_in_ms, strict_accuracy: true })
        };
        assert_eq!(resolve(Offset::SpecialOffset(0)), Ok(1));
        assert_eq!(resolve(Offset::SpecialOffset(1)), Ok(EMPTY_TAIL + 2));
        assert_eq!(resolve(record(7)), Ok(EMPTY_TAIL + 1));
        assert_eq!(resolve(time(1000)), Ok(EMPTY_TAIL + 1));
        assert_eq!(resolve(time(1001)), Ok(EMPTY_TAIL + 2));
        assert!(resolve(Offset::SpecialOffset(9)).unwrap_err().contains("UnKnownShardOffset"));
        let foreign = resolve(record(8)).unwrap_err();
        assert!(foreign.contains("901") && foreign.contains("RecordId {recordIdShardId = 8, "), "{foreign}");
    }
}
