//! The program that measures, as far as it says nothing about speed: that it works, and writes what it is asked for.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Once;

/// Runs the example, made beforehand: `cargo test` does so by itself, `cargo test --test perf` does not.
fn perf(arguments: &[&str]) -> Output {
    static BUILT: Once = Once::new();
    BUILT.call_once(build);
    let test = std::env::current_exe().unwrap();
    let examples = test.ancestors().nth(2).unwrap().join("examples");
    let program: PathBuf = examples.join(format!("perf{}", std::env::consts::EXE_SUFFIX));
    Command::new(program).args(arguments).output().unwrap()
}

fn build() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--all-features", "--example", "perf"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    // What cargo tells the test about its package, some build scripts of dependencies watch: they would be run
    // again, and all that depends on them be built anew.
    for (name, _) in std::env::vars() {
        if name == "OUT_DIR" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
}

#[test]
fn figures_are_measured_printed_drawn_and_put_into_a_readme() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let (readme, svg) = (path("README.md"), path("perf.svg"));
    std::fs::write(&readme, "before\n<!-- perf:begin -->\nold\n<!-- perf:end -->\nafter\n").unwrap();
    let families = ["producer", "consumer", "latency", "caller", "allocations", "memory"];
    let mut arguments = vec!["--quick", "--rounds", "1", "--readme", &readme, "--svg", &svg];
    families.iter().for_each(|family| arguments.extend(["--only", family]));
    let output = perf(&arguments);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    for family in families {
        assert!(printed.contains(&format!("\n{family}, ")), "{family}: {printed}");
    }
    let readme = std::fs::read_to_string(readme).unwrap();
    assert!(
        readme.starts_with("before\n<!-- perf:begin -->\n") && readme.ends_with("<!-- perf:end -->\nafter\n")
    );
    assert!(readme.contains("| *library / raw* | **") && !readme.contains("old"), "{readme}");
    assert!(std::fs::read_to_string(svg).unwrap().contains(">same path</text>"));
}

#[test]
fn what_it_does_not_know_it_says() {
    for (arguments, part) in [(["--only", "nonsense"], "nonsense"), (["--rounds", "many"], "many")] {
        let output = perf(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(part), "{errors}");
    }
}
