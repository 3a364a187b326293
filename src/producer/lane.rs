//! One shard of one stream: the batch that grows, and those that wait to be sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::codec::batch;
use crate::codec::compression::Compression;
use crate::error::{Error, Result};
use crate::producer::append::Destination;
use crate::producer::batch::{Limits, OpenBatch, Push, SealedBatch};
use crate::producer::buffers::Buffers;
use crate::producer::compressor::Compressor;
use crate::producer::config::Linger;
use crate::producer::core::Core;
use crate::producer::delivery::Delivery;
use crate::producer::flush::{Counts, Flush, Progress};
use crate::producer::gate::Gate;
use crate::producer::layout::Layout;
use crate::producer::room::{Advance, Room, Taken};
use crate::proto::BatchedRecord;
use crate::record::Content;
use crate::runtime::Task;

/// The batches of one shard, on their way from the callers to the shard's worker.
pub(crate) struct Lane {
    pub(crate) destination: Destination,
    how: LaneOptions,
    state: Mutex<State>,
    /// Progress has a lock of its own: it changes on the callback's thread, while callers append.
    progress: Mutex<Progress>,
    /// For the worker.
    wake: Notify,
    /// For appenders that wait until the shard takes records again.
    gate_changed: Notify,
}

/// What the lanes of a producer have in common.
#[derive(Clone)]
pub(crate) struct LaneOptions {
    pub(crate) limits: Limits,
    pub(crate) linger: Linger,
    pub(crate) compressor: Option<Compressor>,
    pub(crate) buffers: Buffers,
    pub(crate) room: Arc<Room>,
    /// Counts the records of batches when they are sealed.
    pub(crate) sealed: Arc<AtomicU64>,
}

struct State {
    open: OpenBatch,
    /// For the records that join the open batch.
    advance: Advance,
    sealed: VecDeque<Queued>,
    limits: Limits,
    /// Whether the worker sleeps until it is woken.
    worker_sleeps: bool,
    worker: Option<Task<()>>,
    /// Whether that has found its end: who brings records of another lane then starts another.
    worker_ends: bool,
    gate: Gate,
    /// What a callback appended past the gate is not sent before the gate opens.
    held: bool,
    end: End,
}

/// Why a lane takes no more records, ever.
#[derive(Clone)]
enum End {
    /// It does.
    No,
    Closed,
    /// The stream was created anew, and these are its shards.
    Moved(Arc<Layout>),
    /// The same, but its records are not to go there.
    Gone(Error),
}

/// Why a record was not taken.
pub(crate) enum NotTaken {
    /// For good.
    Refused(Error),
    /// Reports of a failure have not been handed over.
    Reporting,
    /// It belongs there.
    Moved(Arc<Layout>),
    /// Too much is held: room has to be waited for.
    NoRoom,
}

impl From<Error> for NotTaken {
    fn from(error: Error) -> Self {
        NotTaken::Refused(error)
    }
}

/// A sealed batch on its way to the worker.
pub(crate) struct Queued {
    pub(crate) batch: SealedBatch,
    pub(crate) message: Message,
}

/// What a lane holds.
pub(crate) struct Queue {
    /// Records of the batch that grows.
    pub(crate) open_records: u64,
    /// Of that batch and of those that wait.
    pub(crate) bytes: usize,
    /// When the first record came that is not reported yet.
    pub(crate) since: Option<Instant>,
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
            Message::Compressing(result) => result.await.unwrap_or_else(|_| Err(not_compressed())),
        }
    }
}

/// What the worker finds.
pub(crate) enum Next {
    Batch(Box<Queued>),
    /// Nothing yet; after this time at the latest there will be something.
    Sleep(Option<Duration>),
    /// Nothing, and nothing will come.
    End,
}

impl Lane {
    pub(crate) fn new(destination: Destination, how: LaneOptions) -> Self {
        let state = State {
            open: OpenBatch::default(),
            advance: Advance::default(),
            sealed: VecDeque::new(),
            limits: how.limits,
            worker_sleeps: false,
            worker: None,
            worker_ends: false,
            gate: Gate::Open,
            held: false,
            end: End::No,
        };
        Lane {
            destination,
            how,
            state: Mutex::new(state),
            progress: Mutex::default(),
            wake: Notify::new(),
            gate_changed: Notify::new(),
        }
    }

    pub(crate) fn stream(&self) -> &Arc<str> {
        &self.destination.stream
    }

    pub(crate) fn shard_id(&self) -> u64 {
        self.destination.shard_id
    }

    /// Puts a record into the open batch, with the room that was `taken` for it, or else with room that is there
    /// without waiting. `start_worker` is called when there is no worker yet. The callback that is
    /// told of a failure appends `past_the_gate`; that is sent when all have been told. Sent sooner, it could fail
    /// again while an older report is handed over, and what is appended there would get ahead of it.
    #[inline]
    pub(crate) fn push(
        &self,
        push: &mut Push<'_, impl Content>,
        taken: Option<Taken>,
        past_the_gate: bool,
        clock: impl FnOnce() -> Instant,
        start_worker: impl FnOnce() -> Task<()>,
    ) -> Result<(), NotTaken> {
        let mut state = self.state.lock();
        state.check_open(past_the_gate, &self.destination)?;
        let encoded_len = push.record.encoded_len();
        let credit = state.pay(encoded_len, taken, &self.how.room).ok_or(NotTaken::NoRoom)?;
        state.held |= matches!(state.gate, Gate::Reporting(_));
        if !state.open.has_room_for(encoded_len, state.limits) {
            self.seal(&mut state);
        }
        let first = state.open.is_empty();
        state.open.push(push, credit, &self.how.buffers, clock);
        if let Some(delivery) = &mut push.delivery {
            **delivery = Some(Delivery::new(state.open.track_last(), state.held));
        }
        let full = state.open.is_full(state.limits);
        if full {
            self.seal(&mut state);
        }
        if state.worker.is_none() {
            state.worker = Some(start_worker());
        }
        let worth_waking = full || !state.sealed.is_empty() || (first && self.how.linger != Linger::ByHand);
        if worth_waking {
            self.wake_worker(&mut state);
        }
        Ok(())
    }

    fn seal(&self, state: &mut State) {
        let Some(mut batch) = state.open.seal(&self.how.buffers) else { return };
        state.advance.give_back(&self.how.room);
        batch.number = self.progress.lock().sealed(batch.count.into(), batch.since);
        self.how.sealed.fetch_add(batch.count.into(), Ordering::Relaxed);
        state.sealed.push_back(self.queued(batch));
    }

    /// The batch with what goes over the wire for it.
    pub(crate) fn queued(&self, batch: SealedBatch) -> Queued {
        let (bytes, count) = (batch.bytes.clone(), batch.count);
        let message = match &self.how.compressor {
            None => Message::Plain { bytes, count },
            Some(compressor) => Message::Compressing(compressor.submit(bytes, count)),
        };
        Queued { batch, message }
    }

    fn wake_worker(&self, state: &mut State) {
        if std::mem::take(&mut state.worker_sleeps) {
            self.wake.notify_one();
        }
    }

    /// The worker's next batch. A batch that is not full goes only when the shard is `idle`. Time comes in from
    /// outside.
    pub(crate) fn next(&self, now: Instant, idle: bool) -> Next {
        let mut state = self.state.lock();
        let ended = !matches!(state.end, End::No);
        if state.held && !ended {
            state.worker_sleeps = true;
            return Next::Sleep(None);
        }
        let goes = ended || if idle { self.is_due(&state.open, now) } else { self.is_old(&state.open, now) };
        if state.sealed.is_empty() && goes {
            self.seal(&mut state);
        }
        match state.sealed.pop_front() {
            Some(queued) => Next::Batch(Box::new(queued)),
            None if ended => {
                state.worker_ends = idle;
                Next::End
            }
            None => {
                state.worker_sleeps = true;
                let due = state.open.since().and_then(|since| self.due(since)).filter(|due| *due > now);
                Next::Sleep(due.map(|due| due.saturating_duration_since(now)))
            }
        }
    }

    fn is_due(&self, open: &OpenBatch, now: Instant) -> bool {
        open.since().and_then(|since| self.due(since)).is_some_and(|due| due <= now)
    }

    /// Whether it goes also while another is in flight: only what waits for its age does.
    fn is_old(&self, open: &OpenBatch, now: Instant) -> bool {
        matches!(self.how.linger, Linger::For(_)) && self.is_due(open, now)
    }

    /// When a batch whose first record came at this time goes by itself.
    fn due(&self, since: Instant) -> Option<Instant> {
        match self.how.linger {
            Linger::WhenIdle => Some(since),
            Linger::For(age) => since.checked_add(age),
            Linger::ByHand => None,
        }
    }

    /// Sleeps until there may be a batch.
    pub(crate) async fn sleep(&self, most: Option<Duration>) {
        match most {
            None => self.wake.notified().await,
            Some(most) => {
                let _ = tokio::time::timeout(most, self.wake.notified()).await;
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

    /// Takes no more records; what is there is sent, and a flush waits for it.
    pub(crate) fn close(&self, flush: Option<&Arc<Flush>>) {
        let mut state = self.state.lock();
        if matches!(state.end, End::No) {
            self.end(&mut state, End::Closed);
        }
        // Whoever is refused from now on finds that the flush has begun.
        if let Some(flush) = flush {
            self.progress.lock().add_flush(flush);
        }
    }

    fn end(&self, state: &mut State, end: End) {
        state.end = end;
        self.seal(state);
        self.wake_worker(state);
        self.gate_changed.notify_waiters();
    }

    /// A batch has failed for good, and will have a report or not: takes back all that waits behind it, and takes
    /// no more until the reports of all that have been handed over, or until it is told to. Done before anybody is
    /// told of the failure: what is appended after that is not behind it.
    pub(crate) fn fail(&self, also_behind: usize, reported: bool, stop: bool) -> Vec<Queued> {
        let mut state = self.state.lock();
        self.seal(&mut state);
        let behind: Vec<_> = state.sealed.drain(..).collect();
        if stop {
            state.gate = Gate::Stopped;
        }
        state.gate.fail(if reported { 1 + also_behind + behind.len() } else { 0 });
        behind
    }

    /// A report of a failure has been handed over.
    pub(crate) fn report_handed_over(&self) {
        let mut state = self.state.lock();
        state.gate.handed_over();
        if state.gate == Gate::Open {
            state.held = false;
            self.wake_worker(&mut state);
        }
        drop(state);
        self.gate_changed.notify_waiters();
    }

    /// Takes records again after a stop.
    pub(crate) fn resume(&self) {
        let mut state = self.state.lock();
        if state.gate == Gate::Stopped {
            state.gate = Gate::Open;
        }
    }

    /// Waits until an append may be taken, or will never be.
    pub(crate) async fn gate_open(&self) {
        loop {
            let mut changed = std::pin::pin!(self.gate_changed.notified());
            // Listen before looking, or a change between the two would be missed.
            changed.as_mut().enable();
            if !matches!(self.state.lock().check_open(false, &self.destination), Err(NotTaken::Reporting)) {
                return;
            }
            changed.await;
        }
    }

    /// The stream was created anew: moves what is on its way here, the batches in hand before those that wait, to
    /// its new lanes. Who appends here meanwhile waits, and comes behind all that.
    pub(crate) fn move_to(
        self: &Arc<Self>,
        core: &Arc<Core>,
        layout: &Arc<Layout>,
        in_hand: Vec<SealedBatch>,
    ) {
        let mut state = self.state.lock();
        self.end(&mut state, End::Moved(layout.clone()));
        let waiting = state.sealed.drain(..).map(|queued| queued.batch);
        for mut batch in in_hand.into_iter().chain(waiting) {
            batch.home.get_or_insert_with(|| self.clone());
            layout.take_over(core, self, batch);
        }
    }

    /// Its shard is gone: refuses records from now on.
    pub(crate) fn gone(&self, error: &Error) {
        let mut state = self.state.lock();
        self.end(&mut state, End::Gone(error.clone()));
    }

    /// Takes over a batch from a lane whose shard is gone.
    pub(crate) fn take_over(&self, batch: SealedBatch, start_worker: impl FnOnce() -> Task<()>) {
        let queued = self.queued(batch);
        let mut state = self.state.lock();
        self.seal(&mut state);
        state.sealed.push_back(queued);
        if state.worker.is_none() || std::mem::take(&mut state.worker_ends) {
            state.worker = Some(start_worker());
        }
        self.wake_worker(&mut state);
    }

    /// Batches end below this size from now on: the server takes no larger ones.
    pub(crate) fn shrink(&self, bytes: usize) {
        let mut state = self.state.lock();
        state.limits.bytes = state.limits.bytes.min(bytes).max(1);
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
    pub(crate) fn reported(&self, batch: u64, counts: Counts) {
        self.progress.lock().report(batch, counts);
    }

    /// What waits here, for statistics.
    pub(crate) fn state_of_queue(&self) -> Queue {
        let state = self.state.lock();
        let sealed: usize = state.sealed.iter().map(|queued| queued.batch.bytes.len()).sum();
        Queue {
            open_records: state.open.len(),
            bytes: sealed + state.open.bytes(),
            since: self.progress.lock().since().or(state.open.since()),
        }
    }

    /// What it took of the bytes for records that have not come yet.
    pub(crate) fn in_advance(&self) -> usize {
        self.state.lock().advance.bytes()
    }

    /// Whether it has ever had a record.
    pub(crate) fn is_used(&self) -> bool {
        let state = self.state.lock();
        !state.open.is_empty() || self.progress.lock().has_begun()
    }

    /// Records accepted and not reported yet.
    pub(crate) fn pending(&self) -> u64 {
        let state = self.state.lock();
        state.open.len() + self.progress.lock().pending()
    }
}

impl State {
    /// What the record took of the bytes; `None` if there is too little.
    #[inline]
    fn pay(&mut self, encoded_len: usize, taken: Option<Taken>, room: &Room) -> Option<usize> {
        if let Some(taken) = taken {
            return Some(taken.bytes);
        }
        let price = room.for_record(encoded_len);
        self.advance.pay(price, self.open.len(), room).then_some(price.bytes)
    }

    #[inline]
    fn check_open(&self, past_the_gate: bool, lane: &Destination) -> Result<(), NotTaken> {
        match (&self.end, self.gate) {
            (End::No, Gate::Open) => Ok(()),
            (End::No, Gate::Reporting(_)) if past_the_gate => Ok(()),
            (End::No, Gate::Reporting(_)) => Err(NotTaken::Reporting),
            (End::No, Gate::Stopped) => Err(NotTaken::Refused(stopped(lane))),
            (End::Closed, _) => Err(NotTaken::Refused(Error::closed("producer"))),
            (End::Moved(layout), _) => Err(NotTaken::Moved(layout.clone())),
            (End::Gone(error), _) => Err(NotTaken::Refused(error.clone())),
        }
    }
}

fn not_compressed() -> Error {
    Error::new(crate::ErrorKind::Panic, "a batch could not be compressed, which is a bug in this library")
}

fn stopped(lane: &Destination) -> Error {
    let (stream, shard) = (&lane.stream, lane.shard_id);
    Error::new(
        crate::ErrorKind::InvalidState,
        format!(
            "shard {shard} of the stream `{stream}` is stopped after a failure; resume it to append again"
        ),
    )
}

/// When a batch is to be given up.
pub(crate) fn give_up_at(batch: &SealedBatch, delivery_timeout: Duration) -> Option<Instant> {
    batch.since.checked_add(delivery_timeout)
}
