//! Options of a producer.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::compression::Compression;
use crate::ffi::append::compression;
use crate::ffi::boundary::{self, Failure, Outcome, given, truth};
use crate::ffi::call;
use crate::ffi::callback::{Callback, hstream_delivery_fn, hstream_release_fn};
use crate::ffi::delivery::hstream_deliveries_t;
use crate::ffi::handles;
use crate::ffi::status::*;
use crate::producer::{Deliveries, Linger, ProducerConfig, Reports};

/// Report all records.
pub const HSTREAM_REPORTS_ALL: i32 = 0;
/// Report those that were not, or perhaps not, written.
pub const HSTREAM_REPORTS_FAILURES: i32 = 1;
/// Report none.
pub const HSTREAM_REPORTS_NONE: i32 = 2;

/// Options of a producer. They are copied when a producer is made.
#[derive(Clone, Default)]
pub struct hstream_producer_options_t {
    // What was not set stays with the defaults of the library.
    batch_records: Option<u32>,
    batch_bytes: Option<usize>,
    linger: Option<Linger>,
    buffer_bytes: Option<usize>,
    buffer_records: Option<usize>,
    compression: Option<Compression>,
    delivery_timeout: Option<Duration>,
    retry: Option<(Option<u32>, Duration, Duration)>,
    retry_ambiguous: Option<bool>,
    workers: Option<usize>,
    reports: Option<i32>,
    polling: bool,
    callback: Option<Callback<hstream_delivery_fn>>,
}

impl hstream_producer_options_t {
    /// The options, but for how reports are handed over.
    fn limits(&self) -> ProducerConfig {
        fn set<T>(
            config: ProducerConfig,
            value: Option<T>,
            setter: impl FnOnce(ProducerConfig, T) -> ProducerConfig,
        ) -> ProducerConfig {
            match value {
                Some(value) => setter(config, value),
                None => config,
            }
        }
        let config = ProducerConfig::new();
        let config = set(config, self.batch_records, ProducerConfig::batch_records);
        let config = set(config, self.batch_bytes, ProducerConfig::batch_bytes);
        let config = set(config, self.linger, ProducerConfig::linger);
        let config = set(config, self.buffer_bytes, ProducerConfig::buffer_bytes);
        let config = set(config, self.buffer_records, ProducerConfig::buffer_records);
        let config = set(config, self.compression, ProducerConfig::compression);
        let config = set(config, self.delivery_timeout, ProducerConfig::delivery_timeout);
        let config =
            set(config, self.retry, |config, (most, first, longest)| config.retry(most, first, longest));
        let config = set(config, self.retry_ambiguous, ProducerConfig::retry_ambiguous);
        set(config, self.workers, ProducerConfig::workers)
    }

    pub(crate) fn config(&self) -> Outcome<ProducerConfig> {
        let contradiction = |text: &'static str| Err(Failure::refused(HSTREAM_ERR_CONFIG, text));
        let wanted = self.polling || self.callback.is_some();
        let config = match self.reports.unwrap_or(HSTREAM_REPORTS_ALL) {
            HSTREAM_REPORTS_NONE if wanted => {
                return contradiction("there is a way for reports, but no reports are to be made");
            }
            HSTREAM_REPORTS_FAILURES => self.limits().reports(Reports::Failures),
            _ => self.limits(),
        };
        match &self.callback {
            Some(_) if self.polling => contradiction("reports can go to a callback or be polled, not both"),
            Some(callback) => {
                let callback = callback.clone();
                Ok(config.on_delivery(move |deliveries: &Deliveries| {
                    let lent = Arc::new(hstream_deliveries_t::new(deliveries.clone()));
                    callback.call(Arc::as_ptr(&lent));
                }))
            }
            None if self.polling => Ok(config.poll_reports()),
            None => Ok(config),
        }
    }

    /// Takes the changed options if they are acceptable on their own.
    fn change(&mut self, change: impl FnOnce(&mut Self)) -> Outcome {
        let mut changed = self.clone();
        change(&mut changed);
        changed.limits().check()?;
        *self = changed;
        Ok(())
    }
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
        producer_options.change(|options| options.batch_records = Some(count))
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
        producer_options.change(|options| options.batch_bytes = (bytes > 0).then(|| size(bytes)))
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
        let linger = match call::duration(age_ms, "age_ms")? {
            None => Linger::ByHand,
            Some(Duration::ZERO) => Linger::WhenIdle,
            Some(age) => Linger::For(age),
        };
        producer_options.change(|options| options.linger = Some(linger))
    })
}

/// Sets how many bytes of records may be on the way: default 64 MiB. Appends wait for room.
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
        producer_options.change(|options| options.buffer_bytes = Some(size(bytes)))
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
        producer_options.change(|options| options.buffer_records = Some(size(count)))
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
        producer_options.change(|options| options.compression = Some(compression))
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
        producer_options.change(|options| options.delivery_timeout = Some(timeout))
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
        producer_options.change(|options| options.retry = Some((most, first, longest)))
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
        producer_options.change(|options| options.retry_ambiguous = Some(on))
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
        producer_options.change(|options| options.workers = Some(size(count.into())))
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
        if !(HSTREAM_REPORTS_ALL..=HSTREAM_REPORTS_NONE).contains(&which) {
            return Err(Failure::invalid(format!("`which` is {which}, which is no choice of reports")));
        }
        producer_options.reports = Some(which);
        Ok(())
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
        producer_options.polling = truth(on, "on")?;
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
            return Err(Failure::Null("callback"));
        }
        producer_options.callback = Some(Callback::new(callback, user_data, release));
        Ok(())
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

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
            assert_eq!(hstream_producer_options_set_reports(it(), 3), bad);
            assert_eq!(hstream_producer_options_set_report_polling(it(), 1), HSTREAM_OK);
            assert_eq!(hstream_producer_options_set_reports(it(), HSTREAM_REPORTS_NONE), HSTREAM_OK);
            let copy = hstream_producer_options_clone(options.as_ref());
            assert!(matches!((*copy).config(), Err(Failure::Refused(HSTREAM_ERR_CONFIG, _))));
            hstream_producer_options_free(copy);
            let set = hstream_producer_options_set_delivery_callback;
            assert_eq!(set(it(), None, ptr::null_mut(), None), HSTREAM_ERR_NULL_ARGUMENT);
            hstream_producer_options_free(options);
        }
    }
}
