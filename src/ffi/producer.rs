//! Producers.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::ffi::appender::hstream_appender_t;
use crate::ffi::boundary::{self, Failure, given};
use crate::ffi::bytes;
use crate::ffi::call::{self, Interrupt, hstream_call_t};
use crate::ffi::cancel::hstream_cancel_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::delivery::hstream_deliveries_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::producer_config::hstream_producer_options_t;
use crate::ffi::status::*;
use crate::producer::{BufferedProducer, Counts};
use crate::runtime::spawn_thread;
use crate::test_panic;
use crate::wait::Wait;

/// Appends records to any number of streams, in batches, in the background.
pub struct hstream_producer_t {
    life: Life,
    producer: BufferedProducer,
    interrupt: Interrupt,
}

impl LongLived for hstream_producer_t {
    const NAME: &'static str = "producer";

    fn end(&self, limit: Wait) -> Result<(), Error> {
        self.producer.close(limit).map(drop)
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

/// Where the counts of a flush go. They are always written.
pub(crate) struct CountsOut<'a> {
    places: [Option<&'a mut MaybeUninit<u64>>; 3],
}

impl<'a> CountsOut<'a> {
    pub(crate) fn new(
        written: Option<&'a mut MaybeUninit<u64>>,
        failed: Option<&'a mut MaybeUninit<u64>>,
        unknown: Option<&'a mut MaybeUninit<u64>>,
    ) -> Self {
        let mut out = CountsOut { places: [written, failed, unknown] };
        out.write([0; 3]);
        out
    }

    fn write(&mut self, numbers: [u64; 3]) {
        for (place, number) in self.places.iter_mut().zip(numbers) {
            bytes::write(place.as_deref_mut(), number);
        }
    }

    pub(crate) fn set(mut self, counts: Counts) {
        self.write([counts.written, counts.failed, counts.unknown]);
    }
}

/// Ends a producer without waiting for the network: the free of a C program.
fn end(handle: Arc<hstream_producer_t>) {
    match handle.producer.close(Wait::no()) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::WouldDeadlock => {
            // Its own callback frees it: deferred until that has returned.
            handle.producer.begin_close();
            let closer = spawn_thread("hstream-stop".into(), move || {
                warn_if_lost(handle.producer.close(Wait::no()).err());
            });
            if let Err(error) = closer {
                tracing::error!(%error, "a producer could not be closed");
            }
        }
        Err(error) => warn_if_lost(Some(error)),
    }
}

fn warn_if_lost(error: Option<Error>) {
    if let Some(error) = error {
        tracing::warn!(%error, "a producer was freed with records on the way");
    }
}

/// Makes a producer. What is said of repeated and lost records at `hstream_appender_append` holds here.
///
/// May be NULL: `producer_options`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_producer_free`.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, CONFIG, CLOSED, RESOURCES.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_producer_new(
    client: *mut hstream_client_t,
    producer_options: Option<&hstream_producer_options_t>,
    out: Option<&mut MaybeUninit<*mut hstream_producer_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        let out = given(out, "out")?;
        let config = producer_options.map(hstream_producer_options_t::config).unwrap_or_default();
        let producer = client.parent().producer(config)?;
        out.write(handles::register(hstream_producer_t {
            life: Life::new(),
            producer,
            interrupt: client.interrupt(),
        }));
        Ok(())
    })
}

/// Opens one stream of the producer, which looks up its shards. Opening it again gives another handle to
/// the same batches. Of `call`, what ends the wait counts: the look-up is the producer's own.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_appender_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: STREAM_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_producer_open(
    producer: *mut hstream_producer_t,
    stream: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_appender_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    boundary::on(producer, "producer", err, |producer| {
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        let out = given(out, "out")?;
        test_panic::point("call", stream);
        let appender = match call {
            Some(call) => producer.producer.appender_with(stream, |client| call.apply(client))?,
            None => producer.producer.appender(stream)?,
        };
        out.write(handles::register(hstream_appender_t::new(appender, producer.interrupt.clone())));
        Ok(())
    })
}

/// Sends what is buffered for all streams, and waits until everything appended before is settled and
/// reported. `written`, `failed` and `unknown` say how it ended.
///
/// May be NULL: `cancel`, `written`, `failed`, `unknown`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT, INTERRUPTED; they lose nothing. WOULD_DEADLOCK in its own callback.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_flush(
    producer: *mut hstream_producer_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    written: Option<&mut MaybeUninit<u64>>,
    failed: Option<&mut MaybeUninit<u64>>,
    unknown: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    let counts = CountsOut::new(written, failed, unknown);
    boundary::on(producer, "producer", err, |producer| {
        let limit = call::wait(timeout_ms, cancel, &producer.interrupt)?;
        counts.set(producer.producer.flush(limit)?);
        Ok(())
    })
}

/// Gets up to `max_reports` reports, where they are polled; NULL when none came in time.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: `*out` is NULL or yours, to be freed with `hstream_deliveries_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: INVALID_STATE if reports are not polled, INVALID_ARGUMENT for 0 reports, INTERRUPTED, CLOSED after
/// the last report of a closed producer.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_poll(
    producer: *mut hstream_producer_t,
    max_reports: u32,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    out: Option<&mut MaybeUninit<*mut hstream_deliveries_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    boundary::on(producer, "producer", err, |producer| {
        let limit = call::wait(timeout_ms, cancel, &producer.interrupt)?;
        let out = given(out, "out")?;
        let most = usize::try_from(max_reports).unwrap_or(usize::MAX);
        if most == 0 {
            return Err(Failure::invalid("`max_reports` must be more than 0"));
        }
        let reports = producer.producer.poll_some(most, limit)?;
        let share = |reports| handles::share(Arc::new(hstream_deliveries_t::part(reports)));
        out.write(reports.map_or(ptr::null_mut(), share));
        Ok(())
    })
}

/// Gets what the producer has done so far and what it holds, as JSON: accepted, written, failed, unknown,
/// pending_records, pending_bytes, batch_records, batch_bytes, wire_bytes, retries, append_latency_us,
/// delivery_latency_us, and shards, of which each has stream, shard_id, node, pending_records, queued_bytes,
/// oldest_age_us and retries. Distributions have count, sum, p50, p90, p99 and max. Keys are only added.
///
/// May be NULL: `text_len`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_stats_json(
    producer: *mut hstream_producer_t,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
) -> hstream_code_t {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    boundary::on(producer, "producer", None, |producer| {
        let text = given(text, "text")?;
        bytes::give_text(&producer.producer.stats().to_json(), text, text_len)
    })
}

/// Returns a descriptor that is readable while `hstream_producer_poll` would return at once, for event loops; -1 if
/// reports are not polled, or where there are no descriptors. It stays readable while there is a rest of a batch of
/// which `max_reports` took a part.
///
/// **Ownership**: It is the producer's: only to be waited for, and not to be read or closed.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_event_fd(producer: *mut hstream_producer_t) -> i32 {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    boundary::ask(producer, -1, |producer| bytes::descriptor(producer.producer.event_fd()))
}

/// Returns how many records are accepted and not reported yet.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_pending_records(producer: *mut hstream_producer_t) -> u64 {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    boundary::ask(producer, 0, |producer| producer.producer.pending_records())
}

/// Returns how many bytes of the buffer are in use.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_pending_bytes(producer: *mut hstream_producer_t) -> u64 {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    boundary::ask(producer, 0, |producer| producer.producer.pending_bytes())
}

/// Accepts no more records: appends end with CLOSED. What is buffered is sent.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_begin_close(producer: *mut hstream_producer_t) {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    boundary::ask(producer, (), |producer| producer.producer.begin_close());
}

/// Accepts no more records, sends what is there, and waits until all is settled and reported. What is not
/// settled in time is given up: reported as ABORTED if it was never sent, else as ambiguous. After it no
/// callback runs. `written`, `failed` and `unknown` say how the records ended that it waited for: those that had
/// not been reported when it was called; `hstream_producer_stats_json` counts all. Closing twice is fine.
///
/// May be NULL: `cancel`, `written`, `failed`, `unknown`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT if records were given up; it is closed all the same. INTERRUPTED, after which it can
/// be called again. WOULD_DEADLOCK in its own callback.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_close(
    producer: *mut hstream_producer_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    written: Option<&mut MaybeUninit<u64>>,
    failed: Option<&mut MaybeUninit<u64>>,
    unknown: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `producer` is NULL or a living handle, as the rules for callers say.
    let producer = unsafe { handles::enter(producer) };
    let counts = CountsOut::new(written, failed, unknown);
    boundary::closing(producer, "producer", err, |producer| {
        let limit = call::wait(timeout_ms, cancel, &producer.interrupt)?;
        counts.set(producer.producer.close(limit)?);
        Ok(())
    })
}

/// Frees a producer. Without a close before, it is closed with a time-out of 0, with a warning of what was
/// lost. In its own callback it is deferred until that has returned.
///
/// May be NULL: `producer`.
///
/// **Ownership**: `producer` is gone after it.
/// **Threads**: any, once.
/// **Blocking**: until a running callback of it has returned.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_free(producer: *mut hstream_producer_t) {
    boundary::freeing(|| {
        // SAFETY: `producer` is NULL or was handed out, as the rules for callers say.
        if let Some(producer) = unsafe { handles::retire(producer) } {
            end(producer);
        }
    });
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn null_is_survived_and_counts_are_written() {
        let mut written = MaybeUninit::new(7);
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let null = ptr::null_mut();
            let expected = HSTREAM_ERR_NULL_ARGUMENT;
            assert_eq!(hstream_producer_new(ptr::null_mut(), None, None, None), expected);
            assert_eq!(hstream_producer_open(null, c"s".as_ptr(), None, None, None), expected);
            assert_eq!(hstream_producer_flush(null, 0, None, Some(&mut written), None, None, None), expected);
            assert_eq!(written.assume_init(), 0);
            assert_eq!(hstream_producer_poll(null, 1, 0, None, None, None), expected);
            assert_eq!(hstream_producer_close(null, 0, None, None, None, None, None), expected);
            assert_eq!(hstream_producer_pending_records(null), 0);
            assert_eq!(hstream_producer_pending_bytes(null), 0);
            hstream_producer_begin_close(null);
            hstream_producer_free(null);
        }
    }
}
