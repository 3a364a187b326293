//! Consumers: all arrives, nothing stalls, and acks are certain after a close.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    Client, Compression, Consumer, ConsumerConfig, ConsumerState, DeleteOptions, ErrorKind, Next, Record,
    RecordId, SubscriptionOptions, Wait,
};

use crate::support::{Fixture, SOON, ids, receive, texts, wait_until};

fn filled(fixture: &Fixture, shards: u32, count: usize) -> String {
    let stream = fixture.stream(shards);
    let records: Vec<_> =
        (0..count).map(|number| Record::raw(number.to_string()).with_key(number.to_string())).collect();
    for chunk in records.chunks(10) {
        fixture.client.append(&stream, chunk, Compression::none()).unwrap();
    }
    stream
}

fn quick() -> ConsumerConfig {
    ConsumerConfig::new().reconnect(Duration::from_millis(5), Duration::from_millis(50))
}

/// Nothing comes to a new consumer for a while.
fn assert_all_acked(fixture: &Fixture, subscription: &str) {
    fixture.server.restart_subscriptions();
    let consumer = fixture.client.consumer(subscription, quick()).unwrap();
    let batch = consumer.poll(1, Duration::from_millis(300)).unwrap();
    assert!(batch.is_none(), "unacked: {batch:?}");
}

#[test]
fn records_come_in_order_split_to_what_is_asked_for() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 100);
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), quick()).unwrap();
    let mut batches = Vec::new();
    while texts(&batches).len() < 100 {
        let batch = consumer.poll(3, SOON).unwrap().unwrap();
        assert!(batch.len() <= 3);
        batches.push(batch);
    }
    assert_eq!(texts(&batches), (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn acked_records_do_not_come_again_after_close_and_restart() {
    for early in [false, true] {
        let fixture = Fixture::with(DevServerOptions::new().early_headers(early));
        let stream = filled(&fixture, 2, 100);
        let subscription = fixture.subscription(&stream);
        let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
        for batch in receive(&consumer, 100) {
            consumer.ack_batch(&batch).unwrap();
        }
        consumer.close(SOON).unwrap();
        assert_eq!((consumer.state(), consumer.pending_acks()), (ConsumerState::Closed, 0));
        assert!(consumer.poll(1, SOON).unwrap_err().is_closed());
        assert!(consumer.ack(&[]).unwrap_err().is_closed());
        consumer.close(SOON).unwrap();
        assert_all_acked(&fixture, &subscription);
    }
}

#[test]
fn acks_survive_a_lost_connection() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 50);
    let subscription = fixture.subscription(&stream);
    // Acks that would not go by themselves before the connection is lost.
    let config = quick().ack_batch(1000, SOON);
    let consumer = fixture.client.consumer(&subscription, config).unwrap();
    for batch in receive(&consumer, 50) {
        consumer.ack_batch(&batch).unwrap();
    }
    assert_eq!(fixture.server.faults().break_connections(&subscription), 1);
    wait_until("it reconnects", || {
        consumer.state() == ConsumerState::Reconnecting || consumer.last_error().is_some()
    });
    consumer.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn unacked_records_come_again_and_only_those() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 10);
    let options = SubscriptionOptions::new().ack_timeout(Duration::from_secs(1));
    let subscription = fixture.subscription_with(&stream, options);
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    let all: Vec<RecordId> = ids(&receive(&consumer, 10)).into_iter().collect();
    let (kept, acked): (Vec<_>, Vec<_>) = all.iter().partition(|id| id.batch_index % 3 == 0);
    consumer.ack(&acked).unwrap();
    let again = receive(&consumer, kept.len());
    assert_eq!(ids(&again), kept.iter().copied().collect::<BTreeSet<_>>());
    assert_eq!(texts(&again), ["0", "3", "6", "9"], "ids go with their records, whatever their index");
}

#[test]
fn one_ack_is_sent_by_its_age() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 1);
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), quick()).unwrap();
    consumer.ack_batch(&receive(&consumer, 1)[0]).unwrap();
    wait_until("the ack goes", || consumer.pending_acks() == 0);
    consumer.flush_acks(SOON).unwrap();
}

#[test]
fn foreign_ids_are_refused_and_do_no_harm() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 1);
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), quick()).unwrap();
    let batches = receive(&consumer, 1);
    let error = consumer.ack(&[RecordId::new(1, 1, 1)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    consumer.ack_batch(&batches[0]).unwrap();
    consumer.close(SOON).unwrap();
}

#[test]
fn a_callback_acks_and_stops_on_a_thread_of_its_own() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 3, 90);
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let sink = seen.clone();
    consumer
        .run(move |consumer, batch| {
            assert!(thread::current().name().unwrap().starts_with("hstream-cb-"));
            assert_eq!(consumer.close(SOON).unwrap_err().kind(), ErrorKind::WouldDeadlock);
            assert_eq!(consumer.wait(SOON).unwrap_err().kind(), ErrorKind::WouldDeadlock);
            consumer.ack_batch(batch).unwrap();
            let mut seen = sink.lock().unwrap();
            seen.extend(batch.ids());
            if seen.len() == 90 {
                consumer.stop(Wait::no()).unwrap();
            }
            Next::Processed
        })
        .unwrap();
    assert_eq!((seen.lock().unwrap().len(), consumer.state()), (90, ConsumerState::Stopped));
    assert_eq!(consumer.poll(1, SOON).unwrap_err().kind(), ErrorKind::InvalidState);
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn auto_ack_acks_what_was_processed_and_not_what_is_kept() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 20);
    let subscription =
        fixture.subscription_with(&stream, SubscriptionOptions::new().ack_timeout(Duration::from_secs(1)));
    let consumer =
        fixture.client.consumer(&subscription, quick().auto_ack(true).callback_records(10)).unwrap();
    let mut kept = false;
    let (sender, deliveries) = mpsc::channel();
    consumer
        .start_with(move |_, batch| {
            sender.send(batch.ids().next().unwrap()).unwrap();
            if std::mem::replace(&mut kept, true) { Next::Processed } else { Next::Keep }
        })
        .unwrap();
    let first = deliveries.recv_timeout(SOON).unwrap();
    wait_until("the kept batch comes again", || deliveries.recv_timeout(SOON).unwrap() == first);
    consumer.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn auto_ack_of_polls_acks_at_the_next_one() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 2);
    let consumer = fixture
        .client
        .consumer(&fixture.subscription(&stream), quick().auto_ack(true).ack_batch(100, SOON))
        .unwrap();
    consumer.poll(1, SOON).unwrap().unwrap();
    assert_eq!(consumer.pending_acks(), 0);
    consumer.poll(1, SOON).unwrap().unwrap();
    assert_eq!(consumer.pending_acks(), 1);
}

#[test]
fn a_panic_in_a_callback_ends_the_consumer_and_acks_nothing() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 1);
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), quick()).unwrap();
    let error = consumer.run(|_, _| panic!("on purpose")).unwrap_err();
    assert_eq!((error.kind(), consumer.state()), (ErrorKind::Panic, ConsumerState::Failed));
    assert_eq!(consumer.pending_acks(), 0);
}

#[test]
fn a_stopped_consumer_starts_again() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 1);
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), quick()).unwrap();
    consumer.ack_batch(&receive(&consumer, 1)[0]).unwrap();
    consumer.stop(SOON).unwrap();
    assert_eq!(consumer.poll(1, SOON).unwrap_err().kind(), ErrorKind::InvalidState);
    fixture.client.append_one(&stream, &Record::raw("more")).unwrap();
    consumer.start().unwrap();
    assert_eq!(texts(&receive(&consumer, 1)), ["more"]);
}

#[test]
fn whatever_ends_the_fetch_it_goes_on() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    consumer.start().unwrap();
    let json = |name: &str| format!(r#"{{"error":0,"message":"{name}","extra":"x"}}"#);
    let mut endings =
        vec![(1, json("StreamReadClose")), (10, json("ConsumerInvalidError")), (14, "gone".into())];
    endings.extend([
        (10, json("SubscriptionInvalidError")),
        (13, "broken".into()),
        (2, "UnKnown exception".into()),
    ]);
    endings.push((9, r#"{"error":800,"message":"WrongServer","extra":"x"}"#.into()));
    for (number, (status, text)) in endings.iter().enumerate() {
        wait_until("it is connected", || {
            fixture.server.faults().cut_consumers(&subscription, *status, text) == 1
        });
        fixture.client.append_one(&stream, &Record::raw(number.to_string())).unwrap();
        assert_eq!(texts(&receive(&consumer, 1)), [number.to_string()], "{status} {text}");
    }
}

#[test]
fn a_name_that_is_taken_by_our_own_dead_connection_is_waited_for() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, quick().name("c")).unwrap();
    fixture.client.append_one(&stream, &Record::raw("a")).unwrap();
    receive(&consumer, 1);
    let taken = r#"{"error":0,"message":"ConsumerExists","extra":"c"}"#;
    fixture.server.faults().next("StreamingFetch").times(10).refuse(6, taken);
    fixture.server.faults().break_connections(&subscription);
    fixture.client.append_one(&stream, &Record::raw("b")).unwrap();
    assert_eq!(texts(&receive(&consumer, 1)), ["b"]);
}

#[test]
fn a_name_that_somebody_else_has_is_told() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let first = fixture.client.consumer(&subscription, quick().name("c")).unwrap();
    first.start().unwrap();
    wait_until("it is there", || fixture.client.list_consumers(&subscription).unwrap().len() == 1);
    assert_eq!(fixture.client.list_consumers(&subscription).unwrap()[0].name(), "c");
    let second = fixture.client.consumer(&subscription, quick().name("c")).unwrap();
    let error = second.poll(1, SOON).unwrap_err();
    assert!(error.is_already_exists() && error.to_string().contains('c'), "{error}");
}

#[test]
fn a_subscription_that_is_not_there_or_goes_away_ends_the_consumer() {
    let fixture = Fixture::new();
    let error = fixture.client.consumer("missing", quick()).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("missing"), "{error}");
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    consumer.start().unwrap();
    wait_until("it is there", || fixture.client.list_consumers(&subscription).unwrap().len() == 1);
    fixture.client.delete_subscription(&subscription, DeleteOptions::new().force()).unwrap();
    let error = consumer.poll(1, SOON).unwrap_err();
    assert_eq!((error.kind(), consumer.state()), (ErrorKind::Server, ConsumerState::Failed), "{error}");
    consumer.close(SOON).unwrap();
}

#[test]
fn consumers_share_a_subscription_by_shards() {
    let fixture = Fixture::new();
    let stream = fixture.stream(4);
    let subscription = fixture.subscription(&stream);
    let consumers: Vec<Consumer> =
        (0..2).map(|_| fixture.client.consumer(&subscription, quick()).unwrap()).collect();
    consumers.iter().for_each(|consumer| consumer.start().unwrap());
    wait_until("both are there", || fixture.client.list_consumers(&subscription).unwrap().len() == 2);
    let records: Vec<_> = (0..100).map(|number| Record::raw("x").with_key(number.to_string())).collect();
    fixture.client.append(&stream, &records, Compression::none()).unwrap();
    let mut received = [0, 0];
    wait_until("all arrive", || {
        for (consumer, received) in consumers.iter().zip(&mut received) {
            *received +=
                consumer.poll(1000, Duration::from_millis(1)).unwrap().map_or(0, |batch| batch.len());
        }
        received[0] + received[1] == 100
    });
    assert!(received.iter().all(|count| *count > 0), "{received:?}");
}

#[test]
fn a_bad_batch_comes_with_its_ids_and_can_be_skipped() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 1);
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    let shard = receive(&consumer, 1)[0].ids().next().unwrap().shard_id;
    let bad = [RecordId::new(shard, 1, 0), RecordId::new(shard, 1, 1)];
    for (compression, payload) in [(0, &b"\xff\xff\xff"[..]), (1, b"no gzip"), (9, b""), (0, b"")] {
        fixture.server.faults().deliver(&subscription, &bad, compression, payload);
        let batch = consumer.poll(10, SOON).unwrap().unwrap();
        assert_eq!(batch.ids().collect::<Vec<_>>(), bad);
        for record in batch.iter() {
            let error = record.error().unwrap();
            assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Compression), "{error}");
            assert!(
                record.payload().is_empty() && record.to_record().is_err() && record.to_hrecord().is_err()
            );
        }
        consumer.ack_batch(&batch).unwrap();
    }
    fixture.client.append_one(&stream, &Record::raw("good")).unwrap();
    assert_eq!(texts(&receive(&consumer, 1)), ["good"]);
}

#[test]
fn what_is_received_and_not_polled_is_bounded() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 300);
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, quick().prefetch(20, 1 << 20)).unwrap();
    assert_eq!(receive(&consumer, 300).iter().map(hstreamdb::Batch::len).sum::<usize>(), 300);
}

#[test]
fn a_consumer_closes_in_time_when_its_server_is_gone() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 1);
    let consumer =
        fixture.client.consumer(&fixture.subscription(&stream), quick().ack_batch(100, SOON)).unwrap();
    let batch = receive(&consumer, 1);
    consumer.ack_batch(&batch[0]).unwrap();
    fixture.server.stop();
    let started = Instant::now();
    let error = consumer.close(Duration::from_millis(300)).unwrap_err();
    assert!(error.is_timeout() && error.to_string().contains("1 were not sent"), "{error}");
    assert!(started.elapsed() < SOON / 3);
}

#[test]
fn dropping_a_consumer_in_its_own_callback_ends_it_and_sends_its_acks() {
    let fixture = Fixture::new();
    let stream = filled(&fixture, 1, 1);
    let subscription = fixture.subscription(&stream);
    let client = Client::connect(fixture.server.url()).unwrap();
    let consumer = client.consumer(&subscription, quick()).unwrap();
    let slot = Arc::new(Mutex::new(None));
    let own = slot.clone();
    let (called, calls) = mpsc::channel();
    consumer
        .start_with(move |consumer, batch| {
            wait_until("the handle is there", || own.lock().unwrap().take().map(drop).is_some());
            consumer.ack_batch(batch).unwrap();
            called.send(()).unwrap();
            Next::Processed
        })
        .unwrap();
    *slot.lock().unwrap() = Some(consumer);
    drop(client);
    calls.recv_timeout(SOON).unwrap();
    wait_until("it is gone", || fixture.client.list_consumers(&subscription).unwrap().is_empty());
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn no_callback_runs_after_a_close_or_stop_that_another_thread_was_faster_with() {
    let fixture = Fixture::new();
    let subscription = fixture.subscription(&filled(&fixture, 1, 1));
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    let (enter, entered) = mpsc::channel();
    let (leave, left) = mpsc::channel::<()>();
    let runs = Arc::new(AtomicBool::new(false));
    let running = runs.clone();
    consumer
        .start_with(move |_, _| {
            running.store(true, Ordering::SeqCst);
            enter.send(()).unwrap();
            let _ = left.recv();
            running.store(false, Ordering::SeqCst);
            Next::Processed
        })
        .unwrap();
    entered.recv_timeout(SOON).unwrap();
    let (end, ended) = mpsc::channel();
    thread::scope(|scope| {
        // One without patience, which closes for all if it is the first.
        let ends: [fn(&Consumer) -> hstreamdb::Result<()>; 4] = [
            |consumer| consumer.close(SOON),
            |consumer| consumer.close(Wait::no()),
            |consumer| consumer.close(SOON),
            |consumer| consumer.stop(SOON),
        ];
        for ends in ends {
            let (consumer, runs, end) = (consumer.clone(), runs.clone(), end.clone());
            scope.spawn(move || {
                let ended = ends(&consumer);
                assert!(ended.is_ok() || ended.is_err_and(|error| error.is_timeout()));
                end.send(runs.load(Ordering::SeqCst)).unwrap();
            });
        }
        let early = ended.recv_timeout(Duration::from_millis(200));
        leave.send(()).unwrap();
        assert!(early.is_err(), "one has returned while the callback runs");
        (0..4).for_each(|_| assert!(!ended.recv_timeout(SOON).unwrap()));
    });
    assert_eq!(consumer.state(), ConsumerState::Closed);
    consumer.close(SOON).unwrap();
}

#[test]
fn of_two_threads_that_start_a_consumer_with_a_callback_one_is_refused() {
    let fixture = Fixture::new();
    let subscription = fixture.subscription(&filled(&fixture, 1, 0));
    for _ in 0..50 {
        let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
        let started = thread::scope(|scope| {
            let start = || consumer.start_with(|_, _| Next::Processed);
            let threads = [scope.spawn(start), scope.spawn(start)];
            threads.map(|thread| thread.join().unwrap().map_err(|error| error.kind()))
        });
        assert!(started.contains(&Ok(())) && started.contains(&Err(ErrorKind::InvalidState)), "{started:?}");
        consumer.close(SOON).unwrap();
    }
}

#[test]
fn a_close_succeeds_whatever_status_a_server_sends_for_it_and_not_with_those_of_failures() {
    // UNKNOWN of one build, CANCELLED of old ones, ABORTED when the consumer was dropped meanwhile.
    for (status, taken) in [(0, true), (2, true), (1, true), (10, true), (14, false), (13, false)] {
        let fixture = Fixture::new();
        let stream = filled(&fixture, 1, 3);
        let subscription = fixture.subscription(&stream);
        let consumer = fixture.client.consumer(&subscription, quick().ack_batch(100, SOON)).unwrap();
        receive(&consumer, 3).iter().for_each(|batch| consumer.ack_batch(batch).unwrap());
        fixture.server.faults().half_closed(status, "as built");
        let limit = if taken { SOON } else { Duration::from_millis(300) };
        let closed = consumer.close(limit);
        assert_eq!(closed.is_ok(), taken, "{status}: {closed:?}");
        assert!(taken || closed.unwrap_err().is_timeout(), "{status}: it tries again");
        fixture.server.faults().half_closed(0, "");
        assert_all_acked(&fixture, &subscription);
    }
}

#[test]
fn a_consumer_has_a_connection_of_its_own() {
    let fixture = Fixture::new();
    let (client, faults) = (Client::connect(fixture.server.url()).unwrap(), fixture.server.faults());
    let [one, other] = [1, 2].map(|shards| fixture.subscription(&fixture.stream(shards)));
    let consumers = [&one, &other, &other].map(|subscription| {
        let consumer = client.consumer(subscription, quick()).unwrap();
        consumer.start().unwrap();
        consumer
    });
    wait_until("all are there", || {
        let there = |subscription| client.list_consumers(subscription).unwrap().len();
        (there(&one), there(&other)) == (1, 2)
    });
    let fetches = faults.calls("StreamingFetch");
    assert_eq!(faults.break_connections(&one), 1);
    wait_until("that one is back", || {
        faults.calls("StreamingFetch") > fetches && client.list_consumers(&one).unwrap().len() == 1
    });
    assert!(consumers[0].last_error().is_some());
    assert_eq!(faults.calls("StreamingFetch"), fetches + 1, "the others were not disturbed");
    assert!(consumers[1..].iter().all(|consumer| consumer.last_error().is_none()));
    assert_eq!(client.metrics().nodes.iter().map(|node| node.failures).sum::<u64>(), 0, "nor were calls");
}
