//! The records of a batch that were not acked, as a batch of their own.

use std::io::{self, Write};

use bytes::Bytes;
use prost::Message;

use super::log::StoredBatch;
use super::unpack::{self, Unreadable};
use crate::proto::{self, CompressionType};

/// Decompresses, picks the records at these places, and compresses again, the same way.
///
/// The error says why the batch can't be read: writers are trusted when they append, and it shows here.
pub(super) fn pick(batch: &StoredBatch, places: &[u32]) -> Result<proto::BatchedRecord, Unreadable> {
    let all = unpack::records(batch)?;
    let mut picked = proto::BatchHStreamRecords { records: Vec::with_capacity(places.len().min(all.len())) };
    for &place in places {
        let record = all
            .get(place as usize)
            .ok_or_else(|| Unreadable::Broken(format!("index out of bounds ({place},{})", all.len())))?;
        picked.records.push(record.clone());
    }
    let count = u32::try_from(picked.records.len()).unwrap_or(u32::MAX);
    let payload = repack(batch.compression, picked.encode_to_vec())
        .map_err(|error| Unreadable::Broken(error.to_string()))?;
    Ok(batch.message(count, payload))
}

/// At the levels of the real server. Always compressed if the batch was, even when that makes it larger.
fn repack(compression: i32, plain: Vec<u8>) -> io::Result<Bytes> {
    match CompressionType::try_from(compression) {
        Ok(CompressionType::Gzip) => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&plain)?;
            Ok(encoder.finish()?.into())
        }
        #[cfg(feature = "zstd")]
        Ok(CompressionType::Zstd) => Ok(zstd::bulk::compress(&plain, 1)?.into()),
        // Unknown ones did not get through unpacking.
        _ => Ok(plain.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::compression::{Compression, unpack};
    use crate::codec::{batch, record};
    use crate::record::Record;

    fn stored(compression: Compression, count: u32) -> StoredBatch {
        let mut bytes = Vec::new();
        for index in 0..count {
            record::encode(&Record::raw(format!("record {index} {}", "x".repeat(100))), &mut bytes);
        }
        let sealed = batch::seal(bytes.into(), count, compression).unwrap();
        StoredBatch {
            lsn: 1,
            time_ms: 5,
            records: count,
            compression: sealed.compression_type,
            payload: sealed.payload,
        }
    }

    fn payloads(message: proto::BatchedRecord) -> Vec<String> {
        let plain = unpack(message.compression_type, message.payload, 1 << 20).unwrap();
        let records = proto::BatchHStreamRecords::decode(plain).unwrap().records;
        let text = |record: proto::HStreamRecord| String::from_utf8_lossy(&record.payload[..8]).into_owned();
        records.into_iter().map(text).collect()
    }

    /// Server behaviour, section 10.4.
    #[test]
    fn a_resend_has_the_picked_records_in_the_same_compression() {
        let mut all = vec![Compression::none(), Compression::gzip()];
        if cfg!(feature = "zstd") {
            all.push(Compression::zstd());
        }
        for compression in all {
            let batch = stored(compression, 5);
            let message = pick(&batch, &[1, 4]).unwrap();
            assert_eq!(message.batch_size, 2);
            assert_eq!(message.compression_type, batch.compression);
            assert_eq!(payloads(message), ["record 1", "record 4"]);
        }
    }

    /// Server behaviour, section 6.
    #[test]
    fn a_batch_that_is_not_what_its_writer_said_can_not_be_resent() {
        let mut batch = stored(Compression::none(), 2);
        assert!(
            matches!(pick(&batch, &[2]), Err(Unreadable::Broken(why)) if why.contains("index out of bounds"))
        );
        batch.payload = Bytes::from_static(b"\xff\xff");
        assert!(pick(&batch, &[0]).is_err());
        batch.compression = 9;
        assert!(matches!(pick(&batch, &[0]), Err(Unreadable::UnknownCompression)));
    }
}
