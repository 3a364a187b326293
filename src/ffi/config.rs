//! Options of a client.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use crate::config::ClientConfig;
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes;
use crate::ffi::call;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;

/// Options of a client. They are copied when a client is made.
#[derive(Clone, Default)]
pub struct hstream_client_options_t {
    config: ClientConfig,
}

impl hstream_client_options_t {
    pub(crate) fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// Takes the changed options if they are acceptable on their own.
    fn change(&mut self, change: impl FnOnce(ClientConfig) -> ClientConfig) -> Outcome {
        let changed = change(self.config.clone());
        changed.check()?;
        self.config = changed;
        Ok(())
    }
}

/// Makes options, all default: a server at 127.0.0.1:6570.
///
/// **Ownership**: The result is yours, to be freed with `hstream_client_options_free`; NULL if there is
/// none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_options_new() -> *mut hstream_client_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_client_options_t::default()))
}

/// Copies options.
///
/// **Ownership**: The result is yours, to be freed with `hstream_client_options_free`; NULL if there is
/// none.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_options_clone(
    client_options: Option<&hstream_client_options_t>,
) -> *mut hstream_client_options_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(client_options) = client_options else { return ptr::null_mut() };
        handles::give(client_options.clone())
    })
}

/// Frees options.
///
/// May be NULL: `client_options`.
///
/// **Ownership**: `client_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_free(client_options: *mut hstream_client_options_t) {
    boundary::quiet((), || {
        // SAFETY: `client_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(client_options) });
    });
}

/// Sets the cluster: hstream://host[:port][,host[:port]]... Each host is a node to ask about the others.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_url(
    client_options: Option<&mut hstream_client_options_t>,
    url: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `url` is NULL or a NUL-terminated text, as the rules for callers say.
        let url = unsafe { bytes::text(url, "url") }?;
        client_options.change(|config| config.url(url))
    })
}

/// Sets the application's name, which is sent behind this library's own.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_user_agent(
    client_options: Option<&mut hstream_client_options_t>,
    suffix: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `suffix` is NULL or a NUL-terminated text, as the rules for callers say.
        let suffix = unsafe { bytes::text(suffix, "suffix") }?;
        client_options.change(|config| config.user_agent(suffix))
    })
}

/// Sets how long a call may take that has no limit of its own: default 30,000, -1 is without limit.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_request_timeout_ms(
    client_options: Option<&mut hstream_client_options_t>,
    timeout_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let timeout = call::duration(timeout_ms, "timeout_ms")?;
        client_options.change(|config| config.request_timeout(timeout))
    })
}

/// Sets how long connecting to one address may take: default 3,000.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_connect_timeout_ms(
    client_options: Option<&mut hstream_client_options_t>,
    timeout_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let timeout = call::positive(timeout_ms, "timeout_ms")?;
        client_options.change(|config| config.connect_timeout(timeout))
    })
}

/// Sets how often a call is tried, and the pauses between: default 6, 100 and 5,000. The pause is doubled
/// each time up to the longest, and shortened by chance by up to a half.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, CONFIG.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_retry(
    client_options: Option<&mut hstream_client_options_t>,
    max_attempts: u32,
    first_backoff_ms: i64,
    max_backoff_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let first = call::positive(first_backoff_ms, "first_backoff_ms")?;
        let longest = call::positive(max_backoff_ms, "max_backoff_ms")?;
        client_options.change(|config| config.retry(max_attempts, first, longest))
    })
}

/// Sets the age at which the view of the cluster is looked at again by the next call: default 30,000.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_refresh_ms(
    client_options: Option<&mut hstream_client_options_t>,
    age_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let age = call::positive(age_ms, "age_ms")?;
        client_options.change(|config| config.refresh_age(age))
    })
}

/// Sets the largest message that is accepted: default 64 MiB.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_max_receive_bytes(
    client_options: Option<&mut hstream_client_options_t>,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes == 0 {
            return Err(Failure::invalid("`bytes` must be more than 0"));
        }
        client_options.change(|config| config.max_receive_bytes(bytes))
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn setters_check_at_once_and_leave_the_rest_alone() {
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let options = hstream_client_options_new();
            let set =
                |url: &std::ffi::CStr| hstream_client_options_set_url(options.as_mut(), url.as_ptr(), None);
            assert_eq!(set(c"hstream://a,b:7000"), HSTREAM_OK);
            assert_eq!(set(c"ftp://a"), HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(set(c"\xff"), HSTREAM_ERR_UTF8);
            assert_eq!(
                hstream_client_options_set_url(options.as_mut(), std::ptr::null(), None),
                HSTREAM_ERR_NULL_ARGUMENT
            );
            assert_eq!(
                hstream_client_options_set_retry(options.as_mut(), 0, 1, 1),
                HSTREAM_ERR_INVALID_ARGUMENT
            );
            assert_eq!(hstream_client_options_set_retry(options.as_mut(), 1, 2, 1), HSTREAM_ERR_CONFIG);
            assert_eq!(hstream_client_options_set_request_timeout_ms(options.as_mut(), -1), HSTREAM_OK);
            assert_eq!(hstream_client_options_set_max_receive_bytes(None, 1), HSTREAM_ERR_NULL_ARGUMENT);
            let copy = hstream_client_options_clone(options.as_ref());
            hstream_client_options_free(options);
            assert_eq!((*copy).config().check().unwrap().seeds.len(), 2);
            hstream_client_options_free(copy);
            assert!(hstream_client_options_clone(None).is_null());
        }
    }
}
