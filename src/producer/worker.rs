//! The task that sends the batches of one shard, in order, as many at a time as was asked for: one, by default.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::cluster::Plan;
use crate::codec::append::Written;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, EventKind, SubjectKind};
use crate::producer::append::append_batch;
use crate::producer::batch::SealedBatch;
use crate::producer::config::{FailurePolicy, RecreatedStream};
use crate::producer::core::Core;
use crate::producer::lane::{Lane, Message, Next, Queued, give_up_at};
use crate::proto::ErrorCode;
use crate::runtime::Task;
use crate::test_panic;

pub(crate) struct ShardWorker {
    core: Arc<Core>,
    lane: Arc<Lane>,
}

impl ShardWorker {
    pub(crate) fn spawn(core: &Arc<Core>, lane: &Arc<Lane>) -> Task<()> {
        let worker = ShardWorker { core: core.clone(), lane: lane.clone() };
        core.spawner.spawn(async move { worker.run().await })
    }

    async fn run(&self) {
        let mut sending = FuturesUnordered::new();
        loop {
            if sending.len() == self.core.settings.in_flight_per_shard {
                sending.next().await;
            }
            let idle = sending.is_empty();
            match self.lane.next((self.core.settings.now)(), idle) {
                Next::Batch(queued) => {
                    let unsettled = Unsettled::new(self, *queued);
                    test_panic::point("worker", self.lane.stream());
                    sending.push(self.send(unsettled));
                }
                Next::Sleep(most) if idle => self.lane.sleep(most).await,
                Next::Sleep(most) => tokio::select! {
                    _ = sending.next() => {}
                    () = self.lane.sleep(most) => {}
                },
                Next::End if idle => return,
                Next::End => {
                    sending.next().await;
                }
            }
        }
    }

    /// Sends a batch; in halves, if the server finds it too large.
    async fn send<'a>(&'a self, unsettled: Unsettled<'a>) {
        // From the last to the first.
        let mut parts = vec![unsettled];
        while let Some(mut part) = parts.pop() {
            match part.append().await {
                Ok(written) => part.settle(Ok(written), false),
                Err(error) if part.can_be_halved(&error) => parts.extend(part.halve(&error)),
                Err(error) if error.shards_are_gone() => {
                    parts.push(part);
                    return self.shard_is_gone(parts, error).await;
                }
                Err(error) => {
                    if self.core.settings.failure_policy != FailurePolicy::Continue {
                        return self.abort_behind(part, parts, error);
                    }
                    part.settle(Err(error), false);
                }
            }
        }
    }

    /// What is behind a failure is not sent, or it would be written before what failed could be appended again.
    fn abort_behind(&self, failed: Unsettled<'_>, rest: Vec<Unsettled<'_>>, error: Error) {
        let reported = self.core.reports(true);
        let stop = self.core.settings.failure_policy == FailurePolicy::Stop;
        let queued = self.lane.fail(rest.len(), reported, stop);
        self.tell_of_the_stop(&error, rest.len() + queued.len());
        failed.settle(Err(error), reported);
        let queued = queued.into_iter().map(|queued| Unsettled::new(self, queued));
        for behind in rest.into_iter().rev().chain(queued) {
            behind.settle(Err(behind_a_failure()), reported);
        }
    }

    fn tell_of_the_stop(&self, error: &Error, behind: usize) {
        let event = Event::new(EventKind::ShardStopped, SubjectKind::Producer, self.lane.stream());
        let detail =
            format!("shard {}: a batch failed; {behind} behind it are not sent", self.lane.shard_id());
        self.core.cluster.events().emit(event.saying(detail).at_node(error.node()).because_of(error));
    }

    /// The stream was deleted and created anew.
    async fn shard_is_gone(&self, in_hand: Vec<Unsettled<'_>>, error: Error) {
        let stream = self.core.forget_shard(&self.lane);
        if let Some(stream) =
            stream.filter(|_| self.core.settings.recreated_stream == RecreatedStream::Reroute)
        {
            match self.core.look_up(&stream).await {
                Ok(layout) => {
                    let in_hand = in_hand.into_iter().rev().filter_map(Unsettled::into_batch).collect();
                    return self.lane.move_to(&self.core, &layout, in_hand);
                }
                Err(error) => {
                    tracing::warn!(%error, "records can't be moved to the shards of the new stream")
                }
            }
        }
        self.lane.gone(&error);
        let queued = self.lane.take_queued().into_iter().map(|queued| Unsettled::new(self, queued));
        for batch in in_hand.into_iter().rev().chain(queued) {
            batch.settle(Err(error.clone()), false);
        }
    }
}

/// A panic here would leave what waits without anybody to send it.
impl Drop for ShardWorker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.core.break_down();
            for queued in self.lane.take_queued() {
                self.core.settle(&self.lane, queued.batch, Err(never_sent()), false);
            }
        }
    }
}

/// A batch that has left the lane: if it is dropped on the way, because the producer is given up, it is
/// settled all the same. So each record has exactly one outcome.
struct Unsettled<'a> {
    worker: &'a ShardWorker,
    /// `None` once settled.
    batch: Option<SealedBatch>,
    message: Option<Message>,
    sent: bool,
    /// As a part of a larger batch, that was refused after an attempt of which nobody knows the outcome.
    perhaps_written: bool,
}

impl<'a> Unsettled<'a> {
    fn new(worker: &'a ShardWorker, queued: Queued) -> Self {
        let (batch, message) = (Some(queued.batch), Some(queued.message));
        Unsettled { worker, batch, message, sent: false, perhaps_written: false }
    }

    async fn append(&mut self) -> Result<Written> {
        let (Some(message), Some(batch)) = (self.message.take(), &self.batch) else {
            return Err(Error::protocol("a batch was sent twice"));
        };
        let core = &self.worker.core;
        let plan = Plan {
            deadline: give_up_at(batch, core.settings.delivery_timeout),
            max_attempts: core.settings.max_attempts,
            backoff: core.settings.backoff,
            send_twice: core.settings.retry_ambiguous,
            now: core.settings.now,
        };
        let message = message.ready().await?;
        // The semaphore is never closed.
        let _place = core.in_flight.acquire().await;
        if plan.deadline.is_some_and(|deadline| deadline <= (plan.now)()) {
            return Err(too_late());
        }
        self.sent = true;
        let begun = Instant::now();
        let bytes = message.payload.len();
        let outcome = append_batch(&core.cluster, self.worker.lane.destination.clone(), message, plan).await;
        core.stats.appended(bytes, begun.elapsed());
        outcome
    }

    /// Whether the server may take the halves of a batch that it found too large.
    fn can_be_halved(&self, error: &Error) -> bool {
        error.has_code(ErrorCode::StreamInvalidRecordSize)
            && self.batch.as_ref().is_some_and(|batch| batch.count > 1)
    }

    /// The second half and the first, after this error of the whole.
    fn halve(mut self, error: &Error) -> Vec<Unsettled<'a>> {
        let worker = self.worker;
        let perhaps_written = self.perhaps_written || error.is_ambiguous();
        let Some(batch) = self.batch.take() else { return Vec::new() };
        // Compressed or not, what follows is likely to be as large.
        worker.lane.shrink(batch.bytes.len() / 2);
        let middle = batch.count / 2;
        let halves = batch.take_apart(|index, _| usize::from(index >= middle)).into_iter().rev();
        let unsettled = |half| {
            let mut half = Unsettled::new(worker, worker.lane.queued(half));
            half.perhaps_written = perhaps_written;
            half
        };
        halves.map(|(_, half)| unsettled(half)).collect()
    }

    /// The batch, for others to settle.
    fn into_batch(mut self) -> Option<SealedBatch> {
        self.batch.take()
    }

    fn settle(mut self, outcome: Result<Written>, gates: bool) {
        self.settle_once(outcome, gates);
    }

    fn settle_once(&mut self, outcome: Result<Written>, gates: bool) {
        if let Some(batch) = self.batch.take() {
            let outcome =
                outcome.map_err(|error| if self.perhaps_written { error.ambiguous() } else { error });
            self.worker.core.settle(&self.worker.lane, batch, outcome, gates);
        }
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Before anybody hears of the outcome.
            self.worker.core.break_down();
        }
        let error = if self.sent {
            Error::new(ErrorKind::Timeout, "the producer was closed before the server answered").ambiguous()
        } else {
            never_sent()
        };
        self.settle_once(Err(error), false);
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

fn too_late() -> Error {
    Error::new(ErrorKind::Timeout, "not sent, because its delivery time-out was over when its turn came")
}
