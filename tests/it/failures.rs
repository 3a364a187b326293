//! What a producer does about failures for good: policies, order, and who may append when.

use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use hstreamdb::{
    Appender, Counts, Deliveries, ErrorKind, FailurePolicy, Linger, ProducerConfig, Record, Reports,
};

use crate::support::{Fixture, SOON};

/// A refusal for good.
const REFUSAL: &str = r#"{"error":206,"message":"EmptyBatchedRecord","extra":null}"#;

fn text(number: usize) -> Record {
    Record::raw(number.to_string())
}

/// Appends records of which the first two meet a refusal: the first batch, and what waits behind it.
fn fail_first(fixture: &Fixture, appender: &Appender) {
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    (0..2).for_each(|number| appender.append(&text(number)).unwrap());
    let _ = appender.flush(SOON);
}

fn by_hand() -> ProducerConfig {
    ProducerConfig::new().batch_records(1).linger(Linger::ByHand)
}

#[test]
fn what_failed_is_appended_again_in_its_callback_ahead_of_all_who_wait() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let appender_of_callback = Arc::<OnceLock<Appender>>::default();
    let again = appender_of_callback.clone();
    let ((reporting, reports), (go, gone)) = (mpsc::channel(), mpsc::channel::<()>());
    let config = ProducerConfig::new()
        .batch_records(1)
        // Room for two: the one in flight and the one behind it.
        .buffer_bytes(2 * (text(0).encoded_len() + 32))
        .reports(Reports::Failures)
        .on_delivery(move |deliveries| {
            reporting.send(()).unwrap();
            let _ = gone.recv();
            deliveries.records().for_each(|record| again.get().unwrap().try_append(&record).unwrap());
        });
    let producer = fixture.client.producer(config).unwrap();
    let appender = appender_of_callback.get_or_init(|| producer.appender(&stream).unwrap());
    fixture.server.faults().next("Append").delay(Duration::from_millis(200));
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    (0..2).for_each(|number| appender.append(&text(number)).unwrap());
    thread::scope(|scope| {
        scope.spawn(|| (2..6).for_each(|number| appender.append(&text(number)).unwrap()));
        // The callback waits for us, and the appends for the callback.
        reports.recv_timeout(SOON).unwrap();
        assert!(appender.try_append(&text(7)).is_err());
        drop(go);
    });
    assert_eq!(producer.close(SOON).unwrap().failed, 0);
    assert_eq!(fixture.content(&stream, 6), ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn until_the_reports_are_handed_over_others_wait_and_then_go_on() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let ((reporting, reports), (go, gone)) = (mpsc::channel(), mpsc::channel::<()>());
    let config = by_hand().reports(Reports::Failures).on_delivery(move |_| {
        reporting.send(()).unwrap();
        let _ = gone.recv();
    });
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    appender.append(&text(0)).unwrap();
    reports.recv_timeout(SOON).unwrap();
    let refused = appender.try_append(&text(1)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::QueueFull);
    assert!(refused.to_string().contains(&stream), "{refused}");
    let in_time = appender.append_tagged(&text(1), 0, Duration::from_millis(20)).unwrap_err();
    assert_eq!(in_time.kind(), ErrorKind::Timeout);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| appender.append(&text(2)));
        drop(go);
        waiter.join().unwrap().unwrap();
    });
    producer.close(SOON).unwrap();
    assert_eq!(fixture.content(&stream, 1), ["2"]);
    assert_eq!(producer.pending_bytes(), 0);
}

#[test]
fn a_close_ends_the_wait_for_reports() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let ((reporting, reports), (go, gone)) = (mpsc::channel(), mpsc::channel::<()>());
    let config = by_hand().on_delivery(move |_| {
        reporting.send(()).unwrap();
        let _ = gone.recv();
    });
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    appender.append(&text(0)).unwrap();
    reports.recv_timeout(SOON).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| appender.append(&text(1)));
        producer.begin_close();
        assert!(waiter.join().unwrap().unwrap_err().is_closed());
    });
    drop(go);
    producer.close(SOON).unwrap();
}

#[test]
fn a_shard_whose_failures_are_polled_is_full_until_they_have_been() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(by_hand().poll_reports()).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    appender.append(&text(0)).unwrap();
    appender.flush(SOON).unwrap();
    // Whatever its time-out, because nobody else can make room.
    assert_eq!(appender.append(&text(1)).unwrap_err().kind(), ErrorKind::QueueFull);
    let failed = producer.poll(SOON).unwrap().unwrap();
    let records: Vec<_> = failed.records().collect();
    assert_eq!(records, [text(0)]);
    appender.append(&records[0]).unwrap();
    assert_eq!(producer.close(SOON).unwrap().written, 1);
    assert_eq!(fixture.content(&stream, 1), ["0"]);
}

#[test]
fn without_reports_a_shard_goes_on_at_once() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(by_hand()).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fail_first(&fixture, &appender);
    appender.append(&text(2)).unwrap();
    assert_eq!(producer.close(SOON).unwrap(), Counts { written: 1, ..Counts::default() });
}

#[test]
fn a_stopped_shard_refuses_until_it_is_resumed_and_others_go_on() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let producer = fixture.client.producer(by_hand().failure_policy(FailurePolicy::Stop)).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let shards = fixture.client.list_shards(&stream).unwrap();
    let [first, second] = [0, 1].map(|index| shards.shards()[index].id());
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    appender.append_to_shard(first, &text(0), 0, SOON).unwrap();
    appender.flush(SOON).unwrap();
    let error = appender.append_to_shard(first, &text(1), 0, SOON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    assert!(
        error.to_string().contains(&first.to_string()) && error.to_string().contains("resume"),
        "{error}"
    );
    appender.append_to_shard(second, &text(2), 0, SOON).unwrap();
    assert_eq!(appender.resume(77).unwrap_err().kind(), ErrorKind::InvalidArgument);
    appender.resume(first).unwrap();
    appender.append_to_shard(first, &text(3), 0, SOON).unwrap();
    assert_eq!(producer.close(SOON).unwrap().written, 2);
}

#[test]
fn where_it_is_wanted_what_is_behind_a_failure_goes_on() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let failed = Arc::<Mutex<Vec<String>>>::default();
    let noted = failed.clone();
    let note = move |deliveries: &Deliveries| {
        let texts = deliveries.records().map(|record| String::from_utf8(record.payload().to_vec()).unwrap());
        noted.lock().unwrap().extend(texts);
    };
    let config = by_hand().failure_policy(FailurePolicy::Continue).reports(Reports::Failures);
    let producer = fixture.client.producer(config.on_delivery(note)).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    (0..4).for_each(|number| appender.append(&text(number)).unwrap());
    let counts = producer.close(SOON).unwrap();
    assert_eq!((counts.written, counts.failed), (3, 1));
    assert_eq!(*failed.lock().unwrap(), ["0"]);
    assert_eq!(fixture.content(&stream, 3), ["1", "2", "3"]);
}

#[test]
fn a_batch_that_the_server_finds_too_large_is_sent_in_halves_and_each_record_has_its_id() {
    for compression in [hstreamdb::Compression::none(), hstreamdb::Compression::gzip()] {
        let fixture = Fixture::new();
        let stream = fixture.stream(1);
        let producer = fixture
            .client
            .producer(ProducerConfig::new().linger(Linger::ByHand).compression(compression))
            .unwrap();
        let appender = producer.appender(&stream).unwrap();
        let too_large = r#"{"error":207,"message":"Record size exceeds the maximum size limit","extra":9}"#;
        // The whole, and its first half.
        fixture.server.faults().next("Append").times(2).refuse(3, too_large);
        let deliveries: Vec<_> =
            (0..9).map(|number| appender.append_tracked(&text(number), SOON).unwrap()).collect();
        assert_eq!(appender.flush(SOON).unwrap().written, 9);
        let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.wait(SOON).unwrap()).collect();
        assert!(ids.is_sorted() && ids[0].batch_index == 0, "{ids:?}");
        let batches: std::collections::BTreeSet<_> = ids.iter().map(|id| id.batch_id).collect();
        assert_eq!(batches.len(), 3);
        let subscription = fixture.subscription(&stream);
        let consumer = fixture.client.consumer(&subscription, Default::default()).unwrap();
        let received = crate::support::receive(&consumer, 9);
        let stored: Vec<_> = received
            .iter()
            .flat_map(|batch| batch.iter().map(|record| (record.id(), record.payload().to_vec())))
            .collect();
        let expected: Vec<_> = ids.iter().zip(0..).map(|(id, n)| (*id, text(n).payload().to_vec())).collect();
        assert_eq!(stored, expected);
    }
}

#[test]
fn a_direct_append_is_sent_in_halves_too() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let too_large = r#"{"error":207,"message":"Record size exceeds the maximum size limit","extra":9}"#;
    fixture.server.faults().next("Append").times(2).refuse(3, too_large);
    let records: Vec<_> = (0..7).map(text).collect();
    let ids = fixture.client.append(&stream, &records, hstreamdb::Compression::none()).unwrap();
    assert!(ids.is_sorted());
    assert_eq!(fixture.content(&stream, 7), ["0", "1", "2", "3", "4", "5", "6"]);
    // One that is too large alone is told so.
    fixture.server.faults().next("Append").refuse(3, too_large);
    let error = fixture.client.append_one(&stream, &text(0)).unwrap_err();
    assert_eq!(error.server().unwrap().code(), Some(207));
}

#[test]
fn what_a_callback_appends_in_place_of_a_failure_is_sent_after_it_and_not_to_be_waited_for_there() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let appender_of_callback = Arc::<OnceLock<Appender>>::default();
    let again = appender_of_callback.clone();
    let (sender, results) = mpsc::channel();
    let config = by_hand().reports(Reports::Failures).on_delivery(move |deliveries| {
        let record = deliveries.records().next().unwrap();
        let delivery = again.get().unwrap().append_tracked(&record, SOON).unwrap();
        sender.send((delivery.wait(SOON).unwrap_err().kind(), delivery)).unwrap();
    });
    let producer = fixture.client.producer(config).unwrap();
    let appender = appender_of_callback.get_or_init(|| producer.appender(&stream).unwrap());
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    appender.append(&text(0)).unwrap();
    let (waiting, delivery) = results.recv_timeout(SOON).unwrap();
    assert_eq!(waiting, ErrorKind::WouldDeadlock);
    delivery.wait(SOON).unwrap();
    producer.close(SOON).unwrap();
    assert_eq!(fixture.content(&stream, 1), ["0"]);
}

#[test]
fn appends_do_not_wait_for_room_that_only_a_poll_can_make() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let config = by_hand().failure_policy(FailurePolicy::Continue).buffer_bytes(text(0).encoded_len() + 32);
    let producer = fixture.client.producer(config.poll_reports()).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    appender.append(&text(0)).unwrap();
    // It waits as long as the first one is on the way, and no longer.
    assert_eq!(appender.append(&text(1)).unwrap_err().kind(), ErrorKind::QueueFull);
    assert!(producer.poll(SOON).unwrap().unwrap().error().is_some());
    appender.append(&text(1)).unwrap();
    assert_eq!(producer.close(SOON).unwrap().written, 1);
}

#[test]
fn a_flush_of_one_key_counts_its_records_once() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let producer = fixture.client.producer(ProducerConfig::new().linger(Linger::ByHand)).unwrap();
    let appender = producer.appender(&stream).unwrap();
    (0..3).for_each(|number| appender.append(&text(number).with_key("k")).unwrap());
    assert_eq!(appender.flush_key("k", SOON).unwrap().written, 3);
}

#[test]
fn halves_of_what_may_be_written_may_be_written() {
    let fixture = Fixture::new();
    let too_large = r#"{"error":207,"message":"Record size exceeds the maximum size limit","extra":9}"#;
    let written_then_refused = || {
        fixture.server.faults().next("Append").refuse_after_applying(14, "request or connection timed out");
        fixture.server.faults().next("Append").refuse(3, too_large);
        fixture.server.faults().next("Append").refuse(3, REFUSAL);
    };
    let stream = fixture.stream(1);
    let config = ProducerConfig::new().linger(Linger::ByHand);
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    written_then_refused();
    (0..2).for_each(|number| appender.append(&text(number)).unwrap());
    assert_eq!(appender.flush(SOON).unwrap(), Counts { unknown: 2, ..Counts::default() });
    assert_eq!(fixture.content(&stream, 2), ["0", "1"], "of the first attempt");
    let stream = fixture.stream(1);
    written_then_refused();
    let records = [text(0), text(1)];
    let error = fixture.client.append(&stream, &records, hstreamdb::Compression::none()).unwrap_err();
    assert!(error.is_ambiguous(), "{error:?}");
    assert_eq!(fixture.content(&stream, 2), ["0", "1"], "of the first attempt");
}
