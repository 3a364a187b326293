//! The nodes, and which of them has what.

use std::collections::BTreeMap;

use crate::proto::{self, ResourceType};

pub(super) type NodeId = u32;

/// The release whose behaviour is imitated.
const VERSION: &str = "0.20.3";
const COMMIT: &str = "dev-server";
const HOST: &str = "127.0.0.1";

/// All nodes, dead ones too, and the allocations, which stick.
#[derive(Debug)]
pub(super) struct Nodes {
    all: Vec<NodeInfo>,
    /// Made at the first look-up, whether the thing exists or not; kept while the node lives.
    allocated: BTreeMap<(ResourceType, String), NodeId>,
}

#[derive(Debug)]
struct NodeInfo {
    id: NodeId,
    port: u16,
    alive: bool,
}

impl NodeInfo {
    fn message(&self) -> proto::ServerNode {
        proto::ServerNode {
            id: self.id,
            host: HOST.to_owned(),
            port: u32::from(self.port),
            version: Some(proto::HStreamVersion { version: VERSION.to_owned(), commit: COMMIT.to_owned() }),
        }
    }
}

impl Nodes {
    /// Nodes with the ids from 1 on; their ports are told when they listen.
    pub(super) fn new(count: u32) -> Self {
        let all = (1..=count).map(|id| NodeInfo { id, port: 0, alive: true }).collect();
        Nodes { all, allocated: BTreeMap::new() }
    }

    pub(super) fn listens(&mut self, id: NodeId, port: u16) {
        if let Some(node) = self.all.iter_mut().find(|node| node.id == id) {
            node.port = port;
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

    /// Where the ring puts a key: any fixed rule will do, as nobody can know the real one.
    pub(super) fn by_ring(&self, key: &str) -> Option<NodeId> {
        let alive: Vec<NodeId> = self.all.iter().filter(|node| node.alive).map(|node| node.id).collect();
        let place = crate::shard::hash_key(key) % (alive.len().max(1) as u128);
        alive.get(place as usize).copied()
    }

    fn lives(&self, id: NodeId) -> bool {
        self.all.iter().any(|node| node.id == id && node.alive)
    }

    pub(super) fn message(&self, id: NodeId) -> Option<proto::ServerNode> {
        self.all.iter().find(|node| node.id == id).map(NodeInfo::message)
    }

    /// As this node describes the cluster: itself first.
    pub(super) fn describe(&self, asked: NodeId, up_time_seconds: u64) -> proto::DescribeClusterResponse {
        let mut nodes: Vec<&NodeInfo> = self.all.iter().collect();
        nodes.sort_by_key(|node| (node.id != asked, !node.alive, node.id));
        let status = |node: &&NodeInfo| proto::ServerNodeStatus {
            node: Some(node.message()),
            state: if node.alive { proto::NodeState::Running } else { proto::NodeState::Dead } as i32,
        };
        proto::DescribeClusterResponse {
            protocol_version: "0.1.0".to_owned(),
            server_nodes: nodes.iter().filter(|node| node.alive).map(|node| node.message()).collect(),
            server_nodes_status: nodes.iter().map(status).collect(),
            cluster_up_time: up_time_seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Server behaviour, section 11.2.
    #[test]
    fn allocations_stick_while_the_node_lives() {
        let mut nodes = Nodes::new(3);
        let sub = ResourceType::ResSubscription;
        let owner = nodes.owner(sub, "s").unwrap();
        nodes.all.retain(|node| node.id == owner || node.id % 2 == 0);
        assert_eq!(nodes.owner(sub, "s"), Some(owner));
        nodes.all.iter_mut().filter(|node| node.id == owner).for_each(|node| node.alive = false);
        let moved = nodes.owner(sub, "s").unwrap();
        assert_ne!(moved, owner);
        nodes.all.iter_mut().for_each(|node| node.alive = true);
        assert_eq!(nodes.owner(sub, "s"), Some(moved), "it does not move back");
    }

    /// Server behaviour, section 11.1.
    #[test]
    fn the_node_that_is_asked_names_itself_first() {
        let mut nodes = Nodes::new(3);
        nodes.all[0].alive = false;
        let described = nodes.describe(3, 7);
        let ids = |nodes: Vec<proto::ServerNode>| nodes.iter().map(|node| node.id).collect::<Vec<_>>();
        assert_eq!(ids(described.server_nodes), [3, 2]);
        assert_eq!(described.server_nodes_status.len(), 3);
        assert_eq!(described.server_nodes_status[2].state, proto::NodeState::Dead as i32);
        assert_eq!((described.protocol_version.as_str(), described.cluster_up_time), ("0.1.0", 7));
    }
}
