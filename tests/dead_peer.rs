//! A peer whose packets are dropped: no reset, no end, just silence. It needs a network namespace of its own,
//! so root and the tool `ip`; without them the case is reported as ignored.

use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::{Client, ClientConfig, ConsumerConfig, ConsumerState, StreamOptions, SubscriptionOptions};
use libtest_mimic::{Arguments, Failed, Trial};

const SOON: Duration = Duration::from_secs(30);
const OUTSIDE: &str = "10.199.63.1";
const INSIDE: &str = "10.199.63.2";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--forward-to") {
        return forward(&arguments.next().unwrap_or_default());
    }
    let arguments = Arguments::from_args();
    let space = if arguments.list { None } else { Namespace::new() };
    let why = if space.is_some() || arguments.list { "" } else { " [no network namespace can be made here]" };
    let ignored = !arguments.list && space.is_none();
    let case = move || space.map_or(Ok(()), noticed);
    let name = format!("a_dead_peer_is_noticed_within_the_configured_time{why}");
    libtest_mimic::run(&arguments, vec![Trial::test(name, case).with_ignored_flag(ignored)]).exit_code()
}

/// Takes connections from outside of the namespace to the server, which listens on the loopback only.
fn forward(server: &str) -> ExitCode {
    let listener = TcpListener::bind((INSIDE, 0)).expect("listen");
    println!("{}", listener.local_addr().expect("address").port());
    for outside in listener.incoming().flatten() {
        let inside = TcpStream::connect(server).expect("the server");
        let (mut from, mut to) = (outside.try_clone().expect("clone"), inside.try_clone().expect("clone"));
        thread::spawn(move || io::copy(&mut from, &mut to));
        thread::spawn(move || io::copy(&mut &inside, &mut &outside));
    }
    ExitCode::SUCCESS
}

/// A namespace with a link to here. Gone when dropped.
struct Namespace {
    name: String,
    link: String,
}

impl Namespace {
    fn new() -> Option<Self> {
        let id = std::process::id() % 10_000;
        let space = Namespace { name: format!("hstream{id}"), link: format!("hsv{id}") };
        let (name, link, peer) = (&space.name, &space.link, format!("hsp{id}"));
        let inside = |command: &str| ip(&format!("netns exec {name} ip {command}"));
        let made = ip(&format!("netns add {name}"))
            && ip(&format!("link add {link} type veth peer name {peer} netns {name}"))
            && ip(&format!("address add {OUTSIDE}/30 dev {link}"))
            && ip(&format!("link set {link} up"))
            && inside(&format!("address add {INSIDE}/30 dev {peer}"))
            && inside(&format!("link set {peer} up"))
            && inside("link set lo up");
        made.then_some(space)
    }

    /// Starts a program inside, and returns the last word of its first line.
    fn start(&self, program: &str, arguments: &[&str]) -> Result<(Running, String), Failed> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).args(arguments).stdout(Stdio::piped());
        let mut running = Running(command.spawn()?);
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let word = line.split_whitespace().last().ok_or("nothing was printed")?.to_owned();
        Ok((running, word))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&format!("link delete {}", self.link));
        ip(&format!("netns delete {}", self.name));
    }
}

fn ip(arguments: &str) -> bool {
    let mut command = Command::new("ip");
    command.args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn noticed(space: Namespace) -> Result<(), Failed> {
    let (_server, url) = space.start(env!("CARGO_BIN_EXE_hstream-dev-server"), &["--port", "0"])?;
    let inside = url.trim_start_matches("hstream://").to_owned();
    let this = std::env::current_exe()?;
    let (_forward, port) = space.start(&this.to_string_lossy(), &["--forward-to", &inside])?;
    let time = Duration::from_secs(2);
    let config = ClientConfig::new(format!("hstream://{INSIDE}:{port}"))
        .map_address(&inside, format!("{INSIDE}:{port}"))
        .tcp_keepalive(Duration::from_secs(1), time);
    let client = Client::connect(config)?;
    client.create_stream("s", StreamOptions::new())?;
    client.create_subscription("sub", "s", SubscriptionOptions::new())?;
    let consumer = client.consumer("sub", ConsumerConfig::new())?;
    consumer.start()?;
    let deadline = Instant::now() + SOON;
    while client.list_consumers("sub")?.is_empty() {
        assert!(Instant::now() < deadline, "the consumer does not appear");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(consumer.state(), ConsumerState::Running);
    assert!(ip(&format!("link set {} down", space.link)));
    let silent = Instant::now();
    while consumer.state() == ConsumerState::Running {
        assert!(silent.elapsed() < SOON, "the dead peer is not noticed");
        thread::sleep(Duration::from_millis(5));
    }
    let took = silent.elapsed();
    assert!(took < 3 * time, "noticed after {took:?}");
    let error = client.within(Duration::from_millis(500)).echo("x").map(drop).expect_err("nobody can answer");
    assert!(error.is_retryable(), "{error:?}");
    // The link is back, and so is everything else.
    assert!(ip(&format!("link set {} up", space.link)));
    client.within(SOON).echo("y")?;
    while consumer.state() != ConsumerState::Running {
        assert!(silent.elapsed() < SOON, "the consumer does not come back");
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
