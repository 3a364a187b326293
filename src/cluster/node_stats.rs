//! What is counted of the calls to each node.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use crate::cluster::endpoint::Address;
use crate::counters::{Counter, Counters};
use crate::error::Error;
use crate::histogram::Histogram;
use crate::metrics::NodeMetrics;

#[derive(Default)]
pub(crate) struct NodeStats {
    nodes: Mutex<HashMap<Address, Arc<OfNode>>>,
}

#[derive(Default)]
struct OfNode {
    in_flight: AtomicU64,
    failures: Counter,
    latency: Histogram,
    last: Mutex<Last>,
}

/// How calls ended last.
#[derive(Default)]
struct Last {
    success: Option<Instant>,
    error: String,
}

/// A call on its way. It counts as failed unless it is said to have succeeded.
pub(crate) struct Underway<'a> {
    node: Arc<OfNode>,
    counters: &'a Counters,
    begun: Instant,
    failed: bool,
}

impl NodeStats {
    pub(crate) fn begin<'a>(&self, node: &Address, counters: &'a Counters) -> Underway<'a> {
        let node = self.of(node);
        node.in_flight.fetch_add(1, Ordering::Relaxed);
        Underway { node, counters, begun: Instant::now(), failed: true }
    }

    fn of(&self, node: &Address) -> Arc<OfNode> {
        let mut nodes = self.nodes.lock();
        if let Some(stats) = nodes.get(node) {
            return stats.clone();
        }
        nodes.entry(node.clone()).or_default().clone()
    }

    /// Forgets nodes that are gone.
    pub(crate) fn retain(&self, is_known: impl Fn(&Address) -> bool) {
        self.nodes.lock().retain(|node, _| is_known(node));
    }

    /// Those that were called, and these, with whether they are in trouble.
    pub(crate) fn snapshot(&self, others: BTreeMap<Address, bool>, now: Instant) -> Vec<NodeMetrics> {
        let called = self.nodes.lock().clone();
        let mut all = others;
        called.keys().for_each(|node| {
            all.entry(node.clone()).or_insert(false);
        });
        let metrics = |(node, in_trouble): (Address, bool)| {
            let stats = called.get(&node).cloned().unwrap_or_default();
            stats.metrics(&node, in_trouble, now)
        };
        all.into_iter().map(metrics).collect()
    }
}

impl OfNode {
    fn metrics(&self, node: &Address, in_trouble: bool, now: Instant) -> NodeMetrics {
        let last = self.last.lock();
        let latency = self.latency.snapshot();
        NodeMetrics {
            address: node.to_string(),
            in_trouble,
            last_success_age: last.success.map(|at| now.saturating_duration_since(at)),
            last_error: last.error.clone(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            calls: latency.count,
            failures: self.failures.get(),
            latency,
        }
    }
}

impl Underway<'_> {
    pub(crate) fn succeeded(mut self) {
        self.failed = false;
        self.node.last.lock().success = Some(Instant::now());
    }

    pub(crate) fn failed(self, error: &Error) {
        self.node.last.lock().error = error.to_string();
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        let time = self.begun.elapsed();
        self.node.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.node.latency.record(time);
        self.counters.latency.record(time);
        if self.failed {
            self.node.failures.add(1);
            self.counters.failures.add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn each_call_ends_once_as_success_as_failure_or_given_up() {
        let (stats, counters) = (NodeStats::default(), Counters::default());
        let (a, b) = (Address::new("a", 1), Address::new("b", 1));
        stats.begin(&a, &counters).succeeded();
        stats.begin(&a, &counters).failed(&Error::new(ErrorKind::Unavailable, "refused"));
        drop(stats.begin(&a, &counters));
        let underway = stats.begin(&a, &counters);
        let nodes = stats.snapshot(BTreeMap::from([(b.clone(), true)]), Instant::now());
        let [of_a, of_b] = nodes.as_slice() else { panic!("{nodes:?}") };
        assert_eq!((of_a.calls, of_a.failures, of_a.in_flight), (3, 2, 1));
        assert!(of_a.last_success_age.is_some() && of_a.last_error.contains("refused"));
        assert_eq!((of_b.address.as_str(), of_b.in_trouble, of_b.calls), ("b:1", true, 0));
        drop(underway);
        assert_eq!((counters.latency.count(), counters.failures.get()), (4, 3));
        stats.retain(|node| *node == b);
        assert!(stats.snapshot(BTreeMap::new(), Instant::now()).is_empty());
    }
}
