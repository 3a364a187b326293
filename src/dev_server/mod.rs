//! An HStreamDB server inside this process, in memory, for development and for tests.
//!
//! [`DevServer`] speaks the real protocol over TCP, on the loopback interface, and answers as a server of
//! release 0.20.3 does: the same checks in the same order, the same errors (JSON or plain text), ids,
//! hash ranges, orders of listings, and the same delivery to consumers with its ticks, windows, resends
//! and checkpoints. Response headers of streaming calls come late, as the real ones do. So any client in
//! any language can use it; the program `hstream-dev-server` is this server with a command line.
//!
//! ```
//! # fn main() -> hstreamdb::Result<()> {
//! let server = hstreamdb::dev_server::DevServer::start()?;
//! println!("connect to {}", server.url());
//! # Ok(())
//! # }
//! ```
//!
//! # Failures to order
//!
//! [`DevServer::faults`] makes calls fail, hang or take their time, before or after they have done their
//! work; ends the calls of consumers, with a status or without; and hands consumers batches that nobody
//! can read. [`DevServer::restart_subscriptions`] forgets what a restarted node forgets.
//!
//! # What it does not do
//!
//! - Nothing outlives the process. Retention by age and replication are remembered, and not acted on.
//! - One node.
//! - It serves: Echo, DescribeCluster and the look-ups; creating, getting, listing and deleting streams,
//!   subscriptions and shard readers; ListShards, GetTailRecordId, Append, ReadShard, ListConsumers and
//!   StreamingFetch; and the lists of queries, views and connectors, which are empty. All other calls are
//!   answered as unregistered ones.
//! - Appends that claim more than 1,048,576 records, streams of more than 65,536 shards: refused here,
//!   whereas a real server allocates until it fails.
//! - Deleting a subscription by force never hangs, even when its window is full and its consumers are
//!   mute.
//! - No TLS, no tokens, no compressed messages (compressed batches are another thing, and work).

mod options;
mod server;
mod faults;
mod transport;
mod node;
mod admin;
mod append;
mod read;
mod fetch;
mod delivery;
mod cluster;
mod state;
mod nodes;
mod names;
mod streams;
mod ranges;
mod log;
mod retention;
mod readers;
mod subscriptions;
mod running;
mod assignment;
mod progress;
mod resend;
mod outbox;
mod bell;
mod connection;
mod errors;
#[cfg(test)]
mod tests;

pub use faults::{Faults, NextCalls};
pub use options::DevServerOptions;
pub use server::DevServer;
