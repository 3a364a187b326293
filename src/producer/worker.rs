//! The task that sends the batches of one shard: in order, one in flight.

use std::sync::Arc;
use std::time::Instant;

use crate::cluster::Plan;
use crate::error::{Error, ErrorKind, Result};
use crate::producer::append::append_batch;
use crate::producer::batch::SealedBatch;
use crate::producer::core::Core;
use crate::producer::delivery::Written;
use crate::producer::lane::{Lane, Message, Next, Queued, give_up_at};

pub(crate) struct ShardWorker {
    core: Arc<Core>,
    lane: Arc<Lane>,
}

impl ShardWorker {
    pub(crate) fn new(core: Arc<Core>, lane: Arc<Lane>) -> Self {
        ShardWorker { core, lane }
    }

    pub(crate) async fn run(self) {
        loop {
            match self.lane.next(Instant::now()) {
                Next::Batch(queued) => self.send(*queued).await,
                Next::Sleep(until) => self.lane.sleep(until).await,
                Next::End => return,
            }
        }
    }

    async fn send(&self, queued: Queued) {
        let Queued { batch, message } = queued;
        let settings = &self.core.settings;
        let plan = Plan {
            deadline: give_up_at(&batch, settings.delivery_timeout),
            max_attempts: settings.max_attempts,
            backoff: settings.backoff,
            send_twice: settings.retry_ambiguous,
        };
        let mut unsettled = Unsettled::new(self, batch);
        let outcome = self.append(message, plan, &mut unsettled.sent).await;
        // Taken before anybody is told of the failure: what is appended after that is not behind it.
        let behind = if outcome.is_err() { self.lane.take_queued() } else { Vec::new() };
        unsettled.settle(outcome);
        // It is not sent, or it would be written before what failed could be appended again.
        for queued in behind {
            Unsettled::new(self, queued.batch).settle(Err(behind_a_failure()));
        }
    }

    async fn append(&self, message: Message, plan: Plan, sent: &mut bool) -> Result<Written> {
        let message = message.ready().await?;
        // The semaphore is never closed.
        let _place = self.core.in_flight.acquire().await;
        *sent = true;
        append_batch(&self.core.cluster, &self.lane.stream, self.lane.shard_id, message, plan).await
    }
}

/// A batch that has left the lane: if it is dropped on the way, because the producer is given up, it is
/// settled all the same. So each record has exactly one outcome.
struct Unsettled<'a> {
    worker: &'a ShardWorker,
    /// `None` once settled.
    batch: Option<SealedBatch>,
    sent: bool,
}

impl<'a> Unsettled<'a> {
    fn new(worker: &'a ShardWorker, batch: SealedBatch) -> Self {
        Unsettled { worker, batch: Some(batch), sent: false }
    }

    fn settle(mut self, outcome: Result<Written>) {
        self.settle_once(outcome);
    }

    fn settle_once(&mut self, outcome: Result<Written>) {
        if let Some(batch) = self.batch.take() {
            self.worker.core.settle(&self.worker.lane, batch, outcome);
        }
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        let error = if self.sent {
            Error::new(ErrorKind::Timeout, "the producer was closed before the server answered").ambiguous()
        } else {
            never_sent()
        };
        self.settle_once(Err(error));
    }
}

/// The outcome of records behind a batch that failed for good.
pub(crate) fn behind_a_failure() -> Error {
    Error::new(ErrorKind::Aborted, "not sent, because a batch before it in its shard failed")
}

/// The outcome of records that were given up before they were sent.
pub(crate) fn never_sent() -> Error {
    Error::new(ErrorKind::Aborted, "not sent, because the producer was closed")
}
