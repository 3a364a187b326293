//! x
#![allow(dead_code, unused_imports)]
mod proto;
mod signals;
mod fork;
mod cancel;
mod wait;
mod runtime;
mod error;
mod record;
mod hrecord;
mod record_id;
mod shard;
mod received;
mod codec;
#[cfg(feature = "dev-server")]
pub mod dev_server;
pub use cancel::Cancel;
pub use codec::compression::{Compression, CompressionKind};
pub use error::{Category, Error, ErrorKind, Result, ServerError};
pub use hrecord::{HRecord, HValue};
pub use received::{Batch, ReceivedRecord};
pub use record::{Record, RecordKind};
pub use record_id::{Offset, RecordId, StartAt};
pub use shard::{Shard, ShardMap, hash_key};
pub use wait::Wait;
mod cluster;
mod closing;
mod names;
mod config;
mod client;
mod admin;
mod producer;
mod consumer;
#[cfg(feature = "ffi")]
#[allow(unsafe_code, unreachable_pub)]
mod ffi;
pub use admin::{ConsumerInfo, DeleteOptions, Stream, StreamOptions, Subscription, SubscriptionOptions};
pub use client::Client;
pub use config::ClientConfig;
pub use consumer::{Consumer, ConsumerConfig, ConsumerState, Next};
pub use producer::{
    Appender, BufferedProducer, Counts, Delivered, Deliveries, Delivery, Linger, ProducerConfig, Reports,
};
