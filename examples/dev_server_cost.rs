//! What the development server costs, against a null server: processor time for each append and for each
//! batch fetched and acked.
//!
//! `cargo run --release --features dev-server --example dev_server_cost [ROUNDS]`
//!
//! Both are this program again, each as a process of its own, and take turns. The null server has the same
//! HTTP/2 settings and answers with as many ids; it keeps the newest payloads up to the same bound, as
//! holding received bytes or not decides what the memory allocator does, and counts acks; it has no streams, no
//! checks, no order, no progress. The figures are medians of the rounds, the ratio that of the ratios of each
//! round, as other work on the machine disturbs both alike; compare within one run only.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hstreamdb::dev_server::DevServerOptions;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use prost::Message;
use proto::h_stream_api_client::HStreamApiClient;
use proto::h_stream_api_server::{HStreamApi, HStreamApiServer};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};

#[allow(clippy::all, missing_docs, unreachable_pub, missing_debug_implementations, dead_code)]
mod proto {
    tonic::include_proto!("hstream.server");
}

type Client = HStreamApiClient<Channel>;

/// How many bytes of payloads both servers keep.
const KEPT: u64 = 256 << 20;
const FIRST: u64 = 8_589_934_593;

/// What is sent in one measurement: batches of this size, so many.
struct Load {
    name: &'static str,
    bytes: usize,
    count: usize,
    /// How often all of them are fetched, each time by another subscription.
    fetches: usize,
}

const LOADS: [Load; 2] = [
    Load { name: "64 KiB", bytes: 64 << 10, count: 3000, fetches: 3 },
    Load { name: "the cap", bytes: (1 << 20) - 4096, count: 200, fetches: 8 },
];
const RECORD: usize = 1000;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("--dev-server") => dev_server(),
        Some("--null-server") => null_server(),
        rounds => compare(rounds.map_or(5, |rounds| rounds.parse().expect("a number of rounds"))),
    }
}

fn compare(rounds: usize) {
    let mut servers = [Server::start("--dev-server"), Server::start("--null-server")];
    println!("{:<34} {:>10} {:>10} {:>8}", "server CPU, us a batch", "dev", "null", "ratio");
    for load in &LOADS {
        let mut appends = [Vec::new(), Vec::new()];
        let mut fetches = [Vec::new(), Vec::new()];
        for round in 0..=rounds {
            for turn in 0..2 {
                let index = (round + turn) % 2;
                let (append, fetch) = servers[index].measure(load, round);
                // The first round warms up.
                if round > 0 {
                    appends[index].push(append);
                    fetches[index].push(fetch);
                }
            }
        }
        for (what, [dev, null]) in [("append", &mut appends), ("fetch and ack", &mut fetches)] {
            let mut ratios: Vec<f64> = dev.iter().zip(null.iter()).map(|(dev, null)| dev / null).collect();
            let (dev, null, ratio) = (median(dev), median(null), median(&mut ratios));
            let name = format!("{what}, batches of {}", load.name);
            println!("{name:<34} {dev:>10.1} {null:>10.1} {ratio:>8.2}");
        }
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// One of the two, as another process.
struct Server {
    url: String,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(which: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .arg(which)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server");
        let input = process.stdin.take().expect("its input");
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let mut url = String::new();
        output.read_line(&mut url).expect("its URL");
        Server { url: url.trim().replace("hstream", "http"), process, input, output }
    }

    /// Its processor time so far, in microseconds.
    fn cpu(&mut self) -> f64 {
        writeln!(self.input, "cpu").expect("a question");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        line.trim().parse().expect("a number")
    }

    /// Microseconds for an append, and for a batch fetched and acked.
    fn measure(&mut self, load: &Load, round: usize) -> (f64, f64) {
        let runtime = runtime();
        let stream = format!("s{}r{round}", load.bytes);
        let mut client = runtime.block_on(connect(&self.url));
        let shard = runtime.block_on(set_up(&mut client, &stream, load));
        let before = self.cpu();
        runtime.block_on(append_all(&mut client, &stream, shard, load));
        let between = self.cpu();
        for number in 0..load.fetches {
            runtime.block_on(fetch_all(&mut client, &subscription(&stream, number), load));
        }
        let after = self.cpu();
        runtime.block_on(tear_down(&mut client, &stream, load));
        let count = load.count as f64;
        ((between - before) / count, (after - between) / count / load.fetches as f64)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn connect(url: &str) -> Client {
    let endpoint = Endpoint::from_shared(url.to_owned()).expect("a URL");
    let endpoint = endpoint.initial_stream_window_size(16 << 20).initial_connection_window_size(64 << 20);
    let channel = endpoint.connect().await.expect("a connection");
    Client::new(channel).max_decoding_message_size(usize::MAX)
}

fn subscription(stream: &str, number: usize) -> String {
    format!("{stream}-{number}")
}

/// A stream of one shard, and its subscriptions.
async fn set_up(client: &mut Client, name: &str, load: &Load) -> u64 {
    let stream = proto::Stream {
        stream_name: name.into(),
        replication_factor: 1,
        shard_count: 1,
        ..Default::default()
    };
    client.create_stream(stream).await.expect("a stream");
    for number in 0..load.fetches {
        let subscription = proto::Subscription {
            subscription_id: subscription(name, number),
            stream_name: name.into(),
            ack_timeout_seconds: 600,
            max_unacked_records: 10_000_000,
            ..Default::default()
        };
        client.create_subscription(subscription).await.expect("a subscription");
    }
    let request = proto::ListShardsRequest { stream_name: name.into() };
    client.list_shards(request).await.expect("shards").into_inner().shards[0].shard_id
}

async fn tear_down(client: &mut Client, name: &str, load: &Load) {
    for number in 0..load.fetches {
        let subscription_id = subscription(name, number);
        let request = proto::DeleteSubscriptionRequest { subscription_id, force: true };
        client.delete_subscription(request).await.expect("deletion");
    }
    let request =
        proto::DeleteStreamRequest { stream_name: name.into(), ignore_non_exist: false, force: false };
    client.delete_stream(request).await.expect("deletion");
}

fn batch(bytes: usize) -> proto::BatchedRecord {
    let record = proto::HStreamRecord {
        header: Some(proto::HStreamRecordHeader { flag: 1, ..Default::default() }),
        payload: vec![7; RECORD].into(),
    };
    let count = bytes / (record.encoded_len() + 3);
    let records = proto::BatchHStreamRecords { records: vec![record; count] };
    proto::BatchedRecord {
        batch_size: count as u32,
        payload: records.encode_to_vec().into(),
        ..Default::default()
    }
}

async fn append_all(client: &mut Client, stream: &str, shard_id: u64, load: &Load) {
    let records = batch(load.bytes);
    for _ in 0..load.count {
        let request =
            proto::AppendRequest { stream_name: stream.into(), shard_id, records: Some(records.clone()) };
        client.append(request).await.expect("an append");
    }
}

async fn fetch_all(client: &mut Client, subscription: &str, load: &Load) {
    let (acks, requests) = mpsc::channel(64);
    let first = proto::StreamingFetchRequest {
        subscription_id: subscription.into(),
        consumer_name: "c".into(),
        ack_ids: Vec::new(),
    };
    acks.send(first).await.expect("an open call");
    let batches = client.streaming_fetch(ReceiverStream::new(requests)).await.expect("a consumer");
    let mut batches = batches.into_inner();
    for _ in 0..load.count {
        let batch = batches.message().await.expect("a batch").expect("a batch").received_records;
        let ack_ids = batch.expect("records").record_ids;
        acks.send(proto::StreamingFetchRequest { ack_ids, ..Default::default() })
            .await
            .expect("an open call");
    }
    drop(acks);
    while batches.message().await.expect("the end").is_some() {}
}

/// Answers questions about processor time until nobody asks any more.
fn answer_questions() {
    for line in std::io::stdin().lines() {
        if line.is_err() {
            return;
        }
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("usage");
        let time = usage.user_time() + usage.system_time();
        println!("{}", time.num_microseconds());
    }
}

fn dev_server() {
    let options = DevServerOptions::new().max_bytes(KEPT).assignment_tick(Duration::from_millis(1));
    let server = options.start().expect("the server");
    println!("{}", server.url());
    answer_questions();
}

fn null_server() {
    let runtime = runtime();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("listen");
    println!("hstream://{}", listener.local_addr().expect("its address"));
    runtime.spawn(async move {
        let service = HStreamApiServer::new(Null::default())
            .max_decoding_message_size(4 << 20)
            .max_encoding_message_size(usize::MAX);
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a connection");
            let serving = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .initial_stream_window_size(16 << 20)
                .initial_connection_window_size(64 << 20)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service.clone()));
            tokio::spawn(serving);
        }
    });
    answer_questions();
}

/// The newest payloads, and how many records the last batch had.
#[derive(Clone, Default)]
struct Null(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
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
        while self.bytes > KEPT {
            self.bytes -= self.payloads.pop_front().map_or(0, |payload| payload.len() as u64);
        }
    }
}

type Batches = tonic::codegen::BoxStream<proto::StreamingFetchResponse>;

#[tonic::async_trait]
impl HStreamApi for Null {
    async fn create_stream(
        &self,
        request: Request<proto::Stream>,
    ) -> Result<Response<proto::Stream>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn create_subscription(
        &self,
        request: Request<proto::Subscription>,
    ) -> Result<Response<proto::Subscription>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn list_shards(
        &self,
        _: Request<proto::ListShardsRequest>,
    ) -> Result<Response<proto::ListShardsResponse>, Status> {
        Ok(Response::new(proto::ListShardsResponse { shards: vec![proto::Shard::default()] }))
    }

    async fn delete_subscription(
        &self,
        _: Request<proto::DeleteSubscriptionRequest>,
    ) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    /// All that was kept goes with the stream, as in the other server.
    async fn delete_stream(&self, _: Request<proto::DeleteStreamRequest>) -> Result<Response<()>, Status> {
        *self.0.lock().expect("no panic") = Kept::default();
        Ok(Response::new(()))
    }

    async fn append(
        &self,
        request: Request<proto::AppendRequest>,
    ) -> Result<Response<proto::AppendResponse>, Status> {
        let request = request.into_inner();
        let batch = request.records.unwrap_or_default();
        let record_ids = record_ids(request.shard_id, FIRST, batch.batch_size);
        self.0.lock().expect("no panic").keep(batch);
        let (stream_name, shard_id) = (request.stream_name, request.shard_id);
        Ok(Response::new(proto::AppendResponse { stream_name, shard_id, record_ids }))
    }

    /// What was kept, again from the beginning when it is through, until as much was sent as appended.
    async fn streaming_fetch(
        &self,
        request: Request<Streaming<proto::StreamingFetchRequest>>,
    ) -> Result<Response<Batches>, Status> {
        let mut requests = request.into_inner();
        requests.message().await?;
        let (batches, receiver) = mpsc::channel(64);
        let kept = Arc::clone(&self.0);
        let sender = batches.clone();
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                kept.lock().expect("no panic").acks += request.ack_ids.len();
            }
            drop(sender);
        });
        let kept = Arc::clone(&self.0);
        tokio::spawn(async move {
            let count = kept.lock().expect("no panic").appended;
            for number in 0..count {
                let (payload, records) = {
                    let kept = kept.lock().expect("no panic");
                    (kept.payloads[number % kept.payloads.len()].clone(), kept.records)
                };
                let record = proto::BatchedRecord { batch_size: records, payload, ..Default::default() };
                let received = proto::ReceivedRecord {
                    record_ids: record_ids(0, FIRST + number as u64, records),
                    record: Some(record),
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

fn record_ids(shard_id: u64, batch_id: u64, count: u32) -> Vec<proto::RecordId> {
    (0..count).map(|batch_index| proto::RecordId { shard_id, batch_id, batch_index }).collect()
}
