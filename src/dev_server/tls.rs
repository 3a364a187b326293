//! TLS on the server's side.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::error::{Error, ErrorKind, Result};

/// A certificate and its key, and who signs those of clients if they must have one; all as PEM.
#[derive(Clone)]
pub(super) struct TlsFiles {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) client_ca: Option<Vec<u8>>,
}

impl fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFiles").field("client_ca", &self.client_ca.is_some()).finish_non_exhaustive()
    }
}

pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor> {
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused("TLS can't be set up", error))?;
    let config = match &files.client_ca {
        None => config.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(ca, "the CA of clients")? {
                roots.add(certificate).map_err(|error| refused("the CA of clients is no CA", error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                .build()
                .map_err(|error| refused("the CA of clients can't be used", error))?;
            config.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from_pem_slice(&files.key)
        .map_err(|error| refused("the private key is no PEM", error))?;
    let mut config = config
        .with_single_cert(certificates(&files.certificate, "the certificate")?, key)
        .map_err(|error| refused("the certificate can't be used", error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config).into())
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| refused(&format!("{what} is no PEM"), error))?;
    if all.is_empty() {
        return Err(Error::new(ErrorKind::Tls, format!("{what} has no certificate in it")));
    }
    Ok(all)
}

fn refused(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Tls, format!("{what}: {error}")).with_source(error)
}
