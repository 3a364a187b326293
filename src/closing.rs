//! A handle's end, as something to look at and to wait for.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Closing {
    closed: AtomicBool,
    changed: Notify,
}

impl Closing {
    /// Closes, and wakes all who wait for it. Says whether this call was the one that did it.
    pub(crate) fn close(&self) -> bool {
        let first = !self.closed.swap(true, Ordering::SeqCst);
        self.changed.notify_waiters();
        first
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(crate) async fn closed(&self) {
        let mut changed = std::pin::pin!(self.changed.notified());
        // Listen before looking, or a close between the two would be missed.
        changed.as_mut().enable();
        if !self.is_closed() {
            changed.await;
        }
    }
}
