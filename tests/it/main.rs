//! The library against the embedded server. One binary: one link step for all of it.

#[cfg(feature = "tls")]
#[path = "../authority/mod.rs"]
mod authority;
mod support;
mod wire;
mod admin;
mod append;
mod buffered;
mod failures;
mod recreated;
mod scenarios;
mod spread;
mod stats;
mod producer_properties;
mod consumer_properties;
mod defects;
mod consumer_defects;
mod consumer;
mod consumer_state;
mod reading;
mod waiting;
mod dead_ends;
mod secure;
mod cluster;
mod observe;
mod per_call;
mod proxy;
mod every_call_ends;
mod creating;
mod readers_named;
mod trimming;
mod lookups;
mod lag;
