//! Which names are legal, and what is said of those that are not.

use tonic::{Code, Status};

use super::errors;
use crate::proto::{ErrorCode, ResourceType};

const LONGEST: usize = 255;

/// What a name is for: it decides the number of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Stream,
    Subscription,
    ShardReader,
    Connector,
    Query,
    View,
    Shard,
}

impl From<ResourceType> for Names {
    fn from(resource: ResourceType) -> Self {
        match resource {
            ResourceType::ResStream => Names::Stream,
            ResourceType::ResSubscription => Names::Subscription,
            ResourceType::ResShard => Names::Shard,
            ResourceType::ResShardReader => Names::ShardReader,
            ResourceType::ResConnector => Names::Connector,
            ResourceType::ResQuery => Names::Query,
            ResourceType::ResView => Names::View,
        }
    }
}

impl Names {
    /// A name that is given to something: starts with a letter.
    pub(super) fn check(self, name: &str) -> Result<(), Status> {
        self.check_length(name)?;
        if !name.starts_with(char::is_alphabetic) {
            return Err(self.refuse("The first character of a name must be a letter".to_owned()));
        }
        self.check_characters(name)
    }

    /// The id of a resource that is looked up: may start with a digit or a sign.
    pub(super) fn check_id(self, id: &str) -> Result<(), Status> {
        self.check_length(id)?;
        self.check_characters(id)
    }

    fn check_length(self, name: &str) -> Result<(), Status> {
        // Characters, not bytes. One more than allowed is enough to know.
        match name.chars().take(LONGEST + 1).count() {
            1..=LONGEST => Ok(()),
            _ => Err(self.refuse(format!("The length must be between 1 and {LONGEST} characters."))),
        }
    }

    fn check_characters(self, name: &str) -> Result<(), Status> {
        // The classes are Unicode's, whatever the documentation of the server says.
        match name.chars().find(|each| !each.is_alphanumeric() && !matches!(each, '-' | '_')) {
            None => Ok(()),
            Some(illegal) => Err(self.refuse(format!("Illegal character '{illegal}' found"))),
        }
    }

    fn refuse(self, why: String) -> Status {
        let error = match self {
            Names::Stream => ErrorCode::StreamInvalidObjectIdentifier,
            Names::Subscription => ErrorCode::SubscriptionInvalidObjectIdentifier,
            Names::ShardReader => ErrorCode::ShardReaderInvalidObjectIdentifier,
            Names::Connector => ErrorCode::ConnectorInvalidObjectIdentifier,
            Names::Query => ErrorCode::QueryInvalidObjectIdentifier,
            Names::View => ErrorCode::ViewInvalidObjectIdentifier,
            Names::Shard => ErrorCode::InternalError,
        };
        errors::json(Code::InvalidArgument, error, "InvalidObjectIdentifier", why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Server behaviour, section 3.1.
    #[test]
    fn names_are_checked_for_length_then_first_letter_then_characters() {
        let long = "x".repeat(256);
        for (name, why) in [
            ("", "The length must be between 1 and 255 characters."),
            (&long, "The length must be between 1 and 255 characters."),
            ("1a", "The first character of a name must be a letter"),
            ("_a", "The first character of a name must be a letter"),
            ("-/", "The first character of a name must be a letter"),
            ("a/b.c", "Illegal character '/' found"),
            ("a b", "Illegal character ' ' found"),
        ] {
            let status = Names::Stream.check(name).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            assert!(status.message().contains(why), "{name}: {}", status.message());
            assert!(status.message().starts_with(r#"{"error":204,"#), "{}", status.message());
        }
        for name in ["a", "a-b_c9", "流", &"流".repeat(255)] {
            Names::Stream.check(name).unwrap();
        }
    }

    /// Server behaviour, section 3.1.
    #[test]
    fn resource_ids_may_start_with_anything_legal() {
        for id in ["1", "_a", "-"] {
            Names::Shard.check_id(id).unwrap();
        }
        assert!(Names::Shard.check_id("a/b").unwrap_err().message().starts_with(r#"{"error":0,"#));
        assert!(Names::ShardReader.check_id("").unwrap_err().message().starts_with(r#"{"error":900,"#));
    }
}
