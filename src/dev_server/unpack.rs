//! The records of a stored batch, read as the real server reads them.

use prost::Message;
use tonic::{Code, Status};

use super::errors;
use super::log::StoredBatch;
use crate::codec::compression::unpack;
use crate::proto::{self, CompressionType, ErrorCode};

/// No honest batch is larger; the limit for appending is 1 MiB, compressed.
const LARGEST_UNPACKED: usize = 256 << 20;

/// Why a batch can't be read. Writers are trusted when they append; it shows later.
#[derive(Debug)]
pub(super) enum Unreadable {
    UnknownCompression,
    Broken(String),
}

impl Unreadable {
    /// What a call that reads the batch ends with.
    pub(super) fn status(&self) -> Status {
        match self {
            Unreadable::UnknownCompression => {
                let (error, extra) = (ErrorCode::InternalError, serde_json::Value::Null);
                errors::json(Code::InvalidArgument, error, "UnknownCompressionType", extra)
            }
            Unreadable::Broken(why) => errors::unknown_exception(why),
        }
    }
}

pub(super) fn records(batch: &StoredBatch) -> Result<Vec<proto::HStreamRecord>, Unreadable> {
    match CompressionType::try_from(batch.compression) {
        Err(_) => return Err(Unreadable::UnknownCompression),
        // The real server unpacks in one go, and takes a frame of unknown size for an empty one.
        Ok(CompressionType::Zstd) if !states_its_size(&batch.payload) => return Ok(Vec::new()),
        Ok(_) => {}
    }
    let plain = unpack(batch.compression, batch.payload.clone(), LARGEST_UNPACKED)
        .map_err(|error| Unreadable::Broken(error.to_string()))?;
    let records =
        proto::BatchHStreamRecords::decode(plain).map_err(|error| Unreadable::Broken(error.to_string()))?;
    Ok(records.records)
}

#[cfg(feature = "zstd")]
fn states_its_size(frame: &[u8]) -> bool {
    // What is no frame is told by unpacking.
    !matches!(zstd::zstd_safe::get_frame_content_size(frame), Ok(None))
}

#[cfg(not(feature = "zstd"))]
fn states_its_size(_frame: &[u8]) -> bool {
    true
}

#[cfg(all(test, feature = "zstd"))]
mod tests {
    use std::io::Write;

    use super::*;

    /// Server behaviour, section 4.4.
    #[test]
    fn a_zstd_frame_that_does_not_state_its_size_reads_as_empty() {
        let plain = proto::BatchHStreamRecords { records: vec![proto::HStreamRecord::default()] };
        let plain = plain.encode_to_vec();
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.write_all(&plain).unwrap();
        let streamed = encoder.finish().unwrap();
        let stored = |payload: Vec<u8>| StoredBatch {
            lsn: 1,
            time_ms: 1,
            records: 1,
            compression: CompressionType::Zstd as i32,
            payload: payload.into(),
        };
        assert_eq!(records(&stored(streamed)).unwrap().len(), 0);
        assert_eq!(records(&stored(zstd::bulk::compress(&plain, 1).unwrap())).unwrap().len(), 1);
    }
}
