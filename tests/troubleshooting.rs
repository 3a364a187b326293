//! Every text in docs/guide/troubleshooting.md is what the library says: each section has a case that provokes it.
//!
//! A section begins with its title and a block of quoted messages, one a line, where `…` stands for what differs.
//! Its case returns as many messages, in the same order.

#![allow(missing_docs)]

#[path = "authority/mod.rs"]
mod authority;
#[path = "troubleshooting/calls.rs"]
mod calls;
#[path = "troubleshooting/connecting.rs"]
mod connecting;
#[path = "troubleshooting/consuming.rs"]
mod consuming;
#[path = "troubleshooting/producing.rs"]
mod producing;
#[path = "troubleshooting/secure.rs"]
mod secure;
#[path = "troubleshooting/streams.rs"]
mod streams;
#[path = "it/support.rs"]
#[allow(dead_code)]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use hstreamdb::ClientConfig;
use libtest_mimic::{Arguments, Failed, Trial};

/// Provokes what a section is about; returns the messages.
type Provoke = fn() -> Vec<String>;

/// By the titles of the sections.
const CASES: &[(&str, Provoke)] = &[
    ("Connection refused", connecting::refused),
    ("Unknown host", connecting::unknown_host),
    ("No answer", connecting::no_answer),
    ("An address of the cluster can't be reached", connecting::advertised),
    ("Too old server", connecting::too_old),
    ("Bad URL", connecting::bad_url),
    ("Unknown certificate authority", secure::unknown_authority),
    ("Expired certificate", secure::expired),
    ("Certificate for another name", secure::another_name),
    ("TLS on one side only", secure::one_side),
    ("Client certificate wanted", secure::client_certificate),
    ("Certificate files", secure::files),
    ("Wrong or missing token", secure::token),
    ("Credentials without TLS", secure::without_tls),
    ("Stream not found", streams::not_found),
    ("Stream exists", streams::exists),
    ("Stream has subscriptions", streams::has_subscriptions),
    ("Stream created anew", streams::created_anew),
    ("Bad name", streams::bad_name),
    ("Subscription not found", streams::subscription_not_found),
    ("Subscription in use", streams::subscription_in_use),
    ("Record too large", producing::too_large),
    ("Not a JSON object", producing::json),
    ("Buffer full", producing::buffer_full),
    ("Not sent after a failure", producing::aborted),
    ("Written or not, nobody knows", producing::unknown),
    ("Shard stopped", producing::stopped),
    ("Consumer name taken", consuming::name_taken),
    ("Acks overdue", consuming::acks_overdue),
    ("Bad batch", consuming::bad_batch),
    ("Ack of a foreign record", consuming::foreign_ack),
    ("Polled with a callback", consuming::polled_with_callback),
    ("Would deadlock", calls::would_deadlock),
    ("Time was up", calls::time_was_up),
    ("Interrupted", calls::interrupted),
    ("Closed", calls::closed),
    ("Unknown option", calls::unknown_option),
    ("Forked", calls::forked),
];

/// Pauses so long that a call fails before the first of them, and not with what its last moment brings.
fn unhurried(url: String) -> ClientConfig {
    const HOUR: Duration = Duration::from_secs(3600);
    ClientConfig::new(url).retry(6, HOUR, HOUR)
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/troubleshooting.md");
    let guide = std::fs::read_to_string(&guide).expect("the guide is there");
    let sections = sections(&guide);
    let titles: Vec<String> = sections.iter().map(|(title, _)| title.clone()).collect();
    let mut trials =
        vec![Trial::test("the guide has the sections that have cases", move || match_titles(&titles))];
    for (title, texts) in sections {
        let Some((_, provoke)) = CASES.iter().find(|(name, _)| *name == title) else { continue };
        trials.push(Trial::test(title, move || compare(&texts, &provoke())));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn match_titles(titles: &[String]) -> Result<(), Failed> {
    let cases: Vec<&str> = CASES.iter().map(|(title, _)| *title).collect();
    if titles == cases { Ok(()) } else { Err(format!("sections: {titles:#?}\ncases: {cases:#?}").into()) }
}

/// Titles and quoted messages. A section without messages is about something else.
fn sections(guide: &str) -> Vec<(String, Vec<String>)> {
    let mut sections = Vec::new();
    for section in guide.split("\n### ").skip(1) {
        let (title, rest) = section.split_once('\n').unwrap_or((section, ""));
        let quoted = rest.split("```text\n").nth(1).and_then(|block| block.split("```").next());
        let texts = quoted.unwrap_or_default().lines().map(str::to_owned).collect();
        sections.push((title.trim().to_owned(), texts));
    }
    sections
}

fn compare(texts: &[String], messages: &[String]) -> Result<(), Failed> {
    let fits = texts.len() == messages.len()
        && texts.iter().zip(messages).all(|(text, message)| has_parts(message, text));
    if fits { Ok(()) } else { Err(format!("quoted: {texts:#?}\nsaid: {messages:#?}").into()) }
}

/// Whether the parts of a text are in a message, in their order.
fn has_parts(message: &str, text: &str) -> bool {
    let mut rest = message;
    let mut parts = text.split('…').map(str::trim).filter(|part| !part.is_empty());
    !text.is_empty() && parts.all(|part| rest.find(part).map(|at| rest = &rest[at + part.len()..]).is_some())
}
