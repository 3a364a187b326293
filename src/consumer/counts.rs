//! What a consumer counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::counters::{Counter, Traffic};

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) received: Traffic,
    pub(crate) reconnects: Counter,
    unacked: AtomicU64,
    last: Mutex<Option<Instant>>,
}

impl Counts {
    pub(crate) fn receive(&self, records: usize, bytes: usize, now: Instant) {
        self.received.add_batch(records, bytes);
        self.unacked.fetch_add(records as u64, Ordering::Relaxed);
        *self.last.lock() = Some(now);
    }

    pub(crate) fn ack(&self, records: usize) {
        // An ack that is given twice counts for another record: below none there is nothing.
        let less = |unacked: u64| Some(unacked.saturating_sub(records as u64));
        let _ = self.unacked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// What was not acked is delivered again.
    pub(crate) fn begin(&self) {
        self.unacked.store(0, Ordering::Relaxed);
    }

    pub(crate) fn unacked(&self) -> u64 {
        self.unacked.load(Ordering::Relaxed)
    }

    pub(crate) fn last_record_age(&self) -> Option<Duration> {
        self.last.lock().map(|last| last.elapsed())
    }
}
