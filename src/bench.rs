//! What the benchmarks of this repository measure beside the public API. Not a part of it: it changes without
//! notice.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::client::Client;
use crate::codec::compression::{self, Compression};
use crate::codec::record;
use crate::error::{Error, Result};
use crate::producer::append::{Destination, append_batch};
use crate::producer::batch::Push;
use crate::producer::core::Core;
use crate::producer::keys::KeyCache;
use crate::producer::lane::{Lane, Next};
use crate::producer::room::Taken;
use crate::producer::stats::Retries;
use crate::producer::{Appender, Linger, ProducerConfig};
use crate::proto::BatchedRecord;
use crate::record::Record;
use crate::shard::{Shard, ShardMap, hash_key};

/// Encodes a record as an append does, behind what is in the buffer.
pub fn encode(record: &Record, buffer: &mut Vec<u8>) {
    record::encode(record, buffer);
}

/// How large a batch is compressed.
///
/// # Errors
///
/// As a producer's batch.
pub fn compressed_len(batch: &Bytes, compression: Compression) -> Result<usize> {
    Ok(compression::pack(batch.clone(), compression)?.1.len())
}

/// Appends a batch of encoded records so many times, one at a time, the way a producer's batches go.
///
/// # Errors
///
/// Those of the first append that fails.
pub fn append_again(client: &Client, stream: &str, batch: Bytes, count: u32, times: usize) -> Result<()> {
    let shards = client.look_up_shards(stream)?;
    let shard_id = shards.shards().first().map_or(0, Shard::id);
    let destination = Destination { stream: stream.into(), shard_id, retries: Retries::default() };
    let (cluster, plan) = (client.cluster().clone(), client.plan());
    client.run(plan.deadline, async move {
        for _ in 0..times {
            let batch =
                BatchedRecord { batch_size: count, payload: batch.clone(), ..BatchedRecord::default() };
            append_batch(&cluster, destination.clone(), batch, plan).await?;
        }
        Ok(())
    })
}

/// An appender whose batches are dropped as soon as they are full, and never sent: what is left is the caller's
/// part of an append.
///
/// # Errors
///
/// There is no such stream.
pub fn appender_to_nowhere(client: &Client, stream: &str) -> Result<Appender> {
    let config = ProducerConfig::new().linger(Linger::ByHand);
    let core = Core::new(client.cluster().clone(), client.spawner(), client.buffer(), config)?;
    let (layout, lanes) = core.open_stream(stream, client.look_up_shards(stream)?)?;
    for lane in layout.lanes() {
        // The first record of a lane brings its worker.
        let record = Record::raw("");
        let mut push = Push { record: record::Measured::new(&record), tag: None, delivery: None };
        let worker = || core.spawner.spawn(drop_batches(core.clone(), lane.clone()));
        lane.push(&mut push, Some(Taken::default()), false, Instant::now, worker)
            .map_err(|_| Error::closed("lane"))?;
    }
    Ok(Appender::new(core, lanes, layout))
}

async fn drop_batches(core: Arc<Core>, lane: Arc<Lane>) {
    loop {
        match lane.next(Instant::now(), true) {
            Next::Batch(queued) => core.room.give_back(Taken { bytes: queued.batch.credit, records: 0 }),
            Next::Sleep(until) => lane.sleep(until).await,
            Next::End => return,
        }
    }
}

/// Which shard a key belongs to.
#[allow(missing_debug_implementations)]
pub struct Keys {
    shards: ShardMap,
    known: KeyCache,
}

impl Keys {
    /// Among so many shards of equal ranges.
    pub fn among(count: u16) -> Self {
        let width = u128::MAX / u128::from(count);
        let shard = |number: u16| {
            let start = width * u128::from(number);
            let end = if number + 1 == count { u128::MAX } else { start + width - 1 };
            Shard { id: number.into(), stream: String::new(), start, end, epoch: 1, active: true }
        };
        Keys { shards: ShardMap::new((0..count).map(shard).collect()), known: KeyCache::default() }
    }

    /// By its hash.
    pub fn hashed(&self, key: &str) -> Option<usize> {
        self.shards.position(hash_key(key))
    }

    /// By its hash the first time, then as remembered.
    pub fn remembered(&self, key: &str) -> Option<usize> {
        self.known.position(key, || self.hashed(key))
    }
}
