//! A stream that is deleted and created anew while some append and one closes.

use shuttle::thread;

use crate::cluster::Fate::Written;
use crate::life::{Accepted, Life, append, room_for};
use crate::producer::{ProducerConfig, RecreatedStream};
use crate::error::ErrorKind;
use crate::wait::Wait;

fn small(policy: RecreatedStream) -> ProducerConfig {
    ProducerConfig::new().batch_records(2).buffer_bytes(room_for(4)).recreated_stream(policy)
}

pub(crate) fn race_appends_and_a_close() {
    let life = Life::new(&[Written], small(RecreatedStream::Reroute));
    let appending = [life.appending("a", 10..13), life.appending("b", 20..23)];
    let cluster = life.cluster.clone();
    let recreating = thread::spawn(move || {
        cluster.recreate();
        thread::yield_now();
        cluster.recreate();
    });
    life.core.close(Wait::forever().until()).unwrap();
    recreating.join().unwrap();
    let accepted = appending.map(|thread| thread.join().unwrap());
    life.check(&accepted);
    let all: usize = accepted.iter().map(Vec::len).sum();
    assert_eq!(life.outcomes.written(), all, "whatever was accepted followed its key");
}
