//! How much memory a consumer takes whose callback is slow. In a process of its own, which measures itself; the server
//! is another one.
#![cfg(target_os = "linux")]

mod process;

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::{
    Client, ClientConfig, ConsumerConfig, Next, Record, StartAt, StreamOptions, SubscriptionOptions,
    WaitingFor,
};

use crate::process::Server;

const SOON: Duration = Duration::from_secs(60);

/// What is in the stream, and what of it the consumer may hold.
const RECORDS: usize = 256;
const RECORD_BYTES: usize = 512 << 10;
const PREFETCH_BYTES: usize = 4 << 20;
const WINDOW_BYTES: usize = 1 << 20;

/// What else there is: the call's window, a message on its way, a batch in the callback, and what the allocator and
/// the threads need.
const SLACK_BYTES: usize = WINDOW_BYTES + 4 * RECORD_BYTES + (12 << 20);

/// What of this process is in memory.
fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() << 10
}

#[test]
fn memory_stays_below_the_bound_of_a_consumer_whose_callback_is_slow() {
    let server = Server::start();
    let config = ClientConfig::new(server.url.as_str());
    let client = Client::connect(config.windows(WINDOW_BYTES as u32, 10 * WINDOW_BYTES as u32)).unwrap();
    client.create_stream("s", StreamOptions::new().shard_count(1)).unwrap();
    client.create_subscription("s", "s", SubscriptionOptions::new().start(StartAt::Earliest)).unwrap();
    let record = Record::raw(vec![7; RECORD_BYTES]);
    for _ in 0..RECORDS {
        client.append_one("s", &record).unwrap();
    }
    let config = ConsumerConfig::new().prefetch(100_000, PREFETCH_BYTES).callback_records(1);
    let consumer = client.consumer("s", config).unwrap();
    let before = resident_bytes();
    let (go, gone) = mpsc::channel::<()>();
    let (sender, came) = mpsc::channel();
    consumer
        .start_with(move |consumer, batch| {
            let _ = gone.recv();
            consumer.ack_batch(batch).unwrap();
            sender.send(batch.len()).unwrap();
            Next::Processed
        })
        .unwrap();
    let deadline = Instant::now() + SOON;
    while consumer.waiting_for() != WaitingFor::Buffer {
        assert!(Instant::now() < deadline, "it is never full");
        thread::sleep(Duration::from_millis(2));
    }
    let mut most = 0;
    let mut watch = |rounds: usize| {
        for _ in 0..rounds {
            thread::sleep(Duration::from_millis(2));
            most = most.max(resident_bytes().saturating_sub(before));
        }
    };
    // While nothing is taken, and while all of it goes through, one by one.
    watch(250);
    let mut received = 0;
    while received < RECORDS {
        go.send(()).unwrap();
        received += came.recv_timeout(SOON).unwrap();
        watch(1);
    }
    consumer.close(SOON).unwrap();
    const { assert!(PREFETCH_BYTES + SLACK_BYTES < RECORDS * RECORD_BYTES / 4) };
    assert!(most < PREFETCH_BYTES + SLACK_BYTES, "{most} bytes were taken");
    println!("{most} bytes");
}
