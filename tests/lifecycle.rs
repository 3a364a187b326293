//! What the library leaves in the process: nothing. In a process of its own, because it counts threads and
//! descriptors; the server is another one.
#![cfg(target_os = "linux")]

mod process;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use hstreamdb::{
    Client, Compression, ConsumerConfig, ProducerConfig, Record, StartAt, StreamOptions, SubscriptionOptions,
};

use crate::process::Server;

const SOON: Duration = Duration::from_secs(30);

/// Our threads: their names, and the signals that they block.
fn our_threads() -> BTreeMap<String, u64> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let statuses = tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    let field = |status: &str, name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let threads = statuses.filter_map(|status| {
        let name = field(&status, "Name")?;
        let blocked = u64::from_str_radix(&field(&status, "SigBlk")?, 16).ok()?;
        name.starts_with("hstream-").then_some((name, blocked))
    });
    threads.collect()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn use_everything(url: &str, name: &str) {
    let client = Client::connect(url).unwrap();
    client.create_stream(name, StreamOptions::new().shard_count(2)).unwrap();
    let options = SubscriptionOptions::new().start(StartAt::Earliest);
    client.create_subscription(name, name, options).unwrap();
    let config = ProducerConfig::new().compression(Compression::gzip()).on_delivery(|_| {});
    let producer = client.producer(config).unwrap();
    producer.append(name, &Record::raw(vec![b'x'; 1000])).unwrap();
    producer.flush(SOON).unwrap();
    let consumer = client.consumer(name, ConsumerConfig::new()).unwrap();
    let batch = consumer.poll(1, SOON).unwrap().unwrap();
    consumer.ack_batch(&batch).unwrap();
    let threads = our_threads();
    for prefix in ["hstream-io-", "hstream-cb-", "hstream-z-"] {
        assert!(threads.keys().any(|name| name.starts_with(prefix)), "no {prefix} in {threads:?}");
    }
    assert_eq!(threads.keys().filter(|name| name.starts_with("hstream-io-")).count(), 1, "{threads:?}");
    let bit = |signal: i32| 1_u64 << (signal - 1);
    const SIGHUP: i32 = 1;
    const SIGINT: i32 = 2;
    const SIGPIPE: i32 = 13;
    for (name, blocked) in threads {
        assert!(
            [SIGHUP, SIGINT, SIGPIPE].iter().all(|signal| blocked & bit(*signal) != 0),
            "{name} takes signals"
        );
    }
}

#[test]
fn threads_and_descriptors_end_with_the_last_handle() {
    let server = Server::start();
    // The first use makes what the process keeps for all later ones: a pipe.
    use_everything(&server.url, "first");
    let before = descriptors();
    for round in 0..5 {
        assert_eq!(our_threads(), BTreeMap::new());
        use_everything(&server.url, &format!("round-{round}"));
    }
    assert_eq!((our_threads(), descriptors()), (BTreeMap::new(), before));
    an_idle_client_costs_nothing(&server.url);
}

/// Not a test of its own: it would count the work of the other.
fn an_idle_client_costs_nothing(url: &str) {
    let client = Client::connect(url).unwrap();
    client.create_subscription("idle", "first", SubscriptionOptions::new()).unwrap();
    let consumer = client.consumer("idle", ConsumerConfig::new()).unwrap();
    assert!(consumer.poll(1, Duration::from_secs(2)).unwrap().is_none());
    let before = cpu_time();
    assert!(consumer.poll(1, Duration::from_secs(10)).unwrap().is_none());
    let used = cpu_time() - before;
    assert!(used < Duration::from_millis(10), "{used:?} in 10 s");
}

fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    Duration::from_micros(
        (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as u64,
    )
}
