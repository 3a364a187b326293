//! x
#![allow(dead_code, unused_imports)]
mod proto;
mod signals;
mod error;
mod record;
mod hrecord;
mod record_id;
mod shard;
mod received;
mod codec;
#[cfg(feature = "dev-server")]
pub mod dev_server;
pub use codec::compression::{Compression, CompressionKind};
pub use error::{Category, Error, ErrorKind, Result, ServerError};
pub use hrecord::{HRecord, HValue};
pub use received::{Batch, ReceivedRecord};
pub use record::{Record, RecordKind};
pub use record_id::{Offset, RecordId, StartAt};
pub use shard::{Shard, ShardMap, hash_key};
