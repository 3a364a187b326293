//! Failures to order: what tests of clients need to happen, when they need it.

use std::sync::Arc;

use bytes::Bytes;

use super::cluster::Cluster;
use super::delivery;
use super::orders::{NextCalls, refusal};
use super::running::Consumer;
use crate::proto;
use crate::record_id::RecordId;

/// Orders failures of a running [`DevServer`](super::DevServer), at any time and from any thread.
///
/// ```
/// # fn main() -> hstreamdb::Result<()> {
/// let server = hstreamdb::dev_server::DevServer::start()?;
/// // The next two appends to `orders` are refused; a third is stored, although its answer says otherwise.
/// server.faults().next("Append").on("orders").times(2).refuse(14, "server is unavailable");
/// server.faults().next("Append").on("orders").refuse_after_applying(14, "request or connection timed out");
/// assert_eq!(server.faults().pending(), 3);
/// # Ok(())
/// # }
/// ```
///
/// Status numbers are those of gRPC: 14 is UNAVAILABLE. Texts go out as they are, so a JSON error of the
/// server's is written as such: `{"error":200,"extra":"s","message":"StreamNotFound"}`. Orders are
/// carried out in the order in which they were given, each call by the first that fits.
#[derive(Clone, Debug)]
pub struct Faults {
    pub(super) cluster: Arc<Cluster>,
}

impl Faults {
    /// The next call of this name, as the protocol spells it: `Append`, `StreamingFetch`.
    pub fn next(&self, rpc: &str) -> NextCalls<'_> {
        self.cluster.orders.next(rpc)
    }

    /// How many calls are still to be disturbed; an order for all calls counts as one.
    pub fn pending(&self) -> usize {
        self.cluster.orders.pending()
    }

    /// Takes all orders back that were not carried out yet.
    pub fn clear(&self) {
        self.cluster.orders.clear();
    }

    /// How many calls of this name have come in since the server started, whatever came of them.
    pub fn calls(&self, rpc: &str) -> u64 {
        self.cluster.orders.calls(rpc)
    }

    /// Ends the calls of all consumers of a subscription with this status, and lets the subscription run
    /// on. Returns how many there were.
    pub fn cut_consumers(&self, subscription: &str, status: i32, text: &str) -> usize {
        let consumers = self.expel(subscription);
        let count = consumers.len();
        delivery::end_all(consumers, &refusal(status, text));
        count
    }

    /// Breaks the connections of all consumers of a subscription, and with them all calls on them, without
    /// a status. Returns how many consumers there were.
    pub fn break_connections(&self, subscription: &str) -> usize {
        let consumers = self.expel(subscription);
        consumers.iter().for_each(|consumer| consumer.connection.cut());
        consumers.len()
    }

    /// Makes a subscription fail on the node that serves it: all its consumers end with this status, and
    /// the next to come starts it again from its checkpoints. Returns how many consumers there were.
    pub fn fail_subscription(&self, subscription: &str, status: i32, text: &str) -> usize {
        let consumers = self.cluster.state().unload_where(|_, id| id == subscription);
        let count = consumers.len();
        delivery::end_all(consumers, &refusal(status, text));
        count
    }

    /// Sends a batch to all consumers of a subscription that nobody appended: these ids, a compression
    /// (0 none, 1 gzip, 2 zstd, others don't exist) and any bytes. Consumers that are far behind are left
    /// out. Returns how many it was sent to. Acks of ids that were not delivered otherwise are ignored,
    /// as long as their shard is one of the subscription's.
    pub fn deliver(&self, subscription: &str, ids: &[RecordId], compression: i32, payload: &[u8]) -> usize {
        let message = proto::StreamingFetchResponse {
            received_records: Some(proto::ReceivedRecord {
                record_ids: ids.iter().copied().map(proto::RecordId::from).collect(),
                record: Some(proto::BatchedRecord {
                    compression_type: compression,
                    publish_time: None,
                    batch_size: u32::try_from(ids.len()).unwrap_or(u32::MAX),
                    payload: Bytes::copy_from_slice(payload),
                }),
            }),
        };
        let state = self.cluster.state();
        let runs = state.running.values().filter(|run| run.subscription == subscription);
        let outboxes = runs.flat_map(|run| run.running.consumers()).map(|consumer| &consumer.outbox);
        outboxes.filter(|outbox| outbox.try_send(message.clone()).is_ok()).count()
    }

    /// Ends the calls of one consumer of a subscription with this status, or of all, and leaves it
    /// registered: nothing is delivered to others in its place, and its name stays taken, until a message
    /// for it can't be sent. Returns how many consumers there were.
    pub fn make_zombies(&self, subscription: &str, consumer: Option<&str>, status: i32, text: &str) -> usize {
        let status = refusal(status, text);
        let mut state = self.cluster.state();
        let runs = state.running.values_mut().filter(|run| run.subscription == subscription);
        runs.map(|run| run.running.haunt(consumer, &status)).sum()
    }

    /// Ends the calls that are being answered in parts, by their name: ReadShardStream, ReadStream,
    /// ReadSingleShardStream, ReadStreamByKey, StreamingFetch; those about one stream or subscription, or
    /// all. Returns how many.
    pub fn cut_calls(&self, rpc: &str, subject: Option<&str>, status: i32, text: &str) -> usize {
        self.cluster.calls.end(rpc, subject, &refusal(status, text))
    }

    /// Whether streaming calls send their response headers at once, from now on. A real server doesn't.
    pub fn early_headers(&self, on: bool) {
        self.cluster.switches.early_headers.set(on);
    }

    /// Whether streaming readers get a message without batches before each one with some, as real servers
    /// send them now and then.
    pub fn empty_messages(&self, on: bool) {
        self.cluster.switches.empty_messages.set(on);
    }

    /// Whether the server's own errors are bare text instead of JSON, as before release 0.15.0.
    pub fn plain_errors(&self, on: bool) {
        self.cluster.switches.plain_errors.set(on);
    }

    /// With which status the calls of consumers end that have sent all they will, from now on. 0 is OK, as servers
    /// send it; other builds of them send 2, UNKNOWN, and old ones 1, CANCELLED.
    pub fn half_closed(&self, status: i32, text: &str) {
        *self.cluster.switches.half_closed.lock() = (status != 0).then(|| refusal(status, text));
    }

    fn expel(&self, subscription: &str) -> Vec<Consumer> {
        let now = self.cluster.now();
        let mut state = self.cluster.state();
        let runs = state.running.values_mut().filter(|run| run.subscription == subscription);
        runs.flat_map(|run| run.running.expel(now.instant)).collect()
    }
}
