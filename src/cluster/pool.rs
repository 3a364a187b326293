//! Channels to nodes, opened when first used.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::cluster::call::failure;
use crate::cluster::dial::{Dialer, Refusals};
use crate::cluster::endpoint::{Address, Security};
use crate::cluster::retry::Failure;
use crate::cluster::settings::ClusterSettings;
use crate::error::{Error, Result};
use crate::events::Events;

/// One channel a node for unary calls. Streaming calls get a connection each, so that one that isn't read
/// holds up nothing else.
pub(crate) struct Pool {
    unary: Mutex<HashMap<Address, Channel>>,
    refusals: Arc<Refusals>,
    events: Weak<Events>,
}

impl Pool {
    pub(crate) fn new(events: &Arc<Events>) -> Self {
        Pool { unary: Mutex::default(), refusals: Arc::default(), events: Arc::downgrade(events) }
    }

    fn dialer(&self, node: &Address, settings: &Arc<ClusterSettings>) -> Dialer {
        Dialer::new(node.clone(), settings.clone(), self.refusals.clone(), self.events.clone())
    }

    /// The node's channel for unary calls. Does not connect yet. Runs on the runtime.
    pub(crate) fn unary(&self, node: &Address, settings: &Arc<ClusterSettings>) -> Result<Channel> {
        let mut channels = self.unary.lock();
        if let Some(channel) = channels.get(node) {
            return Ok(channel.clone());
        }
        let channel = endpoint(node, settings)?.connect_with_connector_lazy(self.dialer(node, settings));
        channels.insert(node.clone(), channel.clone());
        Ok(channel)
    }

    /// A connection of its own.
    pub(crate) async fn dedicated(
        &self,
        node: &Address,
        settings: &Arc<ClusterSettings>,
    ) -> Result<Channel, Failure> {
        let endpoint = endpoint(node, settings).map_err(Failure::Refused)?;
        let connected = endpoint.connect_with_connector(self.dialer(node, settings)).await;
        connected.map_err(|error| failure(Status::from_error(error.into()), node))
    }

    /// Why this node ended its last connection, if it had to do with TLS.
    pub(crate) fn take_refusal(&self, node: &Address) -> Option<String> {
        self.refusals.take(node)
    }

    /// Lets go of the channels of nodes that are gone.
    pub(crate) fn retain(&self, is_known: impl Fn(&Address) -> bool) {
        self.unary.lock().retain(|node, _| is_known(node));
    }
}

fn endpoint(node: &Address, settings: &Arc<ClusterSettings>) -> Result<Endpoint> {
    // The dialer encrypts, so that one place makes all connections; the scheme is what servers are told.
    let scheme = match settings.security {
        Security::Plaintext => "http",
        Security::Tls => "https",
    };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{node}"))
        .and_then(|endpoint| endpoint.user_agent(settings.user_agent.clone()))
        .map_err(|error| {
            Error::protocol(format!("`{node}` is no address to connect to")).with_source(error)
        })?;
    let mut endpoint = endpoint
        .initial_stream_window_size(settings.stream_window)
        .initial_connection_window_size(settings.connection_window);
    if let Some((interval, timeout)) = settings.keepalive {
        endpoint = endpoint.http2_keep_alive_interval(interval).keep_alive_timeout(timeout);
    }
    Ok(endpoint)
}
