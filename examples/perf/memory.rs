//! The most memory that a program needs whose server has stopped answering: appends as fast as they are taken, in
//! a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hstreamdb::{Client, ErrorKind, ProducerConfig, Record};

use crate::null_server::STREAM;
use crate::null_server::process::ServerProcess;
use crate::setup::{PATIENCE, Setup};
use crate::table::{Family, Group, Row, Unit};

static FAMILY: Family = Family {
    name: "memory",
    units: &[
        Unit { name: "peak RSS, MiB", digits: 1, told_apart: true },
        Unit { name: "over the buffer", digits: 1, told_apart: true },
    ],
};
const MIB: usize = 1 << 20;
const BUFFER: usize = 32 * MIB;

pub(crate) fn group(setup: &Setup) -> Group<'_> {
    let limit = Duration::from_millis(setup.count(5000) as u64);
    let rows = [("100 B", 100), ("1 KiB", 1024)]
        .map(|(name, size)| Row::new(name, move || against_a_stopped_server(size, limit)));
    Group {
        family: &FAMILY,
        shape: "server stopped, buffer of 32 MiB".into(),
        rows: rows.into(),
        ratios: Vec::new(),
    }
}

fn against_a_stopped_server(size: usize, limit: Duration) -> Vec<f64> {
    let server = ServerProcess::start("--null-server");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--fill", &server.url, &size.to_string(), &limit.as_millis().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a program that appends");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut line = || lines.next().expect("a line").expect("a line");
    assert_eq!(line(), "ready");
    server.stop();
    writeln!(child.stdin.take().expect("its input"), "go").expect("an answer");
    let peak: f64 = line().parse().expect("a number");
    let _ = child.wait();
    vec![peak, peak - (BUFFER / MIB) as f64]
}

/// The other process: says when its connection stands, then appends until time is up and tells its peak.
pub(crate) fn fill(url: &str, size: usize, limit: Duration) -> ! {
    let client = Client::connect(url).expect("a client");
    let producer = client.producer(ProducerConfig::new().buffer_bytes(BUFFER)).expect("a producer");
    let appender = producer.appender(STREAM).expect("an appender");
    let record = Record::raw(vec![b'x'; size]);
    appender.append_wait(&record, PATIENCE).expect("an append");
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).expect("an answer");
    let started = Instant::now();
    while started.elapsed() < limit {
        match appender.append_tagged(&record, 0, Duration::from_millis(10)) {
            Err(error) if error.kind() != ErrorKind::Timeout => panic!("{error}"),
            _ => {}
        }
    }
    println!("{:.1}", peak_rss() as f64 / MIB as f64);
    // Not by the end of main, which would wait for the server.
    std::process::exit(0)
}

fn peak_rss() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches("kB").trim().parse::<usize>().expect("a number") << 10
}
