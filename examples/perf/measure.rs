//! Time, processor time, and what is made of them.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::table::Unit;

/// The units of [`Measured::figures`].
pub(crate) const THROUGHPUT: &[Unit] = &[
    Unit { name: "M records/s", digits: 2, told_apart: true },
    Unit { name: "MB/s", digits: 0, told_apart: false },
    Unit { name: "CPU s/M records", digits: 3, told_apart: true },
];

/// What a run took.
pub(crate) struct Measured {
    pub(crate) records: usize,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
}

impl Measured {
    /// For records of this size.
    pub(crate) fn figures(&self, size: usize) -> Vec<f64> {
        let millions = self.records as f64 / 1e6;
        let rate = millions / self.seconds;
        vec![rate, rate * size as f64, self.cpu_seconds / millions]
    }
}

/// Measures a run that says how many records it was.
pub(crate) fn measure(run: impl FnOnce() -> usize) -> Measured {
    let stopwatch = Stopwatch::start();
    let records = run();
    stopwatch.stop(records)
}

/// Time and processor time of this process.
pub(crate) struct Stopwatch {
    started: Instant,
    cpu: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Stopwatch { started: Instant::now(), cpu: cpu_time() }
    }

    pub(crate) fn stop(self, records: usize) -> Measured {
        let cpu = cpu_time() - self.cpu;
        Measured { records, seconds: self.started.elapsed().as_secs_f64(), cpu_seconds: cpu.as_secs_f64() }
    }
}

fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage");
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(microseconds as u64)
}

pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The value that so many of a hundred are not over. 0 of none.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(0.0)
}
