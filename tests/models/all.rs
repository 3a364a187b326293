//! Everything at once.

use std::sync::{Arc, Mutex};

use shuttle::rand::Rng;
use shuttle::thread;

use crate::closing::Closing;
use crate::cluster::Fate::{Refused, Stalled, TooLarge, Unknown, Written};
use crate::codec::compression::Compression;
use crate::life::{Accepted, Life, Outcomes, Slot, room_for};
use crate::producer::{FailurePolicy, Linger, ProducerConfig, RecreatedStream, Reports};
use crate::wait::Wait;

fn chance(one_of: u32) -> bool {
    shuttle::rand::thread_rng().gen_range(0..one_of) == 0
}

fn one_of<T: Copy>(all: &[T]) -> T {
    all[shuttle::rand::thread_rng().gen_range(0..all.len())]
}

fn some_config() -> ProducerConfig {
    let compression = if chance(3) { Compression::gzip() } else { Compression::none() };
    ProducerConfig::new()
        .compression(compression)
        .batch_records(one_of(&[1, 2, 5]))
        .buffer_bytes(room_for(one_of(&[1, 2, 4])))
        .buffer_records(one_of(&[2, 100]))
        .linger(one_of(&[Linger::WhenIdle, Linger::ByHand]))
        .in_flight_per_shard(one_of(&[1, 2]))
        .workers(one_of(&[1, 64]))
        .failure_policy(one_of(&[FailurePolicy::AbortQueued, FailurePolicy::Continue]))
        .recreated_stream(RecreatedStream::Reroute)
        .lend_records(one_of(&[Reports::All, Reports::Failures, Reports::None]))
}

/// Options by chance, failures of all kinds, a callback that appends what failed again, a stream that is created
/// anew, a flush and a close that may give up: each record has one outcome for each time that it was accepted.
pub(crate) fn at_once() {
    let (slot, outcomes, again) = (Slot::default(), Outcomes::default(), Arc::<Mutex<Accepted>>::default());
    let (appender, noting, accepting) = (slot.clone(), outcomes.clone(), again.clone());
    let config = some_config().on_delivery(move |deliveries| {
        noting.note(deliveries);
        let failed = deliveries.records().zip(deliveries.tags()).filter(|_| deliveries.error().is_some());
        for (record, tag) in failed {
            if appender.get().unwrap().append_tagged(&record, *tag, Wait::forever()).is_ok() {
                accepting.lock().unwrap().push(*tag);
            }
        }
    });
    let fates = [Written, Written, Refused, Unknown, TooLarge, Stalled];
    let life = Life::with(&fates[..one_of(&[5, 6])], config, outcomes);
    let _ = slot.set(life.appender.clone());
    let appending = [life.appending("a", 10..12), life.appending("b", 20..22)];
    let bell = Arc::new(Closing::default());
    let ringing = {
        let (bell, cluster) = (bell.clone(), life.cluster.clone());
        thread::spawn(move || {
            cluster.recreate();
            bell.close();
        })
    };
    let flushing = {
        let (core, bell) = (life.core.clone(), bell.clone());
        thread::spawn(move || core.flush(&core.lanes(), Wait::until_rung(&bell).until()).is_ok())
    };
    let closed = life.core.close(Wait::until_rung(&bell).until());
    assert!(closed.is_ok() || closed.is_err_and(|error| error.is_timeout()));
    let mut accepted: Vec<_> = appending.into_iter().map(|thread| thread.join().unwrap()).collect();
    ringing.join().unwrap();
    flushing.join().unwrap();
    accepted.push(again.lock().unwrap().clone());
    life.check_without_order(&accepted);
}
