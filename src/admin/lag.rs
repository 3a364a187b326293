//! How far a subscription is behind its stream.

use futures_util::stream::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::admin::subscriptions::{Subscription, owner_of};
use crate::client::Client;
use crate::cluster::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::record_id::RecordId;
use crate::{names, proto};

/// How many shards are asked for their tails at once.
const AT_ONCE: usize = 16;

/// Where a subscription is in each shard, and where the shards end.
///
/// The server counts no records here: it tells the batch up to which all is acked, and a position at or behind the
/// last batch. Batches are numbered by the store, one by one as a rule, but it may leave numbers out, and begins
/// anew far ahead when a shard moves inside the store. So numbers of batches here are upper bounds, and missing
/// where nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionLag {
    subscription: String,
    stream: String,
    loaded: bool,
    shards: Vec<ShardLag>,
}

impl SubscriptionLag {
    /// The subscription's id.
    pub fn subscription(&self) -> &str {
        &self.subscription
    }

    /// The stream it delivers.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Whether somebody has consumed since the subscription's node started. If not, the server tells no checkpoints,
    /// although there may be some.
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// The shards, by key range.
    pub fn shards(&self) -> &[ShardLag] {
        &self.shards
    }

    /// Whether for certain all is acked that was there when the tails were asked for.
    pub fn is_caught_up(&self) -> bool {
        self.shards.iter().all(ShardLag::is_caught_up)
    }

    /// How many batches are not acked at most, in all shards; `None` if it can't be said of one.
    pub fn batches(&self) -> Option<u64> {
        self.shards.iter().try_fold(0u64, |sum, shard| Some(sum.saturating_add(shard.batches()?)))
    }

    /// All of it as a JSON object. Keys are only added.
    pub fn to_json(&self) -> String {
        json!({
            "subscription_id": self.subscription,
            "stream_name": self.stream,
            "loaded": self.loaded,
            "caught_up": self.is_caught_up(),
            "batches": self.batches(),
            "shards": self.shards.iter().copied().map(ShardLag::to_json).collect::<Vec<_>>(),
        })
        .to_string()
    }
}

/// Where a subscription is in one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardLag {
    tail: RecordId,
    checkpoint: Option<u64>,
}

impl ShardLag {
    /// The shard.
    pub fn shard_id(&self) -> u64 {
        self.tail.shard_id
    }

    /// A position at or behind the last record of the shard; its index is always 0.
    pub fn tail(&self) -> RecordId {
        self.tail
    }

    /// The batch up to which all is acked. `None`: the server tells none, because nothing was acked yet, or because
    /// nobody [has consumed](SubscriptionLag::is_loaded) since its node started.
    pub fn checkpoint(&self) -> Option<u64> {
        self.checkpoint
    }

    /// Whether for certain all is acked. If not, something may be left, or the tail is behind the last record, or
    /// nothing came since the subscription began at the end of the shard.
    pub fn is_caught_up(&self) -> bool {
        self.checkpoint.is_some_and(|checkpoint| checkpoint >= self.tail.batch_id)
    }

    /// How many batches at most lie between the checkpoint and the tail; `None` without a checkpoint, and when the
    /// two do not compare because the store has begun numbers anew in between.
    pub fn batches(&self) -> Option<u64> {
        // The upper half counts beginnings, the lower half what came since.
        let beginning = |batch_id: u64| batch_id >> 32;
        let behind = self.tail.batch_id.saturating_sub(self.checkpoint?);
        (behind == 0 || beginning(self.checkpoint?) == beginning(self.tail.batch_id)).then_some(behind)
    }

    fn to_json(self) -> Value {
        json!({
            "shard_id": self.shard_id(),
            "tail_batch_id": self.tail.batch_id,
            "checkpoint_batch_id": self.checkpoint,
            "caught_up": self.is_caught_up(),
            "batches": self.batches(),
        })
    }
}

impl Client {
    /// How far a subscription is behind its stream. It asks for the subscription, the stream's shards and the tail of
    /// each shard, which is no snapshot: what is appended or acked meanwhile may count or not.
    ///
    /// # Errors
    ///
    /// There is no such subscription ([`is_not_found`](Error::is_not_found));
    /// [`InvalidState`](ErrorKind::InvalidState) if its stream was deleted by force, which leaves the subscription what
    /// is there, but nobody to ask about it; [`Unsupported`](ErrorKind::Unsupported) by servers before 0.16.0.
    pub fn subscription_lag(&self, subscription: &str) -> Result<SubscriptionLag> {
        names::check("subscription", subscription)?;
        let (cluster, plan) = (self.cluster().clone(), self.plan());
        let id = subscription.to_owned();
        self.run(plan.deadline, async move {
            let request = proto::GetSubscriptionRequest { id: id.clone() };
            let found = Subscription::described(cluster.call(owner_of(&id), request, plan).await?)?;
            check_is_there(&found)?;
            let shards = cluster.shards_of(found.stream(), plan).await?;
            let ask = |shard_id| {
                let request =
                    proto::GetTailRecordIdRequest { stream_name: found.stream().to_owned(), shard_id };
                cluster.call(Target::Any, request, plan)
            };
            let ids: Vec<u64> = shards.shards().iter().map(|shard| shard.id()).collect();
            let tails: Vec<_> =
                futures_util::stream::iter(ids).map(ask).buffered(AT_ONCE).try_collect().await?;
            lag_of(&found, tails)
        })
    }
}

/// What was deleted by force has a name that nobody can ask for.
fn check_is_there(subscription: &Subscription) -> Result<()> {
    names::check("stream", subscription.stream()).map_err(|_| {
        let message = format!("the stream of the subscription `{}` was deleted", subscription.id());
        Error::new(ErrorKind::InvalidState, message)
    })
}

/// Puts together what was asked for.
fn lag_of(
    subscription: &Subscription,
    tails: Vec<proto::GetTailRecordIdResponse>,
) -> Result<SubscriptionLag> {
    let shard = |answer: proto::GetTailRecordIdResponse| {
        let tail = answer.tail_record_id.map(RecordId::from);
        let tail = tail.ok_or_else(|| Error::protocol("GetTailRecordId answered without an id"))?;
        let of_shard =
            |(shard, batch): &(u64, u64)| (*shard == tail.shard_id && *batch != 0).then_some(*batch);
        Ok(ShardLag { tail, checkpoint: subscription.checkpoints().iter().find_map(of_shard) })
    };
    Ok(SubscriptionLag {
        subscription: subscription.id().to_owned(),
        stream: subscription.stream().to_owned(),
        loaded: !subscription.checkpoints().is_empty(),
        shards: tails.into_iter().map(shard).collect::<Result<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: u64 = (2 << 32) + 1;

    fn shard(tail: u64, checkpoint: Option<u64>) -> ShardLag {
        ShardLag { tail: RecordId::new(7, tail, 0), checkpoint }
    }

    #[test]
    fn a_number_of_batches_is_told_only_where_numbers_go_on_one_by_one() {
        for (lag, caught_up, batches) in [
            (shard(FIRST + 4, Some(FIRST)), false, Some(4)),
            (shard(FIRST, Some(FIRST)), true, Some(0)),
            (shard(FIRST, Some(FIRST + 1)), true, Some(0)),
            (shard(FIRST, None), false, None),
            (shard((3 << 32) + 1, Some(FIRST)), false, None),
        ] {
            assert_eq!((lag.is_caught_up(), lag.batches()), (caught_up, batches), "{lag:?}");
        }
    }

    #[test]
    fn the_whole_is_said_if_it_can_be_said_of_all() {
        let lag =
            |shards| SubscriptionLag { subscription: "a".into(), stream: "s".into(), loaded: true, shards };
        let known = lag(vec![shard(FIRST + 4, Some(FIRST)), shard(FIRST, Some(FIRST))]);
        assert_eq!((known.batches(), known.is_caught_up()), (Some(4), false));
        let partly = lag(vec![shard(FIRST + 4, Some(FIRST)), shard(FIRST, None)]);
        assert_eq!(partly.batches(), None);
        assert!(partly.to_json().contains(r#""batches":null"#), "{}", partly.to_json());
    }
}
