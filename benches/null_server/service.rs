//! What the null server answers: as many ids as the real one would, and nothing that needs a store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::proto::h_stream_api_server::HStreamApi;
use super::{SHARD, batch, proto};

const FIRST: u64 = 8_589_934_593;

#[derive(Clone)]
pub(super) struct Null {
    port: u16,
    kept: Arc<Mutex<Kept>>,
}

/// The newest payloads, and how many records the last batch had.
#[derive(Default)]
struct Kept {
    most: u64,
    payloads: VecDeque<Bytes>,
    bytes: u64,
    records: u32,
    appended: usize,
    acks: usize,
}

impl Kept {
    fn keep(&mut self, batch: proto::BatchedRecord) {
        self.bytes += batch.payload.len() as u64;
        self.records = batch.batch_size;
        self.appended += 1;
        self.payloads.push_back(batch.payload);
        while self.bytes > self.most {
            self.bytes -= self.payloads.pop_front().map_or(0, |payload| payload.len() as u64);
        }
    }

    /// The batch of this number, as often round as there are fewer.
    fn batch(&self, number: usize) -> Option<proto::BatchedRecord> {
        let payload = self.payloads.get(number % self.payloads.len().max(1))?.clone();
        Some(proto::BatchedRecord { batch_size: self.records, payload, ..Default::default() })
    }
}

impl Null {
    pub(super) fn new(port: u16, most: u64) -> Self {
        Null { port, kept: Arc::new(Mutex::new(Kept { most, ..Kept::default() })) }
    }

    fn node(&self) -> proto::ServerNode {
        proto::ServerNode { id: 1, host: "127.0.0.1".into(), port: self.port.into(), version: None }
    }
}

type Batches = tonic::codegen::BoxStream<proto::StreamingFetchResponse>;

#[tonic::async_trait]
impl HStreamApi for Null {
    async fn describe_cluster(
        &self,
        _: Request<()>,
    ) -> Result<Response<proto::DescribeClusterResponse>, Status> {
        let server_nodes = vec![self.node()];
        Ok(Response::new(proto::DescribeClusterResponse { server_nodes, ..Default::default() }))
    }

    async fn create_stream(
        &self,
        request: Request<proto::Stream>,
    ) -> Result<Response<proto::Stream>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    /// All that was kept goes with any stream.
    async fn delete_stream(&self, _: Request<proto::DeleteStreamRequest>) -> Result<Response<()>, Status> {
        let mut kept = self.kept.lock().expect("no panic");
        *kept = Kept { most: kept.most, ..Kept::default() };
        Ok(Response::new(()))
    }

    async fn create_subscription(
        &self,
        request: Request<proto::Subscription>,
    ) -> Result<Response<proto::Subscription>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn delete_subscription(
        &self,
        _: Request<proto::DeleteSubscriptionRequest>,
    ) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    /// As many shards as the stream's name says.
    async fn list_shards(
        &self,
        request: Request<proto::ListShardsRequest>,
    ) -> Result<Response<proto::ListShardsResponse>, Status> {
        let stream_name = request.into_inner().stream_name;
        let count = stream_name.rsplit_once('-').and_then(|(_, count)| count.parse().ok());
        let count = count.filter(|count| *count > 0).unwrap_or(1);
        let width = u128::MAX / u128::from(count);
        let shards = (0..count).map(|number: u64| {
            let start = width * u128::from(number);
            let end = if number + 1 == count { u128::MAX } else { start + width - 1 };
            proto::Shard {
                stream_name: stream_name.clone(),
                shard_id: SHARD + number,
                start_hash_range_key: start.to_string(),
                end_hash_range_key: end.to_string(),
                epoch: 1,
                is_active: true,
            }
        });
        Ok(Response::new(proto::ListShardsResponse { shards: shards.collect() }))
    }

    async fn lookup_shard(
        &self,
        request: Request<proto::LookupShardRequest>,
    ) -> Result<Response<proto::LookupShardResponse>, Status> {
        let shard_id = request.into_inner().shard_id;
        Ok(Response::new(proto::LookupShardResponse { shard_id, server_node: Some(self.node()) }))
    }

    async fn lookup_subscription(
        &self,
        request: Request<proto::LookupSubscriptionRequest>,
    ) -> Result<Response<proto::LookupSubscriptionResponse>, Status> {
        let subscription_id = request.into_inner().subscription_id;
        let server_node = Some(self.node());
        Ok(Response::new(proto::LookupSubscriptionResponse { subscription_id, server_node }))
    }

    async fn get_subscription(
        &self,
        request: Request<proto::GetSubscriptionRequest>,
    ) -> Result<Response<proto::GetSubscriptionResponse>, Status> {
        let subscription =
            proto::Subscription { subscription_id: request.into_inner().id, ..Default::default() };
        let subscription = Some(subscription);
        Ok(Response::new(proto::GetSubscriptionResponse { subscription, offsets: Vec::new() }))
    }

    async fn append(
        &self,
        request: Request<proto::AppendRequest>,
    ) -> Result<Response<proto::AppendResponse>, Status> {
        let proto::AppendRequest { stream_name, shard_id, records } = request.into_inner();
        let batch = records.unwrap_or_default();
        let record_ids = record_ids(shard_id, FIRST, batch.batch_size);
        self.kept.lock().expect("no panic").keep(batch);
        Ok(Response::new(proto::AppendResponse { stream_name, shard_id, record_ids }))
    }

    /// From a subscription `size-N` batches of 1,000 records of this size, of `size-N-COUNT` of so many, as long as
    /// somebody reads; from all others what was kept, again from the beginning when it is through, until as much was sent as appended.
    async fn streaming_fetch(
        &self,
        request: Request<Streaming<proto::StreamingFetchRequest>>,
    ) -> Result<Response<Batches>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.ok_or_else(|| Status::cancelled("no first message"))?;
        let shape = first.subscription_id.strip_prefix("size-").and_then(shape);
        let (batches, receiver) = mpsc::channel(64);
        let (kept, open) = (Arc::clone(&self.kept), Arc::new(()));
        let closed = Arc::downgrade(&open);
        let reads = move || closed.strong_count() > 0;
        // Whoever acks may still want to read; whoever has read enough ends the acks.
        let held = batches.clone();
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                kept.lock().expect("no panic").acks += request.ack_ids.len();
            }
            drop((open, held));
        });
        match shape {
            Some((size, records)) => {
                tokio::spawn(send(batches, endless(size, records).take_while(move |_| reads())))
            }
            None => tokio::spawn(send(batches, again(Arc::clone(&self.kept)))),
        };
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver).map(Ok))))
    }
}

/// The size of records and their number in a batch.
fn shape(name: &str) -> Option<(usize, usize)> {
    let (size, records) = name.split_once('-').unwrap_or((name, "1000"));
    Some((size.parse().ok()?, records.parse().ok()?))
}

fn endless(size: usize, records: usize) -> impl Iterator<Item = (u64, proto::BatchedRecord)> {
    let record = batch(size, records);
    (0..).map(move |_| (SHARD, record.clone()))
}

fn again(kept: Arc<Mutex<Kept>>) -> impl Iterator<Item = (u64, proto::BatchedRecord)> {
    let count = kept.lock().expect("no panic").appended;
    (0..count).map_while(move |number| Some((0, kept.lock().expect("no panic").batch(number)?)))
}

async fn send(
    to: mpsc::Sender<proto::StreamingFetchResponse>,
    batches: impl Iterator<Item = (u64, proto::BatchedRecord)>,
) {
    for (batch_id, (shard_id, record)) in (FIRST..).zip(batches) {
        let record_ids = record_ids(shard_id, batch_id, record.batch_size);
        let received = proto::ReceivedRecord { record_ids, record: Some(record) };
        let response = proto::StreamingFetchResponse { received_records: Some(received) };
        if to.send(response).await.is_err() {
            return;
        }
    }
}

fn record_ids(shard_id: u64, batch_id: u64, count: u32) -> Vec<proto::RecordId> {
    (0..count).map(|batch_index| proto::RecordId { shard_id, batch_id, batch_index }).collect()
}
