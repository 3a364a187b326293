//! What all nodes share: the state, the clock, and the faults that were ordered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Mutex, MutexGuard};

use super::faults::Orders;
use super::nodes::NodeId;
use super::nodes::Nodes;
use super::options::DevServerOptions;
use super::read::Cursor;
use super::state::{Moment, State};

/// The memory in which each node keeps how far its readers are. The inner lock is held for a whole read:
/// reads of one reader take turns.
pub(super) type Cursors = HashMap<(NodeId, String), Arc<tokio::sync::Mutex<Cursor>>>;

/// See the module.
#[derive(Debug)]
pub(super) struct Cluster {
    state: Mutex<State>,
    cursors: Mutex<Cursors>,
    pub(super) orders: Orders,
    pub(super) early_headers: bool,
    started: Instant,
}

impl Cluster {
    pub(super) fn new(options: &DevServerOptions) -> Self {
        let random = options.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Cluster {
            state: Mutex::new(State::new(Nodes::new(1), options.ticks, options.max_bytes, random)),
            cursors: Mutex::default(),
            orders: Orders::default(),
            early_headers: options.early_headers,
            started: Instant::now(),
        }
    }

    /// Never held across an await.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock()
    }

    pub(super) fn now(&self) -> Moment {
        // A clock before 1970 reads as 1970.
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Moment { instant: Instant::now(), since_1970 }
    }

    pub(super) fn up_time(&self) -> Duration {
        self.started.elapsed()
    }
}
