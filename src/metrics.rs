//! What a client has counted, for whoever asks.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::consumer::ConsumerState;
use crate::histogram::Latency;
use crate::producer::ProducerStats;

macro_rules! metrics {
    ($($metric:ident = $number:literal $name:literal $is_counter:literal $help:literal;)*) => {
        /// A number of a client. More may be added; their own numbers, which are those of the C constants, stay.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum Metric {
            $(#[doc = $help] $metric = $number,)*
        }

        impl Metric {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Metric] = &[$(Metric::$metric),*];

            /// Its name in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Metric::$metric => $name),* }
            }

            /// What it is, in English.
            pub fn help(self) -> &'static str {
                match self { $(Metric::$metric => $help),* }
            }

            /// Whether it only grows. The others are of the moment.
            pub fn is_counter(self) -> bool {
                match self { $(Metric::$metric => $is_counter),* }
            }
        }
    };
}

metrics! {
    Calls = 1 "calls" true "Calls to nodes that have ended, with look-ups and retries; not the fetches of consumers.";
    Failures = 2 "failures" true "Calls that failed or were given up.";
    Retries = 3 "retries" true "Calls that were made again because they had failed.";
    Reconnects = 4 "reconnects" true "Connections of consumers that were made again after a loss.";
    RecordsOut = 5 "records_out" true "Records that the server said it has written.";
    BytesOut = 6 "bytes_out" true "Bytes of their payloads, as sent.";
    BatchesOut = 7 "batches_out" true "The batches that they went in.";
    RecordsIn = 8 "records_in" true "Records that consumers received, repeated ones counted again.";
    BytesIn = 9 "bytes_in" true "Bytes of their payloads, as received.";
    BatchesIn = 10 "batches_in" true "The batches that they came in.";
    QueuedRecords = 11 "queued_records" false "Records that producers have accepted and not reported yet.";
    QueuedBytes = 12 "queued_bytes" false "Bytes of the producers' buffers in use.";
    Unacked = 13 "unacked" false "Records that consumers received since they started and that were not acked.";
    PendingAcks = 14 "pending_acks" false "Acks that have not been sent.";
    CallLatencySumUs = 15 "call_latency_sum_us" true "Microseconds that all calls took together.";
    CallLatencyCount = 16 "call_latency_count" true "The calls of that sum.";
    Nodes = 17 "nodes" false "Nodes of the cluster; those of the URL until it is known.";
    NodesInTrouble = 18 "nodes_in_trouble" false "Nodes that failed and have not answered since.";
    EventsDropped = 19 "events_dropped" true "Events that the callback did not get because it was slow.";
    Refreshes = 20 "refreshes" true "How often the cluster was looked at.";
}

/// A client's state and what it has counted since it was made, as [`Client::metrics`] found it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// The nodes, by address.
    pub nodes: Vec<NodeMetrics>,
    /// The producers that somebody holds; none after the client's close.
    pub producers: Vec<ProducerStats>,
    /// The consumers that somebody holds; none after the client's close.
    pub consumers: Vec<ConsumerMetrics>,
    /// When the cluster was looked at last; `None` if it has not been yet.
    pub view_age: Option<Duration>,
    /// Until when the client's certificate is valid, if it has one.
    pub client_certificate_expires: Option<SystemTime>,
    /// Until when the certificate is valid that a server showed last.
    pub server_certificate_expires: Option<SystemTime>,
    totals: Vec<(Metric, u64)>,
}

/// What is known of a node.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeMetrics {
    /// `host:port`.
    pub address: String,
    /// Whether it failed and has not answered since.
    pub in_trouble: bool,
    /// When a call to it last succeeded.
    pub last_success_age: Option<Duration>,
    /// How a call to it last failed; empty if none has.
    pub last_error: String,
    /// Calls that wait for its answer.
    pub in_flight: u64,
    /// Calls that have ended.
    pub calls: u64,
    /// Those of them that failed or were given up.
    pub failures: u64,
    /// How long they took.
    pub latency: Latency,
}

/// What is known of a consumer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConsumerMetrics {
    /// Its subscription.
    pub subscription: String,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: ConsumerState,
    /// When records came last.
    pub last_record_age: Option<Duration>,
    /// Records that it received, repeated ones counted again.
    pub records: u64,
    /// Bytes of their payloads, as received.
    pub bytes: u64,
    /// Records that it received since it was started last and that were not acked. One that came twice counts twice.
    pub unacked: u64,
    /// Acks that have not been sent.
    pub pending_acks: u64,
    /// Connections made again after a loss.
    pub reconnects: u64,
}

/// What a producer or consumer tells of itself.
pub(crate) enum ChildMetrics {
    Producer(Box<ProducerStats>),
    Consumer(ConsumerMetrics),
}

impl ChildMetrics {
    fn value(&self, metric: Metric) -> u64 {
        match (self, metric) {
            (ChildMetrics::Producer(producer), Metric::QueuedRecords) => producer.pending_records,
            (ChildMetrics::Producer(producer), Metric::QueuedBytes) => producer.pending_bytes,
            (ChildMetrics::Consumer(consumer), Metric::Unacked) => consumer.unacked,
            (ChildMetrics::Consumer(consumer), Metric::PendingAcks) => consumer.pending_acks,
            _ => 0,
        }
    }
}

impl Metric {
    /// The one of this number.
    #[cfg(feature = "ffi")]
    pub(crate) fn of(number: i32) -> Option<Metric> {
        Metric::ALL.iter().copied().find(|metric| *metric as i32 == number)
    }

    /// Whether it is the sum of what producers and consumers say.
    fn is_of_children(self) -> bool {
        matches!(self, Metric::QueuedRecords | Metric::QueuedBytes | Metric::Unacked | Metric::PendingAcks)
    }

    fn of_cluster(self, cluster: &Cluster) -> u64 {
        let counters = cluster.counters();
        match self {
            Metric::Calls | Metric::CallLatencyCount => counters.latency.count(),
            Metric::CallLatencySumUs => counters.latency.sum_micros(),
            Metric::Failures => counters.failures.get(),
            Metric::Retries => counters.retries.get(),
            Metric::Reconnects => counters.reconnects.get(),
            Metric::Refreshes => counters.refreshes.get(),
            Metric::RecordsOut => counters.sent.records.get(),
            Metric::BytesOut => counters.sent.bytes.get(),
            Metric::BatchesOut => counters.sent.batches.get(),
            Metric::RecordsIn => counters.received.records.get(),
            Metric::BytesIn => counters.received.bytes.get(),
            Metric::BatchesIn => counters.received.batches.get(),
            Metric::Nodes => cluster.node_counts().0 as u64,
            Metric::NodesInTrouble => cluster.node_counts().1 as u64,
            Metric::EventsDropped => cluster.events().dropped(),
            Metric::QueuedRecords | Metric::QueuedBytes | Metric::Unacked | Metric::PendingAcks => 0,
        }
    }
}

impl Client {
    /// What the client, its producers and its consumers have counted, and what they do. It asks no server and
    /// waits for nothing; numbers that change meanwhile may be of slightly different moments.
    pub fn metrics(&self) -> Metrics {
        let cluster = self.cluster();
        let children: Vec<_> = self.children().iter().filter_map(|child| child.metrics()).collect();
        let value = |metric: Metric| {
            let of_children: u64 = children.iter().map(|child| child.value(metric)).sum();
            (metric, of_children + metric.of_cluster(cluster))
        };
        let totals = Metric::ALL.iter().copied().map(value).collect();
        let (mut producers, mut consumers) = (Vec::new(), Vec::new());
        for child in children {
            match child {
                ChildMetrics::Producer(producer) => producers.push(*producer),
                ChildMetrics::Consumer(consumer) => consumers.push(consumer),
            }
        }
        let (client_certificate_expires, server_certificate_expires) = cluster.certificates_expire();
        Metrics {
            nodes: cluster.node_metrics(),
            producers,
            consumers,
            view_age: cluster.view_age(),
            client_certificate_expires,
            server_certificate_expires,
            totals,
        }
    }

    /// One number, cheaply.
    pub fn metric(&self, metric: Metric) -> u64 {
        if metric.is_of_children() {
            self.children().iter().filter_map(|child| child.metrics()).map(|child| child.value(metric)).sum()
        } else {
            metric.of_cluster(self.cluster())
        }
    }
}

impl Metrics {
    /// A number of the whole client.
    pub fn total(&self, metric: Metric) -> u64 {
        self.totals.iter().find(|(of, _)| *of == metric).map_or(0, |(_, value)| *value)
    }

    /// Everything as one JSON object. Keys are only added; what is not known is `null`.
    ///
    /// | key | what |
    /// | --- | --- |
    /// | `totals` | an object with each [`Metric`] by its [name](Metric::name) |
    /// | `nodes` | for each node `address`, `state` (`well` or `in_trouble`), `last_success_age_ms`, `last_error`, `in_flight`, `calls`, `failures`, `latency_us` |
    /// | `producers` | for each producer `pending_records`, `pending_bytes` |
    /// | `consumers` | for each consumer `subscription`, `name`, `state`, `last_record_age_ms`, `records`, `bytes`, `unacked`, `pending_acks`, `reconnects` |
    /// | `view_age_ms` | when the cluster was looked at last |
    /// | `tls` | `client_certificate_expires_ms`, `server_certificate_expires_ms`, since 1970 |
    ///
    /// `latency_us` has `count`, `sum`, `p50`, `p90`, `p99` and `max`, in microseconds.
    pub fn to_json(&self) -> String {
        let totals: Map<String, Value> =
            self.totals.iter().map(|(metric, value)| (metric.name().to_owned(), json!(value))).collect();
        json!({
            "totals": totals,
            "nodes": self.nodes.iter().map(NodeMetrics::to_json).collect::<Vec<_>>(),
            "producers": self.producers.iter().map(ProducerStats::to_value).collect::<Vec<_>>(),
            "consumers": self.consumers.iter().map(ConsumerMetrics::to_json).collect::<Vec<_>>(),
            "view_age_ms": millis(self.view_age),
            "tls": {
                "client_certificate_expires_ms": since_1970(self.client_certificate_expires),
                "server_certificate_expires_ms": since_1970(self.server_certificate_expires),
            },
        })
        .to_string()
    }
}

impl NodeMetrics {
    fn to_json(&self) -> Value {
        json!({
            "address": self.address,
            "state": if self.in_trouble { "in_trouble" } else { "well" },
            "last_success_age_ms": millis(self.last_success_age),
            "last_error": self.last_error,
            "in_flight": self.in_flight,
            "calls": self.calls,
            "failures": self.failures,
            "latency_us": self.latency.to_json(),
        })
    }
}

impl ConsumerMetrics {
    fn to_json(&self) -> Value {
        json!({
            "subscription": self.subscription,
            "name": self.name,
            "state": self.state.name(),
            "last_record_age_ms": millis(self.last_record_age),
            "records": self.records,
            "bytes": self.bytes,
            "unacked": self.unacked,
            "pending_acks": self.pending_acks,
            "reconnects": self.reconnects,
        })
    }
}

fn millis(age: Option<Duration>) -> Option<u64> {
    age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}

fn since_1970(time: Option<SystemTime>) -> Option<u64> {
    millis(time.map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_each_of_one_metric_and_in_order() {
        let numbers: Vec<_> = Metric::ALL.iter().map(|metric| *metric as i32).collect();
        assert_eq!(numbers, (1..=i32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
        let names: std::collections::BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), numbers.len());
    }
}
