//! Records per second, and what they cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hstreamdb::{ProducerConfig, Record, bench};

use crate::measure::{THROUGHPUT, measure};
use crate::null_server::{self, FOUR_SHARDS, STREAM};
use crate::raw;
use crate::setup::Setup;
use crate::table::{Family, Group, Row};

static FAMILY: Family = Family { name: "producer", units: THROUGHPUT };

/// Which records, and how many of them make a batch.
#[derive(Clone, Copy)]
struct Shape {
    size: usize,
    /// 0 is as many as fit.
    batch: u32,
}

impl Shape {
    fn name(self) -> String {
        let size = if self.size == 1024 { "1 KiB".into() } else { format!("{} B", self.size) };
        if self.batch == 0 { format!("{size}, full batches") } else { format!("{size}, 1,000 a batch") }
    }

    fn is_full(self) -> bool {
        self.batch == 0
    }

    fn config(self) -> ProducerConfig {
        ProducerConfig::new().batch_records(self.batch)
    }

    fn record(self) -> Record {
        Record::raw(vec![b'x'; self.size])
    }

    fn encoded(self) -> null_server::proto::BatchedRecord {
        let most = if self.is_full() { usize::MAX } else { self.batch as usize };
        null_server::batch(self.size, most)
    }
}

pub(crate) fn groups(setup: &Setup) -> Vec<Group<'_>> {
    let shapes = [(100, 0), (100, 1000), (1024, 0), (1024, 1000)];
    shapes.map(|(size, batch)| group(setup, Shape { size, batch })).into()
}

fn group(setup: &Setup, shape: Shape) -> Group<'_> {
    let count = setup.count(if shape.size == 100 { 4_000_000 } else { 600_000 });
    let encoded = shape.encoded();
    let figures = move |measured: crate::measure::Measured| {
        assert!(measured.records >= count, "{} of {count} records", measured.records);
        measured.figures(shape.size)
    };
    let raw = encoded.clone();
    let mut rows = vec![
        Row::new("raw", move || figures(raw::produce(&setup.url, &raw, count))),
        Row::new("same path", move || figures(same_path(setup, &encoded, count))),
        Row::new("library", move || figures(setup.produce(shape.config(), STREAM, &[shape.record()], count))),
        Row::new("with a callback", move || figures(with_callback(setup, shape, count))),
    ];
    if shape.is_full() {
        rows.push(Row::new("keyed, 4 shards", move || {
            figures(setup.produce(shape.config(), FOUR_SHARDS, &keyed(shape), count))
        }));
    } else {
        rows.push(Row::new("4 in flight", move || {
            let config = shape.config().in_flight_per_shard(4);
            figures(setup.produce(config, STREAM, &[shape.record()], count))
        }));
    }
    rows.extend(peers(setup, shape, count));
    Group { family: &FAMILY, shape: shape.name(), rows, ratios: ratios() }
}

/// The same records by others.
fn peers(setup: &Setup, shape: Shape, count: usize) -> Vec<Row<'_>> {
    let peers = &setup.peers;
    let mut rows = Vec::new();
    if let Some(c) = &peers.c {
        for (name, how) in [("C", "call"), ("C, with a callback", "callback"), ("C, packed", "packed")] {
            rows.push(Row::new(name, move || {
                let arguments = [shape.size, shape.batch as usize, count].map(|number| number.to_string());
                let arguments =
                    [setup.url.as_str(), STREAM].into_iter().chain(arguments.each_ref().map(String::as_str));
                c.measure(arguments.chain([how])).figures(shape.size)
            }));
        }
    }
    if let Some(rdkafka) = peers.rdkafka.as_ref().filter(|_| shape.is_full()) {
        rows.push(Row::new("librdkafka", move || {
            rdkafka.measure([shape.size, count].map(|number| number.to_string())).figures(shape.size)
        }));
    }
    if let Some(python) = &peers.python {
        let (name, how) = if shape.is_full() {
            ("Python, BufferedProducer", "buffered")
        } else {
            ("Python, append of lists", "append")
        };
        let count = (count / 20).max(1000).to_string();
        rows.push(Row::new(name, move || {
            let size = shape.size.to_string();
            python.measure([&setup.url, STREAM, &size, &count, how]).figures(shape.size)
        }));
    }
    rows
}

fn ratios() -> Vec<(&'static str, &'static str)> {
    vec![
        ("library", "raw"),
        ("library", "same path"),
        ("with a callback", "library"),
        ("keyed, 4 shards", "library"),
        ("4 in flight", "library"),
        ("C", "library"),
        ("C, with a callback", "with a callback"),
        ("C, packed", "library"),
        // A report a record, as there.
        ("with a callback", "librdkafka"),
        ("library", "Python, BufferedProducer"),
        ("library", "Python, append of lists"),
    ]
}

/// Encoded batches over the library's own way of sending them.
fn same_path(
    setup: &Setup,
    batch: &null_server::proto::BatchedRecord,
    count: usize,
) -> crate::measure::Measured {
    let client = setup.client();
    let (records, times) = (batch.batch_size, count.div_ceil(batch.batch_size as usize));
    measure(|| {
        bench::append_again(&client, STREAM, batch.payload.clone(), records, times).expect("appends");
        times * records as usize
    })
}

fn with_callback(setup: &Setup, shape: Shape, count: usize) -> crate::measure::Measured {
    let reported = Arc::new(AtomicUsize::new(0));
    let told = reported.clone();
    let config = shape.config().on_delivery(move |deliveries| {
        let written = deliveries.iter().filter(|delivery| delivery.result().is_ok()).count();
        told.fetch_add(written, Ordering::Relaxed);
    });
    let measured = setup.produce(config, STREAM, &[shape.record()], count);
    assert_eq!(reported.load(Ordering::Relaxed), measured.records);
    measured
}

/// A thousand keys.
fn keyed(shape: Shape) -> Vec<Record> {
    (0..1000).map(|number| shape.record().with_key(format!("key-{number:06}"))).collect()
}
