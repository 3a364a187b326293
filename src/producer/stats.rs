//! What a producer has done so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::producer::flush::Counts;

/// Counters of a producer. Changed once a batch.
#[derive(Default)]
pub(crate) struct Stats {
    written: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    bytes: AtomicU64,
    batches: AtomicU64,
    wire_bytes: AtomicU64,
    pub(crate) retries: Arc<AtomicU64>,
}

impl Stats {
    /// An append of so many bytes, as they went over the wire, has been answered or given up.
    pub(crate) fn appended(&self, wire_bytes: usize, _took: Duration) {
        self.wire_bytes.fetch_add(wire_bytes as u64, Ordering::Relaxed);
    }

    /// Records have their outcome.
    pub(crate) fn settled(&self, counts: Counts, bytes: usize, _since: Instant) {
        self.written.fetch_add(counts.written, Ordering::Relaxed);
        self.failed.fetch_add(counts.failed, Ordering::Relaxed);
        self.unknown.fetch_add(counts.unknown, Ordering::Relaxed);
        if counts.written > 0 {
            self.batches.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }
}
