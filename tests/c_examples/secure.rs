//! The C program that uses TLS, with a server whose certificates change while it runs.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use hstreamdb::dev_server::{DevServer, DevServerOptions};
use libtest_mimic::Failed;
use rcgen::CertificateParams;

use super::authority::Authority;
use super::{prepared, succeeds};

/// base64 of `aladdin:opensesame`.
pub(crate) const TOKEN: &str = "YWxhZGRpbjpvcGVuc2VzYW1l";

/// A server with the certificates of this CA, that wants clients with such as well.
pub(crate) fn server(authority: &Authority, port: u16) -> Result<DevServer, Failed> {
    let names = ["127.0.0.1".to_owned(), "node.example".to_owned()];
    let identity = authority.sign_with(CertificateParams::new(names)?);
    let options = DevServerOptions::new()
        .tls(identity.certificate.as_bytes(), identity.key.as_bytes())
        .client_ca(authority.pem.as_bytes())
        .token(TOKEN)
        .port(port);
    options.start().map_err(|error| error.to_string().into())
}

pub(crate) fn write_files(authority: &Authority, directory: &Path) -> Result<(), Failed> {
    let identity = authority.sign("client");
    std::fs::write(directory.join("ca.pem"), &authority.pem)?;
    std::fs::write(directory.join("client.pem"), identity.certificate)?;
    std::fs::write(directory.join("client.key"), identity.key)?;
    Ok(())
}

/// Runs the program, and does what it asks for, line by line: another server, then other files.
pub(crate) fn travels(mut program: Command) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let (first, second) = (Authority::new(), Authority::new());
    write_files(&first, directory.path())?;
    let mut running = Some(server(&first, 0)?);
    let (url, port) = running.as_ref().map_or_else(Default::default, |it| (it.url(), it.port()));
    let arguments = [url.as_ref(), directory.path().as_os_str()];
    let mut child = prepared(&mut program, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut answers = child.stdin.take().ok_or("no input")?;
    let wishes = BufReader::new(child.stdout.take().ok_or("no output")?);
    for wish in wishes.lines() {
        match wish?.as_str() {
            "server" => {
                drop(running.take());
                running = Some(server(&second, port)?);
            }
            "files" => write_files(&second, directory.path())?,
            other => return Err(format!("an unknown wish: {other}").into()),
        }
        writeln!(answers, "done")?;
    }
    succeeds(child.wait_with_output()?)
}
