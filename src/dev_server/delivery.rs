//! Delivers one running subscription: one batch after the other, to all its consumers.
//!
//! What is next is decided by the state; here it is sent. A consumer that does not read holds up all the
//! others, as with a real server.

use std::sync::Arc;

use tonic::Status;

use super::bell::Bell;
use super::cluster::Cluster;
use super::errors;
use super::outbox::NotSent;
use super::resend;
use super::running::{Consumer, Delivery, Step};
use super::state::{Run, RunId, State};
use super::subscriptions::Next;
use crate::proto::{ReceivedRecord, RecordId, StreamingFetchResponse};

/// Runs until the subscription is deleted or unloaded.
pub(super) async fn deliver(cluster: Arc<Cluster>, run: RunId, bell: Bell) {
    let delivering = Delivering { cluster, run, bell };
    while let Some(step) = delivering.next() {
        delivering.take(step).await;
    }
}

struct Delivering {
    cluster: Arc<Cluster>,
    run: RunId,
    bell: Bell,
}

/// Whether a batch goes out for the first time.
#[derive(Clone, Copy, PartialEq)]
enum Time {
    First,
    Again,
}

/// How sending a message went.
enum Sent {
    AtOnce,
    /// It had to wait for a place in the queue.
    Late,
    Failed,
}

impl Delivering {
    fn next(&self) -> Option<Step> {
        let now = self.cluster.now();
        let next = self.cluster.state().next(self.run, now);
        match next {
            Next::Do(step) => Some(step),
            Next::Gone => None,
            Next::Deleted(id, consumers) => {
                // The id is shown with its quotes.
                end_all(consumers, &errors::subscription_is_deleting(&format!("\"{id}\"")));
                None
            }
        }
    }

    async fn take(&self, step: Step) {
        match step {
            Step::Deliver(delivery) => {
                let received = delivery.batch.received(delivery.shard);
                self.send(&delivery, received, Time::First).await;
            }
            Step::Resend(delivery, places) => match resend::pick(&delivery.batch, &places) {
                Ok(record) => {
                    let id = |place: &u32| RecordId {
                        shard_id: delivery.shard,
                        batch_id: delivery.batch.lsn,
                        batch_index: *place,
                    };
                    let record_ids = places.iter().map(id).collect();
                    self.send(&delivery, ReceivedRecord { record_ids, record: Some(record) }, Time::Again)
                        .await;
                }
                Err(why) => self.fail(&why.status()),
            },
            Step::Wait(until) => self.wait(until).await,
        }
    }

    async fn wait(&self, until: Option<std::time::Instant>) {
        match until {
            None => self.bell.wait().await,
            // Elapsed or not: it is looked at again.
            Some(until) => drop(tokio::time::timeout_at(until.into(), self.bell.wait()).await),
        }
    }

    async fn send(&self, delivery: &Delivery, received: ReceivedRecord, time: Time) {
        let records = received.record_ids.len() as u64;
        let bytes = received.record.as_ref().map_or(0, |record| record.payload.len() as u64);
        let sent = self.push(delivery, StreamingFetchResponse { received_records: Some(received) }).await;
        let (shard, lsn, now) = (delivery.shard, delivery.batch.lsn, self.cluster.now());
        let mut state = self.cluster.state();
        let State { running, stats, .. } = &mut *state;
        let Some(Run { node, subscription, running }) = running.get_mut(&self.run) else { return };
        match (&sent, time) {
            (Sent::Failed, _) => stats.not_sent(*node, subscription, records, time == Time::Again),
            (_, Time::First) => stats.sent(*node, subscription, records, bytes),
            (_, Time::Again) => stats.resent(*node, subscription, records),
        }
        match sent {
            Sent::AtOnce => {}
            Sent::Late => running.sent(shard, lsn, now.instant),
            Sent::Failed => running.send_failed(delivery.consumer, shard, lsn, now.instant),
        }
    }

    async fn push(&self, delivery: &Delivery, message: StreamingFetchResponse) -> Sent {
        let message = match delivery.outbox.try_send(message) {
            Ok(()) => return Sent::AtOnce,
            Err(NotSent::Over) => return Sent::Failed,
            Err(NotSent::Full(message)) => message,
        };
        loop {
            tokio::select! {
                place = delivery.outbox.reserve() => return match place {
                    Some(place) => {
                        place.send(message);
                        Sent::Late
                    }
                    None => Sent::Failed,
                },
                () = self.bell.wait() => if !self.is_still_there(delivery) {
                    return Sent::Failed;
                },
            }
        }
    }

    fn is_still_there(&self, delivery: &Delivery) -> bool {
        let state = self.cluster.state();
        let run = state.running.get(&self.run);
        run.is_some_and(|run| run.running.deleting.is_none() && run.running.has(delivery.consumer))
    }

    /// Ends all consumers with this status; the next to come loads the subscription from its checkpoints.
    fn fail(&self, status: &Status) {
        let consumers = self.cluster.state().unload(self.run);
        end_all(consumers, status);
    }
}

pub(super) fn end_all(consumers: Vec<Consumer>, status: &Status) {
    for consumer in consumers {
        consumer.outbox.end(Err(status.clone()));
    }
}
