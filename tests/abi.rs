//! What programs in C are compiled against does not change unnoticed: the exported symbols, with the version that
//! each came in (`include/hstreamdb.symbols`), and constants, signatures and the layout of public structs
//! (`include/hstreamdb.abi`).
//!
//! `HSTREAM_UPDATE_ABI=1 cargo test --all-features --test abi` adds what is new to both files. It removes and
//! changes nothing: that breaks programs, so it is done by hand, with a new soname.

#![allow(missing_docs)]

#[allow(dead_code)]
#[path = "library/mod.rs"]
mod library;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const UPDATE: &str = "HSTREAM_UPDATE_ABI=1 cargo test --all-features --test abi";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header() -> String {
    std::fs::read_to_string(root().join("include/hstreamdb.h")).expect("the header")
}

/// A committed list: lines of a name and what is said of it.
struct List {
    path: PathBuf,
    comment: String,
    lines: BTreeMap<String, String>,
}

impl List {
    fn read(name: &str) -> List {
        let path = root().join("include").join(name);
        let text = std::fs::read_to_string(&path).expect("a committed list");
        let (comment, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
        let lines = lines.into_iter().map(|line| {
            let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_owned(), rest.to_owned())
        });
        List { lines: lines.collect(), comment: comment.join("\n"), path }
    }

    /// Fails if something is gone or is not what it was, or is new and not listed.
    fn compare(mut self, now: &BTreeMap<String, String>) {
        let mut wrong = String::new();
        for (name, committed) in &self.lines {
            match now.get(name) {
                None => writeln!(wrong, "{name} is gone").expect("strings take all"),
                Some(now) if now != committed => {
                    writeln!(wrong, "{name} was `{committed}` and is `{now}`").expect("strings take all");
                }
                Some(_) => {}
            }
        }
        let file = self.path.display();
        assert!(wrong.is_empty(), "{wrong}programs that were built with {file} break by that");
        let new: Vec<&String> = now.keys().filter(|name| !self.lines.contains_key(*name)).collect();
        if std::env::var_os("HSTREAM_UPDATE_ABI").is_none() {
            assert!(new.is_empty(), "not in {file}: {new:?}; if they are meant, add them with\n  {UPDATE}");
            return;
        }
        self.lines.extend(now.clone());
        let mut text = self.comment.clone() + "\n";
        for (name, rest) in &self.lines {
            writeln!(text, "{name} {rest}").expect("strings take all");
        }
        std::fs::write(&self.path, text).expect("the list can be written");
    }
}

/// The functions that the header declares: since when, and whether they are the development server's.
fn declared() -> BTreeMap<String, String> {
    let header = header();
    let mut found = BTreeMap::new();
    let mut since = "";
    let mut feature = "";
    for line in header.lines() {
        if let Some(version) = line.trim_start().strip_prefix("* **Since**: ") {
            since = version.trim_end_matches('.');
        } else if line.contains("defined(HSTREAM_HAS_DEV_SERVER)") {
            feature = " dev-server";
        } else if line.starts_with("#endif") {
            feature = "";
        }
        let before = line.split('(').next().unwrap_or_default();
        let name = before.rsplit([' ', '*']).next().unwrap_or_default();
        let is_type = line.starts_with("typedef") || line.starts_with([' ', '#', '/']);
        if line.contains('(') && name.starts_with("hstream_") && !is_type {
            found.insert(name.to_owned(), format!("{since}{feature}"));
        }
    }
    found
}

#[test]
fn the_header_declares_what_is_listed_with_the_version_it_came_in() {
    let declared = declared();
    assert_eq!(declared.len(), header().matches("\nHSTREAM_API").count(), "a declaration was not understood");
    List::read("hstreamdb.symbols").compare(&declared);
}

/// What the shared library exports. None without the tool that tells.
fn exported(library: &Path) -> Option<BTreeSet<String>> {
    let nm = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(library)
        .stderr(Stdio::inherit())
        .output()
        .ok()?;
    assert!(nm.status.success(), "nm: {}", nm.status);
    let text = String::from_utf8(nm.stdout).expect("names of symbols");
    Some(text.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect())
}

fn listed(with_dev_server: bool) -> BTreeSet<String> {
    let lines = List::read("hstreamdb.symbols").lines.into_iter();
    lines.filter(|(_, rest)| with_dev_server || !rest.ends_with("dev-server")).map(|(name, _)| name).collect()
}

/// Builds with other features write the same file: it has what the C ABI has, with the development server or
/// without.
fn has_a_set(library: &Path) -> bool {
    exported(library).is_some_and(|names| names == listed(true) || names == listed(false))
}

#[test]
fn the_library_exports_what_is_listed_and_nothing_else() {
    if exported(&library::path()).is_none() {
        println!("skipped: there is no nm");
        return;
    }
    // One that differs may be that of another set of features: it is made again before it is judged.
    let refreshed = library::refresh(has_a_set);
    let exported = exported(&library::path()).expect("nm is there");
    let listed = listed(exported.contains("hstream_dev_server_start"));
    let missing: Vec<_> = listed.difference(&exported).collect();
    let more: Vec<_> = exported.difference(&listed).collect();
    assert!(missing.is_empty(), "not exported: {missing:?}");
    assert!(more.is_empty(), "exported and not listed: {more:?}");
    refreshed.expect("the library is that of this build");
}

/// Constants as the header gives them, but for the version.
fn constants() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in header().lines() {
        let Some(define) = line.strip_prefix("#define HSTREAM_") else { continue };
        let Some((name, value)) = define.split_once(' ') else { continue };
        let is_version = name.starts_with("VERSION_") || name == "ABI_VERSION";
        let is_attribute = value.starts_with("__") || ["noexcept", "_Nullable"].contains(&value);
        if !is_version && !is_attribute {
            found.insert(format!("HSTREAM_{name}"), value.to_owned());
        }
    }
    found
}

/// Fields of the structs that are not opaque, as `type.field`.
fn fields() -> Vec<(String, String)> {
    let header = header();
    let mut found = Vec::new();
    for part in header.split("\ntypedef struct ").skip(1) {
        let Some((body, rest)) = part.split_once("\n}") else { continue };
        let Some((name, body)) = body.split_once(" {\n") else { continue };
        if !rest.starts_with(&format!(" {name};")) {
            continue;
        }
        for line in body.lines().filter(|line| line.trim_end().ends_with(';')) {
            let declared = line.trim().trim_end_matches(';');
            let field = declared.rsplit([' ', '*']).next().unwrap_or_default();
            let field = field.split('[').next().unwrap_or_default();
            found.push((name.to_owned(), field.to_owned()));
        }
    }
    found
}

/// Sizes and offsets, by a C program. None without a compiler.
fn layout() -> Option<BTreeMap<String, String>> {
    let mut body = String::new();
    for (name, field) in fields() {
        let size = format!("sizeof((({name} *)0)->{field})");
        writeln!(body, "printf(\"{name} size %zu\\n\", sizeof({name}));").expect("strings take all");
        writeln!(
            body,
            "printf(\"{name}.{field} offset %zu size %zu\\n\", offsetof({name}, {field}), {size});"
        )
        .expect("strings take all");
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (source, program) = (directory.path().join("layout.c"), directory.path().join("layout"));
    let text =
        format!("#include <hstreamdb.h>\n#include <stdio.h>\nint main(void) {{\n{body}return 0;\n}}\n");
    std::fs::write(&source, text).expect("a file can be written");
    let mut cc = Command::new("cc");
    let compiled =
        cc.arg("-I").arg(root().join("include")).arg(&source).arg("-o").arg(&program).status().ok()?;
    assert!(compiled.success(), "the program that tells the layout does not compile");
    let output = Command::new(&program).output().expect("the program runs");
    let text = String::from_utf8(output.stdout).expect("names and numbers");
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Some(lines.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect())
}

/// The header's statements, without comments, preprocessor lines and line ends.
fn statements() -> Vec<String> {
    let mut code = String::new();
    let header = header();
    let mut rest = header.as_str();
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("comments end").1;
    }
    code.push_str(rest);
    let lines = code.lines().filter(|line| !line.starts_with('#') && !line.starts_with("extern \"C\""));
    let code = lines.collect::<Vec<_>>().join(" ");
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, letter) in code.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' if depth == 0 => {
                found.push(code[start..at].split_whitespace().collect::<Vec<_>>().join(" "));
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// A parameter without its name, which callers don't see.
fn unnamed(parameter: &str) -> &str {
    let name = parameter.rsplit([' ', '*']).next().unwrap_or_default();
    if name == parameter { parameter } else { parameter[..parameter.len() - name.len()].trim_end() }
}

/// What functions and callbacks take and return, and what other types stand for.
fn types() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for statement in statements() {
        let plain =
            ["HSTREAM_API ", "HSTREAM_MUST_USE ", "HSTREAM_NULLABLE ", " HSTREAM_NOEXCEPT", "struct "]
                .into_iter()
                .fold(statement.clone(), |text, word| text.replace(word, ""));
        let is_typedef = plain.starts_with("typedef ");
        let plain = plain.trim_start_matches("typedef ");
        if let Some((before, parameters)) = plain.rsplit_once('(') {
            let is_callback = before.contains("(*");
            let before = before.trim_end_matches(')').replace("(*", "");
            let name = before.rsplit([' ', '*']).next().expect("a name");
            let result = before[..before.len() - name.len()].trim_end();
            let kind = if is_callback { "(*)" } else { "" };
            let parameters: Vec<&str> = parameters.trim_end_matches(')').split(", ").map(unnamed).collect();
            found.insert(name.to_owned(), format!("{result} {kind}({})", parameters.join(", ")));
        } else if is_typedef && !statement.contains("struct ") {
            let (meaning, name) = plain.rsplit_once(' ').expect("a type and its name");
            found.insert(name.to_owned(), meaning.to_owned());
        }
    }
    found
}

#[test]
fn constants_signatures_and_layouts_are_what_they_were() {
    if cfg!(not(target_pointer_width = "64")) {
        println!("skipped: the committed layout is that of 64 bits");
        return;
    }
    let Some(layout) = layout() else {
        println!("skipped: there is no C compiler");
        return;
    };
    assert!(layout.contains_key("hstream_record_id_t") && layout.contains_key("hstream_offset_t"));
    let mut now = constants();
    now.extend(types());
    now.extend(layout);
    List::read("hstreamdb.abi").compare(&now);
}
