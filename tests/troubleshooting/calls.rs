//! What any call can end with.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use hstreamdb::{Cancel, Client, ClientConfig, ConsumerConfig, Next, ProducerConfig, Record, Wait};

use crate::support::{Fixture, SOON};
use crate::unhurried;

pub(crate) fn would_deadlock() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.client.append_one(&stream, &Record::raw("x")).unwrap();
    let consumer = fixture.client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    let (told, seen) = mpsc::channel();
    let closes_itself = move |consumer: &hstreamdb::Consumer, _: &hstreamdb::Batch| {
        told.send(consumer.close(SOON).unwrap_err().to_string()).unwrap();
        Next::Stop
    };
    consumer.run(closes_itself).unwrap();
    vec![seen.recv_timeout(SOON).unwrap()]
}

pub(crate) fn time_was_up() -> Vec<String> {
    let fixture = Fixture::new();
    let quick = fixture.client.within(Duration::from_millis(100));
    fixture.server.faults().next("Echo").always().never_answer();
    let unanswered = quick.echo("x").unwrap_err().to_string();
    fixture.server.faults().clear();
    fixture.server.faults().next("Echo").always().refuse(14, "not now");
    let patient = Client::connect(unhurried(fixture.server.url())).unwrap();
    let refused = patient.echo("x").unwrap_err().to_string();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(ProducerConfig::new()).unwrap();
    fixture.server.faults().next("Append").never_answer();
    producer.append(&stream, &Record::raw("x")).unwrap();
    let unfinished = producer.flush(Duration::from_millis(20)).unwrap_err().to_string();
    vec![unanswered, refused, unfinished]
}

pub(crate) fn interrupted() -> Vec<String> {
    let fixture = Fixture::new();
    let cancel = Cancel::new().unwrap();
    cancel.trigger();
    let client = fixture.client.within(Wait::forever().or_until(&cancel));
    vec![client.echo("x").unwrap_err().to_string()]
}

pub(crate) fn closed() -> Vec<String> {
    let fixture = Fixture::new();
    fixture.client.close(SOON).unwrap();
    vec![fixture.client.echo("x").unwrap_err().to_string()]
}

pub(crate) fn unknown_option() -> Vec<String> {
    let mut config = ClientConfig::new("hstream://a");
    vec![
        config.set("conect.timeout.ms", "1").unwrap_err().to_string(),
        config.set("connect.timeout.ms", "soon").unwrap_err().to_string(),
    ]
}

/// Only the C library knows of forks. Its test compares the message with this text.
pub(crate) fn forked() -> Vec<String> {
    const TEXT: &str = "was made before a fork; make a new one in the child";
    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/behaviour.c");
    let test = std::fs::read_to_string(test).unwrap();
    let compared = format!("strstr(hstream_error_message(err, NULL), \"{TEXT}\") != NULL");
    assert!(test.contains(&compared), "{compared}");
    vec![format!("the client {TEXT}")]
}
