//! Names of streams and the like: what can be said about them without asking a server.

use crate::error::{Error, Result};

/// The longest name, in characters.
const LONGEST: usize = 255;

/// Checks length and first character, and leaves the rest to the server. It matters here because some calls
/// check nothing on the server, and hang there with names that its store can't hold.
pub(crate) fn check(what: &str, name: &str) -> Result<()> {
    let bad = |why: &str| {
        let shown: String = name.chars().take(40).collect();
        Err(Error::invalid_argument(format!("the {what} name `{shown}` {why}")))
    };
    let length = name.chars().count();
    if length == 0 {
        bad("is empty")
    } else if length > LONGEST {
        bad(&format!("has {length} characters, {LONGEST} are the most"))
    } else if !name.starts_with(char::is_alphabetic) {
        bad("does not begin with a letter")
    } else if name.contains('/') {
        bad("has a `/` in it")
    } else {
        Ok(())
    }
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
    }
}
