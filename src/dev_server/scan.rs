//! A read of one shard, from one batch to another, as far as it has come.

use super::log::{ShardLog, StoredBatch};
use super::offsets::End;

/// What is left to read. It holds no lock and no log: each look is at the log as it is then.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    pub(super) shard: u64,
    next: u64,
    end: Option<End>,
    /// A batch at or after the end's time was met.
    met_end: bool,
}

impl Scan {
    /// From `start` on. None if the end lies before it.
    pub(super) fn new(shard: u64, start: u64, end: Option<End>) -> Option<Self> {
        if end.is_some_and(|end| end.lsn < start) {
            return None;
        }
        Some(Scan { shard, next: start, end, met_end: false })
    }

    /// The next batches, so many at most.
    pub(super) fn take(&mut self, log: &ShardLog, most: usize) -> Vec<StoredBatch> {
        let mut taken = Vec::new();
        while taken.len() < most
            && !self.met_end
            && let Some(batch) = log.first_from(self.next).filter(|batch| self.reaches(batch.lsn))
        {
            self.next = batch.lsn.saturating_add(1);
            if let Some(until_ms) = self.end.and_then(|end| end.until_ms) {
                self.met_end = batch.time_ms >= until_ms;
                if batch.time_ms > until_ms {
                    break;
                }
            }
            taken.push(batch.clone());
        }
        taken
    }

    fn reaches(&self, lsn: u64) -> bool {
        self.end.is_none_or(|end| lsn <= end.lsn)
    }

    /// Whether nothing can come any more: the end is behind, or there is no log.
    pub(super) fn is_over(&self, log: Option<&ShardLog>) -> bool {
        let Some(log) = log else { return true };
        let Some(end) = self.end else { return false };
        self.met_end || self.next > end.lsn || (log.tail() >= end.lsn && self.is_past_all(log, end))
    }

    fn is_past_all(&self, log: &ShardLog, end: End) -> bool {
        log.first_from(self.next).is_none_or(|batch| batch.lsn > end.lsn)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::log::EMPTY_TAIL;
    use super::*;

    const FIRST: u64 = EMPTY_TAIL + 1;

    fn log(times: &[u64]) -> ShardLog {
        let mut log = ShardLog::new();
        for ms in times {
            log.append(1, 0, Bytes::new(), *ms);
        }
        log
    }

    fn lsns(scan: &mut Scan, log: &ShardLog, most: usize) -> Vec<u64> {
        scan.take(log, most).iter().map(|batch| batch.lsn - EMPTY_TAIL).collect()
    }

    fn until(lsn: u64, until_ms: Option<u64>) -> Option<End> {
        Some(End { lsn, until_ms })
    }

    #[test]
    fn without_an_end_it_follows_for_ever() {
        let mut log = log(&[1, 2, 3]);
        let mut scan = Scan::new(7, 1, None).unwrap();
        assert_eq!(lsns(&mut scan, &log, 2), [1, 2]);
        assert_eq!(lsns(&mut scan, &log, 2), [3]);
        assert!(!scan.is_over(Some(&log)));
        log.append(1, 0, Bytes::new(), 4);
        assert_eq!(lsns(&mut scan, &log, 2), [4]);
        assert!(scan.is_over(None), "the log is gone");
    }

    #[test]
    fn the_batch_of_the_end_is_part_of_it() {
        let log = log(&[1, 2, 3]);
        let mut scan = Scan::new(7, 1, until(FIRST + 1, None)).unwrap();
        assert!(!scan.is_over(Some(&log)));
        assert_eq!(lsns(&mut scan, &log, 9), [1, 2]);
        assert!(scan.is_over(Some(&log)));
    }

    #[test]
    fn an_end_beyond_the_tail_is_waited_for() {
        let mut log = log(&[1]);
        let mut scan = Scan::new(7, 1, until(FIRST + 1, None)).unwrap();
        assert_eq!(lsns(&mut scan, &log, 9), [1]);
        assert!(!scan.is_over(Some(&log)));
        log.append(1, 0, Bytes::new(), 2);
        assert_eq!(lsns(&mut scan, &log, 9), [2]);
        assert!(scan.is_over(Some(&log)));
    }

    #[test]
    fn a_range_that_was_trimmed_away_is_over() {
        let mut log = log(&[1, 2, 3]);
        log.drop_oldest();
        log.drop_oldest();
        let mut scan = Scan::new(7, 1, until(FIRST, None)).unwrap();
        assert!(lsns(&mut scan, &log, 9).is_empty());
        assert!(scan.is_over(Some(&log)));
    }

    /// Server behaviour, section 8.5.
    #[test]
    fn a_time_ends_it_at_the_first_batch_that_late_which_counts_if_it_is_not_later() {
        let log = log(&[10, 20, 20, 30]);
        let mut scan = Scan::new(7, 1, until(FIRST + 1, Some(20))).unwrap();
        assert_eq!(lsns(&mut scan, &log, 9), [1, 2], "others of that millisecond are cut");
        assert!(scan.is_over(Some(&log)));
        let mut scan = Scan::new(7, 1, until(FIRST + 3, Some(25))).unwrap();
        assert_eq!(lsns(&mut scan, &log, 9), [1, 2, 3]);
        assert!(scan.is_over(Some(&log)));
    }

    #[test]
    fn an_end_before_the_start_is_no_read() {
        assert!(Scan::new(7, 5, until(4, None)).is_none());
        assert!(Scan::new(7, 5, until(5, None)).is_some());
    }
}
