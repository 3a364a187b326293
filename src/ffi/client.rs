//! Clients.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;

use crate::client::Client;
use crate::closing::Closing;
use crate::error::Error;
#[cfg(feature = "tls")]
use crate::ffi::boundary::Failure;
use crate::ffi::boundary::{self, Outcome, given};
use crate::ffi::bytes;
use crate::ffi::call::{self, Interrupt, hstream_call_t};
use crate::ffi::cancel::hstream_cancel_t;
use crate::ffi::config::hstream_client_options_t;
#[cfg(not(feature = "tls"))]
use crate::ffi::config::no_tls;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::log;
use crate::ffi::status::*;
use crate::test_panic;
use crate::wait::Wait;

/// A connection to a cluster.
pub struct hstream_client_t {
    life: Life,
    /// Its calls end when the scope does.
    client: Client,
    /// What its producers and consumers are made with: they do not end with this handle.
    parent: Client,
    /// What ends waits on it and on what is made with it, if nothing else is said.
    interrupt: Interrupt,
    /// Closed by the free, which ends this handle and not the client behind it.
    scope: Arc<Closing>,
}

impl LongLived for hstream_client_t {
    const NAME: &'static str = "client";
    const IS_ROOT: bool = true;

    fn end(&self, limit: Wait) -> Result<(), Error> {
        self.parent.close(limit)
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

impl hstream_client_t {
    fn new(parent: Client, interrupt: Interrupt) -> Self {
        let scope = Arc::<Closing>::default();
        hstream_client_t { life: Life::new(), client: parent.scoped(scope.clone()), parent, interrupt, scope }
    }

    /// The client for one call.
    pub(crate) fn within(&self, call: Option<&hstream_call_t>) -> Outcome<Client> {
        match call {
            Some(call) => call.apply(&self.client),
            None => Ok(self.client.clone()),
        }
    }

    pub(crate) fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    pub(crate) fn parent(&self) -> &Client {
        &self.parent
    }
}

/// Connects to a cluster, by asking the hosts of its URL in random order until one answers. With NULL for
/// options, to the server at 127.0.0.1:6570.
///
/// May be NULL: `client_options`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_client_free`.
/// **Threads**: any.
/// **Blocking**: until the call's time-out.
/// **Errors**: INVALID_ARGUMENT, CONFIG, UNAVAILABLE, TIMEOUT, INTERRUPTED, RESOURCES.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_connect(
    client_options: Option<&hstream_client_options_t>,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_client_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let out = given(out, "out")?;
        boundary::watch_forks();
        log::as_the_environment_says();
        let interrupt = client_options.map(|options| options.interrupt()).unwrap_or_default();
        let config = client_options.map(|options| options.config()).unwrap_or_default();
        let lazy = config.lazy;
        let client = Client::open(config)?;
        let client = client.within(interrupt.apply(client.limit().clone()));
        if !lazy {
            call.map_or_else(|| Ok(client.clone()), |call| call.apply(&client))?.refresh()?;
        }
        out.write(handles::register(hstream_client_t::new(client, interrupt)));
        Ok(())
    })
}

/// Closes a client with all that was made with it: calls that are blocked end at once with CLOSED,
/// producers send what they hold and consumers their acks within the time. Closing twice is fine. Events are told
/// as long as there is time.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT if something was given up; it is closed all the same. INTERRUPTED. WOULD_DEADLOCK.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_close(
    client: *mut hstream_client_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::closing(client, "client", err, |client| {
        let limit = call::wait(timeout_ms, cancel, &client.interrupt)?;
        client.parent.close(limit)?;
        Ok(())
    })
}

/// Frees a client. Calls that are blocked on it end with CLOSED; producers and consumers go on. Events are not told
/// any more; in the event callback itself, that call is the last.
///
/// May be NULL: `client`.
///
/// **Ownership**: `client` is gone after it.
/// **Threads**: any, once.
/// **Blocking**: until a running event callback has returned; the last handle of all waits up to 2 s for the I/O thread to end.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_free(client: *mut hstream_client_t) {
    boundary::freeing(|| {
        // SAFETY: `client` is NULL or was handed out, as the rules for callers say.
        if let Some(client) = unsafe { handles::retire(client) } {
            client.scope.close();
            client.parent.stop_events();
        }
    });
}

/// Sends a text to a node and gets it back: a sign of life.
///
/// May be NULL: `call`, `text_len`, `err`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_echo(
    client: *mut hstream_client_t,
    message: *const c_char,
    call: Option<&hstream_call_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `message` is NULL or a NUL-terminated text, as the rules for callers say.
        let message = unsafe { bytes::text(message, "message") }?;
        let text = given(text, "text")?;
        test_panic::point("call", message);
        let echoed = client.within(call)?.echo(message)?;
        bytes::give_text(&echoed, text, text_len)
    })
}

/// Looks at the cluster again now. Calls do so by themselves when a node fails, and now and then.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_refresh(
    client: *mut hstream_client_t,
    call: Option<&hstream_call_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        client.within(call)?.refresh()?;
        Ok(())
    })
}

/// Reads the certificate files again, for new connections. They are also read again when they have changed. If
/// they can't be used, the old ones stay.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: TLS, UNSUPPORTED without TLS.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_reload_tls(
    client: *mut hstream_client_t,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        #[cfg(feature = "tls")]
        let reloaded = client.client.reload_tls().map_err(Failure::from);
        #[cfg(not(feature = "tls"))]
        let reloaded = client.within(None).map(drop).and(Err(no_tls()));
        reloaded
    })
}

/// Sends this token from now on: base64 of user:password. Calls on the way are not touched.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT; CONFIG without TLS, if that was not allowed.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_set_auth_token(
    client: *mut hstream_client_t,
    token: *const c_void,
    token_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `token` is NULL or as long as is said, as the rules for callers say.
        let token = unsafe { bytes::data(token, token_len, "token") }?;
        client.client.set_auth_token(token)?;
        Ok(())
    })
}

/// Sends these credentials from now on. Calls on the way are not touched.
///
/// May be NULL: `password`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT for a user with a colon, UTF8; CONFIG without TLS, if that was not allowed.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_set_basic_auth(
    client: *mut hstream_client_t,
    user: *const c_char,
    password: *const c_void,
    password_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `user` is NULL or a NUL-terminated text, as the rules for callers say.
        let user = unsafe { bytes::text(user, "user") }?;
        // SAFETY: `password` is NULL or as long as is said, as the rules for callers say.
        let password = unsafe { bytes::data(password, password_len, "password") }?;
        client.client.set_basic_auth(user, password)?;
        Ok(())
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;
    use crate::ffi::error::{hstream_error_free, hstream_error_message};

    #[test]
    fn nobody_there_is_unavailable_and_names_the_address() {
        let (mut out, mut err) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        let mut call = hstream_call_t::default();
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let options = crate::ffi::config::hstream_client_options_new();
            let url = c"hstream://127.0.0.1:1";
            crate::ffi::config::hstream_client_options_set_url(options.as_mut(), url.as_ptr(), None);
            crate::ffi::call::hstream_call_set_timeout_ms(Some(&mut call), 300);
            let code = hstream_client_connect(options.as_ref(), Some(&call), Some(&mut out), Some(&mut err));
            assert!(matches!(code, HSTREAM_ERR_UNAVAILABLE | HSTREAM_ERR_TIMEOUT), "{code}");
            let message = std::ffi::CStr::from_ptr(hstream_error_message(err.assume_init().as_ref(), None));
            assert!(message.to_str().unwrap().contains("127.0.0.1:1"), "{message:?}");
            hstream_error_free(err.assume_init());
            crate::ffi::config::hstream_client_options_free(options);
        }
    }

    #[test]
    fn null_is_named() {
        // SAFETY: NULL is allowed.
        unsafe {
            let null = std::ptr::null_mut();
            assert_eq!(hstream_client_connect(None, None, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(hstream_client_close(null, 0, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            assert_eq!(
                hstream_client_echo(null, c"a".as_ptr(), None, None, None, None),
                HSTREAM_ERR_NULL_ARGUMENT
            );
            assert_eq!(hstream_client_refresh(null, None, None), HSTREAM_ERR_NULL_ARGUMENT);
            hstream_client_free(null);
        }
    }
}
