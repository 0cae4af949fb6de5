//! A server for agents that does what its script says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::Stream;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use netwatch_agent::identity::spki_digest;
use netwatch_api::agent::v1::agents_server::{Agents, AgentsServer};
use netwatch_api::agent::v1::{self, from_agent, to_agent};
use netwatch_model::assignment::NarrowedRun;
use netwatch_model::people::Digest;
use netwatch_model::probe::ProbeResult;
use netwatch_model::{Assignment, Record, codec};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tonic::{Request, Response, Status, Streaming};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What a server does.
#[derive(Clone)]
pub struct Script {
    pub acks: bool,
    pub goodbye: Option<v1::Goodbye>,
    /// The goodbye comes in the place of the welcome.
    pub refuses: bool,
    /// The version of the protocol that it says.
    pub protocol: u32,
    pub assignment: Option<Assignment>,
    pub run: Option<NarrowedRun>,
    pub refuses_tokens: bool,
    /// A program that is offered, and what comes when it is asked for.
    pub update: Option<(v1::Update, Vec<u8>)>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            acks: true,
            goodbye: None,
            refuses: false,
            protocol: 0,
            assignment: None,
            run: None,
            refuses_tokens: false,
            update: None,
        }
    }
}

/// What it has seen.
#[derive(Default)]
struct Seen {
    batches: BTreeMap<(u64, u64), Vec<u64>>,
    repeats: usize,
    replies: Vec<v1::RunReply>,
    revision: u64,
    hellos: Vec<v1::Hello>,
    records: Vec<Record>,
    client_keys: Vec<Digest>,
    update: Option<v1::CollectorStatus>,
    asked: Vec<v1::ReleaseRequest>,
}

#[derive(Clone)]
struct Service {
    script: Arc<Mutex<Script>>,
    seen: Arc<Mutex<Seen>>,
}

pub struct FakeServer {
    address: SocketAddr,
    pin: Digest,
    tls: Arc<ServerConfig>,
    service: Service,
    task: Option<JoinHandle<()>>,
}

impl FakeServer {
    pub async fn start(script: Script) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["server".to_owned()]).unwrap().self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let seen = Arc::<Mutex<Seen>>::default();
        let verifier = Arc::new(AnyClient(Arc::clone(&provider)));
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let mut tls = builder.with_client_cert_verifier(verifier).with_single_cert(chain, private).unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let service = Service { script: Arc::new(Mutex::new(script)), seen };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pin = spki_digest(&key.subject_public_key_info());
        let mut server = Self { address, pin, tls: Arc::new(tls), service, task: None };
        server.serve(listener);
        server
    }

    fn serve(&mut self, listener: TcpListener) {
        let (acceptor, service) = (TlsAcceptor::from(Arc::clone(&self.tls)), self.service.clone());
        self.task = Some(tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (acceptor, service) = (acceptor.clone(), service.clone());
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
                    let (_, certificate) = X509Certificate::from_der(&certificate).unwrap();
                    let key = spki_digest(certificate.tbs_certificate.subject_pki.raw);
                    service.seen().client_keys.push(key);
                    let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let service = TowerToHyperService::new(AgentsServer::new(service));
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }));
    }

    /// Everything is cut.
    pub async fn stop(&mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        let _ = task.await;
    }

    /// At the same place, with the same key.
    pub async fn restart(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    pub fn script(&self, script: Script) {
        *self.service.script.lock().unwrap() = script;
    }

    pub fn place(&self) -> String {
        self.address.to_string()
    }

    pub const fn pin(&self) -> Digest {
        self.pin
    }

    /// Of all batches that count, sorted.
    pub fn numbers(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self.service.seen().batches.values().flatten().copied().collect();
        all.sort_unstable();
        all
    }

    pub fn repeats(&self) -> usize {
        self.service.seen().repeats
    }

    pub fn replies(&self) -> Vec<v1::RunReply> {
        self.service.seen().replies.clone()
    }

    pub fn revision(&self) -> u64 {
        self.service.seen().revision
    }

    /// How sessions were begun.
    pub fn hellos(&self) -> Vec<v1::Hello> {
        self.service.seen().hellos.clone()
    }

    /// Results of probes that came.
    pub fn results(&self) -> Vec<ProbeResult> {
        let result =
            |record: &Record| if let Record::Probe(result) = record { Some(ProbeResult::clone(result)) } else { None };
        self.service.seen().records.iter().filter_map(result).collect()
    }

    /// Another assignment for sessions that begin from now on.
    pub fn assign(&self, assignment: Assignment) {
        self.service.script.lock().unwrap().assignment = Some(assignment);
    }

    /// How the agent says that newer programs fare.
    pub fn update(&self) -> Option<v1::CollectorStatus> {
        self.service.seen().update.clone()
    }

    /// The program that it offers.
    pub fn offered(&self) -> Option<v1::Update> {
        self.service.script().update.map(|(update, _)| update)
    }

    /// Programs that were asked for.
    pub fn asked(&self) -> Vec<v1::ReleaseRequest> {
        self.service.seen().asked.clone()
    }

    pub fn client_keys(&self) -> Vec<Digest> {
        let mut keys = self.service.seen().client_keys.clone();
        keys.dedup();
        keys
    }
}

impl Service {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    fn script(&self) -> Script {
        self.script.lock().unwrap().clone()
    }

    fn take(&self, message: from_agent::Message) -> Option<to_agent::Message> {
        match message {
            from_agent::Message::Batch(batch) => {
                let (run, sequence) = (batch.run, batch.sequence);
                self.seen().records.extend(codec::decode(&batch.records).unwrap().batch.records);
                let before = self.seen().batches.insert((run, sequence), numbers(&batch.records));
                if let Some(before) = before {
                    assert_eq!(before, numbers(&batch.records), "one number stands for one batch");
                    self.seen().repeats += 1;
                }
                self.script().acks.then_some(to_agent::Message::Ack(v1::Ack { run, sequence }))
            }
            from_agent::Message::Heartbeat(beat) => {
                let mut seen = self.seen();
                seen.revision = beat.revision;
                seen.update = beat.collectors.into_iter().find(|collector| collector.name == "update");
                Some(to_agent::Message::Beat(v1::Beat { sent: beat.time, received: beat.time, replied: beat.time }))
            }
            from_agent::Message::Ran(reply) => {
                self.seen().replies.push(reply);
                None
            }
            from_agent::Message::Hello(_) => panic!("a second hello"),
        }
    }
}

/// The events that the tests write; what the host says of itself is not counted.
fn numbers(records: &[u8]) -> Vec<u64> {
    let batch = codec::decode(records).unwrap().batch;
    batch
        .records
        .iter()
        .filter_map(|record| if let Record::Event(e) = record { e.text.raw().parse().ok() } else { None })
        .collect()
}

type Outgoing = Pin<Box<dyn Stream<Item = Result<v1::ToAgent, Status>> + Send>>;

#[tonic::async_trait]
impl Agents for Service {
    type SessionStream = Outgoing;
    type ReleaseStream = Pin<Box<dyn Stream<Item = Result<v1::ReleasePart, Status>> + Send>>;

    async fn enrol(&self, request: Request<v1::EnrolRequest>) -> Result<Response<v1::EnrolReply>, Status> {
        if self.script().refuses_tokens {
            return Err(Status::unauthenticated("the token is unknown, used or expired"));
        }
        let name = request.into_inner().info.unwrap_or_default().hostname;
        Ok(Response::new(v1::EnrolReply { agent: 42, name, workspace: "home".to_owned() }))
    }

    async fn session(&self, request: Request<Streaming<v1::FromAgent>>) -> Result<Response<Outgoing>, Status> {
        let mut incoming = request.into_inner();
        let first = incoming.message().await?.and_then(|first| first.message);
        let Some(from_agent::Message::Hello(hello)) = first else { panic!("{first:?}") };
        self.seen().hellos.push(hello);
        let (sender, receiver) = mpsc::channel(64);
        let service = self.clone();
        tokio::spawn(async move {
            let script = service.script();
            let welcome = v1::Welcome {
                agent: 42,
                name: "berlin".to_owned(),
                workspace: "home".to_owned(),
                heartbeat_seconds: 60,
                protocol: script.protocol,
            };
            let mut begin = vec![to_agent::Message::Welcome(welcome)];
            if script.refuses {
                begin.clear();
            }
            begin.extend(script.assignment.map(|assignment| {
                let document = serde_json::to_vec(&assignment).unwrap().into();
                to_agent::Message::Assignment(v1::Assignment { revision: assignment.revision, document })
            }));
            begin.extend(script.run.map(|run| {
                let (spec, narrowed) = match run.to.is_empty() {
                    true => (serde_json::to_vec(&run.spec).unwrap(), Vec::new()),
                    false => (Vec::new(), serde_json::to_vec(&run).unwrap()),
                };
                to_agent::Message::Run(v1::Run { request: 1, spec: spec.into(), narrowed: narrowed.into() })
            }));
            begin.extend(script.update.map(|(update, _)| to_agent::Message::Update(update)));
            begin.extend(script.goodbye.map(to_agent::Message::Goodbye));
            let wrap = |message| Ok(v1::ToAgent { message: Some(message) });
            for message in begin {
                if sender.send(wrap(message)).await.is_err() {
                    return;
                }
            }
            while let Ok(Some(v1::FromAgent { message: Some(message) })) = incoming.message().await {
                if let Some(answer) = service.take(message)
                    && sender.send(wrap(answer)).await.is_err()
                {
                    return;
                }
            }
        });
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|message| (message, receiver))
        });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn who_am_i(&self, _: Request<v1::WhoAmIRequest>) -> Result<Response<v1::WhoAmIReply>, Status> {
        Ok(Response::new(v1::WhoAmIReply { address: "192.0.2.9".to_owned(), ..v1::WhoAmIReply::default() }))
    }

    async fn release(&self, request: Request<v1::ReleaseRequest>) -> Result<Response<Self::ReleaseStream>, Status> {
        self.seen().asked.push(request.into_inner());
        let (_, program) = self.script().update.ok_or_else(|| Status::not_found("none"))?;
        let part = |part: &[u8]| Ok(v1::ReleasePart { content: part.to_vec().into() });
        let parts: Vec<_> = program.chunks(256 << 10).map(part).collect();
        Ok(Response::new(Box::pin(futures_util::stream::iter(parts))))
    }
}

/// Lets every key in, as the server does: who may do what is decided later.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("no TLS 1.2".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
