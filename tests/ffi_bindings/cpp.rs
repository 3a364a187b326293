//! `include/hstreamdb.hpp`, by C++17 and C++20, also under valgrind.

use std::process::Command;

use libtest_mimic::Failed;

use crate::built::Built;
use crate::{Row, missing, root, succeeds};

pub(crate) fn cases() -> Vec<Row> {
    let compiler = || missing(&[("c++", &["--version"])]);
    let valgrind = || missing(&[("c++", &["--version"]), ("valgrind", &["--version"])]);
    let clang = || missing(&[("clang++", &["--version"])]);
    vec![
        ("c++: the wrapper keeps its promises as C++17", |built| wrapper(built, "c++17"), compiler()),
        ("c++: the wrapper keeps its promises as C++20", |built| wrapper(built, "c++20"), compiler()),
        ("c++: the wrapper leaks nothing", wrapper_checked, valgrind()),
        ("c++: the wrapper compiles without warnings by clang", compiles_by_clang, clang()),
        ("c++: quickstart", quickstart, compiler()),
    ]
}

const WRAPPER: [&str; 2] = ["tests/cpp/wrapper.cpp", "tests/cpp/other_unit.cpp"];

fn wrapper(built: &Built, standard: &str) -> Result<(), Failed> {
    succeeds(&mut compiled(built, standard, standard, &WRAPPER)?).map(drop)
}

fn wrapper_checked(built: &Built) -> Result<(), Failed> {
    let program = compiled(built, "c++17", "checked", &WRAPPER)?;
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["-q", "--error-exitcode=99", "--leak-check=full", "--fair-sched=try"])
        .arg("--show-leak-kinds=definite,indirect,possible")
        .arg("--errors-for-leak-kinds=definite,indirect,possible")
        .arg(program.get_program())
        .env_remove("LD_LIBRARY_PATH");
    succeeds(&mut valgrind).map(drop)
}

fn compiles_by_clang(_: &Built) -> Result<(), Failed> {
    for standard in ["c++17", "c++20"] {
        succeeds(command("clang++", standard).args(["-fsyntax-only", WRAPPER[0]]))?;
    }
    Ok(())
}

fn quickstart(built: &Built) -> Result<(), Failed> {
    let mut program = compiled(built, "c++17", "quickstart", &["examples-c/quickstart.cpp"])?;
    let told = succeeds(&mut program)?;
    if told != "1707 events written, 1707 read, 1707 acked\n" {
        return Err(told.into());
    }
    let failed = program.args(["hstream://127.0.0.1:1", "no-such-file"]).output()?;
    let errors = String::from_utf8_lossy(&failed.stderr).into_owned();
    let good = failed.status.code() == Some(1) && errors.contains("127.0.0.1:1");
    if good { Ok(()) } else { Err(errors.into()) }
}

/// A program of these sources, to be run.
fn compiled(built: &Built, standard: &str, name: &str, sources: &[&str]) -> Result<Command, Failed> {
    let program = built.directory().join(name);
    let directory = built.directory().display();
    let mut compile = command("c++", standard);
    compile.args(sources).arg("-o").arg(&program);
    compile.args([format!("-L{directory}"), "-lhstreamdb".into(), "-lpthread".into()]);
    succeeds(compile.arg(format!("-Wl,-rpath,{directory}")))?;
    let mut run = Command::new(program);
    // cargo names directories there that may hold a library of other features; the programs know theirs.
    run.current_dir(root()).env_remove("LD_LIBRARY_PATH");
    Ok(run)
}

fn command(compiler: &str, standard: &str) -> Command {
    let mut command = Command::new(compiler);
    command
        .arg(format!("-std={standard}"))
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-DHSTREAM_HAS_DEV_SERVER", "-Iinclude"])
        .current_dir(root());
    command
}
