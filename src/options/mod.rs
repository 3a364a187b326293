//! Options as text: the tables that setters by text, files of options and the docs are made of.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// One option of a kind of configuration.
pub(crate) struct ConfigOption<C> {
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    /// In words; values out of it are refused when they are used, if not by the setter.
    pub(crate) range: &'static str,
    pub(crate) text: &'static str,
    set: fn(&mut C, &str) -> Result<()>,
    get: fn(&C) -> String,
}

/// What the text of an option looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Shown as `***`.
    Secret,
    /// One of those in the range.
    Word,
    Number,
    /// Whole milliseconds; `-1` is none, where the range says so.
    Milliseconds,
    /// `true` or `false`.
    Bool,
}

impl<C> ConfigOption<C> {
    /// The value as text, unless it is a secret.
    pub(crate) fn shown(&self, config: &C) -> String {
        let value = (self.get)(config);
        if self.kind == Kind::Secret && !value.is_empty() { "***".into() } else { value }
    }
}

macro_rules! option {
    ($key:literal, $kind:ident, $range:literal, $text:literal, |$config:ident, $value:ident| $set:expr, $get:expr) => {
        crate::options::ConfigOption {
            key: $key,
            kind: crate::options::Kind::$kind,
            range: $range,
            text: $text,
            set: |$config, $value| {
                $set;
                Ok(())
            },
            get: |$config| $get,
        }
    };
}

// Behind the macro, which they use.
mod append;
mod client;
mod consumer;
mod producer;
mod reader;
mod runtime;
mod stream;
mod subscription;

pub(crate) use append::APPEND;
pub(crate) use client::CLIENT;
pub(crate) use consumer::CONSUMER;
pub(crate) use producer::PRODUCER;
pub(crate) use reader::READER;
pub(crate) use runtime::RUNTIME;
pub(crate) use stream::STREAM;
pub(crate) use subscription::SUBSCRIPTION;

/// Sets an option of a table.
fn set<C>(table: &[ConfigOption<C>], config: &mut C, key: &str, value: &str) -> Result<()> {
    let option = find(table, key)?;
    (option.set)(config, value).map_err(|error| {
        let message = format!("the option {key}: {}; it takes {}", error.message(), option.range);
        Error::new(error.kind(), message)
    })
}

/// An option of a table as text.
fn get<C>(table: &[ConfigOption<C>], config: &C, key: &str) -> Result<String> {
    Ok(find(table, key)?.shown(config))
}

fn find<'a, C>(table: &'a [ConfigOption<C>], key: &str) -> Result<&'a ConfigOption<C>> {
    table.iter().find(|option| option.key == key).ok_or_else(|| {
        let nearest = table.iter().min_by_key(|option| strsim::damerau_levenshtein(option.key, key));
        let nearest =
            nearest.map_or(String::new(), |option| format!("; is it `{}` that you mean?", option.key));
        let shown: String = key.chars().take(60).collect();
        Error::new(ErrorKind::UnknownOption, format!("there is no option `{shown}`{nearest}"))
    })
}

/// All options that can be set by text, as JSON, by what they are options of:
/// `{"client": [{"key", "type", "range", "default", "text"}, ...], "producer": [...], "append": [...],
/// "stream": [...], "subscription": [...], "consumer": [...], "reader": [...], "runtime": [...]}`.
/// For documentation, and for bindings of other languages.
pub fn options_schema_json() -> String {
    let schema = serde_json::json!({
        "client": described(CLIENT),
        "producer": described(PRODUCER),
        "append": described(APPEND),
        "stream": described(STREAM),
        "subscription": described(SUBSCRIPTION),
        "consumer": described(CONSUMER),
        "reader": described(READER),
        "runtime": described(RUNTIME),
    });
    schema.to_string()
}

fn described<C: Default>(table: &[ConfigOption<C>]) -> Vec<serde_json::Value> {
    let default = C::default();
    let describe = |option: &ConfigOption<C>| {
        serde_json::json!({
            "key": option.key,
            "type": format!("{:?}", option.kind).to_lowercase(),
            "range": option.range,
            "default": option.shown(&default),
            "text": option.text,
        })
    };
    table.iter().map(describe).collect()
}

fn bad(value: &str, what: &str) -> Error {
    let shown: String = value.chars().take(40).collect();
    Error::invalid_argument(format!("`{shown}` is not {what}"))
}

fn boolean(value: &str) -> Result<bool> {
    match value {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err(bad(value, "true or false")),
    }
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T> {
    value.parse().map_err(|_| bad(value, "a number in range"))
}

/// A number of more than 0.
fn positive<T: std::str::FromStr + Default + PartialOrd>(value: &str) -> Result<T> {
    let number = number(value)?;
    if number > T::default() { Ok(number) } else { Err(bad(value, "more than 0")) }
}

fn positive_ms(value: &str) -> Result<Duration> {
    positive(value).map(Duration::from_millis)
}

fn required_ms(value: &str) -> Result<Duration> {
    number(value).map(Duration::from_millis)
}

fn optional_ms(value: &str) -> Result<Option<Duration>> {
    if value == "-1" { Ok(None) } else { required_ms(value).map(Some) }
}

fn ms(time: Option<Duration>) -> String {
    time.map_or("-1".into(), |time| time.as_millis().to_string())
}

fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// A level of compression.
fn level(value: &str) -> Result<Option<i32>> {
    if value == "default" { Ok(None) } else { number(value).map(Some) }
}

fn shown_level(level: Option<i32>) -> String {
    level.map_or("default".into(), |level| level.to_string())
}

/// The value that a word stands for.
fn meant<T: Copy>(words: &[(&str, T)], value: &str) -> Result<T> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|(_, meant)| *meant).ok_or_else(|| bad(value, "one of them"))
}

/// The word that stands for a value.
fn word_for<T: PartialEq>(words: &[(&str, T)], value: T) -> String {
    let found = words.iter().find(|(_, meant)| *meant == value);
    found.map_or(String::new(), |(word, _)| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the rule says of each table, which differ in their type.
    fn all(check: impl Check) {
        check.table(CLIENT);
        check.table(PRODUCER);
        check.table(APPEND);
        check.table(STREAM);
        check.table(SUBSCRIPTION);
        check.table(CONSUMER);
        check.table(READER);
    }

    trait Check {
        fn table<C: Default>(&self, table: &[ConfigOption<C>]);
    }

    fn values<C>(table: &[ConfigOption<C>], config: &C) -> Vec<String> {
        table.iter().map(|option| (option.get)(config)).collect()
    }

    #[test]
    fn what_is_shown_can_be_set_again_and_changes_nothing() {
        struct Same;
        impl Check for Same {
            fn table<C: Default>(&self, table: &[ConfigOption<C>]) {
                let default = values(table, &C::default());
                for option in table.iter().filter(|option| !option.key.starts_with("tls.")) {
                    let mut config = C::default();
                    set(table, &mut config, option.key, &(option.get)(&C::default())).unwrap();
                    assert_eq!(values(table, &config), default, "{}", option.key);
                }
            }
        }
        all(Same);
    }

    #[test]
    fn each_option_reaches_its_own_setting_and_no_other() {
        struct Own;
        impl Own {
            /// A value that is not the default.
            fn value<C: Default>(option: &ConfigOption<C>) -> &'static str {
                match option.kind {
                    Kind::Bool if (option.get)(&C::default()) == "true" => "false",
                    Kind::Bool => "true",
                    Kind::Number | Kind::Milliseconds => "77",
                    Kind::Word => {
                        let default = (option.get)(&C::default());
                        option.range.split(", ").find(|word| *word != default).unwrap()
                    }
                    _ if option.key == "position" => "1-2-3",
                    _ if matches!(option.key, "from" | "until") => "latest",
                    _ if option.key == "map.address" => "a:1=b:2",
                    _ if option.key == "tls.identity.files" => "a,b",
                    _ if option.key.ends_with("level") => "7",
                    _ => "x",
                }
            }
        }
        impl Check for Own {
            fn table<C: Default>(&self, table: &[ConfigOption<C>]) {
                let default = values(table, &C::default());
                for option in table {
                    let mut config = C::default();
                    set(table, &mut config, option.key, Own::value(option)).unwrap();
                    for ((other, value), default) in table.iter().zip(values(table, &config)).zip(&default) {
                        // Two ways to give one thing.
                        if option.key.starts_with("tls.ca.") && other.key.starts_with("tls.ca.") {
                            continue;
                        }
                        assert_eq!(
                            value != *default,
                            option.key == other.key,
                            "{} and {}",
                            option.key,
                            other.key
                        );
                    }
                }
            }
        }
        all(Own);
    }

    #[test]
    fn words_are_all_understood_and_shown_as_they_are_given() {
        struct Words;
        impl Check for Words {
            fn table<C: Default>(&self, table: &[ConfigOption<C>]) {
                for option in table.iter().filter(|option| matches!(option.kind, Kind::Word | Kind::Bool)) {
                    for word in option.range.split(", ") {
                        let mut config = C::default();
                        set(table, &mut config, option.key, word).unwrap();
                        assert_eq!(get(table, &config, option.key).unwrap(), word, "{}", option.key);
                    }
                    assert!(set(table, &mut C::default(), option.key, "nonsense").is_err(), "{}", option.key);
                }
            }
        }
        all(Words);
    }
}
