//! Codes, their names and what to do about them. Numbers are for ever; new ones go to the end of their range.

// Most are for readers of the header.
#![allow(dead_code)]

use std::ffi::CStr;

use crate::error::{Category, Error, ErrorKind};

/// What every function that can fail returns. New codes may come: have a default branch.
pub type hstream_code_t = i32;

/// Success.
pub const HSTREAM_OK: i32 = 0;
/// A value is out of range or malformed.
pub const HSTREAM_ERR_INVALID_ARGUMENT: i32 = 1;
/// A parameter that is needed is NULL.
pub const HSTREAM_ERR_NULL_ARGUMENT: i32 = 2;
/// The caller's time was up.
pub const HSTREAM_ERR_TIMEOUT: i32 = 3;
/// A cancel object was triggered.
pub const HSTREAM_ERR_INTERRUPTED: i32 = 4;
/// The handle is closed or closing.
pub const HSTREAM_ERR_CLOSED: i32 = 5;
/// No node could be reached.
pub const HSTREAM_ERR_UNAVAILABLE: i32 = 6;
/// The producer's buffer is full and waiting was not wanted.
pub const HSTREAM_ERR_QUEUE_FULL: i32 = 7;
/// A wait on a handle from its own callback.
pub const HSTREAM_ERR_WOULD_DEADLOCK: i32 = 8;
/// The handle was made before a fork.
pub const HSTREAM_ERR_FORKED: i32 = 9;
/// A bug in this library, caught; the handle is out of use.
pub const HSTREAM_ERR_PANIC: i32 = 10;
/// No thread, descriptor or memory could be had.
pub const HSTREAM_ERR_RESOURCES: i32 = 11;
/// A text that must be UTF-8 is not.
pub const HSTREAM_ERR_UTF8: i32 = 12;
/// Not JSON, not an object, or a number that a double cannot hold.
pub const HSTREAM_ERR_JSON: i32 = 13;
/// Certificates, names, handshakes.
pub const HSTREAM_ERR_TLS: i32 = 14;
/// Received bytes cannot be decoded.
pub const HSTREAM_ERR_DECODE: i32 = 15;
/// Compressing or decompressing failed, or this build lacks it.
pub const HSTREAM_ERR_COMPRESSION: i32 = 16;
/// The server is too old, or this build or platform cannot do it.
pub const HSTREAM_ERR_UNSUPPORTED: i32 = 17;
/// The caller's buffer is too small; the size needed was written.
pub const HSTREAM_ERR_BUFFER_TOO_SMALL: i32 = 18;
/// The header and the library do not fit.
pub const HSTREAM_ERR_ABI_MISMATCH: i32 = 19;
/// The right call at the wrong time.
pub const HSTREAM_ERR_INVALID_STATE: i32 = 20;
/// The record was not sent: close, free, or a failure before it in its shard.
pub const HSTREAM_ERR_ABORTED: i32 = 21;
/// A record is over the server's limit on its own.
pub const HSTREAM_ERR_RECORD_TOO_LARGE: i32 = 22;
/// All is read.
pub const HSTREAM_END: i32 = 23;
/// Another thread is inside a function that serves one caller at a time.
pub const HSTREAM_ERR_BUSY: i32 = 24;
/// Options contradict each other.
pub const HSTREAM_ERR_CONFIG: i32 = 25;
/// The process or the library is going down.
pub const HSTREAM_ERR_SHUTTING_DOWN: i32 = 26;
/// The server said something impossible.
pub const HSTREAM_ERR_PROTOCOL: i32 = 27;
/// There is no option of this name.
pub const HSTREAM_ERR_UNKNOWN_OPTION: i32 = 28;
/// The server cancelled the call.
pub const HSTREAM_ERR_GRPC_CANCELLED: i32 = 101;
/// The server failed for an unknown reason.
pub const HSTREAM_ERR_GRPC_UNKNOWN: i32 = 102;
/// The server refused an argument.
pub const HSTREAM_ERR_GRPC_INVALID_ARGUMENT: i32 = 103;
/// The server ran out of time.
pub const HSTREAM_ERR_GRPC_DEADLINE_EXCEEDED: i32 = 104;
/// The server does not have it.
pub const HSTREAM_ERR_GRPC_NOT_FOUND: i32 = 105;
/// The server has it already.
pub const HSTREAM_ERR_GRPC_ALREADY_EXISTS: i32 = 106;
/// The server does not allow it.
pub const HSTREAM_ERR_GRPC_PERMISSION_DENIED: i32 = 107;
/// A limit of the server.
pub const HSTREAM_ERR_GRPC_RESOURCE_EXHAUSTED: i32 = 108;
/// Something must be changed on the server first.
pub const HSTREAM_ERR_GRPC_FAILED_PRECONDITION: i32 = 109;
/// The server aborted the call.
pub const HSTREAM_ERR_GRPC_ABORTED: i32 = 110;
/// The server says: out of range.
pub const HSTREAM_ERR_GRPC_OUT_OF_RANGE: i32 = 111;
/// The server does not have this call.
pub const HSTREAM_ERR_GRPC_UNIMPLEMENTED: i32 = 112;
/// A fault inside the server.
pub const HSTREAM_ERR_GRPC_INTERNAL: i32 = 113;
/// The server cannot serve this now.
pub const HSTREAM_ERR_GRPC_UNAVAILABLE: i32 = 114;
/// The server lost data.
pub const HSTREAM_ERR_GRPC_DATA_LOSS: i32 = 115;
/// The server wants credentials.
pub const HSTREAM_ERR_GRPC_UNAUTHENTICATED: i32 = 116;
/// The server: stream not found.
pub const HSTREAM_ERR_STREAM_NOT_FOUND: i32 = 200;
/// The server: stream exists.
pub const HSTREAM_ERR_STREAM_EXISTS: i32 = 201;
/// The server: stream found subscription.
pub const HSTREAM_ERR_STREAM_FOUND_SUBSCRIPTION: i32 = 202;
/// The server: stream invalid replica factor.
pub const HSTREAM_ERR_STREAM_INVALID_REPLICA_FACTOR: i32 = 203;
/// The server: stream invalid object identifier.
pub const HSTREAM_ERR_STREAM_INVALID_OBJECT_IDENTIFIER: i32 = 204;
/// The server: stream invalid shard count.
pub const HSTREAM_ERR_STREAM_INVALID_SHARD_COUNT: i32 = 205;
/// The server: stream empty batched record.
pub const HSTREAM_ERR_STREAM_EMPTY_BATCHED_RECORD: i32 = 206;
/// The server: stream invalid record size.
pub const HSTREAM_ERR_STREAM_INVALID_RECORD_SIZE: i32 = 207;
/// The server: stream invalid offset.
pub const HSTREAM_ERR_STREAM_INVALID_OFFSET: i32 = 208;
/// The server: stream invalid record id.
pub const HSTREAM_ERR_STREAM_INVALID_RECORD_ID: i32 = 209;
/// The server: stream shard not exists.
pub const HSTREAM_ERR_STREAM_SHARD_NOT_EXISTS: i32 = 210;
/// The server: subscription not found.
pub const HSTREAM_ERR_SUBSCRIPTION_NOT_FOUND: i32 = 300;
/// The server: subscription exists.
pub const HSTREAM_ERR_SUBSCRIPTION_EXISTS: i32 = 301;
/// The server: subscription creation on non existent stream.
pub const HSTREAM_ERR_SUBSCRIPTION_CREATION_ON_NONEXISTENT_STREAM: i32 = 302;
/// The server: subscription invalid offset.
pub const HSTREAM_ERR_SUBSCRIPTION_INVALID_OFFSET: i32 = 303;
/// The server: subscription invalid object identifier.
pub const HSTREAM_ERR_SUBSCRIPTION_INVALID_OBJECT_IDENTIFIER: i32 = 304;
/// The server: subscription found active consumers.
pub const HSTREAM_ERR_SUBSCRIPTION_FOUND_ACTIVE_CONSUMERS: i32 = 305;
/// The server: query not found.
pub const HSTREAM_ERR_QUERY_NOT_FOUND: i32 = 400;
/// The server: query exists.
pub const HSTREAM_ERR_QUERY_EXISTS: i32 = 401;
/// The server: query invalid SQL.
pub const HSTREAM_ERR_QUERY_INVALID_SQL: i32 = 402;
/// The server: query found associated view.
pub const HSTREAM_ERR_QUERY_FOUND_ASSOCIATED_VIEW: i32 = 403;
/// The server: query invalid object identifier.
pub const HSTREAM_ERR_QUERY_INVALID_OBJECT_IDENTIFIER: i32 = 404;
/// The server: query still running.
pub const HSTREAM_ERR_QUERY_STILL_RUNNING: i32 = 405;
/// The server: query not running.
pub const HSTREAM_ERR_QUERY_NOT_RUNNING: i32 = 406;
/// The server: query not terminated.
pub const HSTREAM_ERR_QUERY_NOT_TERMINATED: i32 = 407;
/// The server: query already terminated.
pub const HSTREAM_ERR_QUERY_ALREADY_TERMINATED: i32 = 408;
/// The server: view not found.
pub const HSTREAM_ERR_VIEW_NOT_FOUND: i32 = 500;
/// The server: view exists.
pub const HSTREAM_ERR_VIEW_EXISTS: i32 = 501;
/// The server: view invalid SQL.
pub const HSTREAM_ERR_VIEW_INVALID_SQL: i32 = 502;
/// The server: view invalid object identifier.
pub const HSTREAM_ERR_VIEW_INVALID_OBJECT_IDENTIFIER: i32 = 503;
/// The server: connector not found.
pub const HSTREAM_ERR_CONNECTOR_NOT_FOUND: i32 = 600;
/// The server: connector exists.
pub const HSTREAM_ERR_CONNECTOR_EXISTS: i32 = 601;
/// The server: connector invalid type.
pub const HSTREAM_ERR_CONNECTOR_INVALID_TYPE: i32 = 602;
/// The server: connector invalid object identifier.
pub const HSTREAM_ERR_CONNECTOR_INVALID_OBJECT_IDENTIFIER: i32 = 603;
/// The server: connector check failed.
pub const HSTREAM_ERR_CONNECTOR_CHECK_FAILED: i32 = 604;
/// The server: connector unimplemented.
pub const HSTREAM_ERR_CONNECTOR_UNIMPLEMENTED: i32 = 605;
/// The server: connector invalid status.
pub const HSTREAM_ERR_CONNECTOR_INVALID_STATUS: i32 = 606;
/// The server: wrong server.
pub const HSTREAM_ERR_WRONG_SERVER: i32 = 800;
/// The server: shard reader invalid object identifier.
pub const HSTREAM_ERR_SHARD_READER_INVALID_OBJECT_IDENTIFIER: i32 = 900;
/// The server: shard reader conflict offset.
pub const HSTREAM_ERR_SHARD_READER_CONFLICT_OFFSET: i32 = 901;
/// The server: shard reader too many shards.
pub const HSTREAM_ERR_SHARD_READER_TOO_MANY_SHARDS: i32 = 902;
/// The server: shard reader data loss gap.
pub const HSTREAM_ERR_SHARD_READER_DATA_LOSS_GAP: i32 = 903;
/// The server: shard reader access gap.
pub const HSTREAM_ERR_SHARD_READER_ACCESS_GAP: i32 = 904;
/// The server: shard reader not in config gap.
pub const HSTREAM_ERR_SHARD_READER_NOT_IN_CONFIG_GAP: i32 = 905;
/// The server: shard reader unknown gap.
pub const HSTREAM_ERR_SHARD_READER_UNKNOWN_GAP: i32 = 906;
/// Not known to this library.
pub const HSTREAM_CATEGORY_OTHER: i32 = 0;
/// The call itself is wrong; the same call fails again.
pub const HSTREAM_CATEGORY_CALLER: i32 = 1;
/// It may work later.
pub const HSTREAM_CATEGORY_TRANSIENT: i32 = 2;
/// The thing does not exist.
pub const HSTREAM_CATEGORY_NOT_FOUND: i32 = 3;
/// The thing exists already.
pub const HSTREAM_CATEGORY_EXISTS: i32 = 4;
/// Not allowed.
pub const HSTREAM_CATEGORY_DENIED: i32 = 5;
/// Something must be changed first, by somebody.
pub const HSTREAM_CATEGORY_STATE: i32 = 6;
/// Time was up, or the wait was interrupted.
pub const HSTREAM_CATEGORY_TIMEOUT: i32 = 7;
/// The handle is closed, or all is delivered.
pub const HSTREAM_CATEGORY_ENDED: i32 = 8;
/// Broken data, or a bug.
pub const HSTREAM_CATEGORY_INTERNAL: i32 = 9;

struct Entry {
    code: i32,
    name: &'static CStr,
    category: Category,
    description: &'static CStr,
}

const fn entry(code: i32, name: &'static CStr, category: Category, description: &'static CStr) -> Entry {
    Entry { code, name, category, description }
}

use Category::*;

/// All codes, sorted.
#[rustfmt::skip]
static CODES: &[Entry] = &[
    entry(1, c"INVALID_ARGUMENT", Caller, c"a value is out of range or malformed"),
    entry(2, c"NULL_ARGUMENT", Caller, c"a parameter that is needed is NULL"),
    entry(3, c"TIMEOUT", Timeout, c"the caller's time was up"),
    entry(4, c"INTERRUPTED", Timeout, c"a cancel object was triggered"),
    entry(5, c"CLOSED", Ended, c"the handle is closed or closing"),
    entry(6, c"UNAVAILABLE", Transient, c"no node could be reached"),
    entry(7, c"QUEUE_FULL", Transient, c"the producer's buffer is full and waiting was not wanted"),
    entry(8, c"WOULD_DEADLOCK", Caller, c"a wait on a handle from its own callback"),
    entry(9, c"FORKED", State, c"the handle was made before a fork"),
    entry(10, c"PANIC", Internal, c"a bug in this library, caught; the handle is out of use"),
    entry(11, c"RESOURCES", Transient, c"no thread, descriptor or memory could be had"),
    entry(12, c"UTF8", Caller, c"a text that must be UTF-8 is not"),
    entry(13, c"JSON", Caller, c"not JSON, not an object, or a number that a double cannot hold"),
    entry(14, c"TLS", Denied, c"certificates, names, handshakes"),
    entry(15, c"DECODE", Internal, c"received bytes cannot be decoded"),
    entry(16, c"COMPRESSION", Internal, c"compressing or decompressing failed, or this build lacks it"),
    entry(17, c"UNSUPPORTED", Caller, c"the server is too old, or this build or platform cannot do it"),
    entry(18, c"BUFFER_TOO_SMALL", Caller, c"the caller's buffer is too small; the size needed was written"),
    entry(19, c"ABI_MISMATCH", Caller, c"the header and the library do not fit"),
    entry(20, c"INVALID_STATE", State, c"the right call at the wrong time"),
    entry(21, c"ABORTED", Ended, c"the record was not sent: close, free, or a failure before it in its shard"),
    entry(22, c"RECORD_TOO_LARGE", Caller, c"a record is over the server's limit on its own"),
    entry(23, c"END", Ended, c"all is read"),
    entry(24, c"BUSY", Transient, c"another thread is inside a function that serves one caller at a time"),
    entry(25, c"CONFIG", Caller, c"options contradict each other"),
    entry(26, c"SHUTTING_DOWN", Ended, c"the process or the library is going down"),
    entry(27, c"PROTOCOL", Internal, c"the server said something impossible"),
    entry(28, c"UNKNOWN_OPTION", Caller, c"there is no option of this name"),
    entry(101, c"GRPC_CANCELLED", Transient, c"the server cancelled the call"),
    entry(102, c"GRPC_UNKNOWN", Internal, c"the server failed for an unknown reason"),
    entry(103, c"GRPC_INVALID_ARGUMENT", Caller, c"the server refused an argument"),
    entry(104, c"GRPC_DEADLINE_EXCEEDED", Timeout, c"the server ran out of time"),
    entry(105, c"GRPC_NOT_FOUND", NotFound, c"the server does not have it"),
    entry(106, c"GRPC_ALREADY_EXISTS", Exists, c"the server has it already"),
    entry(107, c"GRPC_PERMISSION_DENIED", Denied, c"the server does not allow it"),
    entry(108, c"GRPC_RESOURCE_EXHAUSTED", Caller, c"a limit of the server"),
    entry(109, c"GRPC_FAILED_PRECONDITION", State, c"something must be changed on the server first"),
    entry(110, c"GRPC_ABORTED", Transient, c"the server aborted the call"),
    entry(111, c"GRPC_OUT_OF_RANGE", Internal, c"the server says: out of range"),
    entry(112, c"GRPC_UNIMPLEMENTED", Caller, c"the server does not have this call"),
    entry(113, c"GRPC_INTERNAL", Internal, c"a fault inside the server"),
    entry(114, c"GRPC_UNAVAILABLE", Transient, c"the server cannot serve this now"),
    entry(115, c"GRPC_DATA_LOSS", Internal, c"the server lost data"),
    entry(116, c"GRPC_UNAUTHENTICATED", Denied, c"the server wants credentials"),
    entry(200, c"STREAM_NOT_FOUND", NotFound, c"the server: stream not found"),
    entry(201, c"STREAM_EXISTS", Exists, c"the server: stream exists"),
    entry(202, c"STREAM_FOUND_SUBSCRIPTION", State, c"the server: stream found subscription"),
    entry(203, c"STREAM_INVALID_REPLICA_FACTOR", Caller, c"the server: stream invalid replica factor"),
    entry(204, c"STREAM_INVALID_OBJECT_IDENTIFIER", Caller, c"the server: stream invalid object identifier"),
    entry(205, c"STREAM_INVALID_SHARD_COUNT", Caller, c"the server: stream invalid shard count"),
    entry(206, c"STREAM_EMPTY_BATCHED_RECORD", Caller, c"the server: stream empty batched record"),
    entry(207, c"STREAM_INVALID_RECORD_SIZE", Caller, c"the server: stream invalid record size"),
    entry(208, c"STREAM_INVALID_OFFSET", Caller, c"the server: stream invalid offset"),
    entry(209, c"STREAM_INVALID_RECORD_ID", Caller, c"the server: stream invalid record id"),
    entry(210, c"STREAM_SHARD_NOT_EXISTS", NotFound, c"the server: stream shard not exists"),
    entry(300, c"SUBSCRIPTION_NOT_FOUND", NotFound, c"the server: subscription not found"),
    entry(301, c"SUBSCRIPTION_EXISTS", Exists, c"the server: subscription exists"),
    entry(302, c"SUBSCRIPTION_CREATION_ON_NONEXISTENT_STREAM", NotFound, c"the server: subscription creation on non existent stream"),
    entry(303, c"SUBSCRIPTION_INVALID_OFFSET", Caller, c"the server: subscription invalid offset"),
    entry(304, c"SUBSCRIPTION_INVALID_OBJECT_IDENTIFIER", Caller, c"the server: subscription invalid object identifier"),
    entry(305, c"SUBSCRIPTION_FOUND_ACTIVE_CONSUMERS", State, c"the server: subscription found active consumers"),
    entry(400, c"QUERY_NOT_FOUND", NotFound, c"the server: query not found"),
    entry(401, c"QUERY_EXISTS", Exists, c"the server: query exists"),
    entry(402, c"QUERY_INVALID_SQL", Caller, c"the server: query invalid SQL"),
    entry(403, c"QUERY_FOUND_ASSOCIATED_VIEW", State, c"the server: query found associated view"),
    entry(404, c"QUERY_INVALID_OBJECT_IDENTIFIER", Caller, c"the server: query invalid object identifier"),
    entry(405, c"QUERY_STILL_RUNNING", State, c"the server: query still running"),
    entry(406, c"QUERY_NOT_RUNNING", State, c"the server: query not running"),
    entry(407, c"QUERY_NOT_TERMINATED", State, c"the server: query not terminated"),
    entry(408, c"QUERY_ALREADY_TERMINATED", State, c"the server: query already terminated"),
    entry(500, c"VIEW_NOT_FOUND", NotFound, c"the server: view not found"),
    entry(501, c"VIEW_EXISTS", Exists, c"the server: view exists"),
    entry(502, c"VIEW_INVALID_SQL", Caller, c"the server: view invalid SQL"),
    entry(503, c"VIEW_INVALID_OBJECT_IDENTIFIER", Caller, c"the server: view invalid object identifier"),
    entry(600, c"CONNECTOR_NOT_FOUND", NotFound, c"the server: connector not found"),
    entry(601, c"CONNECTOR_EXISTS", Exists, c"the server: connector exists"),
    entry(602, c"CONNECTOR_INVALID_TYPE", Caller, c"the server: connector invalid type"),
    entry(603, c"CONNECTOR_INVALID_OBJECT_IDENTIFIER", Caller, c"the server: connector invalid object identifier"),
    entry(604, c"CONNECTOR_CHECK_FAILED", State, c"the server: connector check failed"),
    entry(605, c"CONNECTOR_UNIMPLEMENTED", Caller, c"the server: connector unimplemented"),
    entry(606, c"CONNECTOR_INVALID_STATUS", State, c"the server: connector invalid status"),
    entry(800, c"WRONG_SERVER", Transient, c"the server: wrong server"),
    entry(900, c"SHARD_READER_INVALID_OBJECT_IDENTIFIER", Caller, c"the server: shard reader invalid object identifier"),
    entry(901, c"SHARD_READER_CONFLICT_OFFSET", Caller, c"the server: shard reader conflict offset"),
    entry(902, c"SHARD_READER_TOO_MANY_SHARDS", Caller, c"the server: shard reader too many shards"),
    entry(903, c"SHARD_READER_DATA_LOSS_GAP", Internal, c"the server: shard reader data loss gap"),
    entry(904, c"SHARD_READER_ACCESS_GAP", Internal, c"the server: shard reader access gap"),
    entry(905, c"SHARD_READER_NOT_IN_CONFIG_GAP", Internal, c"the server: shard reader not in config gap"),
    entry(906, c"SHARD_READER_UNKNOWN_GAP", Internal, c"the server: shard reader unknown gap"),
];

fn find(code: i32) -> Option<&'static Entry> {
    CODES.binary_search_by_key(&code, |entry| entry.code).ok().map(|index| &CODES[index])
}

/// The name of a code, without its prefix; `UNKNOWN` if it has none.
pub(crate) fn name(code: i32) -> &'static CStr {
    match code {
        HSTREAM_OK => c"OK",
        _ => find(code).map_or(c"UNKNOWN", |entry| entry.name),
    }
}

/// One line about a code.
pub(crate) fn description(code: i32) -> &'static CStr {
    match code {
        HSTREAM_OK => c"success",
        _ => find(code).map_or(c"a code that this library does not know", |entry| entry.description),
    }
}

pub(crate) fn category(code: i32) -> i32 {
    find(code).map_or(HSTREAM_CATEGORY_OTHER, |entry| category_number(entry.category))
}

/// Whether trying the same again later may help.
pub(crate) fn is_retryable(code: i32) -> bool {
    find(code).is_some_and(|entry| matches!(entry.category, Transient | Timeout))
}

fn category_number(category: Category) -> i32 {
    match category {
        Caller => HSTREAM_CATEGORY_CALLER,
        Transient => HSTREAM_CATEGORY_TRANSIENT,
        NotFound => HSTREAM_CATEGORY_NOT_FOUND,
        Exists => HSTREAM_CATEGORY_EXISTS,
        Denied => HSTREAM_CATEGORY_DENIED,
        State => HSTREAM_CATEGORY_STATE,
        Timeout => HSTREAM_CATEGORY_TIMEOUT,
        Ended => HSTREAM_CATEGORY_ENDED,
        Internal => HSTREAM_CATEGORY_INTERNAL,
    }
}

pub(crate) fn code_of(error: &Error) -> hstream_code_t {
    match error.kind() {
        ErrorKind::InvalidArgument => HSTREAM_ERR_INVALID_ARGUMENT,
        ErrorKind::Timeout => HSTREAM_ERR_TIMEOUT,
        ErrorKind::Interrupted => HSTREAM_ERR_INTERRUPTED,
        ErrorKind::Closed => HSTREAM_ERR_CLOSED,
        ErrorKind::Unavailable => HSTREAM_ERR_UNAVAILABLE,
        ErrorKind::QueueFull => HSTREAM_ERR_QUEUE_FULL,
        ErrorKind::WouldDeadlock => HSTREAM_ERR_WOULD_DEADLOCK,
        ErrorKind::Resources => HSTREAM_ERR_RESOURCES,
        ErrorKind::Json => HSTREAM_ERR_JSON,
        ErrorKind::Tls => HSTREAM_ERR_TLS,
        ErrorKind::Decode => HSTREAM_ERR_DECODE,
        ErrorKind::Compression => HSTREAM_ERR_COMPRESSION,
        ErrorKind::Unsupported => HSTREAM_ERR_UNSUPPORTED,
        ErrorKind::InvalidState => HSTREAM_ERR_INVALID_STATE,
        ErrorKind::Busy => HSTREAM_ERR_BUSY,
        ErrorKind::Aborted => HSTREAM_ERR_ABORTED,
        ErrorKind::RecordTooLarge => HSTREAM_ERR_RECORD_TOO_LARGE,
        ErrorKind::Config => HSTREAM_ERR_CONFIG,
        ErrorKind::UnknownOption => HSTREAM_ERR_UNKNOWN_OPTION,
        ErrorKind::Panic => HSTREAM_ERR_PANIC,
        ErrorKind::Protocol => HSTREAM_ERR_PROTOCOL,
        ErrorKind::Server => server_code(error),
    }
}

/// The server's own code, or the gRPC status where that says nothing.
fn server_code(error: &Error) -> hstream_code_t {
    let Some(server) = error.server() else { return HSTREAM_ERR_PROTOCOL };
    match server.code() {
        _ if error.is_missing() => HSTREAM_ERR_GRPC_NOT_FOUND,
        // Ranges are fixed: other numbers would be mistaken for codes of ours.
        Some(code @ 200..=999) => code,
        _ if (1..=16).contains(&server.grpc_status()) => 100 + server.grpc_status(),
        _ => HSTREAM_ERR_GRPC_UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ErrorCode;

    #[test]
    fn codes_are_sorted_and_all_of_the_servers_are_named() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        let known: Vec<_> = (1..1000).filter(|code| ErrorCode::try_from(*code).is_ok()).collect();
        assert_eq!(known.len(), 45);
        assert!(known.iter().all(|code| find(*code).is_some()));
    }

    #[test]
    fn unknown_numbers_are_survived() {
        for code in [-1, 99, 117, 1000, i32::MIN, i32::MAX] {
            assert_eq!(name(code), c"UNKNOWN");
            assert_eq!(category(code), HSTREAM_CATEGORY_OTHER);
            assert!(!is_retryable(code));
        }
        assert_eq!(name(HSTREAM_ERR_STREAM_NOT_FOUND), c"STREAM_NOT_FOUND");
    }

    #[test]
    fn a_server_error_is_its_own_code_or_its_status() {
        let text = r#"{"error":200,"extra":"s","message":"StreamNotFound"}"#;
        assert_eq!(code_of(&Error::from_server(5, text)), HSTREAM_ERR_STREAM_NOT_FOUND);
        let text = r#"{"error":0,"extra":"s","message":"ShardNotFound"}"#;
        assert_eq!(code_of(&Error::from_server(5, text)), HSTREAM_ERR_GRPC_NOT_FOUND);
        assert_eq!(code_of(&Error::from_server(14, "gone")), HSTREAM_ERR_GRPC_UNAVAILABLE);
        assert_eq!(code_of(&Error::from_server(99, "odd")), HSTREAM_ERR_GRPC_UNKNOWN);
    }
}
