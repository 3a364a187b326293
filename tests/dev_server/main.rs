//! The development server as its clients see it, over the wire: each test is named by the rule that it
//! checks, and each file holds one section of the rules. `RULES.md` in this folder lists all of them.
//!
//! The calls use the generated client, and nothing of this crate's own client.
#![cfg(feature = "dev-server")]

mod support;

mod transport;
mod trimming;
mod readers;
mod key_reads;
mod consuming;
mod cluster;
mod stats;
mod admin_commands;
mod queries;
mod versions;
mod faults;
mod control;
mod hostile;
mod scale;
mod rules;
#[cfg(feature = "tls")]
mod tls;
