//! One client's connection, as far as its calls know it.

use std::net::SocketAddr;

use super::bell::Bell;

/// Where a call came from, and how to break the line.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    peer: SocketAddr,
    cut: Bell,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Connection { peer, cut: Bell::default() }
    }

    /// The peer as gRPC writes it.
    pub(super) fn uri(&self) -> String {
        match self.peer {
            SocketAddr::V4(peer) => format!("ipv4:{peer}"),
            SocketAddr::V6(peer) => format!("ipv6:{peer}"),
        }
    }

    /// Breaks the connection, and with it all calls on it, without a status.
    pub(super) fn cut(&self) {
        self.cut.ring();
    }

    pub(super) async fn was_cut(&self) {
        self.cut.wait().await;
    }
}
