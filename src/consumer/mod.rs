//! Consuming a subscription.
//!
//! A record arrives like this:
//!
//! ```text
//!   private runtime                      whoever polls, or the consumer's own thread
//!
//!   FetchLoop::run
//!     looks up the subscription's node,
//!     opens StreamingFetch, and again
//!     after a loss
//!       <- undecoded batch
//!     Buffer::push ---------------------> Consumer::poll, or Dispatch::run
//!     (bounded: reading stops when             decodes the batch
//!      it is full)                             the user's callback
//!                                              Consumer::ack
//!     <- ids, by count or age ----------- Acks::push
//!     acks on the same stream
//! ```
//!
//! The buffer is for bursts. Once it is full, and the windows of the connection behind it, the server's one loop for
//! all consumers of the subscription waits for this one: its siblings get nothing either. There is no message that
//! pauses a consumer; to pause is to stop, which gives the shards back, and to start again.
//!
//! Delivery is at least once. A record that is not acked within the subscription's ack time-out is delivered
//! again, to whoever has its shard then; after a change of node, so is everything behind the last batch that
//! was acked as a whole. Record ids tell repeated records from new ones.

pub(crate) mod config;
pub(crate) mod handle;
pub(crate) mod life;
pub(crate) mod fetch;
pub(crate) mod buffer;
pub(crate) mod dispatch;
pub(crate) mod unacked;
pub(crate) mod ack;
pub(crate) mod counts;

pub use config::{BadBatch, ConsumerConfig};
pub use dispatch::Next;
pub use handle::Consumer;
pub use life::{ConsumerState, WaitingFor};
