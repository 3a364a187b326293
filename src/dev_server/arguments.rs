//! Arguments of commands: flags with a value and flags without.

/// What was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Arguments<'a> {
    /// None if there is a word that is no flag, or a flag lacks its value.
    pub(super) fn parse(words: &[&'a str], valued: &[&str], bare: &[&str]) -> Option<Self> {
        let mut given = Vec::new();
        let mut words = words.iter();
        while let Some(&flag) = words.next() {
            if bare.contains(&flag) {
                given.push((flag, ""));
            } else if valued.contains(&flag) {
                given.push((flag, words.next()?));
            } else {
                return None;
            }
        }
        Some(Arguments(given))
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|(given, _)| *given == flag)
    }

    /// All values of a flag that may come again.
    pub(super) fn all(&self, flag: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| *given == flag).map(|(_, value)| *value)
    }

    /// The last value counts.
    pub(super) fn text(&self, flag: &str) -> Option<&'a str> {
        self.all(flag).last()
    }

    /// None if it is there and no such number.
    pub(super) fn number<T: std::str::FromStr>(&self, flag: &str, default: T) -> Option<T> {
        self.text(flag).map_or(Some(default), |text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_their_values_or_none() {
        let parse = |words: &[&'static str]| Arguments::parse(words, &["-r", "-i"], &["-f"]);
        let given = parse(&["-r", "3", "-f", "-i", "a", "-i", "b"]).unwrap();
        assert_eq!(given.number("-r", 1), Some(3));
        assert_eq!(given.number("-s", 1), Some(1));
        assert_eq!(given.number::<u32>("-i", 1), None);
        assert!(given.has("-f") && !given.has("-x"));
        assert_eq!(given.all("-i").collect::<Vec<_>>(), ["a", "b"]);
        for bad in [&["-r"][..], &["x"], &["-q", "1"]] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
