//! An agent for tests: real TLS, real HTTP/2, and nothing that it does by itself.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use netwatch_api::agent::v1::agents_client::AgentsClient;
use netwatch_api::agent::v1::{self, from_agent, to_agent};
use netwatch_model::codec::encode;
use netwatch_model::people::Digest;
use netwatch_model::{AgentId, Batch, BatchKey, BootId, Record};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use crate::support::PATIENCE;

/// A key and the certificate that carries it.
#[derive(Clone)]
pub struct Key {
    pub digest: Digest,
    certificate: CertificateDer<'static>,
    key: Arc<KeyPair>,
}

impl Key {
    pub fn make() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["agent".to_owned()]).unwrap().self_signed(&key).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
        let digest = Digest::from_bytes(Sha256::digest(spki).into());
        Self { digest, certificate: certificate.der().clone(), key: Arc::new(key) }
    }

    fn tls(&self, versions: &[&'static rustls::SupportedProtocolVersion], shows: bool) -> ClientConfig {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(Whoever));
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let mut config = match shows {
            true => builder.with_client_auth_cert(vec![self.certificate.clone()], key).unwrap(),
            false => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    /// The calls of the server.
    pub async fn connect(&self, server: SocketAddr) -> AgentsClient<Channel> {
        self.try_connect(server, &[&rustls::version::TLS13], true).await.unwrap()
    }

    /// The same, in a way that may be refused.
    pub async fn try_connect(
        &self,
        server: SocketAddr,
        versions: &[&'static rustls::SupportedProtocolVersion],
        shows: bool,
    ) -> Result<AgentsClient<Channel>, tonic::transport::Error> {
        let tls = TlsConnector::from(Arc::new(self.tls(versions, shows)));
        let connector = tower::service_fn(move |_: axum::http::Uri| {
            let tls = tls.clone();
            async move {
                let stream = TcpStream::connect(server).await?;
                let name = ServerName::try_from("netwatch").unwrap();
                tls.connect(name, stream).await.map(TokioIo::new)
            }
        });
        let endpoint = Endpoint::from_static("http://netwatch").timeout(PATIENCE);
        endpoint.connect_with_connector(connector).await.map(AgentsClient::new)
    }

    pub async fn enrol(&self, server: SocketAddr, token: &str, hostname: &str) -> Result<v1::EnrolReply, Status> {
        let info = Some(v1::AgentInfo { hostname: hostname.to_owned(), ..v1::AgentInfo::default() });
        let request = v1::EnrolRequest { token: token.to_owned(), info };
        self.connect(server).await.enrol(request).await.map(tonic::Response::into_inner)
    }

    pub async fn open(&self, server: SocketAddr, boot: u64) -> Result<Link, Status> {
        self.open_as(server, boot, v1::AgentInfo { version: "0.1.0".to_owned(), ..v1::AgentInfo::default() }).await
    }

    /// The same, of an agent that says that of itself.
    pub async fn open_as(&self, server: SocketAddr, boot: u64, info: v1::AgentInfo) -> Result<Link, Status> {
        Link::open(self.connect(server).await, boot, info).await
    }
}

/// An open session.
pub struct Link {
    out: mpsc::Sender<v1::FromAgent>,
    messages: Streaming<v1::ToAgent>,
}

impl Link {
    async fn open(calls: AgentsClient<Channel>, boot: u64, info: v1::AgentInfo) -> Result<Self, Status> {
        let hello = v1::Hello { boot, info: Some(info), ..v1::Hello::default() };
        let (link, first) = Self::greet(calls, hello).await?;
        match first {
            to_agent::Message::Welcome(_) => Ok(link),
            other => panic!("no welcome: {other:?}"),
        }
    }

    /// What the server says to a hello.
    pub async fn greet(
        mut calls: AgentsClient<Channel>,
        hello: v1::Hello,
    ) -> Result<(Self, to_agent::Message), Status> {
        let (out, mut sent) = mpsc::channel::<v1::FromAgent>(16);
        let plain = || v1::AgentInfo { version: "0.1.0".to_owned(), ..v1::AgentInfo::default() };
        let info = Some(hello.info.unwrap_or_else(plain));
        out.send(from(from_agent::Message::Hello(v1::Hello { info, ..hello }))).await.unwrap();
        let stream = futures_util::stream::poll_fn(move |context| sent.poll_recv(context));
        let messages = calls.session(stream).await?.into_inner();
        let mut link = Self { out, messages };
        let first = link.next().await?;
        Ok((link, first))
    }

    pub async fn send(&self, message: from_agent::Message) {
        // The server may have ended the session.
        let _ended = self.out.send(from(message)).await;
    }

    pub async fn batch(&self, run: u64, sequence: u64, records: Vec<Record>) {
        // Whose it is says the session: what stands in the batch is not looked at.
        let key = BatchKey { agent: AgentId(77), boot: BootId(77), sequence: 77 };
        let records = encode(&Batch { key, records }).unwrap().into();
        self.send(from_agent::Message::Batch(v1::Batch { run, sequence, records })).await;
    }

    pub async fn next(&mut self) -> Result<to_agent::Message, Status> {
        let message = timeout(PATIENCE, self.messages.message()).await.expect("a message in time")?;
        Ok(message.ok_or_else(|| Status::unknown("the end"))?.message.unwrap())
    }

    /// The next message that `wanted` takes.
    pub async fn wait<T>(&mut self, wanted: impl Fn(&to_agent::Message) -> Option<T>) -> T {
        loop {
            let message = self.next().await.expect("the session goes on");
            if let Some(found) = wanted(&message) {
                return found;
            }
        }
    }

    pub async fn assignment(&mut self) -> (u64, serde_json::Value) {
        self.wait(|message| match message {
            to_agent::Message::Assignment(a) => Some((a.revision, serde_json::from_slice(&a.document).unwrap())),
            _ => None,
        })
        .await
    }

    pub async fn ack(&mut self) -> (u64, u64) {
        self.wait(|message| match message {
            to_agent::Message::Ack(ack) => Some((ack.run, ack.sequence)),
            _ => None,
        })
        .await
    }

    pub async fn goodbye(&mut self) -> v1::Reason {
        self.wait(|message| match message {
            to_agent::Message::Goodbye(goodbye) => Some(goodbye.reason()),
            _ => None,
        })
        .await
    }

    /// The status with which the session ends.
    pub async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }
}

fn from(message: from_agent::Message) -> v1::FromAgent {
    v1::FromAgent { message: Some(message) }
}

/// The key of a test server is made anew each time: the tests of the agent look at pins.
#[derive(Debug)]
struct Whoever;

impl ServerCertVerifier for Whoever {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
