//! Admin commands: the words of the command line and its tables.

use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::support::*;

async fn send(client: &mut Client, command: &str) -> Result<Value, Status> {
    let request = proto::AdminCommandRequest { command: command.to_owned() };
    let answer = client.send_admin_command(request).await?.into_inner();
    Ok(serde_json::from_str(&answer.result).unwrap())
}

fn table(headers: &[&str], rows: &[&[&str]]) -> Value {
    json!({ "content": { "headers": headers, "rows": rows }, "type": "table" })
}

fn ok() -> Value {
    json!({ "content": "OK", "type": "plain" })
}

#[test]
fn commands_about_the_server_tell_its_state() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let status = send(&mut client, "server status").await.unwrap();
        assert_eq!(status["content"]["headers"], json!(["Node ID", "State", "Address"]));
        let address = server.node_urls()[0].replace("hstream://", "");
        assert_eq!(status["content"]["rows"][0], json!(["1", "Running", address]));
        assert_eq!(status["content"]["rows"].as_array().unwrap().len(), 2);
        let init = send(&mut client, "server  init").await.unwrap();
        assert_eq!(init, json!({ "content": "Server successfully received init signal", "type": "plain" }));
        let ready = send(&mut client, " server ready ").await.unwrap();
        assert_eq!(ready, json!({ "content": "Cluster is ready", "type": "plain" }));
        for kind in ["stream", "subscription", "query", "connector", "shard", "shard-reader"] {
            let found = send(&mut client, &format!("server lookup {kind} 1x")).await.unwrap();
            assert_eq!(found["content"]["headers"], json!(["Resource ID", "Host", "Port"]));
            assert_eq!(found["content"]["rows"][0][0], "1x");
        }
        let view = send(&mut client, "server lookup view v").await.unwrap_err();
        assert_eq!(parts(&view).1, 400);
    });
}

#[test]
fn commands_about_streams_do_what_the_calls_do() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        assert_eq!(send(&mut client, "server stream create s -s 3 -r 2 -b 60").await.unwrap(), ok());
        assert_eq!(send(&mut client, "server stream create t").await.unwrap(), ok());
        let get = proto::GetStreamRequest { name: "s".into() };
        let stream = client.get_stream(get).await.unwrap().into_inner().stream.unwrap();
        assert_eq!((stream.shard_count, stream.replication_factor, stream.backlog_duration), (3, 2, 60));
        let headers = ["Stream Name", "Replication Factor"];
        let list = send(&mut client, "server stream list").await.unwrap();
        assert_eq!(list, table(&headers, &[&["s", "2"], &["t", "1"]]));
        let one = send(&mut client, "server stream describe s").await.unwrap();
        assert_eq!(one, table(&headers, &[&["s", "2"]]));
        assert_eq!(send(&mut client, "server stream delete s").await.unwrap(), ok());
        let missing = send(&mut client, "server stream delete s -f").await.unwrap_err();
        is_json(&missing, Code::NotFound, 200, "StreamNotFound", "s");
        let exists = send(&mut client, "server stream create t").await.unwrap_err();
        assert_eq!(parts(&exists).1, 201);
    });
}

#[test]
fn commands_about_subscriptions_do_what_the_calls_do_whoever_owns_them() {
    let server = fast().nodes(3).start().unwrap();
    run(async {
        let mut client = client(&server).await;
        create_stream(&mut client, "s", 1).await;
        for id in ["a", "b", "c"] {
            let command = format!("server sub create {id} --stream s --ack-timeout 7 --offset earliest");
            assert_eq!(send(&mut client, &command).await.unwrap(), ok());
        }
        let list = send(&mut client, "server sub list").await.unwrap();
        assert_eq!(list["content"]["headers"], json!(["Subscription ID", "Stream Name", "CreatedTime"]));
        assert!(list["content"]["rows"][0][2].as_str().unwrap().parse::<u64>().unwrap() > 1_600_000_000_000);
        let one = send(&mut client, "server sub describe a").await.unwrap();
        let row = &one["content"]["rows"][0];
        assert_eq!((&row[2], &row[3], &row[5]), (&json!("7"), &json!("10000"), &json!("EARLIEST")));
        assert_eq!(send(&mut client, "server sub delete a").await.unwrap(), ok());
        let missing = send(&mut client, "server sub delete a").await.unwrap_err();
        is_json(&missing, Code::NotFound, 300, "SubscriptionNotFound", "a");
        assert_eq!(send(&mut client, "server sub deleteall -f").await.unwrap(), ok());
        let list = send(&mut client, "server sub list").await.unwrap();
        assert_eq!(list["content"]["rows"], json!([]));
    });
}

#[test]
fn commands_about_statistics_are_tables_with_the_name_in_the_header() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = create_stream(&mut client, "s", 1).await[0];
        append(&mut client, shard, 6).await;
        let total = send(&mut client, "server stats stream_counter append_in_records").await.unwrap();
        assert_eq!(total, table(&["stream_name", "append_in_records"], &[&["s", "6"]]));
        let rate = send(&mut client, "server stats stream append_in_records -i 1min -i 10min").await.unwrap();
        let headers = ["stream_name", "append_in_records_1min", "append_in_records_10min"];
        assert_eq!(rate, table(&headers, &[&["s", "0.1", "0.01"]]));
        let histogram =
            send(&mut client, "server stats server_histogram append_latency -p 0.5 -p 0.99").await;
        assert_eq!(histogram.unwrap(), table(&["server_histogram", "p50", "p99"], &[]));
        let subscriptions =
            send(&mut client, "server stats subscription_counter received_acks").await.unwrap();
        assert_eq!(subscriptions, table(&["subscription_id", "received_acks"], &[]));
        assert_eq!(send(&mut client, "server reset-stats").await.unwrap(), ok());
        let total = send(&mut client, "server stats stream_counter append_total").await.unwrap();
        assert_eq!(total, table(&["stream_name", "append_total"], &[]));
    });
}

#[test]
fn lists_of_what_is_not_there_are_empty_tables() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        for command in ["server view list", "server query list", "server connector list"] {
            let list = send(&mut client, command).await.unwrap();
            assert_eq!((&list["type"], &list["content"]["rows"]), (&json!("table"), &json!([])));
        }
        let query = send(&mut client, "server query status q").await.unwrap_err();
        is_json(&query, Code::NotFound, 400, "QueryNotFound", "q");
        let meta = send(&mut client, "server meta list").await.unwrap();
        assert_eq!(meta["type"], "error");
    });
}

#[test]
fn bad_commands_are_answered_with_their_usage() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        for command in [
            "",
            "status",
            "server",
            "server nonsense",
            "server status now",
            "server lookup planet x",
            "server stream",
            "server stream create",
            "server stream create s -r",
            "server stream create s -r x",
            "server stream create s -q 1",
            "server sub create x",
            "server sub create x --stream s --offset now",
            "server stats stream_counter nonsense",
            "server stats stream appends -i 5",
        ] {
            let status = send(&mut client, command).await.unwrap_err();
            assert_eq!(status.code(), Code::Internal, "{command}");
            let begins = "Parsing admin command error: invalid argument (";
            assert!(status.message().starts_with(begins), "{command}: {}", status.message());
        }
    });
}
