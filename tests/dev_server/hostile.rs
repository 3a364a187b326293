//! Random and malformed requests: every call gets an answer, and the server goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{BufMut, Bytes};
use hstreamdb::dev_server::DevServer;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::support::*;

/// All calls of the protocol: unary ones, and those that are answered in parts.
const UNARY: [&str; 60] = [
    "Echo",
    "CreateStream",
    "DeleteStream",
    "TrimStream",
    "TrimShards",
    "GetStream",
    "ListStreams",
    "ListStreamsWithPrefix",
    "LookupShard",
    "Append",
    "GetTailRecordId",
    "ListShards",
    "TrimShard",
    "CreateShardReader",
    "LookupShardReader",
    "ReadShard",
    "ListShardReaders",
    "DeleteShardReader",
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
    "PauseQuery",
    "ParseSql",
    "RegisterSchema",
    "GetSchema",
    "UnregisterSchema",
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
const IN_PARTS: [&str; 5] =
    ["ReadShardStream", "ReadStream", "ReadSingleShardStream", "ReadStreamByKey", "StreamingFetch"];

/// Messages as bytes, whatever is in them.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        use bytes::Buf;
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

async fn call(channel: &Channel, rpc: &str, messages: Vec<Bytes>) -> Result<(), Status> {
    let mut client = Grpc::new(channel.clone()).max_decoding_message_size(usize::MAX);
    client.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let path = PathAndQuery::try_from(format!("/hstream.server.HStreamApi/{rpc}")).unwrap();
    let mut request = Request::new(tokio_stream::iter(messages));
    // Calls that wait for more are left alone after a while.
    request.set_timeout(std::time::Duration::from_millis(300));
    let answer = client.streaming(request, path, Raw).await?;
    let mut answer = answer.into_inner();
    while answer.message().await?.is_some() {}
    Ok(())
}

/// A message with fields of small numbers, whose values are of all kinds: names that exist, numbers at the
/// edges, messages, and bytes without sense.
fn message(random: &mut fastrand::Rng, shards: &[u64], depth: u32) -> Bytes {
    let mut message = Vec::new();
    for _ in 0..random.usize(0..6) {
        let field = random.u64(1..8);
        match random.u32(0..6) {
            0 | 1 => {
                varint(&mut message, field << 3);
                varint(&mut message, number(random, shards));
            }
            2 if depth < 4 => {
                let inner = self::message(random, shards, depth + 1);
                bytes(&mut message, field, &inner);
            }
            3 => {
                let names =
                    ["s", "sub", "r", "1bad", "", "a/b", "server stream list", "1-2-3", "SINK", "\u{7f}"];
                bytes(&mut message, field, names[random.usize(..names.len())].as_bytes());
            }
            4 => {
                let garbage: Vec<u8> = (0..random.usize(0..20)).map(|_| random.u8(..)).collect();
                bytes(&mut message, field, &garbage);
            }
            _ => {
                varint(&mut message, (field << 3) | u64::from(random.u32(0..8)));
                message.extend((0..random.usize(0..9)).map(|_| random.u8(..)));
            }
        }
    }
    message.into()
}

fn number(random: &mut fastrand::Rng, shards: &[u64]) -> u64 {
    let edges = [
        0,
        1,
        2,
        FIRST,
        u64::from(u32::MAX),
        1 << 31,
        i64::MAX as u64,
        i64::MIN as u64,
        u64::MAX,
        u64::MAX - 1,
    ];
    if random.bool() { shards[random.usize(..shards.len())] } else { edges[random.usize(..edges.len())] }
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn bytes(message: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(message, (field << 3) | 2);
    varint(message, value.len() as u64);
    message.extend_from_slice(value);
}

async fn furnished(server: &DevServer) -> Vec<u64> {
    let mut client = client(server).await;
    let shards = create_stream(&mut client, "s", 2).await;
    client.create_subscription(subscription("sub", "s", 0)).await.unwrap();
    for shard in &shards {
        append(&mut client, *shard, 3).await;
    }
    let reader = proto::CreateShardReaderRequest {
        stream_name: "s".into(),
        shard_id: shards[0],
        shard_offset: earliest(),
        reader_id: "r".into(),
        timeout: 10,
    };
    client.create_shard_reader(reader).await.unwrap();
    shards
}

/// Counts the panics on the server's own threads from here on: not all of them show in an answer.
fn count_panics() -> Arc<AtomicUsize> {
    let panics = Arc::new(AtomicUsize::new(0));
    let (count, before) = (Arc::clone(&panics), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name().is_some_and(|name| name.starts_with("hstream-dev")) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        before(info);
    }));
    panics
}

#[test]
fn no_message_to_any_call_breaks_the_server() {
    let server = fast().nodes(2).start().unwrap();
    let mut random = fastrand::Rng::with_seed(20_203);
    let panics = count_panics();
    run(async {
        let mut shards = furnished(&server).await;
        shards.push(7);
        let channel = Endpoint::from_shared(server.node_urls()[0].replace("hstream", "http")).unwrap();
        let channel = channel.connect().await.unwrap();
        for round in 0..40 {
            let calls = UNARY.iter().chain(&IN_PARTS).map(|rpc| {
                let count = if IN_PARTS.contains(rpc) { random.usize(0..4) } else { 1 };
                let messages = (0..count).map(|_| message(&mut random, &shards, 0)).collect();
                let channel = channel.clone();
                async move { (rpc, call(&channel, rpc, messages).await) }
            });
            let calls: Vec<_> = calls.map(tokio::spawn).collect();
            for call in calls {
                let (rpc, _) = call.await.unwrap();
                assert_eq!(panics.load(Ordering::Relaxed), 0, "round {round}, about {rpc}");
            }
        }
        let mut client = client(&server).await;
        create_stream(&mut client, "afterwards", 1).await;
    });
}

#[test]
fn what_is_no_message_is_internal() {
    let server = fast().start().unwrap();
    run(async {
        let channel = Endpoint::from_shared(server.node_urls()[0].replace("hstream", "http")).unwrap();
        let channel = channel.connect().await.unwrap();
        let garbage = Bytes::from_static(b"\x0a\xff");
        for rpc in UNARY.iter().filter(|rpc| **rpc != "DescribeCluster") {
            let status = call(&channel, rpc, vec![garbage.clone()]).await.unwrap_err();
            let code = if rpc.contains("Schema") || *rpc == "PauseQuery" {
                Code::Unimplemented
            } else {
                Code::Internal
            };
            // Requests without fields may be taken as they are.
            assert_eq!(status.code(), code, "{rpc}: {status:?}");
        }
        for rpc in IN_PARTS {
            let status = call(&channel, rpc, vec![garbage.clone()]).await.unwrap_err();
            assert_eq!(status.code(), Code::Internal, "{rpc}: {status:?}");
            let begins = "streamRead decoding request failed: ";
            assert!(status.message().starts_with(begins), "{rpc}: {}", status.message());
        }
    });
}
