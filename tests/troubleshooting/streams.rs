//! Streams and subscriptions that are not there, or are in use.

use hstreamdb::{ConsumerConfig, DeleteOptions, Record, StreamOptions, SubscriptionOptions};

use crate::support::{Fixture, SOON, wait_until};

pub(crate) fn not_found() -> Vec<String> {
    let Fixture { client, server: _server } = Fixture::new();
    vec![
        client.append_one("quakes", &Record::raw("x")).unwrap_err().to_string(),
        client.get_stream("quakes").unwrap_err().to_string(),
        client.create_subscription("alarm", "quakes", SubscriptionOptions::new()).unwrap_err().to_string(),
    ]
}

pub(crate) fn exists() -> Vec<String> {
    let Fixture { client, server: _server } = Fixture::new();
    client.create_stream("quakes", StreamOptions::new()).unwrap();
    vec![client.create_stream("quakes", StreamOptions::new()).unwrap_err().to_string()]
}

pub(crate) fn has_subscriptions() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    fixture.subscription(&stream);
    vec![fixture.client.delete_stream(&stream, DeleteOptions::new()).unwrap_err().to_string()]
}

pub(crate) fn created_anew() -> Vec<String> {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let producer = fixture.client.producer(Default::default()).unwrap();
    let appender = producer.appender(&stream).unwrap();
    appender.append_wait(&Record::raw("x"), SOON).unwrap();
    fixture.client.delete_stream(&stream, DeleteOptions::new()).unwrap();
    fixture.client.create_stream(&stream, StreamOptions::new()).unwrap();
    vec![appender.append_wait(&Record::raw("x"), SOON).unwrap_err().to_string()]
}

pub(crate) fn bad_name() -> Vec<String> {
    let Fixture { client, server: _server } = Fixture::new();
    vec![client.create_stream("1 stream", StreamOptions::new()).unwrap_err().to_string()]
}

pub(crate) fn subscription_not_found() -> Vec<String> {
    let Fixture { client, server: _server } = Fixture::new();
    vec![client.consumer("alarm", ConsumerConfig::new()).unwrap_err().to_string()]
}

pub(crate) fn subscription_in_use() -> Vec<String> {
    let fixture = Fixture::new();
    let subscription = fixture.subscription(&fixture.stream(1));
    let consumer = fixture.client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    consumer.start().unwrap();
    wait_until("it is there", || !fixture.client.list_consumers(&subscription).unwrap().is_empty());
    vec![fixture.client.delete_subscription(&subscription, DeleteOptions::new()).unwrap_err().to_string()]
}
