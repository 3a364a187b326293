//! Readers.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::ptr;
use std::sync::Arc;

use crate::error::Error;
use crate::ffi::batch::hstream_batch_t;
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes;
use crate::ffi::call::{self, Interrupt, hstream_call_t};
use crate::ffi::callback::{Callback, hstream_batch_fn};
use crate::ffi::cancel::hstream_cancel_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::consumer::{HSTREAM_KEEP, HSTREAM_PROCESSED, HSTREAM_STOP};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::reader_config::hstream_reader_options_t;
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::reader::dispatch::Handler;
use crate::reader::open::Opening;
use crate::reader::{Read, Reader};
use crate::received::Batch;
use crate::test_panic;
use crate::wait::Wait;

/// Reads a stream without a subscription.
pub struct hstream_reader_t {
    life: Life,
    reader: Reader,
    callback: Option<Callback<hstream_batch_fn>>,
    interrupt: Interrupt,
}

impl LongLived for hstream_reader_t {
    const NAME: &'static str = "reader";

    fn end(&self, limit: Wait) -> Result<(), Error> {
        self.reader.finish(limit)
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

impl hstream_reader_t {
    fn callback(&self) -> Outcome<&Callback<hstream_batch_fn>> {
        let text = "the reader has no callback; read from it";
        self.callback.as_ref().ok_or_else(|| Failure::refused(HSTREAM_ERR_INVALID_STATE, text))
    }
}

/// Delivers to the function of a C program.
struct Delivery(Callback<hstream_batch_fn>);

impl Handler for Delivery {
    fn batch(&mut self, reader: &Reader, batch: &Batch) -> ControlFlow<()> {
        let lent = Arc::new(hstream_batch_t::new(batch.clone()));
        match self.0.call(Arc::as_ptr(&lent), ptr::null()) {
            HSTREAM_PROCESSED | HSTREAM_KEEP => ControlFlow::Continue(()),
            HSTREAM_STOP => ControlFlow::Break(()),
            other => {
                let stream = reader.stream();
                tracing::error!(
                    stream,
                    returned = other,
                    "a batch callback returned a number without meaning"
                );
                ControlFlow::Continue(())
            }
        }
    }

    fn ended(&mut self, failure: Option<&Error>) {
        let error = failure.map(hstream_error_t::of);
        self.0.call(ptr::null(), error.as_ref().map_or(ptr::null(), ptr::from_ref));
    }
}

type ReaderOut<'a> = Option<&'a mut MaybeUninit<*mut hstream_reader_t>>;

/// What all kinds of readers do to be opened.
///
/// # Safety
///
/// `stream` is NULL or a NUL-terminated text.
unsafe fn open(
    client: &hstream_client_t,
    stream: *const c_char,
    reader_options: Option<&hstream_reader_options_t>,
    call: Option<&hstream_call_t>,
    out: ReaderOut<'_>,
    how: impl FnOnce(Opening<'_>) -> Result<Reader, Error>,
) -> Outcome {
    // SAFETY: as the caller promises.
    let stream = unsafe { bytes::text(stream, "stream") }?;
    let out = given(out, "out")?;
    let (config, callback) = reader_options.map(|options| options.parts()).unwrap_or_default();
    let finder = client.within(call)?;
    let reader = how(Opening { finder: &finder, client: client.parent(), stream, config })?;
    let reader = hstream_reader_t { life: Life::new(), reader, callback, interrupt: client.interrupt() };
    out.write(handles::register(reader));
    Ok(())
}

/// Opens a reader of one shard of a stream. `call` is for looking up what there is, and not for what the reader does
/// later. Records are read with `hstream_reader_read`; with a callback in the options, they are delivered to it from
/// `hstream_reader_start` on.
///
/// May be NULL: `reader_options`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_reader_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for no such shard, INVALID_STATE for a position of another stream,
/// CONFIG, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_reader_open_shard(
    client: *mut hstream_client_t,
    stream: *const c_char,
    shard_id: u64,
    reader_options: Option<&hstream_reader_options_t>,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_reader_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        unsafe { open(client, stream, reader_options, call, out, |opening| opening.shard(shard_id)) }
    })
}

/// Opens a reader of all shards of a stream: records of one shard come in their order, those of different shards in
/// any. Else as `hstream_reader_open_shard`.
///
/// May be NULL: `reader_options`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_reader_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for options that begin or end with a record, INVALID_STATE for a
/// position of another stream, CONFIG, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_reader_open_stream(
    client: *mut hstream_client_t,
    stream: *const c_char,
    reader_options: Option<&hstream_reader_options_t>,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_reader_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        unsafe { open(client, stream, reader_options, call, out, |opening| opening.all_shards()) }
    })
}

/// Opens a reader of the shard of a stream that has no more than one. Else as `hstream_reader_open_shard`.
///
/// May be NULL: `reader_options`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_reader_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for a stream of more shards, INVALID_STATE for a position of
/// another stream, CONFIG, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_reader_open_single_shard(
    client: *mut hstream_client_t,
    stream: *const c_char,
    reader_options: Option<&hstream_reader_options_t>,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_reader_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        unsafe { open(client, stream, reader_options, call, out, |opening| opening.single_shard()) }
    })
}

/// Opens a reader of the records of one key, which the server picks out; NULL is the empty key, which is that of
/// records without one. Unless the options say otherwise, it ends with the last record that there is now. Else as
/// `hstream_reader_open_shard`.
///
/// May be NULL: `key`, `reader_options`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_reader_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT for a limit of batches, INVALID_STATE for a position of another
/// stream, CONFIG, TIMEOUT, INTERRUPTED, CLOSED, UTF8. Of a server before v0.16.1, the first read gives UNSUPPORTED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_reader_open_key(
    client: *mut hstream_client_t,
    stream: *const c_char,
    key: *const c_void,
    key_len: usize,
    reader_options: Option<&hstream_reader_options_t>,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_reader_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        unsafe { open(client, stream, reader_options, call, out, |opening| opening.key(key)) }
    })
}

/// Begins to deliver to the callback, or goes on after a stop, behind what was delivered. The last call of the callback
/// has a NULL batch: when all is read, after a stop or close, or with why it failed; after another start there is
/// another.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE without a callback or while it delivers already, CLOSED, RESOURCES, why it failed.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_start(
    reader: *mut hstream_reader_t,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `reader` is NULL or a living handle, as the rules for callers say.
    let reader = unsafe { handles::enter(reader) };
    boundary::on(reader, "reader", err, |reader| {
        reader.reader.start_handler(Delivery(reader.callback()?.clone()))?;
        Ok(())
    })
}

/// Delivers no more to the callback, and waits until it has returned; nothing is lost, and `hstream_reader_start` goes
/// on. In the callback itself it is a request, which takes effect when that returns. Stopping twice is fine.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: INVALID_STATE without a callback; TIMEOUT and INTERRUPTED while the callback runs, which is then its last
/// call but for the one that tells the end.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_stop(
    reader: *mut hstream_reader_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `reader` is NULL or a living handle, as the rules for callers say.
    let reader = unsafe { handles::enter(reader) };
    boundary::on(reader, "reader", err, |reader| {
        let limit = call::wait(timeout_ms, cancel, &reader.interrupt)?;
        reader.callback()?;
        reader.reader.stop(limit)?;
        Ok(())
    })
}

/// Reads up to `max_records` records, as soon as there are any; NULL when none came in time. END when all is read, and
/// from then on; `*out` is as it was then.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: `*out` is NULL or yours, to be freed with `hstream_batch_free`.
/// **Threads**: any, one at a time.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: END (HSTREAM_END), BUSY while another thread reads, CLOSED, INTERRUPTED, INVALID_STATE with a callback,
/// INVALID_ARGUMENT, why it failed.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_reader_read(
    reader: *mut hstream_reader_t,
    max_records: u32,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    out: Option<&mut MaybeUninit<*mut hstream_batch_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `reader` is NULL or a living handle, as the rules for callers say.
    let reader = unsafe { handles::enter(reader) };
    boundary::on(reader, "reader", err, |reader| {
        let limit = call::wait(timeout_ms, cancel, &reader.interrupt)?;
        let out = given(out, "out")?;
        if reader.callback.is_some() {
            let text = "the reader delivers to its callback; it can't be read as well";
            return Err(Failure::refused(HSTREAM_ERR_INVALID_STATE, text));
        }
        let max = usize::try_from(max_records).unwrap_or(usize::MAX);
        test_panic::point("call", reader.reader.stream());
        let batch = match reader.reader.read(max, limit)? {
            Read::Records(batch) => handles::share(Arc::new(hstream_batch_t::new(batch))),
            Read::Nothing => ptr::null_mut(),
            Read::End => return Err(Failure::refused(HSTREAM_END, "all is read")),
        };
        out.write(batch);
        Ok(())
    })
}

/// Gets the last record of a shard that was handed out, by this reader or by the one whose position it was given.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE before the first record.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_position(
    reader: *mut hstream_reader_t,
    shard_id: u64,
    value: Option<&mut MaybeUninit<hstream_record_id_t>>,
) -> hstream_code_t {
    // SAFETY: `reader` is NULL or a living handle, as the rules for callers say.
    let reader = unsafe { handles::enter(reader) };
    boundary::on(reader, "reader", None, |reader| {
        let value = given(value, "value")?;
        let last = reader.reader.position().of_shard(shard_id).ok_or_else(|| {
            let text = format!("no record of the shard {shard_id} was handed out yet");
            Failure::refused(HSTREAM_ERR_INVALID_STATE, text)
        })?;
        value.write(last.into());
        Ok(())
    })
}

/// Gets the position in all shards as a text, to be kept; `hstream_reader_options_set_position` goes on behind it. It
/// is "" before the first record.
///
/// May be NULL: `text_len`, `err`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: RESOURCES.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_reader_position_text(
    reader: *mut hstream_reader_t,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `reader` is NULL or a living handle, as the rules for callers say.
    let reader = unsafe { handles::enter(reader) };
    boundary::on(reader, "reader", err, |reader| {
        let text = given(text, "text")?;
        bytes::give_text(&reader.reader.position().to_string(), text, text_len)
    })
}

/// Returns a descriptor that is readable while `hstream_reader_read` would return at once, for event loops; -1 where
/// there is none.
///
/// **Ownership**: It is the reader's: only to be waited for, and not to be read or closed.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_event_fd(reader: *mut hstream_reader_t) -> i32 {
    // SAFETY: `reader` is NULL or a living handle, as the rules for callers say.
    let reader = unsafe { handles::enter(reader) };
    boundary::ask(reader, -1, |reader| bytes::descriptor(reader.reader.event_fd()))
}

/// Ends a reader for good, and whoever reads from it. After it no callback runs. Closing twice is fine.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until a running callback of it has returned, which no time-out cuts short, but `cancel` does.
/// **Errors**: INTERRUPTED; it is closed all the same, and closing again waits again. WOULD_DEADLOCK in its own
/// callback; it is not closed then.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_close(
    reader: *mut hstream_reader_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `reader` is NULL or a living handle, as the rules for callers say.
    let reader = unsafe { handles::enter(reader) };
    boundary::closing(reader, "reader", err, |reader| {
        let limit = call::wait(timeout_ms, cancel, &reader.interrupt)?;
        reader.reader.finish(limit)?;
        Ok(())
    })
}

/// Closes and frees a reader. In its own callback it is deferred until that has returned.
///
/// May be NULL: `reader`.
///
/// **Ownership**: `reader` is gone after it.
/// **Threads**: any, once.
/// **Blocking**: until a running callback of it has returned.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_free(reader: *mut hstream_reader_t) {
    boundary::freeing(|| {
        // SAFETY: `reader` is NULL or was handed out, as the rules for callers say.
        if let Some(reader) = unsafe { handles::retire(reader) } {
            reader.reader.close();
            // In its own callback there is nothing to wait for: its thread ends by itself.
            let _ = reader.reader.finish(Wait::forever());
        }
    });
}
