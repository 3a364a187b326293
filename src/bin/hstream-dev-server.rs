//! The development server as a program.

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use hstreamdb::dev_server::{DevServer, DevServerOptions};
use lexopt::prelude::*;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const HELP: &str = "\
An HStreamDB cluster for development: in memory, on the loopback interface.

Usage: hstream-dev-server [OPTIONS]

The cluster:
      --nodes N                nodes to start with [default: 1]
  -p, --port PORT              port of the first node, the others have those after it;
                               0 for any free ones [default: 6570]
      --advertise HOST:PORT    where clients are told that a node is; once for each node,
                               in their order [default: where they listen]
      --listener KEY           one more port of each node, any free one, whose answers
                               name the ports of the same KEY; may be given again
      --max-bytes N            keep the newest records only, at most N bytes of them
      --seed N                 make what is left to chance the same in each run
      --emulate VERSION        behave like that release, 0.14.0 to 0.20.3

Who may come in:
      --tls-cert FILE          speak TLS: certificate chain, PEM
      --tls-key FILE           its private key, PEM
      --tls-ca FILE            ask clients for a certificate signed by this CA, PEM
      --token BASE64           ask calls for `Basic BASE64`; may be given again

Timing, in milliseconds:
      --assignment-tick MS     how often shards are handed out [default: 1000]
      --resend-tick MS         how often unacked records are looked for [default: 100]
      --failure-detection MS   how long a killed node is taken for alive [default: 2500]
      --startup-delay MS       how long a new node keeps look-ups waiting [default: 0,
                               real ones about 5000]
      --early-headers          send the response headers of streaming calls at once,
                               which a real server does not

The program:
      --control-port PORT      take commands on this port, 0 for any free one: a line is
                               a command, as `kill_node 1` or `refuse Append 14 times=2`,
                               and the answer is `ok`, `ok ANSWER` or `error WHY`; what
                               commands there are is told in the docs of the library's
                               module dev_server, and by `help`
      --json                   print the lines below as JSON objects
  -v, --verbose                log to standard error what happens to nodes and
                               connections; given twice, each call too
  -h, --help                   print this
  -V, --version                print the version

When it is ready it prints a line for each node, `listening on hstream://127.0.0.1:6570`,
and for the control port, `control on 127.0.0.1:7000`. With --json these are
{\"node\":0,\"url\":\"hstream://127.0.0.1:6570\"} and {\"control\":\"127.0.0.1:7000\"}.
It stops on SIGINT and SIGTERM.
";

const DEFAULT_PORT: u16 = 6570;

/// What the command line asks for.
enum Command {
    Serve(Box<Settings>),
    Print(String),
}

/// The server and what is around it.
struct Settings {
    options: DevServerOptions,
    listeners: Vec<String>,
    tls: TlsPaths,
    control_port: Option<u16>,
    json: bool,
    verbosity: u8,
}

#[derive(Default)]
struct TlsPaths {
    certificate: Option<OsString>,
    key: Option<OsString>,
    ca: Option<OsString>,
}

fn main() -> ExitCode {
    let settings = match parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve(settings)) => settings,
        Ok(Command::Print(text)) => return finish(say(&text)),
        Err(error) => {
            eprintln!("hstream-dev-server: {error}; try --help");
            return ExitCode::from(2);
        }
    };
    finish(serve(*settings))
}

fn finish(result: Result<(), Box<dyn Error>>) -> ExitCode {
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
    let (mut listeners, mut tls) = (Vec::new(), TlsPaths::default());
    let (mut control_port, mut json, mut verbosity) = (None, false, 0u8);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("nodes") => options = options.nodes(parser.value()?.parse()?),
            Short('p') | Long("port") => options = options.port(parser.value()?.parse()?),
            Long("advertise") => {
                let (host, port) = parser.value()?.parse_with(host_and_port)?;
                options = options.advertised_address(&host, port);
            }
            Long("listener") => {
                let key = parser.value()?.string()?;
                options = options.listener(&key);
                listeners.push(key);
            }
            Long("max-bytes") => options = options.max_bytes(parser.value()?.parse()?),
            Long("seed") => options = options.seed(parser.value()?.parse()?),
            Long("emulate") => options = options.version(&parser.value()?.string()?),
            Long("tls-cert") => tls.certificate = Some(parser.value()?),
            Long("tls-key") => tls.key = Some(parser.value()?),
            Long("tls-ca") => tls.ca = Some(parser.value()?),
            Long("token") => options = options.token(&parser.value()?.string()?),
            Long("assignment-tick") => options = options.assignment_tick(milliseconds(&mut parser)?),
            Long("resend-tick") => options = options.resend_tick(milliseconds(&mut parser)?),
            Long("failure-detection") => options = options.failure_detection(milliseconds(&mut parser)?),
            Long("startup-delay") => options = options.startup_delay(milliseconds(&mut parser)?),
            Long("early-headers") => options = options.early_headers(true),
            Long("control-port") => control_port = Some(parser.value()?.parse()?),
            Long("json") => json = true,
            Short('v') | Long("verbose") => verbosity = verbosity.saturating_add(1),
            Short('h') | Long("help") => return Ok(Command::Print(HELP.to_owned())),
            Short('V') | Long("version") => {
                return Ok(Command::Print(format!("hstream-dev-server {}\n", env!("CARGO_PKG_VERSION"))));
            }
            _ => return Err(argument.unexpected()),
        }
    }
    let settings = Settings { options, listeners, tls, control_port, json, verbosity };
    Ok(Command::Serve(Box::new(settings)))
}

fn milliseconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    Ok(Duration::from_millis(parser.value()?.parse::<u32>()?.into()))
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let (host, port) = text.rsplit_once(':').ok_or("there is no port in it")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), port.parse().map_err(|_| format!("{port:?} is no port"))?))
}

fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    log(settings.verbosity);
    // Before the server starts, so that a signal right after the lines is not missed.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let server = with_tls(settings.options, settings.tls)?.start()?;
    let mut lines = String::new();
    for (node, url) in server.node_urls().iter().enumerate() {
        lines += &if settings.json {
            format!("{}\n", serde_json::json!({ "node": node, "url": url }))
        } else {
            format!("listening on {url}\n")
        };
    }
    for key in &settings.listeners {
        lines += &listener_lines(&server, key, settings.json);
    }
    if let Some(port) = settings.control_port {
        let address = format!("127.0.0.1:{}", server.open_control(port)?);
        lines += &if settings.json {
            format!("{}\n", serde_json::json!({ "control": address }))
        } else {
            format!("control on {address}\n")
        };
    }
    say(&lines)?;
    signals.forever().next();
    server.stop();
    Ok(())
}

fn listener_lines(server: &DevServer, key: &str, json: bool) -> String {
    let line = |(node, url): (usize, String)| {
        if json {
            format!("{}\n", serde_json::json!({ "node": node, "listener": key, "url": url }))
        } else {
            format!("listener {key} on {url}\n")
        }
    };
    server.listener_urls(key).into_iter().enumerate().map(line).collect()
}

/// To standard error, without colours. Nothing is told unless it is asked for.
fn log(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr);
    // The HTTP/2 library has its own to tell, which nobody wants to read.
    let ours = Targets::new().with_target("hstreamdb", level);
    tracing_subscriber::registry().with(lines).with(ours).init();
}

#[cfg(feature = "tls")]
fn with_tls(mut options: DevServerOptions, paths: TlsPaths) -> Result<DevServerOptions, Box<dyn Error>> {
    let read = |path: &OsString| {
        std::fs::read(path).map_err(|error| format!("can't read {}: {error}", path.to_string_lossy()))
    };
    options = match (&paths.certificate, &paths.key) {
        (Some(certificate), Some(key)) => options.tls(&read(certificate)?, &read(key)?),
        (None, None) if paths.ca.is_none() => options,
        _ => return Err("TLS needs both --tls-cert and --tls-key".into()),
    };
    if let Some(ca) = &paths.ca {
        options = options.client_ca(&read(ca)?);
    }
    Ok(options)
}

#[cfg(not(feature = "tls"))]
fn with_tls(options: DevServerOptions, paths: TlsPaths) -> Result<DevServerOptions, Box<dyn Error>> {
    if paths.certificate.is_some() || paths.key.is_some() || paths.ca.is_some() {
        return Err("this program was built without TLS".into());
    }
    Ok(options)
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
