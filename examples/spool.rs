//! Appends events, keeps those that could not be written in a file, and appends them again at the next start.
//!
//! `spool URL STREAM SPOOL [FILE]`
//!
//! FILE has a JSON object on each line, whose `id` becomes the record's key; without it, real earthquakes are taken
//! (see `examples/data/README.md`). The stream must be there. SPOOL has a line for each record: its key, a tab, its
//! JSON. What is spooled loses its place among the others. Nothing is lost if the program is killed, but some may be
//! written twice then.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hstreamdb::{Appender, Client, Deliveries, HRecord, HValue, ProducerConfig, Record};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/earthquakes.ndjson");
const PATIENCE: Duration = Duration::from_secs(60);
/// A server that is away for longer costs the records a way round.
const DELIVERY: Duration = Duration::from_secs(10);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, stream, spool, file) = match arguments.as_slice() {
        [url, stream, spool] => (url, stream, spool, EVENTS),
        [url, stream, spool, file] => (url, stream, spool, file.as_str()),
        _ => {
            eprintln!("usage: spool URL STREAM SPOOL [FILE]");
            return ExitCode::from(2);
        }
    };
    match run(url, stream, Path::new(spool), file) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("spool: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The file, to whose end failures are written while what it had before is appended again.
struct Spool {
    path: PathBuf,
    file: File,
    before: String,
    written: usize,
    spooled: usize,
    /// The file itself failed, and records are lost.
    failure: Option<io::Error>,
}

impl Spool {
    fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let before = io::read_to_string(&file)?;
        Ok(Spool { path: path.to_owned(), file, before, written: 0, spooled: 0, failure: None })
    }

    /// Called on the producer's own thread, batch by batch.
    fn note(&mut self, deliveries: &Deliveries) {
        if deliveries.error().is_none() {
            self.written += deliveries.len();
            return;
        }
        self.spooled += deliveries.len();
        // Failures lend their records.
        for record in deliveries.records() {
            if let Err(error) = self.keep(&record) {
                self.failure.get_or_insert(error);
            }
        }
    }

    fn keep(&mut self, record: &Record) -> io::Result<()> {
        let json = record.to_hrecord().and_then(|record| record.to_json()).map_err(io::Error::other)?;
        self.file.write_all(format!("{}\t{json}\n", record.key()).as_bytes())
    }

    /// Takes out what was there before, all of which is written by now or stands behind it once more.
    fn finish(&mut self) -> Result<String> {
        if let Some(error) = self.failure.take() {
            return Err(format!("{}: {error}", self.path.display()).into());
        }
        let all = fs::read(&self.path)?;
        let rest = self.path.with_extension("new");
        let mut file = File::create(&rest)?;
        file.write_all(&all[self.before.len()..])?;
        file.sync_all()?;
        fs::rename(&rest, &self.path)?;
        Ok(format!("{} events written, {} spooled", self.written, self.spooled))
    }
}

fn run(url: &str, stream: &str, spool: &Path, file: &str) -> Result<String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let spool = Arc::new(Mutex::new(Spool::open(spool)?));
    let client = Client::connect(url)?;
    let told = spool.clone();
    let config = ProducerConfig::new().delivery_timeout(DELIVERY).on_delivery(move |deliveries| {
        if let Ok(mut spool) = told.lock() {
            spool.note(deliveries);
        }
    });
    let producer = client.producer(config)?;
    let appender = producer.appender(stream)?;
    let before = spool.lock().map_err(|_| "the callback panicked")?.before.clone();
    for line in before.lines() {
        let (key, json) = line.split_once('\t').ok_or("the spool has a line without a tab")?;
        append(&appender, key, HRecord::from_json(json)?)?;
    }
    for (number, line) in (1..).zip(text.lines()) {
        let event = HRecord::from_json(line).map_err(|error| format!("{file}, line {number}: {error}"))?;
        let id = event.get("id").and_then(HValue::as_str).unwrap_or_default().to_owned();
        append(&appender, &id, event)?;
    }
    // What is not settled in time is reported as well, and so it is spooled.
    if let Err(error) = producer.close(PATIENCE) {
        eprintln!("spool: {error}");
    }
    client.close(PATIENCE)?;
    spool.lock().map_err(|_| "the callback panicked")?.finish()
}

fn append(appender: &Appender, key: &str, event: HRecord) -> Result<()> {
    Ok(appender.append_tagged(&Record::hrecord(event)?.with_key(key), 0, PATIENCE)?)
}
