//! Which consumer of a subscription gets which shard.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A consumer, for as long as its call lasts.
pub(super) type ConsumerId = u64;

/// Each shard has one consumer at most; who comes late waits. Changes happen in [`tick`](Self::tick) only.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    owners: BTreeMap<u64, Option<ConsumerId>>,
    consumers: BTreeMap<ConsumerId, Load>,
    /// Those without a shard, the longest waiting first.
    waiting: VecDeque<ConsumerId>,
    unassigned: usize,
}

#[derive(Debug)]
struct Load {
    name: String,
    shards: BTreeSet<u64>,
}

impl Assignment {
    pub(super) fn new(shards: impl IntoIterator<Item = u64>) -> Self {
        let owners: BTreeMap<_, _> = shards.into_iter().map(|shard| (shard, None)).collect();
        Assignment { unassigned: owners.len(), owners, ..Default::default() }
    }

    pub(super) fn join(&mut self, consumer: ConsumerId, name: &str) {
        self.consumers.insert(consumer, Load { name: name.to_owned(), shards: BTreeSet::new() });
        self.waiting.push_back(consumer);
    }

    /// Its shards are without a consumer until the next tick.
    pub(super) fn leave(&mut self, consumer: ConsumerId) {
        let Some(load) = self.consumers.remove(&consumer) else { return };
        self.waiting.retain(|each| *each != consumer);
        for shard in load.shards {
            self.owners.insert(shard, None);
            self.unassigned += 1;
        }
    }

    pub(super) fn owner(&self, shard: u64) -> Option<ConsumerId> {
        self.owners.get(&shard).copied().flatten()
    }

    /// Whether a tick could change anything.
    pub(super) fn needs_tick(&self) -> bool {
        !self.waiting.is_empty() || (self.unassigned > 0 && !self.consumers.is_empty())
    }

    /// Gives each shard that has no consumer to the one that waits longest, or else to the one with the
    /// fewest shards; then each that still waits one shard of the one with the most.
    pub(super) fn tick(&mut self) {
        let free: Vec<u64> =
            self.owners.iter().filter(|(_, owner)| owner.is_none()).map(|(shard, _)| *shard).collect();
        for shard in free {
            let Some(consumer) = self.waiting.pop_front().or_else(|| self.least_loaded()) else { return };
            self.give(shard, consumer);
        }
        while let Some(shard) = self.waiting.front().and_then(|_| self.shard_to_spare()) {
            let Some(newcomer) = self.waiting.pop_front() else { return };
            self.take(shard);
            self.give(shard, newcomer);
        }
    }

    fn least_loaded(&self) -> Option<ConsumerId> {
        let by_load = |(_, load): &(&ConsumerId, &Load)| (load.shards.len(), load.name.clone());
        self.consumers.iter().min_by_key(by_load).map(|(id, _)| *id)
    }

    /// The largest shard id of whoever has the most shards, if that is more than one.
    fn shard_to_spare(&self) -> Option<u64> {
        let most = self
            .consumers
            .values()
            .max_by(|a, b| a.shards.len().cmp(&b.shards.len()).then_with(|| a.name.cmp(&b.name)))?;
        if most.shards.len() > 1 { most.shards.last().copied() } else { None }
    }

    fn take(&mut self, shard: u64) {
        let Some(owner) = self.owners.insert(shard, None).flatten() else { return };
        self.unassigned += 1;
        if let Some(load) = self.consumers.get_mut(&owner) {
            load.shards.remove(&shard);
        }
    }

    fn give(&mut self, shard: u64, consumer: ConsumerId) {
        if let Some(load) = self.consumers.get_mut(&consumer) {
            load.shards.insert(shard);
            self.owners.insert(shard, Some(consumer));
            self.unassigned -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ConsumerId = 1;
    const B: ConsumerId = 2;
    const C: ConsumerId = 3;

    fn shards_of(assignment: &Assignment, consumer: ConsumerId) -> Vec<u64> {
        assignment.consumers[&consumer].shards.iter().copied().collect()
    }

    fn started(shards: u64, consumers: &[(ConsumerId, &str)]) -> Assignment {
        let mut assignment = Assignment::new(1..=shards);
        consumers.iter().for_each(|(id, name)| assignment.join(*id, name));
        assignment.tick();
        assignment
    }

    /// Server behaviour, section 10.2.
    #[test]
    fn nothing_is_assigned_before_the_tick() {
        let mut assignment = Assignment::new([1]);
        assert!(!assignment.needs_tick());
        assignment.join(A, "a");
        assert_eq!(assignment.owner(1), None);
        assert!(assignment.needs_tick());
        assignment.tick();
        assert_eq!(assignment.owner(1), Some(A));
        assert!(!assignment.needs_tick());
    }

    /// Server behaviour, section 10.2.
    #[test]
    fn shards_go_to_the_longest_waiting_then_to_the_least_loaded_of_the_smallest_name() {
        let assignment = started(5, &[(A, "b"), (B, "a")]);
        // One each in the order of arrival, then by load, "a" before "b" when equal.
        assert_eq!(shards_of(&assignment, A), [1, 4]);
        assert_eq!(shards_of(&assignment, B), [2, 3, 5]);
    }

    /// Server behaviour, section 10.2.
    #[test]
    fn a_newcomer_gets_one_shard_of_the_most_loaded_and_no_more() {
        let mut assignment = started(6, &[(A, "a")]);
        assignment.join(B, "b");
        assignment.tick();
        assignment.tick();
        assert_eq!(shards_of(&assignment, A), [1, 2, 3, 4, 5]);
        assert_eq!(shards_of(&assignment, B), [6]);
    }

    /// Server behaviour, section 10.2.
    #[test]
    fn a_consumer_beyond_the_number_of_shards_waits_and_stands_by() {
        let mut assignment = started(1, &[(A, "a"), (B, "b")]);
        assert_eq!(assignment.owner(1), Some(A));
        assignment.tick();
        assert_eq!(shards_of(&assignment, B), [0; 0]);
        assignment.leave(A);
        assert_eq!(assignment.owner(1), None);
        assignment.tick();
        assert_eq!(assignment.owner(1), Some(B));
    }

    /// Server behaviour, section 10.2.
    #[test]
    fn shards_of_one_who_leaves_go_to_the_waiting_first() {
        let mut assignment = started(2, &[(A, "a"), (B, "b"), (C, "c")]);
        assignment.leave(B);
        assignment.tick();
        assert_eq!(shards_of(&assignment, C), [2]);
        assignment.leave(A);
        assignment.tick();
        assert_eq!(shards_of(&assignment, C), [1, 2]);
        assignment.leave(C);
        assert!(!assignment.needs_tick());
        assignment.leave(C);
        assignment.tick();
        assert_eq!(assignment.owner(1), None);
    }
}
