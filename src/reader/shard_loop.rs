//! The task that keeps the read of one shard open.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use prost::Message;

use crate::cluster::Plan;
use crate::cluster::retry::Failure;
use crate::cluster::rpc::StreamCall;
use crate::cluster::streams::Needs;
use crate::codec::received::RawBatch;
use crate::codec::wire::Reader as Fields;
use crate::error::{Error, ErrorKind, Result, status};
use crate::proto::{ErrorCode, ReadShardStreamRequest};
use crate::reader::life::Shared;
use crate::reader::range::Range;
use crate::reader::window::Window;

const RESPONSE_RECORDS: u64 = 0x0a;

pub(crate) struct ShardLoop {
    shared: Arc<Shared>,
    shard_id: u64,
    /// Whether other shards are read as well: then an end before the begin is no mistake.
    one_of_many: bool,
    range: Range,
}

impl ShardLoop {
    pub(crate) fn new(shared: Arc<Shared>, shard_id: u64, one_of_many: bool, range: Range) -> Self {
        ShardLoop { shared, shard_id, one_of_many, range }
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
            if let Some(outcome) = self.give_up(&failure) {
                return outcome;
            }
            self.shared.note_loss(failure.error());
            self.shared.cluster.forget_route(self.shard_id);
            tokio::time::sleep(self.shared.config.backoff.delay(attempts, fastrand::f64())).await;
        }
    }

    /// Reads until all is read, or the connection is lost.
    async fn read(&self, window: &mut Window) -> Result<(), Failure> {
        let request = ReadShardStreamRequest {
            reader_id: self.shared.config.label.clone(),
            shard_id: self.shard_id,
            from: Some(self.range.from(window)),
            max_read_batches: self.batches_to_ask_for(window),
            until: self.range.until,
            stream_name: self.shared.stream.clone(),
        };
        let first = request.encode_to_vec().into();
        let cluster = &self.shared.cluster;
        let mut call = cluster.open_read(StreamCall::ReadShard, self.shard_id, first).await?;
        call.finish_sending();
        loop {
            self.shared.buffer.room().await;
            let message = match call.next().await {
                Ok(Some(message)) => message,
                Ok(None) => return check_end(&self.shared, self.shard_id, &self.range, window).await,
                Err(failure) => {
                    let node = call.node().clone();
                    return Err(cluster.explain_stream(StreamCall::ReadShard, &node, failure));
                }
            };
            if !self.receive(&message, window).map_err(Failure::Unknown)? {
                return Ok(());
            }
        }
    }

    /// Says whether there is use in going on.
    fn receive(&self, message: &Bytes, window: &mut Window) -> Result<bool> {
        let mut fields = Fields::new(message, 0..message.len());
        while let Some(field) = fields.next()? {
            if field.tag == RESPONSE_RECORDS
                && !self.shared.receive(RawBatch::read(message, field.bytes)?, window)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All that are left, and the one where the last read ended, which comes again; 0 is no limit.
    fn batches_to_ask_for(&self, window: &Window) -> u64 {
        let again = u64::from(window.last().is_some());
        self.shared.batches_left().map_or(0, |left| left.saturating_add(again))
    }

    /// How to end, if there is no use in going on.
    fn give_up(&self, failure: &Failure) -> Option<Result<()>> {
        if self.one_of_many && failure.error().has_code(ErrorCode::ShardReaderConflictOffset) {
            return Some(Ok(()));
        }
        give_up("ReadShardStream", self.shard_id, failure).map(Err)
    }
}

/// The server ended the read with OK. That is the end of it, unless the shard was deleted: then servers say the same.
pub(crate) async fn check_end(
    shared: &Shared,
    shard_id: u64,
    range: &Range,
    window: &Window,
) -> Result<(), Failure> {
    if window.is_complete() || shared.batches_left() == Some(0) {
        return Ok(());
    }
    let needs = Needs { stream: &shared.stream, shard: Some(shard_id) };
    match shared.cluster.is_gone(needs, plan(shared)).await {
        Some(error) => Err(Failure::Refused(error)),
        None if range.until.is_some() => Ok(()),
        None => Err(Failure::Unknown(Error::new(ErrorKind::Unavailable, "the server ended the read"))),
    }
}

/// The error to end a read with, if there is no use in opening it again.
pub(crate) fn give_up(rpc: &'static str, shard_id: u64, failure: &Failure) -> Option<Error> {
    let Failure::Refused(error) = failure else { return None };
    let is_final = error.shards_are_gone()
        || error.kind() == ErrorKind::Unsupported
        || error.server().is_some_and(|server| {
            !matches!(
                server.grpc_status(),
                status::UNAVAILABLE
                    | status::INTERNAL
                    | status::UNKNOWN
                    | status::CANCELLED
                    | status::ABORTED
                    | status::DEADLINE_EXCEEDED
            )
        });
    is_final.then(|| error.clone().doing(rpc, Some(format!("of shard {shard_id}"))))
}

fn plan(shared: &Shared) -> Plan {
    let settings = shared.cluster.settings();
    let max_attempts = Some(settings.max_attempts);
    Plan { deadline: None, max_attempts, backoff: settings.backoff, send_twice: false, now: Instant::now }
}
