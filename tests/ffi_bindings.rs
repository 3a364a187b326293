//! The C++ header, the Go module and the Python module, tried on the shared library of this build.
//!
//! Cases that need a tool which is not there are reported as ignored, with the tool's name. `HSTREAM_PYTHON` names a
//! Python that has cffi, and for one case the published client (`tests/interop/setup.sh` makes one).

#![allow(missing_docs)]

#[path = "ffi_bindings/built.rs"]
mod built;
#[path = "ffi_bindings/cpp.rs"]
mod cpp;
#[path = "ffi_bindings/definitions.rs"]
mod definitions;
#[path = "ffi_bindings/go.rs"]
mod go;
#[path = "library/mod.rs"]
mod library;
#[path = "ffi_bindings/python.rs"]
mod python;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, OnceLock};

use built::Built;
use libtest_mimic::{Arguments, Failed, Trial};

type Case = fn(&Built) -> Result<(), Failed>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let built: Arc<OnceLock<Result<Built, String>>> = Arc::default();
    let cases = [cpp::cases(), go::cases(), python::cases()].concat();
    let mut trials =
        vec![Trial::test("the_definitions_for_python_are_those_of_the_header", definitions::check)];
    for (name, case, missing) in cases {
        let built = built.clone();
        let name = missing.as_ref().map_or(name.to_owned(), |missing| format!("{name} (ignored: {missing})"));
        // What all cases stand on is made when the first needs it.
        let run = move || case(built.get_or_init(Built::make).as_ref().map_err(Failed::from)?);
        trials.push(Trial::test(name, run).with_ignored_flag(missing.is_some()));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case: its name, what it does, and what it lacks here, if anything.
type Row = (&'static str, Case, Option<String>);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What is missing of these tools.
fn missing(tools: &[(&str, &[&str])]) -> Option<String> {
    let lacks = tools.iter().find(|(tool, arguments)| {
        let tried = Command::new(tool).args(*arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        !tried.is_ok_and(|status| status.success())
    });
    lacks.map(|(tool, _)| format!("no {tool}"))
}

/// The development server for those that start it themselves.
fn dev_server() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_hstream-dev-server"))
}

fn succeeds(command: &mut Command) -> Result<String, Failed> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{command:?}: {}\n{text}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
