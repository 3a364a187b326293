//! Failures for good: the gate always opens again, and what is repaired is in its place.

use std::sync::Arc;

use shuttle::thread;

use crate::cluster::Fate::{Refused, TooLarge, Unknown, Written};
use crate::error::{Error, ErrorKind};
use crate::life::{Accepted, Life, Outcomes, Slot, append, record, room_for};
use crate::producer::reports::Reporter;
use crate::producer::{FailurePolicy, ProducerConfig, Reports};
use crate::scheduled::step;
use crate::wait::{Wait, wait};

fn small() -> ProducerConfig {
    ProducerConfig::new().batch_records(1).buffer_bytes(room_for(3))
}

/// Without waiting for its turn: whoever waits now must be let in at some time.
pub(crate) fn gates_open_again() {
    for policy in [FailurePolicy::AbortQueued, FailurePolicy::Continue] {
        let life = Life::new(&[Written, Refused, Unknown], small().failure_policy(policy));
        let appending = [life.appending("a", 10..13), life.appending("a", 20..22)];
        let mut accepted: Vec<_> = appending.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(accepted.iter().map(Vec::len).sum::<usize>(), 5, "nobody is refused");
        append(&life.appender, "a", 30, Wait::forever()).unwrap();
        accepted.push(vec![30]);
        life.core.close(Wait::forever().until()).unwrap();
        life.check(&accepted);
    }
}

pub(crate) fn race_appends_and_a_close() {
    let life = Life::new(&[Written, Refused, TooLarge], small().batch_records(3));
    let appending = [life.appending("a", 10..13), life.appending("a", 20..23)];
    life.core.close(Wait::forever().until()).unwrap();
    life.check(&appending.map(|thread| thread.join().unwrap()));
}

/// The callback appends what failed again, in the room that its records have lent, ahead of all who wait.
pub(crate) fn repaired_in_order() {
    let (slot, outcomes) = (Slot::default(), Outcomes::default());
    let (again, noting) = (slot.clone(), outcomes.clone());
    let config = small().batch_records(2).buffer_bytes(room_for(4)).on_delivery(move |deliveries| {
        noting.note(deliveries);
        let appender = again.get().unwrap();
        for (record, tag) in deliveries.records().zip(deliveries.tags()) {
            appender.append_tagged(&record, *tag, Wait::forever()).unwrap();
        }
    });
    let life = Life::with(&[Written, Written, Refused], config, outcomes);
    let _ = slot.set(life.appender.clone());
    const TAGS: std::ops::Range<u64> = 10..15;
    assert_eq!(life.appending("a", TAGS).join().unwrap().len(), TAGS.count());
    while life.outcomes.written() < TAGS.count() {
        life.core.flush(&life.core.lanes(), Wait::forever().until()).unwrap();
        thread::yield_now();
    }
    assert_eq!(life.core.close(Wait::forever().until()).unwrap().total(), 0);
    let written: Vec<_> = life.cluster.stored().into_iter().map(|stored| stored.payload).collect();
    let expected: Vec<_> = TAGS.map(|tag| tag.to_string().into_bytes()).collect();
    assert_eq!(written, expected);
    assert_eq!((life.core.pending_records(), life.core.pending_bytes()), (0, 0));
}

/// Whoever appends polls, as nobody else makes room.
pub(crate) fn polled() {
    let config = small().poll_reports().reports(Reports::All).buffer_records(3);
    let life = Life::with(&[Written, Refused], config, Outcomes::default());
    let poll = |life: &Life| {
        let Reporter::Queue(queue) = &life.core.reporter else { unreachable!("reports are polled") };
        if let Some(portion) = queue.try_pop(usize::MAX) {
            life.outcomes.note(&portion.deliveries);
        }
    };
    let life = Arc::new(life);
    let appending = [10, 20].map(|first| {
        let life = life.clone();
        thread::spawn(move || {
            for tag in first..first + 3 {
                while let Err(error) = append(&life.appender, "a", tag, Wait::forever()) {
                    assert_eq!(error.kind(), ErrorKind::QueueFull, "{error:?}");
                    poll(&life);
                    thread::yield_now();
                }
            }
            (first..first + 3).collect::<Accepted>()
        })
    });
    let accepted = appending.map(|thread| thread.join().unwrap());
    life.core.close(Wait::forever().until()).unwrap();
    while life.outcomes.told() < 6 {
        poll(&life);
        thread::yield_now();
    }
    life.check(&accepted);
}
