//! A reader's options, and the single home of their defaults.

use std::time::Duration;

use crate::cluster::retry::Backoff;
use crate::error::{Error, ErrorKind, Result};
use crate::reader::position::Position;
use crate::record_id::Offset;

/// Options of a [`Reader`](crate::Reader).
#[derive(Clone, Debug)]
#[must_use]
pub struct ReaderConfig {
    pub(crate) from: Offset,
    pub(crate) position: Option<Position>,
    pub(crate) until: Option<Offset>,
    pub(crate) max_batches: u64,
    pub(crate) prefetch_records: usize,
    pub(crate) prefetch_bytes: usize,
    pub(crate) max_batch_bytes: usize,
    pub(crate) callback_records: usize,
    pub(crate) label: String,
    pub(crate) backoff: Backoff,
}

impl Default for ReaderConfig {
    fn default() -> Self {
        ReaderConfig {
            from: Offset::Earliest,
            position: None,
            until: None,
            max_batches: 0,
            prefetch_records: 100_000,
            prefetch_bytes: 32 << 20,
            max_batch_bytes: 64 << 20,
            callback_records: 10_000,
            label: "hstreamdb-blocking".into(),
            backoff: Backoff { first: Duration::from_millis(100), cap: Duration::from_secs(10) },
        }
    }
}

impl ReaderConfig {
    /// The defaults: from the earliest record, and on as records come.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first record; default the earliest that is kept. A record is one of the shard that is read.
    pub fn from(self, from: Offset) -> Self {
        ReaderConfig { from, ..self }
    }

    /// Goes on behind what an earlier reader of the stream has handed out. Shards that the position does not name
    /// begin at [`from`](Self::from).
    pub fn position(self, position: Position) -> Self {
        ReaderConfig { position: Some(position), ..self }
    }

    /// The last record, inclusive; by default there is none, and the reader goes on as records come. The latest is
    /// the last that there is when the reader is opened; for a reader of one key that is the default. A time is the
    /// one at which the store got a batch, in milliseconds.
    pub fn until(self, until: Offset) -> Self {
        ReaderConfig { until: Some(until), ..self }
    }

    /// The most batches of the store to read, of all shards together; default 0, which is no limit. Readers of one
    /// key have no such limit.
    pub fn max_batches(self, count: u64) -> Self {
        ReaderConfig { max_batches: count, ..self }
    }

    /// How much may be received before it is read; default 100,000 records and 32 MiB. A message of the server may
    /// go over it.
    pub fn prefetch(self, records: usize, bytes: usize) -> Self {
        ReaderConfig { prefetch_records: records, prefetch_bytes: bytes, ..self }
    }

    /// The largest batch that is decompressed; default 64 MiB. The records of a larger one come with an error.
    pub fn max_batch_bytes(self, bytes: usize) -> Self {
        ReaderConfig { max_batch_bytes: bytes, ..self }
    }

    /// The most records that a callback gets at once; default 10,000.
    pub fn callback_records(self, count: usize) -> Self {
        ReaderConfig { callback_records: count, ..self }
    }

    /// What the server calls the reader in its log.
    pub fn label(self, label: impl Into<String>) -> Self {
        ReaderConfig { label: label.into(), ..self }
    }

    /// The pauses between attempts to open the read again: the first one, doubled each time up to the longest, each
    /// shortened by chance by up to a half; default 100 ms and 10 s. There is no last attempt.
    pub fn reopen(self, first_backoff: Duration, max_backoff: Duration) -> Self {
        ReaderConfig { backoff: Backoff { first: first_backoff, cap: max_backoff }, ..self }
    }

    /// Checks each option on its own.
    pub(crate) fn check_each(&self) -> Result<()> {
        for (what, value) in [
            ("prefetched records", self.prefetch_records),
            ("prefetched bytes", self.prefetch_bytes),
            ("bytes of a batch", self.max_batch_bytes),
            ("records of a callback", self.callback_records),
        ] {
            if value == 0 {
                return Err(Error::invalid_argument(format!("the {what} must be more than 0")));
            }
        }
        Ok(())
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.check_each()?;
        if self.backoff.first.is_zero() || self.backoff.cap < self.backoff.first {
            let message =
                "the pauses between attempts must be more than 0, and the longest not less than the first";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(())
    }
}
