//! The readers that need no creation: ReadShardStream, ReadSingleShardStream and ReadStream.

use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status};

use super::bell::Bell;
use super::calls::{Answering, answer_in_parts};
use super::cluster::Cluster;
use super::errors;
use super::node::Node;
use super::offsets::{self, Offset};
use super::orders::Order;
use super::scan::Scan;
use super::state::State;
use super::versions;
use crate::proto::{self, ErrorCode, ReceivedRecord};

/// So many batches go into one message.
const BATCHES_A_MESSAGE: usize = 10;

type Reply<T> = Result<Response<BoxStream<T>>, Status>;

pub(super) async fn read_shard_stream(
    node: &Node,
    request: Request<proto::ReadShardStreamRequest>,
) -> Reply<proto::ReadShardStreamResponse> {
    let request = request.into_inner();
    answer_in_parts(node, "ReadShardStream", |answering| async move {
        let order = answering.about(&request.stream_name).await?;
        let node = &answering.node;
        // Older servers don't know these fields.
        let bounded = node.cluster.release() >= versions::BOUNDED_READS;
        let until = if bounded { Offset::from(request.until) } else { Offset::Unset };
        let most = if bounded { request.max_read_batches } else { 0 };
        let range = Range { from: request.from.into(), until };
        let scan = range.of_shard(&node.cluster.state(), request.shard_id)?;
        let reading = Reading::new(&answering, request.stream_name, vec![scan], most);
        reading.run(|received_records| proto::ReadShardStreamResponse { received_records }).await?;
        Order::after_all(order)
    })
    .await
}

pub(super) async fn read_single_shard_stream(
    node: &Node,
    request: Request<proto::ReadSingleShardStreamRequest>,
) -> Reply<proto::ReadSingleShardStreamResponse> {
    let request = request.into_inner();
    answer_in_parts(node, "ReadSingleShardStream", |answering| async move {
        let order = answering.about(&request.stream_name).await?;
        let node = &answering.node;
        let range = Range { from: request.from.into(), until: request.until.into() };
        let scan = {
            let state = node.cluster.state();
            range.of_shard(&state, only_shard(&state, &request.stream_name)?)?
        };
        let reading = Reading::new(&answering, request.stream_name, vec![scan], request.max_read_batches);
        reading.run(|received_records| proto::ReadSingleShardStreamResponse { received_records }).await?;
        Order::after_all(order)
    })
    .await
}

pub(super) async fn read_stream(
    node: &Node,
    request: Request<proto::ReadStreamRequest>,
) -> Reply<proto::ReadStreamResponse> {
    let request = request.into_inner();
    answer_in_parts(node, "ReadStream", |answering| async move {
        let order = answering.about(&request.stream_name).await?;
        let node = &answering.node;
        let range = Range { from: request.from.into(), until: request.until.into() };
        let scans = range.of_stream(&node.cluster.state(), &request.stream_name)?;
        let reading = Reading::new(&answering, request.stream_name, scans, request.max_read_batches);
        reading.run(|received_records| proto::ReadStreamResponse { received_records }).await?;
        Order::after_all(order)
    })
    .await
}

fn only_shard(state: &State, stream: &str) -> Result<u64, Status> {
    let shards = &state.stream(stream).ok_or_else(errors::missing_in_store)?.shards;
    match shards.as_slice() {
        [shard] => Ok(shard.id),
        _ => {
            let error = ErrorCode::ShardReaderTooManyShards;
            let extra = format!("Stream \"{stream}\" has more than one shard");
            Err(errors::json(Code::InvalidArgument, error, "TooManyShardCount", extra))
        }
    }
}

/// What a request asks for.
#[derive(Clone, Copy)]
struct Range {
    from: Offset,
    until: Offset,
}

impl Range {
    fn of_shard(self, state: &State, shard: u64) -> Result<Scan, Status> {
        let log = state.logs.get(&shard).ok_or_else(|| errors::shard_not_found(shard))?;
        let start = offsets::start(self.from, shard, log)?;
        let end = offsets::end(self.until, shard, log)?;
        Scan::new(shard, start, end)
            .ok_or_else(|| offsets::backwards(start, end.map_or(u64::MAX, |end| end.lsn)))
    }

    /// All shards of a stream, but those in which there is nothing to read.
    fn of_stream(self, state: &State, stream: &str) -> Result<Vec<Scan>, Status> {
        let shards = &state.stream(stream).ok_or_else(errors::missing_in_store)?.shards;
        let mut scans = Vec::with_capacity(shards.len());
        for shard in shards {
            let Some(log) = state.logs.get(&shard.id) else { continue };
            let start = offsets::start(self.from, shard.id, log)?;
            let end = offsets::end(self.until, shard.id, log)?;
            scans.extend(Scan::new(shard.id, start, end));
        }
        Ok(scans)
    }
}

/// A call that reads some shards, until they end or for ever.
struct Reading<'a, T> {
    answering: &'a Answering<T>,
    stream: String,
    scans: Vec<Scan>,
    /// How many batches may still be sent. None for all.
    left: Option<u64>,
    /// The shard that is first in the next message: none is to wait for the others.
    turn: usize,
}

impl<'a, T> Reading<'a, T> {
    fn new(answering: &'a Answering<T>, stream: String, scans: Vec<Scan>, max_batches: u64) -> Self {
        let left = (max_batches > 0).then_some(max_batches);
        Reading { answering, stream, scans, left, turn: 0 }
    }

    async fn run(mut self, message: impl Fn(Vec<ReceivedRecord>) -> T) -> Result<(), Status> {
        let (bell, outbox) = (Bell::default(), &self.answering.outbox);
        let _listening = Listening::new(&self.answering.node.cluster, &self.scans, &bell);
        loop {
            let received = self.take();
            if received.is_empty() {
                if self.is_over() {
                    return Ok(());
                }
                tokio::select! {
                    () = bell.wait() => continue,
                    () = outbox.closed() => return Ok(()),
                }
            }
            if self.answering.node.cluster.switches.empty_messages.is_on() {
                let Some(place) = outbox.reserve().await else { return Ok(()) };
                place.send(message(Vec::new()));
            }
            let Some(place) = outbox.reserve().await else { return Ok(()) };
            place.send(message(received));
            if self.left == Some(0) {
                return Ok(());
            }
        }
    }

    /// One message's worth of what is there, shard by shard.
    fn take(&mut self) -> Vec<ReceivedRecord> {
        let mut room = BATCHES_A_MESSAGE;
        if let Some(left) = self.left {
            room = room.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        let mut batches = Vec::new();
        let mut state = self.answering.node.cluster.state();
        let shards = self.scans.len();
        for offset in 0..shards {
            let Some(scan) = self.scans.get_mut((self.turn + offset) % shards) else { continue };
            let Some(log) = state.logs.get(&scan.shard) else { continue };
            let taken = scan.take(log, room);
            room -= taken.len();
            batches.extend(taken.into_iter().map(|batch| (scan.shard, batch)));
            if room == 0 {
                self.turn = (self.turn + offset + 1) % shards;
                break;
            }
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(batches.len() as u64);
        }
        let bytes = batches.iter().map(|(_, batch)| batch.payload.len() as u64).sum();
        state.stats.read(self.answering.node.id, &self.stream, batches.len() as u64, bytes);
        drop(state);
        batches.iter().map(|(shard, batch)| batch.received(*shard)).collect()
    }

    fn is_over(&self) -> bool {
        let state = self.answering.node.cluster.state();
        self.scans.iter().all(|scan| scan.is_over(state.logs.get(&scan.shard)))
    }
}

/// Hears of new batches of some shards, while it lives.
pub(super) struct Listening<'a> {
    cluster: &'a Cluster,
    shards: Vec<u64>,
    bell: Bell,
}

impl<'a> Listening<'a> {
    pub(super) fn new<'s>(
        cluster: &'a Cluster,
        scans: impl IntoIterator<Item = &'s Scan>,
        bell: &Bell,
    ) -> Self {
        let shards: Vec<u64> = scans.into_iter().map(|scan| scan.shard).collect();
        let mut state = cluster.state();
        for shard in &shards {
            if let Some(log) = state.logs.get_mut(shard) {
                log.listen(bell);
            }
        }
        Listening { cluster, shards, bell: bell.clone() }
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        let mut state = self.cluster.state();
        for shard in &self.shards {
            if let Some(log) = state.logs.get_mut(shard) {
                log.unlisten(&self.bell);
            }
        }
    }
}
