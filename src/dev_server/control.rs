//! Steering from other programs: lines of text on a port of the loopback interface.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::faults::Faults;
use super::settings;
use super::steering::Steering;
use crate::error::{Error, ErrorKind, Result};

/// No command is longer.
const LONGEST_LINE: u64 = 64 * 1024;

pub(super) fn open(faults: &Faults, steering: &Arc<Steering>, port: u16) -> Result<u16> {
    let _inside = steering.runtime.enter();
    let open = || {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok((TcpListener::from_std(listener)?, port))
    };
    let (listener, port) = open().map_err(|error: std::io::Error| {
        let message = format!("can't listen on {}:{port}: {error}", Ipv4Addr::LOCALHOST);
        Error::new(ErrorKind::Resources, message).with_source(error)
    })?;
    let desk = Desk { faults: faults.clone(), steering: Arc::clone(steering) };
    steering.runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(desk.clone().serve(stream));
        }
    });
    Ok(port)
}

#[derive(Clone)]
struct Desk {
    faults: Faults,
    steering: Arc<Steering>,
}

impl Desk {
    /// A line in, a line out, until the client has enough.
    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) if !line.ends_with(b"\n") && line.len() as u64 == LONGEST_LINE => return,
                Ok(_) => {}
            }
            let answer = self.clone().answer(String::from_utf8_lossy(&line).into_owned()).await;
            if stream.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// Commands may take their time, as when a node is stopped, so they have a thread of their own.
    async fn answer(self, line: String) -> String {
        let outcome = tokio::task::spawn_blocking(move || self.carry_out(&line)).await;
        match outcome {
            Ok(Ok(answer)) if answer.is_empty() => "ok".to_owned(),
            Ok(Ok(answer)) => format!("ok {answer}"),
            // One line, whatever is in it.
            Ok(Err(error)) => format!("error {}", error.to_string().replace(['\r', '\n'], " ")),
            Err(_) => "error the command was given up".to_owned(),
        }
    }

    fn carry_out(&self, line: &str) -> Result<String> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match word {
            "help" => Ok(settings::help()),
            "get" => settings::get(&self.faults, &self.steering, rest),
            _ => settings::set(&self.faults, &self.steering, word, rest),
        }
    }
}
