//! One shard of a subscription: what was sent, what of that is acked, and how far all of it is.

use std::collections::BTreeMap;
use std::time::Instant;

/// Delivered batches of one shard, from the first that is not committed on.
#[derive(Debug)]
pub(super) struct Progress {
    /// The batch to read next.
    next: u64,
    /// The last batch up to which everything is acked; 0 if none is.
    committed: u64,
    delivered: BTreeMap<u64, Delivered>,
}

#[derive(Debug)]
struct Delivered {
    records: u32,
    acked: u32,
    /// A bit per record, made when part of the batch is acked.
    bits: Vec<u64>,
    /// When it is sent again, unless all of it is acked. None if it can't be.
    deadline: Option<Instant>,
}

/// What came of acking one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acked {
    /// A duplicate, never delivered, or long committed: nothing changes.
    Ignored,
    /// Counted; the batch has more.
    Counted,
    /// The last of its batch, which was to be sent again at this time.
    Completed(Option<Instant>),
}

impl Progress {
    /// Starts after what was committed, or at `start` if nothing was.
    pub(super) fn new(start: u64, committed: Option<u64>) -> Self {
        let next = committed.map_or(start, |lsn| lsn.saturating_add(1));
        Progress { next, committed: committed.unwrap_or(0), delivered: BTreeMap::new() }
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn committed(&self) -> u64 {
        self.committed
    }

    /// Notes a first delivery.
    pub(super) fn delivered(&mut self, lsn: u64, records: u32, deadline: Instant) {
        self.next = lsn.saturating_add(1);
        let entry = Delivered { records, acked: 0, bits: Vec::new(), deadline: Some(deadline) };
        self.delivered.insert(lsn, entry);
    }

    /// Takes a delivery back that failed. Returns how many of its records were still unacked, and when it
    /// was to be sent again.
    pub(super) fn rewind(&mut self, lsn: u64) -> Option<(u32, Option<Instant>)> {
        let entry = self.delivered.remove(&lsn)?;
        self.next = self.next.min(lsn);
        Some((entry.records - entry.acked, entry.deadline))
    }

    pub(super) fn ack(&mut self, lsn: u64, index: u32) -> Acked {
        match self.delivered.get_mut(&lsn) {
            Some(entry) => entry.ack(index),
            None => Acked::Ignored,
        }
    }

    /// Commits whole batches, from the first on without a gap. Returns the last, if there is a new one.
    pub(super) fn commit(&mut self) -> Option<u64> {
        let before = self.committed;
        while let Some(first) = self.delivered.first_entry().filter(|first| first.get().is_complete()) {
            self.committed = *first.key();
            first.remove();
        }
        (self.committed != before).then_some(self.committed)
    }

    /// The places of the records not acked yet; none if the batch is done with.
    pub(super) fn unacked(&self, lsn: u64) -> Vec<u32> {
        let Some(entry) = self.delivered.get(&lsn) else { return Vec::new() };
        (0..entry.records).filter(|&index| !entry.is_acked(index)).collect()
    }

    /// Whether some of the batch is not acked.
    pub(super) fn is_unacked(&self, lsn: u64) -> bool {
        self.delivered.get(&lsn).is_some_and(|entry| !entry.is_complete())
    }

    /// Sets when the batch is sent again. Returns when it was to be.
    pub(super) fn set_deadline(&mut self, lsn: u64, deadline: Option<Instant>) -> Option<Instant> {
        let entry = self.delivered.get_mut(&lsn)?;
        std::mem::replace(&mut entry.deadline, deadline)
    }
}

impl Delivered {
    fn is_complete(&self) -> bool {
        self.acked == self.records
    }

    fn is_acked(&self, index: u32) -> bool {
        self.is_complete() || self.bits.get(word(index)).is_some_and(|bits| bits & bit(index) != 0)
    }

    fn ack(&mut self, index: u32) -> Acked {
        if index >= self.records || self.is_acked(index) {
            return Acked::Ignored;
        }
        self.acked += 1;
        if self.is_complete() {
            self.bits = Vec::new();
            return Acked::Completed(self.deadline.take());
        }
        if self.bits.is_empty() {
            self.bits = vec![0; word(self.records - 1) + 1];
        }
        if let Some(bits) = self.bits.get_mut(word(index)) {
            *bits |= bit(index);
        }
        Acked::Counted
    }
}

fn word(index: u32) -> usize {
    (index / 64) as usize
}

fn bit(index: u32) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(batches: &[(u64, u32)]) -> Progress {
        let mut progress = Progress::new(1, None);
        batches.iter().for_each(|(lsn, records)| progress.delivered(*lsn, *records, Instant::now()));
        progress
    }

    fn ack_all(progress: &mut Progress, lsn: u64, records: u32) {
        (0..records).for_each(|index| assert_ne!(progress.ack(lsn, index), Acked::Ignored));
    }

    /// Server behaviour, section 10.5.
    #[test]
    fn checkpoints_move_over_whole_batches_without_a_gap() {
        let mut progress = with(&[(11, 2), (12, 1), (13, 1)]);
        ack_all(&mut progress, 12, 1);
        assert_eq!(progress.commit(), None);
        assert_eq!(progress.ack(11, 1), Acked::Counted);
        assert_eq!((progress.commit(), progress.committed()), (None, 0));
        assert!(matches!(progress.ack(11, 0), Acked::Completed(Some(_))));
        assert_eq!((progress.commit(), progress.committed()), (Some(12), 12));
        ack_all(&mut progress, 13, 1);
        assert_eq!(progress.commit(), Some(13));
    }

    /// Server behaviour, section 10.5.
    #[test]
    fn duplicates_and_acks_of_the_unknown_are_ignored() {
        let mut progress = with(&[(11, 100)]);
        assert_eq!(progress.ack(11, 99), Acked::Counted);
        for (lsn, index) in [(11, 99), (11, 100), (11, u32::MAX), (10, 0), (12, 0), (u64::MAX, 0)] {
            assert_eq!(progress.ack(lsn, index), Acked::Ignored, "{lsn} {index}");
        }
        ack_all(&mut progress, 11, 99);
        assert_eq!(progress.commit(), Some(11));
        assert_eq!(progress.ack(11, 0), Acked::Ignored);
    }

    /// Server behaviour, section 10.4.
    #[test]
    fn what_is_sent_again_is_what_is_not_acked_with_its_original_places() {
        let mut progress = with(&[(11, 130)]);
        (0..130).filter(|index| !matches!(index, 0 | 64 | 129)).for_each(|index| {
            progress.ack(11, index);
        });
        assert_eq!(progress.unacked(11), [0, 64, 129]);
        assert_eq!(progress.unacked(12), [0; 0]);
    }

    /// Server behaviour, section 10.11.
    #[test]
    fn a_reload_starts_after_the_checkpoint_or_where_the_subscription_did() {
        assert_eq!(Progress::new(7, Some(20)).next(), 21);
        assert_eq!(Progress::new(7, None).next(), 7);
        assert_eq!(Progress::new(7, Some(u64::MAX)).next(), u64::MAX);
    }

    /// Server behaviour, section 10.8.
    #[test]
    fn a_failed_send_rewinds_to_its_batch() {
        let mut progress = with(&[(11, 1), (12, 3)]);
        progress.ack(12, 0);
        assert!(matches!(progress.rewind(12), Some((2, Some(_)))));
        assert_eq!(progress.next(), 12);
        assert!(progress.rewind(12).is_none());
    }
}
