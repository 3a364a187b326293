//! An HStreamDB cluster inside this process, in memory, for development and for tests.
//!
//! [`DevServer`] speaks the real protocol over TCP, on the loopback interface, and answers as a server of
//! release 0.20.3 does: the same checks in the same order, the same errors (JSON or plain text), ids,
//! hash ranges, orders of listings, and the same delivery to consumers with its ticks, windows, resends
//! and checkpoints. Response headers of streaming calls come late, as the real ones do. So any client in
//! any language can use it; the program `hstream-dev-server` is this server with a command line.
//!
//! ```
//! # fn main() -> hstreamdb::Result<()> {
//! use hstreamdb::dev_server::DevServerOptions;
//!
//! let server = DevServerOptions::new().nodes(3).start()?;
//! println!("connect to {}", server.url());
//! server.kill_node(1)?;
//! # Ok(())
//! # }
//! ```
//!
//! # A cluster
//!
//! Nodes share what a real cluster stores: streams, records, subscriptions, checkpoints, readers, and which
//! node has what. Each keeps for itself what real nodes keep in memory: the consumers and the deliveries of
//! a subscription, how far readers are, counters. Subscriptions, readers and the like are allocated to a
//! node at the first look-up and stay there while it lives. A node that is asked for what another one has
//! says so where the real server does; StreamingFetch and ReadShard are served by whoever is asked, each
//! with a state of its own, as by the real one. Nodes are [stopped](DevServer::stop_node),
//! [killed](DevServer::kill_node), [restarted](DevServer::restart_node) and [added](DevServer::add_node)
//! while the server runs.
//!
//! # Failures to order
//!
//! [`DevServer::faults`] makes calls fail, hang or take their time, before or after they have done their
//! work; ends calls, with a status or without; and hands consumers batches that nobody can read.
//! [`DevServer::restart_subscriptions`] forgets what restarted nodes forget.
//!
//! # Commands
//!
//! The same by name and text, for [`DevServer::set`], for the C function of that name and for the control
//! port of the program. STATUS is a number or a name of gRPC (`14`, `UNAVAILABLE`), MS are milliseconds,
//! NODE counts from 0, TEXT is the rest of the line. CHOICE says which calls are meant: `on=SUBJECT` (stream,
//! subscription, reader or key), `node=NODE`, `with=NAME=VALUE` (metadata), `times=N` or `times=always` (1 if it
//! is left out), `percent=P`.
//!
//! | command | value | what it does |
//! | --- | --- | --- |
//! | `refuse` | `RPC STATUS [CHOICE]... [TEXT]` | calls fail, and nothing is done |
//! | `refuse_after` | `RPC STATUS [CHOICE]... [TEXT]` | calls are carried out, and then fail |
//! | `not_owner` | `RPC [CHOICE]...` | calls are told that they came to the wrong node |
//! | `delay`, `delay_answer` | `RPC MS [CHOICE]...` | calls are carried out late, or answered late |
//! | `ignore`, `never_answer` | `RPC [CHOICE]...` | calls are not carried out, or are, and never answered |
//! | `clear` | | takes all these orders back |
//! | `cut_consumers` | `SUBSCRIPTION STATUS [TEXT]` | ends the calls of its consumers |
//! | `cut_calls` | `RPC SUBJECT STATUS [TEXT]` | ends streaming calls; `*` for any subject |
//! | `break_connections` | `SUBSCRIPTION` | breaks the connections of its consumers |
//! | `fail_subscription` | `SUBSCRIPTION STATUS [TEXT]` | ends its consumers and unloads it |
//! | `zombies` | `SUBSCRIPTION CONSUMER STATUS [TEXT]` | ends a consumer's call (`*`: all) and keeps it registered |
//! | `half_closed` | `STATUS [TEXT]` | how the calls of consumers end that have sent all; 0 is OK, the default |
//! | `early_headers` | `on`, `off` | response headers of streaming calls come at once |
//! | `empty_messages` | `on`, `off` | streaming readers get messages without batches in between |
//! | `plain_errors` | `on`, `off` | errors are bare text, as before 0.15.0 |
//! | `version` | `X.Y.Z` | behaves like that release, 0.14.0 to 0.20.3 |
//! | `assignment_tick`, `resend_tick` | `MS` | how often subscriptions look after their consumers |
//! | `failure_detection` | `MS` | how long a killed node is taken for alive |
//! | `startup_delay` | `MS` | how long nodes that start from now on keep look-ups waiting |
//! | `slow_node` | `NODE MS` | each call on it takes so much longer |
//! | `stop_node`, `kill_node`, `restart_node` | `NODE` | as the functions of these names |
//! | `add_node` | | starts one more; its number is the answer on the control port |
//! | `move` | `KIND ID NODE` | gives a `stream`, `subscription`, `shard`, `shard-reader`, `connector` or `query` to a node |
//!
//! # Questions
//!
//! For [`DevServer::get`] and the control port: `url`, `node_urls`, `listener_urls KEY`, `running` (`yes` or
//! `no` for each node), `pending` (orders not carried out yet), `calls RPC` (how many have come),
//! `version`, `owner KIND ID` (the node, counted from 0).
//!
//! # Steering from another program
//!
//! [`DevServer::open_control`], or `hstream-dev-server --control-port`: a port for lines of text. A line is a
//! command and its value, `get` and a question, or `help`; the answer is one line, `ok`, `ok ANSWER` or
//! `error WHY`.
//!
//! ```text
//! refuse Append 14 on=orders times=2 server is unavailable
//! ok
//! kill_node 1
//! ok
//! get running
//! ok yes no yes
//! ```
//!
//! # What it does not do
//!
//! - Nothing outlives the process. Retention by age and replication are remembered, and not acted on.
//! - No SQL and no Docker: calls about queries, views and connectors are checked as far as a real server
//!   checks them without, and then answered with UNIMPLEMENTED and a text that says so.
//! - Appends that claim more than 1,048,576 records, streams of more than 65,536 shards: refused here,
//!   whereas a real server allocates until it fails.
//! - Deleting a subscription by force never hangs, even when its window is full and its consumers are
//!   mute.
//! - Offsets by time are always exact; a real server may begin earlier if it is not asked to be strict.
//! - No backup mode.
//!
//! # Features
//!
//! With the feature `tls`, [TLS](DevServerOptions::tls), client certificates and listeners with TLS.

mod options;
mod server;
mod steering;
mod sites;
mod faults;
mod orders;
mod settings;
mod control;
mod access;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod life;
mod connection;
mod node;
mod lookups;
mod admin;
mod append;
mod trim;
mod read;
mod readers;
mod calls;
mod stream_reads;
mod key_reads;
mod fetch;
mod delivery;
mod stats_calls;
mod admin_commands;
mod arguments;
mod queries;
mod connectors;
mod layout;
mod cluster;
mod switches;
mod versions;
mod state;
mod nodes;
mod names;
mod streams;
mod ranges;
mod log;
mod retention;
mod offsets;
mod scan;
mod subscriptions;
mod running;
mod assignment;
mod progress;
mod unpack;
mod resend;
mod stats;
mod outbox;
mod bell;
mod errors;
#[cfg(test)]
mod tests;

pub use faults::Faults;
pub use options::DevServerOptions;
pub use orders::NextCalls;
pub use server::DevServer;
