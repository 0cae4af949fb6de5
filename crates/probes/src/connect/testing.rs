//! What the tests of several kinds share: tools that allow the loopback, certificates, and servers that follow a script.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use netwatch_egress::Policy;
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{FailureReason, OptionField, OptionValue, ProbeKind, ProbeResult, ProbeSpec, Trigger};
use netwatch_model::{AgentId, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::tools::{OwnRights, Tools};
use crate::{Occasion, run};

/// Longer than any phase that is not slowed down on purpose takes, even on a busy machine, and short enough to wait for.
pub(crate) const SLOW: Duration = Duration::from_millis(300);

/// Tools whose policy allows the loopback.
pub(crate) fn tools() -> Tools {
    let allow = vec!["127.0.0.0/8".parse().expect("a network"), "::1/128".parse().expect("a network")];
    Tools::new(Arc::new(Policy { allow, deny: Vec::new() }), Arc::new(OwnRights))
}

/// A probe with a timeout that only a test of timeouts reaches.
#[expect(clippy::needless_pass_by_value, reason = "an address or a text, as the test has it")]
pub(crate) fn spec(kind: ProbeKind, target: impl ToString) -> ProbeSpec {
    ProbeSpec { timeout: 10.0, spacing: 0.0, ..ProbeSpec::new(kind, &target.to_string()) }
}

/// Says something of an option.
pub(crate) fn with(mut spec: ProbeSpec, field: &OptionField, value: OptionValue) -> ProbeSpec {
    spec.options.set(field, value);
    spec
}

/// A text for an option.
pub(crate) fn text(text: &str) -> OptionValue {
    OptionValue::Text(text.to_owned())
}

/// Texts for an option.
pub(crate) fn texts(texts: &[&str]) -> OptionValue {
    OptionValue::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// Says loudly that something was not tested.
#[expect(clippy::print_stderr, reason = "tests say on the terminal what they skip")]
pub(crate) fn skip(why: &str) {
    eprintln!("SKIPPED, NOT PASSED: {why}");
}

/// Runs a probe once.
pub(crate) async fn probe(spec: &ProbeSpec) -> ProbeResult {
    probe_with(spec, &tools()).await
}

/// Runs a probe once under a policy.
pub(crate) async fn probe_with(spec: &ProbeSpec, tools: &Tools) -> ProbeResult {
    let occasion = Occasion {
        probe: Some(ProbeId::from_bits(7)),
        agent: AgentId(1),
        scheduled: Timestamp::ZERO,
        trigger: Trigger::Request,
    };
    run(spec, occasion, tools).await
}

/// Why a run failed, and what it says.
#[track_caller]
pub(crate) fn failure(result: &ProbeResult) -> (FailureReason, String) {
    let failure = result.failure.as_ref().unwrap_or_else(|| panic!("the run succeeds: {result:?}"));
    (failure.reason, failure.message.to_string())
}

#[track_caller]
pub(crate) fn assert_well(result: &ProbeResult) {
    assert_eq!(result.failure, None, "{result:?}");
}

/// Serves each connection by `talk`, which knows its number.
pub(crate) async fn serve<T, F>(talk: T) -> SocketAddr
where
    T: Fn(TcpStream, usize) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback is there");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("it is a connection");
            tokio::spawn(talk(stream, number));
            number += 1;
        }
    });
    address
}

/// Answers each datagram by what `answer` makes of it and its number; nothing is sent for `None`.
pub(crate) async fn answer(answer: impl Fn(&[u8], usize) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("the loopback is there");
    let address = socket.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let mut room = [0_u8; 65_535];
        for number in 0.. {
            let Ok((length, from)) = socket.recv_from(&mut room).await else { return };
            for datagram in answer(&room[..length], number) {
                let _gone = socket.send_to(&datagram, from).await;
            }
        }
    });
    address
}

/// A port at which nobody listens.
pub(crate) async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback is there");
    listener.local_addr().expect("it is bound")
}

/// Reads up to the empty line that ends a head of HTTP; gives it back.
pub(crate) async fn head<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(octet) => head.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Writes, and does not mind when the other end has gone.
pub(crate) async fn say<S: tokio::io::AsyncWrite + Unpin>(stream: &mut S, what: impl AsRef<[u8]>) {
    let _gone = stream.write_all(what.as_ref()).await;
    let _gone = stream.flush().await;
}

/// Somebody who signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub(crate) pem: String,
    der: CertificateDer<'static>,
}

/// A certificate with its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        // Each has a name of its own: who has not signed a certificate is not found by its name either.
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let key = KeyPair::generate().expect("there is randomness");
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names are right");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, format!("An authority {}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let own = params.self_signed(&key).expect("it signs itself");
        Self { pem: own.pem(), der: own.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// A certificate for names, changed as the test wants it, with that of the authority behind it.
    pub(crate) fn issue(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().expect("there is randomness");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are right");
        change(&mut params);
        let own = params.signed_by(&key, &self.issuer).expect("it is signed");
        Identity { chain: vec![own.der().clone(), self.der.clone()], key }
    }
}

impl Identity {
    /// A server with this certificate that agrees to these protocols.
    pub(crate) fn config(&self, alpn: &[&[u8]]) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key");
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
        let mut config = config.with_no_client_auth().with_single_cert(self.chain.clone(), key).expect("a certificate");
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        config
    }

    pub(crate) fn acceptor(&self, alpn: &[&[u8]]) -> TlsAcceptor {
        TlsAcceptor::from(Arc::new(self.config(alpn)))
    }
}
