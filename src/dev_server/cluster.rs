//! What all nodes share: the state, the clock, and the faults that were ordered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Mutex, MutexGuard};

use super::access::Access;
use super::calls::OpenCalls;
use super::nodes::NodeId;
use super::options::{DevServerOptions, Ticks};
use super::orders::Orders;
use super::read::Cursor;
use super::state::{Moment, State};
use super::switches::{Delay, Switches};
use super::versions::{self, Release};

/// The memory in which each node keeps how far its readers are. The inner lock is held for a whole read:
/// reads of one reader take turns.
pub(super) type Cursors = HashMap<(NodeId, String), Arc<tokio::sync::Mutex<Cursor>>>;

/// See the module.
#[derive(Debug)]
pub(super) struct Cluster {
    state: Mutex<State>,
    cursors: Mutex<Cursors>,
    pub(super) orders: Orders,
    pub(super) calls: OpenCalls,
    pub(super) switches: Switches,
    pub(super) access: Access,
    /// How long the others take a killed node for a living one.
    pub(super) failure_detection: Delay,
    /// How long a node that has started keeps look-ups waiting.
    pub(super) startup_delay: Delay,
    release: AtomicU32,
    started: Instant,
}

impl Cluster {
    pub(super) fn new(options: &DevServerOptions, access: Access, release: Release) -> Self {
        let random = options.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let cluster = Cluster {
            orders: Orders::new(random.clone()),
            state: Mutex::new(State::new(options.ticks, options.max_bytes, random)),
            cursors: Mutex::default(),
            calls: OpenCalls::default(),
            switches: Switches::default(),
            access,
            failure_detection: Delay::new(options.failure_detection),
            startup_delay: Delay::new(options.startup_delay),
            release: AtomicU32::default(),
            started: Instant::now(),
        };
        cluster.switches.early_headers.set(options.early_headers);
        cluster.set_release(release);
        cluster
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

    /// The release that is imitated.
    pub(super) fn release(&self) -> Release {
        let [_, major, minor, patch] = self.release.load(Ordering::Acquire).to_be_bytes();
        Release(major, minor, patch)
    }

    pub(super) fn set_release(&self, Release(major, minor, patch): Release) {
        self.release.store(u32::from_be_bytes([0, major, minor, patch]), Ordering::Release);
    }

    /// Changes how often subscriptions look after their consumers, those that run already too.
    pub(super) fn set_ticks(&self, change: impl FnOnce(&mut Ticks)) {
        let now = self.now();
        let mut state = self.state();
        change(&mut state.ticks);
        let ticks = state.ticks;
        state.running.values_mut().for_each(|run| run.running.set_ticks(ticks, now.instant));
    }

    /// Whether errors are bare text, as in old releases.
    pub(super) fn has_plain_errors(&self) -> bool {
        self.switches.plain_errors.is_on() || self.release() < versions::JSON_ERRORS
    }
}
