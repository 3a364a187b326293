//! One stream of a producer.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::codec::batch::{SERVER_LIMIT, fits_alone};
use crate::error::{Error, ErrorKind, Result};
use crate::producer::config::Linger;
use crate::producer::core::{Core, StreamLanes};
use crate::producer::delivery::Delivery;
use crate::producer::flow::Patience;
use crate::producer::flush::Counts;
use crate::producer::lane::{Lane, Push};
use crate::producer::worker::ShardWorker;
use crate::record::Record;
use crate::record_id::RecordId;
use crate::shard::hash_key;
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
}

impl Appender {
    pub(crate) fn new(core: Arc<Core>, stream: Arc<StreamLanes>) -> Self {
        Appender { core, stream }
    }

    /// The stream's name.
    pub fn stream(&self) -> &str {
        &self.stream.name
    }

    /// Appends a record to the shard of its key, and waits for room as long as it takes.
    ///
    /// # Errors
    ///
    /// [`RecordTooLarge`](ErrorKind::RecordTooLarge), [`Closed`](ErrorKind::Closed). The record was not
    /// accepted then, and will have no report.
    pub fn append(&self, record: &Record) -> Result<()> {
        self.append_tagged(record, 0, Wait::forever())
    }

    /// Appends a record if there is room now.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append), and [`QueueFull`](ErrorKind::QueueFull).
    pub fn try_append(&self, record: &Record) -> Result<()> {
        self.append_tagged(record, 0, Wait::no())
    }

    /// Appends a record; the tag comes back in its report. Waits for room no longer than `limit`.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append); [`QueueFull`](ErrorKind::QueueFull) if no waiting was wanted, which also
    /// is the case in this producer's own callback, or if reports are polled and too many wait for it;
    /// [`Timeout`](ErrorKind::Timeout) and [`Interrupted`](ErrorKind::Interrupted) of the wait.
    pub fn append_tagged(&self, record: &Record, tag: u64, limit: impl Into<Wait>) -> Result<()> {
        self.push(self.lane_for(record.key())?, record, tag, &limit.into(), false).map(drop)
    }

    /// Appends a record, and returns something to wait for its id with.
    ///
    /// # Errors
    ///
    /// As [`append_tagged`](Self::append_tagged).
    pub fn append_tracked(&self, record: &Record, limit: impl Into<Wait>) -> Result<Delivery> {
        let delivery = self.push(self.lane_for(record.key())?, record, 0, &limit.into(), true)?;
        delivery.ok_or_else(|| Error::protocol("a tracked record has no delivery"))
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
        self.push(self.lane_of(shard_id)?, record, tag, &limit.into(), false).map(drop)
    }

    /// Appends a record by way of the batches, and waits for its id: for programs with many threads.
    ///
    /// # Errors
    ///
    /// As [`append_tracked`](Self::append_tracked) and [`Delivery::wait`]. Once the record was accepted, the
    /// error of the wait says that the record may be written ([`is_ambiguous`](Error::is_ambiguous)).
    /// [`WouldDeadlock`](ErrorKind::WouldDeadlock) in this producer's own callback.
    pub fn append_wait(&self, record: &Record, limit: impl Into<Wait>) -> Result<RecordId> {
        if self.core.reporter.is_this_thread() {
            let message = "append_wait was called from the callback that it would wait for";
            return Err(Error::new(ErrorKind::WouldDeadlock, message));
        }
        let limit = limit.into();
        let until = limit.until();
        let lane = self.lane_for(record.key())?;
        let delivery = self.push(lane, record, 0, &limit, true)?;
        let delivery = delivery.ok_or_else(|| Error::protocol("a tracked record has no delivery"))?;
        if self.core.settings.linger == Linger::ByHand {
            lane.seal_now();
        }
        delivery.wait_until(until).map_err(|error| match error.kind() {
            ErrorKind::Timeout | ErrorKind::Interrupted => error.ambiguous(),
            _ => error,
        })
    }

    /// Sends what is buffered for this stream, and waits until everything appended to it before is settled
    /// and reported. Returns how it ended.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) and [`Interrupted`](ErrorKind::Interrupted), which lose nothing;
    /// [`WouldDeadlock`](ErrorKind::WouldDeadlock) in this producer's own callback.
    pub fn flush(&self, limit: impl Into<Wait>) -> Result<Counts> {
        self.core.flush(&self.stream.lanes, limit.into().until())
    }

    /// The same for one shard.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush); the stream has no such shard.
    pub fn flush_shard(&self, shard_id: u64, limit: impl Into<Wait>) -> Result<Counts> {
        let lane = self.lane_of(shard_id)?.clone();
        self.core.flush(&[lane], limit.into().until())
    }

    /// The same for the shard of a key.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    pub fn flush_key(&self, key: &str, limit: impl Into<Wait>) -> Result<Counts> {
        let lane = self.lane_for(key)?.clone();
        self.core.flush(&[lane], limit.into().until())
    }

    fn push(
        &self,
        lane: &Arc<Lane>,
        record: &Record,
        tag: u64,
        limit: &Wait,
        tracked: bool,
    ) -> Result<Option<Delivery>> {
        let encoded_len = record.encoded_len();
        if !fits_alone(encoded_len) {
            return Err(too_large(self.stream(), encoded_len));
        }
        self.core.check_open()?;
        let patience = if limit.is_no() { Patience::None } else { Patience::Until(limit.until()) };
        let taken = self.core.take_room(encoded_len, patience)?;
        let push = Push { record, encoded_len, tag, credit: taken.bytes, tracked };
        let worker = || self.core.spawner.spawn(ShardWorker::new(self.core.clone(), lane.clone()).run());
        lane.push(push, Instant::now, worker).inspect_err(|_| self.core.return_room(taken))
    }

    fn lane_for(&self, key: &str) -> Result<&Arc<Lane>> {
        if let [only] = self.stream.lanes.as_slice() {
            // All keys go there.
            return Ok(only);
        }
        let position = self.stream.shards.position(hash_key(key)).ok_or_else(|| {
            Error::protocol(format!("no shard of the stream `{}` takes the key `{key}`", self.stream()))
        })?;
        Ok(&self.stream.lanes[position])
    }

    fn lane_of(&self, shard_id: u64) -> Result<&Arc<Lane>> {
        let position = self.stream.shards.position_of(shard_id);
        let lane = position.and_then(|position| self.stream.lanes.get(position));
        lane.ok_or_else(|| {
            Error::invalid_argument(format!("the stream `{}` has no shard {shard_id}", self.stream()))
        })
    }
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
