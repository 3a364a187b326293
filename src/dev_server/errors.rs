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

/// The number is that of queries.
pub(super) fn view_not_found(id: &str) -> Status {
    json(Code::NotFound, ErrorCode::QueryNotFound, "ViewNotFound", id)
}

pub(super) fn shard_not_found(id: u64) -> Status {
    let extra = format!("Shard with id {id} is not found.");
    json(Code::NotFound, ErrorCode::InternalError, "ShardNotFound", extra)
}

pub(super) fn wrong_server(extra: &str) -> Status {
    json(Code::FailedPrecondition, ErrorCode::WrongServer, "WrongServer", extra)
}

/// The same as older servers say it.
pub(super) fn wrong_server_of_old(extra: &str) -> Status {
    json(Code::Aborted, ErrorCode::InternalError, "SubscriptionOnDifferentNode", extra)
}

/// An error of the server's own as servers before 0.15 sent them: only what varies, as text.
pub(super) fn bare(status: &Status) -> Status {
    let body = serde_json::from_str::<Value>(status.message()).ok();
    let Some(body) = body.filter(|body| body.get("error").is_some()) else { return status.clone() };
    let text = match (body.get("extra"), body.get("message")) {
        (Some(Value::String(extra)), _) => extra.clone(),
        (_, Some(Value::String(message))) => message.clone(),
        _ => return status.clone(),
    };
    Status::new(status.code(), text)
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

pub(super) fn stream_read_close(extra: &str) -> Status {
    json(Code::Cancelled, ErrorCode::InternalError, "StreamReadClose", extra)
}

pub(super) fn stream_read_error() -> Status {
    json(Code::Cancelled, ErrorCode::InternalError, "StreamReadError", "Consumer recv error")
}

/// What the store says of a log it does not know, to an append or a listing of shards.
pub(super) fn unknown_log() -> Status {
    Status::unavailable("requested identifier does not exist")
}

/// The same where nobody thought of it.
pub(super) fn missing_in_store() -> Status {
    Status::internal("requested identifier does not exist")
}

/// The store's words for a number out of its range.
pub(super) const TOO_BIG: &str = "argument or return value too big";

/// What the store says of a batch that it won't take, or a place that it doesn't have.
pub(super) fn too_big() -> Status {
    Status::invalid_argument(TOO_BIG)
}

/// What this server says of what only a real one can do.
pub(super) fn not_here(what: &str) -> Status {
    Status::unimplemented(format!("the development server has no {what}"))
}

/// An exception that nobody foresaw; the spelling is the server's.
pub(super) fn unknown_exception(text: &str) -> Status {
    Status::unknown(format!("UnKnown exception: {text}"))
}

pub(super) fn no_such_handler(path: &str) -> Status {
    Status::unimplemented(format!("No such handler: {path}"))
}

/// What the server says of what is no message, in calls that are answered in parts.
pub(super) fn undecodable(ours: &Status) -> Status {
    Status::internal(format!("streamRead decoding request failed: {}", ours.message()))
}

/// What gRPC itself says of a message over its limit, from what our library says: `found 5 bytes, ...`.
pub(super) fn message_too_large(ours: &Status) -> Status {
    let mut numbers = ours.message().split(|each: char| !each.is_ascii_digit());
    let length = numbers.find(|digits| !digits.is_empty()).unwrap_or("?");
    let limit = super::node::LARGEST_MESSAGE;
    Status::resource_exhausted(format!("Received message larger than max ({length} vs. {limit})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Server behaviour, section 14.
    #[test]
    fn errors_of_old_servers_are_bare_text() {
        assert_eq!(bare(&stream_not_found("s")).message(), "s");
        let null = json(Code::FailedPrecondition, ErrorCode::StreamFoundSubscription, "has one", Value::Null);
        assert_eq!(bare(&null).message(), "has one");
        assert_eq!(bare(&too_big()).message(), TOO_BIG);
        assert_eq!(bare(&Status::unknown("[1]")).message(), "[1]");
    }

    #[test]
    fn errors_are_json_objects_with_keys_in_alphabetical_order() {
        let status = stream_not_found("a \"b\"");
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.message(), r#"{"error":200,"extra":"a \"b\"","message":"StreamNotFound"}"#);
        let status = json(Code::InvalidArgument, ErrorCode::StreamInvalidRecordSize, "x", 7);
        assert_eq!(status.message(), r#"{"error":207,"extra":7,"message":"x"}"#);
    }
}
