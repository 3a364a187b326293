//! StreamingFetch: one consumer's call, from its first message to its end.

use tonic::codegen::BoxStream;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status, Streaming};

use super::calls::{Answering, answer_in_parts};
use super::cluster::Cluster;
use super::connection::Connection;
use super::delivery;
use super::errors;
use super::node::Node;
use super::orders::Order;
use super::running::Consumer;
use super::subscriptions::{AckRefused, Joined, Seat};
use crate::proto::{StreamingFetchRequest, StreamingFetchResponse};

/// What the generated service wants for an answer in parts.
pub(super) type Messages = BoxStream<StreamingFetchResponse>;

/// Who calls, as far as headers and the connection tell.
struct Caller {
    uri: String,
    agent: String,
    connection: Connection,
}

impl Caller {
    fn new<T>(request: &Request<T>) -> Option<Self> {
        let connection = request.extensions().get::<Connection>()?.clone();
        let text = |metadata: &MetadataMap, key| Some(metadata.get(key)?.to_str().ok()?.to_owned());
        Some(Caller {
            uri: text(request.metadata(), "x-forwarded-for").unwrap_or_else(|| connection.uri()),
            // The user agent was meant to step in, but doesn't.
            agent: text(request.metadata(), "proxy-agent").unwrap_or_default(),
            connection,
        })
    }
}

pub(super) async fn streaming_fetch(
    node: &Node,
    request: Request<Streaming<StreamingFetchRequest>>,
) -> Result<Response<Messages>, Status> {
    let caller = Caller::new(&request).ok_or_else(|| Status::internal("the peer is not known"))?;
    let messages = request.into_inner();
    answer_in_parts(node, "StreamingFetch", |answering| Call { answering, messages }.serve(caller)).await
}

struct Call {
    answering: Answering<StreamingFetchResponse>,
    messages: Streaming<StreamingFetchRequest>,
}

/// What comes next from a client.
enum Incoming {
    Message(StreamingFetchRequest),
    /// It said that it will send no more.
    HalfClosed,
    /// It sent what can't be read, or is gone.
    Broken(Status),
    /// The call was ended from this side.
    Over,
}

impl Call {
    /// The outcome is the status that the client sees, unless the call was ended otherwise before.
    async fn serve(mut self, caller: Caller) -> Result<(), Status> {
        // Waits without limit. The acks of the first message are not looked at.
        let first = match self.receive().await {
            Incoming::Message(first) => first,
            Incoming::HalfClosed | Incoming::Over => {
                return Err(errors::stream_read_close("Consumer is closed"));
            }
            Incoming::Broken(status) => return Err(status),
        };
        let order = self.answering.about(&first.subscription_id).await?;
        let seat = self.join(first, caller)?;
        let end = match order.as_ref().map(Order::after) {
            Some(Err(status)) => Err(AckRefused::Left(status)),
            _ => self.receive_acks(seat).await,
        };
        if !matches!(end, Err(AckRefused::Stays(_))) {
            self.leave(seat);
        }
        end.map_err(|(AckRefused::Left(status) | AckRefused::Stays(status))| status)
    }

    fn join(&self, first: StreamingFetchRequest, caller: Caller) -> Result<Seat, Status> {
        let Caller { uri, agent, connection } = caller;
        let (name, outbox) = (first.consumer_name, self.answering.outbox.clone());
        let consumer = Consumer { name, uri, agent, outbox, connection, zombie: false };
        let node = &self.answering.node;
        let cluster = &node.cluster;
        let now = cluster.now();
        let joined = cluster.state().join(node.id, &first.subscription_id, consumer, now)?;
        Ok(match joined {
            Joined::Running(seat) => seat,
            Joined::Loaded(seat, bell) => {
                tokio::spawn(delivery::deliver(cluster.clone(), seat.run, bell));
                seat
            }
        })
    }

    fn leave(&self, seat: Seat) {
        let now = self.cluster().now();
        self.cluster().state().leave(seat, now);
    }

    fn cluster(&self) -> &Cluster {
        &self.answering.node.cluster
    }

    async fn receive_acks(&mut self, seat: Seat) -> Result<(), AckRefused> {
        loop {
            match self.receive().await {
                Incoming::Message(message) => self.cluster().state().ack(seat, &message.ack_ids)?,
                // All acks before it are counted by now.
                Incoming::HalfClosed => {
                    let status = self.cluster().switches.half_closed.lock().clone();
                    return status.map_or(Ok(()), |status| Err(AckRefused::Left(status)));
                }
                Incoming::Over => return Ok(()),
                Incoming::Broken(status) => return Err(AckRefused::Left(status)),
            }
        }
    }

    async fn receive(&mut self) -> Incoming {
        tokio::select! {
            // First of all the acks that are there already.
            biased;
            message = self.messages.message() => match message {
                Ok(Some(message)) => Incoming::Message(message),
                Ok(None) => Incoming::HalfClosed,
                Err(status) => Incoming::Broken(broken(&status)),
            },
            () = self.answering.outbox.closed() => Incoming::Over,
        }
    }
}

/// What the client sees of its own broken message, if it still listens.
pub(super) fn broken(status: &Status) -> Status {
    match status.code() {
        Code::OutOfRange => errors::message_too_large(status),
        Code::Internal => errors::undecodable(status),
        _ => errors::stream_read_error(),
    }
}
