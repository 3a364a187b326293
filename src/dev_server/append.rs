//! Append: checks the batch, stores it as it is, and gives out the ids.

use bytes::Bytes;
use prost::Message;
use tonic::{Code, Status};

use super::errors;
use super::node::Node;
use crate::codec::batch::SERVER_LIMIT;
use crate::proto::{self, ErrorCode};

/// More records than any honest batch has. A real server believes the number and makes as many ids.
const MOST_RECORDS: u32 = 1 << 20;

/// Payloads up to here are copied: as slices they would keep a whole receive buffer each.
const COPIED: usize = 4096;

pub(super) fn append(node: &Node, request: proto::AppendRequest) -> Result<proto::AppendResponse, Status> {
    let cluster = &node.cluster;
    let now = cluster.now();
    let second = now.since_1970.as_secs();
    let batch = check(request.records).inspect_err(|_| {
        cluster.state().stats.append_failed(node.id, &request.stream_name, second);
    })?;
    let (records, compression) = (batch.batch_size, batch.compression_type);
    let payload =
        if batch.payload.len() > COPIED { batch.payload } else { Bytes::copy_from_slice(&batch.payload) };
    let (shard_id, bytes) = (request.shard_id, payload.len() as u64);
    let stored = {
        let mut state = cluster.state();
        // Neither stream nor node matter, only whether the log exists.
        let stored = state.append(shard_id, records, compression, payload, now);
        match stored {
            Some(_) => state.stats.appended(node.id, &request.stream_name, second, records, bytes),
            None => state.stats.append_failed(node.id, &request.stream_name, second),
        }
        stored
    };
    let batch_id = stored.ok_or_else(errors::unknown_log)?;
    let id = |batch_index| proto::RecordId { shard_id, batch_id, batch_index };
    Ok(proto::AppendResponse {
        stream_name: request.stream_name,
        shard_id,
        record_ids: (0..records).map(id).collect(),
    })
}

/// The server looks at the outside of a batch alone.
fn check(batch: Option<proto::BatchedRecord>) -> Result<proto::BatchedRecord, Status> {
    let Some(batch) = batch.filter(|batch| batch.batch_size > 0 && !batch.payload.is_empty()) else {
        return Err(errors::json(
            Code::InvalidArgument,
            ErrorCode::StreamEmptyBatchedRecord,
            "BatchedRecord shouldn't be Nothing",
            serde_json::Value::Null,
        ));
    };
    let size = batch.encoded_len();
    if size > SERVER_LIMIT {
        return Err(errors::json(
            Code::InvalidArgument,
            ErrorCode::StreamInvalidRecordSize,
            "Record size exceeds the maximum size limit",
            size,
        ));
    }
    if batch.batch_size > MOST_RECORDS {
        return Err(errors::too_big());
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(records: u32, payload: usize) -> proto::BatchedRecord {
        proto::BatchedRecord { batch_size: records, payload: vec![1; payload].into(), ..Default::default() }
    }

    fn refusal(batch: Option<proto::BatchedRecord>) -> String {
        check(batch).unwrap_err().message().to_owned()
    }

    /// Server behaviour, section 6.
    #[test]
    fn batches_without_records_or_payload_are_empty() {
        let empty = r#"{"error":206,"extra":null,"message":"BatchedRecord shouldn't be Nothing"}"#;
        for none in [None, Some(batch(0, 5)), Some(batch(5, 0)), Some(batch(0, 2 << 20))] {
            assert_eq!(refusal(none), empty);
        }
    }

    /// Server behaviour, section 6.
    #[test]
    fn a_batch_may_be_as_large_as_the_limit_with_all_that_the_client_put_in() {
        let overhead = batch(1, 1_000_000).encoded_len() - 1_000_000;
        let largest = SERVER_LIMIT - overhead;
        assert!(check(Some(batch(1, largest))).is_ok());
        let larger =
            r#"{"error":207,"extra":1048577,"message":"Record size exceeds the maximum size limit"}"#;
        assert_eq!(refusal(Some(batch(1, largest + 1))), larger);
        let timed = proto::BatchedRecord { publish_time: Some(Default::default()), ..batch(1, largest - 1) };
        assert_eq!(refusal(Some(timed)), larger);
    }

    #[test]
    fn claims_beyond_belief_are_refused() {
        assert!(check(Some(batch(MOST_RECORDS, 1))).is_ok());
        assert_eq!(refusal(Some(batch(u32::MAX, 1))), "argument or return value too big");
    }
}
