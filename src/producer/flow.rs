//! What may be on the way at once.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::closing::Closing;
use crate::producer::core::Core;
use crate::producer::reports::ReportQueue;
use crate::wait::{Ended, Until, Wait, wait};

/// A budget, taken when a record is appended and given back when it is settled. Fair: who waits longest is
/// let in first, and a waiter that gives up leaves no trace.
pub(crate) struct Credit {
    semaphore: Semaphore,
    total: usize,
    /// How many wait for it.
    wanted: AtomicUsize,
}

/// Somebody who waits.
struct Wanted<'a>(&'a AtomicUsize);

impl<'a> Wanted<'a> {
    fn new(wanted: &'a AtomicUsize) -> Self {
        wanted.fetch_add(1, Ordering::SeqCst);
        Wanted(wanted)
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
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

/// What ends the wait for room, beside the caller's patience.
#[derive(Clone, Copy)]
pub(crate) struct Ends<'a> {
    closing: &'a Closing,
    /// Where the caller polls: what lies there keeps its room until then.
    polled: Option<&'a ReportQueue>,
}

impl<'a> Ends<'a> {
    pub(crate) fn new(closing: &'a Closing, polled: Option<&'a ReportQueue>) -> Self {
        Ends { closing, polled }
    }

    async fn come(self) -> Refused {
        let Some(polled) = self.polled else {
            self.closing.closed().await;
            return Refused::Closed;
        };
        tokio::select! {
            biased;
            () = self.closing.closed() => Refused::Closed,
            () = polled.keeps_room() => Refused::Full,
        }
    }
}

/// How a caller meets a budget that is used up.
pub(crate) struct Patience<'a> {
    /// `None`: not at all.
    limit: Option<&'a Wait>,
    /// Asking the clock is worth it only when there is something to wait for.
    begun: OnceCell<Until<'a>>,
}

impl<'a> Patience<'a> {
    #[inline]
    pub(crate) fn none() -> Self {
        Patience { limit: None, begun: OnceCell::new() }
    }

    #[inline]
    pub(crate) fn of(limit: &'a Wait) -> Self {
        Patience { limit: (!limit.is_no()).then_some(limit), begun: OnceCell::new() }
    }

    /// The end of all waits of one append; `None` if there is to be none.
    pub(crate) fn until(&self) -> Option<Until<'a>> {
        let limit = self.limit?;
        Some(*self.begun.get_or_init(|| limit.until()))
    }
}

impl Credit {
    pub(crate) fn new(total: usize) -> Self {
        // Some permits less than tokio's limit are as good as no limit. And one request must fit into 32 bits.
        let total = total.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        Credit { semaphore: Semaphore::new(total), total, wanted: AtomicUsize::new(0) }
    }

    /// Takes this much, or all there is of it: what is larger than the whole budget is let in alone.
    /// Returns what was taken, to be given back later. Where there is not enough, `make_room` is called, and then it
    /// waits, until the ends come.
    #[inline]
    pub(crate) fn take(
        &self,
        amount: usize,
        patience: &Patience<'_>,
        ends: Ends<'_>,
        make_room: impl FnOnce(),
    ) -> Result<usize, Refused> {
        let amount = amount.min(self.total);
        let permits = amount as u32;
        if !self.try_permits(permits) {
            // Known before room is made: who appends from now on makes room in turn.
            let _wanted = Wanted::new(&self.wanted);
            make_room();
            match patience.until() {
                Some(until) => self.wait_for(permits, until, ends)?,
                None if self.try_permits(permits) => {}
                None => return Err(Refused::Full),
            }
        }
        Ok(amount)
    }

    /// Takes exactly this much, if it is there.
    #[inline]
    pub(crate) fn try_take(&self, amount: usize) -> bool {
        u32::try_from(amount).is_ok_and(|permits| self.try_permits(permits))
    }

    #[inline]
    fn try_permits(&self, permits: u32) -> bool {
        self.semaphore.try_acquire_many(permits).map(SemaphorePermit::forget).is_ok()
    }

    fn wait_for(&self, permits: u32, until: Until<'_>, ends: Ends<'_>) -> Result<(), Refused> {
        let taken = async {
            tokio::select! {
                biased;
                permit = self.semaphore.acquire_many(permits) => permit.map_err(|_| Refused::Closed),
                refused = ends.come() => Err(refused),
            }
        };
        wait(taken, until).map_err(Refused::Ended)??.forget();
        Ok(())
    }

    /// Whether somebody waits for it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn give_back(&self, amount: usize) {
        self.semaphore.add_permits(amount);
        debug_assert!(self.semaphore.available_permits() <= self.total, "more was given back than taken");
    }

    pub(crate) fn in_use(&self) -> usize {
        self.total - self.semaphore.available_permits().min(self.total)
    }
}

/// The bytes of a producer, within those of all producers of its client, where there is a budget for these.
pub(crate) struct Budget {
    own: Credit,
    shared: Option<Arc<SharedBudget>>,
}

impl Budget {
    pub(crate) fn new(total: usize, shared: Option<Arc<SharedBudget>>) -> Self {
        Budget { own: Credit::new(total), shared }
    }

    /// What is taken for a record of this size: all there is, if it is larger.
    #[inline]
    pub(crate) fn amount_for(&self, size: usize) -> usize {
        let most = self.shared.as_ref().map_or(usize::MAX, |shared| shared.credit.total);
        size.min(self.own.total).min(most)
    }

    /// Takes exactly this much, if it is there.
    pub(crate) fn try_take(&self, amount: usize) -> bool {
        if !self.own.try_take(amount) {
            return false;
        }
        let all = self.shared.as_ref().is_none_or(|shared| shared.credit.try_take(amount));
        if !all {
            self.own.give_back(amount);
        }
        all
    }

    pub(crate) fn take(
        &self,
        amount: usize,
        patience: &Patience<'_>,
        ends: Ends<'_>,
        make_room: impl FnOnce(),
    ) -> Result<usize, Refused> {
        let amount = self.amount_for(amount);
        self.own.take(amount, patience, ends, make_room)?;
        if let Some(shared) = &self.shared {
            shared.take(amount, patience, ends).inspect_err(|_| self.own.give_back(amount))?;
        }
        Ok(amount)
    }

    pub(crate) fn give_back(&self, amount: usize) {
        if let Some(shared) = &self.shared {
            shared.credit.give_back(amount);
        }
        self.own.give_back(amount);
    }

    /// Whether somebody waits for it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.own.is_wanted() || self.shared.as_ref().is_some_and(|shared| shared.credit.is_wanted())
    }

    pub(crate) fn in_use(&self) -> usize {
        self.own.in_use()
    }
}

/// A budget of several producers.
pub(crate) struct SharedBudget {
    credit: Credit,
    producers: Mutex<Vec<Weak<Core>>>,
}

impl SharedBudget {
    pub(crate) fn new(total: usize) -> Self {
        SharedBudget { credit: Credit::new(total), producers: Mutex::default() }
    }

    pub(crate) fn join(&self, producer: &Arc<Core>) {
        let mut producers = self.producers.lock();
        producers.retain(|producer| producer.strong_count() > 0);
        producers.push(Arc::downgrade(producer));
    }

    fn take(&self, amount: usize, patience: &Patience<'_>, ends: Ends<'_>) -> Result<usize, Refused> {
        self.credit.take(amount, patience, ends, || {
            // What lingers in another producer would keep its room for so long.
            let producers = self.producers.lock().clone();
            producers.iter().filter_map(Weak::upgrade).for_each(|producer| producer.send_what_lingers());
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wait::Wait;

    fn take(credit: &Credit, amount: usize, patience: &Patience<'_>) -> Result<usize, Refused> {
        credit.take(amount, patience, Ends::new(&Closing::default(), None), || ())
    }

    #[test]
    fn what_is_larger_than_the_budget_is_let_in_alone() {
        let credit = Credit::new(10);
        assert_eq!(take(&credit, 25, &Patience::none()), Ok(10));
        assert_eq!(take(&credit, 1, &Patience::none()), Err(Refused::Full));
        credit.give_back(10);
        assert_eq!(take(&credit, 1, &Patience::none()), Ok(1));
        assert_eq!(take(&credit, 25, &Patience::none()), Err(Refused::Full));
        assert_eq!(credit.in_use(), 1);
    }

    #[test]
    fn a_waiter_that_gives_up_leaves_no_trace() {
        let credit = Credit::new(10);
        assert_eq!(take(&credit, 6, &Patience::none()), Ok(6));
        let wait = Wait::from(Duration::from_millis(5));
        assert_eq!(take(&credit, 6, &Patience::of(&wait)), Err(Refused::Ended(Ended::Timeout)));
        assert_eq!(take(&credit, 4, &Patience::none()), Ok(4));
        credit.give_back(10);
        assert_eq!(credit.in_use(), 0);
    }

    #[test]
    fn close_ends_waits() {
        let (credit, closing) = (Credit::new(1), Closing::default());
        assert_eq!(take(&credit, 1, &Patience::none()), Ok(1));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let forever = Wait::forever();
                credit.take(1, &Patience::of(&forever), Ends::new(&closing, None), || ())
            });
            closing.close();
            assert_eq!(waiter.join().unwrap(), Err(Refused::Closed));
        });
    }

    #[test]
    fn a_shared_budget_is_taken_with_the_own_one_or_not_at_all() {
        let shared = Arc::new(SharedBudget::new(10));
        let (one, other) = (Budget::new(8, Some(shared.clone())), Budget::new(100, Some(shared.clone())));
        let closing = Closing::default();
        let ends = Ends::new(&closing, None);
        assert_eq!(one.take(8, &Patience::none(), ends, || ()), Ok(8));
        assert_eq!(other.take(3, &Patience::none(), ends, || ()), Err(Refused::Full));
        assert_eq!((other.in_use(), shared.credit.in_use()), (0, 8));
        one.give_back(8);
        assert_eq!(other.take(50, &Patience::none(), ends, || ()), Ok(10), "let in alone");
        other.give_back(10);
        assert_eq!((one.in_use(), other.in_use(), shared.credit.in_use()), (0, 0, 0));
    }
}
