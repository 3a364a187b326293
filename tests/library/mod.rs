//! The shared library of this build, and how programs are linked to it and find it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the shared library of this build is: beside this test, or one directory up.
pub(crate) fn directory() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let there = test.ancestors().skip(1).take(2).find(|directory| directory.join(name()).exists());
    there.unwrap_or_else(|| panic!("{} is not beside {}", name(), test.display())).to_owned()
}

pub(crate) fn path() -> PathBuf {
    directory().join(name())
}

fn name() -> String {
    format!("{}hstreamdb{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// The name that programs which were linked to the library ask for.
#[cfg(unix)]
fn soname() -> String {
    let abi = match (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR")) {
        ("0", minor) => format!("0.{minor}"),
        (major, _) => major.to_owned(),
    };
    if cfg!(target_os = "macos") {
        format!("libhstreamdb.{abi}.dylib")
    } else {
        format!("libhstreamdb.so.{abi}")
    }
}

/// Makes the links in this directory by which programs are linked (`-L`) and find the library (`-rpath`).
#[cfg(unix)]
pub(crate) fn link_into(directory: &Path) -> Result<(), String> {
    for name in [name(), soname()] {
        let link = directory.join(name);
        std::os::unix::fs::symlink(path(), &link).map_err(|error| format!("{}: {error}", link.display()))?;
    }
    Ok(())
}

/// All sets of features are built into one file of this name, and cargo does not notice when the last build was
/// of another set. Then it is made again, with all features.
pub(crate) fn refresh(fits: impl Fn(&Path) -> bool) -> Result<(), String> {
    let library = path();
    if fits(&library) {
        return Ok(());
    }
    std::fs::remove_file(&library).map_err(|error| format!("{}: {error}", library.display()))?;
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--lib", "--all-features"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let built = build.status().map_err(|error| format!("cargo: {error}"))?;
    if built.success() && fits(&library) {
        Ok(())
    } else {
        Err(format!("{} lacks functions of this build, and could not be made again", library.display()))
    }
}
