//! What the environment variable HSTREAM_LOG says: which lines are told.

/// Levels by the names that the variable may use, from none to all.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Levels by target, as `target=level,target=level,level`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The longest targets first; the one without a target, which fits all, is last.
    directives: Vec<(String, i32)>,
}

impl Filter {
    /// The filter that a text asks for, and its parts that mean nothing, which count as not there. Of parts for
    /// the same target, the last counts.
    pub(crate) fn parse(text: &str) -> (Filter, Vec<&str>) {
        let mut directives: Vec<(String, i32)> = Vec::new();
        let mut malformed = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match directive(part) {
                Some((target, level)) => {
                    directives.retain(|(other, _)| other != target);
                    directives.push((target.to_owned(), level));
                }
                None => malformed.push(part),
            }
        }
        directives.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        (Filter { directives }, malformed)
    }

    /// Up to which level a target is told of: the longest target of the filter that it begins with decides.
    pub(crate) fn level_of(&self, target: &str) -> i32 {
        let decides = self.directives.iter().find(|(prefix, _)| target.starts_with(prefix.as_str()));
        decides.map_or(0, |(_, level)| *level)
    }

    /// The highest level of any target.
    pub(crate) fn highest(&self) -> i32 {
        self.directives.iter().map(|(_, level)| *level).max().unwrap_or(0)
    }
}

/// `level`, `target=level`, or `target`, which is all of it.
fn directive(part: &str) -> Option<(&str, i32)> {
    match part.split_once('=') {
        Some((target, name)) => {
            let target = target.trim();
            (is_target(target)).then_some(())?;
            Some((target, level(name.trim())?))
        }
        None => match level(part) {
            Some(level) => Some(("", level)),
            None => is_ours(part).then_some((part, level("trace")?)),
        },
    }
}

fn level(name: &str) -> Option<i32> {
    let index = LEVELS.iter().position(|level| level.eq_ignore_ascii_case(name))?;
    i32::try_from(index).ok()
}

fn is_target(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}

/// A word alone is a target only if it can be one of ours; else it is a level with a mistake in it.
fn is_ours(text: &str) -> bool {
    is_target(text) && text.starts_with("hstreamdb")
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "hstreamdb::cluster::pool";

    #[test]
    fn the_longest_target_decides_and_a_level_alone_is_for_the_rest() {
        for (text, levels) in [
            ("", [0, 0, 0]),
            ("warn", [2, 2, 2]),
            ("WARN", [2, 2, 2]),
            ("hstreamdb=debug", [4, 4, 4]),
            ("hstreamdb::cluster=debug", [4, 4, 0]),
            ("hstreamdb::cluster=debug,error", [4, 4, 1]),
            ("error, hstreamdb::cluster = trace , hstreamdb::cluster::pool=off", [0, 5, 1]),
            ("hstreamdb::cluster", [5, 5, 0]),
            ("hstreamdb::prod=info", [0, 0, 3]),
            ("info,warn", [2, 2, 2]),
            ("other=trace", [0, 0, 0]),
        ] {
            let (filter, malformed) = Filter::parse(text);
            let found = [POOL, "hstreamdb::cluster::call", "hstreamdb::producer::lane"]
                .map(|target| filter.level_of(target));
            assert_eq!((found, malformed), (levels, Vec::<&str>::new()), "{text}");
        }
    }

    #[test]
    fn parts_that_mean_nothing_are_told_and_change_nothing() {
        for (text, wrong) in [
            ("warn,nonsense", vec!["nonsense"]),
            ("warn,hstreamdb=loud", vec!["hstreamdb=loud"]),
            ("=debug,warn,a=b=c", vec!["=debug", "a=b=c"]),
            ("warn,a b=debug", vec!["a b=debug"]),
            ("warn/text", vec!["warn/text"]),
        ] {
            let (filter, malformed) = Filter::parse(text);
            assert_eq!(malformed, wrong, "{text}");
            assert_eq!(
                filter.level_of(POOL),
                if text.contains("warn,") || text.contains(",warn") { 2 } else { 0 }
            );
        }
    }

    #[test]
    fn the_highest_level_is_that_of_any_target() {
        assert_eq!(Filter::parse("warn,hstreamdb::cluster=debug").0.highest(), 4);
        assert_eq!(Filter::default().highest(), 0);
    }
}
