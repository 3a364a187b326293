//! How a caller waits, with a bell in place of the clock: time is up when some thread of the model says so.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::closing::Closing;
use crate::error::{Error, ErrorKind};

#[derive(Clone, Default)]
pub struct Wait {
    limit: Limit,
    /// Told when the caller begins to wait indeed: in the order in which they queue.
    queue: Option<Queue>,
}

#[derive(Clone, Default)]
enum Limit {
    #[default]
    Forever,
    No,
    Bell(Arc<Closing>),
}

/// Who waits, in the order of coming. Its lock is none of the scheduler's, and so no step.
pub(crate) type Queue = Arc<Mutex<Vec<shuttle::thread::ThreadId>>>;

impl Wait {
    pub(crate) fn forever() -> Self {
        Self::default()
    }

    pub(crate) fn no() -> Self {
        Wait { limit: Limit::No, queue: None }
    }

    /// Until it rings.
    pub(crate) fn until_rung(bell: &Arc<Closing>) -> Self {
        Wait { limit: Limit::Bell(bell.clone()), queue: None }
    }

    pub(crate) fn noted_in(self, queue: &Queue) -> Self {
        Wait { queue: Some(queue.clone()), ..self }
    }

    pub(crate) fn is_no(&self) -> bool {
        matches!(self.limit, Limit::No)
    }

    pub(crate) fn until(&self) -> Until<'_> {
        Until(self)
    }
}

impl From<Duration> for Wait {
    fn from(timeout: Duration) -> Self {
        assert!(timeout.is_zero(), "there is no clock");
        Wait::no()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Until<'a>(&'a Wait);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Timeout,
    Interrupted,
}

impl Ended {
    pub(crate) fn into_error(self, waited_for: &str) -> Error {
        let kind = match self {
            Ended::Timeout => ErrorKind::Timeout,
            Ended::Interrupted => ErrorKind::Interrupted,
        };
        Error::new(kind, waited_for)
    }
}

pub(crate) fn wait<F: Future>(future: F, until: Until<'_>) -> Result<F::Output, Ended> {
    let mut future = std::pin::pin!(future);
    let mut noted = false;
    let noting = std::future::poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        if let (true, false, Some(queue)) = (polled.is_pending(), noted, &until.0.queue) {
            queue.lock().unwrap().push(shuttle::thread::current().id());
            noted = true;
        }
        polled
    });
    shuttle::future::block_on(async {
        match &until.0.limit {
            Limit::Forever => Ok(noting.await),
            Limit::No => {
                crate::select! { output = noting => Ok(output), () = std::future::ready(()) => Err(Ended::Timeout) }
            }
            Limit::Bell(bell) => {
                crate::select! { output = noting => Ok(output), () = bell.closed() => Err(Ended::Timeout) }
            }
        }
    })
}
