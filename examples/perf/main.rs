//! How fast the library is, and what it costs, against a raw loop over the generated gRPC client and against other
//! people's software.
//!
//! ```text
//! cargo run --release --all-features --example perf -- [OPTIONS]
//!   --rounds N       how often all rows are measured, one after the other (5; one more warms up)
//!   --only FAMILY    producer, consumer, compression, latency, caller, allocations or memory; may be repeated
//!   --python PATH    a Python with the published client, to be measured too (tests/interop/setup.sh makes one)
//!   --markdown FILE  writes the tables there; --readme FILE puts them between the marks of a README
//!   --svg FILE       draws the producer's figures
//!   --quick          a thousandth of everything: only to see that it works
//!   --serve          nothing but the null server: prints its URL, for other programs
//! ```
//!
//! All rows run in turn, over a server that stores nothing (this program again, as another process), so that what
//! disturbs the machine disturbs all alike. The figures are medians of the rounds, the ratios medians of each round's
//! ratios; compare within one run only. "raw" sends or receives batches encoded beforehand, one at a time, and does
//! nothing else. "same path" does so by the library's own way of sending. C programs use the shared library that was
//! built with this example; librdkafka has its own broker, in its own process.

use std::path::PathBuf;
use std::time::Duration;

mod measure;
mod table;
#[path = "../../benches/null_server/mod.rs"]
mod null_server;
mod raw;
mod peers;
mod setup;
mod producer;
mod consumer;
mod compression;
mod latency;
mod caller;
mod allocations;
mod memory;
mod markdown;
mod plot;

use null_server::process::ServerProcess;
use peers::Peers;
use setup::Setup;
use table::{Figures, Group};

fn main() -> Result<(), lexopt::Error> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        // This program again, as a process of its own.
        ["--null-server"] => null_server::serve(0),
        ["--fill", url, size, limit] => {
            let (size, limit) = (size.parse().expect("a size"), limit.parse().expect("milliseconds"));
            memory::fill(url, size, Duration::from_millis(limit));
        }
        ["--serve"] => {
            let _runtime = null_server::start_serving(0);
            loop {
                std::thread::park();
            }
        }
        _ => compare(&Options::parse(lexopt::Parser::from_env())?, &arguments)?,
    }
    Ok(())
}

struct Options {
    rounds: usize,
    only: Vec<String>,
    python: Option<PathBuf>,
    markdown: Option<PathBuf>,
    readme: Option<PathBuf>,
    svg: Option<PathBuf>,
    quick: bool,
}

impl Options {
    fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;
        let (mut rounds, mut only, mut quick) = (5, Vec::new(), false);
        let (mut python, mut markdown, mut readme, mut svg) = (None, None, None, None);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("rounds") => rounds = parser.value()?.parse::<usize>()?.max(1),
                Long("only") => only.push(parser.value()?.string()?),
                Long("python") => python = Some(parser.value()?.into()),
                Long("markdown") => markdown = Some(parser.value()?.into()),
                Long("readme") => readme = Some(parser.value()?.into()),
                Long("svg") => svg = Some(parser.value()?.into()),
                Long("quick") => quick = true,
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Options { rounds, only, python, markdown, readme, svg, quick })
    }
}

fn compare(options: &Options, arguments: &[String]) -> Result<(), String> {
    let wanted = |family: &str| options.only.is_empty() || options.only.iter().any(|only| only == family);
    let peers = if wanted("producer") || wanted("consumer") {
        Peers::find(options.python.clone())
    } else {
        Peers::default()
    };
    let server = ServerProcess::start("--null-server");
    let setup = Setup { url: server.url.clone(), quick: options.quick, peers };
    let mut groups: Vec<_> = all(&setup).into_iter().filter(|group| wanted(group.family.name)).collect();
    if groups.is_empty() {
        return Err(format!("there is no {}", options.only.join(", ")));
    }
    table::run(&mut groups, options.rounds);
    let figures: Vec<_> = groups.iter().map(Group::figures).collect();
    figures.iter().for_each(Figures::print);
    write(options, arguments, &figures)
}

fn all(setup: &Setup) -> Vec<Group<'_>> {
    let mut groups = producer::groups(setup);
    groups.extend(consumer::groups(setup));
    groups.extend(compression::groups(setup));
    groups.push(latency::group(setup));
    groups.extend(caller::groups(setup));
    groups.extend(allocations::groups(setup));
    groups.push(memory::group(setup));
    groups
}

fn write(options: &Options, arguments: &[String], figures: &[Figures]) -> Result<(), String> {
    let command = format!("cargo run --release --all-features --example perf -- {}", arguments.join(" "));
    let text = markdown::document(figures, options.rounds, command.trim_end_matches([' ', '-']));
    let told = |error: std::io::Error| error.to_string();
    if let Some(file) = &options.markdown {
        std::fs::write(file, &text).map_err(told)?;
    }
    if let Some(file) = &options.readme {
        let picture = options.svg.as_ref().map_or_else(String::new, |svg| {
            format!("![Producers: records a second, and processor time a record]({})\n\n", svg.display())
        });
        markdown::put_between_marks(file, &(picture + &text))?;
    }
    if let Some(file) = &options.svg {
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory).map_err(told)?;
        }
        std::fs::write(file, plot::svg(figures)).map_err(told)?;
    }
    Ok(())
}
