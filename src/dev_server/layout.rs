//! DescribeCluster as servers before 0.15.2 answer it: the same facts under other numbers.

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::server::{Grpc, UnaryService};
use tonic_prost::ProstCodec;

use super::node::Node;
use crate::proto::h_stream_api_server::HStreamApi;
use crate::proto::{DescribeClusterResponse, ServerNode, ServerNodeStatus};

/// The answer; the version of the server was one for all nodes.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OldDescription {
    #[prost(string, tag = "1")]
    pub(super) protocol_version: String,
    #[prost(string, tag = "2")]
    pub(super) server_version: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) server_nodes: Vec<ServerNode>,
    #[prost(message, repeated, tag = "4")]
    pub(super) server_nodes_status: Vec<ServerNodeStatus>,
    #[prost(uint64, tag = "5")]
    pub(super) cluster_up_time: u64,
}

impl OldDescription {
    fn new(described: DescribeClusterResponse, server_version: String) -> Self {
        OldDescription {
            protocol_version: described.protocol_version,
            server_version,
            server_nodes: described.server_nodes,
            server_nodes_status: described.server_nodes_status,
            cluster_up_time: described.cluster_up_time,
        }
    }
}

/// Serves one DescribeCluster.
pub(super) async fn describe_cluster<B>(node: Node, request: Request<B>) -> Response<Body>
where
    B: tonic::codegen::Body + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send,
    B::Data: Send,
{
    Grpc::new(ProstCodec::default()).unary(Describing(node), request).await
}

struct Describing(Node);

impl UnaryService<()> for Describing {
    type Response = OldDescription;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<tonic::Response<OldDescription>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<()>) -> Self::Future {
        let node = self.0.clone();
        Box::pin(async move {
            let described = node.describe_cluster(request).await?.into_inner();
            let version = node.cluster.release().to_string();
            Ok(tonic::Response::new(OldDescription::new(described, version)))
        })
    }
}
