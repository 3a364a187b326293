//! A server in place of the network: it keeps what is appended, and the scheduler's chance decides what becomes
//! of each append.

use std::sync::{Arc, Mutex};

use shuttle::rand::Rng;

use crate::codec::append::Written;
use crate::codec::record as wire;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Events;
use crate::producer::stats::Retries;
use crate::proto::BatchedRecord;
use crate::shard::{Shard, ShardMap};

pub(crate) use retry::Backoff;

#[path = "../../src/cluster/retry.rs"]
pub(crate) mod retry;

/// How the library sees a call.
pub(crate) struct Plan {
    pub(crate) deadline: Option<std::time::Instant>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) backoff: Backoff,
    pub(crate) send_twice: bool,
    pub(crate) now: fn() -> std::time::Instant,
}

#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) stream: Arc<str>,
    pub(crate) shard_id: u64,
    pub(crate) retries: Retries,
}

pub(crate) struct Settings {
    pub(crate) max_attempts: u32,
    pub(crate) backoff: Backoff,
}

/// What may become of an append, each as likely as the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Written,
    Refused,
    /// Written, and the answer is lost.
    Unknown,
    TooLarge,
    /// Never answered.
    Stalled,
}

/// The server. Its locks are none of the scheduler's: what it does is done in one step.
pub(crate) struct Cluster {
    fates: Vec<Fate>,
    settings: Settings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How often the stream was created anew.
    life: u64,
    batches: u64,
    records: Vec<Stored>,
}

/// A record as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) life: u64,
    pub(crate) shard_id: u64,
    pub(crate) batch_id: u64,
    pub(crate) index: usize,
    pub(crate) payload: Vec<u8>,
}

const SHARDS: u64 = 2;

impl Cluster {
    pub(crate) fn with(fates: &[Fate]) -> Arc<Self> {
        let backoff = Backoff { first: std::time::Duration::ZERO, cap: std::time::Duration::ZERO };
        let settings = Settings { max_attempts: 1, backoff };
        Arc::new(Cluster { fates: fates.to_vec(), settings, state: Mutex::default() })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn events(&self) -> Events {
        Events
    }

    pub(crate) fn known_owner(&self, _shard_id: u64) -> String {
        String::new()
    }

    pub(crate) async fn shards_of(&self, _stream: &str, _plan: Plan) -> Result<ShardMap> {
        shuttle::future::yield_now().await;
        Ok(self.shards())
    }

    /// Two shards with ids of their own in each life.
    pub(crate) fn shards(&self) -> ShardMap {
        let life = self.state.lock().unwrap().life;
        let middle = u128::MAX / 2;
        let shard = |index: u64, start, end| Shard {
            id: life * 10 + index,
            stream: "s".into(),
            start,
            end,
            epoch: SHARDS,
            active: true,
        };
        ShardMap::new(vec![shard(0, 0, middle), shard(1, middle + 1, u128::MAX)])
    }

    /// The stream is deleted, and created anew.
    pub(crate) fn recreate(&self) {
        crate::scheduled::step();
        self.state.lock().unwrap().life += 1;
    }

    pub(crate) fn stored(&self) -> Vec<Stored> {
        self.state.lock().unwrap().records.clone()
    }

    fn write(&self, shard_id: u64, message: &BatchedRecord) -> Result<Written> {
        let mut state = self.state.lock().unwrap();
        let life = state.life;
        if shard_id / 10 != life {
            let gone = Error::new(ErrorKind::InvalidState, "the stream was created anew");
            return Err(gone.because_shards_are_gone());
        }
        state.batches += 1;
        let batch_id = state.batches;
        for (index, layout) in wire::decode_all(&message.payload, 0)?.readable().iter().enumerate() {
            let payload = layout.payload.of_bytes(&message.payload).to_vec();
            state.records.push(Stored { life, shard_id, batch_id, index, payload });
        }
        Ok(Written { shard_id, batch_id })
    }
}

pub(crate) async fn append_batch(
    cluster: &Cluster,
    destination: Destination,
    message: BatchedRecord,
    _plan: Plan,
) -> Result<Written> {
    shuttle::future::yield_now().await;
    let fate = cluster.fates[shuttle::rand::thread_rng().gen_range(0..cluster.fates.len())];
    let outcome = match fate {
        Fate::Written => cluster.write(destination.shard_id, &message),
        Fate::Refused => {
            Err(Error::from_server(3, r#"{"error":206,"message":"EmptyBatchedRecord","extra":null}"#))
        }
        Fate::Unknown => cluster
            .write(destination.shard_id, &message)
            .and_then(|_| Err(Error::new(ErrorKind::Timeout, "the answer did not come").ambiguous())),
        Fate::TooLarge if message.batch_size > 1 => {
            Err(Error::from_server(3, r#"{"error":207,"message":"too large","extra":null}"#))
        }
        Fate::TooLarge => cluster.write(destination.shard_id, &message),
        Fate::Stalled => std::future::pending().await,
    };
    shuttle::future::yield_now().await;
    outcome
}
