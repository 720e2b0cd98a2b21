//! HTTP and HTTPS, the same for AWS and for the networks: one library, one TLS configuration.
//!
//! Trusted are Mozilla's roots, compiled in, so that no start reads and parses certificates; AWS's endpoints
//! are under those of Amazon Trust Services among them (amazontrust.com/repository, 2026-11). What only the
//! machine trusts (`SSL_CERT_FILE`, a company's proxy) is not trusted here: it goes into `AWS_CA_BUNDLE`,
//! whose certificates are added. Where that file is unusable every request fails, naming it.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::body::SdkBody;
use reqwest::{ClientBuilder, redirect, retry};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs::default_provider,
    pki_types::{
        CertificateDer,
        pem::{self, PemObject as _},
    },
};

/// The certificates in `AWS_CA_BUNDLE` cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("could not take certificates from AWS_CA_BUNDLE, {}", path.display())]
pub struct CaBundleError {
    path: PathBuf,
    source: pem::Error,
}

/// The SDK's HTTP client.
#[derive(Debug)]
pub(crate) struct SdkHttp {
    tls: &'static Tls,
    // A connector keeps the connections: one for each pair of timeouts, so one for nearly everything.
    connectors: Mutex<HashMap<Timeouts, SharedHttpConnector>>,
}

type Tls = Result<ClientConfig, CaBundleError>;

/// How long to wait for a connection and for what is read from it.
type Timeouts = (Option<Duration>, Option<Duration>);

#[derive(Debug)]
struct Connector(Result<reqwest::Client, &'static CaBundleError>);

/// What every client is built from; timeouts are the caller's, and so is trying again.
pub fn https() -> Result<ClientBuilder, &'static CaBundleError> {
    ambient().as_ref().map(builder)
}

/// The configuration of this process.
fn ambient() -> &'static Tls {
    static AMBIENT: LazyLock<Tls> = LazyLock::new(|| {
        let bundle = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
        tls(bundle.as_deref().map(Path::new))
    });
    &AMBIENT
}

/// The bundle, if it is a file of a size that a bundle has: all certificates of the world take a quarter of a
/// megabyte.
fn read_bundle(path: &Path) -> io::Result<Vec<u8>> {
    const MOST_BYTES: u64 = 16 * 1024 * 1024;
    let metadata = fs::metadata(path)?;
    // A pipe would be waited for, a device read without end.
    if !metadata.is_file() || MOST_BYTES < metadata.len() {
        return Err(io::Error::other("it is not a file of at most 16 MB"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn tls(bundle: Option<&Path>) -> Tls {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = bundle {
        let unusable = |source| CaBundleError { path: path.to_owned(), source };
        let bundle = read_bundle(path).map_err(|err| unusable(pem::Error::Io(err)))?;
        let certificates = CertificateDer::pem_slice_iter(&bundle);
        let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(unusable)?;
        // A bundle may hold odd old certificates beside the one that matters.
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(unusable(pem::Error::NoItemsFound));
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn builder(tls: &ClientConfig) -> ClientBuilder {
    ClientBuilder::new()
        .tls_backend_preconfigured(tls.clone())
        .redirect(redirect::Policy::none())
        .retry(retry::never())
}

impl SdkHttp {
    pub(crate) fn new() -> Self {
        Self::with(ambient())
    }

    fn with(tls: &'static Tls) -> Self {
        Self { tls, connectors: Mutex::default() }
    }
}

impl HttpClient for SdkHttp {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        let connector = connectors.entry(timeouts);
        let connect = || SharedHttpConnector::new(Connector::new(self.tls, timeouts));
        connector.or_insert_with(connect).clone()
    }
}

impl Connector {
    fn new(tls: &'static Tls, (connect, read): Timeouts) -> Self {
        Self(tls.as_ref().map(|tls| {
            let mut builder = builder(tls);
            if let Some(connect) = connect {
                builder = builder.connect_timeout(connect);
            }
            if let Some(read) = read {
                builder = builder.read_timeout(read);
            }
            builder.build().expect("the TLS settings are given and the timeouts cannot be wrong")
        }))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let client = client.map_err(user)?;
            let request = request.try_into_http1x().map_err(user)?;
            let request = request.map(reqwest::Body::wrap).try_into().map_err(user)?;
            let response = client.execute(request).await.map_err(failed)?;
            let response = http::Response::<reqwest::Body>::from(response);
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x)).map_err(user)
        })
    }
}

/// What trying again cannot help.
fn user(err: impl Into<BoxError>) -> ConnectorError {
    ConnectorError::user(err.into())
}

/// What the SDK tries again.
fn failed(err: reqwest::Error) -> ConnectorError {
    if err.is_timeout() {
        ConnectorError::timeout(err.into())
    } else {
        ConnectorError::io(err.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::{
        BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig,
    };
    use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
    use aws_sdk_secretsmanager::{
        Client, config::http::HttpResponse, error::SdkError,
        operation::get_secret_value::GetSecretValueError,
    };
    use aws_smithy_runtime_api::client::http::SharedHttpClient;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::{ServerConfig, pki_types::PrivateKeyDer};
    use tokio::{
        io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };
    use tokio_rustls::TlsAcceptor;

    type Failure = SdkError<GetSecretValueError, HttpResponse>;

    const SHORT: Duration = Duration::from_millis(100);

    /// One try unless the test says otherwise.
    fn client(url: String, tls: Tls, timeouts: TimeoutConfig, tries: u32) -> Client {
        let credentials = Credentials::new("id", "secret", None, None, "test");
        let retries = RetryConfig::standard()
            .with_max_attempts(tries)
            .with_initial_backoff(Duration::from_millis(1));
        Client::new(
            &SdkConfig::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .http_client(SharedHttpClient::new(SdkHttp::with(Box::leak(Box::new(tls)))))
                .region(Region::from_static("us-east-1"))
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .endpoint_url(url)
                .timeout_config(timeouts)
                .retry_config(retries)
                .build(),
        )
    }

    async fn ask(client: &Client) -> Result<String, Failure> {
        let output = client.get_secret_value().secret_id("name").send().await?;
        Ok(output.secret_string.unwrap())
    }

    /// The whole chain, as a log has it.
    fn chain(err: &dyn std::error::Error) -> String {
        let causes = std::iter::successors(Some(err), |err| err.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = format!("localhost:{}", listener.local_addr().unwrap().port());
        (listener, authority)
    }

    /// Reads one request, which must say how long it is.
    async fn read(stream: &mut (impl AsyncRead + Unpin)) {
        let mut bytes = Vec::new();
        let whole = loop {
            assert_ne!(
                stream.read_buf(&mut bytes).await.unwrap(),
                0,
                "a request is not broken off"
            );
            let text = String::from_utf8(bytes.clone()).unwrap().to_lowercase();
            assert!(!text.contains("transfer-encoding"), "{text}");
            let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
            let (_, length) = head.split_once("content-length: ").expect(head);
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if head.len() + 4 + length <= bytes.len() {
                break text;
            }
        };
        assert!(whole.ends_with(r#"{"secretid":"name"}"#), "{whole}");
    }

    async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), text: &str) {
        read(stream).await;
        let body = format!(r#"{{"SecretString":"{text}"}}"#);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    }

    /// An authority's certificate as a file, and a server with a certificate of that authority.
    fn authority() -> (tempfile::NamedTempFile, TlsAcceptor) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), issuer.pem()).unwrap();

        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        (file, TlsAcceptor::from(Arc::new(config)))
    }

    #[tokio::test]
    async fn an_authority_of_the_machine_is_trusted_when_the_bundle_has_it() {
        let (bundle, acceptor) = authority();
        let (listener, authority) = listen().await;
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            assert!(acceptor.accept(stream).await.is_err(), "the client must refuse");
            let (stream, _) = listener.accept().await.unwrap();
            answer(&mut acceptor.accept(stream).await.unwrap(), "over TLS").await;
        };
        let url = format!("https://{authority}");
        let ask = async {
            let none = TimeoutConfig::disabled();
            let err = ask(&client(url.clone(), tls(None), none.clone(), 1)).await.unwrap_err();
            assert!(chain(&err).contains("invalid peer certificate: UnknownIssuer"), "{err:?}");
            ask(&client(url, tls(Some(bundle.path())), none, 1)).await.unwrap()
        };
        assert_eq!(tokio::join!(server, ask).1, "over TLS");
    }

    #[tokio::test]
    async fn a_bundle_without_certificates_is_named_in_every_error() {
        let empty = tempfile::NamedTempFile::new().unwrap();
        for path in [Path::new("/nowhere.pem"), empty.path()] {
            let none = TimeoutConfig::disabled();
            let client = client("http://127.0.0.1:1".to_owned(), tls(Some(path)), none, 3);
            let err = ask(&client).await.unwrap_err();
            let expected =
                format!("could not take certificates from AWS_CA_BUNDLE, {}: ", path.display());
            assert!(chain(&err).contains(&expected), "{}", chain(&err));
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_given_up() {
        let (listener, authority) = listen().await;
        let attempt = TimeoutConfig::builder().operation_attempt_timeout(SHORT).build();
        let read = TimeoutConfig::builder().read_timeout(SHORT).build();
        let connect = TimeoutConfig::builder().connect_timeout(SHORT).build();
        // Without TLS the connection stands at once; with it the server's part is missing.
        for (scheme, timeouts) in [("http", attempt), ("http", read), ("https", connect)] {
            let client = client(format!("{scheme}://{authority}"), tls(None), timeouts.clone(), 1);
            let err = ask(&client).await.unwrap_err();
            let timed_out = match &err {
                SdkError::TimeoutError(_) => true,
                SdkError::DispatchFailure(failure) => failure.is_timeout(),
                _ => false,
            };
            assert!(timed_out, "{timeouts:?}: {err:?}");
        }
        drop(listener);
    }

    #[tokio::test]
    async fn connections_are_kept_and_replaced_when_they_died() {
        let (listener, authority) = listen().await;
        let accept = async || listener.accept().await.unwrap().0;
        let server = async {
            let mut kept: TcpStream = accept().await;
            answer(&mut kept, "new").await;
            answer(&mut kept, "kept").await;
            drop(kept);
            let mut lost = accept().await;
            answer(&mut lost, "after a close").await;
            // As after a freeze: the client learns only from its request that the server is gone.
            read(&mut lost).await;
            drop(lost);
            answer(&mut accept().await, "after a loss").await;
        };
        let client = client(format!("http://{authority}"), tls(None), TimeoutConfig::disabled(), 2);
        let asked = async {
            let mut answers = Vec::new();
            for _ in 0..4 {
                answers.push(ask(&client).await.unwrap());
            }
            answers
        };
        assert_eq!(tokio::join!(server, asked).1, ["new", "kept", "after a close", "after a loss"]);
    }
}
