//! The reader, as its user holds it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::stream::{StreamExt, TryStreamExt};

use crate::client::{Child, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::ChildMetrics;
use crate::names;
use crate::reader::config::ReaderConfig;
use crate::reader::key_loop::KeyLoop;
use crate::reader::life::Shared;
use crate::reader::position::Position;
use crate::reader::range::Range;
use crate::reader::shard_loop::ShardLoop;
use crate::received::Batch;
use crate::record_id::Offset;
use crate::runtime::Runtime;
use crate::shard::ShardMap;
use crate::wait::{Until, Wait};

/// Reads a stream without a subscription: from where it is told to, to where it is told to, or on as records come.
///
/// Each record comes once, in the order of its shard; a read that was lost is opened again behind the last record
/// received. Records of different shards come in any order. Clones are the same reader; one thread reads at a time.
/// Dropping the last one ends it.
#[derive(Clone)]
pub struct Reader {
    owner: Arc<Owner>,
}

/// Ends the reader when nobody has it any more.
struct Owner {
    shared: Arc<Shared>,
    /// Goes last: the loops run on it.
    _runtime: Runtime,
}

type Ranges = Vec<(u64, Range)>;

/// How many shards are asked for their tails at once.
const AT_ONCE: usize = 16;

/// What a read brought.
#[derive(Clone, Debug)]
pub enum Read {
    /// Records, one at least.
    Records(Batch),
    /// None came in time.
    Nothing,
    /// All is read. It stays so. A stream that was deleted meanwhile is no end, but an error.
    End,
}

impl Client {
    /// Reads one shard of a stream.
    ///
    /// # Errors
    ///
    /// There is no such stream or shard, an option is out of range, the client is closed.
    pub fn read_shard(&self, stream: &str, shard_id: u64, config: ReaderConfig) -> Result<Reader> {
        let shards = self.shards_to_read(stream, &config)?;
        if shards.position_of(shard_id).is_none() {
            let message = format!("the stream `{stream}` has no shard {shard_id}");
            return Err(Error::invalid_argument(message));
        }
        self.read_shards(stream, &[shard_id], config)
    }

    /// Reads all shards of a stream.
    ///
    /// # Errors
    ///
    /// As [`read_shard`](Self::read_shard); the options begin or end with a record, which is one of a single shard.
    pub fn read_stream(&self, stream: &str, config: ReaderConfig) -> Result<Reader> {
        let shards = self.shards_to_read(stream, &config)?;
        for offset in [Some(config.from), config.until].into_iter().flatten() {
            if let Offset::Record(id) = offset {
                let message = format!("the record {id} is an offset in its shard, and none in a stream");
                return Err(Error::invalid_argument(message));
            }
        }
        let ids: Vec<_> = shards.shards().iter().map(crate::Shard::id).collect();
        self.read_shards(stream, &ids, config)
    }

    /// Reads the shard of a stream that has no more than one.
    ///
    /// # Errors
    ///
    /// As [`read_shard`](Self::read_shard); the stream has more shards.
    pub fn read_single_shard(&self, stream: &str, config: ReaderConfig) -> Result<Reader> {
        let shards = self.shards_to_read(stream, &config)?;
        match shards.shards() {
            [only] => self.read_shards(stream, &[only.id()], config),
            all => {
                let message = format!("the stream `{stream}` has {} shards, and not one", all.len());
                Err(Error::invalid_argument(message))
            }
        }
    }

    /// Reads the records of one key: those without a key, if it is empty. The server picks them out. Unless told
    /// otherwise, it ends with the last one that there is when the reader is opened.
    ///
    /// # Errors
    ///
    /// As [`read_shard`](Self::read_shard). The server is older than v0.16.1: [`Unsupported`](ErrorKind::Unsupported),
    /// from the first read.
    pub fn read_key(&self, stream: &str, key: &str, config: ReaderConfig) -> Result<Reader> {
        let shards = self.shards_to_read(stream, &config)?;
        if config.max_batches > 0 {
            return Err(Error::invalid_argument("readers of one key have no limit of batches"));
        }
        let shard = shards.for_key(key).ok_or_else(|| {
            Error::protocol(format!("no shard of the stream `{stream}` takes the key `{key}`"))
        })?;
        // Without an end, servers take the latest record as it; when the read is opened again, it should be the same.
        let config = ReaderConfig { until: config.until.or(Some(Offset::Latest)), ..config };
        let (shared, ranges) = self.begin(stream, &[shard.id()], config)?;
        for (shard_id, range) in ranges {
            self.run_loop(&shared, KeyLoop::new(shared.clone(), shard_id, key.to_owned(), range).run());
        }
        self.reader_of(shared)
    }

    /// The shards of the stream, if they are the ones that the options know.
    fn shards_to_read(&self, stream: &str, config: &ReaderConfig) -> Result<ShardMap> {
        config.check()?;
        names::check("stream", stream)?;
        let shards = self.look_up_shards(stream)?;
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

    fn read_shards(&self, stream: &str, shards: &[u64], config: ReaderConfig) -> Result<Reader> {
        let (shared, ranges) = self.begin(stream, shards, config)?;
        for (shard_id, range) in ranges {
            let many = shards.len() > 1;
            self.run_loop(&shared, ShardLoop::new(shared.clone(), shard_id, many, range).run());
        }
        self.reader_of(shared)
    }

    /// What the loops share, and from where to where each shard is read: found out here, so that what is appended
    /// after this is behind the latest record, if that is where reading begins.
    fn begin(&self, stream: &str, shards: &[u64], config: ReaderConfig) -> Result<(Arc<Shared>, Ranges)> {
        let shared = Arc::new(Shared::new(self.cluster().clone(), stream, config, shards.len()));
        let plan = self.plan();
        let (pinning, ids) = (shared.clone(), shards.to_vec());
        let ranges = async move {
            let one = |shard_id| {
                let shared = &pinning;
                async move { Ok((shard_id, Range::pinned(shared, shard_id, plan).await?)) }
            };
            futures_util::stream::iter(ids).map(one).buffered(AT_ONCE).try_collect().await
        };
        let ranges: Ranges = self.run(plan.deadline, ranges)?;
        Ok((shared, ranges))
    }

    fn run_loop(&self, shared: &Arc<Shared>, run: impl Future<Output = Result<()>> + Send + 'static) {
        let told = shared.clone();
        shared.add_task(self.spawner().spawn(async move { told.loop_ended(run.await) }));
    }

    fn reader_of(&self, shared: Arc<Shared>) -> Result<Reader> {
        let owner = Arc::new(Owner { shared, _runtime: self.runtime().clone() });
        let child: Arc<dyn Child> = owner.clone();
        self.adopt(Arc::downgrade(&child))?;
        Ok(Reader { owner })
    }
}

impl Reader {
    /// Up to `max` records, as soon as there are any.
    ///
    /// # Errors
    ///
    /// Why the reader failed; [`Busy`](ErrorKind::Busy) while another thread reads; [`Closed`](ErrorKind::Closed);
    /// [`Interrupted`](ErrorKind::Interrupted).
    pub fn read(&self, max: usize, limit: impl Into<Wait>) -> Result<Read> {
        self.owner.shared.read(max, limit.into().until())
    }

    /// Batches as they come, until the end, until it is closed elsewhere, or until none came within the limit.
    pub fn batches(&self, limit: impl Into<Wait>) -> impl Iterator<Item = Result<Batch>> + '_ {
        let limit = limit.into();
        std::iter::from_fn(move || match self.read(usize::MAX, limit.clone()) {
            Ok(Read::Records(batch)) => Some(Ok(batch)),
            Ok(Read::Nothing | Read::End) => None,
            Err(error) if error.is_closed() => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// A descriptor that is readable while [`read`](Self::read) would return at once: for event loops. It is only to
    /// be waited for, and stays the reader's.
    ///
    /// # Errors
    ///
    /// [`Resources`](ErrorKind::Resources).
    #[cfg(unix)]
    pub fn event_fd(&self) -> Result<std::os::fd::BorrowedFd<'_>> {
        self.owner.shared.descriptor()
    }

    /// Where it is: the last record handed out of each shard.
    pub fn position(&self) -> Position {
        self.owner.shared.position()
    }

    /// The stream.
    pub fn stream(&self) -> &str {
        &self.owner.shared.stream
    }

    /// Why it failed, or why a read was lost last.
    pub fn last_error(&self) -> Option<Error> {
        self.owner.shared.last_error()
    }

    /// Ends the reader, and whoever reads from it. Never waits. Closing twice is fine.
    pub fn close(&self) {
        self.owner.shared.close();
    }
}

impl Child for Owner {
    fn end_waits(&self) {
        self.shared.close();
    }

    fn close_within(&self, _: Until<'_>) -> Result<()> {
        self.shared.close();
        Ok(())
    }

    fn metrics(&self) -> Option<ChildMetrics> {
        None
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("stream", &self.stream())
            .field("position", &self.position().to_string())
            .finish_non_exhaustive()
    }
}
