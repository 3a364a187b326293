//! Streams.

use std::time::{Duration, SystemTime};

use crate::client::Client;
use crate::cluster::Target;
use crate::codec::ids::system_time;
use crate::error::{Error, Result};
use crate::{names, proto};

/// A stream, as the server describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    name: String,
    replication_factor: u32,
    shard_count: u32,
    backlog: Duration,
    created: Option<SystemTime>,
}

impl Stream {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many copies of each record the store keeps.
    pub fn replication_factor(&self) -> u32 {
        self.replication_factor
    }

    /// How many shards it has.
    pub fn shard_count(&self) -> u32 {
        self.shard_count
    }

    /// How long records are kept; zero is for ever.
    pub fn backlog(&self) -> Duration {
        self.backlog
    }

    /// When it was created.
    pub fn created(&self) -> Option<SystemTime> {
        self.created
    }

    /// Whether it was created by the same request.
    fn is_as(&self, other: &Stream) -> bool {
        Stream { created: None, ..self.clone() } == Stream { created: None, ..other.clone() }
    }
}

impl From<proto::Stream> for Stream {
    fn from(stream: proto::Stream) -> Self {
        Stream {
            name: stream.stream_name,
            replication_factor: stream.replication_factor,
            shard_count: stream.shard_count,
            backlog: Duration::from_secs(stream.backlog_duration.into()),
            created: system_time(stream.creation_time),
        }
    }
}

/// How a stream is created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct StreamOptions {
    pub(crate) replication_factor: u32,
    pub(crate) shard_count: u32,
    pub(crate) backlog: Duration,
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions { replication_factor: 1, shard_count: 1, backlog: Duration::ZERO }
    }
}

impl StreamOptions {
    /// One shard, one copy, kept for ever.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many copies of each record the store keeps; default 1.
    pub fn replication_factor(self, factor: u32) -> Self {
        StreamOptions { replication_factor: factor, ..self }
    }

    /// How many shards it has, for good; default 1.
    pub fn shard_count(self, count: u32) -> Self {
        StreamOptions { shard_count: count, ..self }
    }

    /// How long records are kept, in whole seconds; default zero, which is for ever.
    pub fn backlog(self, backlog: Duration) -> Self {
        StreamOptions { backlog, ..self }
    }

    fn into_request(self, name: &str) -> Result<proto::Stream> {
        let positive = |what: &str, value: u32| {
            if value == 0 {
                Err(Error::invalid_argument(format!("the {what} must be more than 0")))
            } else {
                Ok(value)
            }
        };
        Ok(proto::Stream {
            stream_name: name.to_owned(),
            replication_factor: positive("replication factor", self.replication_factor)?,
            shard_count: positive("shard count", self.shard_count)?,
            backlog_duration: u32::try_from(self.backlog.as_secs()).map_err(|_| {
                Error::invalid_argument(format!(
                    "the backlog {:?} is longer than {} s",
                    self.backlog,
                    u32::MAX
                ))
            })?,
            creation_time: None,
        })
    }
}

/// How something is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct DeleteOptions {
    pub(crate) force: bool,
    pub(crate) ignore_missing: bool,
}

impl DeleteOptions {
    /// Only if it is there, and nobody uses it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also if somebody uses it: a stream with subscriptions, a subscription with consumers.
    pub fn force(self) -> Self {
        DeleteOptions { force: true, ..self }
    }

    /// It is no error if it is not there.
    pub fn ignore_missing(self) -> Self {
        DeleteOptions { ignore_missing: true, ..self }
    }
}

impl Client {
    /// Creates a stream, and returns what the server made of it.
    ///
    /// # Errors
    ///
    /// A stream of this name exists already ([`is_already_exists`](Error::is_already_exists)); the name or an
    /// option is not acceptable. If an attempt may have created it (the connection was lost, or no answer came),
    /// a stream that exists afterwards with these options is taken for that one, and is no error. As the server
    /// creates shards one by one, a call that timed out may have left a stream with fewer of them.
    pub fn create_stream(&self, name: &str, options: StreamOptions) -> Result<Stream> {
        names::check("stream", name)?;
        let request = options.into_request(name)?;
        let wanted = Stream::from(request.clone());
        self.create(request, |client| {
            Ok(Some(client.get_stream(name)?).filter(|stream| stream.is_as(&wanted)))
        })
    }

    /// The stream of this name.
    ///
    /// # Errors
    ///
    /// There is none ([`is_not_found`](Error::is_not_found)).
    pub fn get_stream(&self, name: &str) -> Result<Stream> {
        names::check("stream", name)?;
        let answer = self.call(Target::Any, proto::GetStreamRequest { name: name.to_owned() })?;
        let stream = answer.stream.ok_or_else(|| Error::protocol("GetStream answered without a stream"))?;
        Ok(stream.into())
    }

    /// Whether there is a stream of this name.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn stream_exists(&self, name: &str) -> Result<bool> {
        match self.get_stream(name) {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// All streams, sorted by name.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn list_streams(&self) -> Result<Vec<Stream>> {
        Ok(sorted(self.call(Target::Any, proto::ListStreamsRequest {})?))
    }

    /// All streams whose name begins so, sorted by name; an empty prefix lists all.
    ///
    /// # Errors
    ///
    /// The prefix is none that a name can begin with.
    pub fn list_streams_with_prefix(&self, prefix: &str) -> Result<Vec<Stream>> {
        if prefix.is_empty() {
            // The server refuses an empty prefix.
            return self.list_streams();
        }
        names::check("stream", prefix)?;
        let request = proto::ListStreamsWithPrefixRequest { prefix: prefix.to_owned() };
        Ok(sorted(self.call(Target::Any, request)?))
    }

    /// Deletes a stream with all of its records. With [`force`](DeleteOptions::force), one that has
    /// subscriptions as well: those keep delivering what was there.
    ///
    /// # Errors
    ///
    /// There is none of this name, or it has subscriptions.
    pub fn delete_stream(&self, name: &str, options: DeleteOptions) -> Result<()> {
        names::check("stream", name)?;
        let request = proto::DeleteStreamRequest {
            stream_name: name.to_owned(),
            ignore_non_exist: options.ignore_missing,
            force: options.force,
        };
        let deleted = self.call(Target::Any, request);
        self.forget_shards_of(name);
        deleted
    }
}

/// The server's order is that of its store.
fn sorted(answer: proto::ListStreamsResponse) -> Vec<Stream> {
    let mut streams: Vec<Stream> = answer.streams.into_iter().map(Stream::from).collect();
    streams.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    streams
}
