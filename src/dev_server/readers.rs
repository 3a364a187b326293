//! The readers that are kept for ReadShard: creating, listing and deleting them.

use tonic::{Code, Status};

use super::errors;
use super::lookups;
use super::names::Names;
use super::node::Node;
use super::offsets::{self, Offset};
use crate::proto::{self, ErrorCode};

/// A reader as it was created. How far it has read is only known to the node that it reads from.
#[derive(Clone, Debug)]
pub(super) struct ReaderInfo {
    pub(super) stream: String,
    pub(super) shard: u64,
    pub(super) start: u64,
    pub(super) timeout: u32,
}

pub(super) fn create_shard_reader(
    node: &Node,
    request: proto::CreateShardReaderRequest,
) -> Result<proto::CreateShardReaderResponse, Status> {
    Names::ShardReader.check(&request.reader_id)?;
    Names::Stream.check(&request.stream_name)?;
    let offset = Offset::from(request.shard_offset);
    if matches!(offset, Offset::Unset | Offset::Empty) {
        return Err(offsets::invalid_offset("Invalid shard offset"));
    }
    let mut state = node.cluster.state();
    if state.readers.contains_key(&request.reader_id) {
        let extra = format!("ShardReader with id {} already exists.", request.reader_id);
        let error = ErrorCode::InternalError;
        return Err(errors::json(Code::AlreadyExists, error, "ShardReaderExists", extra));
    }
    let shard = request.shard_id;
    let log = state.logs.get(&shard).ok_or_else(|| errors::shard_not_found(shard))?;
    // Decided now: what comes between this and the first read counts.
    let start = offsets::start(offset, shard, log)?;
    let (stream, timeout) = (request.stream_name.clone(), request.timeout);
    state.readers.insert(request.reader_id.clone(), ReaderInfo { stream, shard, start, timeout });
    Ok(proto::CreateShardReaderResponse {
        stream_name: request.stream_name,
        shard_id: shard,
        shard_offset: request.shard_offset,
        reader_id: request.reader_id,
        timeout,
    })
}

pub(super) fn list_shard_readers(
    node: &Node,
    _: proto::ListShardReadersRequest,
) -> Result<proto::ListShardReadersResponse, Status> {
    Ok(proto::ListShardReadersResponse { reader_id: node.cluster.state().readers.keys().cloned().collect() })
}

pub(super) fn delete_shard_reader(
    node: &Node,
    request: proto::DeleteShardReaderRequest,
) -> Result<(), Status> {
    let id = request.reader_id;
    Names::ShardReader.check(&id)?;
    lookups::check_reader_owner(node, &id)?;
    if node.cluster.state().readers.remove(&id).is_none() {
        // What was meant to be "there is no such reader".
        return Err(errors::unknown_exception("HStream/Exception.hs: Non-exhaustive patterns in case"));
    }
    // Only this node forgets how far it had read.
    node.cluster.cursors().remove(&(node.id, id));
    Ok(())
}
