//! The calls of a client that are answered at once, one file a resource.

mod cluster;
mod streams;
mod shards;
mod trim;
pub(crate) mod subscriptions;
mod lag;
mod readers;
mod named_reader;

pub use cluster::{ClusterInfo, Node, NodeState, ResourceKind};
pub use lag::{ShardLag, SubscriptionLag};
pub use named_reader::NamedReader;
pub use readers::NamedReaderOptions;
pub use streams::{DeleteOptions, Stream, StreamOptions};
pub use subscriptions::{ConsumerInfo, Subscription, SubscriptionOptions};
