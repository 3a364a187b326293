//! Many streams, many subscriptions, many shards. Figures go to the test's output.

use std::time::{Duration, Instant};

use crate::support::*;

#[test]
fn ten_thousand_streams_are_listed_in_less_than_a_second() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        for index in 0..10_000 {
            let stream = proto::Stream {
                stream_name: format!("stream-{index}"),
                replication_factor: 1,
                shard_count: 1,
                ..Default::default()
            };
            client.create_stream(stream).await.unwrap();
        }
        let started = Instant::now();
        let listed = client.list_streams(proto::ListStreamsRequest {}).await.unwrap().into_inner();
        let took = started.elapsed();
        assert_eq!(listed.streams.len(), 10_000);
        assert!(took < Duration::from_secs(1), "{took:?}");
        println!("10,000 streams listed in {took:?}");
    });
}

#[test]
fn a_thousand_subscriptions_with_a_consumer_each_all_get_their_records() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = create_stream(&mut client, "s", 1).await[0];
        let mut fetches = Vec::new();
        let started = Instant::now();
        for index in 0..1000 {
            let id = format!("sub-{index}");
            client.create_subscription(subscription(&id, "s", 60)).await.unwrap();
            fetches.push(Fetch::open(&client, &id, "c").await);
        }
        append(&mut client, shard, 1).await;
        for fetch in &mut fetches {
            let received = fetch.receive().await;
            fetch.ack(received.record_ids).await;
        }
        println!("1,000 subscriptions made, joined and served in {:?}", started.elapsed());
        let started = Instant::now();
        append(&mut client, shard, 1).await;
        for fetch in &mut fetches {
            fetch.receive().await;
        }
        println!("the next record to all of them in {:?}", started.elapsed());
    });
}

#[test]
fn five_hundred_shards_are_made_written_read_and_consumed() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let started = Instant::now();
        let shards = create_stream(&mut client, "s", 500).await;
        client.create_subscription(subscription("sub", "s", 60)).await.unwrap();
        for shard in &shards {
            append(&mut client, *shard, 1).await;
        }
        let request =
            proto::ReadStreamRequest { stream_name: "s".into(), until: of_stream(1), ..Default::default() };
        let read = collect(client.read_stream(request).await).await.unwrap();
        assert_eq!(read.iter().map(|message| message.received_records.len()).sum::<usize>(), 500);
        let mut fetch = Fetch::open(&client, "sub", "c").await;
        for _ in 0..500 {
            let received = fetch.receive().await;
            fetch.ack(received.record_ids).await;
        }
        println!("500 shards made, written, read and consumed in {:?}", started.elapsed());
    });
}
