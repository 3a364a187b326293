//! Options of the private runtime and its threads, for the process.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::{Error, Result};

const MOST_WORKERS: u32 = 1024;
/// Linux shows 15 bytes of a thread's name.
const LONGEST_NAME: usize = 32;
const STACK_SIZES: std::ops::RangeInclusive<usize> = 1 << 16..=1 << 30;

/// What happens to a thread of this library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadEvent {
    /// It has started, and done nothing yet.
    Starts,
    /// It has done all it had to.
    Ends,
}

/// Something to call on each thread of ours, with the thread's name.
type Hook = Arc<dyn Fn(ThreadEvent, &str) + Send + Sync>;

/// Options of the threads that all clients of the process have in common, for [`init`](crate::init).
///
/// Programs do well without: for names that fit those of their own threads, for callbacks that need large
/// stacks, or where threads must be registered with a virtual machine.
#[derive(Clone, Default)]
#[must_use]
pub struct RuntimeOptions {
    pub(crate) worker_threads: u32,
    pub(crate) thread_name: Option<String>,
    pub(crate) stack_size: usize,
    pub(crate) compression_threads: u32,
    hook: Option<Hook>,
}

impl RuntimeOptions {
    /// All defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many threads do the I/O, up to 1,024; default 1, which 0 stands for as well. More are slower on small
    /// machines: the work is short, and waking up is what costs.
    pub fn worker_threads(self, count: u32) -> Self {
        RuntimeOptions { worker_threads: count, ..self }
    }

    /// How the names of threads begin, in up to 32 printable ASCII characters; default `hstream`, as in
    /// `hstream-io-0`. Linux shows 15 characters of the whole name.
    pub fn thread_name(self, prefix: impl Into<String>) -> Self {
        RuntimeOptions { thread_name: Some(prefix.into()).filter(|prefix| !prefix.is_empty()), ..self }
    }

    /// The stack of threads that run callbacks, in bytes, from 64 KiB to 1 GiB; default 2 MiB, which 0 stands for
    /// as well.
    pub fn stack_size(self, bytes: usize) -> Self {
        RuntimeOptions { stack_size: bytes, ..self }
    }

    /// How many threads compress batches, up to 1,024; default one less than there are cores, at least one, which 0
    /// stands for as well. They are started by the first producer that compresses.
    pub fn compression_threads(self, count: u32) -> Self {
        RuntimeOptions { compression_threads: count, ..self }
    }

    /// Calls this on each thread of the library when it starts and when it ends, with the thread's name: those
    /// for I/O, callbacks, compression, the log, and short-lived ones. It must be quick, and not use this library:
    /// I/O waits for it. A panic in it is logged and goes no further.
    pub fn thread_hook(self, hook: impl Fn(ThreadEvent, &str) + Send + Sync + 'static) -> Self {
        RuntimeOptions { hook: Some(Arc::new(hook)), ..self }
    }

    #[cfg(feature = "ffi")]
    pub(crate) fn without_thread_hook(self) -> Self {
        RuntimeOptions { hook: None, ..self }
    }

    pub(crate) fn check(&self) -> Result<()> {
        for (what, count) in [("worker", self.worker_threads), ("compression", self.compression_threads)] {
            if count > MOST_WORKERS {
                let message = format!("{count} {what} threads are more than the {MOST_WORKERS} allowed");
                return Err(Error::invalid_argument(message));
            }
        }
        if self.stack_size != 0 && !STACK_SIZES.contains(&self.stack_size) {
            let message = format!(
                "the stack size {} is out of range, {} to {}",
                self.stack_size,
                STACK_SIZES.start(),
                STACK_SIZES.end()
            );
            return Err(Error::invalid_argument(message));
        }
        let name = self.prefix();
        if name.len() > LONGEST_NAME || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!(
                "the thread name `{}` is more than {LONGEST_NAME} characters, or not printable ASCII",
                name.escape_debug()
            );
            return Err(Error::invalid_argument(message));
        }
        Ok(())
    }

    /// How names of threads begin.
    pub(crate) fn prefix(&self) -> &str {
        self.thread_name.as_deref().unwrap_or("hstream")
    }

    /// How many threads do the I/O.
    pub(crate) fn workers(&self) -> usize {
        self.worker_threads.max(1) as usize
    }

    pub(crate) fn tell(&self, event: ThreadEvent) {
        let Some(hook) = &self.hook else { return };
        let thread = std::thread::current();
        let called = catch_unwind(AssertUnwindSafe(|| hook(event, thread.name().unwrap_or_default())));
        if called.is_err() {
            tracing::error!(?event, "a thread hook panicked");
        }
    }
}

impl fmt::Debug for RuntimeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeOptions")
            .field("worker_threads", &self.workers())
            .field("thread_name", &self.prefix())
            .field("stack_size", &self.stack_size)
            .field("thread_hook", &self.hook.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked_by_name() {
        for (options, part) in [
            (RuntimeOptions::new().worker_threads(1025), "worker threads"),
            (RuntimeOptions::new().stack_size(1), "stack size 1 "),
            (RuntimeOptions::new().stack_size(usize::MAX), "stack size"),
            (RuntimeOptions::new().thread_name("a\0b"), "thread name `a\\0b`"),
            (RuntimeOptions::new().thread_name("x".repeat(33)), "32 characters"),
        ] {
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        RuntimeOptions::new().check().unwrap();
        RuntimeOptions::new().worker_threads(8).stack_size(1 << 20).thread_name("app").check().unwrap();
    }

    #[test]
    fn a_panic_in_the_hook_goes_no_further() {
        RuntimeOptions::new().thread_hook(|_, _| panic!("on purpose")).tell(ThreadEvent::Starts);
    }
}
