//! Subscriptions: what is kept of them, and loading them into the memory of a node.

use std::collections::BTreeMap;

use tonic::{Code, Status};

use super::assignment::ConsumerId;
use super::bell::Bell;
use super::errors;
use super::log::{OLDEST, ShardLog};
use super::nodes::NodeId;
use super::progress::Progress;
use super::running::{Consumer, Running, Step};
use super::state::{Moment, Run, RunId, State};
use crate::proto::{self, ErrorCode, SpecialOffset};

/// A subscription as it is stored: it survives the node that serves it.
#[derive(Debug)]
pub(super) struct SubscriptionInfo {
    /// The name of its stream, or of the archive of it.
    pub(super) stream: String,
    ack_timeout_seconds: i32,
    max_unacked_records: i32,
    offset: i32,
    creation_time: prost_types::Timestamp,
    /// Where it starts in each shard, fixed when it was created.
    starts: BTreeMap<u64, u64>,
    /// The last batch of each shard up to which all is acked.
    checkpoints: BTreeMap<u64, u64>,
}

impl SubscriptionInfo {
    fn message(&self, id: &str, stream: &str) -> proto::Subscription {
        proto::Subscription {
            subscription_id: id.to_owned(),
            stream_name: stream.to_owned(),
            ack_timeout_seconds: self.ack_timeout_seconds,
            max_unacked_records: self.max_unacked_records,
            offset: self.offset,
            creation_time: Some(self.creation_time),
        }
    }
}

/// How far a deletion got.
#[derive(Debug)]
pub(super) enum Deletion {
    Done,
    /// The consumers have to go first; the bell rings when it is done.
    Under(Bell),
}

/// A consumer's place in a running subscription.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    pub(super) run: RunId,
    pub(super) consumer: ConsumerId,
}

/// Why acks end a consumer's call.
#[derive(Debug)]
pub(super) enum AckRefused {
    /// The consumer is out already, or goes.
    Left(Status),
    /// The server stumbled: the consumer stays registered, until a message can't be sent to it.
    Stays(Status),
}

/// What a consumer got by joining.
#[derive(Debug)]
pub(super) enum Joined {
    /// The subscription was running already.
    Running(Seat),
    /// It was loaded for this; somebody has to deliver now.
    Loaded(Seat, Bell),
}

/// What whoever delivers for a running subscription finds.
#[derive(Debug)]
pub(super) enum Next {
    Do(Step),
    /// It was deleted by force: these consumers are to be told.
    Deleted(String, Vec<Consumer>),
    /// It is not running any more.
    Gone,
}

impl State {
    /// Creates a subscription whose names were found good.
    pub(super) fn create_subscription(
        &mut self,
        request: &proto::Subscription,
        now: Moment,
    ) -> Result<proto::Subscription, Status> {
        let stream = request.stream_name.as_str();
        let Some(info) = self.stream(stream) else {
            return Err(errors::json(
                Code::FailedPrecondition,
                ErrorCode::SubscriptionCreationOnNonExistentStream,
                "NonExistentStream",
                stream,
            ));
        };
        let start: fn(&ShardLog) -> u64 = match SpecialOffset::try_from(request.offset) {
            Ok(SpecialOffset::Earliest) => |_| OLDEST,
            Ok(SpecialOffset::Latest) => ShardLog::after_tail,
            Err(_) => return Err(invalid_offset()),
        };
        let id = request.subscription_id.as_str();
        if self.subscriptions.contains_key(id) {
            let error = ErrorCode::SubscriptionExists;
            return Err(errors::json(Code::AlreadyExists, error, "SubscriptionExists", id));
        }
        let starts =
            info.shards.iter().filter_map(|shard| Some((shard.id, start(self.logs.get(&shard.id)?))));
        let info = SubscriptionInfo {
            stream: stream.to_owned(),
            ack_timeout_seconds: request.ack_timeout_seconds,
            max_unacked_records: request.max_unacked_records,
            offset: request.offset,
            creation_time: now.timestamp(),
            starts: starts.collect(),
            checkpoints: BTreeMap::new(),
        };
        let message = info.message(id, stream);
        self.subscriptions.insert(id.to_owned(), info);
        Ok(message)
    }

    /// A subscription and, if the node has it loaded, its checkpoints. An archived stream has its raw
    /// name here.
    pub(super) fn get_subscription(&self, node: NodeId, id: &str) -> Option<proto::GetSubscriptionResponse> {
        let info = self.subscriptions.get(id)?;
        let offset = |running: &Running, shard_id| proto::SubscriptionOffset {
            shard_id,
            batch_id: running.committed(shard_id),
        };
        let offsets = self
            .run_of(node, id)
            .map(|run| run.running.shards().map(|shard| offset(&run.running, shard)).collect());
        Some(proto::GetSubscriptionResponse {
            subscription: Some(info.message(id, &info.stream)),
            offsets: offsets.unwrap_or_default(),
        })
    }

    pub(super) fn list_subscriptions(&self, prefix: &str) -> Vec<proto::Subscription> {
        let named = self.subscriptions.iter().filter(|(id, _)| id.starts_with(prefix));
        named.map(|(id, info)| info.message(id, self.listed_stream_name(&info.stream))).collect()
    }

    pub(super) fn list_consumers(&self, node: NodeId, id: &str) -> Option<Vec<proto::Consumer>> {
        self.subscriptions.get(id)?;
        let consumer = |consumer: &Consumer| proto::Consumer {
            name: consumer.name.clone(),
            uri: consumer.uri.clone(),
            user_agent: consumer.agent.clone(),
        };
        let consumers = self.run_of(node, id).map(|run| run.running.consumers().map(consumer).collect());
        Some(consumers.unwrap_or_default())
    }

    /// Deletes a subscription, or begins to.
    pub(super) fn delete_subscription(
        &mut self,
        node: NodeId,
        id: &str,
        force: bool,
    ) -> Result<Deletion, Status> {
        if !self.subscriptions.contains_key(id) {
            return Err(errors::subscription_not_found(id));
        }
        match self.run_of_mut(node, id).map(|run| &mut run.running) {
            Some(running) if running.deleting.is_some() => {
                Err(errors::subscription_is_deleting("Subscription is being deleted, please wait a while"))
            }
            Some(running) if running.consumers().next().is_some() && !force => Err(errors::json(
                Code::FailedPrecondition,
                ErrorCode::SubscriptionFoundActiveConsumers,
                "FoundActiveConsumers",
                "Subscription still has active consumers",
            )),
            Some(running) if running.consumers().next().is_some() => {
                let done = Bell::default();
                running.deleting = Some(done.clone());
                running.bell.ring();
                Ok(Deletion::Under(done))
            }
            _ => {
                self.remove_subscription(node, id);
                Ok(Deletion::Done)
            }
        }
    }

    /// Takes it out of the store and out of this node's memory. Its consumers there come back. A node that
    /// has it loaded without owning it is not told, as in a real cluster.
    fn remove_subscription(&mut self, node: NodeId, id: &str) -> Vec<Consumer> {
        self.subscriptions.remove(id);
        self.stats.forget_subscription(id);
        self.unload_where(|of, subscription| of == node && subscription == id)
    }

    /// The first message of a consumer: loads the subscription if the node doesn't have it. No matter
    /// who owns it.
    pub(super) fn join(
        &mut self,
        node: NodeId,
        id: &str,
        consumer: Consumer,
        now: Moment,
    ) -> Result<Joined, Status> {
        if !self.subscriptions.contains_key(id) {
            return Err(errors::subscription_not_found(id));
        }
        let seat = self.fresh_id();
        if let Some(&run) = self.runs.get(&(node, id.to_owned())) {
            let Some(running) = self.running.get_mut(&run).map(|run| &mut run.running) else {
                return Err(errors::invalid_subscription());
            };
            if running.deleting.is_some() {
                return Err(errors::invalid_subscription());
            }
            if running.is_taken(&consumer.name) {
                let (error, name) = (ErrorCode::InternalError, consumer.name);
                return Err(errors::json(Code::AlreadyExists, error, "ConsumerExists", name));
            }
            running.join(seat, consumer, now.instant);
            return Ok(Joined::Running(Seat { run, consumer: seat }));
        }
        let run = self.fresh_id();
        let mut running = self.load(id, now)?;
        let bell = running.bell.clone();
        running.join(seat, consumer, now.instant);
        self.runs.insert((node, id.to_owned()), run);
        self.running.insert(run, Run { node, subscription: id.to_owned(), running });
        Ok(Joined::Loaded(Seat { run, consumer: seat }, bell))
    }

    fn load(&mut self, id: &str, now: Moment) -> Result<Running, Status> {
        let info = self.subscriptions.get(id).ok_or_else(|| errors::subscription_not_found(id))?;
        let progress = |(shard, start): (&u64, &u64)| {
            (*shard, Progress::new(*start, info.checkpoints.get(shard).copied()))
        };
        let shards = info.starts.iter().map(progress).collect();
        let (timeout, max) = (info.ack_timeout_seconds, info.max_unacked_records);
        let running = Running::new(timeout, max, shards, self.ticks, now.instant);
        for shard in running.shards() {
            if let Some(log) = self.logs.get_mut(&shard) {
                log.listen(&running.bell);
            }
        }
        Ok(running)
    }

    /// Later messages of a consumer.
    pub(super) fn ack(&mut self, seat: Seat, ids: &[proto::RecordId]) -> Result<(), AckRefused> {
        let run = self.running.get_mut(&seat.run);
        let run = run.ok_or_else(|| AckRefused::Left(errors::invalid_consumer()))?;
        if run.running.deleting.is_some() {
            return Err(AckRefused::Left(errors::invalid_subscription()));
        }
        if !run.running.has(seat.consumer) {
            return Err(AckRefused::Left(errors::invalid_consumer()));
        }
        self.stats.received(run.node, &run.subscription, ids.len() as u64);
        let (checkpoints, outcome) = run.running.ack(ids);
        if let Some(info) = self.subscriptions.get_mut(&run.subscription) {
            info.checkpoints.extend(checkpoints);
        }
        outcome.map_err(|shard| {
            AckRefused::Stays(errors::unknown_exception(&format!("no such shard: {}", shard.0)))
        })
    }

    pub(super) fn leave(&mut self, seat: Seat, now: Moment) {
        if let Some(run) = self.running.get_mut(&seat.run) {
            run.running.hangs_up(seat.consumer, now.instant);
        }
    }

    /// What the one who delivers has to do.
    pub(super) fn next(&mut self, run: RunId, now: Moment) -> Next {
        let Some(Run { node, subscription, running }) = self.running.get_mut(&run) else { return Next::Gone };
        let Some(done) = running.deleting.take() else {
            return Next::Do(running.step(&self.logs, now.instant));
        };
        let (node, id) = (*node, subscription.clone());
        let consumers = self.remove_subscription(node, &id);
        done.ring();
        Next::Deleted(id, consumers)
    }

    /// Ends a loading: what is not in a checkpoint is forgotten. Its consumers come back.
    pub(super) fn unload(&mut self, run: RunId) -> Vec<Consumer> {
        let Some(mut run) = self.running.remove(&run) else { return Vec::new() };
        for shard in run.running.shards() {
            if let Some(log) = self.logs.get_mut(&shard) {
                log.unlisten(&run.running.bell);
            }
        }
        if let Some(done) = run.running.deleting.take() {
            self.subscriptions.remove(&run.subscription);
            self.stats.forget_subscription(&run.subscription);
            done.ring();
        }
        self.runs.remove(&(run.node, run.subscription));
        run.running.clear()
    }

    pub(super) fn unload_where(&mut self, mut which: impl FnMut(NodeId, &str) -> bool) -> Vec<Consumer> {
        let runs = self.runs.iter().filter(|((node, subscription), _)| which(*node, subscription));
        let runs: Vec<RunId> = runs.map(|(_, run)| *run).collect();
        runs.into_iter().flat_map(|run| self.unload(run)).collect()
    }

    /// How many batches a node has sent and waits for, of one subscription.
    pub(super) fn unacked_batches(&self, node: NodeId, id: &str) -> u64 {
        self.run_of(node, id).map_or(0, |run| run.running.unacked_batches() as u64)
    }

    fn run_of(&self, node: NodeId, id: &str) -> Option<&Run> {
        self.running.get(self.runs.get(&(node, id.to_owned()))?)
    }

    fn run_of_mut(&mut self, node: NodeId, id: &str) -> Option<&mut Run> {
        self.running.get_mut(self.runs.get(&(node, id.to_owned()))?)
    }
}

fn invalid_offset() -> Status {
    errors::json(
        Code::InvalidArgument,
        ErrorCode::SubscriptionInvalidOffset,
        "InvalidSubscriptionOffset",
        serde_json::Value::Null,
    )
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use bytes::Bytes;

    use super::super::connection::Connection;
    use super::super::outbox::{Answers, outbox};
    use super::super::state::tests::{at, state};
    use super::*;

    const NODE: NodeId = 1;

    fn with_subscription(offset: SpecialOffset) -> (State, u64) {
        let mut state = state(None);
        let stream = proto::Stream {
            stream_name: "s".into(),
            replication_factor: 1,
            shard_count: 1,
            ..Default::default()
        };
        state.create_stream(&stream, at(0)).unwrap();
        let shard = state.streams["s"].shards[0].id;
        state.append(shard, 1, 0, Bytes::new(), at(0));
        state.create_subscription(&subscription("sub", "s", offset as i32), at(0)).unwrap();
        state.append(shard, 2, 0, Bytes::new(), at(0));
        (state, shard)
    }

    fn subscription(id: &str, stream: &str, offset: i32) -> proto::Subscription {
        proto::Subscription {
            subscription_id: id.into(),
            stream_name: stream.into(),
            ack_timeout_seconds: 60,
            max_unacked_records: 100,
            offset,
            creation_time: None,
        }
    }

    fn join(
        state: &mut State,
        name: &str,
        now: Moment,
    ) -> Result<(Seat, Answers<proto::StreamingFetchResponse>), Status> {
        let (outbox, answers) = outbox();
        let connection = Connection::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
        let consumer = Consumer {
            name: name.into(),
            uri: "u".into(),
            agent: "a".into(),
            outbox,
            connection,
            zombie: false,
        };
        let (Joined::Running(seat) | Joined::Loaded(seat, _)) = state.join(NODE, "sub", consumer, now)?;
        Ok((seat, answers))
    }

    fn refusal(state: &mut State, seat: Seat) -> Status {
        match state.ack(seat, &[]) {
            Err(AckRefused::Left(status)) => status,
            other => panic!("{other:?}"),
        }
    }

    fn delivered(state: &mut State, seat: Seat, now: Moment) -> Vec<u64> {
        let now = Moment { instant: now.instant + Duration::from_secs(1), ..now };
        std::iter::from_fn(|| match state.next(seat.run, now) {
            Next::Do(Step::Deliver(delivery)) => Some(delivery.batch.lsn),
            _ => None,
        })
        .collect()
    }

    /// Server behaviour, section 9.
    #[test]
    fn start_positions_are_fixed_at_creation() {
        for (offset, expected) in [
            (SpecialOffset::Earliest, &[8589934593, 8589934594][..]),
            (SpecialOffset::Latest, &[8589934594][..]),
        ] {
            let (mut state, _) = with_subscription(offset);
            let now = at(0);
            let (seat, _answers) = join(&mut state, "c", now).unwrap();
            assert_eq!(delivered(&mut state, seat, now), expected);
        }
    }

    /// Server behaviour, section 9.
    #[test]
    fn creation_is_checked_for_stream_then_offset_then_existence() {
        let (mut state, _) = with_subscription(SpecialOffset::Earliest);
        for (request, message) in [
            (subscription("sub", "none", 9), r#"{"error":302,"extra":"none","message":"NonExistentStream"}"#),
            (
                subscription("sub", "s", 9),
                r#"{"error":303,"extra":null,"message":"InvalidSubscriptionOffset"}"#,
            ),
            (subscription("sub", "s", 0), r#"{"error":301,"extra":"sub","message":"SubscriptionExists"}"#),
        ] {
            assert_eq!(state.create_subscription(&request, at(0)).unwrap_err().message(), message);
        }
    }

    /// Server behaviour, section 10.11.
    #[test]
    fn a_reload_begins_after_the_checkpoint() {
        let (mut state, shard) = with_subscription(SpecialOffset::Earliest);
        let now = at(0);
        let (seat, _answers) = join(&mut state, "c", now).unwrap();
        assert_eq!(delivered(&mut state, seat, now).len(), 2);
        let id = |batch_id, batch_index| proto::RecordId { shard_id: shard, batch_id, batch_index };
        state.ack(seat, &[id(8589934593, 0), id(8589934594, 1)]).unwrap();
        assert_eq!(state.get_subscription(NODE, "sub").unwrap().offsets[0].batch_id, 8589934593);
        assert_eq!(state.unload(seat.run).len(), 1);
        assert!(state.get_subscription(NODE, "sub").unwrap().offsets.is_empty(), "not loaded");
        assert_eq!(refusal(&mut state, seat).code(), Code::Aborted);
        let (seat, _answers) = join(&mut state, "c", now).unwrap();
        assert_eq!(delivered(&mut state, seat, now), [8589934594], "whole, though half of it was acked");
    }

    /// Server behaviour, section 10.1.
    #[test]
    fn a_consumers_name_is_its_own() {
        let (mut state, _) = with_subscription(SpecialOffset::Earliest);
        let now = at(0);
        let (seat, _answers) = join(&mut state, "", now).unwrap();
        let status = join(&mut state, "", now).map(|_| ()).unwrap_err();
        assert_eq!(status.message(), r#"{"error":0,"extra":"","message":"ConsumerExists"}"#);
        state.leave(seat, now);
        assert!(join(&mut state, "", now).is_ok());
    }

    /// Server behaviour, section 9.
    #[test]
    fn deletion_needs_force_while_there_are_consumers_and_then_waits_for_them() {
        let (mut state, _) = with_subscription(SpecialOffset::Earliest);
        let now = at(0);
        let (seat, _answers) = join(&mut state, "c", now).unwrap();
        let status = state.delete_subscription(NODE, "sub", false).unwrap_err();
        assert!(status.message().starts_with(r#"{"error":305,"#));
        assert!(matches!(state.delete_subscription(NODE, "sub", true), Ok(Deletion::Under(_))));
        let again = state.delete_subscription(NODE, "sub", true).unwrap_err();
        assert!(again.message().contains("SubscriptionIsDeleting"));
        assert!(refusal(&mut state, seat).message().contains("SubscriptionInvalidError"));
        assert!(
            join(&mut state, "d", now).map(|_| ()).unwrap_err().message().contains("Invalid Subscription")
        );
        assert!(
            matches!(state.next(seat.run, now), Next::Deleted(id, consumers) if id == "sub" && consumers.len() == 1)
        );
        assert!(matches!(state.next(seat.run, now), Next::Gone));
        let status = state.delete_subscription(NODE, "sub", true).unwrap_err();
        assert_eq!(status.message(), r#"{"error":300,"extra":"sub","message":"SubscriptionNotFound"}"#);
    }

    /// Server behaviour, section 9.
    #[test]
    fn a_running_subscription_without_consumers_is_deleted_at_once() {
        let (mut state, _) = with_subscription(SpecialOffset::Earliest);
        let now = at(0);
        let (seat, _answers) = join(&mut state, "c", now).unwrap();
        state.leave(seat, now);
        assert!(matches!(state.delete_subscription(NODE, "sub", false), Ok(Deletion::Done)));
        assert!(state.runs.is_empty() && state.running.is_empty());
    }
}
