//! The library against the embedded server. One binary: one link step for all of it.

mod support;
mod wire;
mod admin;
mod append;
mod buffered;
mod failures;
mod recreated;
mod spread;
mod producer_properties;
mod defects;
mod consumer;
mod waiting;
mod dead_ends;
mod secure;
mod cluster;
