//! Record ids: a public struct, and its text form.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::ffi::boundary::{self, Failure, given};
use crate::ffi::bytes;
use crate::ffi::error::hstream_error_t;
use crate::ffi::status::*;
use crate::record_id::RecordId;

/// Room enough for the text of any record id, its terminator included.
#[allow(dead_code)]
pub const HSTREAM_RECORD_ID_TEXT_SIZE: usize = 64;

/// Begin with the first record that is kept.
pub const HSTREAM_OFFSET_EARLIEST: i32 = 0;
/// Begin behind the last record.
pub const HSTREAM_OFFSET_LATEST: i32 = 1;
/// Begin with a record.
pub const HSTREAM_OFFSET_RECORD: i32 = 2;
/// Begin with the first record stored at or after a time.
pub const HSTREAM_OFFSET_TIME: i32 = 3;

/// The id of a stored record.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct hstream_record_id_t {
    /// The shard that holds the record.
    pub shard_id: u64,
    /// The batch, as the log numbered it.
    pub batch_id: u64,
    /// Position in the batch, from 0.
    pub batch_index: u32,
    /// 0 on output, and ignored on input.
    pub reserved: u32,
}

const _: () = assert!(size_of::<hstream_record_id_t>() == 24);

impl From<RecordId> for hstream_record_id_t {
    fn from(id: RecordId) -> Self {
        hstream_record_id_t {
            shard_id: id.shard_id,
            batch_id: id.batch_id,
            batch_index: id.batch_index,
            reserved: 0,
        }
    }
}

impl From<&hstream_record_id_t> for RecordId {
    fn from(id: &hstream_record_id_t) -> Self {
        RecordId::new(id.shard_id, id.batch_id, id.batch_index)
    }
}

/// Writes a record id as "shard-batch-index", with its terminator. HSTREAM_RECORD_ID_TEXT_SIZE is always
/// enough; the size needed is written in any case.
///
/// May be NULL: `buffer`, `needed`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: BUFFER_TOO_SMALL.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_id_format(
    value: Option<&hstream_record_id_t>,
    buffer: *mut c_char,
    capacity: usize,
    needed: Option<&mut MaybeUninit<usize>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let value = given(value, "value")?;
        let id = RecordId::from(value).to_string();
        bytes::write(needed, id.len() + 1);
        // SAFETY: `buffer` is NULL or has `capacity` bytes, as the rules for callers say.
        let room = unsafe { bytes::room(buffer.cast::<u8>(), capacity) };
        let Some(room) = room.get_mut(..=id.len()) else {
            let text = format!("a record id of {} bytes does not fit into {capacity}", id.len() + 1);
            return Err(Failure::refused(HSTREAM_ERR_BUFFER_TOO_SMALL, text));
        };
        for (place, byte) in room.iter_mut().zip(id.bytes().chain([0])) {
            place.write(byte);
        }
        Ok(())
    })
}

/// Reads a record id from its text.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_id_parse(
    text: *const c_void,
    text_len: usize,
    value: Option<&mut MaybeUninit<hstream_record_id_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        if text.is_null() {
            return Err(Failure::null("text"));
        }
        // SAFETY: `text` is NULL or as long as `text_len` says, as the rules for callers say.
        let text = unsafe { bytes::data(text, text_len, "text") }?;
        let text = bytes::utf8(text, "text")?;
        let value = given(value, "value")?;
        value.write(text.parse::<RecordId>()?.into());
        Ok(())
    })
}

/// Compares two record ids by shard, batch and index: -1, 0 or 1. NULL comes first. Ids of different shards
/// have no order; between them it only serves for sorting.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_id_compare(
    a: Option<&hstream_record_id_t>,
    b: Option<&hstream_record_id_t>,
) -> i32 {
    boundary::quiet(0, || a.map(RecordId::from).cmp(&b.map(RecordId::from)) as i32)
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_out_and_comes_back() {
        let id = hstream_record_id_t {
            shard_id: u64::MAX,
            batch_id: u64::MAX,
            batch_index: u32::MAX,
            reserved: 0,
        };
        let (mut buffer, mut needed) = ([0 as c_char; HSTREAM_RECORD_ID_TEXT_SIZE], MaybeUninit::uninit());
        let mut back = MaybeUninit::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let code =
                hstream_record_id_format(Some(&id), buffer.as_mut_ptr(), buffer.len(), Some(&mut needed));
            assert_eq!(code, HSTREAM_OK);
            assert_eq!(needed.assume_init(), 20 + 1 + 20 + 1 + 10 + 1);
            let text = buffer.as_ptr().cast();
            let code = hstream_record_id_parse(text, bytes::HSTREAM_NTS, Some(&mut back), None);
            assert_eq!((code, back.assume_init()), (HSTREAM_OK, id));
            let code = hstream_record_id_format(Some(&id), buffer.as_mut_ptr(), 52, Some(&mut needed));
            assert_eq!((code, needed.assume_init()), (HSTREAM_ERR_BUFFER_TOO_SMALL, 53));
            let code = hstream_record_id_format(Some(&id), std::ptr::null_mut(), 0, None);
            assert_eq!(code, HSTREAM_ERR_BUFFER_TOO_SMALL);
            assert_eq!(
                hstream_record_id_parse(c"1-2".as_ptr().cast(), 3, Some(&mut back), None),
                HSTREAM_ERR_INVALID_ARGUMENT
            );
            assert_eq!(hstream_record_id_compare(None, None), 0);
            assert_eq!(hstream_record_id_compare(None, Some(&id)), -1);
            assert_eq!(hstream_record_id_compare(Some(&id), Some(&hstream_record_id_t::default())), 1);
        }
    }
}
