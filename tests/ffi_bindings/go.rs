//! `examples-ffi/go`: vetted, tested with the race detector, and its example run.

use std::process::Command;

use hstreamdb::dev_server::DevServer;
use libtest_mimic::Failed;

use crate::built::Built;
use crate::{Row, dev_server, missing, root, succeeds};

pub(crate) fn cases() -> Vec<Row> {
    let tools = || missing(&[("go", &["version"]), ("pkg-config", &["--version"]), ("cc", &["--version"])]);
    vec![
        ("go: the module's code is in form", in_form, tools()),
        ("go: the module's tests, with the race detector", tests, tools()),
        ("go: quickstart", quickstart, tools()),
    ]
}

fn in_form(built: &Built) -> Result<(), Failed> {
    let unformatted = succeeds(go(built, "gofmt").args(["-l", "."]))?;
    if !unformatted.is_empty() {
        return Err(format!("not formatted: {unformatted}").into());
    }
    succeeds(go(built, "go").args(["vet", "./..."])).map(drop)
}

fn tests(built: &Built) -> Result<(), Failed> {
    succeeds(go(built, "go").args(["test", "-race", "-count=1", "-timeout=5m", "."])).map(drop)
}

fn quickstart(built: &Built) -> Result<(), Failed> {
    let server = DevServer::start()?;
    let told = succeeds(go(built, "go").args(["run", "./quickstart", &server.url()]))?;
    let good = told.starts_with("2 written\n") && told.contains(": hello\n") && told.contains(": world\n");
    if good { Ok(()) } else { Err(told.into()) }
}

fn go(built: &Built, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(root().join("examples-ffi/go"))
        // The module needs no other; nothing is asked of the network.
        .envs([("GOFLAGS", "-mod=mod"), ("GOPROXY", "off"), ("GOTOOLCHAIN", "local")])
        .env("PKG_CONFIG_PATH", built.directory())
        // Go remembers what pkg-config said before of another directory, unless its flags are others.
        .env("CGO_CFLAGS", format!("-I{}", built.directory().display()))
        .env("LD_LIBRARY_PATH", built.directory())
        .env("HSTREAM_DEV_SERVER", dev_server());
    command
}
