//! Appends events through the buffered producer, and counts what became of them.
//!
//! `buffered_append URL STREAM [FILE]`
//!
//! FILE has a JSON object on each line, whose `id` becomes the record's key; without it, real earthquakes are taken
//! (see `examples/data/README.md`). The stream must be there. Exits with 1 if an event was not written.

use std::fs;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hstreamdb::{Client, Deliveries, HRecord, HValue, ProducerConfig, Record};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/earthquakes.ndjson");
const PATIENCE: Duration = Duration::from_secs(60);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, stream, file) = match arguments.as_slice() {
        [url, stream] => (url, stream, EVENTS),
        [url, stream, file] => (url, stream, file.as_str()),
        _ => {
            eprintln!("usage: buffered_append URL STREAM [FILE]");
            return ExitCode::from(2);
        }
    };
    match run(url, stream, file) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("buffered_append: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Outcomes {
    written: usize,
    batches: usize,
    /// Where the first event that was not written stands in the file, and why it was not.
    failure: Option<String>,
}

fn run(url: &str, stream: &str, file: &str) -> Result<String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let client = Client::connect(url)?;
    let outcomes = Arc::new(Mutex::new(Outcomes::default()));
    let told = outcomes.clone();
    let producer = client.producer(ProducerConfig::new().on_delivery(move |deliveries| {
        if let Ok(mut outcomes) = told.lock() {
            note(&mut outcomes, deliveries);
        }
    }))?;
    let appender = producer.appender(stream)?;
    for (number, line) in (1..).zip(text.lines()) {
        let event = HRecord::from_json(line).map_err(|error| format!("{file}, line {number}: {error}"))?;
        let id = event.get("id").and_then(HValue::as_str).unwrap_or_default().to_owned();
        // Being accepted is not being written: the report says what became of it, and brings the tag back.
        appender.append_tagged(&Record::hrecord(event)?.with_key(id), number, PATIENCE)?;
    }
    producer.close(PATIENCE)?;
    client.close(PATIENCE)?;
    let outcomes = outcomes.lock().map_err(|_| "the callback panicked")?;
    match &outcomes.failure {
        Some(failure) => Err(format!("{file}, {failure}").into()),
        None => Ok(format!("{} events written in {} batches", outcomes.written, outcomes.batches)),
    }
}

/// Called on the producer's own thread, batch by batch.
fn note(outcomes: &mut Outcomes, deliveries: &Deliveries) {
    match (deliveries.error(), deliveries.tags().first()) {
        (Some(error), Some(line)) => {
            outcomes.failure.get_or_insert_with(|| format!("line {line}: {error}"));
        }
        _ => {
            outcomes.written += deliveries.len();
            outcomes.batches += 1;
        }
    }
}
