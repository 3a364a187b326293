//! The generated messages, client and server of `proto/hstream.proto`.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub, dead_code, clippy::all)]

tonic::include_proto!("hstream.server");
