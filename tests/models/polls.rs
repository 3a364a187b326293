//! Several that poll: each record is told to one of them, and none waits while there is something to tell.

use std::sync::Arc;

use shuttle::thread;

use crate::cluster::Fate::Written;
use crate::life::{Accepted, Life, Outcomes, append, room_for};
use crate::producer::reports::{Portion, Reporter};
use crate::producer::{Linger, ProducerConfig, Reports};
use crate::wait::{Wait, wait};

fn polled() -> Arc<Life> {
    let config = ProducerConfig::new().poll_reports().reports(Reports::All).linger(Linger::ByHand);
    Arc::new(Life::with(&[Written], config.buffer_bytes(room_for(8)), Outcomes::default()))
}

/// A poll that waits as long as it takes. `None` when there will be no more.
fn poll(life: &Life, most: usize) -> Option<Portion> {
    let Reporter::Queue(queue) = &life.core.reporter else { unreachable!("reports are polled") };
    wait(queue.pop(most), Wait::forever().until()).unwrap()
}

fn tags(portion: &Portion) -> Accepted {
    portion.deliveries.tags()[portion.range.clone()].to_vec()
}

/// As many as there are records, and each takes one: those who find the report taken find its rest.
pub(crate) fn shared() {
    let life = polled();
    let polling = [(); 3].map(|()| {
        let life = life.clone();
        thread::spawn(move || tags(&poll(&life, 1).unwrap()))
    });
    (10..13).for_each(|tag| append(&life.appender, "a", tag, Wait::forever()).unwrap());
    life.core.flush(&life.core.lanes(), Wait::forever().until()).unwrap();
    let mut told: Vec<_> = polling.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    told.sort();
    assert_eq!(told, [10, 11, 12]);
    life.core.close(Wait::forever().until()).unwrap();
}

/// Each polls until there will be no more, a close having come in between.
pub(crate) fn the_last_ends_all() {
    let life = polled();
    let polling = [1, 2].map(|most| {
        let life = life.clone();
        thread::spawn(move || {
            let portions = std::iter::from_fn(|| poll(&life, most));
            portions
                .map(|portion| tags(&portion))
                .inspect(|tags| assert!(tags.len() <= most))
                .flatten()
                .collect()
        })
    });
    (10..15)
        .for_each(|tag| append(&life.appender, ["a", "b"][tag as usize % 2], tag, Wait::forever()).unwrap());
    life.core.close(Wait::forever().until()).unwrap();
    let mut told: Vec<_> =
        polling.into_iter().flat_map(|thread| -> Accepted { thread.join().unwrap() }).collect();
    told.sort();
    assert_eq!(told, [10, 11, 12, 13, 14]);
}
