//! A stream that is deleted and created anew while some append and one closes.

use shuttle::thread;

use crate::cluster::Fate::Written;
use crate::life::{Life, room_for};
use crate::producer::{ProducerConfig, RecreatedStream};
use crate::wait::Wait;

fn small(policy: RecreatedStream) -> ProducerConfig {
    ProducerConfig::new().batch_records(2).buffer_bytes(room_for(4)).recreated_stream(policy)
}

/// The stream has three lives.
fn recreating(life: &Life) -> thread::JoinHandle<()> {
    let cluster = life.cluster.clone();
    thread::spawn(move || {
        cluster.recreate();
        thread::yield_now();
        cluster.recreate();
    })
}

pub(crate) fn race_appends_and_a_close() {
    let life = Life::new(&[Written], small(RecreatedStream::Reroute));
    let appending = [life.appending("a", 10..13), life.appending("b", 20..23)];
    let recreating = recreating(&life);
    life.core.close(Wait::forever().until()).unwrap();
    recreating.join().unwrap();
    let accepted = appending.map(|thread| thread.join().unwrap());
    life.check(&accepted);
    let all: usize = accepted.iter().map(Vec::len).sum();
    assert_eq!(life.outcomes.written(), all, "whatever was accepted followed its key");
}

pub(crate) fn keeps_the_order() {
    let life = Life::new(&[Written], small(RecreatedStream::Reroute));
    let recreating = recreating(&life);
    let appending = [life.appending("a", 10..14), life.appending("b", 20..23)];
    let accepted = appending.map(|thread| thread.join().unwrap());
    recreating.join().unwrap();
    life.core.close(Wait::forever().until()).unwrap();
    life.check(&accepted);
    assert_eq!(life.outcomes.written(), 7, "all of them");
}

pub(crate) fn fails_clearly() {
    let life = Life::new(&[Written], small(RecreatedStream::Fail));
    let recreating = recreating(&life);
    let appending = [life.appending_until_refused("a", 10..13), life.appending_until_refused("a", 20..22)];
    let accepted = appending.map(|thread| thread.join().unwrap());
    recreating.join().unwrap();
    life.core.close(Wait::forever().until()).unwrap();
    life.check_without_order(&accepted);
}
