//! A way to the server that can be made a bad one, and a good one again.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hstreamdb::dev_server::{DevServer, DevServerOptions};

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Good,
    /// Read and never answered.
    Silent,
    /// Answered with what is no HTTP/2.
    Nonsense,
    /// Reset when this has passed.
    ResetAfter(Stage),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Accept,
    /// What clients begin with.
    Preface,
    RequestHeaders,
    ResponseHeaders,
    HalfOfTheBody,
}

pub(crate) const BAD_WAYS: [Way; 7] = [
    Way::Silent,
    Way::Nonsense,
    Way::ResetAfter(Stage::Accept),
    Way::ResetAfter(Stage::Preface),
    Way::ResetAfter(Stage::RequestHeaders),
    Way::ResetAfter(Stage::ResponseHeaders),
    Way::ResetAfter(Stage::HalfOfTheBody),
];

const PREFACE: usize = 24;
const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// Forwards connections to a server.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    target: AtomicU16,
    way: Mutex<Way>,
    open: Mutex<Vec<TcpStream>>,
    bytes_sent: AtomicU64,
}

/// A server that is only reached, and only named, by way of a proxy.
pub(crate) fn behind_a_proxy(host: &str) -> (DevServer, Proxy) {
    let proxy = Proxy::new();
    let tick = Duration::from_millis(20);
    let options = DevServerOptions::new().assignment_tick(tick).resend_tick(tick);
    let server = options.advertised_address(host, proxy.port).start().unwrap();
    proxy.lead_to(server.port());
    (server, proxy)
}

impl Proxy {
    /// One that leads nowhere yet.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = Arc::new(State {
            target: AtomicU16::new(0),
            way: Mutex::new(Way::Good),
            open: Mutex::default(),
            bytes_sent: AtomicU64::new(0),
        });
        let proxy = Proxy { port: listener.local_addr().unwrap().port(), state: state.clone() };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = state.clone();
                thread::spawn(move || state.serve(client));
            }
        });
        proxy
    }

    /// New connections go to this port.
    pub(crate) fn lead_to(&self, port: u16) {
        self.state.target.store(port, Ordering::SeqCst);
    }

    pub(crate) fn url(&self) -> String {
        format!("hstream://127.0.0.1:{}", self.port)
    }

    /// Ends all connections; those to come go this way.
    pub(crate) fn set(&self, way: Way) {
        *self.state.way.lock().unwrap() = way;
        self.cut();
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        for connection in self.state.open.lock().unwrap().drain(..) {
            reset(&connection);
            // What has come already could still be passed on.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// How many bytes clients have sent.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.state.bytes_sent.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve(self: Arc<Self>, client: TcpStream) {
        let Ok(peer) = client.peer_addr() else { return };
        self.clone().go(client);
        self.open.lock().unwrap().retain(|open| open.peer_addr().is_ok_and(|other| other != peer));
    }

    fn go(self: Arc<Self>, mut client: TcpStream) {
        let way = {
            // Under the lock, so that a change of the way ends this connection or comes before it.
            let way = self.way.lock().unwrap();
            self.open.lock().unwrap().push(client.try_clone().unwrap());
            *way
        };
        match way {
            Way::Silent => drop(std::io::copy(&mut client, &mut std::io::sink())),
            Way::Nonsense => {
                let _ = client.write_all(&[b'x'; 512]);
                let _ = std::io::copy(&mut client, &mut std::io::sink());
            }
            Way::ResetAfter(Stage::Accept) => reset(&client),
            Way::ResetAfter(Stage::Preface) => {
                let _ = client.read_exact(&mut [0; PREFACE]);
                reset(&client);
            }
            Way::Good | Way::ResetAfter(_) => self.forward(client, way),
        }
    }

    fn forward(self: Arc<Self>, client: TcpStream, way: Way) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.target.load(Ordering::SeqCst))) else {
            return reset(&client);
        };
        for connection in [&client, &server] {
            connection.set_nodelay(true).unwrap();
        }
        let (requests, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let state = self.clone();
        thread::spawn(move || {
            let last = (way == Way::ResetAfter(Stage::RequestHeaders)).then_some((HEADERS, true));
            let mut seen = |bytes| {
                state.bytes_sent.fetch_add(bytes, Ordering::SeqCst);
            };
            pass(&requests, &to_server, PREFACE, last, &mut seen);
            [&requests, &to_server].into_iter().for_each(reset);
        });
        let last = match way {
            Way::ResetAfter(Stage::ResponseHeaders) => Some((HEADERS, true)),
            Way::ResetAfter(Stage::HalfOfTheBody) => Some((DATA, false)),
            _ => None,
        };
        pass(&server, &client, 0, last, &mut |_| {});
        [&client, &server].into_iter().for_each(reset);
    }
}

/// Passes frames on until one side ends, or `last` has been passed: a kind of frame, all of it or one half.
fn pass(
    mut from: &TcpStream,
    mut to: &TcpStream,
    preface: usize,
    last: Option<(u8, bool)>,
    seen: &mut dyn FnMut(u64),
) -> Option<()> {
    let mut bytes = vec![0; preface];
    from.read_exact(&mut bytes).ok()?;
    seen(bytes.len() as u64);
    to.write_all(&bytes).ok()?;
    loop {
        let mut head = [0; 9];
        from.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut frame = head.to_vec();
        frame.resize(head.len() + length, 0);
        from.read_exact(&mut frame[head.len()..]).ok()?;
        seen(frame.len() as u64);
        match last.filter(|(kind, _)| *kind == head[3]) {
            None => to.write_all(&frame).ok()?,
            Some((_, all)) => {
                let end = if all { frame.len() } else { head.len() + length / 2 };
                to.write_all(&frame[..end]).ok()?;
                return Some(());
            }
        }
    }
}

/// Has everybody who reads from a connection stop. When they have let go of it, it is reset.
fn reset(connection: &TcpStream) {
    let _ = socket2::SockRef::from(connection).set_linger(Some(Duration::ZERO));
    let _ = connection.shutdown(Shutdown::Read);
}
