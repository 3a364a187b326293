//! Streams that are deleted and created anew while a producer writes to them.

use std::time::Duration;

use hstreamdb::{DeleteOptions, ErrorKind, Linger, ProducerConfig, Record, RecreatedStream, StreamOptions};

use crate::support::{Fixture, SOON};

fn recreate(fixture: &Fixture, stream: &str, shards: u32) {
    fixture.client.delete_stream(stream, DeleteOptions::new().force()).unwrap();
    fixture.client.create_stream(stream, StreamOptions::new().shard_count(shards)).unwrap();
}

fn producer_config() -> ProducerConfig {
    ProducerConfig::new().linger(Linger::ByHand).retry(
        None,
        Duration::from_millis(2),
        Duration::from_millis(9),
    )
}

fn keyed(number: usize) -> Record {
    Record::raw(number.to_string()).with_key(format!("key-{}", number % 3))
}

#[test]
fn records_for_the_old_stream_fail_clearly_and_what_is_opened_anew_goes_on() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(producer_config()).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let delivery = appender.append_tracked(&keyed(0), SOON).unwrap();
    recreate(&fixture, &stream, 2);
    assert_eq!(appender.flush(SOON).unwrap().failed, 1);
    let error = delivery.wait(SOON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    assert!(error.to_string().contains("created anew") && !error.is_ambiguous(), "{error}");
    // The old handle says so at once, the producer by itself looks the stream up again.
    let refused = appender.append(&keyed(1)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidState);
    producer.append(&stream, &keyed(2)).unwrap();
    producer.appender(&stream).unwrap().append(&keyed(3)).unwrap();
    let counts = producer.close(SOON).unwrap();
    assert_eq!((counts.written, counts.failed), (2, 0));
    assert_eq!(fixture.content(&stream, 2).len(), 2);
}

#[test]
fn where_it_is_wanted_records_follow_their_keys_to_the_new_shards_in_order() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let config = producer_config().recreated_stream(RecreatedStream::Reroute).batch_records(4);
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let deliveries: Vec<_> =
        (0..30).map(|number| appender.append_tracked(&keyed(number), SOON).unwrap()).collect();
    // Nothing has gone yet but full batches.
    appender.flush(SOON).unwrap();
    recreate(&fixture, &stream, 5);
    let shards = fixture.client.list_shards(&stream).unwrap();
    let again: Vec<_> =
        (30..90).map(|number| appender.append_tracked(&keyed(number), SOON).unwrap()).collect();
    assert_eq!(appender.flush(SOON).unwrap().written, 60);
    (90..120).for_each(|number| appender.append(&keyed(number)).unwrap());
    assert_eq!(appender.flush_key("key-1", SOON).unwrap().failed, 0);
    assert_eq!(producer.close(SOON).unwrap().failed, 0);
    assert!(deliveries.iter().all(|delivery| delivery.wait(SOON).is_ok()));
    for (delivery, number) in again.iter().zip(30..) {
        let id = delivery.wait(SOON).unwrap();
        assert_eq!(id.shard_id, shards.for_key(keyed(number).key()).unwrap().id());
    }
    let content = fixture.content(&stream, 90);
    for key in 0..3 {
        let of_key = content.iter().map(|text| text.parse::<usize>().unwrap()).filter(|n| n % 3 == key);
        assert!(of_key.clone().is_sorted(), "{:?}", of_key.collect::<Vec<_>>());
    }
    assert_eq!((producer.pending_records(), producer.pending_bytes()), (0, 0));
}

#[test]
fn a_deleted_stream_is_named() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(producer_config()).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.client.delete_stream(&stream, DeleteOptions::new()).unwrap();
    let delivery = appender.append_tracked(&keyed(0), SOON).unwrap();
    appender.flush(SOON).unwrap();
    let error = delivery.wait(SOON).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains(&stream), "{error}");
}

#[test]
fn an_appender_of_an_older_life_is_flushed_and_closed_with_the_others() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let config = producer_config().recreated_stream(RecreatedStream::Reroute);
    let producer = fixture.client.producer(config).unwrap();
    let old = producer.appender(&stream).unwrap();
    // One shard of each life learns that it is gone; the other one has had nothing.
    for number in 0..2 {
        recreate(&fixture, &stream, 2);
        old.append(&Record::raw(number.to_string()).with_key("key-0")).unwrap();
        assert_eq!(producer.flush(SOON).unwrap().written, 1);
    }
    let shards = fixture.client.list_shards(&stream).unwrap();
    let shard_of = |key: &str| shards.for_key(key).unwrap().id();
    let other = (1..).map(|n| format!("key-{n}")).find(|key| shard_of(key) != shard_of("key-0")).unwrap();
    let delivery = old.append_tracked(&Record::raw("2").with_key(other), SOON).unwrap();
    assert_eq!(producer.pending_records(), 1);
    assert_eq!(producer.close(SOON).unwrap().written, 1);
    assert!(delivery.try_get().unwrap().is_ok());
}
