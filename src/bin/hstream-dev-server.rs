//! The development server as a program.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use hstreamdb::dev_server::DevServerOptions;
use lexopt::prelude::*;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

const HELP: &str = "\
An HStreamDB server for development: one node, in memory, on the loopback interface.

Usage: hstream-dev-server [OPTIONS]

Options:
  -p, --port PORT      port to listen on, 0 for any free one [default: 6570]
      --max-bytes N    keep the newest records only, at most N bytes of them
      --seed N         make the random part of shard ids the same in each run
      --early-headers  send the response headers of streaming calls at once, which a
                       real server does not
  -h, --help           print this
  -V, --version        print the version

When it is ready it prints one line, `listening on hstream://127.0.0.1:6570`. It stops
on SIGINT and SIGTERM.
";

const DEFAULT_PORT: u16 = 6570;

/// What the command line asks for.
enum Command {
    Serve(DevServerOptions),
    Print(String),
}

fn main() -> ExitCode {
    let options = match parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve(options)) => options,
        Ok(Command::Print(text)) => return finish(say(&text)),
        Err(error) => {
            eprintln!("hstream-dev-server: {error}; try --help");
            return ExitCode::from(2);
        }
    };
    finish(serve(options))
}

fn finish(result: Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hstream-dev-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut options = DevServerOptions::new().port(DEFAULT_PORT);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('p') | Long("port") => options = options.port(parser.value()?.parse()?),
            Long("max-bytes") => options = options.max_bytes(parser.value()?.parse()?),
            Long("seed") => options = options.seed(parser.value()?.parse()?),
            Long("early-headers") => options = options.early_headers(true),
            Short('h') | Long("help") => return Ok(Command::Print(HELP.to_owned())),
            Short('V') | Long("version") => {
                return Ok(Command::Print(format!("hstream-dev-server {}\n", env!("CARGO_PKG_VERSION"))));
            }
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Serve(options))
}

fn serve(options: DevServerOptions) -> Result<(), Box<dyn std::error::Error>> {
    // Before the server starts, so that a signal right after the line is not missed.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let server = options.start()?;
    say(&format!("listening on {}\n", server.url()))?;
    signals.forever().next();
    server.stop();
    Ok(())
}

fn say(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
