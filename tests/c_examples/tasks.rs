//! The C examples of one task each: consuming, an event loop, administration, TLS, signals, statistics.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hstreamdb::dev_server::DevServer;
use hstreamdb::{Client, StartAt, SubscriptionOptions};
use libtest_mimic::Failed;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Case, Program, append_to_events, fails, prepared, run, server_with_stream, told, written};

pub(crate) const PROGRAMS: &[Program] = &[
    CONSUME,
    #[cfg(target_os = "linux")]
    POLL_LOOP,
    ADMIN,
    #[cfg(feature = "tls")]
    TLS,
    INTERRUPT,
    STATS,
];

pub(crate) const CASES: &[(&str, Case)] = &[
    ("consume", consume),
    #[cfg(target_os = "linux")]
    ("poll loop", poll_loop),
    ("admin", admin),
    #[cfg(feature = "tls")]
    ("tls", tls),
    ("interrupt", interrupt),
    ("stats", stats),
];

const CONSUME: Program = Program { name: "consume", source: "examples-c/consume.c" };
#[cfg(target_os = "linux")]
const POLL_LOOP: Program = Program { name: "poll_loop", source: "examples-c/poll_loop.c" };
const ADMIN: Program = Program { name: "admin", source: "examples-c/admin.c" };
#[cfg(feature = "tls")]
const TLS: Program = Program { name: "tls", source: "examples-c/tls.c" };
const INTERRUPT: Program = Program { name: "interrupt", source: "examples-c/interrupt.c" };
const STATS: Program = Program { name: "stats", source: "examples-c/stats.c" };

/// A server with a stream and a subscription `events`.
fn server_with_subscription() -> Result<(DevServer, String, Client), Failed> {
    let (server, url) = server_with_stream()?;
    let client = Client::connect(url.as_str()).map_err(|error| error.to_string())?;
    // What was sent to one who has gone comes again after a second.
    let options = SubscriptionOptions::new().start(StartAt::Earliest).ack_timeout(Duration::from_secs(1));
    client.create_subscription("events", "events", options).map_err(|error| error.to_string())?;
    Ok((server, url, client))
}

/// Each way prints and acks so many and leaves the rest.
fn consume(bin: &Path) -> Result<(), Failed> {
    let (_server, url, client) = server_with_subscription()?;
    let records: Vec<_> = (1..=5).map(|number| ("k", format!("record {number}"))).collect();
    let records: Vec<_> = records.iter().map(|(key, payload)| (*key, payload.as_str())).collect();
    append_to_events(&client, &records)?;
    for (count, how, expected) in [
        ("2", None, "k: record 1\nk: record 2\n"),
        ("2", Some("callback"), "k: record 3\nk: record 4\n"),
        ("1", None, "k: record 5\n"),
    ] {
        let arguments = [&*url, "events", count].into_iter().chain(how);
        let text = written(run(CONSUME, bin, arguments))?;
        if text != expected {
            return Err(format!("{count} {how:?}: {text}").into());
        }
    }
    fails(run(CONSUME, bin, [&*url, "nothing", "1"]), 1, "nothing")?;
    fails(run(CONSUME, bin, [&*url, "events", "1", "carefully"]), 2, "usage")
}

#[cfg(target_os = "linux")]
fn poll_loop(bin: &Path) -> Result<(), Failed> {
    let (_server, url, _client) = server_with_subscription()?;
    let text = written(run(POLL_LOOP, bin, [&*url, "events", "events", "500"]))?;
    if text != "500 reported, 500 consumed, 500 read\n" {
        return Err(text.into());
    }
    fails(run(POLL_LOOP, bin, [&*url, "nothing", "events", "1"]), 1, "nothing")?;
    fails(run(POLL_LOOP, bin, [&*url]), 2, "usage")
}

fn admin(bin: &Path) -> Result<(), Failed> {
    let (_server, url) = server_with_stream()?;
    let text = written(run(ADMIN, bin, [&*url, "looked-after"]))?;
    let lines = |part: &str| text.lines().filter(|line| line.contains(part)).count();
    let good = lines("node ") == 1
        && lines(" runs") == 1
        && lines("stream looked-after: 2 shards, records kept for 86400 s") == 1
        && lines("shard ") >= 2
        && lines("has `a key`") == 1
        && lines("lag: {") == 1;
    let client = Client::connect(url.as_str()).map_err(|error| error.to_string())?;
    let left = client.stream_exists("looked-after").map_err(|error| error.to_string())?;
    if !good || left {
        return Err(format!("left: {left}\n{text}").into());
    }
    fails(run(ADMIN, bin, [&*url, "events"]), 1, "events")?;
    fails(run(ADMIN, bin, [&*url]), 2, "usage")
}

#[cfg(feature = "tls")]
fn tls(bin: &Path) -> Result<(), Failed> {
    use super::secure::{TOKEN, server, write_files};
    let authority = super::authority::Authority::new();
    let directory = tempfile::tempdir_in(bin)?;
    write_files(&authority, directory.path())?;
    std::fs::write(directory.path().join("other.pem"), super::authority::Authority::new().pem)?;
    let server = server(&authority, 0)?;
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let with = |stream: &str, ca: &str, token: &str| {
        let files = [path(ca), path("client.pem"), path("client.key")];
        let arguments = [vec![server.url(), stream.to_owned()], files.to_vec(), vec![token.to_owned()]];
        run(TLS, bin, arguments.concat())
    };
    fails(with("secrets", "ca.pem", TOKEN), 1, "failed: ")?;
    fails(with("secrets", "other.pem", TOKEN), 1, "not trusted: ")?;
    fails(with("secrets", "ca.pem", "d3Jvbmc="), 1, "not allowed: ")?;
    let config = hstreamdb::ClientConfig::new(server.url())
        .tls(
            hstreamdb::TlsConfig::new()
                .ca_file(path("ca.pem"))
                .identity_files(path("client.pem"), path("client.key")),
        )
        .auth_token(TOKEN);
    let client = Client::connect(config).map_err(|error| error.to_string())?;
    client.create_stream("secrets", hstreamdb::StreamOptions::new()).map_err(|error| error.to_string())?;
    let text = written(with("secrets", "ca.pem", TOKEN))?;
    if text != "appended with the token ***\n" {
        return Err(text.into());
    }
    fails(run(TLS, bin, ["too", "few"]), 2, "usage")
}

/// It waits on after the signal that is looked at, and acks before it ends by the other.
fn interrupt(bin: &Path) -> Result<(), Failed> {
    let (_server, url, client) = server_with_subscription()?;
    append_to_events(&client, &[("k", "one")])?;
    let mut command = Command::new(bin.join(INTERRUPT.name));
    let mut child =
        prepared(&mut command, [&*url, "events"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let process = Pid::from_raw(i32::try_from(child.id())?);
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    let mut expect = |wanted: &str| match lines.next() {
        Some(Ok(line)) if line == wanted => Ok(()),
        other => Err(Failed::from(format!("wanted {wanted}: {other:?}"))),
    };
    expect("1 records")?;
    kill(process, Signal::SIGUSR1)?;
    expect("still waiting")?;
    append_to_events(&client, &[("k", "two")])?;
    expect("2 records")?;
    kill(process, Signal::SIGINT)?;
    expect("interrupted after 2 records")?;
    let status = child.wait()?;
    let mut errors = String::new();
    child.stderr.take().ok_or("no errors")?.read_to_string(&mut errors)?;
    let lag = client.subscription_lag("events").map_err(|error| error.to_string())?;
    // The other shard has no records.
    let acked = lag.shards().iter().any(|shard| shard.is_caught_up());
    if !status.success() || !acked {
        return Err(format!("{status} {errors} {lag:?}").into());
    }
    fails(run(INTERRUPT, bin, [&*url, "nothing"]), 1, "nothing")
}

fn stats(bin: &Path) -> Result<(), Failed> {
    let (_server, url) = server_with_stream()?;
    let output = run(STATS, bin, [&*url, "events", "1234"]);
    let all = told(&output);
    let text = written(output)?;
    let json = |name: &str| -> Result<serde_json::Value, Failed> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| all.clone())?;
        Ok(serde_json::from_str(line)?)
    };
    let client = json("client: ")?;
    let good = json("producer: ")?.is_object()
        && client["producers"].is_array()
        && text.lines().any(|line| line == "records out: 1234")
        && text.lines().any(|line| line.starts_with("mean latency: ") && line.contains(" us of "));
    if !good {
        return Err(all.into());
    }
    fails(run(STATS, bin, [&*url, "nothing", "1"]), 1, "nothing")?;
    fails(run(STATS, bin, [&*url]), 2, "usage")
}
