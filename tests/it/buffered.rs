//! The buffered producer: nothing is lost, nothing is out of order, and each record has one outcome.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::{
    BufferedProducer, Compression, Deliveries, ErrorKind, Linger, ProducerConfig, Record, RecordId, Reports,
    Wait,
};

use crate::support::{Fixture, SOON, receive, texts, wait_until};

/// Outcomes by tag, as they are reported: an id, or the kind of error.
type Outcomes = Arc<Mutex<BTreeMap<u64, Vec<Result<RecordId, ErrorKind>>>>>;

fn note(outcomes: &Outcomes, deliveries: &Deliveries) {
    let mut outcomes = outcomes.lock().unwrap();
    for delivered in deliveries.iter() {
        let result = delivered.result().map_err(hstreamdb::Error::kind);
        outcomes.entry(delivered.tag()).or_default().push(result);
    }
}

fn reporting(config: ProducerConfig) -> (ProducerConfig, Outcomes) {
    let outcomes = Outcomes::default();
    let noted = outcomes.clone();
    (config.on_delivery(move |deliveries| note(&noted, deliveries)), outcomes)
}

fn text(number: usize) -> Record {
    Record::raw(number.to_string())
}

fn quick_retries() -> ProducerConfig {
    ProducerConfig::new().retry(None, Duration::from_millis(5), Duration::from_millis(20))
}

#[test]
fn concurrent_appends_arrive_once_each_and_in_order_per_key() {
    for compression in [Compression::none(), Compression::gzip()] {
        let fixture = Fixture::new();
        let stream = fixture.stream(3);
        // Small limits, so that batches are sealed by each trigger.
        let config = ProducerConfig::new().compression(compression).batch_records(7).batch_bytes(200);
        let (config, outcomes) = reporting(config);
        let producer = fixture.client.producer(config).unwrap();
        let appender = producer.appender(&stream).unwrap();
        thread::scope(|scope| {
            for worker in 0..4 {
                let appender = &appender;
                scope.spawn(move || {
                    for number in 0..250 {
                        let record =
                            Record::raw(format!("{worker} {number}")).with_key(format!("key-{worker}"));
                        appender.append_tagged(&record, worker * 1000 + number, SOON).unwrap();
                    }
                });
            }
        });
        producer.close(SOON).unwrap();
        let outcomes = outcomes.lock().unwrap();
        assert_eq!(outcomes.len(), 1000);
        assert!(outcomes.values().all(|all| matches!(all[..], [Ok(_)])), "one outcome each, all written");
        let mut last: HashMap<String, i32> = HashMap::new();
        for text in fixture.content(&stream, 1000) {
            let (worker, number) = text.split_once(' ').unwrap();
            let number = number.parse().unwrap();
            assert_eq!(last.insert(worker.to_owned(), number).unwrap_or(-1) + 1, number);
        }
    }
}

#[test]
fn refusals_before_and_after_the_write_repeat_records_but_never_invert_them() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (config, outcomes) = reporting(quick_retries().batch_records(5));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    for number in 0..200 {
        if number % 20 == 3 {
            fixture.server.faults().next("Append").refuse(14, "server is unavailable");
        }
        if number % 20 == 13 {
            fixture
                .server
                .faults()
                .next("Append")
                .refuse_after_applying(14, "request or connection timed out");
        }
        appender.append_tagged(&text(number), number as u64, SOON).unwrap();
    }
    producer.close(SOON).unwrap();
    assert!(outcomes.lock().unwrap().values().all(|all| matches!(all[..], [Ok(_)])));
    let stored = fixture.client.list_shards(&stream).unwrap().shards()[0].id();
    assert!(fixture.client.tail_record_id(&stream, stored).is_ok());
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, Default::default()).unwrap();
    let mut texts: Vec<usize> = Vec::new();
    while let Some(batch) = consumer.poll(1000, Duration::from_millis(500)).unwrap() {
        texts.extend(
            batch
                .iter()
                .map(|record| std::str::from_utf8(record.payload()).unwrap().parse::<usize>().unwrap()),
        );
    }
    // A batch that was written twice begins again at its first record; apart from that numbers count up.
    let mut highest = None;
    for number in &texts {
        assert!(highest.is_none_or(|highest| *number <= highest + 1), "{number} came too early: {texts:?}");
        highest = highest.max(Some(*number));
    }
    assert_eq!(highest, Some(199));
    assert!(texts.len() > 200, "no batch was written twice, so nothing was tested");
}

#[test]
fn what_is_appended_and_closed_at_once_is_written() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let producer = fixture.client.producer(ProducerConfig::new().linger(Linger::For(SOON))).unwrap();
    (0..100).for_each(|number| producer.append(&stream, &text(number).with_key(number.to_string())).unwrap());
    assert_eq!(producer.pending_records(), 100);
    let counts = producer.close(SOON).unwrap();
    assert_eq!((counts.written, counts.failed, counts.unknown), (100, 0, 0));
    assert_eq!((producer.pending_records(), producer.pending_bytes()), (0, 0));
    assert_eq!(fixture.content(&stream, 100).len(), 100);
    assert!(producer.append(&stream, &text(0)).unwrap_err().is_closed());
    producer.close(SOON).unwrap();
}

#[test]
fn appends_race_a_close_and_are_either_refused_or_written() {
    for _ in 0..10 {
        let fixture = Fixture::new();
        let stream = fixture.stream(1);
        let (config, outcomes) = reporting(ProducerConfig::new());
        let producer = fixture.client.producer(config).unwrap();
        let appender = producer.appender(&stream).unwrap();
        let begun = AtomicBool::new(false);
        let accepted: Vec<u64> = thread::scope(|scope| {
            let appending: Vec<_> = (0..3)
                .map(|worker| {
                    let (appender, begun) = (&appender, &begun);
                    scope.spawn(move || {
                        let mut accepted = Vec::new();
                        for number in 0.. {
                            let tag = worker * 1_000_000 + number;
                            match appender.append_tagged(&Record::raw(tag.to_string()), tag, SOON) {
                                Ok(()) => accepted.push(tag),
                                Err(error) => {
                                    assert!(error.is_closed(), "{error}");
                                    return accepted;
                                }
                            }
                            begun.store(true, Ordering::SeqCst);
                        }
                        accepted
                    })
                })
                .collect();
            wait_until("appends begin", || begun.load(Ordering::SeqCst));
            producer.close(SOON).unwrap();
            appending.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        let outcomes = outcomes.lock().unwrap();
        assert_eq!(outcomes.len(), accepted.len());
        assert!(accepted.iter().all(|tag| matches!(outcomes[tag][..], [Ok(_)])));
        assert_eq!(fixture.content(&stream, accepted.len()).len(), accepted.len());
    }
}

#[test]
fn a_failed_batch_does_not_spoil_its_shard() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (config, outcomes) = reporting(ProducerConfig::new().linger(Linger::ByHand));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture
        .server
        .faults()
        .next("Append")
        .refuse(3, r#"{"error":206,"message":"EmptyBatchedRecord","extra":null}"#);
    appender.append_tagged(&text(1), 1, SOON).unwrap();
    let counts = appender.flush(SOON).unwrap();
    assert_eq!((counts.written, counts.failed), (0, 1));
    appender.append_tagged(&text(2), 2, SOON).unwrap();
    assert_eq!(appender.flush(SOON).unwrap().written, 1);
    let outcomes = outcomes.lock().unwrap();
    assert_eq!(outcomes[&1], [Err(ErrorKind::Server)]);
    assert!(outcomes[&2][0].is_ok());
    drop(outcomes);
    assert_eq!(fixture.content(&stream, 1), ["2"]);
}

#[test]
fn what_is_queued_behind_a_failure_is_aborted_and_lent_back() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (sender, failures) = mpsc::channel();
    let config =
        ProducerConfig::new().batch_records(1).reports(Reports::Failures).on_delivery(move |deliveries| {
            sender
                .send((deliveries.error().unwrap().kind(), deliveries.records().collect::<Vec<_>>()))
                .unwrap();
        });
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let refusal = r#"{"error":206,"message":"EmptyBatchedRecord","extra":null}"#;
    // The first one is held back until the others wait behind it.
    fixture.server.faults().next("Append").delay(Duration::from_millis(200));
    let first = Record::raw("first").with_key("k").with_attribute("a", "b");
    appender.append(&first).unwrap();
    wait_until("the first arrives", || fixture.server.faults().calls("Append") == 1);
    fixture.server.faults().next("Append").refuse(3, refusal);
    (0..3).for_each(|number| appender.append(&text(number)).unwrap());
    producer.flush(SOON).unwrap();
    let failed: Vec<_> = failures.try_iter().collect();
    let kinds: Vec<_> = failed.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [ErrorKind::Server, ErrorKind::Aborted, ErrorKind::Aborted]);
    assert_eq!(failed[2].1, [text(2)]);
    assert_eq!(fixture.content(&stream, 1), ["first"]);
}

#[test]
fn a_full_buffer_refuses_or_waits_as_the_caller_wants() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(quick_retries().buffer_bytes(1000)).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").delay(Duration::from_millis(500));
    let large = Record::raw(vec![b'x'; 800]);
    appender.append(&large).unwrap();
    assert_eq!(appender.try_append(&large).unwrap_err().kind(), ErrorKind::QueueFull);
    let error = appender.append_tagged(&large, 0, Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let cancel = hstreamdb::Cancel::new().unwrap();
    cancel.trigger();
    let error = appender.append_tagged(&large, 0, Wait::forever().or_until(&cancel)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    appender.append(&large).unwrap();
    let larger_than_the_buffer = Record::raw(vec![b'y'; 5000]);
    appender.append(&larger_than_the_buffer).unwrap();
    producer.close(SOON).unwrap();
    assert_eq!(fixture.content(&stream, 3).len(), 3, "what was refused is not there");
}

#[test]
fn a_buffer_that_fills_up_is_sent_although_it_is_to_go_by_hand() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let config = ProducerConfig::new().linger(Linger::ByHand).buffer_bytes(500);
    let producer = fixture.client.producer(config).unwrap();
    (0..50).for_each(|number| producer.append(&stream, &text(number)).unwrap());
    producer.close(SOON).unwrap();
    assert_eq!(fixture.content(&stream, 50).len(), 50);
}

#[test]
fn by_hand_means_by_hand_and_age_counts_from_the_first_record() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let by_hand = fixture.client.producer(ProducerConfig::new().linger(Linger::ByHand)).unwrap();
    by_hand.append(&stream, &text(1)).unwrap();
    let aged = fixture
        .client
        .producer(ProducerConfig::new().linger(Linger::For(Duration::from_millis(100))))
        .unwrap();
    let started = Instant::now();
    let id = aged.appender(&stream).unwrap().append_wait(&text(2), SOON).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(by_hand.pending_records(), 1);
    let later = by_hand.appender(&stream).unwrap().append_wait(&text(3), SOON).unwrap();
    assert!(later.batch_id > id.batch_id, "waiting for one record sends its batch");
    assert_eq!(fixture.content(&stream, 3), ["2", "1", "3"]);
}

#[test]
fn a_record_that_its_caller_waits_for_has_no_other_report_and_the_others_have_theirs() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (config, outcomes) = reporting(ProducerConfig::new().linger(Linger::For(Duration::from_secs(3600))));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    appender.append_tagged(&text(1), 1, SOON).unwrap();
    let waited = thread::scope(|scope| {
        let waiting = scope.spawn(|| appender.append_wait(&text(2), SOON).unwrap());
        wait_until("all are in the batch", || producer.pending_records() == 2);
        appender.append_tagged(&text(3), 3, SOON).unwrap();
        producer.flush(SOON).unwrap();
        waiting.join().unwrap()
    });
    let id = |index| Ok(RecordId::new(waited.shard_id, waited.batch_id, index));
    assert_eq!(*outcomes.lock().unwrap(), BTreeMap::from([(1, vec![id(0)]), (3, vec![id(2)])]));
    assert_eq!(Ok(waited), id(1));
}

#[test]
fn a_record_over_the_limit_is_refused_before_it_is_queued() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(ProducerConfig::new()).unwrap();
    let error = producer.append(&stream, &Record::raw(vec![0; 1_048_577])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordTooLarge);
    assert_eq!(producer.pending_records(), 0);
}

#[test]
fn missing_streams_and_shards_are_named() {
    let fixture = Fixture::new();
    let producer = fixture.client.producer(ProducerConfig::new()).unwrap();
    let error = producer.append("missing", &text(0)).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("missing"), "{error}");
    let appender = producer.appender(&fixture.stream(2)).unwrap();
    let error = appender.append_to_shard(77, &text(0), 0, SOON).unwrap_err();
    assert!(error.to_string().contains("no shard 77"), "{error}");
}

#[test]
fn waiting_for_its_own_callback_is_refused_and_appending_there_never_waits() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let slot: Arc<Mutex<Option<BufferedProducer>>> = Arc::default();
    let (sender, results) = mpsc::channel();
    let (own, on) = (slot.clone(), stream.clone());
    let config = ProducerConfig::new().buffer_bytes(400).on_delivery(move |_| {
        let Some(producer) = own.lock().unwrap().take() else { return };
        let appender = producer.appender(&on).unwrap();
        let kinds = [
            producer.flush(SOON).unwrap_err().kind(),
            producer.close(SOON).unwrap_err().kind(),
            appender.append_wait(&text(9), SOON).unwrap_err().kind(),
        ];
        let refused = (0..100).find_map(|number| appender.append(&text(number)).err());
        sender.send((kinds, refused.map(|error| error.kind()))).unwrap();
    });
    let producer = fixture.client.producer(config).unwrap();
    *slot.lock().unwrap() = Some(producer.clone());
    producer.append(&stream, &text(1)).unwrap();
    let (kinds, refused) = results.recv_timeout(SOON).unwrap();
    assert_eq!(kinds, [ErrorKind::WouldDeadlock; 3]);
    assert_eq!(refused, Some(ErrorKind::QueueFull));
    producer.close(SOON).unwrap();
}

#[test]
fn a_panic_in_a_callback_is_contained() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let config = ProducerConfig::new().batch_records(1).on_delivery(|_| panic!("on purpose"));
    let producer = fixture.client.producer(config).unwrap();
    (0..3).for_each(|number| producer.append(&stream, &text(number)).unwrap());
    producer.close(SOON).unwrap();
    assert_eq!(fixture.content(&stream, 3), ["0", "1", "2"]);
}

#[test]
fn dropping_the_producer_in_its_own_callback_closes_it() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let slot: Arc<Mutex<Option<BufferedProducer>>> = Arc::default();
    let own = slot.clone();
    let producer = fixture
        .client
        .producer(ProducerConfig::new().on_delivery(move |_| drop(own.lock().unwrap().take())))
        .unwrap();
    let appender = producer.appender(&stream).unwrap();
    *slot.lock().unwrap() = Some(producer);
    appender.append(&text(1)).unwrap();
    wait_until("the producer is closed", || {
        appender.try_append(&text(2)).is_err_and(|error| error.is_closed())
    });
}

#[test]
fn reports_can_be_polled_and_their_queue_is_bounded() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let config = ProducerConfig::new().buffer_records(10).poll_reports();
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    (0..10).for_each(|number| appender.append_tagged(&text(number), number as u64, SOON).unwrap());
    let error = appender.append(&text(10)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueueFull, "nobody else would make room: {error}");
    let mut tags = Vec::new();
    while tags.len() < 10 {
        let deliveries = producer.poll(SOON).unwrap().unwrap();
        tags.extend(deliveries.iter().map(|delivered| delivered.tag()));
    }
    assert_eq!(tags, (0..10).collect::<Vec<_>>());
    assert!(producer.poll(Duration::ZERO).unwrap().is_none());
    appender.append(&text(11)).unwrap();
    // Waiting to be polled is being reported, and what was not polled is still there after the close.
    assert_eq!(producer.flush(SOON).unwrap().failed, 0);
    producer.close(SOON).unwrap();
    assert_eq!(producer.poll(SOON).unwrap().unwrap().len(), 1);
    assert!(producer.poll(SOON).unwrap_err().is_closed(), "no more will come");
}

#[test]
fn handles_tell_single_outcomes() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(ProducerConfig::new().linger(Linger::ByHand)).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let first = appender.append_tracked(&text(0), SOON).unwrap();
    let second = appender.append_tracked(&text(1), SOON).unwrap();
    assert!(first.try_get().is_none());
    assert_eq!(first.wait(Duration::from_millis(1)).unwrap_err().kind(), ErrorKind::Timeout);
    producer.flush(SOON).unwrap();
    let (first, second) = (first.wait(SOON).unwrap(), second.try_get().unwrap().unwrap());
    assert_eq!((first.batch_index, second.batch_index, first.batch_id), (0, 1, second.batch_id));
}

#[test]
fn a_stopped_server_makes_outcomes_unknown_or_aborted_at_close_and_each_is_told_once() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (config, outcomes) = reporting(ProducerConfig::new().batch_records(2));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").times(1000).never_answer();
    (0..6).for_each(|number| appender.append_tagged(&text(number), number as u64, SOON).unwrap());
    wait_until("the first batch arrives", || fixture.server.faults().calls("Append") > 0);
    let error = producer.close(Duration::from_millis(100)).unwrap_err();
    assert!(error.is_timeout() && error.to_string().contains("6 records"), "{error}");
    let outcomes = outcomes.lock().unwrap();
    let flat: Vec<_> = outcomes.values().flatten().map(|outcome| outcome.unwrap_err()).collect();
    assert_eq!(flat.len(), 6, "each record has one outcome");
    assert_eq!(flat.iter().filter(|kind| **kind == ErrorKind::Aborted).count() % 2, 0);
    assert!(flat.contains(&ErrorKind::Timeout) && flat.contains(&ErrorKind::Aborted), "{flat:?}");
}

#[test]
fn records_older_than_the_delivery_timeout_are_given_up_and_the_producer_goes_on() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let config = quick_retries().delivery_timeout(Duration::from_millis(200));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").times(1000).refuse(14, "server is unavailable");
    let error = appender.append_wait(&text(1), SOON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    fixture.server.faults().clear();
    appender.append_wait(&text(2), SOON).unwrap();
    // The last attempt may have arrived after the faults were over, which is why it is called ambiguous.
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), Default::default()).unwrap();
    let first = texts(&receive(&consumer, 1));
    assert!(first == ["2"] || (first == ["1"] && error.is_ambiguous()), "{first:?}: {error:?}");
}

#[test]
fn an_ambiguous_failure_is_reported_as_unknown_where_sending_twice_is_not_wanted() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let config = quick_retries().retry_ambiguous(false).delivery_timeout(Duration::from_secs(2));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").never_answer();
    let error = appender.append_wait(&text(1), SOON).unwrap_err();
    assert!(error.is_ambiguous(), "{error:?}");
    assert_eq!(fixture.content(&stream, 1), ["1"], "it was written once");
}

#[test]
fn what_lingers_is_sent_when_places_for_reports_run_out_also_by_who_comes_after() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let config = ProducerConfig::new().linger(Linger::ByHand).buffer_records(2).on_delivery(|_| ());
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    thread::scope(|scope| {
        for worker in 0..4 {
            let appender = &appender;
            scope.spawn(move || {
                for number in 0..50 {
                    let record = text(number).with_key(format!("key-{worker}"));
                    appender.append_tagged(&record, 0, SOON).unwrap();
                }
            });
        }
    });
    assert_eq!(producer.close(SOON).unwrap().failed, 0);
    assert_eq!(fixture.content(&stream, 200).len(), 200);
}

#[test]
fn what_a_shard_keeps_for_records_to_follow_is_not_pending_and_comes_back() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let record = Record::raw("x".repeat(60));
    let pending_of = |buffer_bytes: usize, count: usize| {
        let config = ProducerConfig::new().linger(Linger::ByHand).buffer_bytes(buffer_bytes);
        let producer = fixture.client.producer(config).unwrap();
        let appender = producer.appender(&stream).unwrap();
        (0..count).for_each(|_| appender.try_append(&record).unwrap());
        let (pending, more) = (producer.pending_bytes(), appender.try_append(&record).is_ok());
        producer.flush(SOON).unwrap();
        assert_eq!(producer.pending_bytes(), 0);
        (pending, more)
    };
    let (of_one, _) = pending_of(1 << 20, 1);
    let size = usize::try_from(of_one).unwrap();
    assert_eq!(pending_of(1 << 20, 100), (of_one * 100, true));
    // All of the buffer is there for records, to the last byte.
    assert_eq!(pending_of(size * 100, 99), (of_one * 99, true));
}

#[test]
fn a_close_counts_all_that_had_not_been_reported_when_it_was_called() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (open, gate) = mpsc::channel::<()>();
    // Nothing is reported before the gate opens.
    let config = ProducerConfig::new().on_delivery(move |_| {
        let _ = gate.recv();
    });
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let mut accepted = 60_000;
    (0..accepted).for_each(|number| appender.append(&text(number as usize)).unwrap());
    let counts = thread::scope(|scope| {
        let closing = scope.spawn(|| producer.close(SOON).unwrap());
        while appender.append(&text(0)).is_ok() {
            accepted += 1;
        }
        drop(open);
        closing.join().unwrap()
    });
    assert_eq!((counts.written, counts.total()), (accepted, accepted));
}

#[test]
fn what_was_reported_before_a_close_is_counted_by_statistics_alone() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(ProducerConfig::new().linger(Linger::ByHand)).unwrap();
    let appender = producer.appender(&stream).unwrap();
    (0..5).for_each(|number| appender.append(&text(number)).unwrap());
    assert_eq!(producer.flush(SOON).unwrap().written, 5);
    (5..8).for_each(|number| appender.append(&text(number)).unwrap());
    assert_eq!(producer.close(SOON).unwrap().written, 3);
    assert_eq!(producer.close(SOON).unwrap().total(), 0);
    assert_eq!(producer.stats().settled.written, 8);
}
