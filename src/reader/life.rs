//! What a reader's handle and its loops share.

#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::closing::Closing;
use crate::cluster::Cluster;
use crate::codec::batch::DecodedBatch;
use crate::codec::received::RawBatch;
use crate::consumer::buffer::Buffer;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, EventKind, SubjectKind};
use crate::reader::config::ReaderConfig;
use crate::reader::dispatch::{Delivery, Dispatch, Handler};
use crate::reader::handle::{Owner, Read};
use crate::reader::position::Position;
use crate::reader::window::Window;
#[cfg(unix)]
use crate::ready::Ready;
use crate::received::Batch;
use crate::runtime::Task;
use crate::wait::{Ended, Until, Wait, wait};

pub(crate) struct Shared {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) stream: String,
    pub(crate) config: ReaderConfig,
    pub(crate) buffer: Buffer,
    /// `None` is no limit.
    limit: Option<BatchLimit>,
    position: Mutex<Position>,
    life: Mutex<Life>,
    changed: Notify,
    #[cfg(unix)]
    ready: Ready,
    closing: Closing,
    /// Held by the one that reads, or begins to deliver.
    turn: Mutex<()>,
    delivery: Delivery,
}

#[derive(Default)]
struct Life {
    /// Loops that have not ended.
    running: usize,
    tasks: Vec<Task<()>>,
    /// Why the reader failed.
    failure: Option<Error>,
    /// Why a read was lost last.
    last_error: Option<Error>,
}

impl Shared {
    pub(crate) fn new(cluster: Arc<Cluster>, stream: &str, config: ReaderConfig, loops: usize) -> Self {
        let (records, bytes) = (config.prefetch_records, config.prefetch_bytes);
        Shared {
            cluster,
            stream: stream.to_owned(),
            buffer: Buffer::new(records, bytes, config.max_batch_bytes, false),
            limit: (config.max_batches > 0).then(|| BatchLimit::new(config.max_batches)),
            position: Mutex::new(config.position.clone().unwrap_or_default()),
            config,
            life: Mutex::new(Life { running: loops, ..Life::default() }),
            changed: Notify::new(),
            #[cfg(unix)]
            ready: Ready::default(),
            closing: Closing::default(),
            turn: Mutex::new(()),
            delivery: Delivery::default(),
        }
    }

    pub(crate) fn add_task(&self, task: Task<()>) {
        self.life.lock().tasks.push(task);
    }

    /// Takes a batch in, or what the window wants of it. Says whether there is use in going on.
    pub(crate) fn receive(&self, batch: RawBatch, window: &mut Window) -> bool {
        if batch.ids.len() == 0 {
            return true;
        }
        let wanted = window.cut(&batch);
        if !wanted.is_empty() {
            if self.limit.as_ref().is_some_and(|limit| !limit.take_place()) {
                return false;
            }
            self.buffer.push_part(batch, wanted);
            self.limit.iter().for_each(BatchLimit::note_received);
            self.note_change();
        }
        !window.has_ended() && self.batches_left() != Some(0)
    }

    /// Batches that may still be received; `None` is no limit.
    pub(crate) fn batches_left(&self) -> Option<u64> {
        self.limit.as_ref().map(BatchLimit::left)
    }

    /// Whether all batches that may be received lie in the buffer, or did.
    fn all_received(&self) -> bool {
        self.limit.as_ref().is_some_and(BatchLimit::all_received)
    }

    pub(crate) fn loop_ended(&self, outcome: Result<()>) {
        let mut life = self.life.lock();
        life.running -= 1;
        if let Err(error) = outcome {
            life.failure.get_or_insert(error);
        }
        drop(life);
        self.note_change();
    }

    fn note_change(&self) {
        self.changed.notify_waiters();
        #[cfg(unix)]
        self.ready.update(|| self.has_something());
    }

    /// A descriptor that is readable while a read would return at once.
    #[cfg(unix)]
    pub(crate) fn descriptor(&self) -> Result<BorrowedFd<'_>> {
        self.ready.descriptor(|| self.has_something())
    }

    #[cfg(unix)]
    fn has_something(&self) -> bool {
        let life = self.life.lock();
        let ended = life.running == 0 || life.failure.is_some() || self.closing.is_closed();
        ended || self.all_received() || !self.buffer.is_empty()
    }

    /// A read was lost, and is opened again.
    pub(crate) fn note_loss(&self, error: &Error) {
        tracing::debug!(stream = self.stream, %error, "reading is begun again");
        self.life.lock().last_error = Some(error.clone());
    }

    pub(crate) fn last_error(&self) -> Option<Error> {
        let life = self.life.lock();
        life.failure.clone().or_else(|| life.last_error.clone())
    }

    pub(crate) fn read(&self, max: usize, until: Until<'_>) -> Result<Read> {
        if max == 0 {
            return Err(Error::invalid_argument("the number of records to read must be more than 0"));
        }
        let _turn = self.take_turn()?;
        if self.delivery.runs() {
            let message = "the reader delivers to its callback; it can't be read as well";
            return Err(Error::new(ErrorKind::InvalidState, message));
        }
        match wait(self.found(|| self.try_read(max)), until) {
            Ok(outcome) => outcome,
            Err(Ended::Timeout) => Ok(Read::Nothing),
            Err(ended) => Err(ended.into_error("records")),
        }
    }

    fn take_turn(&self) -> Result<MutexGuard<'_, ()>> {
        let busy = || Error::new(ErrorKind::Busy, "another thread reads from this reader");
        self.turn.try_lock().ok_or_else(busy)
    }

    /// What is found after some change, if not at once.
    async fn found<T>(&self, look: impl Fn() -> Option<T>) -> T {
        loop {
            let mut filled = std::pin::pin!(self.buffer.filled());
            let mut changed = std::pin::pin!(self.changed.notified());
            // Listen before looking, or a change between the two would be missed.
            filled.as_mut().enable();
            changed.as_mut().enable();
            if let Some(found) = look() {
                return found;
            }
            tokio::select! {
                () = filled => {}
                () = changed => {}
            }
        }
    }

    /// Records, or that there will be none; nothing yet is `None`.
    fn try_read(&self, max: usize) -> Option<Result<Read>> {
        if self.closing.is_closed() {
            return Some(Err(Error::closed("reader")));
        }
        // In this order: what loops push before they end is read before the end.
        let state = {
            let life = self.life.lock();
            (life.running, life.failure.clone(), self.all_received())
        };
        if let Some(batch) = self.buffer.try_take(max, |bad| self.note_bad(bad)) {
            self.advance(&batch);
            #[cfg(unix)]
            self.ready.update(|| self.has_something());
            return Some(Ok(Read::Records(batch)));
        }
        match state {
            (_, Some(error), _) => Some(Err(error)),
            (0, None, _) => Some(Ok(Read::End)),
            // Those of the other shards don't know that all is read.
            (_, None, true) => {
                self.end_loops();
                Some(Ok(Read::End))
            }
            (_, None, false) => None,
        }
    }

    fn advance(&self, batch: &Batch) {
        let mut position = self.position.lock();
        batch.runs().for_each(|run| position.advance(run.get(run.count - 1)));
    }

    /// Its records are handed out with the reason all the same.
    fn note_bad(&self, bad: &DecodedBatch) {
        let event = Event::new(EventKind::BadBatch, SubjectKind::Reader, &self.stream);
        if let Some(error) = bad.problem() {
            self.cluster.events().emit(event.saying(format!("from {}", bad.ids.get(0))).because_of(error));
        }
    }

    pub(crate) fn position(&self) -> Position {
        self.position.lock().clone()
    }

    pub(crate) fn start_with(self: &Arc<Self>, owner: Weak<Owner>, handler: impl Handler) -> Result<()> {
        let _turn = self.take_turn()?;
        if self.closing.is_closed() {
            return Err(Error::closed("reader"));
        }
        if self.delivery.runs() {
            return Err(Error::new(ErrorKind::InvalidState, "the reader delivers to its callback already"));
        }
        if let Some(error) = self.failure() {
            return Err(error);
        }
        self.delivery.join();
        let (shared, dispatch) = (self.clone(), Dispatch::new(self.clone(), owner, handler));
        self.delivery.start(move || {
            dispatch.run();
            shared.delivery.ended();
            shared.note_change();
        })
    }

    /// The next records for the callback; `None` when there will be none, as asked.
    pub(crate) fn next_to_deliver(&self) -> Result<Option<Batch>> {
        let most = self.config.callback_records;
        let next =
            self.found(|| if self.delivery.is_wanted() { self.try_read(most) } else { Some(Ok(Read::End)) });
        match wait(next, Wait::forever().until()) {
            Ok(Ok(Read::Records(batch))) => Ok(Some(batch)),
            Ok(Err(error)) if !self.closing.is_closed() => Err(error),
            _ => Ok(None),
        }
    }

    pub(crate) fn stop(&self, until: Until<'_>) -> Result<()> {
        self.delivery.stop();
        self.note_change();
        if self.delivery.is_callback_thread() {
            // It takes effect when the callback returns.
            return Ok(());
        }
        self.wait_for_callback(until)
    }

    /// Waits until what comes goes to no callback any more.
    pub(crate) fn wait_for_end(&self, until: Until<'_>) -> Result<()> {
        self.check_may_wait("wait")?;
        self.wait_for_callback(until)?;
        self.failure().map_or(Ok(()), Err)
    }

    /// Ends the reader, and waits for a running callback, however long that takes.
    pub(crate) fn finish(&self, until: Until<'_>) -> Result<()> {
        self.check_may_wait("close")?;
        self.close();
        self.wait_for_callback(Until { deadline: None, ..until })
    }

    fn check_may_wait(&self, what: &str) -> Result<()> {
        if !self.delivery.is_callback_thread() {
            return Ok(());
        }
        let message = format!("{what} was called from the callback that it would wait for");
        Err(Error::new(ErrorKind::WouldDeadlock, message))
    }

    fn wait_for_callback(&self, until: Until<'_>) -> Result<()> {
        let returned = self.found(|| (!self.delivery.runs()).then_some(()));
        wait(returned, until).map_err(|ended| ended.into_error("the callback to return"))?;
        self.delivery.join();
        Ok(())
    }

    fn failure(&self) -> Option<Error> {
        self.life.lock().failure.clone()
    }

    /// Ends the reader with an error that came up on this side.
    pub(crate) fn fail(&self, error: Error) {
        self.life.lock().failure.get_or_insert(error);
        self.end_loops();
        self.buffer.clear();
        self.note_change();
    }

    /// Ends all loops, and whoever reads.
    pub(crate) fn close(&self) {
        self.closing.close();
        self.end_loops();
        self.buffer.clear();
        self.note_change();
    }

    fn end_loops(&self) {
        let tasks = std::mem::take(&mut self.life.lock().tasks);
        // They end when they are dropped, which may tell others, so the lock must be free.
        drop(tasks);
    }
}

/// The most batches to receive, over all shards.
pub(crate) struct BatchLimit {
    /// Places that no loop has taken yet.
    left: AtomicU64,
    /// Batches that are not in the buffer yet. A place is taken before its batch is there, and who reads must not
    /// see the end in between.
    to_come: AtomicU64,
}

impl BatchLimit {
    fn new(batches: u64) -> Self {
        BatchLimit { left: batches.into(), to_come: batches.into() }
    }

    fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// For one batch, if there is one left.
    fn take_place(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// The batch of a place is in the buffer.
    fn note_received(&self) {
        self.to_come.fetch_sub(1, Ordering::Release);
    }

    fn all_received(&self) -> bool {
        self.to_come.load(Ordering::Acquire) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_taken_is_not_yet_a_batch_that_was_received() {
        let limit = BatchLimit::new(2);
        assert!(limit.take_place() && limit.take_place() && !limit.take_place());
        limit.note_received();
        assert!(limit.left() == 0 && !limit.all_received());
        limit.note_received();
        assert!(limit.all_received());
    }
}
