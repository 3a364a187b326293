//! The smaller examples as their users run them.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Once;

use hstreamdb::dev_server::DevServer;
use hstreamdb::{Client, StartAt, StreamOptions, SubscriptionOptions};

const EVENTS: usize = 1707;

/// Runs an example, made beforehand: `cargo test` does so by itself, `cargo test --test examples` does not.
fn run(example: &str, arguments: &[&str]) -> Output {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--all-features", "--examples"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    });
    let test = std::env::current_exe().unwrap();
    let examples = test.ancestors().nth(2).unwrap().join("examples");
    let program = examples.join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    Command::new(program).args(arguments).output().unwrap()
}

fn says(example: &str, arguments: &[&str]) -> String {
    let output = run(example, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn fails(example: &str, arguments: &[&str], code: i32, part: &str) {
    let output = run(example, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(errors.contains(part), "{arguments:?}: {errors}");
}

/// A server with a stream `events` of two shards.
fn server() -> (DevServer, Client) {
    let server = DevServer::start().unwrap();
    let client = Client::connect(server.url()).unwrap();
    client.create_stream("events", StreamOptions::new().shard_count(2)).unwrap();
    (server, client)
}

/// The keys of all records in the stream, sorted.
fn keys(client: &Client, count: usize) -> Vec<String> {
    let options = SubscriptionOptions::new().start(StartAt::Earliest);
    client.create_subscription("all", "events", options).unwrap();
    let consumer = client.consumer("all", Default::default()).unwrap();
    let mut keys = Vec::new();
    while keys.len() < count {
        let batch = consumer.poll(5000, std::time::Duration::from_secs(30)).unwrap().unwrap();
        keys.extend(batch.iter().map(|record| record.key().to_owned()));
    }
    keys.sort();
    keys
}

/// How many were written and spooled.
fn numbers(told: &str) -> [usize; 2] {
    let numbers: Vec<usize> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap()
}

fn exists_with(path: &Path, lines: usize) -> bool {
    std::fs::read_to_string(path).unwrap().lines().count() == lines
}

#[test]
fn all_events_are_written_by_the_buffered_producer() {
    let (server, client) = server();
    let told = says("buffered_append", &[&server.url(), "events"]);
    assert!(told.starts_with("1707 events written in "), "{told}");
    assert_eq!(keys(&client, EVENTS).len(), EVENTS);
}

#[test]
fn a_failure_of_the_buffered_producer_names_the_line() {
    let (server, _client) = server();
    server.faults().next("Append").refuse(3, "not this one");
    fails("buffered_append", &[&server.url(), "events"], 1, "line ");
    fails("buffered_append", &[&server.url(), "nothing"], 1, "nothing");
    fails("buffered_append", &["hstream://127.0.0.1:1", "events"], 1, "127.0.0.1:1");
    fails("buffered_append", &["events"], 2, "usage");
}

#[test]
fn what_could_not_be_written_is_spooled_and_written_at_the_next_start() {
    let (server, client) = server();
    let directory = tempfile::tempdir().unwrap();
    let (spool, nothing) = (directory.path().join("spool"), directory.path().join("nothing"));
    std::fs::write(&nothing, "").unwrap();
    let (url, spool_name) = (server.url(), spool.to_str().unwrap());

    server.faults().next("Append").times(2).refuse(3, "not this one");
    let [written, spooled] = numbers(&says("spool", &[&url, "events", spool_name]));
    assert!(spooled > 0 && written + spooled == EVENTS, "{written} and {spooled}");
    assert!(exists_with(&spool, spooled));
    // And once more.
    server.faults().next("Append").refuse(3, "not now");
    let again = ["events", spool_name, nothing.to_str().unwrap()];
    let arguments = [&[url.as_str()], &again[..]].concat();
    let [rewritten, left] = numbers(&says("spool", &arguments));
    assert!(left > 0 && rewritten + left == spooled && exists_with(&spool, left), "{rewritten} and {left}");
    assert_eq!(says("spool", &arguments), format!("{left} events written, 0 spooled"));
    assert!(exists_with(&spool, 0));
    let mut keys = keys(&client, EVENTS);
    keys.dedup();
    assert_eq!(keys.len(), EVENTS, "each once");
    fails("spool", &[&url], 2, "usage");
}
