//! What consumers and readers live through: taking turns, resends, restarts, deaths of nodes, names that are given
//! anew, and large and many of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use hstreamdb::dev_server::DevServerOptions;
use hstreamdb::{
    Batch, Client, ClientConfig, Compression, Consumer, ConsumerConfig, ConsumerState, DeleteOptions,
    ErrorKind, HRecord, Offset, Read, ReaderConfig, Record, RecordId, RecordKind, StartAt, StreamOptions,
    SubscriptionOptions,
};

use crate::support::{Fixture, SOON, ids, receive, texts, unique, wait_until};

/// The shortest ack time-out that there is.
const A_SECOND: Duration = Duration::from_secs(1);

fn quick() -> ConsumerConfig {
    ConsumerConfig::new().reconnect(Duration::from_millis(5), Duration::from_millis(50))
}

fn impatient() -> SubscriptionOptions {
    SubscriptionOptions::new().ack_timeout(A_SECOND)
}

/// Appends numbers as texts and keys, some in each batch. Their ids.
fn append(fixture: &Fixture, stream: &str, numbers: std::ops::Range<usize>, batch: usize) -> Vec<RecordId> {
    let record = |number: usize| Record::raw(number.to_string()).with_key(number.to_string());
    let records: Vec<_> = numbers.map(record).collect();
    let append = |chunk: &[Record]| fixture.client.append(stream, chunk, Compression::none()).unwrap();
    records.chunks(batch).flat_map(append).collect()
}

fn ack_all(consumer: &Consumer, batches: &[Batch]) {
    batches.iter().for_each(|batch| consumer.ack_batch(batch).unwrap());
}

/// Nothing is left for a new consumer.
fn assert_all_acked(fixture: &Fixture, subscription: &str) {
    fixture.server.restart_subscriptions();
    let consumer = fixture.client.consumer(subscription, quick()).unwrap();
    let batch = consumer.poll(1, Duration::from_millis(300)).unwrap();
    assert!(batch.is_none(), "unacked: {batch:?}");
}

/// Polls and acks until all of these have come; what has come may come again.
fn receive_all(consumer: &Consumer, wanted: &BTreeSet<RecordId>) {
    let mut seen = BTreeSet::new();
    wait_until("all arrive", || {
        if let Some(batch) = consumer.poll(10_000, Duration::from_millis(100)).unwrap() {
            consumer.ack_batch(&batch).unwrap();
            seen.extend(batch.ids());
        }
        seen.is_superset(wanted)
    });
    assert_eq!(&seen, wanted, "records that nobody appended");
}

#[test]
fn consumers_in_turn_take_each_record_once() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let subscription = fixture.subscription_with(&stream, impatient());
    let appended = append(&fixture, &stream, 0..100, 10);
    let mut taken = Vec::new();
    for turn in 0..4 {
        let consumer = fixture.client.consumer(&subscription, quick().name(format!("turn-{turn}"))).unwrap();
        // What it has received beyond these comes again to the next one.
        let batches = receive(&consumer, 25);
        ack_all(&consumer, &batches);
        taken.extend(batches.iter().flat_map(Batch::ids));
        consumer.close(SOON).unwrap();
    }
    taken.sort_unstable();
    assert_eq!(taken, BTreeSet::from_iter(appended).into_iter().collect::<Vec<_>>());
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn members_of_a_group_come_and_go_and_all_records_arrive() {
    let fixture = Fixture::new();
    let stream = fixture.stream(6);
    let subscription = fixture.subscription_with(&stream, impatient());
    let mut members: Vec<Consumer> = Vec::new();
    let (mut appended, mut acked) = (BTreeSet::new(), BTreeSet::new());
    let mut take = |members: &[Consumer]| {
        for member in members {
            if let Some(batch) = member.poll(7, Duration::from_millis(2)).unwrap() {
                for id in batch.ids() {
                    assert!(acked.insert(id), "{id} came again");
                }
                member.ack_batch(&batch).unwrap();
            }
        }
        acked.len()
    };
    for round in 0..40 {
        appended.extend(append(&fixture, &stream, 10 * round..10 * (round + 1), 3));
        match round % 5 {
            0 | 1 => {
                let member = fixture.client.consumer(&subscription, quick()).unwrap();
                member.start().unwrap();
                members.push(member);
            }
            // The one that has been there longest.
            4 => members.remove(0).close(SOON).unwrap(),
            _ => {}
        }
        take(&members);
    }
    wait_until("all arrive", || take(&members) == appended.len());
    assert_eq!(acked, appended);
    members.iter().for_each(|member| member.close(SOON).unwrap());
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn of_acks_withheld_by_chance_exactly_those_records_come_again() {
    let seed = std::env::var("CONSUMER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64);
    println!("CONSUMER_SEED={seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let subscription = fixture.subscription_with(&stream, impatient());
    let mut left: BTreeSet<_> = append(&fixture, &stream, 0..300, 30).into_iter().collect();
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    let mut rounds = 0;
    while !left.is_empty() {
        rounds += 1;
        let came = ids(&receive(&consumer, left.len()));
        assert_eq!(came, left, "round {rounds}");
        let (acked, withheld): (Vec<_>, Vec<_>) = came.into_iter().partition(|_| chance.u8(..) < 230);
        consumer.ack(&acked).unwrap();
        left = withheld.into_iter().collect();
    }
    consumer.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn what_one_consumer_leaves_unacked_another_one_gets() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription_with(&stream, impatient());
    append(&fixture, &stream, 0..10, 5);
    let first = fixture.client.consumer(&subscription, quick().name("first")).unwrap();
    let received = receive(&first, 10);
    first.ack(&received[0].ids().take(2).collect::<Vec<_>>()).unwrap();
    let second = fixture.client.consumer(&subscription, quick().name("second")).unwrap();
    second.start().unwrap();
    wait_until("both are there", || fixture.client.list_consumers(&subscription).unwrap().len() == 2);
    first.close(SOON).unwrap();
    let again = receive(&second, 8);
    assert_eq!(texts(&again), (2..10).map(|number| number.to_string()).collect::<Vec<_>>());
    ack_all(&second, &again);
    second.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn after_a_restart_of_the_server_consuming_goes_on_behind_what_was_acked() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    append(&fixture, &stream, 0..30, 10);
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    let batches = receive(&consumer, 30);
    let all: Vec<_> = ids(&batches).into_iter().collect();
    // A whole batch, and a half.
    consumer.ack(&all[..15]).unwrap();
    consumer.flush_acks(SOON).unwrap();
    wait_until("the acks arrive", || {
        let subscription = fixture.client.get_subscription(&subscription).unwrap();
        subscription.checkpoints() == [(all[0].shard_id, all[0].batch_id)]
    });
    fixture.server.kill_node(0).unwrap();
    fixture.server.restart_node(0).unwrap();
    append(&fixture, &stream, 30..40, 10);
    let again = receive(&consumer, 30);
    assert_eq!(texts(&again), (10..40).map(|number| number.to_string()).collect::<Vec<_>>());
    ack_all(&consumer, &again);
    consumer.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
}

fn five_nodes() -> Fixture {
    Fixture::with(DevServerOptions::new().nodes(5).failure_detection(Duration::from_millis(50)))
}

fn owner(fixture: &Fixture, kind: &str, id: &str) -> usize {
    fixture.server.get(&format!("owner {kind} {id}")).unwrap().parse().unwrap()
}

#[test]
fn ten_thousand_records_are_consumed_while_two_of_five_nodes_die() {
    let fixture = five_nodes();
    let stream = fixture.stream(5);
    let appended: BTreeSet<_> = append(&fixture, &stream, 0..10_000, 100).into_iter().collect();
    // So few are on the way that most are still to come when nodes die.
    let subscription =
        fixture.subscription_with(&stream, SubscriptionOptions::new().max_unacked_records(1000));
    let consumer = fixture.client.consumer(&subscription, quick().prefetch(500, 1 << 20)).unwrap();
    let mut seen = BTreeSet::new();
    let mut killed = BTreeSet::new();
    wait_until("all arrive", || {
        if let Some(batch) = consumer.poll(1000, Duration::from_millis(100)).unwrap() {
            consumer.ack_batch(&batch).unwrap();
            seen.extend(batch.ids());
        }
        // The one that serves it, twice.
        if killed.len() < 2 && seen.len() >= 4000 + 2000 * killed.len() {
            let victim = owner(&fixture, "subscription", &subscription);
            if killed.insert(victim) {
                fixture.server.kill_node(victim).unwrap();
            }
        }
        seen.len() == appended.len()
    });
    assert_eq!(seen, appended);
    // What was acked shortly before a death comes again, and is acked again.
    let tails: BTreeMap<u64, u64> = appended.iter().map(|id| (id.shard_id, id.batch_id)).collect();
    wait_until("all is acked", || {
        while let Some(batch) = consumer.poll(1000, Duration::ZERO).unwrap() {
            consumer.ack_batch(&batch).unwrap();
        }
        let acked = fixture.client.get_subscription(&subscription).unwrap();
        acked.checkpoints().iter().copied().collect::<BTreeMap<_, _>>() == tails
    });
    assert!(killed.len() == 2 && consumer.last_error().is_some());
    consumer.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn ten_thousand_records_are_read_while_two_of_five_nodes_die() {
    let fixture = five_nodes();
    let stream = fixture.stream(5);
    let mut appended = append(&fixture, &stream, 0..10_000, 100);
    let config = ReaderConfig::new().until(Offset::Latest).prefetch(200, 1 << 20);
    let config = config.reopen(Duration::from_millis(5), Duration::from_millis(50));
    let reader = fixture.client.read_stream(&stream, config).unwrap();
    let (mut read, mut last) = (Vec::new(), BTreeMap::new());
    let mut killed = 0;
    loop {
        match reader.read(100, SOON).unwrap() {
            Read::Records(batch) => read.extend(batch.ids()),
            Read::Nothing => panic!("only {} came", read.len()),
            Read::End => break,
        }
        if killed < 2 && read.len() >= 4000 + 2000 * killed {
            fixture.server.kill_node(killed).unwrap();
            killed += 1;
        }
    }
    for id in &read {
        assert!(last.insert(id.shard_id, *id) < Some(*id), "{id} came out of order");
    }
    read.sort_unstable();
    appended.sort_unstable();
    assert!(read == appended && killed == 2, "{} were read", read.len());
}

/// Deletes a subscription under its consumer, which does not see it, and creates it anew.
fn recreate_unseen(fixture: &Fixture, consumer: &Consumer, stream: &str) {
    let subscription = consumer.subscription();
    let created = fixture.client.get_subscription(subscription).unwrap().created();
    for rpc in ["StreamingFetch", "GetSubscription"] {
        fixture.server.faults().next(rpc).on(subscription).always().refuse(14, "not now");
    }
    fixture.server.faults().break_connections(subscription);
    wait_until("it is lost", || consumer.state() == ConsumerState::Reconnecting);
    fixture.client.delete_subscription(subscription, DeleteOptions::new().force()).unwrap();
    wait_until("it is created at another time", || {
        let again = SubscriptionOptions::new().start(StartAt::Earliest);
        let new = fixture.client.create_subscription(subscription, stream, again).unwrap();
        let differs = new.created() != created;
        if !differs {
            fixture.client.delete_subscription(subscription, DeleteOptions::new()).unwrap();
        }
        differs
    });
    fixture.server.faults().clear();
}

#[test]
fn a_subscription_created_anew_is_not_taken_for_the_old_one() {
    let fixture = Fixture::new();
    let streams = [fixture.stream(1), fixture.stream(1)];
    streams.iter().for_each(|stream| drop(append(&fixture, stream, 0..10, 5)));
    // Of the same stream, and of another one, to whose shards the old acks would be foreign.
    for stream in &streams {
        let subscription = fixture.subscription(&streams[0]);
        let consumer = fixture.client.consumer(&subscription, quick().ack_batch(1000, SOON)).unwrap();
        let received = receive(&consumer, 10);
        ack_all(&consumer, &received);
        recreate_unseen(&fixture, &consumer, stream);
        let error = consumer.wait(SOON).unwrap_err();
        assert_eq!((error.kind(), consumer.state()), (ErrorKind::InvalidState, ConsumerState::Failed));
        assert!(error.to_string().contains("created anew"), "{error}");
        assert!(error.to_string().contains(&subscription), "{error}");
        consumer.close(SOON).unwrap();
        let new = fixture.client.consumer(&subscription, quick()).unwrap();
        assert_eq!(receive(&new, 10).iter().map(Batch::len).sum::<usize>(), 10);
    }
}

#[test]
fn a_stopped_consumer_does_not_start_on_a_subscription_created_anew() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    append(&fixture, &stream, 0..4, 2);
    let subscription = fixture.subscription(&stream);
    let created = fixture.client.get_subscription(&subscription).unwrap().created();
    let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
    receive(&consumer, 4);
    consumer.stop(SOON).unwrap();
    wait_until("it is created at another time", || {
        fixture.client.delete_subscription(&subscription, DeleteOptions::new().force()).unwrap();
        let again = SubscriptionOptions::new().start(StartAt::Earliest);
        fixture.client.create_subscription(&subscription, &stream, again).unwrap().created() != created
    });
    consumer.start().unwrap();
    let error = consumer.wait(SOON).unwrap_err();
    assert!(error.to_string().contains("created anew"), "{error}");
}

#[test]
fn a_subscription_deleted_under_its_consumers_ends_them_and_its_next_life_is_whole() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    append(&fixture, &stream, 0..20, 5);
    let subscription = fixture.subscription(&stream);
    let consumers: Vec<_> =
        (0..2).map(|_| fixture.client.consumer(&subscription, quick()).unwrap()).collect();
    consumers.iter().for_each(|consumer| consumer.start().unwrap());
    wait_until("both are there", || fixture.client.list_consumers(&subscription).unwrap().len() == 2);
    fixture.client.delete_subscription(&subscription, DeleteOptions::new().force()).unwrap();
    let options = SubscriptionOptions::new().start(StartAt::Earliest);
    fixture.client.create_subscription(&subscription, &stream, options).unwrap();
    for consumer in &consumers {
        consumer.wait(SOON).unwrap_err();
        assert_eq!(consumer.state(), ConsumerState::Failed);
        consumer.close(SOON).unwrap();
    }
    let new = fixture.client.consumer(&subscription, quick()).unwrap();
    assert_eq!(ids(&receive(&new, 20)).len(), 20);
}

#[test]
fn the_backlog_of_a_stream_deleted_by_force_is_consumed_and_the_next_stream_is_another_one() {
    let fixture = Fixture::new();
    let stream = fixture.stream(2);
    let subscription = fixture.subscription(&stream);
    let backlog: BTreeSet<_> = append(&fixture, &stream, 0..100, 10).into_iter().collect();
    let consumer = fixture.client.consumer(&subscription, quick().prefetch(10, 1 << 20)).unwrap();
    let before = receive(&consumer, 10);
    ack_all(&consumer, &before);
    fixture.client.delete_stream(&stream, DeleteOptions::new().force()).unwrap();
    fixture.client.create_stream(&stream, StreamOptions::new().shard_count(2)).unwrap();
    append(&fixture, &stream, 100..110, 10);
    // Also over a loss.
    fixture.server.faults().break_connections(&subscription);
    receive_all(&consumer, &backlog.difference(&ids(&before)).copied().collect());
    assert!(consumer.poll(1, Duration::from_millis(100)).unwrap().is_none());
    consumer.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
    let new = fixture.client.consumer(&fixture.subscription(&stream), quick()).unwrap();
    assert_eq!(ids(&receive(&new, 10)).len(), 10);
}

#[test]
fn a_stream_deleted_under_a_reader_is_told_and_is_no_end() {
    for recreated in [false, true] {
        for until in [None, Some(Offset::Latest), Some(Offset::Time(std::time::SystemTime::now() + SOON))] {
            let fixture = Fixture::new();
            let stream = fixture.stream(1);
            let shard = append(&fixture, &stream, 0..200, 1)[0].shard_id;
            let mut config = ReaderConfig::new().prefetch(5, 1 << 20);
            config = config.reopen(Duration::from_millis(5), Duration::from_millis(50));
            if let Some(until) = until {
                config = config.until(until);
            }
            let reader = fixture.client.read_shard(&stream, shard, config).unwrap();
            assert!(matches!(reader.read(1, SOON).unwrap(), Read::Records(_)));
            // What the server has sent already is read all the same.
            fixture.client.delete_stream(&stream, DeleteOptions::new().force()).unwrap();
            if recreated {
                fixture.client.create_stream(&stream, StreamOptions::new()).unwrap();
            }
            let mut read = 1;
            let ended = loop {
                match reader.read(100, SOON) {
                    Ok(Read::Records(batch)) => read += batch.len(),
                    Ok(other) => break format!("{other:?}"),
                    Err(error) => break error.to_string(),
                }
            };
            let told = ended.contains(if recreated { "created anew" } else { &stream });
            assert!(read == 200 || told, "{until:?}: {ended} after {read}");
            assert!(until == Some(Offset::Latest) || told, "{until:?}: {ended}");
        }
    }
}

#[test]
fn batches_as_large_as_the_server_takes_are_consumed_sent_again_and_read() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription_with(&stream, impatient());
    let overhead = Record::raw(vec![0; 1_000_000]).encoded_len() - 1_000_000;
    let largest = Record::raw(vec![b'x'; 1_048_576 - 3 - 3 - overhead]);
    // Many small ones take as much: their ids are most of a message.
    let small: Vec<_> = (0..150_000).map(|_| Record::raw("")).collect();
    let mut all: BTreeSet<RecordId> = BTreeSet::new();
    for _ in 0..3 {
        all.insert(fixture.client.append_one(&stream, &largest).unwrap());
        all.extend(fixture.client.append(&stream, &small, Compression::none()).unwrap());
    }
    let consumer = fixture.client.consumer(&subscription, quick().prefetch(1000, 1 << 20));
    let consumer = consumer.unwrap();
    let large = |batch: &Batch| batch.iter().filter(|record| record.payload().len() > 1_000_000).count();
    let came = receive(&consumer, 1);
    assert_eq!(came.iter().map(large).sum::<usize>(), 1);
    receive_all(&consumer, &all);
    consumer.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
    let reader = fixture.client.read_stream(&stream, ReaderConfig::new().until(Offset::Latest)).unwrap();
    let read: Vec<Batch> = reader.batches(SOON).map(Result::unwrap).collect();
    assert_eq!((ids(&read), read.iter().map(large).sum::<usize>()), (all, 3));
}

#[test]
fn a_hundred_consumers_share_a_subscription() {
    let fixture = Fixture::new();
    let stream = fixture.stream(100);
    let subscription = fixture.subscription(&stream);
    let consumers: Vec<_> =
        (0..100).map(|_| fixture.client.consumer(&subscription, quick()).unwrap()).collect();
    consumers.iter().for_each(|consumer| consumer.start().unwrap());
    wait_until("all are there", || fixture.client.list_consumers(&subscription).unwrap().len() == 100);
    let mut left: BTreeSet<_> = append(&fixture, &stream, 0..2000, 500).into_iter().collect();
    let mut served = BTreeSet::new();
    wait_until("all arrive", || {
        for (number, consumer) in consumers.iter().enumerate() {
            if let Some(batch) = consumer.poll(100, Duration::ZERO).unwrap() {
                assert!(batch.ids().all(|id| left.remove(&id)), "a record came twice");
                consumer.ack_batch(&batch).unwrap();
                served.insert(number);
            }
        }
        left.is_empty()
    });
    assert!(served.len() > 10, "only {} were served", served.len());
    let started = Instant::now();
    thread::scope(|scope| {
        consumers.iter().for_each(|consumer| {
            scope.spawn(|| consumer.close(SOON).unwrap());
        });
    });
    assert!(started.elapsed() < SOON);
    assert_all_acked(&fixture, &subscription);
}

#[test]
fn a_json_batch_is_sent_again_in_part_whatever_its_compression() {
    for compression in [
        Compression::none(),
        Compression::gzip(),
        #[cfg(feature = "zstd")]
        Compression::zstd(),
    ] {
        let fixture = Fixture::new();
        let stream = fixture.stream(1);
        let subscription = fixture.subscription_with(&stream, impatient());
        let json =
            |number: u32| HRecord::new().with("number", f64::from(number)).with("text", "x".repeat(50));
        let records: Vec<_> =
            (0..40).map(|number| Record::hrecord(json(number)).unwrap().with_key("k")).collect();
        let all = fixture.client.append(&stream, &records, compression).unwrap();
        let consumer = fixture.client.consumer(&subscription, quick()).unwrap();
        receive(&consumer, 40);
        consumer.ack(&all.iter().copied().step_by(3).collect::<Vec<_>>()).unwrap();
        let again = receive(&consumer, 26);
        for record in again.iter().flat_map(Batch::iter) {
            let number = all.iter().position(|id| *id == record.id()).unwrap() as u32;
            assert!(!number.is_multiple_of(3) && record.kind() == RecordKind::Json && record.key() == "k");
            assert_eq!(record.to_hrecord().unwrap(), json(number));
        }
        assert_eq!(ids(&again).len(), 26);
        ack_all(&consumer, &again);
        consumer.close(SOON).unwrap();
        assert_all_acked(&fixture, &subscription);
    }
}

#[test]
fn a_limit_of_batches_is_kept_over_losses() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let records: Vec<_> = (0..60).map(|_| Record::raw(vec![b'x'; 20_000])).collect();
    let append = |records: &[Record]| fixture.client.append(&stream, records, Compression::none()).unwrap();
    let all: Vec<_> = records.chunks(2).flat_map(append).collect();
    // So little is received ahead that most is still to come when the node is killed.
    let small = ClientConfig::new(fixture.server.url()).windows(65_535, 655_350);
    let client = Client::connect(small).unwrap();
    let config = ReaderConfig::new().max_batches(20).prefetch(4, 1 << 20);
    let config = config.reopen(Duration::from_millis(2), Duration::from_millis(20));
    let reader = client.read_single_shard(&stream, config).unwrap();
    let mut read = Vec::new();
    for round in 0.. {
        match reader.read(3, SOON).unwrap() {
            Read::Records(batch) => read.extend(batch.ids()),
            Read::Nothing => panic!("only {read:?} came"),
            Read::End => break,
        }
        if round % 4 == 1 {
            fixture.server.kill_node(0).unwrap();
            fixture.server.restart_node(0).unwrap();
        }
    }
    assert_eq!(read, all[..40]);
    assert!(reader.last_error().is_some(), "nothing was lost, so nothing was tested");
    // Where reading begins behind a batch, that one is none of them.
    let position = reader.position();
    let config = ReaderConfig::new().max_batches(5).position(position);
    let read: Vec<_> =
        client.read_stream(&stream, config).unwrap().batches(SOON).map(Result::unwrap).collect();
    assert_eq!(ids(&read), all[40..50].iter().copied().collect());
}

#[test]
fn an_idle_consumer_that_the_server_has_not_missed_waits_for_its_name() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let subscription = fixture.subscription(&stream);
    // With pauses so short that it asks for its name often before it gets it.
    let consumer = fixture.client.consumer(&subscription, quick().name(unique("idle"))).unwrap();
    consumer.start().unwrap();
    wait_until("it is there", || !fixture.client.list_consumers(&subscription).unwrap().is_empty());
    // It has been taken on, as it has not been refused for so long, although it has received nothing.
    thread::sleep(Duration::from_millis(1100));
    let tries = fixture.server.faults().calls("StreamingFetch") + 10;
    assert_eq!(fixture.server.faults().make_zombies(&subscription, None, 14, "gone"), 1);
    wait_until("it tries", || fixture.server.faults().calls("StreamingFetch") >= tries);
    append(&fixture, &stream, 0..1, 1);
    assert_eq!(texts(&receive(&consumer, 1)), ["0"]);
}

/// A consumer whose connection has died, which the server has not missed, and for whose acks it waits.
fn unmissed(
    fixture: &Fixture,
    stream: &str,
    options: SubscriptionOptions,
    config: ConsumerConfig,
) -> (String, Consumer) {
    let subscription = fixture.subscription_with(stream, options.max_unacked_records(3));
    let consumer = fixture.client.consumer(&subscription, config.ack_batch(100, SOON)).unwrap();
    let received = receive(&consumer, 3);
    assert_eq!(fixture.server.faults().make_zombies(&subscription, None, 14, "gone"), 1);
    ack_all(&consumer, &received);
    assert_eq!(consumer.pending_acks(), 3);
    (subscription, consumer)
}

fn names(fixture: &Fixture, subscription: &str) -> Vec<String> {
    let consumers = fixture.client.list_consumers(subscription).unwrap();
    consumers.iter().map(|consumer| consumer.name().to_owned()).collect()
}

#[test]
fn acks_that_the_server_waits_for_reach_it_although_it_has_not_missed_a_consumer_of_a_generated_name() {
    let fixture = Fixture::new();
    let stream = fixture.stream(1);
    let id = append(&fixture, &stream, 0..3, 3)[0];
    let (subscription, consumer) = unmissed(&fixture, &stream, SubscriptionOptions::new(), quick());
    consumer.flush_acks(SOON).unwrap();
    wait_until("they arrive", || {
        let checkpoint = [(id.shard_id, id.batch_id)];
        fixture.client.get_subscription(&subscription).unwrap().checkpoints() == checkpoint
    });
    let mut names = names(&fixture, &subscription);
    names.sort();
    assert_eq!(names, [consumer.name().to_owned(), format!("{}-1", consumer.name())]);
    // What can't be sent to the one comes to the other.
    append(&fixture, &stream, 3..5, 1);
    assert_eq!(texts(&receive(&consumer, 2)), ["3", "4"]);
    consumer.close(SOON).unwrap();
}

#[test]
fn a_given_name_is_waited_for_until_the_server_misses_its_consumer() {
    let fixture = Fixture::new();
    let (stream, name) = (fixture.stream(1), unique("given"));
    append(&fixture, &stream, 0..3, 3);
    let (subscription, consumer) = unmissed(&fixture, &stream, impatient(), quick().name(&name));
    append(&fixture, &stream, 3..4, 1);
    let tries = fixture.server.faults().calls("StreamingFetch") + 5;
    wait_until("it tries", || fixture.server.faults().calls("StreamingFetch") >= tries);
    assert_eq!(names(&fixture, &subscription), [name]);
    // The server misses it when it wants to send the first three again.
    wait_until("the next comes", || {
        consumer.poll(10, SOON).unwrap().is_some_and(|batch| {
            consumer.ack_batch(&batch).unwrap();
            texts(&[batch]).contains(&"3".to_owned())
        })
    });
    consumer.close(SOON).unwrap();
    assert_all_acked(&fixture, &subscription);
}
