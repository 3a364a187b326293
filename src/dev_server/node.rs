//! One node: the service as its clients see it, each call with what was ordered for it.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming, async_trait};

use super::cluster::Cluster;
use super::nodes::NodeId;
use super::{admin, append, fetch, read};
use crate::proto;
use crate::proto::h_stream_api_server::HStreamApi;

/// gRPC's default, which the real server leaves as it is. What it sends has no limit.
pub(super) const LARGEST_MESSAGE: usize = 4 << 20;

/// The calls that are served. All others get the answer of a server that has never heard of them.
pub(super) const SERVED: [&str; 30] = [
    "Append",
    "StreamingFetch",
    "ReadShard",
    "Echo",
    "DescribeCluster",
    "LookupShard",
    "LookupSubscription",
    "LookupShardReader",
    "LookupResource",
    "LookupKey",
    "CreateStream",
    "GetStream",
    "ListStreams",
    "ListStreamsWithPrefix",
    "DeleteStream",
    "ListShards",
    "GetTailRecordId",
    "CreateSubscription",
    "GetSubscription",
    "ListSubscriptions",
    "ListSubscriptionsWithPrefix",
    "CheckSubscriptionExist",
    "DeleteSubscription",
    "ListConsumers",
    "CreateShardReader",
    "ListShardReaders",
    "DeleteShardReader",
    "ListQueries",
    "ListViews",
    "ListConnectors",
];

/// See the module. Clones are the same node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) cluster: Arc<Cluster>,
    pub(super) id: NodeId,
}

type Reply<T> = Result<Response<T>, Status>;

impl Node {
    /// A call that needs no waiting.
    async fn serve<Q, A>(
        &self,
        rpc: &'static str,
        request: Request<Q>,
        subject: fn(&Q) -> &str,
        handle: fn(&Node, Q) -> Result<A, Status>,
    ) -> Reply<A>
    where
        Q: Send + 'static,
        A: Send + 'static,
    {
        let request = request.into_inner();
        if !self.cluster.orders.are_there() {
            return handle(self, request).map(Response::new);
        }
        self.serve_waiting(rpc, Request::new(request), subject, move |node, request| async move {
            handle(&node, request)
        })
        .await
    }

    /// A call that may wait. If something was ordered for it, it goes on when its client gives up, as the
    /// real server's do.
    async fn serve_waiting<Q, A, F>(
        &self,
        rpc: &'static str,
        request: Request<Q>,
        subject: fn(&Q) -> &str,
        handle: impl FnOnce(Node, Q) -> F + Send + 'static,
    ) -> Reply<A>
    where
        Q: Send + 'static,
        A: Send + 'static,
        F: Future<Output = Result<A, Status>> + Send + 'static,
    {
        let request = request.into_inner();
        let Some(order) = self.cluster.orders.take(rpc, subject(&request)) else {
            return handle(self.clone(), request).await.map(Response::new);
        };
        let node = self.clone();
        let call = tokio::spawn(async move {
            order.before(std::future::pending()).await?;
            let answer = handle(node, request).await;
            order.answer(answer).await
        });
        call.await.unwrap_or_else(|_| Err(Status::cancelled("the server is stopping"))).map(Response::new)
    }
}

/// For calls that are about nothing in particular.
fn nothing<Q>(_: &Q) -> &str {
    ""
}

/// One method a call: its name on the wire, its types, what it is about, and who answers it.
macro_rules! unary {
    ($($method:ident $rpc:literal $request:ty => $response:ty, $subject:expr, $handler:path;)*) => {
        #[async_trait]
        impl HStreamApi for Node {
            $(async fn $method(&self, request: Request<$request>) -> Reply<$response> {
                self.serve($rpc, request, $subject, $handler).await
            })*

            async fn delete_subscription(
                &self,
                request: Request<proto::DeleteSubscriptionRequest>,
            ) -> Reply<()> {
                self.serve_waiting(
                    "DeleteSubscription",
                    request,
                    |request| &request.subscription_id,
                    admin::delete_subscription,
                )
                .await
            }

            async fn read_shard(
                &self,
                request: Request<proto::ReadShardRequest>,
            ) -> Reply<proto::ReadShardResponse> {
                self.serve_waiting("ReadShard", request, |request| &request.reader_id, read::read_shard)
                    .await
            }

            async fn streaming_fetch(
                &self,
                request: Request<Streaming<proto::StreamingFetchRequest>>,
            ) -> Reply<fetch::Messages> {
                fetch::streaming_fetch(self, request).await
            }
        }
    };
}

unary! {
    append "Append" proto::AppendRequest => proto::AppendResponse, |it| &it.stream_name, append::append;
    echo "Echo" proto::EchoRequest => proto::EchoResponse, nothing, admin::echo;
    describe_cluster "DescribeCluster" () => proto::DescribeClusterResponse, nothing, admin::describe_cluster;
    lookup_shard "LookupShard" proto::LookupShardRequest => proto::LookupShardResponse,
        nothing, admin::lookup_shard;
    lookup_subscription "LookupSubscription"
        proto::LookupSubscriptionRequest => proto::LookupSubscriptionResponse,
        |it| &it.subscription_id, admin::lookup_subscription;
    lookup_shard_reader "LookupShardReader"
        proto::LookupShardReaderRequest => proto::LookupShardReaderResponse,
        |it| &it.reader_id, admin::lookup_shard_reader;
    lookup_resource "LookupResource" proto::LookupResourceRequest => proto::ServerNode,
        |it| &it.res_id, admin::lookup_resource;
    lookup_key "LookupKey" proto::LookupKeyRequest => proto::ServerNode,
        |it| &it.partition_key, admin::lookup_key;
    create_stream "CreateStream" proto::Stream => proto::Stream, |it| &it.stream_name, admin::create_stream;
    get_stream "GetStream" proto::GetStreamRequest => proto::GetStreamResponse,
        |it| &it.name, admin::get_stream;
    list_streams "ListStreams" proto::ListStreamsRequest => proto::ListStreamsResponse,
        nothing, admin::list_streams;
    list_streams_with_prefix "ListStreamsWithPrefix"
        proto::ListStreamsWithPrefixRequest => proto::ListStreamsResponse,
        |it| &it.prefix, admin::list_streams_with_prefix;
    delete_stream "DeleteStream" proto::DeleteStreamRequest => (),
        |it| &it.stream_name, admin::delete_stream;
    list_shards "ListShards" proto::ListShardsRequest => proto::ListShardsResponse,
        |it| &it.stream_name, admin::list_shards;
    get_tail_record_id "GetTailRecordId" proto::GetTailRecordIdRequest => proto::GetTailRecordIdResponse,
        |it| &it.stream_name, admin::get_tail_record_id;
    create_subscription "CreateSubscription" proto::Subscription => proto::Subscription,
        |it| &it.subscription_id, admin::create_subscription;
    get_subscription "GetSubscription" proto::GetSubscriptionRequest => proto::GetSubscriptionResponse,
        |it| &it.id, admin::get_subscription;
    list_subscriptions "ListSubscriptions"
        proto::ListSubscriptionsRequest => proto::ListSubscriptionsResponse,
        nothing, admin::list_subscriptions;
    list_subscriptions_with_prefix "ListSubscriptionsWithPrefix"
        proto::ListSubscriptionsWithPrefixRequest => proto::ListSubscriptionsResponse,
        |it| &it.prefix, admin::list_subscriptions_with_prefix;
    check_subscription_exist "CheckSubscriptionExist"
        proto::CheckSubscriptionExistRequest => proto::CheckSubscriptionExistResponse,
        |it| &it.subscription_id, admin::check_subscription_exist;
    list_consumers "ListConsumers" proto::ListConsumersRequest => proto::ListConsumersResponse,
        |it| &it.subscription_id, admin::list_consumers;
    create_shard_reader "CreateShardReader"
        proto::CreateShardReaderRequest => proto::CreateShardReaderResponse,
        |it| &it.reader_id, admin::create_shard_reader;
    list_shard_readers "ListShardReaders" proto::ListShardReadersRequest => proto::ListShardReadersResponse,
        nothing, admin::list_shard_readers;
    delete_shard_reader "DeleteShardReader" proto::DeleteShardReaderRequest => (),
        |it| &it.reader_id, admin::delete_shard_reader;
    list_queries "ListQueries" proto::ListQueriesRequest => proto::ListQueriesResponse,
        nothing, admin::list_queries;
    list_views "ListViews" proto::ListViewsRequest => proto::ListViewsResponse, nothing, admin::list_views;
    list_connectors "ListConnectors" proto::ListConnectorsRequest => proto::ListConnectorsResponse,
        nothing, admin::list_connectors;
}
