//! Servers as processes of their own, and their processor time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;

/// This program, started again as a server, whose first line is its URL. It ends with this.
pub(crate) struct ServerProcess {
    pub(crate) url: String,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl ServerProcess {
    pub(crate) fn start(argument: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server");
        let input = process.stdin.take().expect("its input");
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let mut url = String::new();
        output.read_line(&mut url).expect("its URL");
        ServerProcess { url: url.trim().to_owned(), process, input, output }
    }

    /// Stops it where it is: connections stay, and nothing is answered any more.
    pub(crate) fn stop(&self) {
        let process = Pid::from_raw(self.process.id().try_into().expect("a process id"));
        kill(process, Signal::SIGSTOP).expect("a signal");
    }

    /// Its processor time so far, in microseconds.
    pub(crate) fn cpu(&mut self) -> f64 {
        writeln!(self.input, "cpu").expect("a question");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        line.trim().parse().expect("a number")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers questions about processor time until nobody asks any more.
pub(crate) fn answer_questions() {
    for line in std::io::stdin().lines() {
        if line.is_err() {
            return;
        }
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("usage");
        let time = usage.user_time() + usage.system_time();
        println!("{}", time.num_microseconds());
    }
}
