//! The outcome of single records, for those who wait for it.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::codec::append::Written;
use crate::error::Result;
use crate::producer::core::would_deadlock;
use crate::producer::reports::RunningCallback;
use crate::record_id::RecordId;
use crate::wait::{Wait, wait};

impl Written {
    pub(crate) fn id(&self, index: usize) -> RecordId {
        RecordId::new(self.shard_id, self.batch_id, index as u32)
    }
}

/// What became of a batch: shared by all its records that somebody waits for.
#[derive(Default)]
pub(crate) struct Outcome {
    settled: Mutex<Vec<Part>>,
    changed: Notify,
}

/// Some records of the batch, which were sent together.
struct Part {
    /// Where they stood in the batch that they were appended to; `None` is all of it, in order.
    positions: Option<Box<[u32]>>,
    outcome: Result<Written>,
}

impl Part {
    fn get(&self, index: u32) -> Option<Result<RecordId>> {
        let place = match &self.positions {
            None => index as usize,
            Some(positions) => positions.iter().position(|position| *position == index)?,
        };
        Some(self.outcome.clone().map(|written| written.id(place)))
    }
}

impl Outcome {
    /// Settles all records of the batch, or those of a part of it.
    pub(crate) fn settle(&self, positions: Option<Box<[u32]>>, outcome: Result<Written>) {
        self.settled.lock().push(Part { positions, outcome });
        self.changed.notify_waiters();
    }

    fn get(&self, index: u32) -> Option<Result<RecordId>> {
        self.settled.lock().iter().find_map(|part| part.get(index))
    }

    async fn settled(&self, index: u32) -> Result<RecordId> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Listen before looking, or a change between the two would be missed.
            changed.as_mut().enable();
            if let Some(result) = self.get(index) {
                return result;
            }
            changed.await;
        }
    }
}

/// A record id to come. Dropping it changes nothing: the record is sent all the same.
#[must_use]
pub struct Delivery {
    outcome: Arc<Outcome>,
    index: u32,
    /// The callback that its record waits for, if it does.
    waits_for: Option<RunningCallback>,
}

impl Delivery {
    /// Of a record that is `held` back until the callback that runs on this thread has returned, or of one that is
    /// not.
    pub(crate) fn new((outcome, index): (Arc<Outcome>, u32), held: bool) -> Self {
        Delivery { outcome, index, waits_for: held.then(RunningCallback::of_this_thread) }
    }

    /// Waits until the record is settled: written, with this id, or not.
    ///
    /// # Errors
    ///
    /// Why it was not written; [`Aborted`](crate::ErrorKind::Aborted) if it was never sent;
    /// [`is_ambiguous`](crate::Error::is_ambiguous) if nobody can tell. And that of the wait itself: time was
    /// up, or it was interrupted; then it can be waited for again.
    /// [`WouldDeadlock`](crate::ErrorKind::WouldDeadlock) in the callback that appended the record in place of one
    /// that failed: it is sent after that has returned.
    pub fn wait(&self, limit: impl Into<Wait>) -> Result<RecordId> {
        let is_waited_for =
            self.waits_for.is_some_and(|callback| callback == RunningCallback::of_this_thread());
        if is_waited_for && self.try_get().is_none() {
            return Err(would_deadlock("a wait for a delivery"));
        }
        let settled = wait(self.settled(), limit.into().until());
        settled.unwrap_or_else(|ended| Err(ended.into_error("a delivery")))
    }

    pub(crate) async fn settled(&self) -> Result<RecordId> {
        self.outcome.settled(self.index).await
    }

    /// The outcome, if it is there.
    pub fn try_get(&self) -> Option<Result<RecordId>> {
        self.outcome.get(self.index)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.try_get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_a_batch_that_was_taken_apart_have_the_ids_of_their_parts() {
        let outcome = Arc::new(Outcome::default());
        let written = |batch_id| Ok(Written { shard_id: 1, batch_id });
        outcome.settle(Some([0, 3].into()), written(7));
        assert!(Delivery::new((outcome.clone(), 1), false).try_get().is_none());
        outcome.settle(Some([1, 2].into()), written(8));
        let ids = [0, 1, 2, 3]
            .map(|index| Delivery::new((outcome.clone(), index), false).wait(Wait::no()).unwrap());
        let expected = [(7, 0), (8, 0), (8, 1), (7, 1)];
        assert_eq!(ids, expected.map(|(batch, index)| RecordId::new(1, batch, index)));
    }
}
