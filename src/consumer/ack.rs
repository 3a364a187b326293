//! Acks on their way to the server.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::codec::received::IdRun;
use crate::consumer::unacked::Unacked;
use crate::error::{Error, Result};
use crate::record_id::RecordId;

/// The most ids in one message: some 25 bytes each, well below the server's limit of 4 MiB.
const MOST_IN_MESSAGE: usize = 50_000;

/// How long acks that were sent are kept, to be sent again if the connection is lost: the protocol confirms
/// none, and a connection is not known to be dead at once.
const DOUBT: Duration = Duration::from_secs(10);

/// Acks of records that were not handed out, or acked before: the server ignores them. Beyond so many that wait, so
/// do we.
const MOST_STALE: usize = 100_000;

/// Acks that have not been sent, or that may not have arrived. They are kept over reconnects. Bounded by what was
/// handed out and not acked, but for [`MOST_STALE`].
pub(crate) struct Acks {
    pending: Mutex<Pending>,
    changed: Notify,
    most: usize,
    age: Duration,
}

#[derive(Default)]
struct Pending {
    runs: Vec<IdRun>,
    /// The records of these.
    records: usize,
    /// How many runs came stale since all were sent.
    stale: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// Whether they should go whatever their number and age.
    hurry: bool,
    /// What was sent not long ago.
    sent: VecDeque<(Instant, Vec<IdRun>)>,
    unacked: Unacked,
}

impl Acks {
    pub(crate) fn new(most: usize, age: Duration) -> Self {
        Acks { pending: Mutex::default(), changed: Notify::new(), most, age }
    }

    /// Records of this shard are delivered from now on.
    pub(crate) fn allow(&self, shard_id: u64) {
        self.pending.lock().unacked.allow(shard_id);
    }

    /// Whether any records were delivered, of whatever shard.
    pub(crate) fn knows_any(&self) -> bool {
        self.pending.lock().unacked.knows_any()
    }

    /// These have been handed out.
    pub(crate) fn give(&self, runs: impl Iterator<Item = IdRun>, now: Instant) {
        let mut pending = self.pending.lock();
        runs.for_each(|run| pending.unacked.give(run, now));
    }

    /// Takes acks, all of them or none.
    ///
    /// # Errors
    ///
    /// One is of a shard that this consumer was never given.
    pub(crate) fn push(&self, runs: impl Iterator<Item = IdRun> + Clone, now: Instant) -> Result<()> {
        let mut pending = self.pending.lock();
        let foreign = runs.clone().find(|run| !pending.unacked.knows(run.shard_id));
        if let Some(foreign) = foreign {
            return Err(never_given(foreign.get(0)));
        }
        runs.for_each(|run| pending.ack(run, now));
        drop(pending);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Acks all that was handed out of a record's shard, up to and with that record.
    ///
    /// # Errors
    ///
    /// This consumer was never given a record of its shard.
    pub(crate) fn push_up_to(&self, last: RecordId, now: Instant) -> Result<()> {
        let mut pending = self.pending.lock();
        if !pending.unacked.knows(last.shard_id) {
            return Err(never_given(last));
        }
        let runs = pending.unacked.up_to(last);
        runs.into_iter().for_each(|run| pending.ack(run, now));
        drop(pending);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Acks that have not been sent.
    pub(crate) fn len(&self) -> usize {
        self.pending.lock().records
    }

    /// Records that were handed out and not acked.
    pub(crate) fn unacked(&self) -> u64 {
        self.pending.lock().unacked.len()
    }

    /// When the record was handed out that waits longest for its ack.
    pub(crate) fn oldest_unacked(&self) -> Option<Instant> {
        self.pending.lock().unacked.oldest()
    }

    /// Forgets what was handed out so long ago that the server delivers it again. Returns how many records.
    pub(crate) fn forget_overdue(&self, now: Instant, ack_timeout: Duration) -> u64 {
        self.pending.lock().unacked.forget(now, ack_timeout)
    }

    /// Has all that are pending sent without delay.
    pub(crate) fn hurry(&self) {
        let mut pending = self.pending.lock();
        pending.hurry = !pending.runs.is_empty();
        drop(pending);
        self.changed.notify_waiters();
    }

    /// Takes what goes into the next message, if there is anything. It counts as sent.
    pub(crate) fn take(&self, now: Instant) -> Option<Vec<IdRun>> {
        let mut pending = self.pending.lock();
        let taken = pending.take_some();
        if taken.is_empty() {
            return None;
        }
        while pending.sent.front().is_some_and(|(sent, _)| now.saturating_duration_since(*sent) > DOUBT) {
            pending.sent.pop_front();
        }
        pending.sent.push_back((now, taken.clone()));
        drop(pending);
        self.changed.notify_waiters();
        Some(taken)
    }

    /// The connection is gone, and perhaps with it what was sent last: that goes again, and first. The
    /// server ignores what it has already.
    pub(crate) fn send_again(&self, now: Instant) {
        let mut pending = self.pending.lock();
        let mut runs: Vec<_> = pending.sent.drain(..).flat_map(|(_, runs)| runs).collect();
        if runs.is_empty() {
            return;
        }
        pending.records += count(&runs);
        runs.append(&mut pending.runs);
        pending.runs = runs;
        pending.since.get_or_insert(now);
        // They were due before.
        pending.hurry = true;
    }

    /// How many the server may not have: those that were not sent, and those that were sent not long ago.
    pub(crate) fn unconfirmed(&self, now: Instant) -> usize {
        let pending = self.pending.lock();
        let recent = pending.sent.iter().filter(|(sent, _)| now.saturating_duration_since(*sent) <= DOUBT);
        pending.records + recent.map(|(_, runs)| count(runs)).sum::<usize>()
    }

    /// The server has all that was sent.
    pub(crate) fn confirm(&self) {
        self.pending.lock().sent.clear();
    }

    /// When those that are pending should go: now, later, or when there are some.
    fn due(&self) -> Due {
        let pending = self.pending.lock();
        match pending.since.map(|since| since.checked_add(self.age)) {
            None => Due::WhenThereAreSome,
            Some(_) if pending.hurry || pending.records >= self.most => Due::Now,
            Some(at) => Due::At(at),
        }
    }

    /// Waits until acks should be sent.
    pub(crate) async fn wait_until_due(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Listen before looking, or a change between the two would be missed.
            changed.as_mut().enable();
            match self.due() {
                Due::Now => return,
                Due::At(Some(at)) => {
                    if tokio::time::timeout_at(at.into(), changed).await.is_err() {
                        return;
                    }
                }
                Due::At(None) | Due::WhenThereAreSome => changed.await,
            }
        }
    }

    /// Waits until none is pending.
    pub(crate) async fn wait_until_none(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            changed.await;
        }
    }
}

impl Pending {
    fn ack(&mut self, run: IdRun, now: Instant) {
        if self.unacked.ack(run) == 0 {
            if self.stale == MOST_STALE {
                return;
            }
            self.stale += 1;
        }
        self.records += run.count as usize;
        match self.runs.last_mut() {
            Some(last) if last.is_followed_by(run.get(0)) => last.count += run.count,
            _ => self.runs.push(run),
        }
        self.since.get_or_insert(now);
    }

    /// As much as goes into one message, from the front.
    fn take_some(&mut self) -> Vec<IdRun> {
        let mut room = MOST_IN_MESSAGE;
        let mut whole = 0;
        while whole < self.runs.len() && self.runs[whole].count as usize <= room {
            room -= self.runs[whole].count as usize;
            whole += 1;
        }
        let rest = self.runs.split_off(whole);
        let mut taken = std::mem::replace(&mut self.runs, rest);
        if let Some(first) = self.runs.first_mut().filter(|_| room > 0) {
            let part = IdRun { count: room as u32, ..*first };
            *first = IdRun {
                first: first.first.wrapping_add(part.count),
                count: first.count - part.count,
                ..*first
            };
            taken.push(part);
        }
        self.records -= count(&taken);
        if self.runs.is_empty() {
            (self.since, self.hurry, self.stale) = (None, false, 0);
        }
        taken
    }
}

fn count(runs: &[IdRun]) -> usize {
    runs.iter().map(|run| run.count as usize).sum()
}

fn never_given(id: RecordId) -> Error {
    Error::invalid_argument(format!(
        "the record {id} can't be acked: this consumer was given no record of its shard"
    ))
}

/// Ids as runs, where they follow one another.
pub(crate) fn runs_of(ids: &[RecordId]) -> Vec<IdRun> {
    let mut runs: Vec<IdRun> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some(run) if run.is_followed_by(*id) => run.count += 1,
            _ => runs.push(IdRun::one(*id)),
        }
    }
    runs
}

#[derive(Debug, PartialEq)]
enum Due {
    Now,
    /// `None`: at an age beyond what the clock can hold.
    At(Option<Instant>),
    WhenThereAreSome,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u32, count: u32) -> IdRun {
        IdRun { shard_id: 1, batch_id: 1, first, count }
    }

    fn push(acks: &Acks, first: u32, count: u32, now: Instant) {
        acks.push([run(first, count)].into_iter(), now).unwrap();
    }

    fn acks() -> Acks {
        let acks = Acks::new(3, Duration::from_millis(100));
        acks.allow(1);
        acks
    }

    #[test]
    fn acks_go_by_count_by_age_of_the_first_or_in_a_hurry() {
        let now = Instant::now();
        let acks = acks();
        assert_eq!(acks.due(), Due::WhenThereAreSome);
        push(&acks, 0, 1, now);
        push(&acks, 1, 1, now + Duration::from_millis(50));
        assert_eq!(acks.due(), Due::At(Some(now + Duration::from_millis(100))));
        acks.hurry();
        assert_eq!(acks.due(), Due::Now);
        assert_eq!(acks.take(now).unwrap(), [run(0, 2)]);
        assert_eq!(acks.due(), Due::WhenThereAreSome);
        push(&acks, 0, 3, now);
        assert_eq!(acks.due(), Due::Now);
    }

    #[test]
    fn what_may_have_been_lost_goes_first_again_until_it_is_confirmed_or_old() {
        let now = Instant::now();
        let acks = acks();
        push(&acks, 0, 2, now);
        assert_eq!(acks.take(now).unwrap(), [run(0, 2)]);
        push(&acks, 7, 1, now);
        acks.send_again(now);
        assert_eq!((acks.len(), acks.due()), (3, Due::Now), "what was due stays so");
        assert_eq!(acks.take(now).unwrap(), [run(0, 2), run(7, 1)]);
        assert_eq!(acks.unconfirmed(now), 3);
        assert_eq!(acks.unconfirmed(now + DOUBT + Duration::from_millis(1)), 0);
        acks.confirm();
        assert_eq!(acks.unconfirmed(now), 0);
        acks.send_again(now);
        assert!(acks.take(now).is_none());
        push(&acks, 3, 1, now);
        assert_eq!(acks.take(now).unwrap(), [run(3, 1)]);
        let later = now + DOUBT + Duration::from_secs(1);
        push(&acks, 4, 1, later);
        assert_eq!(acks.take(later).unwrap(), [run(4, 1)]);
        acks.send_again(later);
        assert_eq!(acks.take(later).unwrap(), [run(4, 1)]);
    }

    #[test]
    fn ids_of_foreign_shards_are_refused_with_all_that_came_with_them() {
        let acks = acks();
        let mixed = [RecordId::new(1, 1, 0), RecordId::new(2, 1, 0)];
        let error = acks.push(runs_of(&mixed).into_iter(), Instant::now()).unwrap_err();
        assert!(error.to_string().contains("2-1-0"), "{error}");
        let error = acks.push_up_to(mixed[1], Instant::now()).unwrap_err();
        assert!(error.to_string().contains("2-1-0"), "{error}");
        assert_eq!(acks.len(), 0);
    }

    #[test]
    fn messages_are_bounded_and_all_goes_in_order() {
        let now = Instant::now();
        let acks = acks();
        let most = MOST_IN_MESSAGE as u32;
        push(&acks, 0, 10, now);
        push(&acks, 20, 2 * most, now);
        assert_eq!(acks.take(now).unwrap(), [run(0, 10), run(20, most - 10)]);
        assert_eq!(acks.take(now).unwrap(), [run(20 + most - 10, most)]);
        assert_eq!(acks.take(now).unwrap(), [run(20 + 2 * most - 10, 10)]);
        assert!(acks.take(now).is_none() && acks.len() == 0);
    }

    #[test]
    fn what_was_handed_out_is_never_dropped_and_stale_acks_are_bounded() {
        let now = Instant::now();
        let acks = acks();
        // Apart from each other, so that none can be joined to another.
        let stale = (0..MOST_STALE as u32 + 50).map(|place| run(2 * place, 1));
        acks.push(stale, now).unwrap();
        assert_eq!(acks.len(), MOST_STALE);
        acks.give([run(1_000_000, 5)].into_iter(), now);
        assert_eq!(acks.unacked(), 5);
        acks.push_up_to(RecordId::new(1, 1, 1_000_002), now).unwrap();
        assert_eq!((acks.unacked(), acks.len()), (2, MOST_STALE + 3));
    }
}
