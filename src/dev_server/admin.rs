//! The calls that look at streams, shards and subscriptions, and change them.

use tonic::{Code, Status};

use super::errors;
use super::lookups::check_subscription_owner;
use super::names::Names;
use super::node::Node;
use super::subscriptions::Deletion;
use crate::proto::{self, ErrorCode};

type Answer<T> = Result<T, Status>;

pub(super) fn echo(_: &Node, request: proto::EchoRequest) -> Answer<proto::EchoResponse> {
    Ok(proto::EchoResponse { msg: request.msg })
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
