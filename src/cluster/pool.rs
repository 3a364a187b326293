//! Channels to nodes, opened when first used.

use std::collections::HashMap;

use parking_lot::Mutex;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::cluster::call::failure;
use crate::cluster::endpoint::Address;
use crate::cluster::retry::Failure;
use crate::cluster::settings::ClusterSettings;
use crate::error::{Error, Result};

/// The receive window of a stream: batches are up to 1 MiB.
const STREAM_WINDOW: u32 = 2 << 20;

/// The receive window of a connection. More than ten times a stream's: below that, small messages that
/// wait unread end the connection (h2 counts them against half of this window).
const CONNECTION_WINDOW: u32 = 32 << 20;

/// One channel a node for unary calls. Streaming calls get a connection each, so that one that isn't read
/// holds up nothing else.
pub(crate) struct Pool {
    unary: Mutex<HashMap<Address, Channel>>,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Pool { unary: Mutex::default() }
    }

    /// The node's channel for unary calls. Does not connect yet. Runs on the runtime.
    pub(crate) fn unary(&self, node: &Address, settings: &ClusterSettings) -> Result<Channel> {
        let mut channels = self.unary.lock();
        if let Some(channel) = channels.get(node) {
            return Ok(channel.clone());
        }
        let channel = endpoint(node, settings)?.connect_lazy();
        channels.insert(node.clone(), channel.clone());
        Ok(channel)
    }

    /// A connection of its own.
    pub(crate) async fn dedicated(node: &Address, settings: &ClusterSettings) -> Result<Channel, Failure> {
        let endpoint = endpoint(node, settings).map_err(Failure::Refused)?;
        endpoint.connect().await.map_err(|error| failure(Status::from_error(error.into()), node))
    }

    /// Lets go of the channels of nodes that are gone.
    pub(crate) fn retain(&self, is_known: impl Fn(&Address) -> bool) {
        self.unary.lock().retain(|node, _| is_known(node));
    }
}

fn endpoint(node: &Address, settings: &ClusterSettings) -> Result<Endpoint> {
    let endpoint = Endpoint::from_shared(format!("http://{node}"))
        .and_then(|endpoint| endpoint.user_agent(settings.user_agent.clone()))
        .map_err(|error| {
            Error::protocol(format!("`{node}` is no address to connect to")).with_source(error)
        })?;
    Ok(endpoint
        .connect_timeout(settings.connect_timeout)
        // Without it, a batch waits for the acknowledgement of its predecessor: 40 ms.
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW))
}
