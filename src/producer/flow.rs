//! What may be on the way at once.

use tokio::sync::{Semaphore, TryAcquireError};

use crate::wait::{Ended, Until, wait};

/// A budget, taken when a record is appended and given back when it is settled. Fair: who waits longest is
/// let in first, and a waiter that gives up leaves no trace.
pub(crate) struct Credit {
    semaphore: Semaphore,
    total: usize,
}

/// Why nothing was taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is not enough, and waiting was not wanted.
    Full,
    /// The producer is closed.
    Closed,
    Ended(Ended),
}

/// How a caller meets a budget that is used up.
#[derive(Clone, Copy)]
pub(crate) enum Patience<'a> {
    None,
    Until(Until<'a>),
}

impl Credit {
    pub(crate) fn new(total: usize) -> Self {
        // Some permits less than tokio's limit are as good as no limit. And one request must fit into 32 bits.
        let total = total.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        Credit { semaphore: Semaphore::new(total), total }
    }

    /// Takes this much, or all there is of it: what is larger than the whole budget is let in alone.
    /// Returns what was taken, to be given back later.
    pub(crate) fn take(&self, amount: usize, patience: Patience<'_>) -> Result<usize, Refused> {
        let amount = amount.min(self.total);
        let permits = amount as u32;
        match self.semaphore.try_acquire_many(permits) {
            Ok(permit) => permit.forget(),
            Err(TryAcquireError::Closed) => return Err(Refused::Closed),
            Err(TryAcquireError::NoPermits) => {
                let Patience::Until(until) = patience else { return Err(Refused::Full) };
                match wait(self.semaphore.acquire_many(permits), until) {
                    Ok(Ok(permit)) => permit.forget(),
                    Ok(Err(_)) => return Err(Refused::Closed),
                    Err(ended) => return Err(Refused::Ended(ended)),
                }
            }
        }
        Ok(amount)
    }

    pub(crate) fn give_back(&self, amount: usize) {
        self.semaphore.add_permits(amount);
    }

    /// Ends all waits, and refuses from now on.
    pub(crate) fn close(&self) {
        self.semaphore.close();
    }

    pub(crate) fn in_use(&self) -> usize {
        self.total - self.semaphore.available_permits().min(self.total)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wait::Wait;

    #[test]
    fn what_is_larger_than_the_budget_is_let_in_alone() {
        let credit = Credit::new(10);
        assert_eq!(credit.take(25, Patience::None), Ok(10));
        assert_eq!(credit.take(1, Patience::None), Err(Refused::Full));
        credit.give_back(10);
        assert_eq!(credit.take(1, Patience::None), Ok(1));
        assert_eq!(credit.take(25, Patience::None), Err(Refused::Full));
        assert_eq!(credit.in_use(), 1);
    }

    #[test]
    fn a_waiter_that_gives_up_leaves_no_trace() {
        let credit = Credit::new(10);
        assert_eq!(credit.take(6, Patience::None), Ok(6));
        let wait = Wait::from(Duration::from_millis(5));
        assert_eq!(credit.take(6, Patience::Until(wait.until())), Err(Refused::Ended(Ended::Timeout)));
        assert_eq!(credit.take(4, Patience::None), Ok(4));
        credit.give_back(10);
        assert_eq!(credit.in_use(), 0);
    }

    #[test]
    fn close_ends_waits() {
        let credit = Credit::new(1);
        assert_eq!(credit.take(1, Patience::None), Ok(1));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| credit.take(1, Patience::Until(Wait::forever().until())));
            credit.close();
            assert_eq!(waiter.join().unwrap(), Err(Refused::Closed));
        });
    }
}
