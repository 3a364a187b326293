//! The calls of a client that are answered at once, one file a resource.

mod nodes;
mod streams;
mod shards;
mod subscriptions;

pub use streams::{DeleteOptions, Stream, StreamOptions};
pub use subscriptions::{ConsumerInfo, Subscription, SubscriptionOptions};
