//! The C header is what the sources say, and what compilers take.
//!
//! `HSTREAM_UPDATE_HEADER=1 cargo test --all-features --test header` writes it anew.

#![allow(missing_docs)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// In the order of the header.
const SOURCES: [&str; 32] = [
    "status",
    "callback",
    "library",
    "runtime_options",
    "error",
    "call",
    "cancel",
    "config",
    "client",
    "log",
    "event",
    "metrics",
    "streams",
    "shards",
    "record_id",
    "offset",
    "record",
    "hrecord",
    "append",
    "producer_config",
    "producer",
    "appender",
    "delivery",
    "subscriptions",
    "cluster",
    "readers",
    "trim",
    "consumer_config",
    "consumer",
    "reader_config",
    "reader",
    "batch",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn header_path() -> PathBuf {
    root().join("include/hstreamdb.h")
}

/// What cbindgen makes of the sources.
fn generated() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is sound");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES.into_iter().chain(["dev_server"]) {
        builder = builder.with_src(root().join("src/ffi").join(source).with_extension("rs"));
    }
    let mut bytes = Vec::new();
    builder.generate().expect("the sources of the C ABI are sound").write(&mut bytes);
    String::from_utf8(bytes).expect("the header is UTF-8")
}

fn header() -> String {
    let mut body = String::new();
    let mut comment = String::new();
    for line in generated().lines() {
        let line = line.trim_end();
        if line.trim_start().starts_with("/*") {
            comment.clear();
        }
        if line.trim_start().starts_with(['/', '*']) {
            comment.push_str(line);
            comment.push('\n');
        }
        body.push_str(&marked_result(&marked_nullable(line, &comment)));
        body.push('\n');
    }
    compact_constants(&body)
        .replace("@VERSION@", version().trim_end())
        .replace("HSTREAM_API\nHSTREAM_MUST_USE\n", "HSTREAM_API HSTREAM_MUST_USE\n")
        .replace(")\nHSTREAM_NOEXCEPT;", ") HSTREAM_NOEXCEPT;")
}

/// Constants with a comment of one line take two lines each.
fn compact_constants(header: &str) -> String {
    let lines: Vec<&str> = header.lines().collect();
    let (mut text, mut at) = (String::new(), 0);
    while at < lines.len() {
        match lines[at..] {
            ["/**", comment, " */", define, "", ..] if define.starts_with("#define") => {
                let comment = comment.trim_start_matches(" *").trim();
                writeln!(text, "/** {comment} */\n{define}").expect("strings take all");
                at += 5;
            }
            _ => {
                writeln!(text, "{}", lines[at]).expect("strings take all");
                at += 1;
            }
        }
    }
    text
}

/// A parameter that its comment says may be NULL, with the word for it.
fn marked_nullable(line: &str, comment: &str) -> String {
    let Some(list) = comment.split("May be NULL:").nth(1) else { return line.to_owned() };
    let list = list.split('.').next().unwrap_or_default();
    let is_parameter = line.ends_with([',', ')']) || line.ends_with(");");
    if !is_parameter || line.trim_start().starts_with(['/', '*', '#']) {
        return line.to_owned();
    }
    let Some(end) = line.find([',', ')']) else { return line.to_owned() };
    let declared = line[..end].trim_end();
    let name: String =
        declared.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let name: String = name.chars().rev().collect();
    if !list.contains(&format!("`{name}`")) {
        return line.to_owned();
    }
    let before = &line[..declared.len() - name.len()];
    format!("{before}HSTREAM_NULLABLE {}", &line[declared.len() - name.len()..])
}

/// A function whose result may be NULL: all that return pointers to something else than texts do for NULL.
fn marked_result(line: &str) -> String {
    let returns_pointer = line.split('(').next().is_some_and(|before| before.contains(" *hstream_"));
    if !returns_pointer || line.starts_with([' ', '/', '#']) || line.starts_with("const char *") {
        return line.to_owned();
    }
    line.replacen(" *hstream_", " *HSTREAM_NULLABLE hstream_", 1)
}

/// The version macros, from Cargo's version.
fn version() -> String {
    let number = |part: &str| part.parse::<u32>().expect("a number");
    let (major, minor, patch) = (
        number(env!("CARGO_PKG_VERSION_MAJOR")),
        number(env!("CARGO_PKG_VERSION_MINOR")),
        number(env!("CARGO_PKG_VERSION_PATCH")),
    );
    let mut text = String::new();
    for (name, value, comment) in [
        ("VERSION_MAJOR", major, "The version of this header: its first number."),
        ("VERSION_MINOR", minor, "The second number."),
        ("VERSION_PATCH", patch, "The third number."),
        (
            "VERSION_NUMBER",
            major * 1_000_000 + minor * 1000 + patch,
            "The version as one number: 1000003 is 1.0.3, and 2001 is 0.2.1.",
        ),
        (
            "ABI_VERSION",
            if major == 0 { minor } else { 1000 * major },
            "What programs and library must agree on; see `hstream_check_abi`.",
        ),
    ] {
        writeln!(text, "/** {comment} */\n#define HSTREAM_{name} {value}").expect("strings take all");
    }
    writeln!(
        text,
        "/** The version as text. */\n#define HSTREAM_VERSION_STRING \"{}\"",
        env!("CARGO_PKG_VERSION")
    )
    .expect("strings take all");
    text
}

#[test]
fn the_committed_header_is_what_the_sources_say() {
    let header = header();
    if std::env::var_os("HSTREAM_UPDATE_HEADER").is_some() {
        std::fs::create_dir_all(root().join("include")).expect("the directory can be made");
        std::fs::write(header_path(), &header).expect("the header can be written");
        return;
    }
    let committed = std::fs::read_to_string(header_path()).unwrap_or_default();
    let differs = committed.lines().zip(header.lines()).position(|(old, new)| old != new);
    assert!(
        committed == header,
        "include/hstreamdb.h is not what src/ffi says (from line {}); write it anew with \
         HSTREAM_UPDATE_HEADER=1 cargo test --all-features --test header",
        differs.map_or(committed.lines().count().min(header.lines().count()), |line| line) + 1
    );
}

/// What is asked of a compiler beside the standard: all that it can warn of.
fn warnings_of(compiler: &str) -> &'static [&'static str] {
    if compiler.starts_with("clang") {
        // But for advice to those who still write C++98.
        &["-Weverything", "-Wno-c++98-compat", "-Wno-c++98-compat-pedantic"]
    } else {
        &["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wundef", "-Wredundant-decls"]
    }
}

fn has(compiler: &str) -> bool {
    let found = Command::new(compiler).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = found.is_ok_and(|status| status.success());
    if !there {
        println!("skipped: there is no {compiler}");
    }
    there
}

const UNIT: &str = "#include <hstreamdb.h>\n#include <hstreamdb.h>\n";

/// Compiles and links two files that include the header, twice and before anything else.
fn compiles(compiler: &str, language: &str, standard: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let main = "int main(void) { return sizeof(hstream_record_id_t) == 24 ? HSTREAM_OK : 1; }\n";
    let sources =
        [("main", format!("{UNIT}{main}")), ("other", UNIT.to_owned() + "typedef int nothing_else;\n")];
    let sources = sources.map(|(name, text)| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    });
    let output = Command::new(compiler)
        .args(["-x", language, standard, "-Wpedantic", "-Werror"])
        .args(warnings_of(compiler))
        .args(["-DHSTREAM_HAS_DEV_SERVER", "-I"])
        .arg(root().join("include"))
        .args(sources)
        .arg("-o")
        .arg(directory.path().join("program"))
        .output()
        .expect("the compiler runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(errors) }
}

#[test]
fn compilers_take_it_alone_and_twice_and_in_two_units() {
    for (compilers, language, standards) in [
        (["cc", "clang"], "c", &["-std=c99", "-std=c11", "-std=c2x"][..]),
        (["c++", "clang++"], "c++", &["-std=c++11", "-std=c++17", "-std=c++20"][..]),
    ] {
        for compiler in compilers.into_iter().filter(|compiler| has(compiler)) {
            for standard in standards {
                if let Err(errors) = compiles(compiler, language, standard) {
                    panic!("{compiler} {standard}:\n{errors}");
                }
            }
        }
    }
}

/// All functions, with the comment before each.
fn functions(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in header.split("\n/**\n").skip(1) {
        let Some((comment, rest)) = part.split_once("*/") else { continue };
        let Some(declared) = rest.trim_start().strip_prefix("HSTREAM_API") else { continue };
        let before = declared.split('(').next().unwrap_or_default();
        let name = before.rsplit([' ', '*', '\n']).next().unwrap_or_default();
        found.push((name.to_owned(), comment.to_owned()));
    }
    found
}

#[test]
fn every_function_is_exported_documented_and_named_as_the_others() {
    let header = header();
    let functions = functions(&header);
    assert_eq!(functions.len(), header.matches("\nHSTREAM_API").count(), "a function without comment");
    for (name, comment) in &functions {
        assert!(name.starts_with("hstream_"), "{name}");
        for heading in ["Ownership", "Threads", "Blocking", "Errors", "Since"] {
            assert!(comment.contains(&format!("**{heading}**:")), "{name} has no {heading}");
        }
    }
    // What cbindgen can't translate it leaves out in silence.
    let exported: usize = SOURCES
        .into_iter()
        .chain(["dev_server"])
        .map(|source| std::fs::read_to_string(root().join("src/ffi").join(source).with_extension("rs")))
        .map(|text| text.expect("a source").matches("\n#[unsafe(no_mangle)]").count())
        .sum();
    assert_eq!(functions.len(), exported, "an exported function is not in the header");
}
