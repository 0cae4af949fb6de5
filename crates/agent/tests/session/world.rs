//! A whole agent whose clock the test moves.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use netwatch_agent::identity::{Enrolled, Home, Token};
use netwatch_agent::outbox::Outbox;
use netwatch_agent::probing::{self, Probing};
use netwatch_agent::session::{self, About, Collectors, Dialer, Install, Outcome, Proxy};
use netwatch_agent::update::{Settings, Updates, Version};
use netwatch_agent::watchdog::Beats;
use netwatch_agent::{Agent as Thread, Config};
use netwatch_egress::Policy;
use netwatch_model::people::Digest;
use netwatch_model::{AgentId, Event, EventKind, Record, Severity, Timestamp};
use netwatch_probes::{OwnRights, Tools};
use netwatch_spool::Directory;
use netwatch_telemetry::clock::{ManualClock, SystemClock};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::server::FakeServer;

/// How often conditions are looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Looks after which a condition is given up.
const LOOKS: u32 = 6000;

pub fn token(pin: Digest) -> Token {
    let parts = [URL_SAFE_NO_PAD.encode([1; 20]), URL_SAFE_NO_PAD.encode(pin.as_bytes())];
    format!("nwe1.{}.{}", parts[0], parts[1]).parse().unwrap()
}

pub fn dialer(server: &FakeServer, home: &Home, pin: Digest, proxy: Option<Proxy>) -> Dialer {
    Dialer::new(&server.place(), pin, &home.key().unwrap(), proxy).unwrap()
}

pub struct Agent {
    directory: Arc<TempDir>,
    clock: ManualClock,
    outbox: Outbox,
    stop: oneshot::Sender<()>,
    session: JoinHandle<Outcome>,
    _probing: Probing,
}

impl Agent {
    pub async fn start(server: &FakeServer) -> Self {
        Self::start_with(server, Arc::new(tempfile::tempdir().unwrap()), |_| {}).await
    }

    /// In that directory, with other settings of self-update than none.
    pub async fn start_with(server: &FakeServer, directory: Arc<TempDir>, change: impl FnOnce(&mut Settings)) -> Self {
        let home = Home::new(directory.path());
        let clock = ManualClock::at(Timestamp::from_secs(1_700_000_000));
        let enrolled = Enrolled {
            server: server.place(),
            pin: server.pin(),
            agent: None,
            name: String::new(),
            workspace: String::new(),
            enrolled: Timestamp::from_secs(1_700_000_000),
            deleted: None,
        };
        home.keep(&enrolled).unwrap();
        let files = Arc::new(Directory::new(&home.file("spool")));
        let (outbox, _) = Outbox::open(files, Arc::new(clock.clone()), 1, |_| {}).unwrap();
        let (thread, intake) = Thread::build(Config::default(), AgentId(42), outbox.clone(), SystemClock).unwrap();
        thread.spawn(Arc::default()).unwrap();
        let (assignments, assigned) = watch::channel(Arc::default());
        let tools = Tools::new(Arc::new(Policy::default()), Arc::new(OwnRights));
        let host = Arc::clone(&tools.host);
        let probing = Probing::start(probing::Dependencies {
            agent: AgentId(42),
            tools,
            intake: intake.clone(),
            assignments: assigned,
            clock: Arc::new(SystemClock),
        })
        .unwrap();
        let mut settings = Settings {
            home: home.clone(),
            version: Some(Version::new(0, 1, 0)),
            keys: Vec::new(),
            install: Install::Plain,
            supervised: true,
        };
        change(&mut settings);
        let collectors = Collectors::default();
        let updates = Updates::new(settings, collectors.clone());
        let dependencies = session::Dependencies {
            dialer: dialer(server, &home, server.pin(), None),
            home,
            enrolled,
            about: About::default(),
            boot: 7,
            outbox: outbox.clone(),
            intake,
            assignments,
            asking: probing.asking(),
            host,
            collectors,
            updates,
            clock: Arc::new(clock.clone()),
            chance: || 0.5,
            beats: Beats::default(),
            tick: LOOK,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let session = tokio::spawn(session::run(dependencies, async { _ = stopped.await }));
        Self { directory, clock, outbox, stop, session, _probing: probing }
    }

    pub fn put(&self, n: u64) {
        let event = Event {
            time: Timestamp::ZERO,
            kind: EventKind::InterfaceUp,
            severity: Severity::Info,
            subject: "x".into(),
            text: n.to_string().as_str().into(),
        };
        self.outbox.put(&[Record::Event(event)]).unwrap();
    }

    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// What it keeps, and what must live for as long as that is looked at.
    pub fn home(&self) -> (Home, Arc<TempDir>) {
        (Home::new(self.directory.path()), Arc::clone(&self.directory))
    }

    /// Lets time pass, and the session look at the clock.
    pub async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        // waits: for the session, whose sockets are real, to see the time that has passed.
        tokio::time::sleep(LOOK).await;
    }

    /// Lets time pass until something holds.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        for _ in 0..LOOKS {
            if holds() {
                return;
            }
            self.pass(Duration::from_millis(200)).await;
        }
        panic!("not in time: {what}; {:?} wait", self.outbox.waiting());
    }

    /// Whether it has ended by itself.
    pub fn is_ended(&self) -> bool {
        self.session.is_finished()
    }

    pub async fn stop(self) -> Outcome {
        self.stop.send(()).unwrap();
        self.session.await.unwrap()
    }

    /// Waits until it ends by itself.
    pub async fn ended(self) -> Outcome {
        // Nobody asks it to end.
        let Self { session, stop: _stop, .. } = self;
        session.await.unwrap()
    }
}
