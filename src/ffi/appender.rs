//! Appenders: one stream of a producer.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::call::{self, Interrupt};
use crate::ffi::cancel::hstream_cancel_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::producer::CountsOut;
use crate::ffi::record::hstream_record_t;
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::producer::Appender;
use crate::record::{BorrowedRaw, Record};
use crate::test_panic;
use crate::wait::{self, Wait};

/// Appends to one stream through a producer.
pub struct hstream_appender_t {
    life: Life,
    appender: Appender,
    name: Text,
    interrupt: Interrupt,
}

impl LongLived for hstream_appender_t {
    const NAME: &'static str = "appender";

    fn life(&self) -> &Life {
        &self.life
    }
}

impl hstream_appender_t {
    pub(crate) fn new(appender: Appender, interrupt: Interrupt) -> Self {
        hstream_appender_t { life: Life::new(), name: Text::new(appender.stream()), appender, interrupt }
    }
}

/// One time-out for the appends of one call.
struct Patience<'a> {
    timeout_ms: i64,
    since: Option<Instant>,
    cancel: Option<&'a hstream_cancel_t>,
    interrupt: &'a Interrupt,
}

impl<'a> Patience<'a> {
    fn new(timeout_ms: i64, cancel: Option<&'a hstream_cancel_t>, interrupt: &'a Interrupt) -> Self {
        Patience { timeout_ms, since: None, cancel, interrupt }
    }

    /// Tries without waiting first: only those that find no room look at the clock, and at what may end a wait.
    #[inline]
    fn append(&mut self, append: impl Fn(&Wait) -> Result<(), Error>) -> Outcome {
        match append(&wait::NO) {
            Ok(()) => Ok(()),
            Err(error) => self.append_again(error, append),
        }
    }

    /// The same where no other follows: what is never looked at costs nothing.
    #[inline]
    fn append_one(mut self, append: impl Fn(&Wait) -> Result<(), Error>) -> Outcome {
        match append(&wait::NO) {
            Ok(()) => Ok(()),
            Err(error) => self.append_again(error, append),
        }
    }

    #[cold]
    fn append_again(&mut self, error: Error, append: impl Fn(&Wait) -> Result<(), Error>) -> Outcome {
        if error.kind() != ErrorKind::QueueFull || self.timeout_ms == 0 {
            return Err(error.into());
        }
        boundary::aside(|| Ok(append(&self.rest()?)?))
    }

    fn rest(&mut self) -> Outcome<Wait> {
        if self.timeout_ms < 0 {
            return call::wait(self.timeout_ms, self.cancel, self.interrupt);
        }
        let spent = self.since.get_or_insert_with(Instant::now).elapsed().as_millis();
        let left = self.timeout_ms.saturating_sub(i64::try_from(spent).unwrap_or(i64::MAX)).max(1);
        call::wait(left, self.cancel, self.interrupt)
    }
}

/// One piece of a buffer that is cut at these ends.
fn piece<'a>(bytes: &'a [u8], ends: &[usize], index: usize, name: &'static str) -> Outcome<&'a [u8]> {
    let from = if index == 0 { 0 } else { ends[index - 1] };
    bytes.get(from..ends[index]).ok_or_else(|| Failure::invalid(format!("`{name}` goes down at {index}")))
}

/// Appends a record to the shard of its key. OK is accepted, not written: the report says what became of
/// it, and brings the tag back. Records of one shard are written in the order in which their appends
/// returned. A batch whose outcome is unknown is sent again by default, so a record may be written twice,
/// but is not lost. `timeout_ms` is for waiting for room: 0 is QUEUE_FULL at once, -1 without limit.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: The record is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: QUEUE_FULL, TIMEOUT, INTERRUPTED, CLOSED, RECORD_TOO_LARGE; INVALID_STATE if its shard is stopped
/// after a failure, or the stream was created anew. Then it was not accepted, and has no report.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_append(
    appender: *mut hstream_appender_t,
    record: Option<&hstream_record_t>,
    tag: u64,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    boundary::swiftly(appender, "appender", err, |appender| {
        test_panic::point("append", appender.appender.stream());
        let record = given(record, "record")?;
        call::check_duration(timeout_ms, "timeout_ms")?;
        let patience = Patience::new(timeout_ms, cancel, &appender.interrupt);
        record.lend(move |record| {
            patience.append_one(move |limit| appender.appender.append_within(record, tag, limit))
        })
    })
}

/// Appends a record of any bytes, as `hstream_appender_append`.
///
/// May be NULL: `key`, `payload`, `cancel`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: QUEUE_FULL, TIMEOUT, INTERRUPTED, CLOSED, RECORD_TOO_LARGE, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_append_raw(
    appender: *mut hstream_appender_t,
    key: *const c_void,
    key_len: usize,
    payload: *const c_void,
    payload_len: usize,
    tag: u64,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    boundary::swiftly(appender, "appender", err, |appender| {
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        // SAFETY: `payload` is NULL or as long as `payload_len` says, as the rules for callers say.
        let payload = unsafe { bytes::optional_data(payload, payload_len, "payload") }?;
        call::check_duration(timeout_ms, "timeout_ms")?;
        let patience = Patience::new(timeout_ms, cancel, &appender.interrupt);
        let record = BorrowedRaw { key, payload };
        patience.append_one(|limit| appender.appender.append_within(&record, tag, limit))
    })
}

/// Appends a JSON object, as `hstream_appender_append`.
///
/// May be NULL: `key`, `cancel`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: JSON, QUEUE_FULL, TIMEOUT, INTERRUPTED, CLOSED, RECORD_TOO_LARGE, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_append_json(
    appender: *mut hstream_appender_t,
    key: *const c_void,
    key_len: usize,
    json: *const c_void,
    json_len: usize,
    tag: u64,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    boundary::on(appender, "appender", err, |appender| {
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        if json.is_null() {
            return Err(Failure::null("json"));
        }
        // SAFETY: `json` is NULL or as long as `json_len` says, as the rules for callers say.
        let json = unsafe { bytes::data(json, json_len, "json") }?;
        let json = bytes::utf8(json, "json")?;
        let limit = call::wait(timeout_ms, cancel, &appender.interrupt)?;
        let record = Record::json(json)?.with_key(key);
        appender.appender.append_within(&record, tag, &limit)?;
        Ok(())
    })
}

/// Appends a record to a shard of the caller's choice, whatever its key, as `hstream_appender_append`.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: The record is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: INVALID_ARGUMENT if the stream has no such shard, QUEUE_FULL, TIMEOUT, INTERRUPTED, CLOSED,
/// RECORD_TOO_LARGE.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_append_to_shard(
    appender: *mut hstream_appender_t,
    shard_id: u64,
    record: Option<&hstream_record_t>,
    tag: u64,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    boundary::on(appender, "appender", err, |appender| {
        let record = given(record, "record")?;
        let limit = call::wait(timeout_ms, cancel, &appender.interrupt)?;
        appender.appender.append_to_shard(shard_id, &*record.to_append()?, tag, limit)?;
        Ok(())
    })
}

/// Appends records in order, and stops at the first that is not accepted. `accepted` says how many were,
/// also after a failure. Without tags each has the tag 0. The time-out is for all together.
///
/// May be NULL: `tags`, `cancel`, `accepted`, `err`.
///
/// **Ownership**: The records are copied.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: as `hstream_appender_append`, of the first not accepted.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_append_records(
    appender: *mut hstream_appender_t,
    records: *const *const hstream_record_t,
    tags: *const u64,
    count: usize,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    accepted: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    let mut accepted = accepted;
    bytes::write(accepted.as_deref_mut(), 0);
    boundary::on(appender, "appender", err, |appender| {
        // SAFETY: `records` is NULL or has `count` elements, as the rules for callers say.
        let records = unsafe { bytes::array(records, count, "records") }?;

        // SAFETY: `tags` is NULL or has `count` elements, as the rules for callers say.
        let tags = (!tags.is_null()).then(|| unsafe { bytes::array(tags, count, "tags") }).transpose()?;
        call::check_duration(timeout_ms, "timeout_ms")?;
        let mut patience = Patience::new(timeout_ms, cancel, &appender.interrupt);
        for (index, record) in records.iter().enumerate() {
            // SAFETY: each is NULL or a living record, as the rules for callers say.
            let record = given(unsafe { record.as_ref() }, "records")?;
            let tag = tags.map_or(0, |tags| tags[index]);
            record.lend(|record| {
                patience.append(|limit| appender.appender.append_within(record, tag, limit))
            })?;
            bytes::write(accepted.as_deref_mut(), index + 1);
        }
        Ok(())
    })
}

/// Appends raw records out of one buffer, in order, and stops at the first that is not accepted. The
/// payload of each ends at its place in `payload_ends` and begins where the one before ended; the keys
/// likewise, if there are any. Without tags each has the tag 0. The time-out is for all together.
///
/// May be NULL: `keys`, `key_ends`, `tags`, `cancel`, `accepted`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: as `hstream_appender_append`, of the first not accepted; INVALID_ARGUMENT if ends go down.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_append_packed(
    appender: *mut hstream_appender_t,
    payloads: *const c_void,
    payload_ends: *const usize,
    keys: *const c_void,
    key_ends: *const usize,
    tags: *const u64,
    count: usize,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    accepted: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    let mut accepted = accepted;
    bytes::write(accepted.as_deref_mut(), 0);
    boundary::on(appender, "appender", err, |appender| {
        // SAFETY: `payload_ends` is NULL or has `count` elements, as the rules for callers say.
        let payload_ends = unsafe { bytes::array(payload_ends, count, "payload_ends") }?;
        let payload_len = payload_ends.last().copied().unwrap_or(0);
        // SAFETY: `payloads` is NULL or goes up to its last end, as the rules for callers say.
        let payloads = unsafe { bytes::array(payloads.cast::<u8>(), payload_len, "payloads") }?;
        let keys = if key_ends.is_null() {
            None
        } else {
            // SAFETY: `key_ends` has `count` elements, as the rules for callers say.
            let key_ends = unsafe { bytes::array(key_ends, count, "key_ends") }?;
            let key_len = key_ends.last().copied().unwrap_or(0);
            // SAFETY: `keys` is NULL or goes up to its last end, as the rules for callers say.
            Some((unsafe { bytes::array(keys.cast::<u8>(), key_len, "keys") }?, key_ends))
        };
        // SAFETY: `tags` is NULL or has `count` elements, as the rules for callers say.
        let tags = (!tags.is_null()).then(|| unsafe { bytes::array(tags, count, "tags") }).transpose()?;
        call::check_duration(timeout_ms, "timeout_ms")?;
        let mut patience = Patience::new(timeout_ms, cancel, &appender.interrupt);
        for index in 0..count {
            let payload = piece(payloads, payload_ends, index, "payload_ends")?;
            let key = match keys {
                Some((keys, key_ends)) => bytes::utf8(piece(keys, key_ends, index, "key_ends")?, "keys")?,
                None => "",
            };
            let record = BorrowedRaw { key, payload };
            let tag = tags.map_or(0, |tags| tags[index]);
            patience.append(|limit| appender.appender.append_within(&record, tag, limit))?;
            bytes::write(accepted.as_deref_mut(), index + 1);
        }
        Ok(())
    })
}

/// Appends a record by way of the batches, and waits for its id: for programs with many threads. It has no
/// other report.
///
/// May be NULL: `cancel`, `value`, `err`.
///
/// **Ownership**: The record is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: as `hstream_appender_append`; TIMEOUT and INTERRUPTED are ambiguous once it was accepted.
/// WOULD_DEADLOCK in the producer's own callback.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_append_wait(
    appender: *mut hstream_appender_t,
    record: Option<&hstream_record_t>,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    value: Option<&mut MaybeUninit<hstream_record_id_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    boundary::on(appender, "appender", err, |appender| {
        let record = given(record, "record")?;
        let limit = call::wait(timeout_ms, cancel, &appender.interrupt)?;
        let id = appender.appender.append_wait(&*record.to_append()?, limit)?;
        bytes::write(value, id.into());
        Ok(())
    })
}

/// Sends what is buffered for this stream, and waits until everything appended to it before is settled and
/// reported. `written`, `failed` and `unknown` say how it ended.
///
/// May be NULL: `cancel`, `written`, `failed`, `unknown`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT, INTERRUPTED; they lose nothing. WOULD_DEADLOCK in the producer's own callback.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_flush(
    appender: *mut hstream_appender_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    written: Option<&mut MaybeUninit<u64>>,
    failed: Option<&mut MaybeUninit<u64>>,
    unknown: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    let counts = CountsOut::new(written, failed, unknown);
    boundary::on(appender, "appender", err, |appender| {
        let limit = call::wait(timeout_ms, cancel, &appender.interrupt)?;
        counts.set(appender.appender.flush(limit)?);
        Ok(())
    })
}

/// Does the same for one shard.
///
/// May be NULL: `cancel`, `written`, `failed`, `unknown`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: INVALID_ARGUMENT if the stream has no such shard, TIMEOUT, INTERRUPTED, WOULD_DEADLOCK.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_flush_shard(
    appender: *mut hstream_appender_t,
    shard_id: u64,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    written: Option<&mut MaybeUninit<u64>>,
    failed: Option<&mut MaybeUninit<u64>>,
    unknown: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    let counts = CountsOut::new(written, failed, unknown);
    boundary::on(appender, "appender", err, |appender| {
        let limit = call::wait(timeout_ms, cancel, &appender.interrupt)?;
        counts.set(appender.appender.flush_shard(shard_id, limit)?);
        Ok(())
    })
}

/// Does the same for the shard of a key.
///
/// May be NULL: `key`, `cancel`, `written`, `failed`, `unknown`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT, INTERRUPTED, WOULD_DEADLOCK, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_flush_key(
    appender: *mut hstream_appender_t,
    key: *const c_void,
    key_len: usize,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    written: Option<&mut MaybeUninit<u64>>,
    failed: Option<&mut MaybeUninit<u64>>,
    unknown: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    let counts = CountsOut::new(written, failed, unknown);
    boundary::on(appender, "appender", err, |appender| {
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        let limit = call::wait(timeout_ms, cancel, &appender.interrupt)?;
        counts.set(appender.appender.flush_key(key, limit)?);
        Ok(())
    })
}

/// Has a shard that was stopped by a failure take records again; 0 is all shards of the stream. Only
/// HSTREAM_FAILURE_STOP stops them; on others it does nothing.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT if the stream has no such shard.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_resume(
    appender: *mut hstream_appender_t,
    shard_id: u64,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    boundary::on(appender, "appender", err, |appender| {
        Ok(appender.appender.resume((shard_id != 0).then_some(shard_id))?)
    })
}

/// Returns the stream.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `appender`.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_stream_name(
    appender: *mut hstream_appender_t,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    // SAFETY: `appender` is NULL or a living handle, as the rules for callers say.
    let appender = unsafe { handles::enter(appender) };
    let len = bytes::zeroed(len);
    boundary::ask(appender, c"".as_ptr(), |appender| appender.name.lend(len))
}

/// Frees an appender. What was appended is still sent and reported.
///
/// May be NULL: `appender`.
///
/// **Ownership**: `appender` is gone after it.
/// **Threads**: any, once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_appender_free(appender: *mut hstream_appender_t) {
    boundary::freeing(|| {
        // SAFETY: `appender` is NULL or was handed out, as the rules for callers say.
        drop(unsafe { handles::retire(appender) });
    });
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_at_their_ends() {
        let ends = [2, 2, 5];
        let cut = |index| piece(b"abcde", &ends, index, "ends");
        assert_eq!((cut(0).unwrap(), cut(1).unwrap(), cut(2).unwrap()), (&b"ab"[..], &b""[..], &b"cde"[..]));
        assert!(piece(b"abcde", &[3, 1], 1, "ends").is_err());
        assert!(piece(b"abc", &[4], 0, "ends").is_err());
    }

    #[test]
    fn null_is_survived_and_what_was_accepted_is_written() {
        let (mut accepted, mut unknown) = (MaybeUninit::new(7), MaybeUninit::new(7));
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let null = std::ptr::null_mut();
            let none = std::ptr::null();
            let expected = HSTREAM_ERR_NULL_ARGUMENT;
            assert_eq!(hstream_appender_append(null, None, 0, 0, None, None), expected);
            assert_eq!(hstream_appender_append_raw(null, none, 0, none, 0, 0, 0, None, None), expected);
            assert_eq!(hstream_appender_append_json(null, none, 0, none, 0, 0, 0, None, None), expected);
            assert_eq!(hstream_appender_append_to_shard(null, 1, None, 0, 0, None, None), expected);
            let code = hstream_appender_append_records(
                null,
                std::ptr::null(),
                std::ptr::null(),
                1,
                0,
                None,
                Some(&mut accepted),
                None,
            );
            assert_eq!((code, accepted.assume_init()), (expected, 0));
            let ends = std::ptr::null();
            let code = hstream_appender_append_packed(
                null,
                none,
                ends,
                none,
                ends,
                std::ptr::null(),
                1,
                0,
                None,
                Some(&mut accepted),
                None,
            );
            assert_eq!((code, accepted.assume_init()), (expected, 0));
            assert_eq!(hstream_appender_append_wait(null, None, 0, None, None, None), expected);
            assert_eq!(hstream_appender_flush(null, 0, None, None, None, Some(&mut unknown), None), expected);
            assert_eq!(unknown.assume_init(), 0);
            assert_eq!(hstream_appender_flush_shard(null, 1, 0, None, None, None, None, None), expected);
            assert_eq!(hstream_appender_flush_key(null, none, 0, 0, None, None, None, None, None), expected);
            assert_eq!(hstream_appender_stream_name(null, None).read(), 0);
            hstream_appender_free(null);
        }
    }
}
