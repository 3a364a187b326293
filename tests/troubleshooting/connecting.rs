//! Servers that are not there, or not what they should be.

use std::net::TcpListener;
use std::time::Duration;

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{Client, ClientConfig, Record, StreamOptions};

use crate::support::{Fixture, Refusing};
use crate::unhurried;

fn failed(config: impl Into<ClientConfig>) -> String {
    Client::connect(config).unwrap_err().to_string()
}

pub(crate) fn refused() -> Vec<String> {
    vec![failed(format!("hstream://{}", Refusing::new().address))]
}

pub(crate) fn unknown_host() -> Vec<String> {
    // Longer than a part of a name can be: no name server has to be asked.
    vec![failed(format!("hstream://{}.invalid", "x".repeat(64)))]
}

pub(crate) fn no_answer() -> Vec<String> {
    // The kernel takes the connection, and nobody says anything.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = ClientConfig::new(format!("hstream://{}", silent.local_addr().unwrap()));
    vec![failed(config.request_timeout(Duration::from_secs(1)))]
}

pub(crate) fn advertised() -> Vec<String> {
    let nobody = Refusing::new();
    let server =
        DevServerOptions::new().advertised_address("127.0.0.1", nobody.address.port()).start().unwrap();
    // One that goes on trying finds the seed in the end.
    Client::connect(server.url()).unwrap().create_stream("s", StreamOptions::new()).unwrap();
    let client = Client::connect(unhurried(server.url())).unwrap();
    vec![client.append_one("s", &Record::raw("x")).unwrap_err().to_string()]
}

pub(crate) fn too_old() -> Vec<String> {
    let ancient = DevServerOptions::new().version("0.14.0").start().unwrap();
    let old = Fixture::with(DevServerOptions::new().version("0.15.0"));
    let stream = old.stream(1);
    let shard = old.client.list_shards(&stream).unwrap().shards()[0].id();
    vec![failed(ancient.url()), old.client.tail_record_id(&stream, shard).unwrap_err().to_string()]
}

pub(crate) fn bad_url() -> Vec<String> {
    ["ftp://a", "hstream://a:b", "hstream://a/path"].map(failed).to_vec()
}
