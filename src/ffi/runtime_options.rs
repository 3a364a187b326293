//! Options of the process's threads.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use crate::ffi::boundary::{self, Outcome, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::callback::{Callback, hstream_release_fn, hstream_thread_fn};
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;
use crate::runtime;
use crate::runtime_options::{RuntimeOptions, ThreadEvent};

/// How the threads are that all clients of the process have in common.
#[derive(Default)]
pub struct hstream_runtime_options_t {
    options: RuntimeOptions,
}

impl hstream_runtime_options_t {
    /// Changes them, unless the result is out of range.
    fn change(&mut self, change: impl FnOnce(RuntimeOptions) -> RuntimeOptions) -> Outcome {
        let changed = change(self.options.clone());
        changed.check()?;
        self.options = changed;
        Ok(())
    }
}

/// Makes options, all default.
///
/// **Ownership**: The result is yours, to be freed with `hstream_runtime_options_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_runtime_options_new() -> *mut hstream_runtime_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_runtime_options_t::default()))
}

/// Frees options. What was set with them stays in force.
///
/// May be NULL: `runtime_options`.
///
/// **Ownership**: `runtime_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_runtime_options_free(runtime_options: *mut hstream_runtime_options_t) {
    boundary::quiet((), || {
        // SAFETY: `runtime_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(runtime_options) });
    });
}

/// Sets how many threads do the I/O, up to 1,024; default 1, which 0 stands for as well. More are slower on small
/// machines.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_runtime_options_set_worker_threads(
    runtime_options: Option<&mut hstream_runtime_options_t>,
    count: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        given(runtime_options, "runtime_options")?.change(|options| options.worker_threads(count))
    })
}

/// Sets how many threads compress batches, up to 1,024; default one less than there are cores, at least one, which 0
/// stands for as well. They are started by the first producer that compresses.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_runtime_options_set_compression_threads(
    runtime_options: Option<&mut hstream_runtime_options_t>,
    count: u32,
) -> hstream_code_t {
    boundary::run(None, || {
        given(runtime_options, "runtime_options")?.change(|options| options.compression_threads(count))
    })
}

/// Sets how the names of threads begin, in up to 32 printable ASCII characters; default "hstream", which an empty
/// text stands for as well. Linux shows 15 characters of the whole name.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_runtime_options_set_thread_name(
    runtime_options: Option<&mut hstream_runtime_options_t>,
    prefix: *const c_char,
) -> hstream_code_t {
    boundary::run(None, || {
        let runtime_options = given(runtime_options, "runtime_options")?;
        // SAFETY: `prefix` is NULL or a NUL-terminated text, as the rules for callers say.
        let prefix = unsafe { bytes::text(prefix, "prefix") }?;
        runtime_options.change(|options| options.thread_name(prefix))
    })
}

/// Sets the stack of threads that run callbacks, in bytes from 65,536 to 1,073,741,824; default 2 MiB, which 0
/// stands for as well.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_runtime_options_set_stack_size(
    runtime_options: Option<&mut hstream_runtime_options_t>,
    bytes: usize,
) -> hstream_code_t {
    boundary::run(None, || {
        given(runtime_options, "runtime_options")?.change(|options| options.stack_size(bytes))
    })
}

/// Has a function called on each thread of the library when it starts and when it ends: to register threads with
/// the host's virtual machine. Calls come from several threads at once. NULL removes it.
///
/// May be NULL: `callback`, `user_data`, `release`.
///
/// **Ownership**: `user_data` is the library's until it is released, if there is a function: when these options
/// are freed and other ones are in force.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_runtime_options_set_thread_hook(
    runtime_options: Option<&mut hstream_runtime_options_t>,
    callback: hstream_thread_fn,
    user_data: *mut c_void,
    release: hstream_release_fn,
) -> hstream_code_t {
    boundary::run(None, || {
        let runtime_options = given(runtime_options, "runtime_options")?;
        let hook = callback.map(|_| Callback::new(callback, user_data, release));
        runtime_options.change(|options| match hook {
            Some(hook) => options.thread_hook(move |event, name| {
                hook.call(event == ThreadEvent::Starts, &Text::new(name));
            }),
            None => options.without_thread_hook(),
        })
    })
}

/// Sets an option by text: "worker.threads", "thread.name", "stack.size"; `hstream_options_schema_json` says what
/// they take.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_runtime_options_set(
    runtime_options: Option<&mut hstream_runtime_options_t>,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let runtime_options = given(runtime_options, "runtime_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        runtime_options.options.set(key, value)?;
        Ok(())
    })
}

/// Sets how the threads are that all clients of the process have in common; with NULL, back to the defaults. It
/// starts none, and is only needed for something else than the defaults. What is set holds for good, also when
/// all has been shut down in between.
///
/// May be NULL: `runtime_options`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE if the threads run already, as they do once there was a client.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_init(
    runtime_options: Option<&hstream_runtime_options_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        boundary::watch_forks();
        let options = runtime_options.map(|options| options.options.clone()).unwrap_or_default();
        runtime::init(options)?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_key_has_its_setter_in_the_header() {
        let header = include_str!("../../include/hstreamdb.h");
        for option in crate::options::RUNTIME {
            let setter = format!("hstream_runtime_options_set_{}(", option.key.replace('.', "_"));
            assert!(header.contains(&setter), "{setter}");
        }
    }
}
