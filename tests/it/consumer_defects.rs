//! What is broken in other clients' consumers and readers, and where it is tested that it is not here:
//!
//! | class | tests |
//! | --- | --- |
//! | order within a shard | `consumer_properties`; `reading::a_stream_is_read_to_its_end_in_the_order_of_its_shards`; `scenarios::ten_thousand_records_are_read_while_two_of_five_nodes_die` |
//! | stale node cache | `a_subscription_that_moves_is_followed`; `scenarios::ten_thousand_records_are_consumed_while_two_of_five_nodes_die`; `scenarios::a_subscription_created_anew_is_not_taken_for_the_old_one`; `scenarios::a_stream_deleted_under_a_reader_is_told_and_is_no_end` |
//! | seeds forgotten | `a_consumer_and_a_reader_go_on_when_all_nodes_are_replaced`; `every_call_ends::all_nodes_may_be_replaced_at_other_addresses_while_the_name_of_the_seed_stays` |
//! | acks lost on close or reconnect | `consumer::acked_records_do_not_come_again_after_close_and_restart`; `consumer::acks_survive_a_lost_connection`; `consumer::a_close_succeeds_whatever_status_a_server_sends_for_it_and_not_with_those_of_failures`; `consumer_properties`; in C, `tests/c/consumer.c` |
//! | ack timer broken | `one_ack_arrives_within_its_age`; that an idle consumer takes no time, `tests/lifecycle.rs` |
//! | consumer dead but "running" | `a_fetch_that_ends_with_whatever_status_goes_on_or_says_why`; `a_connection_that_dies_without_a_status_is_made_again`; `scenarios::an_idle_consumer_that_the_server_has_not_missed_waits_for_its_name`; `scenarios::acks_that_the_server_waits_for_reach_it_although_it_has_not_missed_a_consumer_of_a_generated_name` |
//! | one bad batch stops all | `consumer::a_bad_batch_comes_with_its_ids_and_can_be_skipped`; `consumer_state::a_batch_that_cannot_be_read_is_told_of_and_handed_out_as_the_policy_says`; `readers_hand_out_bad_batches_with_their_ids_and_go_on` |
//! | empty payload or `{}` lost | `empty_records_come_back_whoever_reads_them` |
//! | compression across clients | `wire` |
//! | partial resends | `consumer::unacked_records_come_again_and_only_those`; `scenarios::a_json_batch_is_sent_again_in_part_whatever_its_compression` |
//! | no deadline, cannot cancel | `waiting`; `every_call_ends`; `consumer::a_consumer_closes_in_time_when_its_server_is_gone` |
//! | process-wide state | `options_of_one_consumer_never_show_in_another` |
//! | panic from inside the library | `whatever_a_server_delivers_nothing_panics_and_all_goes_on` |
//! | unbounded queues | `a_slow_callback_bounds_what_is_received`; `a_fetch_that_nobody_polls_survives_60_000_small_messages`; in memory, `tests/memory.rs` |
//! | blocking on response headers | `without_response_headers_acks_go_and_closing_is_quick` |

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    BadBatch, Batch, Client, Compression, Consumer, ConsumerConfig, ConsumerState, ErrorKind, HRecord, Next,
    Offset, Read, ReaderConfig, Record, RecordId, RecordKind, WaitingFor,
};
use prost::Message;

use crate::support::{Fixture, SOON, ids, receive, texts, wait_until};

fn quick() -> ConsumerConfig {
    ConsumerConfig::new().reconnect(Duration::from_millis(5), Duration::from_millis(50))
}

fn append(fixture: &Fixture, stream: &str, texts: &[&str]) -> Vec<RecordId> {
    let records: Vec<_> = texts.iter().map(|text| Record::raw(text.to_string())).collect();
    fixture.client.append(stream, &records, Compression::none()).unwrap()
}

/// A batch id as servers have them.
const FIRST: u64 = 8_589_934_592;

/// A started consumer that the server knows.
fn known(fixture: &Fixture, subscription: &str, config: ConsumerConfig) -> Consumer {
    let consumer = fixture.client.consumer(subscription, config).unwrap();
    consumer.start().unwrap();
    wait_until("it is known", || !fixture.client.list_consumers(subscription).unwrap().is_empty());
    consumer
}

#[test]
fn a_subscription_that_moves_is_followed() {
    let fixture = Fixture::with(DevServerOptions::new().nodes(3));
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let move_to = |node: usize| {
        fixture.server.set("move", &format!("subscription {subscription} {node}")).unwrap();
    };
    move_to(0);
    let consumer = known(&fixture, &subscription, quick());
    // Never back: a node that had it once goes on where it was.
    for node in [1, 2] {
        move_to(node);
        // The old node goes on as if it had it still, until the connection is lost.
        fixture.server.faults().cut_consumers(&subscription, 14, "moved");
        let id = append(&fixture, &stream, &["x"])[0];
        let received = receive(&consumer, 1);
        assert_eq!(received[0].ids().next(), Some(id));
        consumer.ack_batch(&received[0]).unwrap();
        consumer.flush_acks(SOON).unwrap();
        let checkpoint = [(id.shard_id, id.batch_id)];
        // The node that has it now is the one that took the ack.
        wait_until("it is acked", || {
            fixture.client.get_subscription(&subscription).unwrap().checkpoints() == checkpoint
        });
    }
}

#[test]
fn a_consumer_and_a_reader_go_on_when_all_nodes_are_replaced() {
    let options = DevServerOptions::new().failure_detection(Duration::from_millis(50));
    let fixture = Fixture::with(options);
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let consumer = known(&fixture, &subscription, quick());
    let config = ReaderConfig::new().reopen(Duration::from_millis(5), Duration::from_millis(50));
    let reader = fixture.client.read_stream(&stream, config).unwrap();
    fixture.server.add_node().unwrap();
    fixture.client.refresh().unwrap();
    // The seed goes, and the one that took its place goes when the seed is back.
    for (dead, back) in [(0, None), (1, Some(0))] {
        if let Some(node) = back {
            fixture.server.restart_node(node).unwrap();
        }
        fixture.server.kill_node(dead).unwrap();
        let id = append(&fixture, &stream, &["x"])[0];
        let received = receive(&consumer, 1);
        assert_eq!(received[0].ids().next(), Some(id));
        consumer.ack_batch(&received[0]).unwrap();
        consumer.flush_acks(SOON).unwrap();
        let Read::Records(batch) = reader.read(10, SOON).unwrap() else { panic!("nothing is read") };
        assert_eq!(batch.ids().collect::<Vec<_>>(), [id]);
        wait_until("it is acked", || {
            let checkpoint = [(id.shard_id, id.batch_id)];
            fixture.client.get_subscription(&subscription).unwrap().checkpoints() == checkpoint
        });
    }
}

#[test]
fn one_ack_arrives_within_its_age() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let id = append(&fixture, &stream, &["x"])[0];
    let age = Duration::from_millis(300);
    let consumer = known(&fixture, &subscription, quick().ack_batch(100, age));
    let batch = receive(&consumer, 1);
    let acked = Instant::now();
    consumer.ack_batch(&batch[0]).unwrap();
    wait_until("it arrives", || {
        let checkpoint = [(id.shard_id, id.batch_id)];
        fixture.client.get_subscription(&subscription).unwrap().checkpoints() == checkpoint
    });
    assert!(acked.elapsed() >= age, "after {:?}: not by its age", acked.elapsed());
    assert!(acked.elapsed() < age + SOON / 3, "after {:?}", acked.elapsed());
}

#[test]
fn a_fetch_that_ends_with_whatever_status_goes_on_or_says_why() {
    // Of statuses that would come again; the others may pass.
    const FINAL: [i32; 7] = [3, 5, 7, 8, 9, 12, 16];
    // What ends with OUT_OF_RANGE the embedded server takes for a message that is too large, and says 8.
    for status in (0..=17).filter(|status| *status != 11) {
        let fixture = Fixture::new();
        let stream = fixture.stream(1);
        let subscription = fixture.subscription(&stream);
        let consumer = known(&fixture, &subscription, quick());
        assert_eq!(fixture.server.faults().cut_consumers(&subscription, status, "as ordered"), 1);
        append(&fixture, &stream, &["after"]);
        match consumer.poll(1, SOON) {
            Ok(batch) => {
                let batch = batch.unwrap_or_else(|| panic!("{status}: it is dead and says nothing"));
                assert!(texts(&[batch]) == ["after"] && !FINAL.contains(&status), "{status}");
                assert_eq!(consumer.state(), ConsumerState::Running);
            }
            Err(error) => {
                assert!(FINAL.contains(&status) && error.to_string().contains("as ordered"), "{error}");
                assert_eq!(consumer.state(), ConsumerState::Failed);
            }
        }
        consumer.close(SOON).unwrap();
    }
}

#[test]
fn a_connection_that_dies_without_a_status_is_made_again() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let consumer = known(&fixture, &subscription, quick());
    for number in ["0", "1", "2"] {
        wait_until("it is cut", || fixture.server.faults().break_connections(&subscription) == 1);
        append(&fixture, &stream, &[number]);
        assert_eq!(texts(&receive(&consumer, 1)), [number]);
    }
}

#[allow(unreachable_pub, missing_docs, dead_code, clippy::all)]
mod proto {
    tonic::include_proto!("hstream.server");
}

/// `BatchHStreamRecords`, with whatever as records.
#[derive(Clone, PartialEq, Message)]
struct Records {
    #[prost(bytes = "vec", repeated, tag = "1")]
    records: Vec<Vec<u8>>,
}

/// Appends batches as they are, which no client of ours would.
fn append_as_is(fixture: &Fixture, stream: &str, batches: &[(i32, u32, Vec<u8>)]) -> Vec<RecordId> {
    let shard_id = fixture.client.list_shards(stream).unwrap().shards()[0].id();
    let url = fixture.server.node_urls()[0].replace("hstream://", "http://");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = tonic::transport::Endpoint::from_shared(url).unwrap().connect().await.unwrap();
        let mut client = proto::h_stream_api_client::HStreamApiClient::new(channel);
        let mut ids = Vec::new();
        for (compression_type, batch_size, payload) in batches.iter().cloned() {
            let batch = proto::BatchedRecord {
                compression_type,
                batch_size,
                payload: payload.into(),
                publish_time: None,
            };
            let stream_name = stream.to_owned();
            let request = proto::AppendRequest { stream_name, shard_id, records: Some(batch) };
            let answer = client.append(request).await.unwrap().into_inner();
            let id = |id: proto::RecordId| RecordId::new(id.shard_id, id.batch_id, id.batch_index);
            ids.extend(answer.record_ids.into_iter().map(id));
        }
        ids
    })
}

/// Batches that can't be read: no protobuf, no gzip, a compression that there is not, too few records, too many, and
/// records without a header or with a flag that nobody knows.
fn bad_batches() -> Vec<(i32, u32, Vec<u8>)> {
    let record = |flag: Option<i32>| {
        let header = flag.map(|flag| proto::HStreamRecordHeader { flag, ..Default::default() });
        proto::HStreamRecord { header, payload: b"x".to_vec().into() }.encode_to_vec()
    };
    let of = |records| Records { records }.encode_to_vec();
    vec![
        (0, 1, b"\xff\xff\xff".to_vec()),
        (1, 2, b"no gzip".to_vec()),
        (9, 1, of(vec![record(Some(1))])),
        (0, 3, of(vec![record(Some(1))])),
        (0, 1, of(vec![record(Some(1)), record(Some(1))])),
        (0, 1, of(vec![record(Some(77))])),
        (0, 1, of(vec![b"\xff".to_vec()])),
    ]
}

#[test]
fn readers_hand_out_bad_batches_with_their_ids_and_go_on() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let first = append(&fixture, &stream, &["first"])[0];
    let bad = append_as_is(&fixture, &stream, &bad_batches());
    let last = append(&fixture, &stream, &["last"])[0];
    let expected: Vec<_> = [first].into_iter().chain(bad.iter().copied()).chain([last]).collect();
    let config = ReaderConfig::new().until(Offset::Latest);
    let reader = fixture.client.read_single_shard(&stream, config).unwrap();
    let read: Vec<Batch> = reader.batches(SOON).map(Result::unwrap).collect();
    let consumer = known(&fixture, &fixture.subscription(&stream), quick());
    for batches in [read, receive(&consumer, expected.len())] {
        let records: Vec<_> = batches.iter().flat_map(Batch::iter).collect();
        assert_eq!(records.iter().map(|record| record.id()).collect::<Vec<_>>(), expected);
        for record in &records[1..records.len() - 1] {
            let error = record.error().unwrap_or_else(|| panic!("{record:?} is good"));
            assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Compression), "{error}");
        }
        assert_eq!(
            (records[0].payload(), records[records.len() - 1].payload()),
            (&b"first"[..], &b"last"[..])
        );
    }
}

#[test]
fn empty_records_come_back_whoever_reads_them() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let records = [Record::raw(""), Record::hrecord(HRecord::new()).unwrap(), Record::raw("").with_key("k")];
    for compression in [Compression::none(), Compression::gzip()] {
        fixture.client.append(&stream, &records, compression).unwrap();
    }
    let consumer = known(&fixture, &subscription, quick());
    let config = ReaderConfig::new().until(Offset::Latest);
    let reader = fixture.client.read_single_shard(&stream, config).unwrap();
    let read: Vec<Batch> = reader.batches(SOON).map(Result::unwrap).collect();
    for batches in [receive(&consumer, 6), read] {
        let came: Vec<Record> =
            batches.iter().flat_map(Batch::iter).map(|record| record.to_record().unwrap()).collect();
        assert!(came == [&records[..], &records[..]].concat(), "{came:?}");
        assert!(came[1].kind() == RecordKind::Json && came[1].to_hrecord().unwrap().is_empty());
    }
    let of_key = fixture.client.read_key(&stream, "k", ReaderConfig::new()).unwrap();
    assert_eq!(of_key.batches(SOON).map(|batch| batch.unwrap().len()).sum::<usize>(), 2);
}

#[test]
fn options_of_one_consumer_never_show_in_another() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let texts = ["a"; 20];
    append(&fixture, &stream, &texts);
    let special = quick()
        .name("special")
        .ack_batch(1, Duration::ZERO)
        .prefetch(1, 1)
        .max_batch_bytes(1)
        .callback_records(1)
        .auto_ack(true)
        .bad_batch(BadBatch::Fail);
    let special = fixture.client.consumer(&fixture.subscription(&stream), special).unwrap();
    let subscription = fixture.subscription(&stream);
    let plain = fixture.client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    // The one finds its batches too large, and fails.
    assert!(special.poll(20, SOON).is_err());
    assert_eq!(special.state(), ConsumerState::Failed);
    let received = receive(&plain, 20);
    assert!(received.iter().flat_map(Batch::iter).all(|record| record.error().is_none()));
    plain.poll(1, Duration::ZERO).unwrap();
    assert_eq!((plain.pending_acks(), plain.unacked_records()), (0, 20));
    assert_ne!(plain.name(), "special");
    plain.close(SOON).unwrap();
    // Nothing was acked on the way.
    fixture.server.restart_subscriptions();
    let again = fixture.client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    assert_eq!(ids(&receive(&again, 20)).len(), 20);
}

#[test]
fn whatever_a_server_delivers_nothing_panics_and_all_goes_on() {
    let seed = std::env::var("CONSUMER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64);
    println!("CONSUMER_SEED={seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let consumer = known(&fixture, &subscription, quick().bad_batch(BadBatch::Raw));
    let shard = fixture.client.list_shards(&stream).unwrap().shards()[0].id();
    let numbers = [0, 1, 2, u64::from(u32::MAX), u64::MAX];
    let good = Records { records: vec![Vec::new(); 3] }.encode_to_vec();
    for _ in 0..500 {
        let count = chance.usize(1..6);
        let mut number = || numbers[chance.usize(..numbers.len())];
        // Shards that it is not of come too: then the ids must not be acked.
        let ids: Vec<_> = (0..count).map(|_| RecordId::new(number(), number(), number() as u32)).collect();
        let mut payload = if chance.bool() { good.clone() } else { vec![0; chance.usize(..40)] };
        for _ in 0..chance.usize(..4) {
            if let Some(at) = payload.len().checked_sub(1) {
                payload[chance.usize(..=at)] = chance.u8(..);
            }
        }
        wait_until("there is room", || {
            fixture.server.faults().deliver(&subscription, &ids, chance.i32(-1..4), &payload) == 1
        });
        let batch = consumer.poll(usize::MAX, SOON).unwrap().unwrap();
        for record in batch.iter() {
            let _ = (record.error(), record.key(), record.payload(), record.attributes().count());
            let _ = (record.to_record(), record.to_hrecord(), record.raw_batch(), format!("{record:?}"));
        }
        assert!(batch.ids().eq(ids));
    }
    let id = append(&fixture, &stream, &["good"])[0];
    let received = receive(&consumer, 1);
    assert_eq!((texts(&received), id.shard_id), (vec!["good".to_owned()], shard));
    consumer.ack(&[id]).unwrap();
    consumer.close(SOON).unwrap();
}

#[test]
fn a_slow_callback_bounds_what_is_received() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let record = Record::raw(vec![b'x'; 100_000]);
    let all: Vec<_> = (0..100).map(|_| fixture.client.append_one(&stream, &record).unwrap()).collect();
    const MOST: u64 = 1_000_000;
    let config = quick().prefetch(100_000, MOST as usize).callback_records(1);
    let consumer = fixture.client.consumer(&subscription, config).unwrap();
    let (go, gone) = mpsc::channel::<()>();
    let (sender, came) = mpsc::channel();
    consumer
        .start_with(move |consumer, batch| {
            let _ = gone.recv();
            consumer.ack_batch(batch).unwrap();
            batch.ids().for_each(|id| sender.send(id).unwrap());
            Next::Processed
        })
        .unwrap();
    wait_until("it is full", || consumer.waiting_for() == WaitingFor::Buffer);
    let received = || fixture.client.metrics().consumers.iter().map(|of| of.bytes).sum::<u64>();
    // Those in the buffer, one in the callback, and one that went over the bound.
    let most = MOST + 2 * 101_000;
    for _ in 0..50 {
        assert!(received() <= most, "{} bytes were received", received());
        thread::sleep(Duration::from_millis(2));
    }
    drop(go);
    let came: Vec<_> = (0..100).map(|_| came.recv_timeout(SOON).unwrap()).collect();
    assert_eq!(came, all);
    consumer.close(SOON).unwrap();
}

#[test]
fn a_fetch_that_nobody_polls_survives_60_000_small_messages() {
    const COUNT: usize = 60_000;
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let consumer = known(&fixture, &subscription, quick().prefetch(100, 1 << 20));
    let shard = fixture.client.list_shards(&stream).unwrap().shards()[0].id();
    let all: Vec<_> = (1..=COUNT as u64).map(|number| RecordId::new(shard, FIRST + number, 0)).collect();
    let payload = proto::BatchHStreamRecords { records: vec![proto::HStreamRecord::default()] };
    let payload = payload.encode_to_vec();
    let received = thread::scope(|scope| {
        scope.spawn(|| {
            for id in &all {
                wait_until("there is room", || {
                    fixture.server.faults().deliver(&subscription, &[*id], 0, &payload) == 1
                });
            }
        });
        wait_until("it is full", || consumer.waiting_for() == WaitingFor::Buffer);
        // What has been sent lies in the connection meanwhile: thousands of messages in one window.
        thread::sleep(Duration::from_millis(1500));
        receive(&consumer, COUNT)
    });
    assert!(received.iter().flat_map(Batch::ids).eq(all));
    assert!(consumer.last_error().is_none(), "{:?}", consumer.last_error());
    consumer.close(SOON).unwrap();
}

#[test]
fn without_response_headers_acks_go_and_closing_is_quick() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let id = append(&fixture, &stream, &["x"])[0];
    let client = Client::connect(fixture.server.url()).unwrap();
    let consumer = client.consumer(&subscription, quick()).unwrap();
    receive(&consumer, 1);
    // The next connection has no records for it, and so no headers.
    let fetches = fixture.server.faults().calls("StreamingFetch");
    assert_eq!(fixture.server.faults().break_connections(&subscription), 1);
    wait_until("it is back", || {
        fixture.server.faults().calls("StreamingFetch") > fetches
            && !fixture.client.list_consumers(&subscription).unwrap().is_empty()
    });
    consumer.ack(&[id]).unwrap();
    wait_until("the ack arrives", || {
        let checkpoint = [(id.shard_id, id.batch_id)];
        fixture.client.get_subscription(&subscription).unwrap().checkpoints() == checkpoint
    });
    let started = Instant::now();
    consumer.close(SOON).unwrap();
    assert!(started.elapsed() < SOON / 3, "{:?}", started.elapsed());
    let idle = fixture.client.consumer(&subscription, quick()).unwrap();
    idle.start().unwrap();
    idle.close(SOON).unwrap();
}
