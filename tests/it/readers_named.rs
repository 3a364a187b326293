//! Named readers: created on the server, read from the node that has them, deleted.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant, SystemTime};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    Client, ClientConfig, Compression, DeleteOptions, ErrorKind, NamedReaderOptions, Offset, Record,
    RecordId, StreamOptions,
};

use crate::support::{Fixture, SOON, texts, unique, wait_until};

fn from_shard(shard_id: u64) -> NamedReaderOptions {
    NamedReaderOptions::new().shard(shard_id)
}

/// Appends each as a batch of its own.
fn append(fixture: &Fixture, stream: &str, payloads: &[&str]) -> Vec<RecordId> {
    payloads
        .iter()
        .map(|payload| fixture.client.append_one(stream, &Record::raw(payload.to_string())).unwrap())
        .collect()
}

fn nobody_is_left(fixture: &Fixture) -> bool {
    fixture.client.list_readers().unwrap().is_empty()
}

#[test]
fn a_reader_goes_on_where_it_was_and_the_number_counts_batches() {
    let fixture = Fixture::new();
    let (stream, id) = (fixture.stream(1), unique("reader"));
    let three: Vec<_> = ["a", "b", "c"].iter().map(|text| Record::raw(*text)).collect();
    fixture.client.append(&stream, &three, Compression::none()).unwrap();
    append(&fixture, &stream, &["d", "e"]);
    let shard = fixture.client.create_reader(&stream, &id, NamedReaderOptions::new()).unwrap();
    assert_eq!(shard, fixture.client.shard_for_key(&stream, "").unwrap());
    assert_eq!(fixture.client.list_readers().unwrap(), std::slice::from_ref(&id));
    let read = |most| texts(&[fixture.client.read_reader(&id, most).unwrap()]);
    assert_eq!(read(1), ["a", "b", "c"]);
    assert_eq!(read(0), ["d", "e"]);
    assert!(fixture.client.read_reader(&id, 1).unwrap().is_empty());
    append(&fixture, &stream, &["f"]);
    let batch = fixture.client.read_reader(&id, 1).unwrap();
    let record = batch.iter().next().unwrap();
    assert_eq!((record.payload(), record.id().shard_id), (&b"f"[..], shard));
    assert!(record.publish_time().is_some());
    fixture.client.delete_reader(&id, DeleteOptions::new()).unwrap();
    assert!(nobody_is_left(&fixture));
}

#[test]
fn a_reader_is_of_one_shard_by_its_id_or_by_a_key() {
    let fixture = Fixture::new();
    let stream = fixture.stream(4);
    for key in ["a", "b", "c", "d", "e"] {
        fixture.client.append_one(&stream, &Record::raw(key).with_key(key)).unwrap();
    }
    let keys_of = |options: NamedReaderOptions| {
        let reader = fixture.client.named_reader(&stream, &unique("reader"), options).unwrap();
        let batch = reader.read(0).unwrap();
        assert!(batch.ids().all(|id| id.shard_id == reader.shard_id()));
        batch.iter().map(|record| record.key().to_owned()).collect::<Vec<_>>()
    };
    assert!(keys_of(NamedReaderOptions::new().key("c")).contains(&"c".to_owned()));
    let shards = fixture.client.list_shards(&stream).unwrap();
    let mut all: Vec<_> = shards.shards().iter().flat_map(|shard| keys_of(from_shard(shard.id()))).collect();
    all.sort_unstable();
    assert_eq!(all, ["a", "b", "c", "d", "e"]);
    assert!(nobody_is_left(&fixture), "dropped readers are deleted");
}

#[test]
fn a_reader_starts_where_it_is_told_to() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let records: Vec<_> = ["a", "b", "c"].iter().map(|text| Record::raw(*text)).collect();
    let ids = fixture.client.append(&stream, &records, Compression::none()).unwrap();
    let before = SystemTime::now();
    wait_until("the clock moves", || SystemTime::now() > before + Duration::from_millis(2));
    let later = SystemTime::now();
    // Times are in milliseconds, rounded down by the store and up by us.
    wait_until("the clock moves", || SystemTime::now() > later + Duration::from_millis(2));
    append(&fixture, &stream, &["d"]);
    let read = |start| {
        let options = NamedReaderOptions::new().start(start);
        let read = |reader: &hstreamdb::NamedReader| {
            append(&fixture, &stream, &["z"]);
            reader.read(0)
        };
        let batch = fixture.client.with_reader(&stream, &unique("reader"), options, read).unwrap();
        let mut texts = texts(&[batch]);
        texts.retain(|text| text != "z");
        texts
    };
    assert_eq!(read(Offset::Earliest), ["a", "b", "c", "d"]);
    assert!(read(Offset::Latest).is_empty());
    assert_eq!(read(Offset::Time(later)), ["d"]);
    assert_eq!(read(Offset::NearTime(SystemTime::UNIX_EPOCH)), ["a", "b", "c", "d"]);
    // The server gives the whole batch.
    assert_eq!(read(Offset::Record(ids[1])), ["b", "c", "d"]);
    let id = unique("reader");
    let options = NamedReaderOptions::new().start(Offset::Record(ids[1]));
    fixture.client.create_reader(&stream, &id, options).unwrap();
    assert_eq!(texts(&[fixture.client.read_reader(&id, 1).unwrap()]), ["a", "b", "c"]);
}

#[test]
fn a_read_waits_as_long_as_the_reader_may_and_no_call_cuts_that_short() {
    let fixture = Fixture::new();
    let (stream, id) = (fixture.stream(1), unique("reader"));
    let hasty = fixture.client.within(Duration::from_millis(100));
    let options = NamedReaderOptions::new().timeout(Duration::from_millis(400));
    let reader = hasty.named_reader(&stream, &id, options).unwrap();
    let begun = Instant::now();
    assert!(reader.read(1).unwrap().is_empty());
    assert!(begun.elapsed() >= Duration::from_millis(400));
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| reader.read(1).unwrap());
        append(&fixture, &stream, &["x"]);
        assert_eq!(texts(&[reading.join().unwrap()]), ["x"]);
    });
    let error = hasty.read_reader(&id, 1).unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error:?}");
}

#[test]
fn more_time_than_one_attempt_usually_has_is_no_loss() {
    let fixture = Fixture::new();
    let (stream, id) = (fixture.stream(1), unique("reader"));
    let options = NamedReaderOptions::new().timeout(Duration::from_millis(5500));
    let reader = fixture.client.named_reader(&stream, &id, options).unwrap();
    append(&fixture, &stream, &["x"]);
    assert_eq!(texts(&[reader.read(2).unwrap()]), ["x"]);
    assert_eq!(fixture.server.faults().calls("ReadShard"), 1);
}

#[test]
fn a_lost_answer_is_told_as_such_and_not_asked_for_again() {
    let fixture = Fixture::new();
    let (stream, id) = (fixture.stream(1), unique("reader"));
    append(&fixture, &stream, &["a", "b"]);
    let reader = fixture.client.named_reader(&stream, &id, NamedReaderOptions::new()).unwrap();
    let faults = fixture.server.faults();
    faults.next("ReadShard").refuse_after_applying(14, "the connection is lost");
    let error = reader.read(1).unwrap_err();
    assert!(error.is_ambiguous() && error.attempts() == 1, "{error:?}");
    assert_eq!(faults.calls("ReadShard"), 1);
    assert_eq!(texts(&[reader.read(1).unwrap()]), ["b"], "what was lost does not come again");
}

#[test]
fn what_was_not_sent_to_the_reader_or_not_to_its_owner_is_tried_again() {
    let fixture = Fixture::new();
    let (stream, id) = (fixture.stream(1), unique("reader"));
    append(&fixture, &stream, &["a"]);
    let reader = fixture.client.named_reader(&stream, &id, NamedReaderOptions::new()).unwrap();
    let faults = fixture.server.faults();
    faults.next("LookupShardReader").refuse(14, "not yet");
    faults.next("ReadShard").not_owner();
    assert_eq!(texts(&[reader.read(1).unwrap()]), ["a"]);
    assert_eq!((faults.calls("ReadShard"), faults.calls("LookupShardReader")), (2, 3));
    reader.read(1).unwrap();
    assert_eq!(faults.calls("LookupShardReader"), 3, "the owner is known");
}

#[test]
fn answers_that_are_too_large_are_lost_and_so_are_not_asked_for() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let large = Record::raw(vec![7; 1_000_000]);
    for _ in 0..4 {
        fixture.client.append_one(&stream, &large).unwrap();
    }
    let small = ClientConfig::new(fixture.server.url()).max_receive_bytes(3 << 20);
    let small = Client::connect(small).unwrap();
    let reader = small.named_reader(&stream, &unique("reader"), NamedReaderOptions::new()).unwrap();
    assert_eq!(reader.read(4).unwrap().len(), 2);
    assert_eq!(reader.read(4).unwrap().len(), 2);
    drop(reader);
    let tiny = ClientConfig::new(fixture.server.url()).max_receive_bytes(1000);
    let tiny = Client::connect(tiny).unwrap();
    let reader = tiny.named_reader(&stream, &unique("reader"), NamedReaderOptions::new()).unwrap();
    let error = reader.read(1).unwrap_err();
    assert!(error.is_ambiguous(), "{error:?}");
}

#[test]
fn readers_that_are_not_there_are_not_found_however_the_server_puts_it() {
    let fixture = Fixture::new();
    let (stream, id) = (fixture.stream(1), unique("reader"));
    let client = &fixture.client;
    let ignoring = || DeleteOptions::new().ignore_missing();
    let error = client.delete_reader(&id, DeleteOptions::new()).unwrap_err();
    assert!(error.is_not_found() && !error.is_ambiguous(), "{error:?}");
    client.delete_reader(&id, ignoring()).unwrap();
    for (status, text) in [
        (9, r#"{"error":0,"message":"EmptyShardReader","extra":"ShardReaderNotExists"}"#),
        (5, r#"{"error":0,"message":"LocalMetaStoreObjectNotFound","extra":null}"#),
    ] {
        fixture.server.faults().next("DeleteShardReader").times(2).refuse(status, text);
        assert!(client.delete_reader(&id, DeleteOptions::new()).unwrap_err().is_not_found());
        client.delete_reader(&id, ignoring()).unwrap();
    }
    let error = client.read_reader(&id, 1).unwrap_err();
    assert!(error.is_not_found() && !error.is_ambiguous(), "{error:?}");
    client.create_reader(&stream, &id, NamedReaderOptions::new()).unwrap();
    let error = client.create_reader(&stream, &id, NamedReaderOptions::new()).unwrap_err();
    assert!(error.is_already_exists(), "{error:?}");
    let error = client.create_reader(&stream, &unique("reader"), from_shard(7)).unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    let foreign = Offset::Record(RecordId::new(7, 1, 0));
    let options = NamedReaderOptions::new().start(foreign);
    let error = client.create_reader(&stream, &unique("reader"), options).unwrap_err();
    assert_eq!(error.server().unwrap().code(), Some(901));
    let options = NamedReaderOptions::new().timeout(Duration::MAX);
    let error = client.create_reader(&stream, &unique("reader"), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(client.list_readers().unwrap(), [id]);
}

#[test]
fn gaps_are_errors_of_the_servers_and_say_that_nothing_is_lost() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    append(&fixture, &stream, &["a"]);
    let reader = fixture.client.named_reader(&stream, &unique("reader"), NamedReaderOptions::new()).unwrap();
    for (status, code) in [(15, 903), (7, 904), (5, 905), (2, 906)] {
        let text = format!(r#"{{"error":{code},"message":"Gap","extra":"meet gap"}}"#);
        fixture.server.faults().next("ReadShard").refuse(status, &text);
        let error = reader.read(1).unwrap_err();
        assert_eq!(error.server().unwrap().code(), Some(code));
        assert!(!error.is_ambiguous() && error.attempts() == 1, "{error:?}");
    }
    assert_eq!(texts(&[reader.read(1).unwrap()]), ["a"]);
    fixture.client.delete_stream(&stream, DeleteOptions::new()).unwrap();
    assert_eq!(reader.read(1).unwrap_err().server().unwrap().code(), Some(905));
    assert!(reader.read(1).unwrap().is_empty());
}

#[test]
fn a_reader_is_deleted_when_it_is_closed_dropped_or_left_by_an_error_or_a_panic() {
    let fixture = Fixture::new();
    let (stream, id) = (fixture.stream(1), unique("reader"));
    let options = NamedReaderOptions::new;
    let reader = fixture.client.named_reader(&stream, &id, options()).unwrap();
    fixture.server.faults().next("DeleteShardReader").refuse(13, "on purpose");
    reader.close().unwrap_err();
    assert!(!nobody_is_left(&fixture));
    reader.close().unwrap();
    reader.close().unwrap();
    assert!(reader.read(1).unwrap_err().is_closed());
    assert!(nobody_is_left(&fixture));
    drop(reader);
    drop(fixture.client.named_reader(&stream, &id, options()).unwrap());
    assert!(nobody_is_left(&fixture));
    let outcome = fixture.client.with_reader(&stream, &id, options(), |reader| {
        assert_eq!(reader.id(), id);
        fixture.client.get_stream("nothing").map(drop)
    });
    assert!(outcome.unwrap_err().is_not_found() && nobody_is_left(&fixture));
    let panicking = AssertUnwindSafe(|| {
        fixture
            .client
            .with_reader(&stream, &id, options(), |_| -> hstreamdb::Result<()> { panic!("on purpose") })
    });
    let panicked = std::panic::catch_unwind(panicking);
    assert!(panicked.is_err() && nobody_is_left(&fixture));
}

#[test]
fn reads_go_to_the_readers_node_and_begin_again_on_the_next_when_it_dies() {
    let options = DevServerOptions::new().nodes(3).failure_detection(Duration::from_millis(100));
    let fixture = Fixture::with(options);
    let stream = fixture.stream(1);
    append(&fixture, &stream, &["a", "b", "c"]);
    let readers: Vec<_> = (0..6)
        .map(|_| {
            let id = unique("reader");
            fixture.client.named_reader(&stream, &id, NamedReaderOptions::new()).unwrap()
        })
        .collect();
    for text in ["a", "b"] {
        for reader in &readers {
            assert_eq!(texts(&[reader.read(1).unwrap()]), [text]);
        }
    }
    let node_of = |id: &str| fixture.client.lookup_reader(id).unwrap().id();
    let before: Vec<_> = readers.iter().map(|reader| node_of(reader.id())).collect();
    let victim = before[0];
    fixture.server.kill_node(victim as usize - 1).unwrap();
    for (reader, node) in readers.iter().zip(before) {
        let client = fixture.client.within(SOON);
        let read = || loop {
            match client.read_reader(reader.id(), 1) {
                Ok(batch) => break batch,
                // The connection broke, which is all that is known.
                Err(error) => assert!(error.is_ambiguous() || error.is_retryable(), "{error:?}"),
            }
        };
        let expected = if node == victim { "a" } else { "c" };
        assert_eq!(texts(&[read()]), [expected]);
        assert!(node != victim || node_of(reader.id()) != victim);
        reader.close().unwrap();
    }
}

#[test]
fn old_servers_have_named_readers() {
    for version in ["0.15.0", "0.16.0"] {
        let fixture = Fixture::with(DevServerOptions::new().version(version));
        fixture.client.create_stream("s", StreamOptions::new()).unwrap();
        append(&fixture, "s", &["a"]);
        let read = |reader: &hstreamdb::NamedReader| reader.read(1);
        let batch = fixture.client.with_reader("s", "r", NamedReaderOptions::new(), read).unwrap();
        assert_eq!(texts(&[batch]), ["a"], "{version}");
    }
}
