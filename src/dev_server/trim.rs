//! Trimming: TrimStream, TrimShard and TrimShards drop the oldest batches of shards.

use std::collections::{BTreeMap, HashMap};

use tonic::{Code, Status};

use super::errors;
use super::names::Names;
use super::node::Node;
use super::offsets::{self, Offset};
use super::state::State;
use super::versions;
use crate::proto::{self, ErrorCode};

pub(super) fn trim_stream(node: &Node, request: proto::TrimStreamRequest) -> Result<(), Status> {
    let name = request.stream_name.as_str();
    Names::Stream.check(name)?;
    let point = Offset::from(request.trim_point);
    if point == Offset::Unset {
        return Err(offsets::invalid_trim_point());
    }
    let mut state = node.cluster.state();
    let stream = state.stream(name).ok_or_else(|| {
        let extra = format!("stream \"{name}\" is not found.");
        errors::json(Code::NotFound, ErrorCode::StreamNotFound, "StreamNotFound", extra)
    })?;
    let shards: Vec<u64> = stream.shards.iter().map(|shard| shard.id).collect();
    // One after the other: those before a refusal are trimmed.
    shards.into_iter().try_for_each(|shard| state.trim_to(shard, point))
}

pub(super) fn trim_shard(node: &Node, request: proto::TrimShardRequest) -> Result<(), Status> {
    let point = Offset::from(request.trim_point);
    if point == Offset::Unset {
        return Err(offsets::invalid_trim_point());
    }
    node.cluster.state().trim_to(request.shard_id, point)
}

/// Unlike its siblings it leaves the batches of the given records.
pub(super) fn trim_shards(
    node: &Node,
    request: proto::TrimShardsRequest,
) -> Result<proto::TrimShardsResponse, Status> {
    let name = request.stream_name.as_str();
    Names::Stream.check(name)?;
    if request.record_ids.is_empty() && node.cluster.release() >= versions::TRIM_OF_NOTHING {
        return Ok(proto::TrimShardsResponse::default());
    }
    let points = smallest(&request.record_ids)?;
    let mut state = node.cluster.state();
    let stream = state.stream(name).ok_or_else(errors::missing_in_store)?;
    let shards: Vec<u64> = stream.shards.iter().map(|shard| shard.id).collect();
    let mut trim_points = HashMap::new();
    for (shard, id) in points {
        if !shards.contains(&shard) {
            let extra = format!("shard {shard} doesn't belong to stream \"{name}\"");
            let error = ErrorCode::StreamShardNotExists;
            return Err(errors::json(Code::InvalidArgument, error, "ShardNotExists", extra));
        }
        let text = format!("{shard}-{}-{}", id.0, id.1);
        state.trim(shard, id.0 - 1).map_err(|_| {
            let extra = format!("recordId {text} is beyond the tail of log: {}", errors::TOO_BIG);
            invalid_record_id(extra.into())
        })?;
        trim_points.insert(shard, text);
    }
    Ok(proto::TrimShardsResponse { trim_points })
}

/// The smallest id of each shard, as its batch and its place in it. Batch 0 stands for the earliest, and
/// there is nothing to trim before that.
fn smallest(texts: &[String]) -> Result<BTreeMap<u64, (u64, u32)>, Status> {
    let mut points = BTreeMap::new();
    let mut mistakes = Vec::new();
    for text in texts {
        match parse(text) {
            None => mistakes.push(format!("invalid recordId: {text}")),
            Some((_, 0, _)) => {}
            Some((shard, batch, index)) => {
                let point = points.entry(shard).or_insert((batch, index));
                *point = (*point).min((batch, index));
            }
        }
    }
    if mistakes.is_empty() { Ok(points) } else { Err(invalid_record_id(mistakes.into())) }
}

/// `<shard>-<batch>-<place>`, three decimal numbers and nothing else.
fn parse(text: &str) -> Option<(u64, u64, u32)> {
    let is_decimal = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split('-');
    let mut next = || parts.next().filter(is_decimal);
    let id = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    parts.next().is_none().then_some(id)
}

fn invalid_record_id(extra: serde_json::Value) -> Status {
    errors::json(Code::InvalidArgument, ErrorCode::StreamInvalidRecordId, "InvalidRecordId", extra)
}

impl State {
    fn trim_to(&mut self, shard: u64, point: Offset) -> Result<(), Status> {
        let log = self.logs.get(&shard).ok_or_else(|| errors::shard_not_found(shard))?;
        self.trim(shard, offsets::trim_point(point, log)?)
    }

    /// Drops all batches up to this one, and this one. The store refuses to trim what was never written.
    fn trim(&mut self, shard: u64, up_to: u64) -> Result<(), Status> {
        let log = self.logs.get_mut(&shard).ok_or_else(|| errors::shard_not_found(shard))?;
        if up_to > log.tail() {
            return Err(errors::too_big());
        }
        let mut dropped = (0, 0);
        while log.first_from(0).is_some_and(|batch| batch.lsn <= up_to) {
            let Some(batch) = log.drop_oldest() else { break };
            dropped = (dropped.0 + 1, dropped.1 + batch.weight());
        }
        self.retention.trimmed(shard, dropped.0, dropped.1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::log::EMPTY_TAIL;
    use super::super::state::tests::{at, state};
    use super::*;

    #[test]
    fn record_ids_are_three_decimal_numbers() {
        assert_eq!(parse("12-8589934600-3"), Some((12, 8589934600, 3)));
        for bad in [
            "",
            "1",
            "1-2",
            "1-2-3-4",
            "1-2-",
            "-1-2-3",
            "a-2-3",
            "1-2-+3",
            " 1-2-3",
            "1-2-4294967296",
            "18446744073709551616-1-1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    /// Server behaviour, section 7.
    #[test]
    fn the_smallest_id_of_a_shard_wins_and_the_earliest_is_left_out() {
        let ids = ["1-20-3", "1-20-1", "1-30-0", "2-0-0", "3-5-0"].map(str::to_owned);
        let expected = BTreeMap::from([(1, (20, 1)), (3, (5, 0))]);
        assert_eq!(smallest(&ids).unwrap(), expected);
        let status = smallest(&["x".to_owned(), "1-1-1".to_owned(), "y".to_owned()]).unwrap_err();
        let extra = r#""extra":["invalid recordId: x","invalid recordId: y"]"#;
        assert!(status.message().contains(extra), "{}", status.message());
    }

    /// Server behaviour, section 7.
    #[test]
    fn trimming_takes_whole_batches_and_none_beyond_the_tail() {
        let mut state = state(Some(1 << 20));
        let stream = proto::Stream { stream_name: "s".into(), shard_count: 1, ..Default::default() };
        state.create_stream(&stream, at(0)).unwrap();
        let shard = state.streams["s"].shards[0].id;
        for ms in 0..3 {
            state.append(shard, 1, 0, Bytes::new(), at(ms));
        }
        let first = |state: &State| state.logs[&shard].first_from(0).map(|batch| batch.lsn);
        for _ in 0..2 {
            state.trim(shard, EMPTY_TAIL + 2).unwrap();
            assert_eq!(first(&state), Some(EMPTY_TAIL + 3));
        }
        assert_eq!(state.trim(shard, EMPTY_TAIL + 4).unwrap_err().code(), Code::InvalidArgument);
        state.trim(shard, EMPTY_TAIL + 3).unwrap();
        assert_eq!(first(&state), None);
        assert_eq!(state.logs[&shard].tail(), EMPTY_TAIL + 3, "the tail stays");
        assert!(state.trim(shard + 1, 0).unwrap_err().message().contains("ShardNotFound"));
    }
}
