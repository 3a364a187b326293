//! A producer's options, and the single home of their defaults.

use std::time::{Duration, Instant};

use crate::cluster::retry::Backoff;
use crate::codec::batch::CAP;
use crate::codec::compression::Compression;
use crate::error::{Error, ErrorKind, Result};
use crate::producer::batch::Limits;
use crate::producer::reports::{Deliveries, DeliveryCallback};

/// When a batch that is not full goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Linger {
    /// As soon as its shard has nothing in flight; the next batch grows meanwhile. As fast as any age, and
    /// without its delay.
    #[default]
    WhenIdle,
    /// At this age, counted from its first record.
    For(Duration),
    /// Never by itself: `flush` sends it. Full batches go all the same.
    ByHand,
}

/// Which outcomes are reported to the callback, or to [`poll`](crate::BufferedProducer::poll).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reports {
    /// Of all records.
    #[default]
    All,
    /// Of those that were not, or perhaps not, written.
    Failures,
    /// Of none.
    None,
}

impl Linger {
    /// As a number says it: none is by hand, and 0 is when the shard is idle.
    pub(crate) fn of(age: Option<Duration>) -> Self {
        match age {
            None => Linger::ByHand,
            Some(Duration::ZERO) => Linger::WhenIdle,
            Some(age) => Linger::For(age),
        }
    }
}

impl Reports {
    /// Whether a batch that ended so is one of them.
    pub(crate) fn include(self, failed: bool) -> bool {
        match self {
            Reports::All => true,
            Reports::Failures => failed,
            Reports::None => false,
        }
    }
}

/// What happens on a shard after one of its batches has failed for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// What is queued behind it is given up ([`Aborted`](ErrorKind::Aborted)), and the shard takes records again
    /// as soon as the reports of all that have been handed over. So nothing behind a failure is written before
    /// the program could know of it, and what failed can be appended again in its place.
    #[default]
    AbortQueued,
    /// The same, but the shard takes records again only after [`resume`](crate::Appender::resume); until then
    /// appends to it end with [`InvalidState`](ErrorKind::InvalidState).
    Stop,
    /// What is queued behind it goes on: records appended again come behind records appended later.
    Continue,
}

/// What happens to records for a stream that was deleted and created anew, and whose shards are therefore gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecreatedStream {
    /// They fail, and so do further ones through the same [`Appender`](crate::Appender), with
    /// [`InvalidState`](ErrorKind::InvalidState): the new stream may be something else. One that is opened
    /// after that is of the new stream.
    #[default]
    Fail,
    /// They go to the shards of the new stream, by their keys, also those that were given a shard of the old one.
    Reroute,
}

/// How reports are handed over.
pub(crate) enum ReportMode {
    None,
    Callback(DeliveryCallback),
    Poll,
}

/// Options of a [`BufferedProducer`](crate::BufferedProducer).
#[must_use]
pub struct ProducerConfig {
    pub(crate) batch_records: u32,
    pub(crate) batch_bytes: usize,
    pub(crate) linger: Linger,
    pub(crate) buffer_bytes: usize,
    pub(crate) buffer_records: usize,
    pub(crate) compression: Compression,
    pub(crate) delivery_timeout: Duration,
    pub(crate) max_retries: Option<u32>,
    pub(crate) first_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) retry_ambiguous: bool,
    pub(crate) workers: usize,
    pub(crate) in_flight_per_shard: usize,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) recreated_stream: RecreatedStream,
    pub(crate) spread_keyless: bool,
    pub(crate) reports: Reports,
    pub(crate) lent_records: Reports,
    /// Reports are kept until they are polled.
    pub(crate) polling: bool,
    callback: Option<DeliveryCallback>,
    /// What the delivery time-out and the age of a batch go by.
    now: fn() -> Instant,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        ProducerConfig {
            batch_records: 0,
            batch_bytes: CAP,
            linger: Linger::WhenIdle,
            buffer_bytes: 64 << 20,
            buffer_records: 1_000_000,
            compression: Compression::none(),
            delivery_timeout: Duration::from_secs(120),
            max_retries: None,
            first_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            retry_ambiguous: true,
            workers: 64,
            in_flight_per_shard: 1,
            failure_policy: FailurePolicy::AbortQueued,
            recreated_stream: RecreatedStream::Fail,
            spread_keyless: false,
            reports: Reports::All,
            lent_records: Reports::Failures,
            polling: false,
            callback: None,
            now: Instant::now,
        }
    }
}

impl ProducerConfig {
    /// The defaults: batches go as soon as their shard is idle, nobody is told the outcomes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most records in a batch; default 0, which is no limit but that of the bytes.
    pub fn batch_records(self, count: u32) -> Self {
        ProducerConfig { batch_records: count, ..self }
    }

    /// The most encoded bytes in a batch, before compression; default 1,044,480, a little below the
    /// server's limit, and so is 0. A larger record passes alone, up to that limit.
    pub fn batch_bytes(self, bytes: usize) -> Self {
        ProducerConfig { batch_bytes: bytes, ..self }
    }

    /// When a batch that is not full goes; default when its shard is idle.
    pub fn linger(self, linger: Linger) -> Self {
        ProducerConfig { linger, ..self }
    }

    /// How many bytes of records, encoded and with what is kept about them, may be on the way; default
    /// 64 MiB. Appends wait for room. A record larger than all of it is let in alone. A shard that is written to
    /// keeps room for the records that are likely to follow, up to half of what its open batch holds and 16 KiB, until
    /// the batch is sent: so it may be full for others a little before.
    pub fn buffer_bytes(self, bytes: usize) -> Self {
        ProducerConfig { buffer_bytes: bytes, ..self }
    }

    /// How many records may be on the way, with those whose report has not been handed over; default
    /// 1,000,000. It matters only where outcomes are reported.
    pub fn buffer_records(self, count: usize) -> Self {
        ProducerConfig { buffer_records: count, ..self }
    }

    /// How batches are compressed; default not at all. On threads of its own, and only when it helps.
    pub fn compression(self, compression: impl Into<Compression>) -> Self {
        ProducerConfig { compression: compression.into(), ..self }
    }

    /// How long after its first record a batch is given up; default 120 s.
    pub fn delivery_timeout(self, timeout: Duration) -> Self {
        ProducerConfig { delivery_timeout: timeout, ..self }
    }

    /// How often a batch is tried again, and the pauses between: the first one, doubled each time up to the
    /// longest, each shortened by chance by up to a half. Default `None`, which is until the delivery
    /// time-out, 100 ms and 5 s.
    pub fn retry(
        self,
        max_retries: impl Into<Option<u32>>,
        first_backoff: Duration,
        max_backoff: Duration,
    ) -> Self {
        ProducerConfig { max_retries: max_retries.into(), first_backoff, max_backoff, ..self }
    }

    /// Whether a batch is sent again when nobody knows whether it was written (the connection broke, or the
    /// answer did not come in time); default yes: rather twice than not at all. With no, such records are
    /// reported as unknown.
    pub fn retry_ambiguous(self, on: bool) -> Self {
        ProducerConfig { retry_ambiguous: on, ..self }
    }

    /// The most appends in flight over all shards; default 64. A shard has one at a time, unless
    /// [`in_flight_per_shard`](Self::in_flight_per_shard) says otherwise.
    pub fn workers(self, count: usize) -> Self {
        ProducerConfig { workers: count, ..self }
    }

    /// The most appends in flight on one shard; default 1, which keeps the order. With more, the batches of a
    /// shard are written in any order, and so are the records of one key.
    pub fn in_flight_per_shard(self, batches: usize) -> Self {
        ProducerConfig { in_flight_per_shard: batches, ..self }
    }

    /// What happens on a shard after a failure; default [`FailurePolicy::AbortQueued`].
    pub fn failure_policy(self, policy: FailurePolicy) -> Self {
        ProducerConfig { failure_policy: policy, ..self }
    }

    /// What happens when a stream was deleted and created anew; default [`RecreatedStream::Fail`].
    pub fn recreated_stream(self, policy: RecreatedStream) -> Self {
        ProducerConfig { recreated_stream: policy, ..self }
    }

    /// Whether records without a key go to all shards in turn, instead of to the one that the empty key hashes
    /// to; default no, as in all other clients.
    pub fn spread_keyless(self, on: bool) -> Self {
        ProducerConfig { spread_keyless: on, ..self }
    }

    /// Which outcomes are reported; default all. With none there can be no callback and no polling.
    pub fn reports(self, which: Reports) -> Self {
        ProducerConfig { reports: which, ..self }
    }

    /// Which reports lend their records back, to be kept elsewhere or appended again; default those of failures.
    /// Lent records keep their room in the buffer until their report is handed over. Where reports are polled,
    /// appends that find no room for that reason end with [`QueueFull`](ErrorKind::QueueFull), whatever time they
    /// have.
    pub fn lend_records(self, which: Reports) -> Self {
        ProducerConfig { lent_records: which, ..self }
    }

    /// Reports outcomes to this function, batch by batch and one at a time, on a thread of this producer.
    ///
    /// It may call anything of this library, with exceptions that would wait for itself: `flush` and `close` of
    /// this producer end with [`WouldDeadlock`](ErrorKind::WouldDeadlock), and so does waiting for a record that
    /// it appends in place of one that failed, which is sent after all have been told of the failure; appends to
    /// this producer never wait for room. A slow one delays its own reports and nothing else, until
    /// [`buffer_records`](Self::buffer_records) are unreported. A panic in it is caught and logged.
    pub fn on_delivery(self, callback: impl FnMut(&Deliveries) + Send + 'static) -> Self {
        ProducerConfig { callback: Some(Box::new(callback)), ..self }
    }

    /// Keeps reports until [`poll`](crate::BufferedProducer::poll) takes them. Reports go one way: with a
    /// callback as well, there is no producer.
    pub fn poll_reports(self) -> Self {
        ProducerConfig { polling: true, ..self }
    }

    /// The same options, but for the callback, of which there is one alone.
    #[cfg(feature = "ffi")]
    pub(crate) fn without_callback(&self) -> Self {
        ProducerConfig { callback: None, ..*self }
    }

    /// Another clock, for tests of what takes long.
    #[cfg(all(test, feature = "dev-server"))]
    pub(crate) fn clock(self, now: fn() -> Instant) -> Self {
        ProducerConfig { now, ..self }
    }

    /// Each option on its own.
    pub(crate) fn check_each(&self) -> Result<()> {
        self.compression.check()?;
        for (what, is_zero) in [
            ("number of bytes of the buffer", self.buffer_bytes == 0),
            ("number of records of the buffer", self.buffer_records == 0),
            ("number of workers", self.workers == 0),
            ("number of appends in flight on a shard", self.in_flight_per_shard == 0),
            ("delivery time-out", self.delivery_timeout.is_zero()),
            ("first pause", self.first_backoff.is_zero()),
        ] {
            if is_zero {
                return Err(Error::invalid_argument(format!("the {what} must be more than 0")));
            }
        }
        if self.batch_bytes > CAP {
            return Err(Error::invalid_argument(format!(
                "batches of {} bytes are over what the server takes; {CAP} are the most",
                self.batch_bytes
            )));
        }
        Ok(())
    }

    pub(crate) fn check_backoffs(&self) -> Result<()> {
        if self.max_backoff < self.first_backoff {
            let message = "the longest pause between attempts is shorter than the first";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(())
    }

    fn report_mode(self) -> Result<ReportMode> {
        let contradiction = |text| Err(Error::new(ErrorKind::Config, text));
        match self.callback {
            Some(_) if self.polling => contradiction("reports can go to a callback or be polled, not both"),
            None if !self.polling => Ok(ReportMode::None),
            _ if self.reports == Reports::None => {
                contradiction("there is a way for reports, but no reports are to be made")
            }
            Some(callback) => Ok(ReportMode::Callback(callback)),
            None => Ok(ReportMode::Poll),
        }
    }

    /// The options as the producer uses them, and where its reports go.
    pub(crate) fn check(self) -> Result<(Settings, ReportMode)> {
        self.check_each()?;
        self.check_backoffs()?;
        let no_limit = |value: usize, otherwise: usize| if value == 0 { otherwise } else { value };
        let limits = Limits {
            bytes: no_limit(self.batch_bytes, CAP),
            records: no_limit(self.batch_records as usize, usize::MAX),
        };
        let settings = Settings {
            limits,
            linger: self.linger,
            buffer_bytes: self.buffer_bytes,
            buffer_records: self.buffer_records,
            compression: self.compression,
            delivery_timeout: self.delivery_timeout,
            max_attempts: self.max_retries.map(|retries| retries.saturating_add(1)),
            backoff: Backoff { first: self.first_backoff, cap: self.max_backoff },
            retry_ambiguous: self.retry_ambiguous,
            workers: self.workers,
            in_flight_per_shard: self.in_flight_per_shard,
            failure_policy: self.failure_policy,
            recreated_stream: self.recreated_stream,
            spread_keyless: self.spread_keyless,
            reports: self.reports,
            lent_records: self.lent_records,
            now: self.now,
        };
        Ok((settings, self.report_mode()?))
    }
}

/// [`ProducerConfig`], checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) linger: Linger,
    pub(crate) buffer_bytes: usize,
    pub(crate) buffer_records: usize,
    pub(crate) compression: Compression,
    pub(crate) delivery_timeout: Duration,
    /// `None`: until the delivery time-out.
    pub(crate) max_attempts: Option<u32>,
    pub(crate) backoff: Backoff,
    pub(crate) retry_ambiguous: bool,
    pub(crate) workers: usize,
    pub(crate) in_flight_per_shard: usize,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) recreated_stream: RecreatedStream,
    pub(crate) spread_keyless: bool,
    pub(crate) reports: Reports,
    pub(crate) lent_records: Reports,
    /// What the delivery time-out and the age of a batch go by.
    pub(crate) now: fn() -> Instant,
}
