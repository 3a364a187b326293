//! Events of a client.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use crate::event::{Event, EventKind, SubjectKind};
use crate::ffi::boundary::{self, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::callback::{Callback, hstream_event_fn};
use crate::ffi::consumer::number_of_state;
use crate::ffi::error::hstream_error_t;
use crate::ffi::status::*;

/// A node does not answer any more. Told once, until it has answered again.
pub const HSTREAM_EVENT_NODE_LOST: i32 = 1;
/// A consumer lost its connection, or got none, and goes on trying. Told once, until it has one.
pub const HSTREAM_EVENT_RECONNECTING: i32 = 2;
/// It is over: a node that was lost has answered, or a consumer has a connection again.
pub const HSTREAM_EVENT_RECONNECTED: i32 = 3;
/// A consumer does something else than before.
pub const HSTREAM_EVENT_CONSUMER_STATE: i32 = 4;
/// A failure stopped one shard of a producer.
pub const HSTREAM_EVENT_SHARD_STOPPED: i32 = 5;
/// A consumer was closed or stopped, and the server may not have all of its acks.
pub const HSTREAM_EVENT_ACKS_UNSENT: i32 = 6;
/// Certificate files have changed and can't be used; the old ones stay.
pub const HSTREAM_EVENT_TLS_RELOAD_FAILED: i32 = 7;
/// The cluster has other nodes than before.
pub const HSTREAM_EVENT_CLUSTER_CHANGED: i32 = 8;
/// A consumer received a batch that it can't read.
pub const HSTREAM_EVENT_BAD_BATCH: i32 = 9;
/// Records were not acked within the subscription's time-out, and are delivered again.
pub const HSTREAM_EVENT_ACKS_OVERDUE: i32 = 10;

/// An event is about the client as a whole.
pub const HSTREAM_SUBJECT_CLIENT: i32 = 1;
/// About a producer; the subject is the stream.
pub const HSTREAM_SUBJECT_PRODUCER: i32 = 2;
/// About a consumer; the subject is the subscription.
pub const HSTREAM_SUBJECT_CONSUMER: i32 = 3;
/// About a reader; the subject is the stream.
pub const HSTREAM_SUBJECT_READER: i32 = 4;

/// Something that operators may want to know. Lent to a callback; read it there, from any thread.
pub struct hstream_event_t {
    event: Event,
    subject: Text,
    address: Text,
    error: Option<hstream_error_t>,
}

impl hstream_event_t {
    fn new(event: &Event) -> Self {
        hstream_event_t {
            subject: Text::new(event.subject()),
            address: Text::new(event.node()),
            error: event.error().map(hstream_error_t::of),
            event: event.clone(),
        }
    }
}

/// What a client calls for the function of a C program.
pub(crate) fn teller(callback: Callback<hstream_event_fn>) -> impl Fn(&Event) + Send + Sync + 'static {
    move |event| callback.call(&hstream_event_t::new(event))
}

/// Returns what happened: HSTREAM_EVENT_*. New ones may come.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_event_kind(event: Option<&hstream_event_t>) -> i32 {
    boundary::quiet(0, || {
        let Some(event) = event else { return 0 };
        match event.event.kind() {
            EventKind::NodeLost => HSTREAM_EVENT_NODE_LOST,
            EventKind::Reconnecting => HSTREAM_EVENT_RECONNECTING,
            EventKind::Reconnected => HSTREAM_EVENT_RECONNECTED,
            EventKind::ConsumerState => HSTREAM_EVENT_CONSUMER_STATE,
            EventKind::ShardStopped => HSTREAM_EVENT_SHARD_STOPPED,
            EventKind::AcksUnsent => HSTREAM_EVENT_ACKS_UNSENT,
            EventKind::TlsReloadFailed => HSTREAM_EVENT_TLS_RELOAD_FAILED,
            EventKind::ClusterChanged => HSTREAM_EVENT_CLUSTER_CHANGED,
            EventKind::BadBatch => HSTREAM_EVENT_BAD_BATCH,
            EventKind::AcksOverdue => HSTREAM_EVENT_ACKS_OVERDUE,
        }
    })
}

/// Returns what the event is about: HSTREAM_SUBJECT_*.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_event_subject_kind(event: Option<&hstream_event_t>) -> i32 {
    boundary::quiet(0, || {
        let Some(event) = event else { return 0 };
        match event.event.subject_kind() {
            SubjectKind::Client => HSTREAM_SUBJECT_CLIENT,
            SubjectKind::Producer => HSTREAM_SUBJECT_PRODUCER,
            SubjectKind::Consumer => HSTREAM_SUBJECT_CONSUMER,
            SubjectKind::Reader => HSTREAM_SUBJECT_READER,
        }
    })
}

/// Returns the stream or the subscription; "" for the client.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `event`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_event_subject(
    event: Option<&hstream_event_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || event.map_or(c"".as_ptr(), |event| event.subject.lend(len)))
}

/// Returns what a consumer is doing now, HSTREAM_STATE_*, in events of HSTREAM_EVENT_CONSUMER_STATE; -1 in others.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_event_state(event: Option<&hstream_event_t>) -> i32 {
    boundary::quiet(-1, || event.and_then(|event| event.event.state()).map_or(-1, number_of_state))
}

/// Returns the node, as host:port; "" if it has to do with none.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `event`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_event_address(
    event: Option<&hstream_event_t>,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    let len = bytes::zeroed(len);
    boundary::quiet(c"".as_ptr(), || event.map_or(c"".as_ptr(), |event| event.address.lend(len)))
}

/// Returns why, if something failed; NULL if not.
///
/// **Ownership**: The result is borrowed from `event`; `hstream_error_clone` keeps it.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_event_error(event: Option<&hstream_event_t>) -> *const hstream_error_t {
    boundary::quiet(ptr::null(), || {
        event.and_then(|event| event.error.as_ref()).map_or(ptr::null(), ptr::from_ref)
    })
}

/// Returns when it happened, in milliseconds since 1970.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_event_time_ms(event: Option<&hstream_event_t>) -> i64 {
    boundary::quiet(0, || bytes::millis(event.map(|event| event.event.time())))
}

/// Writes everything about an event as one JSON object, with a line for people as its `message`. Keys are only
/// added.
///
/// May be NULL: `text_len`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_event_to_json(
    event: Option<&hstream_event_t>,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
) -> hstream_code_t {
    boundary::run(None, || {
        let event = given(event, "event")?;
        let text = given(text, "text")?;
        bytes::give_text(&event.event.to_json(), text, text_len)
    })
}
