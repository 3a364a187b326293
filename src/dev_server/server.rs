//! Starting and stopping a server and its nodes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tonic::Status;

use super::access::Access;
use super::cluster::Cluster;
use super::control;
use super::delivery;
use super::faults::Faults;
use super::options::DevServerOptions;
use super::settings;
use super::steering::Steering;
use super::versions::{self, Release};
use crate::error::{Error, ErrorKind, Result};
use crate::signals;

/// Work in progress is given up after this, when the server stops.
const LONGEST_STOP: Duration = Duration::from_secs(3);

/// An HStreamDB cluster in this process; see the [module](super).
///
/// It has threads of its own and stops when it is dropped. It can be started, used and dropped on any
/// thread, also inside an asynchronous runtime of the caller's. Nodes count from 0.
pub struct DevServer {
    runtime: Option<Runtime>,
    faults: Faults,
    steering: Arc<Steering>,
}

impl DevServer {
    /// Starts a server with the default options: one node, on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If no port, thread or descriptor can be had.
    pub fn start() -> Result<Self> {
        DevServerOptions::new().start()
    }

    pub(super) fn start_with(options: DevServerOptions) -> Result<Self> {
        let release = options.version.as_deref().map_or(Ok(versions::NEWEST), known_release)?;
        let access = Access::new(&options)?;
        let cluster = Arc::new(Cluster::new(&options, access, release));
        let runtime = signals::blocked(|| {
            tokio::runtime::Builder::new_multi_thread()
                // As fast as more, and steadier.
                .worker_threads(1)
                .thread_name("hstream-dev-io")
                .enable_all()
                .build()
        })
        .map_err(|error| Error::new(ErrorKind::Resources, "can't start a thread").with_source(error))?;
        let nodes = options.nodes;
        let steering = Arc::new(Steering::new(Arc::clone(&cluster), runtime.handle().clone(), options));
        // From here on the runtime is stopped as it must be, whatever happens.
        let server = DevServer { runtime: Some(runtime), faults: Faults { cluster }, steering };
        (0..nodes).try_for_each(|_| server.add_node().map(drop))?;
        Ok(server)
    }

    /// Where it is, as clients want it, all its nodes: `hstream://127.0.0.1:6570,127.0.0.1:6571`.
    pub fn url(&self) -> String {
        self.steering.url()
    }

    /// Where each node is, whether it runs or not: `hstream://127.0.0.1:6570`.
    pub fn node_urls(&self) -> Vec<String> {
        self.steering.node_urls()
    }

    /// Where each node is by the [listener](DevServerOptions::listener) of this key. Empty if there is none.
    pub fn listener_urls(&self, key: &str) -> Vec<String> {
        self.steering.listener_urls(key)
    }

    /// The port that the first node listens on.
    pub fn port(&self) -> u16 {
        self.steering.ports().first().copied().unwrap_or(0)
    }

    /// Starts one more node. Returns its number.
    ///
    /// # Errors
    ///
    /// If its port is taken, or no descriptor can be had.
    pub fn add_node(&self) -> Result<usize> {
        self.steering.add_node()
    }

    /// Stops a node as its operator would: its calls end with UNAVAILABLE, its connections say goodbye, and
    /// the other nodes know at once. When this returns, its port is free.
    ///
    /// # Errors
    ///
    /// If there is no such node, or it does not run.
    pub fn stop_node(&self, node: usize) -> Result<()> {
        self.steering.stop_node(node)
    }

    /// Ends a node as a crash would: its connections break without a word, and the other nodes take it for
    /// alive [for a while](DevServerOptions::failure_detection). When this returns, its port is free.
    ///
    /// # Errors
    ///
    /// If there is no such node, or it does not run.
    pub fn kill_node(&self, node: usize) -> Result<()> {
        self.steering.kill_node(node)
    }

    /// Starts a node again that was stopped or killed, on the ports that it had. It has forgotten what nodes
    /// keep in memory; what has moved to others does not move back.
    ///
    /// # Errors
    ///
    /// If there is no such node, it runs, or its port is taken.
    pub fn restart_node(&self, node: usize) -> Result<()> {
        self.steering.restart_node(node)
    }

    /// Failures to order.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Orders a failure, or changes how the server behaves, by name and text: what
    /// [commands](super#commands) there are.
    ///
    /// ```
    /// # fn main() -> hstreamdb::Result<()> {
    /// let server = hstreamdb::dev_server::DevServer::start()?;
    /// server.set("refuse", "Append 14 on=orders times=2 server is unavailable")?;
    /// server.set("assignment_tick", "10")?;
    /// assert_eq!(server.get("pending")?, "2");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such command, or it does not take such a value; the message says what it takes. If
    /// what is asked for fails, as with the function of that name.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        settings::set(&self.faults, &self.steering, key, value).map(drop)
    }

    /// Tells something about the server, by name: what [questions](super#questions) there are.
    ///
    /// # Errors
    ///
    /// If there is no such question.
    pub fn get(&self, question: &str) -> Result<String> {
        settings::get(&self.faults, &self.steering, question)
    }

    /// Opens a port for [steering](super#steering-from-another-program) the server from other programs, on
    /// the loopback interface; 0 for any free one. Returns the port.
    ///
    /// # Errors
    ///
    /// If the port is taken.
    pub fn open_control(&self, port: u16) -> Result<u16> {
        control::open(&self.faults, &self.steering, port)
    }

    /// Forgets what restarted nodes forget: subscriptions start again from their checkpoints, so that
    /// whatever is not acked, or stands in a batch that is not acked as a whole, is delivered once more;
    /// shard readers start again where they were created. The calls of consumers end with UNAVAILABLE.
    pub fn restart_subscriptions(&self) {
        let cluster = &self.faults.cluster;
        let consumers = cluster.state().unload_where(|_, _| true);
        cluster.cursors().clear();
        delivery::end_all(consumers, &Status::unavailable("the server is restarting"));
    }

    /// Stops it: connections break, threads end, ports are free. Dropping does the same.
    ///
    /// It takes no longer than a few seconds, whatever the clients do.
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        // On a thread of its own, since waiting for a runtime is forbidden inside another one. It comes
        // back if that thread can't be had.
        let slot = Arc::new(Mutex::new(Some(runtime)));
        let runtime = Arc::clone(&slot);
        let stopping = signals::blocked(|| {
            std::thread::Builder::new().name("hstream-dev-stop".to_owned()).spawn(move || {
                if let Some(runtime) = runtime.lock().take() {
                    runtime.shutdown_timeout(LONGEST_STOP);
                }
            })
        });
        match stopping {
            // It fails if that thread panicked, and then there is nothing left to wait for.
            Ok(stopping) => drop(stopping.join()),
            Err(_) => {
                if let Some(runtime) = slot.lock().take() {
                    runtime.shutdown_background();
                }
            }
        }
    }
}

pub(super) fn known_release(version: &str) -> Result<Release> {
    Release::parse(version).ok_or_else(|| {
        let (oldest, newest) = (versions::OLDEST, versions::NEWEST);
        let message = format!("there is no version {version:?} to behave like: from {oldest} to {newest}");
        Error::new(ErrorKind::Config, message)
    })
}

impl Drop for DevServer {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl fmt::Debug for DevServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevServer").field("ports", &self.steering.ports()).finish_non_exhaustive()
    }
}
