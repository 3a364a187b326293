//! ReadShard: collects batches from where the reader is, and waits for those to come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tonic::{Code, Status};

use super::bell::Bell;
use super::cluster::Cluster;
use super::errors;
use super::life::stopping;
use super::log::StoredBatch;
use super::node::Node;
use super::readers::ReaderInfo;
use super::versions;
use crate::proto::{self, ErrorCode};

/// How far a reader is, in the memory of one node.
#[derive(Debug)]
pub(super) struct Cursor {
    next: u64,
    /// Whether the reader was told that its log is gone.
    told: bool,
}

/// The value of a time-out that means to wait for ever.
const FOR_EVER: u32 = u32::MAX;

/// The call goes on when its client gives up: what it reads then is lost to the reader.
pub(super) async fn read_shard(
    node: Node,
    request: proto::ReadShardRequest,
) -> Result<proto::ReadShardResponse, Status> {
    let life = node.life.clone();
    let reading = tokio::spawn(async move { life.run(read(node, request)).await });
    reading.await.unwrap_or_else(|_| Err(stopping()))
}

async fn read(node: Node, request: proto::ReadShardRequest) -> Result<proto::ReadShardResponse, Status> {
    let reader = node.cluster.state().readers.get(&request.reader_id).cloned().ok_or_else(no_reader)?;
    let cursor = node
        .cluster
        .cursors()
        .entry((node.id, request.reader_id))
        .or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Cursor { next: reader.start, told: false })))
        .clone();
    let mut cursor = cursor.lock().await;
    let deadline = deadline(reader.timeout)?;
    let batches = collect(&node.cluster, &reader, &mut cursor, request.max_records, deadline).await?;
    let bytes = batches.iter().map(|batch| batch.payload.len() as u64).sum();
    node.cluster.state().stats.read(node.id, &reader.stream, batches.len() as u64, bytes);
    let received_records = batches.iter().map(|batch| batch.received(reader.shard)).collect();
    Ok(proto::ReadShardResponse { received_records })
}

fn no_reader() -> Status {
    let (error, extra) = (ErrorCode::InternalError, "ShardReaderNotExists");
    errors::json(Code::FailedPrecondition, error, "EmptyShardReader", extra)
}

/// None for never. The server takes the number for a signed one.
fn deadline(timeout: u32) -> Result<Option<Instant>, Status> {
    match i32::try_from(timeout) {
        Ok(_) => Ok(Some(Instant::now() + Duration::from_millis(u64::from(timeout)))),
        Err(_) if timeout == FOR_EVER => Ok(None),
        Err(_) => Err(Status::internal("invalid parameter")),
    }
}

/// Returns as soon as there are as many batches as asked for; otherwise it waits until the deadline,
/// even with some at hand.
async fn collect(
    cluster: &Cluster,
    reader: &ReaderInfo,
    cursor: &mut Cursor,
    most: u32,
    deadline: Option<Instant>,
) -> Result<Vec<StoredBatch>, Status> {
    let listener = Listener::new(cluster, reader.shard);
    let mut batches = Vec::new();
    loop {
        let there = take(cluster, reader.shard, cursor, most, &mut batches);
        if let Log::Gone = there {
            let tells = cluster.release() >= versions::GAP_ERRORS;
            return if tells { gone(reader, cursor, batches) } else { Ok(batches) };
        }
        if batches.len() as u64 >= u64::from(most) {
            return Ok(batches);
        }
        let more = listener.bell.wait();
        match deadline {
            None => more.await,
            Some(deadline) => {
                if tokio::time::timeout_at(deadline.into(), more).await.is_err() {
                    return Ok(batches);
                }
            }
        }
    }
}

enum Log {
    There,
    Gone,
}

fn take(
    cluster: &Cluster,
    shard: u64,
    cursor: &mut Cursor,
    most: u32,
    batches: &mut Vec<StoredBatch>,
) -> Log {
    let state = cluster.state();
    let Some(log) = state.logs.get(&shard) else { return Log::Gone };
    while (batches.len() as u64) < u64::from(most)
        && let Some(batch) = log.first_from(cursor.next)
    {
        cursor.next = batch.lsn.saturating_add(1);
        batches.push(batch.clone());
    }
    Log::There
}

/// A deleted log reads as a gap to its end: told once, and then there is nothing.
fn gone(
    reader: &ReaderInfo,
    cursor: &mut Cursor,
    batches: Vec<StoredBatch>,
) -> Result<Vec<StoredBatch>, Status> {
    if !batches.is_empty() || std::mem::replace(&mut cursor.told, true) {
        return Ok(batches);
    }
    let extra = format!("shardReader read stream \"{}\", shard {} meet gap", reader.stream, reader.shard);
    let error = ErrorCode::ShardReaderNotInConfigGap;
    Err(errors::json(Code::NotFound, error, "NotInConfigGapError", extra))
}

/// Hears of new batches of a shard, while it lives.
struct Listener<'a> {
    cluster: &'a Cluster,
    shard: u64,
    bell: Bell,
}

impl<'a> Listener<'a> {
    fn new(cluster: &'a Cluster, shard: u64) -> Self {
        let bell = Bell::default();
        if let Some(log) = cluster.state().logs.get_mut(&shard) {
            log.listen(&bell);
        }
        Listener { cluster, shard, bell }
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        if let Some(log) = self.cluster.state().logs.get_mut(&self.shard) {
            log.unlisten(&self.bell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Server behaviour, section 3.2.
    #[test]
    fn timeouts_are_signed_milliseconds_but_for_one() {
        assert!(deadline(0).unwrap().is_some());
        assert!(deadline(i32::MAX as u32).unwrap().is_some());
        assert!(deadline(u32::MAX).unwrap().is_none());
        for timeout in [1 << 31, u32::MAX - 1] {
            let status = deadline(timeout).unwrap_err();
            assert_eq!((status.code(), status.message()), (Code::Internal, "invalid parameter"));
        }
    }
}
