//! Closing while others append: a record is refused, or it has exactly one outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shuttle::thread;

use crate::closing::Closing;
use crate::cluster::Fate::{Stalled, Unknown, Written};
use crate::codec::compression::Compression;
use crate::life::{Life, Outcomes, room_for};
use crate::producer::{Linger, ProducerConfig};
use crate::scheduled::step;
use crate::wait::Wait;

fn small() -> ProducerConfig {
    ProducerConfig::new().batch_records(2).buffer_bytes(room_for(3))
}

pub(crate) fn appends_race_a_close() {
    let life = Life::new(&[Written], small());
    let appending = [life.appending("a", 10..13), life.appending("b", 20..23)];
    let counts = life.core.close(Wait::forever().until()).unwrap();
    let accepted = appending.map(|thread| thread.join().unwrap());
    let all: usize = accepted.iter().map(Vec::len).sum();
    assert_eq!((counts.failed, counts.unknown, life.outcomes.written()), (0, 0, all));
    life.check(&accepted);
}

pub(crate) fn appends_race_a_close_that_gives_up() {
    let life = Life::new(&[Written, Unknown, Stalled], small().in_flight_per_shard(2).linger(Linger::ByHand));
    let appending = [life.appending("a", 10..13), life.appending("b", 20..23)];
    let bell = Arc::new(Closing::default());
    let ringing = {
        let bell = bell.clone();
        thread::spawn(move || bell.close())
    };
    let closed = life.core.close(Wait::until_rung(&bell).until());
    assert!(closed.is_ok() || closed.is_err_and(|error| error.is_timeout()));
    ringing.join().unwrap();
    let accepted = appending.map(|thread| thread.join().unwrap());
    life.check_without_order(&accepted);
}

pub(crate) fn two_closes_and_a_flush() {
    let config = small().compression(Compression::gzip());
    let life = Life::new(&[Written], config);
    let appending = [life.appending("a", 10..12), life.appending("a", 20..22)];
    let others = [0, 1].map(|which| {
        let core = life.core.clone();
        thread::spawn(move || match which {
            0 => core.flush(&core.lanes(), Wait::forever().until()).unwrap(),
            _ => core.close(Wait::forever().until()).unwrap(),
        })
    });
    let counts = life.core.close(Wait::forever().until()).unwrap();
    let counts = [Some(counts)].into_iter().chain(others.map(|thread| Some(thread.join().unwrap())));
    let accepted = appending.map(|thread| thread.join().unwrap());
    let all: u64 = accepted.iter().map(|tags| tags.len() as u64).sum();
    counts.flatten().for_each(|counts| assert!(counts.written <= all && counts.failed + counts.unknown == 0));
    life.check(&accepted);
}

/// Whichever comes first, and also of those that do not wait for records.
pub(crate) fn no_callback_runs_after_any() {
    let (runs, running) = (Arc::new(AtomicBool::new(false)), Outcomes::default());
    let (in_callback, noting) = (runs.clone(), running.clone());
    let config = small().on_delivery(move |deliveries| {
        in_callback.store(true, Ordering::SeqCst);
        step();
        noting.note(deliveries);
        in_callback.store(false, Ordering::SeqCst);
    });
    let life = Life::with(&[Written], config, running);
    let appending = life.appending("a", 10..13);
    let closing = [Wait::no(), Wait::no(), Wait::forever()].map(|wait| {
        let (core, runs) = (life.core.clone(), runs.clone());
        thread::spawn(move || {
            let _ = core.close(wait.until());
            assert!(!runs.load(Ordering::SeqCst), "a callback runs after a close");
        })
    });
    closing.into_iter().for_each(|thread| thread.join().unwrap());
    life.check(&[appending.join().unwrap()]);
}
