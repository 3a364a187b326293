//! The library and its embedded server against software that others made: the published Python client, and
//! the published gRPC stubs.
//!
//! `HSTREAM_PYTHON` names a Python that has them (`tests/interop/setup.sh` makes one). Without it the cases
//! are reported as ignored, which is what `cargo test` does on a machine that has not asked for them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hstreamdb::dev_server::DevServer;
use hstreamdb::{
    Client, Compression, ConsumerConfig, ProducerConfig, Record, RecordKind, StartAt, StreamOptions,
    SubscriptionOptions,
};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);
const COUNT: usize = 50;

/// What is done with the Python that has the published client.
type Case = Box<dyn FnOnce(&Path) -> Result<(), Failed> + Send>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let python = std::env::var_os("HSTREAM_PYTHON").map(PathBuf::from);
    let why =
        if python.is_some() { "" } else { " [HSTREAM_PYTHON names no Python that has the published client]" };
    let case = |name: String, run: Case| {
        let python = python.clone();
        let ignored = python.is_none();
        Trial::test(name + why, move || run(&python.unwrap_or_default())).with_ignored_flag(ignored)
    };
    let mut trials = Vec::new();
    for format in ["raw", "str", "json"] {
        for compression in ["none", "gzip"] {
            trials.push(case(
                format!("the_python_client_writes_{format}_{compression}_and_we_read"),
                Box::new(move |python| python_writes(python, format, compression)),
            ));
        }
        trials.push(case(
            format!("the_python_clients_buffered_producer_writes_{format}_and_we_read"),
            Box::new(move |python| python_buffers(python, format)),
        ));
    }
    for (name, compression) in [("none", Compression::none()), ("gzip", Compression::gzip())] {
        trials.push(case(
            format!("we_write_{name}_and_the_python_client_reads"),
            Box::new(move |python| python_reads(python, compression)),
        ));
    }
    trials.push(case("the_published_descriptors_agree".into(), Box::new(descriptors)));
    trials.push(case("the_published_api_is_the_one_that_has_its_match".into(), Box::new(signatures)));
    trials.push(case("published_software_drives_clusters_of_one_and_three_nodes".into(), Box::new(clusters)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// Runs a script to its end, and returns the lines of its standard output.
fn run(python: &Path, name: &str, arguments: &[&str]) -> Result<Vec<String>, Failed> {
    let output = Command::new(python).arg(script(name)).args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text.lines().map(str::to_owned).collect());
    }
    Err(format!(
        "{name} {arguments:?}: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )
    .into())
}

struct Setup {
    client: Client,
    server: DevServer,
}

fn setup(shards: u32) -> Result<Setup, Failed> {
    let server = DevServer::start()?;
    let client = Client::connect(server.url())?;
    client.create_stream("s", StreamOptions::new().shard_count(shards))?;
    client.create_subscription("sub", "s", SubscriptionOptions::new().start(StartAt::Earliest))?;
    Ok(Setup { client, server })
}

/// A record as `peer.py` describes it.
fn describe(record: &hstreamdb::ReceivedRecord<'_>) -> Result<Value, Failed> {
    let (kind, payload) = match record.kind() {
        RecordKind::Json => ("json", serde_json::from_str(&record.to_hrecord()?.to_json()?)?),
        _ => ("raw", Value::from(BASE64.encode(record.payload()))),
    };
    Ok(
        json!({"id": record.id().to_string(), "key": record.key(), "kind": kind, "payload": payload, "attributes": {}}),
    )
}

fn receive_all(client: &Client) -> Result<Vec<Value>, Failed> {
    let consumer = client.consumer("sub", ConsumerConfig::new())?;
    let mut records = Vec::new();
    while records.len() < COUNT {
        let batch = consumer.poll(COUNT, SOON)?.ok_or("not all records came")?;
        for record in batch.iter() {
            records.push(describe(&record)?);
        }
        consumer.ack_batch(&batch)?;
    }
    consumer.close(SOON)?;
    Ok(records)
}

fn payload(format: &str, number: usize) -> Value {
    match format {
        "raw" => BASE64.encode([format!("raw-{number}").as_bytes(), b"\x00\xff"].concat()).into(),
        "str" => BASE64.encode(format!("text-{number} grüße 你好")).into(),
        _ => {
            json!({"n": number, "text": format!("text-{number} 你好"), "nested": {"list": [1, 2.5, null, true]}})
        }
    }
}

fn python_writes(python: &Path, format: &str, compression: &str) -> Result<(), Failed> {
    let Setup { client, server } = setup(4)?;
    let url = server.url();
    let count = COUNT.to_string();
    let arguments = [
        "write",
        &url,
        "s",
        "--format",
        format,
        "--compression",
        compression,
        "--count",
        &count,
        "--key",
        "key-1",
    ];
    let written = run(python, "peer.py", &arguments)?;
    let received = receive_all(&client)?;
    let kind = if format == "json" { "json" } else { "raw" };
    for (number, (line, record)) in written.iter().zip(&received).enumerate() {
        let id = serde_json::from_str::<Value>(line)?["id"].clone();
        let expected = json!({"id": id, "key": "key-1", "kind": kind, "payload": payload(format, number), "attributes": {}});
        assert_eq!(*record, expected);
    }
    assert_eq!(written.len(), COUNT);
    Ok(())
}

fn python_buffers(python: &Path, format: &str) -> Result<(), Failed> {
    let Setup { client, server } = setup(1)?;
    let url = server.url();
    let count = COUNT.to_string();
    run(
        python,
        "peer.py",
        &[
            "write",
            &url,
            "s",
            "--format",
            format,
            "--compression",
            "none",
            "--count",
            &count,
            "--via",
            "buffered",
        ],
    )?;
    let payloads: Vec<_> =
        receive_all(&client)?.into_iter().map(|record| record["payload"].clone()).collect();
    assert_eq!(payloads, (0..COUNT).map(|number| payload(format, number)).collect::<Vec<_>>());
    Ok(())
}

fn python_reads(python: &Path, compression: Compression) -> Result<(), Failed> {
    let Setup { client, server } = setup(1)?;
    let producer = client.producer(ProducerConfig::new().compression(compression).batch_records(7))?;
    let record = |number: usize| -> hstreamdb::Result<Record> {
        Ok(match number % 2 {
            0 => Record::raw(
                BASE64.decode(payload("raw", number).as_str().unwrap_or_default()).unwrap_or_default(),
            ),
            _ => Record::json(&payload("json", number).to_string())?,
        }
        .with_key("你好")
        .with_attribute("origin", "test"))
    };
    for number in 0..COUNT {
        producer.append("s", &record(number)?)?;
    }
    producer.close(SOON)?;
    let count = COUNT.to_string();
    let read = run(python, "peer.py", &["read", &server.url(), "sub", "--count", &count])?;
    assert_eq!(read.len(), COUNT);
    for (number, line) in read.iter().enumerate() {
        let line: Value = serde_json::from_str(line)?;
        let format = if number % 2 == 0 { "raw" } else { "json" };
        assert_eq!((&line["kind"], &line["key"]), (&json!(format), &json!("你好")));
        assert_eq!(line["attributes"], json!({"origin": "test"}));
        assert_eq!(as_doubles(line["payload"].clone()), as_doubles(payload(format, number)));
    }
    Ok(())
}

/// Numbers are doubles on the wire; whether JSON writes 1 or 1.0 does not matter.
fn as_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(values) => values.into_iter().map(as_doubles).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, as_doubles(value))).collect(),
        other => other,
    }
}

fn descriptors(python: &Path) -> Result<(), Failed> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/hstream.proto");
    run(python, "descriptors.py", &[&proto.to_string_lossy()]).map(drop)
}

/// What `parity.rs` holds against this library's API is all that the published package has.
fn signatures(python: &Path) -> Result<(), Failed> {
    let published = run(python, "signatures.py", &[])?;
    let known: Vec<&str> = include_str!("parity/published.txt").lines().collect();
    assert_eq!(published, known, "write tests/parity/published.txt anew with tests/interop/signatures.py");
    Ok(())
}

/// Every call of the published stubs, and the published client's journey with the node that it uses killed,
/// against the program as a user of another language would meet it.
fn clusters(python: &Path) -> Result<(), Failed> {
    let lines = run(python, "clusters.py", &[env!("CARGO_BIN_EXE_hstream-dev-server")])?;
    assert!(!lines.is_empty());
    Ok(())
}
