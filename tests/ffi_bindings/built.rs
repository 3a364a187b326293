//! The shared library of this build as an installation would have it, in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::root;

pub(crate) struct Built {
    directory: PathBuf,
}

impl Built {
    pub(crate) fn make() -> Result<Self, String> {
        let library = library();
        refresh(&library)?;
        // Always the same: Go remembers what pkg-config has said.
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ffi_bindings");
        std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
        for name in [file_name(), format!("{}.0.{}", file_name(), hstreamdb_abi())] {
            link(&library, &directory.join(name))?;
        }
        let built = Self { directory };
        std::fs::write(built.directory.join("hstreamdb.pc"), built.pkg_config())
            .map_err(|error| error.to_string())?;
        Ok(built)
    }

    /// Where the library is, and `hstreamdb.pc`; and where programs may be put.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.directory.join(file_name())
    }

    fn pkg_config(&self) -> String {
        let (libdir, includedir) = (self.directory.display(), root().join("include"));
        let includedir = includedir.display();
        format!(
            "libdir={libdir}\nName: hstreamdb\nDescription: this build\nVersion: {}\n\
             Libs: -L${{libdir}} -lhstreamdb\nCflags: -I{includedir}\n",
            env!("CARGO_PKG_VERSION")
        )
    }
}

fn file_name() -> String {
    format!("{}hstreamdb{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// The number in the name that programs ask the loader for: before 1.0, the minor version.
fn hstreamdb_abi() -> &'static str {
    env!("CARGO_PKG_VERSION_MINOR")
}

#[cfg(unix)]
fn link(library: &Path, name: &Path) -> Result<(), String> {
    if name.is_symlink() {
        std::fs::remove_file(name).map_err(|error| error.to_string())?;
    }
    std::os::unix::fs::symlink(library, name).map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn link(library: &Path, name: &Path) -> Result<(), String> {
    std::fs::copy(library, name).map(drop).map_err(|error| error.to_string())
}

/// Beside this test, or one directory up.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let found = test.ancestors().skip(1).take(2).map(|directory| directory.join(file_name()));
    let mut found = found.filter(|library| library.exists());
    found.next().unwrap_or_else(|| panic!("{} is not beside {}", file_name(), test.display()))
}

/// All sets of features are built into one file of this name, and cargo does not notice when the last build was
/// of another set. Then it is made again.
fn refresh(library: &Path) -> Result<(), String> {
    if is_whole(library) {
        return Ok(());
    }
    std::fs::remove_file(library).map_err(|error| format!("{}: {error}", library.display()))?;
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--lib", "--all-features"]).current_dir(root());
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let built = build.status().map_err(|error| format!("cargo: {error}"))?;
    if built.success() && is_whole(library) {
        return Ok(());
    }
    Err(format!("{} lacks functions of this build, and could not be made again", library.display()))
}

/// Whether it has the functions of the last feature.
fn is_whole(library: &Path) -> bool {
    const LAST: &[u8] = b"hstream_dev_server_start";
    std::fs::read(library).is_ok_and(|bytes| bytes.windows(LAST.len()).any(|window| window == LAST))
}
