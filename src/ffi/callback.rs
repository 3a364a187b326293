//! Functions of the caller's, with what they are called with and what frees it.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;

use crate::ffi::batch::hstream_batch_t;
use crate::ffi::bytes::Text;
use crate::ffi::delivery::hstream_deliveries_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::event::hstream_event_t;
use crate::wait::Check;

/// Frees `user_data`. Called exactly once, when nothing will call the callback any more, on any thread.
///
/// May be NULL: `user_data`.
pub type hstream_release_fn = Option<unsafe extern "C-unwind" fn(user_data: *mut c_void)>;

/// Gets the reports of records of one batch, on the producer's callback thread.
/// `deliveries` is lent for the time of the call.
///
/// May be NULL: `user_data`.
pub type hstream_delivery_fn =
    Option<unsafe extern "C-unwind" fn(deliveries: *const hstream_deliveries_t, user_data: *mut c_void)>;

/// Gets records, on the callback thread of the consumer or reader; `batch` and `error` are lent for the time of the
/// call. Returns HSTREAM_PROCESSED, HSTREAM_KEEP or HSTREAM_STOP. The last call has a NULL `batch`: with a NULL
/// `error` if delivery ended as asked, or all is read, else with why it failed; what it returns does not matter.
///
/// May be NULL: `batch`, `error`, `user_data`.
pub type hstream_batch_fn = Option<
    unsafe extern "C-unwind" fn(
        batch: *const hstream_batch_t,
        error: *const hstream_error_t,
        user_data: *mut c_void,
    ) -> i32,
>;

/// Gets what operators may want to know of a client, on its callback thread. `event` is lent for the time of the
/// call.
///
/// May be NULL: `user_data`.
pub type hstream_event_fn =
    Option<unsafe extern "C-unwind" fn(event: *const hstream_event_t, user_data: *mut c_void)>;

/// Gets a line of the log, on the thread of the log: its level, when it was, in milliseconds since 1970, and what
/// it is about. `target` and `message` are lent for the time of the call.
///
/// May be NULL: `user_data`.
pub type hstream_log_fn = Option<
    unsafe extern "C-unwind" fn(
        level: i32,
        time_ms: i64,
        target: *const c_char,
        message: *const c_char,
        message_len: usize,
        user_data: *mut c_void,
    ),
>;

/// Is told that a thread of the library starts (1) or ends (0), on that thread: `name` is lent for the time of the
/// call. It must be quick, and not call the library.
///
/// May be NULL: `user_data`.
pub type hstream_thread_fn =
    Option<unsafe extern "C-unwind" fn(starts: i32, name: *const c_char, user_data: *mut c_void)>;

/// Says whether a wait ends when its cancel object is triggered: 0 goes on waiting. It is asked on the thread
/// that waits, by each that does, and may be asked more often than the object is triggered.
///
/// May be NULL: `user_data`.
pub type hstream_interrupt_fn = Option<unsafe extern "C-unwind" fn(user_data: *mut c_void) -> i32>;

/// A function to ask, with its user data, which is not released.
struct Question {
    function: unsafe extern "C-unwind" fn(user_data: *mut c_void) -> i32,
    user_data: *mut c_void,
}

// SAFETY: the rules for callers say that the function is called on any thread that waits.
unsafe impl Send for Question {}
// SAFETY: nothing here is changed, and the pointer is only passed on.
unsafe impl Sync for Question {}

impl Question {
    fn ask(&self) -> bool {
        // SAFETY: the caller of the setter promised a function that keeps the rules for callbacks, and user data
        // that outlives the waits.
        unsafe { (self.function)(self.user_data) != 0 }
    }
}

/// What a wait asks.
pub(crate) fn check_of(function: hstream_interrupt_fn, user_data: *mut c_void) -> Option<Check> {
    let question = Question { function: function?, user_data };
    Some(Check::new(move || question.ask()))
}

/// A function with its user data. Clones are counted; the last one releases.
#[derive(Clone)]
pub(crate) struct Callback<F> {
    function: F,
    unit: Arc<Unit>,
}

struct Unit {
    user_data: *mut c_void,
    release: hstream_release_fn,
}

// SAFETY: the rules for callbacks say that user data is used on threads of ours, one at a time per handle,
// and released on any.
unsafe impl Send for Unit {}
// SAFETY: nothing here is changed, and the pointer is only passed on.
unsafe impl Sync for Unit {}

impl Callback<hstream_thread_fn> {
    pub(crate) fn call(&self, starts: bool, name: &Text) {
        let Some(function) = self.function else { return };
        // SAFETY: the caller of the setter promised a function that keeps the rules for callbacks; what it
        // is called with lives for the call.
        unsafe { function(starts.into(), name.lend(None), self.unit.user_data) }
    }
}

impl<F> Callback<F> {
    pub(crate) fn new(function: F, user_data: *mut c_void, release: hstream_release_fn) -> Self {
        Callback { function, unit: Arc::new(Unit { user_data, release }) }
    }
}

impl Callback<hstream_delivery_fn> {
    pub(crate) fn call(&self, deliveries: *const hstream_deliveries_t) {
        let Some(function) = self.function else { return };
        // SAFETY: the caller of the setter promised a function that keeps the rules for callbacks; what it
        // is called with lives for the call.
        unsafe { function(deliveries, self.unit.user_data) }
    }
}

impl Callback<hstream_batch_fn> {
    pub(crate) fn call(&self, batch: *const hstream_batch_t, error: *const hstream_error_t) -> i32 {
        let Some(function) = self.function else { return 0 };
        // SAFETY: the caller of the setter promised a function that keeps the rules for callbacks; what it
        // is called with lives for the call, or is NULL.
        unsafe { function(batch, error, self.unit.user_data) }
    }
}

impl Callback<hstream_event_fn> {
    pub(crate) fn call(&self, event: *const hstream_event_t) {
        let Some(function) = self.function else { return };
        // SAFETY: the caller of the setter promised a function that keeps the rules for callbacks; what it
        // is called with lives for the call.
        unsafe { function(event, self.unit.user_data) }
    }
}

impl Callback<hstream_log_fn> {
    pub(crate) fn call(&self, level: i32, time_ms: i64, target: &Text, message: &Text) {
        let Some(function) = self.function else { return };
        let mut len = MaybeUninit::uninit();
        let (target, message) = (target.lend(None), message.lend(Some(&mut len)));
        // SAFETY: written by `lend`.
        let len = unsafe { len.assume_init() };
        // SAFETY: the caller of the setter promised a function that keeps the rules for callbacks; what it
        // is called with lives for the call.
        unsafe { function(level, time_ms, target, message, len, self.unit.user_data) }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let Some(release) = self.release else { return };
        // SAFETY: this is the last of the unit, so it is called once and nothing is called after it.
        unsafe { release(self.user_data) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    unsafe extern "C-unwind" fn count(user_data: *mut c_void) {
        // SAFETY: the test gives a counter that outlives it.
        let counter = unsafe { &*user_data.cast::<AtomicUsize>() };
        counter.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn release_is_called_once_by_the_last() {
        let released = AtomicUsize::new(0);
        let data = (&raw const released).cast_mut().cast();
        let callback: Callback<hstream_batch_fn> = Callback::new(None, data, Some(count));
        let other = callback.clone();
        drop(callback);
        assert_eq!(released.load(Ordering::SeqCst), 0);
        drop(other);
        assert_eq!(released.load(Ordering::SeqCst), 1);
    }
}
