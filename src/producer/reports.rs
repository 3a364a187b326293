//! Outcomes, reported batch by batch.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::codec::append::Written;
use crate::codec::record as wire;
use crate::error::{Error, Result};
use crate::producer::config::ReportMode;
use crate::producer::inbox::Inbox;
use crate::producer::settle::Handover;
use crate::producer::tags::Tags;
#[cfg(unix)]
use crate::ready::Ready;
use crate::record::Record;
use crate::record_id::RecordId;
use crate::runtime::{JoinHandle, spawn_thread};
use crate::test_panic;

/// The outcomes of records of one batch, in the order in which they were appended. Clones share them.
#[derive(Clone)]
pub struct Deliveries {
    inner: Arc<Inner>,
}

struct Inner {
    stream: Arc<str>,
    shard_id: u64,
    tags: Tags,
    outcome: Result<Written>,
    /// The records of the batch, where they are lent back.
    records: Option<Bytes>,
    /// Where they lie; found when first asked for.
    layouts: OnceLock<Vec<wire::Layout>>,
}

impl Deliveries {
    pub(crate) fn new(
        stream: Arc<str>,
        shard_id: u64,
        tags: impl Into<Tags>,
        outcome: Result<Written>,
        records: Option<Bytes>,
    ) -> Self {
        let tags = tags.into();
        let layouts = OnceLock::new();
        Deliveries { inner: Arc::new(Inner { stream, shard_id, tags, outcome, records, layouts }) }
    }

    /// The stream they were appended to.
    pub fn stream(&self) -> &str {
        &self.inner.stream
    }

    /// The shard they went to, or should have gone to.
    pub fn shard_id(&self) -> u64 {
        self.inner.shard_id
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.tags().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tags().is_empty()
    }

    /// Why they were not written; `None` if they were. A batch is written as a whole or not at all.
    pub fn error(&self) -> Option<&Error> {
        self.inner.outcome.as_ref().err()
    }

    /// What the caller gave the records when they were appended.
    pub fn tags(&self) -> &[u64] {
        self.inner.tags.as_slice()
    }

    /// The outcomes one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Delivered<'_>> {
        (0..self.len()).map(|index| Delivered { deliveries: self, index })
    }

    /// The records themselves, in order, to be appended again or kept elsewhere; payloads are not copied. Empty
    /// where they are not lent: [`ProducerConfig::lend_records`](crate::ProducerConfig::lend_records), by
    /// default those that were not written are.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record> + '_ {
        self.layouts().iter().map(|layout| self.make(layout))
    }

    fn layouts(&self) -> &[wire::Layout] {
        let Some(bytes) = &self.inner.records else { return &[] };
        self.inner.layouts.get_or_init(|| {
            // We encoded them, so they decode.
            let all =
                wire::decode_all(bytes, self.len()).unwrap_or_default().readable().into_iter().enumerate();
            all.filter(|(place, _)| self.inner.tags.is_told(*place)).map(|(_, layout)| layout).collect()
        })
    }

    fn make(&self, layout: &wire::Layout) -> Record {
        let bytes = self.inner.records.clone().unwrap_or_default();
        let key = std::str::from_utf8(layout.key.of_bytes(&bytes)).unwrap_or_default();
        let mut record = Record::from_parts(layout.kind, bytes.slice(layout.payload.range())).with_key(key);
        for (name, value) in wire::attributes(&bytes, layout.attributes.range()) {
            record.set_attribute(name, value);
        }
        record
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries")
            .field("stream", &self.stream())
            .field("shard_id", &self.shard_id())
            .field("len", &self.len())
            .field("outcome", &self.inner.outcome)
            .finish()
    }
}

/// The outcome of one record.
#[derive(Clone, Copy, Debug)]
pub struct Delivered<'a> {
    deliveries: &'a Deliveries,
    index: usize,
}

impl<'a> Delivered<'a> {
    /// What the caller gave the record when it was appended.
    pub fn tag(&self) -> u64 {
        self.deliveries.tags()[self.index]
    }

    /// Its id, or why it has none.
    ///
    /// # Errors
    ///
    /// It failed; it was [`Aborted`](crate::ErrorKind::Aborted), which is never sent; or nobody can tell
    /// ([`is_ambiguous`](Error::is_ambiguous)).
    pub fn result(&self) -> Result<RecordId, &'a Error> {
        let Inner { outcome, tags, .. } = &*self.deliveries.inner;
        outcome.as_ref().map(|written| written.id(tags.place(self.index)))
    }

    /// The record, where it is lent: see [`Deliveries::records`].
    pub fn record(&self) -> Option<Record> {
        self.deliveries.layouts().get(self.index).map(|layout| self.deliveries.make(layout))
    }
}

pub(crate) type DeliveryCallback = Box<dyn FnMut(&Deliveries) + Send>;

/// A report on its way, and what is to happen then.
pub(crate) struct Report {
    pub(crate) deliveries: Deliveries,
    pub(crate) handover: Handover,
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

    #[inline]
    pub(crate) fn wants_reports(&self) -> bool {
        !matches!(self, Reporter::Nowhere)
    }

    pub(crate) fn report(&self, report: Report) {
        match self {
            Reporter::Nowhere => report.handover.nobody_is_told(),
            Reporter::Callback(thread) => thread.send(report),
            Reporter::Queue(queue) => queue.push(report),
        }
    }

    /// Whether this is the thread that runs the callback.
    #[inline]
    pub(crate) fn is_this_thread(&self) -> bool {
        matches!(self, Reporter::Callback(thread) if RUNS_CALLBACK.get() == thread.number)
    }

    /// Waits for the running callback, after which none runs any more; a poll ends with the last report.
    pub(crate) fn stop(&self) {
        match self {
            Reporter::Nowhere => {}
            Reporter::Callback(thread) => thread.stop(),
            Reporter::Queue(queue) => queue.end(),
        }
    }
}

thread_local! {
    /// The number of the callback thread that this is; 0 for all others. Asked on each append, so it must be
    /// cheaper than the thread's id.
    static RUNS_CALLBACK: Cell<usize> = const { Cell::new(0) };
}

/// Whose callback runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunningCallback(usize);

impl RunningCallback {
    pub(crate) fn of_this_thread() -> Self {
        RunningCallback(RUNS_CALLBACK.get())
    }
}

/// The thread that runs the callback of one producer.
pub(crate) struct CallbackThread {
    number: usize,
    /// Bounded by the producer's limit of unreported records.
    reports: Arc<Inbox<Report>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl CallbackThread {
    fn start(mut callback: DeliveryCallback) -> Result<Self> {
        let reports = Arc::new(Inbox::<Report>::new());
        let queue = reports.clone();
        static THREADS: AtomicUsize = AtomicUsize::new(1);
        let number = THREADS.fetch_add(1, Ordering::Relaxed);
        let thread = spawn_thread(next_callback_thread_name(), move || {
            RUNS_CALLBACK.set(number);
            let _last = LastReader(&queue);
            while let Some(Report { deliveries, handover }) = queue.next() {
                let told = catch_unwind(AssertUnwindSafe(|| {
                    handover.callback_begins();
                    test_panic::point("callback", deliveries.stream());
                    call(&mut callback, &deliveries);
                }));
                if told.is_err() {
                    handover.telling_panicked();
                }
                drop(deliveries);
                handover.callback_ended();
            }
        })?;
        Ok(CallbackThread { number, reports, thread: Mutex::new(Some(thread)) })
    }

    fn send(&self, report: Report) {
        // After its end nobody is told any more, but whoever waits for the report must not wait for ever.
        if let Err(report) = self.reports.push(report) {
            report.handover.nobody_is_told();
        }
    }

    fn stop(&self) {
        self.reports.close();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread.filter(|_| RUNS_CALLBACK.get() != self.number) {
            let _ = thread.join();
        }
    }
}

/// Sees to it that nobody waits for a report that this thread will not hand over, whatever ended it.
struct LastReader<'a>(&'a Inbox<Report>);

impl Drop for LastReader<'_> {
    fn drop(&mut self) {
        self.0.close();
        while let Some(report) = self.0.next() {
            report.handover.nobody_is_told();
        }
    }
}

/// A panic of the user's ends this call of it, and nothing else.
fn call(callback: &mut DeliveryCallback, deliveries: &Deliveries) {
    if catch_unwind(AssertUnwindSafe(|| callback(deliveries))).is_err() {
        tracing::error!(stream = deliveries.stream(), "a delivery callback panicked");
    }
}

/// Callback threads are numbered through the process, whatever they serve.
pub(crate) fn next_callback_thread_name() -> String {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    format!("hstream-cb-{}", THREADS.fetch_add(1, Ordering::Relaxed))
}

/// What one poll gets of the reports of a batch: all of them, or as many as it wanted.
pub(crate) struct Portion {
    pub(crate) deliveries: Deliveries,
    pub(crate) range: Range<usize>,
}

impl Portion {
    pub(crate) fn all(deliveries: Deliveries) -> Self {
        let range = 0..deliveries.len();
        Portion { deliveries, range }
    }

    /// Keeps so many. The others, if there are some.
    pub(crate) fn split_off(&mut self, most: usize) -> Option<Portion> {
        let (middle, end) = (self.range.start.saturating_add(most), self.range.end);
        if end <= middle {
            return None;
        }
        self.range.end = middle;
        Some(Portion { deliveries: self.deliveries.clone(), range: middle..end })
    }
}

/// Reports that wait to be polled. Bounded by the producer's limit of unreported records.
#[derive(Default)]
pub(crate) struct ReportQueue {
    waiting: Mutex<Waiting>,
    /// No more reports will come.
    ended: AtomicBool,
    changed: Notify,
    #[cfg(unix)]
    ready: Ready,
}

#[derive(Default)]
struct Waiting {
    /// What the last poll left of a report. It goes first.
    rest: Option<Portion>,
    reports: VecDeque<Report>,
}

impl ReportQueue {
    fn push(&self, report: Report) {
        let mut waiting = self.waiting.lock();
        // A flush that it ends may be followed by a poll at once: that waits for the lock.
        report.handover.reported();
        waiting.reports.push_back(report);
        drop(waiting);
        self.note_change();
    }

    fn note_change(&self) {
        self.changed.notify_waiters();
        #[cfg(unix)]
        self.ready.update(|| self.has_something());
    }

    /// A descriptor that is readable while a poll would return at once.
    #[cfg(unix)]
    pub(crate) fn descriptor(&self) -> Result<BorrowedFd<'_>> {
        self.ready.descriptor(|| self.has_something())
    }

    #[cfg(unix)]
    fn has_something(&self) -> bool {
        let waiting = self.waiting.lock();
        self.ended.load(Ordering::SeqCst) || waiting.rest.is_some() || !waiting.reports.is_empty()
    }

    /// Reports of one batch, `most` of them at most.
    pub(crate) fn try_pop(&self, most: usize) -> Option<Portion> {
        let mut waiting = self.waiting.lock();
        let (mut portion, handover) = match waiting.rest.take() {
            Some(rest) => (rest, None),
            None => {
                let Report { deliveries, handover } = waiting.reports.pop_front()?;
                (Portion::all(deliveries), Some(handover))
            }
        };
        // Under the same lock, so that of all who were woken for a report one finds it, and the next its rest.
        waiting.rest = portion.split_off(most);
        drop(waiting);
        #[cfg(unix)]
        self.ready.update(|| self.has_something());
        if let Some(handover) = handover {
            handover.polled();
        }
        Some(portion)
    }

    /// Waits until a report lies here that keeps room of the buffer.
    pub(crate) async fn keeps_room(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.waiting.lock().reports.iter().any(|report| report.handover.keeps_room()) {
                return;
            }
            changed.await;
        }
    }

    /// Nobody will poll any more.
    pub(crate) fn clear(&self) {
        while self.try_pop(usize::MAX).is_some() {}
    }

    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.note_change();
    }

    /// The next reports, `most` at most; `None` once there will be none.
    pub(crate) async fn pop(&self, most: usize) -> Option<Portion> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            // Asked first: what came before the end is still there.
            let ended = self.ended.load(Ordering::SeqCst);
            if let Some(portion) = self.try_pop(most) {
                return Some(portion);
            }
            if ended {
                return None;
            }
            changed.await;
        }
    }
}
