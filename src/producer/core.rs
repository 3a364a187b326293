//! What the handles of a producer, its workers and its reports share.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::closing::Closing;
use crate::cluster::Cluster;
use crate::codec::compression::CompressionKind;
use crate::error::{Error, ErrorKind, Result};
use crate::producer::batch::SealedBatch;
use crate::producer::compressor::Compressor;
use crate::producer::config::{Linger, ProducerConfig, Reports, Settings};
use crate::producer::delivery::Written;
use crate::producer::flow::{Credit, Patience, Refused};
use crate::producer::flush::{Counts, Flush};
use crate::producer::lane::Lane;
use crate::producer::reports::{Deliveries, Report, Reporter};
use crate::producer::worker::never_sent;
use crate::runtime::Spawner;
use crate::shard::{Shard, ShardMap};
use crate::wait::{Ended, Until, Wait, wait};

/// What is kept about a record beside its bytes, roughly: its tag, and its share of a batch.
const OVERHEAD: usize = 32;

/// What flush and close wait for.
const WRITES: &str = "records to be written";

pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) spawner: Spawner,
    /// Bytes on the way.
    bytes: Credit,
    /// Records whose report has not been handed over; only where there are reports.
    unreported: Option<Credit>,
    /// Places for appends over all shards.
    pub(crate) in_flight: Semaphore,
    pub(crate) reporter: Reporter,
    compressor: Option<Compressor>,
    streams: Mutex<HashMap<Arc<str>, Arc<StreamLanes>>>,
    pub(crate) closing: Closing,
}

/// The lanes of one stream, one a shard, in the order of the shards' ranges.
pub(crate) struct StreamLanes {
    pub(crate) name: Arc<str>,
    pub(crate) shards: ShardMap,
    pub(crate) lanes: Vec<Arc<Lane>>,
}

/// What a record took of the budgets.
pub(crate) struct Taken {
    pub(crate) bytes: usize,
    records: usize,
}

impl Core {
    pub(crate) fn new(cluster: Arc<Cluster>, spawner: Spawner, config: ProducerConfig) -> Result<Self> {
        let (settings, report_mode) = config.check()?;
        let compressor = match settings.compression.kind() {
            CompressionKind::None => None,
            _ => Some(Compressor::acquire(settings.compression)?),
        };
        let reporter = Reporter::new(report_mode)?;
        Ok(Core {
            cluster,
            spawner,
            bytes: Credit::new(settings.buffer_bytes),
            unreported: reporter.wants_reports().then(|| Credit::new(settings.buffer_records)),
            in_flight: Semaphore::new(settings.workers.min(Semaphore::MAX_PERMITS)),
            reporter,
            compressor,
            streams: Mutex::default(),
            closing: Closing::default(),
            settings,
        })
    }

    pub(crate) fn stream(&self, name: &str) -> Option<Arc<StreamLanes>> {
        self.streams.lock().get(name).cloned()
    }

    /// The lanes of a stream with these shards; if it was opened meanwhile, the lanes that it has.
    pub(crate) fn open_stream(&self, name: &str, shards: ShardMap) -> Result<Arc<StreamLanes>> {
        let mut streams = self.streams.lock();
        // Under the lock, so that either close finds the lanes or we find the producer closed.
        self.check_open()?;
        if let Some(stream) = streams.get(name) {
            return Ok(stream.clone());
        }
        let name: Arc<str> = name.into();
        let lane = |shard: &Shard| {
            let (limits, linger) = (self.settings.limits, self.settings.linger);
            Arc::new(Lane::new(name.clone(), shard.id(), limits, linger, self.compressor.clone()))
        };
        let lanes = shards.shards().iter().map(lane).collect();
        let stream = Arc::new(StreamLanes { name: name.clone(), shards, lanes });
        streams.insert(name, stream.clone());
        Ok(stream)
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.closing.is_closed() { Err(Error::closed("producer")) } else { Ok(()) }
    }

    /// Takes room for a record, as the caller is willing to wait for it.
    pub(crate) fn take_room(&self, encoded_len: usize, patience: Patience<'_>) -> Result<Taken> {
        // The callback's own thread would wait for itself.
        let patience = if self.reporter.is_this_thread() { Patience::None } else { patience };
        let bytes = self.take_bytes(encoded_len + OVERHEAD, patience).map_err(refused)?;
        let records = match &self.unreported {
            None => 0,
            Some(credit) => credit.take(1, self.report_patience(patience)).map_err(|error| {
                self.bytes.give_back(bytes);
                refused(error)
            })?,
        };
        Ok(Taken { bytes, records })
    }

    fn take_bytes(&self, amount: usize, patience: Patience<'_>) -> Result<usize, Refused> {
        match self.bytes.take(amount, Patience::None) {
            Err(Refused::Full) => {}
            outcome => return outcome,
        }
        if self.settings.linger != Linger::WhenIdle {
            // What waits for its age, or for a flush, would keep its room for so long.
            self.lanes().iter().for_each(|lane| lane.seal_now());
        }
        self.bytes.take(amount, patience)
    }

    /// Nobody but the caller polls, so waiting for the queue of reports to get shorter may be for ever.
    fn report_patience<'a>(&self, patience: Patience<'a>) -> Patience<'a> {
        if matches!(self.reporter, Reporter::Queue(_)) { Patience::None } else { patience }
    }

    pub(crate) fn return_room(&self, taken: Taken) {
        self.bytes.give_back(taken.bytes);
        if let Some(credit) = &self.unreported {
            credit.give_back(taken.records);
        }
    }

    /// Gives the batch its outcome: to those who wait for single records, to the reports, and to flushes.
    pub(crate) fn settle(self: &Arc<Self>, lane: &Arc<Lane>, batch: SealedBatch, outcome: Result<Written>) {
        // Before any of the user's code runs: a callback that appends must not starve itself.
        self.bytes.give_back(batch.credit);
        let counts = counts(&outcome, batch.tags.len() as u64);
        if let Some(waiting) = &batch.outcome {
            waiting.settle(outcome.clone());
        }
        let lane_of_batch = lane.clone();
        let reported = move || lane_of_batch.reported(counts);
        let core = self.clone();
        let gone = move || {
            if let Some(credit) = &core.unreported {
                credit.give_back(counts.total() as usize);
            }
        };
        if outcome.is_ok() && self.settings.reports == Reports::Failures {
            reported();
            return gone();
        }
        let deliveries = Deliveries {
            stream: lane.stream.clone(),
            shard_id: lane.shard_id,
            tags: batch.tags.into(),
            records: outcome.is_err().then_some(batch.bytes),
            outcome,
        };
        self.reporter.report(Report { deliveries, reported: Box::new(reported), gone: Box::new(gone) });
    }

    /// Waits until all that these lanes accepted is settled and reported.
    pub(crate) fn flush(&self, lanes: &[Arc<Lane>], until: Until<'_>) -> Result<Counts> {
        if self.reporter.is_this_thread() {
            return Err(would_deadlock("flush"));
        }
        let flush = Arc::new(Flush::default());
        lanes.iter().for_each(|lane| lane.flush(&flush));
        match wait(flush.done(), until) {
            Ok(()) => Ok(flush.counts()),
            Err(ended) => Err(ended.into_error(WRITES)),
        }
    }

    pub(crate) fn lanes(&self) -> Vec<Arc<Lane>> {
        self.streams.lock().values().flat_map(|stream| stream.lanes.iter().cloned()).collect()
    }

    pub(crate) fn pending_records(&self) -> u64 {
        self.lanes().iter().map(|lane| lane.pending()).sum()
    }

    pub(crate) fn pending_bytes(&self) -> u64 {
        self.bytes.in_use() as u64
    }

    /// Takes no more records, and sends what is there.
    pub(crate) fn begin_close(&self) {
        {
            let _no_stream_opens = self.streams.lock();
            self.closing.close();
        }
        self.bytes.close();
        if let Some(credit) = &self.unreported {
            credit.close();
        }
        self.lanes().iter().for_each(|lane| lane.close());
    }

    /// Closes: sends what is there for as long as allowed, then gives up the rest. After it, all records
    /// are settled and reported, and no callback runs. In `counts`, what it waited for.
    pub(crate) fn close(self: &Arc<Self>, until: Until<'_>) -> Result<Counts> {
        if self.reporter.is_this_thread() {
            return Err(would_deadlock("close"));
        }
        self.begin_close();
        let lanes = self.lanes();
        let flush = Arc::new(Flush::default());
        lanes.iter().for_each(|lane| lane.flush(&flush));
        let ended = wait(flush.done(), until).err();
        if let Some(interrupted @ Ended::Interrupted) = ended {
            // Nothing is lost, and close can be called again.
            return Err(interrupted.into_error(WRITES));
        }
        let written_in_time = flush.counts();
        self.give_up(&lanes);
        self.reporter.stop();
        let Some(ended) = ended else { return Ok(flush.counts()) };
        let given_up = flush.counts().total() - written_in_time.total();
        let error = ended.into_error(WRITES);
        Err(Error::new(error.kind(), format!("{}; {given_up} records were given up", error.message())))
    }

    /// Ends the workers: what they hold is settled when they are dropped, and what waits behind it as well.
    fn give_up(self: &Arc<Self>, lanes: &[Arc<Lane>]) {
        let workers: Vec<_> = lanes.iter().filter_map(|lane| lane.take_worker()).collect();
        workers.iter().for_each(|worker| worker.abort());
        for worker in workers {
            let _ = wait(worker, Wait::forever().until());
        }
        for lane in lanes {
            for queued in lane.take_queued() {
                self.settle(lane, queued.batch, Err(never_sent()));
            }
        }
    }
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Full => Error::new(ErrorKind::QueueFull, "the producer's buffer is full"),
        Refused::Closed => Error::closed("producer"),
        Refused::Ended(ended) => ended.into_error("room in the producer's buffer"),
    }
}

fn would_deadlock(what: &str) -> Error {
    Error::new(
        ErrorKind::WouldDeadlock,
        format!("{what} was called from the callback that it would wait for"),
    )
}

fn counts(outcome: &Result<Written>, records: u64) -> Counts {
    match outcome {
        Ok(_) => Counts { written: records, ..Counts::default() },
        Err(error) if error.is_ambiguous() => Counts { unknown: records, ..Counts::default() },
        Err(_) => Counts { failed: records, ..Counts::default() },
    }
}
