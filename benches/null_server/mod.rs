//! A server that stores nothing and allocates alike, and the batches that it takes and sends: what clients are
//! measured against. A program that measures starts itself again as this server, so that its own CPU time is the
//! client's alone.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use proto::h_stream_api_server::{HStreamApi, HStreamApiServer};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

#[allow(clippy::all, missing_docs, unreachable_pub, missing_debug_implementations, dead_code)]
pub(crate) mod proto {
    tonic::include_proto!("hstream.server");
}

/// Where the library seals its batches.
const CAP: usize = 1_048_576 - 4096;
pub(crate) const SHARD: u64 = 1_234_567_890_123_456_789;
pub(crate) const STREAM: &str = "null";

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
}

/// Records of this size, up to the cap, encoded by the generated code.
pub(crate) fn full_batch(size: usize) -> proto::BatchedRecord {
    use prost::Message;
    let header = proto::HStreamRecordHeader { flag: 1, ..Default::default() };
    let record = proto::HStreamRecord { header: Some(header), payload: Bytes::from(vec![b'x'; size]) };
    let one = proto::BatchHStreamRecords { records: vec![record.clone()] }.encoded_len();
    let records = vec![record; CAP / one];
    proto::BatchedRecord {
        batch_size: records.len() as u32,
        payload: proto::BatchHStreamRecords { records }.encode_to_vec().into(),
        ..Default::default()
    }
}

/// This program, started again as a server that stores nothing.
pub(crate) struct NullServer {
    pub(crate) url: String,
    process: Child,
}

impl NullServer {
    pub(crate) fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .arg("--null-server")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the null server");
        let mut url = String::new();
        let stdout = process.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut url).expect("its URL");
        NullServer { url: url.trim().to_owned(), process }
    }
}

impl Drop for NullServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until it is killed. The first line of its output is its URL.
pub(crate) fn serve() {
    let runtime = runtime();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let port = listener.local_addr().expect("address").port();
        println!("hstream://127.0.0.1:{port}");
        let service = HStreamApiServer::new(Null { port: port.into() }).max_decoding_message_size(64 << 20);
        tonic::transport::Server::builder()
            .initial_connection_window_size(256 << 20)
            .initial_stream_window_size(16 << 20)
            .add_service(service)
            .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
            .await
            .expect("serve");
    });
}

struct Null {
    port: u32,
}

impl Null {
    fn node(&self) -> proto::ServerNode {
        proto::ServerNode { id: 1, host: "127.0.0.1".into(), port: self.port, version: None }
    }
}

type Batches = tonic::codegen::BoxStream<proto::StreamingFetchResponse>;

#[tonic::async_trait]
impl HStreamApi for Null {
    async fn describe_cluster(
        &self,
        _: Request<()>,
    ) -> Result<Response<proto::DescribeClusterResponse>, Status> {
        let server_nodes = vec![self.node()];
        Ok(Response::new(proto::DescribeClusterResponse { server_nodes, ..Default::default() }))
    }

    async fn list_shards(
        &self,
        _: Request<proto::ListShardsRequest>,
    ) -> Result<Response<proto::ListShardsResponse>, Status> {
        let shard = proto::Shard {
            stream_name: STREAM.into(),
            shard_id: SHARD,
            start_hash_range_key: "0".into(),
            end_hash_range_key: u128::MAX.to_string(),
            epoch: 1,
            is_active: true,
        };
        Ok(Response::new(proto::ListShardsResponse { shards: vec![shard] }))
    }

    async fn lookup_shard(
        &self,
        request: Request<proto::LookupShardRequest>,
    ) -> Result<Response<proto::LookupShardResponse>, Status> {
        let shard_id = request.into_inner().shard_id;
        Ok(Response::new(proto::LookupShardResponse { shard_id, server_node: Some(self.node()) }))
    }

    async fn lookup_subscription(
        &self,
        request: Request<proto::LookupSubscriptionRequest>,
    ) -> Result<Response<proto::LookupSubscriptionResponse>, Status> {
        let subscription_id = request.into_inner().subscription_id;
        Ok(Response::new(proto::LookupSubscriptionResponse {
            subscription_id,
            server_node: Some(self.node()),
        }))
    }

    async fn get_subscription(
        &self,
        request: Request<proto::GetSubscriptionRequest>,
    ) -> Result<Response<proto::GetSubscriptionResponse>, Status> {
        let subscription =
            proto::Subscription { subscription_id: request.into_inner().id, ..Default::default() };
        Ok(Response::new(proto::GetSubscriptionResponse {
            subscription: Some(subscription),
            offsets: Vec::new(),
        }))
    }

    async fn append(
        &self,
        request: Request<proto::AppendRequest>,
    ) -> Result<Response<proto::AppendResponse>, Status> {
        let request = request.into_inner();
        let count = request.records.map_or(0, |batch| batch.batch_size);
        let record_ids = record_ids(8_589_934_593, count);
        Ok(Response::new(proto::AppendResponse {
            stream_name: request.stream_name,
            shard_id: SHARD,
            record_ids,
        }))
    }

    /// Batches of the size that the subscription's name says, of 1,000 records, as long as somebody reads.
    async fn streaming_fetch(
        &self,
        request: Request<Streaming<proto::StreamingFetchRequest>>,
    ) -> Result<Response<Batches>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.ok_or_else(|| Status::cancelled("no first message"))?;
        let size = first.subscription_id.trim_start_matches("size-").parse().unwrap_or(100);
        let (batches, receiver) = mpsc::channel(64);
        tokio::spawn(async move { while let Ok(Some(_)) = requests.message().await {} });
        let record = shortened(full_batch(size), 1000);
        tokio::spawn(async move {
            for batch_id in 8_589_934_593.. {
                let received = proto::ReceivedRecord {
                    record_ids: record_ids(batch_id, record.batch_size),
                    record: Some(record.clone()),
                };
                let response = proto::StreamingFetchResponse { received_records: Some(received) };
                if batches.send(response).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver).map(Ok))))
    }
}

fn record_ids(batch_id: u64, count: u32) -> Vec<proto::RecordId> {
    (0..count).map(|batch_index| proto::RecordId { shard_id: SHARD, batch_id, batch_index }).collect()
}

/// The first `count` records of a batch in which all are alike.
fn shortened(batch: proto::BatchedRecord, count: u32) -> proto::BatchedRecord {
    let count = count.min(batch.batch_size);
    let one = batch.payload.len() / batch.batch_size as usize;
    proto::BatchedRecord { batch_size: count, payload: batch.payload.slice(..one * count as usize), ..batch }
}
