//! TLS: what was asked for, and the connections made by it.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use parking_lot::Mutex;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::cluster::dial::Refusals;
use crate::cluster::endpoint::Address;
use crate::cluster::expiry::not_after;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, EventKind};
use crate::events::Events;

/// How `hstreams://` connections are made: whom to trust, and who we are.
///
/// By default the system's root certificates are trusted; the environment variables `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` name others. Files are read when the client connects, and again for new connections when
/// they have changed; a change that can't be used is told as an [event](crate::Event), and the connections go on
/// with what was there.
#[derive(Clone, Default)]
#[must_use]
pub struct TlsConfig {
    roots: Option<Source>,
    identity: Option<(Source, Source)>,
    server_name: Option<String>,
}

/// PEM, from memory or from a file.
#[derive(Clone)]
enum Source {
    Pem(Vec<u8>),
    File(PathBuf),
}

impl Source {
    fn path(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Pem(_) => String::new(),
        }
    }
}

impl TlsConfig {
    /// The system's roots, and no client certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the certificates in this PEM file instead of the system's.
    pub fn ca_file(self, path: impl Into<PathBuf>) -> Self {
        TlsConfig { roots: Some(Source::File(path.into())), ..self }
    }

    /// The same, from memory.
    pub fn ca_pem(self, pem: impl Into<Vec<u8>>) -> Self {
        TlsConfig { roots: Some(Source::Pem(pem.into())), ..self }
    }

    /// Shows this certificate (with its chain) to servers that ask for one. The key is PKCS#8, PKCS#1 or SEC1.
    pub fn identity_files(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        TlsConfig { identity: Some((Source::File(certificate.into()), Source::File(key.into()))), ..self }
    }

    /// The same, from memory.
    pub fn identity_pem(self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        TlsConfig { identity: Some((Source::Pem(certificate.into()), Source::Pem(key.into()))), ..self }
    }

    /// The name that servers must have a certificate for, where it isn't the one they are dialled by.
    pub fn server_name(self, name: impl Into<String>) -> Self {
        TlsConfig { server_name: Some(name.into()), ..self }
    }

    pub(crate) fn is_default(&self) -> bool {
        self.roots.is_none() && self.identity.is_none() && self.server_name.is_none()
    }

    /// The CA file; empty if there is none.
    pub(crate) fn ca_path(&self) -> String {
        self.roots.as_ref().map(Source::path).unwrap_or_default()
    }

    /// The CAs in memory; empty if there are none.
    pub(crate) fn ca_text(&self) -> String {
        match &self.roots {
            Some(Source::Pem(pem)) => String::from_utf8_lossy(pem).into_owned(),
            _ => String::new(),
        }
    }

    /// The files of the client certificate and its key; empty if there are none.
    pub(crate) fn identity_paths(&self) -> String {
        let paths =
            self.identity.as_ref().map(|(certificate, key)| format!("{},{}", certificate.path(), key.path()));
        paths.unwrap_or_default()
    }

    pub(crate) fn name_text(&self) -> String {
        self.server_name.clone().unwrap_or_default()
    }

    /// What can be said of it without reading files.
    #[cfg(feature = "ffi")]
    pub(crate) fn check_each(&self) -> Result<()> {
        if let Some(name) = &self.server_name {
            parse_name(name)?;
        }
        if let Some(pem @ Source::Pem(_)) = &self.roots {
            certificates("CA", pem)?;
        }
        if let Some((certificate @ Source::Pem(_), key @ Source::Pem(_))) = &self.identity {
            certificates("client certificate", certificate)?;
            private_key(key)?;
        }
        Ok(())
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let identity = self.identity.iter().flat_map(|(certificate, key)| [certificate, key]);
        self.roots.iter().chain(identity).filter_map(|source| match source {
            Source::File(path) => Some(path),
            Source::Pem(_) => None,
        })
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("roots", &self.roots.as_ref().map_or("of the system", |_| "given"))
            .field("identity", &self.identity.is_some())
            .field("server_name", &self.server_name)
            .finish()
    }
}

/// TLS, ready for connections.
pub(crate) struct Tls {
    config: TlsConfig,
    loaded: Mutex<Loaded>,
    /// Until when the certificate is valid that a server showed last.
    server_expires: Mutex<Option<SystemTime>>,
    asked: Arc<Asked>,
}

struct Loaded {
    client: Arc<ClientConfig>,
    /// Until when the client's certificate is valid.
    expires: Option<SystemTime>,
    /// When the files were written that it was made of.
    stamps: Vec<Option<SystemTime>>,
}

impl Tls {
    pub(crate) fn load(config: TlsConfig) -> Result<Self> {
        if let Some(name) = &config.server_name {
            parse_name(name)?;
        }
        let stamps = stamps(&config);
        let asked = Arc::<Asked>::default();
        let (client, expires) = client_config(&config, &asked)?;
        let loaded = Mutex::new(Loaded { client, expires, stamps });
        Ok(Tls { loaded, server_expires: Mutex::default(), asked, config })
    }

    /// Reads all files again, for new connections.
    pub(crate) fn reload(&self) -> Result<()> {
        let stamps = stamps(&self.config);
        let (client, expires) = client_config(&self.config, &self.asked)?;
        *self.loaded.lock() = Loaded { client, expires, stamps };
        Ok(())
    }

    /// Until when the client's certificate is valid, and the one that a server showed last.
    pub(crate) fn expiry(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        (self.loaded.lock().expires, *self.server_expires.lock())
    }

    /// What the next connection is made by. A change that can't be used is told once, by its time.
    fn current(&self, events: &Weak<Events>) -> Arc<ClientConfig> {
        let stamps = stamps(&self.config);
        let mut loaded = self.loaded.lock();
        let mut broken = None;
        if stamps != loaded.stamps {
            match client_config(&self.config, &self.asked) {
                Ok((client, expires)) => (loaded.client, loaded.expires) = (client, expires),
                Err(error) => broken = Some(error),
            }
            loaded.stamps = stamps;
        }
        let client = loaded.client.clone();
        drop(loaded);
        if let (Some(error), Some(events)) = (broken, events.upgrade()) {
            events.emit(Event::of_client(EventKind::TlsReloadFailed).because_of(&error));
        }
        client
    }

    /// Encrypts a connection to a node.
    pub(crate) async fn connect(
        self: &Arc<Self>,
        node: &Address,
        connection: TcpStream,
        refusals: &Arc<Refusals>,
        events: &Weak<Events>,
    ) -> io::Result<Encrypted> {
        let name = self.config.server_name.as_deref().unwrap_or(node.host());
        let name = parse_name(name).map_err(io::Error::other)?;
        let stream = TlsConnector::from(self.current(events)).connect(name, connection).await?;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        *self.server_expires.lock() = shown.and_then(|certificate| not_after(certificate));
        Ok(Encrypted {
            stream,
            heard: false,
            node: node.clone(),
            asked: self.asked.clone(),
            refusals: refusals.clone(),
        })
    }
}

/// Notes that a server asked for a client certificate when there was none to give.
#[derive(Debug, Default)]
struct Asked(AtomicBool);

impl ResolvesClientCert for Asked {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// An encrypted connection that notes why the server ends it. In TLS 1.3 a server refuses a client after the
/// handshake.
pub(crate) struct Encrypted {
    stream: TlsStream<TcpStream>,
    /// Whether the server has said anything since the handshake.
    heard: bool,
    node: Address,
    asked: Arc<Asked>,
    refusals: Arc<Refusals>,
}

impl Encrypted {
    /// The connection has ended, with an error or without.
    fn note_end(&self, error: Option<&io::Error>) {
        let refusal = error.and_then(io::Error::get_ref).and_then(|error| error.downcast_ref()).map(explain);
        // The alert that says so may be lost in the reset that follows it.
        let in_vain = !self.heard && self.asked.0.load(Ordering::Relaxed);
        let refusal = refusal.or_else(|| in_vain.then(|| explain(&WANTS_CERTIFICATE)));
        if let Some(refusal) = refusal {
            self.refusals.note(&self.node, refusal);
        }
    }
}

const WANTS_CERTIFICATE: rustls::Error = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        if read.is_err() || buffer.filled().len() == before {
            self.note_end(read.as_ref().err());
        } else {
            self.heard = true;
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        Poll::Ready(written.inspect_err(|error| self.note_end(Some(error))))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(flushed.inspect_err(|error| self.note_end(Some(error))))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, buffers));
        Poll::Ready(written.inspect_err(|error| self.note_end(Some(error))))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| tls_error(format!("`{name}` is no name that a server can have a certificate for")))
}

fn stamps(config: &TlsConfig) -> Vec<Option<SystemTime>> {
    let written = |path: &PathBuf| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    config.files().map(written).collect()
}

/// What connections are made by, and until when its client certificate is valid.
fn client_config(config: &TlsConfig, asked: &Arc<Asked>) -> Result<(Arc<ClientConfig>, Option<SystemTime>)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| tls_error("TLS can't be set up".into()).with_source(error))?
        .with_root_certificates(roots(config)?);
    let mut expires = None;
    let mut client = match &config.identity {
        None => builder.with_client_cert_resolver(asked.clone()),
        Some((certificate, key)) => {
            let chain = certificates("client certificate", certificate)?;
            expires = chain.first().and_then(|certificate| not_after(certificate));
            builder.with_client_auth_cert(chain, private_key(key)?).map_err(|error| {
                tls_error("the client certificate and its key can't be used".into()).with_source(error)
            })?
        }
    };
    client.alpn_protocols = vec![b"h2".to_vec()];
    Ok((Arc::new(client), expires))
}

fn roots(config: &TlsConfig) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let Some(source) = &config.roots else {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
            return Err(tls_error(format!(
                "this system has no root certificates{why}; install its package ca-certificates, or name a CA \
                 by the option tls.ca.file"
            )));
        }
        return Ok(store);
    };
    for certificate in certificates("CA", source)? {
        store
            .add(certificate)
            .map_err(|error| tls_error("a CA certificate can't be used".into()).with_source(error))?;
    }
    Ok(store)
}

fn certificates(what: &str, source: &Source) -> Result<Vec<CertificateDer<'static>>> {
    let (name, pem) = read(what, source)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| tls_error(format!("{name} is no PEM")).with_source(error))?;
    if certificates.is_empty() {
        Err(tls_error(format!("{name} has no certificate in it")))
    } else {
        Ok(certificates)
    }
}

fn private_key(source: &Source) -> Result<PrivateKeyDer<'static>> {
    let (name, pem) = read("client key", source)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        tls_error(format!("{name} has no private key in PEM (PKCS#8, PKCS#1 or SEC1)")).with_source(error)
    })
}

fn read(what: &str, source: &Source) -> Result<(String, Vec<u8>)> {
    match source {
        Source::Pem(pem) => Ok((format!("the {what}"), pem.clone())),
        Source::File(path) => {
            let name = format!("the {what} `{}`", path.display());
            let pem = fs::read(path).map_err(|error| tls_error(format!("{name} can't be read: {error}")))?;
            Ok((name, pem))
        }
    }
}

fn tls_error(message: String) -> Error {
    Error::new(ErrorKind::Tls, message)
}

/// What to tell people of a failed handshake.
pub(crate) fn explain(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            // A bad signature is what another CA of the same name makes.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the server's certificate is of a CA that is not trusted here; see the option tls.ca.file"
                    .into()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired".into()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet".into()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the server's certificate is for another name; see the option tls.server.name".into()
            }
            other => format!("the server's certificate can't be used: {other}"),
        },
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a client certificate; see the option tls.identity".into()
        }
        rustls::Error::AlertReceived(alert) => format!("the server refused the handshake: {alert:?}"),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS; use a hstream:// URL".into(),
        other => format!("TLS failed: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "no pem").unwrap();
        for (config, part) in [
            (TlsConfig::new().ca_file("/nonexistent"), "/nonexistent"),
            (TlsConfig::new().ca_file(file.path()), "no certificate"),
            (TlsConfig::new().ca_pem("x").identity_pem("x", "x"), "CA"),
            (TlsConfig::new().server_name("a b"), "a b"),
        ] {
            let error = Tls::load(config).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Tls);
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let config = TlsConfig::new().identity_pem("certificate", "secret");
        assert!(!format!("{config:?}").contains("secret"));
    }
}
