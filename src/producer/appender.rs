//! One stream of a producer.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::codec::batch::{SERVER_LIMIT, fits_alone};
use crate::codec::record::Measured;
use crate::error::{Error, ErrorKind, Result};
use crate::producer::batch::Push;
use crate::producer::config::Linger;
use crate::producer::core::{Core, would_deadlock};
use crate::producer::delivery::Delivery;
use crate::producer::flow::Patience;
use crate::producer::flush::Counts;
use crate::producer::lane::{Lane, NotTaken};
use crate::producer::layout::{Layout, StreamLanes};
use crate::producer::room::Taken;
use crate::producer::worker::ShardWorker;
use crate::record::{Content, Record};
use crate::record_id::RecordId;
use crate::wait::Wait;

/// Appends to one stream through a [`BufferedProducer`](crate::BufferedProducer).
///
/// A batch whose outcome is unknown (the connection broke, the answer did not come) is sent again by
/// default, so a record may be written twice, but is not lost;
/// [`retry_ambiguous`](crate::ProducerConfig::retry_ambiguous) turns that off.
///
/// An append copies the record into the open batch of its shard and returns; being accepted is not being
/// written. Records of one shard, and so those of one key, are written in the order in which their appends
/// returned. Clones and all appenders of one stream of a producer share batches and order. Any thread may
/// append.
#[derive(Clone)]
pub struct Appender {
    core: Arc<Core>,
    stream: Arc<StreamLanes>,
    /// Where records go, until their shards are gone.
    layout: Arc<Layout>,
}

impl Appender {
    pub(crate) fn new(core: Arc<Core>, stream: Arc<StreamLanes>, layout: Arc<Layout>) -> Self {
        Appender { core, stream, layout }
    }

    /// The stream's name.
    pub fn stream(&self) -> &str {
        &self.stream.name
    }

    /// Appends a record to the shard of its key, and waits for room as long as it takes.
    ///
    /// # Errors
    ///
    /// [`RecordTooLarge`](ErrorKind::RecordTooLarge), [`Closed`](ErrorKind::Closed);
    /// [`InvalidState`](ErrorKind::InvalidState) if the shard is stopped after a failure
    /// ([`FailurePolicy::Stop`](crate::FailurePolicy::Stop)), or the stream was created anew. The record was
    /// not accepted then, and will have no report.
    pub fn append(&self, record: &Record) -> Result<()> {
        self.append_within(record, 0, &Wait::forever())
    }

    /// Appends a record if there is room now.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append), and [`QueueFull`](ErrorKind::QueueFull).
    pub fn try_append(&self, record: &Record) -> Result<()> {
        self.append_within(record, 0, &Wait::no())
    }

    /// Appends a record; the tag comes back in its report. Waits for room no longer than `limit`.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append); [`QueueFull`](ErrorKind::QueueFull) if no waiting was wanted, which also
    /// is the case in this producer's own callback, or if reports are polled and too many wait for it;
    /// [`Timeout`](ErrorKind::Timeout) and [`Interrupted`](ErrorKind::Interrupted) of the wait.
    pub fn append_tagged(&self, record: &Record, tag: u64, limit: impl Into<Wait>) -> Result<()> {
        self.append_within(record, tag, &limit.into())
    }

    /// The same, without moving the limit: that would cost as much as to encode a small record.
    #[inline]
    pub(crate) fn append_within(&self, record: &impl Content, tag: u64, limit: &Wait) -> Result<()> {
        self.push(To::Key, record, tag, limit, How::Untracked)
    }

    /// Appends a record, and returns something to wait for its id with. Where there are reports, it is reported as
    /// well, with the tag 0.
    ///
    /// # Errors
    ///
    /// As [`append_tagged`](Self::append_tagged).
    pub fn append_tracked(&self, record: &Record, limit: impl Into<Wait>) -> Result<Delivery> {
        let mut delivery = None;
        self.push(To::Key, record, 0, &limit.into(), How::Tracked(&mut delivery))?;
        delivery.ok_or_else(without_delivery)
    }

    /// Appends a record to a shard of the caller's choice, whatever its key.
    ///
    /// # Errors
    ///
    /// As [`append_tagged`](Self::append_tagged); the stream has no such shard.
    pub fn append_to_shard(
        &self,
        shard_id: u64,
        record: &Record,
        tag: u64,
        limit: impl Into<Wait>,
    ) -> Result<()> {
        self.push(To::Shard(shard_id), record, tag, &limit.into(), How::Untracked)
    }

    /// Appends a record by way of the batches, and waits for its id: for programs with many threads. It has no other
    /// report.
    ///
    /// # Errors
    ///
    /// As [`append_tracked`](Self::append_tracked) and [`Delivery::wait`]. Once the record was accepted, the
    /// error of the wait says that the record may be written ([`is_ambiguous`](Error::is_ambiguous)).
    /// [`WouldDeadlock`](ErrorKind::WouldDeadlock) in this producer's own callback.
    pub fn append_wait(&self, record: &Record, limit: impl Into<Wait>) -> Result<RecordId> {
        if self.core.reporter.is_this_thread() {
            return Err(would_deadlock("append_wait"));
        }
        let limit = limit.into();
        let until = limit.until();
        let at_once = self.core.settings.linger == Linger::ByHand;
        let mut delivery = None;
        self.push(To::Key, record, 0, &limit, How::Awaited { delivery: &mut delivery, at_once })?;
        let delivery = delivery.ok_or_else(without_delivery)?;
        // Once accepted, it may be written whatever ends the wait.
        self.core.wait_for(delivery.settled(), until).map_err(Error::ambiguous)?
    }

    /// Sends what is buffered for this stream, and waits until everything appended to it before is settled
    /// and reported. Returns how it ended.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) and [`Interrupted`](ErrorKind::Interrupted), which lose nothing;
    /// [`WouldDeadlock`](ErrorKind::WouldDeadlock) in this producer's own callback.
    pub fn flush(&self, limit: impl Into<Wait>) -> Result<Counts> {
        self.core.flush(&self.stream.lanes(), limit.into().until())
    }

    /// The same for one shard.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush); the stream has no such shard.
    pub fn flush_shard(&self, shard_id: u64, limit: impl Into<Wait>) -> Result<Counts> {
        let lane = self.layout.of_shard(shard_id)?.clone();
        self.core.flush(&[lane], limit.into().until())
    }

    /// The same for the shard of a key.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    pub fn flush_key(&self, key: &str, limit: impl Into<Wait>) -> Result<Counts> {
        // Also where the key belongs since the stream was created anew.
        let layouts = [Some(self.layout.clone()), self.stream.current()];
        let mut lanes: Vec<_> = layouts
            .iter()
            .flatten()
            .map(|layout| layout.for_key(key, false).cloned())
            .collect::<Result<_>>()?;
        // The same one twice would be counted twice.
        lanes.dedup_by(|one, other| Arc::ptr_eq(one, other));
        self.core.flush(&lanes, limit.into().until())
    }

    /// Has a shard that was stopped by a failure take records again; `None` is all shards. Only
    /// [`FailurePolicy::Stop`](crate::FailurePolicy::Stop) stops them.
    ///
    /// # Errors
    ///
    /// The stream has no such shard.
    pub fn resume(&self, shard_id: impl Into<Option<u64>>) -> Result<()> {
        match shard_id.into() {
            Some(shard_id) => self.layout.of_shard(shard_id)?.resume(),
            None => self.stream.lanes().iter().for_each(|lane| lane.resume()),
        }
        Ok(())
    }

    #[inline(always)]
    fn push(&self, to: To, record: &impl Content, tag: u64, limit: &Wait, how: How<'_>) -> Result<()> {
        let record = Measured::new(record);
        if !fits_alone(record.encoded_len()) {
            return Err(too_large(self.stream(), record.encoded_len()));
        }
        let reporter = &self.core.reporter;
        let told = reporter.wants_reports() && !matches!(how, How::Awaited { .. });
        let at_once = matches!(how, How::Awaited { at_once: true, .. });
        let delivery = match how {
            How::Untracked => None,
            How::Tracked(delivery) | How::Awaited { delivery, .. } => Some(delivery),
        };
        let mut push = Push { record, tag: told.then_some(tag), delivery };
        let way = Way { to, at_once, in_callback: reporter.is_this_thread() };
        // In its callback a producer has room of its own.
        let pushed = if way.in_callback { Err(NotTaken::NoRoom) } else { self.try_push(way, &mut push) };
        match pushed {
            Ok(()) => Ok(()),
            Err(not_taken) => self.push_patiently(way, push, limit, not_taken),
        }
    }

    /// Appends a record with the room that is there.
    #[inline(always)]
    fn try_push(&self, way: Way, push: &mut Push<'_, impl Content>) -> Result<(), NotTaken> {
        self.core.check_open()?;
        let lane = self.lane(&self.layout, way.to, push.record.key())?;
        self.push_into(lane, way, push, None)
    }

    /// Appends a record that was not taken at once, as soon as it is.
    #[cold]
    fn push_patiently(
        &self,
        way: Way,
        mut push: Push<'_, impl Content>,
        limit: &Wait,
        first: NotTaken,
    ) -> Result<()> {
        let core = &*self.core;
        let patience = Patience::of(limit);
        let mut layout = Cow::Borrowed(&self.layout);
        let mut wait_for_room = false;
        match first {
            NotTaken::Refused(error) => return Err(error),
            NotTaken::NoRoom => wait_for_room = true,
            NotTaken::Moved(to) => layout = Cow::Owned(to),
            // By which lane is known when it says so again.
            NotTaken::Reporting => {}
        }
        loop {
            core.check_open()?;
            let lane = self.lane(&layout, way.to, push.record.key())?;
            let taken = if wait_for_room {
                Some(core.take_room(push.record.encoded_len(), &patience)?)
            } else {
                None
            };
            let Err(not_taken) = self.push_into(lane, way, &mut push, taken) else { return Ok(()) };
            core.room.give_back(taken.unwrap_or_default());
            match not_taken {
                NotTaken::Refused(error) => return Err(error),
                NotTaken::NoRoom => wait_for_room = true,
                NotTaken::Reporting => core.wait_at_gate(lane, &patience)?,
                NotTaken::Moved(to) => layout = Cow::Owned(to),
            }
        }
    }

    /// Puts a record into the batch of a shard, with the room that was `taken` for it or that is there.
    #[inline(always)]
    fn push_into(
        &self,
        lane: &Arc<Lane>,
        way: Way,
        push: &mut Push<'_, impl Content>,
        taken: Option<Taken>,
    ) -> Result<(), NotTaken> {
        let core = &*self.core;
        let worker = || ShardWorker::spawn(&self.core, lane);
        lane.push(push, taken, way.in_callback, core.settings.now, worker)?;
        if way.at_once || core.room_is_wanted() {
            lane.seal_now();
        }
        Ok(())
    }

    #[inline]
    fn lane<'a>(&self, layout: &'a Layout, to: To, key: &str) -> Result<&'a Arc<Lane>> {
        to.lane(layout, key, self.core.settings.spread_keyless)
    }
}

/// Where a record goes, from which thread, and whether its batch waits for others.
#[derive(Clone, Copy)]
struct Way {
    to: To,
    in_callback: bool,
    at_once: bool,
}

/// How a record is appended, and where its delivery is put.
enum How<'a> {
    /// Nobody waits for its outcome.
    Untracked,
    Tracked(&'a mut Option<Delivery>),
    /// Tracked, and that is its only report. `at_once`: its batch does not wait for others.
    Awaited {
        delivery: &'a mut Option<Delivery>,
        at_once: bool,
    },
}

/// Where a record goes.
#[derive(Clone, Copy)]
enum To {
    /// To the shard of its key.
    Key,
    Shard(u64),
}

impl To {
    fn lane<'a>(self, layout: &'a Layout, key: &str, spread_keyless: bool) -> Result<&'a Arc<Lane>> {
        match self {
            // The one that was asked for is gone, and its records follow their keys.
            To::Shard(shard) if layout.is_successor() && !layout.has_shard(shard) => {
                layout.for_key(key, false)
            }
            To::Shard(shard) => layout.of_shard(shard),
            To::Key => layout.for_key(key, spread_keyless),
        }
    }
}

fn without_delivery() -> Error {
    Error::protocol("a tracked record has no delivery")
}

pub(crate) fn too_large(stream: &str, encoded_len: usize) -> Error {
    Error::new(
        ErrorKind::RecordTooLarge,
        format!(
            "a record for the stream `{stream}` is {encoded_len} bytes encoded, and with its batch over the \
             {SERVER_LIMIT} that the server takes"
        ),
    )
}

impl fmt::Debug for Appender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appender").field("stream", &self.stream()).finish_non_exhaustive()
    }
}
