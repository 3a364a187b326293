//! The task that keeps the read of one key open.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use crate::cluster::duplex::Duplex;
use crate::cluster::retry::Failure;
use crate::cluster::rpc::StreamCall;
use crate::codec::received::{Ids, RawBatch};
use crate::error::{Error, ErrorKind, Result};
use crate::proto::{BatchHStreamRecords, ReadStreamByKeyRequest, ReadStreamByKeyResponse};
use crate::reader::life::Shared;
use crate::reader::range::Range;
use crate::reader::shard_loop::{check_end, give_up};
use crate::reader::window::Window;

/// How many records the server may send before it is asked for more; it is asked when half of them have come.
const CREDIT: u64 = 200;

pub(crate) struct KeyLoop {
    shared: Arc<Shared>,
    shard_id: u64,
    key: String,
    range: Range,
}

impl KeyLoop {
    pub(crate) fn new(shared: Arc<Shared>, shard_id: u64, key: String, range: Range) -> Self {
        KeyLoop { shared, shard_id, key, range }
    }

    pub(crate) async fn run(self) -> Result<()> {
        let mut window = self.range.window;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let before = window.last();
            let Err(failure) = self.read(&mut window).await else { return Ok(()) };
            if window.last() != before {
                attempts = 1;
            }
            if let Some(error) = give_up("ReadStreamByKey", self.shard_id, &failure) {
                return Err(error);
            }
            self.shared.note_loss(failure.error());
            self.shared.cluster.forget_route(self.shard_id);
            tokio::time::sleep(self.shared.config.backoff.delay(attempts, fastrand::f64())).await;
        }
    }

    async fn read(&self, window: &mut Window) -> Result<(), Failure> {
        let request = ReadStreamByKeyRequest {
            from: Some(self.range.from(window)),
            until: self.range.until,
            ..self.request(CREDIT)
        };
        let first = request.encode_to_vec().into();
        let cluster = &self.shared.cluster;
        let mut call = cluster.open_read(StreamCall::ReadByKey, self.shard_id, first).await?;
        let mut credit = CREDIT;
        loop {
            self.shared.buffer.room().await;
            if credit <= CREDIT / 2 {
                self.ask_for_more(&mut call, CREDIT - credit).await?;
                credit = CREDIT;
            }
            let message = match call.next().await {
                Ok(Some(message)) => message,
                Ok(None) => return check_end(&self.shared, self.shard_id, &self.range, window).await,
                Err(failure) => {
                    let node = call.node().clone();
                    return Err(cluster.explain_stream(StreamCall::ReadByKey, &node, failure));
                }
            };
            let batch = batch_of(&message).map_err(Failure::Unknown)?;
            credit = credit.saturating_sub(batch.ids.len() as u64);
            if !self.shared.receive(batch, window) {
                return Ok(());
            }
        }
    }

    async fn ask_for_more(&self, call: &mut Duplex, count: u64) -> Result<(), Failure> {
        let Some(requests) = call.requests() else { return Ok(()) };
        let request = self.request(count).encode_to_vec().into();
        // If the call is over, its responses tell how.
        let _ = requests.send(request).await;
        Ok(())
    }

    fn request(&self, count: u64) -> ReadStreamByKeyRequest {
        ReadStreamByKeyRequest {
            reader_id: self.shared.config.label.clone(),
            stream_name: self.shared.stream.clone(),
            key: self.key.clone(),
            read_record_count: count,
            ..ReadStreamByKeyRequest::default()
        }
    }
}

/// The records of an answer, as if they had been stored together.
fn batch_of(message: &Bytes) -> Result<RawBatch> {
    let answer = ReadStreamByKeyResponse::decode(message.clone()).map_err(|error| {
        Error::new(ErrorKind::Protocol, "an answer of ReadStreamByKey can't be decoded").with_source(error)
    })?;
    let mut ids = Ids::default();
    answer.record_ids.into_iter().for_each(|id| ids.push(id.into()));
    let payload = BatchHStreamRecords { records: answer.received_records }.encode_to_vec().into();
    Ok(RawBatch { ids, payload, size: message.len(), ..RawBatch::default() })
}
