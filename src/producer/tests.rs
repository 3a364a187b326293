//! A producer and the embedded server, with a clock that is turned forward by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::dev_server::DevServer;
use crate::{Client, ConsumerConfig, ErrorKind, ProducerConfig, Record, StartAt, SubscriptionOptions, Wait};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

/// How many seconds the clock is ahead of the real one.
static AHEAD: AtomicU64 = AtomicU64::new(0);

fn turned_forward() -> Instant {
    Instant::now() + Duration::from_secs(AHEAD.load(Ordering::SeqCst))
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn text(text: &str) -> Record {
    Record::raw(text.to_owned())
}

/// One that refuses, and one that is not there at all.
#[test]
fn a_server_away_for_longer_than_the_delivery_timeout_and_back_finds_the_same_producer_going_on() {
    let server = DevServer::start().unwrap();
    let client = Client::connect(server.url()).unwrap();
    client.create_stream("s", Default::default()).unwrap();
    let config = ProducerConfig::new()
        .clock(turned_forward)
        .delivery_timeout(Duration::from_secs(1000))
        .retry(None, Duration::from_millis(2), Duration::from_millis(10));
    let producer = client.producer(config).unwrap();
    let appender = producer.appender("s").unwrap();
    appender.append_wait(&text("before"), SOON).unwrap();
    for is_killed in [false, true] {
        if is_killed {
            server.kill_node(0).unwrap();
        } else {
            server.faults().next("Append").always().refuse(14, "server is unavailable");
        }
        let lost = ["in flight", "behind it"].map(|name| appender.append_tracked(&text(name), SOON).unwrap());
        AHEAD.fetch_add(900, Ordering::SeqCst);
        let tries = producer.stats().retries + 3;
        wait_until("it tries on", || producer.stats().retries >= tries);
        assert_eq!(producer.pending_records(), 2, "there is time left");
        AHEAD.fetch_add(101, Ordering::SeqCst);
        for lost in lost {
            let error = lost.wait(SOON).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Aborted), "{error}");
        }
        wait_until("all is reported", || producer.pending_records() == 0);
        if is_killed {
            server.restart_node(0).unwrap();
        } else {
            server.faults().clear();
        }
        appender.append_wait(&text("after"), SOON).unwrap();
    }
    let settled = producer.close(Wait::forever()).map(|_| producer.stats().settled).unwrap();
    assert_eq!((settled.written, settled.failed + settled.unknown), (3, 4));
    assert_eq!(content(&client), ["before", "after", "after"]);
}

/// Without what was given up: its last attempt may have arrived when the server was back, which is why it is unknown.
fn content(client: &Client) -> Vec<String> {
    client.create_subscription("sub", "s", SubscriptionOptions::new().start(StartAt::Earliest)).unwrap();
    let consumer = client.consumer("sub", ConsumerConfig::new()).unwrap();
    let mut texts = Vec::new();
    while texts.len() < 3 {
        let batch = consumer.poll(10, SOON).unwrap().expect("records are missing");
        texts.extend(batch.iter().map(|record| String::from_utf8(record.payload().to_vec()).unwrap()));
        texts.retain(|text| matches!(text.as_str(), "before" | "after"));
    }
    texts
}
