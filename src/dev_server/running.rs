//! A subscription in the memory of the node that serves it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use tonic::Status;

use super::assignment::{Assignment, ConsumerId};
use super::bell::Bell;
use super::connection::Connection;
use super::log::{ShardLog, StoredBatch};
use super::options::Ticks;
use super::outbox::Outbox;
use super::progress::{Acked, Progress};
use crate::proto;

/// So many batches are read for one look at the window, which they may overshoot.
const BATCHES_A_READ: u32 = 100;

/// Longer time-outs overflow in the real server, and are then none at all.
const LONGEST_ACK_TIMEOUT: i32 = 2_147_483;

/// One consumer of a running subscription.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) name: String,
    pub(super) uri: String,
    pub(super) agent: String,
    pub(super) outbox: Outbox<proto::StreamingFetchResponse>,
    pub(super) connection: Connection,
    /// Whether it stays when its call is over.
    pub(super) zombie: bool,
}

/// A batch on its way to a consumer.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) consumer: ConsumerId,
    pub(super) outbox: Outbox<proto::StreamingFetchResponse>,
    pub(super) shard: u64,
    pub(super) batch: StoredBatch,
}

/// What the one who delivers has to do next.
#[derive(Debug)]
pub(super) enum Step {
    Deliver(Delivery),
    /// These records of the batch, the places counted in it as appended.
    Resend(Delivery, Vec<u32>),
    /// Until the bell rings, or until then.
    Wait(Option<Instant>),
}

/// An ack that names a shard of another stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ForeignShard(pub(super) u64);

/// The batches up to which all is acked, by shard.
pub(super) type Checkpoints = Vec<(u64, u64)>;

/// The state of delivery: what to send next, to whom, and what to send again.
#[derive(Debug)]
pub(super) struct Running {
    /// Rung when there may be something to do.
    pub(super) bell: Bell,
    /// Rung when a forced deletion is through; set while one is under way.
    pub(super) deleting: Option<Bell>,
    consumers: BTreeMap<ConsumerId, Consumer>,
    assignment: Assignment,
    shards: BTreeMap<u64, Progress>,
    /// The shards once more, to take turns.
    order: Vec<u64>,
    turn: usize,
    /// How many batches of the present read are left.
    read_left: u32,
    /// Records delivered and not acked, of all shards.
    unacked: i64,
    window: Window,
    ack_timeout: Duration,
    deadlines: BTreeSet<(Instant, u64, u64)>,
    /// Batches whose time is up, to be sent again now.
    due: VecDeque<(u64, u64)>,
    ticks: Ticks,
    next_assignment: Instant,
    next_resend: Instant,
}

#[derive(Debug)]
struct Window {
    max_unacked: i32,
    /// Whether delivery stands still because of it.
    shut: bool,
}

impl Window {
    fn allows(&self, unacked: i64) -> bool {
        // Negative ones are as good as none.
        self.max_unacked < 0 || unacked < i64::from(self.max_unacked)
    }
}

fn ack_timeout(seconds: i32) -> Duration {
    match seconds {
        1..=LONGEST_ACK_TIMEOUT => Duration::from_secs(u64::from(seconds.unsigned_abs())),
        _ => Duration::ZERO,
    }
}

impl Running {
    pub(super) fn new(
        ack_timeout_seconds: i32,
        max_unacked: i32,
        shards: BTreeMap<u64, Progress>,
        ticks: Ticks,
        now: Instant,
    ) -> Self {
        Running {
            bell: Bell::default(),
            deleting: None,
            consumers: BTreeMap::new(),
            assignment: Assignment::new(shards.keys().copied()),
            order: shards.keys().copied().collect(),
            shards,
            turn: 0,
            read_left: 0,
            unacked: 0,
            window: Window { max_unacked, shut: false },
            ack_timeout: ack_timeout(ack_timeout_seconds),
            deadlines: BTreeSet::new(),
            due: VecDeque::new(),
            ticks,
            next_assignment: now + ticks.assignment,
            next_resend: now + ticks.resend,
        }
    }

    pub(super) fn shards(&self) -> impl Iterator<Item = u64> {
        self.order.iter().copied()
    }

    pub(super) fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.values()
    }

    pub(super) fn has(&self, consumer: ConsumerId) -> bool {
        self.consumers.contains_key(&consumer)
    }

    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.consumers.values().any(|consumer| consumer.name == name)
    }

    /// Ticks come at other intervals from now on.
    pub(super) fn set_ticks(&mut self, ticks: Ticks, now: Instant) {
        self.ticks = ticks;
        self.next_assignment = self.next_assignment.min(now + ticks.assignment);
        self.next_resend = self.next_resend.min(now + ticks.resend);
        self.bell.ring();
    }

    pub(super) fn committed(&self, shard: u64) -> u64 {
        self.shards.get(&shard).map_or(0, Progress::committed)
    }

    /// Batches that were sent and are to be acked.
    pub(super) fn unacked_batches(&self) -> usize {
        self.deadlines.len() + self.due.len()
    }

    pub(super) fn join(&mut self, id: ConsumerId, consumer: Consumer, now: Instant) {
        self.pass_idle_ticks(now);
        self.assignment.join(id, &consumer.name);
        self.consumers.insert(id, consumer);
        self.bell.ring();
    }

    /// What it has not acked comes again to whoever has its shards then, when its time is up.
    pub(super) fn leave(&mut self, id: ConsumerId, now: Instant) -> Option<Consumer> {
        let consumer = self.consumers.remove(&id)?;
        self.pass_idle_ticks(now);
        self.assignment.leave(id);
        self.bell.ring();
        Some(consumer)
    }

    /// Ends the calls of these consumers, who stay as if they still were there.
    pub(super) fn haunt(&mut self, name: Option<&str>, status: &Status) -> usize {
        let meant = |consumer: &&mut Consumer| name.is_none_or(|name| consumer.name == name);
        let mut count = 0;
        for consumer in self.consumers.values_mut().filter(meant) {
            consumer.zombie = true;
            consumer.outbox.end(Err(status.clone()));
            count += 1;
        }
        count
    }

    /// Its call is over. What was made a zombie stays until a message can't be sent to it.
    pub(super) fn hangs_up(&mut self, id: ConsumerId, now: Instant) {
        if self.consumers.get(&id).is_some_and(|consumer| !consumer.zombie) {
            self.leave(id, now);
        }
    }

    /// All consumers leave, at once.
    pub(super) fn expel(&mut self, now: Instant) -> Vec<Consumer> {
        let ids: Vec<ConsumerId> = self.consumers.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.leave(id, now)).collect()
    }

    /// Takes all consumers out, for good.
    pub(super) fn clear(&mut self) -> Vec<Consumer> {
        self.bell.ring();
        std::mem::take(&mut self.consumers).into_values().collect()
    }

    /// The consumer could not be reached: it is out, and the batch is read again.
    pub(super) fn send_failed(&mut self, id: ConsumerId, shard: u64, lsn: u64, now: Instant) {
        self.leave(id, now);
        let Some((unacked, deadline)) = self.shards.get_mut(&shard).and_then(|shard| shard.rewind(lsn))
        else {
            return;
        };
        self.unacked -= i64::from(unacked);
        self.forget_deadline(deadline, shard, lsn);
    }

    /// The batch went out only now: its time counts from here.
    pub(super) fn sent(&mut self, shard: u64, lsn: u64, now: Instant) {
        self.renew(shard, lsn, now);
    }

    /// Counts acks, whoever sends them. Checkpoints come back even when an ack is refused: those before
    /// it count.
    pub(super) fn ack(&mut self, ids: &[proto::RecordId]) -> (Checkpoints, Result<(), ForeignShard>) {
        let mut checkpoints = Vec::new();
        let mut outcome = Ok(());
        for run in ids.chunk_by(|a, b| a.shard_id == b.shard_id) {
            let shard = run[0].shard_id;
            let Some(progress) = self.shards.get_mut(&shard) else {
                outcome = Err(ForeignShard(shard));
                break;
            };
            for id in run {
                match progress.ack(id.batch_id, id.batch_index) {
                    Acked::Ignored => continue,
                    Acked::Counted => {}
                    Acked::Completed(None) => {}
                    Acked::Completed(Some(deadline)) => {
                        self.deadlines.remove(&(deadline, shard, id.batch_id));
                    }
                }
                self.unacked -= 1;
            }
            checkpoints.extend(progress.commit().map(|lsn| (shard, lsn)));
        }
        if self.window.shut && self.window.allows(self.unacked) {
            self.bell.ring();
        }
        (checkpoints, outcome)
    }

    /// Decides what is to be done at this time.
    pub(super) fn step(&mut self, logs: &HashMap<u64, ShardLog>, now: Instant) -> Step {
        self.tick(now);
        self.next_resend(logs, now)
            .or_else(|| self.next_delivery(logs, now))
            .unwrap_or_else(|| Step::Wait(self.wake_at()))
    }

    fn tick(&mut self, now: Instant) {
        if now >= self.next_assignment {
            self.assignment.tick();
            self.pass_ticks(now);
        }
        if now >= self.next_resend {
            self.next_resend = now + self.ticks.resend;
            while let Some((deadline, shard, lsn)) = self.deadlines.first().copied()
                && deadline <= now
            {
                self.deadlines.pop_first();
                self.due.push_back((shard, lsn));
            }
        }
    }

    /// Ticks go on while there is nothing for them to do; whoever comes then waits for the next.
    fn pass_idle_ticks(&mut self, now: Instant) {
        if !self.assignment.needs_tick() && now >= self.next_assignment {
            self.pass_ticks(now);
        }
    }

    fn pass_ticks(&mut self, now: Instant) {
        let tick = self.ticks.assignment.as_nanos().max(1);
        let passed = (now - self.next_assignment).as_nanos() / tick + 1;
        let ahead = u64::try_from(passed.saturating_mul(tick)).unwrap_or(u64::MAX);
        self.next_assignment += Duration::from_nanos(ahead);
    }

    fn next_resend(&mut self, logs: &HashMap<u64, ShardLog>, now: Instant) -> Option<Step> {
        while let Some((shard, lsn)) = self.due.pop_front() {
            let Some(progress) = self.shards.get_mut(&shard) else { continue };
            let unacked = progress.unacked(lsn);
            if unacked.is_empty() {
                continue;
            }
            let Some(batch) = logs.get(&shard).and_then(|log| log.get(lsn)) else {
                // Trimmed: it is never sent again, and progress can't pass it before a reload.
                progress.set_deadline(lsn, None);
                continue;
            };
            self.renew(shard, lsn, now);
            if let Some((consumer, outbox)) = self.owner(shard) {
                return Some(Step::Resend(
                    Delivery { consumer, outbox, shard, batch: batch.clone() },
                    unacked,
                ));
            }
        }
        None
    }

    fn next_delivery(&mut self, logs: &HashMap<u64, ShardLog>, now: Instant) -> Option<Step> {
        if self.read_left == 0 {
            self.window.shut = !self.window.allows(self.unacked);
            if self.window.shut {
                return None;
            }
            self.read_left = BATCHES_A_READ;
        }
        for _ in 0..self.order.len() {
            if let Some(delivery) = self.delivery_of_turn(logs, now) {
                self.read_left -= 1;
                if self.read_left == 0 {
                    self.pass_turn();
                }
                return Some(Step::Deliver(delivery));
            }
            self.pass_turn();
        }
        self.read_left = 0;
        None
    }

    fn pass_turn(&mut self) {
        self.turn = (self.turn + 1) % self.order.len().max(1);
    }

    fn delivery_of_turn(&mut self, logs: &HashMap<u64, ShardLog>, now: Instant) -> Option<Delivery> {
        let shard = *self.order.get(self.turn)?;
        let (consumer, outbox) = self.owner(shard)?;
        let progress = self.shards.get_mut(&shard)?;
        let batch = logs.get(&shard)?.first_from(progress.next())?.clone();
        let deadline = now + self.ack_timeout;
        progress.delivered(batch.lsn, batch.records, deadline);
        self.deadlines.insert((deadline, shard, batch.lsn));
        self.unacked += i64::from(batch.records);
        Some(Delivery { consumer, outbox, shard, batch })
    }

    fn owner(&self, shard: u64) -> Option<(ConsumerId, Outbox<proto::StreamingFetchResponse>)> {
        let id = self.assignment.owner(shard)?;
        Some((id, self.consumers.get(&id)?.outbox.clone()))
    }

    fn renew(&mut self, shard: u64, lsn: u64, now: Instant) {
        let Some(progress) = self.shards.get_mut(&shard) else { return };
        if !progress.is_unacked(lsn) {
            return;
        }
        let deadline = now + self.ack_timeout;
        let before = progress.set_deadline(lsn, Some(deadline));
        self.forget_deadline(before, shard, lsn);
        self.deadlines.insert((deadline, shard, lsn));
    }

    fn forget_deadline(&mut self, deadline: Option<Instant>, shard: u64, lsn: u64) {
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, shard, lsn));
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let assignment = self.assignment.needs_tick().then_some(self.next_assignment);
        let resend = self.deadlines.first().map(|(deadline, ..)| (*deadline).max(self.next_resend));
        assignment.into_iter().chain(resend).min()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use bytes::Bytes;

    use super::super::log::EMPTY_TAIL;
    use super::super::outbox::{Answers, outbox};
    use super::*;

    const SHARD: u64 = 7;
    const FIRST: u64 = EMPTY_TAIL + 1;

    struct Bench {
        running: Running,
        logs: HashMap<u64, ShardLog>,
        now: Instant,
        answers: Vec<Answers<proto::StreamingFetchResponse>>,
    }

    impl Bench {
        fn new(ack_timeout: i32, max_unacked: i32) -> Self {
            let shards = BTreeMap::from([(SHARD, Progress::new(1, None))]);
            let now = Instant::now();
            Bench {
                running: Running::new(ack_timeout, max_unacked, shards, Ticks::default(), now),
                logs: HashMap::from([(SHARD, ShardLog::new())]),
                now,
                answers: Vec::new(),
            }
        }

        fn append(&mut self, records: u32) {
            self.logs.get_mut(&SHARD).unwrap().append(records, 0, Bytes::new(), 1);
        }

        fn join(&mut self, id: ConsumerId) {
            let (outbox, answers) = outbox();
            self.answers.push(answers);
            let connection = Connection::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
            let (name, uri, agent) = (format!("c{id}"), String::new(), String::new());
            self.running.join(id, Consumer { name, uri, agent, outbox, connection, zombie: false }, self.now);
        }

        fn pass(&mut self, ms: u64) {
            self.now += Duration::from_millis(ms);
        }

        fn step(&mut self) -> Step {
            self.running.step(&self.logs, self.now)
        }

        fn delivered(&mut self) -> Vec<u64> {
            std::iter::from_fn(|| match self.step() {
                Step::Deliver(delivery) => Some(delivery.batch.lsn),
                _ => None,
            })
            .collect()
        }

        fn resent(&mut self) -> Option<(ConsumerId, Vec<u32>)> {
            match self.step() {
                Step::Resend(delivery, places) => Some((delivery.consumer, places)),
                _ => None,
            }
        }

        fn ack(&mut self, lsn: u64, places: impl IntoIterator<Item = u32>) -> Checkpoints {
            let id = |batch_index| proto::RecordId { shard_id: SHARD, batch_id: lsn, batch_index };
            let (checkpoints, outcome) = self.running.ack(&places.into_iter().map(id).collect::<Vec<_>>());
            outcome.unwrap();
            checkpoints
        }
    }

    /// Server behaviour, section 10.2.
    #[test]
    fn the_first_record_waits_for_the_assignment_tick() {
        let mut bench = Bench::new(60, 100);
        bench.append(1);
        bench.join(1);
        bench.pass(999);
        assert!(
            matches!(bench.step(), Step::Wait(Some(until)) if until == bench.now + Duration::from_millis(1))
        );
        bench.pass(1);
        assert_eq!(bench.delivered(), [FIRST]);
        bench.append(1);
        assert_eq!(bench.delivered(), [FIRST + 1], "afterwards at once");
    }

    /// Server behaviour, section 10.2.
    #[test]
    fn ticks_go_on_while_nobody_is_there() {
        let mut bench = Bench::new(60, 100);
        bench.append(1);
        bench.pass(10_300);
        bench.join(1);
        assert!(bench.delivered().is_empty(), "the tick it joined after is gone");
        bench.pass(699);
        assert!(bench.delivered().is_empty());
        bench.pass(1);
        assert_eq!(bench.delivered(), [FIRST]);
    }

    /// Server behaviour, section 10.4.
    #[test]
    fn what_is_not_acked_in_time_comes_again_and_again() {
        let mut bench = Bench::new(2, 100);
        bench.append(3);
        bench.join(1);
        bench.pass(1000);
        assert_eq!(bench.delivered(), [FIRST]);
        bench.ack(FIRST, [1]);
        bench.pass(1999);
        assert_eq!(bench.resent(), None);
        bench.pass(101);
        assert_eq!(bench.resent(), Some((1, vec![0, 2])));
        assert_eq!(bench.resent(), None);
        bench.ack(FIRST, [0]);
        bench.pass(2100);
        assert_eq!(bench.resent(), Some((1, vec![2])));
        assert_eq!(bench.ack(FIRST, [2]), [(SHARD, FIRST)]);
        bench.pass(10_000);
        assert_eq!(bench.resent(), None);
        assert!(matches!(bench.step(), Step::Wait(None)));
    }

    /// Server behaviour, section 3.2.
    #[test]
    fn ack_timeouts_of_zero_below_and_beyond_mean_at_every_tick() {
        for seconds in [0, -1, i32::MIN, i32::MAX, 2_147_484] {
            let mut bench = Bench::new(seconds, 100);
            bench.append(1);
            bench.join(1);
            bench.pass(1000);
            assert_eq!(bench.delivered(), [FIRST]);
            for _ in 0..3 {
                bench.pass(100);
                assert_eq!(bench.resent(), Some((1, vec![0])), "{seconds}");
                assert_eq!(bench.resent(), None, "{seconds}");
            }
        }
        assert_eq!(ack_timeout(2_147_483), Duration::from_secs(2_147_483));
    }

    /// Server behaviour, section 10.4.
    #[test]
    fn a_shard_without_a_consumer_renews_the_deadline() {
        let mut bench = Bench::new(1, 100);
        bench.append(1);
        bench.join(1);
        bench.pass(1000);
        bench.delivered();
        bench.running.leave(1, bench.now);
        bench.pass(1500);
        assert_eq!(bench.resent(), None);
        bench.join(2);
        bench.pass(600);
        assert_eq!(bench.resent(), None, "assigned, but the renewed time is not up");
        bench.pass(500);
        assert_eq!(bench.resent(), Some((2, vec![0])));
    }

    /// Server behaviour, sections 10.4 and 10.7.
    #[test]
    fn a_trimmed_batch_is_not_resent_and_holds_its_place_in_the_window() {
        let mut bench = Bench::new(1, 1);
        bench.append(1);
        bench.append(1);
        bench.join(1);
        bench.pass(1000);
        bench.delivered();
        bench.logs.get_mut(&SHARD).unwrap().drop_oldest();
        bench.ack(FIRST + 1, [0]);
        bench.append(1);
        bench.pass(2000);
        assert_eq!(bench.resent(), None);
        assert!(bench.delivered().is_empty());
        assert_eq!(bench.ack(FIRST, [0]), [(SHARD, FIRST + 1)], "acking it still works");
        assert_eq!(bench.delivered(), [FIRST + 2]);
    }

    /// Server behaviour, section 10.6.
    #[test]
    fn the_window_is_looked_at_before_each_read_of_up_to_100_batches() {
        let mut bench = Bench::new(60, 10);
        (0..250).for_each(|_| bench.append(1));
        bench.join(1);
        bench.pass(1000);
        assert_eq!(bench.delivered().len(), 100);
        (0..90).for_each(|index| drop(bench.ack(FIRST + index, [0])));
        assert!(bench.delivered().is_empty(), "10 unacked are as many as allowed");
        bench.ack(FIRST + 90, [0]);
        assert_eq!(bench.delivered().len(), 100);
    }

    /// Server behaviour, section 3.2.
    #[test]
    fn a_window_of_zero_is_shut_for_ever_and_a_negative_one_never() {
        for (max_unacked, delivered) in [(0, 0), (-1, 250), (i32::MIN, 250)] {
            let mut bench = Bench::new(60, max_unacked);
            (0..250).for_each(|_| bench.append(1));
            bench.join(1);
            bench.pass(1000);
            assert_eq!(bench.delivered().len(), delivered, "{max_unacked}");
        }
    }

    /// Server behaviour, section 10.5.
    #[test]
    fn acks_before_one_of_a_foreign_shard_count() {
        let mut bench = Bench::new(60, 100);
        bench.append(1);
        bench.append(1);
        bench.join(1);
        bench.pass(1000);
        bench.delivered();
        let id = |shard_id, batch_id| proto::RecordId { shard_id, batch_id, batch_index: 0 };
        let acks = [id(SHARD, FIRST), id(8, FIRST), id(SHARD, FIRST + 1)];
        assert_eq!(bench.running.ack(&acks), (vec![(SHARD, FIRST)], Err(ForeignShard(8))));
    }

    /// Server behaviour, section 10.8.
    #[test]
    fn after_a_failed_send_the_next_consumer_gets_that_batch() {
        let mut bench = Bench::new(60, 1);
        bench.append(1);
        bench.join(1);
        bench.pass(1000);
        assert_eq!(bench.delivered(), [FIRST]);
        bench.running.send_failed(1, SHARD, FIRST, bench.now);
        assert!(!bench.running.has(1));
        bench.join(2);
        bench.pass(1000);
        assert_eq!(bench.delivered(), [FIRST]);
    }
}
