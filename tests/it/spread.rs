//! How a producer spreads its work: over shards, over appends in flight, over many streams.

use std::collections::BTreeMap;
use std::time::Duration;

use hstreamdb::{
    Client, ClientConfig, Counts, ErrorKind, Linger, ProducerConfig, Record, StreamOptions, Wait,
};

use crate::support::{Fixture, SOON, unique, wait_until};

#[test]
fn records_without_a_key_go_to_one_shard_or_to_all_in_turn() {
    let fixture = Fixture::new();
    for (spread, shards_used) in [(false, 1), (true, 4)] {
        let stream = fixture.stream(4);
        let producer = fixture.client.producer(ProducerConfig::new().spread_keyless(spread)).unwrap();
        let appender = producer.appender(&stream).unwrap();
        let mut by_shard = BTreeMap::<u64, usize>::new();
        let deliveries: Vec<_> =
            (0..40).map(|_| appender.append_tracked(&Record::raw("x"), SOON).unwrap()).collect();
        for delivery in deliveries {
            *by_shard.entry(delivery.wait(SOON).unwrap().shard_id).or_default() += 1;
        }
        assert_eq!(by_shard.len(), shards_used);
        assert!(by_shard.values().all(|count| *count == 40 / shards_used), "{by_shard:?}");
        // Keys go where they belong all the same.
        let keyed = appender.append_tracked(&Record::raw("x").with_key("key-1"), SOON).unwrap();
        let shards = fixture.client.list_shards(&stream).unwrap();
        assert_eq!(keyed.wait(SOON).unwrap().shard_id, shards.for_key("key-1").unwrap().id());
    }
}

#[test]
fn a_shard_has_as_many_appends_in_flight_as_asked_for() {
    let fixture = Fixture::new();
    for (asked, at_once) in [(1, 1), (3, 3)] {
        let stream = fixture.stream(1);
        let config = ProducerConfig::new().batch_records(1).in_flight_per_shard(asked);
        let producer = fixture.client.producer(config).unwrap();
        let appender = producer.appender(&stream).unwrap();
        let before = fixture.server.faults().calls("Append");
        fixture.server.faults().next("Append").on(&stream).times(3).delay(Duration::from_millis(150));
        (0..5).for_each(|number| appender.append(&Record::raw(number.to_string())).unwrap());
        wait_until("the first have arrived", || fixture.server.faults().calls("Append") == before + at_once);
        std::thread::sleep(Duration::from_millis(50)); // Long enough for one more, and too short for an answer.
        assert_eq!(fixture.server.faults().calls("Append"), before + at_once);
        let counts = producer.close(SOON).unwrap();
        assert_eq!(counts, Counts { written: 5, ..Counts::default() });
        assert_eq!(fixture.content(&stream, 5).len(), 5);
    }
}

#[test]
fn all_producers_of_a_client_share_its_buffer() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let client = Client::connect(ClientConfig::new(fixture.server.url()).buffer_bytes(1000)).unwrap();
    let config = || ProducerConfig::new().linger(Linger::ByHand);
    let [one, other] = [0, 1].map(|_| client.producer(config()).unwrap().appender(&stream).unwrap());
    let producers = [0, 1].map(|_| client.producer(config()).unwrap());
    drop((one, other));
    let [one, other] = [0, 1].map(|index| producers[index].appender(&stream).unwrap());
    fixture.server.faults().next("Append").delay(Duration::from_millis(200));
    one.append(&Record::raw(vec![1; 800])).unwrap();
    let full = other.try_append(&Record::raw(vec![2; 800])).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::QueueFull);
    // What lingers in the one is sent to make room for the other.
    other.append_tagged(&Record::raw(vec![2; 800]), 0, SOON).unwrap();
    assert_eq!(other.flush(SOON).unwrap().written, 1);
    assert_eq!((producers[0].pending_bytes(), producers[1].pending_bytes()), (0, 0));
    assert_eq!(fixture.content(&stream, 2).len(), 2);
}

#[test]
fn thousands_of_streams_take_the_threads_of_one() {
    const STREAMS: usize = 5000;
    let fixture = Fixture::new();
    let prefix = unique("many");
    let names: Vec<_> = (0..STREAMS).map(|number| format!("{prefix}-{number}")).collect();
    let client = fixture.client.within(Wait::forever());
    names.iter().for_each(|name| drop(client.create_stream(name, StreamOptions::new()).unwrap()));
    let producer = client.producer(ProducerConfig::new().on_delivery(|_| ())).unwrap();
    let first = producer.appender(&names[0]).unwrap();
    first.append(&Record::raw("x")).unwrap();
    producer.flush(SOON).unwrap();
    let threads = threads_of_ours();
    let appenders: Vec<_> = names.iter().map(|name| producer.appender(name).unwrap()).collect();
    for _ in 0..2 {
        appenders.iter().for_each(|appender| appender.append(&Record::raw("x")).unwrap());
    }
    assert_eq!(producer.flush(SOON).unwrap().failed, 0);
    // Other tests of this process come and go; none has hundreds of threads.
    assert!(threads_of_ours() < threads + 200);
    assert_eq!(producer.close(SOON).unwrap().total(), 0);
}

fn threads_of_ours() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("hstream-")).count()
}
