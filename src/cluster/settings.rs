//! What the cluster was told, checked.

use std::collections::HashMap;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::Duration;

use crate::cluster::credentials::{Credentials, Metadata};
use crate::cluster::endpoint::{Address, Security};
use crate::cluster::retry::Backoff;
#[cfg(feature = "tls")]
use crate::cluster::tls::Tls;

pub(crate) struct ClusterSettings {
    /// Where to begin, and to come back to when no known node answers. Never empty.
    pub(crate) seeds: Vec<Address>,
    pub(crate) security: Security,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Arc<Tls>>,
    /// At the start; they can be replaced later.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) metadata: Vec<Metadata>,
    /// Addresses that nodes tell, and those to dial instead.
    pub(crate) address_map: HashMap<Address, Address>,
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
    pub(crate) tcp_keepalive: Option<Duration>,
    pub(crate) tcp_user_timeout: Option<Duration>,
    /// HTTP/2 pings, and how long to wait for their answers.
    pub(crate) keepalive: Option<(Duration, Duration)>,
    pub(crate) stream_window: u32,
    pub(crate) connection_window: u32,
}

impl ClusterSettings {
    /// Where a node is dialled.
    pub(crate) fn reachable<'a>(&'a self, node: &'a Address) -> &'a Address {
        self.address_map.get(node).unwrap_or(node)
    }
}
