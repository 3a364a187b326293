//! How readers are opened: what there is to read is looked up, and where from and to is pinned.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::stream::{StreamExt, TryStreamExt};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::names;
use crate::reader::config::ReaderConfig;
use crate::reader::handle::Reader;
use crate::reader::key_loop::KeyLoop;
use crate::reader::life::Shared;
use crate::reader::position::Position;
use crate::reader::range::Range;
use crate::reader::shard_loop::ShardLoop;
use crate::record_id::Offset;
use crate::shard::ShardMap;
use crate::test_panic;

type Ranges = Vec<(u64, Range)>;

/// How many shards are asked for their tails at once.
const AT_ONCE: usize = 16;

/// Opens a reader of a stream: what has to be known before is looked for by the one handle, and all that comes later
/// is done by the other.
pub(crate) struct Opening<'a> {
    pub(crate) finder: &'a Client,
    pub(crate) client: &'a Client,
    pub(crate) stream: &'a str,
    pub(crate) config: ReaderConfig,
}

impl Client {
    /// Reads one shard of a stream.
    ///
    /// # Errors
    ///
    /// There is no such stream or shard, an option is out of range, the client is closed.
    pub fn read_shard(&self, stream: &str, shard_id: u64, config: ReaderConfig) -> Result<Reader> {
        self.opening(stream, config).shard(shard_id)
    }

    /// Reads all shards of a stream.
    ///
    /// # Errors
    ///
    /// As [`read_shard`](Self::read_shard); the options begin or end with a record, which is one of a single shard.
    pub fn read_stream(&self, stream: &str, config: ReaderConfig) -> Result<Reader> {
        self.opening(stream, config).all_shards()
    }

    /// Reads the shard of a stream that has no more than one.
    ///
    /// # Errors
    ///
    /// As [`read_shard`](Self::read_shard); the stream has more shards.
    pub fn read_single_shard(&self, stream: &str, config: ReaderConfig) -> Result<Reader> {
        self.opening(stream, config).single_shard()
    }

    /// Reads the records of one key: those without a key, if it is empty. The server picks them out. Unless told
    /// otherwise, it ends with the last one that there is when the reader is opened.
    ///
    /// # Errors
    ///
    /// As [`read_shard`](Self::read_shard). The server is older than v0.16.1: [`Unsupported`](ErrorKind::Unsupported),
    /// from the first read.
    pub fn read_key(&self, stream: &str, key: &str, config: ReaderConfig) -> Result<Reader> {
        self.opening(stream, config).key(key)
    }

    fn opening<'a>(&'a self, stream: &'a str, config: ReaderConfig) -> Opening<'a> {
        Opening { finder: self, client: self, stream, config }
    }
}

impl Opening<'_> {
    pub(crate) fn shard(self, shard_id: u64) -> Result<Reader> {
        let shards = self.shards()?;
        if shards.position_of(shard_id).is_none() {
            let message = format!("the stream `{}` has no shard {shard_id}", self.stream);
            return Err(Error::invalid_argument(message));
        }
        self.read_shards(&[shard_id])
    }

    pub(crate) fn all_shards(self) -> Result<Reader> {
        let shards = self.shards()?;
        for offset in [Some(self.config.from), self.config.until].into_iter().flatten() {
            if let Offset::Record(id) = offset {
                let message = format!("the record {id} is an offset in its shard, and none in a stream");
                return Err(Error::invalid_argument(message));
            }
        }
        let ids: Vec<_> = shards.shards().iter().map(crate::Shard::id).collect();
        self.read_shards(&ids)
    }

    pub(crate) fn single_shard(self) -> Result<Reader> {
        let shards = self.shards()?;
        match shards.shards() {
            [only] => self.read_shards(&[only.id()]),
            all => {
                let message = format!("the stream `{}` has {} shards, and not one", self.stream, all.len());
                Err(Error::invalid_argument(message))
            }
        }
    }

    pub(crate) fn key(mut self, key: &str) -> Result<Reader> {
        let shards = self.shards()?;
        if self.config.max_batches > 0 {
            return Err(Error::invalid_argument("readers of one key have no limit of batches"));
        }
        let shard = shards.for_key(key).ok_or_else(|| {
            Error::protocol(format!("no shard of the stream `{}` takes the key `{key}`", self.stream))
        })?;
        // Without an end, servers take the latest record as it; when the read is opened again, it should be the same.
        self.config.until = self.config.until.or(Some(Offset::Latest));
        let (shared, ranges) = self.begin(&[shard.id()])?;
        for (shard_id, range) in ranges {
            self.run_loop(&shared, KeyLoop::new(shared.clone(), shard_id, key.to_owned(), range).run());
        }
        Reader::adopted(self.client, shared)
    }

    /// The shards of the stream, if they are the ones that the options know.
    fn shards(&self) -> Result<ShardMap> {
        let Opening { finder, stream, config, .. } = self;
        config.check()?;
        names::check("stream", stream)?;
        let shards = finder.look_up_shards(stream)?;
        let mut known = config.position.iter().flat_map(Position::iter);
        match known.find(|id| shards.position_of(id.shard_id).is_none()) {
            None => Ok(shards),
            Some(id) => {
                let message = format!(
                    "the position is not one of the stream `{stream}`, which has no shard {}: it was deleted and \
                     created anew, or it is another one",
                    id.shard_id
                );
                Err(Error::new(ErrorKind::InvalidState, message))
            }
        }
    }

    fn read_shards(self, shards: &[u64]) -> Result<Reader> {
        let (shared, ranges) = self.begin(shards)?;
        for (shard_id, range) in ranges {
            let many = shards.len() > 1;
            self.run_loop(&shared, ShardLoop::new(shared.clone(), shard_id, many, range).run());
        }
        Reader::adopted(self.client, shared)
    }

    /// What the loops share, and from where to where each shard is read: found out here, so that what is appended
    /// after this is behind the latest record, if that is where reading begins.
    fn begin(&self, shards: &[u64]) -> Result<(Arc<Shared>, Ranges)> {
        let cluster = self.client.cluster().clone();
        let shared = Arc::new(Shared::new(cluster, self.stream, self.config.clone(), shards.len()));
        let plan = self.finder.plan();
        let (finding, pinning, ids) = (self.finder.cluster().clone(), shared.clone(), shards.to_vec());
        let ranges = async move {
            let one = |shard_id| {
                let (finding, shared) = (&finding, &pinning);
                async move { Ok((shard_id, Range::pinned(finding, shared, shard_id, plan).await?)) }
            };
            futures_util::stream::iter(ids).map(one).buffered(AT_ONCE).try_collect().await
        };
        let ranges: Ranges = self.finder.run(plan.deadline, ranges)?;
        Ok((shared, ranges))
    }

    fn run_loop(&self, shared: &Arc<Shared>, run: impl Future<Output = Result<()>> + Send + 'static) {
        let told = shared.clone();
        let run = async move {
            test_panic::point("worker", &told.stream);
            run.await
        };
        let told = shared.clone();
        shared.add_task(self.client.spawner().spawn(async move {
            // Whoever reads would wait for ever for a loop that ended without a word.
            let outcome = AssertUnwindSafe(run).catch_unwind().await;
            told.loop_ended(outcome.unwrap_or_else(|_| Err(panicked())));
        }));
    }
}

fn panicked() -> Error {
    Error::new(ErrorKind::Panic, "what reads a shard panicked; this is a bug in this library")
}
