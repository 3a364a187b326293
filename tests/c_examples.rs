//! The C programs, compiled against the shared library of this build and run, also under valgrind.
//!
//! Cases that need a tool which is not there are reported as ignored, with the tool's name.

#![allow(missing_docs)]

#[cfg(feature = "tls")]
#[path = "authority/mod.rs"]
mod authority;
#[path = "c_examples/hstream_cat.rs"]
mod hstream_cat;
#[path = "library/mod.rs"]
mod library;
#[cfg(feature = "tls")]
#[path = "c_examples/secure.rs"]
mod secure;
#[path = "c_examples/tasks.rs"]
mod tasks;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

use hstreamdb::dev_server::DevServer;
use libtest_mimic::{Arguments, Failed, Trial};

const EVENTS: usize = 1707;

/// A program that the tests run.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    source: &'static str,
}

const QUICKSTART: Program = Program { name: "quickstart", source: "examples-c/quickstart.c" };
const APPEND: Program = Program { name: "append", source: "examples-c/append.c" };
const BUFFERED_APPEND: Program = Program { name: "buffered_append", source: "examples-c/buffered_append.c" };
const SPOOL: Program = Program { name: "spool", source: "examples-c/spool.c" };
const READ_SHARD: Program = Program { name: "read_shard", source: "examples-c/read_shard.c" };
const READ_BY_KEY: Program = Program { name: "read_by_key", source: "examples-c/read_by_key.c" };
const PERF: Program = Program { name: "perf", source: "examples-c/perf.c" };
const NULLS: Program = Program { name: "nulls", source: "tests/c/nulls.c" };
const BEHAVIOUR: Program = Program { name: "behaviour", source: "tests/c/behaviour.c" };
#[cfg(feature = "tls")]
const SECURE: Program = Program { name: "secure", source: "tests/c/secure.c" };
const RUNTIME: Program = Program { name: "runtime", source: "tests/c/runtime.c" };
const PRODUCER: Program = Program { name: "producer", source: "tests/c/producer.c" };
const CONSUMER: Program = Program { name: "consumer", source: "tests/c/consumer.c" };
const READER: Program = Program { name: "reader", source: "tests/c/reader.c" };
#[cfg(target_os = "linux")]
const EVENT_LOOP: Program = Program { name: "event_loop", source: "tests/c/event_loop.c" };

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let compiler = has("cc");
    let valgrind = compiler && has("valgrind");
    // Compiled when the first case needs it, and gone with the process.
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let bin = directory.path().to_owned();
    if compiler && !arguments.list {
        if let Err(error) = library::refresh(has_all_functions).and_then(|()| library::link_into(&bin)) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
        let programs = [
            QUICKSTART,
            APPEND,
            BUFFERED_APPEND,
            SPOOL,
            READ_SHARD,
            READ_BY_KEY,
            PERF,
            NULLS,
            BEHAVIOUR,
            PRODUCER,
            CONSUMER,
            READER,
            #[cfg(target_os = "linux")]
            EVENT_LOOP,
            RUNTIME,
            #[cfg(feature = "tls")]
            SECURE,
        ];
        for program in programs.into_iter().chain(tasks::PROGRAMS.iter().copied()) {
            if let Err(errors) = compile(program, &bin) {
                eprintln!("{errors}");
                return ExitCode::FAILURE;
            }
        }
        if let Err(errors) = hstream_cat::compile(&bin) {
            eprintln!("{errors}");
            return ExitCode::FAILURE;
        }
    }
    let mut trials = Vec::new();
    let mut add = |needs: &str, there: bool, name: &str, case: Case| {
        let bin = bin.clone();
        let name = if there { name.to_owned() } else { format!("{name} (ignored: no {needs})") };
        trials.push(Trial::test(name, move || case(&bin)).with_ignored_flag(!there));
    };
    let plain: [(&str, Case); 23] = [
        ("the program in the README compiles as shown", readme),
        ("quickstart, plain", |bin| travels(run(QUICKSTART, bin, ["--compression", "none"]))),
        ("quickstart, gzip", |bin| travels(run(QUICKSTART, bin, ["--compression", "gzip"]))),
        ("quickstart, zstd", |bin| travels(run(QUICKSTART, bin, ["--compression", "zstd"]))),
        ("quickstart, another server and file", another_server),
        ("quickstart, unknown scheme", |bin| fails(run(QUICKSTART, bin, ["--url", "ftp://host"]), 1, "ftp")),
        ("quickstart, unreachable server", |bin| {
            fails(run(QUICKSTART, bin, ["--url", "hstream://127.0.0.1:1"]), 1, "127.0.0.1:1")
        }),
        ("quickstart, missing file", |bin| {
            fails(run(QUICKSTART, bin, ["no-such.ndjson"]), 1, "no-such.ndjson")
        }),
        ("quickstart, bad JSON", bad_json),
        ("quickstart, record over the limit", record_over_the_limit),
        ("quickstart, bad usage", bad_usage),
        ("append", append),
        ("buffered append", buffered_append),
        ("spool", spool),
        ("read shard", |bin| reads_shard(bin, run)),
        ("read by key", |bin| reads_by_key(bin, run)),
        ("perf", perf),
        ("nulls", |bin| succeeds(run(NULLS, bin, NOTHING))),
        ("behaviour", |bin| succeeds(run(BEHAVIOUR, bin, NOTHING))),
        ("runtime", |bin| succeeds(run(RUNTIME, bin, NOTHING))),
        ("producer", |bin| succeeds(run(PRODUCER, bin, NOTHING))),
        ("consumer", |bin| succeeds(run(CONSUMER, bin, NOTHING))),
        ("reader", |bin| succeeds(run(READER, bin, NOTHING))),
    ];
    for (name, case) in plain.iter().chain(tasks::CASES).chain(hstream_cat::CASES) {
        add("C compiler", compiler, name, *case);
    }
    #[cfg(target_os = "linux")]
    add("C compiler", compiler, "event loop", |bin| succeeds(run(EVENT_LOOP, bin, NOTHING)));
    #[cfg(target_os = "linux")]
    add("valgrind", valgrind, "event loop under valgrind", |bin| {
        succeeds(run_checked(EVENT_LOOP, bin, NOTHING))
    });
    add("python3", compiler && has("python3"), "event loop in Python", event_loop_in_python);
    add("C compiler", compiler, "behaviour, fork", |bin| succeeds(run(BEHAVIOUR, bin, ["fork"])));
    add("C compiler", compiler, "behaviour, log to stderr", log_to_stderr);
    #[cfg(feature = "tls")]
    add("C compiler", compiler, "secure", |bin| secure::travels(Command::new(bin.join(SECURE.name))));
    #[cfg(feature = "tls")]
    add("valgrind", valgrind, "secure under valgrind", |bin| {
        // It does not follow what the machine code of the ciphers defines. Leaks and wrong accesses count.
        secure::travels(valgrind_of(SECURE, bin, &["--undef-value-errors=no"]))
    });
    let checked: [(&str, Case); 10] = [
        ("nulls under valgrind", |bin| succeeds(run_checked(NULLS, bin, NOTHING))),
        ("behaviour under valgrind", |bin| succeeds(run_checked(BEHAVIOUR, bin, NOTHING))),
        ("runtime under valgrind", |bin| succeeds(run_checked(RUNTIME, bin, NOTHING))),
        ("producer under valgrind", |bin| succeeds(run_checked(PRODUCER, bin, NOTHING))),
        ("consumer under valgrind", |bin| succeeds(run_checked(CONSUMER, bin, NOTHING))),
        ("reader under valgrind", |bin| succeeds(run_checked(READER, bin, NOTHING))),
        ("read shard under valgrind", |bin| reads_shard(bin, run_checked)),
        ("read by key under valgrind", |bin| reads_by_key(bin, run_checked)),
        ("quickstart under valgrind", quickstart_checked),
        ("spool under valgrind", |bin| spools(bin, &some_events(bin, "spooled.ndjson"), run_checked)),
    ];
    for (name, case) in checked.iter().chain(hstream_cat::CHECKED) {
        add("valgrind", valgrind, name, *case);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

type Case = fn(&Path) -> Result<(), Failed>;

fn log_to_stderr(bin: &Path) -> Result<(), Failed> {
    for (filter, told, wrong) in [
        ("error", true, None),
        ("off", false, None),
        ("", false, None),
        ("nonsense", false, Some("`nonsense`")),
        ("error,hstreamdb=loud", true, Some("`hstreamdb=loud`")),
        ("hstreamdb::ffi=error", true, None),
        ("hstreamdb::cluster=trace", false, None),
        ("hstreamdb::ffi=off,trace", false, None),
    ] {
        let mut command = Command::new(bin.join(BEHAVIOUR.name));
        let output = started(command.env("HSTREAM_LOG", filter), ["log"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = |part: &str| errors.lines().filter(|line| line.contains(part)).count();
        let line = errors.lines().any(|line| line.starts_with("ERROR hstreamdb::ffi"));
        let complaints = lines("HSTREAM_LOG");
        let good = line == told
            && (lines("freed twice") > 0) == told
            && complaints == usize::from(wrong.is_some())
            && wrong.is_none_or(|wrong| lines(wrong) == 1);
        if !output.status.success() || !good {
            return Err(format!("{filter}: {}\n{errors}", output.status).into());
        }
    }
    Ok(())
}

fn readme(bin: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(root().join("README.md"))?;
    let program =
        text.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).ok_or("no C in the README")?;
    let source = bin.join("readme.c");
    std::fs::write(&source, program)?;
    compile_file("readme", &source, bin).map_err(Failed::from)
}

const NOTHING: [&str; 0] = [];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

fn has_all_functions(library: &Path) -> bool {
    const LAST: &[u8] = b"hstream_dev_server_start";
    std::fs::read(library).is_ok_and(|bytes| bytes.windows(LAST.len()).any(|window| window == LAST))
}

fn compile(program: Program, bin: &Path) -> Result<(), String> {
    compile_file(program.name, &root().join(program.source), bin)
}

fn compile_file(name: &str, source: &Path, bin: &Path) -> Result<(), String> {
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-DHSTREAM_HAS_DEV_SERVER"])
        .arg("-I")
        .arg(root().join("include"))
        .arg(source)
        .arg("-o")
        .arg(bin.join(name))
        .arg("-L")
        .arg(bin)
        .args(["-lhstreamdb", "-lpthread"])
        .arg(format!("-Wl,-rpath,{}", bin.display()))
        .output()
        .map_err(|error| error.to_string())?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{}:\n{errors}", source.display())) }
}

fn run<I: AsRef<OsStr>>(program: Program, bin: &Path, arguments: impl IntoIterator<Item = I>) -> Output {
    started(&mut Command::new(bin.join(program.name)), arguments)
}

/// The same under valgrind, which makes leaks and wrong reads failures.
fn run_checked<I: AsRef<OsStr>>(
    program: Program,
    bin: &Path,
    arguments: impl IntoIterator<Item = I>,
) -> Output {
    started(&mut valgrind_of(program, bin, &[]), arguments)
}

fn valgrind_of(program: Program, bin: &Path, options: &[&str]) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args(["-q", "--error-exitcode=99", "--leak-check=full", "--fair-sched=try"])
        .arg("--show-leak-kinds=definite,indirect,possible")
        .arg("--errors-for-leak-kinds=definite,indirect,possible")
        .args(options)
        .arg(bin.join(program.name));
    command
}

fn started<I: AsRef<OsStr>>(command: &mut Command, arguments: impl IntoIterator<Item = I>) -> Output {
    prepared(command, arguments).output().expect("the program starts")
}

fn prepared<I: AsRef<OsStr>>(command: &mut Command, arguments: impl IntoIterator<Item = I>) -> &mut Command {
    // cargo names directories there that may hold a library of other features; the programs know theirs.
    command.args(arguments).current_dir(root()).env_remove("LD_LIBRARY_PATH")
}

fn told(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn succeeds(output: Output) -> Result<(), Failed> {
    if output.status.success() { Ok(()) } else { Err(told(&output).into()) }
}

fn travels_with(output: Output, events: usize) -> Result<(), Failed> {
    let last = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned();
    let wanted = format!("{events} events written, {events} read, {events} acked");
    if output.status.success() && last == wanted { Ok(()) } else { Err(told(&output).into()) }
}

fn travels(output: Output) -> Result<(), Failed> {
    travels_with(output, EVENTS)
}

/// It ends with this code, and one line that names the thing.
fn fails(output: Output, code: i32, part: &str) -> Result<(), Failed> {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let one_line = code == 2 || errors.trim_end().lines().count() == 1;
    let good = output.status.code() == Some(code) && one_line && errors.contains(part);
    if good { Ok(()) } else { Err(format!("wanted {code} and `{part}`: {}", told(&output)).into()) }
}

/// A file with these lines, for a run of the quickstart.
fn file_of(bin: &Path, name: &str, lines: &[&str]) -> PathBuf {
    let path = bin.join(name);
    std::fs::write(&path, lines.join("\n")).expect("a file can be written");
    path
}

const EVENT: &str = r#"{"id":"a1","properties":{"net":"ak"}}"#;

fn another_server(bin: &Path) -> Result<(), Failed> {
    let server = DevServer::start().map_err(|error| error.to_string())?;
    let url = server.url();
    let file = file_of(bin, "two.ndjson", &[EVENT, "", r#"{"id":"a2"}"#]);
    let file = file.to_string_lossy();
    travels_with(run(QUICKSTART, bin, ["--url", url.as_str(), &*file]), 2)?;
    let client = hstreamdb::Client::connect(url).map_err(|error| error.to_string())?;
    let left = client.list_streams().map_err(|error| error.to_string())?;
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}").into()) }
}

fn bad_json(bin: &Path) -> Result<(), Failed> {
    for (index, line) in ["{\"id\":", "[1]", r#"{"id":"x","n":9007199254740993}"#, "{}"].iter().enumerate() {
        let file =
            file_of(bin, &format!("bad-{index}.ndjson"), &[EVENT, EVENT.replace("a1", "a2").as_str(), line]);
        fails(run(QUICKSTART, bin, [&file]), 1, "line 3")?;
    }
    Ok(())
}

fn record_over_the_limit(bin: &Path) -> Result<(), Failed> {
    let large = format!(r#"{{"id":"big","text":"{}"}}"#, "x".repeat(1 << 20));
    let file = file_of(bin, "large.ndjson", &[EVENT, &large]);
    fails(run(QUICKSTART, bin, [&file]), 1, "line 2")
}

fn bad_usage(bin: &Path) -> Result<(), Failed> {
    for arguments in [&["--compression", "lz4"][..], &["--nonsense"], &["--url"], &["a", "b"]] {
        fails(run(QUICKSTART, bin, arguments), 2, "usage")?;
    }
    Ok(())
}

fn append(bin: &Path) -> Result<(), Failed> {
    let server = DevServer::start().map_err(|error| error.to_string())?;
    let output = run(APPEND, bin, [server.url()]);
    let id = String::from_utf8_lossy(&output.stdout).trim().parse::<hstreamdb::RecordId>();
    if output.status.success() && id.is_ok() {
        // The stream is there by now.
        fails(run(APPEND, bin, [server.url()]), 1, "greetings")
    } else {
        Err(told(&output).into())
    }
}

/// A server with a stream `events`, and its URL.
fn server_with_stream() -> Result<(DevServer, String), Failed> {
    let server = DevServer::start().map_err(|error| error.to_string())?;
    let url = server.url();
    let client = hstreamdb::Client::connect(url.as_str()).map_err(|error| error.to_string())?;
    let options = hstreamdb::StreamOptions::new().shard_count(2);
    client.create_stream("events", options).map_err(|error| error.to_string())?;
    Ok((server, url))
}

fn buffered_append(bin: &Path) -> Result<(), Failed> {
    let (server, url) = server_with_stream()?;
    let output = run(BUFFERED_APPEND, bin, [url.as_str(), "events"]);
    if !String::from_utf8_lossy(&output.stdout).starts_with(&format!("{EVENTS} events written in ")) {
        return Err(told(&output).into());
    }
    server.faults().next("Append").refuse(3, "not this one");
    fails(run(BUFFERED_APPEND, bin, [url.as_str(), "events"]), 1, "line ")?;
    fails(run(BUFFERED_APPEND, bin, [url.as_str(), "nothing"]), 1, "nothing")?;
    let bad = file_of(bin, "bad-buffered.ndjson", &[EVENT, "[1]"]);
    fails(run(BUFFERED_APPEND, bin, [&url, "events", &bad.to_string_lossy()]), 1, "line 2")?;
    fails(run(BUFFERED_APPEND, bin, ["events"]), 2, "usage")
}

fn spool(bin: &Path) -> Result<(), Failed> {
    let all = root().join("examples/data/earthquakes.ndjson");
    spools(bin, &all, run)?;
    fails(run(SPOOL, bin, ["events"]), 2, "usage")
}

type Run = fn(Program, &Path, Vec<String>) -> Output;

/// What could not be written is spooled, and written at the next start.
fn spools(bin: &Path, events: &Path, run: Run) -> Result<(), Failed> {
    let (server, url) = server_with_stream()?;
    let directory = tempfile::tempdir_in(bin)?;
    let (spool, nothing) = (directory.path().join("spool"), file_of(directory.path(), "nothing", &[]));
    let spool_with = |events: &Path| -> Result<[usize; 2], Failed> {
        let paths = [&*spool, events].map(|path| path.to_string_lossy().into_owned());
        let output = run(SPOOL, bin, [vec![url.clone(), "events".to_owned()], paths.to_vec()].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers: Vec<usize> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
        let numbers = numbers.try_into().map_err(|_| told(&output))?;
        if output.status.success() { Ok(numbers) } else { Err(told(&output).into()) }
    };
    let lines = |path: &Path| std::fs::read_to_string(path).map(|text| text.lines().count());
    server.faults().next("Append").times(2).refuse(3, "not this one");
    let [written, spooled] = spool_with(events)?;
    let [again, none] = if spooled == lines(&spool)? { spool_with(&nothing)? } else { [0, 1] };
    let good = spooled > 0 && written + spooled == lines(events)? && (again, none) == (spooled, 0);
    if good && lines(&spool)? == 0 {
        Ok(())
    } else {
        Err(format!("{written} written, {spooled} spooled, then {again} written, {none} spooled").into())
    }
}

/// A server with a stream `events` that has these records, each by key and payload.
fn server_with_records(records: &[(&str, &str)]) -> Result<(DevServer, String, hstreamdb::Client), Failed> {
    let (server, url) = server_with_stream()?;
    let client = hstreamdb::Client::connect(url.as_str()).map_err(|error| error.to_string())?;
    append_to_events(&client, records)?;
    Ok((server, url, client))
}

fn append_to_events(client: &hstreamdb::Client, records: &[(&str, &str)]) -> Result<(), Failed> {
    let records: Vec<_> = records
        .iter()
        .map(|(key, payload)| hstreamdb::Record::raw((*payload).to_owned()).with_key(*key))
        .collect();
    let appended = client.append("events", &records, hstreamdb::Compression::none());
    appended.map(drop).map_err(|error| error.to_string().into())
}

/// What it wrote, if it succeeded.
fn written(output: Output) -> Result<String, Failed> {
    if !output.status.success() {
        return Err(told(&output).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// To the end, and on behind it from the position that it told.
fn reads_shard(bin: &Path, run: Run) -> Result<(), Failed> {
    let (_server, url, client) = server_with_records(&[("k", "one"), ("k", "two")])?;
    let shard = client.shard_for_key("events", "k").map_err(|error| error.to_string())?;
    let arguments = |rest: &[&str]| {
        let first = [url.as_str(), "events"].into_iter();
        first.chain(rest.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
    };
    let shard = shard.to_string();
    let first = written(run(READ_SHARD, bin, arguments(&[&shard])))?;
    let position = first.strip_prefix("one\ntwo\nposition: ").ok_or_else(|| first.clone())?.trim_end();
    append_to_events(&client, &[("k", "three")])?;
    let second = written(run(READ_SHARD, bin, arguments(&[&shard, position])))?;
    if !second.starts_with("three\nposition: ") {
        return Err(second.into());
    }
    fails(run(READ_SHARD, bin, arguments(&["7"])), 1, "no shard 7")?;
    fails(run(READ_SHARD, bin, arguments(&[&shard, "1-2"])), 1, "1-2")?;
    fails(run(READ_SHARD, bin, arguments(&[])), 2, "usage")
}

fn reads_by_key(bin: &Path, run: Run) -> Result<(), Failed> {
    let (_server, url, _client) = server_with_records(&[("k", "one"), ("other", "two"), ("k", "three")])?;
    let of = |stream: &str, key: &str| run(READ_BY_KEY, bin, [&url, stream, key].map(str::to_owned).to_vec());
    for (key, expected) in [("k", "one\nthree\n"), ("other", "two\n"), ("nobody's", "")] {
        let read = written(of("events", key))?;
        if read != expected {
            return Err(format!("{key}: {read}").into());
        }
    }
    fails(of("nothing", "k"), 1, "nothing")?;
    fails(run(READ_BY_KEY, bin, vec![url.clone()]), 2, "usage")
}

/// Its selectors take the descriptors as they are.
fn event_loop_in_python(_: &Path) -> Result<(), Failed> {
    let (_server, url) = server_with_stream()?;
    let client = hstreamdb::Client::connect(url.as_str()).map_err(|error| error.to_string())?;
    let options = hstreamdb::SubscriptionOptions::new();
    client.create_subscription("events", "events", options).map_err(|error| error.to_string())?;
    let library = library::path();
    let script = root().join("tests/c/event_loop.py");
    let arguments = [script.as_os_str(), library.as_os_str(), OsStr::new(&url)];
    succeeds(started(&mut Command::new("python3"), arguments))
}

/// Each way to append.
fn perf(bin: &Path) -> Result<(), Failed> {
    let server = DevServer::start().map_err(|error| error.to_string())?;
    let url = server.url();
    let client = hstreamdb::Client::connect(url.as_str()).map_err(|error| error.to_string())?;
    client.create_stream("perf", hstreamdb::StreamOptions::new()).map_err(|error| error.to_string())?;
    for how in ["call", "callback", "packed"] {
        let output = run(PERF, bin, [url.as_str(), "perf", "100", "1000", "5001", how]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() || text.split_whitespace().next() != Some("5001") {
            return Err(format!("{how}: {}", told(&output)).into());
        }
    }
    fails(run(PERF, bin, [url.as_str(), "no-such-stream", "100", "0", "1", "call"]), 1, "no-such-stream")?;
    fails(run(PERF, bin, ["too", "few"]), 2, "usage")
}

/// A tenth of the events: all of them take minutes under valgrind.
fn some_events(bin: &Path, name: &str) -> PathBuf {
    let all = std::fs::read_to_string(root().join("examples/data/earthquakes.ndjson"))
        .expect("the events are there");
    file_of(bin, name, &all.lines().take(EVENTS / 10).collect::<Vec<_>>())
}

fn quickstart_checked(bin: &Path) -> Result<(), Failed> {
    let file = some_events(bin, "some.ndjson");
    let arguments = [OsStr::new("--compression"), OsStr::new("zstd"), file.as_os_str()];
    travels_with(run_checked(QUICKSTART, bin, arguments), EVENTS / 10)
}
