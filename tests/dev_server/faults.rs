//! Failures on demand.

use std::time::{Duration, Instant};

use tonic::Code;

use crate::support::*;

async fn echo(client: &mut Client) -> Result<(), tonic::Status> {
    client.echo(proto::EchoRequest::default()).await.map(drop)
}

#[test]
fn orders_can_be_for_one_node_only() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        server.faults().next("Echo").at_node(1).always().refuse(14, "not here");
        for _ in 0..3 {
            echo(&mut clients[0]).await.unwrap();
            is_plain(&echo(&mut clients[1]).await.unwrap_err(), Code::Unavailable, "not here");
        }
        server.faults().clear();
        echo(&mut clients[1]).await.unwrap();
    });
}

#[test]
fn chance_hits_the_same_calls_in_each_run_with_a_seed() {
    let hits = |seed| {
        let server = fast().seed(seed).start().unwrap();
        run(async {
            let mut client = client(&server).await;
            server.faults().next("Echo").always().percent(40).refuse(14, "");
            let mut hits = Vec::new();
            for _ in 0..50 {
                hits.push(echo(&mut client).await.is_err());
            }
            hits
        })
    };
    let first = hits(7);
    assert!((5..45).contains(&first.iter().filter(|hit| **hit).count()));
    assert_eq!(hits(7), first);
    assert_ne!(hits(8), first);
}

#[test]
fn a_node_can_pretend_not_to_be_the_owner() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let faults = server.faults();
        faults.next("GetSubscription").on("sub").not_owner();
        let get = proto::GetSubscriptionRequest { id: "sub".into() };
        let status = client.get_subscription(get.clone()).await.unwrap_err();
        let extra = "Subscription is bound to a different node";
        is_json(&status, Code::FailedPrecondition, 800, "WrongServer", extra);
        assert_eq!(parts(&client.get_subscription(get).await.unwrap_err()).1, 300);
        faults.next("DeleteShardReader").not_owner();
        let delete = proto::DeleteShardReaderRequest { reader_id: "r".into() };
        let status = client.delete_shard_reader(delete).await.unwrap_err();
        assert_eq!(parts(&status).3, "ShardReader is bound to a different node");
    });
}

#[test]
fn streaming_calls_can_be_refused_delayed_and_cut() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = create_stream(&mut client, "s", 1).await[0];
        append(&mut client, shard, 1).await;
        let request = || proto::ReadShardStreamRequest {
            shard_id: shard,
            stream_name: "s".into(),
            ..Default::default()
        };
        let faults = server.faults();
        faults.next("ReadShardStream").on("s").refuse(13, "no");
        let status = client.read_shard_stream(request()).await.map(drop).unwrap_err();
        is_plain(&status, Code::Internal, "no");
        faults.next("ReadShardStream").on("s").delay(Duration::from_millis(100));
        let started = Instant::now();
        let mut reading = client.read_shard_stream(request()).await.unwrap().into_inner();
        assert!(started.elapsed() >= Duration::from_millis(100));
        reading.message().await.unwrap().unwrap();
        assert_eq!(faults.cut_calls("ReadShardStream", Some("other"), 10, "cut"), 0);
        assert_eq!(faults.cut_calls("ReadShardStream", Some("s"), 10, "cut"), 1);
        is_plain(&reading.message().await.unwrap_err(), Code::Aborted, "cut");
        assert_eq!(faults.cut_calls("ReadShardStream", None, 10, "cut"), 0, "it is over");
        faults.next("ReadShardStream").refuse_after_applying(14, "late");
        let until_now = proto::ReadShardStreamRequest { until: latest(), ..request() };
        let mut reading = client.read_shard_stream(until_now).await.unwrap().into_inner();
        reading.message().await.unwrap().unwrap();
        is_plain(&reading.message().await.unwrap_err(), Code::Unavailable, "late");
    });
}

#[test]
fn messages_without_batches_can_be_had() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = create_stream(&mut client, "s", 1).await[0];
        append(&mut client, shard, 1).await;
        server.faults().empty_messages(true);
        let request =
            proto::ReadStreamRequest { stream_name: "s".into(), until: of_stream(1), ..Default::default() };
        let messages = collect(client.read_stream(request).await).await.unwrap();
        let counts: Vec<_> = messages.iter().map(|message| message.received_records.len()).collect();
        assert_eq!(counts, [0, 1]);
    });
}

#[test]
fn a_slow_node_takes_its_time_for_everything() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        server.set("slow_node", "1 100").unwrap();
        let started = Instant::now();
        echo(&mut clients[0]).await.unwrap();
        assert!(started.elapsed() < Duration::from_millis(100));
        echo(&mut clients[1]).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(100));
    });
}

#[test]
fn a_delayed_call_dies_with_its_node() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = create_stream(&mut clients[0], "s", 1).await[0];
        server.faults().next("Append").delay(Duration::from_millis(200));
        let mut client = clients[1].clone();
        let appending =
            tokio::spawn(
                async move { append_batch(&mut client, "s", shard, batch(vec![record("", "x")])).await },
            );
        until("the order", || async { server.faults().pending() == 0 }).await;
        server.kill_node(1).unwrap();
        assert!(appending.await.unwrap().is_err());
        // Until after the time at which it would have been written.
        tokio::time::sleep(Duration::from_millis(250)).await;
        let tail = proto::GetTailRecordIdRequest { stream_name: "s".into(), shard_id: shard };
        let tail = clients[0].get_tail_record_id(tail).await.unwrap().into_inner().tail_record_id.unwrap();
        assert_eq!(tail.batch_id, EMPTY_TAIL);
    });
}
