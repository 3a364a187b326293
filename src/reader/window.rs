//! Which records of the batches that come are wanted. Pure.

use std::ops::Range;
use std::time::SystemTime;

use crate::codec::ids::system_time;
use crate::codec::received::RawBatch;
use crate::record_id::RecordId;

/// Where records begin to be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Any,
    From(RecordId),
    After(RecordId),
    Since(SystemTime),
}

/// The last that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Never,
    /// With this record.
    Record(RecordId),
    /// With this batch.
    Batch(u64),
    /// With this time.
    Time(SystemTime),
}

/// The records of one shard that a reader wants: it drops what the server sends before and behind them, and what it
/// sends again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    start: Start,
    end: End,
    ended: bool,
}

impl Window {
    pub(crate) fn new(start: Start, end: End) -> Self {
        Window { start, end, ended: false }
    }

    /// The last record that was wanted, if there was one.
    pub(crate) fn last(&self) -> Option<RecordId> {
        match self.start {
            Start::After(last) => Some(last),
            _ => None,
        }
    }

    /// Whether nothing that comes is wanted any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the last record that is wanted has come, as far as ids tell.
    pub(crate) fn is_complete(&self) -> bool {
        let last_batch = self.last().map(|last| last.batch_id);
        self.ended || matches!(self.end, End::Batch(last) if last_batch >= Some(last))
    }

    /// Which records of a batch are wanted. They count as received.
    pub(crate) fn cut(&mut self, batch: &RawBatch) -> Range<usize> {
        let time = system_time(batch.publish_time);
        let start = match self.start {
            Start::Any => 0,
            Start::From(first) => batch.ids.leading(|id| place(*id) < place(first)),
            Start::After(last) => batch.ids.leading(|id| place(*id) <= place(last)),
            Start::Since(begin) if time.is_some_and(|time| time < begin) => batch.ids.len(),
            Start::Since(_) => 0,
        };
        let end = match self.end {
            End::Never => batch.ids.len(),
            End::Record(last) => batch.ids.leading(|id| place(*id) <= place(last)),
            End::Batch(last) => batch.ids.leading(|id| id.batch_id <= last),
            End::Time(last) if time.is_some_and(|time| time > last) => 0,
            End::Time(_) => batch.ids.len(),
        };
        self.ended |= end < batch.ids.len() || self.ends_with(batch.ids.get(batch.ids.len() - 1));
        let wanted = start..end.max(start);
        if !wanted.is_empty() {
            self.start = Start::After(batch.ids.get(wanted.end - 1));
        }
        wanted
    }

    fn ends_with(&self, id: RecordId) -> bool {
        match self.end {
            End::Record(last) => place(id) >= place(last),
            // Its batches come as a whole here, but for those that come by key.
            End::Batch(last) => id.batch_id > last,
            End::Never | End::Time(_) => false,
        }
    }
}

fn place(id: RecordId) -> (u64, u32) {
    (id.batch_id, id.batch_index)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn batch(batch_id: u64, count: u32) -> RawBatch {
        let mut batch = RawBatch::default();
        (0..count).for_each(|index| batch.ids.push(RecordId::new(1, batch_id, index)));
        batch.publish_time = Some(prost_types::Timestamp { seconds: batch_id as i64, nanos: 0 });
        batch
    }

    fn cuts(mut window: Window, batches: &[RawBatch]) -> (Vec<Range<usize>>, bool) {
        let cuts = batches.iter().map(|batch| window.cut(batch)).collect();
        (cuts, window.has_ended())
    }

    #[test]
    fn begins_and_ends_with_records_although_batches_come_whole() {
        let window = Window::new(Start::From(RecordId::new(1, 2, 1)), End::Record(RecordId::new(1, 3, 1)));
        assert_eq!(cuts(window, &[batch(2, 3), batch(3, 4)]), (vec![1..3, 0..2], true));
        let window = Window::new(Start::After(RecordId::new(1, 2, 1)), End::Record(RecordId::new(1, 9, 0)));
        assert_eq!(cuts(window, &[batch(1, 3), batch(2, 3), batch(3, 4)]), (vec![3..3, 2..3, 0..4], false));
        let window = Window::new(Start::Any, End::Record(RecordId::new(1, 2, 2)));
        assert_eq!(cuts(window, &[batch(1, 1), batch(2, 3)]), (vec![0..1, 0..3], true));
    }

    #[test]
    fn what_comes_again_is_dropped() {
        let window = Window::new(Start::Any, End::Never);
        assert_eq!(cuts(window, &[batch(1, 3), batch(1, 3), batch(2, 2)]), (vec![0..3, 3..3, 0..2], false));
    }

    #[test]
    fn times_are_those_of_batches() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let window = Window::new(Start::Since(at(2)), End::Time(at(3)));
        let batches = [batch(1, 2), batch(2, 2), batch(3, 2), batch(4, 2)];
        assert_eq!(cuts(window, &batches), (vec![2..2, 0..2, 0..2, 0..0], true));
    }

    #[test]
    fn a_tail_ends_with_its_whole_batch() {
        let window = Window::new(Start::Any, End::Batch(2));
        assert_eq!(cuts(window, &[batch(1, 1), batch(2, 2)]), (vec![0..1, 0..2], false));
        assert_eq!(cuts(window, &[batch(2, 2), batch(3, 1)]), (vec![0..2, 0..0], true));
    }

    #[test]
    fn a_window_is_complete_when_its_last_record_has_come() {
        let mut window = Window::new(Start::Any, End::Batch(2));
        window.cut(&batch(1, 1));
        assert!(!window.is_complete());
        window.cut(&batch(2, 1));
        assert!(window.is_complete() && !window.has_ended());
        let mut endless = Window::new(Start::Any, End::Never);
        endless.cut(&batch(9, 1));
        assert!(!endless.is_complete());
    }
}
