//! A server inside this process, for development and tests.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::dev_server::{DevServer, DevServerOptions};
use crate::ffi::boundary::{self, Failure, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::status::*;

/// Enough to try what is to be tried, and few enough for the ports of a machine.
const MOST_NODES: u32 = 100;

/// An HStreamDB server in this process, in memory.
#[cfg(feature = "dev-server")]
pub struct hstream_dev_server_t {
    life: Life,
    /// Stops when it is dropped.
    server: DevServer,
    url: Text,
}

impl LongLived for hstream_dev_server_t {
    const NAME: &'static str = "dev server";

    fn life(&self) -> &Life {
        &self.life
    }
}

/// Starts a cluster of so many nodes on free ports of the loopback interface.
///
/// May be NULL: `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_dev_server_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, RESOURCES.
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
        if !(1..=MOST_NODES).contains(&nodes) {
            return Err(Failure::invalid("`nodes` must be from 1 to 100"));
        }
        boundary::watch_forks();
        let server = DevServerOptions::new().nodes(nodes).start()?;
        let url = Text::new(&server.url());
        out.write(handles::register(hstream_dev_server_t { life: Life::new(), server, url }));
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

/// Orders failures and changes speeds, by name: what `hstream-dev-server --help` lists for its control port.
///
/// `"refuse"` with `"Append 14 times=2 server is unavailable"`, `"assignment_tick"` with `"10"`, and so on.
///
/// May be NULL: `err`.
///
/// **Ownership**: `key` and `value` are copied.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, with what is taken; what the order itself meets.
/// **Since**: 0.1.
#[cfg(feature = "dev-server")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_dev_server_set(
    dev_server: *mut hstream_dev_server_t,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `dev_server` is NULL or a living handle, as the rules for callers say.
    let dev_server = unsafe { handles::enter(dev_server) };
    boundary::on(dev_server, "dev_server", err, |dev_server| {
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        Ok(dev_server.server.set(key, value)?)
    })
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
    boundary::freeing(|| {
        // SAFETY: `dev_server` is NULL or was handed out, as the rules for callers say.
        drop(unsafe { handles::retire(dev_server) });
    });
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_with_so_many_nodes_and_takes_orders() {
        let mut out = MaybeUninit::uninit();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            assert_eq!(hstream_dev_server_start(0, Some(&mut out), None), HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(hstream_dev_server_start(101, Some(&mut out), None), HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(hstream_dev_server_start(2, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_dev_server_start(2, Some(&mut out), None), HSTREAM_OK);
            let server = out.assume_init();
            let url = std::ffi::CStr::from_ptr(hstream_dev_server_url(server, None)).to_str().unwrap();
            assert!(url.starts_with("hstream://127.0.0.1:"), "{url}");
            assert_eq!(url.matches(':').count(), 3, "{url} names two nodes");
            let set = |key: &std::ffi::CStr, value: &std::ffi::CStr| {
                hstream_dev_server_set(server, key.as_ptr(), value.as_ptr(), None)
            };
            assert_eq!(set(c"assignment_tick", c"10"), HSTREAM_OK);
            assert_eq!(set(c"assignment_tick", c"often"), HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(set(c"no such order", c""), HSTREAM_ERR_INVALID_ARGUMENT);
            let null = std::ptr::null_mut();
            assert_eq!(
                hstream_dev_server_set(null, std::ptr::null(), std::ptr::null(), None),
                HSTREAM_ERR_NULL_ARGUMENT
            );
            hstream_dev_server_free(server);
            hstream_dev_server_free(null);
        }
    }
}
