//! Appends on the wire: requests in two pieces, and answers read no further than needed.

use bytes::Bytes;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use crate::codec::wire::Reader;
use crate::error::{Error, Result};
use crate::proto::{AppendRequest, BatchedRecord};

/// Field numbers.
const REQUEST_RECORDS: u32 = 3;
const BATCH_PAYLOAD: u32 = 4;
const RESPONSE_IDS: u64 = 3;
const ID_SHARD: u64 = 1;
const ID_BATCH: u64 = 2;
const ID_INDEX: u64 = 3;

/// Where a batch was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) shard_id: u64,
    pub(crate) batch_id: u64,
}

/// The message of an append: what stands before the payload, and the payload, which is not copied.
pub(crate) fn encode(stream: &str, shard_id: u64, batch: BatchedRecord) -> [Bytes; 2] {
    let payload = batch.payload;
    let batch = BatchedRecord { payload: Bytes::new(), ..batch };
    let field = key_len(BATCH_PAYLOAD) + encoded_len_varint(payload.len() as u64) + payload.len();
    let mut head = Vec::with_capacity(64 + stream.len());
    let request = AppendRequest { stream_name: stream.to_owned(), shard_id, records: None };
    // The fields of both messages that stand before the payload; the one of the batch is the request's last.
    request.encode_raw(&mut head);
    encode_key(REQUEST_RECORDS, WireType::LengthDelimited, &mut head);
    encode_varint((batch.encoded_len() + field) as u64, &mut head);
    batch.encode_raw(&mut head);
    encode_key(BATCH_PAYLOAD, WireType::LengthDelimited, &mut head);
    encode_varint(payload.len() as u64, &mut head);
    [head.into(), payload]
}

/// Reads where `count` records of a shard were written. The ids of one append share shard and batch and count up
/// from 0, so the first and the last tell all. An answer of another form means that the batch was written, but
/// not where.
pub(crate) fn written(answer: &[u8], shard_id: u64, count: u32) -> Result<Written> {
    let (ids, first, last) = scan(answer).map_err(|error| error.ambiguous())?;
    let (Some(first), Some(last)) = (first, last) else {
        return Err(Error::protocol("an append was answered without record ids").ambiguous());
    };
    let consistent = ids == u64::from(count)
        && first.index == 0
        && last.index + 1 == ids
        && (last.shard, last.batch) == (first.shard, first.batch)
        && first.shard == shard_id;
    if !consistent {
        let message = format!("an append of {count} records was answered with {ids} ids that don't fit");
        return Err(Error::protocol(message).ambiguous());
    }
    Ok(Written { shard_id, batch_id: first.batch })
}

#[derive(Clone, Copy, Default)]
struct Id {
    shard: u64,
    batch: u64,
    index: u64,
}

/// The number of ids, the first, and the last.
fn scan(answer: &[u8]) -> Result<(u64, Option<Id>, Option<Id>)> {
    let (mut count, mut first, mut last) = (0, None, None);
    let mut reader = Reader::new(answer, 0..answer.len());
    while let Some(field) = reader.next()? {
        if field.tag == RESPONSE_IDS << 3 | WireType::LengthDelimited as u64 {
            count += 1;
            first.get_or_insert(field.bytes.clone());
            last = Some(field.bytes);
        }
    }
    let read = |range: Option<std::ops::Range<usize>>| range.map(|range| id(answer, range)).transpose();
    Ok((count, read(first)?, read(last)?))
}

fn id(answer: &[u8], range: std::ops::Range<usize>) -> Result<Id> {
    let mut id = Id::default();
    let mut reader = Reader::new(answer, range);
    while let Some(field) = reader.next()? {
        match field.tag >> 3 {
            ID_SHARD => id.shard = field.number,
            ID_BATCH => id.batch = field.number,
            ID_INDEX => id.index = field.number,
            _ => {}
        }
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{AppendResponse, RecordId};

    #[test]
    fn requests_are_those_of_the_generated_code() {
        for (payload, compression_type) in [(0, 0), (5, 1), (127, 2), (128, 0), (70_000, 1)] {
            let payload = Bytes::from(vec![7; payload]);
            let batch = BatchedRecord { compression_type, publish_time: None, batch_size: 3, payload };
            let request = AppendRequest {
                stream_name: "stream".into(),
                shard_id: u64::MAX,
                records: Some(batch.clone()),
            };
            let ours = encode("stream", u64::MAX, batch).concat();
            assert_eq!(AppendRequest::decode(ours.as_slice()).unwrap(), request);
            // An empty payload has its field all the same; servers refuse it in any case.
            if !request.records.as_ref().unwrap().payload.is_empty() {
                assert_eq!(ours, request.encode_to_vec());
            }
        }
    }

    fn answer(indexes: &[u32]) -> Vec<u8> {
        let id = |&batch_index: &u32| RecordId { shard_id: 7, batch_id: 9, batch_index };
        let record_ids = indexes.iter().map(id).collect();
        AppendResponse { stream_name: "s".into(), shard_id: 7, record_ids }.encode_to_vec()
    }

    #[test]
    fn ids_that_do_not_fit_are_never_passed_on() {
        assert_eq!(written(&answer(&[0, 1, 2]), 7, 3).unwrap(), Written { shard_id: 7, batch_id: 9 });
        for (indexes, shard, count) in
            [(&[][..], 7, 3), (&[0, 1], 7, 3), (&[1, 2, 3], 7, 3), (&[0, 1, 2], 8, 3)]
        {
            assert!(written(&answer(indexes), shard, count).unwrap_err().is_ambiguous());
        }
    }

    #[test]
    fn whatever_an_append_is_answered_with_nothing_panics() {
        let mut chance = fastrand::Rng::with_seed(1);
        let whole = answer(&[0, 1, 2]);
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            bytes.truncate(chance.usize(..=whole.len()));
            for _ in 0..chance.usize(..4) {
                let at = chance.usize(..=bytes.len());
                bytes.insert(at, chance.u8(..));
                let at = chance.usize(..bytes.len());
                bytes[at] = chance.u8(..);
            }
            match written(&bytes, 7, 3) {
                Ok(written) => assert_eq!(written.shard_id, 7),
                Err(error) => assert!(error.is_ambiguous(), "{error}"),
            }
        }
    }

    #[test]
    fn broken_answers_are_ambiguous_errors() {
        let whole = answer(&[0, 1, 2]);
        for end in 0..whole.len() {
            assert!(written(&whole[..end], 7, 3).unwrap_err().is_ambiguous(), "{end}");
        }
    }
}
