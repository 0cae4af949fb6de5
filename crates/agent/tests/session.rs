//! An agent and a scripted server over real TLS on this host: enrolment, outages, proxies, newer programs, the end.

#[path = "session/server.rs"]
mod server;
#[path = "session/signer.rs"]
mod signer;
#[path = "session/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use netwatch_agent::identity::{Home, IdentityError};
use netwatch_agent::session::{About, EnrolError, Outcome, Proxy, enrol};
use netwatch_agent::update::{self, Version};
use netwatch_api::agent::protocol::Versions;
use netwatch_api::agent::v1;
use netwatch_model::assignment::{AssignedProbe, Assignment, NarrowedProbes, NarrowedRun};
use netwatch_model::people::{Digest, ProbeId};
use netwatch_model::probe::{FailureReason, Family, ProbeKind, ProbeNetworks, ProbeResult, ProbeSpec};
use netwatch_telemetry::clock::SystemClock;
use server::{FakeServer, Script};
use signer::Signer;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use world::{Agent, dialer, token};

fn chance() -> f64 {
    0.5
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_for_half_an_hour_loses_nothing_and_gets_nothing_twice() {
    let mut server = FakeServer::start(Script::default()).await;
    let agent = Agent::start(&server).await;
    for n in 0..5 {
        agent.put(n);
    }
    agent.until("the first five are there", || server.numbers().len() == 5).await;
    server.stop().await;
    for n in 5..185 {
        agent.put(n);
        agent.pass(Duration::from_secs(10)).await;
    }
    assert_eq!(server.numbers().len(), 5);
    assert!(agent.outbox().waiting().batches >= 180);
    server.restart().await;
    agent.put(185);
    agent.until("everything is there", || server.numbers().len() >= 186).await;
    assert_eq!(server.numbers(), (0..186).collect::<Vec<_>>(), "each once, by its run and number");
    let outbox = agent.outbox();
    agent.until("nothing waits", || outbox.waiting().batches == 0).await;
    assert_eq!(outbox.waiting().dropped, 0);
    assert_eq!(agent.stop().await, Outcome::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_its_acks_gets_everything_once_more_under_the_same_numbers() {
    let mut server = FakeServer::start(Script { acks: false, ..Script::default() }).await;
    let agent = Agent::start(&server).await;
    for n in 0..20 {
        agent.put(n);
    }
    agent.until("all came", || server.numbers().len() == 20).await;
    server.stop().await;
    server.script(Script::default());
    server.restart().await;
    let outbox = agent.outbox();
    agent.until("nothing waits", || outbox.waiting().batches == 0).await;
    assert_eq!(server.numbers(), (0..20).collect::<Vec<_>>());
    assert!(server.repeats() > 0);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_agent_stops_and_later_starts_say_so() {
    let goodbye = v1::Goodbye { reason: v1::Reason::Deleted.into(), message: "deleted by anna".to_owned() };
    let server = FakeServer::start(Script { goodbye: Some(goodbye), ..Script::default() }).await;
    let agent = Agent::start(&server).await;
    let (home, _directory) = agent.home();
    assert_eq!(agent.ended().await, Outcome::Deleted("deleted by anna".to_owned()));
    let error = home.begin(None, None).unwrap_err();
    assert!(matches!(&error, IdentityError::Deleted { message, .. } if message == "deleted by anna"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assignment_is_kept_and_a_run_that_is_asked_for_is_answered() {
    let spec = ProbeSpec { interval: 86_400.0, ..ProbeSpec::new(ProbeKind::Tcp, "127.0.0.1:9") };
    let probes = vec![AssignedProbe { id: ProbeId::from_bits(7), peer: None, spec }];
    let assignment = Assignment { revision: 3, probes, ..Assignment::default() };
    let run = NarrowedRun { to: ProbeNetworks::default(), spec: ProbeSpec::new(ProbeKind::Network, "") };
    let script = Script { assignment: Some(assignment), run: Some(run), ..Script::default() };
    let server = FakeServer::start(script).await;
    let agent = Agent::start(&server).await;
    agent.until("the run is answered", || !server.replies().is_empty()).await;
    let replies = server.replies();
    let Some(v1::run_reply::Outcome::Result(result)) = &replies[0].outcome else { panic!("{replies:?}") };
    let result: ProbeResult = serde_json::from_slice(result).unwrap();
    assert_eq!((result.kind, result.failure), (ProbeKind::Network, None));
    agent.until("the revision is told", || server.revision() == 3).await;
    let (home, _directory) = agent.home();
    agent.stop().await;
    let kept = netwatch_agent::session::kept_assignment(&home);
    assert_eq!((kept.revision, kept.probes.len()), (3, 1), "a restart without a server goes on with it");
}

/// A listener that counts who comes.
async fn counting() -> (u16, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_name_resolves_to_is_judged_by_the_workspace_of_the_probe_and_a_change_holds_for_the_next_run() {
    let ((free, reached), (bound, narrowed)) = (counting().await, counting().await);
    let probe = |bits, port| {
        let target = format!("localhost:{port}");
        let spec = ProbeSpec { interval: 1.0, count: 1, family: Family::V4, ..ProbeSpec::new(ProbeKind::Tcp, &target) };
        AssignedProbe { id: ProbeId::from_bits(bits), peer: None, spec }
    };
    let within = |revision, deny: &[&str]| Assignment {
        revision,
        probes: vec![probe(1, free)],
        narrowed: vec![NarrowedProbes {
            to: ProbeNetworks { only: Vec::new(), deny: deny.iter().map(|text| (*text).to_owned()).collect() },
            probes: vec![probe(2, bound)],
        }],
        allow: vec!["127.0.0.0/8".to_owned()],
        ..Assignment::default()
    };
    let elsewhere = ProbeNetworks { only: vec!["192.0.2.0/24".to_owned()], deny: Vec::new() };
    let run = NarrowedRun { to: elsewhere, spec: probe(3, bound).spec };
    let script = Script { assignment: Some(within(1, &["127.0.0.0/8"])), run: Some(run), ..Script::default() };
    let mut server = FakeServer::start(script).await;
    let agent = Agent::start(&server).await;
    let of = |server: &FakeServer, bits| {
        let id = Some(ProbeId::from_bits(bits));
        server.results().into_iter().filter(|result| result.probe == id).collect::<Vec<_>>()
    };
    agent.until("both have run", || !of(&server, 1).is_empty() && !of(&server, 2).is_empty()).await;
    assert!(of(&server, 1).iter().all(|result| result.failure.is_none()), "{:?}", of(&server, 1));
    let why = of(&server, 2)[0].failure.clone().unwrap();
    assert_eq!(why.reason, FailureReason::Forbidden);
    assert!(why.message.raw().contains("127.0.0.0/8") && why.message.raw().contains("workspace"), "{why:?}");
    agent.until("the run is answered", || !server.replies().is_empty()).await;
    let Some(v1::run_reply::Outcome::Result(result)) = &server.replies()[0].outcome else { panic!() };
    let result: ProbeResult = serde_json::from_slice(result).unwrap();
    assert_eq!(result.failure.map(|failure| failure.reason), Some(FailureReason::Forbidden));
    assert_eq!(narrowed.load(Ordering::SeqCst), 0, "nothing was sent there");
    assert!(reached.load(Ordering::SeqCst) > 0);

    server.stop().await;
    server.assign(within(2, &["192.0.2.0/24"]));
    server.restart().await;
    agent.until("it is measured now", || narrowed.load(Ordering::SeqCst) > 0).await;
    assert_eq!(agent.stop().await, Outcome::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_another_protocol_is_asked_again_only_after_five_minutes() {
    let message = "update the agent".to_owned();
    let goodbye = Some(v1::Goodbye { reason: v1::Reason::Incompatible.into(), message });
    for script in [Script { goodbye, refuses: true, ..Script::default() }, Script { protocol: 99, ..Script::default() }]
    {
        let server = FakeServer::start(script).await;
        let agent = Agent::start(&server).await;
        agent.until("it has asked", || !server.hellos().is_empty()).await;
        for _ in 0..29 {
            agent.pass(Duration::from_secs(10)).await;
        }
        let hellos = server.hellos();
        let ours = Versions::OURS;
        assert_eq!((hellos[0].oldest_protocol, hellos[0].protocol), (ours.oldest(), ours.newest()));
        assert_eq!(hellos.len(), 1, "it waits");
        agent.until("it asks again", || server.hellos().len() == 2).await;
        assert_eq!(agent.stop().await, Outcome::Stopped);
    }
}

const NEW: Version = Version::new(0, 2, 0);

/// A server that offers that program, signed, and sends the other one.
async fn offering(signer: &Signer, program: &[u8], sent: Vec<u8>) -> FakeServer {
    let update = v1::Update {
        version: NEW.to_string(),
        bytes: program.len() as u64,
        digest: ring::digest::digest(&ring::digest::SHA256, program).as_ref().to_vec().into(),
        signature: signer.sign(program, &NEW.file_name()),
    };
    FakeServer::start(Script { update: Some((update, sent)), ..Script::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_program_is_fetched_and_the_agent_ends_for_it_to_be_started() {
    let (signer, program) = (Signer::new(), (0..700_000_u32).map(|n| n as u8).collect::<Vec<u8>>());
    let server = offering(&signer, &program, program.clone()).await;
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let key = signer.key().parse().unwrap();
    let agent = Agent::start_with(&server, Arc::clone(&directory), |settings| settings.keys.push(key)).await;
    let (home, _) = agent.home();
    agent.until("the agent ends", || agent.is_ended()).await;
    assert_eq!(agent.ended().await, Outcome::Updated(NEW));
    let asked = server.asked();
    let (os, arch) = (std::env::consts::OS.to_owned(), std::env::consts::ARCH.to_owned());
    assert_eq!(asked, [v1::ReleaseRequest { version: "0.2.0".to_owned(), os, arch }]);
    assert_eq!(std::fs::read(home.file("releases").join(NEW.file_name())).unwrap(), program);
    let state = update::kept(&home).unwrap();
    assert_eq!(state.candidate.map(|candidate| (candidate.release.version, candidate.starts)), Some((NEW, 0)));

    // Its next start is that version, which the server welcomes.
    let next = Arc::new(tempfile::tempdir().unwrap());
    std::fs::copy(home.file("update.json"), next.path().join("update.json")).unwrap();
    let agent = Agent::start_with(&server, next, |settings| settings.version = Some(NEW)).await;
    let (home, _directory) = agent.home();
    agent.until("it is good", || update::kept(&home).unwrap().good.is_some()).await;
    assert_eq!(agent.stop().await, Outcome::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_program_than_the_signed_one_leaves_nothing_behind_and_is_asked_for_again() {
    let (signer, program) = (Signer::new(), vec![7; 600_000]);
    let mut altered = program.clone();
    altered[599_999] = 8;
    let server = offering(&signer, &program, altered).await;
    let key = signer.key().parse().unwrap();
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let agent = Agent::start_with(&server, Arc::clone(&directory), |settings| settings.keys.push(key)).await;
    let is_told = || server.update().is_some_and(|update| update.message.contains("SHA-256"));
    agent.until("the server hears of it", is_told).await;
    assert_eq!(std::fs::read_dir(directory.path().join("releases")).unwrap().count(), 0);
    server.script(Script { update: Some((server.offered().unwrap(), program)), ..Script::default() });
    agent.pass(Duration::from_hours(1)).await;
    agent.until("the agent ends", || agent.is_ended()).await;
    assert_eq!(agent.ended().await, Outcome::Updated(NEW));
}

#[tokio::test]
async fn a_token_is_taken_by_its_server_alone() {
    let server = FakeServer::start(Script::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let home = Home::new(directory.path());
    let about = About { name: "berlin".to_owned(), ..About::default() };
    let asked = async |pin: Digest, proxy: Option<Proxy>| {
        let dialer = dialer(&server, &home, pin, proxy);
        enrol(&dialer, pin, &token(pin), &about, &SystemClock, chance).await
    };
    let enrolled = asked(server.pin(), None).await.unwrap();
    assert_eq!((enrolled.agent.as_deref(), enrolled.name.as_str()), (Some("000000000000002a"), "berlin"));
    assert_eq!(server.client_keys(), [home.key().unwrap().digest()], "the server knows the agent by its key");

    let other = asked(Digest::from_bytes([9; 32]), None).await.unwrap_err();
    assert!(matches!(other, EnrolError::WrongServer(_)), "{other}");
    assert!(other.to_string().contains(&server.pin().to_string()), "{other}");

    server.script(Script { refuses_tokens: true, ..Script::default() });
    let expired = asked(server.pin(), None).await.unwrap_err();
    assert!(matches!(&expired, EnrolError::Token { message, .. } if message.contains("expired")), "{expired}");
}

#[tokio::test]
async fn the_way_may_lead_through_a_proxy() {
    let server = FakeServer::start(Script::default()).await;
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = proxy.local_addr().unwrap();
    let passed = tokio::spawn(async move {
        let (client, _) = proxy.accept().await.unwrap();
        let mut client = BufReader::new(client);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            client.read_line(&mut head).await.unwrap();
        }
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let mut upstream = tokio::net::TcpStream::connect(&target).await.unwrap();
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut upstream).await });
        head
    });
    let directory = tempfile::tempdir().unwrap();
    let home = Home::new(directory.path());
    let proxy: Proxy = format!("http://anna:secret@{place}").parse().unwrap();
    let dialer = dialer(&server, &home, server.pin(), Some(proxy));
    let pin = server.pin();
    enrol(&dialer, pin, &token(pin), &About::default(), &SystemClock, chance).await.unwrap();
    let head = passed.await.unwrap();
    assert!(head.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.place())), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic YW5uYTpzZWNyZXQ="), "{head}");
}

#[tokio::test]
async fn a_server_that_is_none_is_no_reason_to_end() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let strange = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut hello = [0; 5];
        client.read_exact(&mut hello).await.unwrap();
        client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        hello
    });
    let directory = tempfile::tempdir().unwrap();
    let home = Home::new(directory.path());
    let pin = Digest::from_bytes([1; 32]);
    let dialer = netwatch_agent::session::Dialer::new(&place, pin, &home.key().unwrap(), None).unwrap();
    let (token, about) = (token(pin), About::default());
    let tried = enrol(&dialer, pin, &token, &about, &SystemClock, chance);
    let waited = tokio::time::timeout(Duration::from_millis(500), tried).await;
    assert!(waited.is_err(), "it tries again: {waited:?}");
    assert_eq!(strange.await.unwrap()[0], 22, "it began with a handshake of TLS");
}
