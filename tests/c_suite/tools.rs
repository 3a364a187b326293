//! Compilers, the library of this build, and programs that run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::{Failed, library};

/// What a static link needs besides, by rustc's own list.
const SYSTEM_LIBRARIES: [&str; 7] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// How a program is made and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    /// Run by valgrind, which makes leaks and wrong reads failures.
    Valgrind,
    /// The same where leaks are meant: what ends with everything open, and children of forks.
    ValgrindWithoutLeaks,
    /// The program's own side compiled with checks of addresses and of undefined behaviour.
    Sanitized,
    /// Of these the second alone: the locks of the first do not survive forks.
    Undefined,
    /// Compiled as C++17, and linked against the archive.
    Static,
}

impl Way {
    /// What must be there.
    pub(crate) fn needs(self) -> &'static [&'static str] {
        match self {
            Way::Plain | Way::Sanitized | Way::Undefined => &["cc"],
            Way::Valgrind | Way::ValgrindWithoutLeaks => &["cc", "valgrind"],
            Way::Static => &["c++"],
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Plain => "plain",
            Way::Valgrind | Way::ValgrindWithoutLeaks => "valgrind",
            Way::Sanitized => "sanitized",
            Way::Undefined => "sanitized but for addresses",
            Way::Static => "as C++17, static",
        }
    }
}

fn archive() -> PathBuf {
    library::directory().join("libhstreamdb.a")
}

/// Makes the libraries fit this build, and links by which the shared one is found.
pub(crate) fn provide_libraries(bin: &Path) -> Result<(), String> {
    library::refresh(|shared| has_all_functions(shared) && has_all_functions(&archive()))?;
    library::link_into(bin)
}

fn has_all_functions(library: &Path) -> bool {
    let needed: &[&[u8]] = if cfg!(feature = "test-panic") {
        &[b"hstream_dev_server_start", b"on purpose, in a "]
    } else {
        &[b"hstream_dev_server_start"]
    };
    let Ok(bytes) = std::fs::read(library) else { return false };
    needed.iter().all(|needed| find(&bytes, needed))
}

fn find(bytes: &[u8], needed: &[u8]) -> bool {
    bytes.windows(needed.len()).any(|window| window == needed)
}

/// Compiles a program; where it lies then.
pub(crate) fn compile(source: &Path, way: Way, bin: &Path) -> Result<PathBuf, Failed> {
    let name = source.file_stem().ok_or("a source has a name")?;
    let directory = bin.join(way.name().replace([' ', ','], "-"));
    std::fs::create_dir_all(&directory)?;
    let program = directory.join(name);
    let mut command = match way {
        Way::Static => Command::new("c++"),
        _ => Command::new("cc"),
    };
    command.args(["-Wall", "-Wextra", "-Werror", "-g", "-DHSTREAM_HAS_DEV_SERVER"]);
    match way {
        // C++ asks for initializers of all fields, C does not.
        Way::Static => command.args(["-x", "c++", "-std=c++17", "-Wno-missing-field-initializers"]),
        _ => command.args(["-std=c11", "-Wpedantic"]),
    };
    let sanitizers = match way {
        Way::Sanitized => &["-fsanitize=address,undefined", "-fno-omit-frame-pointer"][..],
        Way::Undefined => &["-fsanitize=undefined"],
        _ => &[],
    };
    command.args(sanitizers);
    if !sanitizers.is_empty() {
        command.arg("-fno-sanitize-recover=all");
    }
    for include in ["include", "tests/c"] {
        command.arg("-I").arg(root().join(include));
    }
    command.arg(source).arg("-o").arg(&program);
    link(&mut command, way, bin, name);
    let output = command.output()?;
    if output.status.success() { Ok(program) } else { Err(told(&output).into()) }
}

/// All but the program that loads the library by itself.
fn link(command: &mut Command, way: Way, bin: &Path, program: &OsStr) {
    if way == Way::Static {
        command.args(["-x", "none"]).arg(archive()).args(SYSTEM_LIBRARIES);
        return;
    }
    command.arg("-L").arg(bin).arg(format!("-Wl,-rpath,{}", bin.display())).args(["-lpthread", "-ldl"]);
    if program != "loading" {
        command.arg("-lhstreamdb");
    }
}

/// The command that runs a compiled program.
pub(crate) fn command(program: &Path, way: Way) -> Command {
    let mut command = match way {
        Way::Valgrind | Way::ValgrindWithoutLeaks => valgrind(way),
        _ => return sanitized(program),
    };
    command.arg(program);
    command
}

fn sanitized(program: &Path) -> Command {
    let mut command = Command::new(program);
    // Signals are looked at by the programs themselves. Leaks are what valgrind is for: it sees both sides.
    command
        .env("ASAN_OPTIONS", "detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0");
    command.env("UBSAN_OPTIONS", "print_stacktrace=1:handle_segv=0:handle_sigbus=0:handle_sigfpe=0");
    command
}

fn valgrind(way: Way) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["-q", "--error-exitcode=99", "--fair-sched=try", "--child-silent-after-fork=yes"]);
    if way == Way::Valgrind {
        command
            .arg("--leak-check=full")
            .arg("--show-leak-kinds=definite,indirect,possible")
            .arg("--errors-for-leak-kinds=definite,indirect,possible");
    }
    command
}

pub(crate) fn run<I: AsRef<OsStr>>(mut command: Command, arguments: impl IntoIterator<Item = I>) -> Output {
    prepared(&mut command, arguments).output().expect("the program starts")
}

pub(crate) fn prepared<I: AsRef<OsStr>>(
    command: &mut Command,
    arguments: impl IntoIterator<Item = I>,
) -> &mut Command {
    // cargo names directories there that may hold a library of other features; the programs know theirs.
    command.args(arguments).current_dir(root()).env_remove("LD_LIBRARY_PATH")
}

pub(crate) fn told(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(crate) fn succeeds(output: Output) -> Result<(), Failed> {
    ends_with(0, &output)
}

pub(crate) fn ends_with(code: i32, output: &Output) -> Result<(), Failed> {
    if output.status.code() == Some(code) { Ok(()) } else { Err(told(output).into()) }
}
