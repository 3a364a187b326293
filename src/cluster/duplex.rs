//! A call with streams both ways that is open before the server says anything.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::cluster::call::failure;
use crate::cluster::endpoint::Address;
use crate::cluster::retry::Failure;

/// Requests that may wait for the connection to take them.
const REQUESTS: usize = 16;

/// The two halves of a bidirectional call.
///
/// The server sends response headers with its first message only, which may be never, and the call itself
/// does not return before them: so requests flow from the start, and whoever asks for a response drives
/// the opening as well.
pub(crate) struct Duplex<Req, Resp> {
    node: Address,
    /// `None` after [`finish_sending`](Self::finish_sending).
    requests: Option<mpsc::Sender<Req>>,
    responses: Responses<Resp>,
}

type Opening<Resp> = Pin<Box<dyn Future<Output = Result<Response<Streaming<Resp>>, Status>> + Send>>;

enum Responses<Resp> {
    /// Waiting for headers.
    Opening(Opening<Resp>),
    Open(Box<Streaming<Resp>>),
}

impl<Req, Resp> Duplex<Req, Resp>
where
    Req: prost::Message + 'static,
    Resp: prost::Message + Default + 'static,
{
    pub(crate) fn open(
        mut grpc: Grpc<Channel>,
        path: PathAndQuery,
        metadata: MetadataMap,
        node: Address,
        first: Req,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(REQUESTS);
        // There is room: nobody else has a sender. The first request must be there before the call is.
        let _ = sender.try_send(first);
        let opening = async move {
            grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
            let mut requests = tonic::Request::new(ReceiverStream::new(receiver));
            *requests.metadata_mut() = metadata;
            grpc.streaming(requests, path, ProstCodec::default()).await
        };
        Duplex { node, requests: Some(sender), responses: Responses::Opening(Box::pin(opening)) }
    }

    pub(crate) fn node(&self) -> &Address {
        &self.node
    }

    /// Somewhere to put requests. Waiting for room there does not keep responses from being read.
    pub(crate) fn requests(&self) -> Option<mpsc::Sender<Req>> {
        self.requests.clone()
    }

    /// Half-closes: the server sees everything sent before, then the end.
    pub(crate) fn finish_sending(&mut self) {
        self.requests = None;
    }

    /// The next response; `None` when the server ended the call with OK. Can be dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<Option<Resp>, Failure> {
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
