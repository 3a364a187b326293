//! The shared library of this build as an installation would have it, in a directory of its own.

use std::path::{Path, PathBuf};

use crate::{library, root};

pub(crate) struct Built {
    directory: PathBuf,
}

impl Built {
    pub(crate) fn make() -> Result<Self, String> {
        library::refresh(is_whole)?;
        // Always the same: Go remembers what pkg-config has said.
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ffi_bindings");
        let told = |error: std::io::Error| format!("{}: {error}", directory.display());
        // With the links of the run before.
        if directory.exists() {
            std::fs::remove_dir_all(&directory).map_err(told)?;
        }
        std::fs::create_dir_all(&directory).map_err(told)?;
        library::link_into(&directory)?;
        let built = Self { directory: directory.clone() };
        std::fs::write(directory.join("hstreamdb.pc"), built.pkg_config()).map_err(told)?;
        Ok(built)
    }

    /// Where the library is, and `hstreamdb.pc`; and where programs may be put.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn library(&self) -> PathBuf {
        library::path()
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

/// Whether it has the functions of the last feature.
fn is_whole(library: &Path) -> bool {
    const LAST: &[u8] = b"hstream_dev_server_start";
    std::fs::read(library).is_ok_and(|bytes| bytes.windows(LAST.len()).any(|window| window == LAST))
}
