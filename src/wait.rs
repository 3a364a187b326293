//! How a caller waits: one function, for whatever the blocking API waits for.

use std::fmt;
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
    check: Option<Check>,
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
        Wait { cancel: Some(cancel.clone()), check: None, ..self }
    }

    /// Asks this, on the thread that waits, whenever the object is triggered; only a yes ends the wait.
    #[cfg(any(test, feature = "ffi"))]
    pub(crate) fn asking(self, check: Check) -> Self {
        Wait { check: Some(check), ..self }
    }

    /// The same with another time.
    pub(crate) fn for_at_most(self, timeout: Option<Duration>) -> Self {
        Wait { timeout, ..self }
    }

    /// The same, or with this time if that is more.
    pub(crate) fn for_at_least(self, time: Duration) -> Self {
        Wait { timeout: self.timeout.map(|timeout| timeout.max(time)), ..self }
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
        Until { deadline: self.deadline(), cancel: self.cancel.as_ref(), check: self.check.as_ref() }
    }
}

/// [`Wait::no`], without the cost of making and of dropping one.
#[cfg(feature = "ffi")]
pub(crate) static NO: Wait = Wait { timeout: Some(Duration::ZERO), cancel: None, check: None };

impl From<Duration> for Wait {
    fn from(timeout: Duration) -> Self {
        Wait { timeout: Some(timeout), cancel: None, check: None }
    }
}

/// A [`Wait`] that has begun.
#[derive(Clone, Copy)]
pub(crate) struct Until<'a> {
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<&'a Cancel>,
    pub(crate) check: Option<&'a Check>,
}

impl Until<'_> {
    /// Whether a trigger is to end it.
    fn is_meant(&self) -> bool {
        self.check.is_none_or(|check| (check.0)())
    }
}

/// Says whether a trigger is meant for the thread that asks.
#[derive(Clone)]
pub(crate) struct Check(Arc<dyn Fn() -> bool + Send + Sync>);

impl Check {
    #[cfg(any(test, feature = "ffi"))]
    pub(crate) fn new(check: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Check(Arc::new(check))
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check")
    }
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
    // A trigger before the wait counts, whether or not there would be something to wait for.
    let mut asked = cancel.triggers();
    if asked.is_some() && until.is_meant() {
        return Err(Ended::Interrupted);
    }
    let mut future = pin!(future);
    loop {
        let either = async {
            tokio::select! {
                // What is there already counts, whatever else is.
                biased;
                output = &mut future => Ok(output),
                trigger = cancel.triggered_after(asked) => Err(trigger),
            }
        };
        let trigger = match park(either, until.deadline) {
            None => return Err(Ended::Timeout),
            Some(Ok(output)) => return Ok(output),
            Some(Err(trigger)) => trigger,
        };
        // Asked outside of the future, which has lost nothing and goes on after a no.
        if until.is_meant() {
            return Err(Ended::Interrupted);
        }
        asked = Some(trigger);
    }
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
    fn each_waiter_asks_for_itself_and_a_no_loses_nothing() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        let runtime = crate::runtime::Runtime::acquire().unwrap();
        let cancel = Cancel::new().unwrap();
        let asked: Vec<_> = (0..3).map(|_| Arc::new(AtomicUsize::new(0))).collect();
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..3).map(|_| tokio::sync::oneshot::channel::<usize>()).unzip();
        std::thread::scope(|scope| {
            let waits: Vec<_> = receivers
                .into_iter()
                .enumerate()
                .map(|(number, receiver)| {
                    let (asked, cancel) = (asked[number].clone(), &cancel);
                    scope.spawn(move || {
                        let thread = std::thread::current().id();
                        let check = Check::new(move || {
                            assert_eq!(std::thread::current().id(), thread);
                            let times = asked.fetch_add(1, Ordering::SeqCst) + 1;
                            number == 0 && times == 3
                        });
                        wait(receiver, Wait::forever().or_until(cancel).asking(check).until())
                    })
                })
                .collect();
            for round in 1..=3 {
                cancel.trigger();
                while asked.iter().any(|asked| asked.load(Ordering::SeqCst) < round) {
                    std::thread::yield_now();
                }
            }
            for (number, sender) in senders.into_iter().enumerate() {
                // The first does not wait any more.
                let _ = sender.send(number);
            }
            let mut ended = waits.into_iter().map(|wait| wait.join().unwrap());
            assert_eq!(ended.next(), Some(Err(Ended::Interrupted)));
            assert_eq!(ended.collect::<Vec<_>>(), [Ok(Ok(1)), Ok(Ok(2))]);
        });
        drop(runtime);
    }

    #[test]
    fn a_trigger_that_is_not_meant_leaves_time_and_results_alone() {
        let cancel = Cancel::new().unwrap();
        cancel.trigger();
        let wait_for = |timeout| {
            Wait::from(Duration::from_millis(timeout)).or_until(&cancel).asking(Check::new(|| false))
        };
        assert_eq!(wait(std::future::pending::<()>(), wait_for(5).until()), Err(Ended::Timeout));
        assert_eq!(wait(std::future::pending::<()>(), wait_for(0).until()), Err(Ended::Timeout));
        assert_eq!(wait(std::future::ready(7), wait_for(0).until()), Ok(7));
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
