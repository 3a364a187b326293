//! What the cluster looks like, by servers of all versions.

use prost::Message;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, bytes, skip_field, string, uint64};

use crate::proto::{ServerNode, ServerNodeStatus};

/// The answer to DescribeCluster. Its fields were renumbered in server v0.15.2: before, field 2 was the
/// server's version, and the nodes and their states came one number later. So it is read by hand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClusterAnswer {
    /// Field 1 in all versions.
    protocol_version: String,
    /// Fields 2, 3 and 4, where they are no numbers.
    fields: [Vec<Vec<u8>>; 3],
    /// Field 4 or 5, where it is a number.
    up_time: u64,
}

impl ClusterAnswer {
    /// The version of the protocol, which is the same for all servers so far.
    pub(crate) fn protocol_version(&self) -> &str {
        &self.protocol_version
    }

    /// The seconds since the cluster's first start; 0 if unknown.
    pub(crate) fn up_time(&self) -> u64 {
        self.up_time
    }

    /// The version that an old server tells of itself.
    fn old_version(&self) -> Option<String> {
        let [only] = self.fields[0].as_slice() else { return None };
        let text = std::str::from_utf8(only).ok()?;
        // A message that names a node begins with a tag, which is no character of a version.
        let is_version =
            text.starts_with(|c: char| c == 'v' || c.is_ascii_digit()) || text.starts_with("unknown");
        is_version.then(|| text.to_owned())
    }

    /// The nodes that live, the one that answered first.
    pub(crate) fn nodes(&self) -> Vec<ServerNode> {
        let old = self.old_version().is_some();
        decode_all(&self.fields[usize::from(old)])
    }

    /// All nodes with their states.
    pub(crate) fn states(&self) -> Vec<ServerNodeStatus> {
        let old = self.old_version().is_some();
        decode_all(&self.fields[1 + usize::from(old)])
    }

    /// The version of the node that answered, if it says.
    pub(crate) fn version(&self) -> Option<String> {
        self.old_version().or_else(|| Some(self.nodes().first()?.version.clone()?.version))
    }
}

fn decode_all<M: Message + Default>(encoded: &[Vec<u8>]) -> Vec<M> {
    encoded.iter().filter_map(|bytes| M::decode(bytes.as_slice()).ok()).collect()
}

impl Message for ClusterAnswer {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        string::encode(1, &self.protocol_version, buffer);
        for (tag, values) in (2..).zip(&self.fields) {
            bytes::encode_repeated(tag, values, buffer);
        }
        uint64::encode(5, &self.up_time, buffer);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        match (tag, wire_type) {
            (1, WireType::LengthDelimited) => {
                string::merge(wire_type, &mut self.protocol_version, buffer, context)
            }
            (4 | 5, WireType::Varint) => uint64::merge(wire_type, &mut self.up_time, buffer, context),
            (2..=4, WireType::LengthDelimited) => {
                bytes::merge_repeated(wire_type, &mut self.fields[tag as usize - 2], buffer, context)
            }
            _ => skip_field(wire_type, tag, buffer, context),
        }
    }

    fn encoded_len(&self) -> usize {
        let fields = (2..).zip(&self.fields).map(|(tag, values)| bytes::encoded_len_repeated(tag, values));
        string::encoded_len(1, &self.protocol_version)
            + fields.sum::<usize>()
            + uint64::encoded_len(5, &self.up_time)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::proto::{DescribeClusterResponse, HStreamVersion, NodeState};

    pub(crate) fn answer(nodes: &[(&str, NodeState)]) -> DescribeClusterResponse {
        let node = |host: &str| ServerNode { id: 1, host: host.into(), port: 1, version: None };
        let status = |(host, state): &(&str, NodeState)| ServerNodeStatus {
            node: Some(node(host)),
            state: *state as i32,
        };
        DescribeClusterResponse {
            server_nodes_status: nodes.iter().map(status).collect(),
            ..Default::default()
        }
    }

    pub(crate) fn read(answer: &impl Message) -> ClusterAnswer {
        ClusterAnswer::decode(answer.encode_to_vec().as_slice()).unwrap()
    }

    /// The layout up to v0.15.1.
    #[derive(Clone, PartialEq, Message)]
    struct Old {
        #[prost(string, tag = "1")]
        protocol_version: String,
        #[prost(string, tag = "2")]
        server_version: String,
        #[prost(message, repeated, tag = "3")]
        nodes: Vec<ServerNode>,
        #[prost(message, repeated, tag = "4")]
        states: Vec<ServerNodeStatus>,
        #[prost(uint64, tag = "5")]
        up_time: u64,
    }

    #[test]
    fn both_layouts_are_read() {
        let mut new = answer(&[("a", NodeState::Running), ("b", NodeState::Dead)]);
        let version = Some(HStreamVersion { version: "0.20.3".into(), commit: String::new() });
        new.server_nodes = vec![ServerNode { id: 1, host: "a".into(), port: 1, version }];
        new.cluster_up_time = 7;
        let read_new = read(&new);
        assert_eq!(
            (read_new.nodes(), read_new.states()),
            (new.server_nodes.clone(), new.server_nodes_status.clone())
        );
        assert_eq!(read_new.version().as_deref(), Some("0.20.3"));
        assert_eq!(read_new.up_time(), 7);
        let old = Old {
            protocol_version: "0.1.0".into(),
            server_version: "0.15.1".into(),
            nodes: new.server_nodes.clone(),
            states: new.server_nodes_status.clone(),
            up_time: 7,
        };
        let read_old = read(&old);
        assert_eq!((read_old.nodes(), read_old.states()), (old.nodes, old.states));
        assert_eq!(read_old.version().as_deref(), Some("0.15.1"));
        assert_eq!((read_old.protocol_version(), read_old.up_time()), ("0.1.0", 7));
    }

    #[test]
    fn nonsense_names_no_nodes() {
        let fields = [vec![b"\xff".to_vec()], vec![Vec::new()], vec![b"v".to_vec()]];
        let nonsense = ClusterAnswer { fields, ..Default::default() };
        assert_eq!(read(&nonsense), nonsense);
        assert!(nonsense.nodes().is_empty());
    }
}
