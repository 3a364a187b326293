//! The table of rules names tests that exist.

use std::collections::HashSet;
use std::path::Path;

/// The names of functions in all files of these kinds below a folder.
fn functions(folder: &Path, names: &mut HashSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "py") {
            let text = std::fs::read_to_string(&path).unwrap();
            let defined = text.lines().filter_map(|line| {
                let line = line.trim_start();
                let rest = line.strip_prefix("fn ").or_else(|| line.strip_prefix("def "))?;
                Some(rest.split('(').next()?.to_owned())
            });
            names.extend(defined);
        }
    }
}

#[test]
fn every_test_named_in_the_table_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = HashSet::new();
    for folder in ["src/dev_server", "tests/dev_server", "tests/interop"] {
        functions(&root.join(folder), &mut names);
    }
    let table = include_str!("RULES.md").split("## Not tested").next().unwrap_or_default();
    let named =
        table.split('`').skip(1).step_by(2).filter(|name| name.contains('_') && !name.contains(['/', ':']));
    let mut count = 0;
    for name in named {
        assert!(names.contains(name), "there is no test {name}");
        count += 1;
    }
    assert!(count > 200, "{count}");
}
