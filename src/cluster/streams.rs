//! What the cluster knows of a stream that appending and reading need.

use crate::cluster::call::{Cluster, Plan};
use crate::cluster::routing::Target;
use crate::error::{Error, Result, status};
use crate::proto;
use crate::shard::{Shard, ShardMap};

impl Cluster {
    /// The shards of a stream, by range.
    ///
    /// # Errors
    ///
    /// A missing stream is "not found", although the server says UNAVAILABLE to this call for ever.
    pub(crate) async fn shards_of(&self, stream: &str, plan: Plan) -> Result<ShardMap> {
        let request = proto::ListShardsRequest { stream_name: stream.to_owned() };
        let first = Plan { max_attempts: Some(1), ..plan };
        let answer = match self.call(Target::Any, request.clone(), first).await {
            Err(error) if error.has_status(status::UNAVAILABLE) || error.is_retryable() => {
                self.check_exists(stream, plan).await?;
                self.call(Target::Any, request, plan).await?
            }
            answer => answer?,
        };
        let shards: Vec<Shard> = answer.shards.into_iter().map(Shard::try_from).collect::<Result<_>>()?;
        if shards.is_empty() {
            return Err(Error::protocol(format!("the stream `{stream}` has no shards")));
        }
        Ok(ShardMap::new(shards))
    }

    /// Ends well if the stream is there.
    pub(crate) async fn check_exists(&self, stream: &str, plan: Plan) -> Result<()> {
        let request = proto::GetStreamRequest { name: stream.to_owned() };
        self.call(Target::Any, request, plan).await.map(drop)
    }
}
