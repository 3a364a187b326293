//! Appending without a producer.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hstreamdb::{
    Client, ClientConfig, Compression, DeleteOptions, ErrorKind, HRecord, Record, StreamOptions,
};

use crate::support::{Fixture, SOON, receive};

fn numbered(count: usize) -> Vec<Record> {
    (0..count).map(|number| Record::raw(number.to_string()).with_key(format!("key-{}", number % 7))).collect()
}

#[test]
fn ids_come_in_the_order_of_the_records_whatever_their_shards() {
    let fixture = Fixture::new();
    let stream = fixture.stream(4);
    let records = numbered(50);
    let ids = fixture.client.append(&stream, &records, Compression::none()).unwrap();
    let shards = fixture.client.list_shards(&stream).unwrap();
    for (record, id) in records.iter().zip(&ids) {
        assert_eq!(shards.for_key(record.key()).unwrap().id(), id.shard_id);
    }
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, Default::default()).unwrap();
    for record in receive(&consumer, 50).iter().flat_map(|batch| batch.iter()) {
        let number: usize = std::str::from_utf8(record.payload()).unwrap().parse().unwrap();
        assert_eq!(ids[number], record.id());
    }
}

#[test]
fn every_compression_and_kind_of_record_comes_back_as_it_went() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let mut records = vec![
        Record::raw(""),
        Record::raw(vec![0, 255, 0])
            .with_key("你好")
            .with_attribute("origin", "test")
            .with_attribute("ü", ""),
        Record::hrecord(HRecord::new()).unwrap(),
        Record::json(r#"{"a":[1,{"b":null}],"c":"x"}"#).unwrap().with_key("k"),
    ];
    records.extend((0..100).map(|_| Record::raw("the same again and again")));
    let mut compressions = vec![Compression::none(), Compression::gzip(), Compression::gzip().with_level(9)];
    if cfg!(feature = "zstd") {
        compressions.extend([Compression::zstd(), Compression::zstd().with_level(1)]);
    }
    for compression in &compressions {
        fixture.client.append(&stream, &records, *compression).unwrap();
    }
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, Default::default()).unwrap();
    let batches = receive(&consumer, records.len() * compressions.len());
    let received: Vec<Record> =
        batches.iter().flat_map(|batch| batch.iter()).map(|record| record.to_record().unwrap()).collect();
    for chunk in received.chunks(records.len()) {
        assert_eq!(chunk, records);
    }
    assert!(batches[0].iter().all(|record| record.publish_time().is_some()));
}

#[test]
fn a_record_passes_up_to_the_servers_limit_and_no_further() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let sized = |len| Record::raw(vec![7; len]);
    // The largest payload without a key: 1,048,576 less what its record and its batch add.
    let largest =
        (1_048_576 - 100..).take_while(|len| sized(*len).encoded_len() + 6 <= 1_048_576).last().unwrap();
    fixture.client.append_one(&stream, &sized(largest)).unwrap();
    let error = fixture.client.append_one(&stream, &sized(largest + 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordTooLarge);
    assert!(error.to_string().contains(&stream), "{error}");
}

#[test]
fn many_large_records_go_in_batches_that_the_server_takes() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let records: Vec<_> = (0..7).map(|number: u8| Record::raw(vec![number; 400_000])).collect();
    let ids = fixture.client.append(&stream, &records, Compression::none()).unwrap();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(ids.iter().map(|id| id.batch_id).collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[test]
fn a_batch_to_a_shard_of_choice_is_all_or_nothing() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let shard = fixture.client.list_shards(&stream).unwrap().shards()[1].id();
    let records = numbered(3);
    let ids = fixture.client.append_to_shard(&stream, shard, &records, Compression::none()).unwrap();
    assert!(ids.iter().enumerate().all(|(index, id)| (id.shard_id, id.batch_index) == (shard, index as u32)));
    let too_much = vec![Record::raw(vec![0; 600_000]); 2];
    let error = fixture.client.append_to_shard(&stream, shard, &too_much, Compression::none()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordTooLarge);
}

#[test]
fn unavailable_is_tried_again_also_after_the_write() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.server.faults().next("Append").refuse(14, "server is unavailable");
    fixture.client.append_one(&stream, &Record::raw("a")).unwrap();
    fixture.server.faults().next("Append").refuse_after_applying(14, "request or connection timed out");
    fixture.client.append_one(&stream, &Record::raw("b")).unwrap();
    assert_eq!(fixture.content(&stream, 3), ["a", "b", "b"], "rather twice than not at all");
}

#[test]
fn a_missing_stream_is_told_at_once_although_the_server_says_unavailable() {
    let fixture = Fixture::new();
    let started = Instant::now();
    let error = fixture.client.append_one("missing", &Record::raw("a")).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("missing"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_stream_deleted_under_the_client_is_told_by_name() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.client.append_one(&stream, &Record::raw("a")).unwrap();
    // By another client, so that this one still knows its shards.
    let other = hstreamdb::Client::connect(fixture.server.url()).unwrap();
    other.delete_stream(&stream, DeleteOptions::new()).unwrap();
    let error = fixture.client.append_one(&stream, &Record::raw("b")).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains(&stream), "{error}");
    other.create_stream(&stream, StreamOptions::new()).unwrap();
    fixture.client.append_one(&stream, &Record::raw("c")).unwrap();
    assert_eq!(fixture.content(&stream, 1), ["c"]);
}

#[test]
fn a_stream_created_anew_is_told_from_the_old_one() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.client.append_one(&stream, &Record::raw("a")).unwrap();
    let other = hstreamdb::Client::connect(fixture.server.url()).unwrap();
    other.delete_stream(&stream, DeleteOptions::new()).unwrap();
    other.create_stream(&stream, StreamOptions::new()).unwrap();
    let error = fixture.client.append_one(&stream, &Record::raw("b")).unwrap_err();
    assert!(error.to_string().contains("created anew"), "{error}");
    fixture.client.append_one(&stream, &Record::raw("c")).unwrap();
    assert_eq!(fixture.content(&stream, 1), ["c"]);
}

#[test]
fn an_append_that_is_never_answered_ends_in_time_and_says_that_it_may_be_written() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.client.append_one(&stream, &Record::raw("a")).unwrap();
    fixture.server.faults().next("Append").times(100).never_answer();
    let started = Instant::now();
    let quick = fixture.client.within(Duration::from_millis(300));
    let error = quick.append_one(&stream, &Record::raw("b")).unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error:?}");
    assert!(started.elapsed() < SOON / 2);
}

#[test]
fn single_appends_are_compressed_as_the_client_says() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let mut record = Record::raw(vec![b'x'; 500_000]);
    record.set_key("key");
    let sent_with = |compression: Compression| {
        let address = fixture.server.url().trim_start_matches("hstream://").to_owned();
        let relay = Relay::start(&address);
        let config = ClientConfig::new(fixture.server.url())
            .map_address(address, relay.address.to_string())
            .append_compression(compression);
        let client = Client::connect(config).unwrap();
        client.append_one(&stream, &record).unwrap();
        client.close(SOON).unwrap();
        relay.sent.load(Ordering::SeqCst)
    };
    assert!(sent_with(Compression::none()) > 500_000);
    assert!(sent_with(Compression::gzip()) < 50_000);
    assert!(fixture.content(&stream, 2).iter().all(|text| text.as_bytes() == record.payload()));
}

/// Counts the bytes that go to a server. Its threads end with the connections.
struct Relay {
    address: SocketAddr,
    sent: Arc<AtomicUsize>,
}

impl Relay {
    fn start(server: &str) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, sent) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let (server, counter) = (server.to_owned(), sent.clone());
        std::thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(server).unwrap();
            let answers = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut &answers.0, &mut &answers.1));
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = (&client).read(&mut buffer) {
                counter.fetch_add(read, Ordering::SeqCst);
                (&server).write_all(&buffer[..read]).unwrap();
            }
            let _ = server.shutdown(Shutdown::Both);
        });
        Relay { address, sent }
    }
}
