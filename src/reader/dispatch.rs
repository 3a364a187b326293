//! The reader's own thread, where there is a callback.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::ThreadId;

use parking_lot::Mutex;

use crate::error::{Error, ErrorKind, Result};
use crate::producer::reports::next_callback_thread_name;
use crate::reader::handle::{Owner, Reader};
use crate::reader::life::Shared;
use crate::received::Batch;
use crate::runtime::{JoinHandle, spawn_thread};
use crate::test_panic;

/// What is called for each batch, and once at the end.
pub(crate) trait Handler: Send + 'static {
    fn batch(&mut self, reader: &Reader, batch: &Batch) -> ControlFlow<()>;

    /// With why it failed, if it did.
    fn ended(&mut self, _failure: Option<&Error>) {}
}

impl<F: FnMut(&Reader, &Batch) -> ControlFlow<()> + Send + 'static> Handler for F {
    fn batch(&mut self, reader: &Reader, batch: &Batch) -> ControlFlow<()> {
        self(reader, batch)
    }
}

/// Reads, and hands what comes to the callback, one batch at a time.
pub(crate) struct Dispatch<H> {
    shared: Arc<Shared>,
    /// Weak, so that dropping the last handle ends the reader although it runs.
    owner: Weak<Owner>,
    handler: H,
}

impl<H: Handler> Dispatch<H> {
    pub(crate) fn new(shared: Arc<Shared>, owner: Weak<Owner>, handler: H) -> Self {
        Dispatch { shared, owner, handler }
    }

    pub(crate) fn run(mut self) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.deliver_until_ended()));
        let failure = outcome.unwrap_or_else(|_| Err(self.panicked("the callback thread of a reader"))).err();
        let told = catch_unwind(AssertUnwindSafe(|| self.handler.ended(failure.as_ref())));
        if told.is_err() {
            tracing::error!(stream = self.shared.stream, "a reader's last callback panicked");
        }
    }

    fn deliver_until_ended(&mut self) -> Result<()> {
        while let Some(batch) = self.shared.next_to_deliver()? {
            test_panic::point("callback", &self.shared.stream);
            let Some(owner) = self.owner.upgrade() else { break };
            let reader = Reader::of(owner);
            let next = catch_unwind(AssertUnwindSafe(|| self.handler.batch(&reader, &batch)));
            let next = next.map_err(|_| self.panicked("a reader's callback"))?;
            if next.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Ends the reader with it.
    fn panicked(&self, what: &str) -> Error {
        let error = Error::new(ErrorKind::Panic, format!("{what} panicked"));
        self.shared.fail(error.clone());
        error
    }
}

/// Whether what comes goes to a callback, and on which thread that runs.
#[derive(Default)]
pub(crate) struct Delivery {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Until a stop.
    is_wanted: bool,
    /// The thread that runs the callback, as long as it may.
    callback: Option<ThreadId>,
    thread: Option<JoinHandle<()>>,
}

impl Delivery {
    /// Starts the thread, which calls [`ended`](Self::ended) last. There is none before; whoever starts one sees to it.
    pub(crate) fn start(&self, body: impl FnOnce() + Send + 'static) -> Result<()> {
        // Under the lock, so that the thread finds itself noted.
        let mut state = self.state.lock();
        let thread = spawn_thread(next_callback_thread_name(), body)?;
        *state = State { is_wanted: true, callback: Some(thread.thread().id()), thread: Some(thread) };
        Ok(())
    }

    pub(crate) fn stop(&self) {
        self.state.lock().is_wanted = false;
    }

    pub(crate) fn ended(&self) {
        self.state.lock().callback = None;
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.state.lock().is_wanted
    }

    /// Whether the callback runs, or may.
    pub(crate) fn runs(&self) -> bool {
        self.state.lock().callback.is_some()
    }

    pub(crate) fn is_callback_thread(&self) -> bool {
        self.state.lock().callback == Some(std::thread::current().id())
    }

    /// Waits for the last bit of a thread that has called [`ended`](Self::ended).
    pub(crate) fn join(&self) {
        let thread = {
            let mut state = self.state.lock();
            if state.callback.is_none() { state.thread.take() } else { None }
        };
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
