//! A call with streams both ways that is open before the server says anything.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use crate::cluster::call::failure;
use crate::cluster::endpoint::Address;
use crate::cluster::raw::Raw;
use crate::cluster::retry::Failure;

/// Requests that may wait for the connection to take them.
const REQUESTS: usize = 16;

/// The two halves of a bidirectional call, whose messages stay encoded.
///
/// The server sends response headers with its first message only, which may be never, and the call itself
/// does not return before them: so requests flow from the start, and whoever asks for a response drives
/// the opening as well.
pub(crate) struct Duplex {
    node: Address,
    /// `None` after [`finish_sending`](Self::finish_sending).
    requests: Option<mpsc::Sender<Bytes>>,
    responses: Responses,
}

type Opening = Pin<Box<dyn Future<Output = Result<Response<Streaming<Bytes>>, Status>> + Send>>;

enum Responses {
    /// Waiting for headers.
    Opening(Opening),
    Open(Box<Streaming<Bytes>>),
}

impl Duplex {
    pub(crate) fn open(
        mut grpc: Grpc<Channel>,
        path: PathAndQuery,
        metadata: MetadataMap,
        node: Address,
        first: Bytes,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(REQUESTS);
        // There is room: nobody else has a sender. The first request must be there before the call is.
        let _ = sender.try_send(first);
        let opening = async move {
            grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
            let mut requests = tonic::Request::new(ReceiverStream::new(receiver));
            *requests.metadata_mut() = metadata;
            grpc.streaming(requests, path, Raw).await
        };
        Duplex { node, requests: Some(sender), responses: Responses::Opening(Box::pin(opening)) }
    }

    pub(crate) fn node(&self) -> &Address {
        &self.node
    }

    /// Somewhere to put requests. Waiting for room there does not keep responses from being read.
    pub(crate) fn requests(&self) -> Option<mpsc::Sender<Bytes>> {
        self.requests.clone()
    }

    /// Half-closes: the server sees everything sent before, then the end.
    pub(crate) fn finish_sending(&mut self) {
        self.requests = None;
    }

    /// The next response; `None` when the server ended the call with OK. Can be dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            match &mut self.responses {
                Responses::Opening(opening) => match opening.await {
                    Ok(response) => self.responses = Responses::Open(Box::new(response.into_inner())),
                    Err(status) => return Err(failure(status, &self.node)),
                },
                Responses::Open(stream) => {
                    return stream.message().await.map_err(|status| failure(status, &self.node));
                }
            }
        }
    }
}
