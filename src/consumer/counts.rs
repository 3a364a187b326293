//! What a consumer counts.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::counters::{Counter, Traffic};

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) received: Traffic,
    pub(crate) reconnects: Counter,
    last: Mutex<Option<Instant>>,
}

impl Counts {
    pub(crate) fn receive(&self, records: usize, bytes: usize, now: Instant) {
        self.received.add_batch(records, bytes);
        *self.last.lock() = Some(now);
    }

    pub(crate) fn last_record_age(&self) -> Option<Duration> {
        self.last.lock().map(|last| last.elapsed())
    }
}
