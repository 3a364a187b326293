//! Under which licences the dependencies are, and their texts.
//!
//! `docs/THIRD-PARTY-LICENSES` has the texts of all that ends up in the libraries and programs on Linux, and is
//! installed with them. `HSTREAM_UPDATE_LICENCES=1 cargo test --test licences` writes it anew.

#![allow(missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What may be in a library that others link. All are satisfied by passing on the texts.
const SHIPPED: [&str; 7] =
    ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unicode-3.0"];
/// And what builds or tests it without being in it.
const TOOLS: [&str; 1] = ["MPL-2.0"];
/// Packages without a text of their own, and those of the same authors that have it.
const SAME_AUTHORS: [(&str, &str); 1] = [("tonic-prost", "tonic")];

/// Part of the C library and of its programs.
const FEATURES: &str = "ffi dev-server";
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

struct Package {
    name: String,
    version: String,
    licence: String,
    directory: PathBuf,
    /// It runs in the compiler, and so do its dependencies.
    is_macro: bool,
    /// What its code is linked with.
    links: Vec<String>,
}

/// What cargo says of a build with these features, by the packages' ids, and the id of this one. None if it can't:
/// it needs the sources of all packages, and what was downloaded for one set of features may not be all.
fn packages(features: &[&str]) -> Option<(BTreeMap<String, Package>, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", PLATFORM])
        .args(features)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    if !output.status.success() {
        println!("skipped: cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let mut links: BTreeMap<String, Vec<String>> =
        nodes.iter().map(|node| (text(&node["id"]), linked(node))).collect();
    let used = metadata["packages"].as_array().expect("packages").iter();
    let packages = used.filter_map(|package| {
        let id = text(&package["id"]);
        let links = links.remove(&id)?;
        Some((id, read(package, links)))
    });
    Some((packages.collect(), text(&metadata["resolve"]["root"])))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Ids of normal dependencies, not of those for building or testing.
fn linked(node: &Value) -> Vec<String> {
    let dependencies = node["deps"].as_array().expect("dependencies").iter();
    let is_normal = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array().expect("kinds");
        kinds.iter().any(|kind| kind["kind"].is_null())
    };
    dependencies.filter(is_normal).map(|dependency| text(&dependency["pkg"])).collect()
}

fn read(package: &Value, links: Vec<String>) -> Package {
    let targets = package["targets"].as_array().expect("targets");
    let is_macro = targets.iter().any(|target| target["kind"].to_string().contains("proc-macro"));
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    Package {
        name: text(&package["name"]),
        version: text(&package["version"]),
        licence: text(&package["license"]),
        directory: manifest.parent().expect("a directory").to_owned(),
        is_macro,
        links,
    }
}

/// The ids of what is in the libraries and programs, this package not included.
fn shipped(packages: &BTreeMap<String, Package>, this: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![this.to_owned()];
    while let Some(id) = left.pop() {
        let package = &packages[&id];
        if !package.is_macro && found.insert(id) {
            left.extend(package.links.iter().cloned());
        }
    }
    found.remove(this);
    found
}

/// Whether a licence expression can be met with these licences.
fn is_met(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (met, rest) = any_of(&words, allowed);
    met && rest.is_empty()
}

fn any_of<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = all_of(words, allowed);
    while let ["OR", right @ ..] = rest {
        let (also, after) = all_of(right, allowed);
        (met, rest) = (met || also, after);
    }
    (met, rest)
}

fn all_of<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = one(words, allowed);
    while let ["AND", right @ ..] = rest {
        let (also, after) = one(right, allowed);
        (met, rest) = (met && also, after);
    }
    (met, rest)
}

/// An exception only allows more.
fn one<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inner @ ..] => match any_of(inner, allowed) {
            (met, [")", rest @ ..]) => (met, rest),
            (_, rest) => (false, rest),
        },
        [name, "WITH", _, rest @ ..] | [name, rest @ ..] => (allowed.contains(name), rest),
        [] => (false, words),
    }
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT", "ISC"];
    for met in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT AND ISC",
        "(MIT OR X) AND ISC",
        "X/MIT",
        "MIT WITH Y",
        "X AND Y OR ISC",
    ] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for not in ["", "X", "MIT AND X", "(MIT OR X) AND X", "(MIT", "MIT)", "MIT ISC", "X WITH MIT"] {
        assert!(!is_met(not, &allowed), "{not}");
    }
}

#[test]
fn all_dependencies_are_under_licences_that_are_allowed() {
    let Some((packages, this)) = packages(&["--all-features"]) else { return };
    let shipped = shipped(&packages, &this);
    let tools = [&SHIPPED[..], &TOOLS].concat();
    for (id, package) in &packages {
        let allowed = if shipped.contains(id) { &SHIPPED[..] } else { &tools };
        assert!(is_met(&package.licence, allowed), "{} is under {}", package.name, package.licence);
    }
}

/// Files with licences, in the package's directory and below.
fn licence_files(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries =
        std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let (directories, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    let starts = |path: &Path| {
        ["LICEN", "COPYING", "NOTICE", "UNLICENSE"].iter().any(|start| name(path).starts_with(start))
    };
    let mut files: Vec<PathBuf> = files.into_iter().filter(|path| starts(path)).collect();
    // Of several to choose from, this one is chosen.
    if files.iter().any(|path| name(path).contains("-MIT")) {
        files.retain(|path| name(path).contains("-MIT") || name(path).contains("THIRD-PARTY"));
    }
    found.extend(files);
    for directory in directories {
        licence_files(&directory, found);
    }
}

/// The texts in a package's sources. One that is the GPL is an alternative to another, which is chosen.
fn texts(package: &Package) -> Vec<String> {
    let mut files = Vec::new();
    licence_files(&package.directory, &mut files);
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).expect("a text of a licence"));
    let texts = texts.filter(|text| !text.contains("GNU GENERAL PUBLIC LICENSE"));
    texts.map(|text| text.replace('\r', "").trim().to_owned()).collect()
}

/// Each text once, with the packages that are under it.
fn third_party(packages: &BTreeMap<String, Package>, this: &str) -> String {
    let shipped: Vec<&Package> = shipped(packages, this).iter().map(|id| &packages[id]).collect();
    // Texts that differ in their line ends are the same.
    let mut by_text: BTreeMap<Vec<String>, (String, Vec<&Package>)> = BTreeMap::new();
    for package in &shipped {
        let source =
            SAME_AUTHORS.iter().find(|(name, _)| *name == package.name).map_or(*package, |(_, other)| {
                shipped.iter().find(|package| package.name == *other).expect("a package of the same authors")
            });
        let texts = texts(source);
        assert!(!texts.is_empty(), "{} has no text of its licence: see SAME_AUTHORS", package.name);
        for text in texts {
            let words = text.split_whitespace().map(str::to_owned).collect();
            let under = &mut by_text.entry(words).or_insert_with(|| (text, Vec::new())).1;
            if !under.iter().any(|known| std::ptr::eq(*known, *package)) {
                under.push(package);
            }
        }
    }
    let mut sections: Vec<(String, String)> =
        by_text.into_values().map(|(text, under)| (names(&under), text)).collect();
    sections.sort();
    let mut file = String::from(
        "The libraries and programs of hstreamdb-blocking contain the packages named below, and Rust's standard\n\
         library, which is under the MIT licence or the Apache licence 2.0, at your choice. Where packages give a\n\
         choice with the MIT licence in it, this is the one that is used.\n",
    );
    for (names, text) in sections {
        write!(file, "\n{}\n{names}\n\n{text}\n", "-".repeat(78)).expect("strings take all");
    }
    file
}

fn names(packages: &[&Package]) -> String {
    let mut names: Vec<String> = packages
        .iter()
        .map(|package| format!("{} {} ({})", package.name, package.version, package.licence))
        .collect();
    names.sort();
    names.join("\n")
}

#[test]
fn the_texts_of_all_that_is_shipped_are_committed() {
    let Some((packages, this)) = packages(&["--features", FEATURES]) else { return };
    let now = third_party(&packages, &this);
    let path = root().join("docs/THIRD-PARTY-LICENSES");
    if std::env::var_os("HSTREAM_UPDATE_LICENCES").is_some() {
        std::fs::write(&path, now).expect("the file can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(now.lines()).find(|(old, new)| old != new);
    assert!(
        committed == now,
        "{} is not what the packages have ({differs:?}); write it anew with \
         HSTREAM_UPDATE_LICENCES=1 cargo test --test licences",
        path.display()
    );
}
