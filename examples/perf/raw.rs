//! The yardstick: loops over the generated gRPC client, on one thread, with batches encoded beforehand, one at a
//! time. Nothing else is done: no records are encoded, none are decoded.

use std::time::Instant;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::measure::{Measured, Stopwatch};
use crate::null_server::proto::h_stream_api_client::HStreamApiClient;
use crate::null_server::{SHARD, STREAM, proto, runtime};

async fn client(url: &str) -> HStreamApiClient<tonic::transport::Channel> {
    let endpoint = tonic::transport::Endpoint::from_shared(url.replace("hstream", "http")).expect("a URL");
    let endpoint = endpoint.tcp_nodelay(true).initial_connection_window_size(32 << 20);
    HStreamApiClient::new(endpoint.connect().await.expect("a connection")).max_decoding_message_size(64 << 20)
}

fn request(batch: &proto::BatchedRecord) -> proto::AppendRequest {
    proto::AppendRequest { stream_name: STREAM.into(), shard_id: SHARD, records: Some(batch.clone()) }
}

pub(crate) fn produce(url: &str, batch: &proto::BatchedRecord, count: usize) -> Measured {
    runtime().block_on(async {
        let mut client = client(url).await;
        let stopwatch = Stopwatch::start();
        let mut records = 0;
        while records < count {
            records += client.append(request(batch)).await.expect("an append").into_inner().record_ids.len();
        }
        stopwatch.stop(records)
    })
}

/// How long each append took, in microseconds.
pub(crate) fn latencies(url: &str, batch: &proto::BatchedRecord, count: usize) -> Vec<f64> {
    runtime().block_on(async {
        let mut client = client(url).await;
        let mut latencies = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            client.append(request(batch)).await.expect("an append");
            latencies.push(started.elapsed().as_secs_f64() * 1e6);
        }
        latencies
    })
}

/// Receives and acks.
pub(crate) fn consume(url: &str, subscription: &str, count: usize) -> Measured {
    runtime().block_on(async {
        let mut client = client(url).await;
        let (requests, receiver) = mpsc::channel(16);
        let request = |ack_ids| proto::StreamingFetchRequest {
            subscription_id: subscription.to_owned(),
            consumer_name: "raw".into(),
            ack_ids,
        };
        requests.send(request(Vec::new())).await.expect("an open call");
        let batches = client.streaming_fetch(ReceiverStream::new(receiver)).await.expect("batches");
        let mut batches = batches.into_inner();
        let stopwatch = Stopwatch::start();
        let mut records = 0;
        while records < count {
            let batch = batches.message().await.expect("a message").expect("a batch");
            let ids = batch.received_records.expect("records").record_ids;
            records += ids.len();
            requests.send(request(ids)).await.expect("an open call");
        }
        stopwatch.stop(records)
    })
}
