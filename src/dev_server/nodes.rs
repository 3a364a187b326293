//! The nodes, and which of them has what.

use std::collections::BTreeMap;

use super::versions::{self, Release};
use crate::proto::{self, ResourceType};

pub(super) type NodeId = u32;

const COMMIT: &str = "dev-server";

/// Where clients are told that a node is: host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// All nodes, dead ones too, and the allocations, which stick.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    all: Vec<NodeInfo>,
    /// Made at the first look-up, whether the thing exists or not; kept while the node lives.
    allocated: BTreeMap<(ResourceType, String), NodeId>,
}

#[derive(Debug)]
struct NodeInfo {
    id: NodeId,
    /// What its own port tells, and what each further listener of the same key does.
    address: Address,
    by_listener: BTreeMap<String, Address>,
    /// As the other nodes believe: one that was killed is taken for alive until they miss it.
    alive: bool,
    /// Counts its starts, so that news of an earlier end are not taken for those of a later one.
    starts: u64,
}

impl NodeInfo {
    /// None if it has no listener of this key.
    fn message(&self, listener: Option<&str>, release: Release) -> Option<proto::ServerNode> {
        let address = match listener {
            None => &self.address,
            Some(key) => self.by_listener.get(key)?,
        };
        let version = || proto::HStreamVersion { version: release.to_string(), commit: COMMIT.to_owned() };
        Some(proto::ServerNode {
            id: self.id,
            host: address.host.clone(),
            port: u32::from(address.port),
            version: (release >= versions::NEW_LAYOUT).then(version),
        })
    }
}

/// Who asks, and by which door: it decides what the addresses in the answer are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) node: NodeId,
    pub(super) listener: Option<&'a str>,
    pub(super) release: Release,
}

impl Nodes {
    /// A node starts, for the first time or again. Returns which start of it this is.
    pub(super) fn start(
        &mut self,
        id: NodeId,
        address: Address,
        by_listener: BTreeMap<String, Address>,
    ) -> u64 {
        let Some(node) = self.all.iter_mut().find(|node| node.id == id) else {
            self.all.push(NodeInfo { id, address, by_listener, alive: true, starts: 1 });
            self.all.sort_by_key(|node| node.id);
            return 1;
        };
        (node.address, node.by_listener, node.alive) = (address, by_listener, true);
        node.starts += 1;
        node.starts
    }

    /// The others learn that a node has ended, the one that began with this start.
    pub(super) fn is_dead(&mut self, id: NodeId, start: u64) {
        if let Some(node) = self.all.iter_mut().find(|node| node.id == id && node.starts == start) {
            node.alive = false;
        }
    }

    /// Who has it. Decided at the first question, and again when that node is dead.
    pub(super) fn owner(&mut self, resource: ResourceType, id: &str) -> Option<NodeId> {
        let key = (resource, id.to_owned());
        if let Some(owner) = self.allocated.get(&key).copied().filter(|owner| self.lives(*owner)) {
            return Some(owner);
        }
        let owner = self.by_ring(id)?;
        self.allocated.insert(key, owner);
        Some(owner)
    }

    /// Gives a thing to a node, whoever had it.
    pub(super) fn give(&mut self, resource: ResourceType, id: &str, owner: NodeId) {
        self.allocated.insert((resource, id.to_owned()), owner);
    }

    /// Where the ring of the living puts a key: jump consistent hash, as the real server's. Nobody can
    /// know the numbers that it hashes to.
    pub(super) fn by_ring(&self, key: &str) -> Option<NodeId> {
        let alive: Vec<NodeId> = self.all.iter().filter(|node| node.alive).map(|node| node.id).collect();
        // The lower half of a good hash is as good.
        alive.get(jump(crate::shard::hash_key(key) as u64, alive.len())).copied()
    }

    fn lives(&self, id: NodeId) -> bool {
        self.all.iter().any(|node| node.id == id && node.alive)
    }

    pub(super) fn message(&self, id: NodeId, asked: Asked<'_>) -> Option<proto::ServerNode> {
        self.all.iter().find(|node| node.id == id)?.message(asked.listener, asked.release)
    }

    /// As this node describes the cluster: itself first. Nodes without the listener are left out.
    pub(super) fn describe(&self, asked: Asked<'_>, up_time_seconds: u64) -> proto::DescribeClusterResponse {
        let mut nodes: Vec<&NodeInfo> = self.all.iter().collect();
        nodes.sort_by_key(|node| (node.id != asked.node, !node.alive, node.id));
        let message = |node: &NodeInfo| node.message(asked.listener, asked.release);
        let status = |node: &&NodeInfo| {
            let state = if node.alive { proto::NodeState::Running } else { proto::NodeState::Dead };
            Some(proto::ServerNodeStatus { node: Some(message(node)?), state: state as i32 })
        };
        proto::DescribeClusterResponse {
            protocol_version: "0.1.0".to_owned(),
            server_nodes: nodes.iter().filter(|node| node.alive).filter_map(|node| message(node)).collect(),
            server_nodes_status: nodes.iter().filter_map(status).collect(),
            cluster_up_time: up_time_seconds,
        }
    }
}

/// Jump consistent hash of Lamping and Veach: which of so many buckets has the key. When there is one
/// more, only what moves to that one moves.
fn jump(mut key: u64, buckets: usize) -> usize {
    let (mut bucket, mut next) = (0, 0);
    while next < buckets {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        // Both factors are far below what an f64 is exact for, and a saturated cast ends the loop.
        next = ((bucket + 1) as f64 * ((1u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as usize;
    }
    bucket
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn asked(node: NodeId) -> Asked<'static> {
        Asked { node, listener: None, release: versions::NEWEST }
    }

    pub(in super::super) fn nodes(count: u32) -> Nodes {
        let mut nodes = Nodes::default();
        for id in 1..=count {
            nodes.start(id, Address { host: "h".into(), port: 1 }, BTreeMap::new());
        }
        nodes
    }

    /// Server behaviour, section 11.2.
    #[test]
    fn allocations_stick_while_the_node_lives() {
        let mut nodes = nodes(3);
        let sub = ResourceType::ResSubscription;
        let owner = nodes.owner(sub, "s").unwrap();
        nodes.start(4, Address { host: "h".into(), port: 1 }, BTreeMap::new());
        assert_eq!(nodes.owner(sub, "s"), Some(owner), "others may join");
        nodes.is_dead(owner, 1);
        let moved = nodes.owner(sub, "s").unwrap();
        assert_ne!(moved, owner);
        nodes.start(owner, Address { host: "h".into(), port: 1 }, BTreeMap::new());
        assert_eq!(nodes.owner(sub, "s"), Some(moved), "it does not move back");
        nodes.give(sub, "s", owner);
        assert_eq!(nodes.owner(sub, "s"), Some(owner));
    }

    #[test]
    fn news_of_an_earlier_end_come_too_late() {
        let mut nodes = nodes(1);
        nodes.start(1, Address { host: "h".into(), port: 1 }, BTreeMap::new());
        nodes.is_dead(1, 1);
        assert_eq!(nodes.by_ring("x"), Some(1));
        nodes.is_dead(1, 2);
        assert_eq!(nodes.by_ring("x"), None);
    }

    /// Server behaviour, section 11.1.
    #[test]
    fn the_node_that_is_asked_names_itself_first() {
        let mut nodes = nodes(3);
        nodes.is_dead(1, 1);
        let described = nodes.describe(asked(3), 7);
        let ids = |nodes: Vec<proto::ServerNode>| nodes.iter().map(|node| node.id).collect::<Vec<_>>();
        assert_eq!(ids(described.server_nodes), [3, 2]);
        assert_eq!(described.server_nodes_status.len(), 3);
        assert_eq!(described.server_nodes_status[2].state, proto::NodeState::Dead as i32);
        assert_eq!((described.protocol_version.as_str(), described.cluster_up_time), ("0.1.0", 7));
    }

    /// Server behaviour, section 1.7.
    #[test]
    fn a_listener_tells_the_addresses_of_its_key_alone() {
        let mut nodes = nodes(1);
        let outside = Address { host: "outside".into(), port: 9 };
        nodes.start(2, Address { host: "h".into(), port: 1 }, BTreeMap::from([("out".to_owned(), outside)]));
        let asked = Asked { listener: Some("out"), ..asked(2) };
        let described = nodes.describe(asked, 0);
        assert_eq!(described.server_nodes.len(), 1, "the other has no such listener");
        assert_eq!(described.server_nodes[0].host, "outside");
        assert_eq!(nodes.message(1, asked), None);
    }

    #[test]
    fn the_ring_moves_little_when_a_node_is_added() {
        let place =
            |buckets| (0..1000u64).map(move |key| jump(key.wrapping_mul(0x9e37_79b9_7f4a_7c15), buckets));
        assert!(place(3).all(|bucket| bucket < 3));
        let moved: Vec<_> = place(3).zip(place(4)).filter(|(before, after)| before != after).collect();
        assert!(moved.iter().all(|(_, after)| *after == 3));
        assert!((150..350).contains(&moved.len()), "{}", moved.len());
        assert_eq!(jump(7, 0), 0);
    }
}
