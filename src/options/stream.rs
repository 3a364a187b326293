//! The options of a stream that is created.

use std::time::Duration;

use super::{ConfigOption, get, number, positive, set};
use crate::admin::StreamOptions;
use crate::error::Result;

/// All options of a stream. The keys are the setters' names with dots.
pub(crate) const STREAM: &[ConfigOption<StreamOptions>] = &[
    option!(
        "replication.factor",
        Number,
        "1 to 4294967295",
        "How many copies of each record the store keeps.",
        |c, v| c.replication_factor = positive(v)?,
        c.replication_factor.to_string()
    ),
    option!(
        "shard.count",
        Number,
        "1 to 4294967295",
        "How many shards it has, for good.",
        |c, v| c.shard_count = positive(v)?,
        c.shard_count.to_string()
    ),
    option!(
        "backlog.seconds",
        Number,
        "0 to 4294967295; 0 is for ever",
        "How long records are kept.",
        |c, v| c.backlog = Duration::from_secs(number::<u32>(v)?.into()),
        c.backlog.as_secs().to_string()
    ),
];

impl StreamOptions {
    /// Sets an option by text: the same keys in all languages, in files and in environments;
    /// [`options_schema_json`](crate::options_schema_json) lists them.
    ///
    /// # Errors
    ///
    /// There is no such option, and the error names the one that comes nearest; or the text is no value of it. The
    /// options stay as they were.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        set(STREAM, self, key, value)
    }

    /// An option as text.
    ///
    /// # Errors
    ///
    /// There is no such option.
    pub fn get(&self, key: &str) -> Result<String> {
        get(STREAM, self, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_mean_what_the_builders_say() {
        let mut options = StreamOptions::new();
        for (key, value) in [("replication.factor", "3"), ("shard.count", "7"), ("backlog.seconds", "60")] {
            options.set(key, value).unwrap();
            assert_eq!(options.get(key).unwrap(), value);
        }
        let built =
            StreamOptions::new().replication_factor(3).shard_count(7).backlog(Duration::from_secs(60));
        assert_eq!(options, built);
        for (key, value) in [
            ("replication.factor", "0"),
            ("replication.factor", "4294967296"),
            ("shard.count", "0"),
            ("shard.count", "-1"),
            ("backlog.seconds", "1h"),
            ("backlog.seconds", "4294967296"),
        ] {
            options.set(key, value).unwrap_err();
            assert_eq!(options, built);
        }
    }
}
