//! Compilers, the library of this build, and programs that run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::Failed;

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

/// Where the libraries of this build are: beside this test, or one directory up.
fn library_directory() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let there = test.ancestors().skip(1).take(2).find(|directory| directory.join(library_name()).exists());
    there.unwrap_or_else(|| panic!("{} is not beside {}", library_name(), test.display())).to_owned()
}

fn library_name() -> String {
    format!("{}hstreamdb{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

pub(crate) fn library() -> PathBuf {
    library_directory().join(library_name())
}

fn archive() -> PathBuf {
    library_directory().join("libhstreamdb.a")
}

/// All sets of features are built into one file of this name, and cargo does not notice when the last build was
/// of another set. Then it is made again.
pub(crate) fn refresh_libraries() -> Result<(), String> {
    if has_all_functions(&library()) && has_all_functions(&archive()) {
        return Ok(());
    }
    for stale in [library(), archive()] {
        std::fs::remove_file(&stale).map_err(|error| format!("{}: {error}", stale.display()))?;
    }
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--lib", "--all-features"]).current_dir(root());
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let built = build.status().map_err(|error| format!("cargo: {error}"))?;
    if built.success() && has_all_functions(&library()) && has_all_functions(&archive()) {
        Ok(())
    } else {
        Err("the libraries lack functions of this build, and could not be made again".to_owned())
    }
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

/// The name that a program looks for at run time, should the library have one of its own.
fn soname() -> String {
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    if major == "0" { format!("libhstreamdb.so.0.{minor}") } else { format!("libhstreamdb.so.{major}") }
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
    link(&mut command, way, &directory, name)?;
    let output = command.output()?;
    if output.status.success() { Ok(program) } else { Err(told(&output).into()) }
}

/// All but the program that loads the library by itself.
fn link(command: &mut Command, way: Way, directory: &Path, program: &OsStr) -> Result<(), Failed> {
    if way == Way::Static {
        command.args(["-x", "none"]).arg(archive()).args(SYSTEM_LIBRARIES);
        return Ok(());
    }
    let link = directory.join(soname());
    #[cfg(unix)]
    if !link.exists()
        && let Err(error) = std::os::unix::fs::symlink(library(), &link)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(error.to_string().into());
    }
    for place in [directory, &library_directory()] {
        command.arg(format!("-Wl,-rpath,{}", place.display()));
    }
    command.arg("-L").arg(library_directory()).args(["-lpthread", "-ldl"]);
    if program != "loading" {
        command.arg("-lhstreamdb");
    }
    Ok(())
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
