//! A stream that is deleted and created anew while some append and one closes.

use shuttle::thread;

use crate::cluster::Fate::Written;
use crate::life::{Life, append, room_for};
use crate::producer::{Appender, Linger, ProducerConfig, RecreatedStream};
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

/// A shard learns of the second life when that is over as well, and its worker there has ended or is about to.
pub(crate) fn comes_late() {
    let life = Life::new(&[Written], small(RecreatedStream::Reroute).linger(Linger::ByHand));
    append(&life.appender, "a", 10, Wait::forever()).unwrap();
    let first = life.core.lanes().into_iter().find(|lane| lane.pending() > 0).unwrap();
    life.cluster.recreate();
    let (second, lanes) = life.core.open_stream("s", life.cluster.shards()).unwrap();
    append(&Appender::new(life.core.clone(), lanes, second.clone()), "a", 20, Wait::forever()).unwrap();
    life.cluster.recreate();
    // What was appended to the second life goes on to the third.
    life.core.flush(second.lanes(), Wait::forever().until()).unwrap();
    first.move_to(&life.core, &second, Vec::new());
    life.core.close(Wait::forever().until()).unwrap();
    life.check(&[vec![10], vec![20]]);
    assert_eq!(life.outcomes.written(), 2);
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
