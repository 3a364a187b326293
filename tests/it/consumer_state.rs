//! What a consumer knows of its own records: what is unacked, what it waits for, what it can't read.

use std::sync::mpsc;
use std::time::Duration;

use hstreamdb::{
    BadBatch, Client, ClientConfig, Consumer, ConsumerConfig, ErrorKind, EventKind, Record, RecordId,
    SubscriptionOptions, WaitingFor,
};

use crate::support::{Fixture, SOON, ids, receive, texts, wait_until};

fn append(fixture: &Fixture, stream: &str, count: usize) -> Vec<RecordId> {
    let records: Vec<_> = (0..count).map(|number| Record::raw(number.to_string())).collect();
    fixture.client.append(stream, &records, hstreamdb::Compression::none()).unwrap()
}

fn consumer_of(fixture: &Fixture, subscription: &str) -> Consumer {
    fixture.client.consumer(subscription, ConsumerConfig::new()).unwrap()
}

#[test]
fn all_up_to_a_record_are_acked_and_the_rest_comes_again() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let options = SubscriptionOptions::new().ack_timeout(Duration::from_secs(1));
    let subscription = fixture.subscription_with(&stream, options);
    let all: Vec<_> = (0..4).flat_map(|_| append(&fixture, &stream, 3)).collect();
    let consumer = consumer_of(&fixture, &subscription);
    let received = receive(&consumer, 12);
    assert_eq!(consumer.unacked_records(), 12);
    assert!(consumer.oldest_unacked().is_some());
    consumer.ack(&[all[8]]).unwrap();
    consumer.ack_up_to(all[6]).unwrap();
    assert_eq!(consumer.unacked_records(), 4);
    // Acking again changes nothing, also in another form.
    consumer.ack_up_to(all[6]).unwrap();
    consumer.ack(&all[..2]).unwrap();
    assert_eq!(consumer.unacked_records(), 4);
    let again = receive(&consumer, 4);
    assert_eq!(ids(&again).into_iter().collect::<Vec<_>>(), [all[7], all[9], all[10], all[11]]);
    received.iter().chain(&again).for_each(|batch| consumer.ack_batch(batch).unwrap());
    assert_eq!((consumer.unacked_records(), consumer.oldest_unacked()), (0, None));
    let foreign = RecordId::new(7, 7, 7);
    assert_eq!(consumer.ack_up_to(foreign).unwrap_err().kind(), ErrorKind::InvalidArgument);
    consumer.close(SOON).unwrap();
    assert!(consumer.ack_up_to(all[0]).unwrap_err().is_closed());
}

#[test]
fn a_consumer_that_receives_nothing_says_what_it_waits_for() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription_with(&stream, SubscriptionOptions::new().max_unacked_records(4));
    // Full with what the server may send before it waits for acks, and not with what is left then.
    let config = ConsumerConfig::new().prefetch(3, 1 << 20);
    let consumer = fixture.client.consumer(&subscription, config).unwrap();
    assert_eq!(consumer.waiting_for(), WaitingFor::Connection);
    consumer.start().unwrap();
    wait_until("it waits for records", || consumer.waiting_for() == WaitingFor::Records);
    (0..6).for_each(|_| drop(append(&fixture, &stream, 1)));
    wait_until("its buffer is full", || consumer.waiting_for() == WaitingFor::Buffer);
    let received = receive(&consumer, 4);
    wait_until("it waits for acks", || consumer.waiting_for() == WaitingFor::Acks);
    // The server may have sent one more before it saw that these are the most.
    received.iter().for_each(|batch| consumer.ack_batch(batch).unwrap());
    receive(&consumer, 2);
    fixture.server.faults().next("LookupSubscription").always().refuse(14, "not now");
    fixture.server.faults().break_connections(&subscription);
    wait_until("it has no connection", || consumer.waiting_for() == WaitingFor::Connection);
}

/// A client that tells its events, and where.
fn telling(fixture: &Fixture) -> (Client, mpsc::Receiver<(EventKind, String)>) {
    let (sender, events) = mpsc::channel();
    let config = ClientConfig::new(fixture.server.url()).on_event(move |event| {
        let _ = sender.send((event.kind(), event.to_string()));
    });
    (Client::connect(config).unwrap(), events)
}

fn next(events: &mpsc::Receiver<(EventKind, String)>, kind: EventKind) -> String {
    loop {
        let (found, text) = events.recv_timeout(SOON).unwrap();
        if found == kind {
            return text;
        }
    }
}

#[test]
fn records_that_are_not_acked_in_time_are_told_of_once_and_count_no_more() {
    let fixture = Fixture::new();
    let (client, events) = telling(&fixture);
    let stream = fixture.stream(1);
    let options = SubscriptionOptions::new().ack_timeout(Duration::from_secs(1));
    let subscription = fixture.subscription_with(&stream, options);
    append(&fixture, &stream, 5);
    let consumer = client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    receive(&consumer, 5);
    let text = next(&events, EventKind::AcksOverdue);
    assert!(text.contains("5 records") && text.contains(&subscription), "{text}");
    let again = receive(&consumer, 5);
    assert_eq!(consumer.unacked_records(), 5);
    again.iter().for_each(|batch| consumer.ack_batch(batch).unwrap());
    consumer.close(SOON).unwrap();
    client.close(SOON).unwrap();
    assert!(events.iter().all(|(kind, _)| kind != EventKind::AcksOverdue));
}

#[test]
fn a_batch_that_cannot_be_read_is_told_of_and_handed_out_as_the_policy_says() {
    for policy in [BadBatch::Report, BadBatch::Raw, BadBatch::Fail] {
        let fixture = Fixture::new();
        let (client, events) = telling(&fixture);
        let stream = fixture.stream(1);
        let subscription = fixture.subscription(&stream);
        let first = append(&fixture, &stream, 1);
        let config = ConsumerConfig::new().bad_batch(policy);
        let consumer = client.consumer(&subscription, config).unwrap();
        receive(&consumer, 1);
        let bad: Vec<_> = (0..3).map(|index| RecordId::new(first[0].shard_id, 1, index)).collect();
        assert_eq!(fixture.server.faults().deliver(&subscription, &bad, 1, b"no gzip"), 1);
        append(&fixture, &stream, 2);
        if policy == BadBatch::Fail {
            let error = consumer.poll(10, SOON).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Compression);
            assert_eq!(consumer.poll(10, SOON).unwrap_err().kind(), ErrorKind::Compression);
        } else {
            let received = receive(&consumer, 5);
            let records: Vec<_> = received.iter().flat_map(|batch| batch.iter()).collect();
            assert_eq!(records.iter().filter(|record| record.error().is_some()).count(), 3);
            let raw = (policy == BadBatch::Raw).then_some((1, &b"no gzip"[..]));
            assert!(
                records[..3].iter().all(|record| record.raw_batch() == raw && record.payload().is_empty())
            );
            assert!(records[3..].iter().all(|record| record.raw_batch().is_none()));
            assert_eq!(texts(&received)[3..], ["0", "1"]);
            received.iter().for_each(|batch| consumer.ack_batch(batch).unwrap());
        }
        let text = next(&events, EventKind::BadBatch);
        assert!(text.contains(&bad[0].to_string()) && text.contains("3 records"), "{text}");
        consumer.close(SOON).unwrap();
    }
}
