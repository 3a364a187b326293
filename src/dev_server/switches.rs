//! What can be switched on and off while the server runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tonic::Status;

/// On or off.
#[derive(Debug, Default)]
pub(super) struct Switch(AtomicBool);

impl Switch {
    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn set(&self, on: bool) {
        self.0.store(on, Ordering::Release);
    }
}

/// A time that can be changed, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Delay(AtomicU64);

impl Delay {
    pub(super) fn new(time: Duration) -> Self {
        let delay = Delay::default();
        delay.set(time);
        delay
    }

    pub(super) fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Acquire))
    }

    pub(super) fn set(&self, time: Duration) {
        self.0.store(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }
}

/// What holds for the whole cluster.
#[derive(Debug, Default)]
pub(super) struct Switches {
    /// Response headers of streaming calls come at once.
    pub(super) early_headers: Switch,
    /// Streaming readers get a message without batches before each one with some.
    pub(super) empty_messages: Switch,
    /// Errors are the bare text of old servers.
    pub(super) plain_errors: Switch,
    /// How fetches end that clients have half-closed; `None` is with OK.
    pub(super) half_closed: Mutex<Option<Status>>,
}
