//! Events on their way to a callback: a bounded queue, and a thread that empties it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, ThreadId};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;

use crate::closing::Closing;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::producer::reports::next_callback_thread_name;
use crate::runtime::{is_ours, spawn_thread};
use crate::wait::{Ended, Until, Wait, wait};

/// How many events wait for a slow callback; those beyond are lost and counted.
const WAITING: usize = 1024;

/// How long the last handle waits for events to be told.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// What is called for each event.
#[derive(Clone)]
pub(crate) struct EventCallback(Arc<dyn Fn(&Event) + Send + Sync>);

impl EventCallback {
    pub(crate) fn new(callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        EventCallback(Arc::new(callback))
    }

    /// Calls it; a panic in it ends here.
    fn tell(&self, event: &Event) {
        if catch_unwind(AssertUnwindSafe(|| (self.0)(event))).is_err() {
            tracing::error!("an event callback panicked");
        }
    }
}

impl fmt::Debug for EventCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventCallback")
    }
}

/// Where the events of one client go: to the log, and to its callback if it has one.
#[derive(Default)]
pub(crate) struct Events {
    teller: Option<Teller>,
    dropped: AtomicU64,
}

/// The thread that runs the callback.
struct Teller {
    /// `None` once stopped.
    queue: Mutex<Option<Sender<Event>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    id: ThreadId,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Whether what is queued is to be forgotten.
    discard: AtomicBool,
    forgotten: AtomicU64,
    /// Closed when the thread has told its last event.
    done: Closing,
}

/// An event that the callback will get and the log has not got: user code may listen to the log, so it is told
/// where no lock is held.
#[must_use]
pub(crate) struct Unlogged(Event);

impl Unlogged {
    pub(crate) fn log(&self) {
        self.0.log();
    }
}

impl Events {
    /// # Errors
    ///
    /// The callback's thread can't be started.
    pub(crate) fn start(callback: Option<EventCallback>) -> Result<Self> {
        let teller = callback.map(Teller::start).transpose()?;
        Ok(Events { teller, dropped: AtomicU64::new(0) })
    }

    /// Tells an event. Never waits.
    pub(crate) fn emit(&self, event: Event) {
        self.put(event).log();
    }

    /// Tells the callback. Under a lock this keeps events in the order of what they tell.
    pub(crate) fn put(&self, event: Event) -> Unlogged {
        if self.teller.as_ref().is_some_and(|teller| !teller.take(&event)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Unlogged(event)
    }

    /// How many events the callback did not get because it was slow.
    pub(crate) fn dropped(&self) -> u64 {
        let forgotten =
            self.teller.as_ref().map_or(0, |teller| teller.shared.forgotten.load(Ordering::Relaxed));
        self.dropped.load(Ordering::Relaxed) + forgotten
    }

    /// # Errors
    ///
    /// This is the callback's own thread, which whoever asks would wait for.
    pub(crate) fn check_may_wait(&self) -> Result<()> {
        if self.is_this_thread() {
            let message = "close was called from the event callback that it would wait for";
            return Err(Error::new(ErrorKind::WouldDeadlock, message));
        }
        Ok(())
    }

    fn is_this_thread(&self) -> bool {
        self.teller.as_ref().is_some_and(|teller| teller.id == std::thread::current().id())
    }

    /// Tells what is queued for as long as allowed, and forgets the rest. After it no callback runs.
    ///
    /// # Errors
    ///
    /// The wait was interrupted. What is queued is still told then, and this can be called again.
    pub(crate) fn stop(&self, until: Until<'_>) -> Result<()> {
        let Some(teller) = &self.teller else { return Ok(()) };
        teller.take_no_more();
        match wait(teller.shared.done.closed(), until) {
            Err(ended @ Ended::Interrupted) => return Err(ended.into_error("events to be told")),
            Err(Ended::Timeout) => teller.shared.discard.store(true, Ordering::Relaxed),
            Ok(()) => {}
        }
        teller.join();
        Ok(())
    }

    /// Forgets what is queued and waits for the running callback, unless that is who calls. After it no other
    /// one runs.
    #[cfg(feature = "ffi")]
    pub(crate) fn stop_now(&self) {
        let Some(teller) = &self.teller else { return };
        teller.shared.discard.store(true, Ordering::Relaxed);
        teller.take_no_more();
        if !self.is_this_thread() {
            teller.join();
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if is_ours() {
            // A thread of ours waits for no user code; that of the callback ends when all is told.
            return;
        }
        // Without a cancel object nothing interrupts it.
        let _ = self.stop(Wait::from(DROP_TIMEOUT).until());
    }
}

impl Teller {
    fn start(callback: EventCallback) -> Result<Self> {
        let (queue, waiting) = crossbeam_channel::bounded(WAITING);
        let shared = Arc::<Shared>::default();
        let teller = shared.clone();
        let thread = spawn_thread(next_callback_thread_name(), move || teller.run(callback, &waiting))?;
        Ok(Teller {
            queue: Mutex::new(Some(queue)),
            id: thread.thread().id(),
            thread: Mutex::new(Some(thread)),
            shared,
        })
    }

    /// Whether it will be told, or nothing is any more.
    fn take(&self, event: &Event) -> bool {
        let queue = self.queue.lock();
        queue.as_ref().is_none_or(|queue| queue.try_send(event.clone()).is_ok())
    }

    fn take_no_more(&self) {
        drop(self.queue.lock().take());
    }

    fn join(&self) {
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let _ = thread.join();
        } else {
            // Somebody else joins it, or has done so.
            let _ = wait(self.shared.done.closed(), Wait::forever().until());
        }
    }
}

impl Shared {
    fn run(&self, callback: EventCallback, waiting: &Receiver<Event>) {
        struct Done<'a>(&'a Closing);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.close();
            }
        }
        // Also when what the callback holds panics as it is dropped.
        let _done = Done(&self.done);
        for event in waiting {
            if self.discard.load(Ordering::Relaxed) {
                self.forgotten.fetch_add(1, Ordering::Relaxed);
            } else {
                callback.tell(&event);
            }
        }
        drop(callback);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::event::EventKind;

    fn event(number: usize) -> Event {
        Event::of_client(EventKind::ClusterChanged).saying(number.to_string())
    }

    #[test]
    fn events_come_in_order_and_a_panic_ends_nothing() {
        let (told, seen) = mpsc::channel();
        let told = Mutex::new(told);
        let events = Events::start(Some(EventCallback::new(move |event: &Event| {
            told.lock().send(event.to_string()).unwrap();
            panic!("on purpose");
        })));
        let events = events.unwrap();
        (0..10).for_each(|number| events.emit(event(number)));
        events.stop(Wait::forever().until()).unwrap();
        let seen: Vec<_> = seen.try_iter().collect();
        assert_eq!(seen, (0..10).map(|number| event(number).to_string()).collect::<Vec<_>>());
        events.emit(event(10));
        assert_eq!(events.dropped(), 0, "after its end there is nobody to tell");
    }

    #[test]
    fn a_callback_that_hangs_holds_up_nothing_and_what_it_misses_is_counted() {
        let (go_on, wait_for_it) = mpsc::channel::<()>();
        let (told, seen) = mpsc::channel();
        let inside = Mutex::new((told, wait_for_it));
        let events = Events::start(Some(EventCallback::new(move |_: &Event| {
            let (told, wait_for_it) = &*inside.lock();
            told.send(()).unwrap();
            let _ = wait_for_it.recv();
        })));
        let events = events.unwrap();
        events.emit(event(0));
        seen.recv().unwrap();
        (0..WAITING + 7).for_each(|number| events.emit(event(number)));
        assert_eq!(events.dropped(), 7);
        std::thread::scope(|scope| {
            let stopped = scope.spawn(|| events.stop(Wait::no().until()));
            // It waits for the callback that runs, and only for that.
            while !events.teller.as_ref().unwrap().shared.discard.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            assert!(!stopped.is_finished());
            go_on.send(()).unwrap();
            stopped.join().unwrap().unwrap();
        });
        assert!(seen.try_recv().is_err(), "no callback after the end");
        assert_eq!(events.dropped(), 7 + WAITING as u64);
    }
}
