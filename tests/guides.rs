//! The guides say what is so: their code compiles, what they name is there, and their links lead somewhere.
//!
//! Of C, a block with a `main` is a program, one with functions is a file, and anything else is the body of a
//! function whose parameters are `client`, `producer` and so on. Go and Python are excerpts of the examples.

#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const INCLUDES: &str = "#include <inttypes.h>\n#include <signal.h>\n#include <stdio.h>\n#include <unistd.h>\n\
                        #include \"hstreamdb.h\"\n";

const PARAMETERS: &str = "hstream_client_t *client, hstream_producer_t *producer, hstream_appender_t *appender, \
                          hstream_consumer_t *consumer, hstream_reader_t *reader, hstream_cancel_t *cancel, \
                          hstream_error_t *err, hstream_code_t code";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names and texts of the guides, and of what else is written in their manner.
fn guides() -> Vec<(String, String)> {
    let directory = std::fs::read_dir(root().join("docs/guide")).unwrap();
    let mut paths: Vec<PathBuf> = directory.map(|entry| entry.unwrap().path()).collect();
    paths.push(root().join("SECURITY.md"));
    paths.sort();
    paths.iter().map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), read(path))).collect()
}

/// The blocks of code of one language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// The text without its blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// What stands between backticks in the text, outside of blocks.
fn spans(text: &str) -> Vec<String> {
    prose(text).split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Compiles and links nothing; returns what the compiler has to say.
fn check(compiler: &str, flags: &[&str], source: &Path) -> Result<(), String> {
    let mut command = Command::new(compiler);
    command.args(flags).args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]);
    let output = command.arg(root().join("include")).arg(source).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A block of C as a file.
fn file_of(block: &str) -> String {
    let is_function = |line: &str| line == "{";
    if block.contains("int main(") {
        block.to_owned()
    } else if block.lines().any(is_function) {
        format!("{INCLUDES}{block}")
    } else {
        format!("{INCLUDES}void example({PARAMETERS});\nvoid example({PARAMETERS})\n{{\n{block}}}\n")
    }
}

#[test]
fn c_in_the_guides_compiles() {
    if !has("cc") {
        println!("skipped: no cc");
        return;
    }
    const FLAGS: [&str; 4] =
        ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wno-unused-parameter", "-Wno-unused-but-set-parameter"];
    let directory = tempfile::tempdir().unwrap();
    let (mut complaints, mut count) = (String::new(), 0);
    for (guide, text) in guides() {
        for (number, block) in blocks(&text, "c").iter().enumerate() {
            let source = directory.path().join(format!("{guide}-{number}.c"));
            std::fs::write(&source, file_of(block)).unwrap();
            if let Err(errors) = check("cc", &FLAGS, &source) {
                writeln!(complaints, "{errors}").unwrap();
            }
            count += 1;
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(count > 10, "only {count} blocks were found");
}

#[test]
fn cpp_in_the_guides_compiles() {
    if !has("c++") || !root().join("include/hstreamdb.hpp").exists() {
        println!("skipped: no c++, or no hstreamdb.hpp");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for (guide, text) in guides() {
        for (number, block) in blocks(&text, "cpp").iter().enumerate() {
            let source = directory.path().join(format!("{guide}-{number}.cpp"));
            std::fs::write(&source, block).unwrap();
            check("c++", &["-std=c++17"], &source).unwrap_or_else(|errors| panic!("{errors}"));
        }
    }
}

#[test]
fn go_and_python_in_the_guides_are_parts_of_the_examples() {
    for (language, directory, ending) in
        [("go", "examples-ffi/go", "go"), ("python", "examples-ffi/python", "py")]
    {
        let directory = root().join(directory);
        if !directory.exists() {
            println!("skipped: no {}", directory.display());
            continue;
        }
        let examples = texts_below(&directory, ending);
        for (guide, text) in guides() {
            for block in blocks(&text, language) {
                assert!(examples.contains(&block), "{guide}: not in the examples:\n{block}");
            }
        }
    }
}

fn texts_below(directory: &Path, ending: &str) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &texts_below(&path, ending);
        } else if path.extension().is_some_and(|found| found == ending) {
            all += &read(&path);
        }
    }
    all
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

#[test]
fn functions_and_constants_in_the_guides_are_in_the_header() {
    const OTHERS: [&str; 2] = ["HSTREAM_LOG", "HSTREAM_HAS_DEV_SERVER"];
    let header = read(&root().join("include/hstreamdb.h"));
    let names: BTreeSet<&str> = words(&header).collect();
    // Families are named by what their names begin with.
    let begins = |word: &str| names.range(word..).next().is_some_and(|name| name.starts_with(word));
    let mut missing = String::new();
    for (guide, text) in guides() {
        for word in words(&text).filter(|word| !OTHERS.contains(word)) {
            let is_name = word.starts_with("hstream_") || word.starts_with("HSTREAM_");
            if is_name && !names.contains(word) && !(word.ends_with('_') && begins(word)) {
                writeln!(missing, "{guide}: {word}").unwrap();
            }
        }
    }
    assert!(missing.is_empty(), "not in the header:\n{missing}");
}

#[test]
fn options_in_the_guides_are_options() {
    let schema = hstreamdb::options_schema_json();
    let mut count = 0;
    for (guide, text) in guides() {
        for span in spans(&text) {
            let key = span.split('=').next().unwrap_or_default();
            let is_key = key.contains('.') && key.chars().all(|c| c.is_ascii_lowercase() || c == '.');
            // Files have dots too.
            if !is_key || key.starts_with("hstreamdb.") || key.starts_with("libhstreamdb.") {
                continue;
            }
            assert!(schema.contains(&format!("\"{key}\"")), "{guide}: there is no option `{key}`");
            count += 1;
        }
    }
    assert!(count > 20, "only {count} were found");
}

#[test]
fn links_between_the_guides_lead_somewhere() {
    for (guide, text) in guides() {
        let base = if guide == "SECURITY.md" { root().to_owned() } else { root().join("docs/guide") };
        for link in prose(&text).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(base.join(link).exists(), "{guide} links to {link}");
        }
    }
    let list = read(&root().join("docs/guide/README.md"));
    for (guide, _) in guides() {
        let is_listed =
            list.contains(&format!("({guide})")) || ["README.md", "SECURITY.md"].contains(&guide.as_str());
        assert!(is_listed, "{guide} is not in the list of guides");
    }
}
