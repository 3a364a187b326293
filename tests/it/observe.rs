//! Events and metrics.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    Client, ClientConfig, Compression, ConsumerConfig, ConsumerState, ErrorKind, Event, EventKind, Metric,
    ProducerConfig, Record, StreamOptions, SubjectKind,
};

use crate::support::{Fixture, SOON, receive, unique, wait_until};

#[path = "../../examples/metrics.rs"]
#[allow(dead_code, unreachable_pub)]
mod example;

/// A client of the server whose events come here.
fn watched(fixture: &Fixture) -> (Client, Receiver<Event>) {
    let (told, events) = mpsc::channel();
    let told = Mutex::new(told);
    let config = ClientConfig::new(fixture.server.url()).on_event(move |event| {
        let _ = told.lock().unwrap().send(event.clone());
    });
    (Client::connect(config).unwrap(), events)
}

/// The next event of this kind, and what came before it.
fn next(events: &Receiver<Event>, kind: EventKind) -> (Event, Vec<Event>) {
    let mut before = Vec::new();
    loop {
        let event = events.recv_timeout(SOON).unwrap_or_else(|_| panic!("no {kind:?} after {before:?}"));
        if event.kind() == kind {
            return (event, before);
        }
        before.push(event);
    }
}

#[test]
fn a_lost_node_is_told_once_and_its_return_as_well() {
    let fixture =
        Fixture::with(DevServerOptions::new().nodes(3).failure_detection(Duration::from_millis(100)));
    let (client, events) = watched(&fixture);
    let victim = fixture.server.node_urls()[1].replace("hstream://", "");
    // All nodes are asked in turn.
    (0..6).for_each(|_| drop(client.echo("x").unwrap()));
    fixture.server.kill_node(1).unwrap();
    wait_until("the node is missed", || {
        client.echo("x").unwrap();
        client.metric(Metric::NodesInTrouble) == 1
    });
    (0..20).for_each(|_| drop(client.echo("x").unwrap()));
    client.refresh().unwrap();
    fixture.server.restart_node(1).unwrap();
    // New shards are looked up, so the node is asked as soon as it owns one.
    wait_until("the node is asked again", || {
        let stream = unique("stream");
        client.create_stream(&stream, StreamOptions::new().shard_count(8)).unwrap();
        let records: Vec<_> = (0..32).map(|number| Record::raw("x").with_key(number.to_string())).collect();
        let _ = client.append(&stream, &records, Compression::none());
        client.metric(Metric::NodesInTrouble) == 0
    });
    let (back, before) = next(&events, EventKind::Reconnected);
    assert_eq!((back.node(), back.subject_kind(), back.subject()), (&*victim, SubjectKind::Client, ""));
    let lost: Vec<_> = before.iter().filter(|event| event.kind() == EventKind::NodeLost).collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0].node(), victim);
    assert!(lost[0].error().is_some_and(|error| error.to_string().contains(&victim)), "{:?}", lost[0]);
    assert!(lost[0].time() <= back.time());
    let node = client.metrics().nodes.into_iter().find(|node| node.address == victim).unwrap();
    assert!(node.failures > 0 && !node.in_trouble && !node.last_error.is_empty(), "{node:?}");
}

#[test]
fn a_change_of_the_cluster_is_told() {
    let fixture =
        Fixture::with(DevServerOptions::new().nodes(2).failure_detection(Duration::from_millis(50)));
    let (client, events) = watched(&fixture);
    fixture.server.kill_node(1).unwrap();
    wait_until("the node is gone", || {
        client.refresh().unwrap();
        client.metric(Metric::Nodes) == 1
    });
    let (changed, _) = next(&events, EventKind::ClusterChanged);
    assert!(changed.to_string().ends_with(" left"), "{changed}");
}

#[test]
fn what_a_consumer_does_is_told_in_order() {
    let fixture = Fixture::new();
    let (client, events) = watched(&fixture);
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    fixture.client.append_one(&stream, &Record::raw("x")).unwrap();
    let config = ConsumerConfig::new().reconnect(Duration::from_millis(10), Duration::from_millis(50));
    let consumer = client.consumer(&subscription, config).unwrap();
    consumer.ack_batch(&receive(&consumer, 1)[0]).unwrap();
    consumer.flush_acks(SOON).unwrap();
    wait_until("the connection is broken", || fixture.server.faults().break_connections(&subscription) > 0);
    wait_until("it is back", || client.metric(Metric::Reconnects) == 1);
    consumer.close(SOON).unwrap();
    client.close(SOON).unwrap();
    let events: Vec<_> = events.try_iter().collect();
    let states: Vec<_> = events.iter().filter_map(Event::state).collect();
    use ConsumerState::*;
    assert_eq!(states, [Connecting, Running, Reconnecting, Running, Stopped, Closed]);
    let of_consumer =
        |event: &&Event| event.subject_kind() == SubjectKind::Consumer && event.state().is_none();
    let others: Vec<_> = events.iter().filter(of_consumer).collect();
    assert_eq!(
        others.iter().map(|event| event.kind()).collect::<Vec<_>>(),
        [EventKind::Reconnecting, EventKind::Reconnected]
    );
    assert!(others.iter().all(|event| event.subject() == subscription));
    assert!(others[0].error().is_some());
}

#[test]
fn acks_that_were_not_sent_at_close_are_told_and_a_failure_has_its_reason() {
    let fixture = Fixture::new();
    let (client, events) = watched(&fixture);
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    fixture.client.append_one(&stream, &Record::raw("x")).unwrap();
    let consumer = client
        .consumer(&subscription, ConsumerConfig::new().ack_batch(1000, Duration::from_secs(3600)))
        .unwrap();
    consumer.ack_batch(&receive(&consumer, 1)[0]).unwrap();
    fixture.client.delete_subscription(&subscription, hstreamdb::DeleteOptions::new().force()).unwrap();
    wait_until("the consumer fails", || consumer.state() == ConsumerState::Failed);
    consumer.close(SOON).unwrap();
    let (unsent, before) = next(&events, EventKind::AcksUnsent);
    assert_eq!((unsent.subject(), unsent.subject_kind()), (&*subscription, SubjectKind::Consumer));
    assert!(unsent.to_string().contains("1 were not sent"), "{unsent}");
    let failed = before.iter().find(|event| event.state() == Some(ConsumerState::Failed)).unwrap();
    assert!(failed.error().is_some(), "{failed:?}");
}

#[test]
fn a_slow_callback_slows_nothing_and_close_waits_for_the_running_one() {
    let fixture = Fixture::new();
    let (go_on, wait_for_it) = mpsc::channel::<()>();
    let (told, inside) = mpsc::channel();
    let (told, wait_for_it) = (Mutex::new(told), Mutex::new(wait_for_it));
    let client = Client::connect(ClientConfig::new(fixture.server.url()).on_event(move |_| {
        told.lock().unwrap().send(()).unwrap();
        let _ = wait_for_it.lock().unwrap().recv();
    }));
    let client = client.unwrap();
    let stream = fixture.stream(1);
    let consumer = client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    let begun = Instant::now();
    // Each round has three events at least.
    while client.metric(Metric::EventsDropped) == 0 {
        consumer.start().unwrap();
        consumer.stop(SOON).unwrap();
        assert!(begun.elapsed() < SOON, "the queue is never full");
    }
    inside.recv().unwrap();
    client.echo("x").unwrap();
    let closer = thread::spawn({
        let client = client.clone();
        move || client.close(Duration::from_millis(50))
    });
    assert!(inside.recv_timeout(Duration::from_millis(200)).is_err(), "one at a time");
    assert!(!closer.is_finished());
    go_on.send(()).unwrap();
    closer.join().unwrap().unwrap();
    assert!(inside.try_recv().is_err(), "no callback runs after the close");
    assert!(client.metric(Metric::EventsDropped) > 1000);
}

#[test]
fn a_callback_may_call_everything_but_close_and_may_panic() {
    let fixture = Fixture::new();
    let client = Arc::new(OnceLock::<Client>::new());
    let (told, outcomes) = mpsc::channel();
    let told = Mutex::new(told);
    let own = client.clone();
    let config = ClientConfig::new(fixture.server.url()).on_event(move |_| {
        let client = own.get().unwrap();
        let outcome = (client.echo("inside").unwrap(), client.close(SOON).unwrap_err().kind());
        told.lock().unwrap().send(outcome).unwrap();
        panic!("on purpose");
    });
    let client = client.get_or_init(|| Client::connect(config).unwrap());
    let stream = fixture.stream(1);
    let consumer = client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
    consumer.start().unwrap();
    for _ in 0..2 {
        let outcome = outcomes.recv_timeout(SOON).unwrap();
        assert_eq!(outcome, ("inside".to_owned(), ErrorKind::WouldDeadlock));
    }
    client.echo("still open").unwrap();
    client.close(SOON).unwrap();
}

#[test]
fn all_events_are_told_before_close_returns_and_those_of_a_dropped_client_too() {
    let fixture = Fixture::new();
    for close in [true, false] {
        let (client, events) = watched(&fixture);
        let stream = fixture.stream(1);
        let consumer = client.consumer(&fixture.subscription(&stream), ConsumerConfig::new()).unwrap();
        consumer.start().unwrap();
        if close {
            client.close(SOON).unwrap();
        }
        drop(consumer);
        drop(client);
        let states: Vec<_> = events.iter().filter_map(|event| event.state()).collect();
        assert_eq!(states.last(), Some(&ConsumerState::Closed), "{states:?}");
    }
}

#[test]
fn known_traffic_has_exact_numbers() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let client = Client::connect(fixture.server.url()).unwrap();
    let before = client.metric(Metric::Calls);
    (0..10).for_each(|_| drop(client.echo("x").unwrap()));
    assert_eq!(client.metric(Metric::Calls) - before, 10);
    assert!(client.get_stream("no such stream").is_err());
    assert_eq!((client.metric(Metric::Failures), client.metric(Metric::Retries)), (1, 0));

    fixture.server.faults().next("Append").refuse(14, "later");
    client.append(&stream, &[Record::raw("abc"), Record::raw("d")], Compression::none()).unwrap();
    client.append_one(&stream, &Record::raw("e")).unwrap();
    assert_eq!((client.metric(Metric::RecordsOut), client.metric(Metric::BatchesOut)), (3, 2));
    assert!(client.metric(Metric::BytesOut) > 5);
    assert_eq!((client.metric(Metric::Failures), client.metric(Metric::Retries)), (2, 1));

    let consumer = client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    let batches = receive(&consumer, 3);
    let numbers =
        |metrics: &[Metric]| metrics.iter().map(|metric| client.metric(*metric)).collect::<Vec<_>>();
    assert_eq!(numbers(&[Metric::RecordsIn, Metric::BatchesIn, Metric::Unacked]), [3, 2, 3]);
    assert_eq!(client.metric(Metric::BytesIn), client.metric(Metric::BytesOut));
    batches.iter().for_each(|batch| consumer.ack_batch(batch).unwrap());
    consumer.flush_acks(SOON).unwrap();
    assert_eq!(numbers(&[Metric::Unacked, Metric::PendingAcks, Metric::Reconnects]), [0, 0, 0]);

    let producer = client.producer(ProducerConfig::new().linger(hstreamdb::Linger::ByHand)).unwrap();
    producer.append(&stream, &Record::raw("waits")).unwrap();
    assert_eq!(client.metric(Metric::QueuedRecords), 1);
    assert_eq!(client.metric(Metric::QueuedBytes), producer.pending_bytes());
    let metrics = client.metrics();
    assert_eq!(metrics.producers[0].pending_records, 1);
    let of_consumer = &metrics.consumers[0];
    assert_eq!(
        (of_consumer.subscription.as_str(), of_consumer.name.as_str()),
        (&*subscription, consumer.name())
    );
    assert_eq!((of_consumer.records, of_consumer.state), (3, ConsumerState::Running));
    assert!(of_consumer.last_record_age.is_some_and(|age| age < SOON));
    producer.close(SOON).unwrap();
    consumer.close(SOON).unwrap();

    let metrics = client.metrics();
    let calls: u64 = metrics.nodes.iter().map(|node| node.calls).sum();
    assert_eq!(calls, metrics.total(Metric::Calls));
    assert_eq!(metrics.total(Metric::CallLatencyCount), calls);
    let [node] = metrics.nodes.as_slice() else { panic!("{:?}", metrics.nodes) };
    assert_eq!((node.latency.count, node.failures, node.in_flight, node.in_trouble), (calls, 2, 0, false));
    let latency = node.latency;
    assert!(latency.p50 <= latency.p90 && latency.p90 <= latency.p99 && latency.p99 <= latency.max);
    assert!(latency.max <= latency.sum && latency.p50 > Duration::ZERO);
    assert_eq!(latency.sum.as_micros(), u128::from(metrics.total(Metric::CallLatencySumUs)));
    assert!(node.last_success_age.is_some() && node.last_error.contains("later"), "{node:?}");
    assert_eq!((metrics.total(Metric::Refreshes), metrics.total(Metric::Nodes)), (1, 1));
    assert!(metrics.view_age.is_some_and(|age| age < SOON));
}

#[test]
fn calls_on_the_way_are_counted_as_such_and_those_given_up_as_failures() {
    let fixture = Fixture::new();
    let client = Client::connect(fixture.server.url()).unwrap();
    fixture.server.faults().next("Echo").ignore();
    let quick = client.within(Duration::from_millis(300));
    let caller = thread::spawn(move || quick.echo("x").unwrap_err().kind());
    wait_until("a call is on its way", || client.metrics().nodes[0].in_flight == 1);
    assert_eq!(caller.join().unwrap(), ErrorKind::Timeout);
    wait_until("it is given up", || client.metrics().nodes[0].in_flight == 0);
    assert_eq!(client.metric(Metric::Failures), 1);
}

/// What the JSON has, for ever: this list only grows.
#[test]
fn the_keys_of_the_json_are_only_added_to() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let _producer = fixture.client.producer(ProducerConfig::new()).unwrap();
    let _consumer = fixture.client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&fixture.client.metrics().to_json()).unwrap();
    let has = |value: &serde_json::Value, keys: &str| {
        let found: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found.join(" "), keys);
    };
    has(&json, "consumers nodes producers tls totals view_age_ms");
    has(
        &json["totals"],
        "batches_in batches_out bytes_in bytes_out call_latency_count call_latency_sum_us calls events_dropped \
         failures nodes nodes_in_trouble pending_acks queued_bytes queued_records reconnects records_in records_out \
         refreshes retries unacked",
    );
    let node = &json["nodes"][0];
    has(node, "address calls failures in_flight last_error last_success_age_ms latency_us state");
    has(&node["latency_us"], "count max p50 p90 p99 sum");
    has(
        &json["producers"][0],
        "accepted append_latency_us batch_bytes batch_records delivery_latency_us failed pending_bytes \
             pending_records retries shards unknown wire_bytes written",
    );
    has(
        &json["consumers"][0],
        "bytes last_record_age_ms name pending_acks reconnects records state subscription unacked",
    );
    has(&json["tls"], "client_certificate_expires_ms server_certificate_expires_ms");
    assert!(json["tls"]["client_certificate_expires_ms"].is_null());
    assert_eq!((&node["state"], &json["consumers"][0]["state"]), (&"well".into(), &"idle".into()));
}

#[test]
fn the_example_writes_what_prometheus_reads() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    let client = Client::connect(fixture.server.url()).unwrap();
    let consumer = client.consumer(&subscription, ConsumerConfig::new().name("a\"b\\c\nd")).unwrap();
    client.append_one(&stream, &Record::raw("x")).unwrap();
    let text = example::prometheus(&client.metrics());
    let address = fixture.server.url().replace("hstream://", "");
    for line in [
        "# HELP hstream_records_out_total Records that the server said it has written.".to_owned(),
        "# TYPE hstream_records_out_total counter".to_owned(),
        "hstream_records_out_total 1".to_owned(),
        "# TYPE hstream_nodes gauge".to_owned(),
        "hstream_nodes 1".to_owned(),
        format!("hstream_node_up{{address=\"{address}\"}} 1"),
        format!(
            "hstream_node_latency_seconds_count{{address=\"{address}\"}} {}",
            client.metric(Metric::Calls)
        ),
        format!(r#"hstream_consumer_unacked{{subscription="{subscription}",consumer="a\"b\\c\nd"}} 0"#),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    // Each family once, explained before its samples.
    let mut seen = std::collections::BTreeSet::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap().to_owned();
            assert!(seen.insert(family.clone()), "{family} comes twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&family), "{line} is in {family}");
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
    }
    drop(consumer);
}
