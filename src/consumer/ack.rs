//! Acks on their way to the server.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::proto;
use crate::record_id::RecordId;

/// The most ids in one message: some 25 bytes each, well below the server's limit of 4 MiB.
const MOST_IN_MESSAGE: usize = 50_000;

/// How long acks that were sent are kept, to be sent again if the connection is lost: the protocol confirms
/// none, and a connection is not known to be dead at once.
const DOUBT: Duration = Duration::from_secs(10);

/// Acks that have not been sent, or that may not have arrived. They are kept over reconnects.
pub(crate) struct Acks {
    pending: Mutex<Pending>,
    changed: Notify,
    most: usize,
    age: Duration,
}

#[derive(Default)]
struct Pending {
    ids: Vec<proto::RecordId>,
    /// When the first of them came.
    since: Option<Instant>,
    /// Whether they should go whatever their number and age.
    hurry: bool,
    /// What was sent not long ago.
    sent: VecDeque<(Instant, Vec<proto::RecordId>)>,
    /// Shards whose records this consumer was given: an id of another one makes the server break the call.
    shards: HashSet<u64>,
}

impl Acks {
    pub(crate) fn new(most: usize, age: Duration) -> Self {
        Acks { pending: Mutex::default(), changed: Notify::new(), most, age }
    }

    /// Records of this shard are delivered from now on.
    pub(crate) fn allow(&self, ids: &[proto::RecordId]) {
        if let Some(first) = ids.first() {
            self.pending.lock().shards.insert(first.shard_id);
        }
    }

    /// Takes acks, all of them or none. Returns how many.
    ///
    /// # Errors
    ///
    /// One is of a shard that this consumer was never given.
    pub(crate) fn push(&self, ids: impl Iterator<Item = RecordId> + Clone, now: Instant) -> Result<usize> {
        let mut pending = self.pending.lock();
        // Most ids are of the shard of the one before.
        let mut allowed = None;
        let foreign = ids.clone().find(|id| {
            let known = allowed == Some(id.shard_id) || pending.shards.contains(&id.shard_id);
            allowed = Some(id.shard_id).filter(|_| known);
            !known
        });
        if let Some(foreign) = foreign {
            return Err(Error::invalid_argument(format!(
                "the record {foreign} can't be acked: this consumer was given no record of its shard"
            )));
        }
        let before = pending.ids.len();
        pending.ids.extend(ids.map(proto::RecordId::from));
        let taken = pending.ids.len() - before;
        if !pending.ids.is_empty() {
            pending.since.get_or_insert(now);
        }
        drop(pending);
        self.changed.notify_waiters();
        Ok(taken)
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.lock().ids.len()
    }

    /// Has all that are pending sent without delay.
    pub(crate) fn hurry(&self) {
        let mut pending = self.pending.lock();
        pending.hurry = !pending.ids.is_empty();
        drop(pending);
        self.changed.notify_waiters();
    }

    /// Takes what goes into the next message, if there is anything. It counts as sent.
    pub(crate) fn take(&self, now: Instant) -> Option<Vec<proto::RecordId>> {
        let mut pending = self.pending.lock();
        let count = pending.ids.len().min(MOST_IN_MESSAGE);
        if count == 0 {
            return None;
        }
        let rest = pending.ids.split_off(count);
        let taken = std::mem::replace(&mut pending.ids, rest);
        if pending.ids.is_empty() {
            (pending.since, pending.hurry) = (None, false);
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
        let mut ids: Vec<_> = pending.sent.drain(..).flat_map(|(_, ids)| ids).collect();
        if ids.is_empty() {
            return;
        }
        ids.append(&mut pending.ids);
        pending.ids = ids;
        pending.since.get_or_insert(now);
    }

    /// How many the server may not have: those that were not sent, and those that were sent not long ago.
    pub(crate) fn unconfirmed(&self, now: Instant) -> usize {
        let pending = self.pending.lock();
        let recent = pending.sent.iter().filter(|(sent, _)| now.saturating_duration_since(*sent) <= DOUBT);
        pending.ids.len() + recent.map(|(_, ids)| ids.len()).sum::<usize>()
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
            Some(_) if pending.hurry || pending.ids.len() >= self.most => Due::Now,
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

    fn ids(range: std::ops::Range<u32>) -> impl Iterator<Item = RecordId> + Clone {
        range.map(|index| RecordId::new(1, 1, index))
    }

    fn acks() -> Acks {
        let acks = Acks::new(3, Duration::from_millis(100));
        acks.allow(&[RecordId::new(1, 0, 0).into()]);
        acks
    }

    #[test]
    fn acks_go_by_count_by_age_of_the_first_or_in_a_hurry() {
        let now = Instant::now();
        let acks = acks();
        assert_eq!(acks.due(), Due::WhenThereAreSome);
        acks.push(ids(0..1), now).unwrap();
        acks.push(ids(1..2), now + Duration::from_millis(50)).unwrap();
        assert_eq!(acks.due(), Due::At(Some(now + Duration::from_millis(100))));
        acks.hurry();
        assert_eq!(acks.due(), Due::Now);
        assert_eq!(acks.take(now).unwrap().len(), 2);
        assert_eq!(acks.due(), Due::WhenThereAreSome);
        acks.push(ids(0..3), now).unwrap();
        assert_eq!(acks.due(), Due::Now);
    }

    #[test]
    fn what_may_have_been_lost_goes_first_again_until_it_is_confirmed_or_old() {
        let now = Instant::now();
        let acks = acks();
        let indexes = |acks: &Acks, at| -> Vec<u32> {
            acks.take(at).unwrap().iter().map(|id| id.batch_index).collect()
        };
        acks.push(ids(0..2), now).unwrap();
        assert_eq!(indexes(&acks, now), [0, 1]);
        acks.push(ids(2..3), now).unwrap();
        acks.send_again(now);
        assert_eq!(indexes(&acks, now), [0, 1, 2]);
        assert_eq!(acks.unconfirmed(now), 3);
        assert_eq!(acks.unconfirmed(now + DOUBT + Duration::from_millis(1)), 0);
        acks.confirm();
        assert_eq!(acks.unconfirmed(now), 0);
        acks.send_again(now);
        assert!(acks.take(now).is_none());
        acks.push(ids(3..4), now).unwrap();
        assert_eq!(indexes(&acks, now), [3]);
        let later = now + DOUBT + Duration::from_secs(1);
        acks.push(ids(4..5), later).unwrap();
        assert_eq!(indexes(&acks, later), [4]);
        acks.send_again(later);
        assert_eq!(indexes(&acks, later), [4]);
    }

    #[test]
    fn ids_of_foreign_shards_are_refused_with_all_that_came_with_them() {
        let acks = acks();
        let mixed = [RecordId::new(1, 1, 0), RecordId::new(2, 1, 0)];
        let error = acks.push(mixed.into_iter(), Instant::now()).unwrap_err();
        assert!(error.to_string().contains("2-1-0"), "{error}");
        assert_eq!(acks.len(), 0);
    }
}
