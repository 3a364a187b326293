//! Clusters of several nodes, servers of several versions, and what a client makes of them.

use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{Client, ClientConfig, ConsumerConfig, ErrorKind, ProducerConfig, Record, StreamOptions};

use crate::support::{Fixture, Refusing, SOON, receive, texts};

fn three_nodes() -> Fixture {
    Fixture::with(DevServerOptions::new().nodes(3).failure_detection(Duration::from_millis(100)))
}

#[test]
fn all_calls_find_their_nodes() {
    let fixture = three_nodes();
    let stream = fixture.stream(8);
    for number in 0..20 {
        fixture.client.append_one(&stream, &Record::raw("x").with_key(number.to_string())).unwrap();
    }
    for _ in 0..6 {
        let subscription = fixture.subscription(&stream);
        let consumer = fixture.client.consumer(&subscription, ConsumerConfig::new()).unwrap();
        receive(&consumer, 20);
        assert_eq!(fixture.client.list_consumers(&subscription).unwrap().len(), 1);
        consumer.close(SOON).unwrap();
        fixture.client.delete_subscription(&subscription, Default::default()).unwrap();
    }
}

#[test]
fn a_client_goes_on_when_a_node_dies_whichever_it_is() {
    for victim in 0..3 {
        let fixture = three_nodes();
        let stream = fixture.stream(4);
        let producer = fixture.client.producer(ProducerConfig::new()).unwrap();
        let consumer = fixture
            .client
            .consumer(
                &fixture.subscription(&stream),
                ConsumerConfig::new().reconnect(Duration::from_millis(10), Duration::from_millis(100)),
            )
            .unwrap();
        consumer.start().unwrap();
        for number in 0..100 {
            if number == 50 {
                fixture.server.kill_node(victim).unwrap();
            }
            let record = Record::raw(number.to_string()).with_key(number.to_string());
            producer.append(&stream, &record).unwrap();
        }
        producer.close(SOON).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        let deadline = Instant::now() + SOON;
        while seen.len() < 100 && Instant::now() < deadline {
            if let Some(batch) = consumer.poll(1000, Duration::from_millis(100)).unwrap() {
                seen.extend(texts(&[batch]));
            }
        }
        assert_eq!(seen.len(), 100, "node {victim}");
        fixture.client.get_stream(&stream).unwrap();
    }
}

#[test]
fn all_nodes_may_be_replaced_while_the_seed_stays() {
    let server = DevServerOptions::new().nodes(2).start().unwrap();
    let seed = server.port();
    let client = Client::connect(server.node_urls()[0].as_str()).unwrap();
    server.stop();
    let quick = client.within(Duration::from_millis(300));
    assert!(quick.echo("x").is_err());
    let _new = DevServerOptions::new().port(seed).start().unwrap();
    assert_eq!(client.echo("y").unwrap(), "y");
    client.create_stream("s", StreamOptions::new()).unwrap();
}

#[test]
fn an_advertised_address_that_nobody_can_reach_is_named_or_mapped() {
    let refusing = Refusing::new();
    let free = refusing.address;
    let server = DevServerOptions::new().advertised_address("127.0.0.1", free.port()).start().unwrap();
    let client = Client::connect(server.url()).unwrap();
    client.create_stream("s", StreamOptions::new()).unwrap();
    let error = client.within(Duration::from_secs(2)).append_one("s", &Record::raw("x")).unwrap_err();
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    assert!(error.to_string().contains("advertised-address"), "{error}");
    let mapped =
        ClientConfig::new(server.url()).map_address(free.to_string(), format!("127.0.0.1:{}", server.port()));
    Client::connect(mapped).unwrap().append_one("s", &Record::raw("x")).unwrap();
}

#[test]
fn old_servers_work_as_far_as_they_go_and_say_so_by_version() {
    for version in ["0.15.0", "0.15.2", "0.16.0", "0.17.0", "0.20.3"] {
        let fixture = Fixture::with(DevServerOptions::new().version(version));
        let stream = fixture.stream(1);
        let id = fixture.client.append_one(&stream, &Record::raw("x")).unwrap();
        let consumer =
            fixture.client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
        receive(&consumer, 1);
        consumer.close(SOON).unwrap();
        match fixture.client.tail_record_id(&stream, id.shard_id) {
            Ok(_) => assert!(version > "0.15.9", "{version}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                assert!(
                    error.to_string().contains("0.16.0") && error.to_string().contains(version),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn a_server_that_is_too_old_is_named_as_such() {
    let server = DevServerOptions::new().version("0.14.0").start().unwrap();
    let error = Client::connect(server.url()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert!(error.to_string().contains("0.14.0") && error.to_string().contains("0.15.0"), "{error}");
}

#[test]
fn a_lazy_client_finds_out_with_its_first_call() {
    let refusing = Refusing::new();
    let free = refusing.address;
    let client = Client::connect(ClientConfig::new(format!("hstream://{free}")).lazy_connect(true)).unwrap();
    let error = client.within(Duration::from_millis(300)).echo("x").unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[test]
fn servers_see_who_consumes_and_what_metadata_comes_along() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let config = ClientConfig::new(fixture.server.url())
        .user_agent("tests/1")
        .metadata("x-forwarded-for", "10.1.2.3")
        .metadata("trace-bin", [0, 255]);
    let client = Client::connect(config).unwrap();
    let consumer = client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    consumer.start().unwrap();
    crate::support::wait_until("it is there", || !client.list_consumers(&subscription).unwrap().is_empty());
    let info = &client.list_consumers(&subscription).unwrap()[0];
    assert!(info.user_agent().ends_with("tests/1"), "{info:?}");
    assert_eq!(info.uri(), "10.1.2.3");
}
