//! Ending calls from other threads and from signal handlers.

use std::mem::MaybeUninit;

use crate::cancel::Cancel;
use crate::ffi::boundary::{self, given};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::status::*;

/// Ends the calls that it is given to. The trigger may be called in signal handlers.
pub struct hstream_cancel_t {
    life: Life,
    cancel: Cancel,
}

impl LongLived for hstream_cancel_t {
    const NAME: &'static str = "cancel object";

    fn life(&self) -> &Life {
        &self.life
    }
}

impl hstream_cancel_t {
    pub(crate) fn inner(&self) -> &Cancel {
        &self.cancel
    }
}

/// Makes a cancel object. It starts no thread.
///
/// May be NULL: `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_cancel_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: RESOURCES.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_cancel_new(
    out: Option<&mut MaybeUninit<*mut hstream_cancel_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let out = given(out, "out")?;
        boundary::watch_forks();
        let cancel = Cancel::new()?;
        out.write(handles::register(hstream_cancel_t { life: Life::new(), cancel }));
        Ok(())
    })
}

/// Frees a cancel object. Calls that use it hold a reference; a trigger must not race with it.
///
/// May be NULL: `cancel`.
///
/// **Ownership**: `cancel` is gone after it.
/// **Threads**: any, once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cancel_free(cancel: *mut hstream_cancel_t) {
    boundary::freeing(|| {
        // SAFETY: `cancel` is NULL or was handed out, as the rules for callers say.
        drop(unsafe { handles::retire(cancel) });
    });
}

/// Ends the calls that have this object, and those that will, until it is reset: they return INTERRUPTED.
/// It takes no lock, allocates nothing and keeps errno.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, in any signal handler.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cancel_trigger(cancel: *mut hstream_cancel_t) {
    // SAFETY: `cancel` is NULL or a living handle, as the rules for callers say.
    let cancel = unsafe { handles::enter(cancel) };
    boundary::in_handler(cancel, |cancel| cancel.cancel.trigger());
}

/// Returns 1 from a trigger until the reset, else 0.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cancel_is_triggered(cancel: *mut hstream_cancel_t) -> i32 {
    // SAFETY: `cancel` is NULL or a living handle, as the rules for callers say.
    let cancel = unsafe { handles::enter(cancel) };
    boundary::ask(cancel, 0, |cancel| cancel.cancel.is_triggered().into())
}

/// Makes it ready again.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cancel_reset(cancel: *mut hstream_cancel_t) {
    // SAFETY: `cancel` is NULL or a living handle, as the rules for callers say.
    let cancel = unsafe { handles::enter(cancel) };
    boundary::ask(cancel, (), |cancel| cancel.cancel.reset());
}

/// Returns a descriptor that triggers the object when something is written to it, as event loops and
/// interpreters do; -1 where there is none. It does not block, and is the same at each call.
///
/// **Ownership**: The descriptor is the object's: don't close it, nor use it after the free.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_cancel_write_fd(cancel: *mut hstream_cancel_t) -> i32 {
    // SAFETY: `cancel` is NULL or a living handle, as the rules for callers say.
    let cancel = unsafe { handles::enter(cancel) };
    boundary::ask(cancel, -1, |cancel| {
        #[cfg(unix)]
        let descriptor = cancel.cancel.write_fd().unwrap_or(-1);
        #[cfg(not(unix))]
        let descriptor = (cancel, -1).1;
        descriptor
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn trigger_and_reset() {
        let mut out = MaybeUninit::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            assert_eq!(hstream_cancel_new(None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_cancel_new(Some(&mut out), None), HSTREAM_OK);
            let cancel = out.assume_init();
            assert_eq!(hstream_cancel_is_triggered(cancel), 0);
            hstream_cancel_trigger(cancel);
            assert_eq!(hstream_cancel_is_triggered(cancel), 1);
            hstream_cancel_reset(cancel);
            assert_eq!(hstream_cancel_is_triggered(cancel), 0);
            hstream_cancel_free(cancel);
            hstream_cancel_free(cancel);
            hstream_cancel_trigger(std::ptr::null_mut());
            assert_eq!(hstream_cancel_is_triggered(std::ptr::null_mut()), 0);
        }
    }
}
