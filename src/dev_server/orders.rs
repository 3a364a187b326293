//! Orders for calls to come: which calls, and what is to happen to them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

#[cfg(doc)]
use super::faults::Faults;
use super::nodes::NodeId;

/// The next calls of one kind, and what is to happen to them. Made by [`Faults::next`]; nothing is
/// ordered before one of the methods is called that return nothing.
///
/// Calls that are answered in parts can be refused, delayed or ignored when they begin, those with a stream
/// of requests once the first one is there. Refused after they were carried out: StreamingFetch when the
/// consumer has joined, reads when they have ended. What becomes of them in between is up to
/// [`Faults::cut_calls`] and its like.
#[derive(Debug)]
#[must_use]
pub struct NextCalls<'a> {
    orders: &'a Orders,
    rpc: String,
    subject: Option<String>,
    node: Option<NodeId>,
    carrying: Option<(String, Vec<u8>)>,
    times: Times,
    percent: u8,
}

/// How many calls an order is for.
#[derive(Clone, Copy, Debug)]
enum Times {
    Left(usize),
    Always,
}

impl NextCalls<'_> {
    /// Only calls that are about this stream, subscription, shard reader, resource or key.
    pub fn on(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// Only calls that come to this node; nodes count from 0, as in
    /// [`DevServer::node_urls`](super::DevServer::node_urls).
    pub fn at_node(mut self, node: usize) -> Self {
        self.node = Some(node_id(node));
        self
    }

    /// Only calls that carry this metadata, once or among others of the name. Calls that are answered in parts
    /// are none of them.
    pub fn carrying(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.carrying = Some((name.to_owned(), value.into()));
        self
    }

    /// As many of them. Default: 1.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Times::Left(times);
        self
    }

    /// All of them, until [`Faults::clear`].
    pub fn always(mut self) -> Self {
        self.times = Times::Always;
        self
    }

    /// Only so many of a hundred, by chance: the same ones in each run if the server has a
    /// [seed](super::DevServerOptions::seed) and the calls come in the same order. Default: 100.
    pub fn percent(mut self, percent: u8) -> Self {
        self.percent = percent.min(100);
        self
    }

    /// They fail with this status and text, and nothing is done.
    pub fn refuse(self, status: i32, text: &str) {
        self.order(Action::Refuse(refusal(status, text)));
    }

    /// They are answered as by a node that does not own what they are about, whoever does: WrongServer, in
    /// the words for that kind of thing.
    pub fn not_owner(self) {
        self.order(Action::NotOwner);
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
        let count = match self.times {
            Times::Left(0) => return,
            Times::Left(times) => times,
            Times::Always => 1,
        };
        let NextCalls { orders, rpc, subject, node, carrying, times, percent } = self;
        let mut book = orders.book.lock();
        book.entries.push_back(Entry { rpc, subject, node, carrying, times, percent, action });
        orders.pending.fetch_add(count, Ordering::AcqRel);
    }
}

/// All orders that are not carried out yet.
#[derive(Debug)]
pub(super) struct Orders {
    book: Mutex<Book>,
    /// How many there are: calls look no further while it is 0.
    pending: AtomicUsize,
    calls: Mutex<HashMap<&'static str, u64>>,
}

#[derive(Debug)]
struct Book {
    entries: VecDeque<Entry>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Entry {
    rpc: String,
    subject: Option<String>,
    node: Option<NodeId>,
    carrying: Option<(String, Vec<u8>)>,
    times: Times,
    percent: u8,
    action: Action,
}

impl Entry {
    fn fits(&self, rpc: &str, subject: &str, node: NodeId, metadata: &MetadataMap) -> bool {
        self.rpc == rpc
            && self.subject.as_deref().is_none_or(|wanted| wanted == subject)
            && self.node.is_none_or(|wanted| wanted == node)
            && self.carrying.as_ref().is_none_or(|(name, value)| carries(metadata, name, value))
    }
}

fn carries(metadata: &MetadataMap, name: &str, value: &[u8]) -> bool {
    if name.ends_with("-bin") {
        let mut values = metadata.get_all_bin(name).iter();
        values.any(|given| given.to_bytes().is_ok_and(|given| given == value))
    } else {
        metadata.get_all(name).iter().any(|given| given.as_bytes() == value)
    }
}

#[derive(Clone, Debug)]
enum Action {
    Refuse(Status),
    NotOwner,
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
    pub(super) fn new(random: fastrand::Rng) -> Self {
        Orders {
            book: Mutex::new(Book { entries: VecDeque::new(), random }),
            pending: AtomicUsize::default(),
            calls: Mutex::default(),
        }
    }

    pub(super) fn next(&self, rpc: &str) -> NextCalls<'_> {
        let times = Times::Left(1);
        NextCalls {
            orders: self,
            rpc: rpc.to_owned(),
            subject: None,
            node: None,
            carrying: None,
            times,
            percent: 100,
        }
    }

    pub(super) fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }

    pub(super) fn clear(&self) {
        let mut book = self.book.lock();
        book.entries.clear();
        self.pending.store(0, Ordering::Release);
    }

    /// How many calls of this name were counted.
    pub(super) fn calls(&self, rpc: &str) -> u64 {
        self.calls.lock().get(rpc).copied().unwrap_or(0)
    }

    pub(super) fn count(&self, rpc: &'static str) {
        *self.calls.lock().entry(rpc).or_default() += 1;
    }

    pub(super) fn are_there(&self) -> bool {
        self.pending.load(Ordering::Acquire) > 0
    }

    /// The first order that fits this call, which counts as carried out. Those that chance leaves out
    /// stay as they are.
    pub(super) fn take(
        &self,
        rpc: &str,
        subject: &str,
        node: NodeId,
        metadata: &MetadataMap,
    ) -> Option<Order> {
        if !self.are_there() {
            return None;
        }
        let mut book = self.book.lock();
        let Book { entries, random } = &mut *book;
        let chosen = |entry: &Entry| {
            entry.fits(rpc, subject, node, metadata)
                && (entry.percent == 100 || random.u8(..100) < entry.percent)
        };
        let position = entries.iter().position(chosen)?;
        let entry = entries.get_mut(position)?;
        let action = entry.action.clone();
        if let Times::Left(left) = &mut entry.times {
            *left -= 1;
            if *left == 0 {
                entries.remove(position);
            }
            self.pending.fetch_sub(1, Ordering::AcqRel);
        }
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

    /// Whether the call is to be told that it came to the wrong node.
    pub(super) fn disowns(&self) -> bool {
        matches!(self.0, Action::NotOwner)
    }

    /// The outcome of a call that was carried out, with or without an order for it.
    pub(super) fn after_all(order: Option<Order>) -> Result<(), Status> {
        order.map_or(Ok(()), |order| order.after())
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

/// Nodes count from 0 outside, their ids from 1.
pub(super) fn node_id(node: usize) -> NodeId {
    NodeId::try_from(node).map_or(NodeId::MAX, |node| node.saturating_add(1))
}

/// A status of this number. OK is none, and neither is what gRPC has no name for: those are UNKNOWN.
pub(super) fn refusal(status: i32, text: &str) -> Status {
    let code = Code::from_i32(status);
    Status::new(if code == Code::Ok { Code::Unknown } else { code }, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> Orders {
        Orders::new(fastrand::Rng::with_seed(1))
    }

    fn refused(orders: &Orders, rpc: &str, subject: &str) -> Option<Code> {
        orders.take(rpc, subject, 1, &MetadataMap::new()).and_then(|order| match order.0 {
            Action::Refuse(status) => Some(status.code()),
            _ => None,
        })
    }

    #[test]
    fn each_call_takes_the_first_order_that_fits_until_it_is_used_up() {
        let orders = orders();
        orders.next("Append").on("s").times(2).refuse(14, "");
        orders.next("Append").refuse(13, "");
        orders.next("Echo").times(0).refuse(13, "");
        assert_eq!(orders.pending(), 3);
        let codes: Vec<_> =
            ["other", "s", "s", "s"].map(|subject| refused(&orders, "Append", subject)).into();
        assert_eq!(codes, [Some(Code::Internal), Some(Code::Unavailable), Some(Code::Unavailable), None]);
        assert_eq!(refused(&orders, "Echo", ""), None);
        assert_eq!(orders.pending(), 0);
    }

    #[test]
    fn orders_can_be_for_one_node_for_ever_and_by_chance() {
        let orders = orders();
        orders.next("Echo").at_node(1).always().refuse(14, "");
        assert_eq!(refused(&orders, "Echo", ""), None, "this is node 0");
        assert_eq!(orders.pending(), 1);
        orders.next("Append").always().percent(30).refuse(14, "");
        let hits = (0..1000).filter(|_| refused(&orders, "Append", "").is_some()).count();
        assert!((200..400).contains(&hits), "{hits}");
        orders.next("GetStream").always().percent(0).refuse(14, "");
        assert_eq!(refused(&orders, "GetStream", ""), None);
        assert_eq!(orders.pending(), 3);
    }

    #[test]
    fn orders_can_be_for_calls_with_some_metadata() {
        let orders = orders();
        orders.next("Echo").carrying("tenant", "blue").refuse(14, "");
        orders.next("Echo").carrying("trace-bin", [0, 255]).refuse(14, "");
        let mut metadata = MetadataMap::new();
        metadata.append("tenant", "red".parse().unwrap());
        assert!(orders.take("Echo", "", 1, &metadata).is_none());
        metadata.append("tenant", "blue".parse().unwrap());
        assert!(orders.take("Echo", "", 1, &metadata).is_some());
        metadata.append_bin("trace-bin", tonic::metadata::MetadataValue::from_bytes(&[0, 255]));
        assert!(orders.take("Echo", "", 1, &metadata).is_some());
    }

    #[test]
    fn orders_can_be_taken_back() {
        let orders = orders();
        orders.next("Append").times(5).delay(Duration::from_secs(1));
        orders.clear();
        assert_eq!(orders.pending(), 0);
        assert!(orders.take("Append", "", 1, &MetadataMap::new()).is_none());
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
