//! What a producer has done so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::histogram::{Distribution, Histogram, Latency};
use crate::producer::core::Core;
use crate::producer::flush::Counts;

/// What a [`BufferedProducer`](crate::BufferedProducer) has done since it was made, and what it holds now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProducerStats {
    /// Records that were accepted.
    pub accepted: u64,
    /// How those ended that are settled. They may not have been reported yet.
    pub settled: Counts,
    /// Records that are accepted and not reported yet.
    pub pending_records: u64,
    /// Bytes of the buffer in use.
    pub pending_bytes: u64,
    /// Records of the batches that were written.
    pub batch_records: Distribution,
    /// Bytes of their records, encoded, before compression.
    pub batch_bytes: Distribution,
    /// Bytes of all batches that were sent, as they go over the wire; those that were sent again count once.
    pub wire_bytes: u64,
    /// Further attempts at sending a batch.
    pub retries: u64,
    /// How long appends took, with their retries, from sending the batch to the last answer.
    pub append_latency: Latency,
    /// How long batches took that were written, from their first record to the answer.
    pub delivery_latency: Latency,
    /// The shards that were appended to.
    pub shards: Vec<ShardStats>,
}

/// One shard of a producer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShardStats {
    /// The stream.
    pub stream: String,
    /// The shard.
    pub shard_id: u64,
    /// The node that its batches go to, as far as it is known; else empty.
    pub node: String,
    /// Records that are accepted and not reported yet.
    pub pending_records: u64,
    /// Bytes of the batches that wait, and of the one that grows.
    pub queued_bytes: u64,
    /// The age of the first record that is not reported yet; `None` if there is none.
    pub oldest_age: Option<Duration>,
    /// Further attempts at sending a batch.
    pub retries: u64,
}

impl ProducerStats {
    /// The same as JSON, times in microseconds. Keys are only added to.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    pub(crate) fn to_value(&self) -> Value {
        json!({
            "accepted": self.accepted,
            "written": self.settled.written,
            "failed": self.settled.failed,
            "unknown": self.settled.unknown,
            "pending_records": self.pending_records,
            "pending_bytes": self.pending_bytes,
            "batch_records": self.batch_records.to_json(),
            "batch_bytes": self.batch_bytes.to_json(),
            "wire_bytes": self.wire_bytes,
            "retries": self.retries,
            "append_latency_us": self.append_latency.to_json(),
            "delivery_latency_us": self.delivery_latency.to_json(),
            "shards": self.shards.iter().map(ShardStats::to_value).collect::<Vec<_>>(),
        })
    }
}

impl ShardStats {
    fn to_value(&self) -> Value {
        let age = self.oldest_age.map(|age| u64::try_from(age.as_micros()).unwrap_or(u64::MAX));
        json!({
            "stream": self.stream,
            "shard_id": self.shard_id,
            "node": self.node,
            "pending_records": self.pending_records,
            "queued_bytes": self.queued_bytes,
            "oldest_age_us": age,
            "retries": self.retries,
        })
    }
}

/// Counters of a producer. Changed once a batch.
#[derive(Default)]
pub(crate) struct Stats {
    /// Records of batches that take no more.
    pub(crate) sealed: Arc<AtomicU64>,
    written: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    batch_records: Histogram,
    batch_bytes: Histogram,
    wire_bytes: AtomicU64,
    append_latency: Histogram,
    delivery_latency: Histogram,
    pub(crate) retries: Arc<AtomicU64>,
}

/// Further attempts at one shard, which are those of its producer too.
#[derive(Clone, Default)]
pub(crate) struct Retries {
    of_shard: Arc<AtomicU64>,
    of_producer: Arc<AtomicU64>,
}

impl Retries {
    pub(crate) fn of(stats: &Stats) -> Self {
        Retries { of_shard: Arc::default(), of_producer: stats.retries.clone() }
    }

    pub(crate) fn add_one(&self) {
        self.of_shard.fetch_add(1, Ordering::Relaxed);
        self.of_producer.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn of_shard(&self) -> u64 {
        self.of_shard.load(Ordering::Relaxed)
    }
}

impl Stats {
    /// An append of so many bytes, as they went over the wire, has been answered or given up.
    pub(crate) fn appended(&self, wire_bytes: usize, took: Duration) {
        self.wire_bytes.fetch_add(wire_bytes as u64, Ordering::Relaxed);
        self.append_latency.record(took);
    }

    /// The records of a batch have their outcome.
    pub(crate) fn settled(&self, counts: Counts, bytes: usize, age: Duration) {
        self.written.fetch_add(counts.written, Ordering::Relaxed);
        self.failed.fetch_add(counts.failed, Ordering::Relaxed);
        self.unknown.fetch_add(counts.unknown, Ordering::Relaxed);
        if counts.written > 0 {
            self.batch_records.record_number(counts.written);
            self.batch_bytes.record_number(bytes as u64);
            self.delivery_latency.record(age);
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            written: self.written.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
        }
    }
}

impl Core {
    /// A snapshot. Nothing stands still for it, so numbers may be a batch apart.
    pub(crate) fn snapshot(&self) -> ProducerStats {
        let lanes = self.lanes();
        let open: u64 = lanes.iter().map(|lane| lane.state_of_queue().open_records).sum();
        ProducerStats {
            accepted: self.stats.sealed.load(Ordering::Relaxed) + open,
            settled: self.stats.counts(),
            pending_records: lanes.iter().map(|lane| lane.pending()).sum(),
            pending_bytes: self.pending_bytes(),
            batch_records: self.stats.batch_records.numbers(),
            batch_bytes: self.stats.batch_bytes.numbers(),
            wire_bytes: self.stats.wire_bytes.load(Ordering::Relaxed),
            retries: self.stats.retries.load(Ordering::Relaxed),
            append_latency: self.stats.append_latency.snapshot(),
            delivery_latency: self.stats.delivery_latency.snapshot(),
            shards: lanes.iter().filter(|lane| lane.is_used()).map(|lane| self.stats_of(lane)).collect(),
        }
    }

    fn stats_of(&self, lane: &crate::producer::lane::Lane) -> ShardStats {
        let queue = lane.state_of_queue();
        ShardStats {
            stream: lane.stream().to_string(),
            shard_id: lane.shard_id(),
            node: self.cluster.known_owner(lane.shard_id()),
            pending_records: lane.pending(),
            queued_bytes: queue.bytes as u64,
            oldest_age: queue.since.map(|since| self.age(since)),
            retries: lane.destination.retries.of_shard(),
        }
    }
}
