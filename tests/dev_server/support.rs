//! A server for a test, and calls to it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hstreamdb::dev_server::{DevServer, DevServerOptions};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

#[allow(unreachable_pub, missing_docs, dead_code, clippy::all)]
pub(crate) mod proto {
    tonic::include_proto!("hstream.server");
}

pub(crate) type Client = proto::h_stream_api_client::HStreamApiClient<Channel>;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first number of a record in a shard.
pub(crate) const FIRST: u64 = 8_589_934_593;
pub(crate) const EMPTY_TAIL: u64 = FIRST - 1;

/// A server that loses no time.
pub(crate) fn fast() -> DevServerOptions {
    DevServerOptions::new()
        .assignment_tick(Duration::from_millis(10))
        .resend_tick(Duration::from_millis(10))
        .failure_detection(Duration::ZERO)
        .seed(1)
}

/// Runs a test, which fails if it hangs.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("the test hangs") })
}

pub(crate) async fn connect(url: &str) -> Client {
    let url = url.replace("hstream://", "http://");
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    Client::new(channel).max_decoding_message_size(usize::MAX)
}

/// A client of the first node.
pub(crate) async fn client(server: &DevServer) -> Client {
    connect(&server.node_urls()[0]).await
}

pub(crate) async fn clients(server: &DevServer) -> Vec<Client> {
    let mut clients = Vec::new();
    for url in server.node_urls() {
        clients.push(connect(&url).await);
    }
    clients
}

pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE / 2, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Creates a stream `name`. Returns its shards by id, in the order of their ranges.
pub(crate) async fn create_stream(client: &mut Client, name: &str, shards: u32) -> Vec<u64> {
    let stream = proto::Stream {
        stream_name: name.into(),
        replication_factor: 1,
        shard_count: shards,
        ..Default::default()
    };
    client.create_stream(stream).await.unwrap();
    let request = proto::ListShardsRequest { stream_name: name.into() };
    let mut shards = client.list_shards(request).await.unwrap().into_inner().shards;
    shards.sort_by_key(|shard| shard.start_hash_range_key.parse::<u128>().unwrap());
    shards.into_iter().map(|shard| shard.shard_id).collect()
}

pub(crate) fn subscription(id: &str, stream: &str, ack_timeout: i32) -> proto::Subscription {
    proto::Subscription {
        subscription_id: id.into(),
        stream_name: stream.into(),
        ack_timeout_seconds: ack_timeout,
        max_unacked_records: 100_000,
        ..Default::default()
    }
}

/// A record of one key.
pub(crate) fn record(key: &str, payload: &str) -> proto::HStreamRecord {
    proto::HStreamRecord {
        header: Some(proto::HStreamRecordHeader { flag: 1, key: key.into(), ..Default::default() }),
        payload: Bytes::from(payload.to_owned()),
    }
}

pub(crate) fn batch(records: Vec<proto::HStreamRecord>) -> proto::BatchedRecord {
    let batch_size = records.len() as u32;
    let payload = proto::BatchHStreamRecords { records }.encode_to_vec().into();
    proto::BatchedRecord { batch_size, payload, ..Default::default() }
}

pub(crate) async fn append_batch(
    client: &mut Client,
    stream: &str,
    shard_id: u64,
    records: proto::BatchedRecord,
) -> Result<Vec<proto::RecordId>, Status> {
    let request = proto::AppendRequest { stream_name: stream.into(), shard_id, records: Some(records) };
    Ok(client.append(request).await?.into_inner().record_ids)
}

/// Appends so many records without a key, as one batch.
pub(crate) async fn append(client: &mut Client, shard: u64, records: usize) -> Vec<proto::RecordId> {
    let records = (0..records).map(|index| record("", &index.to_string())).collect();
    append_batch(client, "s", shard, batch(records)).await.unwrap()
}

pub(crate) fn earliest() -> Option<proto::ShardOffset> {
    special(0)
}

pub(crate) fn latest() -> Option<proto::ShardOffset> {
    special(1)
}

pub(crate) fn special(number: i32) -> Option<proto::ShardOffset> {
    offset(proto::shard_offset::Offset::SpecialOffset(number))
}

pub(crate) fn at_record(shard_id: u64, batch_id: u64) -> Option<proto::ShardOffset> {
    let id = proto::RecordId { shard_id, batch_id, batch_index: 0 };
    offset(proto::shard_offset::Offset::RecordOffset(id))
}

pub(crate) fn at_time(timestamp_in_ms: i64) -> Option<proto::ShardOffset> {
    let time = proto::TimestampOffset { timestamp_in_ms, strict_accuracy: true };
    offset(proto::shard_offset::Offset::TimestampOffset(time))
}

fn offset(offset: proto::shard_offset::Offset) -> Option<proto::ShardOffset> {
    Some(proto::ShardOffset { offset: Some(offset) })
}

pub(crate) fn of_stream(number: i32) -> Option<proto::StreamOffset> {
    Some(proto::StreamOffset { offset: Some(proto::stream_offset::Offset::SpecialOffset(number)) })
}

pub(crate) fn stream_at_time(timestamp_in_ms: i64) -> Option<proto::StreamOffset> {
    let time = proto::TimestampOffset { timestamp_in_ms, strict_accuracy: true };
    Some(proto::StreamOffset { offset: Some(proto::stream_offset::Offset::TimestampOffset(time)) })
}

/// All parts of an answer, and the status at its end.
pub(crate) async fn collect<T>(
    answer: Result<tonic::Response<Streaming<T>>, Status>,
) -> Result<Vec<T>, Status> {
    let mut answer = answer?.into_inner();
    let mut parts = Vec::new();
    while let Some(part) = answer.message().await? {
        parts.push(part);
    }
    Ok(parts)
}

/// The numbers of batches, counted from 1 in their shard.
pub(crate) fn numbers(received: &[proto::ReceivedRecord]) -> Vec<u64> {
    received.iter().map(|batch| batch.record_ids[0].batch_id - EMPTY_TAIL).collect()
}

/// Of an error that is a JSON object: status, number, name and what varies.
pub(crate) fn parts(status: &Status) -> (Code, i64, String, serde_json::Value) {
    let body: serde_json::Value = serde_json::from_str(status.message())
        .unwrap_or_else(|_| panic!("no JSON: {:?} {}", status.code(), status.message()));
    let name = body["message"].as_str().unwrap().to_owned();
    (status.code(), body["error"].as_i64().unwrap(), name, body["extra"].clone())
}

#[track_caller]
pub(crate) fn is_json(status: &Status, code: Code, error: i64, name: &str, extra: &str) {
    assert_eq!(parts(status), (code, error, name.to_owned(), extra.into()));
}

#[track_caller]
pub(crate) fn is_plain(status: &Status, code: Code, text: &str) {
    assert_eq!((status.code(), status.message()), (code, text));
}

/// A consumer's call.
pub(crate) struct Fetch {
    requests: mpsc::Sender<proto::StreamingFetchRequest>,
    opening: tokio::task::JoinHandle<Result<Streaming<proto::StreamingFetchResponse>, Status>>,
    answers: Option<Streaming<proto::StreamingFetchResponse>>,
}

impl Fetch {
    pub(crate) async fn open(client: &Client, subscription: &str, name: &str) -> Self {
        let mut client = client.clone();
        let (requests, messages) = mpsc::channel(16);
        let first = proto::StreamingFetchRequest {
            subscription_id: subscription.into(),
            consumer_name: name.into(),
            ack_ids: Vec::new(),
        };
        requests.send(first).await.unwrap();
        let opening = tokio::spawn(async move {
            client.streaming_fetch(ReceiverStream::new(messages)).await.map(tonic::Response::into_inner)
        });
        Fetch { requests, opening, answers: None }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<proto::ReceivedRecord>, Status> {
        if self.answers.is_none() {
            self.answers = Some((&mut self.opening).await.unwrap()?);
        }
        let message = self.answers.as_mut().unwrap().message().await?;
        Ok(message.map(|message| message.received_records.unwrap()))
    }

    pub(crate) async fn receive(&mut self) -> proto::ReceivedRecord {
        self.next().await.unwrap().expect("the call has ended")
    }

    /// Nothing comes for a while.
    pub(crate) async fn is_silent(&mut self) {
        let came = tokio::time::timeout(Duration::from_millis(100), self.next()).await;
        assert!(came.is_err(), "{came:?}");
    }

    /// Sends no more, and reads to the end.
    pub(crate) async fn half_close(mut self) -> Result<(), Status> {
        drop(std::mem::replace(&mut self.requests, mpsc::channel(1).0));
        while self.next().await?.is_some() {}
        Ok(())
    }

    pub(crate) async fn ack(&self, ack_ids: Vec<proto::RecordId>) {
        self.requests.send(proto::StreamingFetchRequest { ack_ids, ..Default::default() }).await.unwrap();
    }
}

pub(crate) async fn consumers(client: &mut Client, id: &str) -> usize {
    let request = proto::ListConsumersRequest { subscription_id: id.into() };
    client.list_consumers(request).await.unwrap().into_inner().consumers.len()
}

pub(crate) async fn wait_for_consumers(client: &Client, id: &str, count: usize) {
    until("so many consumers", || {
        let mut client = client.clone();
        async move { consumers(&mut client, id).await == count }
    })
    .await;
}

/// Which node has a subscription, counted from 0.
pub(crate) async fn owner(client: &mut Client, id: &str) -> usize {
    let request = proto::LookupSubscriptionRequest { subscription_id: id.into() };
    let found = client.lookup_subscription(request).await.unwrap().into_inner();
    found.server_node.unwrap().id as usize - 1
}
