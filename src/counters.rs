//! What a client counts: one atomic each, added to per call or batch, never per record.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::histogram::Histogram;

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Records on their way, with the batches they travel in.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(crate) records: Counter,
    /// Of payloads, as they are on the wire.
    pub(crate) bytes: Counter,
    pub(crate) batches: Counter,
}

impl Traffic {
    pub(crate) fn add_batch(&self, records: usize, bytes: usize) {
        self.records.add(records as u64);
        self.bytes.add(bytes as u64);
        self.batches.add(1);
    }
}

/// The counters of one client.
#[derive(Default)]
pub(crate) struct Counters {
    /// Of all calls that have ended, so their number is that of the calls.
    pub(crate) latency: Histogram,
    pub(crate) failures: Counter,
    pub(crate) retries: Counter,
    pub(crate) reconnects: Counter,
    pub(crate) refreshes: Counter,
    /// Appended, as far as the server said so.
    pub(crate) sent: Traffic,
    /// Delivered to consumers.
    pub(crate) received: Traffic,
}
