//! Locks, notifications and thread-locals with the interfaces that the library knows, in which each
//! operation is a point where the scheduler may go on with another thread.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use shuttle::sync::atomic::Ordering;

/// Another thread may go on here.
pub(crate) fn step() {
    // A fence alone would not let anybody else go on.
    shuttle::sync::atomic::AtomicBool::new(false).load(Ordering::SeqCst);
}

/// `parking_lot::Mutex`.
#[derive(Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Mutex(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())))
    }
}

/// `parking_lot::MutexGuard`: `None` while it waits.
pub(crate) struct MutexGuard<'a, T>(Option<shuttle::sync::MutexGuard<'a, T>>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

/// `parking_lot::Condvar`.
pub(crate) struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    pub(crate) const fn new() -> Self {
        Condvar(shuttle::sync::Condvar::new())
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().unwrap();
        guard.0 = Some(self.0.wait(held).unwrap_or_else(|poisoned| poisoned.into_inner()));
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// `parking_lot::RwLock`.
#[derive(Default)]
pub(crate) struct RwLock<T>(shuttle::sync::RwLock<T>);

impl<T> RwLock<T> {
    pub(crate) fn read(&self) -> shuttle::sync::RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn write(&self) -> shuttle::sync::RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// `tokio::sync`: the real ones, each of whose operations is one step.
pub(crate) mod sync {
    use std::future::Future;

    use super::{noting_who_queues, step};
    pub(crate) use crate::real_tokio::sync::{
        AcquireError, SemaphorePermit, TryAcquireError, futures::Notified, oneshot,
    };

    #[derive(Default)]
    pub(crate) struct Notify(crate::real_tokio::sync::Notify);

    impl Notify {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn notify_one(&self) {
            step();
            self.0.notify_one();
        }

        pub(crate) fn notify_waiters(&self) {
            step();
            self.0.notify_waiters();
        }

        pub(crate) fn notified(&self) -> Notified<'_> {
            step();
            self.0.notified()
        }
    }

    pub(crate) struct Semaphore(crate::real_tokio::sync::Semaphore);

    impl Semaphore {
        pub(crate) const MAX_PERMITS: usize = crate::real_tokio::sync::Semaphore::MAX_PERMITS;

        pub(crate) fn new(permits: usize) -> Self {
            Semaphore(crate::real_tokio::sync::Semaphore::new(permits))
        }

        pub(crate) fn try_acquire_many(&self, permits: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
            step();
            self.0.try_acquire_many(permits)
        }

        pub(crate) fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
            step();
            self.0.acquire()
        }

        pub(crate) fn acquire_many(
            &self,
            permits: u32,
        ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
            step();
            noting_who_queues(self.0.acquire_many(permits))
        }

        pub(crate) fn add_permits(&self, permits: usize) {
            step();
            self.0.add_permits(permits);
        }

        pub(crate) fn available_permits(&self) -> usize {
            step();
            self.0.available_permits()
        }
    }
}

/// Threads that queue for a budget, in the order of coming. Its lock is none of the scheduler's.
pub(crate) type Queue = Arc<std::sync::Mutex<Vec<shuttle::thread::ThreadId>>>;

shuttle::thread_local! {
    /// Where this thread is noted when it queues, if it is to be.
    pub(crate) static NOTED_IN: RefCell<Option<Queue>> = RefCell::new(None);
}

/// Notes the thread in the very step in which the future begins to wait.
async fn noting_who_queues<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut noted_in = NOTED_IN.with(|queue| queue.borrow().clone());
    std::future::poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        if polled.is_pending()
            && let Some(queue) = noted_in.take()
        {
            queue.lock().unwrap().push(shuttle::thread::current().id());
        }
        polled
    })
    .await
}

/// `tokio::time`: whatever is waited for with an end comes too late.
pub(crate) mod time {
    use std::future::Future;

    pub(crate) async fn timeout<F: Future>(_: std::time::Duration, _: F) -> Result<F::Output, ()> {
        shuttle::future::yield_now().await;
        Err(())
    }
}

/// `tokio::select!`, without the chance that the scheduler would not know of.
#[macro_export]
macro_rules! select {
    (biased; $($branches:tt)*) => { $crate::real_tokio::select! { biased; $($branches)* } };
    ($($branches:tt)*) => { $crate::real_tokio::select! { biased; $($branches)* } };
}

/// A thread-local of the scheduler's threads.
pub(crate) struct Local<T: 'static>(pub(crate) &'static shuttle::thread::LocalKey<Cell<T>>);

impl<T: Copy> Local<T> {
    pub(crate) fn get(&self) -> T {
        self.0.with(Cell::get)
    }

    pub(crate) fn set(&self, value: T) {
        self.0.with(|cell| cell.set(value));
    }
}

macro_rules! thread_local {
    ($(#[$attribute:meta])* static $name:ident: Cell<$of:ty> = const { $first:expr };) => {
        static $name: crate::scheduled::Local<$of> = {
            shuttle::thread_local! { static KEY: Cell<$of> = $first }
            crate::scheduled::Local(&KEY)
        };
    };
}
