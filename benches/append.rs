//! One append: what it costs the caller, and how long one takes that waits for its answer.

#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, criterion_group};
use hstreamdb::{Client, Record, bench};

mod null_server;

use null_server::process::ServerProcess;
use null_server::{FOUR_SHARDS, STREAM};

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--null-server") {
        return null_server::serve(0);
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}

fn callers_cost(criterion: &mut Criterion) {
    let server = ServerProcess::start("--null-server");
    let client = Client::connect(server.url.as_str()).expect("a client");
    let mut group = criterion.benchmark_group("append, never sent");
    for size in [100, 1024] {
        let plain = Record::raw(vec![b'x'; size]);
        let keyed = plain.clone().with_key("key-000001");
        for (name, stream, record) in [("1 shard", STREAM, plain), ("4 shards, a key", FOUR_SHARDS, keyed)] {
            let appender = bench::appender_to_nowhere(&client, stream).expect("an appender");
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| appender.append(&record).expect("an append"));
            });
        }
    }
    group.finish();
}

fn blocking(criterion: &mut Criterion) {
    let server = ServerProcess::start("--null-server");
    let client = Client::connect(server.url.as_str()).expect("a client");
    let record = Record::raw(vec![b'x'; 100]);
    criterion.bench_function("append one record and wait", |bencher| {
        bencher.iter(|| client.append_one(STREAM, &record).expect("an append"));
    });
}

criterion_group!(benches, callers_cost, blocking);
