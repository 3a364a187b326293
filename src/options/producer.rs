//! The options of a producer.

use std::fmt;

use std::time::Duration;

use super::{
    ConfigOption, boolean, get, level, meant, ms, number, optional_ms, required_ms, set, shown_level,
    word_for,
};
use crate::error::Result;
use crate::producer::{FailurePolicy, Linger, ProducerConfig, RecreatedStream, Reports};

const FAILURE_POLICIES: &[(&str, FailurePolicy)] = &[
    ("abort_queued", FailurePolicy::AbortQueued),
    ("stop", FailurePolicy::Stop),
    ("continue", FailurePolicy::Continue),
];

const RECREATED_STREAM: &[(&str, RecreatedStream)] =
    &[("fail", RecreatedStream::Fail), ("reroute", RecreatedStream::Reroute)];

const REPORTS: &[(&str, Reports)] =
    &[("all", Reports::All), ("failures", Reports::Failures), ("none", Reports::None)];

/// All options of a producer. The keys are the setters' names with dots.
pub(crate) const PRODUCER: &[ConfigOption<ProducerConfig>] = &[
    option!(
        "batch.records",
        Number,
        "0 or more; 0 is no limit but that of the bytes",
        "The most records in a batch.",
        |c, v| c.batch_records = number(v)?,
        c.batch_records.to_string()
    ),
    option!(
        "batch.bytes",
        Number,
        "0 to 1044480; 0 is the most",
        "The most encoded bytes in a batch, before compression.",
        |c, v| c.batch_bytes = number(v)?,
        c.batch_bytes.to_string()
    ),
    option!(
        "linger.ms",
        Milliseconds,
        "0 or more, -1 by hand; 0 is when the shard is idle",
        "When a batch that is not full goes.",
        |c, v| c.linger = Linger::of(optional_ms(v)?),
        shown_linger(c.linger)
    ),
    option!(
        "buffer.bytes",
        Number,
        "1 or more",
        "The most bytes of records on the way.",
        |c, v| c.buffer_bytes = number(v)?,
        c.buffer_bytes.to_string()
    ),
    option!(
        "buffer.records",
        Number,
        "1 or more",
        "The most records on the way, with those not reported yet.",
        |c, v| c.buffer_records = number(v)?,
        c.buffer_records.to_string()
    ),
    option!(
        "compression.kind",
        Word,
        "none, gzip, zstd",
        "How batches are compressed.",
        |c, v| c.compression.kind = v.parse()?,
        c.compression.kind.to_string()
    ),
    option!(
        "compression.level",
        Text,
        "gzip 0 to 9, zstd 1 to 22, or default",
        "And how hard.",
        |c, v| c.compression.level = level(v)?,
        shown_level(c.compression.level)
    ),
    option!(
        "delivery.timeout.ms",
        Milliseconds,
        "1 or more, -1 never",
        "When a batch is given up, counted from its first record.",
        |c, v| c.delivery_timeout = optional_ms(v)?.unwrap_or(Duration::MAX),
        ms(Some(c.delivery_timeout).filter(|timeout| *timeout != Duration::MAX))
    ),
    option!(
        "retry.max.retries",
        Number,
        "0 or more, -1 until the delivery time-out",
        "How often a batch is tried again.",
        |c, v| c.max_retries = if v == "-1" { None } else { Some(number(v)?) },
        c.max_retries.map_or("-1".into(), |retries| retries.to_string())
    ),
    option!(
        "retry.first.backoff.ms",
        Milliseconds,
        "1 or more",
        "The pause before a batch is tried again.",
        |c, v| c.first_backoff = required_ms(v)?,
        ms(Some(c.first_backoff))
    ),
    option!(
        "retry.max.backoff.ms",
        Milliseconds,
        "retry.first.backoff.ms or more",
        "The longest pause.",
        |c, v| c.max_backoff = required_ms(v)?,
        ms(Some(c.max_backoff))
    ),
    option!(
        "retry.ambiguous",
        Bool,
        "true, false",
        "Batches are sent again when nobody knows whether they were written.",
        |c, v| c.retry_ambiguous = boolean(v)?,
        c.retry_ambiguous.to_string()
    ),
    option!(
        "workers",
        Number,
        "1 or more",
        "The most appends in flight over all shards.",
        |c, v| c.workers = number(v)?,
        c.workers.to_string()
    ),
    option!(
        "in.flight.per.shard",
        Number,
        "1 or more; 1 keeps the order",
        "The most appends in flight on one shard.",
        |c, v| c.in_flight_per_shard = number(v)?,
        c.in_flight_per_shard.to_string()
    ),
    option!(
        "failure.policy",
        Word,
        "abort_queued, stop, continue",
        "What happens on a shard after a failure.",
        |c, v| c.failure_policy = meant(FAILURE_POLICIES, v)?,
        word_for(FAILURE_POLICIES, c.failure_policy)
    ),
    option!(
        "recreated.stream",
        Word,
        "fail, reroute",
        "What happens to records for a stream that was deleted and created anew.",
        |c, v| c.recreated_stream = meant(RECREATED_STREAM, v)?,
        word_for(RECREATED_STREAM, c.recreated_stream)
    ),
    option!(
        "spread.keyless",
        Bool,
        "true, false",
        "Records without a key go to all shards in turn.",
        |c, v| c.spread_keyless = boolean(v)?,
        c.spread_keyless.to_string()
    ),
    option!(
        "reports",
        Word,
        "all, failures, none",
        "Which outcomes are reported.",
        |c, v| c.reports = meant(REPORTS, v)?,
        word_for(REPORTS, c.reports)
    ),
    option!(
        "report.records",
        Word,
        "all, failures, none",
        "Which reports lend their records back.",
        |c, v| c.lent_records = meant(REPORTS, v)?,
        word_for(REPORTS, c.lent_records)
    ),
    option!(
        "report.polling",
        Bool,
        "true, false",
        "Reports are kept until they are polled.",
        |c, v| c.polling = boolean(v)?,
        c.polling.to_string()
    ),
];

impl ProducerConfig {
    /// Sets an option by text: the same keys in all languages, in files and in environments;
    /// [`options_schema_json`](crate::options_schema_json) lists them.
    ///
    /// # Errors
    ///
    /// There is no such option, and the error names the one that comes nearest; or the text is no value of it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        set(PRODUCER, self, key, value)
    }

    /// An option as text.
    ///
    /// # Errors
    ///
    /// There is no such option.
    pub fn get(&self, key: &str) -> Result<String> {
        get(PRODUCER, self, key)
    }
}

fn shown_linger(linger: Linger) -> String {
    match linger {
        Linger::WhenIdle => "0".into(),
        Linger::For(age) => ms(Some(age)),
        Linger::ByHand => ms(None),
    }
}

impl fmt::Debug for ProducerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ProducerConfig");
        for option in PRODUCER {
            debug.field(option.key, &option.shown(self));
        }
        debug.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_mean_what_the_builders_say() {
        let mut config = ProducerConfig::new();
        for (key, value) in [
            ("linger.ms", "-1"),
            ("delivery.timeout.ms", "-1"),
            ("retry.max.retries", "0"),
            ("compression.kind", "gzip"),
            ("compression.level", "9"),
            ("failure.policy", "continue"),
        ] {
            config.set(key, value).unwrap();
            assert_eq!(config.get(key).unwrap(), value, "{key}");
        }
        assert_eq!((config.linger, config.delivery_timeout), (Linger::ByHand, Duration::MAX));
        assert_eq!((config.max_retries, config.failure_policy), (Some(0), FailurePolicy::Continue));
        assert_eq!(config.compression, crate::Compression::gzip().with_level(9));
        config.set("linger.ms", "5").unwrap();
        assert_eq!(config.linger, Linger::For(Duration::from_millis(5)));
        for (key, value) in [("retry.max.retries", "-2"), ("linger.ms", "-2"), ("workers", "many")] {
            let error = config.set(key, value).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("it takes"), "{error}");
        }
        let error = config.set("linger", "0").unwrap_err();
        assert!(error.to_string().contains("`linger.ms`"), "{error}");
    }
}
