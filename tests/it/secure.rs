//! TLS and credentials.
#![cfg(feature = "tls")]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    Client, ClientConfig, ConsumerConfig, ConsumerState, ErrorKind, Event, EventKind, Record, StreamOptions,
    SubscriptionOptions, TlsConfig,
};
use rcgen::{CertificateParams, date_time_ymd};

use crate::authority::{Authority, Identity};
use crate::support::{SOON, wait_until};

fn trusted(authority: &Authority) -> TlsConfig {
    TlsConfig::new().ca_pem(authority.pem.as_str())
}

fn options(identity: &Identity) -> DevServerOptions {
    DevServerOptions::new().tls(identity.certificate.as_bytes(), identity.key.as_bytes())
}

fn connect(url: &str, tls: TlsConfig) -> hstreamdb::Result<Client> {
    let url = url.replace("hstream://", "hstreams://");
    Client::connect(ClientConfig::new(url).tls(tls).request_timeout(Duration::from_secs(10)))
}

fn refused(url: &str, tls: TlsConfig, reason: &str) {
    let error = connect(url, tls).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.to_string().contains(reason), "{error}");
    assert!(!error.is_retryable());
}

#[test]
fn a_record_travels_encrypted_and_back() {
    let authority = Authority::new();
    let server =
        options(&authority.sign("127.0.0.1")).assignment_tick(Duration::from_millis(20)).start().unwrap();
    let client = connect(&server.url(), trusted(&authority)).unwrap();
    client.create_stream("s", StreamOptions::new()).unwrap();
    client.create_subscription("sub", "s", SubscriptionOptions::new()).unwrap();
    client.append_one("s", &Record::raw("a")).unwrap();
    let consumer = client.consumer("sub", ConsumerConfig::new()).unwrap();
    let batch = consumer.poll(1, SOON).unwrap().unwrap();
    consumer.ack_batch(&batch).unwrap();
    consumer.close(SOON).unwrap();
}

#[test]
fn each_way_to_fail_is_told_from_the_others() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = options(&authority.sign("127.0.0.1")).start().unwrap();
    refused(&server.url(), trusted(&other), "not trusted");
    refused(&server.url(), trusted(&authority).server_name("other.example"), "another name");

    let named = options(&authority.sign("node.example")).start().unwrap();
    refused(&named.url(), trusted(&authority), "another name");
    connect(&named.url(), trusted(&authority).server_name("node.example")).unwrap();

    let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    parameters.not_after = date_time_ymd(2001, 1, 1);
    let expired = options(&authority.sign_with(parameters)).start().unwrap();
    refused(&expired.url(), trusted(&authority), "expired");

    let plaintext = hstreamdb::dev_server::DevServer::start().unwrap();
    refused(&plaintext.url(), trusted(&authority), "does not speak TLS");

    let error = Client::connect(server.url().replace("hstreams", "hstream")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.to_string().contains("use a hstreams:// URL"), "{error}");
}

#[test]
fn a_server_that_wants_a_client_certificate_gets_it_or_says_so() {
    let authority = Authority::new();
    let server = options(&authority.sign("127.0.0.1")).client_ca(authority.pem.as_bytes()).start().unwrap();
    refused(&server.url(), trusted(&authority), "client certificate");
    let ours = authority.sign("client");
    let tls = trusted(&authority).identity_pem(ours.certificate.as_str(), ours.key.as_str());
    connect(&server.url(), tls).unwrap().echo("x").unwrap();
}

#[test]
fn the_metrics_say_until_when_certificates_are_valid() {
    let authority = Authority::new();
    let until = |year| {
        let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        parameters.not_after = date_time_ymd(year, 1, 1);
        authority.sign_with(parameters)
    };
    let server = options(&until(2090)).start().unwrap();
    let ours = until(2091);
    let tls = trusted(&authority).identity_pem(ours.certificate.as_str(), ours.key.as_str());
    let metrics = connect(&server.url(), tls).unwrap().metrics();
    let seconds =
        |time: Option<SystemTime>| time.unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(seconds(metrics.server_certificate_expires), 3_786_912_000);
    assert_eq!(seconds(metrics.client_certificate_expires), 3_818_448_000);
    let without = connect(&server.url(), trusted(&authority)).unwrap().metrics();
    assert_eq!(without.client_certificate_expires, None);
}

#[test]
fn tls_options_without_tls_and_tls_without_roots_are_mistakes() {
    let error =
        Client::connect(ClientConfig::new("hstream://a").tls(TlsConfig::new().server_name("a"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    let error = connect("hstream://a", TlsConfig::new().ca_file("/nonexistent")).unwrap_err();
    assert!(error.to_string().contains("/nonexistent"), "{error}");
}

#[test]
fn changed_certificates_are_used_for_new_connections_and_broken_ones_are_not() {
    let (authority, other) = (Authority::new(), Authority::new());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(authority.pem.as_bytes()).unwrap();
    let first = options(&authority.sign("127.0.0.1")).start().unwrap();
    let (told, events) = mpsc::channel();
    let told = Mutex::new(told);
    let config = ClientConfig::new(first.url().replace("hstream://", "hstreams://"))
        .tls(TlsConfig::new().ca_file(file.path()))
        .on_event(move |event| drop(told.lock().unwrap().send(event.clone())));
    let client = Client::connect(config).unwrap();
    fs::write(file.path(), "broken").unwrap();
    assert_eq!(client.reload_tls().unwrap_err().kind(), ErrorKind::Tls);
    client.echo("still connected").unwrap();
    // The next server has a certificate of another CA, and is found at the same address.
    let port = first.port();
    first.stop();
    let _second = options(&other.sign("127.0.0.1")).port(port).start().unwrap();
    let quick = client.within(Duration::from_secs(5));
    assert_eq!(
        quick.echo("x").unwrap_err().kind(),
        ErrorKind::Tls,
        "the old roots are still those that count"
    );
    let broken = |event: &Event| event.kind() == EventKind::TlsReloadFailed;
    let told: Vec<_> = events.try_iter().filter(broken).collect();
    assert_eq!(told.len(), 1, "a change is told once, however many connections meet it");
    assert_eq!(told[0].error().unwrap().kind(), ErrorKind::Tls);
    fs::write(file.path(), &other.pem).unwrap();
    client.reload_tls().unwrap();
    client.echo("y").unwrap();
}

/// Whether these bytes are TLS records of a handshake that came to nothing, one behind the other.
fn is_tls(mut bytes: &[u8]) -> bool {
    while let [kind, 0x03, _, high, low, rest @ ..] = bytes {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        if !matches!(kind, 0x15 | 0x16) || rest.len() < len {
            return false;
        }
        bytes = &rest[len..];
    }
    bytes.is_empty()
}

/// A node that would talk in plaintext: the client must never say a word to it.
#[test]
fn with_tls_on_no_node_ever_sees_plaintext() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (connections, plaintext) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (seen, words) = (connections.clone(), plaintext.clone());
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let mut said = Vec::new();
            // To its end: what comes after a refused handshake counts as well.
            let mut connection = connection;
            let mut part = [0; 1024];
            while let Ok(len @ 1..) = std::io::Read::read(&mut connection, &mut part) {
                said.extend_from_slice(&part[..len]);
                if said.len() == len {
                    let _ = connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
                }
            }
            // Each TLS record begins so: a handshake or an alert. Anything else is plaintext.
            if !is_tls(&said) {
                words.fetch_add(1, Ordering::SeqCst);
            }
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    // A node that says that it is found there.
    let server = options(&authority.sign("127.0.0.1"))
        .advertised_address("127.0.0.1", address.port())
        .start()
        .unwrap();
    let client = connect(&server.url(), trusted(&authority)).unwrap();
    client.create_stream("s", StreamOptions::new()).ok();
    let quick = client.within(Duration::from_millis(500));
    let _ = quick.append_one("s", &Record::raw("secret"));
    wait_until("the other node is dialled", || connections.load(Ordering::SeqCst) > 0);
    assert_eq!(plaintext.load(Ordering::SeqCst), 0);
}

const TOKEN: &str = "YWxhZGRpbjpvcGVuc2VzYW1l";

#[test]
fn credentials_are_checked_by_the_server_and_can_be_rotated() {
    let authority = Authority::new();
    let server = options(&authority.sign("127.0.0.1")).token(TOKEN).start().unwrap();
    let url = server.url().replace("hstream://", "hstreams://");
    let config = || ClientConfig::new(&url).tls(trusted(&authority));
    let missing = Client::connect(config()).unwrap_err();
    assert!(missing.server().is_some_and(|server| server.grpc_status() == 16), "{missing:?}");
    let wrong = Client::connect(config().auth_token("d3Jvbmc=")).unwrap_err();
    assert!(wrong.server().is_some_and(|server| server.grpc_status() == 16), "{wrong:?}");
    assert!(
        !format!("{wrong:?}").contains("d3Jvbmc"),
        "the server repeats the token, and we don't: {wrong:?}"
    );
    let client = Client::connect(config().basic_auth("aladdin", "opensesame")).unwrap();
    client.echo("x").unwrap();
    client.set_auth_token(b"d3Jvbmc=").unwrap();
    assert!(client.echo("x").is_err());
    client.set_basic_auth("aladdin", b"opensesame").unwrap();
    client.echo("x").unwrap();
}

#[test]
fn without_tls_credentials_are_sent_only_if_asked_for_and_refusals_are_understood() {
    let server = DevServerOptions::new().token(TOKEN).start().unwrap();
    let config = || ClientConfig::new(server.url());
    let error = Client::connect(config().auth_token(TOKEN)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    Client::connect(config().auth_token(TOKEN).plaintext_auth(true)).unwrap().echo("x").unwrap();
    let none = Client::connect(config()).unwrap_err();
    assert!(none.to_string().contains("none are given"), "{none}");
    let wrong = Client::connect(config().auth_token("d3Jvbmc=").plaintext_auth(true)).unwrap_err();
    assert!(
        wrong.to_string().contains("those given are wrong") && !wrong.to_string().contains("d3Jvbmc"),
        "{wrong}"
    );
}

const CANCELLED: i32 = 1;

#[test]
fn calls_that_the_server_cancels_are_made_again_once_credentials_were_good() {
    let server = DevServerOptions::new().token(TOKEN).start().unwrap();
    let config = || ClientConfig::new(server.url()).plaintext_auth(true);
    let client = Client::connect(config().auth_token(TOKEN)).unwrap();
    client.create_stream("s", StreamOptions::new()).unwrap();
    let calls = |rpc: &str| server.faults().calls(rpc);
    for rpc in ["Echo", "Append", "DeleteStream"] {
        server.faults().next(rpc).refuse(CANCELLED, "");
    }
    client.echo("x").unwrap();
    client.append_one("s", &Record::raw("x")).unwrap();
    assert_eq!((calls("Echo"), calls("Append")), (2, 2));
    let error = client.delete_stream("s", Default::default()).unwrap_err();
    assert!(error.is_ambiguous() && error.attempts() == 1, "may have happened: {error:?}");
    // Nobody knows yet whether the new ones are good.
    client.set_auth_token(b"d3Jvbmc=").unwrap();
    let error = client.echo("x").unwrap_err();
    assert_eq!(error.attempts(), 1, "{error:?}");
    assert!(error.to_string().contains("those given are wrong"), "{error}");
}

#[test]
fn a_consumer_whose_credentials_are_not_good_any_more_gives_up_without_tls_as_well() {
    let server = DevServerOptions::new().token(TOKEN).start().unwrap();
    let config = ClientConfig::new(server.url()).plaintext_auth(true).auth_token(TOKEN);
    let client = Client::connect(config).unwrap();
    client.create_stream("s", StreamOptions::new()).unwrap();
    client.create_subscription("sub", "s", SubscriptionOptions::new()).unwrap();
    let quick = ConsumerConfig::new().reconnect(Duration::from_millis(1), Duration::from_millis(5));
    let consumer = client.consumer("sub", quick).unwrap();
    consumer.start().unwrap();
    wait_until("it runs", || !client.list_consumers("sub").unwrap().is_empty());
    // Cut off now and then, it comes back.
    assert_eq!(server.faults().cut_consumers("sub", CANCELLED, ""), 1);
    wait_until("it is back", || !client.list_consumers("sub").unwrap().is_empty());
    client.set_auth_token(b"d3Jvbmc=").unwrap();
    wait_until("it is cut off", || {
        server.faults().cut_consumers("sub", CANCELLED, "");
        consumer.state() == ConsumerState::Failed
    });
    let error = consumer.poll(1, SOON).unwrap_err();
    assert!(error.server().is_some_and(|server| server.grpc_status() == CANCELLED), "{error:?}");
}
