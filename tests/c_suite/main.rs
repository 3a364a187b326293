//! The C test suite: each program of `tests/c` in four ways, and what is made of the header. `tests/c/SUITE.md` says
//! which rule is tested where.
//!
//! `tests/c_examples.rs` runs the older programs plainly and by valgrind; here they are run in the other ways.
//! Cases that need a tool which is not there are reported as ignored, with the tool's name.

#![allow(missing_docs)]

mod functions;
mod header;
mod table;
mod tools;

#[path = "../library/mod.rs"]
mod library;

#[cfg(feature = "tls")]
#[path = "../authority/mod.rs"]
mod authority;
#[cfg(feature = "tls")]
#[path = "../c_examples/secure.rs"]
mod secure;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
#[cfg(feature = "tls")]
use tools::prepared;

pub(crate) use libtest_mimic::Failed;

use crate::tools::{Way, command, compile, ends_with, has, root, run, succeeds};

/// A program of `tests/c`, what it is given, and how it ends.
struct Program {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Fewer rounds, for valgrind.
    few: &'static [&'static str],
    ends_with: i32,
    /// In what ways it is run here.
    ways: &'static [Way],
}

impl Program {
    /// It has only to succeed.
    const fn of(name: &'static str, ways: &'static [Way]) -> Self {
        Program { name, arguments: &[], few: &[], ends_with: 0, ways }
    }
}

const OTHERS: &[Way] = &[Way::Sanitized, Way::Static];
const ALL: &[Way] = &[Way::Plain, Way::Valgrind, Way::Sanitized, Way::Static];
/// Where nothing is freed at the end.
const ALL_OPEN: &[Way] = &[Way::Plain, Way::ValgrindWithoutLeaks, Way::Sanitized, Way::Static];

/// Children of forks end without freeing what the parent has, and sanitizers of addresses do not survive a fork.
const FORKS: &[Way] = &[Way::Plain, Way::ValgrindWithoutLeaks, Way::Undefined, Way::Static];

const fn exits(mode: &'static [&'static str]) -> Program {
    Program { name: "exits", arguments: mode, few: mode, ends_with: 7, ways: ALL_OPEN }
}

const PROGRAMS: &[Program] = &[
    Program::of("nulls", OTHERS),
    Program::of("behaviour", OTHERS),
    Program::of("runtime", OTHERS),
    Program::of("producer", OTHERS),
    Program::of("consumer", OTHERS),
    Program::of("reader", OTHERS),
    Program::of("values", ALL),
    Program::of("cancelling", ALL),
    Program { few: &["20"], ..Program::of("ownership", ALL) },
    #[cfg(target_os = "linux")]
    Program::of("event_loop", OTHERS),
    // Under valgrind masks are not what they seem.
    #[cfg(target_os = "linux")]
    Program { few: &["no-masks"], ..Program::of("signals", ALL) },
    #[cfg(target_os = "linux")]
    Program::of("never", ALL),
    #[cfg(feature = "test-panic")]
    Program::of("panics", ALL),
    Program { arguments: &["50"], few: &["3"], ..Program::of("fork_traffic", FORKS) },
    exits(&["open"]),
    exits(&["callback"]),
    exits(&["thread"]),
    exits(&["handler"]),
    exits(&["storage"]),
];

/// Python that may have cffi is named by the environment, as for the tests against other software.
fn add_cffi(add: &mut impl FnMut(&str, &[&str], Case)) {
    let missing = if header::has_cffi() { &[][..] } else { &["Python with cffi, as $HSTREAM_PYTHON"] };
    add("cffi takes the header", &[&["cc"], missing].concat(), Box::new(header::cffi_takes_it));
}

type Check = fn(&Path) -> Result<(), Failed>;
type Case = Box<dyn FnOnce(&Path) -> Result<(), Failed> + Send>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    if has("cc")
        && !arguments.list
        && let Err(error) = tools::provide_libraries(directory.path())
    {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let bin = directory.path().to_owned();
    let mut trials = Vec::new();
    let mut add = |name: &str, needs: &[&str], case: Case| {
        let bin = bin.clone();
        let missing = needs.iter().find(|tool| !has(tool));
        let name = match missing {
            Some(tool) => format!("{name} (ignored: no {tool})"),
            None => name.to_owned(),
        };
        trials.push(Trial::test(name, move || case(&bin)).with_ignored_flag(missing.is_some()));
    };
    for program in PROGRAMS {
        for way in program.ways {
            let name = [&[program.name], program.arguments].concat().join(" ");
            let name = format!("{name}, {}", way.name());
            add(&name, way.needs(), Box::new(|bin| run_program(program, *way, bin)));
        }
    }
    #[cfg(target_os = "linux")]
    for way in [Way::Plain, Way::Valgrind, Way::Sanitized] {
        add(&format!("loading, {}", way.name()), way.needs(), Box::new(move |bin| loads(way, bin)));
    }
    #[cfg(feature = "tls")]
    for way in OTHERS {
        add(&format!("secure, {}", way.name()), way.needs(), Box::new(|bin| is_secure(*way, bin)));
    }
    for way in [Way::Plain, Way::Valgrind, Way::Static] {
        let name = format!("every function takes NULL and 0 for everything, {}", way.name());
        add(&name, way.needs(), Box::new(move |bin| takes_nulls(way, bin)));
    }
    add("clang knows what may be NULL", &["clang"], Box::new(header::clang_knows_what_may_be_null));
    add_cffi(&mut add);
    let checks: [(&str, Check); 3] = [
        ("every function is tried with NULL", functions::every_function_is_tried_with_null),
        ("every function has a behaviour test", functions::every_function_has_a_behaviour_test),
        ("every test named in the table exists", table::every_test_named_exists),
    ];
    for (name, check) in checks {
        add(name, &[], Box::new(check));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn run_program(program: &Program, way: Way, bin: &Path) -> Result<(), Failed> {
    let source = root().join("tests/c").join(program.name).with_extension("c");
    let compiled = compile(&source, way, bin)?;
    let checked = matches!(way, Way::Valgrind | Way::ValgrindWithoutLeaks);
    let output = run(command(&compiled, way), if checked { program.few } else { program.arguments });
    ends_with(program.ends_with, &output)?;
    // What goes wrong inside is for the log, and not for the host's terminal.
    if way == Way::Plain && !output.stderr.is_empty() {
        return Err(tools::told(&output).into());
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn loads(way: Way, bin: &Path) -> Result<(), Failed> {
    let program = compile(&root().join("tests/c/loading.c"), way, bin)?;
    succeeds(run(command(&program, way), [library::path()]))
}

#[cfg(feature = "tls")]
fn is_secure(way: Way, bin: &Path) -> Result<(), Failed> {
    let program = compile(&root().join("tests/c/secure.c"), way, bin)?;
    secure::travels(command(&program, way))
}

fn takes_nulls(way: Way, bin: &Path) -> Result<(), Failed> {
    let functions = functions::of_header()?;
    let source = bin.join(format!("all-nulls-{way:?}.c"));
    std::fs::write(&source, functions::all_nulls(&functions))?;
    let program = compile(&source, way, bin)?;
    succeeds(run(command(&program, way), [""; 0]))
}
