//! What is received: batches of records, read by borrowing.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use crate::codec::batch::DecodedBatch;
#[cfg(feature = "ffi")]
use crate::codec::batch::Records;
use crate::codec::received::IdRun;
use crate::codec::record as wire;
use crate::error::{Error, Result};
use crate::hrecord::HRecord;
use crate::record::{Record, RecordKind, to_hrecord};
use crate::record_id::RecordId;

/// Received records, of one or more batches of the server.
///
/// Payloads are not copied: the records borrow from the batch, and clones of the batch share its bytes.
/// A record that can't be read (an unknown flag, a batch that can't be decompressed) is here all the same,
/// with its id and the reason as [`error`](ReceivedRecord::error), so that nothing is lost silently and
/// it can be skipped by acking it.
#[derive(Clone, Default)]
pub struct Batch {
    parts: Vec<Part>,
}

/// Some records of one batch of the server.
#[derive(Clone)]
struct Part {
    batch: Arc<DecodedBatch>,
    range: Range<usize>,
}

impl Batch {
    /// Adds the records of a server's batch that lie in `range`.
    pub(crate) fn push(&mut self, batch: Arc<DecodedBatch>, range: Range<usize>) {
        self.parts.push(Part { batch, range });
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.range.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records, in the order in which they arrived.
    pub fn iter(&self) -> impl Iterator<Item = ReceivedRecord<'_>> {
        self.parts.iter().flat_map(|part| {
            let batch = &*part.batch;
            part.range.clone().map(move |index| ReceivedRecord { batch, index })
        })
    }

    /// Where the records lie: server batches, and positions in them.
    #[cfg(feature = "ffi")]
    pub(crate) fn places(&self) -> impl Iterator<Item = (Arc<DecodedBatch>, usize)> {
        self.parts.iter().flat_map(|part| part.range.clone().map(|index| (part.batch.clone(), index)))
    }

    /// Shows a part of each record, such as its payload; nothing where that can't be read.
    #[cfg(feature = "ffi")]
    pub(crate) fn show(&self, part: impl Fn(&wire::Layout) -> wire::Span, mut to: impl FnMut(&[u8])) {
        for Part { batch, range } in &self.parts {
            match &batch.records {
                Records::Readable(layouts) => {
                    layouts.all()[range.clone()]
                        .iter()
                        .for_each(|layout| to(part(layout).of_bytes(&batch.bytes)));
                }
                Records::Unreadable(_) => range.clone().for_each(|_| to(&[])),
            }
        }
    }

    /// The ids of all records, by runs.
    pub(crate) fn runs(&self) -> impl Iterator<Item = IdRun> + Clone {
        self.parts.iter().flat_map(|part| part.batch.ids.runs(part.range.clone()))
    }

    /// The ids of all records, in the same order.
    pub fn ids(&self) -> impl Iterator<Item = RecordId> + Clone {
        self.parts.iter().flat_map(|part| part.batch.ids.iter(part.range.clone()))
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A record in a [`Batch`].
#[derive(Clone, Copy)]
pub struct ReceivedRecord<'a> {
    batch: &'a DecodedBatch,
    index: usize,
}

impl<'a> ReceivedRecord<'a> {
    #[cfg(feature = "ffi")]
    pub(crate) fn at(batch: &'a DecodedBatch, index: usize) -> Self {
        ReceivedRecord { batch, index }
    }

    /// Its id.
    pub fn id(&self) -> RecordId {
        self.batch.ids.get(self.index)
    }

    /// When the server stored it, in whole milliseconds.
    pub fn publish_time(&self) -> Option<SystemTime> {
        self.batch.publish_time
    }

    /// Why it can't be read, if it can't. Its kind is raw then, its key and payload are empty.
    pub fn error(&self) -> Option<&'a Error> {
        self.batch.layout(self.index).err()
    }

    /// How the payload is to be read.
    pub fn kind(&self) -> RecordKind {
        self.layout().map_or(RecordKind::Raw, |layout| layout.kind)
    }

    /// The payload: the bytes appended, or an encoded `Struct`.
    pub fn payload(&self) -> &'a [u8] {
        self.layout().map_or(&[], |layout| layout.payload.of_bytes(&self.batch.bytes))
    }

    /// The partition key, empty if it has none.
    pub fn key(&self) -> &'a str {
        // Seen to be UTF-8 when the batch was decoded.
        let key = self.layout().map_or(&[][..], |layout| layout.key.of_bytes(&self.batch.bytes));
        std::str::from_utf8(key).unwrap_or("")
    }

    /// The attributes: names and texts.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let header = self.layout().map(|layout| layout.attributes.range());
        wire::attributes(&self.batch.bytes, header.unwrap_or_default())
    }

    /// The batch of a record that can't be read as it was received, where
    /// [`BadBatch::Raw`](crate::BadBatch::Raw) was asked for: the number of its compression, and its payload. `None`
    /// for records that can be read.
    pub fn raw_batch(&self) -> Option<(i32, &'a [u8])> {
        let (compression, payload) = &self.batch.raw;
        (!payload.is_empty()).then_some((*compression, payload.as_ref()))
    }

    /// The JSON object in the payload.
    ///
    /// # Errors
    ///
    /// Why the record can't be read; [`InvalidState`](crate::ErrorKind::InvalidState) of a raw record;
    /// [`Decode`](crate::ErrorKind::Decode) if the payload is no `Struct`.
    pub fn to_hrecord(&self) -> Result<HRecord> {
        match self.error() {
            Some(error) => Err(error.clone()),
            None => to_hrecord(self.kind(), self.payload()),
        }
    }

    /// A record of its own, to keep or to append again. It shares the payload's bytes with the batch.
    ///
    /// # Errors
    ///
    /// Why the record can't be read.
    pub fn to_record(&self) -> Result<Record> {
        let layout = self.batch.layout(self.index).map_err(Error::clone)?;
        let payload = self.batch.bytes.slice(layout.payload.range());
        let mut record = Record::from_parts(layout.kind, payload).with_key(self.key());
        for (name, value) in self.attributes() {
            record.set_attribute(name, value);
        }
        Ok(record)
    }

    fn layout(&self) -> Option<&'a wire::Layout> {
        self.batch.layout(self.index).ok()
    }
}

impl fmt::Debug for ReceivedRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ReceivedRecord");
        debug.field("id", &self.id());
        match self.error() {
            Some(error) => debug.field("error", error),
            None => debug
                .field("kind", &self.kind())
                .field("key", &self.key())
                .field("payload_len", &self.payload().len()),
        };
        debug.finish()
    }
}
