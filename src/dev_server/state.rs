//! What the cluster knows: streams, shards, subscriptions, readers, and which node has what.
//!
//! It does no I/O, has no clock and no randomness but what is handed in, and lies behind one lock, which
//! is held for moments only. All nodes share it; what a real node keeps in its own memory is kept by node.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::assignment::ConsumerId;
use super::log::ShardLog;
use super::nodes::{NodeId, Nodes};
use super::options::Ticks;
use super::readers::ReaderInfo;
use super::retention::Retention;
use super::running::Running;
use super::stats::Stats;
use super::streams::StreamInfo;
use super::subscriptions::SubscriptionInfo;

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) since_1970: Duration,
}

impl Moment {
    pub(super) fn ms(&self) -> u64 {
        u64::try_from(self.since_1970.as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn timestamp(&self) -> prost_types::Timestamp {
        prost_types::Timestamp {
            seconds: i64::try_from(self.since_1970.as_secs()).unwrap_or(i64::MAX),
            // Less than 10^9.
            nanos: self.since_1970.subsec_nanos() as i32,
        }
    }
}

/// One loading of a subscription by a node, until it is unloaded: what is left of an earlier one can't
/// be taken for it.
pub(super) type RunId = u64;

/// See the module.
#[derive(Debug)]
pub(super) struct State {
    pub(super) nodes: Nodes,
    pub(super) streams: BTreeMap<String, StreamInfo>,
    pub(super) logs: HashMap<u64, ShardLog>,
    pub(super) retention: Retention,
    pub(super) subscriptions: BTreeMap<String, SubscriptionInfo>,
    pub(super) readers: BTreeMap<String, ReaderInfo>,
    pub(super) stats: Stats,
    /// Which loading a node has of a subscription.
    pub(super) runs: BTreeMap<(NodeId, String), RunId>,
    pub(super) running: HashMap<RunId, Run>,
    pub(super) ticks: Ticks,
    pub(super) random: fastrand::Rng,
    ids: u64,
}

/// A running subscription, and where.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) node: NodeId,
    pub(super) subscription: String,
    pub(super) running: Running,
}

impl State {
    pub(super) fn new(ticks: Ticks, max_bytes: Option<u64>, random: fastrand::Rng) -> Self {
        State {
            nodes: Nodes::default(),
            streams: BTreeMap::new(),
            logs: HashMap::new(),
            retention: Retention::new(max_bytes),
            subscriptions: BTreeMap::new(),
            readers: BTreeMap::new(),
            stats: Stats::default(),
            runs: BTreeMap::new(),
            running: HashMap::new(),
            ticks,
            random,
            ids: 0,
        }
    }

    /// A number that was not used before: for a consumer, a loading, an archived stream.
    pub(super) fn fresh_id(&mut self) -> ConsumerId {
        self.ids += 1;
        self.ids
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn state(max_bytes: Option<u64>) -> State {
        State::new(Ticks::default(), max_bytes, fastrand::Rng::with_seed(1))
    }

    pub(in super::super) fn at(ms: u64) -> Moment {
        Moment { instant: Instant::now(), since_1970: Duration::from_millis(1_700_000_000_000 + ms) }
    }
}
