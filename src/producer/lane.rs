//! One shard of one stream: the batch that grows, and those that wait to be sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::codec::batch;
use crate::codec::compression::Compression;
use crate::error::{Error, Result};
use crate::producer::batch::{Limits, OpenBatch, SealedBatch};
use crate::producer::compressor::Compressor;
use crate::producer::config::Linger;
use crate::producer::delivery::Delivery;
use crate::producer::flush::{Counts, Flush, Progress};
use crate::proto::BatchedRecord;
use crate::record::Record;
use crate::runtime::Task;

/// The batches of one shard, on their way from the callers to the shard's worker.
pub(crate) struct Lane {
    pub(crate) stream: Arc<str>,
    pub(crate) shard_id: u64,
    limits: Limits,
    linger: Linger,
    compressor: Option<Compressor>,
    state: Mutex<State>,
    /// Progress has a lock of its own: it changes on the callback's thread, while callers append.
    progress: Mutex<Progress>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    open: OpenBatch,
    sealed: VecDeque<Queued>,
    /// Whether the worker sleeps until it is woken.
    worker_sleeps: bool,
    worker: Option<Task<()>>,
    closed: bool,
}

/// A sealed batch on its way to the worker.
pub(crate) struct Queued {
    pub(crate) batch: SealedBatch,
    pub(crate) message: Message,
}

/// What goes over the wire for a batch.
pub(crate) enum Message {
    Plain { bytes: Bytes, count: u32 },
    Compressing(oneshot::Receiver<Result<BatchedRecord>>),
}

impl Message {
    /// The message itself; waits for the compressor.
    pub(crate) async fn ready(self) -> Result<BatchedRecord> {
        match self {
            Message::Plain { bytes, count } => batch::seal(bytes, count, Compression::none()),
            Message::Compressing(result) => result.await.unwrap_or_else(|_| Err(Error::closed("compressor"))),
        }
    }
}

/// What the worker finds.
pub(crate) enum Next {
    Batch(Box<Queued>),
    /// Nothing yet; at this time at the latest there will be something.
    Sleep(Option<Instant>),
    /// Nothing, and nothing will come.
    End,
}

/// A record to be pushed.
pub(crate) struct Push<'a> {
    pub(crate) record: &'a Record,
    pub(crate) encoded_len: usize,
    pub(crate) tag: u64,
    pub(crate) credit: usize,
    pub(crate) tracked: bool,
}

impl Lane {
    pub(crate) fn new(
        stream: Arc<str>,
        shard_id: u64,
        limits: Limits,
        linger: Linger,
        compressor: Option<Compressor>,
    ) -> Self {
        Lane {
            stream,
            shard_id,
            limits,
            linger,
            compressor,
            state: Mutex::default(),
            progress: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Puts a record into the open batch. `start_worker` is called when there is none yet.
    ///
    /// # Errors
    ///
    /// The lane is closed; the record was not taken.
    pub(crate) fn push(
        &self,
        push: Push<'_>,
        clock: impl FnOnce() -> Instant,
        start_worker: impl FnOnce() -> Task<()>,
    ) -> Result<Option<Delivery>> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::closed("producer"));
        }
        if !state.open.has_room_for(push.encoded_len, self.limits) {
            self.seal(&mut state);
        }
        let first = state.open.is_empty();
        state.open.push(push.record, push.tag, push.credit, clock);
        let delivery = push.tracked.then(|| Delivery::new(state.open.track_last()));
        self.progress.lock().accept();
        let full = state.open.is_full(self.limits);
        if full {
            self.seal(&mut state);
        }
        if state.worker.is_none() {
            state.worker = Some(start_worker());
        }
        let worth_waking = full || !state.sealed.is_empty() || (first && self.linger != Linger::ByHand);
        if worth_waking {
            self.wake_worker(&mut state);
        }
        Ok(delivery)
    }

    fn seal(&self, state: &mut State) {
        let Some(batch) = state.open.seal() else { return };
        let (bytes, count) = (batch.bytes.clone(), batch.tags.len() as u32);
        let message = match &self.compressor {
            None => Message::Plain { bytes, count },
            Some(compressor) => Message::Compressing(compressor.submit(bytes, count)),
        };
        state.sealed.push_back(Queued { batch, message });
    }

    fn wake_worker(&self, state: &mut State) {
        if std::mem::take(&mut state.worker_sleeps) {
            self.wake.notify_one();
        }
    }

    /// The worker's next batch. Time comes in from outside.
    pub(crate) fn next(&self, now: Instant) -> Next {
        let mut state = self.state.lock();
        if state.sealed.is_empty() && (state.closed || self.is_due(&state.open, now)) {
            self.seal(&mut state);
        }
        match state.sealed.pop_front() {
            Some(queued) => Next::Batch(Box::new(queued)),
            None if state.closed => Next::End,
            None => {
                state.worker_sleeps = true;
                Next::Sleep(state.open.since().and_then(|since| self.due(since)))
            }
        }
    }

    fn is_due(&self, open: &OpenBatch, now: Instant) -> bool {
        open.since().and_then(|since| self.due(since)).is_some_and(|due| due <= now)
    }

    /// When a batch whose first record came at this time goes by itself.
    fn due(&self, since: Instant) -> Option<Instant> {
        match self.linger {
            Linger::WhenIdle => Some(since),
            Linger::For(age) => since.checked_add(age),
            Linger::ByHand => None,
        }
    }

    /// Sleeps until there may be a batch.
    pub(crate) async fn sleep(&self, until: Option<Instant>) {
        match until {
            None => self.wake.notified().await,
            Some(due) => {
                let _ = tokio::time::timeout_at(due.into(), self.wake.notified()).await;
            }
        }
    }

    /// Sends what is there, as soon as its turn comes.
    pub(crate) fn seal_now(&self) {
        let mut state = self.state.lock();
        self.seal(&mut state);
        self.wake_worker(&mut state);
    }

    /// The same, and has the flush wait for all that was accepted.
    pub(crate) fn flush(&self, flush: &Arc<Flush>) {
        let mut state = self.state.lock();
        self.seal(&mut state);
        self.wake_worker(&mut state);
        self.progress.lock().add_flush(flush);
    }

    /// Takes no more records; what is there is sent.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        self.seal(&mut state);
        self.wake_worker(&mut state);
    }

    /// Takes back all that waits to be sent.
    pub(crate) fn take_queued(&self) -> Vec<Queued> {
        let mut state = self.state.lock();
        self.seal(&mut state);
        state.sealed.drain(..).collect()
    }

    pub(crate) fn take_worker(&self) -> Option<Task<()>> {
        self.state.lock().worker.take()
    }

    /// Records of a batch have been settled and reported.
    pub(crate) fn reported(&self, counts: Counts) {
        self.progress.lock().report(counts);
    }

    pub(crate) fn pending(&self) -> u64 {
        self.progress.lock().pending()
    }
}

/// When a batch is to be given up.
pub(crate) fn give_up_at(batch: &SealedBatch, delivery_timeout: Duration) -> Option<Instant> {
    batch.since.checked_add(delivery_timeout)
}
