//! Records: made to be appended, or received.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use crate::codec::batch::DecodedBatch;
use crate::error::Error;
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::hrecord::hstream_hrecord_t;
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::received::ReceivedRecord;
use crate::record::{Record, RecordKind};
use crate::record_id::RecordId;

/// The payload is a JSON object.
pub const HSTREAM_RECORD_JSON: i32 = 0;
/// The payload is any bytes.
pub const HSTREAM_RECORD_RAW: i32 = 1;

/// A record: a payload with its key and attributes, and of a received one where and when it was stored.
pub struct hstream_record_t {
    content: Content,
    /// Key and attributes with terminators; made when first asked for, unmade by changes.
    texts: OnceLock<Box<Texts>>,
}

enum Content {
    Owned {
        record: Record,
        received: Option<(RecordId, Option<SystemTime>)>,
    },
    /// In a batch that was received.
    Received {
        batch: Arc<DecodedBatch>,
        index: usize,
    },
}

struct Texts {
    key: Text,
    attributes: Vec<(Text, Text)>,
}

impl From<Record> for hstream_record_t {
    fn from(record: Record) -> Self {
        Content::Owned { record, received: None }.into()
    }
}

impl From<Content> for hstream_record_t {
    fn from(content: Content) -> Self {
        hstream_record_t { content, texts: OnceLock::new() }
    }
}

/// A kind by its number.
pub(crate) fn kind_of(kind: RecordKind) -> i32 {
    match kind {
        RecordKind::Json => HSTREAM_RECORD_JSON,
        RecordKind::Raw => HSTREAM_RECORD_RAW,
    }
}

impl hstream_record_t {
    pub(crate) fn received(batch: Arc<DecodedBatch>, index: usize) -> Self {
        Content::Received { batch, index }.into()
    }

    /// Lends the record, to be appended.
    #[inline]
    pub(crate) fn lend(&self, to: impl FnOnce(&Record) -> Outcome) -> Outcome {
        match &self.content {
            Content::Owned { record, .. } => to(record),
            Content::Received { .. } => boundary::aside(move || to(&*self.to_append()?)),
        }
    }

    /// The record, to be appended.
    pub(crate) fn to_append(&self) -> Outcome<Cow<'_, Record>> {
        match &self.content {
            Content::Owned { record, .. } => Ok(Cow::Borrowed(record)),
            Content::Received { batch, index } => {
                Ok(Cow::Owned(ReceivedRecord::at(batch, *index).to_record()?))
            }
        }
    }

    pub(crate) fn id(&self) -> Option<RecordId> {
        match &self.content {
            Content::Owned { received, .. } => received.map(|(id, _)| id),
            Content::Received { batch, index } => Some(ReceivedRecord::at(batch, *index).id()),
        }
    }

    pub(crate) fn publish_time(&self) -> Option<SystemTime> {
        match &self.content {
            Content::Owned { received, .. } => received.and_then(|(_, time)| time),
            Content::Received { batch, index } => ReceivedRecord::at(batch, *index).publish_time(),
        }
    }

    pub(crate) fn error(&self) -> Option<&Error> {
        match &self.content {
            Content::Owned { .. } => None,
            Content::Received { batch, index } => ReceivedRecord::at(batch, *index).error(),
        }
    }

    pub(crate) fn kind(&self) -> i32 {
        kind_of(match &self.content {
            Content::Owned { record, .. } => record.kind(),
            Content::Received { batch, index } => ReceivedRecord::at(batch, *index).kind(),
        })
    }

    pub(crate) fn payload(&self) -> &[u8] {
        match &self.content {
            Content::Owned { record, .. } => record.payload(),
            Content::Received { batch, index } => {
                let record = ReceivedRecord::at(batch, *index);
                record.raw_batch().map_or(record.payload(), |(_, batch)| batch)
            }
        }
    }

    pub(crate) fn key(&self) -> &str {
        match &self.content {
            Content::Owned { record, .. } => record.key(),
            Content::Received { batch, index } => ReceivedRecord::at(batch, *index).key(),
        }
    }

    fn attributes(&self) -> BTreeMap<&str, &str> {
        match &self.content {
            Content::Owned { record, .. } => {
                record.attributes().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
            }
            Content::Received { batch, index } => ReceivedRecord::at(batch, *index).attributes().collect(),
        }
    }

    fn texts(&self) -> &Texts {
        self.texts.get_or_init(|| {
            let attributes = self.attributes().into_iter();
            Box::new(Texts {
                key: Text::new(self.key()),
                attributes: attributes.map(|(name, value)| (Text::new(name), Text::new(value))).collect(),
            })
        })
    }

    fn to_hrecord(&self) -> Outcome<crate::hrecord::HRecord> {
        Ok(match &self.content {
            Content::Owned { record, .. } => record.to_hrecord()?,
            Content::Received { batch, index } => ReceivedRecord::at(batch, *index).to_hrecord()?,
        })
    }

    /// The record, to be changed.
    fn change(&mut self) -> Outcome<&mut Record> {
        self.texts = OnceLock::new();
        match &mut self.content {
            Content::Owned { record, .. } => Ok(record),
            Content::Received { .. } => {
                let text = "a received record can't be changed; clone it";
                Err(Failure::refused(HSTREAM_ERR_INVALID_STATE, text))
            }
        }
    }

    /// A record of its own, with a payload of its own.
    fn deep_clone(&self) -> Self {
        let content = match &self.content {
            Content::Owned { record, received } => {
                Content::Owned { record: record.clone(), received: *received }
            }
            Content::Received { batch, index } => {
                let received = ReceivedRecord::at(batch, *index);
                match received.to_record() {
                    Ok(shared) => {
                        // Not a slice of the batch: a small record must not keep a large one.
                        let payload = ::bytes::Bytes::copy_from_slice(shared.payload());
                        let mut record = Record::from_parts(shared.kind(), payload).with_key(shared.key());
                        for (name, value) in shared.attributes() {
                            record.set_attribute(name, value);
                        }
                        Content::Owned { record, received: Some((received.id(), received.publish_time())) }
                    }
                    // It can't be read, but it still has its id.
                    Err(_) => Content::Received { batch: batch.clone(), index: *index },
                }
            }
        };
        content.into()
    }
}

/// Makes a record of any bytes; none at all is fine.
///
/// May be NULL: `payload`, `key`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_record_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: UTF8 of the key, INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_record_new_raw(
    payload: *const c_void,
    payload_len: usize,
    key: *const c_void,
    key_len: usize,
    out: Option<&mut MaybeUninit<*mut hstream_record_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        // SAFETY: `payload` is NULL or as long as `payload_len` says, as the rules for callers say.
        let payload = unsafe { bytes::optional_data(payload, payload_len, "payload") }?;
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        let out = given(out, "out")?;
        let record = Record::raw(::bytes::Bytes::copy_from_slice(payload)).with_key(key);
        out.write(handles::give(record.into()));
        Ok(())
    })
}

/// Makes a record of a JSON object.
///
/// May be NULL: `key`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_record_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: JSON, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_record_new_json(
    json: *const c_void,
    json_len: usize,
    key: *const c_void,
    key_len: usize,
    out: Option<&mut MaybeUninit<*mut hstream_record_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        if json.is_null() {
            return Err(Failure::null("json"));
        }
        // SAFETY: `json` is NULL or as long as `json_len` says, as the rules for callers say.
        let json = unsafe { bytes::data(json, json_len, "json") }?;
        let json = bytes::utf8(json, "json")?;
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        let out = given(out, "out")?;
        let record = Record::json(json)?.with_key(key);
        out.write(handles::give(record.into()));
        Ok(())
    })
}

/// Makes a record of an hrecord, which is copied.
///
/// May be NULL: `key`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_record_free`.
/// **Threads**: any, while `hrecord` is not changed.
/// **Blocking**: no.
/// **Errors**: JSON, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_record_new_hrecord(
    hrecord: Option<&hstream_hrecord_t>,
    key: *const c_void,
    key_len: usize,
    out: Option<&mut MaybeUninit<*mut hstream_record_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        let out = given(out, "out")?;
        let record = Record::hrecord(hrecord.inner().clone())?.with_key(key);
        out.write(handles::give(record.into()));
        Ok(())
    })
}

/// Copies a record with its payload, also one that was lent; a received one keeps its id and time.
///
/// **Ownership**: The result is yours, to be freed with `hstream_record_free`; NULL if there is none.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_record_clone(record: Option<&hstream_record_t>) -> *mut hstream_record_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(record) = record else { return ptr::null_mut() };
        handles::give(record.deep_clone())
    })
}

/// Frees a record.
///
/// May be NULL: `record`.
///
/// **Ownership**: `record` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_free(record: *mut hstream_record_t) {
    boundary::quiet((), || {
        // SAFETY: `record` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(record) });
    });
}

/// Sets the partition key; empty is none.
///
/// May be NULL: `key`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UTF8, INVALID_STATE for a lent one.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_set_key(
    record: Option<&mut hstream_record_t>,
    key: *const c_void,
    key_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let record = given(record, "record")?;
        // SAFETY: `key` is NULL or as long as `key_len` says, as the rules for callers say.
        let key = unsafe { bytes::optional_data(key, key_len, "key") }?;
        let key = bytes::utf8(key, "key")?;
        record.change()?.set_key(key);
        Ok(())
    })
}

/// Sets an attribute: a name and a text that travel beside the payload.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UTF8, INVALID_STATE for a lent one.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_set_attribute(
    record: Option<&mut hstream_record_t>,
    name: *const c_char,
    value: *const c_void,
    value_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let record = given(record, "record")?;
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        if value.is_null() {
            return Err(Failure::null("value"));
        }
        // SAFETY: `value` is NULL or as long as `value_len` says, as the rules for callers say.
        let value = unsafe { bytes::data(value, value_len, "value") }?;
        let value = bytes::utf8(value, "value")?;
        record.change()?.set_attribute(name, value);
        Ok(())
    })
}

/// Takes an attribute out; returns 1 if it was there, else 0.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_remove_attribute(
    record: Option<&mut hstream_record_t>,
    name: *const c_char,
) -> i32 {
    boundary::quiet(0, || {
        let Some(record) = record else { return 0 };
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let Ok(name) = (unsafe { bytes::text(name, "name") }) else { return 0 };
        record.change().is_ok_and(|record| record.remove_attribute(name).is_some()).into()
    })
}

/// Returns how the payload is to be read: HSTREAM_RECORD_JSON or HSTREAM_RECORD_RAW.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_kind(record: Option<&hstream_record_t>) -> i32 {
    boundary::quiet(HSTREAM_RECORD_RAW, || {
        let Some(record) = record else { return HSTREAM_RECORD_RAW };
        record.kind()
    })
}

/// Returns HSTREAM_OK, or why a received record can't be read: DECODE, COMPRESSION. It can be acked all the
/// same.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_code(record: Option<&hstream_record_t>) -> hstream_code_t {
    boundary::quiet(HSTREAM_ERR_NULL_ARGUMENT, || {
        let Some(record) = record else { return HSTREAM_ERR_NULL_ARGUMENT };
        record.error().map_or(HSTREAM_OK, code_of)
    })
}

/// Returns the payload: the bytes of a raw record, the encoded Struct of a JSON one.
///
/// **Ownership**: The result is borrowed from `record`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_payload(
    record: Option<&hstream_record_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_void {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr().cast(), || {
        let Some(record) = record else { return c"".as_ptr().cast() };
        bytes::lend_bytes(record.payload(), len)
    })
}

/// Returns the partition key; "" if there is none.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `record`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_key(
    record: Option<&hstream_record_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(record) = record else { return c"".as_ptr() };
        record.texts().key.lend(len)
    })
}

/// Returns the number of attributes.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_attribute_count(record: Option<&hstream_record_t>) -> usize {
    boundary::quiet(0, || {
        let Some(record) = record else { return 0 };
        record.texts().attributes.len()
    })
}

/// Returns the name of an attribute, in sorted order; "" beyond the last.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `record`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_attribute_name_at(
    record: Option<&hstream_record_t>,
    index: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(record) = record else { return c"".as_ptr() };
        record.texts().attributes.get(index).map_or(c"".as_ptr(), |(name, _)| name.lend(len))
    })
}

/// Returns the value of an attribute, in the order of the names; "" beyond the last.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `record`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_attribute_value_at(
    record: Option<&hstream_record_t>,
    index: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(record) = record else { return c"".as_ptr() };
        record.texts().attributes.get(index).map_or(c"".as_ptr(), |(_, value)| value.lend(len))
    })
}

/// Returns the value of an attribute; "" if there is none. `present` says which: 1 or 0.
///
/// May be NULL: `present`, `len`.
///
/// **Ownership**: The result is borrowed from `record`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_attribute(
    record: Option<&hstream_record_t>,
    name: *const c_char,
    present: Option<&mut MaybeUninit<i32>>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(record) = record else { return c"".as_ptr() };
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let Ok(name) = (unsafe { bytes::text(name, "name") }) else { return c"".as_ptr() };
        let attributes = &record.texts().attributes;
        let found = attributes.iter().find(|(candidate, _)| candidate.as_bytes() == name.as_bytes());
        bytes::write(present, found.is_some().into());
        found.map_or(c"".as_ptr(), |(_, value)| value.lend(len))
    })
}

/// Gets the id of a received record.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE for one that was not received.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_id(
    record: Option<&hstream_record_t>,
    value: Option<&mut MaybeUninit<hstream_record_id_t>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let record = given(record, "record")?;
        let value = given(value, "value")?;
        let id = record.id().ok_or_else(|| {
            Failure::refused(HSTREAM_ERR_INVALID_STATE, "a record that was not received has no id")
        })?;
        value.write(id.into());
        Ok(())
    })
}

/// Returns when the server stored a received record, in milliseconds since 1970; 0 if unknown.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_publish_time_ms(record: Option<&hstream_record_t>) -> i64 {
    boundary::quiet(0, || {
        let Some(record) = record else { return 0 };
        bytes::millis(record.publish_time())
    })
}

/// Returns the encoded size, which is what limits count.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_size(record: Option<&hstream_record_t>) -> usize {
    boundary::quiet(0, || {
        let Some(record) = record else { return 0 };
        record.to_append().map_or(0, |record| record.encoded_len())
    })
}

/// Writes the JSON object in the payload.
///
/// May be NULL: `text_len`, `err`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE for a raw record, DECODE, JSON for NaN and infinities.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_to_json(
    record: Option<&hstream_record_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let record = given(record, "record")?;
        let text = given(text, "text")?;
        bytes::give_text(&record.to_hrecord()?.to_json()?, text, text_len)
    })
}

/// Reads the JSON object in the payload.
///
/// May be NULL: `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_hrecord_free`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE for a raw record, DECODE.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_record_to_hrecord(
    record: Option<&hstream_record_t>,
    out: Option<&mut MaybeUninit<*mut hstream_hrecord_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let record = given(record, "record")?;
        let out = given(out, "out")?;
        out.write(handles::give(record.to_hrecord()?.into()));
        Ok(())
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn what_is_set_is_there_and_null_is_survived() {
        let (mut out, mut present) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let key = c"k".as_ptr().cast();
            let code = hstream_record_new_raw(c"abc".as_ptr().cast(), 3, key, 1, Some(&mut out), None);
            assert_eq!(code, HSTREAM_OK);
            let record: *mut hstream_record_t = out.assume_init();
            let value = c"v".as_ptr().cast();
            let set =
                |name: &CStr| hstream_record_set_attribute(record.as_mut(), name.as_ptr(), value, 1, None);
            assert_eq!((set(c"b"), set(c"a"), set(c"\xff")), (HSTREAM_OK, HSTREAM_OK, HSTREAM_ERR_UTF8));
            assert_eq!(hstream_record_attribute_count(record.as_ref()), 2);
            let first = hstream_record_attribute_name_at(record.as_ref(), 0, None);
            assert_eq!(CStr::from_ptr(first), c"a");
            assert_eq!(hstream_record_attribute_name_at(record.as_ref(), 2, None).read(), 0);
            hstream_record_attribute(record.as_ref(), c"zz".as_ptr(), Some(&mut present), None);
            assert_eq!(present.assume_init(), 0);
            assert_eq!(hstream_record_remove_attribute(record.as_mut(), c"a".as_ptr()), 1);
            assert_eq!(hstream_record_remove_attribute(record.as_mut(), c"a".as_ptr()), 0);
            let mut id = MaybeUninit::uninit();
            assert_eq!(hstream_record_id(record.as_ref(), Some(&mut id)), HSTREAM_ERR_INVALID_STATE);
            assert_eq!(hstream_record_publish_time_ms(record.as_ref()), 0);
            assert_eq!(hstream_record_kind(record.as_ref()), HSTREAM_RECORD_RAW);
            let mut text = MaybeUninit::uninit();
            let code = hstream_record_to_json(record.as_ref(), Some(&mut text), None, None);
            assert_eq!(code, HSTREAM_ERR_INVALID_STATE);
            let copy = hstream_record_clone(record.as_ref());
            hstream_record_free(record);
            let mut len = MaybeUninit::uninit();
            let payload = hstream_record_payload(copy.as_ref(), Some(&mut len));
            assert_eq!(std::slice::from_raw_parts(payload.cast::<u8>(), len.assume_init()), b"abc");
            assert_eq!(CStr::from_ptr(hstream_record_key(copy.as_ref(), None)), c"k");
            assert!(hstream_record_size(copy.as_ref()) > 3);
            hstream_record_free(copy);

            assert_eq!(
                hstream_record_new_raw(ptr::null(), 0, ptr::null(), 0, None, None),
                HSTREAM_ERR_NULL_ARGUMENT
            );
            assert_eq!(
                hstream_record_new_json(ptr::null(), 0, ptr::null(), 0, Some(&mut out), None),
                HSTREAM_ERR_NULL_ARGUMENT
            );
            assert_eq!(hstream_record_code(None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_record_payload(None, None).cast::<u8>().read(), 0);
            assert!(hstream_record_clone(None).is_null());
            assert_eq!(hstream_record_size(None), 0);
        }
    }
}
