//! Metrics of a client.

// Most are for readers of the header.
#![allow(dead_code)]

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::ffi::boundary::{self, given};
use crate::ffi::bytes;
use crate::ffi::client::hstream_client_t;
use crate::ffi::error::hstream_error_t;
use crate::ffi::handles;
use crate::ffi::status::*;
use crate::metrics::Metric;

/// Calls to nodes that have ended, with look-ups and retries; not the fetches of consumers.
pub const HSTREAM_METRIC_CALLS: i32 = 1;
/// Calls that failed or were given up.
pub const HSTREAM_METRIC_FAILURES: i32 = 2;
/// Calls that were made again because they had failed.
pub const HSTREAM_METRIC_RETRIES: i32 = 3;
/// Connections of consumers that were made again after a loss.
pub const HSTREAM_METRIC_RECONNECTS: i32 = 4;
/// Records that the server said it has written.
pub const HSTREAM_METRIC_RECORDS_OUT: i32 = 5;
/// Bytes of their payloads, as sent.
pub const HSTREAM_METRIC_BYTES_OUT: i32 = 6;
/// The batches that they went in.
pub const HSTREAM_METRIC_BATCHES_OUT: i32 = 7;
/// Records that consumers received, repeated ones counted again.
pub const HSTREAM_METRIC_RECORDS_IN: i32 = 8;
/// Bytes of their payloads, as received.
pub const HSTREAM_METRIC_BYTES_IN: i32 = 9;
/// The batches that they came in.
pub const HSTREAM_METRIC_BATCHES_IN: i32 = 10;
/// Records that producers have accepted and not reported yet.
pub const HSTREAM_METRIC_QUEUED_RECORDS: i32 = 11;
/// Bytes of the producers' buffers in use.
pub const HSTREAM_METRIC_QUEUED_BYTES: i32 = 12;
/// Records that consumers received since they started and that were not acked.
pub const HSTREAM_METRIC_UNACKED: i32 = 13;
/// Acks that have not been sent.
pub const HSTREAM_METRIC_PENDING_ACKS: i32 = 14;
/// Microseconds that all calls took together.
pub const HSTREAM_METRIC_CALL_LATENCY_SUM_US: i32 = 15;
/// The calls of that sum.
pub const HSTREAM_METRIC_CALL_LATENCY_COUNT: i32 = 16;
/// Nodes of the cluster; those of the URL until it is known.
pub const HSTREAM_METRIC_NODES: i32 = 17;
/// Nodes that failed and have not answered since.
pub const HSTREAM_METRIC_NODES_IN_TROUBLE: i32 = 18;
/// Events that the callback did not get because it was slow.
pub const HSTREAM_METRIC_EVENTS_DROPPED: i32 = 19;
/// How often the cluster was looked at.
pub const HSTREAM_METRIC_REFRESHES: i32 = 20;

/// Writes what the client, its producers and its consumers have counted, and what they do, as one JSON object. It
/// asks no server. Keys are only added; what is not known is null:
///
///   totals        an object with each HSTREAM_METRIC_* by its name in small letters
///   nodes         for each node: address, state ("well" or "in_trouble"), last_success_age_ms, last_error,
///                 in_flight, calls, failures, latency_us
///   producers     for each: pending_records, pending_bytes
///   consumers     for each: subscription, name, state, last_record_age_ms, records, bytes, unacked,
///                 pending_acks, reconnects
///   view_age_ms   when the cluster was looked at last
///   tls           client_certificate_expires_ms, server_certificate_expires_ms, since 1970
///
/// latency_us has count, sum, p50, p90, p99 and max, in microseconds.
///
/// May be NULL: `text_len`, `err`.
///
/// **Ownership**: `*text` is yours, to be freed with `hstream_string_free`.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: NULL_ARGUMENT.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn hstream_client_metrics_json(
    client: *mut hstream_client_t,
    text: Option<&mut MaybeUninit<*mut c_char>>,
    text_len: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut hstream_error_t>>,
) -> hstream_code_t {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::on(client, "client", err, |client| {
        let text = given(text, "text")?;
        bytes::give_text(&client.parent().metrics().to_json(), text, text_len)
    })
}

/// Returns one number, HSTREAM_METRIC_*; 0 for others.
///
/// **Ownership**: Nothing changes hands.
/// **Threads**: any, several at once.
/// **Blocking**: no.
/// **Errors**: none.
/// **Since**: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hstream_client_metric(client: *mut hstream_client_t, metric: i32) -> u64 {
    // SAFETY: `client` is NULL or a living handle, as the rules for callers say.
    let client = unsafe { handles::enter(client) };
    boundary::ask(client, 0, |client| Metric::of(metric).map_or(0, |metric| client.parent().metric(metric)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_constant_is_the_number_of_the_metric_of_its_name() {
        let header = include_str!("../../include/hstreamdb.h");
        for metric in Metric::ALL {
            let name = metric.name().to_uppercase();
            let line = format!("#define HSTREAM_METRIC_{name} {}\n", *metric as i32);
            assert!(header.contains(&line), "{line}");
            assert_eq!(Metric::of(*metric as i32), Some(*metric));
        }
        assert_eq!(header.matches("#define HSTREAM_METRIC_").count(), Metric::ALL.len());
        assert_eq!(Metric::of(0), None);
    }
}
