//! Older releases: what they lack, and how they say what they say.

use tonic::Code;
use tonic::client::Grpc;
use tonic::transport::Endpoint;
use tonic_prost::ProstCodec;

use crate::support::*;

/// DescribeCluster as releases before 0.15.2 answer it.
#[derive(Clone, PartialEq, prost::Message)]
struct OldDescription {
    #[prost(string, tag = "1")]
    protocol_version: String,
    #[prost(string, tag = "2")]
    server_version: String,
    #[prost(message, repeated, tag = "3")]
    server_nodes: Vec<proto::ServerNode>,
    #[prost(message, repeated, tag = "4")]
    server_nodes_status: Vec<proto::ServerNodeStatus>,
    #[prost(uint64, tag = "5")]
    cluster_up_time: u64,
}

async fn describe_as_of_old(url: &str) -> OldDescription {
    let endpoint = Endpoint::from_shared(url.replace("hstream", "http")).unwrap();
    let mut client = Grpc::new(endpoint.connect().await.unwrap());
    client.ready().await.unwrap();
    let path =
        tonic::codegen::http::uri::PathAndQuery::from_static("/hstream.server.HStreamApi/DescribeCluster");
    let answer =
        client.unary(tonic::Request::new(()), path, ProstCodec::<(), OldDescription>::default()).await;
    answer.unwrap().into_inner()
}

#[test]
fn descriptions_before_0_15_2_have_the_old_layout() {
    for version in ["0.14.0", "0.15.1"] {
        let server = fast().nodes(2).version(version).start().unwrap();
        run(async {
            let described = describe_as_of_old(&server.node_urls()[1]).await;
            assert_eq!(
                (described.protocol_version.as_str(), described.server_version.as_str()),
                ("0.1.0", version)
            );
            assert_eq!(described.server_nodes.len(), 2);
            assert!(described.server_nodes.iter().all(|node| node.version.is_none()));
            assert_eq!(described.server_nodes_status.len(), 2);
            let mut client = client(&server).await;
            assert!(client.describe_cluster(()).await.is_err(), "the present layout does not fit it");
        });
    }
    let server = fast().version("0.15.2").start().unwrap();
    run(async {
        let described = client(&server).await.describe_cluster(()).await.unwrap().into_inner();
        assert_eq!(described.server_nodes[0].version.as_ref().unwrap().version, "0.15.2");
    });
}

#[test]
fn calls_that_a_release_lacks_have_no_handler() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = create_stream(&mut client, "s", 1).await[0];
        let tail = proto::GetTailRecordIdRequest { stream_name: "s".into(), shard_id: shard };
        let trim = proto::TrimShardsRequest { stream_name: "s".into(), record_ids: Vec::new() };
        server.set("version", "0.15.9").unwrap();
        let status = client.get_tail_record_id(tail.clone()).await.unwrap_err();
        is_plain(&status, Code::Unimplemented, "No such handler: /hstream.server.HStreamApi/GetTailRecordId");
        server.set("version", "0.16.0").unwrap();
        client.get_tail_record_id(tail).await.unwrap();
        assert_eq!(client.trim_shards(trim.clone()).await.unwrap_err().code(), Code::Unimplemented);
        server.set("version", "0.17.0").unwrap();
        client.trim_shards(trim.clone()).await.unwrap();
        let missing = proto::TrimShardsRequest { stream_name: "none".into(), ..trim };
        assert_eq!(client.trim_shards(missing.clone()).await.unwrap_err().code(), Code::Internal);
        server.set("version", "0.20.0").unwrap();
        client.trim_shards(missing).await.unwrap();
    });
}

#[test]
fn errors_before_0_15_are_bare_text() {
    let server = fast().version("0.14.0").start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let status = client.get_stream(proto::GetStreamRequest { name: "none".into() }).await.unwrap_err();
        is_plain(&status, Code::NotFound, "none");
        let status = Fetch::open(&client, "none", "c").await.next().await.unwrap_err();
        is_plain(&status, Code::NotFound, "none");
        server.set("version", "0.15.0").unwrap();
        let status = client.get_stream(proto::GetStreamRequest { name: "none".into() }).await.unwrap_err();
        is_json(&status, Code::NotFound, 200, "StreamNotFound", "none");
        server.faults().plain_errors(true);
        let status = client.get_stream(proto::GetStreamRequest { name: "none".into() }).await.unwrap_err();
        is_plain(&status, Code::NotFound, "none");
    });
}

#[test]
fn wrong_nodes_before_0_15_2_abort() {
    let server = fast().nodes(2).version("0.15.1").start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let own = owner(&mut clients[0], "sub").await;
        let get = proto::GetSubscriptionRequest { id: "sub".into() };
        let status = clients[1 - own].get_subscription(get.clone()).await.unwrap_err();
        let extra = "Subscription is bound to a different node";
        is_json(&status, Code::Aborted, 0, "SubscriptionOnDifferentNode", extra);
        server.set("version", "0.14.0").unwrap();
        let status = clients[1 - own].get_subscription(get).await.unwrap_err();
        is_plain(&status, Code::Aborted, extra);
    });
}

#[test]
fn reads_before_0_16_know_no_end() {
    let server = fast().version("0.15.6").start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = create_stream(&mut client, "s", 1).await[0];
        append(&mut client, shard, 1).await;
        append(&mut client, shard, 1).await;
        let request = proto::ReadShardStreamRequest {
            shard_id: shard,
            until: latest(),
            max_read_batches: 1,
            ..Default::default()
        };
        let mut reading = client.read_shard_stream(request).await.unwrap().into_inner();
        assert_eq!(numbers(&reading.message().await.unwrap().unwrap().received_records), [1, 2]);
        append(&mut client, shard, 1).await;
        assert_eq!(numbers(&reading.message().await.unwrap().unwrap().received_records), [3]);
    });
}

#[test]
fn ids_of_resources_are_looked_at_since_0_15_4() {
    let server = fast().version("0.15.3").start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let request = proto::LookupResourceRequest { res_type: 1, res_id: "a/b".into() };
        client.lookup_resource(request.clone()).await.unwrap();
        server.set("version", "0.15.4").unwrap();
        assert_eq!(parts(&client.lookup_resource(request).await.unwrap_err()).1, 304);
    });
}

#[test]
fn versions_that_never_were_are_refused() {
    for version in ["", "1.0.0", "0.13.0", "0.20.4", "newest"] {
        let error = fast().version(version).start().unwrap_err();
        assert!(error.to_string().contains("0.14.0"), "{error}");
    }
}
