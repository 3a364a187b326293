//! The cluster described, and who has what.

use std::time::Duration;

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{ErrorKind, NodeState, ResourceKind, StreamOptions};

use crate::support::{Fixture, unique, wait_until};

fn three_nodes() -> Fixture {
    Fixture::with(DevServerOptions::new().nodes(3).failure_detection(Duration::from_millis(50)))
}

#[test]
fn the_cluster_is_described_with_its_dead_nodes() {
    let fixture = three_nodes();
    let info = fixture.client.describe_cluster().unwrap();
    assert_eq!(info.protocol_version(), "0.1.0");
    assert!(info.uptime_seconds() < 3600);
    let urls = fixture.server.node_urls();
    for (node, url) in info.nodes().iter().zip(&urls) {
        assert_eq!(format!("hstream://{}:{}", node.host(), node.port()), *url);
        assert_eq!((node.version(), node.state()), ("0.20.3", Some(NodeState::Running)));
        assert!(!node.commit().is_empty());
    }
    fixture.server.kill_node(1).unwrap();
    let states = || {
        let info = fixture.client.describe_cluster().unwrap();
        info.nodes().iter().map(|node| (node.id(), node.state().unwrap())).collect::<Vec<_>>()
    };
    let running = NodeState::Running;
    wait_until("it is missed", || states() == [(1, running), (2, NodeState::Dead), (3, running)]);
}

#[test]
fn clusters_of_both_layouts_are_described() {
    for version in ["0.15.0", "0.15.1", "0.15.2", "0.16.0"] {
        let fixture = Fixture::with(DevServerOptions::new().nodes(2).version(version));
        let info = fixture.client.describe_cluster().unwrap();
        assert_eq!(info.protocol_version(), "0.1.0", "{version}");
        assert_eq!(info.nodes().iter().map(|node| node.id()).collect::<Vec<_>>(), [1, 2], "{version}");
        assert!(info.nodes().iter().all(|node| node.state() == Some(NodeState::Running)));
        let told = info.nodes().iter().filter(|node| node.version() == version).count();
        assert_eq!(told, if version < "0.15.2" { 1 } else { 2 }, "{version}");
    }
}

#[test]
fn look_ups_name_nodes_and_those_of_resources_agree_and_stay() {
    let fixture = three_nodes();
    let client = &fixture.client;
    let stream = fixture.stream(4);
    let shard = client.shard_for_key(&stream, "key").unwrap();
    let known = |id: u32| (1..=3).contains(&id);
    assert!(known(client.lookup_shard(shard).unwrap().id()));
    assert!(known(client.lookup_key("key").unwrap().id()));
    let node = client.lookup_resource(ResourceKind::Shard, &shard.to_string()).unwrap();
    assert!(known(node.id()) && node.state().is_none());
    for id in [fixture.subscription(&stream), unique("made-up")] {
        let node = client.lookup_subscription(&id).unwrap();
        assert_eq!(client.lookup_resource(ResourceKind::Subscription, &id).unwrap().id(), node.id());
        let reader = client.lookup_reader(&id).unwrap();
        assert_eq!(client.lookup_resource(ResourceKind::ShardReader, &id).unwrap().id(), reader.id());
    }
    for kind in [ResourceKind::Stream, ResourceKind::Connector, ResourceKind::Query] {
        assert!(known(client.lookup_resource(kind, "x").unwrap().id()));
    }
    assert!(client.lookup_resource(ResourceKind::View, "x").unwrap_err().is_not_found());
    assert!(!client.subscription_exists("made-up").unwrap(), "a look-up creates nothing");
}

#[test]
fn ids_that_servers_hang_on_are_refused_here() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    for error in [
        client.lookup_subscription("a/b").unwrap_err(),
        client.lookup_reader("1").unwrap_err(),
        client.lookup_resource(ResourceKind::Query, "").unwrap_err(),
        client.lookup_resource(ResourceKind::Shard, "1/2").unwrap_err(),
        client.subscription_lag("a/b").unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error:?}");
    }
    assert_eq!(fixture.server.faults().calls("LookupResource"), 0);
}

#[test]
fn old_servers_look_up_all_but_keys() {
    for version in ["0.15.0", "0.16.0"] {
        let fixture = Fixture::with(DevServerOptions::new().version(version));
        fixture.client.create_stream("s", StreamOptions::new()).unwrap();
        let shard = fixture.client.shard_for_key("s", "").unwrap();
        fixture.client.lookup_shard(shard).unwrap();
        fixture.client.lookup_subscription("x").unwrap();
        fixture.client.lookup_resource(ResourceKind::Stream, "s").unwrap();
        let error = fixture.client.lookup_key("x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("0.16.1"), "{error}");
    }
}
