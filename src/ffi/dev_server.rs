//! A server inside this process, for development and tests.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::dev_server::DevServer;
use crate::ffi::boundary::{self, Failure, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::status::*;

/// An HStreamDB server in this process, in memory.
#[cfg(feature = "dev-server")]
pub struct hstream_dev_server_t {
    life: Life,
    /// Stops when it is dropped.
    _server: DevServer,
    url: Text,
}

impl LongLived for hstream_dev_server_t {
    const NAME: &'static str = "dev server";

    fn life(&self) -> &Life {
        &self.life
    }
}

/// Starts a server on a free port of the loopback interface. `nodes` is 1 for now.
///
/// May be NULL: `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_dev_server_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UNSUPPORTED for more than one node, RESOURCES.
/// **Since**: 0.1.
#[cfg(feature = "dev-server")]
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_dev_server_start(
    nodes: u32,
    out: Option<&mut MaybeUninit<*mut hstream_dev_server_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let out = given(out, "out")?;
        match nodes {
            1 => {}
            0 => return Err(Failure::invalid("`nodes` must be more than 0")),
            _ => return Err(Failure::refused(HSTREAM_ERR_UNSUPPORTED, "the dev server has one node only")),
        }
        boundary::watch_forks();
        let server = DevServer::start()?;
        let url = Text::new(&server.url());
        out.write(handles::register(hstream_dev_server_t { life: Life::new(), _server: server, url }));
        Ok(())
    })
}

/// Returns the URL to connect to.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `dev_server`.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[cfg(feature = "dev-server")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_dev_server_url(
    dev_server: *mut hstream_dev_server_t,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    // SAFETY: `dev_server` is NULL or a living handle, as the rules for callers say.
    let dev_server = unsafe { handles::enter(dev_server) };
    let len = bytes::zeroed(len);
    boundary::ask(dev_server, c"".as_ptr(), |dev_server| dev_server.url.lend(len))
}

/// Stops the server; what it stored is gone.
///
/// May be NULL: `dev_server`.
///
/// **Ownership**: `dev_server` is gone after it.
/// **Threads**: any, once.
/// **Blocking**: until it has stopped, 3 s at most.
/// **Errors**: none.
/// **Since**: 0.1.
#[cfg(feature = "dev-server")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_dev_server_free(dev_server: *mut hstream_dev_server_t) {
    boundary::quiet((), || {
        // SAFETY: `dev_server` is NULL or was handed out, as the rules for callers say.
        drop(unsafe { handles::retire(dev_server) });
    });
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_with_one_node_only() {
        let mut out = MaybeUninit::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            assert_eq!(hstream_dev_server_start(0, Some(&mut out), None), HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(hstream_dev_server_start(2, Some(&mut out), None), HSTREAM_ERR_UNSUPPORTED);
            assert_eq!(hstream_dev_server_start(1, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_dev_server_start(1, Some(&mut out), None), HSTREAM_OK);
            let server = out.assume_init();
            let url = std::ffi::CStr::from_ptr(hstream_dev_server_url(server, None)).to_str().unwrap();
            assert!(url.starts_with("hstream://127.0.0.1:"), "{url}");
            hstream_dev_server_free(server);
            hstream_dev_server_free(std::ptr::null_mut());
        }
    }
}
