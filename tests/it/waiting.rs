//! Where calls may be made from, and what ends them.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::{Cancel, Client, ConsumerConfig, ErrorKind, ProducerConfig, Record, Wait};

use crate::support::{Fixture, SOON, receive, wait_until};

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
