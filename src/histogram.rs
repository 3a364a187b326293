//! How long something took, or how large it was: counted by many threads without locks, told as percentiles.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

/// Each power of two is cut into so many equal parts, as a power of two: percentiles are exact to 1/16.
const PARTS_BITS: u32 = 4;
const PARTS: usize = 1 << PARTS_BITS;

/// Numbers from 2^36 on count as that: 19 hours, where they are microseconds.
const MOST_BITS: u32 = 36;
const BUCKETS: usize = (MOST_BITS - PARTS_BITS + 1) as usize * PARTS;

/// Numbers, or times in microseconds, in buckets that grow with them.
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            sum: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }
}

/// How long something took, of so many times. Percentiles are those of all times since the start, at most 1/16
/// too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// How often.
    pub count: u64,
    /// All times together.
    pub sum: Duration,
    /// Half of them took no longer.
    pub p50: Duration,
    /// Nine of ten took no longer.
    pub p90: Duration,
    /// 99 of a hundred took no longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// How large something was, of so many. Percentiles are those of all since the start, at most 1/16 too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// All together.
    pub sum: u64,
    /// Half of them were no larger.
    pub p50: u64,
    /// Nine of ten were no larger.
    pub p90: u64,
    /// 99 of a hundred were no larger.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

impl Distribution {
    pub(crate) fn to_json(self) -> Value {
        json!({
            "count": self.count,
            "sum": self.sum,
            "p50": self.p50,
            "p90": self.p90,
            "p99": self.p99,
            "max": self.max,
        })
    }
}

impl From<Distribution> for Latency {
    fn from(micros: Distribution) -> Self {
        Latency {
            count: micros.count,
            sum: Duration::from_micros(micros.sum),
            p50: Duration::from_micros(micros.p50),
            p90: Duration::from_micros(micros.p90),
            p99: Duration::from_micros(micros.p99),
            max: Duration::from_micros(micros.max),
        }
    }
}

impl Latency {
    pub(crate) fn to_json(self) -> Value {
        json!({
            "count": self.count,
            "sum": micros(self.sum),
            "p50": micros(self.p50),
            "p90": micros(self.p90),
            "p99": micros(self.p99),
            "max": micros(self.max),
        })
    }
}

impl Histogram {
    /// Counts one time, in whole microseconds.
    pub(crate) fn record(&self, time: Duration) {
        self.record_number(micros(time));
    }

    pub(crate) fn record_number(&self, number: u64) {
        self.buckets[bucket(number)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(number, Ordering::Relaxed);
        self.max.fetch_max(number, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// All times together, in microseconds.
    pub(crate) fn sum_micros(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }

    pub(crate) fn snapshot(&self) -> Latency {
        self.numbers().into()
    }

    pub(crate) fn numbers(&self) -> Distribution {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let count = counts.iter().sum();
        let max = self.max.load(Ordering::Relaxed);
        let percentile = |percent| longest_of(&counts, count, percent).min(max);
        Distribution {
            count,
            sum: self.sum_micros(),
            p50: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
            max,
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Where a time is counted. The first two powers' worth have a bucket for each microsecond.
fn bucket(time: u64) -> usize {
    let time = time.min((1 << MOST_BITS) - 1);
    let power = (time | 1).ilog2();
    let shift = power.saturating_sub(PARTS_BITS);
    let part = (time >> shift) as usize;
    shift as usize * PARTS + part
}

/// The longest time that is counted in a bucket.
fn longest_in(bucket: usize) -> u64 {
    let shift = (bucket / PARTS).saturating_sub(1);
    let part = (bucket - shift * PARTS) as u64;
    ((part + 1) << shift) - 1
}

/// A time that so many of a hundred did not exceed.
fn longest_of(counts: &[u64], count: u64, percent: u64) -> u64 {
    let wanted = u128::from(count) * u128::from(percent);
    let mut seen = 0;
    for (bucket, in_it) in counts.iter().enumerate() {
        seen += u128::from(*in_it);
        if *in_it > 0 && seen * 100 >= wanted {
            return longest_in(bucket);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_all_times_and_are_never_wider_than_a_sixteenth() {
        let times = (0..1000).chain((0..64).map(|bits| 1 << bits)).chain((1..64).map(|bits| (1 << bits) - 1));
        for time in times.chain([u64::MAX]) {
            let counted = time.min((1 << MOST_BITS) - 1);
            let longest = longest_in(bucket(time));
            assert!(longest >= counted && longest - counted <= counted / 16, "{time}: {longest}");
        }
        let all: Vec<_> = (0..BUCKETS).map(longest_in).collect();
        assert!(all.is_sorted_by(|before, after| before < after));
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_all_times() {
        let histogram = Histogram::default();
        assert_eq!(histogram.snapshot(), Latency::default());
        (1..=1000).for_each(|millis| histogram.record(Duration::from_millis(millis)));
        let latency = histogram.snapshot();
        assert_eq!((latency.count, histogram.count()), (1000, 1000));
        assert_eq!(latency.sum, Duration::from_millis(500_500));
        assert_eq!(latency.max, Duration::from_secs(1));
        for (told, exact) in [(latency.p50, 500), (latency.p90, 900), (latency.p99, 990)] {
            let exact = Duration::from_millis(exact);
            assert!(told >= exact && told <= exact + exact / 16, "{told:?} for {exact:?}");
        }
    }

    #[test]
    fn one_time_is_all_percentiles() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_micros(1_000_001));
        let latency = histogram.snapshot();
        assert_eq!(latency.p50, latency.max);
        assert_eq!(latency.p99, Duration::from_micros(1_000_001));
    }
}
