//! The options of a reader.

use std::time::{Duration, SystemTime};

use super::{ConfigOption, bad, get, ms, number, positive, positive_ms, set};
use crate::error::Result;
use crate::reader::{Position, ReaderConfig};
use crate::record_id::Offset;

/// All options of a reader. The keys are the setters' names with dots.
pub(crate) const READER: &[ConfigOption<ReaderConfig>] = &[
    option!(
        "from",
        Text,
        "earliest, latest, a record id, or milliseconds since 1970, with ~ before them for about then",
        "The first record.",
        |c, v| c.from = offset(v)?,
        shown_offset(c.from)
    ),
    option!(
        "position",
        Text,
        "what an earlier reader of the stream told; empty is none",
        "Goes on behind what that reader has handed out.",
        |c, v| c.position = position(v)?,
        c.position.as_ref().map_or(String::new(), Position::to_string)
    ),
    option!(
        "until",
        Text,
        "as from; empty goes on as records come, or to the latest by key",
        "The last record, inclusive.",
        |c, v| c.until = if v.is_empty() { None } else { Some(offset(v)?) },
        c.until.map_or(String::new(), shown_offset)
    ),
    option!(
        "max.batches",
        Number,
        "0 or more, 0 no limit",
        "The most batches of the store to read.",
        |c, v| c.max_batches = number(v)?,
        c.max_batches.to_string()
    ),
    option!(
        "buffer.records",
        Number,
        "1 or more",
        "The most records received before they are read.",
        |c, v| c.prefetch_records = positive(v)?,
        c.prefetch_records.to_string()
    ),
    option!(
        "buffer.bytes",
        Number,
        "1 or more",
        "The most bytes received before they are read.",
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
        "callback.records",
        Number,
        "1 or more",
        "The most records that a callback gets at once.",
        |c, v| c.callback_records = positive(v)?,
        c.callback_records.to_string()
    ),
    option!(
        "label",
        Text,
        "any",
        "What the server calls the reader in its log.",
        |c, v| c.label = v.to_owned(),
        c.label.clone()
    ),
    option!(
        "reopen.first.backoff.ms",
        Milliseconds,
        "1 or more",
        "The pause before a read that was lost is opened again.",
        |c, v| c.backoff.first = positive_ms(v)?,
        ms(Some(c.backoff.first))
    ),
    option!(
        "reopen.max.backoff.ms",
        Milliseconds,
        "reopen.first.backoff.ms or more",
        "The longest pause.",
        |c, v| c.backoff.cap = positive_ms(v)?,
        ms(Some(c.backoff.cap))
    ),
];

impl ReaderConfig {
    /// Sets an option by text: the same keys in all languages, in files and in environments;
    /// [`options_schema_json`](crate::options_schema_json) lists them.
    ///
    /// # Errors
    ///
    /// There is no such option, and the error names the one that comes nearest; or the text is no value of it. The
    /// options stay as they were.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        set(READER, self, key, value)
    }

    /// An option as text.
    ///
    /// # Errors
    ///
    /// There is no such option.
    pub fn get(&self, key: &str) -> Result<String> {
        get(READER, self, key)
    }
}

fn position(value: &str) -> Result<Option<Position>> {
    if value.is_empty() { Ok(None) } else { value.parse().map(Some) }
}

fn offset(value: &str) -> Result<Offset> {
    match (value, value.strip_prefix('~')) {
        ("earliest", _) => Ok(Offset::Earliest),
        ("latest", _) => Ok(Offset::Latest),
        (_, Some(about)) => time(about).map(Offset::NearTime),
        _ if value.contains('-') => value.parse().map(Offset::Record),
        _ => time(value).map(Offset::Time),
    }
}

fn time(millis: &str) -> Result<SystemTime> {
    let since = Duration::from_millis(number(millis)?);
    SystemTime::UNIX_EPOCH.checked_add(since).ok_or_else(|| bad(millis, "a time that there is"))
}

fn shown_offset(offset: Offset) -> String {
    match offset {
        Offset::Earliest => "earliest".into(),
        Offset::Latest => "latest".into(),
        Offset::Record(id) => id.to_string(),
        Offset::Time(time) => millis(time).to_string(),
        Offset::NearTime(time) => format!("~{}", millis(time)),
    }
}

/// Since 1970: nothing was stored before, so what is earlier means the same.
fn millis(time: SystemTime) -> u128 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record_id::RecordId;

    #[test]
    fn texts_mean_what_the_builders_say() {
        let mut config = ReaderConfig::new();
        for (key, value) in [
            ("from", "latest"),
            ("position", "1-2-3,4-5-6"),
            ("until", "7-8-9"),
            ("max.batches", "1"),
            ("buffer.records", "2"),
            ("buffer.bytes", "3"),
            ("max.batch.bytes", "4"),
            ("callback.records", "5"),
            ("label", "me"),
            ("reopen.first.backoff.ms", "6"),
            ("reopen.max.backoff.ms", "7"),
        ] {
            config.set(key, value).unwrap();
            assert_eq!(config.get(key).unwrap(), value);
        }
        let built = ReaderConfig::new()
            .from(Offset::Latest)
            .position("1-2-3,4-5-6".parse().unwrap())
            .until(Offset::Record(RecordId::new(7, 8, 9)))
            .max_batches(1)
            .prefetch(2, 3)
            .max_batch_bytes(4)
            .callback_records(5)
            .label("me")
            .reopen(Duration::from_millis(6), Duration::from_millis(7));
        assert_eq!(format!("{config:?}"), format!("{built:?}"));
    }

    #[test]
    fn offsets_are_words_records_or_times() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1500);
        for (text, expected) in [
            ("earliest", Offset::Earliest),
            ("1-2-3", Offset::Record(RecordId::new(1, 2, 3))),
            ("1500", Offset::Time(at)),
            ("~1500", Offset::NearTime(at)),
        ] {
            assert_eq!(offset(text).unwrap(), expected);
            assert_eq!(shown_offset(expected), text);
        }
        for text in ["", "~", "-5", "soon", "1-2", "~latest", "99999999999999999999"] {
            offset(text).unwrap_err();
        }
        assert_eq!(shown_offset(Offset::Time(SystemTime::UNIX_EPOCH - Duration::from_secs(1))), "0");
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut config = ReaderConfig::new();
        for (key, value) in [("from", ""), ("position", "1-2"), ("buffer.bytes", "0"), ("max.batches", "-1")]
        {
            config.set(key, value).unwrap_err();
        }
        assert_eq!(format!("{config:?}"), format!("{:?}", ReaderConfig::new()));
        let error = config.set("buffer.byte", "1").unwrap_err();
        assert!(error.to_string().contains("`buffer.bytes`"), "{error}");
    }
}
