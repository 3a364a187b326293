//! What the cluster was told, checked.

use std::time::Duration;

use crate::cluster::endpoint::Address;
use crate::cluster::retry::Backoff;

#[derive(Clone, Debug)]
pub(crate) struct ClusterSettings {
    /// Where to begin, and to come back to when no known node answers. Never empty.
    pub(crate) seeds: Vec<Address>,
    pub(crate) user_agent: String,
    pub(crate) connect_timeout: Duration,
    /// The deadline of one attempt.
    pub(crate) attempt_timeout: Duration,
    /// The same for look-ups: a node that has just started may hold them back for some seconds.
    pub(crate) lookup_timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) backoff: Backoff,
    /// When the view of the cluster is looked at again.
    pub(crate) refresh_age: Duration,
    pub(crate) max_receive_bytes: usize,
}
