//! The main job on real input: events from a file go into a stream through the buffered producer, and come
//! back through a subscription, each of them once and in order.
//!
//! `quickstart [--url URL] [--compression none|gzip|zstd] [FILE]`
//!
//! Without a URL it runs on a server of its own, in this process. FILE has a JSON object on each line;
//! without it, real earthquakes are taken (see `examples/data/README.md`).

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use hstreamdb::dev_server::DevServer;
use hstreamdb::{
    Client, Compression, CompressionKind, Consumer, ConsumerConfig, DeleteOptions, Deliveries, HRecord,
    HValue, Next, ProducerConfig, Record, StartAt, StreamOptions, SubscriptionOptions,
};

const USAGE: &str = "usage: quickstart [--url URL] [--compression none|gzip|zstd] [FILE]";
const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/earthquakes.ndjson");
const PATIENCE: Duration = Duration::from_secs(60);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let options = match Options::from_arguments() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("quickstart: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    url: Option<String>,
    compression: Compression,
    file: String,
}

impl Options {
    fn from_arguments() -> Result<Options> {
        use lexopt::prelude::*;
        let mut options = Options { url: None, compression: Compression::none(), file: EVENTS.to_owned() };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("url") => options.url = Some(arguments.value()?.string()?),
                Long("compression") => {
                    options.compression = arguments.value()?.string()?.parse::<CompressionKind>()?.into();
                }
                Value(file) => options.file = file.string()?,
                _ => return Err(argument.unexpected().into()),
            }
        }
        Ok(options)
    }
}

/// One event of the file.
struct Event {
    id: String,
    network: String,
    json: HRecord,
}

fn run(options: &Options) -> Result<()> {
    let events = read_events(&options.file)?;
    let server = match options.url {
        Some(_) => None,
        None => Some(DevServer::start()?),
    };
    let url = options.url.clone().or(server.as_ref().map(DevServer::url)).unwrap_or_default();
    let client = Client::connect(url)?;
    let unique = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    let name = format!("quickstart-{unique:x}");
    client.create_stream(&name, StreamOptions::new().shard_count(4))?;
    let outcome = write_and_read(&client, &name, events, options.compression);
    // Whatever happened: what was created goes.
    let forced = DeleteOptions::new().force().ignore_missing();
    client.delete_subscription(&name, forced)?;
    client.delete_stream(&name, forced)?;
    client.close(PATIENCE)?;
    println!("{}", outcome?);
    Ok(())
}

fn read_events(file: &str) -> Result<Vec<Event>> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            event(line).map_err(|error| format!("{file}, line {}: {error}", index + 1).into())
        })
        .collect()
}

fn event(line: &str) -> Result<Event> {
    let json = HRecord::from_json(line)?;
    let id = json.get("id").and_then(HValue::as_str).ok_or("the event has no id")?.to_owned();
    let properties = json.get("properties").and_then(HValue::as_object);
    let network =
        properties.and_then(|properties| properties.get("net")).and_then(HValue::as_str).unwrap_or("");
    Ok(Event { id, network: network.to_owned(), json })
}

fn write_and_read(
    client: &Client,
    name: &str,
    events: Vec<Event>,
    compression: Compression,
) -> Result<String> {
    let options = SubscriptionOptions::new().start(StartAt::Earliest).ack_timeout(Duration::from_secs(30));
    client.create_subscription(name, name, options)?;
    let expected: Vec<(String, String)> =
        events.iter().map(|event| (event.id.clone(), event.network.clone())).collect();
    let started = Instant::now();
    let written = write(client, name, events, compression)?;
    let wrote_for = started.elapsed();
    let read = Arc::new(Mutex::new(Vec::new()));
    let acked = consume(client, name, expected.len(), &read)?;
    let read = read.lock().map_err(|_| "the consumer's callback panicked")?;
    check(&expected, &read)?;
    let networks = count_by_network(&expected);
    Ok(format!(
        "{} events of {} networks: {}\n\
         {} bytes in {} batches, written in {wrote_for:.1?}; all read and acked after {:.1?}\n\
         {} events written, {} read, {acked} acked",
        expected.len(),
        networks.len(),
        networks.iter().map(|(network, count)| format!("{network} {count}")).collect::<Vec<_>>().join(", "),
        written.bytes,
        written.batches,
        started.elapsed(),
        written.records,
        read.len(),
    ))
}

#[derive(Default)]
struct Written {
    records: usize,
    bytes: usize,
    batches: usize,
    failure: Option<String>,
}

/// Writes the events through the buffered producer, keyed by their network.
fn write(client: &Client, stream: &str, events: Vec<Event>, compression: Compression) -> Result<Written> {
    let written = Arc::new(Mutex::new(Written::default()));
    let reports = written.clone();
    let config =
        ProducerConfig::new().compression(compression).on_delivery(move |deliveries: &Deliveries| {
            let Ok(mut written) = reports.lock() else { return };
            match deliveries.error() {
                None => {
                    written.records += deliveries.len();
                    written.batches += 1;
                }
                Some(error) => {
                    written.failure = Some(format!("{} records were not written: {error}", deliveries.len()))
                }
            }
        });
    let producer = client.producer(config)?;
    let appender = producer.appender(stream)?;
    let mut bytes = 0;
    let total = events.len();
    for (index, event) in events.into_iter().enumerate() {
        let record = Record::hrecord(event.json)?.with_key(event.network);
        bytes += record.encoded_len();
        appender.append(&record).map_err(|error| format!("event {}: {error}", event.id))?;
        progress("written", index + 1, total);
    }
    producer.close(PATIENCE)?;
    let reported = std::mem::take(&mut *written.lock().map_err(|_| "the delivery callback panicked")?);
    match reported.failure {
        Some(failure) => Err(failure.into()),
        None => Ok(Written { bytes, ..reported }),
    }
}

/// Consumes until so many records have come, and acks each batch. Closing makes sure of the acks.
fn consume(
    client: &Client,
    subscription: &str,
    count: usize,
    read: &Arc<Mutex<Vec<(String, String)>>>,
) -> Result<usize> {
    let consumer = client.consumer(subscription, ConsumerConfig::new())?;
    let acked = Arc::new(AtomicUsize::new(0));
    let (sink, counter) = (read.clone(), acked.clone());
    if count > 0 {
        consumer.start_with(move |consumer: &Consumer, batch: &hstreamdb::Batch| {
            let Ok(mut read) = sink.lock() else { return Next::Stop };
            for record in batch.iter() {
                let id =
                    record.to_hrecord().ok().and_then(|event| event.get("id")?.as_str().map(str::to_owned));
                read.push((id.unwrap_or_default(), record.key().to_owned()));
            }
            if consumer.ack_batch(batch).is_ok() {
                counter.fetch_add(batch.len(), Ordering::Relaxed);
            }
            progress("read", read.len(), count);
            if read.len() < count { Next::Processed } else { Next::Stop }
        })?;
        consumer.wait(PATIENCE)?;
    }
    consumer.close(PATIENCE)?;
    Ok(acked.load(Ordering::Relaxed))
}

/// Each event must have come once, and those of a network in the order in which they were written.
fn check(expected: &[(String, String)], read: &[(String, String)]) -> Result<()> {
    let position: HashMap<&str, usize> =
        expected.iter().enumerate().map(|(index, (id, _))| (id.as_str(), index)).collect();
    let mut seen = vec![false; expected.len()];
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (id, key) in read {
        let &index =
            position.get(id.as_str()).ok_or_else(|| format!("`{id}` was read, but never written"))?;
        if std::mem::replace(&mut seen[index], true) {
            return Err(format!("`{id}` was read twice").into());
        }
        if last.insert(key, index).is_some_and(|before| before > index) {
            return Err(format!("`{id}` of the network `{key}` was read out of order").into());
        }
    }
    match seen.iter().position(|seen| !seen) {
        Some(missing) => Err(format!("`{}` was written, but not read", expected[missing].0).into()),
        None => Ok(()),
    }
}

fn count_by_network(events: &[(String, String)]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for (_, network) in events {
        *counts.entry(network.as_str()).or_default() += 1;
    }
    counts
}

/// Shown to people only, and not too often.
fn progress(what: &str, done: usize, total: usize) {
    if std::io::stderr().is_terminal() && (done.is_multiple_of(100) || done == total) {
        eprint!("\r{done} of {total} {what}");
        if done == total {
            eprintln!();
        }
    }
}
