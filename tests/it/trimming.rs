//! Trimming, and what is left for readers.

use std::time::{Duration, SystemTime};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{Client, Compression, ErrorKind, NamedReaderOptions, Offset, Record, RecordId};

use crate::support::{Fixture, texts, unique, wait_until};

/// A stream of one shard with four batches of two records.
fn filled(fixture: &Fixture) -> (String, Vec<RecordId>) {
    let stream = fixture.stream(1);
    let ids = (0..4).flat_map(|number| {
        let records = [format!("{number}a"), format!("{number}b")].map(Record::raw);
        fixture.client.append(&stream, &records, Compression::none()).unwrap()
    });
    let ids = ids.collect();
    (stream, ids)
}

/// What is left in the stream's one shard.
fn left(client: &Client, stream: &str) -> Vec<String> {
    let options = NamedReaderOptions::new();
    texts(&[client.with_reader(stream, &unique("reader"), options, |reader| reader.read(0)).unwrap()])
}

#[test]
fn a_shard_is_trimmed_up_to_an_offset_and_with_the_batch_that_is_there() {
    let fixture = Fixture::new();
    let (stream, ids) = filled(&fixture);
    let (client, shard) = (&fixture.client, ids[0].shard_id);
    client.trim_shard(&stream, shard, Offset::Earliest).unwrap();
    assert_eq!(left(client, &stream).len(), 8);
    // The first record of the second batch takes both with it.
    client.trim_shard(&stream, shard, Offset::Record(ids[2])).unwrap();
    client.trim_shard(&stream, shard, Offset::Record(ids[2])).unwrap();
    assert_eq!(left(client, &stream), ["2a", "2b", "3a", "3b"]);
    client.trim_shard(&stream, shard, Offset::Latest).unwrap();
    assert!(left(client, &stream).is_empty());
    client.append_one(&stream, &Record::raw("new")).unwrap();
    assert_eq!(left(client, &stream), ["new"]);
}

#[test]
fn a_stream_is_trimmed_in_all_shards() {
    let fixture = Fixture::new();
    let stream = fixture.stream(3);
    let client = &fixture.client;
    for key in 0..20 {
        client.append_one(&stream, &Record::raw("old").with_key(key.to_string())).unwrap();
    }
    client.trim_stream(&stream, Offset::Earliest).unwrap();
    assert_eq!(fixture.content(&stream, 20).len(), 20);
    client.trim_stream(&stream, Offset::Latest).unwrap();
    client.append_one(&stream, &Record::raw("new")).unwrap();
    assert_eq!(fixture.content(&stream, 1), ["new"]);
}

#[test]
fn a_time_takes_the_first_batch_that_is_as_late_with_it() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let client = &fixture.client;
    let append = |text: &str| client.append_one(&stream, &Record::raw(text.to_owned())).unwrap();
    append("a");
    let stored = SystemTime::now();
    wait_until("the clock moves", || SystemTime::now() > stored + Duration::from_millis(2));
    let between = SystemTime::now();
    append("b");
    append("c");
    client.trim_stream(&stream, Offset::Time(between)).unwrap();
    assert_eq!(left(client, &stream), ["c"]);
    let beyond = SystemTime::now() + Duration::from_secs(3600);
    let error = client.trim_stream(&stream, Offset::Time(beyond)).unwrap_err();
    assert_eq!(error.category(), hstreamdb::Category::Caller, "{error:?}");
}

#[test]
fn shards_are_trimmed_before_the_smallest_id_of_each() {
    let fixture = Fixture::new();
    let (stream, ids) = filled(&fixture);
    let (client, shard) = (&fixture.client, ids[0].shard_id);
    assert!(client.trim_shards(&stream, &[]).unwrap().is_empty());
    let earliest = RecordId::new(shard, 0, 0);
    assert!(client.trim_shards(&stream, &[earliest]).unwrap().is_empty());
    let points = client.trim_shards(&stream, &[ids[6], ids[3], ids[5]]).unwrap();
    assert_eq!(points.into_iter().collect::<Vec<_>>(), [(shard, ids[3])]);
    assert_eq!(left(client, &stream), ["1a", "1b", "2a", "2b", "3a", "3b"]);
}

#[test]
fn what_can_not_be_trimmed_is_told() {
    let fixture = Fixture::new();
    let (stream, ids) = filled(&fixture);
    let (client, shard) = (&fixture.client, ids[0].shard_id);
    assert!(client.trim_stream("nothing", Offset::Latest).unwrap_err().is_not_found());
    assert!(client.trim_shards("nothing", &ids).unwrap_err().is_not_found());
    assert!(client.trim_shard(&stream, 7, Offset::Latest).unwrap_err().is_not_found());
    let foreign = RecordId::new(7, 7, 0);
    let error = client.trim_shards(&stream, &[foreign]).unwrap_err();
    assert_eq!(error.server().unwrap().code(), Some(210));
    let beyond = RecordId::new(shard, u64::MAX, 0);
    assert_eq!(client.trim_shards(&stream, &[beyond]).unwrap_err().server().unwrap().code(), Some(209));
    for error in [
        client.trim_stream(&stream, Offset::Record(ids[0])).unwrap_err(),
        client.trim_shard(&stream, shard, Offset::Record(foreign)).unwrap_err(),
        client.trim_stream("", Offset::Latest).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error:?}");
    }
    assert_eq!(left(client, &stream).len(), 8);
}

#[test]
fn a_reader_goes_on_behind_what_was_trimmed_away_under_it() {
    let fixture = Fixture::new();
    let (stream, ids) = filled(&fixture);
    let client = &fixture.client;
    let options = NamedReaderOptions::new().start(Offset::Record(ids[1]));
    let reader = client.named_reader(&stream, &unique("reader"), options).unwrap();
    assert_eq!(texts(&[reader.read(1).unwrap()]), ["0b"]);
    client.trim_shard(&stream, ids[0].shard_id, Offset::Record(ids[5])).unwrap();
    assert_eq!(texts(&[reader.read(0).unwrap()]), ["3a", "3b"]);
}

#[test]
fn trims_that_a_server_is_too_old_for_name_the_version_they_need() {
    for (version, needed) in [("0.15.0", "0.16.1"), ("0.16.0", "0.16.1")] {
        let fixture = Fixture::with(DevServerOptions::new().version(version));
        let (stream, ids) = filled(&fixture);
        for (error, needed) in [
            (fixture.client.trim_stream(&stream, Offset::Latest).unwrap_err(), needed),
            (fixture.client.trim_shard(&stream, ids[0].shard_id, Offset::Latest).unwrap_err(), needed),
            (fixture.client.trim_shards(&stream, &ids).unwrap_err(), "0.17.0"),
        ] {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            let text = error.to_string();
            assert!(text.contains(needed) && text.contains(version), "{text}");
        }
    }
}
