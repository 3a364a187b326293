//! The private runtime: one for the process, started by the first handle that needs it and stopped by the
//! last. All I/O and timers run on it; never user code, never compression.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
pub(crate) use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle};

use crate::cancel::Bell;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime_options::{RuntimeOptions, ThreadEvent};
use crate::{fork, signals};

/// How long the last handle waits for the workers to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

thread_local! {
    /// Whether this thread is one of ours: those must not wait for the runtime to end.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// A share in the runtime: it runs as long as there is one.
///
/// Tasks must not hold one, or the runtime would keep itself alive; they hold a [`Spawner`].
#[derive(Clone)]
pub(crate) struct Runtime {
    inner: Arc<Inner>,
}

struct Inner {
    /// Taken out when it ends.
    runtime: Mutex<Option<tokio::runtime::Runtime>>,
    handle: Handle,
    generation: u32,
}

static CURRENT: Mutex<Weak<Inner>> = Mutex::new(Weak::new());

/// What [`init`] set. It stays in force when the runtime ends.
static OPTIONS: Mutex<Option<Arc<RuntimeOptions>>> = Mutex::new(None);

fn options() -> Arc<RuntimeOptions> {
    OPTIONS.lock().clone().unwrap_or_default()
}

/// How many threads compress.
pub(crate) fn compression_threads() -> u32 {
    match options().compression_threads {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32 - 1).max(1),
        count => count,
    }
}

/// Sets how the threads are that all clients of the process have in common. It starts none, and is only needed
/// for something else than the defaults. What is set holds for good: also for the threads of a later start, when
/// all clients have gone in between.
///
/// # Errors
///
/// [`InvalidState`](ErrorKind::InvalidState) if there is a client, producer or consumer already: the threads run.
/// [`InvalidArgument`](ErrorKind::InvalidArgument) for options out of range.
pub fn init(options: RuntimeOptions) -> Result<()> {
    options.check()?;
    let current = CURRENT.lock();
    if current.upgrade().is_some_and(|inner| inner.generation == fork::generation()) {
        return Err(Error::new(ErrorKind::InvalidState, "the runtime of this process runs already"));
    }
    let before = OPTIONS.lock().replace(Arc::new(options));
    // Outside of the locks: the hook may belong to somebody.
    drop(current);
    drop(before);
    Ok(())
}

impl Runtime {
    /// A share in the runtime of this process, which is started if nobody has one.
    pub(crate) fn acquire() -> Result<Runtime> {
        let mut current = CURRENT.lock();
        if let Some(inner) = current.upgrade().filter(|inner| inner.generation == fork::generation()) {
            return Ok(Runtime { inner });
        }
        let inner = Arc::new(Inner::start()?);
        *current = Arc::downgrade(&inner);
        Ok(Runtime { inner })
    }

    /// Ends the runtime of this process, whoever has a share in it: tasks end where they are. Who acquires one
    /// after this has a new one.
    #[cfg(feature = "ffi")]
    pub(crate) fn end() {
        let ended = std::mem::take(&mut *CURRENT.lock()).upgrade();
        let Some(ended) = ended.filter(|inner| inner.generation == fork::generation()) else { return };
        let runtime = ended.runtime.lock().take();
        if let Some(runtime) = runtime {
            stop(runtime);
        }
    }

    /// Something to spawn with that does not keep the runtime alive.
    pub(crate) fn spawner(&self) -> Spawner {
        Spawner { handle: self.inner.handle.clone() }
    }
}

impl Inner {
    fn start() -> Result<Inner> {
        static WORKERS: AtomicUsize = AtomicUsize::new(0);
        let bell = Bell::of_this_process()?;
        let options = options();
        let (named, started, ended) = (options.clone(), options.clone(), options.clone());
        let runtime = signals::blocked(|| {
            Builder::new_multi_thread()
                .worker_threads(options.workers())
                .thread_name_fn(move || {
                    format!("{}-io-{}", named.prefix(), WORKERS.fetch_add(1, Ordering::Relaxed))
                })
                .on_thread_start(move || {
                    mark_thread_as_ours();
                    started.tell(ThreadEvent::Starts);
                })
                .on_thread_stop(move || ended.tell(ThreadEvent::Ends))
                .enable_io()
                .enable_time()
                .build()
        });
        let runtime = runtime.map_err(|error| {
            Error::new(ErrorKind::Resources, "the I/O thread can't be started").with_source(error)
        })?;
        let handle = runtime.handle().clone();
        handle.spawn(bell.listen());
        Ok(Inner { runtime: Mutex::new(Some(runtime)), handle, generation: fork::generation() })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.get_mut().take() else { return };
        if self.generation != fork::generation() {
            // Its threads are in another process, and so is whatever its descriptors belong to.
            std::mem::forget(runtime);
        } else if OURS.get() {
            runtime.shutdown_background();
        } else {
            stop(runtime);
        }
    }
}

/// On a thread of its own, because a runtime must not be waited for inside of another one.
fn stop(runtime: tokio::runtime::Runtime) {
    let (stopped, wait) = std::sync::mpsc::channel();
    let stopper = spawn_thread("hstream-stop".into(), move || {
        runtime.shutdown_timeout(STOP_TIMEOUT);
        let _ = stopped.send(());
    });
    // Without a thread the closure is dropped here, and the runtime with it, in the background.
    let Ok(stopper) = stopper else { return };
    match wait.recv_timeout(2 * STOP_TIMEOUT) {
        // It has nothing left to do; a process that exits now should not have it around.
        Ok(()) => drop(stopper.join()),
        Err(_) => tracing::error!("the I/O thread did not end within {STOP_TIMEOUT:?}"),
    }
}

/// Starts a thread of ours. Its name begins with `hstream`, or with what the options have in its place.
pub(crate) fn spawn_thread(name: String, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let options = options();
    let mut builder = std::thread::Builder::new();
    if options.stack_size != 0 && runs_callbacks(&name) {
        builder = builder.stack_size(options.stack_size);
    }
    let name = match name.strip_prefix("hstream") {
        Some(rest) => format!("{}{rest}", options.prefix()),
        None => name,
    };
    let spawned = signals::blocked(|| {
        builder.name(name).spawn(move || {
            mark_thread_as_ours();
            options.tell(ThreadEvent::Starts);
            let _end = TellEnd(options);
            body();
        })
    });
    spawned.map_err(|error| Error::new(ErrorKind::Resources, "a thread can't be started").with_source(error))
}

/// Whether a thread of this name runs functions of the user's.
fn runs_callbacks(name: &str) -> bool {
    name.starts_with("hstream-cb-") || name == "hstream-log"
}

/// Tells the end of a thread, also if it panics.
struct TellEnd(Arc<RuntimeOptions>);

impl Drop for TellEnd {
    fn drop(&mut self) {
        self.0.tell(ThreadEvent::Ends);
    }
}

/// Whether this thread is one of ours.
pub(crate) fn is_ours() -> bool {
    OURS.get()
}

fn mark_thread_as_ours() {
    OURS.set(true);
}

/// Starts tasks on the runtime, as long as it runs.
#[derive(Clone)]
pub(crate) struct Spawner {
    handle: Handle,
}

impl Spawner {
    pub(crate) fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        Task { task: self.handle.spawn(future) }
    }
}

/// A task on the runtime, and its result to come. Dropping it ends the task.
#[must_use]
pub(crate) struct Task<T> {
    task: tokio::task::JoinHandle<T>,
}

impl<T> Task<T> {
    /// Ends the task at its next await.
    pub(crate) fn abort(&self) {
        self.task.abort();
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        Poll::Ready(ready!(Pin::new(&mut self.task).poll(context)).map_err(|error| {
            if error.is_panic() {
                Error::new(ErrorKind::Panic, "a task of this library panicked; this is a bug in it")
            } else {
                Error::new(ErrorKind::Closed, "the runtime of this library has ended")
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::{Wait, wait};

    #[test]
    fn a_panic_in_a_task_is_an_error() {
        let runtime = Runtime::acquire().unwrap();
        let task = runtime.spawner().spawn(async { panic!("on purpose") });
        let error: Result<()> = wait(task, Wait::forever().until()).unwrap();
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Panic);
    }

    #[test]
    fn the_last_share_may_go_inside_a_foreign_runtime_or_one_of_our_own_tasks() {
        let foreign = tokio::runtime::Builder::new_current_thread().build().unwrap();
        foreign.block_on(async { drop(Runtime::acquire().unwrap()) });
        let runtime = Runtime::acquire().unwrap();
        let spawner = runtime.spawner();
        let (sender, receiver) = std::sync::mpsc::channel();
        let task = spawner.spawn(async move {
            drop(runtime);
            sender.send(()).unwrap();
        });
        receiver.recv().unwrap();
        drop(task);
    }
}
