//! The server as its clients see it, over the wire. They use the generated client and nothing of ours.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use super::{DevServer, DevServerOptions};
use crate::proto;
use crate::proto::h_stream_api_client::HStreamApiClient;

type Client = HStreamApiClient<Channel>;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn fast() -> DevServerOptions {
    DevServerOptions::new()
        .assignment_tick(Duration::from_millis(10))
        .resend_tick(Duration::from_millis(10))
        .seed(1)
}

/// Runs a test against a server, on a runtime of the test's own.
fn with<F: Future<Output = ()>>(options: DevServerOptions, test: impl FnOnce(Arc<DevServer>, Client) -> F) {
    let server = Arc::new(options.start().unwrap());
    run(async move {
        let client = client(&server).await;
        tokio::time::timeout(PATIENCE, test(Arc::clone(&server), client)).await.expect("the test hangs");
    });
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

async fn client(server: &DevServer) -> Client {
    let url = format!("http://127.0.0.1:{}", server.port());
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    HStreamApiClient::new(channel).max_decoding_message_size(usize::MAX)
}

/// A stream `s` and a subscription `sub` to it. Returns the shards in the server's order.
async fn set_up(client: &mut Client, shards: u32, ack_timeout: i32) -> Vec<u64> {
    let stream = proto::Stream {
        stream_name: "s".into(),
        replication_factor: 1,
        shard_count: shards,
        ..Default::default()
    };
    client.create_stream(stream).await.unwrap();
    let subscription = proto::Subscription {
        subscription_id: "sub".into(),
        stream_name: "s".into(),
        ack_timeout_seconds: ack_timeout,
        max_unacked_records: 100_000,
        ..Default::default()
    };
    client.create_subscription(subscription).await.unwrap();
    let request = proto::ListShardsRequest { stream_name: "s".into() };
    let shards = client.list_shards(request).await.unwrap().into_inner().shards;
    shards.into_iter().map(|shard| shard.shard_id).collect()
}

fn batch(records: u32) -> proto::BatchedRecord {
    let record = |index: u32| proto::HStreamRecord {
        header: Some(proto::HStreamRecordHeader { flag: 1, ..Default::default() }),
        payload: Bytes::from(format!("record {index}")),
    };
    let payload = proto::BatchHStreamRecords { records: (0..records).map(record).collect() };
    proto::BatchedRecord {
        batch_size: records,
        payload: payload.encode_to_vec().into(),
        ..Default::default()
    }
}

fn append_of(shard_id: u64, records: proto::BatchedRecord) -> proto::AppendRequest {
    proto::AppendRequest { stream_name: "s".into(), shard_id, records: Some(records) }
}

async fn append(client: &mut Client, shard: u64, records: u32) -> Result<Vec<proto::RecordId>, Status> {
    let response = client.append(append_of(shard, batch(records))).await?;
    Ok(response.into_inner().record_ids)
}

/// A consumer's call: what it sends, and what it gets once that begins.
struct Fetch {
    acks: mpsc::Sender<proto::StreamingFetchRequest>,
    opening: tokio::task::JoinHandle<Result<Streaming<proto::StreamingFetchResponse>, Status>>,
    answers: Option<Streaming<proto::StreamingFetchResponse>>,
}

impl Fetch {
    async fn open(client: &Client, name: &str) -> Self {
        let mut client = client.clone();
        let (acks, requests) = mpsc::channel(16);
        let first = proto::StreamingFetchRequest {
            subscription_id: "sub".into(),
            consumer_name: name.into(),
            ack_ids: Vec::new(),
        };
        acks.send(first).await.unwrap();
        let opening = tokio::spawn(async move {
            client.streaming_fetch(ReceiverStream::new(requests)).await.map(tonic::Response::into_inner)
        });
        Fetch { acks, opening, answers: None }
    }

    async fn next(&mut self) -> Result<Option<proto::ReceivedRecord>, Status> {
        if self.answers.is_none() {
            self.answers = Some((&mut self.opening).await.unwrap()?);
        }
        let message = self.answers.as_mut().unwrap().message().await?;
        Ok(message.map(|message| message.received_records.unwrap()))
    }

    async fn receive(&mut self) -> proto::ReceivedRecord {
        self.next().await.unwrap().expect("the call has ended")
    }

    async fn ack(&self, ack_ids: Vec<proto::RecordId>) {
        self.acks.send(proto::StreamingFetchRequest { ack_ids, ..Default::default() }).await.unwrap();
    }
}

async fn consumers(client: &mut Client) -> Vec<proto::Consumer> {
    let request = proto::ListConsumersRequest { subscription_id: "sub".into() };
    client.list_consumers(request).await.unwrap().into_inner().consumers
}

async fn wait_for_consumers(client: &mut Client, count: usize) {
    while consumers(client).await.len() != count {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn checkpoint(client: &mut Client) -> u64 {
    let request = proto::GetSubscriptionRequest { id: "sub".into() };
    client.get_subscription(request).await.unwrap().into_inner().offsets[0].batch_id
}

/// Server behaviour, section 1.1.
#[test]
fn calls_that_are_not_served_have_no_handler() {
    with(fast(), |_server, mut client| async move {
        let status = client.get_schema(proto::GetSchemaRequest::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        assert_eq!(status.message(), "No such handler: /hstream.server.HStreamApi/GetSchema");
        let status = client.pause_query(proto::PauseQueryRequest::default()).await.unwrap_err();
        assert_eq!(status.message(), "No such handler: /hstream.server.HStreamApi/PauseQuery");
    });
}

/// Server behaviour, section 1.2.
#[test]
fn messages_over_4_mib_exhaust_a_resource() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let large = |len: usize| proto::BatchedRecord {
            batch_size: 1,
            payload: vec![0; len].into(),
            ..Default::default()
        };
        let status = client.append(append_of(shard, large((4 << 20) - 100))).await.unwrap_err();
        assert!(status.message().starts_with(r#"{"error":207,"extra":4194"#), "{}", status.message());
        let status = client.append(append_of(shard, large(4 << 20))).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(status.message().starts_with("Received message larger than max (41943"), "{status}");
    });
}

/// Server behaviour, section 6.
#[test]
fn an_append_to_an_unknown_shard_is_unavailable_in_plain_text() {
    with(fast(), |_server, mut client| async move {
        let status = append(&mut client, 7, 1).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.message(), "requested identifier does not exist");
        let request = proto::ListShardsRequest { stream_name: "none".into() };
        let status = client.list_shards(request).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unavailable, "requested identifier does not exist")
        );
    });
}

/// Server behaviour, section 1.3.
#[test]
fn response_headers_come_with_the_first_message_only() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let mut fetch = Fetch::open(&client, "c").await;
        wait_for_consumers(&mut client, 1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!fetch.opening.is_finished());
        append(&mut client, shard, 1).await.unwrap();
        assert_eq!(fetch.receive().await.record_ids.len(), 1);
    });
}

/// Server behaviour, section 15.
#[test]
fn response_headers_can_be_had_early() {
    with(fast().early_headers(true), |_server, mut client| async move {
        set_up(&mut client, 1, 60).await;
        let fetch = Fetch::open(&client, "c").await;
        assert!(fetch.opening.await.unwrap().is_ok());
    });
}

/// Server behaviour, sections 6, 10.3 and 10.8.
#[test]
fn what_is_appended_is_delivered_and_acks_before_a_half_close_count() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let ids = append(&mut client, shard, 3).await.unwrap();
        let id = |batch_index| proto::RecordId { shard_id: shard, batch_id: 8589934593, batch_index };
        assert_eq!(ids, [id(0), id(1), id(2)]);
        let mut fetch = Fetch::open(&client, "c").await;
        let received = fetch.receive().await;
        assert_eq!(received.record_ids, ids);
        let record = received.record.unwrap();
        assert!(
            record
                .publish_time
                .is_some_and(|time| time.nanos % 1_000_000 == 0 && time.seconds > 1_700_000_000)
        );
        assert_eq!(proto::BatchedRecord { publish_time: None, ..record }, batch(3));
        fetch.ack(ids).await;
        let Fetch { acks, answers, .. } = fetch;
        drop(acks);
        assert!(answers.unwrap().message().await.unwrap().is_none(), "ends with OK");
        assert_eq!(checkpoint(&mut client).await, 8589934593);
        assert!(consumers(&mut client).await.is_empty());
    });
}

/// Server behaviour, section 10.1.
#[test]
fn the_first_message_opens_and_its_acks_are_ignored() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let ids = append(&mut client, shard, 1).await.unwrap();
        let mut fetch = Fetch::open(&client, "a").await;
        fetch.receive().await;
        let (acks, requests) = mpsc::channel(1);
        let first = proto::StreamingFetchRequest {
            subscription_id: "sub".into(),
            consumer_name: "b".into(),
            ack_ids: ids.clone(),
        };
        acks.send(first).await.unwrap();
        let mut second = client.clone();
        let opening =
            tokio::spawn(async move { second.streaming_fetch(ReceiverStream::new(requests)).await });
        wait_for_consumers(&mut client, 2).await;
        assert_eq!(checkpoint(&mut client).await, 0);
        opening.abort();
        wait_for_consumers(&mut client, 1).await;
    });
}

/// Server behaviour, section 10.1.
#[test]
fn fetches_that_can_not_begin_say_why() {
    with(fast(), |_server, mut client| async move {
        let status = Fetch::open(&client, "c").await.next().await.unwrap_err();
        assert_eq!(status.message(), r#"{"error":300,"extra":"sub","message":"SubscriptionNotFound"}"#);
        set_up(&mut client, 1, 60).await;
        let _first = Fetch::open(&client, "c").await;
        wait_for_consumers(&mut client, 1).await;
        let status = Fetch::open(&client, "c").await.next().await.unwrap_err();
        assert_eq!(status.code(), Code::AlreadyExists);
        assert_eq!(status.message(), r#"{"error":0,"extra":"c","message":"ConsumerExists"}"#);
        let nothing = tokio_stream::empty();
        let status = client.streaming_fetch(nothing).await.map(drop).unwrap_err();
        assert_eq!(status.code(), Code::Cancelled);
        assert_eq!(
            status.message(),
            r#"{"error":0,"extra":"Consumer is closed","message":"StreamReadClose"}"#
        );
    });
}

/// Server behaviour, section 1.4.
#[test]
fn consumers_are_listed_with_their_peer_and_proxy_agent() {
    with(fast(), |_server, mut client| async move {
        set_up(&mut client, 1, 60).await;
        let _plain = Fetch::open(&client, "plain").await;
        wait_for_consumers(&mut client, 1).await;
        let listed = &consumers(&mut client).await[0];
        assert!(listed.uri.starts_with("ipv4:127.0.0.1:"), "{}", listed.uri);
        assert_eq!((listed.name.as_str(), listed.user_agent.as_str()), ("plain", ""));
        let first = proto::StreamingFetchRequest {
            subscription_id: "sub".into(),
            consumer_name: "proxied".into(),
            ack_ids: Vec::new(),
        };
        let messages = tokio_stream::iter([first]).chain(tokio_stream::pending());
        let mut request = tonic::Request::new(messages);
        request.metadata_mut().insert("x-forwarded-for", "10.0.0.9".parse().unwrap());
        request.metadata_mut().insert("proxy-agent", "p/1".parse().unwrap());
        let mut second = client.clone();
        let _call = tokio::spawn(async move { second.streaming_fetch(request).await });
        wait_for_consumers(&mut client, 2).await;
        let listed = consumers(&mut client).await;
        let proxied = listed.iter().find(|consumer| consumer.name == "proxied").unwrap();
        assert_eq!((proxied.uri.as_str(), proxied.user_agent.as_str()), ("10.0.0.9", "p/1"));
    });
}

/// Server behaviour, section 10.4.
#[test]
fn unacked_records_come_again_as_a_batch_of_their_own() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 1).await[0];
        let ids = append(&mut client, shard, 3).await.unwrap();
        let mut fetch = Fetch::open(&client, "c").await;
        let sent = Instant::now();
        fetch.receive().await;
        fetch.ack(vec![ids[1]]).await;
        let again = fetch.receive().await;
        assert!(sent.elapsed() >= Duration::from_secs(1));
        assert_eq!(again.record_ids, [ids[0], ids[2]]);
        let record = again.record.unwrap();
        assert_eq!(record.batch_size, 2);
        let records = proto::BatchHStreamRecords::decode(record.payload).unwrap().records;
        assert_eq!(
            records.iter().map(|record| &record.payload[..]).collect::<Vec<_>>(),
            [b"record 0", b"record 2"]
        );
    });
}

/// Server behaviour, section 6.
#[test]
fn a_batch_that_can_not_be_resent_breaks_the_subscription_again_and_again() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 1).await[0];
        let garbage = proto::BatchedRecord { batch_size: 2, ..batch(1) };
        client.append(append_of(shard, garbage)).await.unwrap();
        for _ in 0..2 {
            let mut fetch = Fetch::open(&client, "c").await;
            assert_eq!(fetch.receive().await.record_ids.len(), 2, "as many as declared");
            let status = fetch.next().await.unwrap_err();
            assert_eq!(status.code(), Code::Unknown);
            assert!(status.message().starts_with("UnKnown exception: "), "{}", status.message());
        }
    });
}

/// Server behaviour, section 10.5.
#[test]
fn an_ack_of_a_foreign_shard_kills_the_call_and_leaves_a_zombie() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        append(&mut client, shard, 1).await.unwrap();
        let mut fetch = Fetch::open(&client, "c").await;
        fetch.receive().await;
        fetch.ack(vec![proto::RecordId { shard_id: 1, batch_id: 1, batch_index: 0 }]).await;
        assert_eq!(fetch.next().await.unwrap_err().code(), Code::Unknown);
        assert_eq!(Fetch::open(&client, "c").await.next().await.unwrap_err().code(), Code::AlreadyExists);
        // A message that can't be sent to it frees the name.
        append(&mut client, shard, 1).await.unwrap();
        wait_for_consumers(&mut client, 0).await;
        let mut fetch = Fetch::open(&client, "c").await;
        assert_eq!(fetch.receive().await.record_ids[0].batch_id, 8589934594);
    });
}

/// Server behaviour, section 10.2.
#[test]
fn a_standby_takes_over_when_the_other_leaves() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let mut first = Fetch::open(&client, "a").await;
        append(&mut client, shard, 1).await.unwrap();
        first.receive().await;
        let mut second = Fetch::open(&client, "b").await;
        wait_for_consumers(&mut client, 2).await;
        append(&mut client, shard, 1).await.unwrap();
        first.receive().await;
        drop(first);
        wait_for_consumers(&mut client, 1).await;
        append(&mut client, shard, 1).await.unwrap();
        assert_eq!(second.receive().await.record_ids[0].batch_id, 8589934595);
    });
}

/// Server behaviour, section 10.10.
#[test]
fn a_consumer_that_does_not_read_holds_up_all_the_others() {
    with(fast(), |server, mut client| async move {
        set_up(&mut client, 2, 60).await;
        // One of its own connection, with a small window.
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port())).unwrap();
        let narrow = endpoint.initial_stream_window_size(65_535).connect().await.unwrap();
        let mute = Fetch::open(&HStreamApiClient::new(narrow), "mute").await;
        wait_for_consumers(&mut client, 1).await;
        let mut reading = Fetch::open(&client, "reading").await;
        wait_for_consumers(&mut client, 2).await;
        let shards = server.faults().cluster.state().streams["s"].shards.clone();
        let mut shards: Vec<u64> = shards.iter().map(|shard| shard.id).collect();
        shards.sort_unstable();
        // The longest waiting has the shard of the smallest id.
        let large =
            proto::BatchedRecord { payload: vec![0; 60_000].into(), batch_size: 1, ..Default::default() };
        append(&mut client, shards[1], 1).await.unwrap();
        reading.receive().await;
        for _ in 0..100 {
            client.append(append_of(shards[0], large.clone())).await.unwrap();
        }
        append(&mut client, shards[1], 1).await.unwrap();
        let held_up = tokio::time::timeout(Duration::from_millis(100), reading.next()).await;
        assert!(held_up.is_err(), "it got {held_up:?}");
        drop(mute);
        // Now it gets its own, and what the other did not take.
        while reading.receive().await.record_ids[0].shard_id != shards[1] {}
    });
}

/// Server behaviour, section 10.9.
#[test]
fn a_deletion_by_force_ends_the_consumers() {
    with(fast(), |_server, mut client| async move {
        set_up(&mut client, 1, 60).await;
        let mut fetch = Fetch::open(&client, "c").await;
        wait_for_consumers(&mut client, 1).await;
        let delete = |force| proto::DeleteSubscriptionRequest { subscription_id: "sub".into(), force };
        let status = client.delete_subscription(delete(false)).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        client.delete_subscription(delete(true)).await.unwrap();
        let status = fetch.next().await.unwrap_err();
        assert_eq!(status.code(), Code::Aborted);
        assert_eq!(status.message(), r#"{"error":0,"extra":"\"sub\"","message":"SubscriptionIsDeleting"}"#);
        assert_eq!(Fetch::open(&client, "c").await.next().await.unwrap_err().code(), Code::NotFound);
    });
}

/// Server behaviour, section 5.
#[test]
fn an_archived_stream_goes_on_delivering_also_to_new_consumers() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        append(&mut client, shard, 1).await.unwrap();
        let delete =
            proto::DeleteStreamRequest { stream_name: "s".into(), ignore_non_exist: false, force: true };
        client.delete_stream(delete).await.unwrap();
        let mut fetch = Fetch::open(&client, "c").await;
        assert_eq!(fetch.receive().await.record_ids[0].shard_id, shard);
    });
}

/// Server behaviour, section 10.11.
#[test]
fn a_restart_delivers_again_what_is_not_in_a_checkpoint() {
    with(fast(), |server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let ids = append(&mut client, shard, 2).await.unwrap();
        append(&mut client, shard, 1).await.unwrap();
        let mut fetch = Fetch::open(&client, "c").await;
        fetch.receive().await;
        fetch.receive().await;
        fetch.ack(ids).await;
        while checkpoint(&mut client).await == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        server.restart_subscriptions();
        assert_eq!(fetch.next().await.unwrap_err().code(), Code::Unavailable);
        let mut fetch = Fetch::open(&client, "c").await;
        assert_eq!(fetch.receive().await.record_ids[0].batch_id, 8589934594);
    });
}

async fn create_reader(client: &mut Client, shard_id: u64, timeout: u32) {
    let earliest = proto::shard_offset::Offset::SpecialOffset(0);
    let request = proto::CreateShardReaderRequest {
        stream_name: "s".into(),
        shard_id,
        shard_offset: Some(proto::ShardOffset { offset: Some(earliest) }),
        reader_id: "r".into(),
        timeout,
    };
    client.create_shard_reader(request).await.unwrap();
}

async fn read(client: &mut Client, max_records: u32) -> Result<usize, Status> {
    let request = proto::ReadShardRequest { reader_id: "r".into(), max_records };
    Ok(client.read_shard(request).await?.into_inner().received_records.len())
}

/// Server behaviour, section 8.2.
#[test]
fn a_reader_counts_batches_and_waits_its_full_time_unless_it_has_all() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let status = read(&mut client, 1).await.unwrap_err();
        assert!(status.message().contains("ShardReaderNotExists"), "{}", status.message());
        create_reader(&mut client, shard, 300).await;
        for _ in 0..3 {
            append(&mut client, shard, 5).await.unwrap();
        }
        assert_eq!(read(&mut client, 0).await.unwrap(), 0);
        assert_eq!(read(&mut client, 2).await.unwrap(), 2);
        let started = Instant::now();
        assert_eq!(read(&mut client, u32::MAX).await.unwrap(), 1);
        assert!(started.elapsed() >= Duration::from_millis(300));
        let mut other = client.clone();
        let waiting = tokio::spawn(async move { read(&mut other, 1).await });
        append(&mut client, shard, 1).await.unwrap();
        assert_eq!(waiting.await.unwrap().unwrap(), 1);
    });
}

/// Server behaviour, sections 4.6 and 8.2.
#[test]
fn a_reader_of_a_deleted_stream_is_told_once() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        create_reader(&mut client, shard, 0).await;
        let delete = proto::DeleteSubscriptionRequest { subscription_id: "sub".into(), force: false };
        client.delete_subscription(delete).await.unwrap();
        let delete =
            proto::DeleteStreamRequest { stream_name: "s".into(), ignore_non_exist: false, force: false };
        client.delete_stream(delete).await.unwrap();
        let status = read(&mut client, 1).await.unwrap_err();
        assert!(status.message().starts_with(r#"{"error":905,"#), "{}", status.message());
        assert_eq!(read(&mut client, 1).await.unwrap(), 0);
        let delete = proto::DeleteShardReaderRequest { reader_id: "r".into() };
        client.delete_shard_reader(delete.clone()).await.unwrap();
        assert_eq!(client.delete_shard_reader(delete).await.unwrap_err().code(), Code::Unknown);
    });
}

#[test]
fn faults_come_before_or_after_the_deed() {
    with(fast(), |server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let faults = server.faults();
        faults.next("Append").on("s").refuse(14, "server is unavailable");
        faults.next("Append").on("s").refuse_after_applying(14, "request or connection timed out");
        faults.next("Append").on("other").refuse(13, "not for s");
        let status = append(&mut client, shard, 1).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "server is unavailable"));
        assert_eq!(
            append(&mut client, shard, 1).await.unwrap_err().message(),
            "request or connection timed out"
        );
        assert_eq!(append(&mut client, shard, 1).await.unwrap()[0].batch_id, 8589934594);
        assert_eq!((faults.pending(), faults.calls("Append"), faults.calls("Echo")), (1, 3, 0));
    });
}

/// Server behaviour, section 1.2.
#[test]
fn a_client_that_gives_up_does_not_stop_its_call() {
    with(fast(), |server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        server.faults().next("Append").delay(Duration::from_millis(150));
        server.faults().next("Append").never_answer();
        for _ in 0..2 {
            let mut request = tonic::Request::new(append_of(shard, batch(1)));
            request.set_timeout(Duration::from_millis(50));
            assert!(client.append(request).await.is_err());
        }
        let request = proto::GetTailRecordIdRequest { stream_name: "s".into(), shard_id: shard };
        loop {
            let tail = client.get_tail_record_id(request.clone()).await.unwrap().into_inner();
            if tail.tail_record_id.unwrap().batch_id == 8589934594 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn consumers_can_be_cut_off_with_a_status_and_without() {
    with(fast(), |server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let faults = server.faults();
        faults.next("StreamingFetch").on("sub").refuse(13, "no");
        assert_eq!(Fetch::open(&client, "c").await.next().await.unwrap_err().code(), Code::Internal);
        let mut fetch = Fetch::open(&client, "c").await;
        wait_for_consumers(&mut client, 1).await;
        let ids = [crate::RecordId::new(shard, 5, 0)];
        assert_eq!(faults.deliver("sub", &ids, 9, b"garbage"), 1);
        assert_eq!(fetch.receive().await.record.unwrap().compression_type, 9);
        assert_eq!(faults.cut_consumers("sub", 1, "bye"), 1);
        let status = fetch.next().await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Cancelled, "bye"));
        let own = self::client(&server).await;
        let mut fetch = Fetch::open(&own, "c").await;
        wait_for_consumers(&mut client, 1).await;
        assert_eq!(faults.break_connections("sub"), 1);
        assert!(fetch.next().await.is_err());
        let mut fetch = Fetch::open(&client, "c").await;
        wait_for_consumers(&mut client, 1).await;
        assert_eq!(faults.fail_subscription("sub", 13, "broken"), 1);
        assert_eq!(fetch.next().await.unwrap_err().code(), Code::Internal);
        append(&mut client, shard, 1).await.unwrap();
    });
}

#[test]
fn a_bound_keeps_the_newest_records_only() {
    with(fast().max_bytes(10_000), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let large =
            proto::BatchedRecord { payload: vec![0; 4000].into(), batch_size: 1, ..Default::default() };
        for _ in 0..5 {
            client.append(append_of(shard, large.clone())).await.unwrap();
        }
        let mut fetch = Fetch::open(&client, "c").await;
        assert_eq!(fetch.receive().await.record_ids[0].batch_id, 8589934596);
    });
}

#[test]
fn hostile_numbers_are_answered() {
    with(fast(), |_server, mut client| async move {
        let shard = set_up(&mut client, 1, 60).await[0];
        let claim = proto::BatchedRecord { batch_size: u32::MAX, ..batch(1) };
        assert_eq!(client.append(append_of(shard, claim)).await.unwrap_err().code(), Code::InvalidArgument);
        for (name, timeout) in [("low", i32::MIN), ("high", i32::MAX)] {
            let subscription = proto::Subscription {
                subscription_id: name.into(),
                stream_name: "s".into(),
                ack_timeout_seconds: timeout,
                max_unacked_records: timeout,
                ..Default::default()
            };
            client.create_subscription(subscription).await.unwrap();
        }
        append(&mut client, shard, 1).await.unwrap();
        for subscription_id in ["low", "high"] {
            let first = proto::StreamingFetchRequest {
                subscription_id: subscription_id.into(),
                ..Default::default()
            };
            let ids = [(u64::MAX, u32::MAX), (0, 0), (8589934593, u32::MAX)];
            let id = |(batch_id, batch_index)| proto::RecordId { shard_id: shard, batch_id, batch_index };
            let acks = proto::StreamingFetchRequest { ack_ids: ids.map(id).into(), ..Default::default() };
            let messages = tokio_stream::iter([first, acks]).chain(tokio_stream::pending());
            let mut answers = client.streaming_fetch(messages).await.unwrap().into_inner();
            answers.message().await.unwrap().unwrap();
        }
        create_reader(&mut client, shard, u32::MAX).await;
        assert_eq!(read(&mut client, 1).await.unwrap(), 1);
        let resource = proto::LookupResourceRequest { res_type: -7, res_id: "x".into() };
        assert_eq!(client.lookup_resource(resource).await.unwrap_err().code(), Code::InvalidArgument);
    });
}

#[test]
fn a_taken_port_is_named() {
    let server = DevServer::start().unwrap();
    let error = DevServerOptions::new().port(server.port()).start().unwrap_err();
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", server.port())), "{error}");
}

#[test]
fn a_server_stops_anywhere_soon_and_frees_its_port() {
    let started = Instant::now();
    let port = run(async {
        let server = fast().start().unwrap();
        let port = server.port();
        let mut client = client(&server).await;
        set_up(&mut client, 1, 60).await;
        let mut fetch = Fetch::open(&client, "c").await;
        wait_for_consumers(&mut client, 1).await;
        drop(server);
        assert!(fetch.next().await.is_err());
        port
    });
    DevServerOptions::new().port(port).start().unwrap().stop();
    assert!(started.elapsed() < Duration::from_secs(5));
}
