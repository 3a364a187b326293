//! Subscriptions.

use std::time::{Duration, SystemTime};

use crate::admin::streams::DeleteOptions;
use crate::client::Client;
use crate::cluster::Target;
use crate::codec::ids::system_time;
use crate::error::{Error, Result};
use crate::record_id::StartAt;
use crate::{names, proto};

/// A subscription: a position in each shard of a stream, moved on by acks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    id: String,
    stream: String,
    ack_timeout_seconds: i32,
    max_unacked_records: i32,
    start: StartAt,
    created: Option<SystemTime>,
    checkpoints: Vec<(u64, u64)>,
}

impl Subscription {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The stream it delivers; `__deleted_stream__` in lists when that was deleted by force.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// How long a delivered record may stay unacked before it is delivered again.
    pub fn ack_timeout(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.ack_timeout_seconds).unwrap_or(0))
    }

    /// How many delivered records may be unacked, of all consumers together, before delivery pauses.
    pub fn max_unacked_records(&self) -> i32 {
        self.max_unacked_records
    }

    /// Where it started.
    pub fn start(&self) -> StartAt {
        self.start
    }

    /// When it was created.
    pub fn created(&self) -> Option<SystemTime> {
        self.created
    }

    /// Per shard the last batch up to which all is acked, 0 for none: pairs of shard id and batch id. Only
    /// of [`Client::get_subscription`], and only once somebody has consumed since its node started.
    pub fn checkpoints(&self) -> &[(u64, u64)] {
        &self.checkpoints
    }

    /// What is answered when one is asked for, with its checkpoints.
    pub(crate) fn described(answer: proto::GetSubscriptionResponse) -> Result<Self> {
        let subscription = answer
            .subscription
            .ok_or_else(|| Error::protocol("GetSubscription answered without a subscription"))?;
        let checkpoints = answer.offsets.iter().map(|offset| (offset.shard_id, offset.batch_id)).collect();
        Ok(Subscription { checkpoints, ..subscription.into() })
    }

    /// Whether it was created by the same request.
    fn is_as(&self, other: &Subscription) -> bool {
        let plain = |it: &Subscription| Subscription { created: None, checkpoints: Vec::new(), ..it.clone() };
        plain(self) == plain(other)
    }
}

impl From<proto::Subscription> for Subscription {
    fn from(subscription: proto::Subscription) -> Self {
        Subscription {
            start: proto::SpecialOffset::try_from(subscription.offset).unwrap_or_default().into(),
            id: subscription.subscription_id,
            stream: subscription.stream_name,
            ack_timeout_seconds: subscription.ack_timeout_seconds,
            max_unacked_records: subscription.max_unacked_records,
            created: system_time(subscription.creation_time),
            checkpoints: Vec::new(),
        }
    }
}

/// How a subscription is created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SubscriptionOptions {
    pub(crate) ack_timeout: Duration,
    pub(crate) max_unacked_records: i32,
    pub(crate) start: StartAt,
}

impl Default for SubscriptionOptions {
    fn default() -> Self {
        SubscriptionOptions {
            ack_timeout: Duration::from_secs(600),
            max_unacked_records: 10_000,
            start: StartAt::Latest,
        }
    }
}

impl SubscriptionOptions {
    /// 600 s to ack, 10,000 unacked records, from the latest record on.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a delivered record may stay unacked before it is delivered again, in whole seconds; default
    /// 600 s. Records that a consumer had when it went away come back after this time and not before: for
    /// quick consumers 30 to 60 s is better.
    pub fn ack_timeout(self, timeout: Duration) -> Self {
        SubscriptionOptions { ack_timeout: timeout, ..self }
    }

    /// How many delivered records may be unacked, of all consumers together; default 10,000.
    pub fn max_unacked_records(self, count: i32) -> Self {
        SubscriptionOptions { max_unacked_records: count, ..self }
    }

    /// Where it starts; default behind the last record.
    pub fn start(self, start: StartAt) -> Self {
        SubscriptionOptions { start, ..self }
    }

    fn into_request(self, id: &str, stream: &str) -> Result<proto::Subscription> {
        let seconds = i32::try_from(self.ack_timeout.as_secs()).unwrap_or(i32::MAX);
        // The server takes 0 as it is: to resend ten times a second, and never to deliver anything.
        if seconds == 0 {
            let message = format!("the ack time-out {:?} is less than a second", self.ack_timeout);
            return Err(Error::invalid_argument(message));
        }
        if self.max_unacked_records <= 0 {
            let message =
                format!("the number of unacked records ({}) must be more than 0", self.max_unacked_records);
            return Err(Error::invalid_argument(message));
        }
        Ok(proto::Subscription {
            subscription_id: id.to_owned(),
            stream_name: stream.to_owned(),
            ack_timeout_seconds: seconds,
            max_unacked_records: self.max_unacked_records,
            offset: proto::SpecialOffset::from(self.start) as i32,
            creation_time: None,
        })
    }
}

/// A consumer of a subscription, as the server sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerInfo {
    name: String,
    uri: String,
    user_agent: String,
}

impl ConsumerInfo {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it connects from.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// What it says it is.
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }
}

impl Client {
    /// Creates a subscription to a stream. Its start is fixed now: records appended between this call and
    /// the first consumer are delivered.
    ///
    /// # Errors
    ///
    /// One of this id exists already ([`is_already_exists`](Error::is_already_exists)), there is no such stream, or
    /// an option is not acceptable. If an attempt may have created it (the connection was lost, or no answer
    /// came), one that exists afterwards with these options is taken for that one, and is no error.
    pub fn create_subscription(
        &self,
        id: &str,
        stream: &str,
        options: SubscriptionOptions,
    ) -> Result<Subscription> {
        names::check("subscription", id)?;
        names::check("stream", stream)?;
        let request = options.into_request(id, stream)?;
        let wanted = Subscription::from(request.clone());
        self.create(request, |client| {
            Ok(Some(client.get_subscription(id)?).filter(|subscription| subscription.is_as(&wanted)))
        })
    }

    /// The subscription of this id, with its checkpoints.
    ///
    /// # Errors
    ///
    /// There is none ([`is_not_found`](Error::is_not_found)).
    pub fn get_subscription(&self, id: &str) -> Result<Subscription> {
        names::check("subscription", id)?;
        Subscription::described(self.call(owner_of(id), proto::GetSubscriptionRequest { id: id.to_owned() })?)
    }

    /// Whether there is a subscription of this id.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn subscription_exists(&self, id: &str) -> Result<bool> {
        names::check("subscription", id)?;
        let request = proto::CheckSubscriptionExistRequest { subscription_id: id.to_owned() };
        Ok(self.call(Target::Any, request)?.exists)
    }

    /// All subscriptions, sorted by id, with those that the server's own queries made.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn list_subscriptions(&self) -> Result<Vec<Subscription>> {
        Ok(sorted(self.call(Target::Any, proto::ListSubscriptionsRequest {})?))
    }

    /// All subscriptions whose id begins so, sorted by id; an empty prefix lists all.
    ///
    /// # Errors
    ///
    /// The prefix is none that an id can begin with.
    pub fn list_subscriptions_with_prefix(&self, prefix: &str) -> Result<Vec<Subscription>> {
        if prefix.is_empty() {
            // The server refuses an empty prefix.
            return self.list_subscriptions();
        }
        names::check("subscription", prefix)?;
        let request = proto::ListSubscriptionsWithPrefixRequest { prefix: prefix.to_owned() };
        Ok(sorted(self.call(Target::Any, request)?))
    }

    /// Deletes a subscription. With [`force`](DeleteOptions::force), one that has consumers as well: the
    /// server answers when the last of them is gone.
    ///
    /// # Errors
    ///
    /// There is none of this id, or it has consumers.
    pub fn delete_subscription(&self, id: &str, options: DeleteOptions) -> Result<()> {
        names::check("subscription", id)?;
        let request =
            proto::DeleteSubscriptionRequest { subscription_id: id.to_owned(), force: options.force };
        match self.call(owner_of(id), request) {
            Err(error) if options.ignore_missing && error.is_not_found() => Ok(()),
            outcome => outcome,
        }
    }

    /// The consumers that are connected to a subscription now.
    ///
    /// # Errors
    ///
    /// There is no such subscription ([`is_not_found`](Error::is_not_found)).
    pub fn list_consumers(&self, subscription: &str) -> Result<Vec<ConsumerInfo>> {
        names::check("subscription", subscription)?;
        let request = proto::ListConsumersRequest { subscription_id: subscription.to_owned() };
        let answer = self.call(owner_of(subscription), request)?;
        let info = |consumer: proto::Consumer| ConsumerInfo {
            name: consumer.name,
            uri: consumer.uri,
            user_agent: consumer.user_agent,
        };
        Ok(answer.consumers.into_iter().map(info).collect())
    }
}

/// The node that serves a subscription.
pub(crate) fn owner_of(id: &str) -> Target {
    Target::Subscription(id.to_owned())
}

fn sorted(answer: proto::ListSubscriptionsResponse) -> Vec<Subscription> {
    let mut all: Vec<Subscription> = answer.subscription.into_iter().map(Subscription::from).collect();
    all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    all
}
