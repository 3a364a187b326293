//! The border: what every exported function does around its own work.
//!
//! No panic gets out, an outcome becomes a code and, if wanted, an error object; handles of a process that
//! has forked since, and handles in which something panicked, are refused.

use std::any::Any;
use std::borrow::Cow;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Once, OnceLock};
use std::thread::Thread;

use crate::error::Error;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::status::*;

#[cfg(panic = "abort")]
compile_error!("the feature `ffi` needs panic = \"unwind\": a bug of ours must not end the host's process");

/// Where an error object goes, if one is wanted.
pub(crate) type ErrorOut<'a> = Option<&'a mut MaybeUninit<*mut hstream_error_t>>;

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why an exported function fails. Small, because it is in the way of what does not.
#[derive(Debug)]
pub(crate) struct Failure(Box<Cause>);

/// Texts are made when somebody wants them.
#[derive(Debug)]
pub(crate) enum Cause {
    Library(Error),
    /// This parameter is NULL.
    Null(&'static str),
    /// This parameter is not UTF-8.
    Utf8(&'static str),
    /// Found on this side of the border.
    Refused(hstream_code_t, Cow<'static, str>),
    Panicked(String),
}

impl From<Error> for Failure {
    #[cold]
    fn from(error: Error) -> Self {
        Failure::new(Cause::Library(error))
    }
}

impl Failure {
    #[cold]
    fn new(cause: Cause) -> Self {
        Failure(Box::new(cause))
    }

    pub(crate) fn null(name: &'static str) -> Self {
        Self::new(Cause::Null(name))
    }

    pub(crate) fn utf8(name: &'static str) -> Self {
        Self::new(Cause::Utf8(name))
    }

    pub(crate) fn refused(code: hstream_code_t, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Cause::Refused(code, text.into()))
    }

    fn panicked(text: String) -> Self {
        Self::new(Cause::Panicked(text))
    }

    pub(crate) fn cause(&self) -> &Cause {
        &self.0
    }

    pub(crate) fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::refused(HSTREAM_ERR_INVALID_ARGUMENT, text)
    }

    pub(crate) fn code(&self) -> hstream_code_t {
        match self.cause() {
            Cause::Library(error) => code_of(error),
            Cause::Null(_) => HSTREAM_ERR_NULL_ARGUMENT,
            Cause::Utf8(_) => HSTREAM_ERR_UTF8,
            Cause::Refused(code, _) => *code,
            Cause::Panicked(_) => HSTREAM_ERR_PANIC,
        }
    }

    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self.cause() {
            Cause::Library(error) => error.to_string().into(),
            Cause::Null(name) => format!("`{name}` must not be NULL").into(),
            Cause::Utf8(name) => format!("`{name}` is not UTF-8").into(),
            Cause::Refused(_, text) => Cow::Borrowed(text),
            Cause::Panicked(text) => format!("a bug in this library: {text}").into(),
        }
    }
}

/// Runs the body of a function that has no long-lived handle.
pub(crate) fn run(err: ErrorOut<'_>, body: impl FnOnce() -> Outcome) -> hstream_code_t {
    finish(err, catch(body).flatten())
}

/// Runs the body of a function of a long-lived handle, which is the parameter `name`.
pub(crate) fn on<T: LongLived>(
    handle: Option<Arc<T>>,
    name: &'static str,
    err: ErrorOut<'_>,
    body: impl FnOnce(&T) -> Outcome,
) -> hstream_code_t {
    run(err, move || with(handle, name, body))
}

/// The same for what is called once a record: as little as possible is done around the body. What that does but
/// seldom, and all that waits, it does in [`aside`].
#[inline]
pub(crate) fn swiftly<T: LongLived>(
    handle: Option<Arc<T>>,
    name: &'static str,
    err: ErrorOut<'_>,
    body: impl FnOnce(&T) -> Outcome,
) -> hstream_code_t {
    let outcome = catch_unwind(AssertUnwindSafe(move || with(handle, name, body)));
    finish(err, outcome.map_err(caught).flatten())
}

/// Runs a part of the body of such a function as the whole body of others is run.
#[cold]
pub(crate) fn aside<R>(part: impl FnOnce() -> Outcome<R>) -> Outcome<R> {
    marked(part).flatten()
}

#[inline]
fn with<T: LongLived>(
    handle: Option<Arc<T>>,
    name: &'static str,
    body: impl FnOnce(&T) -> Outcome,
) -> Outcome {
    let handle = given(handle, name)?;
    handle.life().check(T::NAME)?;
    let poison = Poison(handle.life());
    let outcome = body(&handle);
    std::mem::forget(poison);
    outcome
}

/// Takes a handle out of use, unless it is forgotten in time: a panic drops it.
struct Poison<'a>(&'a Life);

impl Drop for Poison<'_> {
    fn drop(&mut self) {
        self.0.poison();
    }
}

/// The same for close, which also works on a handle in which something panicked.
pub(crate) fn closing<T: LongLived>(
    handle: Option<Arc<T>>,
    name: &'static str,
    err: ErrorOut<'_>,
    body: impl FnOnce(&T) -> Outcome,
) -> hstream_code_t {
    run(err, move || {
        let handle = given(handle, name)?;
        handle.life().check_fork(T::NAME)?;
        body(&handle)
    })
}

/// Frees a long-lived handle, which may wait for its end.
pub(crate) fn freeing(body: impl FnOnce()) {
    let _ = catch(body);
}

/// Runs the body of a function that returns something else than a code, and neither waits nor leaves this library.
#[inline]
pub(crate) fn quiet<R>(otherwise: R, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).map_err(caught).unwrap_or(otherwise)
}

/// The same for a question about a long-lived handle. One of before a fork has no answers.
pub(crate) fn ask<T: LongLived, R>(handle: Option<Arc<T>>, otherwise: R, body: impl FnOnce(&T) -> R) -> R {
    let answer = quiet(None, move || match handle {
        Some(handle) if handle.life().check_fork(T::NAME).is_ok() => Some(body(&handle)),
        _ => None,
    });
    answer.unwrap_or(otherwise)
}

/// Does to a long-lived handle what may be done in a signal handler: a thread's own storage, which may have to be
/// allocated, is not touched, and what comes with a panic is kept for good.
pub(crate) fn in_handler<T: LongLived>(handle: Option<Arc<T>>, body: impl FnOnce(&T)) {
    let done = catch_unwind(AssertUnwindSafe(move || match handle {
        Some(handle) if handle.life().check_fork(T::NAME).is_ok() => body(&handle),
        _ => {}
    }));
    std::mem::forget(done);
}

#[inline]
fn finish(err: ErrorOut<'_>, outcome: Outcome) -> hstream_code_t {
    match outcome {
        Ok(()) => {
            if let Some(err) = err {
                err.write(ptr::null_mut());
            }
            HSTREAM_OK
        }
        Err(failure) => fail(err, &failure),
    }
}

#[cold]
fn fail(err: ErrorOut<'_>, failure: &Failure) -> hstream_code_t {
    if let Some(err) = err {
        err.write(handles::give(hstream_error_t::new(failure)));
    }
    failure.code()
}

/// Runs something; a panic comes back as a failure.
fn catch<R>(body: impl FnOnce() -> R) -> Outcome<R> {
    catch_unwind(AssertUnwindSafe(|| marked(body))).map_err(caught).flatten()
}

/// Runs something on a thread that is known, and known to be inside. In a shared library, to look for what a thread
/// has of its own is a call.
fn marked<R>(body: impl FnOnce() -> R) -> Outcome<R> {
    struct Inside<'a> {
        thread: &'a ThisThread,
        was_inside: bool,
    }
    impl Drop for Inside<'_> {
        fn drop(&mut self) {
            self.thread.inside.set(self.was_inside);
        }
    }
    THIS_THREAD.with(|thread| {
        if !thread.has_called.replace(true) {
            note_caller();
        }
        if !can_wait(thread) {
            let text = "the calling thread is ending, and what it had of its own is gone";
            return Err(Failure::refused(HSTREAM_ERR_SHUTTING_DOWN, text));
        }
        let _inside = Inside { thread, was_inside: thread.inside.replace(true) };
        Ok(body())
    })
}

/// Whether std still has its part of the thread's storage. Of the main thread it has, also when handlers of `atexit`
/// run, and global objects are destroyed; of others not after the destructors of their storage.
fn can_wait(thread: &ThisThread) -> bool {
    if STORAGE.try_with(|_| ()).is_ok() {
        return true;
    }
    // There is no other way to ask.
    thread.asks.set(true);
    let answer = catch_unwind(std::thread::current);
    thread.asks.set(false);
    answer.is_ok()
}

/// What came with a panic, as a failure.
#[cold]
fn caught(payload: Box<dyn Any + Send>) -> Failure {
    let text = panic_text(&*payload);
    discard(payload);
    tracing::error!(text, "caught a panic");
    Failure::panicked(text)
}

fn panic_text(payload: &dyn Any) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic without text".to_owned(),
    }
}

/// Drops what came with a panic; that drop may panic in its turn, and what comes with that is kept for good.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

/// What was given for a parameter that must not be NULL.
pub(crate) fn given<T>(parameter: Option<T>, name: &'static str) -> Outcome<T> {
    parameter.ok_or_else(|| Failure::null(name))
}

/// A truth value.
pub(crate) fn truth(value: i32, name: &'static str) -> Outcome<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Failure::invalid(format!("`{name}` is {value}, which is neither 0 nor 1"))),
    }
}

/// Has forks counted from now on.
pub(crate) fn watch_forks() {
    static WATCHED: Once = Once::new();
    #[cfg(unix)]
    WATCHED.call_once(|| {
        extern "C" fn in_child() {
            crate::fork::raise();
        }
        // SAFETY: the handler stores to one atomic, which is allowed in the child of any process.
        let failed = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        if failed != 0 {
            tracing::error!("forks can't be noticed: no memory for the handler");
        }
    });
    #[cfg(not(unix))]
    WATCHED.call_once(|| ());
}

thread_local! {
    static THIS_THREAD: ThisThread = const { ThisThread::new() };
    static STORAGE: Storage = const { Storage };
}

/// What is known of a thread that calls.
struct ThisThread {
    has_called: Cell<bool>,
    /// Whether it is inside of a function of ours.
    inside: Cell<bool>,
    /// Whether a panic would only be an answer.
    asks: Cell<bool>,
}

impl ThisThread {
    const fn new() -> Self {
        ThisThread { has_called: Cell::new(false), inside: Cell::new(false), asks: Cell::new(false) }
    }
}

/// Gone when a thread begins to end.
struct Storage;

impl Drop for Storage {
    fn drop(&mut self) {}
}

/// What the first call of a thread does.
#[cold]
fn note_caller() {
    keep_main_thread();
    #[cfg(not(test))]
    silence_our_panics();
}

/// Has panics inside of this library logged, and nothing else: the terminal is the host's. Those of other code, which
/// are there if the library is a part of a program in Rust, are told as before.
#[cfg(not(test))]
fn silence_our_panics() {
    static SILENCED: Once = Once::new();
    SILENCED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if THIS_THREAD.try_with(|thread| thread.asks.get()).unwrap_or(false) {
                return;
            }
            let inside = THIS_THREAD.try_with(|thread| thread.inside.get()).unwrap_or(true);
            // Swift functions leave no mark.
            let in_our_code = panic.location().is_some_and(|place| is_our_source(place.file()));
            if inside || in_our_code || crate::runtime::is_ours() {
                let place = panic.location().map(ToString::to_string).unwrap_or_default();
                tracing::error!(place, text = panic_text(panic.payload()), "a bug in this library");
            } else {
                before(panic);
            }
        }));
    });
}

/// Whether a file is one of this library's.
#[cfg(not(test))]
fn is_our_source(file: &str) -> bool {
    let ours = file!().trim_end_matches("ffi/boundary.rs");
    file.starts_with(ours)
}

/// Holds on to what std knows of the host's main thread, once that has called us.
///
/// std lets go of it in a destructor that runs when a thread ends, but not when the process exits; until
/// then it has a pointer into the middle of it, which checkers of memory take for a possible leak.
#[cfg(target_os = "linux")]
fn keep_main_thread() {
    static MAIN: OnceLock<Thread> = OnceLock::new();
    // SAFETY: it only asks.
    let thread = unsafe { libc::gettid() };
    // SAFETY: it only asks.
    let process = unsafe { libc::getpid() };
    if thread == process {
        let _ = MAIN.set(std::thread::current());
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_main_thread() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::error::{hstream_error_code, hstream_error_free};

    struct Thing {
        life: Life,
    }

    impl LongLived for Thing {
        const NAME: &'static str = "thing";

        fn life(&self) -> &Life {
            &self.life
        }
    }

    #[test]
    fn a_panic_is_a_code_and_poisons_the_handle() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                if !std::thread::panicking() {
                    panic!("in the drop of what came with a panic");
                }
            }
        }
        let thing = Arc::new(Thing { life: Life::new() });
        let mut err = MaybeUninit::uninit();
        let code = on(Some(thing.clone()), "thing", Some(&mut err), |_| std::panic::panic_any(Bomb));
        assert_eq!(code, HSTREAM_ERR_PANIC);
        // SAFETY: it is always written.
        let err = unsafe { err.assume_init() };
        // SAFETY: it is alive until it is freed below.
        let error = unsafe { err.as_ref() };
        // SAFETY: as above.
        assert_eq!(unsafe { hstream_error_code(error) }, HSTREAM_ERR_PANIC);
        // SAFETY: it is ours.
        unsafe { hstream_error_free(err) };
        assert_eq!(on(Some(thing.clone()), "thing", None, |_| Ok(())), HSTREAM_ERR_PANIC);
        assert_eq!(closing(Some(thing), "thing", None, |_| Ok(())), HSTREAM_OK);
    }

    #[test]
    fn questions_that_panic_have_the_harmless_answer() {
        assert_eq!(quiet(7, || panic!("on purpose")), 7);
        assert_eq!(ask(None::<Arc<Thing>>, 3, |_| 4), 3);
    }
}
