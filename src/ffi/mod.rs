//! The C ABI: what `include/hstreamdb.h` declares.
//!
//! Rules for callers, on which every exported function relies; the header repeats them for C readers:
//!
//! - A handle parameter is NULL, or a handle of that type that was handed out and not freed. Long-lived
//!   handles (client, producer, appender, consumer, reader, cancel, dev server) are used by any thread, any number
//!   at once; no call starts on one once its free has started. Builders (options, call, record, hrecord)
//!   are changed by one thread at a time, and read by none meanwhile. Results never change.
//! - A `const char *` is NULL or a NUL-terminated text. Data is NULL, or a pointer to as many bytes as its
//!   length says, or a NUL-terminated text with the length `HSTREAM_NTS`. Arrays are NULL or have as many
//!   elements as their count says. All stay as they are during the call and are copied by it.
//! - An out parameter is NULL or points to room for what is written. It is written on success only, but for
//!   `err`, `accepted`, the counts of a flush, `needed`, `ids` and `codes`, which always are.
//! - Callbacks return normally: no exceptions, no `longjmp`.
//!
//! NULL is never undefined behaviour: where none is allowed it is the code NULL_ARGUMENT. Long-lived handles
//! are counted inside, and each call holds one, so that freeing them while others are inside is fine.
//!
//! Each function is one call of [`boundary`]. Handles go in and out by way of [`handles`], texts and bytes by
//! way of [`bytes`], functions of the caller's are called in [`callback`]. The names are those of C.

#![allow(non_camel_case_types)]

mod boundary;
mod handles;
mod bytes;
mod callback;
mod status;
mod library;
mod runtime_options;
mod error;
mod call;
mod cancel;
mod config;
mod client;
mod log_filter;
mod log;
mod event;
mod metrics;
mod streams;
mod shards;
mod record_id;
mod offset;
mod record;
mod hrecord;
mod append;
mod producer_config;
mod producer;
mod appender;
mod delivery;
mod subscriptions;
mod cluster;
mod readers;
mod trim;
mod consumer_config;
mod consumer;
mod reader_config;
mod reader;
mod batch;
#[cfg(feature = "dev-server")]
mod dev_server;
