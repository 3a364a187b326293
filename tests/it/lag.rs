//! How far subscriptions are behind.

use std::time::Duration;

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{ConsumerConfig, DeleteOptions, ErrorKind, Record};

use crate::support::{Fixture, SOON, receive, wait_until};

#[test]
fn the_lag_goes_down_with_acks_until_all_is_caught_up() {
    let fixture = Fixture::with(DevServerOptions::new().nodes(2));
    let client = &fixture.client;
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    for number in 0..5 {
        client.append_one(&stream, &Record::raw(number.to_string())).unwrap();
    }
    let lag = client.subscription_lag(&subscription).unwrap();
    assert_eq!((lag.subscription(), lag.stream()), (subscription.as_str(), stream.as_str()));
    assert!(!lag.is_loaded() && !lag.is_caught_up() && lag.batches().is_none(), "{lag:?}");
    let consumer = client.consumer(&subscription, ConsumerConfig::new()).unwrap();
    let batches = receive(&consumer, 5);
    let ids: Vec<_> = batches.iter().flat_map(hstreamdb::Batch::ids).collect();
    let nothing_acked = client.subscription_lag(&subscription).unwrap();
    assert!(nothing_acked.is_loaded() && nothing_acked.shards()[0].checkpoint().is_none());
    consumer.ack(&ids[..2]).unwrap();
    consumer.flush_acks(SOON).unwrap();
    wait_until("the checkpoint moves", || {
        client.subscription_lag(&subscription).unwrap().batches() == Some(3)
    });
    let lag = client.subscription_lag(&subscription).unwrap();
    let shard = lag.shards()[0];
    assert_eq!(shard.checkpoint(), Some(ids[1].batch_id));
    assert_eq!((shard.tail().batch_id, shard.shard_id()), (ids[4].batch_id, ids[4].shard_id));
    consumer.ack(&ids[2..]).unwrap();
    consumer.flush_acks(SOON).unwrap();
    wait_until("all is acked", || client.subscription_lag(&subscription).unwrap().is_caught_up());
    let lag = client.subscription_lag(&subscription).unwrap();
    assert_eq!(lag.batches(), Some(0));
    assert!(lag.to_json().contains(r#""caught_up":true"#), "{}", lag.to_json());
    consumer.close(SOON).unwrap();
}

#[test]
fn all_shards_are_asked_within_one_time() {
    let fixture = Fixture::new();
    let stream = fixture.stream(40);
    let subscription = fixture.subscription(&stream);
    let lag = fixture.client.subscription_lag(&subscription).unwrap();
    let shards = fixture.client.list_shards(&stream).unwrap();
    let expected: Vec<_> = shards.shards().iter().map(|shard| shard.id()).collect();
    assert_eq!(lag.shards().iter().map(|shard| shard.shard_id()).collect::<Vec<_>>(), expected);
    fixture.server.faults().next("GetTailRecordId").always().delay(Duration::from_secs(60));
    let hasty = fixture.client.within(Duration::from_millis(200));
    let begun = std::time::Instant::now();
    assert!(hasty.subscription_lag(&subscription).unwrap_err().is_timeout());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_not_there_or_not_known_to_old_servers_is_told() {
    let fixture = Fixture::new();
    assert!(fixture.client.subscription_lag("nothing").unwrap_err().is_not_found());
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    fixture.client.delete_stream(&stream, DeleteOptions::new().force()).unwrap();
    let error = fixture.client.subscription_lag(&subscription).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState, "{error:?}");
    assert!(error.to_string().contains("was deleted"), "{error}");
    for version in ["0.15.0", "0.16.0"] {
        let fixture = Fixture::with(DevServerOptions::new().version(version));
        let subscription = fixture.subscription(&fixture.stream(1));
        match fixture.client.subscription_lag(&subscription) {
            Ok(lag) => assert_eq!((version, lag.shards().len()), ("0.16.0", 1)),
            Err(error) => assert_eq!((version, error.kind()), ("0.15.0", ErrorKind::Unsupported)),
        }
    }
}
