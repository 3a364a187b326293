//! The development server as a program: its line, its signals, its exit codes.
#![cfg(all(feature = "dev-server", unix))]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hstream-dev-server"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// Starts it on a free port and reads its line.
fn start() -> (Child, String, BufReader<std::process::ChildStdout>) {
    let mut child = program().args(["--port", "0", "--seed", "7"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    (child, line, out)
}

/// One that ends with its test.
struct Running(Child, BufReader<ChildStdout>);

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program()
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Running(child, out)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What it has logged, after it was asked to end.
    fn end(mut self) -> String {
        kill(Pid::from_raw(self.0.id() as i32), Signal::SIGTERM).unwrap();
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
        let mut log = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended well before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_prints_a_line_for_each_node_and_listener_and_for_the_control_port() {
    let mut server = Running::start(&["--nodes", "3", "--listener", "out", "--control-port", "0"]);
    for _ in 0..3 {
        let line = server.line();
        let address = line.strip_prefix("listening on hstream://").unwrap();
        TcpStream::connect(address).unwrap();
    }
    for _ in 0..3 {
        assert!(server.line().starts_with("listener out on hstream://127.0.0.1:"));
    }
    let line = server.line();
    let mut control = TcpStream::connect(line.strip_prefix("control on ").unwrap()).unwrap();
    control.write_all(b"kill_node 2\nget running\n").unwrap();
    let mut answers = BufReader::new(control).lines();
    assert_eq!(answers.next().unwrap().unwrap(), "ok");
    assert_eq!(answers.next().unwrap().unwrap(), "ok yes yes no");
    assert_eq!(server.end(), "", "it is quiet");
}

#[test]
fn for_machines_the_lines_are_json() {
    let mut server = Running::start(&["--nodes", "2", "--json", "--control-port", "0"]);
    for node in 0..2 {
        let line: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
        assert_eq!(line["node"], node);
        assert!(line["url"].as_str().unwrap().starts_with("hstream://127.0.0.1:"));
    }
    let line: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    assert!(line["control"].as_str().unwrap().starts_with("127.0.0.1:"));
}

#[test]
fn it_logs_when_asked_to() {
    let mut server = Running::start(&["-v", "--emulate", "0.17.0", "--advertise", "db.example:7000"]);
    let line = server.line();
    drop(TcpStream::connect(line.strip_prefix("listening on hstream://").unwrap()).unwrap());
    let log = server.end();
    assert!(log.contains("a node has started") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn options_that_can_not_be_are_told_in_a_line() {
    for arguments in [
        &["--emulate", "9.9.9"][..],
        &["--tls-cert", "nowhere.pem", "--tls-key", "nowhere.pem"],
        &["--tls-ca", "nowhere.pem"],
    ] {
        let output = run(&[&["--port", "0"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1, "{arguments:?}");
    }
    for arguments in [&["--advertise", "nowhere"][..], &["--advertise", "h:x"], &["--nodes", "x"]] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_tells_every_option() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for option in [
        "--nodes",
        "--port",
        "--advertise",
        "--listener",
        "--max-bytes",
        "--seed",
        "--emulate",
        "--tls-cert",
        "--tls-key",
        "--tls-ca",
        "--token",
        "--assignment-tick",
        "--resend-tick",
        "--failure-detection",
        "--startup-delay",
        "--early-headers",
        "--control-port",
        "--json",
        "--verbose",
        "--help",
        "--version",
    ] {
        assert!(help.contains(&format!("{option} ")), "{option}");
    }
    assert!(help.lines().all(|line| line.len() <= 90));
}

/// The long options that a text names.
fn options(text: &str) -> std::collections::BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_lowercase() && letter != '-');
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn the_man_page_tells_the_same_options_as_the_help() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    let page = include_str!("../docs/man/hstream-dev-server.1").replace("\\-", "-").replace("\\fR", " ");
    assert!(options(&help).len() > 15);
    // Fonts are switched before and after a name.
    assert_eq!(options(&page.replace("\\fB", " ")), options(&help));
}

#[test]
fn it_prints_one_line_when_ready_and_ends_well_on_signals() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (mut child, line, mut out) = start();
        let port = line.strip_prefix("listening on hstream://127.0.0.1:").unwrap().trim_end();
        assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{line}");
        std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}

#[test]
fn a_taken_port_is_an_error_in_one_line() {
    let (mut child, line, _out) = start();
    let port = line.trim_end().rsplit(':').next().unwrap();
    let output = run(&["--port", port]);
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    child.wait().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&format!("127.0.0.1:{port}")) && error.lines().count() == 1, "{error}");
}

#[test]
fn bad_usage_is_told_and_help_is_help() {
    for arguments in
        [&["--port", "70000"][..], &["--port"], &["--max-bytes", "-1"], &["--nonsense"], &["file"]]
    {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1, "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
    let help = run(&["--help"]);
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("--max-bytes"));
    let version = run(&["--version"]);
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("hstream-dev-server 0."));
}
