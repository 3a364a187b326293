//! Trimming: dropping the oldest records of shards.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::ffi::boundary::{self, Failure, given};
use crate::ffi::bytes;
use crate::ffi::call::hstream_call_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::offset::{hstream_offset_t, offset_of};
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::record_id::RecordId;

/// Shards, and the records before which they were trimmed.
pub struct hstream_trim_points_t {
    points: Box<[(u64, hstream_record_id_t)]>,
}

/// Drops all records of a stream up to an offset, and what is there: the latest drops all that the stream has, a time
/// also the first record that was stored then or later. Whole batches go; readers and subscriptions skip what is gone.
/// Shards are trimmed one by one: after an error some may be trimmed already.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for the offset of a record, GRPC_INVALID_ARGUMENT for a
/// time after all records, UNSUPPORTED by servers before 0.16.1, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_trim_stream(
    client: *mut hstream_client_t,
    stream: *const c_char,
    upto: Option<&hstream_offset_t>,
    call: Option<&hstream_call_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        let upto = offset_of(upto, "upto")?;
        client.within(call)?.trim_stream(stream, upto)?;
        Ok(())
    })
}

/// Drops all records of a shard up to an offset, and what is there: of a record its whole batch.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: GRPC_NOT_FOUND for no such shard, INVALID_ARGUMENT for a record of another shard,
/// GRPC_INVALID_ARGUMENT for what is behind all records, UNSUPPORTED by servers before 0.16.1, TIMEOUT,
/// INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_trim_shard(
    client: *mut hstream_client_t,
    stream: *const c_char,
    shard_id: u64,
    upto: Option<&hstream_offset_t>,
    call: Option<&hstream_call_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        let upto = offset_of(upto, "upto")?;
        client.within(call)?.trim_shard(stream, shard_id, upto)?;
        Ok(())
    })
}

/// Drops what is before these records: of several in a shard the smallest counts, and its batch stays whole. Ids of
/// batch 0 stand for the earliest record and trim nothing. The answer has the id that counted for each shard, sorted by
/// shard. Shards are trimmed one by one: after an error some may be trimmed already.
///
/// May be NULL: `call`, `out`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_trim_points_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, STREAM_SHARD_NOT_EXISTS for a shard of another stream,
/// STREAM_INVALID_RECORD_ID for a record behind all, UNSUPPORTED by servers before 0.17.0, TIMEOUT,
/// INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_trim_shards(
    client: *mut hstream_client_t,
    stream: *const c_char,
    ids: *const hstream_record_id_t,
    ids_count: usize,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_trim_points_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        // SAFETY: `ids` is NULL or has `ids_count` elements, as the rules for callers say.
        let ids = unsafe { bytes::array(ids, ids_count, "ids") }?;
        let ids: Vec<RecordId> = ids.iter().map(RecordId::from).collect();
        let points = client.within(call)?.trim_shards(stream, &ids)?;
        if let Some(out) = out {
            let points = points.into_iter().map(|(shard, id)| (shard, id.into())).collect();
            out.write(handles::give(hstream_trim_points_t { points }));
        }
        Ok(())
    })
}

/// Frees a list.
///
/// May be NULL: `trim_points`.
///
/// **Ownership**: `trim_points` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_trim_points_free(trim_points: *mut hstream_trim_points_t) {
    boundary::quiet((), || {
        // SAFETY: `trim_points` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(trim_points) });
    });
}

/// Returns the number of shards that were trimmed.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_trim_points_count(trim_points: Option<&hstream_trim_points_t>) -> usize {
    boundary::quiet(0, || {
        let Some(trim_points) = trim_points else { return 0 };
        trim_points.points.len()
    })
}

/// Gets an element: a shard, and the record before which it was trimmed.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT beyond the last.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_trim_points_at(
    trim_points: Option<&hstream_trim_points_t>,
    index: usize,
    shard_id: Option<&mut MaybeUninit<u64>>,
    value: Option<&mut MaybeUninit<hstream_record_id_t>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let trim_points = given(trim_points, "trim_points")?;
        let shard_id = given(shard_id, "shard_id")?;
        let value = given(value, "value")?;
        let point = trim_points.points.get(index);
        let (shard, id) = point.ok_or_else(|| Failure::invalid("`index` is beyond the last shard"))?;
        shard_id.write(*shard);
        value.write(*id);
        Ok(())
    })
}
