//! The door: tokens, listeners, advertised addresses, calls that nobody knows.

use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};

use crate::support::*;

async fn echo(client: &mut Client, authorization: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(proto::EchoRequest::default());
    if let Some(text) = authorization {
        request.metadata_mut().insert("authorization", MetadataValue::try_from(text).unwrap());
    }
    client.echo(request).await.map(drop)
}

#[test]
fn without_tls_a_wrong_or_missing_token_cancels_the_call() {
    let server = fast().token("dTpw").token("YTpi").start().unwrap();
    run(async {
        let mut client = client(&server).await;
        for token in ["Basic dTpw", "Basic YTpi"] {
            echo(&mut client, Some(token)).await.unwrap();
        }
        for token in [None, Some("Basic x"), Some("Bearer dTpw")] {
            assert_eq!(echo(&mut client, token).await.unwrap_err().code(), Code::Cancelled);
        }
    });
}

#[test]
fn a_listener_asks_for_no_token_and_answers_with_its_own_addresses() {
    let server = fast().nodes(2).token("dTpw").listener("outside").start().unwrap();
    let urls = server.listener_urls("outside");
    assert_eq!(urls.len(), 2);
    assert!(server.listener_urls("inside").is_empty());
    run(async {
        let mut client = connect(&urls[1]).await;
        echo(&mut client, None).await.unwrap();
        let described = client.describe_cluster(()).await.unwrap().into_inner();
        let urls_of = |node: &proto::ServerNode| format!("hstream://{}:{}", node.host, node.port);
        let told: Vec<_> = described.server_nodes.iter().map(urls_of).collect();
        assert_eq!(told, [urls[1].clone(), urls[0].clone()], "itself first");
        let found = client.lookup_key(proto::LookupKeyRequest::default()).await.unwrap().into_inner();
        assert!(urls.contains(&urls_of(&found)));
    });
}

#[test]
fn clients_are_told_the_addresses_that_were_asked_for() {
    let server = fast().nodes(2).advertised_address("db.example", 7000).start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let nodes = client.describe_cluster(()).await.unwrap().into_inner().server_nodes;
        assert_eq!((nodes[0].host.as_str(), nodes[0].port), ("db.example", 7000));
        assert_eq!(format!("hstream://{}:{}", nodes[1].host, nodes[1].port), server.node_urls()[1]);
    });
}

#[test]
fn a_build_without_schemas_has_no_calls_about_them() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let status = client.register_schema(proto::Schema::default()).await.unwrap_err();
        is_plain(&status, Code::Unimplemented, "No such handler: /hstream.server.HStreamApi/RegisterSchema");
        let status = client.get_schema(proto::GetSchemaRequest::default()).await.unwrap_err();
        is_plain(&status, Code::Unimplemented, "No such handler: /hstream.server.HStreamApi/GetSchema");
        let status = client.unregister_schema(proto::UnregisterSchemaRequest::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        let status = client.pause_query(proto::PauseQueryRequest::default()).await.unwrap_err();
        is_plain(&status, Code::Unimplemented, "No such handler: /hstream.server.HStreamApi/PauseQuery");
    });
}

#[test]
fn compressed_messages_are_taken() {
    use tonic::codec::CompressionEncoding;

    let server = fast().start().unwrap();
    run(async {
        for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Deflate] {
            let mut client = client(&server).await.send_compressed(encoding);
            let msg = "x".repeat(1 << 20);
            let echoed = client.echo(proto::EchoRequest { msg: msg.clone() }).await.unwrap().into_inner();
            assert_eq!(echoed.msg, msg);
            let too_large = proto::EchoRequest { msg: "x".repeat((4 << 20) + 1) };
            assert!(client.echo(too_large).await.is_err(), "small on the wire, too large unpacked");
        }
    });
}
