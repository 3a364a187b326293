//! The program hstream-cat, against embedded servers.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use hstreamdb::dev_server::{DevServer, DevServerOptions};
use hstreamdb::{Client, StartAt, StreamOptions, SubscriptionOptions};
use libtest_mimic::Failed;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Case, Program, fails, prepared, root, told, valgrind_of, written};

/// Compiled from all files of the directory that the source names.
pub(crate) const HSTREAM_CAT: Program = Program { name: "hstream-cat", source: "examples-c/hstream-cat" };

pub(crate) const CASES: &[(&str, Case)] = &[
    ("hstream-cat: lines with keys come back, whatever the compression", keys_and_compression),
    ("hstream-cat: JSON goes in and comes out", json),
    ("hstream-cat: a reader begins and ends where it is told", offsets),
    ("hstream-cat: what is shown is acked and nothing else", acks),
    ("hstream-cat: formats", formats),
    ("hstream-cat: lists what there is", lists),
    ("hstream-cat: each line that is not written is named", lost_lines),
    ("hstream-cat: a record that can't be read is named and stays unacked", unreadable),
    ("hstream-cat: a signal loses nothing that was taken", signals),
    ("hstream-cat: a closed output ends it quietly and acks nothing", closed_output),
    ("hstream-cat: options from the command line and from files", settings),
    ("hstream-cat: bad usage", bad_usage),
    ("hstream-cat: the man page tells each option", man_page),
    ("hstream-cat: doctor finds nothing in a sound cluster", sound),
    ("hstream-cat: doctor tells what is wrong with an address", addresses),
    ("hstream-cat: doctor tells what is wrong with a node", nodes),
    #[cfg(feature = "tls")]
    ("hstream-cat: doctor tells what is wrong with certificates and tokens", secure),
];

pub(crate) const CHECKED: &[(&str, Case)] = &[("hstream-cat under valgrind", checked)];

/// As the README says, and with all warnings.
pub(crate) fn compile(bin: &Path) -> Result<(), String> {
    let mut sources: Vec<_> = std::fs::read_dir(root().join(HSTREAM_CAT.source))
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"])
        .arg("-I")
        .arg(root().join("include"))
        .args(sources)
        .arg("-o")
        .arg(bin.join(HSTREAM_CAT.name))
        .arg("-L")
        .arg(bin)
        .arg("-lhstreamdb")
        .arg(format!("-Wl,-rpath,{}", bin.display()))
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

// ---- Running it ----------------------------------------------------------------------------------------------

fn plain(bin: &Path) -> Command {
    Command::new(bin.join(HSTREAM_CAT.name))
}

/// Runs it with this on its standard input.
fn fed(mut command: Command, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = spawned(&mut command, arguments);
    let mut stdin = child.stdin.take().expect("it has an input");
    let input = input.to_owned();
    // It may end before it has read all, so a failure here is none.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    feeder.join().expect("the feeder ends");
    output
}

fn spawned(command: &mut Command, arguments: &[&str]) -> Child {
    prepared(command, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// One that runs on beside the test, and not for longer than it.
struct Running(Child);

impl Running {
    fn start(bin: &Path, arguments: &[&str]) -> Self {
        Running(spawned(&mut plain(bin), arguments))
    }

    fn lines(&mut self) -> Result<Lines<BufReader<ChildStdout>>, Failed> {
        Ok(BufReader::new(self.0.stdout.take().ok_or("no output")?).lines())
    }

    fn signal(&self, signal: Signal) -> Result<(), Failed> {
        Ok(kill(Pid::from_raw(i32::try_from(self.0.id())?), signal)?)
    }

    /// How it ended, and what it wrote to standard error.
    fn end(mut self) -> Result<Output, Failed> {
        let mut stderr = Vec::new();
        self.0.stderr.take().ok_or("no errors")?.read_to_end(&mut stderr)?;
        Ok(Output { status: self.0.wait()?, stdout: Vec::new(), stderr })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or nobody wants it any more.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// It and its server.
struct Site<'a> {
    bin: &'a Path,
    server: DevServer,
    url: String,
    client: Client,
}

impl<'a> Site<'a> {
    /// A cluster of so many nodes, with a stream `events` of so many shards.
    fn new(bin: &'a Path, nodes: u32, shards: u32) -> Result<Self, Failed> {
        let tick = Duration::from_millis(20);
        let server = wrong(DevServerOptions::new().nodes(nodes).assignment_tick(tick).start())?;
        let url = server.url();
        let client = wrong(Client::connect(url.as_str()))?;
        wrong(client.create_stream("events", StreamOptions::new().shard_count(shards)))?;
        Ok(Site { bin, server, url, client })
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        fed(plain(self.bin), &[&["-b", &self.url], arguments].concat(), input.as_bytes())
    }

    /// What it wrote; it must succeed.
    fn text(&self, arguments: &[&str], input: &str) -> Result<String, Failed> {
        written(self.run(arguments, input))
    }

    /// The lines that it wrote, sorted: shards have no order among them.
    fn lines(&self, arguments: &[&str]) -> Result<Vec<String>, Failed> {
        let mut lines: Vec<_> = self.text(arguments, "")?.lines().map(str::to_owned).collect();
        lines.sort();
        Ok(lines)
    }

    fn subscribe(&self) -> Result<(), Failed> {
        // What was sent to one who has gone comes again after a second.
        let options = SubscriptionOptions::new().start(StartAt::Earliest).ack_timeout(Duration::from_secs(1));
        wrong(self.client.create_subscription("worker", "events", options)).map(drop)
    }
}

fn wrong<T>(result: hstreamdb::Result<T>) -> Result<T, Failed> {
    result.map_err(|error| error.to_string().into())
}

fn same<T: PartialEq + std::fmt::Debug>(left: T, right: T) -> Result<(), Failed> {
    if left == right { Ok(()) } else { Err(format!("{left:?}\nwanted {right:?}").into()) }
}

fn has(text: &str, parts: &[&str]) -> Result<(), Failed> {
    let missing: Vec<_> = parts.iter().filter(|part| !text.contains(**part)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} not in\n{text}").into()) }
}

/// It fails with this code and names all of it.
fn tells(output: &Output, code: i32, parts: &[&str]) -> Result<(), Failed> {
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != Some(code) {
        return Err(told(output).into());
    }
    has(&errors, parts)
}

// ---- Records -------------------------------------------------------------------------------------------------

fn keys_and_compression(bin: &Path) -> Result<(), Failed> {
    let input = "a:one\nb:two:three\nplain\n\nc:\nlast without an end";
    let records = ["", "a=one", "b=two:three", "c=", "=last without an end", "=plain"];
    let mut expected: Vec<_> = records.iter().map(|line| if line.is_empty() { "=" } else { line }).collect();
    expected.sort_unstable();
    for compression in ["none", "gzip", "gzip:9", "zstd", "zstd:3"] {
        let site = Site::new(bin, 3, 3)?;
        same(site.text(&["-P", "events", "-K", ":", "-z", compression], input)?.as_str(), "")?;
        same(
            site.lines(&["-R", "events", "-e", "-f", "%k=%s%n"])?,
            expected.iter().map(|it| it.to_string()).collect(),
        )?;
        // By a subscription of its own, which is gone afterwards.
        let consumed = site.lines(&["-C", "peek", "-G", "events", "-e", "-f", "%k=%s\\n"])?;
        same(consumed, expected.iter().map(|it| it.to_string()).collect())?;
        same(wrong(site.client.subscription_exists("peek"))?, false)?;
    }
    let site = Site::new(bin, 1, 1)?;
    site.text(&["-P", "events", "-K", "\\t", "-c", "2"], "k\tv\nw\nnot taken\n")?;
    same(site.text(&["-R", "events", "-e", "-f", "%k=%s;"], "")?.as_str(), "k=v;=w;")
}

fn json(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 1, 1)?;
    site.text(&["-P", "events", "-J", "-K", " "], "k {\"n\":1,\"of\":[true,null]}\n")?;
    same(site.text(&["-R", "events", "-e"], "")?.as_str(), "{\"n\":1,\"of\":[true,null]}\n")?;
    // What is no text, and what JSON must escape.
    let raw = [&b"\xff\xfe\x00"[..], b"a \"quoted\" \\ line\tand more \xe2\x82\xac"];
    let arguments = ["-b", site.url.as_str(), "-P", "events"];
    written(fed(plain(bin), &arguments, &[raw[0], raw[1]].join(&b'\n')))?;
    let text = site.text(&["-R", "events", "-e", "-J"], "")?;
    let records = text.lines().map(serde_json::from_str).collect::<Result<Vec<serde_json::Value>, _>>()?;
    let [object, bytes, line] = records.as_slice() else { return Err(text.into()) };
    same(&object["json"], &serde_json::json!({"n": 1.0, "of": [true, null]}))
        .or_else(|_| same(&object["json"], &serde_json::json!({"n": 1, "of": [true, null]})))?;
    same(object["key"].as_str(), Some("k"))?;
    let id: hstreamdb::RecordId = wrong(object["id"].as_str().unwrap_or_default().parse())?;
    same(object["shard_id"].as_u64(), Some(id.shard_id))?;
    same(object["publish_time_ms"].as_i64().is_some_and(|time| time > 1_500_000_000_000), true)?;
    same(bytes["payload_base64"].as_str(), Some("//4A"))?;
    same(line["payload"].as_str(), std::str::from_utf8(raw[1]).ok())
}

fn offsets(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 1, 2)?;
    for line in ["k:one", "k:two", "k:three"] {
        site.text(&["-P", "events", "-K", ":"], line)?;
    }
    let shard = wrong(site.client.shard_for_key("events", "k"))?.to_string();
    let ids = site.text(&["-R", "events", "-e", "-s", &shard, "-f", "%i\\n"], "")?;
    let ids: Vec<_> = ids.lines().collect();
    same(ids.len(), 3)?;
    let times = site.text(&["-R", "events", "-e", "-s", &shard, "-f", "%T "], "")?;
    let later = format!(
        "@{}",
        times.split(' ').filter_map(|time| time.parse::<i64>().ok()).max().unwrap_or(0) + 60_000
    );
    for (arguments, expected) in [
        (&["-o", "earliest", "-e"][..], "one two three "),
        (&["-o", ids[1], "-e"], "two three "),
        (&["-o", "earliest", "-c", "1"], "one "),
        (&["-o", "@0", "-e"], "one two three "),
        (&["-o", &later, "-e"], ""),
    ] {
        let always = ["-R", "events", "-s", &shard, "-f", "%s "];
        same(site.text(&[&always, arguments].concat(), "")?.as_str(), expected)?;
    }
    same(site.text(&["-R", "events", "-k", "k", "-f", "%s "], "")?.as_str(), "one two three ")?;
    same(site.text(&["-R", "events", "-k", "other", "-f", "%s "], "")?.as_str(), "")?;
    // On from the position that it tells.
    let output = site.run(&["-R", "events", "-v", "-c", "2", "-s", &shard], "");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let position = errors.trim().strip_prefix("hstream-cat: position: ").ok_or_else(|| told(&output))?;
    let option = format!("reader.position={position}");
    same(site.text(&["-R", "events", "-e", "-s", &shard, "-X", &option], "")?.as_str(), "three\n")?;
    tells(&site.run(&["-R", "events", "-o", "yesterday"], ""), 1, &["-o", "yesterday"])?;
    tells(&site.run(&["-R", "nothing", "-e"], ""), 1, &["nothing"])
}

fn acks(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 2, 1)?;
    site.subscribe()?;
    let all: String = (1..=5).map(|number| format!("{number}\n")).collect();
    site.text(&["-P", "events"], &all)?;
    same(site.text(&["-C", "worker", "-c", "2"], "")?.as_str(), "1\n2\n")?;
    same(site.text(&["-C", "worker", "-e"], "")?.as_str(), "3\n4\n5\n")?;
    same(wrong(site.client.subscription_lag("worker"))?.is_caught_up(), true)?;
    // Nothing is left; it does not wait for the time of -I.
    same(site.text(&["-C", "worker", "-e", "-I", "600000"], "")?.as_str(), "")?;
    // One that has never acked anything can't be told to be at its end, so time ends it.
    same(site.text(&["-C", "late", "-G", "events", "-o", "latest", "-e", "-I", "300"], "")?.as_str(), "")?;
    tells(&site.run(&["-C", "nobody"], ""), 1, &["nobody"])?;
    // A subscription that is there is not taken for a temporary one.
    tells(&site.run(&["-C", "worker", "-G", "events"], ""), 1, &["worker"])?;
    same(wrong(site.client.subscription_exists("worker"))?, true)
}

fn formats(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 1, 1)?;
    let record =
        hstreamdb::Record::raw("payload").with_key("key").with_attribute("b", "2").with_attribute("a", "1");
    let ids = wrong(site.client.append("events", &[record], hstreamdb::Compression::none()))?;
    let id = ids.first().ok_or("no id")?;
    let format = r"%s|%l|%k|%K|%i|%S|%h|%%|\t|\\%n";
    let text = site.text(&["-R", "events", "-e", "-f", format], "")?;
    same(text, format!("payload|7|key|3|{id}|{}|a=1,b=2|%|\t|\\\n", id.shard_id))
}

fn lists(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 3, 1)?;
    site.subscribe()?;
    site.text(&["-P", "events"], "one\ntwo\n")?;
    let text = site.text(&["-L"], "")?;
    let server = site.server.port();
    has(&text, &["nodes: 3", &format!("at 127.0.0.1:{server}, version 0.20.3, running")])?;
    has(&text, &["streams: 1", "stream events, shards: 1, copies: 1, kept for ever", "    shard "])?;
    has(&text, &["subscription worker of events, consumers: 0, behind: unknown"])?;
    site.text(&["-C", "worker", "-e"], "")?;
    has(&site.text(&["-L"], "")?, &["behind: nothing"])?;
    site.text(&["-P", "events"], "three\n")?;
    has(&site.text(&["-L"], "")?, &["behind: 1 batches at most"])?;

    let consumer = wrong(site.client.consumer("worker", hstreamdb::ConsumerConfig::new().name("reading")))?;
    wrong(consumer.poll(1, Duration::from_secs(30)))?;
    has(&site.text(&["-L"], "")?, &["consumers: 1", "    consumer reading from ", "hstreamdb"])?;
    let text = site.text(&["-L", "-J"], "")?;
    let all: serde_json::Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    same(all["cluster"]["nodes"].as_array().map(Vec::len), Some(3))?;
    same(all["streams"][0]["stream"]["name"].as_str(), Some("events"))?;
    same(all["streams"][0]["shards"].as_array().map(Vec::len), Some(1))?;
    let subscription = &all["subscriptions"][0];
    same(subscription["lag"]["caught_up"].as_bool(), Some(false))?;
    same(subscription["consumers"][0]["name"].as_str(), Some("reading"))
}

// ---- Failures ------------------------------------------------------------------------------------------------

/// The lines named on standard error, by their numbers.
fn named_lines(output: &Output) -> Vec<usize> {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let numbers = errors
        .lines()
        .filter_map(|line| line.strip_prefix("hstream-cat: line ")?.split(':').next()?.parse().ok());
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

fn lost_lines(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 1, 1)?;
    let all: String = (1..=400).map(|number| format!("{number}\n")).collect();
    site.server.faults().next("Append").refuse(3, "not this batch");
    let output = site.run(&["-P", "events", "-X", "producer.batch.records=10"], &all);
    tells(&output, 1, &["not written", "not this batch"])?;
    let lost = named_lines(&output);
    let there: Vec<usize> =
        site.lines(&["-R", "events", "-e"])?.iter().filter_map(|line| line.parse().ok()).collect();
    let mut numbers = [lost.clone(), there].concat();
    numbers.sort_unstable();
    same(lost.is_empty(), false)?;
    same(numbers, (1..=400).collect::<Vec<_>>())?;

    // Those that the library does not take are named as well, and the others go on.
    let output = site.run(&["-P", "events", "-J"], "{\"a\":1}\n{\"a\":\n[1]\n\n{\"a\":2}\n");
    tells(&output, 1, &["line 2: not written", "line 3: not written", "line 4: not written"])?;
    same(named_lines(&output), vec![2, 3, 4])?;
    let large = format!("small\n{}\nsmall\n", "x".repeat(2 << 20));
    same(named_lines(&site.run(&["-P", "events"], &large)), vec![2])?;
    tells(&site.run(&["-P", "nothing"], "one\n"), 1, &["nothing"])?;

    // A server that is away: nothing is known to be written, and each line is named.
    site.server.faults().next("Append").always().refuse_after_applying(4, "no answer");
    let output = site.run(&["-P", "events", "-X", "producer.delivery.timeout.ms=500"], "one\ntwo\n");
    tells(&output, 1, &["line 1: may have been written", "line 2: "])?;
    let nobody = fed(
        plain(bin),
        &["-b", "hstream://127.0.0.1:1", "-X", "request.timeout.ms=1000", "-P", "events"],
        b"x",
    );
    fails(nobody, 1, "127.0.0.1:1")
}

fn unreadable(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 1, 1)?;
    site.subscribe()?;
    site.text(&["-P", "events"], "one\n")?;
    let shard = wrong(site.client.list_shards("events"))?.shards()[0].id();
    let mut child = Running::start(bin, &["-b", &site.url, "-C", "worker", "-c", "2"]);
    let mut lines = child.lines()?;
    same(lines.next().transpose()?.as_deref(), Some("one"))?;
    let id = hstreamdb::RecordId { shard_id: shard, batch_id: 77, batch_index: 0 };
    same(site.server.faults().deliver("worker", &[id], 0, b"\xff\xff\xff"), 1)?;
    tells(&child.end()?, 1, &[&id.to_string(), "decode"])
}

// ---- Ends ----------------------------------------------------------------------------------------------------

fn signals(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 1, 1)?;
    site.subscribe()?;
    let mut consumer = Running::start(bin, &["-b", &site.url, "-C", "worker"]);
    let mut shown = consumer.lines()?;

    // While it waits for its input, which stays open.
    let batches = ["-X", "producer.linger.ms=-1", "-X", "producer.batch.records=10"];
    let mut producer = Running::start(bin, &[&["-b", &site.url, "-P", "events"][..], &batches].concat());
    let mut input = producer.0.stdin.take().ok_or("no input")?;
    let taken: String = (1..=1005).map(|number| format!("{number}\n")).collect();
    input.write_all(taken.as_bytes())?;
    // Batches go when they are full, so some records are still here when the first are shown.
    same(shown.next().transpose()?.as_deref(), Some("1"))?;
    input.write_all(b"half a line")?;
    producer.signal(Signal::SIGINT)?;
    let output = producer.end()?;
    drop(input);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = errors
        .trim()
        .strip_prefix("hstream-cat: stopped by a signal after line ")
        .ok_or_else(|| told(&output))?;
    let count: usize = count.parse()?;
    same(output.status.code(), Some(130))?;
    for number in 2..=count {
        same(shown.next().transpose()?, Some(number.to_string()))?;
    }
    same(site.lines(&["-R", "events", "-e"])?.len(), count)?;

    consumer.signal(Signal::SIGTERM)?;
    let output = consumer.end()?;
    tells(&output, 143, &[])?;
    same(String::from_utf8_lossy(&output.stderr).as_ref(), "")?;
    same(wrong(site.client.subscription_lag("worker"))?.is_caught_up(), true)?;

    // A temporary subscription is not left behind.
    let mut reader = Running::start(bin, &["-b", &site.url, "-C", "peek", "-G", "events"]);
    let mut shown = reader.lines()?;
    same(shown.next().transpose()?.as_deref(), Some("1"))?;
    reader.signal(Signal::SIGINT)?;
    let _left = shown.by_ref().count();
    same(reader.end()?.status.code(), Some(130))?;
    same(wrong(site.client.subscription_exists("peek"))?, false)
}

fn closed_output(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 1, 1)?;
    site.subscribe()?;
    site.text(&["-P", "events"], "one\ntwo\n")?;
    for arguments in [&["-R", "events"][..], &["-C", "worker"], &["-L"], &["--help"]] {
        let mut child = Running::start(bin, &[&["-b", site.url.as_str()], arguments].concat());
        drop(child.0.stdout.take());
        let output = child.end()?;
        tells(&output, 0, &[])?;
        same(String::from_utf8_lossy(&output.stderr).as_ref(), "")?;
    }
    same(site.text(&["-C", "worker", "-e"], "")?.as_str(), "one\ntwo\n")?;
    // Any other failure of it is one.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
    let mut command = plain(bin);
    let output = prepared(&mut command, ["-b", &site.url, "-R", "events", "-e"]).stdout(full).output()?;
    tells(&output, 1, &["standard output"])
}

// ---- The command line ----------------------------------------------------------------------------------------

fn settings(bin: &Path) -> Result<(), Failed> {
    let server = wrong(DevServerOptions::new().token("c2VjcmV0").start())?;
    let file = bin.join("hstream-cat.conf");
    let text = format!("# where and who\n\nurl={}\nauth.token=c2VjcmV0\nplaintext.auth=true", server.url());
    std::fs::write(&file, text)?;
    let file = file.to_string_lossy();
    has(&written(fed(plain(bin), &["-F", &file, "-L"], b""))?, &["streams: 0"])?;
    tells(&fed(plain(bin), &["-F", &file, "-X", "auth.token=d3Jvbmc=", "-L"], b""), 1, &["connect"])?;
    tells(&fed(plain(bin), &["-F", "no-such-file", "-L"], b""), 2, &["no-such-file"])?;
    for (option, parts) in [
        ("conect.timeout.ms=1", &["`connect.timeout.ms`"][..]),
        ("producer.linger=1", &["`linger.ms`"]),
        ("consumer.prefetch.bytes=0", &["more than 0"]),
        ("reader.from=yesterday", &["yesterday"]),
        ("subscription.start=1-2-3", &["earliest, latest"]),
        ("client.url", &["KEY=VALUE"]),
    ] {
        tells(&fed(plain(bin), &["-X", option, "-L"], b""), 2, parts)?;
    }
    Ok(())
}

fn bad_usage(bin: &Path) -> Result<(), Failed> {
    for arguments in [
        &[][..],
        &["-L", "-P", "events"],
        &["-P"],
        &["-P", "events", "-Q"],
        &["-P", "events", "more"],
        &["-P", "events", "-z", "lz4"],
        &["-P", "events", "-K", ""],
        &["-P", "events", "-e"],
        &["-C", "worker", "-k", "key"],
        &["-C", "worker", "-o", "earliest"],
        &["-C", "worker", "-G", "events", "-o", "1-2-3"],
        &["-R", "events", "-G", "events"],
        &["-R", "events", "-k", "key", "-s", "1"],
        &["-R", "events", "-f", "%q"],
        &["-R", "events", "-f", "%"],
        &["-R", "events", "-c", "-1"],
        &["-R", "events", "-s", "first"],
        &["-L", "-b", "ftp://host"],
    ] {
        tells(&fed(plain(bin), arguments, b""), 2, &["hstream-cat: "])?;
    }
    let version = written(fed(plain(bin), &["--version"], b""))?;
    same(version, format!("hstream-cat {0}, library {0}\n", env!("CARGO_PKG_VERSION")))
}

fn man_page(bin: &Path) -> Result<(), Failed> {
    let help = written(fed(plain(bin), &["--help"], b""))?;
    let page = std::fs::read_to_string(root().join("docs/man/hstream-cat.1"))?.replace("\\-", "-");
    let options: Vec<_> = help
        .split(|c: char| c.is_whitespace() || ",:|".contains(c))
        .filter(|word| word.starts_with('-') && word.chars().any(char::is_alphabetic))
        .collect();
    same(options.len() > 20, true)?;
    has(&page, &options)?;
    let too_wide: Vec<_> = help.lines().filter(|line| line.len() > 100).collect();
    same(too_wide, vec![])
}

// ---- Doctor --------------------------------------------------------------------------------------------------

fn doctor(bin: &Path, arguments: &[&str]) -> Output {
    fed(plain(bin), &[&["doctor"], arguments].concat(), b"")
}

/// It has found something, and tells so.
fn finds(output: &Output, parts: &[&str]) -> Result<(), Failed> {
    if output.status.code() != Some(1) {
        return Err(told(output).into());
    }
    has(&String::from_utf8_lossy(&output.stdout), parts)
}

fn sound(bin: &Path) -> Result<(), Failed> {
    let server = wrong(DevServerOptions::new().nodes(3).start())?;
    let text = written(doctor(bin, &["-b", &server.url()]))?;
    same(text.matches("seed 127.0.0.1:").count(), 3)?;
    same(text.matches(", advertised as 127.0.0.1:").count(), 3)?;
    same(text.matches("  version  ok    0.20.3").count(), 3)?;
    same(text.matches("FAIL").count(), 0)?;
    has(&text, &["name     ok", "tcp      ok", "tls      -", "auth     ok", "state    ok", "all is well"])
}

fn addresses(bin: &Path) -> Result<(), Failed> {
    finds(&doctor(bin, &["-b", "hstream://no-such-host.invalid"]), &["name     FAIL", "is the name right"])?;
    let closed = doctor(bin, &["-b", "hstream://127.0.0.1:1"]);
    finds(&closed, &["tcp      FAIL  127.0.0.1 port 1: Connection refused", "is the server started"])?;
    // A seed that is wrong beside one that is right.
    let server = wrong(DevServer::start())?;
    let both = format!("{},127.0.0.1:1", server.url());
    finds(&doctor(bin, &["-b", &both]), &["tcp      FAIL  127.0.0.1 port 1", "version  ok"])?;
    // Options that contradict each other.
    let contradiction = doctor(bin, &["-b", &server.url(), "-X", "auth.token=c2VjcmV0"]);
    finds(&contradiction, &["options  FAIL  ", "plaintext.auth"])?;
    // Something that listens and says nothing of what is expected.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("hstream://{}", silent.local_addr()?);
    finds(&doctor(bin, &["-b", &url]), &["tcp      ok", "answer   FAIL", "hstreams://"])
}

fn nodes(bin: &Path) -> Result<(), Failed> {
    let wrong_name = DevServerOptions::new().advertised_address("node.invalid", 7000);
    let server = wrong(wrong_name.start())?;
    let url = server.url();
    let advice = ["advertised as node.invalid:7000", "name     FAIL", "-X map.address=ADVERTISED=REACHABLE"];
    finds(&doctor(bin, &["-b", &url]), &advice)?;
    let map = format!("map.address=node.invalid:7000={}", url.trim_start_matches("hstream://"));
    has(&written(doctor(bin, &["-b", &url, "-X", &map]))?, &["map      ok", "all is well"])?;

    let old = wrong(DevServerOptions::new().version("0.14.0").start())?;
    finds(&doctor(bin, &["-b", &old.url()]), &["version  FAIL", "0.14.0", "-> upgrade the server"])?;

    let server = wrong(DevServerOptions::new().nodes(2).failure_detection(Duration::ZERO).start())?;
    let first = server.node_urls()[0].clone();
    wrong(server.kill_node(1))?;
    finds(&doctor(bin, &["-b", &first]), &["state    FAIL  dead"])
}

#[cfg(feature = "tls")]
fn secure(bin: &Path) -> Result<(), Failed> {
    use super::authority::Authority;
    use super::secure::{TOKEN, server, write_files};
    let authority = Authority::new();
    let directory = tempfile::tempdir_in(bin)?;
    write_files(&authority, directory.path())?;
    std::fs::write(directory.path().join("other.pem"), Authority::new().pem)?;
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let server = server(&authority, 0)?;
    let url = server.url();
    let ca = format!("tls.ca.file={}", path("ca.pem"));
    let other_ca = format!("tls.ca.file={}", path("other.pem"));
    let identity = format!("tls.identity.files={},{}", path("client.pem"), path("client.key"));
    let token = format!("auth.token={TOKEN}");
    let with = |options: &[&str]| {
        let options = options.iter().flat_map(|option| ["-X", option]);
        doctor(bin, &["-b", url.as_str()].into_iter().chain(options).collect::<Vec<_>>())
    };
    let good = written(with(&[&ca, &identity, &token]))?;
    has(&good, &["tls      ok", "auth     ok", "all is well"])?;
    finds(&with(&[&other_ca, &identity, &token]), &["tls      FAIL", "-X tls.ca.file=FILE names"])?;
    finds(
        &with(&[&ca, &identity, &token, "tls.server.name=other.example"]),
        &["tls      FAIL", "-X tls.server.name=NAME"],
    )?;
    finds(&with(&[&ca, &token]), &["tls      FAIL", "-X tls.identity.files=CERTIFICATE,KEY"])?;
    finds(
        &with(&[&ca, &identity, "auth.token=d3Jvbmc="]),
        &["tls      ok", "auth     FAIL", "does not take these"],
    )?;
    finds(&with(&[&ca, &identity]), &["tls      ok", "auth     FAIL", "asks for credentials"])?;
    // The wrong scheme, both ways.
    let plain_url = url.replace("hstreams://", "hstream://");
    finds(&doctor(bin, &["-b", &plain_url]), &["tls      FAIL", "-> use hstreams://"])?;
    let open = wrong(DevServer::start())?;
    let encrypted = open.url().replace("hstream://", "hstreams://");
    finds(&doctor(bin, &["-b", &encrypted, "-X", &ca]), &["tls      FAIL", "-> use hstream://"])?;

    // Records travel there as well.
    let site = ["-b", url.as_str(), "-X", &ca, "-X", &identity, "-X", &token];
    has(&written(fed(plain(bin), &[&site[..], &["-L"]].concat(), b""))?, &["streams: 0"])
}

// ---- Valgrind ------------------------------------------------------------------------------------------------

fn checked(bin: &Path) -> Result<(), Failed> {
    let site = Site::new(bin, 1, 1)?;
    let run = |arguments: &[&str], input: &str| {
        let command = valgrind_of(HSTREAM_CAT, bin, &[]);
        written(fed(command, &[&["-b", &site.url], arguments].concat(), input.as_bytes()))
    };
    same(run(&["-P", "events", "-K", ":", "-z", "gzip"], "k:one\nk:two\n")?.as_str(), "")?;
    same(run(&["-C", "peek", "-G", "events", "-e", "-J"], "")?.lines().count(), 2)?;
    same(run(&["-R", "events", "-e", "-f", "%k=%s;"], "")?.as_str(), "k=one;k=two;")?;
    has(&run(&["-L"], "")?, &["streams: 1"])?;
    let command = valgrind_of(HSTREAM_CAT, bin, &[]);
    has(&written(fed(command, &["doctor", "-b", &site.url], b""))?, &["all is well"])
}
