//! Shards of a stream.

use crate::client::Client;
use crate::cluster::Target;
use crate::error::{Error, Result};
use crate::record_id::RecordId;
use crate::shard::ShardMap;
use crate::{names, proto};

impl Client {
    /// The shards of a stream, sorted by key range, as the server has them now.
    ///
    /// # Errors
    ///
    /// There is no such stream ([`is_not_found`](Error::is_not_found)).
    pub fn list_shards(&self, stream: &str) -> Result<ShardMap> {
        names::check("stream", stream)?;
        self.look_up_shards(stream)
    }

    /// The id of the shard that records with this key go to.
    ///
    /// # Errors
    ///
    /// There is no such stream ([`is_not_found`](Error::is_not_found)).
    pub fn shard_for_key(&self, stream: &str, key: &str) -> Result<u64> {
        let shards = self.list_shards(stream)?;
        let shard = shards.for_key(key).ok_or_else(|| {
            Error::protocol(format!("no shard of the stream `{stream}` takes the key `{key}`"))
        })?;
        Ok(shard.id())
    }

    /// The position of a shard's tail: at or behind its last record, with the index 0.
    ///
    /// # Errors
    ///
    /// There is no such shard. The server does not look at the stream's name.
    pub fn tail_record_id(&self, stream: &str, shard_id: u64) -> Result<RecordId> {
        let request = proto::GetTailRecordIdRequest { stream_name: stream.to_owned(), shard_id };
        let answer = self.call(Target::Any, request)?;
        let id =
            answer.tail_record_id.ok_or_else(|| Error::protocol("GetTailRecordId answered without an id"))?;
        Ok(id.into())
    }
}
