//! Failures to order: what tests of clients need to happen, when they need it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tonic::{Code, Status};

use super::cluster::Cluster;
use super::delivery;
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

/// The next calls of one kind, and what is to happen to them. Made by [`Faults::next`]; nothing is
/// ordered before one of the last six methods is called.
#[derive(Debug)]
#[must_use]
pub struct NextCalls<'a> {
    orders: &'a Orders,
    rpc: String,
    subject: Option<String>,
    times: usize,
}

impl Faults {
    /// The next call of this name, as the protocol spells it: `Append`, `StreamingFetch`.
    pub fn next(&self, rpc: &str) -> NextCalls<'_> {
        NextCalls { orders: &self.cluster.orders, rpc: rpc.to_owned(), subject: None, times: 1 }
    }

    /// How many calls are still to be disturbed.
    pub fn pending(&self) -> usize {
        self.cluster.orders.pending.load(Ordering::Acquire)
    }

    /// Takes all orders back that were not carried out yet.
    pub fn clear(&self) {
        let mut book = self.cluster.orders.book.lock();
        book.clear();
        self.cluster.orders.pending.store(0, Ordering::Release);
    }

    /// How many calls of this name have come in since the server started, whatever came of them.
    pub fn calls(&self, rpc: &str) -> u64 {
        self.cluster.orders.calls.lock().get(rpc).copied().unwrap_or(0)
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

    fn expel(&self, subscription: &str) -> Vec<Consumer> {
        let now = self.cluster.now();
        let mut state = self.cluster.state();
        let runs = state.running.values_mut().filter(|run| run.subscription == subscription);
        runs.flat_map(|run| run.running.expel(now.instant)).collect()
    }
}

impl NextCalls<'_> {
    /// Only calls that are about this stream, subscription, shard reader, resource or key.
    pub fn on(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// As many of them. Default: 1.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// They fail with this status and text, and nothing is done.
    pub fn refuse(self, status: i32, text: &str) {
        self.order(Action::Refuse(refusal(status, text)));
    }

    /// They are carried out, and then answered with this status and text.
    pub fn refuse_after_applying(self, status: i32, text: &str) {
        self.order(Action::RefuseAfterApplying(refusal(status, text)));
    }

    /// They are carried out after this time. Giving up on them does not stop them.
    pub fn delay(self, time: Duration) {
        self.order(Action::Delay(time));
    }

    /// They are carried out at once, and answered after this time.
    ///
    /// Of StreamingFetch only the beginning can be delayed: see [`delay`](Self::delay).
    pub fn delay_answer(self, time: Duration) {
        self.order(Action::DelayAnswer(time));
    }

    /// Nothing is done and no answer comes, ever.
    pub fn ignore(self) {
        self.order(Action::Ignore);
    }

    /// They are carried out, and no answer comes, ever.
    pub fn never_answer(self) {
        self.order(Action::NeverAnswer);
    }

    fn order(self, action: Action) {
        if self.times == 0 {
            return;
        }
        let mut book = self.orders.book.lock();
        book.push_back(Entry { rpc: self.rpc, subject: self.subject, left: self.times, action });
        self.orders.pending.fetch_add(self.times, Ordering::AcqRel);
    }
}

/// A status of this number. OK is none, and neither is what gRPC has no name for: those are UNKNOWN.
fn refusal(status: i32, text: &str) -> Status {
    let code = Code::from_i32(status);
    Status::new(if code == Code::Ok { Code::Unknown } else { code }, text)
}

/// All orders that are not carried out yet.
#[derive(Debug, Default)]
pub(super) struct Orders {
    book: Mutex<VecDeque<Entry>>,
    /// How many there are: calls look no further while it is 0.
    pending: AtomicUsize,
    calls: Mutex<HashMap<&'static str, u64>>,
}

#[derive(Debug)]
struct Entry {
    rpc: String,
    subject: Option<String>,
    left: usize,
    action: Action,
}

#[derive(Clone, Debug)]
enum Action {
    Refuse(Status),
    RefuseAfterApplying(Status),
    Delay(Duration),
    DelayAnswer(Duration),
    Ignore,
    NeverAnswer,
}

/// What was ordered for one call.
#[derive(Debug)]
pub(super) struct Order(Action);

impl Orders {
    pub(super) fn count(&self, rpc: &'static str) {
        *self.calls.lock().entry(rpc).or_default() += 1;
    }

    pub(super) fn are_there(&self) -> bool {
        self.pending.load(Ordering::Acquire) > 0
    }

    /// The first order that fits this call, which counts as carried out.
    pub(super) fn take(&self, rpc: &str, subject: &str) -> Option<Order> {
        if !self.are_there() {
            return None;
        }
        let mut book = self.book.lock();
        let fits = |entry: &Entry| {
            entry.rpc == rpc && entry.subject.as_deref().is_none_or(|wanted| wanted == subject)
        };
        let position = book.iter().position(fits)?;
        let entry = book.get_mut(position)?;
        entry.left -= 1;
        let action = entry.action.clone();
        if entry.left == 0 {
            book.remove(position);
        }
        self.pending.fetch_sub(1, Ordering::AcqRel);
        Some(Order(action))
    }
}

impl Order {
    /// What happens before the call is carried out. `over` ends the wait for nothing.
    pub(super) async fn before(&self, over: impl Future<Output = ()>) -> Result<(), Status> {
        match &self.0 {
            Action::Refuse(status) => Err(status.clone()),
            Action::Delay(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
            Action::Ignore => {
                over.await;
                Err(Status::cancelled("never answered"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the call, once carried out, is to fail all the same.
    pub(super) fn after(&self) -> Result<(), Status> {
        match &self.0 {
            Action::RefuseAfterApplying(status) => Err(status.clone()),
            _ => Ok(()),
        }
    }

    /// What happens after a unary call was carried out.
    pub(super) async fn answer<T>(&self, answer: Result<T, Status>) -> Result<T, Status> {
        match &self.0 {
            Action::DelayAnswer(time) => tokio::time::sleep(*time).await,
            Action::NeverAnswer => std::future::pending().await,
            _ => {}
        }
        self.after().and(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Faults {
        Faults { cluster: Arc::new(Cluster::new(&Default::default())) }
    }

    fn refused(faults: &Faults, rpc: &str, subject: &str) -> Option<Code> {
        faults.cluster.orders.take(rpc, subject).and_then(|order| match order.0 {
            Action::Refuse(status) => Some(status.code()),
            _ => None,
        })
    }

    #[test]
    fn each_call_takes_the_first_order_that_fits_until_it_is_used_up() {
        let faults = faults();
        faults.next("Append").on("s").times(2).refuse(14, "");
        faults.next("Append").refuse(13, "");
        faults.next("Echo").times(0).refuse(13, "");
        assert_eq!(faults.pending(), 3);
        let codes: Vec<_> =
            ["other", "s", "s", "s"].map(|subject| refused(&faults, "Append", subject)).into();
        assert_eq!(codes, [Some(Code::Internal), Some(Code::Unavailable), Some(Code::Unavailable), None]);
        assert_eq!(refused(&faults, "Echo", ""), None);
        assert_eq!(faults.pending(), 0);
    }

    #[test]
    fn orders_can_be_taken_back() {
        let faults = faults();
        faults.next("Append").times(5).delay(Duration::from_secs(1));
        faults.clear();
        assert_eq!(faults.pending(), 0);
        assert!(faults.cluster.orders.take("Append", "").is_none());
    }

    #[test]
    fn a_refusal_is_never_ok() {
        for (status, code) in
            [(0, Code::Unknown), (99, Code::Unknown), (-1, Code::Unknown), (5, Code::NotFound)]
        {
            assert_eq!(refusal(status, "").code(), code);
        }
    }
}
