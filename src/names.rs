//! Names of streams and the like: what can be said about them without asking a server.

use crate::error::{Error, Result};

/// The longest name, in characters.
const LONGEST: usize = 255;

/// Checks length and first character, and leaves the rest to the server. It matters here because some calls
/// check nothing on the server, and hang there with names that its store can't hold.
pub(crate) fn check(what: &str, name: &str) -> Result<()> {
    let begins_well = name.starts_with(char::is_alphabetic);
    let flaw = flaw(name).or_else(|| (!begins_well).then(|| "does not begin with a letter".to_owned()));
    refuse(what, name, flaw)
}

/// The same for the id of anything: that of a shard begins with a digit.
pub(crate) fn check_id(what: &str, id: &str) -> Result<()> {
    refuse(what, id, flaw(id))
}

fn flaw(name: &str) -> Option<String> {
    match name.chars().count() {
        0 => Some("is empty".to_owned()),
        length if length > LONGEST => Some(format!("has {length} characters, {LONGEST} are the most")),
        _ => name.contains('/').then(|| "has a `/` in it".to_owned()),
    }
}

fn refuse(what: &str, name: &str, flaw: Option<String>) -> Result<()> {
    let Some(flaw) = flaw else { return Ok(()) };
    let shown: String = name.chars().take(40).collect();
    Err(Error::invalid_argument(format!("the {what} name `{shown}` {flaw}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_names_are_named() {
        for name in ["a", "quakes-2018_x", "ö", &"a".repeat(255)] {
            assert!(check("stream", name).is_ok(), "{name}");
        }
        for (name, why) in
            [("", "empty"), ("1a", "letter"), ("_a", "letter"), ("a/b", "/"), (&"a".repeat(256), "256")]
        {
            let error = check("stream", name).unwrap_err().to_string();
            assert!(error.contains("stream") && error.contains(why), "{error}");
        }
        assert!(check_id("resource", "17").is_ok());
        for id in ["", "a/b", &"a".repeat(256)] {
            assert!(check_id("resource", id).is_err(), "{id}");
        }
    }
}
