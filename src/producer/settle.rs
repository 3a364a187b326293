//! The end of a batch: its room is given back, those who wait are told, and its records are reported.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::codec::append::Written;
use crate::error::Result;
use crate::producer::batch::SealedBatch;
use crate::producer::core::Core;
use crate::producer::flush::Counts;
use crate::producer::lane::Lane;
use crate::producer::reports::{Deliveries, Report};
use crate::producer::room::Taken;

impl Core {
    /// Whether an outcome is reported to anybody.
    pub(crate) fn reports(&self, failed: bool) -> bool {
        self.reporter.wants_reports() && self.settings.reports.include(failed)
    }

    /// Gives the batch its outcome: to those who wait for single records, to the reports, and to flushes. The
    /// report of a batch that `gates` keeps the lane from taking records until it has been handed over.
    pub(crate) fn settle(
        self: &Arc<Self>,
        lane: &Arc<Lane>,
        batch: SealedBatch,
        outcome: Result<Written>,
        gates: bool,
    ) {
        let failed = outcome.is_err();
        let counts = counts(&outcome, batch.count.into());
        self.stats.settled(counts, batch.bytes.len(), self.age(batch.since));
        let reported = self.reports(failed) && !batch.tags.as_slice().is_empty();
        let lent = reported && self.settings.lent_records.include(failed);
        let credit = if lent { batch.credit } else { 0 };
        // Before any of the user's code runs: a callback that appends must not starve itself.
        self.room.give_back(Taken { bytes: batch.credit - credit, records: 0 });
        if let Some(waiting) = &batch.outcome {
            waiting.settle(batch.positions, outcome.clone());
        }
        let handover = Handover {
            core: self.clone(),
            home: batch.home.unwrap_or_else(|| lane.clone()),
            number: batch.number,
            counts,
            room: Taken { bytes: credit, records: counts.total() as usize },
            gate: gates.then(|| lane.clone()),
        };
        if !reported {
            return handover.nobody_is_told();
        }
        let records = lent.then_some(batch.bytes);
        let deliveries =
            Deliveries::new(lane.stream().clone(), lane.shard_id(), batch.tags, outcome, records);
        self.reporter.report(Report { deliveries, handover });
    }
}

/// What is to happen when a report is handed over.
pub(crate) struct Handover {
    core: Arc<Core>,
    /// Where the records were appended, and flushes wait for them.
    home: Arc<Lane>,
    number: u64,
    counts: Counts,
    /// What the report takes of the budgets.
    room: Taken,
    /// The lane that takes no records until then.
    gate: Option<Arc<Lane>>,
}

impl Handover {
    /// The callback begins: what it appends takes the place of what it is told of, ahead of all who wait.
    pub(crate) fn callback_begins(&self) {
        self.core.reserve.fill(self.room);
    }

    /// A bug of ours: the callback may not have been told.
    pub(crate) fn telling_panicked(&self) {
        self.core.break_down();
    }

    /// The callback has returned.
    pub(crate) fn callback_ended(self) {
        self.core.room.give_back(self.core.reserve.empty());
        self.reported();
        self.opens_the_gate();
    }

    /// The report can be polled, which is what flushes wait for.
    pub(crate) fn reported(&self) {
        self.home.reported(self.number, self.counts);
    }

    /// Whether its records are lent, and keep their room until it is handed over.
    pub(crate) fn keeps_room(&self) -> bool {
        self.room.bytes > 0
    }

    /// The report has been polled, or will never be.
    pub(crate) fn polled(self) {
        self.core.room.give_back(self.room);
        self.opens_the_gate();
    }

    /// There is no report, or nobody to tell.
    pub(crate) fn nobody_is_told(self) {
        self.reported();
        self.polled();
    }

    fn opens_the_gate(self) {
        if let Some(lane) = self.gate {
            lane.report_handed_over();
        }
    }
}

/// Room that the running callback may append into.
#[derive(Default)]
pub(crate) struct Reserve(Mutex<Taken>);

impl Reserve {
    fn fill(&self, room: Taken) {
        *self.0.lock() = room;
    }

    fn empty(&self) -> Taken {
        std::mem::take(&mut *self.0.lock())
    }

    /// Takes this much out of it, or nothing.
    pub(crate) fn take(&self, wanted: Taken) -> Option<Taken> {
        let mut room = self.0.lock();
        if !room.covers(wanted) {
            return None;
        }
        *room -= wanted;
        Some(wanted)
    }
}

fn counts(outcome: &Result<Written>, records: u64) -> Counts {
    match outcome {
        Ok(_) => Counts { written: records, ..Counts::default() },
        Err(error) if error.is_ambiguous() => Counts { unknown: records, ..Counts::default() },
        Err(_) => Counts { failed: records, ..Counts::default() },
    }
}
