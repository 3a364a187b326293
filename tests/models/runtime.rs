//! Threads and tasks of the scheduler in place of the private runtime.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::{AbortHandle, Abortable};

use crate::error::{Error, Result};
use crate::scheduled::step;

pub(crate) use shuttle::thread::JoinHandle;

pub(crate) fn spawn_thread(_name: String, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Ok(shuttle::thread::spawn(body))
}

#[derive(Clone, Default)]
pub(crate) struct Spawner;

impl Spawner {
    pub(crate) fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (abort, registration) = AbortHandle::new_pair();
        let task = shuttle::future::spawn(async move {
            // What the task held is dropped before anybody sees it ended.
            Abortable::new(future, registration).await.map_err(|_| Error::closed("task"))
        });
        Task { task, abort }
    }
}

#[must_use]
pub(crate) struct Task<T> {
    task: shuttle::future::JoinHandle<Result<T>>,
    abort: AbortHandle,
}

impl<T> Task<T> {
    pub(crate) fn abort(&self) {
        step();
        self.abort.abort();
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        Pin::new(&mut self.task)
            .poll(context)
            .map(|ended| ended.unwrap_or_else(|_| Err(Error::closed("runtime"))))
    }
}
