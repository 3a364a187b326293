//! What a client has to tell its operators.

use std::fmt;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::consumer::ConsumerState;
use crate::error::Error;

/// What happened. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A node does not answer any more. Told once, until it has answered again.
    NodeLost,
    /// A consumer lost its connection, or got none, and goes on trying. Told once, until it has one.
    Reconnecting,
    /// It is over: a node that was lost has answered, or a consumer has a connection again.
    Reconnected,
    /// A consumer does something else than before.
    ConsumerState,
    /// A failure stopped one shard of a producer.
    ShardStopped,
    /// A consumer was closed or stopped, and the server may not have all of its acks.
    AcksUnsent,
    /// Certificate files have changed and can't be used; the old ones stay.
    TlsReloadFailed,
    /// The cluster has other nodes than before.
    ClusterChanged,
    /// A consumer received a batch that it can't read; the detail names its ids.
    BadBatch,
    /// Records were not acked within the subscription's time-out, and are delivered again.
    AcksOverdue,
}

impl EventKind {
    /// The name in JSON.
    fn name(self) -> &'static str {
        match self {
            EventKind::NodeLost => "node_lost",
            EventKind::Reconnecting => "reconnecting",
            EventKind::Reconnected => "reconnected",
            EventKind::ConsumerState => "consumer_state",
            EventKind::ShardStopped => "shard_stopped",
            EventKind::AcksUnsent => "acks_unsent",
            EventKind::TlsReloadFailed => "tls_reload_failed",
            EventKind::ClusterChanged => "cluster_changed",
            EventKind::BadBatch => "bad_batch",
            EventKind::AcksOverdue => "acks_overdue",
        }
    }
}

/// What an [`Event`] is about. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectKind {
    /// The client as a whole.
    Client,
    /// A producer; the subject is the stream.
    Producer,
    /// A consumer; the subject is the subscription.
    Consumer,
    /// A reader; the subject is the stream.
    Reader,
}

impl SubjectKind {
    /// The name in JSON.
    fn name(self) -> &'static str {
        match self {
            SubjectKind::Client => "client",
            SubjectKind::Producer => "producer",
            SubjectKind::Consumer => "consumer",
            SubjectKind::Reader => "reader",
        }
    }
}

/// Something that operators may want to know, as [`ClientConfig::on_event`](crate::ClientConfig::on_event) tells
/// it. Shown as one line for people.
#[derive(Clone, Debug)]
pub struct Event {
    kind: EventKind,
    subject_kind: SubjectKind,
    subject: String,
    node: String,
    error: Option<Error>,
    state: Option<ConsumerState>,
    detail: String,
    time: SystemTime,
}

impl Event {
    pub(crate) fn new(kind: EventKind, subject_kind: SubjectKind, subject: &str) -> Self {
        Event {
            kind,
            subject_kind,
            subject: subject.to_owned(),
            node: String::new(),
            error: None,
            state: None,
            detail: String::new(),
            time: SystemTime::now(),
        }
    }

    pub(crate) fn of_client(kind: EventKind) -> Self {
        Self::new(kind, SubjectKind::Client, "")
    }

    pub(crate) fn at_node(self, node: impl ToString) -> Self {
        Event { node: node.to_string(), ..self }
    }

    /// Its node is that of the error, unless another one was given.
    pub(crate) fn because_of(mut self, error: &Error) -> Self {
        if self.node.is_empty() {
            error.node().clone_into(&mut self.node);
        }
        Event { error: Some(error.clone()), ..self }
    }

    pub(crate) fn in_state(self, state: ConsumerState) -> Self {
        Event { state: Some(state), ..self }
    }

    pub(crate) fn saying(self, detail: impl Into<String>) -> Self {
        Event { detail: detail.into(), ..self }
    }

    /// What happened.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// What it is about.
    pub fn subject_kind(&self) -> SubjectKind {
        self.subject_kind
    }

    /// The stream or the subscription; empty for the client.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The node, as `host:port`; empty if it has to do with none.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Why, if something failed.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// What a consumer is doing now, in events of [`EventKind::ConsumerState`].
    pub fn state(&self) -> Option<ConsumerState> {
        self.state
    }

    /// When it happened.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// Everything as one JSON object. Keys are only added.
    pub fn to_json(&self) -> String {
        let since = self.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        json!({
            "kind": self.kind.name(),
            "subject_kind": self.subject_kind.name(),
            "subject": self.subject,
            "address": self.node,
            "error": self.error.as_ref().map_or(Value::Null, |error| error.to_string().into()),
            "state": self.state.map(ConsumerState::name),
            "message": self.to_string(),
            "time_ms": u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        })
        .to_string()
    }

    /// Whether something is wrong.
    fn is_trouble(&self) -> bool {
        match self.kind {
            EventKind::NodeLost
            | EventKind::Reconnecting
            | EventKind::ShardStopped
            | EventKind::AcksUnsent
            | EventKind::TlsReloadFailed
            | EventKind::BadBatch
            | EventKind::AcksOverdue => true,
            EventKind::ConsumerState => self.state == Some(ConsumerState::Failed),
            EventKind::Reconnected | EventKind::ClusterChanged => false,
        }
    }

    /// Tells the log.
    pub(crate) fn log(&self) {
        macro_rules! tell {
            ($level:ident) => {
                tracing::$level!(
                    kind = self.kind.name(),
                    subject_kind = self.subject_kind.name(),
                    subject = self.subject,
                    node = self.node,
                    state = self.state.map(ConsumerState::name),
                    "{self}"
                )
            };
        }
        if self.is_trouble() { tell!(warn) } else { tell!(info) }
    }

    /// The thing, for people.
    fn thing(&self) -> String {
        match self.subject_kind {
            SubjectKind::Client => "the client".into(),
            SubjectKind::Producer => format!("the producer of stream {}", self.subject),
            SubjectKind::Consumer => format!("the consumer of subscription {}", self.subject),
            SubjectKind::Reader => format!("the reader of stream {}", self.subject),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (thing, node) = (self.thing(), &self.node);
        match self.kind {
            EventKind::NodeLost => write!(f, "node {node} was lost"),
            EventKind::Reconnecting => write!(f, "{thing} has no connection and tries again"),
            EventKind::Reconnected if self.subject_kind == SubjectKind::Client => {
                write!(f, "node {node} answers again")
            }
            EventKind::Reconnected => write!(f, "{thing} has a connection again"),
            EventKind::ConsumerState => {
                write!(f, "{thing} is {}", self.state.map_or("of unknown state", ConsumerState::name))
            }
            EventKind::ShardStopped => write!(f, "a shard of {thing} was stopped"),
            EventKind::AcksUnsent => write!(f, "{thing} has acks that the server may not have"),
            EventKind::TlsReloadFailed => {
                f.write_str("changed certificates can't be used; the old ones stay")
            }
            EventKind::ClusterChanged => f.write_str("the cluster has changed"),
            EventKind::BadBatch => write!(f, "{thing} received a batch that it can't read"),
            EventKind::AcksOverdue => write!(f, "{thing} has not acked in time"),
        }?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        self.error.as_ref().map_or(Ok(()), |error| write!(f, ": {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_event_names_what_happened_where_and_why() {
        let error = Error::new(ErrorKind::Unavailable, "refused").at_node("a:1");
        let event = Event::of_client(EventKind::NodeLost).because_of(&error);
        assert_eq!(event.node(), "a:1");
        assert_eq!(event.to_string(), format!("node a:1 was lost: {error}"));
        let event = Event::new(EventKind::ConsumerState, SubjectKind::Consumer, "sub")
            .in_state(ConsumerState::Running);
        assert_eq!(event.to_string(), "the consumer of subscription sub is running");
        let event = Event::of_client(EventKind::ClusterChanged).saying("b:1 came");
        assert_eq!(event.to_string(), "the cluster has changed: b:1 came");
    }

    #[test]
    fn the_keys_of_the_json_are_only_added_to() {
        let event = Event::new(EventKind::AcksUnsent, SubjectKind::Consumer, "sub");
        let json: Value = serde_json::from_str(&event.to_json()).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["address", "error", "kind", "message", "state", "subject", "subject_kind", "time_ms"];
        assert_eq!(keys, expected);
        assert_eq!((&json["kind"], &json["subject_kind"]), (&json!("acks_unsent"), &json!("consumer")));
    }
}
