//! Recording real interfaces in namespaces, and filters compared with tcpdump's on what was recorded.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use netwatch_capture::driver::OwnRights;
use netwatch_capture::driver::signal::Signal;
use netwatch_capture::file::{FileOptions, FileSource, FrameSink, Progress};
use netwatch_capture::frame::{Frame, InterfaceIndex};
use netwatch_capture::ring::{Ring, RingSettings};
use netwatch_capture::source::LiveSource;
use netwatch_capture::writer::record::{self, Ended, Recorded, record};
use netwatch_capture::writer::{Output, WriteLimits, Writer, WrittenInterface};
use netwatch_model::{Timestamp, Untrusted};
use netwatch_telemetry::clock::SystemClock;
use netwatch_testkit::netns::Namespace;

fn open(interface: &str) -> (Vec<Ring>, Vec<WrittenInterface>) {
    let ring = RingSettings { retire: Duration::from_millis(5), ..RingSettings::default() };
    let mut source = LiveSource { interfaces: vec![Untrusted::new(interface)], ring, filter: None };
    record::open(&mut source, &OwnRights).unwrap()
}

fn writer(path: &Path, interfaces: &[WrittenInterface], limits: WriteLimits) -> Writer {
    Writer::new(Output::create(path, true).unwrap(), "netwatch test", interfaces, limits).unwrap()
}

fn send(ns: &Namespace, to: &str, count: usize) {
    let socket = ns.enter(|| UdpSocket::bind("127.0.0.1:0").unwrap());
    for _ in 0..count {
        socket.send_to(b"x", to).unwrap();
    }
}

/// Packets of a file that an expression keeps.
fn count(path: &Path, expression: &str) -> usize {
    struct Count(usize);
    impl FrameSink for Count {
        fn point(&mut self, _: InterfaceIndex, _: &Untrusted) {}
        fn frames(&mut self, frames: &[Frame<'_>]) {
            self.0 += frames.len();
        }
    }
    let options = FileOptions { filter: Some(expression.to_owned()), ..FileOptions::default() };
    let mut source = FileSource::open(path, options).unwrap();
    let mut count = Count(0);
    while source.next_batch(Timestamp::MAX, &mut count).unwrap() != Progress::End {}
    count.0
}

fn tcpdump(path: &Path, expression: &str) -> usize {
    let output = Command::new("tcpdump").args(["-n", "-r"]).arg(path).arg(expression).output();
    String::from_utf8_lossy(&output.expect("tcpdump is installed").stdout).lines().count()
}

#[test]
fn a_recording_ends_at_its_limit_and_says_how_much_it_holds() {
    let Some(ns) = Namespace::new_or_skip("a_recording_ends_at_its_limit_and_says_how_much_it_holds") else { return };
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let (rings, list) = ns.enter(|| open("lo"));
    let limits = WriteLimits { packets: Some(30), octets: None };
    // Everything waits in the ring already, so that the limit is what ends the recording.
    send(&ns, "127.0.0.1:5000", 50);
    let never = Signal::new().unwrap();
    let recorded = record(rings, writer(&path, &list, limits), None, &never, &SystemClock).unwrap();
    let octets = std::fs::metadata(&path).unwrap().len();
    assert_eq!(recorded, Recorded { ended: Ended::Full, packets: 30, octets, dropped: 0 });
    assert_eq!(count(&path, ""), 30);
}

#[test]
fn a_recording_ends_by_time_by_signal_and_with_its_interface() {
    let Some(ns) = Namespace::new_or_skip("a_recording_ends_by_time_by_signal_and_with_its_interface") else { return };
    ns.ip("link add d0 type veth peer name d1");
    ns.ip("link set d0 up");
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let ended = |(rings, list): (Vec<Ring>, Vec<WrittenInterface>), duration, shutdown: &Signal| {
        let writer = writer(&path, &list, WriteLimits::default());
        record(rings, writer, duration, shutdown, &SystemClock).unwrap().ended
    };
    let signal = Signal::new().unwrap();
    assert_eq!(ended(ns.enter(|| open("lo")), Some(Duration::from_millis(20)), &signal), Ended::Time);
    let opened = ns.enter(|| open("d0"));
    ns.ip("link delete d0");
    assert_eq!(ended(opened, None, &signal), Ended::Gone);
    signal.raise();
    assert_eq!(ended(ns.enter(|| open("lo")), None, &signal), Ended::Shutdown);
}

#[test]
fn filters_keep_what_tcpdump_keeps() {
    let Some(ns) = Namespace::new_or_skip("filters_keep_what_tcpdump_keeps") else { return };
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let (rings, list) = ns.enter(|| open("lo"));
    send(&ns, "127.0.0.1:5000", 3);
    send(&ns, "127.0.0.1:5001", 4);
    ns.run("ping", &["-c", "2", "-i", "0.01", "127.0.0.1"]);
    ns.enter(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:7000").unwrap();
        drop(std::net::TcpStream::connect("127.0.0.1:7000").unwrap());
        drop(listener.accept().unwrap());
    });
    let now = Some(Duration::from_millis(50));
    let writer = writer(&path, &list, WriteLimits::default());
    record(rings, writer, now, &Signal::new().unwrap(), &SystemClock).unwrap();
    let mut kept = 0;
    for expression in [
        "",
        "udp",
        "udp and port 5000 or port 5001",
        "not udp and not tcp or port 5000",
        "icmp[icmptype] = icmp-echo",
        "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
        "src host 127.0.0.1 and dst portrange 5000-5001",
        "ip[2:2] > 29 and not icmp",
        "net 127.0.0.0/8 and greater 60",
        "udp[8] = 0x78",
        "vlan",
        "ip proto 17 and (ip[8] >> 4) * 2 = 8",
        "len % 2 == 1 or ether[0] ^ 1 == 1",
    ] {
        let ours = count(&path, expression);
        assert_eq!(ours, tcpdump(&path, expression), "`{expression}`");
        kept += ours;
    }
    assert!(kept > 40, "the expressions keep something: {kept}");
}

#[test]
fn an_unknown_interface_is_told_with_those_that_there_are() {
    let Some(ns) = Namespace::new_or_skip("an_unknown_interface_is_told_with_those_that_there_are") else { return };
    let mut source = LiveSource { interfaces: vec![Untrusted::new("eth7")], ..LiveSource::default() };
    let error = ns.enter(|| record::open(&mut source, &OwnRights).unwrap_err());
    assert_eq!(error.to_string(), "there is no interface eth7; there are: lo");
}
