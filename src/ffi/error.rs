//! Error objects: what went wrong, readable from any thread, never changed.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

use crate::ffi::boundary::{self, Cause, Failure, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::handles;
use crate::ffi::status;
use crate::ffi::status::*;

/// Why a call failed. Read it from any thread; it never changes.
pub struct hstream_error_t {
    shown: Arc<Shown>,
}

/// Everything that is asked for, with terminators.
struct Shown {
    code: hstream_code_t,
    message: Text,
    server_code: i32,
    server_name: Text,
    extra: Text,
    grpc_status: i32,
    operation: Text,
    address: Text,
    attempts: u32,
    retryable: bool,
    ambiguous: bool,
}

impl hstream_error_t {
    pub(crate) fn new(failure: &Failure) -> Self {
        let library = if let Cause::Library(error) = failure.cause() { Some(error) } else { None };
        let server = library.and_then(|error| error.server());
        let code = failure.code();
        let shown = Shown {
            code,
            message: Text::new(&failure.text()),
            server_code: server.and_then(|server| server.code()).unwrap_or(-1),
            server_name: Text::new(server.map_or("", |server| server.name())),
            extra: Text::new(&server.map(|server| server.extra_json()).unwrap_or_default()),
            grpc_status: server.map_or(-1, |server| server.grpc_status()),
            operation: Text::new(library.map_or("", |error| error.operation())),
            address: Text::new(library.map_or("", |error| error.node())),
            attempts: library.map_or(0, |error| error.attempts()),
            retryable: library.map_or(status::is_retryable(code), |error| error.is_retryable()),
            ambiguous: library.is_some_and(|error| error.is_ambiguous()),
        };
        hstream_error_t { shown: Arc::new(shown) }
    }

    pub(crate) fn of(error: &crate::error::Error) -> Self {
        Self::new(&error.clone().into())
    }

    fn to_json(&self) -> String {
        let text = |text: &Text| String::from_utf8_lossy(text.as_bytes()).into_owned();
        let shown = &*self.shown;
        let extra: serde_json::Value = serde_json::from_slice(shown.extra.as_bytes()).unwrap_or_default();
        serde_json::json!({
            "code": shown.code,
            "name": status::name(shown.code).to_str().unwrap_or_default(),
            "message": text(&shown.message),
            "server_code": shown.server_code,
            "server_name": text(&shown.server_name),
            "extra": extra,
            "grpc_status": shown.grpc_status,
            "operation": text(&shown.operation),
            "address": text(&shown.address),
            "attempts": shown.attempts,
            "is_retryable": shown.retryable,
            "is_ambiguous": shown.ambiguous,
        })
        .to_string()
    }
}

/// Frees an error object.
///
/// May be NULL: `error`.
///
/// **Ownership**: `error` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_free(error: *mut hstream_error_t) {
    boundary::quiet((), || {
        // SAFETY: `error` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(error) });
    });
}

/// Copies an error object: to keep one that was lent.
///
/// **Ownership**: The result is yours, to be freed with `hstream_error_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_error_clone(error: Option<&hstream_error_t>) -> *mut hstream_error_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(error) = error else { return ptr::null_mut() };
        handles::give(hstream_error_t { shown: error.shown.clone() })
    })
}

/// Returns the code; HSTREAM_OK for NULL.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_code(error: Option<&hstream_error_t>) -> hstream_code_t {
    boundary::quiet(HSTREAM_OK, || {
        let Some(error) = error else { return HSTREAM_OK };
        error.shown.code
    })
}

/// Returns one line for people, which names the thing that it is about.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `error`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_message(
    error: Option<&hstream_error_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(error) = error else { return c"".as_ptr() };
        error.shown.message.lend(len)
    })
}

/// Returns the server's own code; -1 if it sent none.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_server_code(error: Option<&hstream_error_t>) -> i32 {
    boundary::quiet(-1, || {
        let Some(error) = error else { return -1 };
        error.shown.server_code
    })
}

/// Returns the server's own name for it, such as "ShardNotFound"; "" if there is none.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `error`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_server_name(
    error: Option<&hstream_error_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(error) = error else { return c"".as_ptr() };
        error.shown.server_name.lend(len)
    })
}

/// Returns what the server adds, as JSON; "" if nothing.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `error`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_extra_json(
    error: Option<&hstream_error_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(error) = error else { return c"".as_ptr() };
        error.shown.extra.lend(len)
    })
}

/// Returns the gRPC status; -1 if it is not from a server.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_grpc_status(error: Option<&hstream_error_t>) -> i32 {
    boundary::quiet(-1, || {
        let Some(error) = error else { return -1 };
        error.shown.grpc_status
    })
}

/// Returns what was attempted; "" if it never got that far.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `error`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_operation(
    error: Option<&hstream_error_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(error) = error else { return c"".as_ptr() };
        error.shown.operation.lend(len)
    })
}

/// Returns the node that answered or failed, as host:port; "" if none was involved.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `error`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_address(
    error: Option<&hstream_error_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(error) = error else { return c"".as_ptr() };
        error.shown.address.lend(len)
    })
}

/// Returns how many tries were made.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_attempts(error: Option<&hstream_error_t>) -> u32 {
    boundary::quiet(0, || {
        let Some(error) = error else { return 0 };
        error.shown.attempts
    })
}

/// Returns 1 if trying the same again later may help, else 0.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_is_retryable(error: Option<&hstream_error_t>) -> i32 {
    boundary::quiet(0, || {
        let Some(error) = error else { return 0 };
        error.shown.retryable.into()
    })
}

/// Returns 1 if the write may have happened all the same, else 0.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_is_ambiguous(error: Option<&hstream_error_t>) -> i32 {
    boundary::quiet(0, || {
        let Some(error) = error else { return 0 };
        error.shown.ambiguous.into()
    })
}

/// Writes everything about an error as one JSON object. Keys are only added.
///
/// May be NULL: `text_len`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_error_to_json(
    error: Option<&hstream_error_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let error = given(error, "error")?;
        let text = given(text, "text")?;
        bytes::give_text(&error.to_json(), text, text_len)
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn all_is_told() {
        let text = r#"{"error":200,"extra":{"a":1},"message":"StreamNotFound"}"#;
        let error = Error::from_server(5, text).doing("GetStream", Some("`s`".into())).at_node("a:1");
        let object = hstream_error_t::of(&error);
        let json: serde_json::Value = serde_json::from_str(&object.to_json()).unwrap();
        assert_eq!(json["code"], 200);
        assert_eq!(json["name"], "STREAM_NOT_FOUND");
        assert_eq!(json["extra"]["a"], 1);
        assert_eq!(json["address"], "a:1");
        // SAFETY: the object lives, and nobody wants the length.
        let message = unsafe { std::ffi::CStr::from_ptr(hstream_error_message(Some(&object), None)) };
        assert!(message.to_str().unwrap().starts_with("GetStream `s`: stream not found"));
    }

    #[test]
    fn null_has_harmless_answers() {
        // SAFETY: NULL is allowed everywhere here.
        unsafe {
            assert_eq!(hstream_error_code(None), HSTREAM_OK);
            assert_eq!(hstream_error_server_code(None), -1);
            assert_eq!(hstream_error_message(None, None).read(), 0);
            assert!(hstream_error_clone(None).is_null());
            assert_eq!(hstream_error_to_json(None, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            hstream_error_free(ptr::null_mut());
        }
    }
}
