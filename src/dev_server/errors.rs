//! The errors of a real server: a gRPC status whose text is a JSON object, and the ones whose text is plain.

use serde_json::Value;
use tonic::{Code, Status};

use crate::proto::ErrorCode;

/// An error of the server's own: the status of its class, its number, its name, and what varies.
pub(super) fn json(code: Code, error: ErrorCode, name: &str, extra: impl Into<Value>) -> Status {
    let body = serde_json::json!({ "error": error as i32, "extra": extra.into(), "message": name });
    Status::new(code, body.to_string())
}

pub(super) fn stream_not_found(name: &str) -> Status {
    json(Code::NotFound, ErrorCode::StreamNotFound, "StreamNotFound", name)
}

pub(super) fn subscription_not_found(id: &str) -> Status {
    json(Code::NotFound, ErrorCode::SubscriptionNotFound, "SubscriptionNotFound", id)
}

pub(super) fn shard_not_found(id: u64) -> Status {
    let extra = format!("Shard with id {id} is not found.");
    json(Code::NotFound, ErrorCode::InternalError, "ShardNotFound", extra)
}

pub(super) fn wrong_server(what: &str) -> Status {
    let extra = format!("{what} is bound to a different node");
    json(Code::FailedPrecondition, ErrorCode::WrongServer, "WrongServer", extra)
}

pub(super) fn subscription_is_deleting(extra: &str) -> Status {
    json(Code::Aborted, ErrorCode::InternalError, "SubscriptionIsDeleting", extra)
}

pub(super) fn invalid_subscription() -> Status {
    json(Code::Aborted, ErrorCode::InternalError, "SubscriptionInvalidError", "Invalid Subscription")
}

pub(super) fn invalid_consumer() -> Status {
    json(Code::Aborted, ErrorCode::InternalError, "ConsumerInvalidError", "Invalid Consumer")
}

pub(super) fn stream_read_close() -> Status {
    json(Code::Cancelled, ErrorCode::InternalError, "StreamReadClose", "Consumer is closed")
}

pub(super) fn stream_read_error() -> Status {
    json(Code::Cancelled, ErrorCode::InternalError, "StreamReadError", "Consumer recv error")
}

/// What the store says of a log it does not know, to an append or a listing of shards.
pub(super) fn unknown_log() -> Status {
    Status::unavailable("requested identifier does not exist")
}

/// What the store says of a batch that it won't take.
pub(super) fn too_big() -> Status {
    Status::invalid_argument("argument or return value too big")
}

/// An exception that nobody foresaw; the spelling is the server's.
pub(super) fn unknown_exception(text: &str) -> Status {
    Status::unknown(format!("UnKnown exception: {text}"))
}

pub(super) fn no_such_handler(path: &str) -> Status {
    Status::unimplemented(format!("No such handler: {path}"))
}

/// What gRPC itself says of a message over its limit.
pub(super) fn message_too_large() -> Status {
    Status::resource_exhausted(format!("Received message larger than max ({})", super::node::LARGEST_MESSAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_json_objects_with_keys_in_alphabetical_order() {
        let status = stream_not_found("a \"b\"");
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.message(), r#"{"error":200,"extra":"a \"b\"","message":"StreamNotFound"}"#);
        let status = json(Code::InvalidArgument, ErrorCode::StreamInvalidRecordSize, "x", 7);
        assert_eq!(status.message(), r#"{"error":207,"extra":7,"message":"x"}"#);
    }
}
