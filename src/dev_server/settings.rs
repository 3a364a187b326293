//! Commands and questions by name and text, for callers that have no Rust: faults, speeds, nodes.
//!
//! What they are is told in the docs of the module above.

use std::str::FromStr;
use std::time::Duration;

use tonic::Code;

use super::faults::Faults;
use super::options::at_least_a_millisecond;
use super::orders::NextCalls;
use super::server::known_release;
use super::steering::Steering;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::ResourceType;

/// A command, what it takes, and what it does. The answer is for those who can see one.
type Command = (&'static str, &'static str, fn(&Context<'_>, &mut Words<'_>) -> Result<String>);

struct Context<'a> {
    faults: &'a Faults,
    steering: &'a Steering,
}

const COMMANDS: &[Command] = &[
    ("refuse", "RPC STATUS [CHOICE]... [TEXT]", |it, words| {
        let (calls, status, text) = refusal(it, words)?;
        calls.refuse(status, &text);
        done()
    }),
    ("refuse_after", "RPC STATUS [CHOICE]... [TEXT]", |it, words| {
        let (calls, status, text) = refusal(it, words)?;
        calls.refuse_after_applying(status, &text);
        done()
    }),
    ("not_owner", "RPC [CHOICE]...", |it, words| {
        let rpc = words.next()?;
        chosen(it, rpc, words)?.not_owner();
        done()
    }),
    ("delay", "RPC MS [CHOICE]...", |it, words| {
        let (rpc, time) = (words.next()?, words.ms()?);
        chosen(it, rpc, words)?.delay(time);
        done()
    }),
    ("delay_answer", "RPC MS [CHOICE]...", |it, words| {
        let (rpc, time) = (words.next()?, words.ms()?);
        chosen(it, rpc, words)?.delay_answer(time);
        done()
    }),
    ("ignore", "RPC [CHOICE]...", |it, words| {
        let rpc = words.next()?;
        chosen(it, rpc, words)?.ignore();
        done()
    }),
    ("never_answer", "RPC [CHOICE]...", |it, words| {
        let rpc = words.next()?;
        chosen(it, rpc, words)?.never_answer();
        done()
    }),
    ("clear", "", |it, _| {
        it.faults.clear();
        done()
    }),
    ("cut_consumers", "SUBSCRIPTION STATUS [TEXT]", |it, words| {
        let (subscription, status) = (words.next()?, words.status()?);
        count(it.faults.cut_consumers(subscription, status, words.rest()))
    }),
    ("cut_calls", "RPC SUBJECT|* STATUS [TEXT]", |it, words| {
        let (rpc, subject, status) = (words.next()?, words.next()?, words.status()?);
        let subject = Some(subject).filter(|subject| *subject != "*");
        count(it.faults.cut_calls(rpc, subject, status, words.rest()))
    }),
    ("break_connections", "SUBSCRIPTION", |it, words| count(it.faults.break_connections(words.next()?))),
    ("fail_subscription", "SUBSCRIPTION STATUS [TEXT]", |it, words| {
        let (subscription, status) = (words.next()?, words.status()?);
        count(it.faults.fail_subscription(subscription, status, words.rest()))
    }),
    ("zombies", "SUBSCRIPTION CONSUMER|* STATUS [TEXT]", |it, words| {
        let (subscription, consumer, status) = (words.next()?, words.next()?, words.status()?);
        let consumer = Some(consumer).filter(|consumer| *consumer != "*");
        count(it.faults.make_zombies(subscription, consumer, status, words.rest()))
    }),
    ("half_closed", "STATUS [TEXT]", |it, words| {
        let status = words.status()?;
        it.faults.half_closed(status, words.rest());
        done()
    }),
    ("early_headers", "on|off", |it, words| {
        it.faults.early_headers(words.on()?);
        done()
    }),
    ("empty_messages", "on|off", |it, words| {
        it.faults.empty_messages(words.on()?);
        done()
    }),
    ("plain_errors", "on|off", |it, words| {
        it.faults.plain_errors(words.on()?);
        done()
    }),
    ("version", "X.Y.Z", |it, words| {
        it.steering.cluster.set_release(known_release(words.next()?)?);
        done()
    }),
    ("assignment_tick", "MS", |it, words| {
        let tick = at_least_a_millisecond(words.ms()?);
        it.steering.cluster.set_ticks(|ticks| ticks.assignment = tick);
        done()
    }),
    ("resend_tick", "MS", |it, words| {
        let tick = at_least_a_millisecond(words.ms()?);
        it.steering.cluster.set_ticks(|ticks| ticks.resend = tick);
        done()
    }),
    ("failure_detection", "MS", |it, words| {
        it.steering.cluster.failure_detection.set(words.ms()?);
        done()
    }),
    ("startup_delay", "MS", |it, words| {
        it.steering.cluster.startup_delay.set(words.ms()?);
        done()
    }),
    ("slow_node", "NODE MS", |it, words| {
        let (node, time) = (words.number()?, words.ms()?);
        it.steering.slow_down(node, time)?;
        done()
    }),
    ("stop_node", "NODE", |it, words| {
        it.steering.stop_node(words.number()?)?;
        done()
    }),
    ("kill_node", "NODE", |it, words| {
        it.steering.kill_node(words.number()?)?;
        done()
    }),
    ("restart_node", "NODE", |it, words| {
        it.steering.restart_node(words.number()?)?;
        done()
    }),
    ("add_node", "", |it, _| Ok(it.steering.add_node()?.to_string())),
    ("move", "stream|subscription|shard|shard-reader|connector|query ID NODE", |it, words| {
        let (resource, id) = (words.resource()?, words.next()?);
        let owner = it.steering.id(words.number()?)?;
        it.steering.cluster.state().nodes.give(resource, id, owner);
        done()
    }),
];

fn done() -> Result<String> {
    Ok(String::new())
}

fn count(count: usize) -> Result<String> {
    Ok(count.to_string())
}

/// All commands and what they take.
pub(super) fn help() -> String {
    let form = |(name, takes, _): &Command| format!("{name} {takes}").trim_end().to_owned();
    COMMANDS.iter().map(form).collect::<Vec<_>>().join("; ")
}

/// Carries out a command.
pub(super) fn set(faults: &Faults, steering: &Steering, key: &str, value: &str) -> Result<String> {
    let Some((_, takes, command)) = COMMANDS.iter().find(|(name, ..)| *name == key) else {
        let known: Vec<&str> = COMMANDS.iter().map(|(name, ..)| *name).collect();
        let message = format!("there is no command {key:?}: {}", known.join(", "));
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    };
    let mut words = Words { left: value.trim(), usage: format!("{key} {takes}") };
    let answer = command(&Context { faults, steering }, &mut words)?;
    Ok(answer)
}

/// Answers a question.
pub(super) fn get(faults: &Faults, steering: &Steering, question: &str) -> Result<String> {
    let mut words = Words { left: question.trim(), usage: "a question".to_owned() };
    match words.next()? {
        "url" => Ok(steering.url()),
        "node_urls" => Ok(steering.node_urls().join(" ")),
        "listener_urls" => Ok(steering.listener_urls(words.next()?).join(" ")),
        "running" => {
            let states = steering.running().into_iter().map(|runs| if runs { "yes" } else { "no" });
            Ok(states.collect::<Vec<_>>().join(" "))
        }
        "pending" => Ok(faults.pending().to_string()),
        "calls" => Ok(faults.calls(words.next()?).to_string()),
        "version" => Ok(steering.cluster.release().to_string()),
        "owner" => {
            let (resource, id) = (words.resource()?, words.next()?);
            let owner = steering.cluster.state().nodes.owner(resource, id);
            Ok(owner.map_or_else(String::new, |owner| (owner - 1).to_string()))
        }
        other => {
            let message = format!(
                "there is no question {other:?}: url, node_urls, listener_urls, running, pending, calls, \
                 version, owner"
            );
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}

/// `RPC STATUS [CHOICE]... [TEXT]`
fn refusal<'a>(it: &'a Context<'_>, words: &mut Words<'_>) -> Result<(NextCalls<'a>, i32, String)> {
    let (rpc, status) = (words.next()?, words.status()?);
    let calls = chosen(it, rpc, words)?;
    Ok((calls, status, words.rest().to_owned()))
}

/// Which calls are meant: `on=SUBJECT`, `node=N`, `with=NAME=VALUE`, `times=N`, `times=always`, `percent=P`.
fn chosen<'a>(it: &'a Context<'_>, rpc: &str, words: &mut Words<'_>) -> Result<NextCalls<'a>> {
    let mut calls = it.faults.next(rpc);
    while let Some((name, value)) = words.choice() {
        calls = match name {
            "on" => calls.on(value),
            "node" => calls.at_node(words.read(value)?),
            "with" => {
                let pair = value.split_once('=');
                let (name, value) = pair.ok_or_else(|| words.wrong("metadata is NAME=VALUE"))?;
                calls.carrying(name, value)
            }
            "times" if value == "always" => calls.always(),
            "times" => calls.times(words.read(value)?),
            _ => calls.percent(words.read(value)?),
        };
    }
    Ok(calls)
}

/// What is left of a command.
struct Words<'a> {
    left: &'a str,
    usage: String,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<&'a str> {
        let (word, left) = self.left.split_once(char::is_whitespace).unwrap_or((self.left, ""));
        if word.is_empty() {
            return Err(self.wrong("something is missing"));
        }
        self.left = left.trim_start();
        Ok(word)
    }

    /// The next word, if it is a choice.
    fn choice(&mut self) -> Option<(&'a str, &'a str)> {
        let word = self.left.split_whitespace().next()?;
        let choice = word
            .split_once('=')
            .filter(|(name, _)| ["on", "node", "with", "times", "percent"].contains(name))?;
        self.left = self.left[word.len()..].trim_start();
        Some(choice)
    }

    fn rest(&mut self) -> &'a str {
        std::mem::take(&mut self.left)
    }

    fn number<T: FromStr>(&mut self) -> Result<T> {
        let word = self.next()?;
        self.read(word)
    }

    fn read<T: FromStr>(&self, word: &str) -> Result<T> {
        word.parse().map_err(|_| self.wrong(&format!("{word:?} is no such number")))
    }

    fn ms(&mut self) -> Result<Duration> {
        self.number::<u32>().map(|ms| Duration::from_millis(ms.into()))
    }

    fn on(&mut self) -> Result<bool> {
        match self.next()? {
            "on" => Ok(true),
            "off" => Ok(false),
            other => Err(self.wrong(&format!("{other:?} is neither on nor off"))),
        }
    }

    /// A number or a name: `14`, `UNAVAILABLE`.
    fn status(&mut self) -> Result<i32> {
        let word = self.next()?;
        if let Ok(number) = word.parse() {
            return Ok(number);
        }
        let name = |number: &i32| format!("{:?}", Code::from_i32(*number)).to_ascii_uppercase();
        let found = (0..=16).find(|number| name(number) == word.replace('_', ""));
        found.ok_or_else(|| self.wrong(&format!("{word:?} is no status")))
    }

    fn resource(&mut self) -> Result<ResourceType> {
        match self.next()? {
            "stream" => Ok(ResourceType::ResStream),
            "subscription" => Ok(ResourceType::ResSubscription),
            "shard" => Ok(ResourceType::ResShard),
            "shard-reader" => Ok(ResourceType::ResShardReader),
            "connector" => Ok(ResourceType::ResConnector),
            "query" => Ok(ResourceType::ResQuery),
            other => Err(self.wrong(&format!("{other:?} is no kind of thing that nodes own"))),
        }
    }

    fn wrong(&self, why: &str) -> Error {
        Error::new(ErrorKind::InvalidArgument, format!("{why}; the form is: {}", self.usage.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words<'_> {
        Words { left: text, usage: "x".to_owned() }
    }

    #[test]
    fn statuses_are_numbers_or_names() {
        for (text, number) in [("14", 14), ("UNAVAILABLE", 14), ("FAILED_PRECONDITION", 9), ("OK", 0)] {
            assert_eq!(words(text).status().unwrap(), number, "{text}");
        }
        for bad in ["", "unavailable", "NO", "1.5"] {
            assert!(words(bad).status().is_err(), "{bad}");
        }
    }

    #[test]
    fn choices_come_before_the_text_which_is_kept_as_it_is() {
        let mut words = words("Append on=a=b times=2  two  words on=x");
        assert_eq!(words.next().unwrap(), "Append");
        assert_eq!(words.choice(), Some(("on", "a=b")));
        assert_eq!(words.choice(), Some(("times", "2")));
        assert_eq!(words.choice(), None);
        assert_eq!(words.rest(), "two  words on=x");
        assert!(words.next().unwrap_err().to_string().contains("the form is: x"));
    }
}
