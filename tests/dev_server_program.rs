//! The development server as a program: its line, its signals, its exit codes.
#![cfg(all(feature = "dev-server", unix))]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

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
