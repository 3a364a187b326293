//! How fast the library is, and what it costs, against a raw loop over the generated gRPC client.
//!
//! `cargo run --release --all-features --example perf [ROUNDS]`
//!
//! All rows run in turn, in one process, over a server that stores nothing (this program again, as another
//! process). "raw" sends or receives the same batches, one at a time, and does nothing else: no records are
//! encoded, none are decoded. The figures are medians of the rounds; compare within one run only.

use std::time::{Duration, Instant};

use hstreamdb::{Client, ConsumerConfig, ProducerConfig, Record};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

#[path = "../benches/null_server/mod.rs"]
mod null_server;

use null_server::{NullServer, SHARD, STREAM, full_batch, proto, runtime};

fn main() {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("--null-server") {
        return null_server::serve();
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

async fn raw_client(url: &str) -> proto::h_stream_api_client::HStreamApiClient<tonic::transport::Channel> {
    let endpoint = tonic::transport::Endpoint::from_shared(url.replace("hstream", "http")).expect("url");
    let endpoint = endpoint.tcp_nodelay(true).initial_connection_window_size(32 << 20);
    proto::h_stream_api_client::HStreamApiClient::new(endpoint.connect().await.expect("connect"))
        .max_decoding_message_size(64 << 20)
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
