//! Trimming: dropping the oldest records of shards.

use std::collections::BTreeMap;

use crate::client::Client;
use crate::cluster::Target;
use crate::error::{Error, Result, status};
use crate::record_id::{Offset, RecordId};
use crate::{names, proto};

impl Client {
    /// Drops all records of a stream up to an offset, and what is there: [`Latest`](Offset::Latest) drops all that
    /// the stream has, a time also the first record that was stored then or later. Whole batches go. Readers and
    /// subscriptions skip what is gone without a word.
    ///
    /// # Errors
    ///
    /// There is no such stream ([`is_not_found`](Error::is_not_found)); the offset is that of a record, or a time
    /// after all records; [`Unsupported`](crate::ErrorKind::Unsupported) by servers before 0.16.1. Shards are trimmed
    /// one by one: after an error some may be trimmed already. Trimming again is harmless, but `Latest` is then
    /// another place.
    pub fn trim_stream(&self, stream: &str, upto: Offset) -> Result<()> {
        names::check("stream", stream)?;
        let trim_point = Some(proto::StreamOffset::try_from(upto)?);
        self.call(Target::Any, proto::TrimStreamRequest { stream_name: stream.to_owned(), trim_point })
    }

    /// Drops all records of a shard up to an offset, and what is there: of a record the whole batch. The server does
    /// not look at the stream's name.
    ///
    /// # Errors
    ///
    /// There is no such shard ([`is_not_found`](Error::is_not_found)); the record is not of this shard; the offset is
    /// behind all records; [`Unsupported`](crate::ErrorKind::Unsupported) by servers before 0.16.1.
    pub fn trim_shard(&self, stream: &str, shard_id: u64, upto: Offset) -> Result<()> {
        names::check("stream", stream)?;
        if let Offset::Record(id) = upto
            && id.shard_id != shard_id
        {
            return Err(Error::invalid_argument(format!("the record {id} is not in shard {shard_id}")));
        }
        let (stream_name, trim_point) = (stream.to_owned(), Some(upto.into()));
        self.call(Target::Any, proto::TrimShardRequest { stream_name, shard_id, trim_point })
    }

    /// Drops what is *before* these records: of several in a shard the smallest counts, and its batch stays whole.
    /// Ids of batch 0 stand for the earliest record, and trim nothing. Returns for each shard the id that counted.
    ///
    /// # Errors
    ///
    /// There is no such stream ([`is_not_found`](Error::is_not_found)), a shard is not one of it, a record is behind
    /// all that are there; [`Unsupported`](crate::ErrorKind::Unsupported) by servers before 0.17.0. Shards are
    /// trimmed one by one: after an error some may be trimmed already. The same call can be made again.
    pub fn trim_shards(&self, stream: &str, records: &[RecordId]) -> Result<BTreeMap<u64, RecordId>> {
        names::check("stream", stream)?;
        self.check_open()?;
        if records.is_empty() {
            // Not all servers take that for nothing to do.
            return Ok(BTreeMap::new());
        }
        let record_ids = records.iter().map(RecordId::to_string).collect();
        let request = proto::TrimShardsRequest { stream_name: stream.to_owned(), record_ids };
        let answer = self.call(Target::Any, request).map_err(|error| self.say_if_gone(stream, error))?;
        answer.trim_points.into_iter().map(|(shard, text)| Ok((shard, trim_point(&text)?))).collect()
    }

    /// What fails because the stream is gone fails in words of the store that do not say so.
    fn say_if_gone(&self, stream: &str, error: Error) -> Error {
        if !error.has_status(status::INTERNAL) {
            return error;
        }
        self.get_stream(stream).err().filter(Error::is_not_found).unwrap_or(error)
    }
}

fn trim_point(text: &str) -> Result<RecordId> {
    text.parse().map_err(|error: Error| Error::protocol(format!("TrimShards answered: {}", error.message())))
}
