//! A server that stores nothing, and the batches that it takes and sends: what clients are measured against. A
//! program that measures starts itself again as this server, so that its own CPU time is the client's alone.

#![allow(dead_code, reason = "each program that measures uses a part of it")]

use bytes::Bytes;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prost::Message;
use proto::h_stream_api_server::HStreamApiServer;

pub(crate) mod process;
mod service;

use service::Null;

#[allow(clippy::all, missing_docs, unreachable_pub, missing_debug_implementations, dead_code)]
pub(crate) mod proto {
    tonic::include_proto!("hstream.server");
}

/// Where the library seals its batches.
pub(crate) const CAP: usize = 1_048_576 - 4096;
/// The first shard of each stream; the others follow.
pub(crate) const SHARD: u64 = 1_234_567_890_123_456_789;
/// A stream with one shard. All streams exist; this and what follows it say how many shards they have.
pub(crate) const STREAM: &str = "null";
/// A stream with four shards.
pub(crate) const FOUR_SHARDS: &str = "null-4";

/// Runs on one thread, as the library does.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
}

/// Records of this size, encoded by the generated code: so many, or as many as go below the cap.
pub(crate) fn batch(size: usize, most: usize) -> proto::BatchedRecord {
    let header = proto::HStreamRecordHeader { flag: 1, ..Default::default() };
    let record = proto::HStreamRecord { header: Some(header), payload: Bytes::from(vec![b'x'; size]) };
    let one = proto::BatchHStreamRecords { records: vec![record.clone()] }.encoded_len();
    let records = vec![record; most.min(CAP / one)];
    proto::BatchedRecord {
        batch_size: records.len() as u32,
        payload: proto::BatchHStreamRecords { records }.encode_to_vec().into(),
        ..Default::default()
    }
}

/// Starts serving in the background, with the HTTP/2 settings of the development server; prints the URL. The
/// newest payloads are kept, up to so many bytes: holding them or not decides what the memory allocator does.
pub(crate) fn start_serving(kept: u64) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("listen");
    let port = listener.local_addr().expect("its address").port();
    println!("hstream://127.0.0.1:{port}");
    runtime.spawn(async move {
        let service = HStreamApiServer::new(Null::new(port, kept))
            .max_decoding_message_size(64 << 20)
            .max_encoding_message_size(usize::MAX);
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a connection");
            let serving = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .initial_stream_window_size(16 << 20)
                .initial_connection_window_size(64 << 20)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service.clone()));
            tokio::spawn(serving);
        }
    });
    runtime
}

/// Serves as long as the program that started it asks questions, or lives.
pub(crate) fn serve(kept: u64) {
    let _runtime = start_serving(kept);
    process::answer_questions();
}
