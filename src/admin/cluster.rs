//! The cluster itself: its nodes, and which of them has what.

use crate::client::Client;
use crate::cluster::Target;
use crate::cluster::describe::ClusterAnswer;
use crate::error::{Error, Result};
use crate::{names, proto};

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    id: u32,
    host: String,
    port: u32,
    version: String,
    commit: String,
    state: Option<NodeState>,
}

impl Node {
    /// Its id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The host that the cluster tells clients to connect to.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port there.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Its version, `0.20.3`. Servers before 0.15.2 tell only that of the node that answered; empty for others.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it was built from, as far as it says.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// How it is. Only [`Client::describe_cluster`] says so; look-ups do not.
    pub fn state(&self) -> Option<NodeState> {
        self.state
    }
}

impl From<proto::ServerNode> for Node {
    fn from(node: proto::ServerNode) -> Self {
        let version = node.version.unwrap_or_default();
        Node {
            id: node.id,
            host: node.host,
            port: node.port,
            version: version.version,
            commit: version.commit,
            state: None,
        }
    }
}

/// How a node is, as the one sees it that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeState {
    /// It waits for the cluster to be set up.
    Starting,
    /// It serves.
    Running,
    /// It can't serve; no server so far says so.
    Unavailable,
    /// The others have missed it for some seconds.
    Dead,
}

impl From<proto::NodeState> for NodeState {
    fn from(state: proto::NodeState) -> Self {
        match state {
            proto::NodeState::Starting => NodeState::Starting,
            proto::NodeState::Running => NodeState::Running,
            proto::NodeState::Unavailable => NodeState::Unavailable,
            proto::NodeState::Dead => NodeState::Dead,
        }
    }
}

/// What a node says of its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterInfo {
    protocol_version: String,
    uptime_seconds: u64,
    nodes: Vec<Node>,
}

impl ClusterInfo {
    /// The version of the protocol; servers so far all say `0.1.0`.
    pub fn protocol_version(&self) -> &str {
        &self.protocol_version
    }

    /// For how long the cluster has been there, in seconds; 0 if unknown.
    pub fn uptime_seconds(&self) -> u64 {
        self.uptime_seconds
    }

    /// All nodes sorted by id, dead ones too. One that others have begun to miss is in no list for a while, and one
    /// that has just started may name itself alone.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

impl From<ClusterAnswer> for ClusterInfo {
    fn from(answer: ClusterAnswer) -> Self {
        let states = answer.states().into_iter().filter_map(|status| {
            let state = proto::NodeState::try_from(status.state).ok().map(NodeState::from);
            Some(Node { state, ..status.node?.into() })
        });
        let mut nodes: Vec<Node> = states.collect();
        for living in answer.nodes() {
            match nodes.iter_mut().find(|node| node.id == living.id) {
                // The list of states need not tell versions.
                Some(node) => *node = Node { state: node.state, ..living.into() },
                None => nodes.push(Node { state: Some(NodeState::Running), ..living.into() }),
            }
        }
        let first = answer.nodes().first().map(|node| node.id);
        if let Some(answered) = nodes.iter_mut().find(|node| Some(node.id) == first) {
            answered.version = answer.version().unwrap_or_default();
        }
        nodes.sort_by_key(|node| node.id);
        ClusterInfo {
            protocol_version: answer.protocol_version().to_owned(),
            uptime_seconds: answer.up_time(),
            nodes,
        }
    }
}

/// What kind of thing [`Client::lookup_resource`] looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceKind {
    /// A stream, by its name.
    Stream,
    /// A subscription, by its id.
    Subscription,
    /// A shard, by its id in decimals.
    Shard,
    /// A named reader, by its id.
    ShardReader,
    /// A connector, by its name.
    Connector,
    /// A query, by its id.
    Query,
    /// A view, by its name. It is where its query is.
    View,
}

impl From<ResourceKind> for proto::ResourceType {
    fn from(kind: ResourceKind) -> Self {
        match kind {
            ResourceKind::Stream => proto::ResourceType::ResStream,
            ResourceKind::Subscription => proto::ResourceType::ResSubscription,
            ResourceKind::Shard => proto::ResourceType::ResShard,
            ResourceKind::ShardReader => proto::ResourceType::ResShardReader,
            ResourceKind::Connector => proto::ResourceType::ResConnector,
            ResourceKind::Query => proto::ResourceType::ResQuery,
            ResourceKind::View => proto::ResourceType::ResView,
        }
    }
}

impl Client {
    /// Sends a text to a node and returns what comes back, which is the same: a sign of life.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn echo(&self, message: &str) -> Result<String> {
        Ok(self.call(Target::Any, proto::EchoRequest { msg: message.to_owned() })?.msg)
    }

    /// The cluster as one of its nodes sees it. [`at_node`](Self::at_node) asks a certain one.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn describe_cluster(&self) -> Result<ClusterInfo> {
        Ok(self.call(Target::Any, ())?.into())
    }

    /// The node that appends to a shard go to. It is computed from the nodes that live now; the shard need not
    /// exist.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn lookup_shard(&self, shard_id: u64) -> Result<Node> {
        let answer = self.call(Target::Any, proto::LookupShardRequest { shard_id })?;
        found("LookupShard", answer.server_node)
    }

    /// The node that the ring of the cluster has for a text. It has nothing to do with the shard that records with
    /// this key go to: see [`shard_for_key`](Self::shard_for_key).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) by servers before 0.16.1.
    pub fn lookup_key(&self, key: &str) -> Result<Node> {
        let request = proto::LookupKeyRequest { partition_key: key.to_owned() };
        Ok(self.call(Target::Any, request)?.into())
    }

    /// The node that serves a subscription.
    ///
    /// The server decides it when it is first asked and *writes that down*, also for a subscription that does not
    /// exist, and keeps it as long as that node lives. So it is no way to find out whether there is one: that is
    /// [`subscription_exists`](Self::subscription_exists).
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn lookup_subscription(&self, id: &str) -> Result<Node> {
        names::check("subscription", id)?;
        let request = proto::LookupSubscriptionRequest { subscription_id: id.to_owned() };
        found("LookupSubscription", self.call(Target::Any, request)?.server_node)
    }

    /// The node that has something.
    ///
    /// The server decides it when it is first asked and *writes that down*, also for things that do not exist, and
    /// keeps it as long as that node lives: each id that is looked up leaves an entry in the cluster's meta store
    /// for good. Shards that are looked up so are pinned to a node; [`lookup_shard`](Self::lookup_shard) pins
    /// nothing.
    ///
    /// # Errors
    ///
    /// There is no such view; the id is none ([`InvalidArgument`](crate::ErrorKind::InvalidArgument), or the server
    /// says so).
    pub fn lookup_resource(&self, kind: ResourceKind, id: &str) -> Result<Node> {
        names::check_id("resource", id)?;
        let request = proto::LookupResourceRequest {
            res_type: proto::ResourceType::from(kind).into(),
            res_id: id.to_owned(),
        };
        Ok(self.call(Target::Any, request)?.into())
    }
}

/// The node in an answer, which is not there by the protocol's rules alone.
pub(crate) fn found(rpc: &str, node: Option<proto::ServerNode>) -> Result<Node> {
    node.map(Node::from).ok_or_else(|| Error::protocol(format!("{rpc} answered without a node")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::describe::tests::{answer, read};

    #[test]
    fn a_node_has_its_state_from_one_list_and_its_version_from_the_other() {
        let mut message = answer(&[("b", proto::NodeState::Running), ("a", proto::NodeState::Dead)]);
        for (status, id) in message.server_nodes_status.iter_mut().zip([2, 1]) {
            status.node.as_mut().unwrap().id = id;
        }
        let version = Some(proto::HStreamVersion { version: "0.20.3".into(), commit: "abc".into() });
        let living = |id| proto::ServerNode { id, host: "b".into(), port: 1, version: version.clone() };
        message.server_nodes = vec![living(2), living(3)];
        let info = ClusterInfo::from(read(&message));
        let seen = |node: &Node| (node.id(), node.version().to_owned(), node.state());
        assert_eq!(
            info.nodes().iter().map(seen).collect::<Vec<_>>(),
            [
                (1, String::new(), Some(NodeState::Dead)),
                (2, "0.20.3".to_owned(), Some(NodeState::Running)),
                (3, "0.20.3".to_owned(), Some(NodeState::Running)),
            ]
        );
        assert_eq!(info.nodes()[1].commit(), "abc");
    }
}
