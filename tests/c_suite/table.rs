//! The table of rules names tests that exist.

use std::path::Path;

use crate::Failed;
use crate::tools::root;

/// Each name in the table, as `file` or as `file: test`, is that of a file and of something in it.
pub(crate) fn every_test_named_exists(_: &Path) -> Result<(), Failed> {
    let table = std::fs::read_to_string(root().join("tests/c/SUITE.md"))?;
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let named = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).filter(|name| name.contains('/'));
    let mut count = 0;
    for name in named {
        let (file, test) = name.split_once(": ").unwrap_or((name, ""));
        let text = std::fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
        if !text.contains(test) {
            return Err(format!("there is no {test} in {file}").into());
        }
        count += 1;
    }
    if count > 40 { Ok(()) } else { Err(format!("the table names {count} tests").into()) }
}
