//! What an append costs the thread that calls it: batches are dropped when they are full, nothing is sent.

use std::hint::black_box;

use hstreamdb::{Record, bench};
use nix::time::{ClockId, clock_gettime};

use crate::null_server::{CAP, FOUR_SHARDS, STREAM};
use crate::setup::Setup;
use crate::table::{Family, Group, Row, Unit};

static FAMILY: Family =
    Family { name: "caller", units: &[Unit { name: "CPU ns a record", digits: 1, told_apart: true }] };

pub(crate) fn groups(setup: &Setup) -> Vec<Group<'_>> {
    [(100, "100 B"), (1024, "1 KiB")].map(|(size, name)| group(setup, size, name)).into()
}

fn group<'a>(setup: &'a Setup, size: usize, name: &str) -> Group<'a> {
    let count = setup.count(if size == 100 { 10_000_000 } else { 2_000_000 });
    let record = move || Record::raw(vec![b'x'; size]);
    let rows = vec![
        Row::new("encoding alone", move || vec![encoding_alone(&record(), count)]),
        Row::new("append", move || vec![append(setup, STREAM, &[record()], count)]),
        Row::new("append, 4 shards, 1,000 keys", move || {
            let keyed = |number| record().with_key(format!("key-{number:06}"));
            let records: Vec<_> = (0..1000).map(keyed).collect();
            vec![append(setup, FOUR_SHARDS, &records, count)]
        }),
    ];
    Group { family: &FAMILY, shape: name.into(), rows, ratios: vec![("append", "encoding alone")] }
}

/// The bare loop: into one buffer, again and again.
fn encoding_alone(record: &Record, count: usize) -> f64 {
    let mut buffer = Vec::with_capacity(CAP);
    let len = record.encoded_len();
    nanoseconds_each(count, || {
        for _ in 0..count {
            if buffer.len() + len > CAP {
                black_box(&mut buffer).clear();
            }
            bench::encode(black_box(record), &mut buffer);
        }
    })
}

fn append(setup: &Setup, stream: &str, records: &[Record], count: usize) -> f64 {
    let client = setup.client();
    let appender = bench::appender_to_nowhere(&client, stream).expect("an appender");
    nanoseconds_each(count, || {
        for record in records.iter().cycle().take(count) {
            appender.append(black_box(record)).expect("an append");
        }
    })
}

/// Processor time of this thread alone: others drop the batches meanwhile.
fn nanoseconds_each(count: usize, run: impl FnOnce()) -> f64 {
    let now = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock");
    let before = now();
    run();
    let after = now();
    let seconds = (after.tv_sec() - before.tv_sec()) as f64;
    let nanoseconds = (after.tv_nsec() - before.tv_nsec()) as f64;
    (seconds * 1e9 + nanoseconds) / count as f64
}
