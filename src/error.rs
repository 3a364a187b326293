//! The one error type: what failed, on what, where, and what can be done about it.

use std::fmt;
use std::sync::Arc;

use crate::proto;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something failed.
///
/// It names the operation and the thing it was about, the node that answered or could not be reached,
/// and keeps the server's own words beside ours. Clones are cheap: an error that ends a whole batch is
/// shared by all its records. It never contains a password, a token or a payload.
#[derive(Clone)]
pub struct Error {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    subject: Option<String>,
    node: Option<String>,
    attempts: u32,
    ambiguous: bool,
    shards_are_gone: bool,
    is_missing: bool,
    server: Option<ServerError>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What kind of failure an [`Error`] is. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value is out of range or malformed; the message names it.
    InvalidArgument,
    /// The caller's time was up. Of a write see [`Error::is_ambiguous`].
    Timeout,
    /// A [`Cancel`](crate::Cancel) object was triggered.
    Interrupted,
    /// The handle is closed or closing.
    Closed,
    /// No node could be reached; the message ends with the last cause.
    Unavailable,
    /// The producer's buffer is full and waiting was not wanted.
    QueueFull,
    /// A wait on a handle from its own callback.
    WouldDeadlock,
    /// No thread or descriptor could be had.
    Resources,
    /// Not JSON, not an object, or a number that a double cannot hold.
    Json,
    /// Certificates, names, handshakes.
    Tls,
    /// Received bytes cannot be decoded.
    Decode,
    /// Compressing or decompressing failed, or a compression that this build lacks.
    Compression,
    /// The server is too old, or this build or platform cannot do it.
    Unsupported,
    /// The right call at the wrong time.
    InvalidState,
    /// Another thread is inside a function that serves one caller at a time.
    Busy,
    /// A record was not sent: close, or a failure before it in its shard.
    Aborted,
    /// A record is over the server's limit on its own.
    RecordTooLarge,
    /// Options that contradict each other.
    Config,
    /// There is no option of this name.
    UnknownOption,
    /// A bug in this crate or in a callback, caught.
    Panic,
    /// The server said something impossible.
    Protocol,
    /// The server refused; see [`Error::server`].
    Server,
}

/// What a caller can do about an error, coarser than [`ErrorKind`]. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// The call itself is wrong; the same call fails again.
    Caller,
    /// It may work later.
    Transient,
    /// The thing does not exist.
    NotFound,
    /// The thing exists already.
    Exists,
    /// Not allowed.
    Denied,
    /// Something must be changed first, by somebody.
    State,
    /// Time was up, or the wait was interrupted.
    Timeout,
    /// The handle is closed, or all is delivered.
    Ended,
    /// Broken data, or a bug.
    Internal,
}

/// A server's refusal, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    status: i32,
    code: Option<i32>,
    name: String,
    extra: Option<serde_json::Value>,
}

impl ServerError {
    /// Decodes the text of a failed call. HStreamDB sends a JSON object since v0.15.0; store and
    /// coordination errors stay plain text, and so is whatever does not parse as that object.
    pub(crate) fn from_status(status: i32, text: &str) -> Self {
        #[derive(Default)]
        struct Body {
            code: Option<i32>,
            name: Option<String>,
            extra: Option<serde_json::Value>,
        }
        fn body(text: &str) -> Option<Body> {
            let serde_json::Value::Object(mut object) = serde_json::from_str(text).ok()? else { return None };
            let code = object.get("error")?.as_i64()?;
            let name = object.get("message").and_then(|name| name.as_str()).map(str::to_owned);
            let extra = object.remove("extra").filter(|extra| !extra.is_null());
            Some(Body { code: i32::try_from(code).ok(), name, extra })
        }
        let Body { code, name, extra } = body(text).unwrap_or_default();
        let plain = if status == status::UNAUTHENTICATED { without_credentials(text) } else { text };
        let name = name.unwrap_or_else(|| if code.is_some() { String::new() } else { plain.to_owned() });
        ServerError { status, code, name, extra }
    }

    /// The gRPC status of the answer, as its number.
    pub fn grpc_status(&self) -> i32 {
        self.status
    }

    /// The server's own error code, if it sent one: 200 for "no such stream", and so on. 0 says
    /// nothing; look at [`name`](Self::name) then.
    pub fn code(&self) -> Option<i32> {
        self.code
    }

    /// The server's name for the error (`ShardNotFound`), or its plain text if it sent no JSON.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the server adds, as JSON text; empty if nothing.
    pub fn extra_json(&self) -> String {
        self.extra.as_ref().map(serde_json::Value::to_string).unwrap_or_default()
    }

    /// One line for people.
    fn describe(&self) -> String {
        let code = self.code.filter(|code| *code != 0).and_then(|code| proto::ErrorCode::try_from(code).ok());
        let what = match code {
            Some(code) => words(code.as_str_name()),
            None if self.code.is_some() => words(&self.name),
            None if self.name.is_empty() => status_name(self.status).to_owned(),
            None => self.name.clone(),
        };
        match self.extra.as_ref() {
            Some(serde_json::Value::String(extra)) if !extra.is_empty() => format!("{what}: {extra}"),
            Some(serde_json::Value::Number(extra)) => format!("{what}: {extra}"),
            _ => what,
        }
    }
}

/// Servers repeat the token that they refuse, behind a colon: it must not get into logs.
fn without_credentials(text: &str) -> &str {
    text.split_once(':').map_or(text, |(what, _)| what)
}

/// `StreamNotFound` as "stream not found"; anything that is not one such word stays as it is.
fn words(name: &str) -> String {
    if name.contains(' ') {
        return name.to_owned();
    }
    let mut text = String::with_capacity(name.len() + 8);
    for character in name.chars() {
        if character.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(character.to_lowercase());
    }
    text
}

/// The name that gRPC gives a status number.
pub(crate) fn status_name(status: i32) -> &'static str {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    usize::try_from(status).ok().and_then(|index| NAMES.get(index).copied()).unwrap_or("UNKNOWN")
}

/// The gRPC status numbers that decisions are made on.
pub(crate) mod status {
    pub(crate) const CANCELLED: i32 = 1;
    pub(crate) const UNKNOWN: i32 = 2;
    pub(crate) const INVALID_ARGUMENT: i32 = 3;
    pub(crate) const DEADLINE_EXCEEDED: i32 = 4;
    pub(crate) const NOT_FOUND: i32 = 5;
    pub(crate) const ALREADY_EXISTS: i32 = 6;
    pub(crate) const PERMISSION_DENIED: i32 = 7;
    pub(crate) const RESOURCE_EXHAUSTED: i32 = 8;
    pub(crate) const FAILED_PRECONDITION: i32 = 9;
    pub(crate) const ABORTED: i32 = 10;
    pub(crate) const OUT_OF_RANGE: i32 = 11;
    pub(crate) const UNIMPLEMENTED: i32 = 12;
    pub(crate) const INTERNAL: i32 = 13;
    pub(crate) const UNAVAILABLE: i32 = 14;
    pub(crate) const UNAUTHENTICATED: i32 = 16;
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            inner: Arc::new(Inner {
                kind,
                message: message.into(),
                operation: None,
                subject: None,
                node: None,
                attempts: 0,
                ambiguous: false,
                shards_are_gone: false,
                is_missing: false,
                server: None,
                source: None,
            }),
        }
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    pub(crate) fn closed(what: &str) -> Self {
        Self::new(ErrorKind::Closed, format!("the {what} is closed"))
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    /// An answer of the server.
    pub(crate) fn from_server(status: i32, text: &str) -> Self {
        let server = ServerError::from_status(status, text);
        let mut error = Self::new(ErrorKind::Server, server.describe());
        error.change().server = Some(server);
        error
    }

    pub(crate) fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.change().source = Some(Arc::new(source));
        self
    }

    /// What was attempted, and on what. The first to say it knows best.
    pub(crate) fn doing(mut self, operation: &'static str, subject: Option<String>) -> Self {
        if self.inner.operation.is_none() {
            let inner = self.change();
            inner.operation = Some(operation);
            inner.subject = subject;
        }
        self
    }

    /// Says it better, and keeps all else.
    pub(crate) fn saying(mut self, message: String) -> Self {
        self.change().message = message;
        self
    }

    pub(crate) fn at_node(mut self, node: impl fmt::Display) -> Self {
        self.change().node = Some(node.to_string());
        self
    }

    pub(crate) fn after_attempts(mut self, attempts: u32) -> Self {
        self.change().attempts = attempts;
        self
    }

    /// The stream is not the one that its shards were of: it was deleted and created anew.
    pub(crate) fn because_shards_are_gone(mut self) -> Self {
        self.change().shards_are_gone = true;
        self
    }

    pub(crate) fn shards_are_gone(&self) -> bool {
        self.inner.shards_are_gone
    }

    /// What it was about is not there, however the server put it.
    pub(crate) fn because_it_is_missing(mut self) -> Self {
        let inner = self.change();
        inner.is_missing = true;
        inner.ambiguous = false;
        self
    }

    #[cfg(feature = "ffi")]
    pub(crate) fn is_missing(&self) -> bool {
        self.inner.is_missing
    }

    /// The write may have happened all the same.
    pub(crate) fn ambiguous(mut self) -> Self {
        self.change().ambiguous = true;
        self
    }

    fn change(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.inner)
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What went wrong, without where it went wrong; [`Display`](fmt::Display) has both.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The server's own words, if a server refused.
    pub fn server(&self) -> Option<&ServerError> {
        self.inner.server.as_ref()
    }

    /// What was attempted: the name of the remote procedure or of the local step; empty if neither.
    pub fn operation(&self) -> &'static str {
        self.inner.operation.unwrap_or("")
    }

    /// The node that answered or failed, as `host:port`; empty if none was involved.
    pub fn node(&self) -> &str {
        self.inner.node.as_deref().unwrap_or("")
    }

    /// How many tries were made; 0 if it never got that far.
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// Whether a write may have happened although it is reported as failed: the connection broke or time
    /// ran out after it was sent. The protocol has no way to find out. Of a read by a named reader: whether it
    /// may have taken records from the reader that did not arrive.
    pub fn is_ambiguous(&self) -> bool {
        self.inner.ambiguous
    }

    /// Whether trying the same again later may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self.category(), Category::Transient | Category::Timeout)
    }

    /// Whether time was up.
    pub fn is_timeout(&self) -> bool {
        self.inner.kind == ErrorKind::Timeout || self.has_status(status::DEADLINE_EXCEEDED)
    }

    /// Whether the handle was closed.
    pub fn is_closed(&self) -> bool {
        self.inner.kind == ErrorKind::Closed
    }

    /// Whether the thing asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.category() == Category::NotFound
    }

    /// Whether the thing exists already.
    pub fn is_already_exists(&self) -> bool {
        self.category() == Category::Exists
    }

    pub(crate) fn has_status(&self, status: i32) -> bool {
        self.server().is_some_and(|server| server.status == status)
    }

    pub(crate) fn has_code(&self, code: proto::ErrorCode) -> bool {
        self.server().is_some_and(|server| server.code == Some(code as i32))
    }

    /// What can be done about it.
    pub fn category(&self) -> Category {
        if self.inner.is_missing {
            return Category::NotFound;
        }
        match self.inner.kind {
            ErrorKind::Server => self.server().map_or(Category::Internal, server_category),
            ErrorKind::InvalidArgument
            | ErrorKind::Json
            | ErrorKind::Config
            | ErrorKind::UnknownOption
            | ErrorKind::RecordTooLarge
            | ErrorKind::WouldDeadlock
            | ErrorKind::Unsupported => Category::Caller,
            ErrorKind::Timeout | ErrorKind::Interrupted => Category::Timeout,
            ErrorKind::Closed | ErrorKind::Aborted => Category::Ended,
            ErrorKind::Unavailable | ErrorKind::QueueFull | ErrorKind::Resources => Category::Transient,
            ErrorKind::Tls => Category::Denied,
            ErrorKind::InvalidState => Category::State,
            ErrorKind::Busy => Category::Transient,
            ErrorKind::Decode | ErrorKind::Compression | ErrorKind::Panic | ErrorKind::Protocol => {
                Category::Internal
            }
        }
    }
}

fn server_category(server: &ServerError) -> Category {
    // FAILED_PRECONDITION although what it says is "no such stream".
    if server.code == Some(proto::ErrorCode::SubscriptionCreationOnNonExistentStream as i32) {
        return Category::NotFound;
    }
    match server.status {
        status::NOT_FOUND => Category::NotFound,
        status::ALREADY_EXISTS => Category::Exists,
        status::INVALID_ARGUMENT | status::UNIMPLEMENTED | status::RESOURCE_EXHAUSTED => Category::Caller,
        status::FAILED_PRECONDITION => Category::State,
        status::PERMISSION_DENIED | status::UNAUTHENTICATED => Category::Denied,
        status::UNAVAILABLE | status::ABORTED | status::CANCELLED => Category::Transient,
        status::DEADLINE_EXCEEDED => Category::Timeout,
        _ => Category::Internal,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.inner.operation {
            f.write_str(operation)?;
            if let Some(subject) = &self.inner.subject {
                write!(f, " {subject}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.inner.message)?;
        if let Some(node) = &self.inner.node {
            let shown = format!(" (node {node})");
            // A message that ends with another error's text has it already.
            if !self.inner.message.ends_with(&shown) {
                f.write_str(&shown)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self}", self.inner.kind)?;
        if let Some(server) = self.server() {
            write!(f, "; {} {:?} {:?}", status_name(server.status), server.code, server.name)?;
        }
        if self.inner.attempts > 1 {
            write!(f, "; {} attempts", self.inner.attempts)?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_error_body_is_decoded_and_keeps_the_servers_words() {
        let text = r#"{"error":200,"extra":"quakes","message":"StreamNotFound"}"#;
        let error = Error::from_server(status::NOT_FOUND, text).doing("GetStream", None).at_node("a:1");
        let server = error.server().unwrap();
        assert_eq!((server.code(), server.name()), (Some(200), "StreamNotFound"));
        assert_eq!(server.extra_json(), "\"quakes\"");
        assert_eq!(error.to_string(), "GetStream: stream not found: quakes (node a:1)");
        assert!(error.is_not_found() && !error.is_retryable());
    }

    #[test]
    fn plain_text_and_odd_json_are_survived() {
        for text in ["requested identifier does not exist", "{}", "[1]", "{\"error\":\"x\"}", "{", "7"] {
            let error = Error::from_server(status::UNAVAILABLE, text);
            assert_eq!(error.server().unwrap().code(), None);
            assert_eq!(error.server().unwrap().name(), text);
            assert!(error.is_retryable());
        }
    }

    #[test]
    fn extra_may_be_a_number_null_or_an_object() {
        let too_large = Error::from_server(3, r#"{"error":207,"extra":1048600,"message":"too large"}"#);
        assert!(too_large.to_string().ends_with("1048600"), "{too_large}");
        let null = Error::from_server(3, r#"{"error":206,"extra":null,"message":"empty"}"#);
        assert_eq!(null.server().unwrap().extra_json(), "");
        let object =
            Error::from_server(9, r#"{"error":604,"extra":{"a":1},"message":"ConnectorCheckFailed"}"#);
        assert_eq!(object.server().unwrap().extra_json(), r#"{"a":1}"#);
    }

    #[test]
    fn a_refused_token_is_not_repeated() {
        let error = Error::from_server(status::UNAUTHENTICATED, "Invalid token: Basic c2VjcmV0");
        assert_eq!(error.server().unwrap().name(), "Invalid token");
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"), "{error:?}");
    }

    #[test]
    fn a_node_is_named_once() {
        let last = Error::from_server(status::UNAVAILABLE, "not now").at_node("a:1");
        let error = Error::new(ErrorKind::Timeout, format!("the last: {last}")).at_node("a:1");
        assert_eq!(error.to_string(), "the last: not now (node a:1)");
    }

    #[test]
    fn code_zero_is_told_by_its_name() {
        let text = r#"{"error":0,"extra":"c1","message":"ConsumerExists"}"#;
        let error = Error::from_server(status::ALREADY_EXISTS, text);
        assert_eq!(error.to_string(), "consumer exists: c1");
        assert!(error.is_already_exists());
    }
}
