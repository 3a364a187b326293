//! What Python's cffi reads is made of the header, by the C preprocessor.

use std::path::Path;
use std::process::Command;

use libtest_mimic::Failed;

use crate::{missing, root, succeeds};

const DEFINITIONS: &str = "examples-ffi/python/hstreamdb_blocking/_definitions.h";

pub(crate) fn check() -> Result<(), Failed> {
    if let Some(missing) = missing(&[("cc", &["--version"])]) {
        println!("skipped: {missing}");
        return Ok(());
    }
    let made = definitions()?;
    let path = root().join(DEFINITIONS);
    if std::env::var_os("HSTREAM_UPDATE_DEFINITIONS").is_some() {
        std::fs::write(path, made)?;
    } else if std::fs::read_to_string(path)? != made {
        return Err(format!(
            "{DEFINITIONS} is not that of the header: make it with\n\
             HSTREAM_UPDATE_DEFINITIONS=1 cargo test --all-features --test ffi_bindings definitions"
        )
        .into());
    }
    Ok(())
}

/// A line for each constant that is a number, and one for each declaration.
fn definitions() -> Result<String, Failed> {
    let header = root().join("include/hstreamdb.h");
    let constants: String = std::fs::read_to_string(&header)?.lines().filter(|line| is_number(line)).fold(
        String::new(),
        |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        },
    );
    let declarations = declarations(&preprocessed(&header)?);
    Ok(format!("/* Made of include/hstreamdb.h; changes made here are lost. */\n{constants}{declarations}"))
}

fn is_number(line: &str) -> bool {
    let words: Vec<_> = line.split(' ').collect();
    matches!(words[..], ["#define", _, value] if value.parse::<i64>().is_ok())
}

/// The header without comments, attributes, and what it includes: cffi knows the types.
fn preprocessed(header: &Path) -> Result<String, Failed> {
    let nothing = tempfile::tempdir()?;
    for name in ["stddef.h", "stdint.h"] {
        std::fs::write(nothing.path().join(name), "")?;
    }
    let mut cc = Command::new("cc");
    cc.args(["-E", "-P", "-nostdinc", "-U__GNUC__", "-U__clang__", "-I"]).arg(nothing.path());
    succeeds(cc.arg(header))
}

/// Compilers break lines in their own ways.
fn declarations(preprocessed: &str) -> String {
    let words = preprocessed.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut depth = 0;
    let ends = |letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        letter == ';' && depth == 0
    };
    words.split_inclusive(ends).map(|line| line.trim().replace(" ;", ";") + "\n").collect()
}
