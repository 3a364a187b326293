//! Bad servers and bad ways to good ones: every call ends within its time, and all goes on when that is over.

use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    Client, ClientConfig, ConsumerConfig, ConsumerState, Offset, Record, StartAt, SubscriptionOptions,
};

use crate::proxy::{BAD_WAYS, Proxy, Way, behind_a_proxy};
use crate::support::{SOON, receive, texts, wait_until};

const SHORT: Duration = Duration::from_millis(1500);
/// On a busy machine a call ends a little later; one that does not end takes far longer.
const SOON_AFTER: Duration = Duration::from_secs(6);

fn connect(proxy: &Proxy) -> Client {
    let config = ClientConfig::new(proxy.url()).connect_timeout(Duration::from_secs(1));
    Client::connect(config).unwrap()
}

fn create(client: &Client) {
    client.create_stream("s", Default::default()).unwrap();
    let options = SubscriptionOptions::new().start(StartAt::Earliest);
    client.create_subscription("s", "s", options).unwrap();
}

/// The call fails in time, with an error that says where, and that it may be better later.
fn fails_in_time<T: std::fmt::Debug>(
    way: Way,
    call: impl FnOnce() -> hstreamdb::Result<T>,
) -> hstreamdb::Error {
    let started = Instant::now();
    let error = call().unwrap_err();
    assert!(started.elapsed() < SOON_AFTER, "{way:?}: {error} after {:?}", started.elapsed());
    assert!(error.is_retryable(), "{way:?}: {error:?}");
    assert!(error.to_string().contains("127.0.0.1:"), "{way:?}: {error}");
    error
}

fn survives(way: Way) {
    let (_server, proxy) = behind_a_proxy("127.0.0.1");
    let client = connect(&proxy);
    create(&client);
    let config = ConsumerConfig::new().reconnect(Duration::from_millis(10), Duration::from_millis(100));
    let consumer = client.consumer("s", config).unwrap();
    client.append_one("s", &Record::raw("before")).unwrap();
    assert_eq!(texts(&receive(&consumer, 1)), ["before"]);
    client.create_reader("s", "r", Default::default()).unwrap();
    assert_eq!(texts(&[client.read_reader("r", 1).unwrap()]), ["before"]);

    proxy.set(way);
    let short = client.within(SHORT);
    fails_in_time(way, || short.echo("x"));
    fails_in_time(way, || short.append_one("s", &Record::raw("x")));
    fails_in_time(way, || short.read_reader("r", 1));
    fails_in_time(way, || short.trim_stream("s", Offset::Earliest));
    fails_in_time(way, || short.subscription_lag("s"));
    let fresh = Client::connect(ClientConfig::new(proxy.url()).request_timeout(SHORT));
    fails_in_time(way, || fresh);
    wait_until("the consumer notices", || consumer.state() != ConsumerState::Running);
    let started = Instant::now();
    assert!(consumer.poll(1, Duration::from_millis(100)).unwrap().is_none());
    assert!(started.elapsed() < SOON_AFTER && consumer.last_error().is_some(), "{way:?}");

    proxy.set(Way::Good);
    client.echo("x").unwrap();
    client.append_one("s", &Record::raw("after")).unwrap();
    // What was sent and not answered may have been written, and comes in between.
    wait_until("the consumer goes on", || {
        consumer.poll(1, SOON).unwrap().is_some_and(|batch| texts(&[batch]) == ["after"])
    });
    // Of those before it some may have been read and lost.
    wait_until("the reader goes on", || texts(&[client.read_reader("r", 1).unwrap()]) == ["after"]);
    client.delete_reader("r", Default::default()).unwrap();
    consumer.close(SOON).unwrap();
}

#[test]
fn every_call_ends_in_time_whatever_the_server_does_and_all_goes_on_afterwards() {
    thread::scope(|scope| {
        for way in BAD_WAYS {
            scope.spawn(move || survives(way));
        }
    });
}

#[test]
fn closing_ends_in_time_whatever_the_server_does() {
    thread::scope(|scope| {
        for way in BAD_WAYS {
            scope.spawn(move || {
                let (_server, proxy) = behind_a_proxy("127.0.0.1");
                let client = connect(&proxy);
                create(&client);
                let consumer = client.consumer("s", ConsumerConfig::new()).unwrap();
                client.append_one("s", &Record::raw("x")).unwrap();
                let batch = receive(&consumer, 1);
                let producer = client.producer(Default::default()).unwrap();
                producer.appender("s").unwrap();
                proxy.set(way);
                consumer.ack_batch(&batch[0]).unwrap();
                producer.append("s", &Record::raw("y")).unwrap();
                let started = Instant::now();
                assert!(client.close(SHORT).is_err(), "{way:?}: nothing could be written");
                assert!(started.elapsed() < SOON_AFTER, "{way:?}: {:?}", started.elapsed());
            });
        }
    });
}

#[test]
fn a_name_with_a_dead_and_a_live_address_is_reached_by_all_kinds_of_calls() {
    // Where the name is that of the loopback in IPv6 as well, nobody listens there.
    let (_server, proxy) = behind_a_proxy("localhost");
    let client = Client::connect(format!("hstream://localhost:{}", proxy.port)).unwrap();
    create(&client);
    let consumer = client.consumer("s", ConsumerConfig::new()).unwrap();
    for round in 0..2 {
        client.echo("x").unwrap();
        client.append_one("s", &Record::raw(round.to_string())).unwrap();
        assert_eq!(texts(&receive(&consumer, 1)), [round.to_string()]);
        proxy.cut();
    }
}

#[test]
fn all_nodes_may_be_replaced_at_other_addresses_while_the_name_of_the_seed_stays() {
    let seed = Proxy::new();
    let old = DevServerOptions::new().nodes(3).start().unwrap();
    seed.lead_to(old.port());
    let client = Client::connect(seed.url()).unwrap();
    create(&client);
    let producer = client.producer(Default::default()).unwrap();
    producer.append("s", &Record::raw("old")).unwrap();
    assert_eq!(producer.flush(SOON).unwrap().written, 1);
    let new = DevServerOptions::new().nodes(2).start().unwrap();
    old.stop();
    seed.lead_to(new.port());
    seed.cut();
    client.echo("x").unwrap();
    create(&client);
    client.append_one("s", &Record::raw("new")).unwrap();
    let consumer = client.consumer("s", ConsumerConfig::new()).unwrap();
    assert_eq!(texts(&receive(&consumer, 1)), ["new"]);
}

#[test]
fn an_idle_client_with_an_idle_consumer_sends_nothing() {
    let (_server, proxy) = behind_a_proxy("127.0.0.1");
    let client = connect(&proxy);
    create(&client);
    let consumer = client.consumer("s", ConsumerConfig::new()).unwrap();
    consumer.start().unwrap();
    wait_until("the consumer is there", || !client.list_consumers("s").unwrap().is_empty());
    // What was on its way arrives: acknowledgements of settings, windows.
    let mut before = proxy.bytes_sent();
    wait_until("it is quiet", || {
        thread::sleep(Duration::from_millis(300));
        std::mem::replace(&mut before, proxy.bytes_sent()) == proxy.bytes_sent()
    });
    assert!(consumer.poll(1, Duration::from_secs(10)).unwrap().is_none());
    assert_eq!(proxy.bytes_sent(), before);
    assert_eq!(consumer.state(), ConsumerState::Running);
}
