//! What the tests share.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hstreamdb::dev_server::{DevServer, DevServerOptions};
use hstreamdb::{Batch, Client, Consumer, RecordId, StartAt, StreamOptions, SubscriptionOptions};

/// Long enough for whatever must happen, also on a busy machine: only a failing test waits so long.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A server whose ticks are short, and a client of it.
pub(crate) struct Fixture {
    // In this order: the client goes first.
    pub(crate) client: Client,
    pub(crate) server: DevServer,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(DevServerOptions::new())
    }

    pub(crate) fn with(options: DevServerOptions) -> Self {
        let tick = Duration::from_millis(20);
        let server = options.assignment_tick(tick).resend_tick(tick).start().unwrap();
        Fixture { client: Client::connect(server.url()).unwrap(), server }
    }

    /// A new stream with so many shards.
    pub(crate) fn stream(&self, shards: u32) -> String {
        let name = unique("stream");
        self.client.create_stream(&name, StreamOptions::new().shard_count(shards)).unwrap();
        name
    }

    /// A new subscription to all that is in the stream, with ack time-outs that do not matter.
    pub(crate) fn subscription(&self, stream: &str) -> String {
        self.subscription_with(stream, SubscriptionOptions::new())
    }

    pub(crate) fn subscription_with(&self, stream: &str, options: SubscriptionOptions) -> String {
        let name = unique("subscription");
        self.client.create_subscription(&name, stream, options.start(StartAt::Earliest)).unwrap();
        name
    }

    /// The payloads of a stream as texts, once `count` of them are there, and no more come: in order per key.
    pub(crate) fn content(&self, stream: &str, count: usize) -> Vec<String> {
        let subscription = self.subscription(stream);
        let consumer = self.client.consumer(&subscription, Default::default()).unwrap();
        let received = receive(&consumer, count);
        assert!(consumer.poll(1, Duration::from_millis(100)).unwrap().is_none(), "more than {count} records");
        texts(&received)
    }
}

pub(crate) fn unique(what: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Polls until `count` records have come.
pub(crate) fn receive(consumer: &Consumer, count: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut received = 0;
    while received < count {
        let batch = consumer.poll(count - received, SOON).unwrap();
        let batch = batch.unwrap_or_else(|| panic!("only {received} of {count} records came"));
        received += batch.len();
        batches.push(batch);
    }
    batches
}

pub(crate) fn texts(batches: &[Batch]) -> Vec<String> {
    let records = batches.iter().flat_map(Batch::iter);
    records.map(|record| String::from_utf8(record.payload().to_vec()).unwrap()).collect()
}

pub(crate) fn ids(batches: &[Batch]) -> BTreeSet<RecordId> {
    batches.iter().flat_map(Batch::ids).collect()
}

/// An address that refuses connections for as long as this lives: bound, so that nobody else gets it, but
/// not listened to.
pub(crate) struct Refusing {
    _socket: socket2::Socket,
    pub(crate) address: SocketAddr,
}

impl Refusing {
    pub(crate) fn new() -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Refusing { _socket: socket, address }
    }
}
