//! What can be set for a single call.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use crate::cancel::Cancel;
use crate::client::Client;
use crate::cluster::credentials::Metadata;
use crate::cluster::endpoint::Address;
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes;
use crate::ffi::callback::{check_of, hstream_interrupt_fn};
use crate::ffi::cancel::hstream_cancel_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;
use crate::wait::{Check, Wait};

/// Settings of single calls: a time-out, a cancel object, metadata, the node to ask. Any number of calls may use
/// one at once.
#[derive(Default)]
pub struct hstream_call_t {
    timeout_ms: Option<i64>,
    interrupt: Interrupt,
    metadata: Vec<Metadata>,
    node: Option<Address>,
}

/// What may end waits before their time.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    pub(crate) cancel: Option<Cancel>,
    pub(crate) check: Option<Check>,
}

impl Interrupt {
    /// The wait, also ended by what is set here. Another object takes the place of the one before, with what was
    /// asked for that.
    pub(crate) fn apply(&self, wait: Wait) -> Wait {
        let wait = match &self.cancel {
            Some(cancel) => wait.or_until(cancel),
            None => wait,
        };
        match &self.check {
            Some(check) => wait.asking(check.clone()),
            None => wait,
        }
    }
}

impl hstream_call_t {
    /// How long a call made with this may wait, if it says nothing itself: `otherwise`.
    pub(crate) fn limit(&self, otherwise: &Wait) -> Outcome<Wait> {
        let limit = match self.timeout_ms {
            Some(timeout_ms) => otherwise.clone().for_at_most(duration(timeout_ms, "timeout_ms")?),
            None => otherwise.clone(),
        };
        Ok(self.interrupt.apply(limit))
    }

    /// The client for calls made with this.
    pub(crate) fn apply(&self, client: &Client) -> Outcome<Client> {
        let mut client = client.within(self.limit(client.limit())?);
        if !self.metadata.is_empty() {
            client = client.carrying(&self.metadata);
        }
        if let Some(node) = &self.node {
            client = client.asking_only(node.clone());
        }
        Ok(client)
    }
}

/// The pair of parameters of functions that wait, and what ends them if there is no object.
pub(crate) fn wait(
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    otherwise: &Interrupt,
) -> Outcome<Wait> {
    let limit = Wait::forever().for_at_most(duration(timeout_ms, "timeout_ms")?);
    Ok(match cancel {
        Some(cancel) => limit.or_until(cancel.inner()),
        None => otherwise.apply(limit),
    })
}

/// A duration in milliseconds; -1 is `None`.
pub(crate) fn duration(millis: i64, name: &'static str) -> Outcome<Option<Duration>> {
    check_duration(millis, name)?;
    Ok(u64::try_from(millis).ok().map(Duration::from_millis))
}

/// Whether it is one.
#[inline]
pub(crate) fn check_duration(millis: i64, name: &'static str) -> Outcome {
    if millis >= -1 { Ok(()) } else { Err(no_duration(millis, name)) }
}

#[cold]
fn no_duration(millis: i64, name: &str) -> Failure {
    Failure::invalid(format!("`{name}` is {millis}; less than -1 means nothing"))
}

/// A duration that has an end and is more than nothing.
pub(crate) fn positive(millis: i64, name: &'static str) -> Outcome<Duration> {
    match duration(millis, name)? {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(Failure::invalid(format!("`{name}` is {millis}; it must be more than 0"))),
    }
}

/// Makes settings for calls, all default.
///
/// **Ownership**: The result is yours, to be freed with `hstream_call_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_call_new() -> *mut hstream_call_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_call_t::default()))
}

/// Frees settings. Calls that have started do not need them any more.
///
/// May be NULL: `call`.
///
/// **Ownership**: `call` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_call_free(call: *mut hstream_call_t) {
    boundary::quiet((), || {
        // SAFETY: `call` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(call) });
    });
}

/// Sets how long a whole call may take, retries and look-ups included: -1 is without limit.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_call_set_timeout_ms(
    call: Option<&mut hstream_call_t>,
    timeout_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let call = given(call, "call")?;
        duration(timeout_ms, "timeout_ms")?;
        call.timeout_ms = Some(timeout_ms);
        Ok(())
    })
}

/// Sets the object that can end calls made with this; NULL takes it away.
///
/// May be NULL: `cancel`.
///
/// **Ownership**: The settings keep what they need of `cancel`.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_call_set_cancel(
    call: Option<&mut hstream_call_t>,
    cancel: *mut hstream_cancel_t,
) -> hstream_code_t {
    boundary::run(None, || {
        let call = given(call, "call")?;
        // SAFETY: `cancel` is NULL or a living handle, as the rules for callers say.
        let cancel = unsafe { handles::enter(cancel) };
        call.interrupt.cancel = cancel.map(|cancel| cancel.inner().clone());
        Ok(())
    })
}

/// Has a function asked on the thread that waits, which holds no lock, whenever the cancel object is triggered:
/// 0 goes on waiting and loses nothing, anything else ends the call with INTERRUPTED. The object needs no reset
/// then. The object is that of this call, or else of the client. NULL takes the function away.
///
/// May be NULL: `check`, `user_data`.
///
/// **Ownership**: `user_data` stays yours, and must outlive the calls.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_call_set_interrupt_check(
    call: Option<&mut hstream_call_t>,
    check: hstream_interrupt_fn,
    user_data: *mut c_void,
) -> hstream_code_t {
    boundary::run(None, || {
        let call = given(call, "call")?;
        call.interrupt.check = check_of(check, user_data);
        Ok(())
    })
}

/// Adds gRPC metadata that goes with calls made with this. A name that ends in "-bin" takes any bytes, others
/// printable ASCII. One name may be added several times.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT for a name or a value that can't be sent, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_call_add_metadata(
    call: Option<&mut hstream_call_t>,
    name: *const c_char,
    value: *const c_void,
    value_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let call = given(call, "call")?;
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        // SAFETY: `value` is NULL or as long as is said, as the rules for callers say.
        let value = unsafe { bytes::data(value, value_len, "value") }?;
        call.metadata.push(Metadata::new(name, value)?);
        Ok(())
    })
}

/// Has calls made with this ask one node, "host" or "host:port", and no other: nothing is looked up, and what
/// fails is tried again there. A node that is not the owner of something says so with an error. NULL takes it
/// away.
///
/// May be NULL: `address`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT for what is no address, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_call_set_node(
    call: Option<&mut hstream_call_t>,
    address: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let call = given(call, "call")?;
        // SAFETY: `address` is NULL or a NUL-terminated text, as the rules for callers say.
        let address = unsafe { bytes::optional_text(address, "address") }?;
        call.node = address.map(Address::parse).transpose()?;
        Ok(())
    })
}

/// Sets everything back to its default.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_call_clear(call: Option<&mut hstream_call_t>) {
    boundary::quiet((), || {
        let Some(call) = call else { return };
        *call = hstream_call_t::default();
    });
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_are_checked_and_null_is_named() {
        let mut call = hstream_call_t::default();
        // SAFETY: the object lives; NULL is allowed.
        unsafe {
            assert_eq!(hstream_call_set_timeout_ms(Some(&mut call), -2), HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(hstream_call_set_timeout_ms(Some(&mut call), i64::MAX), HSTREAM_OK);
            assert_eq!(hstream_call_set_timeout_ms(None, 0), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_call_set_cancel(Some(&mut call), std::ptr::null_mut()), HSTREAM_OK);
            hstream_call_clear(Some(&mut call));
            hstream_call_clear(None);
            hstream_call_free(std::ptr::null_mut());
        }
        assert!(call.limit(&Wait::no()).unwrap().is_no());
    }
}
