//! One record at a time, and waiting for it.

use std::time::{Duration, Instant};

use hstreamdb::{ProducerConfig, Record};

use crate::measure::percentile;
use crate::null_server::{self, STREAM};
use crate::raw;
use crate::setup::Setup;
use crate::table::{Family, Group, Row, Unit};

static FAMILY: Family = Family {
    name: "latency",
    units: &[
        Unit { name: "p50, us", digits: 0, told_apart: true },
        Unit { name: "p99, us", digits: 0, told_apart: true },
    ],
};
const SIZE: usize = 100;

pub(crate) fn group(setup: &Setup) -> Group<'_> {
    let count = setup.count(5000);
    let record = Record::raw(vec![b'x'; SIZE]);
    let same = record.clone();
    let rows = vec![
        Row::new("raw", move || figures(raw::latencies(&setup.url, &null_server::batch(SIZE, 1), count))),
        Row::new("library", move || {
            let client = setup.client();
            client.append_one(STREAM, &record).expect("an append");
            figures(latencies(count, || client.append_one(STREAM, &record).map(drop)))
        }),
        Row::new("through a producer", move || {
            let producer = setup.client().producer(ProducerConfig::new()).expect("a producer");
            let appender = producer.appender(STREAM).expect("an appender");
            let append = || appender.append_wait(&same, Duration::from_secs(10)).map(drop);
            append().expect("an append");
            figures(latencies(count, append))
        }),
    ];
    let ratios = vec![("library", "raw"), ("through a producer", "raw")];
    Group { family: &FAMILY, shape: "a record of 100 B, one in flight".into(), rows, ratios }
}

fn figures(latencies: Vec<f64>) -> Vec<f64> {
    vec![percentile(&latencies, 50), percentile(&latencies, 99)]
}

/// In microseconds.
fn latencies(count: usize, append: impl Fn() -> hstreamdb::Result<()>) -> Vec<f64> {
    let timed = |_| {
        let started = Instant::now();
        append().expect("an append");
        started.elapsed().as_secs_f64() * 1e6
    };
    (0..count).map(timed).collect()
}
