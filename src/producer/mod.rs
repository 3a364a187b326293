//! Appending.
//!
//! A record travels like this:
//!
//! ```text
//!   caller's thread                    private runtime                      callback thread
//!
//!   Appender::append
//!     shard by key
//!     Credit::take  (waits here when
//!       |            too much is held)
//!     Lane::push    encodes the record
//!       |           into the shard's
//!       |           open batch
//!       +--- full, or shard idle --->  ShardWorker::run
//!                                        batches of one shard in order,
//!                                        one in flight
//!                                        append_batch --> Append
//!                                        settle: credit back, outcome
//!                                          +-------- Deliveries ---------> on_delivery
//! ```
//!
//! Each record has exactly one outcome: its id; or an error that says failed, aborted (never sent), or
//! unknown (sent, but whether it was written nobody can tell). Batches are sent again after ambiguous
//! failures, so that a record may be written twice but is not lost.

pub(crate) mod config;
pub(crate) mod appender;
pub(crate) mod layout;
pub(crate) mod keys;
pub(crate) mod flow;
pub(crate) mod lane;
pub(crate) mod gate;
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
pub(crate) mod core;
pub(crate) mod buffered;
pub(crate) mod direct;

pub use appender::Appender;
pub use buffered::BufferedProducer;
pub use config::{FailurePolicy, Linger, ProducerConfig, RecreatedStream, Reports};
pub use delivery::Delivery;
pub use flush::Counts;
pub use reports::{Delivered, Deliveries};
