//! The C programs, compiled against the shared library of this build and run, also under valgrind.
//!
//! Cases that need a tool which is not there are reported as ignored, with the tool's name.

#![allow(missing_docs)]

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
const PERF: Program = Program { name: "perf", source: "examples-c/perf.c" };
const NULLS: Program = Program { name: "nulls", source: "tests/c/nulls.c" };
const BEHAVIOUR: Program = Program { name: "behaviour", source: "tests/c/behaviour.c" };

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let compiler = has("cc");
    let valgrind = compiler && has("valgrind");
    // Compiled when the first case needs it, and gone with the process.
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let bin = directory.path().to_owned();
    if compiler && !arguments.list {
        if let Err(error) = refresh_library() {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
        for program in [QUICKSTART, APPEND, PERF, NULLS, BEHAVIOUR] {
            if let Err(errors) = compile(program, &bin) {
                eprintln!("{errors}");
                return ExitCode::FAILURE;
            }
        }
    }
    let mut trials = Vec::new();
    let mut add = |needs: &str, there: bool, name: &str, case: Case| {
        let bin = bin.clone();
        let name = if there { name.to_owned() } else { format!("{name} (ignored: no {needs})") };
        trials.push(Trial::test(name, move || case(&bin)).with_ignored_flag(!there));
    };
    let plain: [(&str, Case); 15] = [
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
        ("perf", perf),
        ("nulls", |bin| succeeds(run(NULLS, bin, NOTHING))),
        ("behaviour", |bin| succeeds(run(BEHAVIOUR, bin, NOTHING))),
    ];
    for (name, case) in plain {
        add("C compiler", compiler, name, case);
    }
    add("C compiler", compiler, "behaviour, fork", |bin| succeeds(run(BEHAVIOUR, bin, ["fork"])));
    add("C compiler", compiler, "behaviour, log to stderr", log_to_stderr);
    let checked: [(&str, Case); 3] = [
        ("nulls under valgrind", |bin| succeeds(run_checked(NULLS, bin, NOTHING))),
        ("behaviour under valgrind", |bin| succeeds(run_checked(BEHAVIOUR, bin, NOTHING))),
        ("quickstart under valgrind", quickstart_checked),
    ];
    for (name, case) in checked {
        add("valgrind", valgrind, name, case);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

type Case = fn(&Path) -> Result<(), Failed>;

fn log_to_stderr(bin: &Path) -> Result<(), Failed> {
    for (level, told) in [("error", true), ("off", false), ("nonsense", false)] {
        let mut command = Command::new(bin.join(BEHAVIOUR.name));
        let output = started(command.env("HSTREAM_LOG", level), ["log"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = errors.starts_with("ERROR hstreamdb") && errors.contains("freed twice");
        if !output.status.success() || line != told || errors.is_empty() == told {
            return Err(format!("{level}: {}\n{errors}", output.status).into());
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

/// Where the shared library of this build is: beside this test, or one directory up.
fn library_directory() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let there = test.ancestors().skip(1).take(2).find(|directory| directory.join(library_name()).exists());
    there.unwrap_or_else(|| panic!("{} is not beside {}", library_name(), test.display())).to_owned()
}

fn library_name() -> String {
    format!("{}hstreamdb{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// All sets of features are built into one file of this name, and cargo does not notice when the last build was
/// of another set. Then it is made again.
fn refresh_library() -> Result<(), String> {
    let library = library_directory().join(library_name());
    if has_all_functions(&library) {
        return Ok(());
    }
    std::fs::remove_file(&library).map_err(|error| format!("{}: {error}", library.display()))?;
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--lib", "--all-features"]).current_dir(root());
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let built = build.status().map_err(|error| format!("cargo: {error}"))?;
    if built.success() && has_all_functions(&library) {
        Ok(())
    } else {
        Err(format!("{} lacks functions of this build, and could not be made again", library.display()))
    }
}

fn has_all_functions(library: &Path) -> bool {
    const LAST: &[u8] = b"hstream_dev_server_start";
    std::fs::read(library).is_ok_and(|bytes| bytes.windows(LAST.len()).any(|window| window == LAST))
}

fn compile(program: Program, bin: &Path) -> Result<(), String> {
    compile_file(program.name, &root().join(program.source), bin)
}

fn compile_file(name: &str, source: &Path, bin: &Path) -> Result<(), String> {
    let library = library_directory();
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-DHSTREAM_HAS_DEV_SERVER"])
        .arg("-I")
        .arg(root().join("include"))
        .arg(source)
        .arg("-o")
        .arg(bin.join(name))
        .arg("-L")
        .arg(&library)
        .args(["-lhstreamdb", "-lpthread"])
        .arg(format!("-Wl,-rpath,{}", library.display()))
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
    let mut command = Command::new("valgrind");
    command
        .args(["-q", "--error-exitcode=99", "--leak-check=full", "--fair-sched=try"])
        .arg("--show-leak-kinds=definite,indirect,possible")
        .arg("--errors-for-leak-kinds=definite,indirect,possible")
        .arg(bin.join(program.name));
    started(&mut command, arguments)
}

fn started<I: AsRef<OsStr>>(command: &mut Command, arguments: impl IntoIterator<Item = I>) -> Output {
    // cargo names directories there that may hold a library of other features; the programs know theirs.
    command
        .args(arguments)
        .current_dir(root())
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .expect("the program starts")
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
fn quickstart_checked(bin: &Path) -> Result<(), Failed> {
    let all = std::fs::read_to_string(root().join("examples/data/earthquakes.ndjson"))
        .map_err(|error| error.to_string())?;
    let some: Vec<&str> = all.lines().take(EVENTS / 10).collect();
    let file = file_of(bin, "some.ndjson", &some);
    let arguments = [OsStr::new("--compression"), OsStr::new("zstd"), file.as_os_str()];
    travels_with(run_checked(QUICKSTART, bin, arguments), EVENTS / 10)
}
