//! The nodes we know: the seeds for ever, and the view of the cluster while it is fresh.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::{Duration, Instant};

use crate::cluster::describe::ClusterAnswer;
use crate::cluster::endpoint::Address;
use crate::error::{Error, Result};
use crate::proto::{self, NodeState};

/// How long a node that failed is asked after the others.
const TROUBLE: Duration = Duration::from_secs(10);

/// How long a node is remembered that failed and is gone from the cluster.
const MEMORY: Duration = Duration::from_secs(3600);

/// Nodes that came and went between two views of the cluster.
#[derive(Debug, PartialEq)]
pub(crate) struct Change {
    came: Vec<Address>,
    left: Vec<Address>,
}

impl Change {
    /// From one sorted list to another, if they differ.
    fn between(before: &[Address], after: &[Address]) -> Option<Change> {
        let not_in = |these: &[Address], those: &[Address]| -> Vec<Address> {
            these.iter().filter(|node| those.binary_search(node).is_err()).cloned().collect()
        };
        let change = Change { came: not_in(after, before), left: not_in(before, after) };
        (before != after).then_some(change)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came = self.came.iter().map(|node| format!("{node} came"));
        let left = self.left.iter().map(|node| format!("{node} left"));
        f.write_str(&came.chain(left).collect::<Vec<_>>().join(", "))
    }
}

/// Pure: time comes in from outside.
pub(crate) struct Members {
    seeds: Vec<Address>,
    /// Running nodes, as the cluster last said.
    nodes: Vec<Address>,
    refreshed: Option<Instant>,
    /// When a node last failed.
    trouble: HashMap<Address, Instant>,
    /// Whose turn it is.
    turn: usize,
}

impl Members {
    pub(crate) fn new(seeds: Vec<Address>) -> Self {
        Members { seeds, nodes: Vec::new(), refreshed: None, trouble: HashMap::new(), turn: 0 }
    }

    /// Takes over the cluster's answer. Returns how it differs from the one before, if there was one.
    pub(crate) fn update(&mut self, answer: &ClusterAnswer, now: Instant) -> Result<Option<Change>> {
        let (live, states) = (answer.nodes(), answer.states());
        let running = |status: &&proto::ServerNodeStatus| {
            matches!(NodeState::try_from(status.state), Ok(NodeState::Running | NodeState::Starting))
        };
        let mut nodes = Vec::new();
        for node in states.iter().filter(running).filter_map(|status| status.node.as_ref()) {
            nodes.push(address_of(node)?);
        }
        for node in &live {
            nodes.push(address_of(node)?);
        }
        nodes.sort_unstable();
        nodes.dedup();
        // An answer without nodes says nothing; the seeds stay.
        let mut change = None;
        if !nodes.is_empty() {
            change = Change::between(&self.nodes, &nodes).filter(|_| self.refreshed.is_some());
            self.nodes = nodes;
        }
        self.refreshed = Some(now);
        let Members { trouble, nodes, seeds, .. } = self;
        trouble.retain(|node, since| {
            let known = nodes.contains(node) || seeds.contains(node);
            known || now.saturating_duration_since(*since) < MEMORY
        });
        Ok(change)
    }

    pub(crate) fn is_fresh(&self, now: Instant, age: Duration) -> bool {
        self.refreshed.is_some_and(|refreshed| now.saturating_duration_since(refreshed) < age)
    }

    /// A node is known as long as the cluster names it, or it is a seed.
    pub(crate) fn knows(&self, node: &Address) -> bool {
        self.nodes.contains(node) || self.seeds.contains(node)
    }

    /// When the cluster told of itself last.
    pub(crate) fn refreshed(&self) -> Option<Instant> {
        self.refreshed
    }

    /// Whether there is anything to say of a node.
    pub(crate) fn remembers(&self, node: &Address) -> bool {
        self.knows(node) || self.trouble.contains_key(node)
    }

    /// The nodes of the cluster, and others that are in trouble; with whether they are.
    pub(crate) fn states(&self) -> BTreeMap<Address, bool> {
        let nodes = self.nodes.iter().map(|node| (node.clone(), false));
        nodes.chain(self.trouble.keys().map(|node| (node.clone(), true))).collect()
    }

    /// How many nodes there are, and how many are in trouble.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let nodes = if self.nodes.is_empty() { &self.seeds } else { &self.nodes };
        (nodes.len(), self.trouble.len())
    }

    /// Notes that a node failed. Whether it was well before.
    pub(crate) fn in_trouble(&mut self, node: &Address, now: Instant) -> bool {
        self.trouble.insert(node.clone(), now).is_none()
    }

    /// Notes that a node answered. Whether it was in trouble before.
    pub(crate) fn well(&mut self, node: &Address) -> bool {
        self.trouble.remove(node).is_some()
    }

    /// The node to ask next: running ones in turn, those in trouble after the others, and the seeds after
    /// all of them.
    pub(crate) fn pick(&mut self, now: Instant) -> Address {
        let turn = self.turn;
        self.turn = self.turn.wrapping_add(1);
        let candidates = self.candidates(turn, now);
        candidates
            .into_iter()
            .next()
            .unwrap_or_else(|| Address::new("localhost", super::endpoint::DEFAULT_PORT))
    }

    /// All nodes in the order in which they should be asked.
    pub(crate) fn candidates(&self, turn: usize, now: Instant) -> Vec<Address> {
        let mut all = rotated(&self.nodes, turn);
        all.extend(rotated(&self.seeds, turn).into_iter().filter(|seed| !self.nodes.contains(seed)));
        // Stable: those without trouble keep their turn, the one that failed longest ago is tried first.
        all.sort_by_key(|node| {
            self.trouble.get(node).filter(|since| now.saturating_duration_since(**since) < TROUBLE)
        });
        all
    }
}

fn rotated(nodes: &[Address], turn: usize) -> Vec<Address> {
    let mut nodes = nodes.to_vec();
    if !nodes.is_empty() {
        let len = nodes.len();
        nodes.rotate_left(turn % len);
    }
    nodes
}

/// The address in a node's message.
pub(crate) fn address_of(node: &proto::ServerNode) -> Result<Address> {
    match u16::try_from(node.port) {
        Ok(port @ 1..) if !node.host.is_empty() => Ok(Address::new(node.host.clone(), port)),
        _ => Err(Error::protocol(format!(
            "the cluster names node {} with the address `{}:{}`; see its option advertised-address",
            node.id, node.host, node.port
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::describe::tests::{answer, read};

    fn address(name: &str) -> Address {
        Address::new(name, 1)
    }

    #[test]
    fn running_nodes_take_turns_and_dead_ones_are_not_asked() {
        let now = Instant::now();
        let mut members = Members::new(vec![address("seed")]);
        assert_eq!(members.pick(now), address("seed"));
        members
            .update(
                &read(&answer(&[
                    ("a", NodeState::Running),
                    ("b", NodeState::Running),
                    ("c", NodeState::Dead),
                ])),
                now,
            )
            .unwrap();
        let picked: Vec<_> = (0..4).map(|_| members.pick(now)).collect();
        assert_eq!(picked.iter().filter(|node| **node == address("a")).count(), 2);
        assert_eq!(picked.iter().filter(|node| **node == address("b")).count(), 2);
    }

    #[test]
    fn nodes_in_trouble_come_last_until_it_is_over() {
        let now = Instant::now();
        let mut members = Members::new(vec![address("seed")]);
        members.update(&read(&answer(&[("a", NodeState::Running), ("b", NodeState::Running)])), now).unwrap();
        assert!(members.in_trouble(&address("a"), now) && !members.in_trouble(&address("a"), now));
        assert!((0..4).all(|_| members.pick(now) == address("b")));
        members.in_trouble(&address("b"), now);
        assert_eq!(members.pick(now), address("seed"), "the seeds are never forgotten");
        let later = now + TROUBLE;
        assert!((0..4).any(|_| members.pick(later) == address("a")));
        assert!(members.well(&address("a")) && !members.well(&address("a")));
        assert_eq!(members.pick(now), address("a"));
    }

    #[test]
    fn a_change_is_told_by_who_came_and_who_left_but_the_first_view_is_none() {
        let now = Instant::now();
        let mut members = Members::new(vec![address("seed")]);
        let mut update = |names: &[&str]| {
            let nodes: Vec<_> = names.iter().map(|name| (*name, NodeState::Running)).collect();
            members.update(&read(&answer(&nodes)), now).unwrap().map(|change| change.to_string())
        };
        assert_eq!(update(&["a", "b"]), None);
        assert_eq!(update(&["b", "a"]), None);
        assert_eq!(update(&["b", "c"]).unwrap(), "c:1 came, a:1 left");
        assert_eq!(update(&[]), None);
    }

    #[test]
    fn the_trouble_of_nodes_that_are_gone_is_remembered_for_a_while() {
        let now = Instant::now();
        let mut members = Members::new(vec![address("seed")]);
        members.in_trouble(&address("a"), now);
        members.in_trouble(&address("b"), now);
        let view = read(&answer(&[("b", NodeState::Running)]));
        members.update(&view, now).unwrap();
        assert_eq!(members.counts(), (1, 2));
        assert_eq!(members.states(), BTreeMap::from([(address("a"), true), (address("b"), true)]));
        members.update(&view, now + MEMORY).unwrap();
        assert!(!members.well(&address("a")) && members.well(&address("b")));
    }

    #[test]
    fn an_empty_answer_leaves_the_seeds_and_a_bad_address_is_named() {
        let now = Instant::now();
        let mut members = Members::new(vec![address("seed")]);
        members.update(&read(&answer(&[])), now).unwrap();
        assert_eq!(members.pick(now), address("seed"));
        let mut bad = answer(&[("a", NodeState::Running)]);
        bad.server_nodes_status[0].node.as_mut().unwrap().port = 70_000;
        assert!(members.update(&read(&bad), now).unwrap_err().to_string().contains("a:70000"));
    }
}
