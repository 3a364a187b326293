//! Servers that are not there, do not answer, or answer nonsense: every call ends in time, with a reason.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::{Client, ClientConfig, ErrorKind};

use crate::support::{Refusing, SOON};

/// Does the same to each connection, for as long as the test runs.
fn server(behave: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("hstream://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let behave = behave.clone();
            thread::spawn(move || behave(connection));
        }
    });
    url
}

fn connect(url: &str) -> hstreamdb::Error {
    let config = ClientConfig::new(url)
        .request_timeout(Duration::from_secs(2))
        .connect_timeout(Duration::from_secs(1));
    let started = Instant::now();
    let error = Client::connect(config).unwrap_err();
    assert!(started.elapsed() < SOON / 3, "{error}");
    error
}

#[test]
fn nobody_listens() {
    let refusing = Refusing::new();
    let free = refusing.address;
    let error = connect(&format!("hstream://{free}"));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.to_string().contains(&free.to_string()) && error.to_string().contains("refused"),
        "{error}"
    );
}

#[test]
fn the_name_does_not_resolve() {
    let error = connect("hstream://no-such-host.invalid");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
}

#[test]
fn it_accepts_and_never_answers() {
    let url = server(|mut connection| {
        let _ = std::io::copy(&mut connection, &mut std::io::sink());
    });
    let error = connect(&url);
    assert!(error.is_retryable(), "{error:?}");
}

#[test]
fn it_hangs_up_at_once_or_after_the_first_bytes() {
    for bytes in [0, 1, 24, 100] {
        let url = server(move |mut connection| {
            let _ = connection.read_exact(&mut vec![0; bytes]);
        });
        let error = connect(&url);
        assert!(error.is_retryable(), "{bytes}: {error:?}");
    }
}

#[test]
fn it_talks_nonsense() {
    for nonsense in [&b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..], &[0; 4096], b"\x15\x03\x01"] {
        let url = server(move |mut connection| {
            let _ = connection.write_all(nonsense);
            let _ = std::io::copy(&mut connection, &mut std::io::sink());
        });
        let error = connect(&url);
        // The last is what a server says that wants TLS.
        let wants_tls = nonsense[0] == 0x15;
        assert_eq!(
            (error.is_retryable(), error.kind() == ErrorKind::Tls),
            (!wants_tls, wants_tls),
            "{error:?}"
        );
    }
}

#[test]
fn one_seed_of_several_is_enough() {
    let server = hstreamdb::dev_server::DevServer::start().unwrap();
    let refusing = Refusing::new();
    let dead = refusing.address;
    let live = server.port();
    for url in [format!("hstream://{dead},127.0.0.1:{live}"), format!("hstream://127.0.0.1:{live} , {dead}")]
    {
        assert_eq!(Client::connect(url).unwrap().echo("x").unwrap(), "x");
    }
}

#[test]
fn a_client_recovers_when_its_server_does() {
    use hstreamdb::dev_server::DevServerOptions;
    let server = hstreamdb::dev_server::DevServer::start().unwrap();
    let port = server.port();
    let client = Client::connect(server.url()).unwrap();
    server.stop();
    let quick = client.within(Duration::from_millis(500));
    assert!(quick.echo("x").unwrap_err().is_retryable());
    let _server = DevServerOptions::new().port(port).start().unwrap();
    assert_eq!(client.echo("y").unwrap(), "y");
}

#[test]
fn a_name_with_a_dead_and_a_live_address_is_reached() {
    // Where the name is that of the loopback in IPv6 as well, nobody listens there.
    let server = hstreamdb::dev_server::DevServer::start().unwrap();
    let client = Client::connect(format!("hstream://localhost:{}", server.port())).unwrap();
    assert_eq!(client.echo("x").unwrap(), "x");
}
