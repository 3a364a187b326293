//! Reports of what became of records.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;

use crate::ffi::boundary::{self, Failure, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::record::hstream_record_t;
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::producer::Deliveries;
use crate::producer::reports::Portion;

/// Reports of some records of one batch. Read them from any thread; they never change.
pub struct hstream_deliveries_t {
    deliveries: Deliveries,
    /// Which of them are here.
    range: Range<usize>,
    stream: Text,
    error: Option<hstream_error_t>,
    /// The records of a batch that failed; made when first asked for, as the columns.
    records: OnceLock<Box<[hstream_record_t]>>,
    ids: OnceLock<Box<[hstream_record_id_t]>>,
    codes: OnceLock<Box<[i32]>>,
}

impl hstream_deliveries_t {
    pub(crate) fn new(deliveries: Deliveries) -> Self {
        Self::part(Portion::all(deliveries))
    }

    pub(crate) fn part(Portion { deliveries, range }: Portion) -> Self {
        hstream_deliveries_t {
            stream: Text::new(deliveries.stream()),
            error: deliveries.error().map(hstream_error_t::of),
            deliveries,
            range,
            records: OnceLock::new(),
            ids: OnceLock::new(),
            codes: OnceLock::new(),
        }
    }

    fn code(&self) -> hstream_code_t {
        self.deliveries.error().map_or(HSTREAM_OK, code_of)
    }

    fn tags(&self) -> &[u64] {
        &self.deliveries.tags()[self.range.clone()]
    }

    /// The ids, zeros if nothing was written.
    fn ids(&self) -> &[hstream_record_id_t] {
        self.ids.get_or_init(|| {
            let ids = self.deliveries.iter().skip(self.range.start).take(self.range.len());
            ids.map(|delivered| delivered.result().map(Into::into).unwrap_or_default()).collect()
        })
    }

    fn records(&self) -> &[hstream_record_t] {
        self.records.get_or_init(|| {
            let records = self.deliveries.records();
            records.skip(self.range.start).take(self.range.len()).map(Into::into).collect()
        })
    }
}

/// Frees reports, or one reference to them.
///
/// May be NULL: `deliveries`.
///
/// **Ownership**: `deliveries` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_free(deliveries: *mut hstream_deliveries_t) {
    boundary::quiet((), || {
        // SAFETY: `deliveries` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::unshare(deliveries) });
    });
}

/// Returns the reports once more: to keep those that were lent to a callback.
///
/// **Ownership**: The result is yours, to be freed with `hstream_deliveries_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_deliveries_ref(
    deliveries: Option<&hstream_deliveries_t>,
) -> *mut hstream_deliveries_t {
    // SAFETY: `deliveries` is NULL or living reports, all of which are counted.
    unsafe { handles::share_again(deliveries.map_or(ptr::null(), ptr::from_ref)) }
}

/// Returns the number of reports.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_count(deliveries: Option<&hstream_deliveries_t>) -> usize {
    boundary::quiet(0, || {
        let Some(deliveries) = deliveries else { return 0 };
        deliveries.range.len()
    })
}

/// Returns what the caller gave the record when it was appended; 0 beyond the last.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_tag(
    deliveries: Option<&hstream_deliveries_t>,
    index: usize,
) -> u64 {
    boundary::quiet(0, || {
        let Some(deliveries) = deliveries else { return 0 };
        deliveries.tags().get(index).copied().unwrap_or(0)
    })
}

/// Returns HSTREAM_OK if the record was written, or why not; INVALID_ARGUMENT beyond the last.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_code(
    deliveries: Option<&hstream_deliveries_t>,
    index: usize,
) -> hstream_code_t {
    boundary::quiet(HSTREAM_ERR_NULL_ARGUMENT, || {
        let Some(deliveries) = deliveries else { return HSTREAM_ERR_NULL_ARGUMENT };
        if index < deliveries.range.len() { deliveries.code() } else { HSTREAM_ERR_INVALID_ARGUMENT }
    })
}

/// Gets the id of a record that was written.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT beyond the last, INVALID_STATE if it was not written.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_record_id(
    deliveries: Option<&hstream_deliveries_t>,
    index: usize,
    value: Option<&mut MaybeUninit<hstream_record_id_t>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let deliveries = given(deliveries, "deliveries")?;
        let value = given(value, "value")?;
        let id = deliveries
            .ids()
            .get(index)
            .ok_or_else(|| Failure::invalid("`index` is beyond the last report"))?;
        if deliveries.error.is_some() {
            return Err(Failure::refused(
                HSTREAM_ERR_INVALID_STATE,
                "a record that was not written has no id",
            ));
        }
        value.write(*id);
        Ok(())
    })
}

/// Returns why a record was not written; NULL if it was.
///
/// **Ownership**: The result is borrowed from `deliveries`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_error(
    deliveries: Option<&hstream_deliveries_t>,
    index: usize,
) -> *const hstream_error_t {
    boundary::quiet(ptr::null(), || {
        let Some(deliveries) = deliveries else { return ptr::null() };
        let error = deliveries.error.as_ref().filter(|_| index < deliveries.range.len());
        error.map_or(ptr::null(), ptr::from_ref)
    })
}

/// Returns the stream that a record was appended to; "" beyond the last.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `deliveries`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_stream_name(
    deliveries: Option<&hstream_deliveries_t>,
    index: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(deliveries) = deliveries else { return c"".as_ptr() };
        if index < deliveries.range.len() { deliveries.stream.lend(len) } else { c"".as_ptr() }
    })
}

/// Returns the shard that a record went to, or should have gone to; 0 beyond the last.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_shard_id(
    deliveries: Option<&hstream_deliveries_t>,
    index: usize,
) -> u64 {
    boundary::quiet(0, || {
        let Some(deliveries) = deliveries else { return 0 };
        if index < deliveries.range.len() { deliveries.deliveries.shard_id() } else { 0 }
    })
}

/// Returns a record, to be appended again or kept elsewhere; NULL where it is not lent. By default those that were
/// not written are; `hstream_producer_options_set_report_records` says otherwise.
///
/// **Ownership**: The result is borrowed from `deliveries`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_record(
    deliveries: Option<&hstream_deliveries_t>,
    index: usize,
) -> *const hstream_record_t {
    boundary::quiet(ptr::null(), || {
        let Some(deliveries) = deliveries else { return ptr::null() };
        deliveries.records().get(index).map_or(ptr::null(), ptr::from_ref)
    })
}

/// Returns the tags of all.
///
/// **Ownership**: The result is borrowed from `deliveries`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_tags(deliveries: Option<&hstream_deliveries_t>) -> *const u64 {
    boundary::quiet(ptr::null(), || {
        let Some(deliveries) = deliveries else { return ptr::null() };
        deliveries.tags().as_ptr()
    })
}

/// Returns the codes of all.
///
/// **Ownership**: The result is borrowed from `deliveries`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_codes(deliveries: Option<&hstream_deliveries_t>) -> *const i32 {
    boundary::quiet(ptr::null(), || {
        let Some(deliveries) = deliveries else { return ptr::null() };
        deliveries.codes.get_or_init(|| vec![deliveries.code(); deliveries.range.len()].into()).as_ptr()
    })
}

/// Returns the ids of all: zeros where the code is not HSTREAM_OK.
///
/// **Ownership**: The result is borrowed from `deliveries`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_deliveries_record_ids(
    deliveries: Option<&hstream_deliveries_t>,
) -> *const hstream_record_id_t {
    boundary::quiet(ptr::null(), || {
        let Some(deliveries) = deliveries else { return ptr::null() };
        deliveries.ids().as_ptr()
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;
    use crate::codec::append::Written;
    use crate::error::{Error, ErrorKind};
    use crate::ffi::record::hstream_record_key;
    use crate::record::Record;

    fn failed() -> Deliveries {
        let mut bytes = Vec::new();
        for key in ["a", "b", "c"] {
            crate::codec::record::encode(&Record::raw("x").with_key(key), &mut bytes);
        }
        let outcome = Err(Error::new(ErrorKind::Aborted, "never sent"));
        Deliveries::new("s".into(), 4, vec![5, 6, 7], outcome, Some(bytes.into()))
    }

    fn parts(deliveries: Deliveries, most: usize) -> [hstream_deliveries_t; 2] {
        let mut first = Portion::all(deliveries);
        let rest = first.split_off(most).unwrap();
        assert!(first.split_off(most).is_none(), "that was all");
        [first, rest].map(hstream_deliveries_t::part)
    }

    #[test]
    fn failures_lend_their_records_back_also_in_parts() {
        let [first, rest] = parts(failed(), 2);
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            assert_eq!(hstream_deliveries_count(Some(&first)), 2);
            assert_eq!(hstream_deliveries_count(Some(&rest)), 1);
            assert_eq!(hstream_deliveries_tag(Some(&rest), 0), 7);
            assert_eq!(hstream_deliveries_tags(Some(&rest)).read(), 7);
            assert_eq!(hstream_deliveries_code(Some(&first), 1), HSTREAM_ERR_ABORTED);
            assert_eq!(hstream_deliveries_codes(Some(&first)).read(), HSTREAM_ERR_ABORTED);
            assert_eq!(hstream_deliveries_record_ids(Some(&first)).read(), hstream_record_id_t::default());
            let record = hstream_deliveries_record(Some(&rest), 0).as_ref();
            assert_eq!(std::ffi::CStr::from_ptr(hstream_record_key(record, None)), c"c");
            assert!(hstream_deliveries_record(Some(&rest), 1).is_null());
            assert!(!hstream_deliveries_error(Some(&first), 1).is_null());
            assert!(hstream_deliveries_error(Some(&first), 2).is_null());
            assert_eq!(hstream_deliveries_shard_id(Some(&first), 0), 4);
        }
    }

    #[test]
    fn what_was_written_has_ids() {
        let outcome = Ok(Written { shard_id: 4, batch_id: 9 });
        let written = Deliveries::new("s".into(), 4, vec![5, 6, 7], outcome, None);
        let [_, rest] = &parts(written, 1);
        let rest = Some(rest);
        let mut id = MaybeUninit::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            assert_eq!(hstream_deliveries_record_id(rest, 1, Some(&mut id)), HSTREAM_OK);
            assert_eq!((id.assume_init().batch_id, id.assume_init().batch_index), (9, 2));
            assert_eq!(hstream_deliveries_record_id(rest, 2, Some(&mut id)), HSTREAM_ERR_INVALID_ARGUMENT);
            assert!(hstream_deliveries_record(rest, 0).is_null());
        }
    }

    #[test]
    fn null_is_survived() {
        // SAFETY: NULL is allowed.
        unsafe {
            assert_eq!(hstream_deliveries_count(None), 0);
            assert_eq!(hstream_deliveries_code(None, 0), HSTREAM_ERR_NULL_ARGUMENT);
            assert!(hstream_deliveries_ref(None).is_null());
            assert!(hstream_deliveries_tags(None).is_null());
            assert_eq!(hstream_deliveries_stream_name(None, 0, None).read(), 0);
            hstream_deliveries_free(ptr::null_mut());
        }
    }
}
