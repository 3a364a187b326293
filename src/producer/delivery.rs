//! The outcome of single records, for those who wait for it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::record_id::RecordId;
use crate::wait::{Until, Wait, wait};

/// What became of a batch: shared by all its records that somebody waits for.
#[derive(Default)]
pub(crate) struct Outcome {
    settled: OnceLock<Result<Written>>,
    changed: Notify,
}

/// Where a batch was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) shard_id: u64,
    pub(crate) batch_id: u64,
}

impl Written {
    pub(crate) fn id(&self, index: usize) -> RecordId {
        RecordId::new(self.shard_id, self.batch_id, index as u32)
    }
}

impl Outcome {
    pub(crate) fn settle(&self, outcome: Result<Written>) {
        let _ = self.settled.set(outcome);
        self.changed.notify_waiters();
    }

    async fn settled(&self) -> Result<Written> {
        let mut changed = std::pin::pin!(self.changed.notified());
        // Listen before looking, or a change between the two would be missed.
        changed.as_mut().enable();
        if let Some(outcome) = self.settled.get() {
            return outcome.clone();
        }
        changed.await;
        self.settled
            .get()
            .cloned()
            .unwrap_or_else(|| Err(Error::protocol("a batch was settled without outcome")))
    }
}

/// A record id to come. Dropping it changes nothing: the record is sent all the same.
#[must_use]
pub struct Delivery {
    outcome: Arc<Outcome>,
    index: u32,
}

impl Delivery {
    pub(crate) fn new((outcome, index): (Arc<Outcome>, u32)) -> Self {
        Delivery { outcome, index }
    }

    /// Waits until the record is settled: written, with this id, or not.
    ///
    /// # Errors
    ///
    /// Why it was not written; [`Aborted`](crate::ErrorKind::Aborted) if it was never sent;
    /// [`is_ambiguous`](Error::is_ambiguous) if nobody can tell. And that of the wait itself: time was up,
    /// or it was interrupted; then it can be waited for again.
    pub fn wait(&self, limit: impl Into<Wait>) -> Result<RecordId> {
        self.wait_until(limit.into().until())
    }

    pub(crate) fn wait_until(&self, until: Until<'_>) -> Result<RecordId> {
        let settled = wait(self.outcome.settled(), until);
        let written = settled.unwrap_or_else(|ended| Err(ended.into_error("a delivery")))?;
        Ok(written.id(self.index as usize))
    }

    /// The outcome, if it is there.
    pub fn try_get(&self) -> Option<Result<RecordId>> {
        let outcome = self.outcome.settled.get()?;
        Some(outcome.clone().map(|written| written.id(self.index as usize)))
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.try_get()).finish()
    }
}
