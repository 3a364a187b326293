//! HTTP/2 for one node: takes connections, and hands their calls to the service.
//!
//! Not tonic's own server: that one sets deadlines to calls, whereas the real server never stops a call
//! because its client gave up; and it knows no way to break one connection.

use std::convert::Infallible;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::{Code, Status};

use super::access::Entrance;
use super::connection::Connection;
use super::errors;
use super::layout;
use super::node::{LARGEST_MESSAGE, Node, SERVED};
use super::versions;
use crate::proto::h_stream_api_server::{HStreamApiServer, SERVICE_NAME};

const STREAM_WINDOW: u32 = 16 << 20;

/// Half of it is what a connection may owe in small unread messages before HTTP/2 cuts it off: clients
/// that ack record by record need that much.
const CONNECTION_WINDOW: u32 = 64 << 20;

/// Clients that cancel a lot are not to be taken for attackers.
const RESETS: usize = 1 << 20;

/// What all connections through one port have in common.
#[derive(Clone)]
pub(super) struct Hall {
    pub(super) node: Node,
    pub(super) entrance: Entrance,
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "doors are never so without TLS"))]
    pub(super) tls: bool,
    /// Dropped with the last connection, and then somebody may be waiting for that.
    pub(super) _alive: mpsc::Sender<()>,
}

/// Serves while the node lives.
pub(super) async fn serve(listener: TcpListener, hall: Hall) {
    let service = HStreamApiServer::new(hall.node.clone())
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Deflate)
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(usize::MAX);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = hall.node.life.over() => {
                // Before the hall, whose end says that the port is free.
                drop(listener);
                return;
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = Connection::new(peer);
                let gate = Gate { service: service.clone(), hall: hall.clone(), connection };
                tokio::spawn(gate.enter(stream));
            }
            Err(error) => {
                // Most likely there are no descriptors left; they come back.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// The door of one connection.
#[derive(Clone)]
struct Gate {
    service: HStreamApiServer<Node>,
    hall: Hall,
    connection: Connection,
}

impl Gate {
    async fn enter(self, stream: TcpStream) {
        // Fails for broken connections only, which the next read shows.
        let _ = stream.set_nodelay(true);
        #[cfg(feature = "tls")]
        if self.hall.tls {
            let Some(tls) = self.hall.node.cluster.access.tls.clone() else { return };
            let shaken = tokio::select! {
                shaken = tls.accept(stream) => shaken,
                () = self.hall.node.life.over() => return,
            };
            match shaken {
                Ok(stream) => self.serve(stream).await,
                Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
            }
            return;
        }
        self.serve(stream).await;
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (connection, life) = (self.connection.clone(), self.hall.node.life.clone());
        let (node, peer) = (self.hall.node.id, connection.uri());
        tracing::info!(node, peer, "a client has connected");
        let serving = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(None)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .serve_connection(TokioIo::new(stream), service_fn(move |request| self.clone().call(request)));
        let mut serving = std::pin::pin!(serving);
        let goodbye = async {
            tokio::select! {
                ended = serving.as_mut() => return ended,
                () = life.over() => serving.as_mut().graceful_shutdown(),
            }
            serving.await
        };
        tokio::select! {
            biased;
            // What is left of it then goes without a word.
            () = life.dead() => {}
            () = connection.was_cut() => {}
            ended = goodbye => if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            },
        }
        tracing::info!(node, peer, "a client is gone");
    }

    async fn call(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let (node, path) = (self.hall.node.clone(), request.uri().path().to_owned());
        let started = Instant::now();
        let response = self.answer(&path, request).await?;
        if tracing::enabled!(tracing::Level::DEBUG) {
            let took = started.elapsed();
            let status = Status::from_header_map(response.headers());
            let (code, text) = match &status {
                Some(status) => (format!("{:?}", status.code()), status.message()),
                None => ("Ok".to_owned(), ""),
            };
            tracing::debug!(node = node.id, call = path, code, text, ?took, "answered");
        }
        Ok(response)
    }

    async fn answer(
        mut self,
        path: &str,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let Hall { node, entrance, .. } = &self.hall;
        let release = node.cluster.release();
        if let Err(refused) = node.cluster.access.check(request.headers(), *entrance, release) {
            return Ok(refused.into_http());
        }
        let rpc = path.strip_prefix('/').and_then(|path| path.strip_prefix(SERVICE_NAME)?.strip_prefix('/'));
        let served = rpc.and_then(|rpc| SERVED.iter().find(|served| **served == rpc));
        let Some(rpc) = served.filter(|rpc| release.has(rpc)) else {
            return Ok(errors::no_such_handler(path).into_http());
        };
        node.cluster.orders.count(rpc);
        // A node that ends meanwhile does nothing any more.
        if let Err(stopping) = node.life.run(node.hesitate(rpc)).await {
            return Ok(stopping.into_http());
        }
        if *rpc == "DescribeCluster" && release < versions::NEW_LAYOUT {
            return Ok(layout::describe_cluster(node.clone(), request).await);
        }
        request.extensions_mut().insert(self.connection);
        let response = self.service.call(request).await;
        response.map(|response| reword(rpc, response))
    }
}

/// Our library words two refusals in its own way, which come before any code of ours: of a message over
/// the limit, and of one that is no message to a call that is answered in parts.
fn reword(rpc: &str, response: Response<Body>) -> Response<Body> {
    let Some(status) = response.headers().get(Status::GRPC_STATUS).and_then(|code| code.to_str().ok()) else {
        return response;
    };
    let code = Code::from_bytes(status.as_bytes());
    let is_in_parts = || rpc.starts_with("Read") && rpc != "ReadShard";
    match (code, Status::from_header_map(response.headers())) {
        // The real server never sends this one itself.
        (Code::OutOfRange, Some(status)) => errors::message_too_large(&status).into_http(),
        (Code::Internal, Some(status)) if is_in_parts() && status.message().starts_with(NOT_DECODED) => {
            errors::undecodable(&status).into_http()
        }
        _ => response,
    }
}

/// How our library begins what it says of messages that are none.
const NOT_DECODED: &str = "failed to decode Protobuf message";
