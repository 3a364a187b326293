//! The nodes we know: the seeds for ever, and the view of the cluster while it is fresh.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::cluster::describe::ClusterAnswer;
use crate::cluster::endpoint::Address;
use crate::error::{Error, Result};
use crate::proto::{self, NodeState};

/// How long a node that failed is asked after the others.
const TROUBLE: Duration = Duration::from_secs(10);

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

    /// Takes over the cluster's answer.
    pub(crate) fn update(&mut self, answer: &ClusterAnswer, now: Instant) -> Result<()> {
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
        if !nodes.is_empty() {
            self.nodes = nodes;
        }
        self.refreshed = Some(now);
        Ok(())
    }

    pub(crate) fn is_fresh(&self, now: Instant, age: Duration) -> bool {
        self.refreshed.is_some_and(|refreshed| now.saturating_duration_since(refreshed) < age)
    }

    /// A node is known as long as the cluster names it, or it is a seed.
    pub(crate) fn knows(&self, node: &Address) -> bool {
        self.nodes.contains(node) || self.seeds.contains(node)
    }

    pub(crate) fn in_trouble(&mut self, node: &Address, now: Instant) {
        self.trouble.insert(node.clone(), now);
    }

    pub(crate) fn well(&mut self, node: &Address) {
        self.trouble.remove(node);
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
        members.in_trouble(&address("a"), now);
        assert!((0..4).all(|_| members.pick(now) == address("b")));
        members.in_trouble(&address("b"), now);
        assert_eq!(members.pick(now), address("seed"), "the seeds are never forgotten");
        let later = now + TROUBLE;
        assert!((0..4).any(|_| members.pick(later) == address("a")));
        members.well(&address("a"));
        assert_eq!(members.pick(now), address("a"));
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
