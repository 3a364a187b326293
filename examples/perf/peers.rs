//! Other programs that produce the same records: those that are there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::measure::Measured;

/// A program that prints RECORDS SECONDS CPU_SECONDS.
pub(crate) struct Peer {
    program: PathBuf,
    /// What comes before all other arguments.
    script: Option<PathBuf>,
}

impl Peer {
    pub(crate) fn measure<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Measured {
        let mut command = Command::new(&self.program);
        // cargo names directories there that may hold a library of other features; the programs know theirs.
        command.args(&self.script).args(arguments).env_remove("LD_LIBRARY_PATH");
        let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(records), Some(seconds), Some(cpu_seconds)) => {
                Measured { records: records as usize, seconds, cpu_seconds }
            }
            _ => panic!("{}: {}\n{text}{}", self.program.display(), output.status, errors(&output)),
        }
    }
}

#[derive(Default)]
pub(crate) struct Peers {
    pub(crate) c: Option<Peer>,
    pub(crate) rdkafka: Option<Peer>,
    pub(crate) python: Option<Peer>,
    pub(crate) python_consumer: Option<Peer>,
    /// Where the programs are as long as this lives.
    _directory: Option<tempfile::TempDir>,
}

impl Peers {
    /// Compiles what can be compiled here, and says what is missing.
    pub(crate) fn find(python: Option<PathBuf>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let there = |what: &str, peer: Result<Peer, String>| match peer {
            Ok(peer) => Some(peer),
            Err(error) => {
                eprintln!("without {what}: {error}");
                None
            }
        };
        Peers {
            c: there("the C library", c(directory.path())),
            rdkafka: there("librdkafka", rdkafka(directory.path())),
            python: there("the Python client", with_client(python.clone(), "produce.py")),
            python_consumer: with_client(python, "consume.py").ok(),
            _directory: Some(directory),
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Over the shared library of this build.
fn c(directory: &Path) -> Result<Peer, String> {
    let library = library_directory().ok_or("it is not built: `cargo build --release --all-features`")?;
    let program = directory.join("perf");
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-O2", "-DHSTREAM_HAS_DEV_SERVER", "-I"]).arg(root().join("include"));
    cc.arg(root().join("examples-c/perf.c")).arg("-o").arg(&program);
    cc.arg("-L").arg(&library).arg("-lhstreamdb").arg(format!("-Wl,-rpath,{}", directory.display()));
    finished(&mut cc)?;
    // The program asks for the library by its soname.
    std::os::unix::fs::symlink(library.join("libhstreamdb.so"), directory.join(SONAME))
        .map_err(|error| format!("{SONAME}: {error}"))?;
    Ok(Peer { program, script: None })
}

const SONAME: &str = concat!("libhstreamdb.so.0.", env!("CARGO_PKG_VERSION_MINOR"));

/// Beside this example's directory, or where cargo builds what others depend on.
fn library_directory() -> Option<PathBuf> {
    let name = format!("{}hstreamdb{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let program = std::env::current_exe().expect("this program");
    let built = program.ancestors().nth(2)?;
    // The one that was built with this example comes first: the other may be older.
    [built.join("deps"), built.to_owned()].into_iter().find(|directory| directory.join(&name).exists())
}

fn rdkafka(directory: &Path) -> Result<Peer, String> {
    let mut pkg_config = Command::new("pkg-config");
    let output = finished(pkg_config.args(["--cflags", "--libs", "rdkafka"]))
        .map_err(|_| "pkg-config does not find rdkafka (Debian: librdkafka-dev)")?;
    let program = directory.join("produce");
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-O2"]).arg(root().join("benches/rdkafka/produce.c")).arg("-o").arg(&program);
    cc.args(String::from_utf8_lossy(&output.stdout).split_whitespace());
    finished(&mut cc)?;
    Ok(Peer { program, script: None })
}

fn with_client(python: Option<PathBuf>, script: &str) -> Result<Peer, String> {
    let program = python.ok_or("no `--python` that has it (tests/interop/setup.sh makes one)")?;
    finished(Command::new(&program).args(["-c", "import hstreamdb"]))?;
    Ok(Peer { program, script: Some(root().join("benches/python").join(script)) })
}

fn finished(command: &mut Command) -> Result<Output, String> {
    let output = command.output();
    let output = output.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() { Ok(output) } else { Err(errors(&output)) }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
