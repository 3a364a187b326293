//! ReadStreamByKey: the records of one key, as many at a time as the client asks for.

use std::collections::VecDeque;
use std::sync::Arc;

use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status, Streaming};

use super::bell::Bell;
use super::calls::{Answering, answer_in_parts};
use super::errors;
use super::fetch::broken;
use super::log::StoredBatch;
use super::node::Node;
use super::offsets::{self, End, Offset};
use super::orders::Order;
use super::outbox::Outbox;
use super::scan::Scan;
use super::state::State;
use super::stream_reads::Listening;
use super::unpack;
use crate::proto::{ErrorCode, HStreamRecord, ReadStreamByKeyRequest, ReadStreamByKeyResponse, RecordId};

/// So many batches are read, and so make one message, at a time.
const BATCHES_A_READ: usize = 5;

pub(super) async fn read_stream_by_key(
    node: &Node,
    request: Request<Streaming<ReadStreamByKeyRequest>>,
) -> Result<Response<BoxStream<ReadStreamByKeyResponse>>, Status> {
    let mut messages = request.into_inner();
    answer_in_parts(node, "ReadStreamByKey", |answering| async move {
        let Some(first) = next_message(&mut messages, &answering.outbox).await? else {
            return Err(errors::stream_read_close("Client is closed for bistreamReader"));
        };
        let order = answering.about(&first.stream_name).await?;
        let scan = scan(&answering.node.cluster.state(), &first)?;
        let (stream, key, found) = (first.stream_name, first.key, VecDeque::new());
        let call = Call { answering, messages, stream, key, scan, found };
        call.run(first.read_record_count).await?;
        Order::after_all(order)
    })
    .await
}

/// The range in the one shard that has the key. Without an end it ends at what is the tail now.
fn scan(state: &State, request: &ReadStreamByKeyRequest) -> Result<Scan, Status> {
    let name = request.stream_name.as_str();
    let stream = state.stream(name).ok_or_else(|| {
        let extra = format!("Stream \"{name}\" is not exist.");
        errors::json(Code::NotFound, ErrorCode::StreamNotFound, "StreamNotFound", extra)
    })?;
    let shard = stream.shard_of(crate::shard::hash_key(&request.key));
    let shard = shard.ok_or_else(errors::missing_in_store)?;
    let log = state.logs.get(&shard).ok_or_else(|| errors::shard_not_found(shard))?;
    let start = offsets::start(request.from.into(), shard, log)?;
    let end = match Offset::from(request.until) {
        Offset::Unset => End { lsn: log.tail(), until_ms: None },
        until => offsets::end(until, shard, log)?.unwrap_or(End { lsn: log.tail(), until_ms: None }),
    };
    Scan::new(shard, start, Some(end)).ok_or_else(|| offsets::backwards(start, end.lsn))
}

/// None when the client will send no more.
async fn next_message(
    messages: &mut Streaming<ReadStreamByKeyRequest>,
    outbox: &Outbox<ReadStreamByKeyResponse>,
) -> Result<Option<ReadStreamByKeyRequest>, Status> {
    tokio::select! {
        message = messages.message() => message.map_err(|status| broken(&status)),
        () = outbox.closed() => Ok(None),
    }
}

struct Call {
    answering: Answering<ReadStreamByKeyResponse>,
    messages: Streaming<ReadStreamByKeyRequest>,
    stream: String,
    key: String,
    scan: Scan,
    /// Records of the key that were read and not asked for yet.
    found: VecDeque<(RecordId, HStreamRecord)>,
}

/// How a round ended.
enum Round {
    /// As many were sent as asked for.
    Filled,
    /// There is nothing more to come.
    Finished,
}

impl Call {
    /// A round for each message, until the range is read or the client says that it will ask no more.
    async fn run(mut self, first_count: u64) -> Result<(), Status> {
        let bell = Bell::default();
        let cluster = Arc::clone(&self.answering.node.cluster);
        let _listening = Listening::new(&cluster, [&self.scan], &bell);
        let mut count = first_count;
        loop {
            if let Round::Finished = self.round(count, &bell).await? {
                return Ok(());
            }
            match next_message(&mut self.messages, &self.answering.outbox).await? {
                Some(message) => count = message.read_record_count,
                None => return Ok(()),
            }
        }
    }

    async fn round(&mut self, mut wanted: u64, bell: &Bell) -> Result<Round, Status> {
        if wanted == 0 {
            return Ok(Round::Filled);
        }
        loop {
            let sent = self.send(wanted).await?;
            wanted = wanted.saturating_sub(sent);
            let read_up = self.found.is_empty() && self.is_over();
            if read_up {
                return Ok(Round::Finished);
            }
            if wanted == 0 {
                return Ok(Round::Filled);
            }
            if !self.read()? {
                tokio::select! {
                    () = bell.wait() => {}
                    () = self.answering.outbox.closed() => return Ok(Round::Finished),
                }
            }
        }
    }

    /// Sends what was found, but no more than wanted, as one message. Returns how many records.
    async fn send(&mut self, wanted: u64) -> Result<u64, Status> {
        let count = self.found.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
        if count == 0 {
            return Ok(0);
        }
        let (record_ids, received_records) = self.found.drain(..count).unzip();
        let Some(place) = self.answering.outbox.reserve().await else {
            return Err(errors::stream_read_error());
        };
        place.send(ReadStreamByKeyResponse { record_ids, received_records });
        Ok(count as u64)
    }

    /// Looks through the next batches. Whether there were some.
    fn read(&mut self) -> Result<bool, Status> {
        let batches = {
            let mut state = self.answering.node.cluster.state();
            let Some(log) = state.logs.get(&self.scan.shard) else { return Ok(true) };
            let batches = self.scan.take(log, BATCHES_A_READ);
            let bytes = batches.iter().map(|batch| batch.payload.len() as u64).sum();
            state.stats.read(self.answering.node.id, &self.stream, batches.len() as u64, bytes);
            batches
        };
        for batch in &batches {
            self.found.extend(of_key(batch, self.scan.shard, &self.key)?);
        }
        Ok(!batches.is_empty() || self.is_over())
    }

    fn is_over(&self) -> bool {
        self.scan.is_over(self.answering.node.cluster.state().logs.get(&self.scan.shard))
    }
}

/// The records of this very key, with their ids. Ids go by the number that the writer claimed.
fn of_key(batch: &StoredBatch, shard_id: u64, key: &str) -> Result<Vec<(RecordId, HStreamRecord)>, Status> {
    let records = unpack::records(batch).map_err(|error| error.status())?;
    if records.iter().any(|record| record.header.is_none()) {
        return Err(errors::json(
            Code::InvalidArgument,
            ErrorCode::InternalError,
            "HStreamRecord doesn't have a header.",
            serde_json::Value::Null,
        ));
    }
    let id = |batch_index| RecordId { shard_id, batch_id: batch.lsn, batch_index };
    let with_ids = (0..batch.records).map(id).zip(records);
    let has_key = |record: &HStreamRecord| record.header.as_ref().is_some_and(|header| header.key == key);
    Ok(with_ids.filter(|(_, record)| has_key(record)).collect())
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto;

    fn batch(keys: &[Option<&str>], claimed: u32) -> StoredBatch {
        let record = |key: &Option<&str>| HStreamRecord {
            header: key.map(|key| proto::HStreamRecordHeader { key: key.to_owned(), ..Default::default() }),
            payload: Default::default(),
        };
        let records = proto::BatchHStreamRecords { records: keys.iter().map(record).collect() };
        let payload = records.encode_to_vec().into();
        StoredBatch { lsn: 11, time_ms: 1, records: claimed, compression: 0, payload }
    }

    fn places(keys: &[Option<&str>], claimed: u32) -> Result<Vec<u32>, Code> {
        of_key(&batch(keys, claimed), 7, "k")
            .map(|found| found.iter().map(|(id, _)| id.batch_index).collect())
            .map_err(|status| status.code())
    }

    /// Server behaviour, section 8.6.
    #[test]
    fn keys_are_compared_exactly_and_keep_their_places() {
        assert_eq!(places(&[Some("k"), Some("K"), Some(""), Some("k")], 4), Ok(vec![0, 3]));
        assert_eq!(places(&[Some("k"), Some("k")], 1), Ok(vec![0]), "up to the shorter of both lists");
        assert_eq!(places(&[Some("k")], 9), Ok(vec![0]));
    }

    /// Server behaviour, section 4.4.
    #[test]
    fn a_record_without_a_header_ends_the_read() {
        assert_eq!(places(&[Some("k"), None], 2), Err(Code::InvalidArgument));
    }
}
