//! The options of a subscription.

use std::time::Duration;

use super::{ConfigOption, get, meant, positive, set, word_for};
use crate::admin::SubscriptionOptions;
use crate::error::Result;
use crate::record_id::StartAt;

const START: &[(&str, StartAt)] = &[("earliest", StartAt::Earliest), ("latest", StartAt::Latest)];

/// All options of a subscription. The keys are the setters' names with dots.
pub(crate) const SUBSCRIPTION: &[ConfigOption<SubscriptionOptions>] = &[
    option!(
        "ack.timeout.seconds",
        Number,
        "1 to 2147483647",
        "How long a delivered record may stay unacked before it is delivered again.",
        |c, v| c.ack_timeout = Duration::from_secs(positive::<i32>(v)?.unsigned_abs().into()),
        c.ack_timeout.as_secs().to_string()
    ),
    option!(
        "max.unacked.records",
        Number,
        "1 to 2147483647",
        "How many delivered records may be unacked, of all consumers together.",
        |c, v| c.max_unacked_records = positive(v)?,
        c.max_unacked_records.to_string()
    ),
    option!(
        "start",
        Word,
        "earliest, latest",
        "Where it starts.",
        |c, v| c.start = meant(START, v)?,
        word_for(START, c.start)
    ),
];

impl SubscriptionOptions {
    /// Sets an option by text: the same keys in all languages, in files and in environments;
    /// [`options_schema_json`](crate::options_schema_json) lists them.
    ///
    /// # Errors
    ///
    /// There is no such option, and the error names the one that comes nearest; or the text is no value of it. The
    /// options stay as they were.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        set(SUBSCRIPTION, self, key, value)
    }

    /// An option as text.
    ///
    /// # Errors
    ///
    /// There is no such option.
    pub fn get(&self, key: &str) -> Result<String> {
        get(SUBSCRIPTION, self, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_mean_what_the_builders_say() {
        let mut options = SubscriptionOptions::new();
        for (key, value) in
            [("ack.timeout.seconds", "30"), ("max.unacked.records", "7"), ("start", "earliest")]
        {
            options.set(key, value).unwrap();
            assert_eq!(options.get(key).unwrap(), value);
        }
        let built = SubscriptionOptions::new()
            .ack_timeout(Duration::from_secs(30))
            .max_unacked_records(7)
            .start(StartAt::Earliest);
        assert_eq!(options, built);
        for (key, value) in [
            ("ack.timeout.seconds", "0"),
            ("ack.timeout.seconds", "2147483648"),
            ("max.unacked.records", "-1"),
            ("max.unacked.records", "2147483648"),
            ("start", "now"),
        ] {
            options.set(key, value).unwrap_err();
            assert_eq!(options, built);
        }
    }
}
