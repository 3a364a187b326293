//! The producer: many streams, one budget, one place for reports.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Child, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::ChildMetrics;
use crate::names;
use crate::producer::appender::Appender;
use crate::producer::config::ProducerConfig;
use crate::producer::core::Core;
use crate::producer::flush::Counts;
use crate::producer::reports::{Deliveries, Portion, Reporter};
use crate::producer::stats::ProducerStats;
use crate::record::Record;
use crate::runtime::{Runtime, spawn_thread};
use crate::wait::{Ended, Until, Wait, wait};

/// How long the last handle waits for what is still on the way.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// Appends records to any number of streams, in batches, in the background.
///
/// What is said of repeated and lost records at [`Appender`] holds here. Clones are the same producer.
/// [`close`](Self::close) it to know how its records ended; dropping the last clone closes it within 5 s and
/// logs what was lost.
#[derive(Clone)]
pub struct BufferedProducer {
    owner: Arc<Owner>,
}

/// Closes the producer when nobody has it any more.
pub(crate) struct Owner {
    core: Arc<Core>,
    client: Client,
    /// Goes last: closing needs it.
    runtime: Runtime,
}

impl Client {
    /// A producer with these options.
    ///
    /// # Errors
    ///
    /// An option is out of range, the callback's thread can't be started, the client is closed.
    pub fn producer(&self, config: ProducerConfig) -> Result<BufferedProducer> {
        let core = Core::new(self.cluster().clone(), self.spawner(), self.buffer(), config)?;
        let owner = Owner { core, client: self.clone(), runtime: self.runtime().clone() };
        let owner = Arc::new(owner);
        let child: Arc<dyn Child> = owner.clone();
        self.adopt(Arc::downgrade(&child))?;
        Ok(BufferedProducer { owner })
    }
}

impl BufferedProducer {
    /// Opens one stream of this producer, which looks up its shards. Opening it again gives another handle
    /// to the same batches.
    ///
    /// # Errors
    ///
    /// There is no such stream, or the producer is closed.
    pub fn appender(&self, stream: &str) -> Result<Appender> {
        self.appender_by(&self.owner.client, stream)
    }

    /// The same, with the look-up made by a client that this makes of the producer's.
    #[cfg(feature = "ffi")]
    pub(crate) fn appender_with<E: From<Error>>(
        &self,
        stream: &str,
        client: impl FnOnce(&Client) -> Result<Client, E>,
    ) -> Result<Appender, E> {
        Ok(self.appender_by(&client(&self.owner.client)?, stream)?)
    }

    fn appender_by(&self, client: &Client, stream: &str) -> Result<Appender> {
        let core = &self.owner.core;
        core.check_open()?;
        let known = core.stream(stream).and_then(|lanes| Some((lanes.current()?, lanes)));
        let (layout, lanes) = match known {
            Some(known) => known,
            None => {
                names::check("stream", stream)?;
                core.open_stream(stream, client.look_up_shards(stream)?)?
            }
        };
        Ok(Appender::new(core.clone(), lanes, layout))
    }

    /// Appends a record to a stream: [`Appender::append`] on an appender that is kept.
    ///
    /// # Errors
    ///
    /// As [`appender`](Self::appender) and [`Appender::append`].
    pub fn append(&self, stream: &str, record: &Record) -> Result<()> {
        self.appender(stream)?.append(record)
    }

    /// Sends what is buffered for all streams, and waits until everything appended before is settled and
    /// reported. Returns how it ended.
    ///
    /// # Errors
    ///
    /// As [`Appender::flush`].
    pub fn flush(&self, limit: impl Into<Wait>) -> Result<Counts> {
        self.owner.core.flush(&self.owner.core.lanes(), limit.into().until())
    }

    /// The next report, where they are polled; `None` if none came in time.
    ///
    /// # Errors
    ///
    /// [`InvalidState`](ErrorKind::InvalidState) if reports are not polled; [`Closed`](ErrorKind::Closed) after a
    /// close, when there are no more; [`Interrupted`](ErrorKind::Interrupted).
    pub fn poll(&self, limit: impl Into<Wait>) -> Result<Option<Deliveries>> {
        Ok(self.poll_some(usize::MAX, limit.into())?.map(|portion| portion.deliveries))
    }

    /// The same for so many records at most. What is left of a report is what the next poll gets.
    pub(crate) fn poll_some(&self, most: usize, limit: Wait) -> Result<Option<Portion>> {
        let Reporter::Queue(queue) = &self.owner.core.reporter else {
            return Err(not_polled());
        };
        match wait(queue.pop(most), limit.until()) {
            Ok(Some(portion)) => Ok(Some(portion)),
            Ok(None) => Err(Error::closed("producer")),
            Err(Ended::Timeout) => Ok(None),
            Err(ended) => Err(ended.into_error("a report")),
        }
    }

    /// A descriptor that is readable while [`poll`](Self::poll) would return at once: for event loops. It is only to
    /// be waited for, and stays the producer's.
    ///
    /// # Errors
    ///
    /// [`InvalidState`](ErrorKind::InvalidState) if reports are not polled; [`Resources`](ErrorKind::Resources).
    #[cfg(unix)]
    pub fn event_fd(&self) -> Result<std::os::fd::BorrowedFd<'_>> {
        match &self.owner.core.reporter {
            Reporter::Queue(queue) => queue.descriptor(),
            _ => Err(not_polled()),
        }
    }

    /// How many records are accepted and not reported yet.
    pub fn pending_records(&self) -> u64 {
        self.owner.core.pending_records()
    }

    /// What it has done so far, and what it holds.
    pub fn stats(&self) -> ProducerStats {
        self.owner.core.snapshot()
    }

    /// How many bytes of the buffer are in use.
    pub fn pending_bytes(&self) -> u64 {
        self.owner.core.pending_bytes()
    }

    /// Accepts no more records and sends what is there, without waiting for it.
    pub fn begin_close(&self) {
        self.owner.core.begin_close();
    }

    /// Accepts no more records, sends what is there, and waits until all is settled and reported. What is not
    /// settled in time is given up: what was still queued is reported as aborted, what was in flight as
    /// unknown. No callback runs after it. Returns how the records ended that it waited for: those that had not been
    /// reported when it was called. [`stats`](Self::stats) count all. Closing twice is fine.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) if records were given up; the producer is closed all the same.
    /// [`Interrupted`](ErrorKind::Interrupted), after which it can be called again.
    /// [`WouldDeadlock`](ErrorKind::WouldDeadlock) in this producer's own callback.
    pub fn close(&self, limit: impl Into<Wait>) -> Result<Counts> {
        self.owner.core.close(limit.into().until())
    }
}

fn not_polled() -> Error {
    let message = "this producer's reports are not polled; see ProducerConfig::poll_reports";
    Error::new(ErrorKind::InvalidState, message)
}

impl Child for Owner {
    fn end_waits(&self) {
        self.core.end_waits();
    }

    fn close_within(&self, until: Until<'_>) -> Result<()> {
        self.core.close(until).map(drop)
    }

    fn metrics(&self) -> Option<ChildMetrics> {
        Some(ChildMetrics::Producer(Box::new(self.core.snapshot())))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.core.reporter.is_this_thread() {
            return close_for_good(&self.core);
        }
        // The callback can't wait for itself, so somebody else does.
        self.core.begin_close();
        let (core, runtime) = (self.core.clone(), self.runtime.clone());
        let closer = spawn_thread("hstream-stop".into(), move || {
            close_for_good(&core);
            drop(runtime);
        });
        if let Err(error) = closer {
            tracing::error!(%error, "a producer could not be closed");
        }
    }
}

fn close_for_good(core: &Arc<Core>) {
    if let Err(error) = core.close(Wait::from(DROP_TIMEOUT).until()) {
        tracing::warn!(%error, "a producer was dropped with records on the way");
    }
    // Reports know the producer, which would keep itself alive.
    if let Reporter::Queue(queue) = &core.reporter {
        queue.clear();
    }
}

impl fmt::Debug for BufferedProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferedProducer")
            .field("pending_records", &self.pending_records())
            .field("closed", &self.owner.core.closing.is_closed())
            .finish_non_exhaustive()
    }
}
