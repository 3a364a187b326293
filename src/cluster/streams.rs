//! What the cluster knows of a stream that appending and reading need.

use crate::cluster::call::{Cluster, Plan};
use crate::cluster::retry::Failure;
use crate::cluster::routing::Target;
use crate::error::{Error, ErrorKind, Result, status};
use crate::proto;
use crate::shard::{Shard, ShardMap};

/// The stream, and the shard if it is one, without which a call can't succeed.
pub(crate) struct Needs<'a> {
    pub(crate) stream: &'a str,
    pub(crate) shard: Option<u64>,
}

impl Cluster {
    /// The shards of a stream, by range.
    pub(crate) async fn shards_of(&self, stream: &str, plan: Plan) -> Result<ShardMap> {
        let request = proto::ListShardsRequest { stream_name: stream.to_owned() };
        shard_map(stream, self.call(Target::Any, request, plan).await?)
    }

    /// Finds out whether a call fails because what it needs is gone: the server says UNAVAILABLE to that as
    /// well, for ever. Asked after the second failure, and ever more rarely after that. Returns the error
    /// that says so; if this can't be found out either, the call goes on as it was.
    pub(crate) async fn find_gone(
        &self,
        needs: Needs<'_>,
        failure: &Failure,
        attempts: u32,
        plan: Plan,
    ) -> Option<Error> {
        let Failure::Refused(error) = failure else { return None };
        if !error.has_status(status::UNAVAILABLE) || attempts < 2 || !attempts.is_power_of_two() {
            return None;
        }
        self.is_gone(needs, plan).await
    }

    /// The error that says so, if what a call needs is gone; `None` if it is there, or nobody can tell.
    pub(crate) async fn is_gone(&self, needs: Needs<'_>, plan: Plan) -> Option<Error> {
        let request = proto::GetStreamRequest { name: needs.stream.to_owned() };
        match self.ask_any(request, plan).await {
            Err(Failure::Refused(error)) if error.is_not_found() => return Some(error),
            Err(_) => return None,
            Ok(_) => {}
        }
        let shard = needs.shard?;
        let request = proto::ListShardsRequest { stream_name: needs.stream.to_owned() };
        let shards = shard_map(needs.stream, self.ask_any(request, plan).await.ok()?).ok()?;
        shards.position_of(shard).is_none().then(|| {
            let stream = needs.stream;
            let message = format!(
                "the stream `{stream}` has no shard {shard} any more; it was deleted and created anew"
            );
            Error::new(ErrorKind::InvalidState, message).because_shards_are_gone()
        })
    }
}

fn shard_map(stream: &str, answer: proto::ListShardsResponse) -> Result<ShardMap> {
    let shards: Vec<Shard> = answer.shards.into_iter().map(Shard::try_from).collect::<Result<_>>()?;
    if shards.is_empty() {
        return Err(Error::protocol(format!("the stream `{stream}` has no shards")));
    }
    Ok(ShardMap::new(shards))
}
