//! The quickstart as its users run it: on all of the data, with each compression, and with bad input.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Once;

/// Runs the example, made beforehand: `cargo test` does so by itself, `cargo test --test quickstart` does not.
fn quickstart(arguments: &[&str]) -> Output {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--all-features", "--example", "quickstart"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    });
    let test = std::env::current_exe().unwrap();
    let examples = test.ancestors().nth(2).unwrap().join("examples");
    let program: PathBuf = examples.join(format!("quickstart{}", std::env::consts::EXE_SUFFIX));
    Command::new(program).args(arguments).output().unwrap()
}

fn fails(arguments: &[&str], code: i32, part: &str) {
    let output = quickstart(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(errors.contains(part), "{arguments:?}: {errors}");
}

fn file(lines: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    file
}

#[test]
fn all_events_are_written_read_and_acked_with_each_compression() {
    for compression in ["none", "gzip", "zstd"] {
        let output = quickstart(&["--compression", compression]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(text.lines().last(), Some("1707 events written, 1707 read, 1707 acked"), "{text}");
        assert!(output.stderr.is_empty(), "progress is for terminals");
    }
}

#[test]
fn a_server_elsewhere_is_left_as_it_was() {
    let server = hstreamdb::dev_server::DevServer::start().unwrap();
    let events = file("{\"id\":\"a\",\"properties\":{\"net\":\"x\"}}\n\n{\"id\":\"b\"}\n");
    let output = quickstart(&["--url", &server.url(), &events.path().to_string_lossy()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.lines().last(), Some("2 events written, 2 read, 2 acked"), "{text}");
    let client = hstreamdb::Client::connect(server.url()).unwrap();
    assert!(client.list_streams().unwrap().is_empty() && client.list_subscriptions().unwrap().is_empty());
}

#[test]
fn bad_input_is_named_and_fails() {
    fails(&["--url", "ftp://host"], 1, "`ftp`");
    fails(&["--url", "hstream://127.0.0.1:1"], 1, "127.0.0.1:1");
    fails(&["no-such-file"], 1, "no-such-file");
    fails(&[&file("{\"id\":\"a\"}\n{bad\n").path().to_string_lossy()], 1, "line 2");
    fails(&[&file("{\"name\":\"a\"}\n").path().to_string_lossy()], 1, "no id");
    let large = format!("{{\"id\":\"large\",\"text\":\"{}\"}}", "x".repeat(1_100_000));
    fails(&[&file(&large).path().to_string_lossy()], 1, "event large");
    fails(&["--nonsense"], 2, "usage");
    fails(&["--compression", "lz4"], 2, "lz4");
}
