//! How fast the library is, and what it costs, against a raw loop over the generated gRPC client.
//!
//! `cargo run --release --all-features --example perf [ROUNDS]`
//!
//! All rows run in turn, in one process, over a server that stores nothing (this program again, as another
//! process). "raw" sends or receives the same batches, one at a time, and does nothing else: no records are
//! encoded, none are decoded. The figures are medians of the rounds; compare within one run only.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hstreamdb::{Client, ConsumerConfig, ProducerConfig, Record};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use proto::h_stream_api_client::HStreamApiClient;
use proto::h_stream_api_server::{HStreamApi, HStreamApiServer};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

#[allow(clippy::all, missing_docs, unreachable_pub, missing_debug_implementations, dead_code)]
mod proto {
    tonic::include_proto!("hstream.server");
}

/// Where the library seals its batches.
const CAP: usize = 1_048_576 - 4096;
const SHARD: u64 = 1_234_567_890_123_456_789;
const STREAM: &str = "null";

fn main() {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("--null-server") {
        return null_server();
    }
    let rounds = argument.map_or(5, |rounds| rounds.parse().expect("a number of rounds"));
    let server = NullServer::start();
    println!("{:<34} {:>12} {:>10} {:>22}", "", "M records/s", "MB/s", "client CPU s/M records");
    for size in [100, 1024] {
        let count = if size == 100 { 4_000_000 } else { 600_000 };
        compare(
            rounds,
            "producer",
            size,
            count,
            [
                ("raw", &mut || raw_producer(&server.url, size, count)),
                ("library", &mut || library_producer(&server.url, size, count)),
            ],
        );
        compare(
            rounds,
            "consumer with acks",
            size,
            count,
            [
                ("raw, not decoded", &mut || raw_consumer(&server.url, size, count)),
                ("library, decoded", &mut || library_consumer(&server.url, size, count)),
            ],
        );
    }
}

/// What a run took.
struct Measured {
    records: usize,
    wall: Duration,
    cpu: Duration,
}

fn measure(run: impl FnOnce() -> usize) -> Measured {
    let (cpu, started) = (cpu_time(), Instant::now());
    let records = run();
    Measured { records, wall: started.elapsed(), cpu: cpu_time() - cpu }
}

fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage");
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(microseconds as u64)
}

type Run<'a> = (&'a str, &'a mut dyn FnMut() -> Measured);

/// Runs two ways in turn, and prints their medians and the median of their paired ratios.
fn compare(rounds: usize, what: &str, size: usize, count: usize, runs: [Run<'_>; 2]) {
    let mut rates = [Vec::new(), Vec::new()];
    let mut costs = [Vec::new(), Vec::new()];
    let mut runs = runs;
    for _ in 0..rounds {
        for (index, (name, run)) in runs.iter_mut().enumerate() {
            let measured = run();
            assert!(measured.records >= count, "{what}, {name}: {} of {count} records", measured.records);
            rates[index].push(measured.records as f64 / measured.wall.as_secs_f64() / 1e6);
            costs[index].push(measured.cpu.as_secs_f64() / (measured.records as f64 / 1e6));
        }
    }
    for (index, (name, _)) in runs.iter().enumerate() {
        let (rate, cost) = (median(&rates[index]), median(&costs[index]));
        let label = format!("{what}, {size} B: {name}");
        println!("{label:<44} {rate:>6.2} {:>8.0} {cost:>12.3}", rate * size as f64);
    }
    let ratio = |values: &[Vec<f64>; 2]| -> f64 {
        median(&values[1].iter().zip(&values[0]).map(|(ours, raw)| ours / raw).collect::<Vec<_>>())
    };
    println!("{:<44} {:>6.2} {:>21.2}", "  library / raw", ratio(&rates), ratio(&costs));
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn library_producer(url: &str, size: usize, count: usize) -> Measured {
    let client = Client::connect(url).expect("connect");
    let producer = client.producer(ProducerConfig::new()).expect("producer");
    let appender = producer.appender(STREAM).expect("appender");
    let record = Record::raw(vec![b'x'; size]);
    measure(|| {
        (0..count).for_each(|_| appender.append(&record).expect("append"));
        let failed = producer.close(Duration::from_secs(60)).expect("close").failed;
        count - failed as usize
    })
}

fn library_consumer(url: &str, size: usize, count: usize) -> Measured {
    let client = Client::connect(url).expect("connect");
    let subscription = format!("size-{size}");
    let consumer = client.consumer(&subscription, ConsumerConfig::new()).expect("consumer");
    consumer.poll(1, Duration::from_secs(10)).expect("the first record");
    measure(|| {
        let mut received = 0;
        let mut bytes = 0;
        while received < count {
            let batch = consumer.poll(usize::MAX, Duration::from_secs(10)).expect("poll").expect("records");
            bytes += batch.iter().map(|record| record.payload().len()).sum::<usize>();
            consumer.ack_batch(&batch).expect("ack");
            received += batch.len();
        }
        assert_eq!(bytes, received * size);
        received
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
}

async fn raw_client(url: &str) -> HStreamApiClient<tonic::transport::Channel> {
    let endpoint = tonic::transport::Endpoint::from_shared(url.replace("hstream", "http")).expect("url");
    let endpoint = endpoint.tcp_nodelay(true).initial_connection_window_size(32 << 20);
    HStreamApiClient::new(endpoint.connect().await.expect("connect")).max_decoding_message_size(64 << 20)
}

fn raw_producer(url: &str, size: usize, count: usize) -> Measured {
    let batch = full_batch(size);
    runtime().block_on(async {
        let mut client = raw_client(url).await;
        let (cpu, started) = (cpu_time(), Instant::now());
        let mut records = 0;
        while records < count {
            let request = proto::AppendRequest {
                stream_name: STREAM.into(),
                shard_id: SHARD,
                records: Some(batch.clone()),
            };
            records += client.append(request).await.expect("append").into_inner().record_ids.len();
        }
        Measured { records, wall: started.elapsed(), cpu: cpu_time() - cpu }
    })
}

fn raw_consumer(url: &str, size: usize, count: usize) -> Measured {
    runtime().block_on(async {
        let mut client = raw_client(url).await;
        let (requests, receiver) = mpsc::channel(16);
        let request = |ack_ids| proto::StreamingFetchRequest {
            subscription_id: format!("size-{size}"),
            consumer_name: "raw".into(),
            ack_ids,
        };
        requests.send(request(Vec::new())).await.expect("send");
        let mut batches =
            client.streaming_fetch(ReceiverStream::new(receiver)).await.expect("fetch").into_inner();
        let (cpu, started) = (cpu_time(), Instant::now());
        let mut records = 0;
        while records < count {
            let batch =
                batches.message().await.expect("message").expect("batch").received_records.expect("records");
            records += batch.record_ids.len();
            requests.send(request(batch.record_ids)).await.expect("ack");
        }
        Measured { records, wall: started.elapsed(), cpu: cpu_time() - cpu }
    })
}

/// Records of this size, up to the cap, encoded by the generated code.
fn full_batch(size: usize) -> proto::BatchedRecord {
    use prost::Message;
    let header = proto::HStreamRecordHeader { flag: 1, ..Default::default() };
    let record = proto::HStreamRecord { header: Some(header), payload: Bytes::from(vec![b'x'; size]) };
    let one = proto::BatchHStreamRecords { records: vec![record.clone()] }.encoded_len();
    let records = vec![record; CAP / one];
    proto::BatchedRecord {
        batch_size: records.len() as u32,
        payload: proto::BatchHStreamRecords { records }.encode_to_vec().into(),
        ..Default::default()
    }
}

/// This program, started again as a server that stores nothing.
struct NullServer {
    url: String,
    process: Child,
}

impl NullServer {
    fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .arg("--null-server")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the null server");
        let mut url = String::new();
        let stdout = process.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut url).expect("its URL");
        NullServer { url: url.trim().to_owned(), process }
    }
}

impl Drop for NullServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn null_server() {
    let runtime = runtime();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let port = listener.local_addr().expect("address").port();
        println!("hstream://127.0.0.1:{port}");
        let service = HStreamApiServer::new(Null { port: port.into() }).max_decoding_message_size(64 << 20);
        tonic::transport::Server::builder()
            .initial_connection_window_size(256 << 20)
            .initial_stream_window_size(16 << 20)
            .add_service(service)
            .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
            .await
            .expect("serve");
    });
}

struct Null {
    port: u32,
}

impl Null {
    fn node(&self) -> proto::ServerNode {
        proto::ServerNode { id: 1, host: "127.0.0.1".into(), port: self.port, version: None }
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

    async fn list_shards(
        &self,
        _: Request<proto::ListShardsRequest>,
    ) -> Result<Response<proto::ListShardsResponse>, Status> {
        let shard = proto::Shard {
            stream_name: STREAM.into(),
            shard_id: SHARD,
            start_hash_range_key: "0".into(),
            end_hash_range_key: u128::MAX.to_string(),
            epoch: 1,
            is_active: true,
        };
        Ok(Response::new(proto::ListShardsResponse { shards: vec![shard] }))
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
        Ok(Response::new(proto::LookupSubscriptionResponse {
            subscription_id,
            server_node: Some(self.node()),
        }))
    }

    async fn get_subscription(
        &self,
        request: Request<proto::GetSubscriptionRequest>,
    ) -> Result<Response<proto::GetSubscriptionResponse>, Status> {
        let subscription =
            proto::Subscription { subscription_id: request.into_inner().id, ..Default::default() };
        Ok(Response::new(proto::GetSubscriptionResponse {
            subscription: Some(subscription),
            offsets: Vec::new(),
        }))
    }

    async fn append(
        &self,
        request: Request<proto::AppendRequest>,
    ) -> Result<Response<proto::AppendResponse>, Status> {
        let request = request.into_inner();
        let count = request.records.map_or(0, |batch| batch.batch_size);
        let record_ids = record_ids(8_589_934_593, count);
        Ok(Response::new(proto::AppendResponse {
            stream_name: request.stream_name,
            shard_id: SHARD,
            record_ids,
        }))
    }

    /// Batches of the size that the subscription's name says, of 1,000 records, as long as somebody reads.
    async fn streaming_fetch(
        &self,
        request: Request<Streaming<proto::StreamingFetchRequest>>,
    ) -> Result<Response<Batches>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.ok_or_else(|| Status::cancelled("no first message"))?;
        let size = first.subscription_id.trim_start_matches("size-").parse().unwrap_or(100);
        let (batches, receiver) = mpsc::channel(64);
        tokio::spawn(async move { while let Ok(Some(_)) = requests.message().await {} });
        let record = shortened(full_batch(size), 1000);
        tokio::spawn(async move {
            for batch_id in 8_589_934_593.. {
                let received = proto::ReceivedRecord {
                    record_ids: record_ids(batch_id, record.batch_size),
                    record: Some(record.clone()),
                };
                let response = proto::StreamingFetchResponse { received_records: Some(received) };
                if batches.send(response).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver).map(Ok))))
    }
}

fn record_ids(batch_id: u64, count: u32) -> Vec<proto::RecordId> {
    (0..count).map(|batch_index| proto::RecordId { shard_id: SHARD, batch_id, batch_index }).collect()
}

/// The first `count` records of a batch in which all are alike.
fn shortened(batch: proto::BatchedRecord, count: u32) -> proto::BatchedRecord {
    let count = count.min(batch.batch_size);
    let one = batch.payload.len() / batch.batch_size as usize;
    proto::BatchedRecord { batch_size: count, payload: batch.payload.slice(..one * count as usize), ..batch }
}
