//! Waiting for everything that was appended before.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

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
    fn expect_lane(&self) {
        self.lanes.fetch_add(1, Ordering::SeqCst);
    }

    /// Records of the flush are settled and reported.
    fn count(&self, counts: Counts) {
        self.written.fetch_add(counts.written, Ordering::SeqCst);
        self.failed.fetch_add(counts.failed, Ordering::SeqCst);
        self.unknown.fetch_add(counts.unknown, Ordering::SeqCst);
    }

    /// A lane has no more of them.
    fn lane_done(&self) {
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

/// How far the sealed batches of one lane have come, and the flushes that wait for them. Batches have numbers in
/// the order in which they were sealed; a flush seals, so that each batch lies on one side of it.
#[derive(Default)]
pub(crate) struct Progress {
    /// The first batch that is not done.
    first: u64,
    /// Records to be reported of it and of those after it, and when their first ones came.
    left: VecDeque<(u64, Instant)>,
    flushes: Vec<(u64, Arc<Flush>)>,
}

impl Progress {
    /// A batch of so many records has been sealed. Returns its number.
    pub(crate) fn sealed(&mut self, records: u64, since: Instant) -> u64 {
        self.left.push_back((records, since));
        self.first + self.left.len() as u64 - 1
    }

    /// Sealed records that are not reported yet.
    pub(crate) fn pending(&self) -> u64 {
        self.left.iter().map(|(records, _)| records).sum()
    }

    /// When the first record came that is not reported yet.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.left.front().map(|(_, since)| *since)
    }

    /// Whether a batch has ever been sealed.
    pub(crate) fn has_begun(&self) -> bool {
        self.first > 0 || !self.left.is_empty()
    }

    /// Counts for this flush what was sealed up to now.
    pub(crate) fn add_flush(&mut self, flush: &Arc<Flush>) {
        if !self.left.is_empty() {
            flush.expect_lane();
            self.flushes.push((self.first + self.left.len() as u64, flush.clone()));
        }
    }

    /// Records of this batch are settled and reported.
    pub(crate) fn report(&mut self, batch: u64, counts: Counts) {
        let left = batch.checked_sub(self.first).and_then(|index| self.left.get_mut(index as usize));
        if let Some((left, _)) = left {
            *left = left.saturating_sub(counts.total());
        }
        while self.left.front().is_some_and(|(left, _)| *left == 0) {
            self.left.pop_front();
            self.first += 1;
        }
        let first = self.first;
        self.flushes.retain(|(end, flush)| {
            if batch < *end {
                flush.count(counts);
            }
            if first >= *end {
                flush.lane_done();
            }
            first < *end
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(written: u64) -> Counts {
        Counts { written, ..Counts::default() }
    }

    fn seal(progress: &mut Progress, records: u64) -> u64 {
        progress.sealed(records, Instant::now())
    }

    #[test]
    fn a_flush_counts_what_was_sealed_before_it_and_nothing_else() {
        let mut progress = Progress::default();
        let (first, second) = (Arc::<Flush>::default(), Arc::<Flush>::default());
        assert_eq!(seal(&mut progress, 3), 0);
        progress.add_flush(&first);
        assert_eq!(seal(&mut progress, 2), 1);
        progress.add_flush(&second);
        assert_eq!(seal(&mut progress, 1), 2);
        progress.report(0, written(3));
        assert_eq!((first.counts(), first.lanes.load(Ordering::SeqCst)), (written(3), 0));
        progress.report(1, Counts { failed: 2, ..Counts::default() });
        progress.report(2, Counts { unknown: 1, ..Counts::default() });
        assert_eq!(second.counts(), Counts { written: 3, failed: 2, unknown: 0 });
        assert_eq!(second.lanes.load(Ordering::SeqCst), 0);
        assert_eq!((progress.pending(), progress.flushes.len()), (0, 0));
        progress.add_flush(&first);
        assert_eq!(first.lanes.load(Ordering::SeqCst), 0, "nothing to wait for");
    }

    #[test]
    fn batches_may_be_reported_out_of_order_and_in_parts() {
        let mut progress = Progress::default();
        let flush = Arc::<Flush>::default();
        seal(&mut progress, 4);
        seal(&mut progress, 1);
        progress.add_flush(&flush);
        seal(&mut progress, 1);
        progress.report(2, written(1));
        progress.report(1, written(1));
        progress.report(0, written(2));
        assert_eq!((flush.counts(), flush.lanes.load(Ordering::SeqCst)), (written(3), 1));
        progress.report(0, written(2));
        assert_eq!((flush.counts(), flush.lanes.load(Ordering::SeqCst)), (written(5), 0));
        assert_eq!((progress.pending(), seal(&mut progress, 1)), (0, 3));
    }
}
