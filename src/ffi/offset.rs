//! Offsets: a public struct, and how it is filled.

use std::mem::MaybeUninit;
use std::time::{Duration, SystemTime};

use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes;
use crate::ffi::record_id::{
    HSTREAM_OFFSET_EARLIEST, HSTREAM_OFFSET_LATEST, HSTREAM_OFFSET_RECORD, HSTREAM_OFFSET_TIME,
    hstream_record_id_t,
};
use crate::record_id::{Offset, RecordId};

/// The time is meant to the millisecond; else the server may begin some minutes earlier, with less effort.
pub const HSTREAM_OFFSET_STRICT: u32 = 1;

/// What an offset has that means nothing.
const NONE: i32 = -1;

/// Where reading begins, or trimming ends. Fill it with the functions hstream_offset_*.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct hstream_offset_t {
    /// One of HSTREAM_OFFSET_EARLIEST, _LATEST, _RECORD, _TIME.
    pub kind: i32,
    /// 0 or HSTREAM_OFFSET_STRICT.
    pub flags: u32,
    /// Of a time.
    pub timestamp_ms: i64,
    /// Of a record.
    pub record: hstream_record_id_t,
}

const _: () = assert!(size_of::<hstream_offset_t>() == 40);

/// What an offset of the caller's means.
pub(crate) fn offset_of(value: Option<&hstream_offset_t>, name: &'static str) -> Outcome<Offset> {
    let value = given(value, name)?;
    match value.kind {
        HSTREAM_OFFSET_EARLIEST => Ok(Offset::Earliest),
        HSTREAM_OFFSET_LATEST => Ok(Offset::Latest),
        HSTREAM_OFFSET_RECORD => Ok(Offset::Record(RecordId::from(&value.record))),
        HSTREAM_OFFSET_TIME => time(value, name),
        other => Err(Failure::invalid(format!("`{name}` is of the kind {other}, which means nothing"))),
    }
}

fn time(value: &hstream_offset_t, name: &'static str) -> Outcome<Offset> {
    let since = Duration::from_millis(value.timestamp_ms.unsigned_abs());
    let time = if value.timestamp_ms < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(since)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(since)
    };
    let time = time.ok_or_else(|| Failure::invalid(format!("`{name}` is a time beyond all times")))?;
    match value.flags {
        0 => Ok(Offset::NearTime(time)),
        HSTREAM_OFFSET_STRICT => Ok(Offset::Time(time)),
        flags => Err(Failure::invalid(format!("the flags of `{name}` are {flags:#x}, with unknown bits"))),
    }
}

/// Sets an offset to the first record that is kept.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_offset_earliest(value: Option<&mut MaybeUninit<hstream_offset_t>>) {
    let offset = hstream_offset_t { kind: HSTREAM_OFFSET_EARLIEST, ..Default::default() };
    boundary::quiet((), || bytes::write(value, offset));
}

/// Sets an offset to the place behind the last record.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_offset_latest(value: Option<&mut MaybeUninit<hstream_offset_t>>) {
    let offset = hstream_offset_t { kind: HSTREAM_OFFSET_LATEST, ..Default::default() };
    boundary::quiet((), || bytes::write(value, offset));
}

/// Sets an offset to a record. Of NULL it becomes one that is refused where it is used.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_offset_at_record(
    record: Option<&hstream_record_id_t>,
    value: Option<&mut MaybeUninit<hstream_offset_t>>,
) {
    let kind = if record.is_some() { HSTREAM_OFFSET_RECORD } else { NONE };
    let record = record.copied().unwrap_or_default();
    boundary::quiet((), || bytes::write(value, hstream_offset_t { kind, record, ..Default::default() }));
}

/// Sets an offset to the first record stored at or after a time. `flags` is HSTREAM_OFFSET_STRICT, or 0 for one that may be
/// some minutes earlier, which is less effort for the server.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_offset_at_time(
    timestamp_ms: i64,
    flags: u32,
    value: Option<&mut MaybeUninit<hstream_offset_t>>,
) {
    let kind = HSTREAM_OFFSET_TIME;
    boundary::quiet((), || {
        bytes::write(value, hstream_offset_t { kind, flags, timestamp_ms, ..Default::default() });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::boundary::Cause;

    fn made(fill: impl FnOnce(&mut MaybeUninit<hstream_offset_t>)) -> Outcome<Offset> {
        let mut value = MaybeUninit::new(hstream_offset_t::default());
        fill(&mut value);
        // SAFETY: it was written when it was made.
        offset_of(Some(unsafe { value.assume_init_ref() }), "value")
    }

    #[test]
    fn offsets_mean_what_they_were_set_to() {
        let id = RecordId::new(1, 2, 3);
        let record = hstream_record_id_t::from(id);
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(7);
        // SAFETY: what is passed lives.
        let offset = made(|value| unsafe { hstream_offset_earliest(Some(value)) }).unwrap();
        assert_eq!(offset, Offset::Earliest);
        // SAFETY: as above.
        let offset = made(|value| unsafe { hstream_offset_latest(Some(value)) }).unwrap();
        assert_eq!(offset, Offset::Latest);
        // SAFETY: as above.
        let offset = made(|value| unsafe { hstream_offset_at_record(Some(&record), Some(value)) }).unwrap();
        assert_eq!(offset, Offset::Record(id));
        for (flags, expected) in [(0, Offset::NearTime(at)), (HSTREAM_OFFSET_STRICT, Offset::Time(at))] {
            // SAFETY: as above.
            let offset = made(|value| unsafe { hstream_offset_at_time(7, flags, Some(value)) }).unwrap();
            assert_eq!(offset, expected);
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        // SAFETY: what is passed lives; NULL is allowed.
        made(|value| unsafe { hstream_offset_at_record(None, Some(value)) }).unwrap_err();
        // SAFETY: as above.
        made(|value| unsafe { hstream_offset_at_time(0, 2, Some(value)) }).unwrap_err();
        assert!(matches!(offset_of(None, "value").unwrap_err().cause(), Cause::Null("value")));
    }
}
