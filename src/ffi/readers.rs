//! Named readers: positions in a shard that the server keeps.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use crate::admin::NamedReaderOptions;
use crate::ffi::batch::hstream_batch_t;
use crate::ffi::boundary::{self, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::call::hstream_call_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::cluster::hstream_node_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::offset::{hstream_offset_t, offset_of};
use crate::ffi::status::*;
use crate::ffi::streams::delete_options;

/// Texts, sorted.
pub struct hstream_strings_t {
    texts: Box<[Text]>,
}

/// Creates a named reader of one shard. It is a thing of the cluster, as streams are: any client reads by its id,
/// and it stays until it is deleted. Its position is in the memory of one node alone: when that node stops, the next
/// read begins again at `where`, on the node that has it then. Latest and times become a position now. `wait_ms` is how
/// long a read may wait on the server to be filled; 0 is not at all, 2147483647 the most.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: GRPC_ALREADY_EXISTS for an id that is taken, GRPC_NOT_FOUND for no such shard,
/// SHARD_READER_CONFLICT_OFFSET for a record of another shard, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED,
/// CLOSED, UTF8. If the error is ambiguous, the reader may be there.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_create_shard_reader(
    client: *mut hstream_client_t,
    reader_id: *const c_char,
    stream: *const c_char,
    shard_id: u64,
    r#where: Option<&hstream_offset_t>,
    wait_ms: u32,
    call: Option<&hstream_call_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `reader_id` is NULL or a NUL-terminated text, as the rules for callers say.
        let reader_id = unsafe { bytes::text(reader_id, "reader_id") }?;
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        let start = offset_of(r#where, "where")?;
        let timeout = Duration::from_millis(wait_ms.into());
        let options = NamedReaderOptions::new().shard(shard_id).start(start).timeout(timeout);
        client.within(call)?.create_reader(stream, reader_id, options)?;
        Ok(())
    })
}

/// Creates a named reader of the shard that records with this key go to, with all else that is in that shard. NULL is
/// the empty key, which is that of records without one. Else as `hstream_client_create_shard_reader`.
///
/// May be NULL: `key`, `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: GRPC_ALREADY_EXISTS for an id that is taken, STREAM_NOT_FOUND, SHARD_READER_CONFLICT_OFFSET
/// for a record of another shard, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8. If the error is
/// ambiguous, the reader may be there.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_create_key_reader(
    client: *mut hstream_client_t,
    reader_id: *const c_char,
    stream: *const c_char,
    key: *const c_void,
    key_len: usize,
    r#where: Option<&hstream_offset_t>,
    wait_ms: u32,
    call: Option<&hstream_call_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `reader_id` is NULL or a NUL-terminated text, as the rules for callers say.
        let reader_id = unsafe { bytes::text(reader_id, "reader_id") }?;
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        let start = offset_of(r#where, "where")?;
        let timeout = Duration::from_millis(wait_ms.into());
        let options = NamedReaderOptions::new().key(key).start(start).timeout(timeout);
        client.within(call)?.create_reader(stream, reader_id, options)?;
        Ok(())
    })
}

/// Reads on by a named reader: up to `max_batches` batches as they were appended, 0 for 100, all of their records in
/// one batch; an empty one if there was nothing. If the reader starts with a record, its whole batch is read: leave out
/// those before it. Fewer are asked for if so many might not fit into an answer, and 1000 at most. A read that is not
/// filled takes all of the reader's `wait_ms`, so allow the call more than that.
///
/// The position moves when the server reads: if the error is ambiguous, records may have been read that did not arrive,
/// and this reader does not read them again; so the call is not made again by itself.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_batch_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: GRPC_NOT_FOUND for no such reader; SHARD_READER_DATA_LOSS_GAP, _ACCESS_GAP,
/// _NOT_IN_CONFIG_GAP and _UNKNOWN_GAP, behind which the next read goes on; INVALID_ARGUMENT, TIMEOUT,
/// INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_read_shard(
    client: *mut hstream_client_t,
    reader_id: *const c_char,
    max_batches: u32,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_batch_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `reader_id` is NULL or a NUL-terminated text, as the rules for callers say.
        let reader_id = unsafe { bytes::text(reader_id, "reader_id") }?;
        let out = given(out, "out")?;
        let batch = client.within(call)?.read_reader(reader_id, max_batches)?;
        out.write(handles::share(Arc::new(hstream_batch_t::new(batch))));
        Ok(())
    })
}

/// Lists the ids of all named readers of the cluster, sorted.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_strings_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_list_shard_readers(
    client: *mut hstream_client_t,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_strings_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        let out = given(out, "out")?;
        let texts = client.within(call)?.list_readers()?.iter().map(|id| Text::new(id)).collect();
        out.write(handles::give(hstream_strings_t { texts }));
        Ok(())
    })
}

/// Gets the node that has a named reader. It leaves an entry in the cluster's meta store for any id, whether there is
/// such a reader or not.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_node_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: INVALID_ARGUMENT, UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_lookup_shard_reader(
    client: *mut hstream_client_t,
    reader_id: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_node_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `reader_id` is NULL or a NUL-terminated text, as the rules for callers say.
        let reader_id = unsafe { bytes::text(reader_id, "reader_id") }?;
        let out = given(out, "out")?;
        let node = client.within(call)?.lookup_reader(reader_id)?;
        out.write(handles::give(node.into()));
        Ok(())
    })
}

/// Deletes a named reader. HSTREAM_DELETE_IGNORE_MISSING: one that is not there is no error.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: GRPC_NOT_FOUND for no such reader, however the server puts it; INVALID_ARGUMENT, TIMEOUT,
/// INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_delete_shard_reader(
    client: *mut hstream_client_t,
    reader_id: *const c_char,
    flags: u32,
    call: Option<&hstream_call_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `reader_id` is NULL or a NUL-terminated text, as the rules for callers say.
        let reader_id = unsafe { bytes::text(reader_id, "reader_id") }?;
        client.within(call)?.delete_reader(reader_id, delete_options(flags)?)?;
        Ok(())
    })
}

/// Frees a list with its elements.
///
/// May be NULL: `strings`.
///
/// **Ownership**: `strings` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_strings_free(strings: *mut hstream_strings_t) {
    boundary::quiet((), || {
        // SAFETY: `strings` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(strings) });
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
pub unsafe extern "C" fn hstream_strings_count(strings: Option<&hstream_strings_t>) -> usize {
    boundary::quiet(0, || {
        let Some(strings) = strings else { return 0 };
        strings.texts.len()
    })
}

/// Returns an element; "" beyond the last.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `strings`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_strings_at(
    strings: Option<&hstream_strings_t>,
    index: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(strings) = strings else { return c"".as_ptr() };
        strings.texts.get(index).map_or(c"".as_ptr(), |text| text.lend(len))
    })
}
