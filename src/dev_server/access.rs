//! Who may come in: tokens, and what TLS asks for.

use tonic::codegen::http::HeaderMap;
use tonic::{Code, Status};

use super::options::DevServerOptions;
#[cfg(feature = "tls")]
use super::tls;
use super::versions::{self, Release};
use crate::error::Result;

/// The rules at the door. What tokens are known is not shown.
pub(super) struct Access {
    tokens: Vec<String>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<tokio_rustls::TlsAcceptor>,
}

/// How a connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    Plain,
    Tls,
    /// By an advertised listener, where no token is asked for.
    Side,
}

impl Access {
    pub(super) fn new(options: &DevServerOptions) -> Result<Self> {
        Ok(Access {
            tokens: options.tokens.clone(),
            #[cfg(feature = "tls")]
            tls: options.tls.as_ref().map(tls::acceptor).transpose()?,
        })
    }

    #[cfg(feature = "tls")]
    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    #[cfg(not(feature = "tls"))]
    pub(super) fn has_tls(&self) -> bool {
        false
    }

    /// Refuses a call without one of the tokens, compared byte for byte; nothing of the header is parsed.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        entrance: Entrance,
        release: Release,
    ) -> std::result::Result<(), Status> {
        if self.tokens.is_empty() || entrance == Entrance::Side || release < versions::TOKENS {
            return Ok(());
        }
        let given = headers.get("authorization").map(|value| value.as_bytes());
        let fits =
            |token: &String| given.and_then(|given| given.strip_prefix(b"Basic ")) == Some(token.as_bytes());
        if self.tokens.iter().any(fits) {
            return Ok(());
        }
        Err(match (entrance, given) {
            // Without TLS the call is dropped before anybody can say why.
            (Entrance::Plain, _) => Status::new(Code::Cancelled, ""),
            (_, None) => Status::unauthenticated("No auth metadata found"),
            (_, Some(given)) => {
                Status::unauthenticated(format!("Invalid token: {}", String::from_utf8_lossy(given)))
            }
        })
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(given: Option<&str>, entrance: Entrance, release: Release) -> Option<(Code, String)> {
        let access = Access::new(&DevServerOptions::new().token("dTpw")).unwrap();
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert("authorization", given.parse().unwrap());
        }
        let refused = access.check(&headers, entrance, release).err()?;
        Some((refused.code(), refused.message().to_owned()))
    }

    /// Server behaviour, section 1.6.
    #[test]
    fn tokens_are_compared_byte_for_byte() {
        let newest = versions::NEWEST;
        assert_eq!(refusal(Some("Basic dTpw"), Entrance::Tls, newest), None);
        assert_eq!(refusal(Some("Basic dTpw"), Entrance::Plain, newest), None);
        for bad in ["basic dTpw", "Basic  dTpw", "dTpw", "Bearer dTpw", "Basic dTpw,Basic dTpw"] {
            let expected = (Code::Unauthenticated, format!("Invalid token: {bad}"));
            assert_eq!(refusal(Some(bad), Entrance::Tls, newest), Some(expected));
            assert_eq!(refusal(Some(bad), Entrance::Plain, newest), Some((Code::Cancelled, String::new())));
        }
        let missing = (Code::Unauthenticated, "No auth metadata found".to_owned());
        assert_eq!(refusal(None, Entrance::Tls, newest), Some(missing));
        assert_eq!(refusal(None, Entrance::Side, newest), None);
        assert_eq!(refusal(None, Entrance::Tls, Release(0, 18, 1)), None, "tokens came with 0.18.2");
    }
}
