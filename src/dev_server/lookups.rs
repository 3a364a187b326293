//! Which node has what, as clients ask for it, and as nodes check it.

use tonic::{Code, Status};

use super::errors;
use super::names::Names;
use super::node::Node;
use super::versions;
use crate::proto::{self, ErrorCode, ResourceType};

type Answer<T> = Result<T, Status>;

pub(super) fn describe_cluster(node: &Node, (): ()) -> Answer<proto::DescribeClusterResponse> {
    Ok(node.cluster.state().nodes.describe(node.asked(), node.cluster.up_time().as_secs()))
}

// Look-ups answer for things that don't exist as well.

pub(super) fn lookup_shard(
    node: &Node,
    request: proto::LookupShardRequest,
) -> Answer<proto::LookupShardResponse> {
    let server_node = Some(by_ring(node, &request.shard_id.to_string())?);
    Ok(proto::LookupShardResponse { shard_id: request.shard_id, server_node })
}

pub(super) fn lookup_key(node: &Node, request: proto::LookupKeyRequest) -> Answer<proto::ServerNode> {
    by_ring(node, &request.partition_key)
}

pub(super) fn lookup_subscription(
    node: &Node,
    request: proto::LookupSubscriptionRequest,
) -> Answer<proto::LookupSubscriptionResponse> {
    let subscription_id = request.subscription_id;
    let server_node = Some(allocated(node, ResourceType::ResSubscription, &subscription_id)?);
    Ok(proto::LookupSubscriptionResponse { subscription_id, server_node })
}

pub(super) fn lookup_shard_reader(
    node: &Node,
    request: proto::LookupShardReaderRequest,
) -> Answer<proto::LookupShardReaderResponse> {
    let reader_id = request.reader_id;
    let server_node = Some(allocated(node, ResourceType::ResShardReader, &reader_id)?);
    Ok(proto::LookupShardReaderResponse { reader_id, server_node })
}

pub(super) fn lookup_resource(
    node: &Node,
    request: proto::LookupResourceRequest,
) -> Answer<proto::ServerNode> {
    let Ok(resource) = ResourceType::try_from(request.res_type) else {
        let extra = format!("unknown resource type {}", request.res_type);
        let error = ErrorCode::InternalError;
        return Err(errors::json(Code::InvalidArgument, error, "InvalidResourceType", extra));
    };
    if node.cluster.release() >= versions::CHECKED_RESOURCE_IDS {
        Names::from(resource).check_id(&request.res_id)?;
    }
    if resource == ResourceType::ResView {
        // A view is where its query is, and there are none.
        return Err(errors::view_not_found(&request.res_id));
    }
    allocated(node, resource, &request.res_id)
}

fn by_ring(node: &Node, key: &str) -> Answer<proto::ServerNode> {
    let state = node.cluster.state();
    let owner = state.nodes.by_ring(key);
    owner.and_then(|id| state.nodes.message(id, node.asked())).ok_or_else(no_nodes)
}

/// The node that has it, after it was allocated if it was not before.
pub(super) fn allocated(node: &Node, resource: ResourceType, id: &str) -> Answer<proto::ServerNode> {
    let mut state = node.cluster.state();
    let owner = state.nodes.owner(resource, id);
    owner.and_then(|owner| state.nodes.message(owner, node.asked())).ok_or_else(no_nodes)
}

fn no_nodes() -> Status {
    errors::json(Code::NotFound, ErrorCode::InternalError, "NodesNotFound", "Got empty nodes")
}

/// Refuses what belongs to another node. It runs before anything is known to exist, and allocates.
fn check_owner(node: &Node, resource: ResourceType, id: &str) -> Answer<()> {
    match node.cluster.state().nodes.owner(resource, id) {
        Some(owner) if owner != node.id => Err(not_owner(node, resource)),
        _ => Ok(()),
    }
}

/// How a node says that a thing is not its own.
pub(super) fn not_owner(node: &Node, resource: ResourceType) -> Status {
    match resource {
        ResourceType::ResSubscription => {
            let extra = "Subscription is bound to a different node";
            if node.cluster.release() >= versions::NEW_LAYOUT {
                errors::wrong_server(extra)
            } else {
                errors::wrong_server_of_old(extra)
            }
        }
        ResourceType::ResConnector => errors::wrong_server("Connector is bound to a different node"),
        ResourceType::ResQuery | ResourceType::ResView => {
            errors::wrong_server("The Query is allocated to a different node")
        }
        _ => errors::wrong_server("ShardReader is bound to a different node"),
    }
}

pub(super) fn check_subscription_owner(node: &Node, id: &str) -> Answer<()> {
    check_owner(node, ResourceType::ResSubscription, id)
}

pub(super) fn check_reader_owner(node: &Node, id: &str) -> Answer<()> {
    check_owner(node, ResourceType::ResShardReader, id)
}

pub(super) fn check_query_owner(node: &Node, id: &str) -> Answer<()> {
    check_owner(node, ResourceType::ResQuery, id)
}

pub(super) fn check_connector_owner(node: &Node, name: &str) -> Answer<()> {
    check_owner(node, ResourceType::ResConnector, name)
}
