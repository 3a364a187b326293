//! The calls that look and change: cluster, streams, subscriptions, readers.

use tonic::{Code, Status};

use super::errors;
use super::names::Names;
use super::node::Node;
use super::readers::{self, ReaderInfo};
use super::subscriptions::Deletion;
use crate::proto::{self, ErrorCode, ResourceType};

type Answer<T> = Result<T, Status>;

pub(super) fn echo(_: &Node, request: proto::EchoRequest) -> Answer<proto::EchoResponse> {
    Ok(proto::EchoResponse { msg: request.msg })
}

pub(super) fn describe_cluster(node: &Node, (): ()) -> Answer<proto::DescribeClusterResponse> {
    Ok(node.cluster.state().nodes.describe(node.id, node.cluster.up_time().as_secs()))
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
        return Err(errors::json(
            Code::InvalidArgument,
            ErrorCode::InternalError,
            "InvalidResourceType",
            extra,
        ));
    };
    Names::from(resource).check_id(&request.res_id)?;
    if resource == ResourceType::ResView {
        // A view is where its query is, and there are none. The number is that of queries.
        let error = ErrorCode::QueryNotFound;
        return Err(errors::json(Code::NotFound, error, "ViewNotFound", request.res_id));
    }
    allocated(node, resource, &request.res_id)
}

fn by_ring(node: &Node, key: &str) -> Answer<proto::ServerNode> {
    let state = node.cluster.state();
    state.nodes.by_ring(key).and_then(|id| state.nodes.message(id)).ok_or_else(no_nodes)
}

fn allocated(node: &Node, resource: ResourceType, id: &str) -> Answer<proto::ServerNode> {
    let mut state = node.cluster.state();
    state.nodes.owner(resource, id).and_then(|owner| state.nodes.message(owner)).ok_or_else(no_nodes)
}

fn no_nodes() -> Status {
    errors::json(Code::NotFound, ErrorCode::InternalError, "NodesNotFound", "Got empty nodes")
}

/// Refuses what belongs to another node. It runs before anything is known to exist, and allocates.
fn check_owner(node: &Node, resource: ResourceType, id: &str, what: &str) -> Answer<()> {
    match node.cluster.state().nodes.owner(resource, id) {
        Some(owner) if owner != node.id => Err(errors::wrong_server(what)),
        _ => Ok(()),
    }
}

fn check_subscription_owner(node: &Node, id: &str) -> Answer<()> {
    check_owner(node, ResourceType::ResSubscription, id, "Subscription")
}

pub(super) fn create_stream(node: &Node, request: proto::Stream) -> Answer<proto::Stream> {
    Names::Stream.check(&request.stream_name)?;
    // The sentence is the same for both.
    let sentence = "Stream replication factor should greater than zero.";
    if request.replication_factor == 0 {
        let error = ErrorCode::StreamInvalidReplicaFactor;
        return Err(errors::json(Code::InvalidArgument, error, "InvalidReplicaFactor", sentence));
    }
    if request.shard_count == 0 {
        let error = ErrorCode::StreamInvalidShardCount;
        return Err(errors::json(Code::InvalidArgument, error, "InvalidShardCount", sentence));
    }
    let now = node.cluster.now();
    node.cluster.state().create_stream(&request, now)
}

pub(super) fn get_stream(node: &Node, request: proto::GetStreamRequest) -> Answer<proto::GetStreamResponse> {
    Names::Stream.check(&request.name)?;
    let stream = node.cluster.state().get_stream(&request.name);
    let stream = stream.ok_or_else(|| errors::stream_not_found(&request.name))?;
    Ok(proto::GetStreamResponse { stream: Some(stream) })
}

pub(super) fn list_streams(node: &Node, _: proto::ListStreamsRequest) -> Answer<proto::ListStreamsResponse> {
    Ok(proto::ListStreamsResponse { streams: node.cluster.state().list_streams("") })
}

pub(super) fn list_streams_with_prefix(
    node: &Node,
    request: proto::ListStreamsWithPrefixRequest,
) -> Answer<proto::ListStreamsResponse> {
    Names::Stream.check(&request.prefix)?;
    Ok(proto::ListStreamsResponse { streams: node.cluster.state().list_streams(&request.prefix) })
}

pub(super) fn delete_stream(node: &Node, request: proto::DeleteStreamRequest) -> Answer<()> {
    Names::Stream.check(&request.stream_name)?;
    node.cluster.state().delete_stream(&request)
}

pub(super) fn list_shards(
    node: &Node,
    request: proto::ListShardsRequest,
) -> Answer<proto::ListShardsResponse> {
    Names::Stream.check(&request.stream_name)?;
    let shards = node.cluster.state().list_shards(&request.stream_name);
    // Not "not found": it is the store that misses it.
    Ok(proto::ListShardsResponse { shards: shards.ok_or_else(errors::unknown_log)? })
}

pub(super) fn get_tail_record_id(
    node: &Node,
    request: proto::GetTailRecordIdRequest,
) -> Answer<proto::GetTailRecordIdResponse> {
    let shard_id = request.shard_id;
    let state = node.cluster.state();
    let log = state.logs.get(&shard_id).ok_or_else(|| errors::shard_not_found(shard_id))?;
    // The index is 0 however many records the last batch has.
    let tail = proto::RecordId { shard_id, batch_id: log.tail(), batch_index: 0 };
    Ok(proto::GetTailRecordIdResponse { tail_record_id: Some(tail) })
}

pub(super) fn create_subscription(node: &Node, request: proto::Subscription) -> Answer<proto::Subscription> {
    Names::Subscription.check(&request.subscription_id)?;
    Names::Stream.check(&request.stream_name)?;
    let now = node.cluster.now();
    node.cluster.state().create_subscription(&request, now)
}

pub(super) fn get_subscription(
    node: &Node,
    request: proto::GetSubscriptionRequest,
) -> Answer<proto::GetSubscriptionResponse> {
    check_subscription_owner(node, &request.id)?;
    let subscription = node.cluster.state().get_subscription(node.id, &request.id);
    subscription.ok_or_else(|| errors::subscription_not_found(&request.id))
}

pub(super) fn list_subscriptions(
    node: &Node,
    _: proto::ListSubscriptionsRequest,
) -> Answer<proto::ListSubscriptionsResponse> {
    Ok(proto::ListSubscriptionsResponse { subscription: node.cluster.state().list_subscriptions("") })
}

pub(super) fn list_subscriptions_with_prefix(
    node: &Node,
    request: proto::ListSubscriptionsWithPrefixRequest,
) -> Answer<proto::ListSubscriptionsResponse> {
    Names::Subscription.check(&request.prefix)?;
    let subscription = node.cluster.state().list_subscriptions(&request.prefix);
    Ok(proto::ListSubscriptionsResponse { subscription })
}

pub(super) fn check_subscription_exist(
    node: &Node,
    request: proto::CheckSubscriptionExistRequest,
) -> Answer<proto::CheckSubscriptionExistResponse> {
    let exists = node.cluster.state().subscriptions.contains_key(&request.subscription_id);
    Ok(proto::CheckSubscriptionExistResponse { exists })
}

/// By force it takes as long as the consumers take to go.
pub(super) async fn delete_subscription(node: Node, request: proto::DeleteSubscriptionRequest) -> Answer<()> {
    let id = request.subscription_id.as_str();
    Names::Subscription.check(id)?;
    check_subscription_owner(&node, id)?;
    let deletion = node.cluster.state().delete_subscription(node.id, id, request.force)?;
    if let Deletion::Under(done) = deletion {
        done.wait().await;
    }
    Ok(())
}

pub(super) fn list_consumers(
    node: &Node,
    request: proto::ListConsumersRequest,
) -> Answer<proto::ListConsumersResponse> {
    check_subscription_owner(node, &request.subscription_id)?;
    let consumers = node.cluster.state().list_consumers(node.id, &request.subscription_id);
    let consumers = consumers.ok_or_else(|| errors::subscription_not_found(&request.subscription_id))?;
    Ok(proto::ListConsumersResponse { consumers })
}

pub(super) fn create_shard_reader(
    node: &Node,
    request: proto::CreateShardReaderRequest,
) -> Answer<proto::CreateShardReaderResponse> {
    Names::ShardReader.check(&request.reader_id)?;
    Names::Stream.check(&request.stream_name)?;
    let offset = request.shard_offset.and_then(|offset| offset.offset);
    let offset = offset.ok_or_else(|| readers::invalid_offset("Invalid shard offset"))?;
    let mut state = node.cluster.state();
    if state.readers.contains_key(&request.reader_id) {
        let extra = format!("ShardReader with id {} already exists.", request.reader_id);
        let error = ErrorCode::InternalError;
        return Err(errors::json(Code::AlreadyExists, error, "ShardReaderExists", extra));
    }
    let shard = request.shard_id;
    let log = state.logs.get(&shard).ok_or_else(|| errors::shard_not_found(shard))?;
    let start = readers::resolve_start(offset, shard, log)?;
    let (stream, timeout) = (request.stream_name.clone(), request.timeout);
    state.readers.insert(request.reader_id.clone(), ReaderInfo { stream, shard, start, timeout });
    Ok(proto::CreateShardReaderResponse {
        stream_name: request.stream_name,
        shard_id: shard,
        shard_offset: request.shard_offset,
        reader_id: request.reader_id,
        timeout,
    })
}

pub(super) fn list_shard_readers(
    node: &Node,
    _: proto::ListShardReadersRequest,
) -> Answer<proto::ListShardReadersResponse> {
    Ok(proto::ListShardReadersResponse { reader_id: node.cluster.state().readers.keys().cloned().collect() })
}

pub(super) fn delete_shard_reader(node: &Node, request: proto::DeleteShardReaderRequest) -> Answer<()> {
    let id = request.reader_id;
    Names::ShardReader.check(&id)?;
    check_owner(node, ResourceType::ResShardReader, &id, "ShardReader")?;
    if node.cluster.state().readers.remove(&id).is_none() {
        // What was meant to be "there is no such reader".
        return Err(errors::unknown_exception("HStream/Exception.hs: Non-exhaustive patterns in case"));
    }
    // Only this node forgets how far it had read.
    node.cluster.cursors().remove(&(node.id, id));
    Ok(())
}

pub(super) fn list_queries(_: &Node, _: proto::ListQueriesRequest) -> Answer<proto::ListQueriesResponse> {
    Ok(proto::ListQueriesResponse::default())
}

pub(super) fn list_views(_: &Node, _: proto::ListViewsRequest) -> Answer<proto::ListViewsResponse> {
    Ok(proto::ListViewsResponse::default())
}

pub(super) fn list_connectors(
    _: &Node,
    _: proto::ListConnectorsRequest,
) -> Answer<proto::ListConnectorsResponse> {
    Ok(proto::ListConnectorsResponse::default())
}
