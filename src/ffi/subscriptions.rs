//! Subscriptions, and who consumes them.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

use crate::admin::{ConsumerInfo, Subscription, SubscriptionOptions};
use crate::ffi::boundary::{self, Failure, Outcome, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::call::hstream_call_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::record_id::{HSTREAM_OFFSET_EARLIEST, HSTREAM_OFFSET_LATEST};
use crate::ffi::status::*;
use crate::ffi::streams::delete_options;
use crate::record_id::StartAt;

/// How a subscription is created.
#[derive(Clone, Default)]
pub struct hstream_subscription_options_t {
    options: SubscriptionOptions,
}

/// A subscription: a position in each shard of a stream, moved on by acks.
#[derive(Clone)]
pub struct hstream_subscription_t {
    subscription: Subscription,
    id: Text,
    stream: Text,
}

/// Subscriptions, sorted by id.
pub struct hstream_subscriptions_t {
    subscriptions: Box<[hstream_subscription_t]>,
}

/// The consumers of a subscription, as the server sees them.
pub struct hstream_consumer_infos_t {
    infos: Box<[Info]>,
}

struct Info {
    name: Text,
    uri: Text,
    user_agent: Text,
}

impl From<Subscription> for hstream_subscription_t {
    fn from(subscription: Subscription) -> Self {
        hstream_subscription_t {
            id: Text::new(subscription.id()),
            stream: Text::new(subscription.stream()),
            subscription,
        }
    }
}

impl From<&ConsumerInfo> for Info {
    fn from(info: &ConsumerInfo) -> Self {
        Info {
            name: Text::new(info.name()),
            uri: Text::new(info.uri()),
            user_agent: Text::new(info.user_agent()),
        }
    }
}

fn start_number(start: StartAt) -> i32 {
    match start {
        StartAt::Earliest => HSTREAM_OFFSET_EARLIEST,
        StartAt::Latest => HSTREAM_OFFSET_LATEST,
    }
}

/// A number that must be more than 0.
fn positive(number: i32, name: &'static str) -> Outcome<i32> {
    if number > 0 {
        Ok(number)
    } else {
        Err(Failure::invalid(format!("`{name}` is {number}; it must be more than 0")))
    }
}

fn seconds(subscription: &Subscription) -> i32 {
    i32::try_from(subscription.ack_timeout().as_secs()).unwrap_or(i32::MAX)
}

/// Makes options, all default: 600 s to ack, 10,000 unacked records, from the latest record on.
///
/// **Ownership**: The result is yours, to be freed with `hstream_subscription_options_free`; NULL if there
/// is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_subscription_options_new() -> *mut hstream_subscription_options_t {
    boundary::quiet(ptr::null_mut(), || handles::give(hstream_subscription_options_t::default()))
}

/// Frees options.
///
/// May be NULL: `subscription_options`.
///
/// **Ownership**: `subscription_options` is gone after it.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_options_free(
    subscription_options: *mut hstream_subscription_options_t,
) {
    boundary::quiet((), || {
        // SAFETY: `subscription_options` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(subscription_options) });
    });
}

/// Sets how long a delivered record may stay unacked before it is delivered again: default 600.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_options_set_ack_timeout_seconds(
    subscription_options: Option<&mut hstream_subscription_options_t>,
    seconds: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let subscription_options = given(subscription_options, "subscription_options")?;
        let timeout = Duration::from_secs(positive(seconds, "seconds")?.unsigned_abs().into());
        subscription_options.options = subscription_options.options.clone().ack_timeout(timeout);
        Ok(())
    })
}

/// Sets how many delivered records may be unacked, of all consumers together: default 10,000.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_options_set_max_unacked_records(
    subscription_options: Option<&mut hstream_subscription_options_t>,
    count: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let subscription_options = given(subscription_options, "subscription_options")?;
        let count = positive(count, "count")?;
        subscription_options.options = subscription_options.options.clone().max_unacked_records(count);
        Ok(())
    })
}

/// Sets where it starts: HSTREAM_OFFSET_EARLIEST, or HSTREAM_OFFSET_LATEST, which is the default.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_options_set_start(
    subscription_options: Option<&mut hstream_subscription_options_t>,
    r#where: i32,
) -> hstream_code_t {
    boundary::run(None, || {
        let subscription_options = given(subscription_options, "subscription_options")?;
        let start = match r#where {
            HSTREAM_OFFSET_EARLIEST => StartAt::Earliest,
            HSTREAM_OFFSET_LATEST => StartAt::Latest,
            other => {
                return Err(Failure::invalid(format!(
                    "`where` is {other}; a subscription can't start there"
                )));
            }
        };
        subscription_options.options = subscription_options.options.clone().start(start);
        Ok(())
    })
}

/// Sets any option by text. The keys are the names of the setters with dots, and `hstream_options_schema_json`
/// lists them with what they take.
///
/// May be NULL: `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: one at a time, and no other function on it meanwhile.
/// **Blocking**: no.
/// **Errors**: UNKNOWN_OPTION, INVALID_ARGUMENT, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_options_set(
    subscription_options: Option<&mut hstream_subscription_options_t>,
    key: *const c_char,
    value: *const c_char,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    boundary::run(err, || {
        let subscription_options = given(subscription_options, "subscription_options")?;
        // SAFETY: `key` is NULL or a NUL-terminated text, as the rules for callers say.
        let key = unsafe { bytes::text(key, "key") }?;
        // SAFETY: `value` is NULL or a NUL-terminated text, as the rules for callers say.
        let value = unsafe { bytes::text(value, "value") }?;
        subscription_options.options.set(key, value)?;
        Ok(())
    })
}

/// Creates a subscription to a stream. Its start is fixed now: what is appended between this call and the
/// first consumer is delivered.
///
/// May be NULL: `subscription_options`, `call`, `out`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_subscription_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: SUBSCRIPTION_EXISTS, SUBSCRIPTION_CREATION_ON_NONEXISTENT_STREAM, INVALID_ARGUMENT, TIMEOUT,
/// CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_create_subscription(
    client: *mut hstream_client_t,
    id: *const c_char,
    stream: *const c_char,
    subscription_options: Option<&hstream_subscription_options_t>,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_subscription_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `id` is NULL or a NUL-terminated text, as the rules for callers say.
        let id = unsafe { bytes::text(id, "id") }?;
        // SAFETY: `stream` is NULL or a NUL-terminated text, as the rules for callers say.
        let stream = unsafe { bytes::text(stream, "stream") }?;
        let options = subscription_options.map(|options| options.options.clone()).unwrap_or_default();
        let subscription = client.within(call)?.create_subscription(id, stream, options)?;
        if let Some(out) = out {
            out.write(handles::give(subscription.into()));
        }
        Ok(())
    })
}

/// Lists the subscriptions whose id begins so, sorted by id; NULL or "" lists all.
///
/// May be NULL: `prefix`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_subscriptions_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: UNAVAILABLE, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_list_subscriptions(
    client: *mut hstream_client_t,
    prefix: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_subscriptions_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `prefix` is NULL or a NUL-terminated text, as the rules for callers say.
        let prefix = unsafe { bytes::optional_text(prefix, "prefix") }?;
        let out = given(out, "out")?;
        let all = client.within(call)?.list_subscriptions_with_prefix(prefix.unwrap_or(""))?;
        let subscriptions = all.into_iter().map(hstream_subscription_t::from).collect();
        out.write(handles::give(hstream_subscriptions_t { subscriptions }));
        Ok(())
    })
}

/// Gets a subscription by its id, with its checkpoints.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_subscription_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: SUBSCRIPTION_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_get_subscription(
    client: *mut hstream_client_t,
    id: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_subscription_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `id` is NULL or a NUL-terminated text, as the rules for callers say.
        let id = unsafe { bytes::text(id, "id") }?;
        let out = given(out, "out")?;
        let subscription = client.within(call)?.get_subscription(id)?;
        out.write(handles::give(subscription.into()));
        Ok(())
    })
}

/// Deletes a subscription. HSTREAM_DELETE_FORCE: also one with consumers. HSTREAM_DELETE_IGNORE_MISSING:
/// one that is not there is no error.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: SUBSCRIPTION_NOT_FOUND, SUBSCRIPTION_FOUND_ACTIVE_CONSUMERS, TIMEOUT, INTERRUPTED, CLOSED,
/// UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_delete_subscription(
    client: *mut hstream_client_t,
    id: *const c_char,
    flags: u32,
    call: Option<&hstream_call_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `id` is NULL or a NUL-terminated text, as the rules for callers say.
        let id = unsafe { bytes::text(id, "id") }?;
        client.within(call)?.delete_subscription(id, delete_options(flags)?)?;
        Ok(())
    })
}

/// Says whether there is a subscription of this id: 1 or 0.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: What is given is copied.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_subscription_exists(
    client: *mut hstream_client_t,
    id: *const c_char,
    call: Option<&hstream_call_t>,
    exists: Option<&mut MaybeUninit<i32>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `id` is NULL or a NUL-terminated text, as the rules for callers say.
        let id = unsafe { bytes::text(id, "id") }?;
        let exists = given(exists, "exists")?;
        exists.write(client.within(call)?.subscription_exists(id)?.into());
        Ok(())
    })
}

/// Lists the consumers that are connected to a subscription now.
///
/// May be NULL: `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_consumer_infos_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: SUBSCRIPTION_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_list_consumers(
    client: *mut hstream_client_t,
    subscription_id: *const c_char,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_consumer_infos_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `subscription_id` is NULL or a NUL-terminated text, as the rules for callers say.
        let subscription_id = unsafe { bytes::text(subscription_id, "subscription_id") }?;
        let out = given(out, "out")?;
        let infos = client.within(call)?.list_consumers(subscription_id)?;
        let infos = infos.iter().map(Info::from).collect();
        out.write(handles::give(hstream_consumer_infos_t { infos }));
        Ok(())
    })
}

/// Writes how far a subscription is behind its stream, as one JSON object: "loaded", whether somebody has consumed since
/// its node started, without which there are no checkpoints; "shards", each with "shard_id", "tail_batch_id", which is at
/// or behind its last batch, "checkpoint_batch_id", up to which all is acked, or null, "caught_up", whether for certain all
/// is acked, and "batches", how many are not at most, or null where it can't be said; "caught_up" and "batches" of all
/// shards together. It is no snapshot. Keys are only added.
///
/// May be NULL: `call`, `text_len`, `err`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: SUBSCRIPTION_NOT_FOUND, INVALID_STATE if its stream was deleted by force, UNSUPPORTED by
/// servers before 0.16.0, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_subscription_lag(
    client: *mut hstream_client_t,
    subscription_id: *const c_char,
    call: Option<&hstream_call_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `subscription_id` is NULL or a NUL-terminated text, as the rules for callers say.
        let subscription_id = unsafe { bytes::text(subscription_id, "subscription_id") }?;
        let text = given(text, "text")?;
        let lag = client.within(call)?.subscription_lag(subscription_id)?;
        bytes::give_text(&lag.to_json(), text, text_len)
    })
}

/// Frees a list with its elements.
///
/// May be NULL: `subscriptions`.
///
/// **Ownership**: `subscriptions` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscriptions_free(subscriptions: *mut hstream_subscriptions_t) {
    boundary::quiet((), || {
        // SAFETY: `subscriptions` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(subscriptions) });
    });
}

/// Returns the number of elements.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscriptions_count(
    subscriptions: Option<&hstream_subscriptions_t>,
) -> usize {
    boundary::quiet(0, || {
        let Some(subscriptions) = subscriptions else { return 0 };
        subscriptions.subscriptions.len()
    })
}

/// Returns an element; NULL beyond the last.
///
/// **Ownership**: The result is borrowed from `subscriptions`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscriptions_at(
    subscriptions: Option<&hstream_subscriptions_t>,
    index: usize,
) -> *const hstream_subscription_t {
    boundary::quiet(ptr::null(), || {
        let Some(subscriptions) = subscriptions else { return ptr::null() };
        subscriptions.subscriptions.get(index).map_or(ptr::null(), ptr::from_ref)
    })
}

/// Frees a subscription's description; the subscription stays.
///
/// May be NULL: `subscription`.
///
/// **Ownership**: `subscription` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_free(subscription: *mut hstream_subscription_t) {
    boundary::quiet((), || {
        // SAFETY: `subscription` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(subscription) });
    });
}

/// Copies a description: to keep an element of a list.
///
/// **Ownership**: The result is yours, to be freed with `hstream_subscription_free`; NULL if there is none.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_subscription_clone(
    subscription: Option<&hstream_subscription_t>,
) -> *mut hstream_subscription_t {
    boundary::quiet(ptr::null_mut(), || {
        let Some(subscription) = subscription else { return ptr::null_mut() };
        handles::give(subscription.clone())
    })
}

/// Returns its id.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `subscription`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_id(
    subscription: Option<&hstream_subscription_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(subscription) = subscription else { return c"".as_ptr() };
        subscription.id.lend(len)
    })
}

/// Returns the stream it delivers; "__deleted_stream__" in lists when that was deleted by force.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `subscription`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_stream_name(
    subscription: Option<&hstream_subscription_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(subscription) = subscription else { return c"".as_ptr() };
        subscription.stream.lend(len)
    })
}

/// Returns how long a delivered record may stay unacked before it is delivered again.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_ack_timeout_seconds(
    subscription: Option<&hstream_subscription_t>,
) -> i32 {
    boundary::quiet(0, || {
        let Some(subscription) = subscription else { return 0 };
        seconds(&subscription.subscription)
    })
}

/// Returns how many delivered records may be unacked, of all consumers together.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_max_unacked_records(
    subscription: Option<&hstream_subscription_t>,
) -> i32 {
    boundary::quiet(0, || {
        let Some(subscription) = subscription else { return 0 };
        subscription.subscription.max_unacked_records()
    })
}

/// Returns where it started: HSTREAM_OFFSET_EARLIEST or HSTREAM_OFFSET_LATEST.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_start(subscription: Option<&hstream_subscription_t>) -> i32 {
    boundary::quiet(0, || {
        let Some(subscription) = subscription else { return 0 };
        start_number(subscription.subscription.start())
    })
}

/// Returns when it was created, in milliseconds since 1970; 0 if unknown.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_creation_time_ms(
    subscription: Option<&hstream_subscription_t>,
) -> i64 {
    boundary::quiet(0, || {
        let Some(subscription) = subscription else { return 0 };
        bytes::millis(subscription.subscription.created())
    })
}

/// Returns the number of checkpoints: only `hstream_client_get_subscription` has some.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_checkpoint_count(
    subscription: Option<&hstream_subscription_t>,
) -> usize {
    boundary::quiet(0, || {
        let Some(subscription) = subscription else { return 0 };
        subscription.subscription.checkpoints().len()
    })
}

/// Gets a checkpoint: a shard, and its last batch up to which all is acked, 0 for none.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT beyond the last.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_checkpoint_at(
    subscription: Option<&hstream_subscription_t>,
    index: usize,
    shard_id: Option<&mut MaybeUninit<u64>>,
    batch_id: Option<&mut MaybeUninit<u64>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let subscription = given(subscription, "subscription")?;
        let shard_id = given(shard_id, "shard_id")?;
        let batch_id = given(batch_id, "batch_id")?;
        let checkpoint = subscription.subscription.checkpoints().get(index);
        let (shard, batch) =
            checkpoint.ok_or_else(|| Failure::invalid("`index` is beyond the last checkpoint"))?;
        shard_id.write(*shard);
        batch_id.write(*batch);
        Ok(())
    })
}

/// Writes everything about it as one JSON object. Keys are only added.
///
/// May be NULL: `text_len`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_subscription_to_json(
    subscription: Option<&hstream_subscription_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let subscription = given(subscription, "subscription")?;
        let text = given(text, "text")?;
        let it = &subscription.subscription;
        let checkpoints: Vec<_> = it
            .checkpoints()
            .iter()
            .map(|(shard, batch)| serde_json::json!({ "shard_id": shard, "batch_id": batch }))
            .collect();
        let json = serde_json::json!({
            "id": it.id(),
            "stream_name": it.stream(),
            "ack_timeout_seconds": seconds(it),
            "max_unacked_records": it.max_unacked_records(),
            "start": start_number(it.start()),
            "creation_time_ms": bytes::millis(it.created()),
            "checkpoints": checkpoints,
        });
        bytes::give_text(&json.to_string(), text, text_len)
    })
}

/// Frees a list.
///
/// May be NULL: `consumer_infos`.
///
/// **Ownership**: `consumer_infos` is gone after it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_infos_free(consumer_infos: *mut hstream_consumer_infos_t) {
    boundary::quiet((), || {
        // SAFETY: `consumer_infos` is NULL or the caller's, and is freed once, as the rules for callers say.
        drop(unsafe { handles::take(consumer_infos) });
    });
}

/// Returns the number of consumers.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_infos_count(
    consumer_infos: Option<&hstream_consumer_infos_t>,
) -> usize {
    boundary::quiet(0, || {
        let Some(consumer_infos) = consumer_infos else { return 0 };
        consumer_infos.infos.len()
    })
}

/// Returns a consumer's name; "" beyond the last.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `consumer_infos`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_infos_name(
    consumer_infos: Option<&hstream_consumer_infos_t>,
    index: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(consumer_infos) = consumer_infos else { return c"".as_ptr() };
        consumer_infos.infos.get(index).map_or(c"".as_ptr(), |info| info.name.lend(len))
    })
}

/// Returns where a consumer connects from; "" beyond the last.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `consumer_infos`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_infos_uri(
    consumer_infos: Option<&hstream_consumer_infos_t>,
    index: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(consumer_infos) = consumer_infos else { return c"".as_ptr() };
        consumer_infos.infos.get(index).map_or(c"".as_ptr(), |info| info.uri.lend(len))
    })
}

/// Returns what a consumer says it is; "" beyond the last.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `consumer_infos`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_infos_user_agent(
    consumer_infos: Option<&hstream_consumer_infos_t>,
    index: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || {
        let Some(consumer_infos) = consumer_infos else { return c"".as_ptr() };
        consumer_infos.infos.get(index).map_or(c"".as_ptr(), |info| info.user_agent.lend(len))
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        // SAFETY: what is passed lives or is NULL.
        unsafe {
            let options = hstream_subscription_options_new();
            let bad = HSTREAM_ERR_INVALID_ARGUMENT;
            assert_eq!(hstream_subscription_options_set_ack_timeout_seconds(options.as_mut(), 0), bad);
            assert_eq!(hstream_subscription_options_set_max_unacked_records(options.as_mut(), -1), bad);
            assert_eq!(hstream_subscription_options_set_start(options.as_mut(), 2), bad);
            assert_eq!(hstream_subscription_options_set_start(options.as_mut(), 0), HSTREAM_OK);
            assert_eq!(hstream_subscription_options_set_start(None, 0), HSTREAM_ERR_NULL_ARGUMENT);
            hstream_subscription_options_free(options);
        }
    }

    #[test]
    fn null_is_survived() {
        // SAFETY: NULL is allowed.
        unsafe {
            let (null, id) = (ptr::null_mut(), c"s".as_ptr());
            let expected = HSTREAM_ERR_NULL_ARGUMENT;
            assert_eq!(hstream_client_create_subscription(null, id, id, None, None, None, None), expected);
            assert_eq!(hstream_client_list_subscriptions(null, id, None, None, None), expected);
            assert_eq!(hstream_client_get_subscription(null, id, None, None, None), expected);
            assert_eq!(hstream_client_delete_subscription(null, id, 0, None, None), expected);
            assert_eq!(hstream_client_subscription_exists(null, id, None, None, None), expected);
            assert_eq!(hstream_client_list_consumers(null, id, None, None, None), expected);
            assert_eq!(hstream_subscription_checkpoint_at(None, 0, None, None), expected);
            assert_eq!(hstream_subscriptions_count(None), 0);
            assert!(hstream_subscriptions_at(None, 0).is_null());
            assert_eq!(hstream_subscription_id(None, None).read(), 0);
            assert_eq!(hstream_consumer_infos_name(None, 0, None).read(), 0);
            hstream_subscriptions_free(ptr::null_mut());
            hstream_subscription_free(ptr::null_mut());
            hstream_consumer_infos_free(ptr::null_mut());
        }
    }
}
