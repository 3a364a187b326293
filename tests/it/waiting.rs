//! Where calls may be made from, and what ends them.

use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::{
    BufferedProducer, Cancel, Client, Compression, ConsumerConfig, DeleteOptions, ErrorKind, ProducerConfig,
    Record, StartAt, StreamOptions, SubscriptionOptions, Wait,
};

use crate::support::{Fixture, SOON, receive, unique, wait_until};

#[test]
fn all_works_inside_a_foreign_async_runtime() {
    let fixture = Fixture::new();
    for runtime in [
        tokio::runtime::Builder::new_current_thread().build().unwrap(),
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap(),
    ] {
        let url = fixture.server.url();
        runtime.block_on(async {
            let client = Client::connect(&url).unwrap();
            let stream = fixture.stream(1);
            let producer = client.producer(ProducerConfig::new()).unwrap();
            producer.append(&stream, &Record::raw("a")).unwrap();
            producer.flush(SOON).unwrap();
            let consumer = client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
            receive(&consumer, 1);
            // And dropped here, in an order that is as good as any.
            drop(client);
            drop(consumer);
            drop(producer);
        });
        let url = fixture.server.url();
        runtime
            .block_on(async move { tokio::spawn(async move { Client::connect(&url).unwrap() }).await })
            .unwrap();
    }
}

/// Every function that blocks, on things of its own.
fn call_everything(url: &str) {
    let client = Client::connect(url).unwrap();
    let stream = unique("everything");
    client.refresh().unwrap();
    client.echo("x").unwrap();
    client.create_stream(&stream, StreamOptions::new()).unwrap();
    client.get_stream(&stream).unwrap();
    client.stream_exists(&stream).unwrap();
    client.list_streams().unwrap();
    client.list_streams_with_prefix(&stream).unwrap();
    let shard = client.list_shards(&stream).unwrap().shards()[0].id();
    client.shard_for_key(&stream, "k").unwrap();
    client.tail_record_id(&stream, shard).unwrap();
    let options = SubscriptionOptions::new().start(StartAt::Earliest);
    client.create_subscription(&stream, &stream, options).unwrap();
    client.get_subscription(&stream).unwrap();
    client.subscription_exists(&stream).unwrap();
    client.list_subscriptions().unwrap();
    client.list_subscriptions_with_prefix(&stream).unwrap();
    client.list_consumers(&stream).unwrap();
    let (record, none) = (Record::raw("x"), Compression::none());
    client.append(&stream, std::slice::from_ref(&record), Compression::gzip()).unwrap();
    client.append_each(&stream, std::slice::from_ref(&record), none).unwrap();
    client.append_one(&stream, &record).unwrap();
    client.append_to_shard(&stream, shard, std::slice::from_ref(&record), none).unwrap();

    let producer = client.producer(ProducerConfig::new().poll_reports()).unwrap();
    let appender = producer.appender(&stream).unwrap();
    producer.append(&stream, &record).unwrap();
    producer.poll(SOON).unwrap().unwrap();
    producer.flush(SOON).unwrap();
    appender.append(&record).unwrap();
    producer.poll(SOON).unwrap().unwrap();
    appender.flush(SOON).unwrap();
    appender.flush_shard(shard, SOON).unwrap();
    appender.flush_key("k", SOON).unwrap();
    appender.append_tracked(&record, SOON).unwrap().wait(SOON).unwrap();
    appender.append_wait(&record, SOON).unwrap();
    producer.close(SOON).unwrap();

    let consumer = client.consumer(&stream, ConsumerConfig::new()).unwrap();
    consumer.start().unwrap();
    let batch = consumer.poll(1, SOON).unwrap().unwrap();
    consumer.ack(&batch.ids().collect::<Vec<_>>()).unwrap();
    consumer.ack_batch(&consumer.batches().next().unwrap().unwrap()).unwrap();
    consumer.flush_acks(SOON).unwrap();
    consumer.stop(SOON).unwrap();
    consumer.wait(SOON).unwrap();
    consumer.close(SOON).unwrap();
    let other = unique("other");
    client.create_subscription(&other, &stream, SubscriptionOptions::new().start(StartAt::Earliest)).unwrap();
    let consumer = client.consumer(&other, ConsumerConfig::new()).unwrap();
    consumer.run(|_, _| hstreamdb::Next::Stop).unwrap();
    consumer.close(SOON).unwrap();
    for subscription in [&stream, &other] {
        client.delete_subscription(subscription, DeleteOptions::new().force()).unwrap();
    }
    client.delete_stream(&stream, DeleteOptions::new()).unwrap();
    client.close(SOON).unwrap();
}

#[test]
fn every_function_that_blocks_works_inside_a_foreign_async_runtime() {
    let fixture = Fixture::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { call_everything(&fixture.server.url()) });
}

#[test]
fn every_function_that_blocks_works_in_callbacks() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (url, also_url) = (fixture.server.url(), fixture.server.url());
    let (told, seen) = mpsc::channel();
    let also_told = told.clone();
    let config = ProducerConfig::new().on_delivery(move |_| {
        call_everything(&url);
        told.send("delivery").unwrap();
    });
    let producer = fixture.client.producer(config).unwrap();
    producer.append(&stream, &Record::raw("a")).unwrap();
    assert_eq!(seen.recv_timeout(SOON), Ok("delivery"));
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    consumer
        .run(move |_, _| {
            call_everything(&also_url);
            also_told.send("batch").unwrap();
            hstreamdb::Next::Stop
        })
        .unwrap();
    assert_eq!(seen.recv_timeout(SOON), Ok("batch"));
}

#[test]
fn what_would_wait_for_its_own_callback_says_so() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let (told, seen) = mpsc::channel();
    let own: Arc<OnceLock<BufferedProducer>> = Arc::default();
    let in_callback = own.clone();
    let config = ProducerConfig::new().on_delivery(move |deliveries| {
        let Some(producer) = in_callback.get() else { return };
        let appender = producer.appender(deliveries.stream()).unwrap();
        let errors = [
            producer.flush(SOON).map(drop),
            producer.close(SOON).map(drop),
            appender.flush(SOON).map(drop),
            appender.append_wait(&Record::raw("x"), SOON).map(drop),
        ];
        told.send(errors.map(|outcome| outcome.map_err(|error| error.kind()))).unwrap();
    });
    let producer = fixture.client.producer(config).unwrap();
    let _ = own.set(producer.clone());
    producer.append(&stream, &Record::raw("a")).unwrap();
    assert_eq!(seen.recv_timeout(SOON).unwrap(), [Err(ErrorKind::WouldDeadlock); 4]);

    let consumer = fixture.client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    let (told, seen) = mpsc::channel();
    consumer
        .start_with(move |consumer, _| {
            let errors = [consumer.wait(SOON), consumer.close(SOON)];
            told.send(errors.map(|outcome| outcome.map_err(|error| error.kind()))).unwrap();
            consumer.stop(SOON).unwrap();
            hstreamdb::Next::Processed
        })
        .unwrap();
    assert_eq!(seen.recv_timeout(SOON).unwrap(), [Err(ErrorKind::WouldDeadlock); 2]);
    consumer.wait(SOON).unwrap();
}

#[test]
fn calls_of_every_kind_work_in_callbacks() {
    let fixture = Fixture::new();
    let (stream, other) = (fixture.stream(1), fixture.stream(1));
    let (client, also_client) = (fixture.client.clone(), fixture.client.clone());
    let (told, seen) = mpsc::channel();
    let config =
        ProducerConfig::new().on_delivery(move |_| told.send(client.get_stream(&other).is_ok()).unwrap());
    let producer = fixture.client.producer(config).unwrap();
    producer.append(&stream, &Record::raw("a")).unwrap();
    assert!(seen.recv_timeout(SOON).unwrap());
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    let (told, seen) = mpsc::channel();
    consumer
        .start_with(move |_, _| {
            told.send(also_client.echo("x").is_ok()).unwrap();
            hstreamdb::Next::Stop
        })
        .unwrap();
    assert!(seen.recv_timeout(SOON).unwrap());
    consumer.wait(SOON).unwrap();
}

#[test]
fn closing_the_client_ends_blocked_calls_at_once() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    fixture.server.faults().next("GetStream").times(10).never_answer();
    thread::scope(|scope| {
        let call = scope.spawn(|| fixture.client.get_stream(&stream).map(drop));
        let poll = scope.spawn(|| consumer.poll(1, Wait::forever()).map(drop));
        wait_until("the call arrives", || fixture.server.faults().calls("GetStream") > 0);
        let started = Instant::now();
        fixture.client.close(SOON).unwrap();
        assert!(started.elapsed() < Duration::from_secs(4));
        assert!(call.join().unwrap().unwrap_err().is_closed());
        assert!(poll.join().unwrap().unwrap_err().is_closed());
    });
    assert!(fixture.client.echo("x").unwrap_err().is_closed());
    assert!(fixture.client.producer(ProducerConfig::new()).unwrap_err().is_closed());
    fixture.client.close(SOON).unwrap();
}

#[test]
fn closing_the_client_ends_an_append_that_waits_for_room() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.server.faults().next("Append").always().ignore();
    let config = ProducerConfig::new().buffer_bytes(1000);
    let producer = fixture.client.producer(config).unwrap();
    let record = Record::raw(vec![b'x'; 800]);
    producer.append(&stream, &record).unwrap();
    let error = ended_by_close(&fixture.client, || true, || producer.append(&stream, &record));
    assert!(error.is_closed(), "{error:?}");
}

#[test]
fn closing_the_client_ends_flushes_and_waits_for_deliveries() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.server.faults().next("Append").always().ignore();
    let producer = fixture.client.producer(ProducerConfig::new()).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let delivery = appender.append_tracked(&Record::raw("x"), SOON).unwrap();
    thread::scope(|scope| {
        let flush = scope.spawn(|| producer.flush(Wait::forever()));
        let wait = scope.spawn(|| appender.append_wait(&Record::raw("y"), Wait::forever()));
        wait_until("both are accepted", || producer.pending_records() == 2);
        let closer = scope.spawn(|| fixture.client.close(SOON));
        // At once, while the records have all the time of the close.
        assert!(flush.join().unwrap().unwrap_err().is_closed());
        let error = wait.join().unwrap().unwrap_err();
        assert!(error.is_closed() && error.is_ambiguous(), "{error:?}");
        assert!(delivery.try_get().is_none() && !closer.is_finished());
        fixture.server.faults().clear();
        closer.join().unwrap().unwrap();
        assert!(delivery.wait(SOON).is_ok());
    });
}

#[test]
fn closing_the_client_ends_an_append_at_once() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.server.faults().next("Append").always().ignore();
    let is_sent = || fixture.server.faults().calls("Append") > 0;
    let append = || fixture.client.append_one(&stream, &Record::raw("x"));
    let error = ended_by_close(&fixture.client, is_sent, append);
    assert!(error.is_closed() && error.is_ambiguous(), "{error:?}");
}

#[test]
fn closing_the_client_ends_whoever_waits_for_a_consumer() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    consumer.start_with(|_, _| hstreamdb::Next::Stop).unwrap();
    thread::scope(|scope| {
        let wait = scope.spawn(|| consumer.wait(Wait::forever()));
        let started = Instant::now();
        fixture.client.close(SOON).unwrap();
        wait.join().unwrap().unwrap();
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    });
}

/// Closes the client while the call is blocked, and has come so far, and returns how that ended.
fn ended_by_close<T: Send>(
    client: &Client,
    so_far: impl Fn() -> bool,
    call: impl FnOnce() -> hstreamdb::Result<T> + Send,
) -> hstreamdb::Error {
    let (begun, waits) = mpsc::channel();
    // The close itself goes on, as producers have something on the way that nobody answers.
    let enough = Cancel::new().unwrap();
    thread::scope(|scope| {
        let call = scope.spawn(move || {
            begun.send(std::fs::read_link("/proc/thread-self")).unwrap();
            call()
        });
        let thread = waits.recv().unwrap();
        wait_until("it has come so far", so_far);
        if let Ok(thread) = thread {
            // Where the system tells it, it sleeps by now.
            let stat = std::path::Path::new("/proc").join(thread).join("stat");
            wait_until("it is blocked", || std::fs::read_to_string(&stat).unwrap().contains(") S "));
        }
        let started = Instant::now();
        let close = scope.spawn(|| client.close(Wait::from(SOON).or_until(&enough)));
        let outcome = call.join().unwrap();
        let took = started.elapsed();
        enough.trigger();
        let _ = close.join().unwrap();
        // Now what is on its way is given up.
        let _ = client.close(Wait::no());
        assert!(took < Duration::from_secs(2), "{took:?}");
        let Err(error) = outcome else { panic!("it was not blocked") };
        error
    })
}

#[test]
fn an_interrupted_close_has_lost_nothing_and_can_be_called_again() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let reader = Fixture { client: Client::connect(fixture.server.url()).unwrap(), server: fixture.server };
    reader.server.faults().next("Append").delay(Duration::from_millis(300));
    let producer = fixture.client.producer(ProducerConfig::new()).unwrap();
    producer.append(&stream, &Record::raw("x")).unwrap();
    let cancel = Cancel::new().unwrap();
    cancel.trigger();
    let error = fixture.client.close(Wait::from(SOON).or_until(&cancel)).unwrap_err();
    assert_eq!((error.kind(), producer.pending_records()), (ErrorKind::Interrupted, 1));
    fixture.client.close(SOON).unwrap();
    assert_eq!(producer.pending_records(), 0);
    assert_eq!(reader.content(&stream, 1), ["x"]);
}

#[test]
fn closing_the_client_writes_what_its_producers_hold() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let reader = Fixture { client: Client::connect(fixture.server.url()).unwrap(), server: fixture.server };
    let producer = fixture.client.producer(ProducerConfig::new().linger(hstreamdb::Linger::ByHand)).unwrap();
    (0..10).for_each(|number| producer.append(&stream, &Record::raw(number.to_string())).unwrap());
    fixture.client.close(SOON).unwrap();
    assert!(producer.append(&stream, &Record::raw("late")).unwrap_err().is_closed());
    assert_eq!(reader.content(&stream, 10).len(), 10);
}

#[test]
fn a_cancel_object_ends_the_call_it_was_given_to_and_no_other() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.server.faults().next("GetStream").times(2).delay(Duration::from_millis(600));
    let cancel = Cancel::new().unwrap();
    thread::scope(|scope| {
        let wait = Wait::forever().or_until(&cancel);
        let cancelled = scope.spawn(|| fixture.client.within(wait).get_stream(&stream).map(drop));
        let other = scope.spawn(|| fixture.client.get_stream(&stream).map(drop));
        wait_until("both calls arrive", || fixture.server.faults().calls("GetStream") >= 2);
        cancel.trigger();
        assert_eq!(cancelled.join().unwrap().unwrap_err().kind(), ErrorKind::Interrupted);
        other.join().unwrap().unwrap();
    });
}

#[test]
fn an_interrupted_poll_loses_nothing() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    let cancel = Cancel::new().unwrap();
    cancel.trigger();
    let error = consumer.poll(1, Wait::forever().or_until(&cancel)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    fixture.client.append_one(&stream, &Record::raw("a")).unwrap();
    assert_eq!(receive(&consumer, 1).len(), 1);
}

#[test]
fn handles_may_go_in_any_order() {
    for order in 0..6 {
        let fixture = Fixture::new();
        let stream = fixture.stream(1);
        let client = Client::connect(fixture.server.url()).unwrap();
        let producer = client.producer(ProducerConfig::new()).unwrap();
        let appender = producer.appender(&stream).unwrap();
        appender.append(&Record::raw("a")).unwrap();
        let consumer = client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
        receive(&consumer, 1);
        let mut handles: Vec<Box<dyn Send>> = vec![Box::new(client), Box::new(producer), Box::new(consumer)];
        handles.rotate_left(order % 3);
        if order >= 3 {
            handles.reverse();
        }
        handles.into_iter().for_each(drop);
        assert!(appender.append(&Record::raw("late")).unwrap_err().is_closed());
    }
}
