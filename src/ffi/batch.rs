//! Received batches.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use crate::codec::record::{Layout, Span};
use crate::ffi::boundary::{self, given};
use crate::ffi::bytes;
use crate::ffi::handles;
use crate::ffi::record::{hstream_record_t, kind_of};
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::received::{Batch, ReceivedRecord};

/// Received records. Read them from any thread; they never change.
pub struct hstream_batch_t {
    batch: Batch,
    /// The elements, which are handed out by address; made when first asked for, as all columns.
    records: OnceLock<Box<[hstream_record_t]>>,
    ids: OnceLock<Box<[hstream_record_id_t]>>,
    kinds: OnceLock<Box<[i32]>>,
    codes: OnceLock<Box<[i32]>>,
    payloads: OnceLock<Column>,
    keys: OnceLock<Column>,
    times: OnceLock<Box<[i64]>>,
}

/// Where the bytes of each record lie.
struct Column {
    pointers: Box<[*const c_void]>,
    lengths: Box<[usize]>,
}

// SAFETY: the bytes belong to the batch that has the column and never change.
unsafe impl Send for Column {}
// SAFETY: as above.
unsafe impl Sync for Column {}

impl hstream_batch_t {
    pub(crate) fn new(batch: Batch) -> Self {
        hstream_batch_t {
            batch,
            records: OnceLock::new(),
            ids: OnceLock::new(),
            kinds: OnceLock::new(),
            codes: OnceLock::new(),
            payloads: OnceLock::new(),
            keys: OnceLock::new(),
            times: OnceLock::new(),
        }
    }

    pub(crate) fn batch(&self) -> &Batch {
        &self.batch
    }

    fn records(&self) -> &[hstream_record_t] {
        self.records.get_or_init(|| {
            self.batch.places().map(|(batch, index)| hstream_record_t::received(batch, index)).collect()
        })
    }

    fn ids(&self) -> &[hstream_record_id_t] {
        self.ids.get_or_init(|| {
            let mut ids = Vec::with_capacity(self.batch.len());
            for run in self.batch.runs() {
                ids.extend((0..run.count).map(|place| hstream_record_id_t::from(run.get(place))));
            }
            ids.into()
        })
    }
}

impl Column {
    /// A part of each record. By loops over what was received: one record at a time costs twice as much.
    fn new(batch: &Batch, part: impl Fn(&Layout) -> Span) -> Self {
        let mut pointers = Vec::with_capacity(batch.len());
        let mut lengths = Vec::with_capacity(batch.len());
        batch.show(part, |bytes| {
            pointers.push(bytes::lend_bytes(bytes, None));
            lengths.push(bytes.len());
        });
        Column { pointers: pointers.into(), lengths: lengths.into() }
    }
}

/// Frees a batch, or one reference to it. Its records are gone with the last.
///
/// May be NULL: `batch`.
///
/// **Ownership**: `batch` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_free(batch: *mut hstream_batch_t) {
    boundary::quiet((), || {
        // SAFETY: `batch` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::unshare(batch) });
    });
}

/// Returns the batch once more: to keep one that was lent to a callback.
///
/// **Ownership**: The result is yours, to be freed with `hstream_batch_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_batch_ref(batch: Option<&hstream_batch_t>) -> *mut hstream_batch_t {
    // SAFETY: `batch` is NULL or a living batch, all of which are counted.
    unsafe { handles::share_again(batch.map_or(ptr::null(), ptr::from_ref)) }
}

/// Returns the number of records.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_count(batch: Option<&hstream_batch_t>) -> usize {
    boundary::quiet(0, || {
        let Some(batch) = batch else { return 0 };
        batch.batch.len()
    })
}

/// Returns a record, in the order of arrival; NULL beyond the last.
///
/// **Ownership**: The result is borrowed from `batch`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_at(
    batch: Option<&hstream_batch_t>,
    index: usize,
) -> *const hstream_record_t {
    boundary::quiet(ptr::null(), || {
        let Some(batch) = batch else { return ptr::null() };
        batch.records().get(index).map_or(ptr::null(), ptr::from_ref)
    })
}

/// Returns the ids of all records, as an array that can be passed to `hstream_consumer_ack`.
///
/// **Ownership**: The result is borrowed from `batch`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_ids(batch: Option<&hstream_batch_t>) -> *const hstream_record_id_t {
    boundary::quiet(ptr::null(), || {
        let Some(batch) = batch else { return ptr::null() };
        batch.ids().as_ptr()
    })
}

/// Returns the kinds of all records: HSTREAM_RECORD_*.
///
/// **Ownership**: The result is borrowed from `batch`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_kinds(batch: Option<&hstream_batch_t>) -> *const i32 {
    boundary::quiet(ptr::null(), || {
        let Some(batch) = batch else { return ptr::null() };
        batch.kinds.get_or_init(|| batch.batch.iter().map(|record| kind_of(record.kind())).collect()).as_ptr()
    })
}

/// Returns of all records whether they can be read: HSTREAM_OK, DECODE, COMPRESSION.
///
/// **Ownership**: The result is borrowed from `batch`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_codes(batch: Option<&hstream_batch_t>) -> *const i32 {
    boundary::quiet(ptr::null(), || {
        let Some(batch) = batch else { return ptr::null() };
        let code = |record: ReceivedRecord<'_>| record.error().map_or(HSTREAM_OK, code_of);
        batch.codes.get_or_init(|| batch.batch.iter().map(code).collect()).as_ptr()
    })
}

/// Gets the payloads of all records. They do not end with NUL.
///
/// **Ownership**: The arrays and what they point to are borrowed from `batch`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_payloads(
    batch: Option<&hstream_batch_t>,
    pointers: Option<&mut MaybeUninit<*const *const c_void>>,
    lengths: Option<&mut MaybeUninit<*const usize>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let batch = given(batch, "batch")?;
        let pointers = given(pointers, "pointers")?;
        let lengths = given(lengths, "lengths")?;
        let column = batch.payloads.get_or_init(|| Column::new(&batch.batch, |layout| layout.payload));
        pointers.write(column.pointers.as_ptr());
        lengths.write(column.lengths.as_ptr());
        Ok(())
    })
}

/// Gets the partition keys of all records. They do not end with NUL.
///
/// **Ownership**: The arrays and what they point to are borrowed from `batch`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_keys(
    batch: Option<&hstream_batch_t>,
    pointers: Option<&mut MaybeUninit<*const *const c_void>>,
    lengths: Option<&mut MaybeUninit<*const usize>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let batch = given(batch, "batch")?;
        let pointers = given(pointers, "pointers")?;
        let lengths = given(lengths, "lengths")?;
        let column = batch.keys.get_or_init(|| Column::new(&batch.batch, |layout| layout.key));
        pointers.write(column.pointers.as_ptr());
        lengths.write(column.lengths.as_ptr());
        Ok(())
    })
}

/// Returns when the server stored each record, in milliseconds since 1970; 0 if unknown.
///
/// **Ownership**: The result is borrowed from `batch`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_batch_publish_times_ms(batch: Option<&hstream_batch_t>) -> *const i64 {
    boundary::quiet(ptr::null(), || {
        let Some(batch) = batch else { return ptr::null() };
        let time = |record: ReceivedRecord<'_>| bytes::millis(record.publish_time());
        batch.times.get_or_init(|| batch.batch.iter().map(time).collect()).as_ptr()
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::batch::{DecodedBatch, seal};
    use crate::codec::compression::Compression;
    use crate::ffi::record::{
        hstream_record_clone, hstream_record_free, hstream_record_id, hstream_record_key,
    };
    use crate::proto;
    use crate::record::Record;

    fn received() -> *mut hstream_batch_t {
        let mut encoded = Vec::new();
        for payload in ["one", "", "three"] {
            crate::codec::record::encode(&Record::raw(payload).with_key("k"), &mut encoded);
        }
        let record = seal(encoded.into(), 3, Compression::none()).unwrap();
        let ids =
            (0..3).map(|batch_index| proto::RecordId { shard_id: 1, batch_id: 2, batch_index }).collect();
        let decoded =
            DecodedBatch::new(proto::ReceivedRecord { record_ids: ids, record: Some(record) }, 1000);
        let mut batch = Batch::default();
        batch.push(Arc::new(decoded), 1..3);
        handles::share(Arc::new(hstream_batch_t::new(batch)))
    }

    #[test]
    fn columns_and_elements_agree_and_clones_outlive_the_batch() {
        let batch = received();
        let (mut pointers, mut lengths) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        let mut id = MaybeUninit::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let kept = hstream_batch_ref(batch.as_ref());
            hstream_batch_free(batch);
            let batch = kept.as_ref();
            assert_eq!(hstream_batch_count(batch), 2);
            assert_eq!(hstream_batch_payloads(batch, Some(&mut pointers), Some(&mut lengths)), HSTREAM_OK);
            assert_eq!(std::slice::from_raw_parts(lengths.assume_init(), 2), [0, 5]);
            let second = *pointers.assume_init().add(1);
            assert_eq!(std::slice::from_raw_parts(second.cast::<u8>(), 5), b"three");
            assert_eq!(hstream_batch_keys(batch, Some(&mut pointers), Some(&mut lengths)), HSTREAM_OK);
            assert_eq!(std::slice::from_raw_parts(lengths.assume_init(), 2), [1, 1]);
            assert_eq!((*hstream_batch_ids(batch).add(1)).batch_index, 2);
            assert_eq!(hstream_batch_kinds(batch).read(), 1);
            assert_eq!(hstream_batch_codes(batch).read(), HSTREAM_OK);
            assert_eq!(hstream_batch_publish_times_ms(batch).read(), 0);
            assert!(hstream_batch_at(batch, 2).is_null());
            let record = hstream_record_clone(hstream_batch_at(batch, 1).as_ref());
            hstream_batch_free(kept);
            assert_eq!(hstream_record_id(record.as_ref(), Some(&mut id)), HSTREAM_OK);
            assert_eq!(id.assume_init().batch_index, 2);
            assert_eq!(std::ffi::CStr::from_ptr(hstream_record_key(record.as_ref(), None)), c"k");
            hstream_record_free(record);
        }
    }

    #[test]
    fn null_is_survived() {
        // SAFETY: NULL is allowed.
        unsafe {
            assert_eq!(hstream_batch_count(None), 0);
            assert!(hstream_batch_at(None, 0).is_null());
            assert!(hstream_batch_ref(None).is_null());
            assert!(hstream_batch_ids(None).is_null());
            assert_eq!(hstream_batch_payloads(None, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            hstream_batch_free(ptr::null_mut());
        }
    }
}
