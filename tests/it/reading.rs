//! Readers: exact begin and end, each record once, also over losses.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    Batch, Client, ClientConfig, Compression, DeleteOptions, ErrorKind, Offset, Position, Read, Reader,
    ReaderConfig, Record, RecordId, StreamOptions, Wait,
};

use crate::support::{Fixture, SOON};

/// Appends so many records with numbers as payloads and keys, in batches of three.
fn fill(fixture: &Fixture, stream: &str, numbers: std::ops::Range<usize>) -> Vec<RecordId> {
    let numbers: Vec<_> = numbers.collect();
    let append = |numbers: &[usize]| {
        let records: Vec<_> = numbers
            .iter()
            .map(|n| {
                Record::raw(n.to_string())
                    .with_key(format!("key-{}", n % 5))
                    .with_attribute("n", n.to_string())
            })
            .collect();
        fixture.client.append(stream, &records, Compression::none()).unwrap()
    };
    numbers.chunks(3).flat_map(append).collect()
}

/// All that a reader brings, up to its end.
fn to_the_end(reader: &Reader) -> Vec<(RecordId, String)> {
    let mut records = Vec::new();
    loop {
        match reader.read(4, SOON).unwrap() {
            Read::Records(batch) => records.extend(batch.iter().map(|record| {
                assert!(batch.len() <= 4 && record.error().is_none());
                (record.id(), String::from_utf8(record.payload().to_vec()).unwrap())
            })),
            Read::Nothing => panic!("nothing more came, and no end, after {} records", records.len()),
            Read::End => return records,
        }
    }
}

fn texts(records: &[(RecordId, String)]) -> Vec<&str> {
    records.iter().map(|(_, text)| text.as_str()).collect()
}

fn until_latest() -> ReaderConfig {
    ReaderConfig::new().until(Offset::Latest)
}

#[test]
fn a_stream_is_read_to_its_end_in_the_order_of_its_shards() {
    let fixture = Fixture::new();
    let stream = fixture.stream(4);
    let appended = fill(&fixture, &stream, 0..60);
    let reader = fixture.client.read_stream(&stream, until_latest()).unwrap();
    fill(&fixture, &stream, 60..70);
    let read = to_the_end(&reader);
    let ids: BTreeMap<RecordId, usize> = appended.iter().copied().zip(0..).collect();
    assert_eq!(read.len(), 60);
    let mut last = BTreeMap::new();
    for (id, text) in &read {
        assert_eq!(text, &ids[id].to_string());
        assert!(last.insert(id.shard_id, *id) < Some(*id), "{id} came out of order");
    }
    // The end stays.
    assert!(matches!(reader.read(1, Wait::no()).unwrap(), Read::End));
    assert_eq!(reader.position().iter().count(), last.len());
}

#[test]
fn reading_begins_and_ends_with_the_records_named() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let ids = fill(&fixture, &stream, 0..12);
    let shard = ids[0].shard_id;
    for (first, last) in [(0, 11), (4, 7), (5, 5), (3, 11)] {
        let config = ReaderConfig::new().from(Offset::Record(ids[first])).until(Offset::Record(ids[last]));
        let reader = fixture.client.read_shard(&stream, shard, config).unwrap();
        let expected: Vec<_> = (first..=last).map(|n| n.to_string()).collect();
        assert_eq!(texts(&to_the_end(&reader)), expected);
    }
    // An end before the begin is a mistake, and told.
    let config = ReaderConfig::new().from(Offset::Record(ids[9])).until(Offset::Record(ids[1]));
    let error = fixture.client.read_shard(&stream, shard, config).unwrap().read(1, SOON).unwrap_err();
    assert_eq!(error.server().unwrap().code(), Some(901));
}

#[test]
fn the_latest_is_where_it_was_when_the_reader_was_opened() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    fill(&fixture, &stream, 0..9);
    let follow = fixture.client.read_stream(&stream, ReaderConfig::new().from(Offset::Latest)).unwrap();
    assert!(matches!(follow.read(1, Duration::from_millis(50)).unwrap(), Read::Nothing));
    fill(&fixture, &stream, 9..15);
    let mut read = Vec::new();
    while read.len() < 6 {
        let Read::Records(batch) = follow.read(9, SOON).unwrap() else { panic!("{read:?}") };
        read.extend(batch.iter().map(|record| String::from_utf8(record.payload().to_vec()).unwrap()));
    }
    read.sort_by_key(|text| text.parse::<usize>().unwrap());
    assert_eq!(read, ["9", "10", "11", "12", "13", "14"]);
    let empty = fixture.stream(1);
    let reader = fixture.client.read_single_shard(&empty, until_latest()).unwrap();
    assert!(to_the_end(&reader).is_empty());
}

#[test]
fn times_begin_and_end_reading() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fill(&fixture, &stream, 0..3);
    thread::sleep(Duration::from_millis(5)); // Times are in milliseconds.
    let middle = SystemTime::now();
    thread::sleep(Duration::from_millis(5));
    fill(&fixture, &stream, 3..6);
    let from = ReaderConfig::new().from(Offset::Time(middle)).until(Offset::Latest);
    assert_eq!(texts(&to_the_end(&fixture.client.read_stream(&stream, from).unwrap())), ["3", "4", "5"]);
    let until = ReaderConfig::new().until(Offset::Time(middle));
    assert_eq!(texts(&to_the_end(&fixture.client.read_stream(&stream, until).unwrap())), ["0", "1", "2"]);
}

#[test]
fn the_number_of_batches_is_bounded_over_all_shards() {
    let fixture = Fixture::new();
    let stream = fixture.stream(3);
    for number in 0..30 {
        fill(&fixture, &stream, number..number + 1);
    }
    let reader = fixture.client.read_stream(&stream, ReaderConfig::new().max_batches(7)).unwrap();
    assert_eq!(to_the_end(&reader).len(), 7);
}

#[test]
fn the_records_of_a_key_are_read_with_credit_given_as_they_come() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let ids = fill(&fixture, &stream, 0..2500);
    let reader =
        fixture.client.read_key(&stream, "key-3", ReaderConfig::new().prefetch(50, 1 << 20)).unwrap();
    fill(&fixture, &stream, 2500..2510);
    let read = to_the_end(&reader);
    let expected: Vec<_> = (0..500).map(|n| (ids[5 * n + 3], (5 * n + 3).to_string())).collect();
    assert_eq!(read, expected);
    let from = ReaderConfig::new().from(Offset::Record(ids[2403])).until(Offset::Record(ids[2493]));
    let reader = fixture.client.read_key(&stream, "key-3", from).unwrap();
    assert_eq!(to_the_end(&reader).len(), 19);
    let none = fixture.client.read_key(&stream, "no such key", ReaderConfig::new()).unwrap();
    assert!(to_the_end(&none).is_empty());
    let bounded = fixture.client.read_key(&stream, "k", ReaderConfig::new().max_batches(1)).unwrap_err();
    assert_eq!(bounded.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn reading_goes_on_behind_a_position_that_was_kept_as_text() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    fill(&fixture, &stream, 0..30);
    let first = fixture.client.read_stream(&stream, until_latest()).unwrap();
    let mut read = Vec::new();
    while read.len() < 11 {
        let Read::Records(batch) = first.read(11 - read.len(), SOON).unwrap() else { panic!("{read:?}") };
        read.extend(batch.ids());
    }
    let kept = first.position().to_string();
    drop(first);
    let config = until_latest().position(kept.parse::<Position>().unwrap());
    let second = fixture.client.read_stream(&stream, config.clone()).unwrap();
    read.extend(to_the_end(&second).into_iter().map(|(id, _)| id));
    read.sort_unstable();
    let before = read.len();
    read.dedup();
    assert_eq!((before, read.len()), (30, 30), "each once");
    // Of another stream of that name it is no position.
    fixture.client.delete_stream(&stream, DeleteOptions::new()).unwrap();
    fixture.client.create_stream(&stream, StreamOptions::new().shard_count(2)).unwrap();
    let error = fixture.client.read_stream(&stream, config).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidState && error.to_string().contains("created anew"), "{error}");
}

#[test]
fn a_read_that_is_lost_goes_on_and_no_record_is_missing_or_comes_twice() {
    let fixture = Fixture::with(DevServerOptions::new().nodes(3));
    let stream = fixture.stream(3);
    let records: Vec<_> =
        (0..900).map(|n| Record::raw(vec![b'x'; 1000]).with_key(format!("key-{n}"))).collect();
    let append = |records: &[Record]| fixture.client.append(&stream, records, Compression::none()).unwrap();
    let appended: Vec<_> = records.chunks(30).flat_map(append).collect();
    // So little is received ahead that most is still to come when nodes are lost.
    let small = ClientConfig::new(fixture.server.url()).windows(65_535, 655_350);
    let client = Client::connect(small).unwrap();
    let config =
        until_latest().prefetch(20, 1 << 20).reopen(Duration::from_millis(5), Duration::from_millis(50));
    let reader = client.read_stream(&stream, config).unwrap();
    let mut read = Vec::new();
    // Each node once, so that each shard's is among them.
    for node in 0..3 {
        let before = read.len();
        while read.len() < before + 100 {
            let Read::Records(batch) = reader.read(7, SOON).unwrap() else { panic!("after {}", read.len()) };
            read.extend(batch.ids());
        }
        fixture.server.kill_node(node).unwrap();
        if node > 0 {
            fixture.server.restart_node(node - 1).unwrap();
        }
    }
    read.extend(to_the_end(&reader).into_iter().map(|(id, _)| id));
    assert_eq!(read.len(), 900);
    read.sort_unstable();
    let mut expected = appended;
    expected.sort_unstable();
    assert_eq!(read, expected);
    assert!(reader.last_error().is_some(), "nothing was lost, so nothing was tested");
}

#[test]
fn a_reader_serves_one_thread_at_a_time_and_ends_from_another() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let reader = fixture.client.read_stream(&stream, ReaderConfig::new()).unwrap();
    thread::scope(|scope| {
        // The other thread may be in the way for a moment, before this one waits.
        let reading = scope.spawn(|| {
            loop {
                match reader.read(1, Wait::forever()) {
                    Err(error) if error.kind() == ErrorKind::Busy => thread::yield_now(),
                    read => return read,
                }
            }
        });
        crate::support::wait_until("the other thread reads", || {
            reader.read(1, Wait::no()).is_err_and(|error| error.kind() == ErrorKind::Busy)
        });
        reader.close();
        assert!(reading.join().unwrap().unwrap_err().is_closed());
    });
    reader.close();
    assert!(reader.read(1, SOON).unwrap_err().is_closed());
    assert_eq!(reader.batches(SOON).count(), 0);
}

#[test]
fn closing_the_client_ends_its_readers() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let client = Client::connect(fixture.server.url()).unwrap();
    let reader = client.read_stream(&stream, ReaderConfig::new()).unwrap();
    thread::scope(|scope| {
        let reading = scope.spawn(|| reader.read(1, Wait::forever()));
        client.close(SOON).unwrap();
        assert!(reading.join().unwrap().unwrap_err().is_closed());
    });
}

#[test]
fn what_is_not_there_is_told() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let of = |config: ReaderConfig| fixture.client.read_shard(&stream, 77, config).unwrap_err().kind();
    assert_eq!(of(ReaderConfig::new()), ErrorKind::InvalidArgument);
    assert!(fixture.client.read_stream("nowhere", ReaderConfig::new()).is_err());
    let many = fixture.client.read_single_shard(&stream, ReaderConfig::new()).unwrap_err();
    assert!(many.to_string().contains("2 shards"), "{many}");
    let record = ReaderConfig::new().from(Offset::Record(RecordId::new(1, 2, 3)));
    assert!(fixture.client.read_stream(&stream, record).unwrap_err().to_string().contains("1-2-3"));
    // A stream that is deleted while it is read.
    let reader = fixture.client.read_stream(&stream, ReaderConfig::new()).unwrap();
    assert!(matches!(reader.read(1, Duration::from_millis(50)).unwrap(), Read::Nothing));
    fixture.client.delete_stream(&stream, DeleteOptions::new()).unwrap();
    assert!(reader.read(1, SOON).unwrap_err().is_not_found());
}

/// What a callback got, and on which threads.
#[derive(Default)]
struct Got {
    texts: Mutex<Vec<String>>,
    threads: Mutex<BTreeSet<String>>,
}

impl Got {
    fn take(&self, batch: &Batch) {
        let texts = batch.iter().map(|record| String::from_utf8(record.payload().to_vec()).unwrap());
        self.texts.lock().unwrap().extend(texts);
        self.threads.lock().unwrap().insert(thread::current().name().unwrap_or_default().to_owned());
    }

    fn texts(&self) -> Vec<String> {
        self.texts.lock().unwrap().clone()
    }
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[test]
fn a_callback_gets_all_to_the_end_in_order_on_a_thread_of_the_reader() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fill(&fixture, &stream, 0..30);
    let reader = fixture.client.read_stream(&stream, until_latest().callback_records(4)).unwrap();
    let got = Arc::new(Got::default());
    let taking = got.clone();
    reader
        .start_with(move |_, batch| {
            assert!(batch.len() <= 4);
            taking.take(batch);
            ControlFlow::Continue(())
        })
        .unwrap();
    reader.wait(SOON).unwrap();
    assert_eq!(got.texts(), numbers(0..30));
    let threads = got.threads.lock().unwrap().clone();
    assert!(threads.len() == 1 && threads.iter().all(|name| name.starts_with("hstream-cb-")), "{threads:?}");
    assert_eq!(Arc::strong_count(&got), 1, "the callback is gone");
    assert!(matches!(reader.read(1, SOON).unwrap(), Read::End));
}

#[test]
fn a_stopped_reader_goes_on_behind_what_it_delivered() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fill(&fixture, &stream, 0..30);
    let reader = fixture.client.read_stream(&stream, until_latest().callback_records(4)).unwrap();
    let got = Arc::new(Got::default());
    let start = |stop: fn(&Reader) -> ControlFlow<()>| {
        let taking = got.clone();
        reader.start_with(move |reader, batch| {
            taking.take(batch);
            stop(reader)
        })
    };
    // By what it returns, and by a stop in it, which does not wait.
    start(|_| ControlFlow::Break(())).unwrap();
    reader.wait(SOON).unwrap();
    let first = got.texts().len();
    assert!((1..=4).contains(&first));
    start(|reader| {
        reader.stop(Wait::forever()).unwrap();
        ControlFlow::Continue(())
    })
    .unwrap();
    reader.wait(SOON).unwrap();
    let second = got.texts().len();
    assert!(second > first && second <= first + 4);
    // By hand, and then to the end.
    let Read::Records(batch) = reader.read(3, SOON).unwrap() else { panic!("nothing came") };
    got.take(&batch);
    assert_eq!(reader.position().iter().last(), batch.ids().last());
    start(|_| ControlFlow::Continue(())).unwrap();
    reader.wait(SOON).unwrap();
    assert_eq!(got.texts(), numbers(0..30));
}

#[test]
fn a_stop_from_elsewhere_waits_for_the_callback_within_its_time() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fill(&fixture, &stream, 0..3);
    let reader = fixture.client.read_stream(&stream, ReaderConfig::new()).unwrap();
    let (begun, begins) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    reader
        .start_with(move |_, _| {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    begins.recv_timeout(SOON).unwrap();
    let kind = |outcome: hstreamdb::Result<()>| outcome.unwrap_err().kind();
    let again = reader.start_with(|_, _| ControlFlow::Continue(()));
    assert_eq!(kind(again), ErrorKind::InvalidState);
    assert_eq!(reader.read(1, Wait::no()).unwrap_err().kind(), ErrorKind::InvalidState);
    assert_eq!(kind(reader.stop(Duration::from_millis(20))), ErrorKind::Timeout);
    thread::scope(|scope| {
        let stopping = scope.spawn(|| reader.stop(SOON));
        go_on.send(()).unwrap();
        stopping.join().unwrap().unwrap();
    });
    // Nothing runs any more, so nothing is sent; and a stop of what is stopped is fine.
    fill(&fixture, &stream, 3..6);
    assert!(begins.try_recv().is_err());
    reader.stop(Wait::no()).unwrap();
    assert!(matches!(reader.read(9, SOON).unwrap(), Read::Records(_)));
}

#[test]
fn a_callback_ends_with_its_reader_and_waits_for_nothing_that_waits_for_it() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let reader = fixture.client.read_stream(&stream, ReaderConfig::new()).unwrap();
    let (told, tells) = mpsc::channel();
    reader
        .start_with(move |reader, _| {
            told.send(reader.wait(Wait::forever()).unwrap_err().kind()).unwrap();
            reader.close();
            ControlFlow::Continue(())
        })
        .unwrap();
    fill(&fixture, &stream, 0..1);
    assert_eq!(tells.recv_timeout(SOON).unwrap(), ErrorKind::WouldDeadlock);
    reader.wait(SOON).unwrap();
    assert!(reader.start_with(|_, _| ControlFlow::Continue(())).unwrap_err().is_closed());
    assert!(tells.recv_timeout(SOON).is_err(), "the callback is gone");

    // One that waits for records when its last handle goes, or when the client is closed.
    let client = Client::connect(fixture.server.url()).unwrap();
    for closes_client in [false, true] {
        let held = Arc::new(());
        let holding = held.clone();
        let reader = client.read_stream(&stream, ReaderConfig::new().from(Offset::Latest)).unwrap();
        reader
            .start_with(move |_, _| {
                let _ = &holding;
                ControlFlow::Continue(())
            })
            .unwrap();
        if closes_client {
            client.close(SOON).unwrap();
        } else {
            drop(reader);
        }
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

#[test]
fn a_panic_in_a_callback_fails_its_reader() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fill(&fixture, &stream, 0..1);
    let reader = fixture.client.read_stream(&stream, ReaderConfig::new()).unwrap();
    reader.start_with(|_, _| panic!("on purpose")).unwrap();
    assert_eq!(reader.wait(SOON).unwrap_err().kind(), ErrorKind::Panic);
    assert_eq!(reader.read(1, SOON).unwrap_err().kind(), ErrorKind::Panic);
    let again = reader.start_with(|_, _| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Panic);
}
