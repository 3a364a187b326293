//! The contract in bytes: batches that other encoders made.
//!
//! The fixtures under `tests/fixtures` were written by the published Python client and by encoders of other
//! projects; `tests/interop` has the programs that made them. Here they take the whole way of a delivery.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hstreamdb::{ReceivedRecord, RecordId, RecordKind};
use prost::Message;
use serde_json::Value;

use crate::support::{Fixture, SOON};

/// The fields of `BatchedRecord` that a delivery needs.
#[derive(Clone, PartialEq, Message)]
struct BatchedRecord {
    #[prost(int32, tag = "1")]
    compression: i32,
    #[prost(uint32, tag = "3")]
    size: u32,
    #[prost(bytes = "vec", tag = "4")]
    payload: Vec<u8>,
}

#[test]
fn batches_of_the_published_python_client_are_read() {
    check_all("python-client");
}

#[test]
fn batches_of_other_encoders_are_read_or_refused_one_by_one() {
    check_all("other-encoders");
}

fn check_all(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let index: Value = serde_json::from_str(&fs::read_to_string(folder.join("index.json")).unwrap()).unwrap();
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let shard = fixture.client.list_shards(&stream).unwrap().shards()[0].id();
    let subscription = fixture.subscription(&stream);
    let consumer = fixture.client.consumer(&subscription, Default::default()).unwrap();
    consumer.start().unwrap();
    crate::support::wait_until("the consumer is known", || {
        !fixture.client.list_consumers(&subscription).unwrap().is_empty()
    });
    for (number, entry) in index.as_array().unwrap().iter().enumerate() {
        let file = folder.join(entry["file"].as_str().unwrap());
        if entry["compression"] == "zstd" && cfg!(not(feature = "zstd")) {
            continue;
        }
        let batch = BatchedRecord::decode(fs::read(&file).unwrap().as_slice()).unwrap();
        let id = |index| RecordId::new(shard, 1 + number as u64, index);
        let ids: Vec<_> = (0..batch.size).map(id).collect();
        let delivered =
            fixture.server.faults().deliver(&subscription, &ids, batch.compression, &batch.payload);
        assert_eq!(delivered, 1);
        let received = consumer.poll(ids.len(), SOON).unwrap().unwrap();
        assert_eq!(received.ids().collect::<Vec<_>>(), ids, "{}", file.display());
        check_batch(&file, entry, &received.iter().collect::<Vec<_>>());
    }
}

fn check_batch(file: &Path, entry: &Value, received: &[ReceivedRecord<'_>]) {
    if entry["error"] == true {
        assert!(received.iter().any(|record| record.error().is_some()), "{} was read", file.display());
        return;
    }
    let expected = entry["records"].as_array().unwrap();
    assert_eq!(received.len(), expected.len(), "{}", file.display());
    for (record, expected) in received.iter().zip(expected) {
        assert!(record.error().is_none(), "{}: {:?}", file.display(), record.error());
        assert_eq!(record.key(), expected["key"], "{}", file.display());
        let attributes: Value =
            record.attributes().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        assert_eq!(attributes, expected["attributes"], "{}", file.display());
        match record.kind() {
            RecordKind::Json => {
                assert_eq!(expected["kind"], "json", "{}", file.display());
                let json: Value =
                    serde_json::from_str(&record.to_hrecord().unwrap().to_json().unwrap()).unwrap();
                assert_eq!(as_doubles(json), as_doubles(expected["payload"].clone()), "{}", file.display());
            }
            _ => {
                assert_eq!(expected["kind"], "raw", "{}", file.display());
                assert_eq!(BASE64.encode(record.payload()), expected["payload"], "{}", file.display());
            }
        }
    }
}

/// Numbers are doubles on the wire; whether JSON writes 1 or 1.0 does not matter.
fn as_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64().unwrap()),
        Value::Array(values) => values.into_iter().map(as_doubles).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, as_doubles(value))).collect(),
        other => other,
    }
}
