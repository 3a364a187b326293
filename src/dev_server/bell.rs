//! What wakes those who wait for a shard or a subscription to change.

use std::sync::Arc;

use tokio::sync::Notify;

/// Rung by whoever changes something, heard by the one who waits. A ring while nobody waits is kept for
/// the next who does.
#[derive(Clone, Debug, Default)]
pub(super) struct Bell(Arc<Notify>);

impl Bell {
    pub(super) fn ring(&self) {
        self.0.notify_one();
    }

    pub(super) async fn wait(&self) {
        self.0.notified().await;
    }

    pub(super) fn is(&self, other: &Bell) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
