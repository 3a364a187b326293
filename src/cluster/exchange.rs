//! One message out, one message back.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tonic::client::Grpc;
use tonic::codec::Streaming;
use tonic::codegen::Service;
use tonic::codegen::http::header::{CONTENT_TYPE, HeaderValue, TE};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::http::{self, HeaderMap, Method, Version};
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use crate::cluster::raw::Raw;

/// In front of each message: not compressed, and how long it is.
const MESSAGE_HEAD: usize = 5;

/// A connection that one call is to be made over, and what goes with the call.
pub(crate) struct Wire {
    pub(crate) channel: Channel,
    pub(crate) metadata: MetadataMap,
    pub(crate) max_receive_bytes: usize,
}

impl Wire {
    /// Sends a message and decodes the one that comes back.
    pub(crate) async fn unary<M, R>(self, path: PathAndQuery, message: M) -> Result<R, Status>
    where
        M: prost::Message + 'static,
        R: prost::Message + Default + 'static,
    {
        let mut grpc = Grpc::new(self.channel).max_decoding_message_size(self.max_receive_bytes);
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let mut request = tonic::Request::new(message);
        *request.metadata_mut() = self.metadata;
        Ok(grpc.unary(request, path, ProstCodec::default()).await?.into_inner())
    }

    /// The same for a message that lies in two pieces, which are not copied, and an answer that stays as it is.
    /// Appends are worth it: they carry megabytes there, and ids by the thousand back.
    pub(crate) async fn raw(mut self, path: PathAndQuery, message: [Bytes; 2]) -> Result<Bytes, Status> {
        std::future::poll_fn(|context| self.channel.poll_ready(context))
            .await
            .map_err(|error| Status::from_error(error.into()))?;
        let mut request = http::Request::new(tonic::body::Body::new(Pieces::of(message)));
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = path.into();
        *request.headers_mut() = headers(self.metadata);
        let response = self.channel.call(request).await.map_err(|error| Status::from_error(error.into()))?;
        // A call that fails before there is an answer has its status here, and no trailers.
        if let Some(status) = Status::from_header_map(response.headers()).filter(|s| s.code() != Code::Ok) {
            return Err(status);
        }
        let (code, limit) = (response.status(), Some(self.max_receive_bytes));
        let mut answer = Streaming::new_response(Raw, response.into_body(), code, None, limit);
        let message =
            answer.message().await?.ok_or_else(|| Status::internal("an answer without a message"))?;
        // The status comes behind the message, and counts for more.
        answer.trailers().await?;
        Ok(message)
    }
}

fn headers(metadata: MetadataMap) -> HeaderMap {
    let mut headers = metadata.into_headers();
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers
}

/// The body of a request whose message lies in pieces.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn of([head, rest]: [Bytes; 2]) -> Self {
        let mut first = BytesMut::with_capacity(MESSAGE_HEAD + head.len());
        first.put_u8(0);
        // Messages are limited to far less.
        first.put_u32(u32::try_from(head.len() + rest.len()).unwrap_or(u32::MAX));
        first.put(head);
        Pieces([first.freeze(), rest].into())
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}
