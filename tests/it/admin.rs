//! Streams, shards and subscriptions.

use std::time::Duration;

use hstreamdb::{DeleteOptions, ErrorKind, StartAt, StreamOptions, SubscriptionOptions};

use crate::support::{Fixture, unique};

#[test]
fn a_stream_is_created_described_listed_and_deleted() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let name = unique("stream");
    let options = StreamOptions::new().shard_count(3).replication_factor(2).backlog(Duration::from_secs(60));
    let created = client.create_stream(&name, options).unwrap();
    let found = client.get_stream(&name).unwrap();
    for stream in [&created, &found] {
        assert_eq!((stream.name(), stream.shard_count(), stream.replication_factor()), (&*name, 3, 2));
        assert_eq!(stream.backlog(), Duration::from_secs(60));
        assert!(stream.created().is_some());
    }
    assert!(client.stream_exists(&name).unwrap());
    let alone = [found];
    assert_eq!(client.list_streams().unwrap(), alone);
    assert_eq!(client.list_streams_with_prefix(&name[..3]).unwrap(), alone);
    assert_eq!(client.list_streams_with_prefix("").unwrap(), alone);
    assert!(client.list_streams_with_prefix("other").unwrap().is_empty());
    client.delete_stream(&name, DeleteOptions::new()).unwrap();
    assert!(!client.stream_exists(&name).unwrap());
}

#[test]
fn what_is_missing_or_there_already_is_told_by_name() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let name = fixture.stream(1);
    let exists = client.create_stream(&name, StreamOptions::new()).unwrap_err();
    assert!(exists.is_already_exists() && exists.to_string().contains(&name), "{exists}");
    assert_eq!(exists.server().unwrap().code(), Some(201));
    let errors = [
        client.get_stream("missing").map(drop),
        client.list_shards("missing").map(drop),
        client.delete_stream("missing", DeleteOptions::new()),
        client.create_subscription("s", "missing", SubscriptionOptions::new()).map(drop),
        client.get_subscription("missing").map(drop),
        client.list_consumers("missing").map(drop),
        client.delete_subscription("missing", DeleteOptions::new()),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert!(error.is_not_found() && error.to_string().contains("missing"), "{error:?}");
        assert!(!error.node().is_empty() && error.attempts() > 0, "{error:?}");
    }
    let ignoring = DeleteOptions::new().ignore_missing();
    client.delete_stream("missing", ignoring).unwrap();
    client.delete_subscription("missing", ignoring).unwrap();
}

#[test]
fn options_of_one_call_never_show_in_the_next() {
    let fixture = Fixture::new();
    let (first, second) = (fixture.stream(1), fixture.stream(1));
    fixture.subscription(&first);
    fixture.subscription(&second);
    fixture.client.delete_stream(&first, DeleteOptions::new().force()).unwrap();
    let error = fixture.client.delete_stream(&second, DeleteOptions::new()).unwrap_err();
    assert_eq!(error.server().unwrap().code(), Some(202), "{error}");
}

#[test]
fn values_that_the_server_would_take_literally_are_refused_here() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let name = fixture.stream(1);
    let refused = [
        client.create_stream("s", StreamOptions::new().shard_count(0)).map(drop),
        client.create_stream("s", StreamOptions::new().replication_factor(0)).map(drop),
        client.create_stream("s", StreamOptions::new().backlog(Duration::MAX)).map(drop),
        client.create_stream("1s", StreamOptions::new()).map(drop),
        client
            .create_subscription("s", &name, SubscriptionOptions::new().ack_timeout(Duration::ZERO))
            .map(drop),
        client.create_subscription("s", &name, SubscriptionOptions::new().max_unacked_records(0)).map(drop),
    ];
    for error in refused.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}

#[test]
fn shards_come_sorted_by_range_whatever_the_servers_order() {
    let fixture = Fixture::new();
    let shards = fixture.client.list_shards(&fixture.stream(16)).unwrap();
    assert_eq!(shards.shards().len(), 16);
    assert_eq!((shards.shards()[0].start(), shards.shards()[15].end()), (0, u128::MAX));
    for pair in shards.shards().windows(2) {
        assert_eq!(pair[0].end() + 1, pair[1].start());
    }
    assert!(shards.shards().iter().all(|shard| shard.is_active() && shard.epoch() == 16));
}

#[test]
fn a_subscription_is_created_described_listed_and_deleted() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    let (stream, id) = (fixture.stream(1), unique("subscription"));
    let options = SubscriptionOptions::new().ack_timeout(Duration::from_secs(7)).max_unacked_records(9);
    client.create_subscription(&id, &stream, options.start(StartAt::Earliest)).unwrap();
    let found = client.get_subscription(&id).unwrap();
    assert_eq!((found.id(), found.stream(), found.start()), (&*id, &*stream, StartAt::Earliest));
    assert_eq!((found.ack_timeout(), found.max_unacked_records()), (Duration::from_secs(7), 9));
    assert!(client.subscription_exists(&id).unwrap());
    assert_eq!(client.list_subscriptions().unwrap()[0].id(), id);
    assert_eq!(client.list_subscriptions_with_prefix(&id).unwrap().len(), 1);
    client.delete_subscription(&id, DeleteOptions::new()).unwrap();
    assert!(!client.subscription_exists(&id).unwrap());
}

#[test]
fn the_tail_moves_with_appends() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let shard = fixture.client.list_shards(&stream).unwrap().shards()[0].id();
    let before = fixture.client.tail_record_id(&stream, shard).unwrap();
    let id = fixture.client.append_one(&stream, &hstreamdb::Record::raw("a")).unwrap();
    let after = fixture.client.tail_record_id(&stream, shard).unwrap();
    assert!(before < after && after >= id);
    assert!(fixture.client.tail_record_id(&stream, 1).unwrap_err().is_not_found());
}

#[test]
fn echo_answers() {
    assert_eq!(Fixture::new().client.echo("hello").unwrap(), "hello");
}
