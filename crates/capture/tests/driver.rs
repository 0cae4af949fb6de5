//! The whole engine on real interfaces in namespaces: what it says of them, and that it goes on when they come and go.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, mpsc::SyncSender};
use std::time::Duration;

use netwatch_capture::config::FlowConfig;
use netwatch_capture::driver::signal::Signal;
use netwatch_capture::driver::{Capture, CaptureConfig, CaptureError, Dependencies, OpenSocket, OwnRights};
use netwatch_capture::file::FileOptions;
use netwatch_capture::file::pace::Speed;
use netwatch_capture::interface::monitor::list;
use netwatch_capture::ring::RingSettings;
use netwatch_capture::source::{FileReplay, LiveFilter, LiveSource, Source};
use netwatch_capture::writer::{Output, WriteLimits, Writer, record};
use netwatch_model::{Event, EventKind, FlowRecord, Label, Metric, Record, TcpMetrics, Untrusted};
use netwatch_telemetry::clock::{SystemClock, monotonic};
use netwatch_testkit::netns::Namespace;

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A capture that runs, and what it has said so far.
struct Running {
    shutdown: Signal,
    records: Receiver<Vec<Record>>,
    seen: Vec<Record>,
}

impl Running {
    /// Reads on until `found` is in what was said; it is asked for the newest batch and all before.
    fn until<R>(&mut self, what: &str, found: impl Fn(&[Record]) -> Option<R>) -> R {
        let deadline = monotonic() + PATIENCE;
        loop {
            if let Some(found) = found(&self.seen) {
                return found;
            }
            match self.records.recv_timeout(deadline.saturating_sub(monotonic())) {
                Ok(records) => self.seen.extend(records),
                Err(RecvTimeoutError::Timeout) => panic!("no {what} within {PATIENCE:?}; events: {:#?}", self.events()),
                Err(RecvTimeoutError::Disconnected) => panic!("capture ended without {what}: {:#?}", self.events()),
            }
        }
    }

    /// The first event of a kind after the first `skip` of that kind.
    fn event(&mut self, kind: EventKind, skip: usize) -> Event {
        self.until(&format!("{kind:?}"), |records| {
            events(records).filter(|event| event.kind == kind).nth(skip).cloned()
        })
    }

    fn events(&self) -> Vec<String> {
        events(&self.seen).map(|event| format!("{:?} {}", event.kind, event.text)).collect()
    }

    /// Stops the capture and gives all that it has said.
    fn stop(mut self) -> Vec<Record> {
        self.shutdown.raise();
        while let Ok(records) = self.records.recv() {
            self.seen.extend(records);
        }
        self.seen
    }
}

fn events(records: &[Record]) -> impl Iterator<Item = &Event> {
    records.iter().filter_map(|record| if let Record::Event(event) = record { Some(event) } else { None })
}

/// The last value of a series that has the interface's label.
fn value(records: &[Record], metric: Metric, interface: &str) -> Option<u64> {
    let label = Label::Interface(Untrusted::new(interface));
    records.iter().rev().find_map(|record| match record {
        Record::Sample(s) if s.series.metric == metric && s.series.labels == [label.clone()] => Some(s.value.as_u64()),
        _ => None,
    })
}

/// The last record of each flow.
fn flows(records: &[Record]) -> Vec<&FlowRecord> {
    let mut flows = std::collections::BTreeMap::new();
    for record in records {
        if let Record::Flow(flow) = record {
            flows.insert(flow.id, &**flow);
        }
    }
    flows.into_values().collect()
}

fn live(interfaces: &[&str]) -> LiveSource {
    let ring = RingSettings {
        block_size: 128 << 10,
        block_count: 32,
        retire: Duration::from_millis(10),
        ..Default::default()
    };
    LiveSource { interfaces: interfaces.iter().map(|name| Untrusted::new(name)).collect(), ring, filter: None }
}

fn dependencies(sockets: Arc<dyn OpenSocket>, records: SyncSender<Vec<Record>>) -> Dependencies {
    // A test that has seen enough does not listen any more.
    let sink = move |batch| drop(records.send(batch));
    let clock = Arc::new(SystemClock);
    Dependencies { sockets, clock, apps: Arc::default(), seed: [1, 2, 3, 4], sink: Box::new(sink), owners: None }
}

/// Runs a capture in a namespace while `work` goes on, and gives what the capture ended with.
fn capturing<R>(
    namespace: &Namespace,
    config: CaptureConfig,
    sockets: Arc<dyn OpenSocket>,
    work: impl FnOnce(Running) -> R,
) -> (R, Result<(), CaptureError>) {
    let (sender, records) = sync_channel(1024);
    let shutdown = Signal::new().unwrap();
    let capture = Capture::build(config, dependencies(sockets, sender));
    std::thread::scope(|scope| {
        let stop = shutdown.clone();
        let run = scope.spawn(move || namespace.enter(|| capture.run(&stop)));
        let result = work(Running { shutdown: shutdown.clone(), records, seen: Vec::new() });
        shutdown.raise();
        (result, run.join().unwrap())
    })
}

fn config(source: LiveSource, workers: usize) -> CaptureConfig {
    CaptureConfig { source: Source::Live(source), workers, flow: FlowConfig::default() }
}

fn pair(test: &str) -> Option<(Namespace, Namespace)> {
    let (a, b) = (Namespace::new_or_skip(test)?, Namespace::new_or_skip(test)?);
    join(&a, &b);
    Some((a, b))
}

fn join(a: &Namespace, b: &Namespace) {
    a.connect("a0", b, "b0");
    for (ns, name, own, other) in [(a, "a0", "1", "2"), (b, "b0", "2", "1")] {
        ns.ip(&format!("link set {name} address 02:00:00:00:00:0{own}"));
        ns.ip(&format!("address add 10.0.0.{own}/24 dev {name}"));
        ns.ip(&format!("neighbour replace 10.0.0.{other} lladdr 02:00:00:00:00:0{other} dev {name} nud permanent"));
    }
}

fn send(from: &Namespace, to: &str, count: usize) {
    let socket = from.enter(|| UdpSocket::bind("0.0.0.0:0").unwrap());
    for _ in 0..count {
        socket.send_to(&[7; 100], to).unwrap();
    }
}

fn seconds_of_gap(event: &Event) -> f64 {
    let text = event.text.to_string();
    let number = text.split_whitespace().rev().nth(1).unwrap_or_else(|| panic!("no gap in `{text}`"));
    number.parse().unwrap_or_else(|_| panic!("no gap in `{text}`"))
}

#[test]
fn two_workers_count_what_the_kernel_counts() {
    let Some((a, b)) = pair("two_workers_count_what_the_kernel_counts") else { return };
    let (records, result) = capturing(&b, config(live(&["b0"]), 2), Arc::new(OwnRights), |mut running| {
        running.event(EventKind::CaptureStarted, 0);
        let _receiver = b.enter(|| UdpSocket::bind("10.0.0.2:5000").unwrap());
        (0..20).for_each(|_| send(&a, "10.0.0.2:5000", 50));
        running.until("1000 frames", |r| (value(r, Metric::FramesReceived, "b0") >= Some(1000)).then_some(()));
        running.stop()
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(value(&records, Metric::FramesReceived, "b0"), Some(1000));
    assert_eq!(value(&records, Metric::KernelDrops, "b0"), Some(0));
    let flows = flows(&records);
    assert_eq!(flows.len(), 20, "one flow a socket, whichever worker has it");
    assert!(flows.iter().all(|f| f.forward.packets == 50 && f.forward.octets == 50 * 128 && f.reverse.packets == 0));
    let kinds: Vec<_> = events(&records).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::CaptureStarted, EventKind::CaptureStopped]);
}

#[test]
fn a_flap_is_told_and_no_frame_after_it_is_lost() {
    let Some((a, b)) = pair("a_flap_is_told_and_no_frame_after_it_is_lost") else { return };
    let (gap, _) = capturing(&b, config(live(&["b0"]), 1), Arc::new(OwnRights), |mut running| {
        running.event(EventKind::CaptureStarted, 0);
        b.ip("link set b0 down");
        running.event(EventKind::InterfaceDown, 0);
        running.event(EventKind::CaptureInterrupted, 0);
        b.ip("link set b0 up");
        b.ip("neighbour replace 10.0.0.1 lladdr 02:00:00:00:00:01 dev b0 nud permanent");
        send(&b, "10.0.0.1:5000", 10);
        let resumed = running.event(EventKind::CaptureResumed, 0);
        running.until("10 frames", |r| (value(r, Metric::FramesReceived, "b0") >= Some(10)).then_some(()));
        drop((a, running));
        seconds_of_gap(&resumed)
    });
    assert!(gap < 2.0, "{gap} s");
}

#[test]
fn a_renamed_interface_goes_on() {
    let Some((a, b)) = pair("a_renamed_interface_goes_on") else { return };
    let ((), result) = capturing(&b, config(live(&["b0"]), 1), Arc::new(OwnRights), |mut running| {
        running.event(EventKind::CaptureStarted, 0);
        b.run("ip", &["link", "set", "b0", "name", "<b>$(x)"]);
        let event = running.event(EventKind::InterfaceRenamed, 0);
        assert_eq!(event.text.to_string(), "b0: is now named <b>$(x); capture goes on");
        send(&a, "10.0.0.2:5000", 25);
        running.until("25 frames", |r| (value(r, Metric::FramesReceived, "b0") >= Some(25)).then_some(()));
    });
    assert!(result.is_ok());
}

#[test]
fn deleted_and_created_again_is_captured_again_within_two_seconds() {
    let Some((a, b)) = pair("deleted_and_created_again_is_captured_again_within_two_seconds") else { return };
    let ((gap, waited), result) = capturing(&b, config(live(&["b0"]), 2), Arc::new(OwnRights), |mut running| {
        running.event(EventKind::CaptureStarted, 0);
        send(&a, "10.0.0.2:5000", 5);
        running.until("5 frames", |r| (value(r, Metric::FramesReceived, "b0") >= Some(5)).then_some(()));
        b.ip("link delete b0");
        running.event(EventKind::InterfaceDeleted, 0);
        running.event(EventKind::CaptureInterrupted, 0);
        join(&a, &b);
        let created = monotonic();
        let resumed = running.event(EventKind::CaptureResumed, 0);
        let waited = monotonic() - created;
        send(&a, "10.0.0.2:5000", 20);
        // The five from before are kept: counters outlive the ring.
        running.until("25 frames", |r| (value(r, Metric::FramesReceived, "b0") >= Some(25)).then_some(()));
        (seconds_of_gap(&resumed), waited)
    });
    assert!(result.is_ok());
    assert!(waited < Duration::from_secs(2) && gap < 2.0, "{waited:?}, {gap} s");
}

#[test]
fn an_interface_that_comes_later_is_captured_then() {
    let Some(a) = Namespace::new_or_skip("an_interface_that_comes_later_is_captured_then") else { return };
    let b = Namespace::new().unwrap();
    let ((), result) = capturing(&b, config(live(&["b0", "lo"]), 1), Arc::new(OwnRights), |mut running| {
        let missing = running.event(EventKind::CaptureInterrupted, 0);
        assert_eq!(missing.text.to_string(), "b0: is not there; capture begins when it is");
        join(&a, &b);
        running.until("start of b0", |r| {
            events(r).find(|e| e.kind == EventKind::CaptureStarted && e.subject.raw() == "b0").map(drop)
        });
        send(&a, "10.0.0.2:5000", 7);
        send(&b, "127.0.0.1:5000", 3);
        running.until("7 frames", |r| (value(r, Metric::FramesReceived, "b0") >= Some(7)).then_some(()));
        running.until("3 frames", |r| (value(r, Metric::FramesReceived, "lo") >= Some(3)).then_some(()));
    });
    assert!(result.is_ok());
}

#[test]
fn a_filter_is_applied_in_the_kernel() {
    let Some((a, b)) = pair("a_filter_is_applied_in_the_kernel") else { return };
    let wanted = [Untrusted::new("b0")];
    let filter = b.enter(|| LiveFilter::compile("udp port 5001 or vlan 7", &wanted, &list().unwrap()).unwrap());
    let source = LiveSource { filter: Some(filter), ..live(&["b0"]) };
    let (records, _) = capturing(&b, config(source, 1), Arc::new(OwnRights), |mut running| {
        running.event(EventKind::CaptureStarted, 0);
        send(&a, "10.0.0.2:5000", 50);
        let mut tagged = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7, 0x88, 0xb5];
        tagged.resize(60, 0);
        (0..4).for_each(|_| a.sender("a0").send(&tagged));
        send(&a, "10.0.0.2:5001", 10);
        running.until("14 frames", |r| (value(r, Metric::FramesReceived, "b0") >= Some(14)).then_some(()));
        running.stop()
    });
    assert_eq!(value(&records, Metric::FramesReceived, "b0"), Some(14), "vlan finds the tag that the kernel took out");
}

/// Nobody may capture.
struct NoRight;

impl OpenSocket for NoRight {
    fn open(&self) -> std::io::Result<std::os::fd::OwnedFd> {
        Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "no right: run `grant me`"))
    }
}

#[test]
fn without_the_right_it_runs_and_says_the_command_of_the_port() {
    let Some(ns) = Namespace::new_or_skip("without_the_right_it_runs_and_says_the_command_of_the_port") else { return };
    let (text, result) = capturing(&ns, config(live(&["lo"]), 1), Arc::new(NoRight), |mut running| {
        running.event(EventKind::CaptureDenied, 0).text.to_string()
    });
    assert_eq!(text, "lo: cannot be captured: no packet socket: no right: run `grant me`");
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn a_file_goes_the_same_way() {
    let Some(ns) = Namespace::new_or_skip("a_file_goes_the_same_way") else { return };
    let mut file = [0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 101].to_vec();
    let packet =
        [&[0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 1, 1, 1, 1][..], &[0, 7, 0, 53, 0, 9, 0, 0, 1]]
            .concat();
    for second in 0..40_u32 {
        file.extend([second.to_be_bytes(), [0; 4], [0, 0, 0, 29], [0, 0, 0, 29]].concat());
        file.extend(&packet);
    }
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), &file[..file.len() - 1]).unwrap();
    let replay = |speed| {
        Source::File(FileReplay { path: path.path().to_owned(), opened: None, speed, options: FileOptions::default() })
    };
    for speed in [Speed::Max, Speed::Factor(200.0)] {
        let config = CaptureConfig { source: replay(speed), workers: 4, flow: FlowConfig::default() };
        let begun = monotonic();
        let (records, result) = capturing(&ns, config, Arc::new(NoRight), |running| {
            let Running { records, mut seen, .. } = running;
            records.iter().for_each(|batch| seen.extend(batch));
            seen
        });
        let took = monotonic() - begun;
        assert!(speed == Speed::Max || took >= Duration::from_millis(190), "38 s at 200x take 190 ms, not {took:?}");
        let error = result.unwrap_err();
        assert!(matches!(&error, CaptureError::File(_)), "{error:?}");
        let flows = flows(&records);
        assert_eq!(flows.len(), 1);
        assert_eq!((flows[0].forward.packets, flows[0].forward.octets), (39, 39 * 29));
        let kinds: Vec<_> = events(&records).map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::CaptureStarted, EventKind::FileDamaged, EventKind::CaptureStopped]);
    }
}

/// Frames and octets that an interface has received and sent, as the kernel counts them.
fn kernel_counts(namespace: &Namespace, interface: &str) -> [u64; 4] {
    let table = namespace.enter(|| std::fs::read_to_string("/proc/thread-self/net/dev").unwrap());
    let line = table.lines().find_map(|line| line.trim_start().strip_prefix(interface)?.strip_prefix(':')).unwrap();
    let numbers: Vec<u64> = line.split_whitespace().map(|n| n.parse().unwrap()).collect();
    [numbers[1], numbers[9], numbers[0], numbers[8]]
}

/// What is the same whoever saw a flow: its ends and its counts. Two packet sockets give a frame two times, microseconds apart.
fn essence(records: &[Record]) -> Vec<String> {
    let counts = |tcp: TcpMetrics| TcpMetrics { server_rtt: None, client_rtt: None, response_time: None, ..tcp };
    let line = |f: &FlowRecord| {
        let tcp = f.tcp.map(counts);
        format!("{} {} {:?} {:?} {:?} {:?} {:?}", f.source, f.destination, f.vlan, f.forward, f.reverse, f.state, tcp)
    };
    let mut lines: Vec<_> = flows(records).into_iter().map(line).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn live_equals_file_and_both_equal_the_kernel() {
    let Some((a, b)) = pair("live_equals_file_and_both_equal_the_kernel") else { return };
    for (ns, name) in [(&a, "a0"), (&b, "b0")] {
        // A file does not tell segments, so let there be no super-frames here.
        ns.run("ethtool", &["-K", name, "tso", "off", "gso", "off", "gro", "off"]);
    }
    let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let stop = Signal::new().unwrap();
    let before = kernel_counts(&b, "b0");
    let (mut live_source, mut recorded_source) = (live(&["b0"]), live(&["b0"]));
    live_source.ring.capture_length = 96;
    recorded_source.ring.capture_length = 65_535;
    let (records, result) = std::thread::scope(|scope| {
        let (rings, list) = b.enter(|| record::open(&mut recorded_source, &OwnRights).unwrap());
        let writer = Writer::new(Output::create(&file, true).unwrap(), "t", &list, WriteLimits::default()).unwrap();
        let recording = scope.spawn(|| record::record(rings, writer, None, &stop, &SystemClock).unwrap());
        let outcome = capturing(&b, config(live_source, 1), Arc::new(OwnRights), |mut running| {
            running.event(EventKind::CaptureStarted, 0);
            talk(&a, &b);
            let after = kernel_counts(&b, "b0");
            let frames = after[0] + after[1] - before[0] - before[1];
            running.until("all frames", |r| (value(r, Metric::FramesReceived, "b0") >= Some(frames)).then_some(()));
            running.stop()
        });
        stop.raise();
        assert_eq!(recording.join().unwrap().dropped, 0);
        outcome
    });
    assert!(result.is_ok());
    let after = kernel_counts(&b, "b0");
    assert_eq!(value(&records, Metric::KernelDrops, "b0"), Some(0));
    let octets: u64 = flows(&records).iter().map(|f| f.total().l2_octets).sum();
    assert_eq!(octets, after[2] + after[3] - before[2] - before[3], "layer-2 octets of all flows");
    let replay =
        FileReplay { path: file.to_path_buf(), opened: None, speed: Speed::Max, options: FileOptions::default() };
    let config = CaptureConfig { source: Source::File(replay), workers: 1, flow: FlowConfig::default() };
    let (replayed, _) = capturing(&b, config, Arc::new(NoRight), |running| {
        let Running { records, mut seen, .. } = running;
        records.iter().for_each(|batch| seen.extend(batch));
        seen
    });
    assert_eq!(essence(&records), essence(&replayed));
    assert_eq!(flows(&records).len(), 5);
}

/// Two TCP conversations, one UDP with answers, one tagged, one ping.
fn talk(a: &Namespace, b: &Namespace) {
    use std::io::{Read as _, Write as _};
    let listener = b.enter(|| std::net::TcpListener::bind("10.0.0.2:7000").unwrap());
    for octets in [10, 200_000] {
        let mut client = a.enter(|| std::net::TcpStream::connect("10.0.0.2:7000").unwrap());
        let (mut server, _) = listener.accept().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                client.write_all(&vec![1; octets]).unwrap();
                client.shutdown(std::net::Shutdown::Write).unwrap();
                client.read_to_end(&mut Vec::new()).unwrap();
            });
            server.read_to_end(&mut Vec::new()).unwrap();
            server.write_all(b"done").unwrap();
            server.shutdown(std::net::Shutdown::Write).unwrap();
        });
    }
    let (left, right) =
        (a.enter(|| UdpSocket::bind("10.0.0.1:5000").unwrap()), b.enter(|| UdpSocket::bind("10.0.0.2:53").unwrap()));
    for _ in 0..20 {
        left.send_to(b"question", "10.0.0.2:53").unwrap();
        right.send_to(b"a longer answer", "10.0.0.1:5000").unwrap();
    }
    let mut tagged = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 100, 8, 0];
    tagged.extend([0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2, 0, 7, 0, 7, 0, 9, 0, 0, 1]);
    let sender = a.sender("a0");
    (0..9).for_each(|_| sender.send(&tagged));
    a.run("ping", &["-c", "3", "-i", "0.01", "10.0.0.2"]);
}
