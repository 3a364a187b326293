//! ReadStreamByKey: rounds of records of one key.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::support::*;

struct Reading {
    requests: mpsc::Sender<proto::ReadStreamByKeyRequest>,
    opening: tokio::task::JoinHandle<Result<Streaming<proto::ReadStreamByKeyResponse>, Status>>,
    answers: Option<Streaming<proto::ReadStreamByKeyResponse>>,
}

impl Reading {
    async fn open(client: &Client, first: proto::ReadStreamByKeyRequest) -> Self {
        let mut client = client.clone();
        let (requests, messages) = mpsc::channel(16);
        requests.send(first).await.unwrap();
        let opening = tokio::spawn(async move {
            client.read_stream_by_key(ReceiverStream::new(messages)).await.map(tonic::Response::into_inner)
        });
        Reading { requests, opening, answers: None }
    }

    async fn ask(&self, read_record_count: u64) {
        // Only the count of later messages is looked at.
        let request = proto::ReadStreamByKeyRequest {
            stream_name: "other".into(),
            key: "other".into(),
            read_record_count,
            ..Default::default()
        };
        self.requests.send(request).await.unwrap();
    }

    /// The payloads of the next message. None at a good end.
    async fn next(&mut self) -> Result<Option<Vec<String>>, Status> {
        if self.answers.is_none() {
            self.answers = Some((&mut self.opening).await.unwrap()?);
        }
        let Some(message) = self.answers.as_mut().unwrap().message().await? else { return Ok(None) };
        assert_eq!(message.record_ids.len(), message.received_records.len());
        assert!(!message.record_ids.is_empty(), "never an empty message");
        let text = |record: &proto::HStreamRecord| String::from_utf8_lossy(&record.payload).into_owned();
        Ok(Some(message.received_records.iter().map(text).collect()))
    }

    /// So many records, in however many messages.
    async fn round(&mut self, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(self.next().await.unwrap().expect("it has ended"));
        }
        assert_eq!(all.len(), count);
        all
    }

    async fn is_waiting(&mut self) {
        let came = tokio::time::timeout(Duration::from_millis(100), self.next()).await;
        assert!(came.is_err(), "{came:?}");
    }
}

fn of_key(count: u64) -> proto::ReadStreamByKeyRequest {
    proto::ReadStreamByKeyRequest {
        stream_name: "s".into(),
        key: "k".into(),
        from: earliest(),
        read_record_count: count,
        ..Default::default()
    }
}

/// A stream of 4 shards; batches of 4 records in the shard of the key, every other one of the key.
async fn filled(client: &mut Client, batches: usize) -> u64 {
    let shards = create_stream(client, "s", 4).await;
    let width = u128::MAX / 4;
    let shard = shards[(hstreamdb::hash_key("k") / width).min(3) as usize];
    for number in 0..batches {
        let records = (0..4).map(|index| record(["k", "K"][index % 2], &format!("{number}.{index}")));
        append_batch(client, "s", shard, batch(records.collect())).await.unwrap();
    }
    shard
}

#[test]
fn each_request_is_credit_for_so_many_records() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        filled(&mut client, 4).await;
        let mut reading = Reading::open(&client, of_key(3)).await;
        assert_eq!(reading.round(3).await, ["0.0", "0.2", "1.0"]);
        reading.is_waiting().await;
        reading.ask(0).await;
        reading.is_waiting().await;
        reading.ask(1).await;
        reading.ask(2).await;
        assert_eq!(reading.round(1).await, ["1.2"]);
        assert_eq!(reading.round(2).await, ["2.0", "2.2"]);
        reading.ask(100).await;
        assert_eq!(reading.round(2).await, ["3.0", "3.2"]);
        assert!(reading.next().await.unwrap().is_none(), "the tail of the beginning ends it at once");
    });
}

#[test]
fn half_closing_ends_a_read_well() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        filled(&mut client, 4).await;
        let mut reading = Reading::open(&client, of_key(1)).await;
        reading.round(1).await;
        let Reading { requests, answers, .. } = reading;
        drop(requests);
        assert!(answers.unwrap().message().await.unwrap().is_none());
    });
}

#[test]
fn an_end_beyond_the_tail_is_waited_for() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 1).await;
        let until = at_record(shard, FIRST + 1);
        let mut reading = Reading::open(&client, proto::ReadStreamByKeyRequest { until, ..of_key(3) }).await;
        assert_eq!(reading.round(2).await, ["0.0", "0.2"]);
        reading.is_waiting().await;
        let more = batch(vec![record("k", "new")]);
        append_batch(&mut client, "s", shard, more).await.unwrap();
        assert_eq!(reading.round(1).await, ["new"]);
    });
}

#[test]
fn reads_by_key_that_can_not_be_are_refused() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        filled(&mut client, 1).await;
        let refusal = async |request| Reading::open(&client, request).await.next().await.unwrap_err();
        let missing = proto::ReadStreamByKeyRequest { stream_name: "none".into(), ..of_key(1) };
        let status = refusal(missing).await;
        is_json(&status, Code::NotFound, 200, "StreamNotFound", "Stream \"none\" is not exist.");
        let latest = proto::ReadStreamByKeyRequest { from: latest(), ..of_key(1) };
        assert_eq!(parts(&refusal(latest).await).1, 901, "from the latest to the tail is backwards");
        let foreign = proto::ReadStreamByKeyRequest { from: at_record(5, 6), ..of_key(1) };
        assert_eq!(parts(&refusal(foreign).await).1, 901);
        let nothing = client.clone().read_stream_by_key(tokio_stream::empty()).await.map(drop).unwrap_err();
        let extra = "Client is closed for bistreamReader";
        is_json(&nothing, Code::Cancelled, 0, "StreamReadClose", extra);
    });
}

#[test]
fn a_batch_that_is_no_batch_ends_a_read_by_key() {
    let server = fast().start().unwrap();
    run(async {
        let mut client = client(&server).await;
        let shard = filled(&mut client, 0).await;
        let garbage = proto::BatchedRecord {
            batch_size: 1,
            payload: b"\xff\xff".as_slice().into(),
            ..Default::default()
        };
        append_batch(&mut client, "s", shard, garbage).await.unwrap();
        let status = Reading::open(&client, of_key(1)).await.next().await.unwrap_err();
        assert_eq!(status.code(), Code::Unknown);
        assert!(status.message().starts_with("UnKnown exception: "), "{}", status.message());
        let trim = proto::TrimShardRequest { shard_id: shard, trim_point: latest(), ..Default::default() };
        client.trim_shard(trim).await.unwrap();
        let headless = batch(vec![proto::HStreamRecord::default()]);
        append_batch(&mut client, "s", shard, headless).await.unwrap();
        let status = Reading::open(&client, of_key(1)).await.next().await.unwrap_err();
        assert_eq!(parts(&status).2, "HStreamRecord doesn't have a header.");
    });
}
