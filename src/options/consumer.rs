//! The options of a consumer.

use std::time::Duration;

use super::{ConfigOption, boolean, get, meant, ms, optional_ms, positive, positive_ms, set, text, word_for};
use crate::consumer::{BadBatch, ConsumerConfig};
use crate::error::Result;

const BAD_BATCH: &[(&str, BadBatch)] =
    &[("report", BadBatch::Report), ("fail", BadBatch::Fail), ("raw", BadBatch::Raw)];

/// All options of a consumer. The keys are the setters' names with dots.
pub(crate) const CONSUMER: &[ConfigOption<ConsumerConfig>] = &[
    option!(
        "name",
        Text,
        "a name as those of streams; empty is a generated one",
        "Its name, unique among the subscription's consumers.",
        |c, v| c.name = text(v),
        c.name.clone().unwrap_or_default()
    ),
    option!(
        "callback.records",
        Number,
        "1 or more",
        "The most records that a callback gets at once.",
        |c, v| c.callback_records = positive(v)?,
        c.callback_records.to_string()
    ),
    option!(
        "auto.ack",
        Bool,
        "true, false",
        "A batch is acked when its callback returns, or at the next poll.",
        |c, v| c.auto_ack = boolean(v)?,
        c.auto_ack.to_string()
    ),
    option!(
        "ack.batch.count",
        Number,
        "1 or more",
        "Acks are sent when there are so many.",
        |c, v| c.ack_records = positive(v)?,
        c.ack_records.to_string()
    ),
    option!(
        "ack.batch.age.ms",
        Milliseconds,
        "0 or more, -1 never",
        "Acks are sent when the oldest is so old.",
        |c, v| c.ack_age = optional_ms(v)?.unwrap_or(Duration::MAX),
        ms(Some(c.ack_age).filter(|age| *age != Duration::MAX))
    ),
    option!(
        "prefetch.records",
        Number,
        "1 or more",
        "The most records received before they are polled.",
        |c, v| c.prefetch_records = positive(v)?,
        c.prefetch_records.to_string()
    ),
    option!(
        "prefetch.bytes",
        Number,
        "1 or more",
        "The most bytes received before they are polled.",
        |c, v| c.prefetch_bytes = positive(v)?,
        c.prefetch_bytes.to_string()
    ),
    option!(
        "max.batch.bytes",
        Number,
        "1 or more",
        "The largest batch that is decompressed.",
        |c, v| c.max_batch_bytes = positive(v)?,
        c.max_batch_bytes.to_string()
    ),
    option!(
        "bad.batch",
        Word,
        "report, fail, raw",
        "What becomes of a batch that can't be read.",
        |c, v| c.bad_batch = meant(BAD_BATCH, v)?,
        word_for(BAD_BATCH, c.bad_batch)
    ),
    option!(
        "reconnect.first.backoff.ms",
        Milliseconds,
        "1 or more",
        "The pause before it connects again.",
        |c, v| c.first_backoff = positive_ms(v)?,
        ms(Some(c.first_backoff))
    ),
    option!(
        "reconnect.max.backoff.ms",
        Milliseconds,
        "reconnect.first.backoff.ms or more",
        "The longest pause.",
        |c, v| c.max_backoff = positive_ms(v)?,
        ms(Some(c.max_backoff))
    ),
];

impl ConsumerConfig {
    /// Sets an option by text: the same keys in all languages, in files and in environments;
    /// [`options_schema_json`](crate::options_schema_json) lists them.
    ///
    /// # Errors
    ///
    /// There is no such option, and the error names the one that comes nearest; or the text is no value of it. The
    /// options stay as they were.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let mut changed = self.clone();
        set(CONSUMER, &mut changed, key, value)?;
        changed.check_each()?;
        *self = changed;
        Ok(())
    }

    /// An option as text.
    ///
    /// # Errors
    ///
    /// There is no such option.
    pub fn get(&self, key: &str) -> Result<String> {
        get(CONSUMER, self, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_mean_what_the_builders_say() {
        let mut config = ConsumerConfig::new();
        for (key, value) in [
            ("name", "mine"),
            ("callback.records", "7"),
            ("auto.ack", "on"),
            ("ack.batch.count", "3"),
            ("ack.batch.age.ms", "-1"),
            ("prefetch.records", "4"),
            ("prefetch.bytes", "5"),
            ("max.batch.bytes", "6"),
            ("bad.batch", "raw"),
            ("reconnect.first.backoff.ms", "20000"),
            ("reconnect.max.backoff.ms", "30000"),
        ] {
            config.set(key, value).unwrap();
        }
        let built = ConsumerConfig::new()
            .name("mine")
            .callback_records(7)
            .auto_ack(true)
            .ack_batch(3, Duration::MAX)
            .prefetch(4, 5)
            .max_batch_bytes(6)
            .bad_batch(BadBatch::Raw)
            .reconnect(Duration::from_secs(20), Duration::from_secs(30));
        assert_eq!(format!("{config:?}"), format!("{built:?}"));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut config = ConsumerConfig::new();
        for (key, value) in [
            ("name", "1st"),
            ("prefetch.records", "0"),
            ("ack.batch.age.ms", "-2"),
            ("reconnect.first.backoff.ms", "0"),
            ("bad.batch", "skip"),
        ] {
            config.set(key, value).unwrap_err();
        }
        assert_eq!(format!("{config:?}"), format!("{:?}", ConsumerConfig::new()));
        let error = config.set("prefetch", "1").unwrap_err();
        assert!(error.to_string().contains("`prefetch."), "{error}");
    }
}
