//! Starting and stopping a server.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tonic::Status;

use super::cluster::Cluster;
use super::delivery;
use super::faults::Faults;
use super::node::Node;
use super::options::DevServerOptions;
use super::transport;
use crate::error::{Error, ErrorKind, Result};
use crate::signals;

/// Work in progress is given up after this, when the server stops.
const LONGEST_STOP: Duration = Duration::from_secs(3);

const NODE: u32 = 1;

/// An HStreamDB server in this process; see the [module](super).
///
/// It has threads of its own and stops when it is dropped. It can be started, used and dropped on any
/// thread, also inside an asynchronous runtime of the caller's.
pub struct DevServer {
    runtime: Option<Runtime>,
    faults: Faults,
    port: u16,
}

impl DevServer {
    /// Starts a server with the default options, on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// If no port, thread or descriptor can be had.
    pub fn start() -> Result<Self> {
        DevServerOptions::new().start()
    }

    pub(super) fn start_with(options: DevServerOptions) -> Result<Self> {
        let (listener, address) = listen(options.port)?;
        let cluster = Arc::new(Cluster::new(&options));
        cluster.state().nodes.listens(NODE, address.port());
        let runtime = signals::blocked(|| {
            tokio::runtime::Builder::new_multi_thread()
                // As fast as more, and steadier.
                .worker_threads(1)
                .thread_name("hstream-dev-io")
                .enable_all()
                .build()
        })
        .map_err(|error| Error::new(ErrorKind::Resources, "can't start a thread").with_source(error))?;
        let node = Node { cluster: Arc::clone(&cluster), id: NODE };
        // From here on the runtime is stopped as it must be, whatever happens.
        let server = DevServer { runtime: Some(runtime), faults: Faults { cluster }, port: address.port() };
        server.serve(listener, node).map_err(|error| cant_listen(address, error))?;
        Ok(server)
    }

    fn serve(&self, listener: TcpListener, node: Node) -> std::io::Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let _inside = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        runtime.spawn(transport::serve(listener, node));
        Ok(())
    }

    /// Where it is, as clients want it: `hstream://127.0.0.1:6570`.
    pub fn url(&self) -> String {
        format!("hstream://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Failures to order.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Forgets what a restarted node forgets: subscriptions start again from their checkpoints, so that
    /// whatever is not acked, or stands in a batch that is not acked as a whole, is delivered once more;
    /// shard readers start again where they were created. The calls of consumers end with UNAVAILABLE.
    pub fn restart_subscriptions(&self) {
        let cluster = &self.faults.cluster;
        let consumers = cluster.state().unload_where(|_, _| true);
        cluster.cursors().clear();
        delivery::end_all(consumers, &Status::unavailable("the server is restarting"));
    }

    /// Stops it: connections break, threads end, the port is free. Dropping does the same.
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

fn listen(port: u16) -> Result<(TcpListener, SocketAddr)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().map_err(|error| cant_listen(address, error))
}

fn cant_listen(address: SocketAddr, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Resources, format!("can't listen on {address}: {error}")).with_source(error)
}

impl Drop for DevServer {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl fmt::Debug for DevServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevServer").field("port", &self.port).finish_non_exhaustive()
    }
}
