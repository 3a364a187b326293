//! Consumers.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

use crate::consumer::dispatch::Handler;
use crate::consumer::{Consumer, ConsumerState, Next, WaitingFor};
use crate::error::{Error, ErrorKind};
use crate::ffi::batch::hstream_batch_t;
use crate::ffi::boundary::{self, Failure, given};
use crate::ffi::bytes::{self, Text};
use crate::ffi::call::{self, Interrupt, hstream_call_t};
use crate::ffi::callback::{Callback, hstream_batch_fn};
use crate::ffi::cancel::hstream_cancel_t;
use crate::ffi::client::hstream_client_t;
use crate::ffi::consumer_config::hstream_consumer_options_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles::{self, Life, LongLived};
use crate::ffi::record::hstream_record_t;
use crate::ffi::record_id::hstream_record_id_t;
use crate::ffi::status::*;
use crate::received::Batch;
use crate::record_id::RecordId;
use crate::runtime::spawn_thread;
use crate::test_panic;
use crate::wait::Wait;

/// Go on; with auto-ack, the whole batch is acked.
pub const HSTREAM_PROCESSED: i32 = 0;
/// Go on, and leave the batch unacked.
pub const HSTREAM_KEEP: i32 = 1;
/// Processed, and no more: the consumer or reader stops.
pub const HSTREAM_STOP: i32 = 2;

/// It has no connection.
pub const HSTREAM_WAITING_CONNECTION: i32 = 0;
/// It has as many unacked records as the subscription allows.
pub const HSTREAM_WAITING_ACKS: i32 = 1;
/// What was received has to be polled first, or the callback has to return.
pub const HSTREAM_WAITING_BUFFER: i32 = 2;
/// There are none for it.
pub const HSTREAM_WAITING_RECORDS: i32 = 3;

/// Not started.
pub const HSTREAM_STATE_IDLE: i32 = 0;
/// Connecting for the first time.
pub const HSTREAM_STATE_CONNECTING: i32 = 1;
/// Connected; records come when there are some.
pub const HSTREAM_STATE_RUNNING: i32 = 2;
/// The connection was lost, and is being made again.
pub const HSTREAM_STATE_RECONNECTING: i32 = 3;
/// Stopped; it can be started again.
pub const HSTREAM_STATE_STOPPED: i32 = 4;
/// Closed.
pub const HSTREAM_STATE_CLOSED: i32 = 5;
/// Ended by an error.
pub const HSTREAM_STATE_FAILED: i32 = 6;

/// One consumer of a subscription.
pub struct hstream_consumer_t {
    life: Life,
    consumer: Consumer,
    callback: Option<Callback<hstream_batch_fn>>,
    name: Text,
    subscription: Text,
    interrupt: Interrupt,
}

impl LongLived for hstream_consumer_t {
    const NAME: &'static str = "consumer";

    fn end(&self, limit: Wait) -> Result<(), Error> {
        self.consumer.close(limit)
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

impl hstream_consumer_t {
    fn start(&self) -> Result<(), Error> {
        match &self.callback {
            Some(callback) => self.consumer.start_handler(Delivery(callback.clone())),
            None => self.consumer.start(),
        }
    }

    fn runs(&self) -> bool {
        let state = self.consumer.state();
        matches!(state, ConsumerState::Connecting | ConsumerState::Running | ConsumerState::Reconnecting)
    }
}

pub(crate) fn number_of_state(state: ConsumerState) -> i32 {
    match state {
        ConsumerState::Idle => HSTREAM_STATE_IDLE,
        ConsumerState::Connecting => HSTREAM_STATE_CONNECTING,
        ConsumerState::Running => HSTREAM_STATE_RUNNING,
        ConsumerState::Reconnecting => HSTREAM_STATE_RECONNECTING,
        ConsumerState::Stopped => HSTREAM_STATE_STOPPED,
        ConsumerState::Closed => HSTREAM_STATE_CLOSED,
        ConsumerState::Failed => HSTREAM_STATE_FAILED,
    }
}

/// Delivers to the function of a C program.
struct Delivery(Callback<hstream_batch_fn>);

impl Handler for Delivery {
    fn batch(&mut self, consumer: &Consumer, batch: &Batch) -> Next {
        let lent = Arc::new(hstream_batch_t::new(batch.clone()));
        match self.0.call(Arc::as_ptr(&lent), ptr::null()) {
            HSTREAM_PROCESSED => Next::Processed,
            HSTREAM_KEEP => Next::Keep,
            HSTREAM_STOP => Next::Stop,
            other => {
                let subscription = consumer.subscription();
                tracing::error!(
                    subscription,
                    returned = other,
                    "a batch callback returned a number without meaning"
                );
                // Nothing is lost by it.
                Next::Keep
            }
        }
    }

    fn ended(&mut self, failure: Option<&Error>) {
        let error = failure.map(hstream_error_t::of);
        self.0.call(ptr::null(), error.as_ref().map_or(ptr::null(), ptr::from_ref));
    }
}

/// Ends a consumer without waiting for the network: the free of a C program.
fn cancel(handle: Arc<hstream_consumer_t>) {
    let unsent = handle.consumer.pending_acks();
    match handle.consumer.close(Wait::no()) {
        Err(error) if error.kind() == ErrorKind::WouldDeadlock => {
            // Its own callback frees it: deferred until that has returned.
            let closer = spawn_thread("hstream-stop".into(), move || {
                let _ = handle.consumer.close(Wait::no());
            });
            if let Err(error) = closer {
                tracing::error!(%error, "a consumer could not be closed");
            }
        }
        _ if unsent > 0 => {
            let subscription = handle.consumer.subscription();
            tracing::warn!(subscription, unsent, "a consumer was freed with acks on the way");
        }
        _ => {}
    }
}

/// Makes a consumer of a subscription, which must exist. It begins with the first poll, or with
/// `hstream_consumer_start`. `call` is for looking that up, and not for what the consumer does later.
///
/// May be NULL: `consumer_options`, `call`, `err`.
///
/// **Ownership**: `*out` is yours, to be freed with `hstream_consumer_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until the call's time-out.
/// **Errors**: SUBSCRIPTION_NOT_FOUND, INVALID_ARGUMENT, TIMEOUT, INTERRUPTED, CLOSED, UTF8.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_consumer_new(
    client: *mut hstream_client_t,
    subscription_id: *const c_char,
    consumer_options: Option<&hstream_consumer_options_t>,
    call: Option<&hstream_call_t>,
    out: Option<&mut MaybeUninit<*mut hstream_consumer_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        // SAFETY: `subscription_id` is NULL or a NUL-terminated text, as the rules for callers say.
        let subscription_id = unsafe { bytes::text(subscription_id, "subscription_id") }?;
        let out = given(out, "out")?;
        let (config, callback) = consumer_options.map(|options| options.parts()).unwrap_or_default();
        let finder = client.within(call)?;
        let consumer = client.parent().consumer_found_by(&finder, subscription_id, config)?;
        let (name, subscription) = (Text::new(consumer.name()), Text::new(subscription_id));
        let consumer = hstream_consumer_t {
            life: Life::new(),
            consumer,
            callback,
            name,
            subscription,
            interrupt: client.interrupt(),
        };
        out.write(handles::register(consumer));
        Ok(())
    })
}

/// Begins, or goes on after a stop. A consumer without callback does so by itself at the first poll.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE if it delivers to its callback already, CLOSED, RESOURCES, why it failed.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_start(
    consumer: *mut hstream_consumer_t,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        consumer.start()?;
        Ok(())
    })
}

/// Gets up to `max_records` records, as soon as there are any; NULL when none came in time. Several threads
/// may poll: each record goes to one of them.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: `*out` is NULL or yours, to be freed with `hstream_batch_free`.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: CLOSED, INTERRUPTED, INVALID_STATE if it was stopped or has a callback, why it failed.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_poll(
    consumer: *mut hstream_consumer_t,
    max_records: u32,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    out: Option<&mut MaybeUninit<*mut hstream_batch_t>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        let limit = call::wait(timeout_ms, cancel, &consumer.interrupt)?;
        let out = given(out, "out")?;
        if consumer.callback.is_some() {
            let text = "the consumer delivers to its callback; it can't be polled as well";
            return Err(Failure::refused(HSTREAM_ERR_INVALID_STATE, text));
        }
        let max = usize::try_from(max_records).unwrap_or(usize::MAX);
        test_panic::point("call", consumer.consumer.subscription());
        let batch = consumer.consumer.poll(max, limit)?;
        out.write(
            batch.map_or(ptr::null_mut(), |batch| handles::share(Arc::new(hstream_batch_t::new(batch)))),
        );
        Ok(())
    })
}

/// Begins delivery to the callback, if it has not begun, and waits until the consumer is stopped, closed or
/// failed. OK if it was stopped as asked.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: INVALID_STATE without a callback, TIMEOUT, INTERRUPTED (it goes on then), WOULD_DEADLOCK,
/// why it failed.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_run(
    consumer: *mut hstream_consumer_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        let limit = call::wait(timeout_ms, cancel, &consumer.interrupt)?;
        if consumer.callback.is_none() {
            let text = "the consumer has no callback; poll it";
            return Err(Failure::refused(HSTREAM_ERR_INVALID_STATE, text));
        }
        match consumer.start() {
            // Somebody has started it.
            Err(error) if error.kind() == ErrorKind::InvalidState && consumer.runs() => {}
            started => started?,
        }
        consumer.consumer.wait(limit)?;
        Ok(())
    })
}

/// Acks records: they are not delivered again. Acking one again is harmless.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT if one is of a shard that this consumer was given nothing of; then none is
/// acked. CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_ack(
    consumer: *mut hstream_consumer_t,
    ids: *const hstream_record_id_t,
    ids_count: usize,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        // SAFETY: `ids` is NULL or has `ids_count` elements, as the rules for callers say.
        let ids = unsafe { bytes::array(ids, ids_count, "ids") }?;
        let ids: Vec<RecordId> = ids.iter().map(RecordId::from).collect();
        consumer.consumer.ack(&ids)?;
        Ok(())
    })
}

/// Acks all records of a shard that were handed out, up to and with this one.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT if this consumer was given no record of its shard, CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_ack_up_to(
    consumer: *mut hstream_consumer_t,
    last: Option<&hstream_record_id_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        let last = given(last, "last")?;
        consumer.consumer.ack_up_to(last.into())?;
        Ok(())
    })
}

/// Acks one received record.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_STATE for one that was not received, INVALID_ARGUMENT, CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_ack_record(
    consumer: *mut hstream_consumer_t,
    record: Option<&hstream_record_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        let record = given(record, "record")?;
        let id = record.id().ok_or_else(|| {
            Failure::refused(HSTREAM_ERR_INVALID_STATE, "a record that was not received can't be acked")
        })?;
        consumer.consumer.ack(&[id])?;
        Ok(())
    })
}

/// Acks all records of a batch.
///
/// May be NULL: `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: INVALID_ARGUMENT, CLOSED.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_ack_batch(
    consumer: *mut hstream_consumer_t,
    batch: Option<&hstream_batch_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        let batch = given(batch, "batch")?;
        consumer.consumer.ack_batch(batch.batch())?;
        Ok(())
    })
}

/// Waits until all acks have been sent. The server confirms none; a close makes sure.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT, INTERRUPTED; they lose nothing.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_flush_acks(
    consumer: *mut hstream_consumer_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        let limit = call::wait(timeout_ms, cancel, &consumer.interrupt)?;
        consumer.consumer.flush_acks(limit)?;
        Ok(())
    })
}

/// Returns how many acks have not been sent.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_pending_acks(consumer: *mut hstream_consumer_t) -> u64 {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::ask(consumer, 0, |consumer| consumer.consumer.pending_acks() as u64)
}

/// Returns how many records were handed out and not acked. Those count no more that the server delivers again,
/// because the subscription's ack time-out is over.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_unacked_records(consumer: *mut hstream_consumer_t) -> u64 {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::ask(consumer, 0, |consumer| consumer.consumer.unacked_records())
}

/// Returns for how many milliseconds the oldest of these has waited for its ack; 0 if there are none.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_oldest_unacked_ms(consumer: *mut hstream_consumer_t) -> i64 {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::ask(consumer, 0, |consumer| {
        let age = consumer.consumer.oldest_unacked().unwrap_or_default();
        i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Returns why no records come, where none come: HSTREAM_WAITING_*. New ones may come.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_waiting_for(consumer: *mut hstream_consumer_t) -> i32 {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::ask(consumer, HSTREAM_WAITING_CONNECTION, |consumer| match consumer.consumer.waiting_for() {
        WaitingFor::Connection => HSTREAM_WAITING_CONNECTION,
        WaitingFor::Acks => HSTREAM_WAITING_ACKS,
        WaitingFor::Buffer => HSTREAM_WAITING_BUFFER,
        WaitingFor::Records => HSTREAM_WAITING_RECORDS,
    })
}

/// Returns a descriptor that is readable while `hstream_consumer_poll` would return at once, for event loops; -1
/// where there is none. The consumer must have been started.
///
/// **Ownership**: It is the consumer's: only to be waited for, and not to be read or closed.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_event_fd(consumer: *mut hstream_consumer_t) -> i32 {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::ask(consumer, -1, |consumer| bytes::descriptor(consumer.consumer.event_fd()))
}

/// Stops delivery, sends the acks and gives the shards back; `hstream_consumer_start` begins again. In its
/// own callback it is a request, which takes effect when that returns.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT, INTERRUPTED, CLOSED, UNAVAILABLE if the acks were not taken, why it failed.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_stop(
    consumer: *mut hstream_consumer_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::on(consumer, "consumer", err, |consumer| {
        let limit = call::wait(timeout_ms, cancel, &consumer.interrupt)?;
        consumer.consumer.stop(limit)?;
        Ok(())
    })
}

/// Stops, and ends the consumer for good. After it no callback runs; if it succeeds, the server has all
/// acks. Closing twice is fine.
///
/// May be NULL: `cancel`, `err`.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: until `timeout_ms`.
/// **Errors**: TIMEOUT if acks were given up; it is closed all the same. INTERRUPTED; WOULD_DEADLOCK in its
/// own callback.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_close(
    consumer: *mut hstream_consumer_t,
    timeout_ms: i64,
    cancel: Option<&hstream_cancel_t>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::closing(consumer, "consumer", err, |consumer| {
        let limit = call::wait(timeout_ms, cancel, &consumer.interrupt)?;
        consumer.consumer.close(limit)?;
        Ok(())
    })
}

/// Frees a consumer. Without a close before, it is cancelled: acks that were not sent are lost, with a
/// warning. In its own callback it is deferred until that has returned.
///
/// May be NULL: `consumer`.
///
/// **Ownership**: `consumer` is gone after it.
/// **Threads**: any, once.
/// **Blocking**: until a running callback of it has returned.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_free(consumer: *mut hstream_consumer_t) {
    boundary::freeing(|| {
        // SAFETY: `consumer` is NULL or was handed out, as the rules for callers say.
        if let Some(consumer) = unsafe { handles::retire(consumer) } {
            cancel(consumer);
        }
    });
}

/// Returns its name.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `consumer`.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_name(
    consumer: *mut hstream_consumer_t,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    let len = bytes::zeroed(len);
    boundary::ask(consumer, c"".as_ptr(), |consumer| consumer.name.lend(len))
}

/// Returns the subscription.
///
/// May be NULL: `len`.
///
/// **Ownership**: The result is borrowed from `consumer`.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_subscription_id(
    consumer: *mut hstream_consumer_t,
    len: Option<&mut MaybeUninit<usize>>,
) -> *const c_char {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    let len = bytes::zeroed(len);
    boundary::ask(consumer, c"".as_ptr(), |consumer| consumer.subscription.lend(len))
}

/// Returns what it is doing: HSTREAM_STATE_*.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_state(consumer: *mut hstream_consumer_t) -> i32 {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::ask(consumer, HSTREAM_STATE_CLOSED, |consumer| number_of_state(consumer.consumer.state()))
}

/// Returns why it failed, or why it lost its connection last.
///
/// **Ownership**: The result is yours, to be freed with `hstream_error_free`; NULL if there is none.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_consumer_last_error(
    consumer: *mut hstream_consumer_t,
) -> *mut hstream_error_t {
    // SAFETY: `consumer` is NULL or a living handle, as the rules for callers say.
    let consumer = unsafe { handles::enter(consumer) };
    boundary::ask(consumer, ptr::null_mut(), |consumer| {
        let error = consumer.consumer.last_error();
        error.map_or(ptr::null_mut(), |error| handles::give(hstream_error_t::of(&error)))
    })
}

#[cfg(test)]
#[allow(clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    #[test]
    fn null_is_survived() {
        // SAFETY: NULL is allowed.
        unsafe {
            let null = ptr::null_mut::<hstream_consumer_t>();
            let expected = HSTREAM_ERR_NULL_ARGUMENT;
            assert_eq!(
                hstream_consumer_new(ptr::null_mut(), c"s".as_ptr(), None, None, None, None),
                expected
            );
            assert_eq!(hstream_consumer_start(null, None), expected);
            assert_eq!(hstream_consumer_poll(null, 1, 0, None, None, None), expected);
            assert_eq!(hstream_consumer_run(null, 0, None, None), expected);
            assert_eq!(hstream_consumer_ack(null, ptr::null(), 1, None), expected);
            assert_eq!(hstream_consumer_ack_record(null, None, None), expected);
            assert_eq!(hstream_consumer_ack_batch(null, None, None), expected);
            assert_eq!(hstream_consumer_flush_acks(null, 0, None, None), expected);
            assert_eq!(hstream_consumer_stop(null, 0, None, None), expected);
            assert_eq!(hstream_consumer_close(null, 0, None, None), expected);
            assert_eq!(hstream_consumer_pending_acks(null), 0);
            assert_eq!(hstream_consumer_name(null, None).read(), 0);
            assert_eq!(hstream_consumer_state(null), HSTREAM_STATE_CLOSED);
            assert!(hstream_consumer_last_error(null).is_null());
            hstream_consumer_free(null);
        }
    }
}
