//! TLS, client certificates, and tokens under TLS.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use tonic::metadata::MetadataValue;
use tonic::transport::{Endpoint, Uri};
use tonic::{Code, Request, Status};

use crate::support::*;

/// An authority made for this run, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Certificate and key, as PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn identity(&self) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}

fn connector(authority: &Authority, identity: Option<&Identity>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    std::sync::Arc::new(config).into()
}

/// A client that speaks TLS by itself: the library under test is not to be its own witness.
async fn tls_client(url: &str, connector: TlsConnector) -> Result<Client, tonic::transport::Error> {
    let address = url.replace("hstreams://", "");
    let connect = tower::service_fn(move |_: Uri| {
        let (address, connector) = (address.clone(), connector.clone());
        async move {
            let stream = tokio::net::TcpStream::connect(address).await?;
            let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
            Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(stream))
        }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    Ok(Client::new(endpoint.connect_with_connector(connect).await?))
}

async fn echo(client: &mut Client, authorization: Option<&str>) -> Result<String, Status> {
    let mut request = Request::new(proto::EchoRequest { msg: "x".into() });
    if let Some(text) = authorization {
        request.metadata_mut().insert("authorization", MetadataValue::try_from(text).unwrap());
    }
    Ok(client.echo(request).await?.into_inner().msg)
}

#[test]
fn a_port_with_tls_speaks_nothing_else() {
    let authority = Authority::new();
    let own = authority.identity();
    let server = fast().nodes(2).tls(own.certificate.as_bytes(), own.key.as_bytes()).start().unwrap();
    assert!(server.url().starts_with("hstreams://"));
    run(async {
        for url in server.node_urls() {
            let mut client = tls_client(&url, connector(&authority, None)).await.unwrap();
            assert_eq!(echo(&mut client, None).await.unwrap(), "x");
            let mut plain = tokio::net::TcpStream::connect(url.replace("hstreams://", "")).await.unwrap();
            plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
            let mut answer = Vec::new();
            let _ = plain.read_to_end(&mut answer).await;
            assert!(!answer.windows(4).any(|window| window == b"HTTP"), "{answer:?}");
        }
        let stranger = Authority::new();
        assert!(tls_client(&server.node_urls()[0], connector(&stranger, None)).await.is_err());
    });
}

#[test]
fn with_a_client_ca_a_certificate_of_it_is_required() {
    let (authority, clients_ca, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let own = authority.identity();
    let options = fast().tls(own.certificate.as_bytes(), own.key.as_bytes());
    let server = options.client_ca(clients_ca.pem().as_bytes()).start().unwrap();
    run(async {
        let url = &server.node_urls()[0];
        let good = clients_ca.identity();
        let mut client = tls_client(url, connector(&authority, Some(&good))).await.unwrap();
        assert_eq!(echo(&mut client, None).await.unwrap(), "x");
        let bad = stranger.identity();
        for identity in [None, Some(&bad)] {
            // With TLS 1.3 the refusal comes after the client's handshake, with the first call.
            let outcome = match tls_client(url, connector(&authority, identity)).await {
                Ok(mut client) => echo(&mut client, None).await.is_ok(),
                Err(_) => false,
            };
            assert!(!outcome);
        }
    });
}

#[test]
fn under_tls_tokens_are_refused_in_words() {
    let authority = Authority::new();
    let own = authority.identity();
    let options = fast().tls(own.certificate.as_bytes(), own.key.as_bytes()).token("dTpw");
    let server = options.listener("plain").tls_listener("secret").start().unwrap();
    run(async {
        let url = &server.node_urls()[0];
        let mut client = tls_client(url, connector(&authority, None)).await.unwrap();
        echo(&mut client, Some("Basic dTpw")).await.unwrap();
        let missing = echo(&mut client, None).await.unwrap_err();
        is_plain(&missing, Code::Unauthenticated, "No auth metadata found");
        let wrong = echo(&mut client, Some("Basic x")).await.unwrap_err();
        is_plain(&wrong, Code::Unauthenticated, "Invalid token: Basic x");
        let mut plain = connect(&server.listener_urls("plain")[0]).await;
        echo(&mut plain, None).await.unwrap();
        let secret = &server.listener_urls("secret")[0];
        assert!(secret.starts_with("hstreams://"));
        let mut client = tls_client(secret, connector(&authority, None)).await.unwrap();
        echo(&mut client, None).await.unwrap();
    });
}

#[test]
fn certificates_that_can_not_be_used_are_refused_at_the_start() {
    let authority = Authority::new();
    let (own, other) = (authority.identity(), authority.identity());
    let start = |certificate: &str, key: &str, ca: Option<&str>| {
        let mut options = fast().tls(certificate.as_bytes(), key.as_bytes());
        if let Some(ca) = ca {
            options = options.client_ca(ca.as_bytes());
        }
        options.start().map(drop)
    };
    start(&own.certificate, &own.key, None).unwrap();
    for (certificate, key, ca) in [
        ("", own.key.as_str(), None),
        (own.certificate.as_str(), "", None),
        (&own.certificate, &other.key, None),
        (&own.certificate, &own.key, Some("garbage")),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &own.key, None),
    ] {
        let error = start(certificate, key, ca).unwrap_err();
        assert_eq!(error.kind(), hstreamdb::ErrorKind::Tls, "{error}");
    }
}
