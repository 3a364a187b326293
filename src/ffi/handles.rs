//! Handles on their way to C and back, and how many are out there.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::Error;
use crate::ffi::boundary::{Failure, Outcome};
use crate::ffi::status::*;
use crate::fork;
use crate::wait::Wait;

/// Builders and results that have not been freed.
static OTHERS: AtomicU64 = AtomicU64::new(0);

/// Hands out a builder or a result.
pub(crate) fn give<T>(value: T) -> *mut T {
    OTHERS.fetch_add(1, Ordering::Relaxed);
    Box::into_raw(Box::new(value))
}

/// Takes one back.
///
/// # Safety
///
/// `pointer` is NULL, or comes from [`give`] and was not taken back before.
pub(crate) unsafe fn take<T>(pointer: *mut T) -> Option<Box<T>> {
    if pointer.is_null() {
        return None;
    }
    OTHERS.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: it comes from `Box::into_raw` in `give`, and is given back once, as the caller promises.
    Some(unsafe { Box::from_raw(pointer) })
}

/// Hands out a counted result.
pub(crate) fn share<T>(value: Arc<T>) -> *mut T {
    OTHERS.fetch_add(1, Ordering::Relaxed);
    Arc::into_raw(value).cast_mut()
}

/// Hands out a counted result once more.
///
/// # Safety
///
/// `pointer` is NULL or points into a living `Arc`.
pub(crate) unsafe fn share_again<T>(pointer: *const T) -> *mut T {
    if pointer.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: it points into a living `Arc`, as the caller promises.
    unsafe { Arc::increment_strong_count(pointer) };
    OTHERS.fetch_add(1, Ordering::Relaxed);
    pointer.cast_mut()
}

/// Takes back one count of it.
///
/// # Safety
///
/// `pointer` is NULL, or comes from [`share`] or [`share_again`] and was not taken back as often.
pub(crate) unsafe fn unshare<T>(pointer: *mut T) -> Option<Arc<T>> {
    if pointer.is_null() {
        return None;
    }
    OTHERS.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: it comes from `Arc::into_raw` and has a count left, as the caller promises.
    Some(unsafe { Arc::from_raw(pointer) })
}

/// A handle that any thread may use at any time, and that is counted inside.
pub(crate) trait LongLived: Send + Sync + 'static {
    /// What it is called in texts.
    const NAME: &'static str;

    /// Closed before others, as it closes those.
    const IS_ROOT: bool = false;

    fn life(&self) -> &Life;

    /// Closes it, if it can be closed.
    fn end(&self, _limit: Wait) -> Result<(), Error> {
        Ok(())
    }
}

/// The same for those of any type.
trait Ends: Send + Sync {
    fn end(&self, limit: Wait) -> Result<(), Error>;
}

impl<T: LongLived> Ends for T {
    fn end(&self, limit: Wait) -> Result<(), Error> {
        LongLived::end(self, limit)
    }
}

struct Entry {
    name: &'static str,
    is_root: bool,
    handle: Weak<dyn Ends>,
}

/// Whether a long-lived handle can be used.
pub(crate) struct Life {
    generation: u32,
    poisoned: AtomicBool,
}

impl Life {
    pub(crate) fn new() -> Self {
        Life { generation: fork::generation(), poisoned: AtomicBool::new(false) }
    }

    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn check(&self, name: &'static str) -> Outcome {
        self.check_fork(name)?;
        if self.poisoned.load(Ordering::Relaxed) { Err(poisoned(name)) } else { Ok(()) }
    }

    #[inline]
    pub(crate) fn check_fork(&self, name: &'static str) -> Outcome {
        if self.generation == fork::generation() { Ok(()) } else { Err(forked(name)) }
    }
}

#[cold]
fn poisoned(name: &str) -> Failure {
    let text = format!("the {name} is out of use: a bug in this library made a call on it fail");
    Failure::refused(HSTREAM_ERR_PANIC, text)
}

#[cold]
fn forked(name: &str) -> Failure {
    let text = format!("the {name} was made before a fork; make a new one in the child");
    Failure::refused(HSTREAM_ERR_FORKED, text)
}

/// The long-lived handles of this process, by address.
struct Living {
    generation: u32,
    handles: Mutex<BTreeMap<usize, Entry>>,
}

/// A child of a fork begins anew and never looks at its parent's: a thread that is not there any more may
/// have held the lock.
fn living() -> &'static Living {
    static LIVING: AtomicPtr<Living> = AtomicPtr::new(ptr::null_mut());
    loop {
        let current = LIVING.load(Ordering::Acquire);
        // SAFETY: what is stored here is never freed.
        match unsafe { current.as_ref() } {
            Some(living) if living.generation == fork::generation() => return living,
            _ => {}
        }
        let new = Box::new(Living { generation: fork::generation(), handles: Mutex::default() });
        let new = Box::into_raw(new);
        if LIVING.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: it was made above, and nobody else has seen it.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

/// Hands out a long-lived handle.
pub(crate) fn register<T: LongLived>(handle: T) -> *mut T {
    let handle = Arc::new(handle);
    let ends: Weak<dyn Ends> = Arc::<T>::downgrade(&handle);
    let pointer = Arc::into_raw(handle).cast_mut();
    let entry = Entry { name: T::NAME, is_root: T::IS_ROOT, handle: ends };
    living().handles.lock().insert(pointer.addr(), entry);
    pointer
}

/// A reference for the time of one call, which keeps the handle alive should it be freed meanwhile.
///
/// # Safety
///
/// `pointer` is NULL, or comes from [`register`], and its `_free` has not begun.
pub(crate) unsafe fn enter<T: LongLived>(pointer: *mut T) -> Option<Arc<T>> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's count keeps it alive: its `_free` has not begun.
    unsafe { Arc::increment_strong_count(pointer) };
    // SAFETY: the count that this takes over was added in the line above.
    Some(unsafe { Arc::from_raw(pointer) })
}

/// Takes a long-lived handle back. Freeing twice is ignored and logged; an inherited handle is left alone.
///
/// # Safety
///
/// `pointer` is NULL or comes from [`register`].
pub(crate) unsafe fn retire<T: LongLived>(pointer: *mut T) -> Option<Arc<T>> {
    if pointer.is_null() {
        return None;
    }
    let removed = {
        let mut handles = living().handles.lock();
        let known = handles.get(&pointer.addr()).is_some_and(|entry| entry.name == T::NAME);
        known && handles.remove(&pointer.addr()).is_some()
    };
    if removed {
        // SAFETY: it was in the set, so the count that `register` gave to the caller is still there.
        return Some(unsafe { Arc::from_raw(pointer) });
    }
    if fork::generation() == 0 {
        tracing::error!(handle = T::NAME, "freed twice, or never handed out");
    }
    None
}

/// Closes all that have not been freed, within one time; the first error of one is returned, and ends nothing.
pub(crate) fn end_all(timeout: Option<Duration>) -> Result<(), Error> {
    let mut handles: Vec<(bool, Arc<dyn Ends>)> = {
        let handles = living().handles.lock();
        handles.values().filter_map(|entry| Some((entry.is_root, entry.handle.upgrade()?))).collect()
    };
    handles.sort_by_key(|(is_root, _)| !is_root);
    let begun = Instant::now();
    let outcomes: Vec<_> = handles
        .into_iter()
        .map(|(_, handle)| {
            let left = timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
            handle.end(Wait::forever().for_at_most(left))
        })
        .collect();
    outcomes.into_iter().collect()
}

pub(crate) fn count() -> u64 {
    living().handles.lock().len() as u64 + OTHERS.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(Life);

    impl LongLived for Thing {
        const NAME: &'static str = "thing";

        fn life(&self) -> &Life {
            &self.0
        }
    }

    #[test]
    fn a_second_free_is_ignored_and_calls_inside_keep_the_handle() {
        let pointer = register(Thing(Life::new()));
        // SAFETY: it was made above and is not freed.
        let inside = unsafe { enter(pointer) }.unwrap();
        // SAFETY: it comes from `register`.
        assert!(unsafe { retire(pointer) }.is_some());
        // SAFETY: as before; the address is not used again, as `inside` has it.
        assert!(unsafe { retire(pointer) }.is_none());
        assert!(inside.life().check("thing").is_ok());
    }
}
