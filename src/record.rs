//! What is appended: a payload with its key and attributes.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::codec::{payload, record as wire};
use crate::error::{Error, ErrorKind, Result};
use crate::hrecord::HRecord;

/// How a payload is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// Any bytes.
    Raw,
    /// An [`HRecord`], as an encoded protobuf `Struct`.
    Json,
}

/// A record to be appended.
///
/// The payload is held as it goes over the wire, so clones are cheap and an [`HRecord`] is encoded once.
/// Records with the same key go to the same shard and keep their order; a record without a key has the
/// empty key, so all of those share one shard as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    kind: RecordKind,
    payload: Bytes,
    key: String,
    attributes: BTreeMap<String, String>,
}

/// What is encoded of a record, wherever it lies.
pub(crate) trait Content {
    fn kind(&self) -> RecordKind;
    fn payload(&self) -> &[u8];
    fn key(&self) -> &str;
    fn attributes(&self) -> &BTreeMap<String, String>;
}

impl Content for Record {
    #[inline]
    fn kind(&self) -> RecordKind {
        self.kind
    }

    #[inline]
    fn payload(&self) -> &[u8] {
        &self.payload
    }

    #[inline]
    fn key(&self) -> &str {
        &self.key
    }

    #[inline]
    fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }
}

/// A raw record that is somebody else's, to be copied into a batch at once.
#[cfg(feature = "ffi")]
pub(crate) struct BorrowedRaw<'a> {
    pub(crate) key: &'a str,
    pub(crate) payload: &'a [u8],
}

#[cfg(feature = "ffi")]
impl Content for BorrowedRaw<'_> {
    #[inline]
    fn kind(&self) -> RecordKind {
        RecordKind::Raw
    }

    #[inline]
    fn payload(&self) -> &[u8] {
        self.payload
    }

    #[inline]
    fn key(&self) -> &str {
        self.key
    }

    #[inline]
    fn attributes(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        &NONE
    }
}

impl Record {
    /// A record of any bytes; none at all is fine.
    pub fn raw(payload: impl Into<Bytes>) -> Self {
        Self::from_parts(RecordKind::Raw, payload.into())
    }

    /// A record of a JSON object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`] if objects and lists are nested so deeply that readers would refuse them
    /// (32 levels are always fine).
    pub fn hrecord(record: HRecord) -> Result<Self> {
        Ok(Self::from_parts(RecordKind::Json, payload::encode_hrecord(record)?))
    }

    /// A record of a JSON object, from its text.
    ///
    /// # Errors
    ///
    /// As [`HRecord::from_json`] and [`Record::hrecord`].
    pub fn json(text: &str) -> Result<Self> {
        Self::hrecord(HRecord::from_json(text)?)
    }

    pub(crate) fn from_parts(kind: RecordKind, payload: Bytes) -> Self {
        Record { kind, payload, key: String::new(), attributes: BTreeMap::new() }
    }

    /// Sets the partition key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.set_key(key);
        self
    }

    /// Sets an attribute: a name and a text that travel beside the payload.
    #[must_use]
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_attribute(name, value);
        self
    }

    /// Sets the partition key.
    pub fn set_key(&mut self, key: impl Into<String>) {
        self.key = key.into();
    }

    /// Sets an attribute, and gives back what it was before.
    pub fn set_attribute(&mut self, name: impl Into<String>, value: impl Into<String>) -> Option<String> {
        self.attributes.insert(name.into(), value.into())
    }

    /// Takes an attribute out.
    pub fn remove_attribute(&mut self, name: &str) -> Option<String> {
        self.attributes.remove(name)
    }

    /// How the payload is to be read.
    #[inline]
    pub fn kind(&self) -> RecordKind {
        self.kind
    }

    /// The payload: the bytes given, or the encoded `Struct`.
    #[inline]
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The partition key, empty if there is none.
    #[inline]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The attributes, sorted by name.
    #[inline]
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// The record's size in an encoded batch, which is what limits count.
    #[inline]
    pub fn encoded_len(&self) -> usize {
        wire::Measured::new(self).encoded_len()
    }

    /// The JSON object in the payload.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidState`] of a raw record, [`ErrorKind::Decode`] if the payload is no `Struct`.
    pub fn to_hrecord(&self) -> Result<HRecord> {
        to_hrecord(self.kind, &self.payload)
    }
}

pub(crate) fn to_hrecord(kind: RecordKind, payload: &[u8]) -> Result<HRecord> {
    match kind {
        RecordKind::Json => payload::decode_hrecord(payload),
        RecordKind::Raw => {
            Err(Error::new(ErrorKind::InvalidState, "a raw record has no JSON object; read its payload"))
        }
    }
}
