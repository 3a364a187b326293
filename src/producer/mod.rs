//! Appending.
//!
//! A record travels like this:
//!
//! ```text
//!   caller's thread                    private runtime                      callback thread
//!
//!   Appender::append
//!     Layout::for_key   which shard
//!     Lane::push        encodes the record
//!       |               into the shard's
//!       |               open batch
//!       |               (Core::take_room waits
//!       |                when too much is held)
//!       +--- full, or shard idle --->  ShardWorker::run
//!                                        batches of one shard in order,
//!                                        one in flight
//!                                        append_batch --> Append
//!                                        Core::settle: room back, outcome
//!                                          +-------- Report -------------> on_delivery
//! ```
//!
//! Each record has exactly one outcome: its id; or an error that says failed, aborted (never sent), or
//! unknown (sent, but whether it was written nobody can tell). Batches are sent again after ambiguous
//! failures, so that a record may be written twice but is not lost.
//!
//! After a failure for good the shard's [`Gate`](gate::Gate) is shut until those who are told have been told, and
//! what waited behind the failure has been given up. When a stream turns out to be created anew, the lanes of its
//! old shards hand what they hold to a new [`Layout`](layout::Layout), or fail it.

pub(crate) mod config;
pub(crate) mod appender;
pub(crate) mod layout;
pub(crate) mod keys;
pub(crate) mod flow;
pub(crate) mod room;
pub(crate) mod lane;
pub(crate) mod gate;
pub(crate) mod inbox;
pub(crate) mod batch;
pub(crate) mod buffers;
pub(crate) mod compressor;
pub(crate) mod worker;
pub(crate) mod append;
pub(crate) mod settle;
pub(crate) mod delivery;
pub(crate) mod reports;
pub(crate) mod flush;
pub(crate) mod stats;
pub(crate) mod tags;
pub(crate) mod core;
pub(crate) mod buffered;
pub(crate) mod direct;
#[cfg(all(test, feature = "dev-server"))]
mod tests;

pub use appender::Appender;
pub use buffered::BufferedProducer;
pub use config::{FailurePolicy, Linger, ProducerConfig, RecreatedStream, Reports};
pub use delivery::Delivery;
pub use flush::Counts;
pub use reports::{Delivered, Deliveries};
pub use stats::{ProducerStats, ShardStats};
