//! Shards of a stream.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use crate::ffi::boundary::{self, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::call::hstream_call_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::shard::{Shard, ShardMap, hash_key};

/// One shard of a stream: an ordered log that holds a range of key hashes.
#[derive(Clone)]
pub struct hstream_shard_t {
    shard: Shard,
    stream: Text,
    start: Text,
    end: Text,
}

/// The shards of a stream, sorted by range.
pub struct hstream_shards_t {
    map: ShardMap,
    shards: Box<[hstream_shard_t]>,
}

impl From<&Shard> for hstream_shard_t {
    fn from(shard: &Shard) -> Self {
        hstream_shard_t {
            stream: Text::new(shard.stream()),
            start: Text::new(&shard.start().to_string()),
            end: Text::new(&shard.end().to_string()),
            shard: shard.clone(),
        }
    }
}

/// Lists the shards of a stream, sorted by key range, as the server has them now.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_shards_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_list_shards(
    client: *mut hstream_client_t,
    stream: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_shards_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        let out = given(out, "out")?;
        let map = client.within(call)?.list_shards(stream)?;
        let shards = map.shards().iter().map(hstream_shard_t::from).collect();
        out.write(handles::give(hstream_shards_t { map, shards }));
        Ok(())
    })
}

/// Gets the shard that records with this key go to.
///
/// May be NULL: `key`, `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_shard_for_key(
    client: *mut hstream_client_t,
    stream: *const c_char,
    key: *const c_void,
    key_len: usize,
    call: Option<&hstream_call_t>,
    shard_id: Option<&mut MaybeUninit<u64>>,
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
        let shard_id = given(shard_id, "shard_id")?;
        shard_id.write(client.within(call)?.shard_for_key(stream, key)?);
        Ok(())
    })
}

/// Gets the position of a shard's tail: at or behind its last record, with the index 0.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: GRPC_NOT_FOUND, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_tail_record_id(
    client: *mut hstream_client_t,
    stream: *const c_char,
    shard_id: u64,
    call: Option<&hstream_call_t>,
    tail: Option<&mut MaybeUninit<hstream_record_id_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        let tail = given(tail, "tail")?;
        tail.write(client.within(call)?.tail_record_id(stream, shard_id)?.into());
        Ok(())
    })
}

/// Frees a list with its elements.
///
/// May be NULL: `shards`.
///
/// **Ownership**: `shards` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shards_free(shards: *mut hstream_shards_t) {
    boundary::quiet((), || {
        // SAFETY: `shards` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(shards) });
    });
}

/// Returns the number of elements.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shards_count(shards: Option<&hstream_shards_t>) -> usize {
    boundary::quiet(0, || {
        let Some(shards) = shards else { return 0 };
        shards.shards.len()
    })
}

/// Returns an element; NULL beyond the last.
///
/// **Ownership**: The result is borrowed from `shards`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shards_at(
    shards: Option<&hstream_shards_t>,
    index: usize,
) -> *const hstream_shard_t {
    boundary::quiet(ptr::null(), || {
        let Some(shards) = shards else { return ptr::null() };
        shards.shards.get(index).map_or(ptr::null(), ptr::from_ref)
    })
}

/// Returns the shard that records with this key go to, without asking a server; NULL if there is none.
///
/// May be NULL: `key`.
///
/// **Ownership**: The result is borrowed from `shards`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shards_find_key(
    shards: Option<&hstream_shards_t>,
    key: *const c_void,
    key_len: usize,
) -> *const hstream_shard_t {
    boundary::quiet(ptr::null(), || {
        let Some(shards) = shards else { return ptr::null() };
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key =
            unsafe { bytes::optional_data(key, key_len, "key") }.and_then(|key| bytes::utf8(key, "key"));
        let Ok(key) = key else { return ptr::null() };
        let position = shards.map.position(hash_key(key));
        position.and_then(|position| shards.shards.get(position)).map_or(ptr::null(), ptr::from_ref)
    })
}

/// Frees a shard's description.
///
/// May be NULL: `shard`.
///
/// **Ownership**: `shard` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shard_free(shard: *mut hstream_shard_t) {
    boundary::quiet((), || {
        // SAFETY: `shard` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(shard) });
    });
}

/// Copies a description: to keep an element of a list.
///
/// **Ownership**: The result is yours, to be freed with `hstream_shard_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_shard_clone(shard: Option<&hstream_shard_t>) -> *mut hstream_shard_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(shard) = shard else { return ptr::null_mut() };
        handles::give(shard.clone())
    })
}

/// Returns its id, unique in the cluster.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shard_id(shard: Option<&hstream_shard_t>) -> u64 {
    boundary::quiet(0, || {
        let Some(shard) = shard else { return 0 };
        shard.shard.id()
    })
}

/// Returns the stream it belongs to.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `shard`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shard_stream_name(
    shard: Option<&hstream_shard_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(shard) = shard else { return c"".as_ptr() };
        shard.stream.lend(len)
    })
}

/// Returns the first key hash of its range, as a decimal number of up to 128 bits.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `shard`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shard_start_key(
    shard: Option<&hstream_shard_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(shard) = shard else { return c"".as_ptr() };
        shard.start.lend(len)
    })
}

/// Returns the last key hash of its range, inclusive, as a decimal number.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `shard`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shard_end_key(
    shard: Option<&hstream_shard_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(shard) = shard else { return c"".as_ptr() };
        shard.end.lend(len)
    })
}

/// Returns its epoch: the stream's shard count at its creation.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shard_epoch(shard: Option<&hstream_shard_t>) -> u64 {
    boundary::quiet(0, || {
        let Some(shard) = shard else { return 0 };
        shard.shard.epoch()
    })
}

/// Returns 1 if it takes appends, else 0.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shard_is_active(shard: Option<&hstream_shard_t>) -> i32 {
    boundary::quiet(0, || {
        let Some(shard) = shard else { return 0 };
        shard.shard.is_active().into()
    })
}

/// Writes the hash that decides where a key goes: 16 bytes, the most significant first. `hash` has room for
/// 16 bytes. A key that is not UTF-8 goes nowhere: then nothing is written.
///
/// May be NULL: `key`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_key_hash(key: *const c_void, key_len: usize, hash: *mut u8) {
    boundary::quiet((), || {
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key =
            unsafe { bytes::optional_data(key, key_len, "key") }.and_then(|key| bytes::utf8(key, "key"));
        let Ok(key) = key else { return };
        // SAFETY: `hash` is NULL or has 16 bytes, as the rules for callers say.
        let room = unsafe { bytes::room(hash, 16) };
        for (place, byte) in room.iter_mut().zip(hash_key(key).to_be_bytes()) {
            place.write(byte);
        }
    });
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;
    use crate::shard::tests::cut;

    #[test]
    fn keys_find_their_shard_and_bounds_are_decimal() {
        let map = cut(3);
        let shards = map.shards().iter().map(hstream_shard_t::from).collect();
        let list = hstream_shards_t { map, shards };
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            assert_eq!(hstream_shards_count(Some(&list)), 3);
            let found = hstream_shards_find_key(Some(&list), c"hello".as_ptr().cast(), 5);
            assert_eq!(found, hstream_shards_at(Some(&list), 1));
            let start = std::ffi::CStr::from_ptr(hstream_shard_start_key(found.as_ref(), None));
            assert_eq!(start.to_str().unwrap(), (u128::MAX / 3).to_string());
            assert!(hstream_shards_at(Some(&list), 3).is_null());
            assert!(hstream_shards_find_key(Some(&list), c"\xff".as_ptr().cast(), 1).is_null());
            assert_eq!(hstream_shard_id(None), 0);
            assert_eq!(hstream_shard_epoch(None), 0);
            assert_eq!(hstream_shard_is_active(None), 0);
        }
    }

    #[test]
    fn hashes_are_those_of_md5() {
        let mut hash = [0; 16];
        // SAFETY: there is room; NULL is allowed.
        unsafe {
            hstream_key_hash(ptr::null(), 0, hash.as_mut_ptr());
            hstream_key_hash(ptr::null(), 0, ptr::null_mut());
        }
        assert_eq!(hash[..4], [0xd4, 0x1d, 0x8c, 0xd9]);
    }
}
