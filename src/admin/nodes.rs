//! The cluster itself.

use crate::client::Client;
use crate::cluster::Target;
use crate::error::Result;
use crate::proto;

impl Client {
    /// Sends a text to a node and returns what comes back, which is the same: a sign of life.
    ///
    /// # Errors
    ///
    /// As all calls: no node answers, time is up, the client is closed.
    pub fn echo(&self, message: &str) -> Result<String> {
        Ok(self.call(Target::Any, proto::EchoRequest { msg: message.to_owned() })?.msg)
    }
}
