//! Producers with options by chance, under scripts by chance: what must be true whatever happens.
//!
//! `PRODUCER_SEED=7 cargo test --all-features --test it producer_properties` runs the scripts of a seed that a failure
//! has printed; the threads' interleavings stay the machine's.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    Appender, BufferedProducer, Compression, Deliveries, Delivery, Error, ErrorKind, FailurePolicy, Linger,
    ProducerConfig, Record, RecordId, RecreatedStream, Reports, StreamOptions, Wait,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::{Fixture, SOON, wait_until};

/// Scripts a run.
const CASES: u32 = 30;

#[derive(Clone, Debug)]
struct Script {
    options: Options,
    three_nodes: bool,
    shards: u32,
    threads: Vec<Vec<Step>>,
    troubles: Vec<Trouble>,
    close_within: Option<u64>,
}

#[derive(Clone, Debug)]
struct Options {
    batch_records: u32,
    batch_bytes: usize,
    linger: Linger,
    buffer_bytes: usize,
    buffer_records: usize,
    gzip: bool,
    delivery_timeout: u64,
    retry_ambiguous: bool,
    in_flight: usize,
    policy: FailurePolicy,
    recreated: RecreatedStream,
    reports: Reports,
    lent: Reports,
    listener: Listener,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listener {
    Nobody,
    Callback,
    Slow,
    Panicking,
    /// Appends again what failed.
    Repairing,
    Polling,
}

#[derive(Clone, Debug)]
enum Step {
    Append { key: u8, size: usize, patience: Patience, tracked: bool },
    Flush { of: u8, within: u64 },
    Resume,
    Pause,
}

#[derive(Clone, Copy, Debug)]
enum Patience {
    None,
    Some,
    Long,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Unavailable,
    UnavailableAfterTheWrite,
    Refusal,
    TooLarge,
    NoAnswer,
    Lost,
    Late,
    NotOwner,
    NodeDies(usize),
    Recreated,
    Over,
}

impl Trouble {
    /// Whether nobody can tell what became of a write.
    fn is_ambiguous(self) -> bool {
        use Trouble::*;
        matches!(self, UnavailableAfterTheWrite | NoAnswer | Lost | Late | NodeDies(_) | Unavailable)
    }
}

fn options() -> impl Strategy<Value = Options> {
    let batches = (prop_oneof![Just(0u32), 1..8u32], prop_oneof![Just(0usize), 50..2000usize], lingers());
    let buffers = (prop_oneof![100..3000usize, Just(1 << 20)], prop_oneof![3..40usize, Just(1_000_000)]);
    let sending = (any::<bool>(), 100..600u64, any::<bool>(), prop_oneof![3 => Just(1usize), 1 => 2..4usize]);
    let policies = prop_oneof![
        2 => Just(FailurePolicy::AbortQueued), 1 => Just(FailurePolicy::Stop), 1 => Just(FailurePolicy::Continue)
    ];
    let recreated = prop_oneof![Just(RecreatedStream::Fail), Just(RecreatedStream::Reroute)];
    let told =
        || prop_oneof![2 => Just(Reports::All), 1 => Just(Reports::Failures), 1 => Just(Reports::None)];
    use Listener::*;
    let listener = prop::sample::select(vec![
        Nobody, Callback, Callback, Slow, Panicking, Repairing, Repairing, Polling,
    ]);
    (batches, buffers, sending, policies, recreated, told(), told(), listener).prop_map(
        |(batches, buffers, sending, policy, recreated, reports, lent, listener)| Options {
            batch_records: batches.0,
            batch_bytes: batches.1,
            linger: batches.2,
            buffer_bytes: buffers.0,
            buffer_records: buffers.1,
            gzip: sending.0,
            delivery_timeout: sending.1,
            retry_ambiguous: sending.2,
            in_flight: sending.3,
            policy,
            recreated,
            reports,
            lent,
            listener,
        },
    )
}

fn lingers() -> impl Strategy<Value = Linger> {
    prop_oneof![
        2 => Just(Linger::WhenIdle),
        1 => (0..30u64).prop_map(|age| Linger::For(Duration::from_millis(age))),
        1 => Just(Linger::ByHand),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sizes = prop_oneof![
        4 => Just(0usize), 20 => 1..100usize, 5 => 100..5000usize, 1 => 1_040_000..1_049_000usize
    ];
    let patience = prop_oneof![Just(Patience::None), Just(Patience::Some), Just(Patience::Long)];
    let append = (0..5u8, sizes, patience, any::<bool>());
    let step = prop_oneof![
        30 => append.prop_map(|(key, size, patience, tracked)| Step::Append { key, size, patience, tracked }),
        1 => (0..3u8, prop_oneof![0..30u64, Just(5000)]).prop_map(|(of, within)| Step::Flush { of, within }),
        1 => Just(Step::Resume),
        3 => Just(Step::Pause),
    ];
    prop::collection::vec(step, 20..120)
}

fn troubles() -> impl Strategy<Value = Vec<Trouble>> {
    use Trouble::*;
    let trouble = prop_oneof![
        2 => Just(Unavailable), 2 => Just(UnavailableAfterTheWrite), 4 => Just(Refusal), 2 => Just(TooLarge),
        1 => Just(NoAnswer), 1 => Just(Lost), 2 => Just(Late), 1 => Just(NotOwner),
        1 => (0..3usize).prop_map(NodeDies), 1 => Just(Recreated), 2 => Just(Over),
    ];
    prop::collection::vec(trouble, 0..8)
}

fn scripts() -> impl Strategy<Value = Script> {
    let threads = prop::collection::vec(steps(), 1..4);
    let close = prop_oneof![2 => Just(None), 1 => (0..50u64).prop_map(Some)];
    (options(), prop::bool::weighted(0.3), 1..4u32, threads, troubles(), close).prop_map(
        |(options, three_nodes, shards, threads, troubles, close_within)| Script {
            options,
            three_nodes,
            shards,
            threads,
            troubles,
            close_within,
        },
    )
}

/// An accepted record, and who appended it: 0 is the callback.
struct Accepted {
    tag: u64,
    by: usize,
    record: Record,
    delivery: Option<Delivery>,
}

type Outcome = Result<RecordId, Error>;

/// What a run is about, shared by its threads.
#[derive(Default)]
struct Run {
    tags: AtomicU64,
    accepted: Mutex<Vec<Accepted>>,
    told: Mutex<BTreeMap<u64, Vec<Outcome>>>,
    appender: OnceLock<Appender>,
}

impl Run {
    fn tell(&self, deliveries: &Deliveries) {
        let mut told = self.told.lock().unwrap();
        for delivered in deliveries.iter() {
            told.entry(delivered.tag()).or_default().push(delivered.result().map_err(Clone::clone));
        }
    }

    /// Appends a record with a tag of its own. A tracked one is not known by its tag in reports, which is 0 there.
    fn append(
        &self,
        by: usize,
        record: Record,
        patience: impl Into<Wait>,
        tracked: bool,
    ) -> Result<(), Error> {
        let appender = self.appender.get().unwrap();
        let tag = self.tags.fetch_add(1, Ordering::SeqCst) + 1;
        let record = record.with_attribute("tag", tag.to_string());
        let delivery = match tracked {
            true => Some(appender.append_tracked(&record, patience)?),
            false => appender.append_tagged(&record, tag, patience).map(|()| None)?,
        };
        self.accepted.lock().unwrap().push(Accepted { tag, by, record, delivery });
        Ok(())
    }

    /// What the callback does.
    fn listen(self: &Arc<Self>, listener: Listener) -> impl FnMut(&Deliveries) + Send + 'static {
        let run = self.clone();
        move |deliveries| {
            run.tell(deliveries);
            match listener {
                Listener::Slow => thread::sleep(Duration::from_millis(3)),
                Listener::Panicking => panic!("on purpose"),
                Listener::Repairing if deliveries.error().is_some() => {
                    for record in deliveries.records() {
                        let _ = run.append(0, record, SOON, false);
                    }
                }
                _ => {}
            }
        }
    }
}

fn config(options: &Options, run: &Arc<Run>) -> ProducerConfig {
    let config = ProducerConfig::new()
        .batch_records(options.batch_records)
        .batch_bytes(options.batch_bytes)
        .linger(options.linger)
        .buffer_bytes(options.buffer_bytes)
        .buffer_records(options.buffer_records)
        .compression(if options.gzip { Compression::gzip() } else { Compression::none() })
        .delivery_timeout(Duration::from_millis(options.delivery_timeout))
        .retry(None, Duration::from_millis(2), Duration::from_millis(20))
        .retry_ambiguous(options.retry_ambiguous)
        .in_flight_per_shard(options.in_flight)
        .failure_policy(options.policy)
        .recreated_stream(options.recreated)
        .reports(options.reports)
        .lend_records(options.lent);
    match options.listener {
        // A way for reports, and no reports, are refused together.
        _ if options.reports == Reports::None => config,
        Listener::Nobody => config,
        Listener::Polling => config.poll_reports(),
        listener => config.on_delivery(run.listen(listener)),
    }
}

fn take_step(run: &Run, producer: &BufferedProducer, by: usize, step: &Step) {
    let appender = run.appender.get().unwrap();
    match *step {
        Step::Append { key, size, patience, tracked } => {
            let record = Record::raw(vec![b'x'; size]).with_key(format!("{by}-{key}"));
            let patience = match patience {
                Patience::None => Duration::ZERO,
                Patience::Some => Duration::from_millis(20),
                Patience::Long => Duration::from_secs(2),
            };
            if let Err(error) = run.append(by, record, patience, tracked) {
                use ErrorKind::*;
                let expected = [QueueFull, Timeout, RecordTooLarge, InvalidState, Closed];
                assert!(expected.contains(&error.kind()), "an append was refused: {error:?}");
                assert!(error.kind() != RecordTooLarge || size > 1_048_000, "{size}: {error:?}");
            }
        }
        Step::Flush { of, within } => {
            let within = Duration::from_millis(within);
            let flushed = match of {
                0 => producer.flush(within),
                1 => appender.flush(within),
                _ => appender.flush_key(&format!("{by}-1"), within),
            };
            match flushed {
                Ok(counts) => assert!(counts.total() <= run.tags.load(Ordering::SeqCst)),
                Err(error) => assert!(error.is_timeout(), "{error:?}"),
            }
        }
        Step::Resume => appender.resume(None).unwrap(),
        Step::Pause => thread::sleep(Duration::from_millis(1)),
    }
}

fn make(fixture: &Fixture, stream: &str, script: &Script, trouble: Trouble) {
    let next = || fixture.server.faults().next("Append");
    match trouble {
        Trouble::Unavailable => next().times(3).refuse(14, "server is unavailable"),
        Trouble::UnavailableAfterTheWrite => {
            next().times(2).refuse_after_applying(14, "request or connection timed out")
        }
        Trouble::Refusal => next().refuse(3, r#"{"error":206,"message":"EmptyBatchedRecord","extra":null}"#),
        Trouble::TooLarge => {
            next().times(2).refuse(
                3,
                r#"{"error":207,"message":"Record size exceeds the maximum size limit","extra":9}"#,
            );
        }
        Trouble::NoAnswer => next().never_answer(),
        Trouble::Lost => next().ignore(),
        Trouble::Late => next().times(3).delay_answer(Duration::from_millis(30)),
        Trouble::NotOwner => next().not_owner(),
        Trouble::NodeDies(node) if script.three_nodes => {
            fixture.server.kill_node(node).unwrap();
            thread::sleep(Duration::from_millis(5));
            fixture.server.restart_node(node).unwrap();
        }
        Trouble::NodeDies(_) => {}
        Trouble::Recreated => {
            fixture.client.delete_stream(stream, hstreamdb::DeleteOptions::new().force()).unwrap();
            fixture.client.create_stream(stream, StreamOptions::new().shard_count(script.shards)).unwrap();
        }
        Trouble::Over => fixture.server.faults().clear(),
    }
    thread::sleep(Duration::from_millis(5));
}

fn play(script: &Script) {
    let begun = Instant::now();
    let nodes = if script.three_nodes { 3 } else { 1 };
    let detection = Duration::from_millis(30);
    let fixture = Fixture::with(DevServerOptions::new().nodes(nodes).failure_detection(detection));
    let stream = fixture.stream(script.shards);
    let run = Arc::<Run>::default();
    let producer = fixture.client.producer(config(&script.options, &run)).unwrap();
    assert!(run.appender.set(producer.appender(&stream).unwrap()).is_ok());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                let pending = producer.pending_bytes();
                assert!(pending <= script.options.buffer_bytes as u64, "{pending} bytes are pending");
                thread::sleep(Duration::from_micros(200));
            }
        });
        let polling = scope.spawn(|| {
            if script.options.listener != Listener::Polling || script.options.reports == Reports::None {
                return;
            }
            loop {
                match producer.poll(Duration::from_millis(2)) {
                    Ok(Some(deliveries)) => run.tell(&deliveries),
                    Ok(None) if over.load(Ordering::SeqCst) => return,
                    Ok(None) => {}
                    // All has been polled.
                    Err(error) if error.is_closed() => return,
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
        let threads: Vec<_> = (1..)
            .zip(&script.threads)
            .map(|(by, steps)| {
                let (run, producer) = (&run, &producer);
                scope.spawn(move || steps.iter().for_each(|step| take_step(run, producer, by, step)))
            })
            .collect();
        script.troubles.iter().for_each(|trouble| make(&fixture, &stream, script, *trouble));
        // A close with a time comes when it likes, another one when all has been appended.
        let all_at_the_end = script.close_within.is_none();
        let results: Vec<_> = match all_at_the_end {
            true => threads.into_iter().map(|thread| thread.join()).collect(),
            false => Vec::new(),
        };
        let within = script.close_within.map_or(SOON, Duration::from_millis);
        if let Err(error) = producer.close(within) {
            assert!(error.is_timeout() && !all_at_the_end, "{error:?}");
        }
        over.store(true, Ordering::SeqCst);
        results.into_iter().for_each(|result| result.unwrap());
        watching.join().unwrap();
        polling.join().unwrap();
    });
    assert_eq!((producer.pending_records(), producer.pending_bytes()), (0, 0));
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
    fixture.server.faults().clear();
    check(&fixture, &stream, script, &run);
}

/// All is over: compares what was accepted, what was told, and what is there.
fn check(fixture: &Fixture, stream: &str, script: &Script, run: &Run) {
    let accepted = std::mem::take(&mut *run.accepted.lock().unwrap());
    let told = std::mem::take(&mut *run.told.lock().unwrap());
    let outcomes = outcomes(script, &accepted, &told);
    check_order(script, &accepted, &outcomes);
    check_content(fixture, stream, script, &accepted, &outcomes);
}

/// The outcome of each record that has told one: exactly one.
fn outcomes(
    script: &Script,
    accepted: &[Accepted],
    told: &BTreeMap<u64, Vec<Outcome>>,
) -> BTreeMap<u64, Outcome> {
    let options = &script.options;
    let listens = options.listener != Listener::Nobody;
    let known: HashSet<u64> = accepted.iter().map(|accepted| accepted.tag).collect();
    let mut outcomes = BTreeMap::new();
    for Accepted { tag, delivery, .. } in accepted {
        let reports = told.get(tag).map_or(&[][..], |reports| reports);
        let outcome = match delivery {
            Some(delivery) => {
                Some(delivery.try_get().expect("a tracked record has no outcome after the close"))
            }
            None => reports.first().cloned(),
        };
        let failed = outcome.as_ref().is_none_or(Outcome::is_err);
        let reported = listens
            && delivery.is_none()
            && match options.reports {
                Reports::All => true,
                Reports::Failures => failed && outcome.is_some(),
                Reports::None => false,
            };
        assert_eq!(reports.len(), usize::from(reported), "reports of {tag}: {outcome:?}");
        if let Some(outcome) = outcome {
            outcomes.insert(*tag, outcome);
        }
    }
    assert!(told.keys().all(|tag| *tag == 0 || known.contains(tag)), "a refused record was reported");
    // Tracked records are reported too, without a tag.
    let tracked: Vec<_> = accepted.iter().filter(|accepted| accepted.delivery.is_some()).collect();
    if listens && options.reports == Reports::All {
        let ids = |outcomes: &mut dyn Iterator<Item = &Outcome>| -> BTreeSet<_> {
            outcomes.filter_map(|outcome| outcome.as_ref().ok().copied()).collect()
        };
        let reported = told.get(&0).map_or(&[][..], |reports| reports);
        assert_eq!(reported.len(), tracked.len());
        let by_handle = ids(&mut tracked.iter().map(|accepted| &outcomes[&accepted.tag]));
        assert_eq!(ids(&mut reported.iter()), by_handle);
    }
    outcomes
}

/// What one thread appended with one key, one after the other, has ids in that order.
fn check_order(script: &Script, accepted: &[Accepted], outcomes: &BTreeMap<u64, Outcome>) {
    if script.options.in_flight > 1 || script.options.policy == FailurePolicy::Continue {
        return;
    }
    let mut last = BTreeMap::<(usize, &str, u64), RecordId>::new();
    for Accepted { tag, by, record, .. } in accepted.iter().filter(|accepted| accepted.by > 0) {
        if let Some(Ok(id)) = outcomes.get(tag) {
            let before = last.insert((*by, record.key(), id.shard_id), *id);
            assert!(before.is_none_or(|before| before < *id), "{tag} with {id:?} comes before {before:?}");
        }
    }
}

fn check_content(
    fixture: &Fixture,
    stream: &str,
    script: &Script,
    accepted: &[Accepted],
    outcomes: &BTreeMap<u64, Outcome>,
) {
    // What an older life of the stream had is gone.
    let shards = fixture.client.list_shards(stream).unwrap();
    let shards: HashSet<_> = shards.shards().iter().map(hstreamdb::Shard::id).collect();
    let expected: BTreeMap<RecordId, &Accepted> = accepted
        .iter()
        .filter_map(|accepted| Some((*outcomes.get(&accepted.tag)?.as_ref().ok()?, accepted)))
        .filter(|(id, _)| shards.contains(&id.shard_id))
        .collect();
    let there = content(fixture, stream, &expected);
    for (id, accepted) in &expected {
        assert_eq!(there[id], accepted.record, "{id:?}");
    }
    let ambiguous = script.troubles.iter().any(|trouble| trouble.is_ambiguous());
    let gave_up = script.close_within.is_some();
    let mut times = BTreeMap::<u64, usize>::new();
    for record in there.values() {
        *times.entry(record.attributes()["tag"].parse().unwrap()).or_default() += 1;
    }
    for Accepted { tag, .. } in accepted {
        let times = times.remove(tag).unwrap_or(0);
        match outcomes.get(tag) {
            Some(Err(error)) if !error.is_ambiguous() && error.attempts() <= 1 => {
                assert_eq!(times, 0, "{tag} was written, although: {error:?}");
            }
            _ if !ambiguous && !gave_up => assert!(times <= 1, "{tag} was written {times} times"),
            _ => {}
        }
    }
    assert!(times.is_empty(), "records that nobody appended: {times:?}");
}

/// All that is in the stream, once what is expected is there and no more comes.
fn content(
    fixture: &Fixture,
    stream: &str,
    expected: &BTreeMap<RecordId, &Accepted>,
) -> BTreeMap<RecordId, Record> {
    let consumer = fixture.client.consumer(&fixture.subscription(stream), Default::default()).unwrap();
    let mut there = BTreeMap::new();
    let mut quiet = false;
    wait_until("what was written arrives", || {
        match consumer.poll(10_000, Duration::from_millis(100)).unwrap() {
            Some(batch) => {
                for received in batch.iter() {
                    there.insert(received.id(), received.to_record().unwrap());
                }
                quiet = false;
            }
            None => quiet = true,
        }
        quiet && expected.keys().all(|id| there.contains_key(id))
    });
    there
}

#[test]
fn whatever_happens_each_record_has_one_outcome_and_that_is_true() {
    let seed = std::env::var("PRODUCER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64);
    println!("PRODUCER_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: CASES, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&scripts(), |script| {
        play(&script);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
