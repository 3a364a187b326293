//! From an address to a connection.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tonic::codegen::Service;
use tonic::codegen::http::Uri;

use crate::cluster::endpoint::Address;
use crate::cluster::settings::ClusterSettings;
use crate::events::Events;

/// Something that a connection is made of.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Why nodes ended connections, where it has to do with TLS: whoever makes a call often sees only that the
/// connection is gone, because writing to it failed before the node's reason could be read.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<Address, String>>);

impl Refusals {
    pub(crate) fn note(&self, node: &Address, reason: String) {
        self.0.lock().insert(node.clone(), reason);
    }

    pub(crate) fn take(&self, node: &Address) -> Option<String> {
        self.0.lock().remove(node)
    }
}

/// Makes the connections of one node. It is what tonic asks for one, first and after each loss.
#[derive(Clone)]
pub(crate) struct Dialer {
    node: Address,
    settings: Arc<ClusterSettings>,
    refusals: Arc<Refusals>,
    /// Weak: channels may outlive their client for a moment, and its callback must not.
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    events: Weak<Events>,
}

impl Dialer {
    pub(crate) fn new(
        node: Address,
        settings: Arc<ClusterSettings>,
        refusals: Arc<Refusals>,
        events: Weak<Events>,
    ) -> Self {
        Dialer { node, settings, refusals, events }
    }

    async fn dial(self) -> io::Result<TokioIo<Box<dyn Io>>> {
        let reachable = self.settings.reachable(&self.node);
        let connection = connect(reachable, &self.settings).await?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.settings.tls {
            let time = self.settings.connect_timeout;
            let encrypted = tls.connect(&self.node, connection, &self.refusals, &self.events);
            let encrypted = tokio::time::timeout(time, encrypted).await;
            let encrypted = encrypted.map_err(|_| timed_out("the TLS handshake", time))??;
            return Ok(TokioIo::new(Box::new(encrypted)));
        }
        Ok(TokioIo::new(Box::new(Plaintext {
            connection,
            heard: false,
            node: self.node,
            refusals: self.refusals,
        })))
    }
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The URI names what tonic was told; we know it better.
    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().dial())
    }
}

/// Tries all addresses of a name, one after the other: a dead one takes its share of the time and no more.
async fn connect(node: &Address, settings: &ClusterSettings) -> io::Result<TcpStream> {
    let resolved: Vec<SocketAddr> = tokio::net::lookup_host((node.host(), node.port())).await?.collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in resolved {
        match tokio::time::timeout(settings.connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(connection)) => {
                set_options(&connection, settings)?;
                return Ok(connection);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = timed_out("connecting", settings.connect_timeout),
        }
    }
    Err(last)
}

fn timed_out(what: &str, time: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} took longer than {time:?}"))
}

fn set_options(connection: &TcpStream, settings: &ClusterSettings) -> io::Result<()> {
    // Without it, a batch waits for the acknowledgement of its predecessor: 40 ms.
    connection.set_nodelay(true)?;
    let socket = SockRef::from(connection);
    if let Some(idle) = settings.tcp_keepalive {
        // The kernel counts in whole seconds.
        let idle = idle.max(Duration::from_secs(1));
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle).with_interval(idle))?;
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(time) = settings.tcp_user_timeout {
        socket.set_tcp_user_timeout(Some(time))?;
    }
    Ok(())
}

/// A connection without TLS, which tells a server that speaks TLS from one that speaks nonsense.
struct Plaintext {
    connection: TcpStream,
    /// Whether the server has said anything yet.
    heard: bool,
    node: Address,
    refusals: Arc<Refusals>,
}

/// A TLS record begins with its type and the major version: an alert is what a server has to say here.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

impl Plaintext {
    fn hear(&mut self, bytes: &[u8]) {
        if !std::mem::replace(&mut self.heard, true) && bytes.starts_with(&TLS_ALERT) {
            let reason = "the server speaks TLS and was dialled without; use a hstreams:// URL";
            self.refusals.note(&self.node, reason.into());
        }
    }

    /// A server that hangs up on what it can't read may have said why. Read past tokio, which does not know yet
    /// that there is something to read.
    fn hear_last_words(&mut self) {
        let mut words = [0; 16];
        let read = (&*SockRef::from(&self.connection)).read(&mut words);
        if let Ok(count) = read {
            self.hear(&words[..count]);
        }
    }
}

impl AsyncRead for Plaintext {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.connection).poll_read(context, buffer))?;
        self.hear(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Plaintext {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.connection).poll_write(context, bytes));
        Poll::Ready(written.inspect_err(|_| self.hear_last_words()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.connection).poll_write_vectored(context, buffers));
        Poll::Ready(written.inspect_err(|_| self.hear_last_words()))
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }
}
