//! How a caller waits: one function, for whatever the blocking API waits for.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind};

/// How long a call may wait, and what may end the wait sooner.
///
/// Any [`Duration`] is one, so most calls read `poll(100, Duration::from_secs(1))`.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Wait {
    timeout: Option<Duration>,
    cancel: Option<Cancel>,
}

impl Wait {
    /// Without limit.
    pub fn forever() -> Self {
        Self::default()
    }

    /// Not at all.
    pub fn no() -> Self {
        Duration::ZERO.into()
    }

    /// Can also be ended by this object.
    pub fn or_until(self, cancel: &Cancel) -> Self {
        Wait { cancel: Some(cancel.clone()), ..self }
    }

    pub(crate) fn is_no(&self) -> bool {
        self.timeout == Some(Duration::ZERO)
    }

    /// The moment at which time is up; `None` is never, also for times beyond what the clock can hold.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.timeout?)
    }

    /// The same wait as something that shares its deadline with others.
    pub(crate) fn until(&self) -> Until<'_> {
        Until { deadline: self.deadline(), cancel: self.cancel.as_ref() }
    }
}

impl From<Duration> for Wait {
    fn from(timeout: Duration) -> Self {
        Wait { timeout: Some(timeout), cancel: None }
    }
}

/// A [`Wait`] that has begun.
#[derive(Clone, Copy)]
pub(crate) struct Until<'a> {
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<&'a Cancel>,
}

/// Why a wait ended without what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Timeout,
    Interrupted,
}

impl Ended {
    pub(crate) fn into_error(self, waited_for: &str) -> Error {
        match self {
            Ended::Timeout => {
                Error::new(ErrorKind::Timeout, format!("time was up while waiting for {waited_for}"))
            }
            Ended::Interrupted => {
                Error::new(ErrorKind::Interrupted, format!("interrupted while waiting for {waited_for}"))
            }
        }
    }
}

/// Waits on the calling thread, which may be any: a plain one, one inside a foreign async runtime, one of
/// our own callbacks. The future is only polled here; its work must be done elsewhere.
pub(crate) fn wait<F: Future>(future: F, until: Until<'_>) -> Result<F::Output, Ended> {
    let Some(cancel) = until.cancel else { return park(future, until.deadline).ok_or(Ended::Timeout) };
    let either = async {
        tokio::select! {
            // What is there already counts, whatever else is.
            biased;
            output = future => Ok(output),
            () = cancel.wait() => Err(Ended::Interrupted),
        }
    };
    park(either, until.deadline).unwrap_or(Err(Ended::Timeout))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn park<F: Future>(future: F, deadline: Option<Instant>) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => std::thread::park(),
            Some(Duration::ZERO) => return None,
            Some(left) => std::thread::park_timeout(left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ready_is_returned_even_when_no_waiting_is_wanted() {
        assert_eq!(wait(std::future::ready(7), Wait::no().until()), Ok(7));
    }

    #[test]
    fn time_is_up_for_what_never_comes() {
        let wait_for = Wait::from(Duration::from_millis(5));
        assert_eq!(wait(std::future::pending::<()>(), wait_for.until()), Err(Ended::Timeout));
    }

    #[test]
    fn times_beyond_the_clock_are_for_ever() {
        assert_eq!(Wait::from(Duration::MAX).deadline(), None);
    }

    #[test]
    fn a_trigger_before_the_wait_counts() {
        let cancel = Cancel::new().unwrap();
        cancel.trigger();
        let wait_for = Wait::forever().or_until(&cancel);
        assert_eq!(wait(std::future::pending::<()>(), wait_for.until()), Err(Ended::Interrupted));
        cancel.reset();
        assert!(!cancel.is_triggered());
    }

    #[test]
    fn a_trigger_from_another_thread_ends_that_wait_and_no_other() {
        let runtime = crate::runtime::Runtime::acquire().unwrap();
        let (cancel, other) = (Cancel::new().unwrap(), Cancel::new().unwrap());
        std::thread::scope(|scope| {
            let ended =
                scope.spawn(|| wait(std::future::pending::<()>(), Wait::forever().or_until(&cancel).until()));
            let kept = scope.spawn(|| {
                let wait_for = Wait::from(Duration::from_millis(200)).or_until(&other);
                wait(std::future::pending::<()>(), wait_for.until())
            });
            cancel.trigger();
            assert_eq!(ended.join().unwrap(), Err(Ended::Interrupted));
            assert_eq!(kept.join().unwrap(), Err(Ended::Timeout));
        });
        drop(runtime);
    }

    #[test]
    fn waiting_works_inside_a_foreign_async_runtime() {
        let foreign = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || sender.send(3));
        let received = foreign.block_on(async { wait(receiver, Wait::forever().until()) });
        assert_eq!(received, Ok(Ok(3)));
    }
}
