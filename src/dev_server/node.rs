//! One node: the service as its clients see it, each call with what was ordered for it.

use std::sync::Arc;
use std::time::Instant;

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::cluster::Cluster;
use super::life::{Life, stopping};
use super::nodes::{Asked, NodeId};
use super::switches::Delay;
use super::{
    admin, admin_commands, append, connectors, errors, fetch, key_reads, lookups, queries, read, readers,
    stats_calls, stream_reads, trim,
};
use crate::proto::h_stream_api_server::HStreamApi;
use crate::proto::{self, ResourceType};

/// gRPC's default, which the real server leaves as it is. What it sends has no limit.
pub(super) const LARGEST_MESSAGE: usize = 4 << 20;

/// The calls that are served, those that come often first. A build of the real server without schemas has
/// no others; they get the answer of one that has never heard of them.
pub(super) const SERVED: [&str; 61] = [
    "Append",
    "StreamingFetch",
    "Echo",
    "CreateStream",
    "DeleteStream",
    "TrimStream",
    "TrimShards",
    "GetStream",
    "ListStreams",
    "ListStreamsWithPrefix",
    "LookupShard",
    "GetTailRecordId",
    "ListShards",
    "TrimShard",
    "CreateShardReader",
    "LookupShardReader",
    "ReadShard",
    "ReadShardStream",
    "ListShardReaders",
    "DeleteShardReader",
    "ReadStream",
    "ReadSingleShardStream",
    "ReadStreamByKey",
    "CreateSubscription",
    "GetSubscription",
    "ListSubscriptions",
    "ListSubscriptionsWithPrefix",
    "ListConsumers",
    "CheckSubscriptionExist",
    "DeleteSubscription",
    "LookupSubscription",
    "DescribeCluster",
    "LookupResource",
    "LookupKey",
    "SendAdminCommand",
    "PerStreamTimeSeriesStats",
    "PerStreamTimeSeriesStatsAll",
    "GetStats",
    "ExecuteQuery",
    "CreateQuery",
    "CreateQueryWithNamespace",
    "ListQueries",
    "GetQuery",
    "TerminateQuery",
    "DeleteQuery",
    "ResumeQuery",
    "ParseSql",
    "CreateConnector",
    "ListConnectors",
    "GetConnector",
    "GetConnectorSpec",
    "GetConnectorLogs",
    "DeleteConnector",
    "PauseConnector",
    "ResumeConnector",
    "AlterConnectorConfig",
    "ListViews",
    "GetView",
    "DeleteView",
    "ExecuteViewQuery",
    "ExecuteViewQueryWithNamespace",
];

/// See the module. Clones are the same node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) cluster: Arc<Cluster>,
    pub(super) id: NodeId,
    /// The key of the port that calls come through; None for the main one.
    pub(super) listener: Option<Arc<str>>,
    pub(super) life: Life,
    /// How much longer each call takes.
    pub(super) pace: Arc<Delay>,
    /// When it knows enough of the cluster to answer look-ups.
    pub(super) ready_at: Instant,
}

type Reply<T> = Result<Response<T>, Status>;

impl Node {
    /// Who is asked, for answers with addresses in them.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { node: self.id, listener: self.listener.as_deref(), release: self.cluster.release() }
    }

    /// Takes the time that a slow node takes, and a new one for look-ups.
    pub(super) async fn hesitate(&self, rpc: &str) -> Result<(), Status> {
        let pace = self.pace.get();
        if !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        if rpc.starts_with("Lookup") && self.ready_at > Instant::now() {
            tokio::time::sleep_until(self.ready_at.into()).await;
        }
        Ok(())
    }

    /// An error as the release says it.
    fn word(&self, status: Status) -> Status {
        if self.cluster.has_plain_errors() { errors::bare(&status) } else { status }
    }

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
        if !self.cluster.orders.are_there() {
            let answer = handle(self, request.into_inner());
            return answer.map(Response::new).map_err(|status| self.word(status));
        }
        self.serve_waiting(rpc, request, subject, move |node, request| async move { handle(&node, request) })
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
        let (metadata, _, request) = request.into_parts();
        let node = self.clone();
        let answer = match self.cluster.orders.take(rpc, subject(&request), self.id, &metadata) {
            None => self.life.run(handle(node, request)).await,
            Some(order) if order.disowns() => Err(lookups::not_owner(self, resource_of(rpc))),
            Some(order) => {
                let call = async move {
                    order.before(std::future::pending()).await?;
                    let answer = handle(node, request).await;
                    order.answer(answer).await
                };
                let life = self.life.clone();
                let call = tokio::spawn(async move { life.run(call).await });
                call.await.unwrap_or_else(|_| Err(stopping()))
            }
        };
        answer.map(Response::new).map_err(|status| self.word(status))
    }
}

/// What kind of thing a call is about, for the words of a node that does not own it.
fn resource_of(rpc: &str) -> ResourceType {
    if rpc.contains("Reader") || rpc == "ReadShard" {
        ResourceType::ResShardReader
    } else if rpc.contains("Query") {
        ResourceType::ResQuery
    } else if rpc.contains("Connector") {
        ResourceType::ResConnector
    } else {
        ResourceType::ResSubscription
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

            async fn read_shard_stream(
                &self,
                request: Request<proto::ReadShardStreamRequest>,
            ) -> Reply<BoxStream<proto::ReadShardStreamResponse>> {
                stream_reads::read_shard_stream(self, request).await
            }

            async fn read_single_shard_stream(
                &self,
                request: Request<proto::ReadSingleShardStreamRequest>,
            ) -> Reply<BoxStream<proto::ReadSingleShardStreamResponse>> {
                stream_reads::read_single_shard_stream(self, request).await
            }

            async fn read_stream(
                &self,
                request: Request<proto::ReadStreamRequest>,
            ) -> Reply<BoxStream<proto::ReadStreamResponse>> {
                stream_reads::read_stream(self, request).await
            }

            async fn read_stream_by_key(
                &self,
                request: Request<Streaming<proto::ReadStreamByKeyRequest>>,
            ) -> Reply<BoxStream<proto::ReadStreamByKeyResponse>> {
                key_reads::read_stream_by_key(self, request).await
            }

            async fn send_admin_command(
                &self,
                request: Request<proto::AdminCommandRequest>,
            ) -> Reply<proto::AdminCommandResponse> {
                self.serve_waiting("SendAdminCommand", request, nothing, admin_commands::send_admin_command)
                    .await
            }
        }
    };
}

unary! {
    append "Append" proto::AppendRequest => proto::AppendResponse, |it| &it.stream_name, append::append;
    echo "Echo" proto::EchoRequest => proto::EchoResponse, nothing, admin::echo;
    describe_cluster "DescribeCluster" () => proto::DescribeClusterResponse, nothing, lookups::describe_cluster;
    lookup_shard "LookupShard" proto::LookupShardRequest => proto::LookupShardResponse,
        nothing, lookups::lookup_shard;
    lookup_subscription "LookupSubscription"
        proto::LookupSubscriptionRequest => proto::LookupSubscriptionResponse,
        |it| &it.subscription_id, lookups::lookup_subscription;
    lookup_shard_reader "LookupShardReader"
        proto::LookupShardReaderRequest => proto::LookupShardReaderResponse,
        |it| &it.reader_id, lookups::lookup_shard_reader;
    lookup_resource "LookupResource" proto::LookupResourceRequest => proto::ServerNode,
        |it| &it.res_id, lookups::lookup_resource;
    lookup_key "LookupKey" proto::LookupKeyRequest => proto::ServerNode,
        |it| &it.partition_key, lookups::lookup_key;
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
        |it| &it.reader_id, readers::create_shard_reader;
    list_shard_readers "ListShardReaders" proto::ListShardReadersRequest => proto::ListShardReadersResponse,
        nothing, readers::list_shard_readers;
    delete_shard_reader "DeleteShardReader" proto::DeleteShardReaderRequest => (),
        |it| &it.reader_id, readers::delete_shard_reader;
    list_queries "ListQueries" proto::ListQueriesRequest => proto::ListQueriesResponse,
        nothing, queries::list_queries;
    list_views "ListViews" proto::ListViewsRequest => proto::ListViewsResponse, nothing, queries::list_views;
    list_connectors "ListConnectors" proto::ListConnectorsRequest => proto::ListConnectorsResponse,
        nothing, connectors::list_connectors;
    trim_stream "TrimStream" proto::TrimStreamRequest => (), |it| &it.stream_name, trim::trim_stream;
    trim_shard "TrimShard" proto::TrimShardRequest => (), |it| &it.stream_name, trim::trim_shard;
    trim_shards "TrimShards" proto::TrimShardsRequest => proto::TrimShardsResponse,
        |it| &it.stream_name, trim::trim_shards;
    get_stats "GetStats" proto::GetStatsRequest => proto::GetStatsResponse, nothing, stats_calls::get_stats;
    per_stream_time_series_stats "PerStreamTimeSeriesStats"
        proto::PerStreamTimeSeriesStatsRequest => proto::PerStreamTimeSeriesStatsResponse,
        |it| &it.stream_name, stats_calls::per_stream_time_series_stats;
    per_stream_time_series_stats_all "PerStreamTimeSeriesStatsAll"
        proto::PerStreamTimeSeriesStatsAllRequest => proto::PerStreamTimeSeriesStatsAllResponse,
        nothing, stats_calls::per_stream_time_series_stats_all;
    execute_query "ExecuteQuery" proto::CommandQuery => proto::CommandQueryResponse,
        nothing, queries::execute_query;
    create_query "CreateQuery" proto::CreateQueryRequest => proto::Query,
        |it| &it.query_name, queries::create_query;
    create_query_with_namespace "CreateQueryWithNamespace"
        proto::CreateQueryWithNamespaceRequest => proto::Query,
        |it| &it.query_name, queries::create_query_with_namespace;
    get_query "GetQuery" proto::GetQueryRequest => proto::Query, |it| &it.id, queries::get_query;
    terminate_query "TerminateQuery" proto::TerminateQueryRequest => (),
        |it| &it.query_id, queries::terminate_query;
    delete_query "DeleteQuery" proto::DeleteQueryRequest => (), |it| &it.id, queries::delete_query;
    resume_query "ResumeQuery" proto::ResumeQueryRequest => (), |it| &it.id, queries::resume_query;
    parse_sql "ParseSql" proto::ParseSqlRequest => proto::ParseSqlResponse, nothing, queries::parse_sql;
    get_view "GetView" proto::GetViewRequest => proto::View, |it| &it.view_id, queries::get_view;
    delete_view "DeleteView" proto::DeleteViewRequest => (), |it| &it.view_id, queries::delete_view;
    execute_view_query "ExecuteViewQuery" proto::ExecuteViewQueryRequest => proto::ExecuteViewQueryResponse,
        nothing, queries::execute_view_query;
    execute_view_query_with_namespace "ExecuteViewQueryWithNamespace"
        proto::ExecuteViewQueryWithNamespaceRequest => proto::ExecuteViewQueryResponse,
        nothing, queries::execute_view_query_with_namespace;
    create_connector "CreateConnector" proto::CreateConnectorRequest => proto::Connector,
        |it| &it.name, connectors::create_connector;
    get_connector "GetConnector" proto::GetConnectorRequest => proto::Connector,
        |it| &it.name, connectors::get_connector;
    get_connector_spec "GetConnectorSpec" proto::GetConnectorSpecRequest => proto::GetConnectorSpecResponse,
        nothing, connectors::get_connector_spec;
    get_connector_logs "GetConnectorLogs" proto::GetConnectorLogsRequest => proto::GetConnectorLogsResponse,
        |it| &it.name, connectors::get_connector_logs;
    delete_connector "DeleteConnector" proto::DeleteConnectorRequest => (),
        |it| &it.name, connectors::delete_connector;
    pause_connector "PauseConnector" proto::PauseConnectorRequest => (),
        |it| &it.name, connectors::pause_connector;
    resume_connector "ResumeConnector" proto::ResumeConnectorRequest => (),
        |it| &it.name, connectors::resume_connector;
    alter_connector_config "AlterConnectorConfig" proto::AlterConnectorConfigRequest => (),
        |it| &it.name, connectors::alter_connector_config;
}
