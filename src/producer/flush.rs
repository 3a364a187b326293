//! Waiting for everything that was appended before.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// How many records of those that a flush or a close waited for ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Written.
    pub written: u64,
    /// Not written, those that were never sent among them.
    pub failed: u64,
    /// Sent, but whether they were written nobody can tell.
    pub unknown: u64,
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.written + self.failed + self.unknown
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.failed += other.failed;
        self.unknown += other.unknown;
    }
}

/// One flush, and what is still missing for it.
#[derive(Default)]
pub(crate) struct Flush {
    lanes: AtomicUsize,
    written: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    done: Notify,
}

impl Flush {
    /// Another lane has records to wait for.
    pub(crate) fn expect_lane(&self) {
        self.lanes.fetch_add(1, Ordering::SeqCst);
    }

    /// Records of the flush are settled and reported.
    pub(crate) fn count(&self, counts: Counts) {
        self.written.fetch_add(counts.written, Ordering::SeqCst);
        self.failed.fetch_add(counts.failed, Ordering::SeqCst);
        self.unknown.fetch_add(counts.unknown, Ordering::SeqCst);
    }

    /// A lane has no more of them.
    pub(crate) fn lane_done(&self) {
        if self.lanes.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.done.notify_waiters();
        }
    }

    pub(crate) async fn done(&self) {
        let mut done = std::pin::pin!(self.done.notified());
        done.as_mut().enable();
        if self.lanes.load(Ordering::SeqCst) > 0 {
            done.await;
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            written: self.written.load(Ordering::SeqCst),
            failed: self.failed.load(Ordering::SeqCst),
            unknown: self.unknown.load(Ordering::SeqCst),
        }
    }
}

/// How far the records of one lane have come, and the flushes that wait for it. Batches are reported in the
/// order in which they were sealed, and a flush seals, so each batch lies on one side of it.
#[derive(Default)]
pub(crate) struct Progress {
    accepted: u64,
    reported: u64,
    flushes: Vec<(u64, std::sync::Arc<Flush>)>,
}

impl Progress {
    pub(crate) fn accept(&mut self) {
        self.accepted += 1;
    }

    /// Records accepted and not reported yet.
    pub(crate) fn pending(&self) -> u64 {
        self.accepted - self.reported
    }

    /// Counts for this flush what was accepted up to now.
    pub(crate) fn add_flush(&mut self, flush: &std::sync::Arc<Flush>) {
        if self.pending() > 0 {
            flush.expect_lane();
            self.flushes.push((self.accepted, flush.clone()));
        }
    }

    pub(crate) fn report(&mut self, counts: Counts) {
        self.reported += counts.total();
        let reported = self.reported;
        self.flushes.retain(|(upto, flush)| {
            if reported <= *upto {
                flush.count(counts);
            }
            if reported >= *upto {
                flush.lane_done();
            }
            reported < *upto
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_flush_counts_what_was_accepted_before_it_and_nothing_else() {
        let mut progress = Progress::default();
        let (first, second) = (Arc::<Flush>::default(), Arc::<Flush>::default());
        (0..3).for_each(|_| progress.accept());
        progress.add_flush(&first);
        (0..2).for_each(|_| progress.accept());
        progress.add_flush(&second);
        progress.accept();
        progress.report(Counts { written: 3, ..Counts::default() });
        assert_eq!(first.counts(), Counts { written: 3, ..Counts::default() });
        assert_eq!(first.lanes.load(Ordering::SeqCst), 0);
        progress.report(Counts { failed: 2, ..Counts::default() });
        progress.report(Counts { unknown: 1, ..Counts::default() });
        assert_eq!(second.counts(), Counts { written: 3, failed: 2, unknown: 0 });
        assert_eq!(second.lanes.load(Ordering::SeqCst), 0);
        assert_eq!((progress.pending(), progress.flushes.len()), (0, 0));
        progress.add_flush(&first);
        assert_eq!(first.lanes.load(Ordering::SeqCst), 0, "nothing to wait for");
    }
}
