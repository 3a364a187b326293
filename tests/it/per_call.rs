//! What is set for single calls: metadata, and the node to ask.

use std::time::Duration;

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{Client, ClientConfig, ConsumerConfig, ErrorKind, ProducerConfig, Record};

use crate::support::{Fixture, SOON, receive, wait_until};

const NOT_FOUND: i32 = 5;

fn three_nodes() -> Fixture {
    Fixture::with(DevServerOptions::new().nodes(3).failure_detection(Duration::from_millis(100)))
}

fn address(fixture: &Fixture, node: usize) -> String {
    fixture.server.node_urls()[node].trim_start_matches("hstream://").to_owned()
}

#[test]
fn metadata_goes_with_the_calls_of_its_handle_and_no_others() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let tagged = fixture.client.with_metadata("Tenant", "blue").unwrap();
    let traced = tagged.with_metadata("trace-bin", [0, 255]).unwrap();
    let faults = fixture.server.faults();
    for rpc in ["Echo", "Append"] {
        faults.next(rpc).carrying("tenant", "blue").always().refuse(NOT_FOUND, "blue");
    }
    fixture.client.echo("x").unwrap();
    fixture.client.append_one(&stream, &Record::raw("x")).unwrap();
    for blue in [&tagged, &traced, &traced.within(SOON)] {
        assert!(blue.echo("x").unwrap_err().to_string().contains("blue"));
        assert!(blue.append_one(&stream, &Record::raw("x")).is_err());
    }
    faults.clear();
    faults.next("Echo").carrying("trace-bin", [0, 255]).always().refuse(NOT_FOUND, "traced");
    tagged.echo("x").unwrap();
    assert!(traced.echo("x").unwrap_err().to_string().contains("traced"));
}

#[test]
fn metadata_goes_with_what_is_made_by_its_handle() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let tagged = fixture.client.with_metadata("x-forwarded-for", "10.1.2.3").unwrap();
    let consumer = tagged.consumer(&subscription, ConsumerConfig::new()).unwrap();
    consumer.start().unwrap();
    let consumers = || fixture.client.list_consumers(&subscription).unwrap();
    wait_until("the consumer appears", || !consumers().is_empty());
    assert_eq!(consumers()[0].uri(), "10.1.2.3");
    let order = fixture.server.faults().next("Append");
    order.carrying("x-forwarded-for", "10.1.2.3").always().refuse(NOT_FOUND, "seen");
    let producer = tagged.producer(ProducerConfig::new()).unwrap();
    producer.append(&stream, &Record::raw("x")).unwrap();
    assert_eq!(producer.close(SOON).unwrap().failed, 1);
}

#[test]
fn metadata_that_can_not_be_sent_is_refused_by_name() {
    let fixture = Fixture::new();
    for (name, value) in [("a b", "x"), ("a", "\n"), ("authorization", "x"), ("grpc-timeout", "1S")] {
        let error = fixture.client.with_metadata(name, value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_node_that_is_named_is_asked_and_no_other() {
    let fixture = three_nodes();
    let faults = fixture.server.faults();
    let asked: Vec<_> =
        (0..3).map(|node| fixture.client.at_node(&address(&fixture, node)).unwrap()).collect();
    faults.next("Echo").at_node(1).always().refuse(NOT_FOUND, "node 1");
    for _ in 0..6 {
        asked[0].echo("x").unwrap();
        assert!(asked[1].echo("x").unwrap_err().to_string().contains("node 1"));
        asked[2].echo("x").unwrap();
    }
    assert_eq!(asked[1].within(SOON).refresh().map_err(|error| error.to_string()), Ok(()));
    assert_eq!(fixture.client.at_node("a:x").unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn nothing_is_looked_up_for_a_call_to_a_named_node() {
    let fixture = three_nodes();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let shard = fixture.client.list_shards(&stream).unwrap().shards()[0].id();
    let config = ClientConfig::new(fixture.server.url()).lazy_connect(true);
    let client = Client::connect(config).unwrap().at_node(&address(&fixture, 2)).unwrap();
    let faults = fixture.server.faults();
    let look_ups = || ["DescribeCluster", "LookupShard", "LookupSubscription"].map(|rpc| faults.calls(rpc));
    let before = look_ups();
    client.echo("x").unwrap();
    client.append_to_shard(&stream, shard, &[Record::raw("x")], hstreamdb::Compression::none()).unwrap();
    // Owned by one of the three: the others say so, and nobody else is asked.
    let _ = client.list_consumers(&subscription);
    assert_eq!(look_ups(), before);
}

#[test]
fn a_named_node_that_is_not_the_owner_says_so_at_once() {
    let fixture = three_nodes();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let calls = || fixture.server.faults().calls("ListConsumers");
    let before = calls();
    fixture.server.set("move", &format!("subscription {subscription} 0")).unwrap();
    let error =
        fixture.client.at_node(&address(&fixture, 1)).unwrap().list_consumers(&subscription).unwrap_err();
    assert!(error.server().is_some_and(|server| server.grpc_status() == 9), "{error:?}");
    assert_eq!((error.attempts(), calls()), (1, before + 1));
}

#[test]
fn a_named_node_is_tried_again_there_and_nowhere_else() {
    let fixture = three_nodes();
    let client = fixture.client.at_node(&address(&fixture, 1)).unwrap();
    fixture.server.faults().next("Echo").at_node(1).times(2).refuse(14, "busy");
    assert_eq!(client.echo("x").unwrap(), "x");
    assert_eq!(fixture.server.faults().pending(), 0);
    fixture.server.kill_node(1).unwrap();
    let error = client.within(Duration::from_millis(500)).echo("x").unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains(&address(&fixture, 1)), "{error}");
    assert!(!error.to_string().contains("advertised-address"), "{error}");
    fixture.client.echo("x").unwrap();
    fixture.server.restart_node(1).unwrap();
    client.echo("x").unwrap();
}

#[test]
fn a_consumer_finds_its_node_whichever_its_handle_asks() {
    let fixture = three_nodes();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    fixture.client.append_one(&stream, &Record::raw("x")).unwrap();
    fixture.server.set("move", &format!("subscription {subscription} 0")).unwrap();
    let owner = fixture.client.at_node(&address(&fixture, 0)).unwrap();
    let consumer = owner.consumer(&subscription, ConsumerConfig::new()).unwrap();
    fixture.server.set("move", &format!("subscription {subscription} 2")).unwrap();
    receive(&consumer, 1);
    assert_eq!(fixture.client.list_consumers(&subscription).unwrap().len(), 1);
}
