//! A producer from its beginning to its end, and what must be true of it then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use shuttle::thread;

use crate::cluster::{Cluster, Fate, Stored};
use crate::error::{Error, ErrorKind, Result};
use crate::producer::core::Core;
use crate::producer::{Appender, Deliveries, ProducerConfig};
use crate::record::Record;
use crate::record_id::RecordId;
use crate::runtime::Spawner;
use crate::wait::Wait;

/// What the records were told, by their tags. Its lock is none of the scheduler's.
#[derive(Clone, Default)]
pub(crate) struct Outcomes(Arc<Mutex<BTreeMap<u64, Vec<Result<RecordId>>>>>);

impl Outcomes {
    pub(crate) fn note(&self, deliveries: &Deliveries) {
        let mut outcomes = self.0.lock().unwrap();
        for delivered in deliveries.iter() {
            outcomes.entry(delivered.tag()).or_default().push(delivered.result().map_err(Clone::clone));
        }
    }

    pub(crate) fn written(&self) -> usize {
        self.0.lock().unwrap().values().flatten().filter(|outcome| outcome.is_ok()).count()
    }

    pub(crate) fn told(&self) -> usize {
        self.0.lock().unwrap().values().map(Vec::len).sum()
    }
}

/// What one thread appended: the tags that were accepted, and as often as they were.
pub(crate) type Accepted = Vec<u64>;

pub(crate) struct Life {
    pub(crate) core: Arc<Core>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) appender: Appender,
    pub(crate) outcomes: Outcomes,
}

impl Life {
    /// Reports go to a callback that notes them.
    pub(crate) fn new(fates: &[Fate], config: ProducerConfig) -> Self {
        let outcomes = Outcomes::default();
        let noting = outcomes.clone();
        Self::with(fates, config.on_delivery(move |deliveries| noting.note(deliveries)), outcomes)
    }

    /// Reports go where the options say, which is expected to note them.
    pub(crate) fn with(fates: &[Fate], config: ProducerConfig, outcomes: Outcomes) -> Self {
        let cluster = Cluster::with(fates);
        let core = Core::new(cluster.clone(), Spawner, None, config).unwrap();
        let (layout, lanes) = core.open_stream("s", cluster.shards()).unwrap();
        let appender = Appender::new(core.clone(), lanes, layout);
        Life { core, cluster, appender, outcomes }
    }

    /// A thread that appends these one after the other to the shard of its key, until the producer is closed.
    pub(crate) fn appending(
        &self,
        key: &'static str,
        tags: std::ops::Range<u64>,
    ) -> thread::JoinHandle<Accepted> {
        let appender = self.appender.clone();
        thread::spawn(move || {
            let mut accepted = Vec::new();
            for tag in tags {
                match append(&appender, key, tag, Wait::forever()) {
                    Ok(()) => accepted.push(tag),
                    Err(error) => assert!(error.is_closed(), "{error:?}"),
                }
            }
            accepted
        })
    }

    /// The same until an append is refused, for whatever reason.
    pub(crate) fn appending_until_refused(
        &self,
        key: &'static str,
        tags: std::ops::Range<u64>,
    ) -> thread::JoinHandle<Accepted> {
        let appender = self.appender.clone();
        thread::spawn(move || {
            tags.take_while(|tag| append(&appender, key, *tag, Wait::forever()).is_ok()).collect()
        })
    }

    /// All must be over: each accepted record has one outcome, which is true, and nothing is left anywhere.
    pub(crate) fn check(&self, accepted: &[Accepted]) {
        self.check_without_order(accepted);
        self.check_order(accepted);
    }

    /// The same where several are in flight.
    pub(crate) fn check_without_order(&self, accepted: &[Accepted]) {
        self.check_outcomes(accepted.iter().flatten().copied());
        assert_eq!((self.core.pending_records(), self.core.pending_bytes()), (0, 0));
        let refused = append(&self.appender, "", 0, Wait::no()).unwrap_err();
        assert_ne!(refused.kind(), ErrorKind::QueueFull, "{refused:?}");
        assert!(self.core.lanes().iter().all(|lane| lane.take_worker().is_none()), "a worker runs on");
    }

    fn check_outcomes(&self, accepted: impl Iterator<Item = u64>) {
        let mut expected = BTreeMap::<u64, usize>::new();
        accepted.for_each(|tag| *expected.entry(tag).or_default() += 1);
        let outcomes = self.outcomes.0.lock().unwrap();
        let told = outcomes.iter().map(|(tag, outcomes)| (*tag, outcomes.len())).collect();
        assert_eq!(expected, told, "accepted, and told");
        let mut stored: BTreeSet<_> = self.cluster.stored().into_iter().map(place).collect();
        for (tag, outcomes) in outcomes.iter() {
            let payload = tag.to_string().into_bytes();
            for id in outcomes.iter().flatten() {
                let place = (id.shard_id, id.batch_id, id.batch_index as usize, payload.clone());
                assert!(stored.remove(&place), "{tag} is not there, or was told twice: {place:?}");
            }
            let unknown = outcomes.iter().filter(|outcome| outcome.as_ref().is_err_and(Error::is_ambiguous));
            let unknown = unknown.count();
            let more = stored.iter().filter(|place| place.3 == payload).count();
            assert!(more <= unknown, "{tag} was written {more} times more than it was told");
        }
    }

    /// What one thread appended with one key has been written in that order; the first time, if it was more often.
    fn check_order(&self, accepted: &[Accepted]) {
        let stored = self.cluster.stored();
        for tags in accepted {
            let places = tags.iter().filter_map(|tag| {
                let payload = tag.to_string().into_bytes();
                stored.iter().position(|stored| stored.payload == payload)
            });
            let places: Vec<_> = places.collect();
            assert!(places.is_sorted(), "{tags:?} lie at {places:?}");
        }
    }
}

fn place(stored: Stored) -> (u64, u64, usize, Vec<u8>) {
    (stored.shard_id, stored.batch_id, stored.index, stored.payload)
}

pub(crate) fn append(appender: &Appender, key: &str, tag: u64, wait: Wait) -> Result<()> {
    appender.append_tagged(&record(key, tag), tag, wait)
}

pub(crate) fn record(key: &str, tag: u64) -> Record {
    Record::raw(tag.to_string()).with_key(key)
}

/// Room for so many records of the models.
pub(crate) fn room_for(records: usize) -> usize {
    records * (record("a", 10).encoded_len() + 32)
}

/// An appender that a callback finds when it is there.
pub(crate) type Slot = Arc<OnceLock<Appender>>;
