//! What Rust programs are compiled against does not change unnoticed: `docs/public-api.txt` lists it.
//!
//! `HSTREAM_UPDATE_PUBLIC_API=1 cargo test --test public_api` writes it anew.

#![allow(missing_docs)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// That of rustdoc 1.95, which is what the package public-api is tried with.
const FORMAT: u64 = 57;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rustdoc of this toolchain, and it alone, does what stable ones don't: in the environment of all, that would
/// have everything compiled anew.
fn rustdoc(directory: &Path) -> PathBuf {
    let program = Path::new(env!("CARGO")).with_file_name("rustdoc");
    let path = directory.join("rustdoc");
    let script = format!("#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec '{}' \"$@\"\n", program.display());
    std::fs::write(&path, script).expect("a file can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
        .expect("it can be made a program");
    path
}

/// What rustdoc knows of this crate, as JSON. All features, because the dependencies are then compiled as for the
/// docs; those that users don't have are hidden.
fn described(directory: &Path) -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let target = test.ancestors().nth(3).expect("it is in target/debug/deps");
    let output = Command::new(env!("CARGO"))
        .args(["rustdoc", "--quiet", "--locked", "--lib", "--all-features", "--target-dir"])
        .arg(target)
        .args(["--", "-Zunstable-options", "--output-format=json", "--cap-lints=allow"])
        .env("RUSTDOC", rustdoc(directory))
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo rustdoc: {}", String::from_utf8_lossy(&output.stderr));
    target.join("doc/hstreamdb.json")
}

#[test]
fn the_public_api_is_the_one_that_is_committed() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let json = described(directory.path());
    let text = std::fs::read_to_string(&json).expect("rustdoc wrote it");
    let format = serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["format_version"].as_u64();
    if format != Some(FORMAT) {
        println!("skipped: rustdoc writes the format {format:?}, and {FORMAT} is what can be read");
        return;
    }
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .expect("the API can be listed");
    let now = api.to_string();
    let path = root().join("docs/public-api.txt");
    if std::env::var_os("HSTREAM_UPDATE_PUBLIC_API").is_some() {
        std::fs::write(&path, now).expect("the listing can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let (old, new): (Vec<&str>, Vec<&str>) = (committed.lines().collect(), now.lines().collect());
    let gone: Vec<_> = old.iter().filter(|line| !new.contains(line)).collect();
    let added: Vec<_> = new.iter().filter(|line| !old.contains(line)).collect();
    assert!(
        gone.is_empty() && added.is_empty(),
        "the public API has changed; if it is meant, write {} anew with\n  \
         HSTREAM_UPDATE_PUBLIC_API=1 cargo test --test public_api\ngone: {gone:#?}\nadded: {added:#?}",
        path.display()
    );
}
