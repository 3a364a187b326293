//! A blocking client for [HStreamDB](https://hstream.io), the distributed streaming database: no async in
//! its API, no runtime to bring along.
//!
//! ```
//! use std::time::Duration;
//! use hstreamdb::{Client, ConsumerConfig, ProducerConfig, Record, StartAt, StreamOptions, SubscriptionOptions};
//!
//! # fn main() -> hstreamdb::Result<()> {
//! # #[cfg(feature = "dev-server")] {
//! # let server = hstreamdb::dev_server::DevServer::start()?;
//! # let url = server.url();
//! let client = Client::connect(url)?; // "hstream://127.0.0.1:6570"
//! client.create_stream("quakes", StreamOptions::new().shard_count(4))?;
//! client.create_subscription("alarm", "quakes", SubscriptionOptions::new().start(StartAt::Earliest))?;
//!
//! let producer = client.producer(ProducerConfig::new())?;
//! producer.append("quakes", &Record::json(r#"{"mag": 5.3, "place": "Sangiang"}"#)?.with_key("us"))?;
//! producer.close(Duration::from_secs(10))?; // all is written, or this says what is not
//!
//! let consumer = client.consumer("alarm", ConsumerConfig::new())?;
//! let batch = consumer.poll(100, Duration::from_secs(10))?.expect("a record");
//! for record in batch.iter() {
//!     println!("{} {} {}", record.id(), record.key(), record.to_hrecord()?.to_json()?);
//! }
//! consumer.ack_batch(&batch)?;
//! consumer.close(Duration::from_secs(10))?; // the server has the acks
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # What is here
//!
//! - [`Client`]: a cluster, by the URL of one or more of its nodes; streams, shards and subscriptions; appends
//!   that wait.
//! - [`BufferedProducer`] and [`Appender`]: appends in batches, in the background; bounded memory, one outcome
//!   for each record.
//! - [`Consumer`]: records by polling, or to a callback; acks that are certain after a successful close.
//! - [`NamedReader`]: a shard from any position on, by a reader that the server keeps.
//! - [`Reader`]: records without a subscription, of a shard, a stream or a key, by reading or to a callback.
//! - [`Record`] and [`HRecord`]: bytes, or a JSON object. [`Batch`]: what was received.
//! - `dev_server`: an HStreamDB server inside this process, in memory (feature `dev-server`).
//! - The same for C, C++ and whatever calls C: `include/hstreamdb.h` (feature `ffi`).
//!
//! # How it works
//!
//! One private runtime with one I/O thread serves all clients of the process; the last handle ends it. A
//! blocking call gives its work to that thread and waits on its own, so it works on any thread: in a callback
//! of this library, and inside an async runtime of the program's (which it stalls there like any blocking
//! call). Each call has a deadline, 30 s by default; [`Client::within`] sets another, and names a [`Cancel`]
//! that can end the call from elsewhere. Closing the client ends all of its calls.
//!
//! # Seeing what happens
//!
//! - The log: lines of `tracing`, with the target `hstreamdb`; a program that has no subscriber and uses the `log`
//!   crate gets them there. What needs a look is a warning or an error.
//! - [Events](Event): nodes that are lost and come back, what consumers do, acks that were not sent, certificates
//!   that can't be used. [`ClientConfig::on_event`] has them told to a callback, on a thread of its own; the log
//!   has the same.
//! - [`Client::metrics`]: counts and latencies by node, what producers hold and what consumers have received, until
//!   when certificates are valid; as [JSON](Metrics::to_json) too. [`Client::metric`] is one number of them.
//!   `examples/metrics.rs` writes them for Prometheus.
//!
//! ```
//! # #[cfg(feature = "dev-server")] fn main() -> hstreamdb::Result<()> {
//! use hstreamdb::{Client, ClientConfig, Metric};
//!
//! # let server = hstreamdb::dev_server::DevServer::start()?;
//! # let url = server.url();
//! let client = Client::connect(ClientConfig::new(url).on_event(|event| eprintln!("{event}")))?;
//! client.echo("hello")?;
//! assert_eq!(client.metric(Metric::Failures), 0);
//! println!("{}", client.metrics().to_json());
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "dev-server"))] fn main() {}
//! ```
//!
//! The module `python_api` of this documentation has the published Python client's API beside this one.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `tls` | yes | encrypted connections (`hstreams://`), by rustls with ring |
//! | `zstd` | yes | batches compressed with zstd |
//! | `serde` | no | [`HRecord`] from and into serde types and `serde_json` values |
//! | `ffi` | no | the C symbols of `include/hstreamdb.h` in the shared and the static library |
//! | `dev-server` | no | the embedded server, and the program `hstream-dev-server` |

mod proto;
mod error;
mod signals;
mod fork;
mod cancel;
mod wait;
mod closing;
mod test_panic;
#[cfg(unix)]
mod ready;
mod runtime_options;
mod runtime;

mod record;
mod hrecord;
mod record_id;
mod shard;
mod received;
mod names;

mod codec;
mod cluster;
mod producer;
mod consumer;
mod reader;

mod event;
mod events;
mod histogram;
mod counters;
mod metrics;

mod config;
mod options;
mod client;
mod admin;

#[cfg(feature = "ffi")]
#[allow(unsafe_code, unreachable_pub)]
mod ffi;

#[cfg(feature = "dev-server")]
pub mod dev_server;

#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;

pub use admin::{
    ClusterInfo, ConsumerInfo, DeleteOptions, NamedReader, NamedReaderOptions, Node, NodeState, ResourceKind,
    ShardLag, Stream, StreamOptions, Subscription, SubscriptionLag, SubscriptionOptions,
};
pub use cancel::Cancel;
pub use client::Client;
#[cfg(feature = "tls")]
pub use cluster::tls::TlsConfig;
pub use codec::compression::{Compression, CompressionKind};
pub use config::ClientConfig;
pub use consumer::{BadBatch, Consumer, ConsumerConfig, ConsumerState, Next, WaitingFor};
pub use error::{Category, Error, ErrorKind, Result, ServerError};
pub use event::{Event, EventKind, SubjectKind};
pub use histogram::{Distribution, Latency};
pub use hrecord::{HRecord, HValue};
pub use metrics::{ConsumerMetrics, Metric, Metrics, NodeMetrics};
pub use options::options_schema_json;
pub use producer::{
    Appender, BufferedProducer, Counts, Delivered, Deliveries, Delivery, FailurePolicy, Linger,
    ProducerConfig, ProducerStats, RecreatedStream, Reports, ShardStats,
};
pub use reader::{Position, Read, Reader, ReaderConfig};
pub use received::{Batch, ReceivedRecord};
pub use record::{Record, RecordKind};
pub use record_id::{Offset, RecordId, StartAt};
pub use runtime::init;
pub use runtime_options::{RuntimeOptions, ThreadEvent};
pub use shard::{Shard, ShardMap, hash_key};
pub use wait::Wait;

// It links to what only encrypted connections have.
#[cfg(any(all(doc, feature = "tls"), doctest))]
#[doc = include_str!("python_api.md")]
pub mod python_api {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
