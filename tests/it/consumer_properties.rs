//! Consumers that come, go and dawdle by chance, under troubles by chance: what must be true whatever happens.
//!
//! `CONSUMER_SEED=7 cargo test --all-features --test it consumer_properties` runs the scripts of a seed that a failure
//! has printed; the threads' interleavings stay the machine's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{Batch, Compression, Consumer, ConsumerConfig, Next, Record, RecordId, SubscriptionOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::{Fixture, SOON, wait_until};

/// Scripts a run, and how long it may take to begin another one.
const CASES: u32 = 60;
const BUDGET: Duration = Duration::from_secs(20);

/// After so long, records that were not acked come again, where the script wants that.
const ACK_TIMEOUT: Duration = Duration::from_secs(1);

/// Waits after a step: so short that troubles meet work.
const BREATH: Duration = Duration::from_millis(8);

#[derive(Clone, Debug)]
struct Script {
    three_nodes: bool,
    shards: u32,
    /// Whether records come again by themselves. If not, nothing but a reload brings them again.
    resends: bool,
    max_unacked: i32,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Append {
        records: usize,
        batch: usize,
        size: usize,
        gzip: bool,
    },
    Join(Habits),
    Leave(usize),
    /// Stops, and starts again.
    Restart(usize),
    Trouble(Trouble),
}

/// What a consumer is like.
#[derive(Clone, Debug)]
struct Habits {
    acks: Acks,
    ack_records: usize,
    prefetch: usize,
    callback_records: usize,
    slow: bool,
}

#[derive(Clone, Copy, Debug)]
enum Acks {
    All,
    /// So many of a hundred.
    Some(u8),
    /// All that was handed out before, at times.
    UpTo,
    Auto,
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// The calls of all consumers end with UNAVAILABLE, INTERNAL or OK.
    Cut(i32),
    Break,
    LookUps,
    NotOwner,
    /// The subscription begins again from its checkpoints.
    Restart,
    Fail,
    NodeDies(usize),
}

impl Trouble {
    /// Whether records that were acked may come again after it.
    fn reloads(self) -> bool {
        matches!(self, Trouble::Restart | Trouble::Fail | Trouble::NodeDies(_))
    }
}

fn habits() -> impl Strategy<Value = Habits> {
    let acks = prop_oneof![
        3 => Just(Acks::All), 2 => (30..95u8).prop_map(Acks::Some), 1 => Just(Acks::UpTo), 2 => Just(Acks::Auto)
    ];
    let prefetch = prop_oneof![1 => 1..30usize, 2 => Just(100_000usize)];
    let callback_records = prop_oneof![1..20usize, Just(10_000usize)];
    let ack_records = prop_oneof![Just(1usize), Just(100), Just(100_000)];
    (acks, ack_records, prefetch, callback_records, prop::bool::weighted(0.3)).prop_map(
        |(acks, ack_records, prefetch, callback_records, slow)| Habits {
            acks,
            ack_records,
            prefetch,
            callback_records,
            slow,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Trouble::*;
    let trouble = prop_oneof![
        3 => prop::sample::select(vec![0, 13, 14]).prop_map(Cut), 3 => Just(Break),
        2 => Just(LookUps), 1 => Just(NotOwner), 1 => Just(Restart), 1 => Just(Fail),
        1 => (0..3usize).prop_map(NodeDies),
    ];
    let append =
        (1..60usize, 1..20usize, prop_oneof![8 => 1..100usize, 1 => Just(20_000usize)], any::<bool>());
    let step = prop_oneof![
        6 => append.prop_map(|(records, batch, size, gzip)| Step::Append { records, batch, size, gzip }),
        3 => habits().prop_map(Step::Join),
        2 => (0..8usize).prop_map(Step::Leave),
        1 => (0..8usize).prop_map(Step::Restart),
        2 => trouble.prop_map(Step::Trouble),
    ];
    prop::collection::vec(step, 10..50)
}

fn scripts() -> impl Strategy<Value = Script> {
    let max_unacked = prop_oneof![1 => 20..200, 2 => Just(10_000)];
    (prop::bool::weighted(0.4), 1..5u32, prop::bool::weighted(0.4), max_unacked, steps()).prop_map(
        |(three_nodes, shards, resends, max_unacked, steps)| Script {
            three_nodes,
            shards,
            resends,
            max_unacked,
            steps,
        },
    )
}

/// What happened, in the order in which it did.
enum Entry {
    Appended(Vec<RecordId>, Instant),
    Joined(usize),
    Received(usize, Vec<RecordId>, Instant),
    /// A consumer closed, with certainty about these acks.
    Confirmed(usize, BTreeSet<RecordId>),
    /// From now on, or since before now, records come again that were not in a checkpoint.
    Reloaded,
}

#[derive(Clone, Default)]
struct Journal {
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Journal {
    fn note(&self, entry: Entry) {
        self.entries.lock().unwrap().push(entry);
    }
}

/// A consumer, and what it has acked.
struct Member {
    number: usize,
    consumer: Consumer,
    habits: Habits,
    acked: Arc<Mutex<BTreeSet<RecordId>>>,
}

impl Member {
    fn new(fixture: &Fixture, subscription: &str, number: usize, habits: &Habits) -> Self {
        let config = ConsumerConfig::new()
            .auto_ack(matches!(habits.acks, Acks::Auto))
            .ack_batch(habits.ack_records, Duration::from_millis(20))
            .prefetch(habits.prefetch, 1 << 20)
            .callback_records(habits.callback_records)
            .reconnect(Duration::from_millis(2), Duration::from_millis(20));
        let consumer = fixture.client.consumer(subscription, config).unwrap();
        Member { number, consumer, habits: habits.clone(), acked: Arc::default() }
    }

    fn start(&self, journal: &Journal) {
        let (number, acks, slow) = (self.number, self.habits.acks, self.habits.slow);
        let (journal, acked) = (journal.clone(), self.acked.clone());
        let callback = move |consumer: &Consumer, batch: &Batch| {
            journal.note(Entry::Received(number, batch.ids().collect(), Instant::now()));
            if slow {
                thread::sleep(Duration::from_millis(3));
            }
            acked.lock().unwrap().extend(ack(consumer, batch, acks));
            Next::Processed
        };
        self.consumer.start_with(callback).unwrap();
    }

    fn close(self, journal: &Journal) {
        self.consumer.close(SOON).unwrap();
        journal.note(Entry::Confirmed(self.number, std::mem::take(&mut *self.acked.lock().unwrap())));
    }
}

/// Acks as the habit wants. What of this batch is acked then.
fn ack(consumer: &Consumer, batch: &Batch, how: Acks) -> Vec<RecordId> {
    let all = || batch.ids().collect::<Vec<_>>();
    match how {
        Acks::Auto => all(),
        Acks::All => {
            consumer.ack_batch(batch).unwrap();
            all()
        }
        Acks::Some(percent) => {
            let some: Vec<_> = batch.ids().filter(|_| fastrand::u8(..100) < percent).collect();
            consumer.ack(&some).unwrap();
            some
        }
        // Those of this shard and batch that are not behind it.
        Acks::UpTo => {
            let Some(last) = batch.ids().next() else { return Vec::new() };
            consumer.ack_up_to(last).unwrap();
            batch.ids().filter(|id| id.shard_id == last.shard_id && *id <= last).collect()
        }
    }
}

struct Run<'a> {
    script: &'a Script,
    fixture: Fixture,
    stream: String,
    subscription: String,
    journal: Journal,
    members: Vec<Member>,
    joined: usize,
}

impl<'a> Run<'a> {
    fn new(script: &'a Script) -> Self {
        let nodes = if script.three_nodes { 3 } else { 1 };
        let detection = Duration::from_millis(20);
        let fixture = Fixture::with(DevServerOptions::new().nodes(nodes).failure_detection(detection));
        fixture.server.set("assignment_tick", "5").unwrap();
        let stream = fixture.stream(script.shards);
        let timeout = if script.resends { ACK_TIMEOUT } else { Duration::from_secs(600) };
        let options = SubscriptionOptions::new().ack_timeout(timeout).max_unacked_records(script.max_unacked);
        let subscription = fixture.subscription_with(&stream, options);
        Run {
            script,
            fixture,
            stream,
            subscription,
            journal: Journal::default(),
            members: Vec::new(),
            joined: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append { records, batch, size, gzip } => self.append(*records, *batch, *size, *gzip),
            Step::Join(habits) => self.join(habits),
            Step::Leave(_) | Step::Restart(_) if self.members.is_empty() => {}
            Step::Leave(which) => {
                self.members.swap_remove(which % self.members.len()).close(&self.journal);
            }
            Step::Restart(which) => {
                let member = &self.members[which % self.members.len()];
                member.consumer.stop(SOON).unwrap();
                member.start(&self.journal);
            }
            Step::Trouble(trouble) => {
                let told = || trouble.reloads().then(|| self.journal.note(Entry::Reloaded));
                told();
                self.make(*trouble);
                told();
            }
        }
        thread::sleep(BREATH);
    }

    fn append(&self, records: usize, batch: usize, size: usize, gzip: bool) {
        let compression = if gzip { Compression::gzip() } else { Compression::none() };
        let records: Vec<_> =
            (0..records).map(|number| Record::raw(vec![7; size]).with_key(number.to_string())).collect();
        for chunk in records.chunks(batch) {
            // Before it, so that nothing is received before it was appended.
            let at = Instant::now();
            let ids = self.fixture.client.append(&self.stream, chunk, compression).unwrap();
            self.journal.note(Entry::Appended(ids, at));
        }
    }

    fn join(&mut self, habits: &Habits) {
        self.joined += 1;
        // Troubles are for consumers, and not for looking for their subscription.
        self.fixture.server.faults().clear();
        let member = Member::new(&self.fixture, &self.subscription, self.joined, habits);
        self.journal.note(Entry::Joined(member.number));
        member.start(&self.journal);
        self.members.push(member);
    }

    fn make(&self, trouble: Trouble) {
        let (server, subscription) = (&self.fixture.server, self.subscription.as_str());
        let faults = server.faults();
        match trouble {
            Trouble::Cut(status) => drop(faults.cut_consumers(subscription, status, "cut")),
            Trouble::Break => drop(faults.break_connections(subscription)),
            Trouble::LookUps => {
                faults.next("LookupSubscription").times(2).refuse(14, "not now");
                faults.break_connections(subscription);
            }
            Trouble::NotOwner => {
                faults.next("StreamingFetch").not_owner();
                faults.cut_consumers(subscription, 14, "cut");
            }
            Trouble::Restart => server.restart_subscriptions(),
            Trouble::Fail => drop(faults.fail_subscription(subscription, 13, "failed")),
            Trouble::NodeDies(node) => {
                let node = if self.script.three_nodes { node } else { 0 };
                server.kill_node(node).unwrap();
                thread::sleep(BREATH);
                server.restart_node(node).unwrap();
            }
        }
    }

    /// All troubles are over: whatever was not acked comes to one who takes all.
    fn finish(mut self) {
        self.fixture.server.faults().clear();
        self.members.drain(..).for_each(|member| member.close(&self.journal));
        self.journal.note(Entry::Reloaded);
        self.fixture.server.restart_subscriptions();
        self.journal.note(Entry::Reloaded);
        self.join(&Habits {
            acks: Acks::All,
            ack_records: 100,
            prefetch: 100_000,
            callback_records: 10_000,
            slow: false,
        });
        let progress = || self.fixture.client.get_subscription(&self.subscription).unwrap();
        let tails = tails(&self.journal);
        wait_until("all arrives and is acked", || {
            let checkpoints: BTreeMap<u64, u64> = progress().checkpoints().iter().copied().collect();
            tails.iter().all(|(shard, batch)| checkpoints.get(shard) == Some(batch))
        });
        self.members.drain(..).for_each(|member| member.close(&self.journal));
        self.fixture.server.restart_subscriptions();
        let late = self.fixture.client.consumer(&self.subscription, ConsumerConfig::new()).unwrap();
        let again = late.poll(1, Duration::from_millis(50)).unwrap();
        assert!(again.is_none(), "all was acked, and {again:?} comes again");
        check(&self.journal, self.script.resends);
    }
}

/// The last batch of each shard.
fn tails(journal: &Journal) -> BTreeMap<u64, u64> {
    let mut tails = BTreeMap::new();
    for entry in journal.entries.lock().unwrap().iter() {
        if let Entry::Appended(ids, _) = entry {
            ids.iter().for_each(|id| {
                let tail = tails.entry(id.shard_id).or_insert(id.batch_id);
                *tail = id.batch_id.max(*tail);
            });
        }
    }
    tails
}

/// What has been read of the journal.
#[derive(Default)]
struct Checked {
    appended: HashMap<RecordId, Instant>,
    received: BTreeSet<RecordId>,
    /// Acked for good: since the last reload, or so that a checkpoint has it.
    confirmed: BTreeSet<RecordId>,
    /// Consumers that came since the last reload: what they receive was sent after it.
    fresh: BTreeSet<usize>,
    /// What these received last, by shard.
    last: HashMap<(usize, u64), RecordId>,
}

fn check(journal: &Journal, resends: bool) {
    let mut checked = Checked::default();
    for entry in journal.entries.lock().unwrap().iter() {
        match entry {
            Entry::Appended(ids, at) => checked.appended.extend(ids.iter().map(|id| (*id, *at))),
            Entry::Joined(member) => drop(checked.fresh.insert(*member)),
            Entry::Received(member, ids, at) => {
                ids.iter().for_each(|id| checked.receive(*member, *id, *at, resends));
            }
            Entry::Confirmed(member, acked) if checked.fresh.contains(member) && !resends => {
                checked.confirmed.extend(acked);
            }
            Entry::Confirmed(..) => {}
            Entry::Reloaded => checked.reload(),
        }
    }
    let appended: BTreeSet<RecordId> = checked.appended.into_keys().collect();
    assert!(checked.received == appended, "{} of {} were received", checked.received.len(), appended.len());
}

impl Checked {
    /// Checkpoints have batches that are acked as a whole, as far as there is no other one before them.
    fn reload(&mut self) {
        let mut left_out: HashMap<u64, u64> = HashMap::new();
        for id in self.appended.keys().filter(|id| !self.confirmed.contains(id)) {
            let first = left_out.entry(id.shard_id).or_insert(id.batch_id);
            *first = id.batch_id.min(*first);
        }
        self.confirmed.retain(|id| left_out.get(&id.shard_id).is_none_or(|first| id.batch_id < *first));
        self.fresh.clear();
        self.last.clear();
    }

    fn receive(&mut self, member: usize, id: RecordId, at: Instant, resends: bool) {
        self.received.insert(id);
        if !self.fresh.contains(&member) {
            return;
        }
        assert!(!self.confirmed.contains(&id), "{id} was acked for good, and came again to {member}");
        let before = self.last.insert((member, id.shard_id), id);
        if before.is_none_or(|before| before < id) {
            return;
        }
        // It may be in the journal later than it came, and was not sent again before it was appended.
        let age = self.appended.get(&id).map(|appended| at.saturating_duration_since(*appended));
        let sent_again = resends && age.is_none_or(|age| age >= ACK_TIMEOUT);
        assert!(sent_again, "{id} came to {member} behind {before:?}, {age:?} after it was appended");
    }
}

#[test]
fn whatever_happens_all_records_arrive_in_order_and_acks_taken_are_for_good() {
    let seed = std::env::var("CONSUMER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64);
    println!("CONSUMER_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: CASES, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let begun = Instant::now();
    let result = runner.run(&scripts(), |script| {
        if begun.elapsed() < BUDGET {
            let mut run = Run::new(&script);
            script.steps.iter().for_each(|step| run.take(step));
            run.finish();
        }
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
