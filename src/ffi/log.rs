//! The log: what the library has to tell, for a function of the program's or for stderr.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::SystemTime;

use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::ffi::boundary::{self, Failure, Outcome};
use crate::ffi::bytes::{self, Text};
use crate::ffi::callback::{Callback, hstream_log_fn, hstream_release_fn};
use crate::ffi::error::hstream_error_t;
use crate::ffi::log_filter::Filter;
use crate::ffi::status::*;
use crate::fork;
use crate::runtime::spawn_thread;

/// Nothing.
pub const HSTREAM_LOG_OFF: i32 = 0;
/// What went wrong and was not told otherwise.
pub const HSTREAM_LOG_ERROR: i32 = 1;
/// And what may go wrong.
pub const HSTREAM_LOG_WARN: i32 = 2;
/// And what happens rarely.
pub const HSTREAM_LOG_INFO: i32 = 3;
/// And what happens often.
pub const HSTREAM_LOG_DEBUG: i32 = 4;
/// Everything.
pub const HSTREAM_LOG_TRACE: i32 = 5;

const NAMES: [&CStr; 6] = [c"OFF", c"ERROR", c"WARN", c"INFO", c"DEBUG", c"TRACE"];

/// Only this library's lines: those of what it is made of are not for its users.
const OURS: &str = "hstreamdb";

/// In place of a level: what the environment says.
const AS_THE_ENVIRONMENT: i32 = -1;

/// How many lines wait for a slow function; those beyond are lost and counted.
const WAITING: usize = 1024;

static DROPPED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// On the thread of the log, which does not log itself.
    static LOGGING: Cell<bool> = const { Cell::new(false) };
}

/// Where lines go in this process.
struct Log {
    generation: u32,
    /// The level for all targets, or `AS_THE_ENVIRONMENT`.
    level: AtomicI32,
    sink: Mutex<Option<Sink>>,
    /// One change at a time.
    changing: Mutex<()>,
}

/// A function, with the thread that calls it.
struct Sink {
    callback: Callback<hstream_log_fn>,
    lines: Sender<Line>,
    waiting: Receiver<Line>,
    /// Started by the first line.
    thread: Option<JoinHandle<()>>,
}

struct Line {
    level: i32,
    time_ms: i64,
    target: &'static str,
    message: String,
}

/// A child of a fork begins anew: the thread is its parent's, and somebody may have held a lock.
fn log() -> &'static Log {
    static LOG: AtomicPtr<Log> = AtomicPtr::new(ptr::null_mut());
    loop {
        let current = LOG.load(Ordering::Acquire);
        // SAFETY: what is stored here is never freed.
        match unsafe { current.as_ref() } {
            Some(log) if log.generation == fork::generation() => return log,
            _ => {}
        }
        let new = Box::into_raw(Box::new(Log {
            generation: fork::generation(),
            level: AtomicI32::new(AS_THE_ENVIRONMENT),
            sink: Mutex::default(),
            changing: Mutex::default(),
        }));
        if LOG.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: it was made above, and nobody else has seen it.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

impl Sink {
    fn new(callback: Callback<hstream_log_fn>) -> Self {
        let (lines, waiting) = crossbeam_channel::bounded(WAITING);
        Sink { callback, lines, waiting, thread: None }
    }

    fn push(&mut self, line: Line) {
        if self.thread.is_none() {
            let (callback, waiting) = (self.callback.clone(), self.waiting.clone());
            let thread = spawn_thread("hstream-log".into(), move || {
                LOGGING.set(true);
                for line in waiting {
                    let (target, message) = (Text::new(line.target), Text::new(&line.message));
                    callback.call(line.level, line.time_ms, &target, &message);
                }
            });
            self.thread = thread.ok();
        }
        if self.thread.is_none() || self.lines.try_send(line).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that was taken is told. Returns the function, to be released where no lock is held.
    fn end(self) -> Callback<hstream_log_fn> {
        drop(self.lines);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
        self.callback
    }
}

/// What the environment variable HSTREAM_LOG says. What it says wrongly is told on stderr, once.
fn environment() -> &'static Filter {
    static FILTER: OnceLock<Filter> = OnceLock::new();
    FILTER.get_or_init(|| {
        let value = std::env::var_os("HSTREAM_LOG").unwrap_or_default();
        let value = value.to_string_lossy();
        let (filter, malformed) = Filter::parse(&value);
        for part in malformed {
            let part = part.escape_debug();
            let text = format!("HSTREAM_LOG: `{part}` is neither a level nor target=level, and is ignored\n");
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
        filter
    })
}

fn is_wanted_by_environment() -> bool {
    environment().highest() != HSTREAM_LOG_OFF
}

/// Has lines written to stderr if the environment wants that.
pub(crate) fn as_the_environment_says() {
    if is_wanted_by_environment() {
        install();
    }
}

/// Has the process's lines go here. That is for good, and not done before somebody wants lines.
fn install() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| tracing::subscriber::set_global_default(Lines).is_ok())
}

struct Lines;

impl Subscriber for Lines {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked at each event, so that levels may change without a lock.
        if metadata.target().starts_with(OURS) { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), number_of(*metadata.level()));
        let told = || match log().level.load(Ordering::Relaxed) {
            AS_THE_ENVIRONMENT => environment().level_of(target),
            level => level,
        };
        metadata.is_event() && target.starts_with(OURS) && level <= told()
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        // A thread whose own storage is gone has nothing to tell either.
        if LOGGING.try_with(Cell::get).unwrap_or(true) {
            return;
        }
        let line = Line {
            level: number_of(*event.metadata().level()),
            time_ms: bytes::millis(Some(SystemTime::now())),
            target: event.metadata().target(),
            message: Message::of(event),
        };
        let mut sink = log().sink.lock();
        if let Some(sink) = sink.as_mut() {
            sink.push(line);
            return;
        }
        drop(sink);
        if is_wanted_by_environment() {
            let name = NAMES[usize::try_from(line.level).unwrap_or(0)].to_string_lossy();
            let text = format!("{name:5} {}: {}\n", line.target, line.message);
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn number_of(level: Level) -> i32 {
    match level {
        Level::ERROR => HSTREAM_LOG_ERROR,
        Level::WARN => HSTREAM_LOG_WARN,
        Level::INFO => HSTREAM_LOG_INFO,
        Level::DEBUG => HSTREAM_LOG_DEBUG,
        _ => HSTREAM_LOG_TRACE,
    }
}

/// The text of an event, and its fields behind it.
#[derive(Default)]
struct Message {
    text: String,
    fields: String,
}

impl Message {
    fn of(event: &Event<'_>) -> String {
        let mut message = Message::default();
        event.record(&mut message);
        message.text + &message.fields
    }
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Strings take all.
        let _ = match field.name() {
            "message" => write!(self.text, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

fn check_level(max_level: i32) -> Outcome {
    if (HSTREAM_LOG_OFF..=HSTREAM_LOG_TRACE).contains(&max_level) {
        return Ok(());
    }
    Err(Failure::invalid(format!("`max_level` is {max_level}, which is no HSTREAM_LOG_*")))
}

/// Has the lines of the library's log up to a level given to a function, on a thread of the log that is started
/// by the first line. The library never waits for the function: lines that come while 1,024 are waiting are lost.
/// What the function itself makes the library do is not logged. NULL removes the function. Replaced or removed, it
/// is not called any more when this returns, and it has got the lines of before. While there is none, lines go to
/// stderr as the environment variable HSTREAM_LOG says: the name of a level, or levels by target, as in
/// "hstreamdb::cluster=debug,warn", where the longest target that a line's begins with decides.
///
/// May be NULL: `callback`, `user_data`, `release`, `err`.
///
/// **Ownership**: `user_data` is the library's until it is released, if there is a function and all went well.
/// **Threads**: any.
/// **Blocking**: until the function that was there before has returned.
/// **Errors**: INVALID_ARGUMENT. WOULD_DEADLOCK in the function itself. INVALID_STATE in a Rust program that has
/// its own subscriber of `tracing`.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_log_set_callback(
    max_level: i32,
    callback: hstream_log_fn,
    user_data: *mut c_void,
    release: hstream_release_fn,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        check_level(max_level)?;
        if LOGGING.get() {
            let text = "a change of the log in its own callback would wait for that callback";
            return Err(Failure::refused(HSTREAM_ERR_WOULD_DEADLOCK, text));
        }
        boundary::watch_forks();
        if callback.is_some() && !install() {
            let text = "this process has a subscriber of `tracing` already, which gets the lines";
            return Err(Failure::refused(HSTREAM_ERR_INVALID_STATE, text));
        }
        let log = log();
        let one = log.changing.lock();
        let before = log.sink.lock().take();
        let before = before.map(Sink::end);
        let level = if callback.is_some() { max_level } else { AS_THE_ENVIRONMENT };
        log.level.store(level, Ordering::Relaxed);
        if callback.is_some() {
            *log.sink.lock() = Some(Sink::new(Callback::new(callback, user_data, release)));
        }
        drop(one);
        drop(before);
        Ok(())
    })
}

/// Sets up to which level lines are told: HSTREAM_LOG_*. It holds until a function is set or removed.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, also the function that gets the lines.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_log_set_level(max_level: i32) -> hstream_code_t {
    boundary::run(None, || {
        check_level(max_level)?;
        boundary::watch_forks();
        log().level.store(max_level, Ordering::Relaxed);
        Ok(())
    })
}

/// Returns the name of a level, such as "WARN"; "UNKNOWN" for other numbers.
///
/// **Ownership**: The result is static.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_log_level_name(level: i32) -> *const c_char {
    boundary::quiet(c"".as_ptr(), || {
        let name = usize::try_from(level).ok().and_then(|level| NAMES.get(level));
        name.map_or(c"UNKNOWN", |name| *name).as_ptr()
    })
}

/// Returns how many lines were lost because the function was slow.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_log_dropped() -> u64 {
    boundary::quiet(0, || DROPPED.load(Ordering::Relaxed))
}
