//! A cluster: descriptions, look-ups, ownership, nodes that come and go.

use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use tonic::Code;

use crate::support::*;

async fn ids(client: &mut Client) -> Vec<u32> {
    let described = client.describe_cluster(()).await.unwrap().into_inner();
    described.server_nodes.iter().map(|node| node.id).collect()
}

async fn states(client: &mut Client) -> Vec<(u32, i32)> {
    let described = client.describe_cluster(()).await.unwrap().into_inner();
    let state = |status: &proto::ServerNodeStatus| (status.node.as_ref().unwrap().id, status.state);
    described.server_nodes_status.iter().map(state).collect()
}

const RUNNING: i32 = 1;
const DEAD: i32 = 3;

#[test]
fn each_node_names_itself_first_then_the_living_then_the_dead() {
    let server = fast().nodes(3).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        assert_eq!(ids(&mut clients[0]).await, [1, 2, 3]);
        assert_eq!(ids(&mut clients[2]).await, [3, 1, 2]);
        let described = clients[1].describe_cluster(()).await.unwrap().into_inner();
        assert_eq!(described.protocol_version, "0.1.0");
        let version = described.server_nodes[0].version.as_ref().unwrap();
        assert_eq!(version.version, "0.20.3");
        server.stop_node(0).unwrap();
        assert_eq!(ids(&mut clients[1]).await, [2, 3]);
        assert_eq!(states(&mut clients[1]).await, [(2, RUNNING), (3, RUNNING), (1, DEAD)]);
    });
}

#[test]
fn nodes_take_consecutive_ports_and_come_back_on_theirs() {
    // A port whose neighbours are free as well is soon found.
    let server = (0..50)
        .find_map(|_| {
            let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
            DevServerOptions::new().nodes(3).port(port).start().ok()
        })
        .unwrap();
    let port = server.port();
    let urls: Vec<_> = (0..3).map(|node| format!("hstream://127.0.0.1:{}", port + node)).collect();
    assert_eq!(server.node_urls(), urls);
    assert_eq!(
        server.url(),
        format!("hstream://127.0.0.1:{port},127.0.0.1:{},127.0.0.1:{}", port + 1, port + 2)
    );
    server.kill_node(1).unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port + 1)).is_err());
    server.restart_node(1).unwrap();
    std::net::TcpStream::connect(("127.0.0.1", port + 1)).unwrap();
    assert_eq!(server.node_urls(), urls);
}

#[test]
fn what_is_asked_of_nodes_that_are_not_so_is_refused() {
    let server = fast().nodes(2).start().unwrap();
    assert!(server.kill_node(2).unwrap_err().to_string().contains("there is no node 2"));
    assert!(server.restart_node(0).unwrap_err().to_string().contains("node 0 runs already"));
    server.stop_node(1).unwrap();
    assert!(server.stop_node(1).unwrap_err().to_string().contains("node 1 does not run"));
    assert!(server.kill_node(1).unwrap_err().to_string().contains("node 1 does not run"));
    assert!(server.restart_node(usize::MAX).is_err());
}

#[test]
fn allocations_stick_and_move_only_when_their_node_dies() {
    let server = fast().nodes(3).start().unwrap();
    run(async {
        let mut all = clients(&server).await;
        let owner_of_all = async |client: &mut Client| {
            let mut owners = Vec::new();
            for index in 0..30 {
                owners.push(owner(client, &format!("sub{index}")).await);
            }
            owners
        };
        let before = owner_of_all(&mut all[0]).await;
        assert!((0..3).all(|node| before.contains(&node)), "all nodes have some: {before:?}");
        assert_eq!(owner_of_all(&mut all[1]).await, before, "all nodes tell the same");
        assert_eq!(server.add_node().unwrap(), 3);
        assert_eq!(owner_of_all(&mut all[0]).await, before, "a new node takes nothing over");
        server.kill_node(2).unwrap();
        let after = owner_of_all(&mut all[0]).await;
        for (before, after) in before.iter().zip(&after) {
            assert!(*after != 2 && (*before == 2 || before == after));
        }
        server.restart_node(2).unwrap();
        assert_eq!(owner_of_all(&mut all[0]).await, after, "nothing moves back");
    });
}

#[test]
fn a_killed_node_is_named_until_the_others_miss_it_and_a_stopped_one_is_not() {
    let server = fast().nodes(2).failure_detection(Duration::from_millis(300)).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let mut index = 0;
        let victim = loop {
            index += 1;
            let id = format!("sub{index}");
            if owner(&mut clients[0], &id).await == 1 {
                break id;
            }
        };
        let killed = Instant::now();
        server.kill_node(1).unwrap();
        assert_eq!(owner(&mut clients[0], &victim).await, 1);
        assert_eq!(ids(&mut clients[0]).await, [1, 2]);
        let (client, victim) = (&clients[0], &victim);
        until("another owner", || async { owner(&mut client.clone(), victim).await != 1 }).await;
        assert!(killed.elapsed() >= Duration::from_millis(300));
        assert_eq!(states(&mut clients[0]).await, [(1, RUNNING), (2, DEAD)]);
    });
}

#[test]
fn calls_about_what_another_node_has_are_refused_where_the_real_server_refuses_them() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = create_stream(&mut clients[0], "s", 1).await[0];
        clients[1].create_subscription(subscription("sub", "s", 60)).await.unwrap();
        let own = owner(&mut clients[0], "sub").await;
        let wrong = &mut clients[1 - own];
        let extra = "Subscription is bound to a different node";
        let get = proto::GetSubscriptionRequest { id: "sub".into() };
        let status = wrong.get_subscription(get.clone()).await.unwrap_err();
        is_json(&status, Code::FailedPrecondition, 800, "WrongServer", extra);
        let list = proto::ListConsumersRequest { subscription_id: "sub".into() };
        let status = wrong.list_consumers(list).await.unwrap_err();
        is_json(&status, Code::FailedPrecondition, 800, "WrongServer", extra);
        // The look-up comes before the existence, and decides for what does not exist as well.
        let none = owner(&mut clients[0], "none").await;
        let get_none = proto::GetSubscriptionRequest { id: "none".into() };
        let status = clients[1 - none].get_subscription(get_none.clone()).await.unwrap_err();
        assert_eq!(parts(&status).1, 800);
        let status = clients[none].get_subscription(get_none).await.unwrap_err();
        is_json(&status, Code::NotFound, 300, "SubscriptionNotFound", "none");
        clients[own].get_subscription(get).await.unwrap();

        let reader = proto::CreateShardReaderRequest {
            stream_name: "s".into(),
            shard_id: shard,
            shard_offset: earliest(),
            reader_id: "r".into(),
            timeout: 0,
        };
        clients[0].create_shard_reader(reader).await.unwrap();
        let request = proto::LookupShardReaderRequest { reader_id: "r".into() };
        let found = clients[0].lookup_shard_reader(request).await.unwrap().into_inner();
        let own = found.server_node.unwrap().id as usize - 1;
        let delete = proto::DeleteShardReaderRequest { reader_id: "r".into() };
        let status = clients[1 - own].delete_shard_reader(delete.clone()).await.unwrap_err();
        let extra = "ShardReader is bound to a different node";
        is_json(&status, Code::FailedPrecondition, 800, "WrongServer", extra);
        clients[own].delete_shard_reader(delete).await.unwrap();
    });
}

#[test]
fn each_node_reads_for_a_reader_from_a_cursor_of_its_own() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = create_stream(&mut clients[0], "s", 1).await[0];
        for _ in 0..3 {
            append(&mut clients[0], shard, 1).await;
        }
        let reader = proto::CreateShardReaderRequest {
            stream_name: "s".into(),
            shard_id: shard,
            shard_offset: earliest(),
            reader_id: "r".into(),
            timeout: 0,
        };
        clients[0].create_shard_reader(reader).await.unwrap();
        let read = async |client: &mut Client| {
            let request = proto::ReadShardRequest { reader_id: "r".into(), max_records: 2 };
            numbers(&client.read_shard(request).await.unwrap().into_inner().received_records)
        };
        assert_eq!(read(&mut clients[0]).await, [1, 2]);
        assert_eq!(read(&mut clients[1]).await, [1, 2]);
        assert_eq!(read(&mut clients[0]).await, [3]);
        server.kill_node(0).unwrap();
        server.restart_node(0).unwrap();
        let mut again = client(&server).await;
        assert_eq!(read(&mut again).await, [1, 2], "a restarted node has forgotten how far it was");
    });
}

#[test]
fn a_node_that_has_just_started_keeps_look_ups_waiting_and_nothing_else() {
    let server = fast().startup_delay(Duration::from_millis(200)).start().unwrap();
    let started = Instant::now();
    run(async {
        let mut client = client(&server).await;
        client.echo(proto::EchoRequest::default()).await.unwrap();
        assert!(started.elapsed() < Duration::from_millis(200));
        owner(&mut client, "sub").await;
        assert!(started.elapsed() >= Duration::from_millis(150));
    });
}

#[test]
fn any_node_takes_appends_for_any_shard() {
    let server = fast().nodes(3).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = create_stream(&mut clients[0], "s", 1).await[0];
        for (number, client) in clients.iter_mut().enumerate() {
            assert_eq!(append(client, shard, 1).await[0].batch_id, FIRST + number as u64);
        }
    });
}

#[test]
fn clients_survive_a_node_that_goes_and_comes() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        create_stream(&mut clients[0], "s", 1).await;
        server.kill_node(1).unwrap();
        assert!(clients[1].echo(proto::EchoRequest::default()).await.is_err());
        server.restart_node(1).unwrap();
        until("an answer", || {
            let mut client = clients[1].clone();
            async move { client.echo(proto::EchoRequest::default()).await.is_ok() }
        })
        .await;
        let listed = clients[1].list_streams(proto::ListStreamsRequest {}).await.unwrap().into_inner();
        assert_eq!(listed.streams.len(), 1, "what is stored is stored");
    });
}
