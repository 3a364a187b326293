//! The library itself: versions, codes, counts.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use crate::ffi::boundary::{self, Failure};
use crate::ffi::bytes::{self, Text};
use crate::ffi::call;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status;
use crate::ffi::status::*;
use crate::options::options_schema_json;
use crate::runtime::{self, Runtime};

/// "Without limit", as a time-out.
#[allow(dead_code)]
pub const HSTREAM_FOREVER: i64 = -1;
/// "Don't wait", as a time-out.
#[allow(dead_code)]
pub const HSTREAM_NO_WAIT: i64 = 0;

/// What a digit string of Cargo is worth.
const fn number(digits: &str) -> u32 {
    let (bytes, mut value, mut at) = (digits.as_bytes(), 0, 0);
    while at < bytes.len() {
        value = value * 10 + (bytes[at] - b'0') as u32;
        at += 1;
    }
    value
}

const MAJOR: u32 = number(env!("CARGO_PKG_VERSION_MAJOR"));
const MINOR: u32 = number(env!("CARGO_PKG_VERSION_MINOR"));
const PATCH: u32 = number(env!("CARGO_PKG_VERSION_PATCH"));

/// Stands for the soname: the minor number before 1.0, then 1,000 times the major one.
const ABI_VERSION: u32 = if MAJOR == 0 { MINOR } else { 1000 * MAJOR };

/// A constant as a C string; it ends with NUL.
fn c_text(text: &'static str) -> *const c_char {
    debug_assert!(text.ends_with('\0'));
    text.as_ptr().cast()
}

/// Returns the version of the library, such as "0.3.1".
///
/// **Ownership**: The result is static.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_version_string() -> *const c_char {
    boundary::quiet(c"".as_ptr(), || c_text(concat!(env!("CARGO_PKG_VERSION"), "\0")))
}

/// Returns the version as a number: major * 1,000,000 + minor * 1,000 + patch.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_version_number() -> u32 {
    boundary::quiet(0, || MAJOR * 1_000_000 + MINOR * 1000 + PATCH)
}

/// Returns the version of the binary interface: libraries with the same number can stand in for each other.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_abi_version() -> u32 {
    boundary::quiet(0, || ABI_VERSION)
}

/// Says whether a header fits this library: pass HSTREAM_ABI_VERSION.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: ABI_MISMATCH.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_check_abi(header_abi: u32) -> hstream_code_t {
    boundary::run(None, || {
        if header_abi == ABI_VERSION {
            return Ok(());
        }
        let text = format!("the header is of the ABI {header_abi}, the library of {ABI_VERSION}");
        Err(Failure::refused(HSTREAM_ERR_ABI_MISMATCH, text))
    })
}

/// Returns how the library was built, as JSON: its version, features and target. Keys are only added.
///
/// **Ownership**: The result is static.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_build_info() -> *const c_char {
    boundary::quiet(c"".as_ptr(), || {
        static INFO: OnceLock<Text> = OnceLock::new();
        let info = INFO.get_or_init(|| {
            let features: Vec<&str> = [
                ("dev-server", cfg!(feature = "dev-server")),
                ("tls", cfg!(feature = "tls")),
                ("zstd", cfg!(feature = "zstd")),
            ]
            .into_iter()
            .filter_map(|(name, on)| on.then_some(name))
            .collect();
            let info = serde_json::json!({
                "version": env!("CARGO_PKG_VERSION"),
                "abi": ABI_VERSION,
                "features": features,
                "os": std::env::consts::OS,
                "arch": std::env::consts::ARCH,
                "debug": cfg!(debug_assertions),
            });
            Text::new(&info.to_string())
        });
        info.lend(None)
    })
}

/// Returns all options that can be set by text, as JSON, by what they are options of: {"client": [{"key", "type",
/// "range", "default", "text"}, ...], "producer": [...], "append": [...], "subscription": [...],
/// "consumer": [...], "reader": [...], "runtime": [...]}. Keys are only added.
///
/// **Ownership**: The result is static.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_options_schema_json() -> *const c_char {
    boundary::quiet(c"".as_ptr(), || {
        static SCHEMA: OnceLock<Text> = OnceLock::new();
        SCHEMA.get_or_init(|| Text::new(&options_schema_json())).lend(None)
    })
}

/// Returns the name of a code without its prefix, such as "STREAM_NOT_FOUND"; "UNKNOWN" for other numbers.
///
/// **Ownership**: The result is static.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_code_name(code: i32) -> *const c_char {
    boundary::quiet(c"".as_ptr(), || status::name(code).as_ptr())
}

/// Returns one English line about a code.
///
/// **Ownership**: The result is static.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_code_description(code: i32) -> *const c_char {
    boundary::quiet(c"".as_ptr(), || status::description(code).as_ptr())
}

/// Returns what can be done about a code: HSTREAM_CATEGORY_*.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_code_category(code: i32) -> i32 {
    boundary::quiet(0, || status::category(code))
}

/// Returns 1 if trying the same again later may help, else 0.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_code_is_retryable(code: i32) -> i32 {
    boundary::quiet(0, || status::is_retryable(code).into())
}

/// Returns how many handles have not been freed: 0 when all is. For tests of leaks.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_live_handles() -> u64 {
    boundary::quiet(0, handles::count)
}

/// Closes all clients, producers and consumers of the process within the time, and ends the threads that they
/// have in common. The handles are CLOSED and still to be freed; a new client starts afresh. The callback of the
/// log stays.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT if something was given up; all is closed all the same. WOULD_DEADLOCK in a callback.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_shutdown(
    timeout_ms: i64,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let timeout = call::duration(timeout_ms, "timeout_ms")?;
        if runtime::is_ours() {
            let text = "a shutdown in a callback would wait for that callback";
            return Err(Failure::refused(HSTREAM_ERR_WOULD_DEADLOCK, text));
        }
        let outcome = handles::end_all(timeout);
        Runtime::end();
        Ok(outcome?)
    })
}

/// Frees a text that a function handed out as `char **`.
///
/// May be NULL: `text`, `None`.
///
/// **Ownership**: `text` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_string_free(text: *mut c_char) {
    boundary::quiet((), || {
        // SAFETY: `text` is NULL or comes from a function of ours, and is freed once, as the rules for callers say.
        unsafe { bytes::free_text(text) }
    });
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn text(pointer: *const c_char) -> &'static str {
        // SAFETY: these functions return static texts.
        unsafe { CStr::from_ptr(pointer) }.to_str().unwrap()
    }

    #[test]
    fn versions_agree() {
        // SAFETY: these functions take no pointers.
        let (string, number) = unsafe { (hstream_version_string(), hstream_version_number()) };
        assert_eq!(text(string), env!("CARGO_PKG_VERSION"));
        assert_eq!(
            format!("{}.{}.{}", number / 1_000_000, number / 1000 % 1000, number % 1000),
            text(string)
        );
        // SAFETY: as above.
        let abi = unsafe { hstream_abi_version() };
        // SAFETY: as above.
        assert_eq!(unsafe { hstream_check_abi(abi) }, HSTREAM_OK);
        // SAFETY: as above.
        assert_eq!(unsafe { hstream_check_abi(abi + 1) }, HSTREAM_ERR_ABI_MISMATCH);
        // SAFETY: as above.
        let info = text(unsafe { hstream_build_info() });
        assert!(serde_json::from_str::<serde_json::Value>(info).unwrap()["features"].is_array());
    }

    #[test]
    fn codes_are_named() {
        // SAFETY: these functions take no pointers.
        assert_eq!(text(unsafe { hstream_code_name(HSTREAM_ERR_TIMEOUT) }), "TIMEOUT");
        // SAFETY: as above.
        assert_eq!(text(unsafe { hstream_code_name(-5) }), "UNKNOWN");
        // SAFETY: as above.
        assert!(!text(unsafe { hstream_code_description(i32::MAX) }).is_empty());
        // SAFETY: as above.
        let category = unsafe { hstream_code_category(HSTREAM_ERR_STREAM_NOT_FOUND) };
        assert_eq!(category, HSTREAM_CATEGORY_NOT_FOUND);
        // SAFETY: as above.
        assert_eq!(unsafe { hstream_code_is_retryable(HSTREAM_ERR_UNAVAILABLE) }, 1);
        // SAFETY: NULL is allowed.
        unsafe { hstream_string_free(std::ptr::null_mut()) };
    }
}
