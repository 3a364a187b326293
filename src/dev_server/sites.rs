//! Where nodes live: their ports, and starting and ending what runs there.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tonic::Status;

use super::access::Entrance;
use super::cluster::Cluster;
use super::delivery;
use super::life::Life;
use super::node::Node;
use super::nodes::{Address, NodeId};
use super::options::DevServerOptions;
use super::switches::Delay;
use super::transport;
use socket2::{Domain, Socket, Type};

use crate::error::{Error, ErrorKind, Result};

/// Connections that don't end by themselves when their node stops are broken after this.
const LONGEST_GOODBYE: Duration = Duration::from_secs(1);

/// What is broken is gone well before this.
const LONGEST_END: Duration = Duration::from_secs(3);

/// One node, whether it runs or not.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) id: NodeId,
    doors: Vec<Door>,
    advertised: Option<Address>,
    pace: Arc<Delay>,
    running: Option<Stay>,
}

/// One port of a node.
#[derive(Clone, Debug)]
struct Door {
    /// None for the main one.
    key: Option<Arc<str>>,
    entrance: Entrance,
    tls: bool,
    port: u16,
    /// Keeps the port while the node is down: bound, so that the system gives it to nobody else, and not listening.
    hold: Option<Arc<Socket>>,
}

/// One stay of a node, from start to end.
#[derive(Debug)]
struct Stay {
    life: Life,
    /// Which start of the node it began with.
    start: u64,
    /// Tells when all that listens and all connections are gone.
    gone: mpsc::Receiver<()>,
}

/// How a node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It says goodbye to its clients and to the other nodes.
    Stopped,
    /// It says nothing.
    Killed,
}

impl Site {
    /// The node's place, whose main port is this one, or any for 0.
    pub(super) fn new(id: NodeId, port: u16, options: &DevServerOptions, has_tls: bool) -> Self {
        let entrance = if has_tls { Entrance::Tls } else { Entrance::Plain };
        let main = Door { key: None, entrance, tls: has_tls, port, hold: None };
        let side = options.listeners.iter().map(|listener| Door {
            key: Some(listener.key.as_str().into()),
            entrance: Entrance::Side,
            tls: listener.tls && has_tls,
            port: 0,
            hold: None,
        });
        let place = usize::try_from(id).unwrap_or(usize::MAX).saturating_sub(1);
        let advertised = options.advertised.get(place);
        Site {
            id,
            doors: std::iter::once(main).chain(side).collect(),
            advertised: advertised.map(|(host, port)| Address { host: host.clone(), port: *port }),
            pace: Arc::default(),
            running: None,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn port(&self) -> u16 {
        self.doors.first().map_or(0, |door| door.port)
    }

    pub(super) fn port_of(&self, key: &str) -> Option<u16> {
        self.doors.iter().find(|door| door.key.as_deref() == Some(key)).map(|door| door.port)
    }

    /// Each of its calls takes so much longer.
    pub(super) fn slow_down(&self, time: Duration) {
        self.pace.set(time);
    }

    /// Listens, and tells the cluster.
    pub(super) fn start(&mut self, cluster: &Arc<Cluster>, runtime: &Handle) -> Result<()> {
        if self.is_running() {
            return Err(Error::new(ErrorKind::InvalidState, format!("node {} runs already", self.id - 1)));
        }
        // All ports before anything is served: none is half a node.
        let mut listeners = Vec::with_capacity(self.doors.len());
        for door in &mut self.doors {
            let listener = door.open().map_err(|error| cant_listen(address(door.port), error))?;
            listeners.push((door.clone(), listener));
        }
        let start = cluster.state().nodes.start(self.id, self.address(), self.side_addresses());
        let (life, (alive, gone)) = (Life::new(), mpsc::channel());
        let ready_at = Instant::now() + cluster.startup_delay.get();
        for (door, listener) in listeners {
            let node = Node {
                cluster: Arc::clone(cluster),
                id: self.id,
                listener: door.key.clone(),
                life: life.clone(),
                pace: Arc::clone(&self.pace),
                ready_at,
            };
            let _inside = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)
                .map_err(|error| cant_listen(address(door.port), error))?;
            let hall =
                transport::Hall { node, entrance: door.entrance, tls: door.tls, _alive: alive.clone() };
            runtime.spawn(transport::serve(listener, hall));
        }
        tracing::info!(node = self.id, port = self.port(), "a node has started");
        self.running = Some(Stay { life, start, gone });
        Ok(())
    }

    fn address(&self) -> Address {
        self.advertised.clone().unwrap_or_else(|| local(self.port()))
    }

    fn side_addresses(&self) -> BTreeMap<String, Address> {
        let sides = self.doors.iter().filter_map(|door| Some((door.key.as_deref()?, door.port)));
        sides.map(|(key, port)| (key.to_owned(), local(port))).collect()
    }

    /// Ends the node. When this returns, its port is free and its connections are gone.
    pub(super) fn end(&mut self, cluster: &Arc<Cluster>, runtime: &Handle, end: End) -> Result<()> {
        let Some(stay) = self.running.take() else {
            return Err(Error::new(ErrorKind::InvalidState, format!("node {} does not run", self.id - 1)));
        };
        if end == End::Stopped {
            stay.life.stop();
            // It fails when they are all gone, as it should; in time or not.
            let _ = stay.gone.recv_timeout(LONGEST_GOODBYE);
        }
        stay.life.kill();
        let _ = stay.gone.recv_timeout(LONGEST_END);
        forget(cluster, self.id);
        tracing::info!(node = self.id, ?end, "a node has ended");
        let (id, start, time) = (self.id, stay.start, cluster.failure_detection.get());
        if end == End::Stopped || time.is_zero() {
            cluster.state().nodes.is_dead(id, start);
            return Ok(());
        }
        let cluster = Arc::clone(cluster);
        runtime.spawn(async move {
            tokio::time::sleep(time).await;
            cluster.state().nodes.is_dead(id, start);
        });
        Ok(())
    }
}

/// What a node had in its own memory goes with it.
fn forget(cluster: &Cluster, id: NodeId) {
    let consumers = {
        let mut state = cluster.state();
        state.stats.forget_node(id);
        state.unload_where(|node, _| node == id)
    };
    cluster.cursors().retain(|(node, _), _| *node != id);
    delivery::end_all(consumers, &Status::unavailable("the server is stopping"));
}

fn local(port: u16) -> Address {
    Address { host: Ipv4Addr::LOCALHOST.to_string(), port }
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

impl Door {
    fn open(&mut self) -> std::io::Result<TcpListener> {
        if self.hold.is_none() {
            let hold = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            // So that the listener may have it as well.
            hold.set_reuse_address(true)?;
            hold.bind(&address(self.port).into())?;
            self.port = hold.local_addr()?.as_socket().map_or(self.port, |address| address.port());
            self.hold = Some(Arc::new(hold));
        }
        let listener = TcpListener::bind(address(self.port))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

fn cant_listen(address: SocketAddr, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Resources, format!("can't listen on {address}: {error}")).with_source(error)
}
