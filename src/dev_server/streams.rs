//! Streams and their shards.

use std::collections::HashSet;

use bytes::Bytes;
use tonic::{Code, Status};

use super::errors;
use super::log::{ShardLog, StoredBatch};
use super::ranges;
use super::state::{Moment, State};
use crate::proto::{self, ErrorCode};

/// What archived streams are called in listings of subscriptions.
pub(super) const DELETED_STREAM: &str = "__deleted_stream__";

/// A stream that was deleted under its subscriptions lives on under this name and a number.
const ARCHIVE_PREFIX: &str = "__archive__";

/// The real server has no such limit; it makes shards one by one, until somebody stops it.
const MOST_SHARDS: u32 = 65_536;

/// A stream, under its name or that of its archive.
#[derive(Debug)]
pub(super) struct StreamInfo {
    replication_factor: u32,
    backlog_duration: u32,
    creation_time: prost_types::Timestamp,
    archived: bool,
    /// In the order in which they are listed.
    pub(super) shards: Vec<ShardInfo>,
}

/// One shard of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardInfo {
    pub(super) id: u64,
    start: u128,
    end: u128,
}

impl StreamInfo {
    /// The shard whose range has this hash.
    pub(super) fn shard_of(&self, hash: u128) -> Option<u64> {
        let has = |shard: &&ShardInfo| (shard.start..=shard.end).contains(&hash);
        self.shards.iter().find(has).map(|shard| shard.id)
    }

    fn message(&self, name: &str) -> proto::Stream {
        proto::Stream {
            stream_name: name.to_owned(),
            replication_factor: self.replication_factor,
            backlog_duration: self.backlog_duration,
            shard_count: self.shards.len() as u32,
            creation_time: Some(self.creation_time),
        }
    }
}

impl State {
    /// Creates a stream whose name and numbers were found good.
    pub(super) fn create_stream(
        &mut self,
        stream: &proto::Stream,
        now: Moment,
    ) -> Result<proto::Stream, Status> {
        if self.streams.contains_key(&stream.stream_name) {
            let name = stream.stream_name.as_str();
            return Err(errors::json(Code::AlreadyExists, ErrorCode::StreamExists, "StreamExists", name));
        }
        if stream.shard_count > MOST_SHARDS {
            return Err(Status::resource_exhausted(format!(
                "the development server makes no more than {MOST_SHARDS} shards for a stream"
            )));
        }
        let mut shards = Vec::with_capacity(stream.shard_count as usize);
        for (start, end) in ranges::listed(stream.shard_count) {
            shards.push(ShardInfo { id: self.make_log(now), start, end });
        }
        let info = StreamInfo {
            replication_factor: stream.replication_factor,
            backlog_duration: stream.backlog_duration,
            creation_time: now.timestamp(),
            archived: false,
            shards,
        };
        self.streams.insert(stream.stream_name.clone(), info);
        Ok(proto::Stream { creation_time: Some(now.timestamp()), ..stream.clone() })
    }

    fn make_log(&mut self, now: Moment) -> u64 {
        let mut id = ranges::shard_id(now.since_1970, self.random.u16(..));
        // The real server draws again; counting up always ends.
        while self.logs.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        self.logs.insert(id, ShardLog::new());
        id
    }

    /// The stream of this name, unless it is an archive.
    pub(super) fn stream(&self, name: &str) -> Option<&StreamInfo> {
        self.streams.get(name).filter(|stream| !stream.archived)
    }

    pub(super) fn get_stream(&self, name: &str) -> Option<proto::Stream> {
        Some(self.stream(name)?.message(name))
    }

    pub(super) fn list_streams(&self, prefix: &str) -> Vec<proto::Stream> {
        let named = self.streams.iter().filter(|(name, stream)| !stream.archived && name.starts_with(prefix));
        named.map(|(name, stream)| stream.message(name)).collect()
    }

    pub(super) fn list_shards(&self, name: &str) -> Option<Vec<proto::Shard>> {
        let stream = self.stream(name)?;
        let shard = |shard: &ShardInfo| proto::Shard {
            stream_name: name.to_owned(),
            shard_id: shard.id,
            start_hash_range_key: shard.start.to_string(),
            end_hash_range_key: shard.end.to_string(),
            // It is the number of shards at creation, in every shard.
            epoch: stream.shards.len() as u64,
            is_active: true,
        };
        Some(stream.shards.iter().map(shard).collect())
    }

    /// How listings name the stream of a subscription.
    pub(super) fn listed_stream_name<'a>(&self, name: &'a str) -> &'a str {
        if self.streams.get(name).is_some_and(|stream| stream.archived) { DELETED_STREAM } else { name }
    }

    /// Deletes a stream with all its data; or, by force, takes its name from it and leaves it to its
    /// subscriptions.
    pub(super) fn delete_stream(&mut self, request: &proto::DeleteStreamRequest) -> Result<(), Status> {
        let name = request.stream_name.as_str();
        if self.stream(name).is_none() {
            return if request.ignore_non_exist { Ok(()) } else { Err(errors::stream_not_found(name)) };
        }
        if !self.subscriptions.values().any(|subscription| subscription.stream == name) {
            self.remove_stream(name);
            return Ok(());
        }
        if !request.force {
            return Err(errors::json(
                Code::FailedPrecondition,
                ErrorCode::StreamFoundSubscription,
                "Stream still has subscription",
                serde_json::Value::Null,
            ));
        }
        self.archive_stream(name);
        Ok(())
    }

    fn archive_stream(&mut self, name: &str) {
        let archive = format!("{ARCHIVE_PREFIX}{name}{}", self.fresh_id());
        let Some(mut stream) = self.streams.remove(name) else { return };
        stream.archived = true;
        self.streams.insert(archive.clone(), stream);
        for subscription in self.subscriptions.values_mut().filter(|each| each.stream == name) {
            subscription.stream.clone_from(&archive);
        }
    }

    fn remove_stream(&mut self, name: &str) {
        let Some(stream) = self.streams.remove(name) else { return };
        let shards: HashSet<u64> = stream.shards.iter().map(|shard| shard.id).collect();
        let logs: Vec<ShardLog> = shards.iter().filter_map(|id| self.logs.remove(id)).collect();
        self.retention.removed(&shards, logs.iter().map(ShardLog::weight).sum());
        // Readers that wait for more must see that there is none to come.
        logs.iter().for_each(ShardLog::wake);
    }

    /// Stores a batch that was found good, in a shard of any stream. None if there is no such shard.
    pub(super) fn append(
        &mut self,
        shard: u64,
        records: u32,
        compression: i32,
        payload: Bytes,
        now: Moment,
    ) -> Option<u64> {
        let log = self.logs.get_mut(&shard)?;
        let lsn = log.append(records, compression, payload, now.ms());
        let weight = log.get(lsn).map_or(0, StoredBatch::weight);
        self.retention.stored(shard, weight, &mut self.logs);
        Some(lsn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::{at, state};
    use super::*;

    fn stream(name: &str, shard_count: u32) -> proto::Stream {
        proto::Stream {
            stream_name: name.to_owned(),
            replication_factor: 1,
            shard_count,
            ..Default::default()
        }
    }

    fn subscribe(state: &mut State, id: &str, stream: &str) {
        let subscription = proto::Subscription {
            subscription_id: id.to_owned(),
            stream_name: stream.to_owned(),
            ..Default::default()
        };
        state.create_subscription(&subscription, at(0)).unwrap();
    }

    fn delete(name: &str, force: bool) -> proto::DeleteStreamRequest {
        proto::DeleteStreamRequest { stream_name: name.to_owned(), ignore_non_exist: false, force }
    }

    /// Server behaviour, section 4.1.
    #[test]
    fn shard_ids_are_unique_even_when_all_are_made_at_once() {
        let mut state = state(None);
        for name in ["a", "b", "c"] {
            state.create_stream(&stream(name, 20_000), at(0)).unwrap();
        }
        assert_eq!(state.logs.len(), 60_000);
        let refused = state.create_stream(&stream("d", u32::MAX), at(0)).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
    }

    /// Server behaviour, sections 4.2 and 5.
    #[test]
    fn a_stream_is_echoed_and_listed_with_its_shards() {
        let mut state = state(None);
        let request = proto::Stream { creation_time: None, ..stream("s", 4) };
        let echo = state.create_stream(&request, at(5)).unwrap();
        assert_eq!(echo.creation_time.unwrap().nanos, 5_000_000);
        assert_eq!(state.get_stream("s").unwrap(), echo);
        let shards = state.list_shards("s").unwrap();
        assert_eq!(shards[1].start_hash_range_key, "170141183460469231731687303715884105726");
        assert!(shards.iter().all(|shard| shard.epoch == 4 && shard.is_active));
        let status = state.create_stream(&request, at(6)).unwrap_err();
        assert_eq!(status.message(), r#"{"error":201,"extra":"s","message":"StreamExists"}"#);
    }

    /// Server behaviour, section 5.
    #[test]
    fn a_stream_deleted_by_force_lives_on_in_its_subscriptions() {
        let mut state = state(None);
        state.create_stream(&stream("s", 1), at(0)).unwrap();
        let shard = state.streams["s"].shards[0].id;
        subscribe(&mut state, "sub", "s");
        let status = state.delete_stream(&delete("s", false)).unwrap_err();
        assert!(status.message().starts_with(r#"{"error":202,"extra":null"#), "{}", status.message());
        state.delete_stream(&delete("s", true)).unwrap();
        assert!(state.get_stream("s").is_none());
        assert!(state.list_streams("").is_empty());
        assert!(state.append(shard, 1, 0, Bytes::new(), at(1)).is_some(), "its log is still there");
        assert_eq!(state.list_subscriptions("")[0].stream_name, DELETED_STREAM);
        assert!(state.subscriptions["sub"].stream.starts_with("__archive__s"));
        state.create_stream(&stream("s", 1), at(2)).unwrap();
        assert_ne!(state.streams["s"].shards[0].id, shard, "the name is free for another stream");
    }

    /// Server behaviour, section 5.
    #[test]
    fn a_stream_without_subscriptions_is_removed_with_its_shards() {
        let mut state = state(Some(1000));
        state.create_stream(&stream("s", 2), at(0)).unwrap();
        let shard = state.streams["s"].shards[0].id;
        state.append(shard, 1, 0, Bytes::new(), at(1));
        state.delete_stream(&delete("s", false)).unwrap();
        assert!(state.logs.is_empty());
        assert!(state.append(shard, 1, 0, Bytes::new(), at(1)).is_none());
        let status = state.delete_stream(&delete("s", true)).unwrap_err();
        assert_eq!(status.message(), r#"{"error":200,"extra":"s","message":"StreamNotFound"}"#);
        let ignoring = proto::DeleteStreamRequest { ignore_non_exist: true, ..delete("s", false) };
        state.delete_stream(&ignoring).unwrap();
    }
}
