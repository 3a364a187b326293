//! What the handles of a producer, its workers and its reports share.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::closing::Closing;
use crate::cluster::{Cluster, Plan};
use crate::codec::compression::CompressionKind;
use crate::error::{Error, ErrorKind, Result};
use crate::producer::append::Destination;
use crate::producer::buffers::Buffers;
use crate::producer::compressor::Compressor;
use crate::producer::config::{Linger, ProducerConfig, Settings};
use crate::producer::flow::{Budget, Credit, Ends, Patience, Refused, SharedBudget};
use crate::producer::flush::{Counts, Flush};
use crate::producer::lane::{Lane, LaneOptions};
use crate::producer::layout::{Layout, StreamLanes};
use crate::producer::reports::Reporter;
use crate::producer::room::{Room, Taken};
use crate::producer::settle::Reserve;
use crate::producer::stats::{Retries, Stats};
use crate::producer::worker::never_sent;
use crate::runtime::Spawner;
use crate::shard::ShardMap;
use crate::wait::{Ended, Until, Wait, wait};

/// What flush and close wait for.
const WRITES: &str = "records to be written";

pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) spawner: Spawner,
    /// What records on the way take.
    pub(crate) room: Arc<Room>,
    /// What the running callback may append into.
    pub(crate) reserve: Reserve,
    /// Places for appends over all shards.
    pub(crate) in_flight: Semaphore,
    pub(crate) reporter: Reporter,
    pub(crate) stats: Stats,
    lane_options: LaneOptions,
    streams: Mutex<HashMap<Arc<str>, Arc<StreamLanes>>>,
    pub(crate) closing: Closing,
    /// A part of it has panicked: it takes no more records.
    broken: AtomicBool,
    /// Ends flushes and other waits: the client is closed.
    ending: Closing,
    /// Held by the close that gives up what is left, and stops the reports.
    giving_up: Mutex<()>,
}

impl Core {
    pub(crate) fn new(
        cluster: Arc<Cluster>,
        spawner: Spawner,
        shared_budget: Option<Arc<SharedBudget>>,
        config: ProducerConfig,
    ) -> Result<Arc<Self>> {
        let (settings, report_mode) = config.check()?;
        let compressor = match settings.compression.kind() {
            CompressionKind::None => None,
            _ => Some(Compressor::acquire(settings.compression)?),
        };
        let (limits, linger) = (settings.limits, settings.linger);
        let reporter = Reporter::new(report_mode)?;
        let stats = Stats::default();
        let sealed = stats.sealed.clone();
        let bytes = Budget::new(settings.buffer_bytes, shared_budget.clone());
        let unreported = reporter.wants_reports().then(|| Credit::new(settings.buffer_records));
        let room = Arc::new(Room::new(bytes, unreported));
        let buffers = Buffers::default();
        let lane_options = LaneOptions { limits, linger, compressor, buffers, sealed, room: room.clone() };
        let core = Arc::new(Core {
            cluster,
            spawner,
            room,
            reserve: Reserve::default(),
            in_flight: Semaphore::new(settings.workers.min(Semaphore::MAX_PERMITS)),
            reporter,
            stats,
            lane_options,
            streams: Mutex::default(),
            closing: Closing::default(),
            broken: AtomicBool::new(false),
            ending: Closing::default(),
            giving_up: Mutex::default(),
            settings,
        });
        shared_budget.iter().for_each(|budget| budget.join(&core));
        Ok(core)
    }

    /// The stream, if it has been opened.
    pub(crate) fn stream(&self, name: &str) -> Option<Arc<StreamLanes>> {
        self.streams.lock().get(name).cloned()
    }

    /// A stream with these shards, and the lanes for them. If it was opened meanwhile, it has them already.
    pub(crate) fn open_stream(
        &self,
        name: &str,
        shards: ShardMap,
    ) -> Result<(Arc<Layout>, Arc<StreamLanes>)> {
        let mut streams = self.streams.lock();
        // Under the lock, so that either close finds the lanes or we find the producer closed.
        self.check_open()?;
        if !streams.contains_key(name) {
            let name: Arc<str> = name.into();
            streams.insert(name.clone(), Arc::new(StreamLanes::new(name)));
        }
        let stream = streams[name].clone();
        let layout = stream.layout_of(shards, |shards| self.layout(&stream.name, shards));
        Ok((layout, stream))
    }

    fn layout(&self, stream: &Arc<str>, shards: ShardMap) -> Layout {
        Layout::new(stream.clone(), shards, |shard_id| {
            let retries = Retries::of(&self.stats);
            let destination = Destination { stream: stream.clone(), shard_id, retries };
            Arc::new(Lane::new(destination, self.lane_options.clone()))
        })
    }

    /// The shard of this lane is gone; its stream, which has to be looked up.
    pub(crate) fn forget_shard(&self, lane: &Lane) -> Option<Arc<StreamLanes>> {
        let stream = self.stream(lane.stream())?;
        stream.forget(lane.shard_id());
        Some(stream)
    }

    /// The lanes of a stream that was created anew, looked up unless somebody else has done so.
    pub(crate) async fn look_up(&self, stream: &StreamLanes) -> Result<Arc<Layout>> {
        if let Some(layout) = stream.current() {
            return Ok(layout);
        }
        let settings = self.cluster.settings();
        let plan = Plan {
            deadline: None,
            max_attempts: Some(settings.max_attempts),
            backoff: settings.backoff,
            send_twice: false,
            now: self.settings.now,
        };
        let shards = self.cluster.shards_of(&stream.name, plan).await?;
        // As in `open_stream`: the lanes of a closed producer only take over what is on its way.
        let _streams = self.streams.lock();
        let layout = stream.layout_of(shards, |shards| self.layout(&stream.name, shards));
        if self.closing.is_closed() {
            layout.lanes().iter().for_each(|lane| lane.close(None));
        }
        Ok(layout)
    }

    #[inline]
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.closing.is_closed() { Err(self.closed()) } else { Ok(()) }
    }

    fn closed(&self) -> Error {
        self.check_whole().err().unwrap_or_else(|| Error::closed("producer"))
    }

    fn check_whole(&self) -> Result<()> {
        if !self.broken.load(Ordering::SeqCst) {
            return Ok(());
        }
        let message = "the producer is out of use: a part of it panicked, which is a bug in this library";
        Err(Error::new(ErrorKind::Panic, message))
    }

    /// A part of it has panicked: it takes no more records, and can be closed.
    pub(crate) fn break_down(&self) {
        self.broken.store(true, Ordering::SeqCst);
        self.begin_close();
    }

    /// Takes room for a record, as the caller is willing to wait for it.
    pub(crate) fn take_room(&self, encoded_len: usize, patience: &Patience<'_>) -> Result<Taken> {
        let wanted = self.room.for_record(encoded_len);
        if !self.reporter.is_this_thread() {
            return self.wait_for_room(wanted, patience).map_err(|refused| self.refused(refused));
        }
        match self.reserve.take(wanted) {
            Some(taken) => Ok(taken),
            // The callback's own thread would wait for itself.
            None => self.wait_for_room(wanted, &Patience::none()).map_err(|refused| self.refused(refused)),
        }
    }

    fn refused(&self, refused: Refused) -> Error {
        match refused {
            Refused::Full => Error::new(ErrorKind::QueueFull, "the producer's buffer is full"),
            Refused::Closed => self.closed(),
            Refused::Ended(ended) => ended.into_error("room in the producer's buffer"),
        }
    }

    fn wait_for_room(&self, wanted: Taken, patience: &Patience<'_>) -> Result<Taken, Refused> {
        // Nobody but the caller polls, so waiting for a report to be polled may be for ever.
        let not_at_all = Patience::none();
        let for_slots = if self.is_polled() { &not_at_all } else { patience };
        self.room.take(wanted, patience, for_slots, self.ends(), || self.send_what_lingers())
    }

    /// Whether somebody waits for room, which what lingers would keep.
    #[inline]
    pub(crate) fn room_is_wanted(&self) -> bool {
        self.settings.linger != Linger::WhenIdle && self.room.is_wanted()
    }

    /// What ends a wait for room: nobody but the caller polls, so what waits to be polled may keep its for ever.
    #[inline]
    fn ends(&self) -> Ends<'_> {
        let polled = match &self.reporter {
            Reporter::Queue(queue) => Some(queue),
            _ => None,
        };
        Ends::new(&self.closing, polled)
    }

    #[inline]
    fn is_polled(&self) -> bool {
        matches!(self.reporter, Reporter::Queue(_))
    }

    /// What waits for its age, or for a flush, would keep its room for so long.
    pub(crate) fn send_what_lingers(&self) {
        if self.settings.linger != Linger::WhenIdle {
            self.lanes().iter().for_each(|lane| lane.seal_now());
        }
    }

    /// Waits until a lane takes records again, as the caller is willing to.
    pub(crate) fn wait_at_gate(&self, lane: &Lane, patience: &Patience<'_>) -> Result<()> {
        let Some(until) = patience.until().filter(|_| !self.is_polled()) else {
            let message = format!(
                "shard {} of the stream `{}` takes no records until the reports of a failure have been handed over",
                lane.shard_id(),
                lane.stream()
            );
            return Err(Error::new(ErrorKind::QueueFull, message));
        };
        wait(lane.gate_open(), until).map_err(|ended| ended.into_error("reports to be handed over"))
    }

    /// Waits until all that these lanes accepted is settled and reported.
    pub(crate) fn flush(&self, lanes: &[Arc<Lane>], until: Until<'_>) -> Result<Counts> {
        if self.reporter.is_this_thread() {
            return Err(would_deadlock("flush"));
        }
        self.check_whole()?;
        let flush = Arc::new(Flush::default());
        lanes.iter().for_each(|lane| lane.flush(&flush));
        self.wait_for(flush.done(), until)?;
        self.check_whole().map(|()| flush.counts())
    }

    /// Waits for records to be written, until the client is closed at most.
    pub(crate) fn wait_for<T>(&self, written: impl Future<Output = T>, until: Until<'_>) -> Result<T> {
        let written = async {
            tokio::select! {
                biased;
                written = written => Ok(written),
                () = self.ending.closed() => Err(Error::closed("client")),
            }
        };
        wait(written, until).map_err(|ended| ended.into_error(WRITES))?
    }

    pub(crate) fn end_waits(&self) {
        self.ending.close();
    }

    pub(crate) fn lanes(&self) -> Vec<Arc<Lane>> {
        self.streams.lock().values().flat_map(|stream| stream.lanes()).collect()
    }

    pub(crate) fn pending_records(&self) -> u64 {
        self.lanes().iter().map(|lane| lane.pending()).sum()
    }

    /// The time since then.
    pub(crate) fn age(&self, since: Instant) -> Duration {
        (self.settings.now)().saturating_duration_since(since)
    }

    pub(crate) fn pending_bytes(&self) -> u64 {
        // What is taken in advance is not on the way.
        let in_advance: usize = self.lanes().iter().map(|lane| lane.in_advance()).sum();
        self.room.bytes_in_use().saturating_sub(in_advance) as u64
    }

    /// Takes no more records, and sends what is there.
    pub(crate) fn begin_close(&self) {
        self.close_lanes(None);
    }

    fn close_lanes(&self, flush: Option<&Arc<Flush>>) {
        // No stream is opened meanwhile.
        let streams = self.streams.lock();
        streams.values().flat_map(|stream| stream.lanes()).for_each(|lane| lane.close(flush));
        self.closing.close();
    }

    /// Closes: sends what is there for as long as allowed, then gives up the rest. After it, all records
    /// are settled and reported, and no callback runs. Returns what it waited for.
    pub(crate) fn close(self: &Arc<Self>, until: Until<'_>) -> Result<Counts> {
        if self.reporter.is_this_thread() {
            return Err(would_deadlock("close"));
        }
        let flush = Arc::new(Flush::default());
        self.close_lanes(Some(&flush));
        let ended = wait(flush.done(), until).err();
        if let Some(interrupted @ Ended::Interrupted) = ended {
            // Nothing is lost, and close can be called again.
            return Err(interrupted.into_error(WRITES));
        }
        let written_in_time = flush.counts();
        {
            // Of several closes, each waits for the callback, and none stops it before all is given up.
            let _one_at_a_time = self.giving_up.lock();
            self.give_up();
            self.reporter.stop();
        }
        let Some(ended) = ended else { return Ok(flush.counts()) };
        let given_up = flush.counts().total() - written_in_time.total();
        let error = ended.into_error(WRITES);
        Err(Error::new(error.kind(), format!("{}; {given_up} records were given up", error.message())))
    }

    /// Ends the workers: what they hold is settled when they are dropped, and what waits behind it as well.
    fn give_up(self: &Arc<Self>) {
        loop {
            let lanes = self.lanes();
            let workers: Vec<_> = lanes.iter().filter_map(|lane| lane.take_worker()).collect();
            if workers.is_empty() {
                return;
            }
            workers.iter().for_each(|worker| worker.abort());
            for worker in workers {
                let _ = wait(worker, Wait::forever().until());
            }
            for lane in &lanes {
                for queued in lane.take_queued() {
                    self.settle(lane, queued.batch, Err(never_sent()), false);
                }
            }
            // A worker may have moved its records to other lanes at the last moment.
        }
    }
}

pub(crate) fn would_deadlock(what: &str) -> Error {
    Error::new(
        ErrorKind::WouldDeadlock,
        format!("{what} was called from the callback that it would wait for"),
    )
}
