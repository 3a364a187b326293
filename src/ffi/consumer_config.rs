//! Options of a consumer.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use crate::consumer::{BadBatch, ConsumerConfig};
use crate::ffi::boundary::{self, Failure, Outcome, given, truth};
use crate::ffi::bytes;
use crate::ffi::call;
use crate::ffi::callback::{Callback, hstream_batch_fn, hstream_release_fn};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;

/// The records of a batch that can't be read are handed out with the code of the reason, and can be acked.
pub const HSTREAM_BAD_BATCH_REPORT: i32 = 0;
/// The consumer fails.
pub const HSTREAM_BAD_BATCH_FAIL: i32 = 1;
/// As HSTREAM_BAD_BATCH_REPORT, and the payload of each of the records is that of the batch, as it was received.
pub const HSTREAM_BAD_BATCH_RAW: i32 = 2;

/// Options of a consumer. They are copied when a consumer is made.
#[derive(Clone, Default)]
pub struct hstream_consumer_options_t {
    config: ConsumerConfig,
    callback: Option<Callback<hstream_batch_fn>>,
}

impl hstream_consumer_options_t {
    pub(crate) fn parts(&self) -> (ConsumerConfig, Option<Callback<hstream_batch_fn>>) {
        (self.config.clone(), self.callback.clone())
    }

    /// Takes the changed options if they are acceptable on their own.
    fn change(&mut self, change: impl FnOnce(ConsumerConfig) -> ConsumerConfig) -> Outcome {
        let changed = change(self.config.clone());
        changed.check_each()?;
        self.config = changed;
        Ok(())
    }
}

/// A number of things in memory.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Makes options, all default: a generated name, records by poll, acks by hand.
///
/// **Ownership**: The result is yours, to be freed with `hstream_consumer_options_free`; NULL if there is
/// none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_consumer_options_new() -> *mut hstream_consumer_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_consumer_options_t::default()))
}

/// Copies options; a callback's user data is shared.
///
/// **Ownership**: The result is yours, to be freed with `hstream_consumer_options_free`; NULL if there is
/// none.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_consumer_options_clone(
    consumer_options: Option<&hstream_consumer_options_t>,
) -> *mut hstream_consumer_options_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(consumer_options) = consumer_options else { return ptr::null_mut() };
        handles::give(consumer_options.clone())
    })
}

/// Frees options. The callback's user data is released when the consumers made with them are gone as well.
///
/// May be NULL: `consumer_options`.
///
/// **Ownership**: `consumer_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_free(consumer_options: *mut hstream_consumer_options_t) {
    boundary::quiet((), || {
        // SAFETY: `consumer_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(consumer_options) });
    });
}

/// Sets the consumer's name, unique among those of the subscription: default generated. A server that has not missed a
/// lost connection yet keeps the name taken: the consumer waits for it then, and so do acks. With a generated name it
/// comes back at once, with a number behind the name.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_name(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    name: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        consumer_options.change(|config| config.name(name))
    })
}

/// Has records delivered to a function, on a thread of the consumer, instead of polled; NULL takes it away.
/// `release` frees `user_data` when nothing will call the function any more; not if this function fails.
///
/// May be NULL: `callback`, `user_data`, `release`.
///
/// **Ownership**: `user_data` is the options' until it is released.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_callback(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    callback: hstream_batch_fn,
    user_data: *mut c_void,
    release: hstream_release_fn,
) -> hstream_code_t {
    boundary::run(None, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        consumer_options.callback = callback.is_some().then(|| Callback::new(callback, user_data, release));
        Ok(())
    })
}

/// Sets the most records that a callback gets at once: default 10,000.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_callback_records(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    max_records: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        consumer_options.change(|config| config.callback_records(size(max_records.into())))
    })
}

/// Sets whether a batch is acked when the callback returns HSTREAM_PROCESSED or HSTREAM_STOP, or at the
/// next poll: default 0.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_auto_ack(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    on: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        let on = truth(on, "on")?;
        consumer_options.change(|config| config.auto_ack(on))
    })
}

/// Sets what becomes of a batch that can't be read: HSTREAM_BAD_BATCH_*. Default HSTREAM_BAD_BATCH_REPORT.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_bad_batch(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    policy: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        let policy = match policy {
            HSTREAM_BAD_BATCH_REPORT => BadBatch::Report,
            HSTREAM_BAD_BATCH_FAIL => BadBatch::Fail,
            HSTREAM_BAD_BATCH_RAW => BadBatch::Raw,
            _ => {
                return Err(Failure::invalid(format!(
                    "`policy` is {policy}, and none of HSTREAM_BAD_BATCH_*"
                )));
            }
        };
        consumer_options.change(|config| config.bad_batch(policy))
    })
}

/// Sets when acks are sent: when there are so many, or the oldest is so old. Default 100 and 100 ms.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_ack_batch(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    count: u32,
    age_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        let age = call::duration(age_ms, "age_ms")?.unwrap_or(Duration::MAX);
        consumer_options.change(|config| config.ack_batch(size(count.into()), age))
    })
}

/// Sets how much may be received before it is polled: default 100,000 records and 32 MiB; 0 is refused. A consumer
/// that is full stops reading, and then the server delivers nothing to the subscription's other consumers either: the
/// better bound is that of the subscription's unacked records. There is no pause: `hstream_consumer_stop`, and
/// `hstream_consumer_start` later, are one that the other consumers do not feel.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_prefetch(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    records: u64,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        consumer_options.change(|config| config.prefetch(size(records), size(bytes)))
    })
}

/// Sets the largest batch that is decompressed: default 64 MiB. Records of a larger one have the code
/// DECODE.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_max_batch_bytes(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        consumer_options.change(|config| config.max_batch_bytes(size(bytes)))
    })
}

/// Sets the pauses between attempts to connect again: the first, doubled each time up to the longest, each shortened by
/// chance by up to a half. Default 100 and 10,000. There is no last attempt.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, CONFIG if the longest is less than the first.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set_reconnect(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    first_backoff_ms: i64,
    max_backoff_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        let first = call::positive(first_backoff_ms, "first_backoff_ms")?;
        let max = call::positive(max_backoff_ms, "max_backoff_ms")?;
        let changed = consumer_options.config.clone().reconnect(first, max);
        changed.clone().check()?;
        consumer_options.config = changed;
        Ok(())
    })
}

/// Sets any option but the callback by text. The keys are the names of the setters with dots, and
/// `hstream_options_schema_json` lists them with what they take.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_options_set(
    consumer_options: Option<&mut hstream_consumer_options_t>,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let consumer_options = given(consumer_options, "consumer_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        consumer_options.config.set(key, value)?;
        Ok(())
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    unsafe extern "C-unwind" fn count(user_data: *mut c_void) {
        // SAFETY: the test gives a number that outlives it.
        unsafe { *user_data.cast::<i32>() += 1 };
    }

    unsafe extern "C-unwind" fn batch(
        _: *const crate::ffi::batch::hstream_batch_t,
        _: *const crate::ffi::error::hstream_error_t,
        _: *mut c_void,
    ) -> i32 {
        0
    }

    #[test]
    fn setters_and_texts_set_the_same() {
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let (setters, texts) = (hstream_consumer_options_new(), hstream_consumer_options_new());
            let s = || setters.as_mut();
            let set = |key: &std::ffi::CStr, value: &std::ffi::CStr| {
                hstream_consumer_options_set(texts.as_mut(), key.as_ptr(), value.as_ptr(), None)
            };
            for (by_setter, values) in [
                (hstream_consumer_options_set_name(s(), c"me".as_ptr(), None), &[(c"name", c"me")][..]),
                (hstream_consumer_options_set_callback_records(s(), 2), &[(c"callback.records", c"2")]),
                (hstream_consumer_options_set_auto_ack(s(), 1), &[(c"auto.ack", c"true")]),
                (
                    hstream_consumer_options_set_bad_batch(s(), HSTREAM_BAD_BATCH_FAIL),
                    &[(c"bad.batch", c"fail")],
                ),
                (
                    hstream_consumer_options_set_ack_batch(s(), 3, -1),
                    &[(c"ack.batch.count", c"3"), (c"ack.batch.age.ms", c"-1")],
                ),
                (
                    hstream_consumer_options_set_prefetch(s(), 4, 5),
                    &[(c"prefetch.records", c"4"), (c"prefetch.bytes", c"5")],
                ),
                (
                    hstream_consumer_options_set_reconnect(s(), 7, 8),
                    &[(c"reconnect.first.backoff.ms", c"7"), (c"reconnect.max.backoff.ms", c"8")],
                ),
                (hstream_consumer_options_set_max_batch_bytes(s(), 6), &[(c"max.batch.bytes", c"6")]),
            ] {
                assert_eq!(by_setter, HSTREAM_OK, "{values:?}");
                for (key, value) in values {
                    assert_eq!(set(key, value), HSTREAM_OK, "{key:?}");
                }
            }
            assert_eq!(format!("{:?}", (*setters).config), format!("{:?}", (*texts).config));
            assert_eq!(set(c"prefetch", c"1"), HSTREAM_ERR_UNKNOWN_OPTION);
            assert_eq!(set(c"name", c"1st"), HSTREAM_ERR_INVALID_ARGUMENT);
            hstream_consumer_options_free(setters);
            hstream_consumer_options_free(texts);
        }
    }

    #[test]
    fn options_are_checked_and_user_data_is_released_once() {
        let mut released = 0;
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let data = (&raw mut released).cast();
            let options = hstream_consumer_options_new();
            let bad = HSTREAM_ERR_INVALID_ARGUMENT;
            assert_eq!(hstream_consumer_options_set_name(options.as_mut(), c"1".as_ptr(), None), bad);
            assert_eq!(hstream_consumer_options_set_callback_records(options.as_mut(), 0), bad);
            assert_eq!(hstream_consumer_options_set_auto_ack(options.as_mut(), -1), bad);
            assert_eq!(hstream_consumer_options_set_bad_batch(options.as_mut(), 3), bad);
            assert_eq!(
                hstream_consumer_options_set_bad_batch(options.as_mut(), HSTREAM_BAD_BATCH_RAW),
                HSTREAM_OK
            );
            assert_eq!(hstream_consumer_options_set_ack_batch(options.as_mut(), 0, 1), bad);
            assert_eq!(hstream_consumer_options_set_prefetch(options.as_mut(), 0, 1), bad);
            assert_eq!(hstream_consumer_options_set_max_batch_bytes(options.as_mut(), 0), bad);
            assert_eq!(hstream_consumer_options_set_reconnect(options.as_mut(), 1, 0), bad);
            assert_eq!(hstream_consumer_options_set_reconnect(options.as_mut(), 2, 1), HSTREAM_ERR_CONFIG);
            let set = hstream_consumer_options_set_callback;
            assert_eq!(set(None, Some(batch), data, Some(count)), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(set(options.as_mut(), Some(batch), data, Some(count)), HSTREAM_OK);
            let copy = hstream_consumer_options_clone(options.as_ref());
            hstream_consumer_options_free(options);
            assert_eq!(*data.cast::<i32>(), 0);
            assert_eq!(set(copy.as_mut(), None, data, Some(count)), HSTREAM_OK);
            assert_eq!(*data.cast::<i32>(), 1);
            hstream_consumer_options_free(copy);
        }
        assert_eq!(released, 1);
    }
}
