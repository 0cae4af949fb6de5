//! What a probe costs: wall clock and processor time of each kind against servers on the loopback, and whether 5 000 probes of HTTP a
//! minute are possible.
//!
//! `cargo run --release -p netwatch-probes --example cost`. The servers are another process (this program with the argument `serve`), so
//! that the processor time is that of the probes alone.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use netwatch_egress::Policy;
use netwatch_model::probe::kind::{dns, http};
use netwatch_model::probe::{OptionValue, ProbeKind, ProbeSpec, Trigger};
use netwatch_model::{AgentId, Timestamp};
use netwatch_probes::{Occasion, OwnRights, Tools, run};
use netwatch_telemetry::clock;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Probes of each kind that are measured, one after the other.
const RUNS: u32 = 500;
/// Probes of HTTP in the test of the rate, and how many at once.
const BURST: u32 = 5_000;
const AT_ONCE: usize = 64;

/// Where the servers listen.
struct Places {
    plain: SocketAddr,
    tls: SocketAddr,
    mail: SocketAddr,
    datagrams: SocketAddr,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a report for people")]
async fn main() -> Result<(), AnyError> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve().await;
    }
    let (mut servers, places) = start()?;
    let tools = Tools {
        policy: Arc::new(Policy { allow: vec!["127.0.0.0/8".parse()?], deny: Vec::new() }),
        rights: Arc::new(OwnRights),
    };
    println!("{:<12} {:>12} {:>12}", "kind", "wall, us", "CPU, us");
    for (name, spec) in specs(&places) {
        let (wall, cpu) = measure(&spec, &tools, RUNS, 1).await?;
        println!("{name:<12} {:>12.0} {:>12.0}", each(wall, RUNS), each(cpu, RUNS));
    }
    for (name, spec) in specs(&places).into_iter().filter(|(name, _)| name.starts_with("http")) {
        let (wall, cpu) = measure(&spec, &tools, BURST, AT_ONCE).await?;
        let share = cpu.as_secs_f64() / 60.0 * 100.0;
        println!(
            "{BURST} of {name}, {AT_ONCE} at once: {:.2} s; at {BURST} a minute {share:.2} % of one processor",
            wall.as_secs_f64()
        );
    }
    servers.kill()?;
    servers.wait()?;
    Ok(())
}

fn specs(places: &Places) -> Vec<(&'static str, ProbeSpec)> {
    let off = OptionValue::Flag(false);
    let spec = |kind, target: String| ProbeSpec::new(kind, &target);
    let mut https = spec(ProbeKind::Http, format!("https://{}/", places.tls));
    https.options.set(&http::VERIFY, off.clone());
    let mut tls = spec(ProbeKind::Tls, places.tls.to_string());
    tls.options.set(&http::VERIFY, off);
    let mut question = spec(ProbeKind::Dns, "www.example.org".to_owned());
    question.options.set(&dns::SERVERS, OptionValue::Texts(vec![places.datagrams.to_string()]));
    vec![
        ("tcp", spec(ProbeKind::Tcp, places.plain.to_string())),
        ("udp", spec(ProbeKind::Udp, places.datagrams.to_string())),
        ("ntp", spec(ProbeKind::Ntp, places.datagrams.to_string())),
        ("dns", question),
        ("smtp", spec(ProbeKind::Smtp, places.mail.to_string())),
        ("tls", tls),
        ("http", spec(ProbeKind::Http, format!("http://{}/", places.plain))),
        ("https", https),
    ]
}

/// Wall clock and processor time of `count` runs.
async fn measure(
    spec: &ProbeSpec,
    tools: &Tools,
    count: u32,
    at_once: usize,
) -> Result<(Duration, Duration), AnyError> {
    let occasion = Occasion { probe: None, agent: AgentId(1), scheduled: Timestamp::ZERO, trigger: Trigger::Request };
    run(spec, occasion, tools).await; // what is made once is not counted
    let (began, cpu) = (clock::monotonic(), clock::process_cpu());
    let places = Arc::new(tokio::sync::Semaphore::new(at_once));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let place = Arc::clone(&places).acquire_owned().await?;
        let (spec, tools) = (spec.clone(), tools.clone());
        tasks.spawn(async move {
            let result = run(&spec, occasion, &tools).await;
            drop(place);
            result.failure
        });
    }
    if let Some(failure) = tasks.join_all().await.into_iter().flatten().next() {
        return Err(format!("{}: {}", spec.kind, failure.message).into());
    }
    Ok((clock::monotonic().saturating_sub(began), clock::process_cpu().saturating_sub(cpu)))
}

fn each(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count)
}

fn start() -> Result<(Child, Places), AnyError> {
    let mut servers = Command::new(std::env::current_exe()?).arg("serve").stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(servers.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let places = line.split_whitespace().map(str::parse).collect::<Result<Vec<SocketAddr>, _>>()?;
    let [plain, tls, mail, datagrams] = places.as_slice() else { return Err("no places".into()) };
    Ok((servers, Places { plain: *plain, tls: *tls, mail: *mail, datagrams: *datagrams }))
}

#[expect(clippy::print_stdout, reason = "tells the other process where it listens")]
async fn serve() -> Result<(), AnyError> {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let (plain, tls, mail) = (bind().await?, bind().await?, bind().await?);
    let datagrams = UdpSocket::bind("127.0.0.1:0").await?;
    println!("{} {} {} {}", plain.local_addr()?, tls.local_addr()?, mail.local_addr()?, datagrams.local_addr()?);
    let acceptor = acceptor()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = plain.accept().await {
            tokio::spawn(page(stream));
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = tls.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    page(stream).await;
                }
            });
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = mail.accept().await {
            tokio::spawn(greet(stream));
        }
    });
    let mut room = [0_u8; 2048];
    loop {
        let (length, from) = datagrams.recv_from(&mut room).await?;
        datagrams.send_to(&answer(&room[..length]), from).await?;
    }
}

fn acceptor() -> Result<TlsAcceptor, AnyError> {
    let key = KeyPair::generate()?;
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.self_signed(&key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())?;
    Ok(TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(vec![own.der().clone()], key)?)))
}

async fn page<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let mut room = [0_u8; 2048];
    if stream.read(&mut room).await.is_ok_and(|n| n > 0) {
        let body = "x".repeat(1000);
        let _gone = stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{body}").as_bytes()).await;
        let _gone = stream.shutdown().await;
    }
}

async fn greet(stream: tokio::net::TcpStream) {
    let mut stream = tokio::io::BufReader::new(stream);
    let _gone = stream.write_all(b"220 mail\r\n").await;
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
        let answer: &[u8] = if line.starts_with("QUIT") { b"221 bye\r\n" } else { b"250 mail\r\n" };
        let _gone = stream.write_all(answer).await;
        line.clear();
    }
}

/// An answer of NTP or DNS to a question of either; anything else comes back as it is.
fn answer(question: &[u8]) -> Vec<u8> {
    let mut answer = question.to_vec();
    if question.len() == 48 && question.first() == Some(&0x23) {
        let now = u64::try_from(clock::now().secs()).unwrap_or(0) + 2_208_988_800;
        (answer[0], answer[1]) = (0x24, 1);
        answer.copy_within(40..48, 24);
        answer[32..40].copy_from_slice(&(now << 32).to_be_bytes());
        answer[40..48].copy_from_slice(&(now << 32).to_be_bytes());
    } else if question.get(4..6) == Some(&[0, 1]) {
        // The question ends where the OPT record of 11 octets begins.
        answer.truncate(question.len() - 11);
        (answer[2], answer[3], answer[7], answer[11]) = (0x81, 0x80, 1, 0);
        answer.extend_from_slice(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    }
    answer
}
