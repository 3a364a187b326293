//! What each node counts, since its start: of streams and of subscriptions.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::nodes::NodeId;
use crate::proto::{StreamStats, SubscriptionStats};

/// The longest interval that rates are told of.
pub(super) const LONGEST_INTERVAL_MS: i64 = 10 * 60 * 1000;

const LONGEST_SECONDS: u64 = 10 * 60;

/// The counters of all nodes.
#[derive(Debug, Default)]
pub(super) struct Stats(HashMap<NodeId, NodeStats>);

/// The counters of one node.
#[derive(Debug, Default)]
struct NodeStats {
    streams: BTreeMap<String, StreamCounters>,
    subscriptions: BTreeMap<String, SubscriptionCounters>,
}

/// A number for each statistic, in the protocol's order.
pub(super) type StreamCounts = [u64; 6];
pub(super) type SubscriptionCounts = [u64; 9];

#[derive(Debug, Default)]
struct StreamCounters {
    totals: StreamCounts,
    appends: Rates,
}

#[derive(Debug, Default)]
struct SubscriptionCounters {
    totals: SubscriptionCounts,
}

/// What rates are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rate {
    Bytes,
    Records,
    Requests,
    Failed,
}

impl Rate {
    /// The rate of this name in the protocol.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "append_in_bytes" | "appends" => Some(Rate::Bytes),
            "append_in_records" => Some(Rate::Records),
            "append_in_requests" => Some(Rate::Requests),
            "append_failed_requests" => Some(Rate::Failed),
            _ => None,
        }
    }
}

/// Sums by the second, for as long as rates can be asked for. Idle seconds take no room.
#[derive(Debug, Default)]
struct Rates(VecDeque<(u64, [u64; 4])>);

impl Rates {
    fn add(&mut self, second: u64, counts: [u64; 4]) {
        while self.0.front().is_some_and(|(oldest, _)| oldest.saturating_add(LONGEST_SECONDS) < second) {
            self.0.pop_front();
        }
        match self.0.back_mut().filter(|(latest, _)| *latest >= second) {
            Some((_, sums)) => sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count),
            None => self.0.push_back((second, counts)),
        }
    }

    /// By the second, over so many milliseconds before now.
    fn rate(&self, rate: Rate, now: u64, interval_ms: i64) -> f64 {
        let seconds = u64::try_from(interval_ms).unwrap_or(0).div_ceil(1000).clamp(1, LONGEST_SECONDS);
        let recent = self.0.iter().filter(|(second, _)| second.saturating_add(seconds) > now);
        let sum: u64 = recent.map(|(_, sums)| sums[rate as usize]).sum();
        sum as f64 / seconds as f64
    }
}

impl Stats {
    fn stream(&mut self, node: NodeId, stream: &str) -> &mut StreamCounters {
        self.0.entry(node).or_default().streams.entry(stream.to_owned()).or_default()
    }

    fn subscription(&mut self, node: NodeId, id: &str) -> &mut SubscriptionCounts {
        let subscriptions = &mut self.0.entry(node).or_default().subscriptions;
        &mut subscriptions.entry(id.to_owned()).or_default().totals
    }

    pub(super) fn appended(&mut self, node: NodeId, stream: &str, second: u64, records: u32, bytes: u64) {
        let counters = self.stream(node, stream);
        counters.totals[StreamStats::AppendInBytes as usize] += bytes;
        counters.totals[StreamStats::AppendInRecords as usize] += u64::from(records);
        counters.totals[StreamStats::AppendTotal as usize] += 1;
        counters.appends.add(second, [bytes, u64::from(records), 1, 0]);
    }

    pub(super) fn append_failed(&mut self, node: NodeId, stream: &str, second: u64) {
        let counters = self.stream(node, stream);
        counters.totals[StreamStats::AppendTotal as usize] += 1;
        counters.totals[StreamStats::AppendFailed as usize] += 1;
        counters.appends.add(second, [0, 0, 1, 1]);
    }

    /// Batches that a reader got.
    pub(super) fn read(&mut self, node: NodeId, stream: &str, batches: u64, bytes: u64) {
        if batches == 0 {
            return;
        }
        let counters = self.stream(node, stream);
        counters.totals[StreamStats::ReadInBytes as usize] += bytes;
        counters.totals[StreamStats::ReadInBatches as usize] += batches;
    }

    pub(super) fn sent(&mut self, node: NodeId, id: &str, records: u64, bytes: u64) {
        let counts = self.subscription(node, id);
        counts[SubscriptionStats::SendOutBytes as usize] += bytes;
        counts[SubscriptionStats::SendOutRecords as usize] += records;
        counts[SubscriptionStats::ResponseMessages as usize] += 1;
    }

    pub(super) fn resent(&mut self, node: NodeId, id: &str, records: u64) {
        let counts = self.subscription(node, id);
        counts[SubscriptionStats::ResendRecords as usize] += records;
        counts[SubscriptionStats::ResponseMessages as usize] += 1;
    }

    pub(super) fn not_sent(&mut self, node: NodeId, id: &str, records: u64, again: bool) {
        let counts = self.subscription(node, id);
        let which = if again {
            SubscriptionStats::ResendRecordsFailed
        } else {
            SubscriptionStats::SendOutRecordsFailed
        };
        counts[which as usize] += records;
    }

    /// A message of a consumer, with so many acks.
    pub(super) fn received(&mut self, node: NodeId, id: &str, acks: u64) {
        let counts = self.subscription(node, id);
        counts[SubscriptionStats::ReceivedAcks as usize] += acks;
        counts[SubscriptionStats::RequestMessages as usize] += 1;
    }

    /// Forgets a subscription that was deleted.
    pub(super) fn forget_subscription(&mut self, id: &str) {
        for node in self.0.values_mut() {
            node.subscriptions.remove(id);
        }
    }

    /// Forgets all that a node counted.
    pub(super) fn forget_node(&mut self, node: NodeId) {
        self.0.remove(&node);
    }

    pub(super) fn stream_counts(&self, node: NodeId) -> impl Iterator<Item = (&str, &StreamCounts)> {
        let streams = self.0.get(&node).into_iter().flat_map(|node| &node.streams);
        streams.map(|(name, counters)| (name.as_str(), &counters.totals))
    }

    pub(super) fn subscription_counts(
        &self,
        node: NodeId,
    ) -> impl Iterator<Item = (&str, &SubscriptionCounts)> {
        let subscriptions = self.0.get(&node).into_iter().flat_map(|node| &node.subscriptions);
        subscriptions.map(|(id, counters)| (id.as_str(), &counters.totals))
    }

    /// The rates of one stream, by interval. None if the node never had to do with it.
    pub(super) fn rates(
        &self,
        node: NodeId,
        stream: &str,
        rate: Rate,
        now: u64,
        intervals: &[i32],
    ) -> Option<Vec<f64>> {
        let counters = self.0.get(&node)?.streams.get(stream)?;
        Some(intervals.iter().map(|ms| counters.appends.rate(rate, now, i64::from(*ms))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_are_counted_by_node_and_stream() {
        let mut stats = Stats::default();
        stats.appended(1, "s", 100, 3, 50);
        stats.appended(1, "s", 100, 1, 10);
        stats.append_failed(1, "s", 100);
        stats.appended(2, "s", 100, 1, 7);
        let counts: Vec<_> = stats.stream_counts(1).collect();
        assert_eq!(counts, [("s", &[60, 4, 3, 1, 0, 0])]);
        stats.forget_node(1);
        assert_eq!(stats.stream_counts(1).count(), 0);
        assert_eq!(stats.stream_counts(2).count(), 1);
    }

    /// Server behaviour, section 12.
    #[test]
    fn rates_are_by_the_second_over_the_interval() {
        let mut stats = Stats::default();
        stats.appended(1, "s", 100, 3, 50);
        stats.appended(1, "s", 109, 1, 10);
        let rates = |rate, now, intervals: &[i32]| stats.rates(1, "s", rate, now, intervals).unwrap();
        assert_eq!(rates(Rate::Bytes, 109, &[1000, 10_000, 600_000]), [10.0, 6.0, 0.1]);
        assert_eq!(rates(Rate::Requests, 200, &[1000, 600_000]), [0.0, 2.0 / 600.0]);
        assert_eq!(rates(Rate::Records, 109, &[0, -5, i32::MIN]), [1.0; 3]);
        assert!(stats.rates(1, "other", Rate::Bytes, 109, &[1000]).is_none());
    }

    #[test]
    fn old_seconds_are_forgotten() {
        let mut rates = Rates::default();
        (0..2000).for_each(|second| rates.add(second, [1; 4]));
        assert!(rates.0.len() <= 602);
        rates.add(0, [1; 4]);
        assert_eq!(rates.0.back().unwrap(), &(1999, [2; 4]), "a clock that goes back adds to the latest");
    }
}
