//! Events that nobody is told of.

use crate::error::Error;

pub(crate) enum EventKind {
    ShardStopped,
}

pub(crate) enum SubjectKind {
    Producer,
}

pub(crate) struct Event;

impl Event {
    pub(crate) fn new(_kind: EventKind, _subject_kind: SubjectKind, _subject: &str) -> Self {
        Event
    }

    pub(crate) fn saying(self, _detail: String) -> Self {
        self
    }

    pub(crate) fn at_node(self, _node: &str) -> Self {
        self
    }

    pub(crate) fn because_of(self, _error: &Error) -> Self {
        self
    }
}

pub(crate) struct Events;

impl Events {
    pub(crate) fn emit(&self, _event: Event) {}
}
