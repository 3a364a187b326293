//! How often memory is allocated for a record.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use hstreamdb::{ProducerConfig, Record};

use crate::consumer;
use crate::null_server::{self, STREAM};
use crate::raw;
use crate::setup::Setup;
use crate::table::{Family, Group, Row, Unit};

static FAMILY: Family = Family {
    name: "allocations",
    units: &[Unit { name: "allocations a record", digits: 4, told_apart: true }],
};
const SIZE: usize = 100;

pub(crate) fn groups(setup: &Setup) -> Vec<Group<'_>> {
    vec![producer(setup), consumer(setup)]
}

fn producer(setup: &Setup) -> Group<'_> {
    let count = setup.count(1_000_000);
    let rows = vec![
        Row::new("raw", move || {
            let batch = null_server::batch(SIZE, usize::MAX);
            vec![each(count, || raw::produce(&setup.url, &batch, count).records)]
        }),
        Row::new("library", move || {
            let records = [Record::raw(vec![b'x'; SIZE])];
            vec![each(count, || setup.produce(ProducerConfig::new(), STREAM, &records, count).records)]
        }),
    ];
    Group { family: &FAMILY, shape: "producer, 100 B, full batches".into(), rows, ratios: Vec::new() }
}

fn consumer(setup: &Setup) -> Group<'_> {
    // Batches of 64 KiB.
    const SUBSCRIPTION: &str = "size-100-580";
    let count = setup.count(1_000_000);
    let rows = vec![
        Row::new("raw", move || vec![each(count, || raw::consume(&setup.url, SUBSCRIPTION, count).records)]),
        Row::new("library", move || {
            vec![each(count, || consumer::consume(setup, SUBSCRIPTION, SIZE, count).records)]
        }),
    ];
    Group { family: &FAMILY, shape: "consumer, 100 B, 64 KiB a batch".into(), rows, ratios: Vec::new() }
}

/// Connections and look-ups are among them.
fn each(count: usize, run: impl FnOnce() -> usize) -> f64 {
    let before = COUNT.load(Ordering::Relaxed);
    assert!(run() >= count);
    (COUNT.load(Ordering::Relaxed) - before) as f64 / count as f64
}

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counted.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all is left to the system's allocator, as it was asked.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}
