//! What clang and cffi make of the header.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failed;
use crate::functions::of_header;
use crate::library;
use crate::tools::{root, run, succeeds};

/// It warns of each NULL where none is allowed, and of no other.
pub(crate) fn clang_knows_what_may_be_null(bin: &Path) -> Result<(), Failed> {
    let functions = of_header()?;
    let calls: String =
        functions.iter().map(|function| format!("(void){};\n", function.call_with_nothing())).collect();
    // Each call has a line of its own, after the first.
    let source = bin.join("nulls-for-clang.c");
    std::fs::write(&source, format!("#include <hstreamdb.h>\nvoid f(void); void f(void) {{\n{calls}}}\n"))?;
    let output = Command::new("clang")
        .args(["-std=c11", "-Wnonnull", "-Wno-unused-result", "-fsyntax-only", "-ferror-limit=0"])
        .args(["-DHSTREAM_HAS_DEV_SERVER", "-I"])
        .arg(root().join("include"))
        .arg(&source)
        .output()?;
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    for (index, function) in functions.iter().enumerate() {
        let place = format!("nulls-for-clang.c:{}:", index + 3);
        let warned = warnings.lines().filter(|line| line.contains(&place) && line.contains("-Wnonnull"));
        let (warned, expected) = (warned.count(), function.warnings());
        if warned != expected {
            return Err(format!("{}: {warned} warnings, not {expected}\n{warnings}", function.name).into());
        }
    }
    Ok(())
}

fn python() -> Command {
    Command::new(std::env::var_os("HSTREAM_PYTHON").unwrap_or_else(|| "python3".into()))
}

pub(crate) fn has_cffi() -> bool {
    let mut command = python();
    command.args(["-c", "import cffi"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// After the preprocessor, without what it takes from elsewhere.
pub(crate) fn cffi_takes_it(_: &Path) -> Result<(), Failed> {
    let mut command = python();
    command.arg(root().join("tests/c/cffi_header.py"));
    succeeds(run(command, [root().join("include/hstreamdb.h"), library::path()]))
}
