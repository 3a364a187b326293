//! What goes with every call: who we are, and whatever else the caller wants.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tonic::metadata::{
    AsciiMetadataKey, AsciiMetadataValue, BinaryMetadataKey, BinaryMetadataValue, MetadataMap,
};

use crate::error::{Error, Result};

/// The server compares this header byte for byte.
const AUTHORIZATION: &str = "authorization";

/// A name and its value, checked.
#[derive(Clone)]
pub(crate) enum Metadata {
    Ascii(AsciiMetadataKey, AsciiMetadataValue),
    Binary(BinaryMetadataKey, BinaryMetadataValue),
}

impl Metadata {
    /// A name that ends in `-bin` takes any bytes, others printable ASCII.
    pub(crate) fn new(name: &str, value: &[u8]) -> Result<Self> {
        let bad = |why: &str| Error::invalid_argument(format!("the metadata `{name}` {why}"));
        let lower = name.to_ascii_lowercase();
        if lower == AUTHORIZATION || lower.starts_with("grpc-") || lower.starts_with(':') {
            return Err(bad("is not the caller's to set"));
        }
        if lower.ends_with("-bin") {
            let key = BinaryMetadataKey::from_bytes(lower.as_bytes())
                .map_err(|_| bad("is no name for metadata"))?;
            return Ok(Metadata::Binary(key, BinaryMetadataValue::from_bytes(value)));
        }
        let key =
            AsciiMetadataKey::from_bytes(lower.as_bytes()).map_err(|_| bad("is no name for metadata"))?;
        let value = AsciiMetadataValue::try_from(value).map_err(|_| {
            bad("has a value that is not printable ASCII; a name that ends in -bin takes any bytes")
        })?;
        Ok(Metadata::Ascii(key, value))
    }

    pub(crate) fn put_into(&self, map: &mut MetadataMap) {
        match self {
            Metadata::Ascii(key, value) => {
                map.append(key.clone(), value.clone());
            }
            Metadata::Binary(key, value) => {
                map.append_bin(key.clone(), value.clone());
            }
        }
    }
}

/// User and password, or a token made of them. Never shown.
#[derive(Clone)]
pub(crate) struct Credentials(AsciiMetadataValue);

impl Credentials {
    pub(crate) fn basic(user: &str, password: &[u8]) -> Result<Self> {
        if user.contains(':') {
            return Err(Error::invalid_argument("a user name can't have a colon in it"));
        }
        let mut text = user.as_bytes().to_vec();
        text.push(b':');
        text.extend_from_slice(password);
        Self::token(BASE64.encode(text).as_bytes())
    }

    /// A token as the server has it in its configuration: base64 of `user:password`.
    pub(crate) fn token(token: &[u8]) -> Result<Self> {
        let header = [b"Basic ", token].concat();
        let mut value = AsciiMetadataValue::try_from(header.as_slice())
            .map_err(|_| Error::invalid_argument("the token has characters other than printable ASCII"))?;
        value.set_sensitive(true);
        Ok(Credentials(value))
    }

    pub(crate) fn put_into(&self, map: &mut MetadataMap) {
        map.insert(AUTHORIZATION, self.0.clone());
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(credentials: &Credentials) -> String {
        let mut map = MetadataMap::new();
        credentials.put_into(&mut map);
        map.get(AUTHORIZATION).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_header_is_what_the_server_compares_with() {
        let basic = Credentials::basic("aladdin", b"opensesame").unwrap();
        assert_eq!(header(&basic), "Basic YWxhZGRpbjpvcGVuc2VzYW1l");
        assert_eq!(header(&Credentials::token(b"YWxh").unwrap()), "Basic YWxh");
        assert_eq!(format!("{basic:?}"), "***");
        assert!(Credentials::basic("a:b", b"").is_err());
        assert!(Credentials::token(b"a\nb").is_err());
    }

    #[test]
    fn metadata_is_checked_by_its_name() {
        assert!(Metadata::new("x-forwarded-for", b"10.0.0.1").is_ok());
        assert!(Metadata::new("trace-bin", &[0, 255]).is_ok());
        for (name, value) in
            [("a b", &b"x"[..]), ("", b"x"), ("a", b"\n"), ("Authorization", b"x"), ("grpc-timeout", b"1S")]
        {
            assert!(Metadata::new(name, value).is_err(), "{name}");
        }
    }
}
