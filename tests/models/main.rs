//! The producer under a scheduler that tries interleavings: each lock, each notification, each wait and each
//! step of the server is a point where another thread may go on.
//!
//! These are the files of `src/producer` themselves. What they call `parking_lot` and `tokio` is this crate here,
//! whose locks are known to the scheduler; what they know of the rest of the library
//! is the real thing where it is pure, and a stand-in where it is a thread or the network.
//!
//! Each model runs a fixed number of interleavings from a fixed seed: `MODEL_SEED=7 MODEL_TIMES=50` in front of
//! the command makes it another seed and so many times the number. A failure prints its schedule, and
//! `MODEL_REPLAY=<schedule> cargo test --test models <name of the model>` runs that one alone.

#![allow(dead_code, unused_imports, unreachable_pub, missing_debug_implementations)]
// The stand-ins of locks are larger than they are.
#![allow(clippy::large_enum_variant)]

extern crate tokio as real_tokio;

// What the producer's files find under these names.
extern crate self as parking_lot;
extern crate self as tokio;

#[macro_use]
mod scheduled;
mod runner;

#[path = "../../src/closing.rs"]
mod closing;
#[path = "../../src/codec/mod.rs"]
mod codec;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/histogram.rs"]
mod histogram;
#[path = "../../src/hrecord.rs"]
mod hrecord;
#[path = "../../src/proto.rs"]
mod proto;
#[cfg(unix)]
#[path = "../../src/ready.rs"]
mod ready;
#[path = "../../src/record.rs"]
mod record;
#[path = "../../src/record_id.rs"]
mod record_id;
#[path = "../../src/shard.rs"]
mod shard;
#[path = "../../src/test_panic.rs"]
mod test_panic;

mod event;
mod packer;
mod runtime;
#[path = "server.rs"]
mod cluster;
#[path = "waits.rs"]
mod wait;

#[path = "../../src/producer"]
mod producer {
    pub(crate) mod appender;
    pub(crate) mod batch;
    pub(crate) mod buffers;
    pub(crate) mod config;
    pub(crate) mod core;
    pub(crate) mod delivery;
    pub(crate) mod flow;
    pub(crate) mod flush;
    pub(crate) mod gate;
    pub(crate) mod inbox;
    pub(crate) mod keys;
    pub(crate) mod lane;
    pub(crate) mod layout;
    pub(crate) mod reports;
    pub(crate) mod room;
    pub(crate) mod settle;
    pub(crate) mod stats;
    pub(crate) mod tags;
    pub(crate) mod worker;

    pub(crate) use crate::packer as compressor;

    /// The server stands in for the wire.
    pub(crate) mod append {
        pub(crate) use crate::cluster::{Destination, append_batch};
    }

    pub use appender::Appender;
    pub use config::{FailurePolicy, Linger, ProducerConfig, RecreatedStream, Reports};
    pub use delivery::Delivery;
    pub use flush::Counts;
    pub use reports::{Delivered, Deliveries};
    pub use stats::{ProducerStats, ShardStats};
}

mod all;
mod budget;
mod closes;
mod failures;
mod life;
mod polls;
mod recreated;

// What those files call by the name of the library.
pub use error::{Category, Error, ErrorKind, Result, ServerError};
pub use hrecord::{HRecord, HValue};
pub use producer::{Appender, Counts, Deliveries, Delivery, FailurePolicy, Linger, ProducerConfig, Reports};
pub use record::{Record, RecordKind};
pub use record_id::{Offset, RecordId, StartAt};
pub(crate) use scheduled::{Condvar, Mutex, RwLock, sync, time};
pub use shard::{Shard, ShardMap, hash_key};

fn main() {
    runner::run(vec![
        ("budget_in_use_is_never_over_the_limit", 600, budget::never_over_the_limit),
        ("budget_is_given_out_in_the_order_of_coming", 600, budget::first_come_first_served),
        ("budget_waiters_that_give_up_leave_no_trace", 600, budget::who_gives_up_leaves_no_trace),
        ("budget_shared_is_taken_whole_or_not_at_all", 600, budget::shared_whole_or_not_at_all),
        ("budget_waits_end_with_a_close", 600, budget::close_ends_waits),
        ("appends_race_a_close", 400, closes::appends_race_a_close),
        ("appends_race_a_close_that_gives_up", 400, closes::appends_race_a_close_that_gives_up),
        ("no_callback_runs_after_any_close", 400, closes::no_callback_runs_after_any),
        ("two_closes_and_a_flush", 300, closes::two_closes_and_a_flush),
        ("gates_open_again_after_failures", 400, failures::gates_open_again),
        ("failures_race_appends_and_a_close", 400, failures::race_appends_and_a_close),
        ("failures_are_repaired_by_the_callback_in_order", 300, failures::repaired_in_order),
        ("polled_failures_open_the_gate", 300, failures::polled),
        ("a_report_is_shared_by_all_who_wait_for_it", 400, polls::shared),
        ("the_last_report_ends_all_polls", 400, polls::the_last_ends_all),
        ("streams_created_anew_race_appends_and_a_close", 1000, recreated::race_appends_and_a_close),
        ("streams_created_anew_keep_the_order", 500, recreated::keeps_the_order),
        ("streams_created_anew_twice_are_followed_by_who_comes_late", 300, recreated::comes_late),
        ("streams_created_anew_fail_clearly", 500, recreated::fails_clearly),
        ("everything_at_once", 800, all::at_once),
    ]);
}
