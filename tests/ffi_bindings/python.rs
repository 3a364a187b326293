//! `examples-ffi/python`: its tests, and its example.

use std::process::Command;

use hstreamdb::dev_server::DevServer;
use libtest_mimic::Failed;

use crate::built::Built;
use crate::{Row, dev_server, missing, root, succeeds};

pub(crate) fn cases() -> Vec<Row> {
    let python = python();
    let with = |package: &str| {
        let lacks = missing(&[(&python, &["-c", &format!("import {package}")])]);
        lacks.map(|lacks| format!("{lacks} with {package}; HSTREAM_PYTHON names one"))
    };
    let published = with("cffi").or_else(|| with("hstreamdb"));
    vec![
        ("python: the module keeps its promises", |built| tests(built, "tests.test_bindings"), with("cffi")),
        (
            "python: the published client finds the same",
            |built| tests(built, "tests.test_journey"),
            published,
        ),
        ("python: quickstart", quickstart, with("cffi")),
    ]
}

fn python() -> String {
    std::env::var("HSTREAM_PYTHON").unwrap_or_else(|_| "python3".into())
}

fn tests(built: &Built, module: &str) -> Result<(), Failed> {
    succeeds(command(built).args(["-m", "unittest", module])).map(drop)
}

fn quickstart(built: &Built) -> Result<(), Failed> {
    let server = DevServer::start()?;
    let mut run = command(built);
    // As after an installation: by pkg-config.
    run.env_remove("HSTREAMDB_LIBRARY").env("PKG_CONFIG_PATH", built.directory());
    let told = succeeds(run.args(["quickstart.py", &server.url()]))?;
    let good = told.contains(" b'hello'\n") && told.contains(" {'to': 'the world'}\n");
    if good { Ok(()) } else { Err(told.into()) }
}

fn command(built: &Built) -> Command {
    let mut command = Command::new(python());
    command
        .current_dir(root().join("examples-ffi/python"))
        .env("HSTREAMDB_LIBRARY", built.library())
        .env("HSTREAM_DEV_SERVER", dev_server())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // cargo names directories there that may hold a library of other features.
        .env_remove("LD_LIBRARY_PATH");
    command
}
