//! Streams.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use crate::admin::{DeleteOptions, Stream, StreamOptions};
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::call::hstream_call_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;

/// Delete although somebody uses it.
pub const HSTREAM_DELETE_FORCE: u32 = 1;
/// It is no error if it is not there.
pub const HSTREAM_DELETE_IGNORE_MISSING: u32 = 2;

/// How a stream is created.
#[derive(Clone, Default)]
pub struct hstream_stream_options_t {
    options: StreamOptions,
}

/// A stream, as the server describes it.
#[derive(Clone)]
pub struct hstream_stream_t {
    stream: Stream,
    name: Text,
}

/// Streams, sorted by name.
pub struct hstream_streams_t {
    streams: Box<[hstream_stream_t]>,
}

impl From<Stream> for hstream_stream_t {
    fn from(stream: Stream) -> Self {
        hstream_stream_t { name: Text::new(stream.name()), stream }
    }
}

/// The flags of the functions that delete.
pub(crate) fn delete_options(flags: u32) -> Outcome<DeleteOptions> {
    if flags & !(HSTREAM_DELETE_FORCE | HSTREAM_DELETE_IGNORE_MISSING) != 0 {
        return Err(Failure::invalid(format!("`flags` is {flags:#x}, which has unknown bits")));
    }
    let mut options = DeleteOptions::new();
    if flags & HSTREAM_DELETE_FORCE != 0 {
        options = options.force();
    }
    if flags & HSTREAM_DELETE_IGNORE_MISSING != 0 {
        options = options.ignore_missing();
    }
    Ok(options)
}

/// A number that must not be 0.
pub(crate) fn not_zero(number: u32, name: &'static str) -> Outcome<u32> {
    if number == 0 { Err(Failure::invalid(format!("`{name}` must be more than 0"))) } else { Ok(number) }
}

/// Makes options, all default: one shard, one copy, kept for ever.
///
/// **Ownership**: The result is yours, to be freed with `hstream_stream_options_free`; NULL if there is
/// none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_stream_options_new() -> *mut hstream_stream_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_stream_options_t::default()))
}

/// Frees options.
///
/// May be NULL: `stream_options`.
///
/// **Ownership**: `stream_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_options_free(stream_options: *mut hstream_stream_options_t) {
    boundary::quiet((), || {
        // SAFETY: `stream_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(stream_options) });
    });
}

/// Sets how many copies of each record the store keeps: default 1.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_options_set_replication_factor(
    stream_options: Option<&mut hstream_stream_options_t>,
    factor: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        let stream_options = given(stream_options, "stream_options")?;
        let factor = not_zero(factor, "factor")?;
        stream_options.options = stream_options.options.clone().replication_factor(factor);
        Ok(())
    })
}

/// Sets how many shards it has, for good: default 1.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_options_set_shard_count(
    stream_options: Option<&mut hstream_stream_options_t>,
    count: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        let stream_options = given(stream_options, "stream_options")?;
        let count = not_zero(count, "count")?;
        stream_options.options = stream_options.options.clone().shard_count(count);
        Ok(())
    })
}

/// Sets how long records are kept: default 0, which is for ever.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_options_set_backlog_seconds(
    stream_options: Option<&mut hstream_stream_options_t>,
    seconds: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        let stream_options = given(stream_options, "stream_options")?;
        let backlog = Duration::from_secs(seconds.into());
        stream_options.options = stream_options.options.clone().backlog(backlog);
        Ok(())
    })
}

/// Sets any option by text. The keys are the names of the setters with dots, and `hstream_options_schema_json`
/// lists them with what they take.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_options_set(
    stream_options: Option<&mut hstream_stream_options_t>,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let stream_options = given(stream_options, "stream_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        stream_options.options.set(key, value)?;
        Ok(())
    })
}

/// Creates a stream. A call that timed out may have left a stream with fewer shards.
///
/// May be NULL: `stream_options`, `call`, `out`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_stream_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_EXISTS, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_create_stream(
    client: *mut hstream_client_t,
    name: *const c_char,
    stream_options: Option<&hstream_stream_options_t>,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_stream_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        let options = stream_options.map(|options| options.options.clone()).unwrap_or_default();
        let stream = client.within(call)?.create_stream(name, options)?;
        if let Some(out) = out {
            out.write(handles::give(stream.into()));
        }
        Ok(())
    })
}

/// Lists the streams whose name begins so, sorted by name; NULL or "" lists all.
///
/// May be NULL: `prefix`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_streams_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_list_streams(
    client: *mut hstream_client_t,
    prefix: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_streams_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `prefix` is NULL or a NUL-terminated text, as the rules for callers say.
        let prefix = unsafe { bytes::optional_text(prefix, "prefix") }?;
        let out = given(out, "out")?;
        let streams = client.within(call)?.list_streams_with_prefix(prefix.unwrap_or(""))?;
        let streams = streams.into_iter().map(hstream_stream_t::from).collect();
        out.write(handles::give(hstream_streams_t { streams }));
        Ok(())
    })
}

/// Gets a stream by name.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_stream_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_get_stream(
    client: *mut hstream_client_t,
    name: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_stream_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        let out = given(out, "out")?;
        let stream = client.within(call)?.get_stream(name)?;
        out.write(handles::give(stream.into()));
        Ok(())
    })
}

/// Deletes a stream with its records. HSTREAM_DELETE_FORCE: also one with subscriptions, which keep
/// delivering what was there. HSTREAM_DELETE_IGNORE_MISSING: one that is not there is no error.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, STREAM_FOUND_SUBSCRIPTION, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_delete_stream(
    client: *mut hstream_client_t,
    name: *const c_char,
    flags: u32,
    call: Option<&hstream_call_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        client.within(call)?.delete_stream(name, delete_options(flags)?)?;
        Ok(())
    })
}

/// Says whether there is a stream of this name: 1 or 0.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_stream_exists(
    client: *mut hstream_client_t,
    name: *const c_char,
    call: Option<&hstream_call_t>,
    exists: Option<&mut MaybeUninit<i32>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        let exists = given(exists, "exists")?;
        exists.write(client.within(call)?.stream_exists(name)?.into());
        Ok(())
    })
}

/// Frees a list with its elements.
///
/// May be NULL: `streams`.
///
/// **Ownership**: `streams` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_streams_free(streams: *mut hstream_streams_t) {
    boundary::quiet((), || {
        // SAFETY: `streams` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(streams) });
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
pub unsafe extern "C" fn hstream_streams_count(streams: Option<&hstream_streams_t>) -> usize {
    boundary::quiet(0, || {
        let Some(streams) = streams else { return 0 };
        streams.streams.len()
    })
}

/// Returns an element; NULL beyond the last.
///
/// **Ownership**: The result is borrowed from `streams`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_streams_at(
    streams: Option<&hstream_streams_t>,
    index: usize,
) -> *const hstream_stream_t {
    boundary::quiet(ptr::null(), || {
        let Some(streams) = streams else { return ptr::null() };
        streams.streams.get(index).map_or(ptr::null(), ptr::from_ref)
    })
}

/// Frees a stream's description; the stream stays.
///
/// May be NULL: `stream`.
///
/// **Ownership**: `stream` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_free(stream: *mut hstream_stream_t) {
    boundary::quiet((), || {
        // SAFETY: `stream` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(stream) });
    });
}

/// Copies a description: to keep an element of a list.
///
/// **Ownership**: The result is yours, to be freed with `hstream_stream_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_stream_clone(stream: Option<&hstream_stream_t>) -> *mut hstream_stream_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(stream) = stream else { return ptr::null_mut() };
        handles::give(stream.clone())
    })
}

/// Returns its name.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `stream`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_name(
    stream: Option<&hstream_stream_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(stream) = stream else { return c"".as_ptr() };
        stream.name.lend(len)
    })
}

/// Returns how many copies of each record the store keeps.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_replication_factor(stream: Option<&hstream_stream_t>) -> u32 {
    boundary::quiet(0, || {
        let Some(stream) = stream else { return 0 };
        stream.stream.replication_factor()
    })
}

/// Returns how many shards it has.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_shard_count(stream: Option<&hstream_stream_t>) -> u32 {
    boundary::quiet(0, || {
        let Some(stream) = stream else { return 0 };
        stream.stream.shard_count()
    })
}

/// Returns how long records are kept; 0 is for ever.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_backlog_seconds(stream: Option<&hstream_stream_t>) -> u32 {
    boundary::quiet(0, || {
        let Some(stream) = stream else { return 0 };
        u32::try_from(stream.stream.backlog().as_secs()).unwrap_or(u32::MAX)
    })
}

/// Returns when it was created, in milliseconds since 1970; 0 if unknown.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_creation_time_ms(stream: Option<&hstream_stream_t>) -> i64 {
    boundary::quiet(0, || {
        let Some(stream) = stream else { return 0 };
        bytes::millis(stream.stream.created())
    })
}

/// Writes everything about it as one JSON object. Keys are only added.
///
/// May be NULL: `text_len`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_stream_to_json(
    stream: Option<&hstream_stream_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let stream = given(stream, "stream")?;
        let text = given(text, "text")?;
        let json = serde_json::json!({
            "name": stream.stream.name(),
            "replication_factor": stream.stream.replication_factor(),
            "shard_count": stream.stream.shard_count(),
            "backlog_seconds": stream.stream.backlog().as_secs(),
            "creation_time_ms": bytes::millis(stream.stream.created()),
        });
        bytes::give_text(&json.to_string(), text, text_len)
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn unknown_flags_and_zeroes_are_refused() {
        assert!(delete_options(3).is_ok());
        assert!(delete_options(4).is_err());
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let options = hstream_stream_options_new();
            let code = hstream_stream_options_set_shard_count(options.as_mut(), 0);
            assert_eq!(code, HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(hstream_stream_options_set_replication_factor(options.as_mut(), 2), HSTREAM_OK);
            assert_eq!(hstream_stream_options_set_backlog_seconds(None, 2), HSTREAM_ERR_NULL_ARGUMENT);
            hstream_stream_options_free(options);
        }
    }

    #[test]
    fn null_is_survived() {
        // SAFETY: NULL is allowed.
        unsafe {
            let null = ptr::null_mut();
            let name = c"s".as_ptr();
            assert_eq!(
                hstream_client_create_stream(null, name, None, None, None, None),
                HSTREAM_ERR_NULL_ARGUMENT
            );
            assert_eq!(hstream_client_list_streams(null, name, None, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_client_get_stream(null, name, None, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_client_delete_stream(null, name, 0, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_client_stream_exists(null, name, None, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_streams_count(None), 0);
            let mut len = MaybeUninit::new(7);
            let name = hstream_stream_name(hstream_streams_at(None, 3).as_ref(), Some(&mut len));
            assert_eq!((name.read(), len.assume_init()), (0, 0));
            assert!(hstream_stream_clone(None).is_null());
            assert_eq!(hstream_stream_to_json(None, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            hstream_streams_free(ptr::null_mut());
            hstream_stream_free(ptr::null_mut());
        }
    }
}
