//! How a caller waits, with a bell in place of the clock: time is up when some thread of the model says so.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::closing::Closing;
use crate::error::{Error, ErrorKind};

#[derive(Clone, Default)]
pub struct Wait {
    limit: Limit,
}

#[derive(Clone, Default)]
enum Limit {
    #[default]
    Forever,
    No,
    Bell(Arc<Closing>),
}

impl Wait {
    pub(crate) fn forever() -> Self {
        Self::default()
    }

    pub(crate) fn no() -> Self {
        Wait { limit: Limit::No }
    }

    /// Until it rings.
    pub(crate) fn until_rung(bell: &Arc<Closing>) -> Self {
        Wait { limit: Limit::Bell(bell.clone()) }
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
    shuttle::future::block_on(async {
        match &until.0.limit {
            Limit::Forever => Ok(future.await),
            Limit::No => {
                crate::select! { output = future => Ok(output), () = std::future::ready(()) => Err(Ended::Timeout) }
            }
            Limit::Bell(bell) => {
                crate::select! { output = future => Ok(output), () = bell.closed() => Err(Ended::Timeout) }
            }
        }
    })
}
