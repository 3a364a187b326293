//! HTTP/2 for one node: takes connections, and hands their calls to the service.
//!
//! Not tonic's own server: that one sets deadlines to calls, whereas the real server never stops a call
//! because its client gave up; and it knows no way to break one connection.

use std::convert::Infallible;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderValue, Request, Response};
use tonic::{Code, Status};

use super::connection::Connection;
use super::errors;
use super::node::{LARGEST_MESSAGE, Node, SERVED};
use crate::proto::h_stream_api_server::{HStreamApiServer, SERVICE_NAME};

const STREAM_WINDOW: u32 = 16 << 20;

/// Half of it is what a connection may owe in small unread messages before HTTP/2 cuts it off: clients
/// that ack record by record need that much.
const CONNECTION_WINDOW: u32 = 64 << 20;

/// Clients that cancel a lot are not to be taken for attackers.
const RESETS: usize = 1 << 20;

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, node: Node) {
    let service = HStreamApiServer::new(node.clone())
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(usize::MAX);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let gate =
                    Gate { service: service.clone(), node: node.clone(), connection: Connection::new(peer) };
                tokio::spawn(gate.serve(stream));
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
    node: Node,
    connection: Connection,
}

impl Gate {
    async fn serve(self, stream: TcpStream) {
        // Fails for broken connections only, which the next read shows.
        let _ = stream.set_nodelay(true);
        let connection = self.connection.clone();
        let serving = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(None)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .serve_connection(TokioIo::new(stream), service_fn(move |request| self.clone().call(request)));
        tokio::select! {
            ended = serving => if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            },
            () = connection.was_cut() => {}
        }
    }

    async fn call(mut self, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let path = request.uri().path();
        let rpc = path.strip_prefix('/').and_then(|path| path.strip_prefix(SERVICE_NAME)?.strip_prefix('/'));
        let Some(rpc) = rpc.and_then(|rpc| SERVED.iter().find(|served| **served == rpc)) else {
            return Ok(errors::no_such_handler(path).into_http());
        };
        self.node.cluster.orders.count(rpc);
        request.extensions_mut().insert(self.connection);
        let response = self.service.call(request).await;
        response.map(name_limit_as_grpc_does)
    }
}

/// Our library has another status for a message over the limit than the real server's. That server never
/// sends this one itself.
fn name_limit_as_grpc_does(response: Response<Body>) -> Response<Body> {
    let out_of_range = HeaderValue::from(Code::OutOfRange as i32);
    if response.headers().get(Status::GRPC_STATUS) == Some(&out_of_range) {
        return errors::message_too_large().into_http();
    }
    response
}
