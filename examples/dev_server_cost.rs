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

use std::time::Duration;

use hstreamdb::dev_server::DevServerOptions;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

#[path = "../benches/null_server/mod.rs"]
mod null_server;

use null_server::process::{ServerProcess, answer_questions};
use null_server::proto;
use null_server::proto::h_stream_api_client::HStreamApiClient;

type Client = HStreamApiClient<Channel>;

/// How many bytes of payloads both servers keep.
const KEPT: u64 = 256 << 20;

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
        Some("--null-server") => null_server::serve(KEPT),
        rounds => compare(rounds.map_or(5, |rounds| rounds.parse().expect("a number of rounds"))),
    }
}

fn compare(rounds: usize) {
    let mut servers = ["--dev-server", "--null-server"].map(ServerProcess::start);
    println!("{:<34} {:>10} {:>10} {:>8}", "server CPU, us a batch", "dev", "null", "ratio");
    for load in &LOADS {
        let mut appends = [Vec::new(), Vec::new()];
        let mut fetches = [Vec::new(), Vec::new()];
        for round in 0..=rounds {
            for turn in 0..2 {
                let index = (round + turn) % 2;
                let (append, fetch) = measure(&mut servers[index], load, round);
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

/// Microseconds for an append, and for a batch fetched and acked.
fn measure(server: &mut ServerProcess, load: &Load, round: usize) -> (f64, f64) {
    let runtime = runtime();
    let stream = format!("s{}r{round}", load.bytes);
    let mut client = runtime.block_on(connect(&server.url));
    let shard = runtime.block_on(set_up(&mut client, &stream, load));
    let before = server.cpu();
    runtime.block_on(append_all(&mut client, &stream, shard, load));
    let between = server.cpu();
    for number in 0..load.fetches {
        runtime.block_on(fetch_all(&mut client, &subscription(&stream, number), load));
    }
    let after = server.cpu();
    runtime.block_on(tear_down(&mut client, &stream, load));
    let count = load.count as f64;
    ((between - before) / count, (after - between) / count / load.fetches as f64)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn connect(url: &str) -> Client {
    let endpoint = Endpoint::from_shared(url.replace("hstream", "http")).expect("a URL");
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

fn dev_server() {
    let options = DevServerOptions::new().max_bytes(KEPT).assignment_tick(Duration::from_millis(1));
    let server = options.start().expect("the server");
    println!("{}", server.url());
    answer_questions();
}
