//! What consumers meet.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use hstreamdb::{
    Client, ClientConfig, ConsumerConfig, Event, EventKind, Next, Record, RecordId, SubscriptionOptions,
};

use crate::support::{Fixture, SOON, receive, wait_until};

/// A client that tells its events of one kind.
fn telling(fixture: &Fixture, kind: EventKind) -> (Client, mpsc::Receiver<String>) {
    let (sender, events) = mpsc::channel();
    let sender = Mutex::new(sender);
    let config = ClientConfig::new(fixture.server.url()).on_event(move |event: &Event| {
        if event.kind() == kind {
            let _ = sender.lock().unwrap().send(event.to_string());
        }
    });
    (Client::connect(config).unwrap(), events)
}

pub(crate) fn name_taken() -> Vec<String> {
    let fixture = Fixture::new();
    let subscription = fixture.subscription(&fixture.stream(1));
    let quick = || {
        let config = ConsumerConfig::new().name("worker");
        config.reconnect(Duration::from_millis(1), Duration::from_millis(5))
    };
    let first = fixture.client.consumer(&subscription, quick()).unwrap();
    first.start().unwrap();
    wait_until("it is there", || !fixture.client.list_consumers(&subscription).unwrap().is_empty());
    let second = fixture.client.consumer(&subscription, quick()).unwrap();
    vec![second.poll(1, SOON).unwrap_err().to_string()]
}

pub(crate) fn acks_overdue() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let options = SubscriptionOptions::new().ack_timeout(Duration::from_secs(1));
    let subscription = fixture.subscription_with(&stream, options);
    let (client, events) = telling(&fixture, EventKind::AcksOverdue);
    client.append_one(&stream, &Record::raw("x")).unwrap();
    let consumer = client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    receive(&consumer, 1);
    vec![events.recv_timeout(SOON).unwrap()]
}

pub(crate) fn bad_batch() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let (client, events) = telling(&fixture, EventKind::BadBatch);
    let first = client.append_one(&stream, &Record::raw("x")).unwrap();
    let consumer = client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    receive(&consumer, 1);
    let bad = RecordId::new(first.shard_id, first.batch_id + 1, 0);
    assert_eq!(fixture.server.faults().deliver(&subscription, &[bad], 1, b"no gzip"), 1);
    let received = receive(&consumer, 1);
    let error = received[0].iter().next().and_then(|record| record.error().map(ToString::to_string));
    vec![events.recv_timeout(SOON).unwrap(), error.expect("the record can't be read")]
}

pub(crate) fn foreign_ack() -> Vec<String> {
    let fixture = Fixture::new();
    let consumer =
        fixture.client.consumer(&fixture.subscription(&fixture.stream(1)), ConsumerConfig::new()).unwrap();
    vec![consumer.ack(&[RecordId::new(7, 7, 7)]).unwrap_err().to_string()]
}

pub(crate) fn polled_with_callback() -> Vec<String> {
    let fixture = Fixture::new();
    let consumer =
        fixture.client.consumer(&fixture.subscription(&fixture.stream(1)), ConsumerConfig::new()).unwrap();
    consumer.start_with(|_, _| Next::Processed).unwrap();
    vec![consumer.poll(1, SOON).unwrap_err().to_string()]
}
