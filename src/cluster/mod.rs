//! Which node, over which channel, how often.
//!
//! [`Cluster::call`](call::Cluster::call) is the one door to a server: it picks the node, opens the channel,
//! keeps the deadline, and tries again. Nothing outside of this folder knows of a channel.

pub(crate) mod settings;
pub(crate) mod endpoint;
pub(crate) mod credentials;
#[cfg(feature = "tls")]
pub(crate) mod tls;
#[cfg(feature = "tls")]
pub(crate) mod expiry;
pub(crate) mod dial;
pub(crate) mod pool;
pub(crate) mod describe;
pub(crate) mod version;
pub(crate) mod members;
pub(crate) mod node_stats;
pub(crate) mod routing;
pub(crate) mod retry;
pub(crate) mod raw;
pub(crate) mod exchange;
pub(crate) mod rpc;
pub(crate) mod call;
pub(crate) mod duplex;
pub(crate) mod streams;

pub(crate) use call::{Cluster, Plan};
pub(crate) use routing::Target;
