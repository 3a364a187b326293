//! Batches: what is appended, and what is received.

use std::time::SystemTime;

use bytes::Bytes;

use crate::codec::compression::{self, Compression};
use crate::codec::ids::system_time;
use crate::codec::received::{Ids, RawBatch};
use crate::codec::record::{self, Layout, Layouts};
use crate::error::{Error, ErrorKind, Result};
use crate::proto;

/// The server refuses larger batches, by default; it compares with the whole encoded `BatchedRecord`.
pub(crate) const SERVER_LIMIT: usize = 1_048_576;

/// Where batches are sealed: a little below the limit, because the store has one of its own.
pub(crate) const CAP: usize = SERVER_LIMIT - 4096;

/// Whether a record of this encoded length passes the server alone, uncompressed.
#[inline]
pub(crate) fn fits_alone(encoded_len: usize) -> bool {
    // The record count, 1, is a tag and a byte; then comes the payload with its tag and length.
    2 + 1 + prost::length_delimiter_len(encoded_len) + encoded_len <= SERVER_LIMIT
}

/// The message for `count` encoded records.
pub(crate) fn seal(records: Bytes, count: u32, compression: Compression) -> Result<proto::BatchedRecord> {
    let (kind, payload) = compression::pack(records, compression)?;
    // The publish time stays unset: the store puts its own there on every read.
    Ok(proto::BatchedRecord { compression_type: kind as i32, publish_time: None, batch_size: count, payload })
}

/// A received batch, decoded: who holds it holds the bytes of all its records.
#[derive(Debug)]
pub(crate) struct DecodedBatch {
    pub(crate) ids: Ids,
    pub(crate) publish_time: Option<SystemTime>,
    pub(crate) bytes: Bytes,
    pub(crate) records: Records,
    /// The batch as it was received, where it can't be read: its compression, and its payload.
    pub(crate) raw: (i32, Bytes),
}

/// The records of a received batch, aligned with its ids.
#[derive(Debug)]
pub(crate) enum Records {
    Readable(Layouts),
    /// None of them can be read, for this reason.
    Unreadable(Error),
}

impl DecodedBatch {
    /// Decodes a batch. It always comes back with its ids: one that can't be read can still be skipped
    /// by acking them.
    pub(crate) fn new(received: impl Into<RawBatch>, limit: usize) -> Self {
        let raw = received.into();
        let (bytes, records) = match decode(&raw, limit) {
            Ok((bytes, layouts)) => (bytes, Records::Readable(layouts)),
            Err(error) => (Bytes::new(), Records::Unreadable(error)),
        };
        let received = match records {
            Records::Readable(_) => Bytes::new(),
            Records::Unreadable(_) => raw.payload,
        };
        DecodedBatch {
            ids: raw.ids,
            publish_time: system_time(raw.publish_time),
            bytes,
            records,
            raw: (raw.compression, received),
        }
    }

    /// Why it, or a record of it, can't be read.
    pub(crate) fn problem(&self) -> Option<&Error> {
        match &self.records {
            Records::Readable(layouts) => layouts.first_error(),
            Records::Unreadable(error) => Some(error),
        }
    }

    pub(crate) fn layout(&self, index: usize) -> Result<&Layout, &Error> {
        match &self.records {
            Records::Readable(layouts) => layouts.get(index),
            Records::Unreadable(error) => Err(error),
        }
    }
}

fn decode(raw: &RawBatch, limit: usize) -> Result<(Bytes, Layouts)> {
    let bytes = compression::unpack(raw.compression, raw.payload.clone(), limit)?;
    let layouts = record::decode_all(&bytes, raw.ids.len())?;
    // The server makes ids from the declared count alone, so this is where a wrong count shows.
    if layouts.len() != raw.ids.len() {
        return Err(Error::new(
            ErrorKind::Decode,
            format!("a batch has {} records for {} ids", layouts.len(), raw.ids.len()),
        ));
    }
    Ok((bytes, layouts))
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::record::Record;

    fn batch(records: &[Record], compression: Compression) -> proto::BatchedRecord {
        let mut bytes = Vec::new();
        records.iter().for_each(|each| record::encode(each, &mut bytes));
        seal(bytes.into(), records.len() as u32, compression).unwrap()
    }

    /// Equal to what the published Python client makes.
    #[test]
    fn golden_batches() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let raw = batch(&[Record::raw("hi").with_key("key-1")], Compression::none());
        assert_eq!(hex(&raw.encode_to_vec()), "180122110a0f0a0908011a056b65792d3112026869");
        let json = batch(&[Record::json(r#"{"a": 1}"#).unwrap()], Compression::none());
        assert_eq!(hex(&json.encode_to_vec()), "180122160a140a0012100a0e0a0161120911000000000000f03f");
    }

    #[test]
    fn a_record_passes_alone_up_to_the_servers_limit() {
        for len in SERVER_LIMIT - 64..SERVER_LIMIT {
            let record = Record::raw(vec![0; len]);
            let encoded = batch(std::slice::from_ref(&record), Compression::none()).encoded_len();
            assert_eq!(fits_alone(record.encoded_len()), encoded <= SERVER_LIMIT, "{len}");
        }
    }

    #[test]
    fn wrong_counts_are_told_with_the_ids() {
        let ids = vec![proto::RecordId { shard_id: 1, batch_id: 2, batch_index: 0 }; 3];
        let record = Some(batch(&[Record::raw("a")], Compression::none()));
        let decoded = DecodedBatch::new(proto::ReceivedRecord { record_ids: ids, record }, 1 << 20);
        assert_eq!(decoded.ids.len(), 3);
        assert!(decoded.layout(2).unwrap_err().to_string().contains("1 records for 3 ids"));
    }
}
