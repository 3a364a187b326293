//! The reader, as its user holds it.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::client::{Child, Client};
use crate::error::{Error, Result};
use crate::metrics::ChildMetrics;
#[cfg(feature = "ffi")]
use crate::reader::dispatch::Handler;
use crate::reader::life::Shared;
use crate::reader::position::Position;
use crate::received::Batch;
use crate::runtime::Runtime;
use crate::wait::{Until, Wait};

/// Reads a stream without a subscription: from where it is told to, to where it is told to, or on as records come.
///
/// Each record comes once, in the order of its shard; a read that was lost is opened again behind the last record
/// received. Records of different shards come in any order. They are [read](Self::read), by one thread at a time, or
/// delivered to a callback on a thread of the reader. Clones are the same reader; dropping the last one ends it.
#[derive(Clone)]
pub struct Reader {
    owner: Arc<Owner>,
}

/// Ends the reader when nobody has it any more.
pub(crate) struct Owner {
    shared: Arc<Shared>,
    /// Goes last: the loops run on it.
    _runtime: Runtime,
}

/// What a read brought.
#[derive(Clone, Debug)]
pub enum Read {
    /// Records, one at least.
    Records(Batch),
    /// None came in time.
    Nothing,
    /// All is read. It stays so. A stream that was deleted meanwhile is no end, but an error.
    End,
}

impl Reader {
    pub(crate) fn of(owner: Arc<Owner>) -> Self {
        Reader { owner }
    }

    /// The reader of these loops, closed with the client.
    pub(crate) fn adopted(client: &Client, shared: Arc<Shared>) -> Result<Self> {
        let owner = Arc::new(Owner { shared, _runtime: client.runtime().clone() });
        let child: Arc<dyn Child> = owner.clone();
        client.adopt(Arc::downgrade(&child))?;
        Ok(Reader { owner })
    }

    /// Up to `max` records, as soon as there are any.
    ///
    /// # Errors
    ///
    /// Why the reader failed; [`Busy`](crate::ErrorKind::Busy) while another thread reads;
    /// [`InvalidState`](crate::ErrorKind::InvalidState) while it delivers to a callback;
    /// [`Closed`](crate::ErrorKind::Closed); [`Interrupted`](crate::ErrorKind::Interrupted).
    pub fn read(&self, max: usize, limit: impl Into<Wait>) -> Result<Read> {
        self.owner.shared.read(max, limit.into().until())
    }

    /// Batches as they come, until the end, until it is closed elsewhere, or until none came within the limit.
    pub fn batches(&self, limit: impl Into<Wait>) -> impl Iterator<Item = Result<Batch>> + '_ {
        let limit = limit.into();
        std::iter::from_fn(move || match self.read(usize::MAX, limit.clone()) {
            Ok(Read::Records(batch)) => Some(Ok(batch)),
            Ok(Read::Nothing | Read::End) => None,
            Err(error) if error.is_closed() => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// Begins to deliver to this callback, on a thread of the reader, or goes on after a stop. A batch is delivered when
    /// the callback has returned from the one before it, and no more is received ahead than
    /// [`prefetch`](crate::ReaderConfig::prefetch) says: that is the back-pressure. It ends when all is read, with a
    /// [`stop`](Self::stop), or when the callback breaks.
    ///
    /// The callback may call everything of this library. In it, [`stop`](Self::stop) and [`close`](Self::close) are
    /// requests that take effect when it returns. A panic in it fails the reader.
    ///
    /// # Errors
    ///
    /// [`InvalidState`](crate::ErrorKind::InvalidState) while it delivers already; [`Busy`](crate::ErrorKind::Busy)
    /// while a thread reads; why it failed; [`Closed`](crate::ErrorKind::Closed); its thread can't be started.
    pub fn start_with(
        &self,
        callback: impl FnMut(&Reader, &Batch) -> ControlFlow<()> + Send + 'static,
    ) -> Result<()> {
        self.owner.shared.start_with(Arc::downgrade(&self.owner), callback)
    }

    /// The same, for a callback that is also told the end.
    #[cfg(feature = "ffi")]
    pub(crate) fn start_handler(&self, handler: impl Handler) -> Result<()> {
        self.owner.shared.start_with(Arc::downgrade(&self.owner), handler)
    }

    /// Waits until no more is delivered to the callback: all is read, it was stopped, closed, or it failed.
    ///
    /// # Errors
    ///
    /// Why it failed; those of the wait. [`WouldDeadlock`](crate::ErrorKind::WouldDeadlock) in its own callback.
    pub fn wait(&self, limit: impl Into<Wait>) -> Result<()> {
        self.owner.shared.wait_for_end(limit.into().until())
    }

    /// Delivers no more to the callback, and waits until it has returned; in the callback itself, it does not wait.
    /// Nothing is lost: [`start_with`](Self::start_with) and [`read`](Self::read) go on behind what was delivered. What
    /// is read by hand is not stopped by it, but by [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// Those of the wait; it is stopped all the same, when the callback returns.
    pub fn stop(&self, limit: impl Into<Wait>) -> Result<()> {
        self.owner.shared.stop(limit.into().until())
    }

    /// A descriptor that is readable while [`read`](Self::read) would return at once: for event loops. It is only to
    /// be waited for, and stays the reader's.
    ///
    /// # Errors
    ///
    /// [`Resources`](crate::ErrorKind::Resources).
    #[cfg(unix)]
    pub fn event_fd(&self) -> Result<std::os::fd::BorrowedFd<'_>> {
        self.owner.shared.descriptor()
    }

    /// Where it is: the last record handed out of each shard.
    pub fn position(&self) -> Position {
        self.owner.shared.position()
    }

    /// The stream.
    pub fn stream(&self) -> &str {
        &self.owner.shared.stream
    }

    /// Why it failed, or why a read was lost last.
    pub fn last_error(&self) -> Option<Error> {
        self.owner.shared.last_error()
    }

    /// Ends the reader, and whoever reads from it. Never waits: a callback that runs is the last, and
    /// [`wait`](Self::wait) waits for it. Closing twice is fine.
    pub fn close(&self) {
        self.owner.shared.close();
    }

    /// The same, and waits for the callback that runs, however long that takes.
    #[cfg(feature = "ffi")]
    pub(crate) fn finish(&self, limit: Wait) -> Result<()> {
        self.owner.shared.finish(limit.until())
    }
}

impl Child for Owner {
    fn end_waits(&self) {
        self.shared.close();
    }

    fn close_within(&self, until: Until<'_>) -> Result<()> {
        self.shared.finish(until)
    }

    fn metrics(&self) -> Option<ChildMetrics> {
        None
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
        // In the callback itself, which was the last to have it, its thread ends by itself.
        let _ = self.shared.finish(Wait::forever().until());
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("stream", &self.stream())
            .field("position", &self.position().to_string())
            .finish_non_exhaustive()
    }
}
