//! A consumer's life: when it delivers, why it ends, and who waits for that.

#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Weak};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::closing::Closing;
use crate::cluster::Cluster;
use crate::codec::batch::DecodedBatch;
use crate::codec::received::IdRun;
use crate::consumer::ack::Acks;
use crate::consumer::buffer::Buffer;
use crate::consumer::config::{BadBatch, Settings};
use crate::consumer::counts::Counts;
use crate::consumer::dispatch::{Dispatch, Handler};
use crate::consumer::fetch::FetchLoop;
use crate::consumer::handle::Owner;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, EventKind, SubjectKind};
use crate::events::Unlogged;
use crate::metrics::ConsumerMetrics;
use crate::producer::reports::next_callback_thread_name;
#[cfg(unix)]
use crate::ready::Ready;
use crate::received::Batch;
use crate::record_id::RecordId;
use crate::runtime::{Spawner, Task, spawn_thread};
use crate::test_panic;
use crate::wait::{Ended, Until, Wait, wait};

/// How many runs of ids an event names.
const TOLD_RUNS: usize = 8;

/// What a consumer is doing. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsumerState {
    /// Not started.
    Idle,
    /// Connecting for the first time.
    Connecting,
    /// Connected; records come when there are some.
    Running,
    /// The connection was lost, and is being made again.
    Reconnecting,
    /// Stopped; it can be started again.
    Stopped,
    /// Ended by an error, which [`Consumer::last_error`](crate::Consumer::last_error) has.
    Failed,
    /// Closed.
    Closed,
}

impl ConsumerState {
    /// The name in JSON and in the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ConsumerState::Idle => "idle",
            ConsumerState::Connecting => "connecting",
            ConsumerState::Running => "running",
            ConsumerState::Reconnecting => "reconnecting",
            ConsumerState::Stopped => "stopped",
            ConsumerState::Failed => "failed",
            ConsumerState::Closed => "closed",
        }
    }

    /// Whether it ends there for good.
    fn is_final(self) -> bool {
        matches!(self, ConsumerState::Failed | ConsumerState::Closed)
    }
}

/// Why a consumer that gets no records gets none, as far as can be known. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitingFor {
    /// It has no connection.
    Connection,
    /// It has as many unacked records as the subscription allows: the server goes on when some are acked.
    Acks,
    /// What was received has to be polled first, or the callback has to return.
    Buffer,
    /// There are none for it.
    Records,
}

/// What the subscription says.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Tells it from another one of its name.
    pub(crate) created: Option<SystemTime>,
    /// After so long, the server delivers records again that were not acked.
    pub(crate) ack_timeout: Duration,
    /// The most records that all consumers may have unacked.
    pub(crate) max_unacked: u64,
}

/// What the handles of a consumer, its fetch and its thread share.
pub(crate) struct Shared {
    pub(crate) cluster: Arc<Cluster>,
    spawner: Spawner,
    pub(crate) subscription: String,
    pub(crate) settings: Settings,
    pub(crate) terms: Terms,
    pub(crate) buffer: Buffer,
    pub(crate) acks: Acks,
    pub(crate) counts: Counts,
    /// Ends waits for acks: the client is closed.
    pub(crate) ending: Closing,
    /// Whether it is to stop. Renewed by each start.
    pub(crate) stopping: Stopping,
    life: Mutex<Life>,
    changed: Notify,
    #[cfg(unix)]
    ready: Ready,
    /// What a poll of an auto-acking consumer handed out last.
    polled: Mutex<Option<Batch>>,
}

/// [`Closing`], for something that can begin again.
#[derive(Default)]
pub(crate) struct Stopping {
    current: Mutex<Arc<Closing>>,
}

impl Stopping {
    fn request(&self) {
        self.current.lock().close();
    }

    fn renew(&self) {
        *self.current.lock() = Arc::default();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.current.lock().is_closed()
    }

    pub(crate) async fn closed(&self) {
        let current = self.current.lock().clone();
        current.closed().await;
    }
}

struct Life {
    state: ConsumerState,
    /// Why it failed, or was lost last.
    error: Option<Error>,
    fetch: Option<Task<()>>,
    thread: Option<JoinHandle<()>>,
    /// The thread that runs the callback, as long as it may. Two, if the last callback of one has started the other,
    /// which waits for it.
    callbacks: Vec<ThreadId>,
    /// Whether the last stop left acks that the server may not have taken.
    acks_in_doubt: Option<Error>,
    /// Whether records are handed out.
    delivering: bool,
    /// Whether a close has begun.
    closing: bool,
}

impl Shared {
    pub(crate) fn new(
        subscription: &str,
        terms: Terms,
        settings: Settings,
        cluster: Arc<Cluster>,
        spawner: Spawner,
    ) -> Self {
        Shared {
            cluster,
            spawner,
            subscription: subscription.to_owned(),
            terms,
            buffer: Buffer::new(
                settings.prefetch_records,
                settings.prefetch_bytes,
                settings.max_batch_bytes,
                settings.bad_batch == BadBatch::Raw,
            ),
            acks: Acks::new(settings.ack_records, settings.ack_age),
            counts: Counts::default(),
            settings,
            ending: Closing::default(),
            stopping: Stopping::default(),
            life: Mutex::new(Life {
                state: ConsumerState::Idle,
                error: None,
                fetch: None,
                thread: None,
                callbacks: Vec::new(),
                acks_in_doubt: None,
                delivering: false,
                closing: false,
            }),
            changed: Notify::new(),
            #[cfg(unix)]
            ready: Ready::default(),
            polled: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> ConsumerState {
        self.life.lock().state
    }

    /// Why it failed, or was lost last.
    pub(crate) fn last_error(&self) -> Option<Error> {
        self.life.lock().error.clone()
    }

    pub(crate) fn metrics(&self) -> ConsumerMetrics {
        ConsumerMetrics {
            subscription: self.subscription.clone(),
            name: self.settings.name.clone(),
            state: self.state(),
            last_record_age: self.counts.last_record_age(),
            records: self.counts.received.records.get(),
            bytes: self.counts.received.bytes.get(),
            unacked: self.acks.unacked(),
            pending_acks: self.acks.len() as u64,
            reconnects: self.counts.reconnects.get(),
        }
    }

    /// Starts the fetch if it does not run.
    pub(crate) fn start(self: &Arc<Self>) -> Result<()> {
        let mut life = self.life.lock();
        if life.runs() {
            return Ok(());
        }
        life.check_may_begin()?;
        let news = self.begin(&mut life);
        drop(life);
        log(news);
        Ok(())
    }

    fn begin(self: &Arc<Self>, life: &mut Life) -> Vec<Unlogged> {
        self.stopping.renew();
        let news = self.change(life, ConsumerState::Connecting);
        life.delivering = true;
        life.acks_in_doubt = None;
        let shared = self.clone();
        life.fetch = Some(self.spawner.spawn(async move {
            let mut guard = FetchGuard { shared, ended: false };
            test_panic::point("worker", &guard.shared.subscription);
            let outcome = FetchLoop::new(guard.shared.clone()).run().await;
            guard.ended = true;
            guard.shared.fetch_ended(outcome);
        }));
        news
    }

    pub(crate) fn start_with(self: &Arc<Self>, owner: Weak<Owner>, handler: impl Handler) -> Result<()> {
        let dispatch = Dispatch::new(self.clone(), owner, handler);
        let shared = self.clone();
        // Until all is noted: the thread finds itself among the callbacks, and a close finds the thread.
        let mut life = self.life.lock();
        if life.runs() {
            return Err(Error::new(ErrorKind::InvalidState, "the consumer runs already"));
        }
        life.check_may_begin()?;
        let before = life.thread.take();
        let thread = spawn_thread(next_callback_thread_name(), move || {
            let _guard = CallbackGuard(shared);
            // One callback at a time: the last one of the thread before may have started this one.
            let _ = before.map(JoinHandle::join);
            dispatch.run();
        })?;
        life.callbacks.push(thread.thread().id());
        life.thread = Some(thread);
        let news = self.begin(&mut life);
        drop(life);
        log(news);
        Ok(())
    }

    fn fetch_ended(&self, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.set_state(ConsumerState::Stopped),
            Err(error) => self.set_failed(error),
        }
    }

    /// Ends the consumer with an error that came up on this side.
    pub(crate) fn fail(&self, error: Error) {
        self.set_failed(error);
        self.stop_delivering();
        self.stop_fetch();
    }

    pub(crate) fn set_state(&self, state: ConsumerState) {
        self.set_state_with(state, None);
    }

    fn set_failed(&self, error: Error) {
        self.set_state_with(ConsumerState::Failed, Some(error));
    }

    pub(crate) fn note_loss(&self, error: Error) {
        self.set_state_with(ConsumerState::Reconnecting, Some(error));
    }

    fn set_state_with(&self, state: ConsumerState, error: Option<Error>) {
        let mut life = self.life.lock();
        let mut news = Vec::new();
        if !life.state.is_final() {
            life.error = error.or(life.error.take());
            news = self.change(&mut life, state);
        }
        drop(life);
        log(news);
        self.wake_all();
    }

    /// Takes a new state. Under the lock, so that events come in the order of the changes; to be logged after it.
    fn change(&self, life: &mut Life, state: ConsumerState) -> Vec<Unlogged> {
        use ConsumerState::*;
        let before = std::mem::replace(&mut life.state, state);
        if before == state {
            return Vec::new();
        }
        if (before, state) == (Reconnecting, Running) {
            self.counts.reconnects.add(1);
            self.cluster.counters().reconnects.add(1);
        }
        let connection = match (before, state) {
            (_, Reconnecting) => Some(EventKind::Reconnecting),
            (Reconnecting, Running) => Some(EventKind::Reconnected),
            _ => None,
        };
        let connection = connection.map(|kind| self.event(kind));
        let state_event = self.event(EventKind::ConsumerState).in_state(state);
        let cause = life.error.as_ref().filter(|_| matches!(state, Reconnecting | Failed));
        [Some(state_event), connection]
            .into_iter()
            .flatten()
            .map(|event| match cause {
                Some(error) => event.because_of(error),
                None => event,
            })
            .map(|event| self.cluster.events().put(event))
            .collect()
    }

    fn event(&self, kind: EventKind) -> Event {
        Event::new(kind, SubjectKind::Consumer, &self.subscription)
    }

    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<Error> {
        let life = self.life.lock();
        if life.state == ConsumerState::Failed { life.error.clone() } else { None }
    }

    /// Hands out no more records. The fetch goes on for the acks of those that were, until it is stopped too.
    pub(crate) fn stop_delivering(&self) {
        self.life.lock().delivering = false;
        self.wake_all();
    }

    /// Ends the fetch, after the acks that are there.
    pub(crate) fn stop_fetch(&self) {
        self.stopping.request();
        self.wake_all();
    }

    fn wake_all(&self) {
        self.changed.notify_waiters();
        self.note_change();
    }

    /// There is something else to poll than before.
    pub(crate) fn note_change(&self) {
        #[cfg(unix)]
        self.ready.update(|| self.has_something());
    }

    /// A descriptor that is readable while a poll would return at once.
    #[cfg(unix)]
    pub(crate) fn descriptor(&self) -> Result<BorrowedFd<'_>> {
        self.ready.descriptor(|| self.has_something())
    }

    #[cfg(unix)]
    fn has_something(&self) -> bool {
        let ended =
            matches!(self.state(), ConsumerState::Stopped | ConsumerState::Failed | ConsumerState::Closed);
        ended || !self.buffer.is_empty()
    }

    pub(crate) fn poll(self: &Arc<Self>, max: usize, until: Until<'_>) -> Result<Option<Batch>> {
        self.start_to_poll()?;
        if !self.settings.auto_ack {
            return self.take(max, until);
        }
        if let Some(batch) = self.polled.lock().take() {
            self.ack(batch.runs())?;
        }
        let batch = self.take(max, until)?;
        *self.polled.lock() = batch.clone();
        Ok(batch)
    }

    /// The first poll starts the fetch; one after a stop does not.
    fn start_to_poll(self: &Arc<Self>) -> Result<()> {
        let mut life = self.life.lock();
        if !life.callbacks.is_empty() {
            let message = "the consumer delivers to its callback; it can't be polled as well";
            return Err(Error::new(ErrorKind::InvalidState, message));
        }
        if life.runs() {
            return Ok(());
        }
        if life.state == ConsumerState::Stopped {
            return Err(life.why_ended());
        }
        life.check_may_begin()?;
        let news = self.begin(&mut life);
        drop(life);
        log(news);
        Ok(())
    }

    /// The next records; an error when there will be none.
    pub(crate) fn take(&self, max: usize, until: Until<'_>) -> Result<Option<Batch>> {
        if max == 0 {
            return Err(Error::invalid_argument("the number of records to poll for must be more than 0"));
        }
        let next = async {
            loop {
                let mut filled = std::pin::pin!(self.buffer.filled());
                let mut changed = std::pin::pin!(self.changed.notified());
                // Listen before looking, or a change between the two would be missed.
                filled.as_mut().enable();
                changed.as_mut().enable();
                self.check_delivering()?;
                let mut problem = None;
                if let Some(batch) = self.buffer.try_take(max, |bad| problem = self.note_bad(bad)) {
                    return match problem {
                        Some(error) => Err(self.fail_for(error)),
                        None => Ok(self.hand_out(batch)),
                    };
                }
                tokio::select! {
                    () = filled => {}
                    () = changed => {}
                }
            }
        };
        match wait(next, until) {
            Ok(batch) => batch.map(Some),
            Err(Ended::Timeout) => Ok(None),
            Err(ended) => Err(ended.into_error("records")),
        }
    }

    fn hand_out(&self, batch: Batch) -> Batch {
        self.acks.give(batch.runs(), Instant::now());
        self.note_change();
        batch
    }

    /// Tells of a batch that can't be read. The error to end with, if the consumer is to end.
    fn note_bad(&self, bad: &DecodedBatch) -> Option<Error> {
        let error = bad.problem()?.clone();
        let runs = bad.ids.runs(0..bad.ids.len()).take(TOLD_RUNS);
        let ids: Vec<_> = runs.map(|run| format!("{} ({} records)", run.get(0), run.count)).collect();
        let event = self.event(EventKind::BadBatch).saying(format!("from {}", ids.join(", ")));
        self.cluster.events().emit(event.because_of(&error));
        (self.settings.bad_batch == BadBatch::Fail).then_some(error)
    }

    fn fail_for(&self, error: Error) -> Error {
        self.fail(error.clone());
        error
    }

    /// Sleeps until a record may have been unacked for too long.
    pub(crate) async fn next_overdue(&self) {
        // Nothing that is handed out from now on can be due before.
        let since = self.acks.oldest_unacked().unwrap_or_else(Instant::now);
        match since.checked_add(self.terms.ack_timeout) {
            Some(at) if !self.terms.ack_timeout.is_zero() => tokio::time::sleep_until(at.into()).await,
            _ => std::future::pending().await,
        }
    }

    /// Tells of records that the server delivers again, because they were not acked in time. Once.
    pub(crate) fn warn_of_overdue(&self, now: Instant) {
        let records = self.acks.forget_overdue(now, self.terms.ack_timeout);
        if records > 0 {
            let time = self.terms.ack_timeout;
            let detail = format!("{records} records were not acked within {time:?} and are delivered again");
            self.cluster.events().emit(self.event(EventKind::AcksOverdue).saying(detail));
        }
    }

    /// Why nothing comes, where nothing comes.
    pub(crate) fn waiting_for(&self) -> WaitingFor {
        if self.state() != ConsumerState::Running {
            WaitingFor::Connection
        } else if !self.buffer.has_room() {
            WaitingFor::Buffer
        } else if self.acks.unacked() >= self.terms.max_unacked {
            WaitingFor::Acks
        } else {
            WaitingFor::Records
        }
    }

    fn check_delivering(&self) -> Result<()> {
        let life = self.life.lock();
        if life.delivering && life.runs() { Ok(()) } else { Err(life.why_ended()) }
    }

    pub(crate) fn ack(&self, runs: impl Iterator<Item = IdRun> + Clone) -> Result<()> {
        self.check_takes_acks()?;
        self.acks.push(runs, Instant::now())
    }

    pub(crate) fn ack_up_to(&self, last: RecordId) -> Result<()> {
        self.check_takes_acks()?;
        self.acks.push_up_to(last, Instant::now())
    }

    fn check_takes_acks(&self) -> Result<()> {
        if self.state() == ConsumerState::Closed { Err(Error::closed("consumer")) } else { Ok(()) }
    }

    pub(crate) fn is_callback_thread(&self) -> bool {
        self.life.lock().callbacks.contains(&std::thread::current().id())
    }

    pub(crate) fn wait_for_end(&self, until: Until<'_>) -> Result<()> {
        if self.is_callback_thread() {
            return Err(would_deadlock("wait"));
        }
        let ended = self.found(|| self.outcome());
        wait(ended, until).unwrap_or_else(|ended| Err(ended.into_error("the consumer to end")))
    }

    /// What is found after some change, if not at once.
    async fn found<T>(&self, look: impl Fn() -> Option<T>) -> T {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Listen before looking, or a change between the two would be missed.
            changed.as_mut().enable();
            if let Some(found) = look() {
                return found;
            }
            changed.await;
        }
    }

    /// How it ended, once it has, its callback included.
    fn outcome(&self) -> Option<Result<()>> {
        let life = self.life.lock();
        if !life.callbacks.is_empty() {
            return None;
        }
        match life.state {
            ConsumerState::Failed => Some(Err(life.why_ended())),
            ConsumerState::Stopped | ConsumerState::Closed => {
                Some(life.acks_in_doubt.clone().map_or(Ok(()), Err))
            }
            _ => None,
        }
    }

    pub(crate) fn stop(&self, until: Until<'_>) -> Result<()> {
        if self.is_callback_thread() {
            // It takes effect when the callback returns.
            self.stop_delivering();
            return Ok(());
        }
        self.finish(until)
    }

    /// Stops delivery, waits for the running callback, and then for the fetch, which takes its last acks along.
    fn finish(&self, until: Until<'_>) -> Result<()> {
        self.stop_delivering();
        self.join_callback();
        self.stop_fetch();
        let Some(mut fetch) = self.take_fetch() else {
            // It never began, or somebody else is stopping it.
            return self.wait_for_end(until);
        };
        let stopped = wait(&mut fetch, until);
        if let Err(ended @ Ended::Interrupted) = stopped {
            // Nothing is lost, and it can be called again.
            self.life.lock().fetch = Some(fetch);
            return Err(ended.into_error("the server to take the acks"));
        }
        self.buffer.clear();
        self.note_change();
        if let Err(ended) = stopped {
            fetch.abort();
            self.give_up_acks(ended);
        }
        self.outcome().unwrap_or(Ok(()))
    }

    fn take_fetch(&self) -> Option<Task<()>> {
        let mut life = self.life.lock();
        let mut news = Vec::new();
        if life.state == ConsumerState::Idle {
            news = self.change(&mut life, ConsumerState::Stopped);
        }
        let fetch = life.fetch.take();
        drop(life);
        log(news);
        fetch
    }

    fn give_up_acks(&self, ended: Ended) {
        let error = ended.into_error("the server to take the acks");
        let error =
            Error::new(error.kind(), format!("{}; {} were not sent", error.message(), self.acks.len()));
        self.tell_unsent_acks();
        self.life.lock().acks_in_doubt = Some(error);
        self.set_state(ConsumerState::Stopped);
    }

    /// Waits for the running callback, after which none runs any more. However many wait: only one of them has the
    /// thread to join.
    fn join_callback(&self) {
        self.wake_all();
        let returned = self.found(|| self.life.lock().callbacks.is_empty().then_some(()));
        let _ = wait(returned, Wait::forever().until());
        let thread = self.life.lock().thread.take();
        let _ = thread.map(JoinHandle::join);
    }

    pub(crate) fn close(&self, until: Until<'_>) -> Result<()> {
        if self.is_callback_thread() {
            return Err(would_deadlock("close"));
        }
        while std::mem::replace(&mut self.life.lock().closing, true) {
            if let Some(outcome) = self.wait_for_other_close(until)? {
                return outcome;
            }
        }
        let outcome = self.finish(until);
        if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
            // Nothing is lost, and close can be called again.
            self.life.lock().closing = false;
            self.wake_all();
            return outcome;
        }
        let mut life = self.life.lock();
        let failed = life.state == ConsumerState::Failed;
        let news = self.change(&mut life, ConsumerState::Closed);
        drop(life);
        log(news);
        if failed {
            self.tell_unsent_acks();
        }
        self.wake_all();
        // Why it failed was said where it was used; closing it is no failure.
        if failed { Ok(()) } else { outcome }
    }

    /// How the close ended that another thread had begun; `None` if that was interrupted.
    fn wait_for_other_close(&self, until: Until<'_>) -> Result<Option<Result<()>>> {
        if self.state() == ConsumerState::Closed {
            return Ok(Some(Ok(())));
        }
        self.join_callback();
        let ended = self.found(|| {
            let life = self.life.lock();
            let closed = life.state == ConsumerState::Closed;
            (closed || !life.closing).then(|| closed.then(|| life.acks_in_doubt.clone().map_or(Ok(()), Err)))
        });
        wait(ended, until).map_err(|ended| ended.into_error("another thread to close the consumer"))
    }

    fn tell_unsent_acks(&self) {
        let (unsent, in_doubt) = (self.acks.len(), self.acks.unconfirmed(Instant::now()));
        if in_doubt > 0 {
            let detail =
                format!("{unsent} were not sent, {} were not confirmed", in_doubt.saturating_sub(unsent));
            self.cluster.events().emit(self.event(EventKind::AcksUnsent).saying(detail));
        }
    }
}

/// Tells those who wait that the fetch is over, even if it panics.
struct FetchGuard {
    shared: Arc<Shared>,
    ended: bool,
}

impl Drop for FetchGuard {
    fn drop(&mut self) {
        if !self.ended && std::thread::panicking() {
            self.shared.fail(Error::new(ErrorKind::Panic, "the fetch of a consumer panicked; this is a bug"));
        }
    }
}

/// Tells those who wait that no callback runs on this thread any more.
struct CallbackGuard(Arc<Shared>);

impl Drop for CallbackGuard {
    fn drop(&mut self) {
        self.0.life.lock().callbacks.retain(|thread| *thread != std::thread::current().id());
        self.0.changed.notify_waiters();
    }
}

impl Life {
    fn runs(&self) -> bool {
        use ConsumerState::*;
        matches!(self.state, Connecting | Running | Reconnecting)
    }

    /// Whether what does not run can begin, or begin again.
    fn check_may_begin(&self) -> Result<()> {
        if self.closing || self.state.is_final() { Err(self.why_ended()) } else { Ok(()) }
    }

    fn why_ended(&self) -> Error {
        match (&self.state, &self.error) {
            (ConsumerState::Failed, Some(error)) => error.clone(),
            _ if self.closing => Error::closed("consumer"),
            _ => {
                Error::new(ErrorKind::InvalidState, "the consumer is stopped; start it again to get records")
            }
        }
    }
}

fn log(news: Vec<Unlogged>) {
    news.iter().for_each(Unlogged::log);
}

fn would_deadlock(what: &str) -> Error {
    Error::new(
        ErrorKind::WouldDeadlock,
        format!("{what} was called from the callback that it would wait for"),
    )
}
