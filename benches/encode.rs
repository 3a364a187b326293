//! Encoding a record, and finding its shard: what an append does for each one.

#![allow(missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hstreamdb::{Record, bench};
use prost::Message;

mod null_server;

use null_server::{CAP, proto};

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for size in [100, 1024] {
        group.throughput(Throughput::Bytes(size));
        let payload = bytes::Bytes::from(vec![b'x'; size as usize]);
        let record = Record::raw(payload.clone());
        let mut buffer = Vec::with_capacity(2 * CAP);
        group.bench_function(BenchmarkId::new("library", size), |bencher| {
            bencher.iter(|| {
                if buffer.len() > CAP {
                    buffer.clear();
                }
                bench::encode(&record, &mut buffer);
            });
        });
        let header = proto::HStreamRecordHeader { flag: 1, ..Default::default() };
        group.bench_function(BenchmarkId::new("prost", size), |bencher| {
            bencher.iter(|| {
                if buffer.len() > CAP {
                    buffer.clear();
                }
                let record = proto::HStreamRecord { header: Some(header.clone()), payload: payload.clone() };
                let records = proto::BatchHStreamRecords { records: vec![record] };
                records.encode(&mut buffer).expect("room");
            });
        });
    }
    group.finish();
}

fn key_to_shard(criterion: &mut Criterion) {
    let names: Vec<_> = (0..1000).map(|number| format!("key-{number:06}")).collect();
    let mut group = criterion.benchmark_group("key to shard");
    for shards in [4, 200] {
        let keys = bench::Keys::among(shards);
        let mut names = names.iter().cycle();
        group.bench_function(BenchmarkId::new("hashed", shards), |bencher| {
            bencher.iter(|| keys.hashed(names.next().expect("a key")));
        });
        group.bench_function(BenchmarkId::new("remembered", shards), |bencher| {
            bencher.iter(|| keys.remembered(names.next().expect("a key")));
        });
    }
    group.finish();
}

criterion_group!(benches, encode, key_to_shard);
criterion_main!(benches);
