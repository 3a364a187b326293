//! Options of a reader.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use crate::ffi::boundary::{self, Outcome, given};
use crate::ffi::bytes;
use crate::ffi::call;
use crate::ffi::callback::{Callback, hstream_batch_fn, hstream_release_fn};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::offset::{hstream_offset_t, offset_of};
use crate::ffi::status::*;
use crate::reader::{Position, ReaderConfig};

/// Options of a reader. They are copied when a reader is opened.
#[derive(Clone, Default)]
pub struct hstream_reader_options_t {
    config: ReaderConfig,
    callback: Option<Callback<hstream_batch_fn>>,
}

impl hstream_reader_options_t {
    pub(crate) fn parts(&self) -> (ReaderConfig, Option<Callback<hstream_batch_fn>>) {
        (self.config.clone(), self.callback.clone())
    }

    /// Takes the changed options if they are acceptable on their own.
    fn change(&mut self, change: impl FnOnce(ReaderConfig) -> ReaderConfig) -> Outcome {
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

/// Makes options, all default: from the earliest record, and on as records come.
///
/// **Ownership**: The result is yours, to be freed with `hstream_reader_options_free`; NULL if there is
/// none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_reader_options_new() -> *mut hstream_reader_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_reader_options_t::default()))
}

/// Copies options; a callback's user data is shared.
///
/// **Ownership**: The result is yours, to be freed with `hstream_reader_options_free`; NULL if there is
/// none.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_reader_options_clone(
    reader_options: Option<&hstream_reader_options_t>,
) -> *mut hstream_reader_options_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(reader_options) = reader_options else { return ptr::null_mut() };
        handles::give(reader_options.clone())
    })
}

/// Frees options. The callback's user data is released when the readers opened with them are gone as well.
///
/// May be NULL: `reader_options`.
///
/// **Ownership**: `reader_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_free(reader_options: *mut hstream_reader_options_t) {
    boundary::quiet((), || {
        // SAFETY: `reader_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(reader_options) });
    });
}

/// Sets the first record: default the earliest that is kept. A record is one of the shard that is read, and can't be
/// set for a whole stream.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_from(
    reader_options: Option<&mut hstream_reader_options_t>,
    r#where: Option<&hstream_offset_t>,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        let from = offset_of(r#where, "where")?;
        reader_options.change(|config| config.from(from))
    })
}

/// Has a reader go on behind what an earlier one of the same stream has handed out: `position` is what
/// `hstream_reader_position_text` said of that. Shards that it does not name begin as
/// `hstream_reader_options_set_from` says; "" names none.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_position(
    reader_options: Option<&mut hstream_reader_options_t>,
    position: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let reader_options = given(reader_options, "reader_options")?;
        // SAFETY: `position` is NULL or a NUL-terminated text, as the rules for callers say.
        let position = unsafe { bytes::text(position, "position") }?.parse::<Position>()?;
        reader_options.change(|config| config.position(position))
    })
}

/// Sets the last record, inclusive. Default there is none, and the reader goes on as records come; for one of a key it
/// is the latest. The latest is the last that there is when the reader is opened, and a time the one at which the
/// server stored a batch.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_until(
    reader_options: Option<&mut hstream_reader_options_t>,
    r#where: Option<&hstream_offset_t>,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        let until = offset_of(r#where, "where")?;
        reader_options.change(|config| config.until(until))
    })
}

/// Sets the most batches to read, as they were appended, of all shards together: default 0, which is no limit.
/// Readers of one key have no such limit.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_max_batches(
    reader_options: Option<&mut hstream_reader_options_t>,
    count: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        reader_options.change(|config| config.max_batches(count))
    })
}

/// Sets how many bytes may be received before they are read: default 32 MiB; 0 is refused. A message of the server may
/// go over it.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_buffer_bytes(
    reader_options: Option<&mut hstream_reader_options_t>,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        reader_options.change(|config| {
            let records = config.prefetch_records;
            config.prefetch(records, size(bytes))
        })
    })
}

/// Sets how many records may be received before they are read: default 100,000; 0 is refused. A message of the server
/// may go over it.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_buffer_records(
    reader_options: Option<&mut hstream_reader_options_t>,
    count: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        reader_options.change(|config| {
            let bytes = config.prefetch_bytes;
            config.prefetch(size(count), bytes)
        })
    })
}

/// Sets the largest batch that is decompressed: default 64 MiB. Records of a larger one have the code DECODE.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_max_batch_bytes(
    reader_options: Option<&mut hstream_reader_options_t>,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        reader_options.change(|config| config.max_batch_bytes(size(bytes)))
    })
}

/// Sets what the server calls the reader in its log.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_label(
    reader_options: Option<&mut hstream_reader_options_t>,
    label: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let reader_options = given(reader_options, "reader_options")?;
        // SAFETY: `label` is NULL or a NUL-terminated text, as the rules for callers say.
        let label = unsafe { bytes::text(label, "label") }?;
        reader_options.change(|config| config.label(label))
    })
}

/// Has records delivered to a function, on a thread of the reader, from `hstream_reader_start` on, instead of read;
/// NULL takes it away. HSTREAM_KEEP of it is as HSTREAM_PROCESSED: readers ack nothing. `release` frees `user_data`
/// when nothing will call the function any more; not if this function fails.
///
/// May be NULL: `callback`, `user_data`, `release`.
///
/// **Ownership**: `user_data` is the options' until it is released.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_callback(
    reader_options: Option<&mut hstream_reader_options_t>,
    callback: hstream_batch_fn,
    user_data: *mut c_void,
    release: hstream_release_fn,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        reader_options.callback = callback.is_some().then(|| Callback::new(callback, user_data, release));
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
pub unsafe extern "C" fn hstream_reader_options_set_callback_records(
    reader_options: Option<&mut hstream_reader_options_t>,
    max_records: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        reader_options.change(|config| config.callback_records(size(max_records.into())))
    })
}

/// Sets the pauses between attempts to open a read again that was lost: the first, doubled each time up to the longest, each shortened by
/// chance by up to a half. Default 100 and 10,000. There is no last attempt.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, CONFIG if the longest is less than the first.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_reader_options_set_reopen(
    reader_options: Option<&mut hstream_reader_options_t>,
    first_backoff_ms: i64,
    max_backoff_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let reader_options = given(reader_options, "reader_options")?;
        let first = call::positive(first_backoff_ms, "first_backoff_ms")?;
        let max = call::positive(max_backoff_ms, "max_backoff_ms")?;
        let changed = reader_options.config.clone().reopen(first, max);
        changed.check()?;
        reader_options.config = changed;
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
pub unsafe extern "C" fn hstream_reader_options_set(
    reader_options: Option<&mut hstream_reader_options_t>,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let reader_options = given(reader_options, "reader_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        reader_options.config.set(key, value)?;
        Ok(())
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;
    use crate::ffi::offset::{hstream_offset_at_record, hstream_offset_latest};
    use crate::ffi::record_id::hstream_record_id_t;

    #[test]
    fn setters_and_texts_set_the_same() {
        let mut latest = MaybeUninit::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            hstream_offset_latest(Some(&mut latest));
            let latest = Some(latest.assume_init_ref());
            let (setters, texts) = (hstream_reader_options_new(), hstream_reader_options_new());
            let s = || setters.as_mut();
            let set = |key: &std::ffi::CStr, value: &std::ffi::CStr| {
                hstream_reader_options_set(texts.as_mut(), key.as_ptr(), value.as_ptr(), None)
            };
            let position = c"1-2-3";
            for (key, value) in [(c"reopen.first.backoff.ms", c"6"), (c"reopen.max.backoff.ms", c"7")] {
                assert_eq!(set(key, value), HSTREAM_OK);
            }
            assert_eq!(hstream_reader_options_set_reopen(s(), 6, 7), HSTREAM_OK);
            for (by_setter, key, value) in [
                (hstream_reader_options_set_from(s(), latest), c"from", c"latest"),
                (hstream_reader_options_set_position(s(), position.as_ptr(), None), c"position", position),
                (hstream_reader_options_set_until(s(), latest), c"until", c"latest"),
                (hstream_reader_options_set_max_batches(s(), 4), c"max.batches", c"4"),
                (hstream_reader_options_set_buffer_bytes(s(), 5), c"buffer.bytes", c"5"),
                (hstream_reader_options_set_buffer_records(s(), 8), c"buffer.records", c"8"),
                (hstream_reader_options_set_max_batch_bytes(s(), 9), c"max.batch.bytes", c"9"),
                (hstream_reader_options_set_callback_records(s(), 10), c"callback.records", c"10"),
                (hstream_reader_options_set_label(s(), c"me".as_ptr(), None), c"label", c"me"),
            ] {
                assert_eq!((by_setter, set(key, value)), (HSTREAM_OK, HSTREAM_OK), "{key:?}");
            }
            assert_eq!(format!("{:?}", (*setters).config), format!("{:?}", (*texts).config));
            assert_eq!(set(c"labels", c"me"), HSTREAM_ERR_UNKNOWN_OPTION);
            assert_eq!(set(c"buffer.records", c"0"), HSTREAM_ERR_INVALID_ARGUMENT);
            hstream_reader_options_free(setters);
            hstream_reader_options_free(texts);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_once() {
        let mut nowhere = MaybeUninit::<hstream_offset_t>::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            hstream_offset_at_record(None::<&hstream_record_id_t>, Some(&mut nowhere));
            let nowhere = Some(nowhere.assume_init_ref());
            let options = hstream_reader_options_new();
            let bad = HSTREAM_ERR_INVALID_ARGUMENT;
            assert_eq!(hstream_reader_options_set_from(options.as_mut(), nowhere), bad);
            assert_eq!(hstream_reader_options_set_until(options.as_mut(), nowhere), bad);
            assert_eq!(hstream_reader_options_set_position(options.as_mut(), c"1-2".as_ptr(), None), bad);
            assert_eq!(hstream_reader_options_set_buffer_bytes(options.as_mut(), 0), bad);
            assert_eq!(hstream_reader_options_set_buffer_records(options.as_mut(), 0), bad);
            assert_eq!(hstream_reader_options_set_max_batch_bytes(options.as_mut(), 0), bad);
            assert_eq!(hstream_reader_options_set_callback_records(options.as_mut(), 0), bad);
            assert_eq!(hstream_reader_options_set_reopen(options.as_mut(), 0, 1), bad);
            assert_eq!(hstream_reader_options_set_reopen(options.as_mut(), 2, 1), HSTREAM_ERR_CONFIG);
            let untouched = ReaderConfig::default();
            assert_eq!(format!("{:?}", (*options).config), format!("{untouched:?}"));
            hstream_reader_options_free(options);
        }
    }
}
