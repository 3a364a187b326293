//! Records that are not written.

use std::time::Duration;

use hstreamdb::{FailurePolicy, Linger, ProducerConfig, Record, StreamOptions};

use crate::support::{Fixture, SOON};

const REFUSAL: &str = "no";

fn record() -> Record {
    Record::raw("x")
}

pub(crate) fn too_large() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    vec![fixture.client.append_one(&stream, &Record::raw(vec![0; 1 << 20])).unwrap_err().to_string()]
}

pub(crate) fn json() -> Vec<String> {
    ["[1]", "{", r#"{"n": 9007199254740993}"#]
        .map(|text| Record::json(text).unwrap_err().to_string())
        .to_vec()
}

pub(crate) fn buffer_full() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(ProducerConfig::new().buffer_bytes(1000)).unwrap();
    let appender = producer.appender(&stream).unwrap();
    let large = Record::raw(vec![0; 800]);
    fixture.server.faults().next("Append").never_answer();
    appender.append(&large).unwrap();
    vec![
        appender.try_append(&large).unwrap_err().to_string(),
        appender.append_tagged(&large, 0, Duration::from_millis(20)).unwrap_err().to_string(),
    ]
}

pub(crate) fn aborted() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    // A record a batch: the first fails, and the second is behind it.
    let config = ProducerConfig::new().batch_records(1).linger(Linger::ByHand);
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").delay(Duration::from_millis(500));
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    let deliveries = [0, 1, 2].map(|_| appender.append_tracked(&record(), SOON).unwrap());
    appender.flush(SOON).unwrap();
    vec![deliveries[2].wait(SOON).unwrap_err().to_string()]
}

pub(crate) fn unknown() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let config = ProducerConfig::new().retry_ambiguous(false).delivery_timeout(Duration::from_millis(500));
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender(&stream).unwrap();
    fixture.server.faults().next("Append").never_answer();
    let error = appender.append_wait(&record(), SOON).unwrap_err();
    assert!(error.is_ambiguous(), "{error:?}");
    vec![error.to_string()]
}

pub(crate) fn stopped() -> Vec<String> {
    let fixture = Fixture::new();
    fixture.client.create_stream("quakes", StreamOptions::new()).unwrap();
    let config = ProducerConfig::new().failure_policy(FailurePolicy::Stop);
    let producer = fixture.client.producer(config).unwrap();
    let appender = producer.appender("quakes").unwrap();
    fixture.server.faults().next("Append").refuse(3, REFUSAL);
    appender.append_wait(&record(), SOON).unwrap_err();
    vec![appender.append(&record()).unwrap_err().to_string()]
}
