//! Certificates and credentials.

use hstreamdb::dev_server::{DevServer, DevServerOptions};
use hstreamdb::{Client, ClientConfig, TlsConfig};
use rcgen::{CertificateParams, date_time_ymd};

use crate::authority::{Authority, Identity};

const TOKEN: &str = "YWxhZGRpbjpvcGVuc2VzYW1l";
const WRONG: &str = "d3Jvbmc=";

fn options(identity: &Identity) -> DevServerOptions {
    DevServerOptions::new().tls(identity.certificate.as_bytes(), identity.key.as_bytes())
}

fn trusted(authority: &Authority) -> TlsConfig {
    TlsConfig::new().ca_pem(authority.pem.as_str())
}

fn over_tls(url: &str, tls: TlsConfig) -> ClientConfig {
    ClientConfig::new(url.replace("hstream://", "hstreams://")).tls(tls)
}

fn failed(config: ClientConfig) -> String {
    Client::connect(config).unwrap_err().to_string()
}

pub(crate) fn unknown_authority() -> Vec<String> {
    let server = options(&Authority::new().sign("127.0.0.1")).start().unwrap();
    vec![failed(over_tls(&server.url(), trusted(&Authority::new())))]
}

pub(crate) fn expired() -> Vec<String> {
    let authority = Authority::new();
    let at = |from, to| {
        let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let server = options(&authority.sign_with(parameters)).start().unwrap();
        failed(over_tls(&server.url(), trusted(&authority)))
    };
    vec![at(2000, 2001), at(2090, 2091)]
}

pub(crate) fn another_name() -> Vec<String> {
    let authority = Authority::new();
    let server = options(&authority.sign("node.example")).start().unwrap();
    vec![failed(over_tls(&server.url(), trusted(&authority)))]
}

pub(crate) fn one_side() -> Vec<String> {
    let authority = Authority::new();
    let (plaintext, encrypted) =
        (DevServer::start().unwrap(), options(&authority.sign("127.0.0.1")).start().unwrap());
    vec![
        failed(over_tls(&plaintext.url(), trusted(&authority))),
        failed(ClientConfig::new(encrypted.url().replace("hstreams://", "hstream://"))),
    ]
}

pub(crate) fn client_certificate() -> Vec<String> {
    let authority = Authority::new();
    let server = options(&authority.sign("127.0.0.1")).client_ca(authority.pem.as_bytes()).start().unwrap();
    vec![failed(over_tls(&server.url(), trusted(&authority)))]
}

pub(crate) fn files() -> Vec<String> {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let authority = Authority::new();
    let without_key = trusted(&authority).identity_pem(authority.pem.as_str(), "no key");
    vec![
        failed(over_tls("hstreams://a", TlsConfig::new().ca_file("/nonexistent"))),
        failed(over_tls("hstreams://a", TlsConfig::new().ca_file(empty.path()))),
        failed(over_tls("hstreams://a", without_key)),
        failed(ClientConfig::new("hstream://a").tls(trusted(&authority))),
    ]
}

pub(crate) fn token() -> Vec<String> {
    let authority = Authority::new();
    let encrypted = options(&authority.sign("127.0.0.1")).token(TOKEN).start().unwrap();
    let plaintext = DevServerOptions::new().token(TOKEN).start().unwrap();
    let over_tls = || over_tls(&encrypted.url(), trusted(&authority));
    let in_plaintext = || ClientConfig::new(plaintext.url()).plaintext_auth(true);
    vec![
        failed(over_tls()),
        failed(over_tls().auth_token(WRONG)),
        failed(in_plaintext()),
        failed(in_plaintext().auth_token(WRONG)),
    ]
}

pub(crate) fn without_tls() -> Vec<String> {
    vec![failed(ClientConfig::new("hstream://a").auth_token(TOKEN))]
}
