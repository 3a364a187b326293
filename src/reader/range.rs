//! From where to where a shard is read.

use crate::cluster::{Cluster, Plan, Target};
use crate::error::{ErrorKind, Result};
use crate::proto::{GetTailRecordIdRequest, ShardOffset};
use crate::reader::life::Shared;
use crate::reader::window::{End, Start, Window};
use crate::record_id::{Offset, RecordId};

/// From where to where a shard is read.
pub(crate) struct Range {
    pub(crate) window: Window,
    from: Offset,
    pub(crate) until: Option<ShardOffset>,
}

impl Range {
    /// The range that the options ask for. What they call the latest is pinned here, so that it stays where it is
    /// when the read is opened again.
    pub(crate) async fn pinned(finder: &Cluster, shared: &Shared, shard_id: u64, plan: Plan) -> Result<Self> {
        let config = &shared.config;
        let until = config.until;
        let known = config.position.as_ref().and_then(|position| position.of_shard(shard_id));
        let from = known.map_or(config.from, Offset::Record);
        let needs_tail = from == Offset::Latest || until == Some(Offset::Latest);
        let tail = if needs_tail { tail(finder, shared, shard_id, plan).await? } else { None };
        let (from, start) = match (from, known, tail) {
            (_, Some(last), _) => (from, Start::After(last)),
            (Offset::Record(first), ..) => (from, Start::From(first)),
            (Offset::Latest, _, Some(tail)) => (Offset::Record(tail), Start::After(end_of(tail))),
            (Offset::Time(time), ..) => (from, Start::Since(time)),
            _ => (from, Start::Any),
        };
        let (until, end) = match (until, tail) {
            (None, _) => (None, End::Never),
            (Some(Offset::Latest), Some(tail)) => (Some(Offset::Record(tail)), End::Batch(tail.batch_id)),
            (Some(Offset::Record(last)), _) => (until, End::Record(last)),
            (Some(Offset::Time(time) | Offset::NearTime(time)), _) => (until, End::Time(time)),
            (Some(_), _) => (until, End::Never),
        };
        Ok(Range { window: Window::new(start, end), from, until: until.map(Into::into) })
    }

    /// Where to open the read: at the last record received, or at the begin.
    pub(crate) fn from(&self, window: &Window) -> ShardOffset {
        // The end of a batch is no record, but its batch is what servers look at.
        window.last().map_or(self.from, Offset::Record).into()
    }
}

/// Behind all records of a batch.
fn end_of(batch: RecordId) -> RecordId {
    RecordId { batch_index: u32::MAX, ..batch }
}

/// The last batch of a shard; `None` from servers that can't tell.
async fn tail(finder: &Cluster, shared: &Shared, shard_id: u64, plan: Plan) -> Result<Option<RecordId>> {
    let request = GetTailRecordIdRequest { stream_name: shared.stream.clone(), shard_id };
    match finder.call(Target::Any, request, plan).await {
        Ok(answer) => Ok(answer.tail_record_id.map(RecordId::from)),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}
