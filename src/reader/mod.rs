//! Reading without a subscription: nothing is acked, and the position is the reader's own.
//!
//! ```text
//!   private runtime                         whoever reads, or the reader's own thread
//!
//!   ShardLoop::run   one a shard, or
//!   KeyLoop::run     one for a key
//!     opens the read, and again after
//!     a loss, behind what it has
//!       <- undecoded batch
//!     Window::cut    what of it is wanted
//!     Buffer::push ------------------------> Reader::read, or Dispatch::run
//!     (bounded: reading stops when               decodes the batch
//!      it is full)                               Position: the last one handed out
//!                                                the user's callback
//! ```
//!
//! The server starts and ends with whole batches; the [`Window`](window::Window) makes records of it. A read that
//! is opened again begins with the batch of the last record received, and what is known of it is dropped: each
//! record comes once, and in the order of its shard.

pub(crate) mod config;
pub(crate) mod position;
pub(crate) mod window;
pub(crate) mod range;
pub(crate) mod shard_loop;
pub(crate) mod key_loop;
pub(crate) mod life;
pub(crate) mod dispatch;
pub(crate) mod open;
pub(crate) mod handle;

pub use config::ReaderConfig;
pub use handle::{Read, Reader};
pub use position::Position;
