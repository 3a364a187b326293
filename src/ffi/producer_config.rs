//! Options of a producer.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use crate::ffi::append::compression;
use crate::ffi::boundary::{self, Failure, Outcome, given, truth};
use crate::ffi::bytes;
use crate::ffi::call;
use crate::ffi::callback::{Callback, hstream_delivery_fn, hstream_release_fn};
use crate::ffi::delivery::hstream_deliveries_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;
use crate::producer::{Deliveries, FailurePolicy, Linger, ProducerConfig, RecreatedStream, Reports};

/// Report all records.
pub const HSTREAM_REPORTS_ALL: i32 = 0;
/// Report those that were not, or perhaps not, written.
pub const HSTREAM_REPORTS_FAILURES: i32 = 1;
/// Report none.
pub const HSTREAM_REPORTS_NONE: i32 = 2;

/// After a failure, what is queued behind it on its shard is given up, and the shard takes records again when the
/// reports of all that have been handed over.
pub const HSTREAM_FAILURE_ABORT_QUEUED: i32 = 0;
/// The same, but the shard takes records again only after `hstream_appender_resume`.
pub const HSTREAM_FAILURE_STOP: i32 = 1;
/// What is queued behind a failure goes on.
pub const HSTREAM_FAILURE_CONTINUE: i32 = 2;

/// Records for a stream that was deleted and created anew fail.
pub const HSTREAM_RECREATED_FAIL: i32 = 0;
/// They go to the shards of the new stream, by their keys.
pub const HSTREAM_RECREATED_REROUTE: i32 = 1;

/// Options of a producer. They are copied when a producer is made.
#[derive(Default)]
pub struct hstream_producer_options_t {
    /// Without a callback.
    config: ProducerConfig,
    callback: Option<Callback<hstream_delivery_fn>>,
}

impl Clone for hstream_producer_options_t {
    fn clone(&self) -> Self {
        hstream_producer_options_t { config: self.config.without_callback(), callback: self.callback.clone() }
    }
}

impl hstream_producer_options_t {
    pub(crate) fn config(&self) -> ProducerConfig {
        let config = self.config.without_callback();
        let Some(callback) = self.callback.clone() else { return config };
        config.on_delivery(move |deliveries: &Deliveries| {
            let lent = Arc::new(hstream_deliveries_t::new(deliveries.clone()));
            callback.call(Arc::as_ptr(&lent));
        })
    }

    /// Takes the changed options if they are acceptable on their own.
    fn change(&mut self, change: impl FnOnce(ProducerConfig) -> ProducerConfig) -> Outcome {
        let changed = change(self.config.without_callback());
        changed.check_each()?;
        self.config = changed;
        Ok(())
    }
}

/// A choice of reports by its number.
fn reports(which: i32) -> Outcome<Reports> {
    match which {
        HSTREAM_REPORTS_ALL => Ok(Reports::All),
        HSTREAM_REPORTS_FAILURES => Ok(Reports::Failures),
        HSTREAM_REPORTS_NONE => Ok(Reports::None),
        _ => Err(Failure::invalid(format!("`which` is {which}, which is no choice of reports"))),
    }
}

fn no_policy(policy: i32) -> Failure {
    Failure::invalid(format!("`policy` is {policy}, which is none"))
}

/// A number of things in memory.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Makes options, all default: batches go as soon as their shard is idle, nothing is reported.
///
/// **Ownership**: The result is yours, to be freed with `hstream_producer_options_free`; NULL if there is
/// none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_producer_options_new() -> *mut hstream_producer_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_producer_options_t::default()))
}

/// Copies options; a callback's user data is shared.
///
/// **Ownership**: The result is yours, to be freed with `hstream_producer_options_free`; NULL if there is
/// none.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_producer_options_clone(
    producer_options: Option<&hstream_producer_options_t>,
) -> *mut hstream_producer_options_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(producer_options) = producer_options else { return ptr::null_mut() };
        handles::give(producer_options.clone())
    })
}

/// Frees options. The callback's user data is released when the producers made with them are gone as well.
///
/// May be NULL: `producer_options`.
///
/// **Ownership**: `producer_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_free(producer_options: *mut hstream_producer_options_t) {
    boundary::quiet((), || {
        // SAFETY: `producer_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(producer_options) });
    });
}

/// Sets the most records in a batch: default 0, which is no limit but that of the bytes.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_batch_records(
    producer_options: Option<&mut hstream_producer_options_t>,
    count: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        producer_options.change(|config| config.batch_records(count))
    })
}

/// Sets the most encoded bytes in a batch, before compression: default 0, which is 1,044,480, the most.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_batch_bytes(
    producer_options: Option<&mut hstream_producer_options_t>,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        producer_options.change(|config| config.batch_bytes(size(bytes)))
    })
}

/// Sets when a batch that is not full goes. 0, the default: as soon as its shard has nothing in flight, and
/// the next one grows meanwhile. More: at this age. -1: never by itself, a flush sends it.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_linger_ms(
    producer_options: Option<&mut hstream_producer_options_t>,
    age_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let linger = Linger::of(call::duration(age_ms, "age_ms")?);
        producer_options.change(|config| config.linger(linger))
    })
}

/// Sets how many bytes of records may be on the way: default 64 MiB. Appends wait for room. A shard that is written to
/// keeps room for the records that are likely to follow, 16 KiB at most, until its open batch is sent.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_buffer_bytes(
    producer_options: Option<&mut hstream_producer_options_t>,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        producer_options.change(|config| config.buffer_bytes(size(bytes)))
    })
}

/// Sets how many records may be on the way, with those whose report was not handed over: default 1,000,000.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_buffer_records(
    producer_options: Option<&mut hstream_producer_options_t>,
    count: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        producer_options.change(|config| config.buffer_records(size(count)))
    })
}

/// Sets how batches are compressed: HSTREAM_COMPRESSION_*, with a level (gzip 0 to 9, zstd 1 to 22) or
/// HSTREAM_LEVEL_DEFAULT. Default not at all.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, COMPRESSION if this build lacks it.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_compression(
    producer_options: Option<&mut hstream_producer_options_t>,
    kind: i32,
    level: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let compression = compression(kind, level)?;
        producer_options.change(|config| config.compression(compression))
    })
}

/// Sets how long after its first record a batch is given up: default 120,000; -1 is never.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_delivery_timeout_ms(
    producer_options: Option<&mut hstream_producer_options_t>,
    timeout_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let timeout = call::duration(timeout_ms, "timeout_ms")?.unwrap_or(Duration::MAX);
        producer_options.change(|config| config.delivery_timeout(timeout))
    })
}

/// Sets how often a batch is tried again, and the pauses between: default -1, which is until the delivery
/// time-out, 100 and 5,000.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, CONFIG.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_retry(
    producer_options: Option<&mut hstream_producer_options_t>,
    max_retries: i32,
    first_backoff_ms: i64,
    max_backoff_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let most = match max_retries {
            -1 => None,
            _ => Some(u32::try_from(max_retries).map_err(|_| {
                Failure::invalid(format!("`max_retries` is {max_retries}; less than -1 means nothing"))
            })?),
        };
        let first = call::positive(first_backoff_ms, "first_backoff_ms")?;
        let longest = call::positive(max_backoff_ms, "max_backoff_ms")?;
        let together = ProducerConfig::new().retry(most, first, longest);
        together.check_backoffs()?;
        producer_options.change(|config| config.retry(most, first, longest))
    })
}

/// Sets whether a batch is sent again when nobody knows whether it was written. 1, the default: rather
/// twice than not at all. 0: such records are reported as unknown.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_retry_ambiguous(
    producer_options: Option<&mut hstream_producer_options_t>,
    on: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let on = truth(on, "on")?;
        producer_options.change(|config| config.retry_ambiguous(on))
    })
}

/// Sets the most appends in flight over all shards: default 64.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_workers(
    producer_options: Option<&mut hstream_producer_options_t>,
    count: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        producer_options.change(|config| config.workers(size(count.into())))
    })
}

/// Sets the most appends in flight on one shard: default 1, which keeps the order. With more, the batches of a
/// shard are written in any order, and so are the records of one key.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_in_flight_per_shard(
    producer_options: Option<&mut hstream_producer_options_t>,
    batches: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        producer_options.change(|config| config.in_flight_per_shard(size(batches.into())))
    })
}

/// Sets what happens on a shard after one of its batches has failed for good: HSTREAM_FAILURE_*, default
/// HSTREAM_FAILURE_ABORT_QUEUED, which writes nothing behind a failure before its report was handed over, and
/// lets what failed be appended again in its place.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_failure_policy(
    producer_options: Option<&mut hstream_producer_options_t>,
    policy: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let policy = match policy {
            HSTREAM_FAILURE_ABORT_QUEUED => FailurePolicy::AbortQueued,
            HSTREAM_FAILURE_STOP => FailurePolicy::Stop,
            HSTREAM_FAILURE_CONTINUE => FailurePolicy::Continue,
            _ => return Err(no_policy(policy)),
        };
        producer_options.change(|config| config.failure_policy(policy))
    })
}

/// Sets what happens to records for a stream that was deleted and created anew, and whose shards are therefore
/// gone: HSTREAM_RECREATED_*. Default HSTREAM_RECREATED_FAIL: they fail, and so do further appends with the same
/// appender; one that is opened after that is of the new stream.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_recreated_stream(
    producer_options: Option<&mut hstream_producer_options_t>,
    policy: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let policy = match policy {
            HSTREAM_RECREATED_FAIL => RecreatedStream::Fail,
            HSTREAM_RECREATED_REROUTE => RecreatedStream::Reroute,
            _ => return Err(no_policy(policy)),
        };
        producer_options.change(|config| config.recreated_stream(policy))
    })
}

/// Sets whether records without a key go to all shards in turn, instead of to the one that the empty key hashes
/// to: default 0, as in all other clients.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_spread_keyless(
    producer_options: Option<&mut hstream_producer_options_t>,
    on: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let on = truth(on, "on")?;
        producer_options.change(|config| config.spread_keyless(on))
    })
}

/// Sets what is reported, where reports are called back or polled: HSTREAM_REPORTS_*, default all.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_reports(
    producer_options: Option<&mut hstream_producer_options_t>,
    which: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let which = reports(which)?;
        producer_options.change(|config| config.reports(which))
    })
}

/// Sets which reports lend their records back, to be kept elsewhere or appended again: HSTREAM_REPORTS_*, default
/// HSTREAM_REPORTS_FAILURES. Lent records keep their room in the buffer until their report is handed over.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_report_records(
    producer_options: Option<&mut hstream_producer_options_t>,
    which: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let which = reports(which)?;
        producer_options.change(|config| config.lend_records(which))
    })
}

/// Sets whether reports are kept until `hstream_producer_poll` takes them: default 0.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_report_polling(
    producer_options: Option<&mut hstream_producer_options_t>,
    on: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        let on = truth(on, "on")?;
        producer_options.config.polling = on;
        Ok(())
    })
}

/// Has reports delivered to a function, batch by batch, on a thread of the producer. `release` frees
/// `user_data` when nothing will call the function any more; not if this function fails.
///
/// May be NULL: `user_data`, `release`.
///
/// **Ownership**: `user_data` is the options' until it is released.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set_delivery_callback(
    producer_options: Option<&mut hstream_producer_options_t>,
    callback: hstream_delivery_fn,
    user_data: *mut c_void,
    release: hstream_release_fn,
) -> hstream_code_t {
    boundary::run(None, || {
        let producer_options = given(producer_options, "producer_options")?;
        if callback.is_none() {
            return Err(Failure::null("callback"));
        }
        producer_options.callback = Some(Callback::new(callback, user_data, release));
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
/// **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, COMPRESSION if this build lacks it, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_producer_options_set(
    producer_options: Option<&mut hstream_producer_options_t>,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let producer_options = given(producer_options, "producer_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        let mut changed = producer_options.config.without_callback();
        changed.set(key, value)?;
        producer_options.change(|_| changed)
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::ffi::append::HSTREAM_LEVEL_DEFAULT;

    #[test]
    fn numbers_and_texts_set_the_same() {
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let (numbers, texts) = (hstream_producer_options_new(), hstream_producer_options_new());
            let n = || numbers.as_mut();
            let set = |key: &std::ffi::CStr, value: &std::ffi::CStr| {
                hstream_producer_options_set(texts.as_mut(), key.as_ptr(), value.as_ptr(), None)
            };
            for (by_number, key, value) in [
                (hstream_producer_options_set_in_flight_per_shard(n(), 3), c"in.flight.per.shard", c"3"),
                (
                    hstream_producer_options_set_failure_policy(n(), HSTREAM_FAILURE_STOP),
                    c"failure.policy",
                    c"stop",
                ),
                (
                    hstream_producer_options_set_recreated_stream(n(), HSTREAM_RECREATED_REROUTE),
                    c"recreated.stream",
                    c"reroute",
                ),
                (hstream_producer_options_set_spread_keyless(n(), 1), c"spread.keyless", c"true"),
                (
                    hstream_producer_options_set_report_records(n(), HSTREAM_REPORTS_ALL),
                    c"report.records",
                    c"all",
                ),
                (
                    hstream_producer_options_set_reports(n(), HSTREAM_REPORTS_FAILURES),
                    c"reports",
                    c"failures",
                ),
                (hstream_producer_options_set_report_polling(n(), 1), c"report.polling", c"true"),
                (hstream_producer_options_set_linger_ms(n(), -1), c"linger.ms", c"-1"),
                (hstream_producer_options_set_batch_bytes(n(), 0), c"batch.bytes", c"0"),
                (hstream_producer_options_set_delivery_timeout_ms(n(), -1), c"delivery.timeout.ms", c"-1"),
                (
                    hstream_producer_options_set_compression(n(), 1, HSTREAM_LEVEL_DEFAULT),
                    c"compression.kind",
                    c"gzip",
                ),
            ] {
                assert_eq!((by_number, set(key, value)), (HSTREAM_OK, HSTREAM_OK), "{key:?}");
            }
            assert_eq!(format!("{:?}", (*numbers).config), format!("{:?}", (*texts).config));
            assert_eq!(set(c"linger", c"1"), HSTREAM_ERR_UNKNOWN_OPTION);
            assert_eq!(set(c"workers", c"0"), HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(set(c"compression.level", c"10"), HSTREAM_ERR_INVALID_ARGUMENT);
            hstream_producer_options_free(numbers);
            hstream_producer_options_free(texts);
        }
    }

    #[test]
    fn options_are_checked_at_once_and_contradictions_at_use() {
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let options = hstream_producer_options_new();
            let it = || options.as_mut();
            let bad = HSTREAM_ERR_INVALID_ARGUMENT;
            assert_eq!(hstream_producer_options_set_batch_records(it(), 0), HSTREAM_OK);
            assert_eq!(hstream_producer_options_set_batch_bytes(it(), 0), HSTREAM_OK);
            assert_eq!(hstream_producer_options_set_batch_bytes(it(), 1 << 20), bad);
            assert_eq!(hstream_producer_options_set_linger_ms(it(), -2), bad);
            assert_eq!(hstream_producer_options_set_buffer_bytes(it(), 0), bad);
            assert_eq!(hstream_producer_options_set_buffer_records(it(), 0), bad);
            assert_eq!(hstream_producer_options_set_compression(it(), 9, 1), bad);
            assert_eq!(hstream_producer_options_set_delivery_timeout_ms(it(), 0), bad);
            assert_eq!(hstream_producer_options_set_retry(it(), -2, 1, 1), bad);
            assert_eq!(hstream_producer_options_set_retry(it(), 2, 2, 1), HSTREAM_ERR_CONFIG);
            assert_eq!(hstream_producer_options_set_retry_ambiguous(it(), 2), bad);
            assert_eq!(hstream_producer_options_set_workers(it(), 0), bad);
            assert_eq!(hstream_producer_options_set_in_flight_per_shard(it(), 0), bad);
            assert_eq!(hstream_producer_options_set_failure_policy(it(), 3), bad);
            assert_eq!(hstream_producer_options_set_recreated_stream(it(), 2), bad);
            assert_eq!(hstream_producer_options_set_spread_keyless(it(), 2), bad);
            assert_eq!(hstream_producer_options_set_report_records(it(), -1), bad);
            assert_eq!(hstream_producer_options_set_reports(it(), 3), bad);
            assert_eq!(hstream_producer_options_set_report_polling(it(), 1), HSTREAM_OK);
            assert_eq!(hstream_producer_options_set_reports(it(), HSTREAM_REPORTS_NONE), HSTREAM_OK);
            let copy = hstream_producer_options_clone(options.as_ref());
            assert_eq!((*copy).config().check().err().unwrap().kind(), ErrorKind::Config);
            hstream_producer_options_free(copy);
            let set = hstream_producer_options_set_delivery_callback;
            assert_eq!(set(it(), None, ptr::null_mut(), None), HSTREAM_ERR_NULL_ARGUMENT);
            hstream_producer_options_free(options);
        }
    }
}
