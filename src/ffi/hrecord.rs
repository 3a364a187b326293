//! JSON objects as records.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use crate::ffi::boundary::{self, Failure, Outcome, given, truth};
use crate::ffi::bytes::{self, Text};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;
use crate::hrecord::{HRecord, HValue};

/// There is no such field.
pub const HSTREAM_TYPE_ABSENT: i32 = 0;
/// `null`.
pub const HSTREAM_TYPE_NULL: i32 = 1;
/// `true` or `false`.
pub const HSTREAM_TYPE_BOOL: i32 = 2;
/// A number: a double.
pub const HSTREAM_TYPE_NUMBER: i32 = 3;
/// A text.
pub const HSTREAM_TYPE_STRING: i32 = 4;
/// A list of values.
pub const HSTREAM_TYPE_LIST: i32 = 5;
/// An object in the object.
pub const HSTREAM_TYPE_OBJECT: i32 = 6;

/// A JSON object: field names to values, sorted by name.
pub struct hstream_hrecord_t {
    record: HRecord,
    /// Names, and the values that are strings, with terminators; made when first asked for, unmade by changes.
    texts: OnceLock<Vec<(Text, Option<Text>)>>,
}

impl From<HRecord> for hstream_hrecord_t {
    fn from(record: HRecord) -> Self {
        hstream_hrecord_t { record, texts: OnceLock::new() }
    }
}

impl hstream_hrecord_t {
    pub(crate) fn inner(&self) -> &HRecord {
        &self.record
    }

    fn texts(&self) -> &[(Text, Option<Text>)] {
        self.texts.get_or_init(|| {
            let fields = self.record.fields();
            fields.map(|(name, value)| (Text::new(name), value.as_str().map(Text::new))).collect()
        })
    }

    fn set(&mut self, field: &str, value: HValue) {
        self.texts = OnceLock::new();
        self.record.set(field, value);
    }

    fn value(&self, field: &str) -> Outcome<&HValue> {
        self.record.get(field).ok_or_else(|| {
            Failure::refused(HSTREAM_ERR_INVALID_STATE, format!("there is no field `{field}`"))
        })
    }
}

fn other_type(field: &str, wanted: &str) -> Failure {
    Failure::refused(HSTREAM_ERR_INVALID_STATE, format!("the field `{field}` is not {wanted}"))
}

/// Makes an empty object.
///
/// **Ownership**: The result is yours, to be freed with `hstream_hrecord_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_hrecord_new() -> *mut hstream_hrecord_t {
    boundary::quiet(ptr::null_mut(), || handles::give(HRecord::new().into()))
}

/// Reads a JSON object. Integers that a double can't hold exactly are refused rather than rounded.
///
/// May be NULL: `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_hrecord_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: JSON, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_hrecord_from_json(
    json: *const c_void,
    json_len: usize,
    out: Option<&mut MaybeUninit<*mut hstream_hrecord_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        if json.is_null() {
            return Err(Failure::null("json"));
        }
        // SAFETY: `json` is NULL or as long as `json_len` says, as the rules for callers say.
        let json = unsafe { bytes::data(json, json_len, "json") }?;
        let json = bytes::utf8(json, "json")?;
        let out = given(out, "out")?;
        out.write(handles::give(HRecord::from_json(json)?.into()));
        Ok(())
    })
}

/// Writes it as JSON. Whole numbers come without a fraction.
///
/// May be NULL: `text_len`, `err`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: JSON for NaN and infinities.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_to_json(
    hrecord: Option<&hstream_hrecord_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let hrecord = given(hrecord, "hrecord")?;
        let text = given(text, "text")?;
        bytes::give_text(&hrecord.record.to_json()?, text, text_len)
    })
}

/// Copies it.
///
/// **Ownership**: The result is yours, to be freed with `hstream_hrecord_free`; NULL if there is none.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_hrecord_clone(
    hrecord: Option<&hstream_hrecord_t>,
) -> *mut hstream_hrecord_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(hrecord) = hrecord else { return ptr::null_mut() };
        handles::give(hrecord.record.clone().into())
    })
}

/// Frees it.
///
/// May be NULL: `hrecord`.
///
/// **Ownership**: `hrecord` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_free(hrecord: *mut hstream_hrecord_t) {
    boundary::quiet((), || {
        // SAFETY: `hrecord` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(hrecord) });
    });
}

/// Returns the number of fields.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_field_count(hrecord: Option<&hstream_hrecord_t>) -> usize {
    boundary::quiet(0, || {
        let Some(hrecord) = hrecord else { return 0 };
        hrecord.record.len()
    })
}

/// Returns the name of a field, in sorted order; "" beyond the last.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `hrecord`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_field_name_at(
    hrecord: Option<&hstream_hrecord_t>,
    index: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(hrecord) = hrecord else { return c"".as_ptr() };
        hrecord.texts().get(index).map_or(c"".as_ptr(), |(name, _)| name.lend(len))
    })
}

/// Returns the type of a field: HSTREAM_TYPE_*.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_type(
    hrecord: Option<&hstream_hrecord_t>,
    field: *const c_char,
) -> i32 {
    boundary::quiet(0, || {
        let Some(hrecord) = hrecord else { return 0 };
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let Ok(field) = (unsafe { bytes::text(field, "field") }) else { return 0 };
        match hrecord.record.get(field) {
            None => HSTREAM_TYPE_ABSENT,
            Some(HValue::Null) => HSTREAM_TYPE_NULL,
            Some(HValue::Bool(_)) => HSTREAM_TYPE_BOOL,
            Some(HValue::Number(_)) => HSTREAM_TYPE_NUMBER,
            Some(HValue::String(_)) => HSTREAM_TYPE_STRING,
            Some(HValue::List(_)) => HSTREAM_TYPE_LIST,
            Some(HValue::Object(_)) => HSTREAM_TYPE_OBJECT,
        }
    })
}

/// Sets a field to null.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_set_null(
    hrecord: Option<&mut hstream_hrecord_t>,
    field: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let field = unsafe { bytes::text(field, "field") }?;
        hrecord.set(field, HValue::Null);
        Ok(())
    })
}

/// Sets a field to false or true: 0 or 1.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UTF8, INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_set_bool(
    hrecord: Option<&mut hstream_hrecord_t>,
    field: *const c_char,
    value: i32,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let field = unsafe { bytes::text(field, "field") }?;
        hrecord.set(field, HValue::Bool(truth(value, "value")?));
        Ok(())
    })
}

/// Sets a field to a number. NaN and infinities can be appended, but are no JSON.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_set_number(
    hrecord: Option<&mut hstream_hrecord_t>,
    field: *const c_char,
    value: f64,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let field = unsafe { bytes::text(field, "field") }?;
        hrecord.set(field, HValue::Number(value));
        Ok(())
    })
}

/// Sets a field to a text.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_set_string(
    hrecord: Option<&mut hstream_hrecord_t>,
    field: *const c_char,
    value: *const c_void,
    value_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let field = unsafe { bytes::text(field, "field") }?;
        if value.is_null() {
            return Err(Failure::null("value"));
        }
        // SAFETY: `value` is NULL or as long as `value_len` says, as the rules for callers say.
        let value = unsafe { bytes::data(value, value_len, "value") }?;
        let value = bytes::utf8(value, "value")?;
        hrecord.set(field, HValue::String(value.to_owned()));
        Ok(())
    })
}

/// Sets a field to any JSON value: a list, an object, or something simpler.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: JSON, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_set_json(
    hrecord: Option<&mut hstream_hrecord_t>,
    field: *const c_char,
    json: *const c_void,
    json_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let field = unsafe { bytes::text(field, "field") }?;
        if json.is_null() {
            return Err(Failure::null("json"));
        }
        // SAFETY: `json` is NULL or as long as `json_len` says, as the rules for callers say.
        let json = unsafe { bytes::data(json, json_len, "json") }?;
        let json = bytes::utf8(json, "json")?;
        hrecord.set(field, HValue::from_json(json)?);
        Ok(())
    })
}

/// Gets a truth value: 0 or 1.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE if it is absent or of another type, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_get_bool(
    hrecord: Option<&hstream_hrecord_t>,
    field: *const c_char,
    value: Option<&mut MaybeUninit<i32>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let field = unsafe { bytes::text(field, "field") }?;
        let value = given(value, "value")?;
        let found = hrecord.value(field)?.as_bool().ok_or_else(|| other_type(field, "a truth value"))?;
        value.write(found.into());
        Ok(())
    })
}

/// Gets a number.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE if it is absent or of another type, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_get_number(
    hrecord: Option<&hstream_hrecord_t>,
    field: *const c_char,
    value: Option<&mut MaybeUninit<f64>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let field = unsafe { bytes::text(field, "field") }?;
        let value = given(value, "value")?;
        value.write(hrecord.value(field)?.as_number().ok_or_else(|| other_type(field, "a number"))?);
        Ok(())
    })
}

/// Returns a text; "" if the field is absent or of another type, so ask for the type first.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `hrecord`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_get_string(
    hrecord: Option<&hstream_hrecord_t>,
    field: *const c_char,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(hrecord) = hrecord else { return c"".as_ptr() };
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let Ok(field) = (unsafe { bytes::text(field, "field") }) else { return c"".as_ptr() };
        let found = hrecord.texts().iter().find(|(name, _)| name.as_bytes() == field.as_bytes());
        let text = found.and_then(|(_, value)| value.as_ref());
        text.map_or(c"".as_ptr(), |text| text.lend(len))
    })
}

/// Writes the value of a field as JSON.
///
/// May be NULL: `text_len`, `err`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE if it is absent, JSON for NaN and infinities, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_get_json(
    hrecord: Option<&hstream_hrecord_t>,
    field: *const c_char,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let hrecord = given(hrecord, "hrecord")?;
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let field = unsafe { bytes::text(field, "field") }?;
        let text = given(text, "text")?;
        bytes::give_text(&hrecord.value(field)?.to_json()?, text, text_len)
    })
}

/// Takes a field out; returns 1 if it was there, else 0.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_hrecord_remove(
    hrecord: Option<&mut hstream_hrecord_t>,
    field: *const c_char,
) -> i32 {
    boundary::quiet(0, || {
        let Some(hrecord) = hrecord else { return 0 };
        // SAFETY: `field` is NULL or a NUL-terminated text, as the rules for callers say.
        let Ok(field) = (unsafe { bytes::text(field, "field") }) else { return 0 };
        hrecord.texts = OnceLock::new();
        hrecord.record.remove(field).is_some().into()
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn fields_are_set_read_and_removed() {
        let (mut flag, mut number) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        let mut text = MaybeUninit::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let record = hstream_hrecord_new();
            let value = c"x\"y".as_ptr().cast();
            assert_eq!(
                hstream_hrecord_set_string(record.as_mut(), c"s".as_ptr(), value, 3, None),
                HSTREAM_OK
            );
            assert_eq!(hstream_hrecord_set_bool(record.as_mut(), c"b".as_ptr(), 1, None), HSTREAM_OK);
            assert_eq!(
                hstream_hrecord_set_bool(record.as_mut(), c"b".as_ptr(), 2, None),
                HSTREAM_ERR_INVALID_ARGUMENT
            );
            assert_eq!(hstream_hrecord_set_number(record.as_mut(), c"n".as_ptr(), 1.5, None), HSTREAM_OK);
            assert_eq!(hstream_hrecord_set_null(record.as_mut(), c"z".as_ptr(), None), HSTREAM_OK);
            let json = c"[1,{}]".as_ptr().cast();
            assert_eq!(
                hstream_hrecord_set_json(record.as_mut(), c"l".as_ptr(), json, bytes::HSTREAM_NTS, None),
                HSTREAM_OK
            );
            assert_eq!(hstream_hrecord_field_count(record.as_ref()), 5);
            assert_eq!(CStr::from_ptr(hstream_hrecord_field_name_at(record.as_ref(), 0, None)), c"b");
            assert_eq!(hstream_hrecord_get_bool(record.as_ref(), c"b".as_ptr(), Some(&mut flag)), HSTREAM_OK);
            assert_eq!(
                hstream_hrecord_get_bool(record.as_ref(), c"n".as_ptr(), Some(&mut flag)),
                HSTREAM_ERR_INVALID_STATE
            );
            assert_eq!(
                hstream_hrecord_get_number(record.as_ref(), c"n".as_ptr(), Some(&mut number)),
                HSTREAM_OK
            );
            assert_eq!((flag.assume_init(), number.assume_init()), (1, 1.5));
            assert_eq!(
                CStr::from_ptr(hstream_hrecord_get_string(record.as_ref(), c"s".as_ptr(), None)),
                c"x\"y"
            );
            assert_eq!(hstream_hrecord_type(record.as_ref(), c"q".as_ptr()), HSTREAM_TYPE_ABSENT);
            assert_eq!(hstream_hrecord_type(record.as_ref(), c"l".as_ptr()), HSTREAM_TYPE_LIST);
            assert_eq!(hstream_hrecord_remove(record.as_mut(), c"l".as_ptr()), 1);
            assert_eq!(hstream_hrecord_to_json(record.as_ref(), Some(&mut text), None, None), HSTREAM_OK);
            assert_eq!(CStr::from_ptr(text.assume_init()), cr#"{"b":true,"n":1.5,"s":"x\"y","z":null}"#);
            bytes::free_text(text.assume_init());
            hstream_hrecord_free(record);
        }
    }

    #[test]
    fn null_is_survived() {
        // SAFETY: NULL is allowed.
        unsafe {
            assert_eq!(hstream_hrecord_field_count(None), 0);
            assert_eq!(hstream_hrecord_get_string(None, ptr::null(), None).read(), 0);
            assert_eq!(hstream_hrecord_type(None, ptr::null()), HSTREAM_TYPE_ABSENT);
            assert_eq!(hstream_hrecord_set_null(None, ptr::null(), None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_hrecord_from_json(ptr::null(), 0, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_hrecord_remove(None, ptr::null()), 0);
            assert!(hstream_hrecord_clone(None).is_null());
            hstream_hrecord_free(ptr::null_mut());
        }
    }
}
