//! One append over the wire. All that append use it.

use std::sync::Arc;

use bytes::Bytes;
use tonic::Status;

use crate::cluster::exchange::Wire;
use crate::cluster::retry::Effect;
use crate::cluster::rpc::{self, Rpc};
use crate::cluster::streams::Needs;
use crate::cluster::{Cluster, Plan, Target};
use crate::codec::append::{self, Written};
use crate::error::Result;
use crate::producer::stats::Retries;
use crate::proto::BatchedRecord;

/// Where batches go.
#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) stream: Arc<str>,
    pub(crate) shard_id: u64,
    pub(crate) retries: Retries,
}

/// Appends a batch to a shard.
pub(crate) async fn append_batch(
    cluster: &Cluster,
    destination: Destination,
    batch: BatchedRecord,
    plan: Plan,
) -> Result<Written> {
    let (shard_id, count) = (destination.shard_id, batch.batch_size);
    let message = append::encode(&destination.stream, shard_id, batch);
    let answer = cluster.call(Target::Shard(shard_id), Append { destination, message, count }, plan).await?;
    append::written(&answer, shard_id, count)
}

/// The call, encoded once for all attempts.
#[derive(Clone)]
struct Append {
    destination: Destination,
    message: [Bytes; 2],
    count: u32,
}

impl Rpc for Append {
    /// As it came.
    type Response = Bytes;

    const NAME: &'static str = "Append";

    const EFFECT: Effect = Effect::Writes;

    async fn exchange(self, wire: Wire) -> Result<Bytes, Status> {
        wire.raw(rpc::append(), self.message).await
    }

    fn subject(&self) -> Option<String> {
        Some(format!("to stream {}", self.destination.stream))
    }

    fn carries(&self) -> Option<(usize, usize)> {
        Some((self.count as usize, self.message[1].len()))
    }

    fn needs(&self) -> Option<Needs<'_>> {
        Some(Needs { stream: &self.destination.stream, shard: Some(self.destination.shard_id) })
    }

    fn tried_again(&self) {
        self.destination.retries.add_one();
    }
}
