//! Named readers: positions in a shard that the server keeps.

use std::sync::Arc;
use std::time::Duration;

use crate::admin::cluster::{Node, found};
use crate::admin::streams::DeleteOptions;
use crate::client::Client;
use crate::cluster::Target;
use crate::codec::batch::{DecodedBatch, SERVER_LIMIT};
use crate::error::{Error, Result, status};
use crate::received::Batch;
use crate::record_id::{Offset, RecordId};
use crate::{names, proto};

/// How many batches a read asks for, if nothing else is said.
const DEFAULT_BATCHES: u32 = 100;

/// The server makes room for all that is asked for.
const MOST_BATCHES: u32 = 1000;

/// The largest batch that is unpacked.
const UNPACKED_BYTES: usize = 64 << 20;

/// What the ids of a batch may take in an answer, beside the batch.
const ROOM_FOR_IDS: usize = 64 << 10;

/// How a named reader is created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct NamedReaderOptions {
    shard: ShardChoice,
    pub(crate) start: Offset,
    pub(crate) timeout: Duration,
}

/// Which shard a reader is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ShardChoice {
    Id(u64),
    OfKey(String),
}

impl Default for NamedReaderOptions {
    fn default() -> Self {
        NamedReaderOptions {
            shard: ShardChoice::OfKey(String::new()),
            start: Offset::Earliest,
            timeout: Duration::ZERO,
        }
    }
}

impl NamedReaderOptions {
    /// The shard of the empty key, from its first record on, without waiting.
    pub fn new() -> Self {
        Self::default()
    }

    /// The shard to read; it takes the place of a key.
    pub fn shard(self, shard_id: u64) -> Self {
        NamedReaderOptions { shard: ShardChoice::Id(shard_id), ..self }
    }

    /// Reads the shard that records with this key go to, with all else that is in it; default the empty key, which
    /// is that of records without one.
    pub fn key(self, key: impl Into<String>) -> Self {
        NamedReaderOptions { shard: ShardChoice::OfKey(key.into()), ..self }
    }

    /// Where it starts; default with the first record that is kept. `Latest` and times become a position when the
    /// reader is created.
    pub fn start(self, start: Offset) -> Self {
        NamedReaderOptions { start, ..self }
    }

    /// How long a read may wait on the server for as many batches as it asks for, in whole milliseconds; default
    /// zero, which is not at all. A read that is not filled takes all of this time, even when it has something.
    pub fn timeout(self, timeout: Duration) -> Self {
        NamedReaderOptions { timeout, ..self }
    }

    /// The server takes the number for a signed one.
    fn timeout_ms(&self) -> Result<u32> {
        let millis = i32::try_from(self.timeout.as_millis()).map_err(|_| {
            Error::invalid_argument(format!(
                "the reader's time-out {:?} is longer than {} ms",
                self.timeout,
                i32::MAX
            ))
        })?;
        Ok(millis.unsigned_abs())
    }
}

impl Client {
    /// Creates a named reader of one shard, and returns the shard's id.
    ///
    /// The reader is a thing of the cluster, as streams are: any client reads by its id, restarts do not end it, and
    /// it stays until it is deleted. But it is no place to keep a position: *that is in the memory of one node alone*.
    /// When that node stops, the next read begins again where the reader was created to start, on the node that has
    /// it then. [`with_reader`](Self::with_reader) deletes it in any case.
    ///
    /// # Errors
    ///
    /// There is a reader of this id ([`is_already_exists`](Error::is_already_exists)); there is no such stream or
    /// shard; the record to start with is in another shard; the time-out is longer than 2,147,483,647 ms. If the
    /// error [is ambiguous](Error::is_ambiguous), the reader may be there.
    pub fn create_reader(&self, stream: &str, reader_id: &str, options: NamedReaderOptions) -> Result<u64> {
        names::check("stream", stream)?;
        names::check("reader", reader_id)?;
        let timeout = options.timeout_ms()?;
        let deadline = self.plan().deadline;
        let shard_id = match &options.shard {
            ShardChoice::Id(shard_id) => *shard_id,
            ShardChoice::OfKey(key) => self.shard_for_key(stream, key)?,
        };
        let request = proto::CreateShardReaderRequest {
            stream_name: stream.to_owned(),
            shard_id,
            shard_offset: Some(options.start.into()),
            reader_id: reader_id.to_owned(),
            timeout,
        };
        self.until(deadline).call(Target::Any, request)?;
        Ok(shard_id)
    }

    /// Reads on by a named reader: up to `max_batches` *batches* as they were appended, 0 for 100. The batch that is
    /// returned has all of their records, and none if there was nothing. Of a record offset that the reader started
    /// with, the whole batch is read.
    ///
    /// The server waits up to the reader's own time-out, so allow the call more than that. It asks for fewer batches
    /// if so many might not fit into an answer that the client takes (see
    /// [`max_receive_bytes`](crate::ClientConfig::max_receive_bytes)), and for 1,000 at most.
    ///
    /// # Errors
    ///
    /// There is no such reader ([`is_not_found`](Error::is_not_found)). The position moves when the server reads: if
    /// the error [is ambiguous](Error::is_ambiguous), records may have been read that did not arrive, and *this
    /// reader does not read them again*; so the call is not made again by itself. Gaps in the log are errors of the
    /// server's with the codes 903 to 906, and the next read goes on behind them.
    pub fn read_reader(&self, reader_id: &str, max_batches: u32) -> Result<Batch> {
        self.read_reader_from(reader_id, max_batches, None)
    }

    /// The same without the records of the first one's batch that are before it.
    pub(crate) fn read_reader_from(
        &self,
        reader_id: &str,
        max_batches: u32,
        first: Option<RecordId>,
    ) -> Result<Batch> {
        names::check("reader", reader_id)?;
        let largest_answer = self.cluster().settings().max_receive_bytes;
        let request = proto::ReadShardRequest {
            reader_id: reader_id.to_owned(),
            max_records: batches_to_ask_for(max_batches, largest_answer),
        };
        let answer = self.call(owner_of(reader_id), request).map_err(missing_is_not_found)?;
        let received = answer.received_records;
        for batch in &received {
            let bytes = batch.record.as_ref().map_or(0, |record| record.payload.len());
            self.cluster().counters().received.add_batch(batch.record_ids.len(), bytes);
        }
        Ok(batch_of(received, first))
    }

    /// Deletes a named reader.
    ///
    /// # Errors
    ///
    /// There is none of this id ([`is_not_found`](Error::is_not_found)), unless that is
    /// [no error](DeleteOptions::ignore_missing).
    pub fn delete_reader(&self, reader_id: &str, options: DeleteOptions) -> Result<()> {
        names::check("reader", reader_id)?;
        let request = proto::DeleteShardReaderRequest { reader_id: reader_id.to_owned() };
        match self.call(owner_of(reader_id), request).map_err(missing_is_not_found) {
            Err(error) if options.ignore_missing && error.is_not_found() => Ok(()),
            outcome => outcome,
        }
    }

    /// The ids of all named readers of the cluster, sorted.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn list_readers(&self) -> Result<Vec<String>> {
        let mut ids = self.call(Target::Any, proto::ListShardReadersRequest {})?.reader_id;
        ids.sort_unstable();
        Ok(ids)
    }

    /// The node that has a named reader. As [`lookup_subscription`](Self::lookup_subscription), it leaves an entry
    /// in the cluster's meta store for any id, whether there is such a reader or not.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn lookup_reader(&self, reader_id: &str) -> Result<Node> {
        names::check("reader", reader_id)?;
        let request = proto::LookupShardReaderRequest { reader_id: reader_id.to_owned() };
        found("LookupShardReader", self.call(Target::Any, request)?.server_node)
    }
}

fn owner_of(reader_id: &str) -> Target {
    Target::Reader(reader_id.to_owned())
}

/// As many as are wanted and fit into an answer.
fn batches_to_ask_for(wanted: u32, largest_answer: usize) -> u32 {
    let wanted = if wanted == 0 { DEFAULT_BATCHES } else { wanted };
    let fitting = u32::try_from(largest_answer / (SERVER_LIMIT + ROOM_FOR_IDS)).unwrap_or(u32::MAX);
    wanted.min(MOST_BATCHES).min(fitting.max(1))
}

/// What the batches hold from this record on, if it is in one of them.
fn batch_of(received: Vec<proto::ReceivedRecord>, first: Option<RecordId>) -> Batch {
    let mut batch = Batch::default();
    for received in received {
        let decoded = DecodedBatch::new(received, UNPACKED_BYTES);
        let is_before = |id: &RecordId| {
            first.is_some_and(|first| id.batch_id == first.batch_id && id.batch_index < first.batch_index)
        };
        let range = decoded.ids.leading(is_before)..decoded.ids.len();
        if !range.is_empty() {
            batch.push(Arc::new(decoded), range);
        }
    }
    batch
}

/// That there is no such reader servers say in three ways, depending on where they keep such things.
fn missing_is_not_found(error: Error) -> Error {
    let Some(server) = error.server() else { return error };
    let is_missing = match server.grpc_status() {
        status::FAILED_PRECONDITION => server.name() == "EmptyShardReader",
        status::UNKNOWN => server.code().is_none() && server.name().contains("Non-exhaustive patterns"),
        status::NOT_FOUND => server.name() == "LocalMetaStoreObjectNotFound",
        _ => false,
    };
    if !is_missing {
        return error;
    }
    error.saying("there is no such reader".to_owned()).because_it_is_missing()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_asked_for_as_far_as_they_fit() {
        let answers = 64 << 20;
        for (wanted, largest, expected) in
            [(0, usize::MAX, 100), (7, answers, 7), (0, answers, 60), (5000, usize::MAX, 1000), (5, 1000, 1)]
        {
            assert_eq!(batches_to_ask_for(wanted, largest), expected, "{wanted} {largest}");
        }
    }

    #[test]
    fn records_before_the_first_are_left_out_of_its_batch_and_of_no_other() {
        let received = |batch_id| proto::ReceivedRecord {
            record_ids: (0..3).map(|batch_index| RecordId::new(1, batch_id, batch_index).into()).collect(),
            record: None,
        };
        let batches = || vec![received(5), received(6), received(7)];
        let count = |first| batch_of(batches(), first).ids().count();
        assert_eq!(count(None), 9);
        assert_eq!(count(Some(RecordId::new(1, 5, 2))), 7);
        assert_eq!(count(Some(RecordId::new(1, 6, 9))), 6);
        assert_eq!(count(Some(RecordId::new(1, 4, 9))), 9);
        assert!(batch_of(Vec::new(), None).is_empty());
    }

    #[test]
    fn the_three_ways_to_say_that_a_reader_is_missing_are_one() {
        for (status, text, is_missing) in [
            (9, r#"{"error":0,"message":"EmptyShardReader","extra":"ShardReaderNotExists"}"#, true),
            (2, "UnKnown exception: X.hs: Non-exhaustive patterns in case", true),
            (5, r#"{"error":0,"message":"LocalMetaStoreObjectNotFound","extra":null}"#, true),
            (9, r#"{"error":800,"message":"WrongServer","extra":"x"}"#, false),
            (2, "UnKnown exception: something else", false),
        ] {
            let error = missing_is_not_found(Error::from_server(status, text).ambiguous());
            assert_eq!((error.is_not_found(), !error.is_ambiguous()), (is_missing, is_missing), "{error:?}");
        }
        let gap = Error::from_server(5, r#"{"error":905,"message":"NotInConfigGapError","extra":"x"}"#);
        assert!(!missing_is_not_found(gap).to_string().contains("no such reader"));
    }
}
