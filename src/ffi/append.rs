//! Appending at once: nothing is buffered, the call waits for the ids.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use crate::client::Client;
use crate::codec::compression::{Compression, CompressionKind};
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes;
use crate::ffi::call::hstream_call_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::record::hstream_record_t;
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::record::Record;

/// Not compressed.
pub const HSTREAM_COMPRESSION_NONE: i32 = 0;
/// gzip: what all clients of HStreamDB read.
pub const HSTREAM_COMPRESSION_GZIP: i32 = 1;
/// Zstandard: faster at the same size; not read by the published Java and Python clients.
pub const HSTREAM_COMPRESSION_ZSTD: i32 = 2;
/// The usual level of a compression.
pub const HSTREAM_LEVEL_DEFAULT: i32 = 0x7fff_ffff;

/// Options of appends without a producer.
#[derive(Default)]
pub struct hstream_append_options_t {
    /// `None`: as the client's options say.
    compression: Option<Compression>,
}

/// The compression of one call.
fn compression_of(append_options: Option<&hstream_append_options_t>, client: &Client) -> Compression {
    let said = append_options.and_then(|options| options.compression);
    said.unwrap_or_else(|| client.append_compression())
}

/// A compression by its numbers, checked.
pub(crate) fn compression(kind: i32, level: i32) -> Outcome<Compression> {
    let kind = match kind {
        HSTREAM_COMPRESSION_NONE => CompressionKind::None,
        HSTREAM_COMPRESSION_GZIP => CompressionKind::Gzip,
        HSTREAM_COMPRESSION_ZSTD => CompressionKind::Zstd,
        _ => return Err(Failure::invalid(format!("`kind` is {kind}, which is no compression"))),
    };
    let compression = Compression::from(kind);
    let compression =
        if level == HSTREAM_LEVEL_DEFAULT { compression } else { compression.with_level(level) };
    compression.check()?;
    Ok(compression)
}

/// The records of an array of handles; cheap, as payloads are counted.
///
/// # Safety
///
/// Each element is NULL or a living record.
unsafe fn records_of(handles: &[*const hstream_record_t]) -> Outcome<Vec<Record>> {
    let record = |handle: &*const hstream_record_t| {
        // SAFETY: each is NULL or a living record, as the caller promises.
        let record = given(unsafe { handle.as_ref() }, "records")?;
        Ok(record.to_append()?.into_owned())
    };
    handles.iter().map(record).collect()
}

/// Makes options, all default: as the client's options say.
///
/// **Ownership**: The result is yours, to be freed with `hstream_append_options_free`; NULL if there is
/// none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_append_options_new() -> *mut hstream_append_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_append_options_t::default()))
}

/// Frees options.
///
/// May be NULL: `append_options`.
///
/// **Ownership**: `append_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_append_options_free(append_options: *mut hstream_append_options_t) {
    boundary::quiet((), || {
        // SAFETY: `append_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(append_options) });
    });
}

/// Sets the compression: HSTREAM_COMPRESSION_*, with a level (gzip 0 to 9, zstd 1 to 22) or
/// HSTREAM_LEVEL_DEFAULT. Default is `hstream_client_options_set_append_compression` of the client.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, COMPRESSION if this build lacks it.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_append_options_set_compression(
    append_options: Option<&mut hstream_append_options_t>,
    kind: i32,
    level: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let append_options = given(append_options, "append_options")?;
        append_options.compression = Some(compression(kind, level)?);
        Ok(())
    })
}

/// Sets any option by text: compression.kind (none, gzip, zstd) and compression.level (a number, or default).
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, COMPRESSION if this build lacks it, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_append_options_set(
    append_options: Option<&mut hstream_append_options_t>,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let append_options = given(append_options, "append_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        let mut changed = append_options.compression.unwrap_or_default();
        changed.set(key, value)?;
        changed.check()?;
        append_options.compression = Some(changed);
        Ok(())
    })
}

/// Appends records and waits until they are written. They go to the shards of their keys, in as few batches
/// as possible. A batch whose outcome is unknown is sent again, so a record may be written twice, but is
/// not lost. `ids` and `codes` have room for `count` elements and are always written: what became of each
/// record.
///
/// May be NULL: `append_options`, `call`, `ids`, `codes`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: the first failure: OK only if all are written. STREAM_NOT_FOUND, RECORD_TOO_LARGE, TIMEOUT,
/// CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_append(
    client: *mut hstream_client_t,
    stream: *const c_char,
    records: *const *const hstream_record_t,
    count: usize,
    append_options: Option<&hstream_append_options_t>,
    call: Option<&hstream_call_t>,
    ids: *mut hstream_record_id_t,
    codes: *mut hstream_code_t,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    // SAFETY: `ids` is NULL or has room for `count` elements, as the rules for callers say.
    let ids = unsafe { bytes::room(ids, count) };
    // SAFETY: `codes` is NULL or has room for `count` elements, as the rules for callers say.
    let codes = unsafe { bytes::room(codes, count) };
    bytes::fill(ids, hstream_record_id_t::default());
    let told = Cell::new(false);
    let code = boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        // SAFETY: `records` is NULL or has `count` elements, as the rules for callers say.
        let records = unsafe { bytes::array(records, count, "records") }?;
        // SAFETY: each is NULL or a living record, as the rules for callers say.
        let records = unsafe { records_of(records) }?;
        let client = client.within(call)?;
        let compression = compression_of(append_options, &client);
        let outcomes = client.append_each(stream, &records, compression)?;
        let mut first = Ok(());
        let mut places = codes.iter_mut();
        for (index, outcome) in outcomes.into_iter().enumerate() {
            let code = outcome.as_ref().map_or_else(code_of, |_| HSTREAM_OK);
            bytes::write(places.next(), code);
            match outcome {
                Ok(id) => bytes::write(ids.get_mut(index), id.into()),
                Err(error) => first = first.and(Err(error.into())),
            }
        }
        told.set(true);
        first
    });
    if !told.get() {
        bytes::fill(codes, code);
    }
    code
}

/// Appends one record of any bytes and waits until it is written; a batch whose outcome is unknown is sent
/// again.
///
/// May be NULL: `key`, `payload`, `call`, `value`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, RECORD_TOO_LARGE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_append_raw(
    client: *mut hstream_client_t,
    stream: *const c_char,
    key: *const c_void,
    key_len: usize,
    payload: *const c_void,
    payload_len: usize,
    call: Option<&hstream_call_t>,
    value: Option<&mut MaybeUninit<hstream_record_id_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        // SAFETY: `payload` is NULL or as long as `payload_len` says, as the rules for callers say.
        let payload = unsafe { bytes::optional_data(payload, payload_len, "payload") }?;
        let record = Record::raw(::bytes::Bytes::copy_from_slice(payload)).with_key(key);
        let id = client.within(call)?.append_one(stream, &record)?;
        bytes::write(value, id.into());
        Ok(())
    })
}

/// Appends one JSON object and waits until it is written; a batch whose outcome is unknown is sent again.
///
/// May be NULL: `key`, `call`, `value`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: JSON, STREAM_NOT_FOUND, RECORD_TOO_LARGE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_append_json(
    client: *mut hstream_client_t,
    stream: *const c_char,
    key: *const c_void,
    key_len: usize,
    json: *const c_void,
    json_len: usize,
    call: Option<&hstream_call_t>,
    value: Option<&mut MaybeUninit<hstream_record_id_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        if json.is_null() {
            return Err(Failure::null("json"));
        }
        // SAFETY: `json` is NULL or as long as `json_len` says, as the rules for callers say.
        let json = unsafe { bytes::data(json, json_len, "json") }?;
        let json = bytes::utf8(json, "json")?;
        let record = Record::json(json)?.with_key(key);
        let id = client.within(call)?.append_one(stream, &record)?;
        bytes::write(value, id.into());
        Ok(())
    })
}

/// Appends records to a shard of the caller's choice, whatever their keys, as one batch: all or nothing.
/// `ids` has room for `count` elements and is always written, with zeros if nothing was.
///
/// May be NULL: `append_options`, `call`, `ids`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: RECORD_TOO_LARGE if they do not fit into a batch together, GRPC_NOT_FOUND, TIMEOUT,
/// INTERRUPTED, CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_append_to_shard(
    client: *mut hstream_client_t,
    stream: *const c_char,
    shard_id: u64,
    records: *const *const hstream_record_t,
    count: usize,
    append_options: Option<&hstream_append_options_t>,
    call: Option<&hstream_call_t>,
    ids: *mut hstream_record_id_t,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    // SAFETY: `ids` is NULL or has room for `count` elements, as the rules for callers say.
    let ids = unsafe { bytes::room(ids, count) };
    bytes::fill(ids, hstream_record_id_t::default());
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        // SAFETY: `records` is NULL or has `count` elements, as the rules for callers say.
        let records = unsafe { bytes::array(records, count, "records") }?;
        // SAFETY: each is NULL or a living record, as the rules for callers say.
        let records = unsafe { records_of(records) }?;
        let client = client.within(call)?;
        let compression = compression_of(append_options, &client);
        let written = client.append_to_shard(stream, shard_id, &records, compression)?;
        for (place, id) in ids.iter_mut().zip(written) {
            place.write(id.into());
        }
        Ok(())
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn compressions_are_checked() {
        assert!(compression(HSTREAM_COMPRESSION_GZIP, 9).is_ok());
        assert!(compression(HSTREAM_COMPRESSION_GZIP, HSTREAM_LEVEL_DEFAULT).is_ok());
        assert!(compression(HSTREAM_COMPRESSION_GZIP, 10).is_err());
        assert!(compression(3, 1).is_err());
    }

    #[test]
    fn options_by_text_are_checked_with_what_was_set_before() {
        let mut options = hstream_append_options_t::default();
        let mut set = |key: &std::ffi::CStr, value: &std::ffi::CStr| {
            // SAFETY: the object and the texts live.
            unsafe { hstream_append_options_set(Some(&mut options), key.as_ptr(), value.as_ptr(), None) }
        };
        assert_eq!(set(c"compression.kind", c"gzip"), HSTREAM_OK);
        assert_eq!(set(c"compression.level", c"10"), HSTREAM_ERR_INVALID_ARGUMENT);
        assert_eq!(set(c"compression.level", c"9"), HSTREAM_OK);
        assert_eq!(set(c"compression", c"gzip"), HSTREAM_ERR_UNKNOWN_OPTION);
        assert_eq!(options.compression, Some(Compression::gzip().with_level(9)));
    }

    #[test]
    fn codes_and_ids_are_written_whatever_happens() {
        let mut ids = [hstream_record_id_t { shard_id: 1, ..Default::default() }; 2];
        let mut codes = [7; 2];
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let null = std::ptr::null_mut();
            let stream = c"s".as_ptr();
            let records = std::ptr::null();
            let code = hstream_client_append(
                null,
                stream,
                records,
                2,
                None,
                None,
                ids.as_mut_ptr(),
                codes.as_mut_ptr(),
                None,
            );
            assert_eq!(code, HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(codes, [HSTREAM_ERR_NULL_ARGUMENT; 2]);
            assert_eq!(ids, [hstream_record_id_t::default(); 2]);
            let code =
                hstream_client_append_to_shard(null, stream, 1, records, 0, None, None, null.cast(), None);
            assert_eq!(code, HSTREAM_ERR_NULL_ARGUMENT);
            assert!(records_of(&[std::ptr::null()]).is_err());
        }
    }
}
