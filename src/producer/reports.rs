//! Outcomes, reported batch by batch.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::codec::record as wire;
use crate::error::{Error, Result};
use crate::producer::config::ReportMode;
use crate::producer::delivery::Written;
use crate::record::Record;
use crate::record_id::RecordId;
use crate::runtime::spawn_thread;

/// The outcomes of the records of one batch, in the order in which they were appended.
#[derive(Clone)]
pub struct Deliveries {
    pub(crate) stream: Arc<str>,
    pub(crate) shard_id: u64,
    pub(crate) tags: Arc<[u64]>,
    pub(crate) outcome: Result<Written>,
    /// The encoded records, of a batch that failed.
    pub(crate) records: Option<Bytes>,
}

impl Deliveries {
    /// The stream they were appended to.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The shard they went to, or should have gone to.
    pub fn shard_id(&self) -> u64 {
        self.shard_id
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Why they were not written; `None` if they were. A batch is written as a whole or not at all.
    pub fn error(&self) -> Option<&Error> {
        self.outcome.as_ref().err()
    }

    /// The outcomes one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Delivered<'_>> {
        (0..self.len()).map(|index| Delivered { tag: self.tags[index], deliveries: self, index })
    }

    /// The records of a batch that failed, in order, to be appended again or kept elsewhere; empty if it was
    /// written.
    pub fn records(&self) -> Vec<Record> {
        let Some(bytes) = &self.records else { return Vec::new() };
        // We encoded them, so they decode.
        let layouts = wire::decode_all(bytes).unwrap_or_default();
        layouts.into_iter().flatten().map(|layout| record(bytes, &layout)).collect()
    }
}

fn record(bytes: &Bytes, layout: &wire::Layout) -> Record {
    let key = std::str::from_utf8(&bytes[layout.key.clone()]).unwrap_or_default();
    let mut record = Record::from_parts(layout.kind, bytes.slice(layout.payload.clone())).with_key(key);
    for (name, value) in layout.attributes.iter().flat_map(|header| wire::attributes(bytes, header.clone())) {
        record.set_attribute(name, value);
    }
    record
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries")
            .field("stream", &self.stream)
            .field("shard_id", &self.shard_id)
            .field("len", &self.len())
            .field("outcome", &self.outcome)
            .finish()
    }
}

/// The outcome of one record.
#[derive(Clone, Copy, Debug)]
pub struct Delivered<'a> {
    tag: u64,
    deliveries: &'a Deliveries,
    index: usize,
}

impl<'a> Delivered<'a> {
    /// What the caller gave the record when it was appended.
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// Its id, or why it has none.
    ///
    /// # Errors
    ///
    /// It failed; it was [`Aborted`](crate::ErrorKind::Aborted), which is never sent; or nobody can tell
    /// ([`is_ambiguous`](Error::is_ambiguous)).
    pub fn result(&self) -> Result<RecordId, &'a Error> {
        self.deliveries.outcome.as_ref().map(|written| written.id(self.index))
    }
}

pub(crate) type DeliveryCallback = Box<dyn FnMut(&Deliveries) + Send>;

/// A report on its way, and what is to happen then.
pub(crate) struct Report {
    pub(crate) deliveries: Deliveries,
    /// When the callback has returned, or the report can be polled: flushes wait for it.
    pub(crate) reported: Box<dyn FnOnce() + Send>,
    /// When it takes no more room.
    pub(crate) gone: Box<dyn FnOnce() + Send>,
}

impl Report {
    /// Nobody is told.
    fn drop_unseen(self) {
        (self.reported)();
        (self.gone)();
    }
}

/// Where reports go.
pub(crate) enum Reporter {
    Nowhere,
    Callback(CallbackThread),
    Queue(ReportQueue),
}

impl Reporter {
    pub(crate) fn new(mode: ReportMode) -> Result<Self> {
        Ok(match mode {
            ReportMode::None => Reporter::Nowhere,
            ReportMode::Callback(callback) => Reporter::Callback(CallbackThread::start(callback)?),
            ReportMode::Poll => Reporter::Queue(ReportQueue::default()),
        })
    }

    pub(crate) fn wants_reports(&self) -> bool {
        !matches!(self, Reporter::Nowhere)
    }

    pub(crate) fn report(&self, report: Report) {
        match self {
            Reporter::Nowhere => report.drop_unseen(),
            Reporter::Callback(thread) => thread.send(report),
            Reporter::Queue(queue) => queue.push(report),
        }
    }

    /// Whether this is the thread that runs the callback.
    pub(crate) fn is_this_thread(&self) -> bool {
        matches!(self, Reporter::Callback(thread) if RUNS_CALLBACK.get() == thread.number)
    }

    /// Waits for the running callback, after which none runs any more.
    pub(crate) fn stop(&self) {
        if let Reporter::Callback(thread) = self {
            thread.stop();
        }
    }
}

thread_local! {
    /// The number of the callback thread that this is; 0 for all others. Asked on each append, so it must be
    /// cheaper than the thread's id.
    static RUNS_CALLBACK: Cell<usize> = const { Cell::new(0) };
}

/// The thread that runs the callback of one producer.
pub(crate) struct CallbackThread {
    number: usize,
    /// Bounded by the producer's limit of unreported records. `None` once stopped.
    reports: Mutex<Option<crossbeam_channel::Sender<Report>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl CallbackThread {
    fn start(mut callback: DeliveryCallback) -> Result<Self> {
        let (reports, queue) = crossbeam_channel::unbounded::<Report>();
        static THREADS: AtomicUsize = AtomicUsize::new(1);
        let number = THREADS.fetch_add(1, Ordering::Relaxed);
        let thread = spawn_thread(next_callback_thread_name(), move || {
            RUNS_CALLBACK.set(number);
            for report in queue {
                let called = catch_unwind(AssertUnwindSafe(|| callback(&report.deliveries)));
                if called.is_err() {
                    tracing::error!(stream = &*report.deliveries.stream, "a delivery callback panicked");
                }
                (report.reported)();
                (report.gone)();
            }
        })?;
        Ok(CallbackThread { number, reports: Mutex::new(Some(reports)), thread: Mutex::new(Some(thread)) })
    }

    fn send(&self, report: Report) {
        let sender = self.reports.lock().clone();
        // After its end nobody is told any more, but whoever waits for the report must not wait for ever.
        let unsent = match sender {
            Some(sender) => sender.send(report).err().map(|error| error.0),
            None => Some(report),
        };
        if let Some(report) = unsent {
            report.drop_unseen();
        }
    }

    fn stop(&self) {
        drop(self.reports.lock().take());
        let thread = self.thread.lock().take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

/// Callback threads are numbered through the process, whatever they serve.
pub(crate) fn next_callback_thread_name() -> String {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    format!("hstream-cb-{}", THREADS.fetch_add(1, Ordering::Relaxed))
}

/// A report that waits to be polled, and what is to happen when it no longer does.
type Waiting = (Deliveries, Box<dyn FnOnce() + Send>);

/// Reports that wait to be polled. Bounded by the producer's limit of unreported records.
#[derive(Default)]
pub(crate) struct ReportQueue {
    reports: Mutex<VecDeque<Waiting>>,
    changed: Notify,
}

impl ReportQueue {
    fn push(&self, report: Report) {
        let Report { deliveries, reported, gone } = report;
        self.reports.lock().push_back((deliveries, gone));
        self.changed.notify_waiters();
        reported();
    }

    pub(crate) fn try_pop(&self) -> Option<Deliveries> {
        let (deliveries, gone) = self.reports.lock().pop_front()?;
        gone();
        Some(deliveries)
    }

    pub(crate) async fn pop(&self) -> Deliveries {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(deliveries) = self.try_pop() {
                return deliveries;
            }
            changed.await;
        }
    }
}
