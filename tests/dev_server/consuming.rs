//! Consumers in a cluster: wrong nodes, failover, zombies. What one node does is tested beside its code.

use std::time::{Duration, Instant};

use tonic::Code;

use crate::support::*;

async fn set_up(client: &mut Client, shards: u32) -> Vec<u64> {
    let shards = create_stream(client, "s", shards).await;
    client.create_subscription(subscription("sub", "s", 60)).await.unwrap();
    shards
}

#[test]
fn a_wrong_node_serves_a_subscription_of_its_own() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = set_up(&mut clients[0], 1).await[0];
        let right = owner(&mut clients[0], "sub").await;
        let mut here = Fetch::open(&clients[right], "sub", "c").await;
        let mut there = Fetch::open(&clients[1 - right], "sub", "c").await;
        wait_for_consumers(&clients[right], "sub", 1).await;
        let ids = append(&mut clients[0], shard, 1).await;
        assert_eq!(here.receive().await.record_ids, ids);
        assert_eq!(there.receive().await.record_ids, ids, "delivered twice");
    });
}

#[test]
fn after_a_kill_another_node_goes_on_from_the_checkpoint_at_once() {
    let server = fast().nodes(3).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = set_up(&mut clients[0], 1).await[0];
        let old = owner(&mut clients[0], "sub").await;
        let live = (old + 1) % 3;
        let acked = append(&mut clients[live], shard, 2).await;
        append(&mut clients[live], shard, 2).await;
        let mut fetch = Fetch::open(&clients[old], "sub", "c").await;
        fetch.receive().await;
        let second = fetch.receive().await;
        fetch.ack(acked).await;
        fetch.ack(vec![second.record_ids[0]]).await;
        until("a checkpoint", || {
            let mut client = clients[old].clone();
            async move {
                let request = proto::GetSubscriptionRequest { id: "sub".into() };
                client.get_subscription(request).await.unwrap().into_inner().offsets[0].batch_id == FIRST
            }
        })
        .await;
        let started = Instant::now();
        server.kill_node(old).unwrap();
        assert!(fetch.next().await.is_err(), "the connection broke");
        let new = owner(&mut clients[live], "sub").await;
        assert_ne!(new, old);
        let mut fetch = Fetch::open(&clients[new], "sub", "c").await;
        let again = fetch.receive().await;
        assert_eq!(again.record_ids, second.record_ids, "whole, though half of it was acked");
        assert!(started.elapsed() < Duration::from_secs(10), "no waiting for the time-out of acks");
    });
}

#[test]
fn a_stopped_node_ends_its_consumers_with_unavailable() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        set_up(&mut clients[0], 1).await;
        let old = owner(&mut clients[0], "sub").await;
        let mut fetch = Fetch::open(&clients[old], "sub", "c").await;
        wait_for_consumers(&clients[old], "sub", 1).await;
        server.stop_node(old).unwrap();
        assert_eq!(fetch.next().await.unwrap_err().code(), Code::Unavailable);
        assert_eq!(owner(&mut clients[1 - old], "sub").await, 1 - old);
    });
}

#[test]
fn a_zombie_keeps_its_name_and_its_shards_until_a_message_can_not_be_sent() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = set_up(&mut client, 1).await[0];
        let mut fetch = Fetch::open(&client, "sub", "c").await;
        wait_for_consumers(&client, "sub", 1).await;
        assert_eq!(server.faults().make_zombies("sub", Some("other"), 14, ""), 0);
        assert_eq!(server.faults().make_zombies("sub", Some("c"), 14, "cut"), 1);
        is_plain(&fetch.next().await.unwrap_err(), Code::Unavailable, "cut");
        let taken = Fetch::open(&client, "sub", "c").await.next().await.unwrap_err();
        is_json(&taken, Code::AlreadyExists, 0, "ConsumerExists", "c");
        let ids = append(&mut client, shard, 1).await;
        wait_for_consumers(&client, "sub", 0).await;
        let mut fetch = Fetch::open(&client, "sub", "c").await;
        assert_eq!(fetch.receive().await.record_ids, ids, "what could not be sent comes to the next");
    });
}

#[test]
fn a_half_closed_fetch_ends_with_the_status_of_the_build() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        set_up(&mut client, 1).await;
        let fetch = async || {
            let fetch = Fetch::open(&client, "sub", "c").await;
            wait_for_consumers(&client, "sub", 1).await;
            let ended = fetch.half_close().await;
            wait_for_consumers(&client, "sub", 0).await;
            ended
        };
        fetch().await.unwrap();
        server.faults().half_closed(2, "should not reach here");
        is_plain(&fetch().await.unwrap_err(), Code::Unknown, "should not reach here");
        server.faults().half_closed(0, "");
        fetch().await.unwrap();
    });
}

#[test]
fn a_forced_deletion_tells_new_consumers_and_deleters_that_it_is_under_way() {
    // Consumers are only told at the tick of the delivery, which comes at once here; what is seen in
    // between is tested beside the code.
    let server = fast().nodes(3).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        set_up(&mut clients[0], 2).await;
        let own = owner(&mut clients[0], "sub").await;
        let mut fetches = Vec::new();
        for name in ["a", "b", "c"] {
            fetches.push(Fetch::open(&clients[own], "sub", name).await);
        }
        wait_for_consumers(&clients[own], "sub", 3).await;
        let delete = |force| proto::DeleteSubscriptionRequest { subscription_id: "sub".into(), force };
        let wrong = clients[(own + 1) % 3].delete_subscription(delete(true)).await.unwrap_err();
        let extra = "Subscription is bound to a different node";
        is_json(&wrong, Code::FailedPrecondition, 800, "WrongServer", extra);
        clients[own].delete_subscription(delete(true)).await.unwrap();
        for mut fetch in fetches {
            let ended = fetch.next().await.unwrap_err();
            is_json(&ended, Code::Aborted, 0, "SubscriptionIsDeleting", "\"sub\"");
        }
        let exists = proto::CheckSubscriptionExistRequest { subscription_id: "sub".into() };
        assert!(!clients[0].check_subscription_exist(exists).await.unwrap().into_inner().exists);
    });
}

#[test]
fn six_shards_of_one_consumer_become_five_and_one_with_a_second() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shards = set_up(&mut client, 6).await;
        let mut first = Fetch::open(&client, "sub", "a").await;
        for shard in &shards {
            append(&mut client, *shard, 1).await;
            first.receive().await;
        }
        let mut second = Fetch::open(&client, "sub", "b").await;
        wait_for_consumers(&client, "sub", 2).await;
        let largest = *shards.iter().max().unwrap();
        // The move happens at a tick: until then the first one has it still.
        loop {
            append(&mut client, largest, 1).await;
            tokio::select! {
                _ = first.receive() => {}
                received = second.receive() => {
                    assert_eq!(received.record_ids[0].shard_id, largest);
                    break;
                }
            }
        }
        for shard in shards.iter().filter(|shard| **shard != largest) {
            append(&mut client, *shard, 1).await;
            while first.receive().await.record_ids[0].shard_id != *shard {}
        }
        second.is_silent().await;
    });
}

#[test]
fn a_wrong_node_does_not_hear_of_a_deletion() {
    let server = fast().nodes(2).start().unwrap();
    run(async {
        let mut clients = clients(&server).await;
        let shard = set_up(&mut clients[0], 1).await[0];
        let right = owner(&mut clients[0], "sub").await;
        let mut there = Fetch::open(&clients[1 - right], "sub", "c").await;
        append(&mut clients[0], shard, 1).await;
        there.receive().await;
        let delete = proto::DeleteSubscriptionRequest { subscription_id: "sub".into(), force: false };
        clients[right].delete_subscription(delete).await.unwrap();
        let ids = append(&mut clients[0], shard, 1).await;
        assert_eq!(there.receive().await.record_ids, ids);
        there.ack(ids).await;
        there.is_silent().await;
    });
}
