//! The remote procedures: in this protocol the request type tells the call, so one line each is all.

use std::future::Future;

use tonic::Status;
use tonic::codegen::http::uri::PathAndQuery;

use crate::cluster::describe::ClusterAnswer;
use crate::cluster::exchange::Wire;
use crate::cluster::retry::Effect;
use crate::cluster::streams::Needs;
use crate::proto::*;

/// A unary call, by its request.
pub(crate) trait Rpc: Clone + Send + Sync + 'static {
    type Response: Send + 'static;

    /// The name on the wire.
    const NAME: &'static str;

    const EFFECT: Effect;

    /// Makes one attempt.
    fn exchange(self, wire: Wire) -> impl Future<Output = Result<Self::Response, Status>> + Send;

    /// The thing that the call is about, for error messages.
    fn subject(&self) -> Option<String> {
        None
    }

    /// The records that it brings to the server, and the bytes that they are in.
    fn carries(&self) -> Option<(usize, usize)> {
        None
    }

    /// What must be there for the call to succeed, where the server does not say clearly that it isn't.
    fn needs(&self) -> Option<Needs<'_>> {
        None
    }

    /// Called before each further attempt.
    fn tried_again(&self) {}
}

macro_rules! path_to {
    ($name:literal) => {
        PathAndQuery::from_static(concat!("/hstream.server.HStreamApi/", $name))
    };
}

/// The call that its sender encodes by hand.
pub(crate) fn append() -> PathAndQuery {
    path_to!("Append")
}

/// The calls that are streams, one way or both.
#[derive(Clone, Copy)]
pub(crate) enum StreamCall {
    /// What consumers are made of.
    Fetch,
    ReadShard,
    ReadByKey,
}

impl StreamCall {
    pub(crate) fn name(self) -> &'static str {
        match self {
            StreamCall::Fetch => "StreamingFetch",
            StreamCall::ReadShard => "ReadShardStream",
            StreamCall::ReadByKey => "ReadStreamByKey",
        }
    }

    pub(crate) fn path(self) -> PathAndQuery {
        match self {
            StreamCall::Fetch => path_to!("StreamingFetch"),
            StreamCall::ReadShard => path_to!("ReadShardStream"),
            StreamCall::ReadByKey => path_to!("ReadStreamByKey"),
        }
    }
}

macro_rules! rpcs {
    ($($effect:ident $request:ty => $name:literal -> $response:ty $(, $thing:literal $field:ident)? $(, needs $stream:ident)?;)*) => {$(
        impl Rpc for $request {
            type Response = $response;
            const NAME: &'static str = $name;
            const EFFECT: Effect = Effect::$effect;

            fn exchange(self, wire: Wire) -> impl Future<Output = Result<$response, Status>> + Send {
                wire.unary(path_to!($name), self)
            }

            $(fn subject(&self) -> Option<String> {
                Some(format!(concat!($thing, " {}"), self.$field))
            })?

            $(fn needs(&self) -> Option<Needs<'_>> {
                Some(Needs { stream: &self.$stream, shard: None })
            })?
        }
    )*};
}

rpcs! {
    Reads () => "DescribeCluster" -> ClusterAnswer;
    Reads EchoRequest => "Echo" -> EchoResponse;
    Reads LookupShardRequest => "LookupShard" -> LookupShardResponse, "shard" shard_id;
    Reads LookupSubscriptionRequest => "LookupSubscription" -> LookupSubscriptionResponse, "subscription" subscription_id;

    Reads LookupShardReaderRequest => "LookupShardReader" -> LookupShardReaderResponse, "shard reader" reader_id;
    Reads LookupKeyRequest => "LookupKey" -> ServerNode;
    Reads LookupResourceRequest => "LookupResource" -> ServerNode, "resource" res_id;

    Writes Stream => "CreateStream" -> Stream, "stream" stream_name;
    Reads GetStreamRequest => "GetStream" -> GetStreamResponse, "stream" name;
    Reads ListStreamsRequest => "ListStreams" -> ListStreamsResponse;
    Reads ListStreamsWithPrefixRequest => "ListStreamsWithPrefix" -> ListStreamsResponse, "prefix" prefix;
    Writes DeleteStreamRequest => "DeleteStream" -> (), "stream" stream_name;

    Reads ListShardsRequest => "ListShards" -> ListShardsResponse, "of stream" stream_name, needs stream_name;
    Reads GetTailRecordIdRequest => "GetTailRecordId" -> GetTailRecordIdResponse, "of shard" shard_id;

    Writes TrimStreamRequest => "TrimStream" -> (), "stream" stream_name;
    Writes TrimShardRequest => "TrimShard" -> (), "shard" shard_id;
    Writes TrimShardsRequest => "TrimShards" -> TrimShardsResponse, "of stream" stream_name;

    Writes CreateShardReaderRequest => "CreateShardReader" -> CreateShardReaderResponse, "shard reader" reader_id;
    Takes ReadShardRequest => "ReadShard" -> ReadShardResponse, "by shard reader" reader_id;
    Reads ListShardReadersRequest => "ListShardReaders" -> ListShardReadersResponse;
    Writes DeleteShardReaderRequest => "DeleteShardReader" -> (), "shard reader" reader_id;

    Writes Subscription => "CreateSubscription" -> Subscription, "subscription" subscription_id;
    Reads GetSubscriptionRequest => "GetSubscription" -> GetSubscriptionResponse, "subscription" id;
    Reads ListSubscriptionsRequest => "ListSubscriptions" -> ListSubscriptionsResponse;
    Reads ListSubscriptionsWithPrefixRequest => "ListSubscriptionsWithPrefix" -> ListSubscriptionsResponse, "prefix" prefix;
    Reads CheckSubscriptionExistRequest => "CheckSubscriptionExist" -> CheckSubscriptionExistResponse, "subscription" subscription_id;
    Reads ListConsumersRequest => "ListConsumers" -> ListConsumersResponse, "of subscription" subscription_id;
    Writes DeleteSubscriptionRequest => "DeleteSubscription" -> (), "subscription" subscription_id;
}
