//! What a producer tells of itself.

use std::time::Duration;

use hstreamdb::{EventKind, Linger, ProducerConfig, Record, SubjectKind};
use serde_json::Value;

use crate::support::{Fixture, SOON};

#[test]
fn statistics_are_those_of_known_traffic() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let config = ProducerConfig::new()
        .linger(Linger::ByHand)
        .batch_records(4)
        .compression(hstreamdb::Compression::gzip())
        .retry(None, Duration::from_millis(2), Duration::from_millis(9));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let record = Record::raw(vec![7; 1000]);
    fixture.server.faults().next("Append").times(2).refuse(14, "server is unavailable");
    (0..10).for_each(|_| appender.append(&record).unwrap());
    assert_eq!(producer.stats().accepted, 10);
    appender.flush(SOON).unwrap();
    fixture.server.faults().next("Append").refuse(3, "refused");
    appender.append(&record).unwrap();
    appender.flush(SOON).unwrap();
    appender.append(&record).unwrap();

    let stats = producer.stats();
    assert_eq!((stats.accepted, stats.settled.written, stats.settled.failed), (12, 10, 1));
    assert_eq!((stats.pending_records, stats.retries), (1, 2));
    assert_eq!((stats.batch_records.count, stats.batch_records.sum, stats.batch_records.max), (3, 10, 4));
    assert_eq!(stats.batch_bytes.sum, 10 * record.encoded_len() as u64);
    assert!(stats.wire_bytes > 0 && stats.wire_bytes < stats.batch_bytes.sum / 5, "it was compressed");
    assert_eq!((stats.append_latency.count, stats.delivery_latency.count), (4, 3));
    assert!(stats.delivery_latency.max >= Duration::from_millis(2), "the pauses count");
    let [shard] = &stats.shards[..] else { panic!("{:?}", stats.shards) };
    assert_eq!((shard.stream.as_str(), shard.pending_records, shard.retries), (stream.as_str(), 1, 2));
    assert_eq!(shard.queued_bytes, record.encoded_len() as u64);
    assert!(shard.oldest_age.is_some() && fixture.server.url().ends_with(&shard.node), "{shard:?}");
    producer.close(SOON).unwrap();
    assert_eq!(producer.stats().shards[0].oldest_age, None);
}

#[test]
fn the_keys_of_the_statistics_stay() {
    let fixture = Fixture::new();
    let producer = fixture.client.producer(ProducerConfig::new()).unwrap();
    producer.append(&fixture.stream(1), &Record::raw("x")).unwrap();
    producer.flush(SOON).unwrap();
    let stats: Value = serde_json::from_str(&producer.stats().to_json()).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let expected = "accepted append_latency_us batch_bytes batch_records delivery_latency_us failed pending_bytes \
                    pending_records retries shards unknown wire_bytes written";
    assert_eq!(keys(&stats).join(" "), expected);
    let expected = "node oldest_age_us pending_records queued_bytes retries shard_id stream";
    assert_eq!(keys(&stats["shards"][0]).join(" "), expected);
    assert_eq!(keys(&stats["batch_bytes"]).join(" "), "count max p50 p90 p99 sum");
}

#[test]
fn a_failure_for_good_is_an_event_of_the_client() {
    let (sender, events) = std::sync::mpsc::channel();
    let fixture = Fixture::new();
    let config = hstreamdb::ClientConfig::new(fixture.server.url()).on_event(move |event| {
        let _ = sender.send((event.kind(), event.subject_kind(), event.subject().to_owned()));
    });
    let client = hstreamdb::Client::connect(config).unwrap();
    let stream = fixture.stream(1);
    let producer = client.producer(ProducerConfig::new()).unwrap();
    fixture.server.faults().next("Append").refuse(3, "refused");
    producer.append(&stream, &Record::raw("x")).unwrap();
    producer.flush(SOON).unwrap();
    let stopped = (EventKind::ShardStopped, SubjectKind::Producer, stream);
    assert!(std::iter::from_fn(|| events.recv_timeout(SOON).ok()).any(|event| event == stopped));
}
