//! Options of a client.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use crate::config::ClientConfig;
use crate::events::EventCallback;
use crate::ffi::append::compression;
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes;
use crate::ffi::call::{self, Interrupt};
use crate::ffi::callback::{Callback, check_of, hstream_event_fn, hstream_interrupt_fn, hstream_release_fn};
use crate::ffi::cancel::hstream_cancel_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::event;
use crate::ffi::handles;
use crate::ffi::status::*;

/// Options of a client. They are copied when a client is made.
#[derive(Clone, Default)]
pub struct hstream_client_options_t {
    config: ClientConfig,
    interrupt: Interrupt,
}

impl hstream_client_options_t {
    pub(crate) fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    pub(crate) fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// Takes the changed options if they are acceptable on their own.
    fn change(&mut self, change: impl FnOnce(ClientConfig) -> ClientConfig) -> Outcome {
        let changed = change(self.config.clone());
        changed.check_each()?;
        self.config = changed;
        Ok(())
    }

    #[cfg(feature = "tls")]
    fn change_tls(&mut self, part: TlsPart<'_>) -> Outcome {
        self.change(|mut config| {
            let tls = std::mem::take(&mut config.tls);
            config.tls(match part {
                TlsPart::CaFile(path) => tls.ca_file(path),
                TlsPart::CaPem(pem) => tls.ca_pem(pem),
                TlsPart::IdentityFiles(certificate, key) => tls.identity_files(certificate, key),
                TlsPart::IdentityPem(certificate, key) => tls.identity_pem(certificate, key),
                TlsPart::ServerName(name) => tls.server_name(name),
            })
        })
    }

    #[cfg(not(feature = "tls"))]
    fn change_tls(&mut self, _: TlsPart<'_>) -> Outcome {
        Err(no_tls())
    }
}

/// What can be said of encrypted connections.
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
enum TlsPart<'a> {
    CaFile(&'a str),
    CaPem(&'a [u8]),
    IdentityFiles(&'a str, &'a str),
    IdentityPem(&'a [u8], &'a [u8]),
    ServerName(&'a str),
}

/// What a build without TLS says to everything about it.
pub(crate) fn no_tls() -> Failure {
    Failure::refused(HSTREAM_ERR_UNSUPPORTED, "this build of the library has no TLS")
}

/// Refuses keys of options that this build does not have.
fn check_built(key: &str) -> Outcome {
    if !cfg!(feature = "tls") && key.starts_with("tls.") { Err(no_tls()) } else { Ok(()) }
}

/// Makes options, all default: a server at 127.0.0.1:6570.
///
/// **Ownership**: The result is yours, to be freed with `hstream_client_options_free`; NULL if there is
/// none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_options_new() -> *mut hstream_client_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_client_options_t::default()))
}

/// Copies options.
///
/// **Ownership**: The result is yours, to be freed with `hstream_client_options_free`; NULL if there is
/// none.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_options_clone(
    client_options: Option<&hstream_client_options_t>,
) -> *mut hstream_client_options_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(client_options) = client_options else { return ptr::null_mut() };
        handles::give(client_options.clone())
    })
}

/// Frees options.
///
/// May be NULL: `client_options`.
///
/// **Ownership**: `client_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_free(client_options: *mut hstream_client_options_t) {
    boundary::quiet((), || {
        // SAFETY: `client_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(client_options) });
    });
}

/// Sets the cluster: hstream://host[:port][,host[:port]]... Each host is a node to ask about the others.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_url(
    client_options: Option<&mut hstream_client_options_t>,
    url: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `url` is NULL or a NUL-terminated text, as the rules for callers say.
        let url = unsafe { bytes::text(url, "url") }?;
        client_options.change(|config| config.url(url))
    })
}

/// Sets the application's name, which is sent behind this library's own.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_user_agent(
    client_options: Option<&mut hstream_client_options_t>,
    suffix: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `suffix` is NULL or a NUL-terminated text, as the rules for callers say.
        let suffix = unsafe { bytes::text(suffix, "suffix") }?;
        client_options.change(|config| config.user_agent(suffix))
    })
}

/// Sets how long a call may take that has no limit of its own: default 30,000, -1 is without limit.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_request_timeout_ms(
    client_options: Option<&mut hstream_client_options_t>,
    timeout_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let timeout = call::duration(timeout_ms, "timeout_ms")?;
        client_options.change(|config| config.request_timeout(timeout))
    })
}

/// Sets how long connecting to one address may take: default 3,000.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_connect_timeout_ms(
    client_options: Option<&mut hstream_client_options_t>,
    timeout_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let timeout = call::positive(timeout_ms, "timeout_ms")?;
        client_options.change(|config| config.connect_timeout(timeout))
    })
}

/// Sets how often a call is tried, and the pauses between: default 6, 100 and 5,000. The pause is doubled
/// each time up to the longest, and shortened by chance by up to a half.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, CONFIG.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_retry(
    client_options: Option<&mut hstream_client_options_t>,
    max_attempts: u32,
    first_backoff_ms: i64,
    max_backoff_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let first = call::positive(first_backoff_ms, "first_backoff_ms")?;
        let longest = call::positive(max_backoff_ms, "max_backoff_ms")?;
        client_options.config.clone().retry(1, first, longest).check_backoffs()?;
        client_options.change(|config| config.retry(max_attempts, first, longest))
    })
}

/// Sets the age at which the view of the cluster is looked at again by the next call: default 30,000.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_refresh_ms(
    client_options: Option<&mut hstream_client_options_t>,
    age_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let age = call::positive(age_ms, "age_ms")?;
        client_options.change(|config| config.refresh_age(age))
    })
}

/// Sets the largest message that is accepted: default 64 MiB.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_max_receive_bytes(
    client_options: Option<&mut hstream_client_options_t>,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes == 0 {
            return Err(Failure::invalid("`bytes` must be more than 0"));
        }
        client_options.change(|config| config.max_receive_bytes(bytes))
    })
}

/// Trusts the certificates in this PEM file instead of the system's. It is read when a client connects, and
/// again for new connections when it has changed.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UTF8, UNSUPPORTED without TLS.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_tls_ca_file(
    client_options: Option<&mut hstream_client_options_t>,
    path: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `path` is NULL or a NUL-terminated text, as the rules for callers say.
        let path = unsafe { bytes::text(path, "path") }?;
        client_options.change_tls(TlsPart::CaFile(path))
    })
}

/// The same from memory.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: TLS if there is no certificate in it, UNSUPPORTED without TLS.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_tls_ca_pem(
    client_options: Option<&mut hstream_client_options_t>,
    pem: *const c_void,
    pem_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `pem` is NULL or as long as is said, as the rules for callers say.
        let pem = unsafe { bytes::data(pem, pem_len, "pem") }?;
        client_options.change_tls(TlsPart::CaPem(pem))
    })
}

/// Shows this certificate with its chain to servers that ask for one. The key is PKCS#8, PKCS#1 or SEC1, both
/// are PEM files. They are read when a client connects, and again for new connections when they have changed.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UTF8, UNSUPPORTED without TLS.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_tls_identity_files(
    client_options: Option<&mut hstream_client_options_t>,
    cert_path: *const c_char,
    key_path: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `cert_path` is NULL or a NUL-terminated text, as the rules for callers say.
        let cert_path = unsafe { bytes::text(cert_path, "cert_path") }?;
        // SAFETY: `key_path` is NULL or a NUL-terminated text, as the rules for callers say.
        let key_path = unsafe { bytes::text(key_path, "key_path") }?;
        client_options.change_tls(TlsPart::IdentityFiles(cert_path, key_path))
    })
}

/// The same from memory.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: TLS if there is no certificate or key in it, UNSUPPORTED without TLS.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_tls_identity_pem(
    client_options: Option<&mut hstream_client_options_t>,
    cert: *const c_void,
    cert_len: usize,
    key: *const c_void,
    key_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `cert` is NULL or as long as is said, as the rules for callers say.
        let cert = unsafe { bytes::data(cert, cert_len, "cert") }?;
        // SAFETY: `key` is NULL or as long as is said, as the rules for callers say.
        let key = unsafe { bytes::data(key, key_len, "key") }?;
        client_options.change_tls(TlsPart::IdentityPem(cert, key))
    })
}

/// Sets the name that servers must have a certificate for, where it isn't the one they are dialled by.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: TLS for what is no name, UTF8, UNSUPPORTED without TLS.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_tls_server_name(
    client_options: Option<&mut hstream_client_options_t>,
    name: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        client_options.change_tls(TlsPart::ServerName(name))
    })
}

/// Sends these credentials with every call; over connections without TLS only if
/// `hstream_client_options_set_plaintext_auth` allows it, else connecting fails with CONFIG.
///
/// May be NULL: `password`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT for a user with a colon, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_basic_auth(
    client_options: Option<&mut hstream_client_options_t>,
    user: *const c_char,
    password: *const c_void,
    password_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `user` is NULL or a NUL-terminated text, as the rules for callers say.
        let user = unsafe { bytes::text(user, "user") }?;
        // SAFETY: `password` is NULL or as long as is said, as the rules for callers say.
        let password = unsafe { bytes::data(password, password_len, "password") }?;
        client_options.change(|config| config.basic_auth(user, password))
    })
}

/// The same with a token as servers have it in their configuration: base64 of user:password. There can be a
/// token or a user, not both. An empty one takes it away.
///
/// May be NULL: `token`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT for what is not printable ASCII.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_auth_token(
    client_options: Option<&mut hstream_client_options_t>,
    token: *const c_void,
    token_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `token` is NULL or as long as is said, as the rules for callers say.
        let token = unsafe { bytes::data(token, token_len, "token") }?;
        let token = (!token.is_empty()).then(|| token.to_vec());
        client_options.change(|config| ClientConfig { token, ..config })
    })
}

/// Sets whether credentials may be sent without TLS, where everybody on the way can read them: default 0.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_plaintext_auth(
    client_options: Option<&mut hstream_client_options_t>,
    allowed: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let allowed = boundary::truth(allowed, "allowed")?;
        client_options.change(|config| config.plaintext_auth(allowed))
    })
}

/// Adds gRPC metadata to every call. A name that ends in -bin takes any bytes, others printable ASCII.
///
/// May be NULL: `value`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_add_metadata(
    client_options: Option<&mut hstream_client_options_t>,
    name: *const c_char,
    value: *const c_void,
    value_len: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `name` is NULL or a NUL-terminated text, as the rules for callers say.
        let name = unsafe { bytes::text(name, "name") }?;
        // SAFETY: `value` is NULL or as long as is said, as the rules for callers say.
        let value = unsafe { bytes::data(value, value_len, "value") }?;
        client_options.change(|config| config.metadata(name, value))
    })
}

/// Dials `reachable` where the cluster names `advertised`, both as host[:port]: for nodes behind a NAT or in
/// containers. With TLS, the name to verify stays the advertised one. More calls add more.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_map_address(
    client_options: Option<&mut hstream_client_options_t>,
    advertised: *const c_char,
    reachable: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `advertised` is NULL or a NUL-terminated text, as the rules for callers say.
        let advertised = unsafe { bytes::text(advertised, "advertised") }?;
        // SAFETY: `reachable` is NULL or a NUL-terminated text, as the rules for callers say.
        let reachable = unsafe { bytes::text(reachable, "reachable") }?;
        client_options.change(|config| config.map_address(advertised, reachable))
    })
}

/// Sets whether connecting returns without asking a server: default 0. The first call finds out then.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_lazy_connect(
    client_options: Option<&mut hstream_client_options_t>,
    on: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let on = boundary::truth(on, "on")?;
        client_options.change(|config| config.lazy_connect(on))
    })
}

/// Sets the interval of HTTP/2 pings, -1 is none, and how long their answers may take: default -1 and 20,000.
/// Servers close connections that ping more often than every five minutes.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_keepalive_ms(
    client_options: Option<&mut hstream_client_options_t>,
    interval_ms: i64,
    timeout_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let interval = call::duration(interval_ms, "interval_ms")?;
        let timeout = call::positive(timeout_ms, "timeout_ms")?;
        client_options.change(|config| config.keepalive(interval, timeout))
    })
}

/// Sets how long a connection is idle before the kernel asks the peer, and how long what was sent may go
/// unacknowledged before the connection is given up (on Linux alone): default 30,000 each, -1 leaves it to the
/// system.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_tcp_keepalive_ms(
    client_options: Option<&mut hstream_client_options_t>,
    idle_ms: i64,
    user_timeout_ms: i64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let idle = call::duration(idle_ms, "idle_ms")?;
        let user_timeout = call::duration(user_timeout_ms, "user_timeout_ms")?;
        client_options.change(|config| config.tcp_keepalive(idle, user_timeout))
    })
}

/// Sets the HTTP/2 receive windows of each call and of a connection: default 2 MiB and 32 MiB. The second must
/// be ten times the first at least, or connections end when small messages wait unread.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, CONFIG.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_windows(
    client_options: Option<&mut hstream_client_options_t>,
    stream_bytes: u64,
    connection_bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let bytes = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
        let (stream, connection) = (bytes(stream_bytes), bytes(connection_bytes));
        let checked = |config: ClientConfig| config.windows(stream, connection);
        let mut changed = client_options.clone();
        changed.change(checked)?;
        changed.config.check_windows()?;
        *client_options = changed;
        Ok(())
    })
}

/// Sets what may end all calls on the client and on what is made with it that have no cancel object themselves:
/// an object, and a function that is asked when it is triggered, as for `hstream_call_set_interrupt_check`. NULL
/// takes them away.
///
/// May be NULL: `cancel`, `check`, `user_data`.
///
/// **Ownership**: The options keep what they need of `cancel`. `user_data` stays yours, and must outlive the
/// client and what is made with it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_interrupt(
    client_options: Option<&mut hstream_client_options_t>,
    cancel: *mut hstream_cancel_t,
    check: hstream_interrupt_fn,
    user_data: *mut c_void,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `cancel` is NULL or a living handle, as the rules for callers say.
        let cancel = unsafe { handles::enter(cancel) };
        client_options.interrupt = Interrupt {
            cancel: cancel.map(|cancel| cancel.inner().clone()),
            check: check_of(check, user_data),
        };
        Ok(())
    })
}

/// Has events told to a function, on a thread of the client: nodes that are lost, consumers that connect anew, and
/// so on. The client never waits for it: of events that come while 1,024 are waiting, none is told, and they are
/// counted (HSTREAM_METRIC_EVENTS_DROPPED). NULL takes it away. `release` frees `user_data` when nothing will call
/// the function any more; not if this function fails, or without a function.
///
/// After `hstream_client_close` or `hstream_client_free` of the client it is not called any more, also not for
/// producers and consumers that are still there. In it, `hstream_client_close` gives WOULD_DEADLOCK.
///
/// May be NULL: `callback`, `user_data`, `release`.
///
/// **Ownership**: `user_data` is the options' until it is released.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_event_callback(
    client_options: Option<&mut hstream_client_options_t>,
    callback: hstream_event_fn,
    user_data: *mut c_void,
    release: hstream_release_fn,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let callback = callback.is_some().then(|| Callback::new(callback, user_data, release));
        client_options.config.on_event = callback.map(|callback| EventCallback::new(event::teller(callback)));
        Ok(())
    })
}

/// Sets how many bytes of records all producers of the client may have on the way together, beside what each of
/// them may: default 0, which is no limit. Appends wait for room.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_buffer_bytes(
    client_options: Option<&mut hstream_client_options_t>,
    bytes: u64,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        client_options.change(|config| config.buffer_bytes(bytes))
    })
}

/// Sets how appends without a producer are compressed where the call does not say it: HSTREAM_COMPRESSION_*, with
/// a level (gzip 0 to 9, zstd 1 to 22) or HSTREAM_LEVEL_DEFAULT. Default not at all.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, COMPRESSION if this build lacks it.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set_append_compression(
    client_options: Option<&mut hstream_client_options_t>,
    kind: i32,
    level: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let client_options = given(client_options, "client_options")?;
        let compression = compression(kind, level)?;
        client_options.change(|config| config.append_compression(compression))
    })
}

/// Sets an option by text; `hstream_options_schema_json` lists the keys and what they take. What contradicts
/// other options is found when a client connects.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, TLS, UTF8, UNSUPPORTED for TLS in a build without.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_set(
    client_options: Option<&mut hstream_client_options_t>,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        check_built(key)?;
        let mut changed = client_options.config();
        changed.set(key, value)?;
        client_options.change(|_| changed)
    })
}

/// Gets an option as text; secrets come as ***.
///
/// May be NULL: `text_len`, `err`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, while it is not changed.
/// **Blocking**: no.
/// **Errors**: UNKNOWN_OPTION, UTF8, UNSUPPORTED for TLS in a build without.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_options_get(
    client_options: Option<&hstream_client_options_t>,
    key: *const c_char,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let client_options = given(client_options, "client_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        let text = given(text, "text")?;
        check_built(key)?;
        bytes::give_text(&client_options.config.get(key)?, text, text_len)
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::ffi::bytes::HSTREAM_NTS;

    #[test]
    fn setters_check_at_once_and_leave_the_rest_alone() {
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let options = hstream_client_options_new();
            let set =
                |url: &std::ffi::CStr| hstream_client_options_set_url(options.as_mut(), url.as_ptr(), None);
            assert_eq!(set(c"hstream://a,b:7000"), HSTREAM_OK);
            assert_eq!(set(c"ftp://a"), HSTREAM_ERR_INVALID_ARGUMENT);
            assert_eq!(set(c"\xff"), HSTREAM_ERR_UTF8);
            assert_eq!(
                hstream_client_options_set_url(options.as_mut(), std::ptr::null(), None),
                HSTREAM_ERR_NULL_ARGUMENT
            );
            assert_eq!(
                hstream_client_options_set_retry(options.as_mut(), 0, 1, 1),
                HSTREAM_ERR_INVALID_ARGUMENT
            );
            assert_eq!(hstream_client_options_set_retry(options.as_mut(), 1, 2, 1), HSTREAM_ERR_CONFIG);
            assert_eq!(hstream_client_options_set_request_timeout_ms(options.as_mut(), -1), HSTREAM_OK);
            assert_eq!(hstream_client_options_set_max_receive_bytes(None, 1), HSTREAM_ERR_NULL_ARGUMENT);
            let copy = hstream_client_options_clone(options.as_ref());
            hstream_client_options_free(options);
            assert_eq!((*copy).config().check().unwrap().seeds.len(), 2);
            hstream_client_options_free(copy);
            assert!(hstream_client_options_clone(None).is_null());
        }
    }

    /// Setters of several options at once.
    const TOGETHER: [(&str, &str); 15] = [
        ("client retry.", "set_retry"),
        ("client tcp.", "set_tcp_keepalive_ms"),
        ("client keepalive.", "set_keepalive_ms"),
        ("client windows.", "set_windows"),
        ("client basic.auth.", "set_basic_auth"),
        ("client map.address", "map_address"),
        ("client append.compression.", "set_append_compression"),
        ("producer compression.", "set_compression"),
        ("producer retry.max.", "set_retry"),
        ("producer retry.first.", "set_retry"),
        ("append compression.", "set_compression"),
        ("consumer ack.batch.", "set_ack_batch"),
        ("consumer prefetch.", "set_prefetch"),
        ("consumer reconnect.", "set_reconnect"),
        ("reader reopen.", "set_reopen"),
    ];

    /// Not to be said in a text.
    const WITHOUT_KEY: [&str; 15] = [
        "client set",
        "client set_event_callback",
        "client set_tls_identity_pem",
        "client set_interrupt",
        "producer set",
        "producer set_delivery_callback",
        "append set",
        "stream set",
        "subscription set",
        "consumer set",
        "consumer set_callback",
        "reader set",
        "reader set_callback",
        "runtime set",
        "runtime set_thread_hook",
    ];

    #[test]
    fn each_key_has_its_setter_in_the_header() {
        let header = include_str!("../../include/hstreamdb.h");
        let schema: serde_json::Value = serde_json::from_str(&crate::options::options_schema_json()).unwrap();
        let mut setters = Vec::from(WITHOUT_KEY.map(str::to_owned));
        for (of, options) in schema.as_object().unwrap() {
            for option in options.as_array().unwrap() {
                let key = option["key"].as_str().unwrap();
                let several = TOGETHER.iter().find(|(prefix, _)| format!("{of} {key}").starts_with(prefix));
                let setter = several
                    .map_or_else(|| format!("set_{}", key.replace('.', "_")), |(_, setter)| (*setter).into());
                let exported = header.contains(&format!("hstream_{of}_options_{setter}("));
                assert!(exported, "{key} of {of} has no setter {setter}");
                setters.push(format!("{of} {setter}"));
            }
            let prefix = format!("hstream_{of}_options_");
            let named = header.split(&prefix).skip(1);
            for name in named.filter_map(|rest| rest.split_once('(').map(|(name, _)| name)) {
                let is_setter =
                    name.starts_with("set") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let known = setters.contains(&format!("{of} {name}"));
                let of_tls = !cfg!(feature = "tls") && name.starts_with("set_tls");
                assert!(!is_setter || known || of_tls, "{name} of {of} has no key");
            }
        }
    }

    #[test]
    fn contradictions_wait_for_the_connect_and_secrets_stay_inside() {
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let options = hstream_client_options_new();
            let it = || options.as_mut();
            let set = |key: &std::ffi::CStr, value: &std::ffi::CStr| {
                hstream_client_options_set(options.as_mut(), key.as_ptr(), value.as_ptr(), None)
            };
            let bad = HSTREAM_ERR_INVALID_ARGUMENT;
            let token = c"c2VjcmV0".as_ptr().cast();
            assert_eq!(hstream_client_options_set_auth_token(it(), token, HSTREAM_NTS, None), HSTREAM_OK);
            assert_eq!((*options).config().check().err().unwrap().kind(), ErrorKind::Config);
            assert_eq!(hstream_client_options_set_plaintext_auth(it(), 2), bad);
            assert_eq!(hstream_client_options_set_plaintext_auth(it(), 1), HSTREAM_OK);
            assert!((*options).config().check().is_ok());
            let (mut text, mut len) = (MaybeUninit::uninit(), MaybeUninit::uninit());
            let key = c"auth.token".as_ptr();
            let got =
                hstream_client_options_get(options.as_ref(), key, Some(&mut text), Some(&mut len), None);
            assert_eq!((got, len.assume_init()), (HSTREAM_OK, 3));
            bytes::free_text(text.assume_init());
            assert_eq!(set(c"windows.stream.bytes", c"4194304"), HSTREAM_OK);
            assert_eq!(set(c"connect.timeout.ms", c"0"), bad);
            assert_eq!(set(c"conect.timeout.ms", c"1"), HSTREAM_ERR_UNKNOWN_OPTION);
            assert_eq!(hstream_client_options_set_windows(it(), 1 << 20, 2 << 20), HSTREAM_ERR_CONFIG);
            assert_eq!(hstream_client_options_set_windows(it(), 1, 1 << 40), bad);
            assert_eq!(hstream_client_options_set_windows(it(), 1 << 20, 16 << 20), HSTREAM_OK);
            assert_eq!(hstream_client_options_set_keepalive_ms(it(), -1, 0), bad);
            assert_eq!(hstream_client_options_set_tcp_keepalive_ms(it(), -1, -1), HSTREAM_OK);
            let path = c"no-such-file".as_ptr();
            let (built, broken) = if cfg!(feature = "tls") {
                (HSTREAM_OK, HSTREAM_ERR_TLS)
            } else {
                (HSTREAM_ERR_UNSUPPORTED, HSTREAM_ERR_UNSUPPORTED)
            };
            assert_eq!(hstream_client_options_set_tls_ca_file(it(), path, None), built);
            let pem = c"no PEM".as_ptr().cast();
            assert_eq!(hstream_client_options_set_tls_ca_pem(it(), pem, HSTREAM_NTS, None), broken);
            assert_eq!(set(c"tls.server.name", c"a b"), broken);
            hstream_client_options_free(options);
        }
    }
}
