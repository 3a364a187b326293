//! Compressed records, against the compressor alone on as many threads as the library has.

use bytes::Bytes;
use hstreamdb::{Compression, ProducerConfig, Record, bench};

use crate::measure::{Measured, THROUGHPUT, measure};
use crate::null_server::{CAP, STREAM};
use crate::setup::Setup;
use crate::table::{Family, Group, Row};

static FAMILY: Family = Family { name: "compression", units: THROUGHPUT };

pub(crate) fn groups(setup: &Setup) -> Vec<Group<'_>> {
    let gzip = ("gzip 6", Compression::gzip().with_level(6), 1_000_000, 100_000);
    let zstd = ("zstd 1", Compression::zstd().with_level(1), 4_000_000, 500_000);
    let mut groups = Vec::new();
    for (name, compression, small, large) in [gzip, zstd] {
        groups.push(group(setup, format!("{name}, JSON of 100 B"), compression, 100, setup.count(small)));
        groups.push(group(setup, format!("{name}, JSON of 1 KiB"), compression, 1024, setup.count(large)));
    }
    groups
}

fn group(setup: &Setup, shape: String, compression: Compression, size: usize, count: usize) -> Group<'_> {
    let records = documents(size);
    let (batch, in_batch) = encoded(&records);
    let rows = vec![
        Row::new("compressor alone", move || alone(&batch, in_batch, compression, count).figures(size)),
        Row::new("library", move || {
            let config = ProducerConfig::new().compression(compression);
            setup.produce(config, STREAM, &records, count).figures(size)
        }),
    ];
    Group { family: &FAMILY, shape, rows, ratios: vec![("library", "compressor alone")] }
}

/// Ten thousand documents of this size that are alike, but not the same.
fn documents(size: usize) -> Vec<Record> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    // Any generator of numbers will do that is the same each time.
    let mut number = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut document = || {
        let mut text = format!(r#"{{"id":{},"place":"p{}""#, number(), number() % 300);
        while text.len() + 20 < size {
            text += &format!(r#","m{}":{}.{}"#, number() % 10, number() % 1000, number() % 100);
        }
        // Blanks are allowed there.
        Record::raw(format!("{text:<width$}}}", width = size - 1))
    };
    (0..10_000).map(|_| document()).collect()
}

/// A full batch of them.
fn encoded(records: &[Record]) -> (Bytes, usize) {
    let mut bytes = Vec::new();
    let mut count = 0;
    for record in records.iter().cycle() {
        if bytes.len() + record.encoded_len() > CAP {
            break;
        }
        bench::encode(record, &mut bytes);
        count += 1;
    }
    (bytes.into(), count)
}

/// The library has a thread less than there are cores, at least one.
fn alone(batch: &Bytes, in_batch: usize, compression: Compression, count: usize) -> Measured {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1);
    let each = count.div_ceil(in_batch * threads);
    let compress = || {
        for _ in 0..each {
            std::hint::black_box(bench::compressed_len(batch, compression).expect("compression"));
        }
    };
    measure(|| {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(compress);
            }
        });
        each * threads * in_batch
    })
}
