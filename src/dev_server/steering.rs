//! The nodes as a whole: where they are, adding, stopping and starting them while the server runs.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::cluster::Cluster;
use super::nodes::NodeId;
use super::options::DevServerOptions;
use super::sites::{End, Site};
use crate::error::{Error, ErrorKind, Result};

/// See the module. Nodes count from 0 here, and their ids from 1.
#[derive(Debug)]
pub(super) struct Steering {
    pub(super) cluster: Arc<Cluster>,
    pub(super) runtime: Handle,
    options: DevServerOptions,
    sites: Mutex<Vec<Site>>,
}

impl Steering {
    pub(super) fn new(cluster: Arc<Cluster>, runtime: Handle, options: DevServerOptions) -> Self {
        Steering { cluster, runtime, options, sites: Mutex::default() }
    }

    fn scheme(&self) -> &'static str {
        if self.cluster.access.has_tls() { "hstreams" } else { "hstream" }
    }

    pub(super) fn url(&self) -> String {
        let host = |port: &u16| format!("{}:{port}", Ipv4Addr::LOCALHOST);
        let hosts: Vec<String> = self.ports().iter().map(host).collect();
        format!("{}://{}", self.scheme(), hosts.join(","))
    }

    pub(super) fn node_urls(&self) -> Vec<String> {
        let url = |port: &u16| format!("{}://{}:{port}", self.scheme(), Ipv4Addr::LOCALHOST);
        self.ports().iter().map(url).collect()
    }

    pub(super) fn listener_urls(&self, key: &str) -> Vec<String> {
        let tls = self.options.listeners.iter().any(|listener| listener.key == key && listener.tls);
        let scheme = if tls { self.scheme() } else { "hstream" };
        let sites = self.sites.lock();
        let ports = sites.iter().filter_map(|site| site.port_of(key));
        ports.map(|port| format!("{scheme}://{}:{port}", Ipv4Addr::LOCALHOST)).collect()
    }

    pub(super) fn ports(&self) -> Vec<u16> {
        self.sites.lock().iter().map(Site::port).collect()
    }

    /// Which nodes run.
    pub(super) fn running(&self) -> Vec<bool> {
        self.sites.lock().iter().map(Site::is_running).collect()
    }

    pub(super) fn add_node(&self) -> Result<usize> {
        let mut sites = self.sites.lock();
        let number = sites.len();
        let id = NodeId::try_from(number).ok().and_then(|number| number.checked_add(1));
        let id = id.ok_or_else(|| Error::new(ErrorKind::Resources, "there are too many nodes"))?;
        let port = self.port_for(number)?;
        let mut site = Site::new(id, port, &self.options, self.cluster.access.has_tls());
        site.start(&self.cluster, &self.runtime)?;
        sites.push(site);
        Ok(number)
    }

    /// Consecutive ones from the first on, if that one was given.
    fn port_for(&self, number: usize) -> Result<u16> {
        let first = self.options.port;
        if first == 0 {
            return Ok(0);
        }
        let port = u16::try_from(number).ok().and_then(|number| first.checked_add(number));
        port.ok_or_else(|| Error::new(ErrorKind::Config, format!("no port is left after {first}")))
    }

    pub(super) fn stop_node(&self, node: usize) -> Result<()> {
        self.with(node, |site| site.end(&self.cluster, &self.runtime, End::Stopped))
    }

    pub(super) fn kill_node(&self, node: usize) -> Result<()> {
        self.with(node, |site| site.end(&self.cluster, &self.runtime, End::Killed))
    }

    pub(super) fn restart_node(&self, node: usize) -> Result<()> {
        self.with(node, |site| site.start(&self.cluster, &self.runtime))
    }

    pub(super) fn slow_down(&self, node: usize, time: Duration) -> Result<()> {
        self.with(node, |site| {
            site.slow_down(time);
            Ok(())
        })
    }

    /// The id of a node, if there is one.
    pub(super) fn id(&self, node: usize) -> Result<NodeId> {
        self.with(node, |site| Ok(site.id))
    }

    fn with<T>(&self, node: usize, act: impl FnOnce(&mut Site) -> Result<T>) -> Result<T> {
        let mut sites = self.sites.lock();
        let count = sites.len();
        let site = sites.get_mut(node).ok_or_else(|| {
            let message = format!("there is no node {node}: there are {count}, counted from 0");
            Error::new(ErrorKind::InvalidArgument, message)
        })?;
        act(site)
    }
}
