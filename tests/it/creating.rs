//! Creating what may have been created before: nobody knows how the first attempt ended.

use std::thread;
use std::time::Duration;

use hstreamdb::{Client, StartAt, StreamOptions, SubscriptionOptions};

use crate::proxy::behind_a_proxy;
use crate::support::{Fixture, unique, wait_until};

const UNAVAILABLE: i32 = 14;

fn subscription() -> SubscriptionOptions {
    SubscriptionOptions::new().ack_timeout(Duration::from_secs(30)).start(StartAt::Earliest)
}

#[test]
fn what_an_attempt_without_an_answer_created_is_found_by_the_next() {
    let fixture = Fixture::new();
    let (client, faults) = (&fixture.client, fixture.server.faults());
    let name = unique("stream");
    let options = StreamOptions::new().shard_count(3).replication_factor(2).backlog(Duration::from_secs(60));
    faults.next("CreateStream").refuse_after_applying(UNAVAILABLE, "timed out");
    let stream = client.create_stream(&name, options).unwrap();
    assert_eq!((stream.name(), stream.shard_count(), stream.replication_factor()), (&*name, 3, 2));
    assert!(stream.created().is_some());
    faults.next("CreateSubscription").refuse_after_applying(UNAVAILABLE, "timed out");
    let subscription = client.create_subscription(&name, &name, subscription()).unwrap();
    assert_eq!((subscription.id(), subscription.ack_timeout()), (&*name, Duration::from_secs(30)));
    assert_eq!(faults.pending(), 0);
}

#[test]
fn a_lost_connection_after_the_write_is_one_of_these_cases() {
    let (server, proxy) = behind_a_proxy("127.0.0.1");
    let client = Client::connect(proxy.url()).unwrap();
    let lost = |rpc: &str| {
        let before = server.faults().calls(rpc);
        server.faults().next(rpc).never_answer();
        let (rpc, proxy, faults) = (rpc.to_owned(), proxy.clone(), server.faults().clone());
        thread::spawn(move || {
            wait_until("it is carried out", || faults.calls(&rpc) > before && faults.pending() == 0);
            proxy.cut();
        })
    };
    let cut = lost("CreateStream");
    assert_eq!(client.create_stream("s", StreamOptions::new().shard_count(2)).unwrap().shard_count(), 2);
    cut.join().unwrap();
    let cut = lost("CreateSubscription");
    assert_eq!(client.create_subscription("s", "s", subscription()).unwrap().stream(), "s");
    cut.join().unwrap();
    // Sent again, and not only waited for.
    assert_eq!(["CreateStream", "CreateSubscription"].map(|rpc| server.faults().calls(rpc)), [2, 2]);
}

#[test]
fn what_is_there_with_other_options_is_not_ours() {
    let fixture = Fixture::new();
    let (client, faults) = (&fixture.client, fixture.server.faults());
    let (name, other) = (fixture.stream(2), fixture.stream(1));
    for options in [
        StreamOptions::new().shard_count(3),
        StreamOptions::new().shard_count(2).replication_factor(2),
        StreamOptions::new().shard_count(2).backlog(Duration::from_secs(1)),
    ] {
        faults.next("CreateStream").refuse(UNAVAILABLE, "timed out");
        let error = client.create_stream(&name, options).unwrap_err();
        assert!(error.is_already_exists() && error.is_ambiguous(), "{error:?}");
    }
    client.create_subscription(&name, &name, subscription()).unwrap();
    for (stream, options) in [
        (&name, subscription().ack_timeout(Duration::from_secs(31))),
        (&name, subscription().max_unacked_records(7)),
        (&name, subscription().start(StartAt::Latest)),
        (&other, subscription()),
    ] {
        faults.next("CreateSubscription").refuse(UNAVAILABLE, "timed out");
        let error = client.create_subscription(&name, stream, options).unwrap_err();
        assert!(error.is_already_exists() && error.is_ambiguous(), "{error:?}");
    }
    assert_eq!(faults.pending(), 0);
}

#[test]
fn what_was_there_before_the_first_attempt_is_an_error_also_if_it_is_the_same() {
    let fixture = Fixture::new();
    let name = fixture.stream(2);
    let error = fixture.client.create_stream(&name, StreamOptions::new().shard_count(2)).unwrap_err();
    assert!(error.is_already_exists() && !error.is_ambiguous(), "{error:?}");
}
