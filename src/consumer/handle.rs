//! The consumer, as its user holds it.

use std::fmt;
use std::sync::{Arc, Weak};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::client::{Child, Client};
use crate::closing::Closing;
use crate::cluster::Cluster;
use crate::consumer::ack::Acks;
use crate::consumer::buffer::Buffer;
use crate::consumer::config::{ConsumerConfig, Settings};
use crate::consumer::dispatch::{Dispatch, Handler, Next};
use crate::consumer::fetch::FetchLoop;
use crate::error::{Error, ErrorKind, Result};
use crate::producer::reports::next_callback_thread_name;
use crate::received::Batch;
use crate::record_id::RecordId;
use crate::runtime::{Runtime, Spawner, Task, spawn_thread};
use crate::wait::{Ended, Until, Wait, wait};

/// How long the last handle waits for its acks to be taken.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// Ended by an error, which [`Consumer::last_error`] has.
    Failed,
    /// Closed.
    Closed,
}

/// One consumer of a subscription.
///
/// Records are polled for, or delivered to a callback on a thread of the consumer. Acks are collected and
/// sent by count and age. The connection is made again after a loss, with acks that have not been sent kept.
/// Clones are the same consumer, and any thread may use it. [`close`](Self::close) it to be sure of its acks;
/// dropping the last clone closes it within 5 s.
#[derive(Clone)]
pub struct Consumer {
    owner: Arc<Owner>,
}

/// Ends the consumer when nobody has it any more.
pub(crate) struct Owner {
    shared: Arc<Shared>,
    /// Goes last: closing needs it.
    runtime: Runtime,
}

/// What the handles of a consumer, its fetch and its thread share.
pub(crate) struct Shared {
    pub(crate) cluster: Arc<Cluster>,
    spawner: Spawner,
    pub(crate) subscription: String,
    pub(crate) settings: Settings,
    pub(crate) buffer: Buffer,
    pub(crate) acks: Acks,
    /// Whether it is to stop. Renewed by each start.
    pub(crate) stopping: Stopping,
    life: Mutex<Life>,
    changed: Notify,
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
    /// The thread that runs the callback, as long as it may.
    callback: Option<ThreadId>,
    /// Whether the last stop left acks that the server may not have taken.
    acks_in_doubt: Option<Error>,
    /// Whether a close has begun.
    closing: bool,
}

impl Client {
    /// A consumer of a subscription. It begins with the first poll, or with
    /// [`start`](Consumer::start).
    ///
    /// # Errors
    ///
    /// There is no such subscription, an option is out of range, the client is closed.
    pub fn consumer(&self, subscription: &str, config: ConsumerConfig) -> Result<Consumer> {
        let settings = config.check()?;
        self.get_subscription(subscription)?;
        let shared = Arc::new(Shared {
            cluster: self.cluster().clone(),
            spawner: self.spawner(),
            subscription: subscription.to_owned(),
            buffer: Buffer::new(settings.prefetch_records, settings.prefetch_bytes, settings.max_batch_bytes),
            acks: Acks::new(settings.ack_records, settings.ack_age),
            settings,
            stopping: Stopping::default(),
            life: Mutex::new(Life {
                state: ConsumerState::Idle,
                error: None,
                fetch: None,
                thread: None,
                callback: None,
                acks_in_doubt: None,
                closing: false,
            }),
            changed: Notify::new(),
            polled: Mutex::default(),
        });
        let owner = Arc::new(Owner { shared, runtime: self.runtime().clone() });
        let child: Arc<dyn Child> = owner.clone();
        self.adopt(Arc::downgrade(&child))?;
        Ok(Consumer { owner })
    }
}

impl Consumer {
    pub(crate) fn of(owner: Arc<Owner>) -> Self {
        Consumer { owner }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }

    /// Its name, unique among the subscription's consumers.
    pub fn name(&self) -> &str {
        &self.shared().settings.name
    }

    /// The subscription.
    pub fn subscription(&self) -> &str {
        &self.shared().subscription
    }

    /// What it is doing.
    pub fn state(&self) -> ConsumerState {
        self.shared().life.lock().state
    }

    /// Why it failed, or why it lost its connection last.
    pub fn last_error(&self) -> Option<Error> {
        self.shared().life.lock().error.clone()
    }

    /// Begins, or goes on after a stop. The first poll does so by itself.
    ///
    /// # Errors
    ///
    /// It is closed, or has failed.
    pub fn start(&self) -> Result<()> {
        self.shared().start().map(drop)
    }

    /// Begins, with batches delivered to this callback, on a thread of the consumer. A batch is delivered when
    /// the callback has returned from the one before it: that is the back-pressure.
    ///
    /// The callback may call everything of this library, and ack from any thread at any time. In it,
    /// [`stop`](Self::stop) is a request that takes effect when it returns, and [`close`](Self::close) ends
    /// with [`WouldDeadlock`](ErrorKind::WouldDeadlock). A panic in it fails the consumer.
    ///
    /// # Errors
    ///
    /// It runs already, is closed, or has failed; its thread can't be started.
    pub fn start_with(&self, callback: impl FnMut(&Consumer, &Batch) -> Next + Send + 'static) -> Result<()> {
        self.shared().start_with(Arc::downgrade(&self.owner), callback)
    }

    /// The same, for a callback that is also told the end.
    #[cfg(feature = "ffi")]
    pub(crate) fn start_handler(&self, handler: impl Handler) -> Result<()> {
        self.shared().start_with(Arc::downgrade(&self.owner), handler)
    }

    /// [`start_with`](Self::start_with), and waits until the consumer has stopped.
    ///
    /// # Errors
    ///
    /// As [`start_with`](Self::start_with), and why it failed. The server may not have taken the last acks.
    pub fn run(&self, callback: impl FnMut(&Consumer, &Batch) -> Next + Send + 'static) -> Result<()> {
        self.start_with(callback)?;
        self.wait(Wait::forever())
    }

    /// Waits until the consumer has stopped, failed, or was closed.
    ///
    /// # Errors
    ///
    /// Why it failed; the server may not have taken the last acks; those of the wait.
    /// [`WouldDeadlock`](ErrorKind::WouldDeadlock) in its own callback.
    pub fn wait(&self, limit: impl Into<Wait>) -> Result<()> {
        self.shared().wait_for_end(limit.into().until())
    }

    /// Up to `max` records, as soon as there are any; `None` if none came in time. A batch of the server is
    /// split where needed, without copying. Several threads may poll: each record goes to one of them.
    ///
    /// # Errors
    ///
    /// [`Closed`](ErrorKind::Closed) after a close; [`InvalidState`](ErrorKind::InvalidState) if it was
    /// stopped, or delivers to a callback; why it failed; [`Interrupted`](ErrorKind::Interrupted).
    pub fn poll(&self, max: usize, limit: impl Into<Wait>) -> Result<Option<Batch>> {
        self.shared().poll(max, limit.into().until())
    }

    /// Acks records: they are not delivered again. Only ids that this consumer received may be acked; acking
    /// one again is harmless.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) if one is of a shard that this consumer was given no
    /// record of; then none is acked. [`Closed`](ErrorKind::Closed).
    pub fn ack(&self, ids: &[RecordId]) -> Result<()> {
        self.shared().ack(ids.iter().copied())
    }

    /// Acks all records of a batch.
    ///
    /// # Errors
    ///
    /// As [`ack`](Self::ack).
    pub fn ack_batch(&self, batch: &Batch) -> Result<()> {
        let ids: Vec<_> = batch.ids().collect();
        self.ack(&ids)
    }

    /// Waits until all acks have been sent. The server confirms none; [`close`](Self::close) makes sure.
    ///
    /// # Errors
    ///
    /// Those of the wait; they lose nothing.
    pub fn flush_acks(&self, limit: impl Into<Wait>) -> Result<()> {
        self.shared().acks.hurry();
        let limit = limit.into();
        wait(self.shared().acks.wait_until_none(), limit.until())
            .map_err(|ended| ended.into_error("acks to be sent"))
    }

    /// How many acks have not been sent.
    pub fn pending_acks(&self) -> usize {
        self.shared().acks.len()
    }

    /// Stops delivery, sends the acks, and gives the shards back, so that other consumers get them at once.
    /// Acks are taken until it returns. What was received and not handed out is delivered again later.
    /// [`start`](Self::start) begins again.
    ///
    /// # Errors
    ///
    /// The server may not have taken all acks: the connection was lost, or time was up. Why it failed before.
    pub fn stop(&self, limit: impl Into<Wait>) -> Result<()> {
        self.shared().stop(limit.into().until())
    }

    /// Stops, and ends the consumer for good. After it no callback runs. Closing twice is fine. If it
    /// succeeds, the server has taken all acks.
    ///
    /// # Errors
    ///
    /// As [`stop`](Self::stop); it is closed all the same. When the wait was interrupted it is not,
    /// and nothing is lost.
    /// [`WouldDeadlock`](ErrorKind::WouldDeadlock) in its own callback.
    pub fn close(&self, limit: impl Into<Wait>) -> Result<()> {
        self.shared().close(limit.into().until())
    }

    /// The records as they come, one by one, without end: until the consumer is stopped or closed elsewhere,
    /// or fails.
    pub fn batches(&self) -> impl Iterator<Item = Result<Batch>> + '_ {
        std::iter::from_fn(move || {
            loop {
                match self.poll(usize::MAX, Wait::forever()) {
                    Ok(Some(batch)) => return Some(Ok(batch)),
                    Ok(None) => {}
                    Err(error) if error.is_closed() => return None,
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }
}

impl Shared {
    /// Starts the fetch if it does not run.
    fn start(self: &Arc<Self>) -> Result<()> {
        let mut life = self.life.lock();
        match life.state {
            ConsumerState::Connecting | ConsumerState::Running | ConsumerState::Reconnecting => return Ok(()),
            ConsumerState::Idle | ConsumerState::Stopped => {}
            ConsumerState::Failed | ConsumerState::Closed => return Err(life.why_ended()),
        }
        self.stopping.renew();
        life.state = ConsumerState::Connecting;
        life.acks_in_doubt = None;
        let shared = self.clone();
        life.fetch = Some(self.spawner.spawn(async move {
            let mut guard = FetchGuard { shared, ended: false };
            let outcome = FetchLoop::new(guard.shared.clone()).run().await;
            guard.ended = true;
            guard.shared.fetch_ended(outcome);
        }));
        Ok(())
    }

    fn start_with(self: &Arc<Self>, owner: Weak<Owner>, handler: impl Handler) -> Result<()> {
        let finished = {
            let mut life = self.life.lock();
            let runs = !matches!(life.state, ConsumerState::Idle | ConsumerState::Stopped);
            if runs && !matches!(life.state, ConsumerState::Failed | ConsumerState::Closed) {
                return Err(Error::new(ErrorKind::InvalidState, "the consumer runs already"));
            }
            life.thread.take()
        };
        if let Some(thread) = finished.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
        self.start()?;
        let dispatch = Dispatch::new(self.clone(), owner, handler);
        let shared = self.clone();
        let mut life = self.life.lock();
        let thread = spawn_thread(next_callback_thread_name(), move || {
            dispatch.run();
            shared.life.lock().callback = None;
            shared.changed.notify_waiters();
        })?;
        life.callback = Some(thread.thread().id());
        life.thread = Some(thread);
        Ok(())
    }

    fn fetch_ended(&self, outcome: Result<()>) {
        let mut life = self.life.lock();
        if life.state != ConsumerState::Closed && life.state != ConsumerState::Failed {
            match outcome {
                Ok(()) => life.state = ConsumerState::Stopped,
                Err(error) => {
                    life.state = ConsumerState::Failed;
                    life.error = Some(error);
                }
            }
        }
        drop(life);
        self.wake_all();
    }

    /// Ends the consumer with an error that came up on this side.
    pub(crate) fn fail(&self, error: Error) {
        let mut life = self.life.lock();
        if !matches!(life.state, ConsumerState::Closed | ConsumerState::Failed) {
            life.state = ConsumerState::Failed;
            life.error = Some(error);
        }
        drop(life);
        self.request_stop();
    }

    pub(crate) fn set_state(&self, state: ConsumerState) {
        let mut life = self.life.lock();
        if !matches!(life.state, ConsumerState::Closed | ConsumerState::Failed) {
            life.state = state;
        }
        drop(life);
        self.changed.notify_waiters();
    }

    pub(crate) fn note_loss(&self, error: Error) {
        self.life.lock().error = Some(error);
        self.set_state(ConsumerState::Reconnecting);
    }

    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<Error> {
        let life = self.life.lock();
        if life.state == ConsumerState::Failed { life.error.clone() } else { None }
    }

    pub(crate) fn request_stop(&self) {
        self.stopping.request();
        self.wake_all();
    }

    fn wake_all(&self) {
        self.changed.notify_waiters();
    }

    fn poll(self: &Arc<Self>, max: usize, until: Until<'_>) -> Result<Option<Batch>> {
        {
            let life = self.life.lock();
            if life.callback.is_some() {
                let message = "the consumer delivers to its callback; it can't be polled as well";
                return Err(Error::new(ErrorKind::InvalidState, message));
            }
            if life.state == ConsumerState::Stopped {
                return Err(life.why_ended());
            }
        }
        self.start()?;
        if !self.settings.auto_ack {
            return self.take(max, until);
        }
        if let Some(batch) = self.polled.lock().take() {
            self.ack(batch.ids().collect::<Vec<_>>().into_iter())?;
        }
        let batch = self.take(max, until)?;
        *self.polled.lock() = batch.clone();
        Ok(batch)
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
                if let Some(batch) = self.buffer.try_take(max) {
                    return Ok(batch);
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

    fn check_delivering(&self) -> Result<()> {
        let life = self.life.lock();
        let delivering = matches!(
            life.state,
            ConsumerState::Connecting | ConsumerState::Running | ConsumerState::Reconnecting
        );
        if delivering && !self.stopping.is_closed() { Ok(()) } else { Err(life.why_ended()) }
    }

    pub(crate) fn ack(&self, ids: impl Iterator<Item = RecordId>) -> Result<()> {
        let ids: Vec<_> = ids.collect();
        if self.life.lock().state == ConsumerState::Closed {
            return Err(Error::closed("consumer"));
        }
        self.acks.push(ids.iter().copied(), Instant::now())
    }

    fn is_callback_thread(&self) -> bool {
        self.life.lock().callback == Some(std::thread::current().id())
    }

    fn wait_for_end(&self, until: Until<'_>) -> Result<()> {
        if self.is_callback_thread() {
            return Err(would_deadlock("wait"));
        }
        let ended = async {
            loop {
                let mut changed = std::pin::pin!(self.changed.notified());
                changed.as_mut().enable();
                if let Some(outcome) = self.outcome() {
                    return outcome;
                }
                changed.await;
            }
        };
        wait(ended, until).unwrap_or_else(|ended| Err(ended.into_error("the consumer to end")))
    }

    /// How it ended, once it has, its callback included.
    fn outcome(&self) -> Option<Result<()>> {
        let life = self.life.lock();
        if life.callback.is_some() {
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

    fn stop(&self, until: Until<'_>) -> Result<()> {
        if self.is_callback_thread() {
            // It takes effect when the callback returns.
            self.request_stop();
            return Ok(());
        }
        self.finish(until)
    }

    /// Stops the fetch and waits for it, and for the callback.
    fn finish(&self, until: Until<'_>) -> Result<()> {
        self.request_stop();
        let Some(mut fetch) = self.take_fetch() else {
            // It never began, or somebody else is stopping it.
            let ended = self.wait_for_end(until);
            self.join_callback();
            return ended;
        };
        let stopped = wait(&mut fetch, until);
        if let Err(ended @ Ended::Interrupted) = stopped {
            // Nothing is lost, and it can be called again.
            self.life.lock().fetch = Some(fetch);
            return Err(ended.into_error("the server to take the acks"));
        }
        self.buffer.clear();
        if let Err(ended) = stopped {
            fetch.abort();
            self.give_up_acks(ended);
        }
        self.join_callback();
        self.outcome().unwrap_or(Ok(()))
    }

    fn take_fetch(&self) -> Option<Task<()>> {
        let mut life = self.life.lock();
        if life.state == ConsumerState::Idle {
            life.state = ConsumerState::Stopped;
        }
        life.fetch.take()
    }

    fn give_up_acks(&self, ended: Ended) {
        let error = ended.into_error("the server to take the acks");
        let error =
            Error::new(error.kind(), format!("{}; {} were not sent", error.message(), self.acks.len()));
        self.life.lock().acks_in_doubt = Some(error);
        self.set_state(ConsumerState::Stopped);
    }

    /// Waits for the running callback, after which none runs any more.
    fn join_callback(&self) {
        self.wake_all();
        let thread = self.life.lock().thread.take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }

    fn close(&self, until: Until<'_>) -> Result<()> {
        if self.is_callback_thread() {
            return Err(would_deadlock("close"));
        }
        if std::mem::replace(&mut self.life.lock().closing, true) {
            return Ok(());
        }
        let outcome = self.finish(until);
        if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
            // Nothing is lost, and close can be called again.
            self.life.lock().closing = false;
            return outcome;
        }
        let failed =
            std::mem::replace(&mut self.life.lock().state, ConsumerState::Closed) == ConsumerState::Failed;
        self.wake_all();
        // Why it failed was said where it was used; closing it is no failure.
        if failed { Ok(()) } else { outcome }
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

impl Life {
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

fn would_deadlock(what: &str) -> Error {
    Error::new(
        ErrorKind::WouldDeadlock,
        format!("{what} was called from the callback that it would wait for"),
    )
}

impl Child for Owner {
    fn close_within(&self, until: Until<'_>) -> Result<()> {
        self.shared.close(until)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.shared.is_callback_thread() {
            return close_for_good(&self.shared);
        }
        // The callback was the last to have it, and can't wait for itself: somebody else does.
        self.shared.request_stop();
        let (shared, runtime) = (self.shared.clone(), self.runtime.clone());
        let closer = spawn_thread("hstream-stop".into(), move || {
            close_for_good(&shared);
            drop(runtime);
        });
        if let Err(error) = closer {
            tracing::error!(%error, "a consumer could not be closed");
        }
    }
}

fn close_for_good(shared: &Shared) {
    if let Err(error) = shared.close(Wait::from(DROP_TIMEOUT).until()) {
        tracing::warn!(subscription = shared.subscription, %error, "a consumer was dropped with acks on the way");
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("name", &self.name())
            .field("subscription", &self.subscription())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
