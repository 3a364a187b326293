//! One append over the wire. All that append use it.

use crate::cluster::{Cluster, Plan, Target};
use crate::error::{Error, Result};
use crate::producer::delivery::Written;
use crate::proto::{AppendRequest, AppendResponse, BatchedRecord};

/// Appends a batch to a shard.
pub(crate) async fn append_batch(
    cluster: &Cluster,
    stream: &str,
    shard_id: u64,
    batch: BatchedRecord,
    plan: Plan,
) -> Result<Written> {
    let count = batch.batch_size;
    let request = AppendRequest { stream_name: stream.to_owned(), shard_id, records: Some(batch) };
    written(cluster.call(Target::Shard(shard_id), request, plan).await?, shard_id, count)
}

/// The ids of one append share shard and batch and count up from 0, so the first tells all. An answer of
/// another form means that the batch was written, but not where.
fn written(response: AppendResponse, shard_id: u64, count: u32) -> Result<Written> {
    let ids = &response.record_ids;
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        return Err(Error::protocol("an append was answered without record ids").ambiguous());
    };
    let consistent = ids.len() == count as usize
        && first.batch_index == 0
        && last.batch_index == count - 1
        && (last.shard_id, last.batch_id) == (first.shard_id, first.batch_id)
        && first.shard_id == shard_id;
    if !consistent {
        let message =
            format!("an append of {count} records was answered with {} ids that don't fit", ids.len());
        return Err(Error::protocol(message).ambiguous());
    }
    Ok(Written { shard_id, batch_id: first.batch_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::RecordId;

    fn response(indexes: &[u32]) -> AppendResponse {
        let id = |&batch_index: &u32| RecordId { shard_id: 7, batch_id: 9, batch_index };
        AppendResponse { record_ids: indexes.iter().map(id).collect(), ..Default::default() }
    }

    #[test]
    fn ids_that_do_not_fit_are_never_passed_on() {
        assert_eq!(written(response(&[0, 1, 2]), 7, 3).unwrap(), Written { shard_id: 7, batch_id: 9 });
        for (indexes, shard, count) in
            [(&[][..], 7, 3), (&[0, 1], 7, 3), (&[1, 2, 3], 7, 3), (&[0, 1, 2], 8, 3)]
        {
            assert!(written(response(indexes), shard, count).unwrap_err().is_ambiguous());
        }
    }
}
