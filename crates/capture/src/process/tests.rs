#![expect(clippy::print_stderr, reason = "a test that skips says so loudly")]

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{Process, Protocol, Untrusted};

use super::netlink::Socket;
use super::*;

fn end(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn process(pid: u32, name: &str) -> Process {
    Process { pid, name: name.into(), user: "root".into(), container: None }
}

fn owned(protocol: Protocol, local: &str, remote: Option<&str>, process: u32) -> SocketOwner {
    SocketOwner { protocol, local: end(local), remote: remote.map(end), process }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn table_of(snapshot: &Snapshot) -> ProcessTable {
    let table = ProcessTable::new();
    table.update(secs(100), snapshot);
    table
}

fn name(table: &ProcessTable, protocol: Protocol, source: &str, destination: &str) -> Option<String> {
    table.owner(protocol, end(source), end(destination)).map(|process| process.name.raw().to_owned())
}

fn server_and_client() -> Snapshot {
    Snapshot {
        processes: vec![process(1, "server"), process(2, "client"), process(3, "resolver")],
        sockets: vec![
            owned(Protocol::TCP, "0.0.0.0:80", None, 0),
            owned(Protocol::TCP, "10.0.0.1:40000", Some("192.0.2.1:443"), 1),
            owned(Protocol::TCP, "127.0.0.1:40001", Some("127.0.0.1:80"), 1),
            owned(Protocol::TCP, "127.0.0.1:80", Some("127.0.0.1:40001"), 0),
            owned(Protocol::UDP, "[::]:53", None, 2),
        ],
        addresses: vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        ..Snapshot::default()
    }
}

#[test]
fn both_ends_tell_best_and_the_initiator_first() {
    let table = table_of(&server_and_client());
    let ask = |source, destination| name(&table, Protocol::TCP, source, destination);
    assert_eq!(ask("10.0.0.1:40000", "192.0.2.1:443").as_deref(), Some("client"));
    assert_eq!(ask("192.0.2.1:443", "10.0.0.1:40000").as_deref(), Some("client"), "seen from its middle");
    assert_eq!(ask("127.0.0.1:40001", "127.0.0.1:80").as_deref(), Some("client"));
    assert_eq!(ask("192.0.2.9:5000", "10.0.0.1:80").as_deref(), Some("server"), "not accepted yet");
    assert_eq!(ask("10.0.0.1:40001", "192.0.2.1:443"), None);
    assert_eq!(name(&table, Protocol::SCTP, "10.0.0.1:40000", "192.0.2.1:443"), None);
}

#[test]
fn a_server_here_does_not_get_what_goes_to_the_same_port_elsewhere() {
    let table = table_of(&server_and_client());
    let ask = |source, destination| name(&table, Protocol::UDP, source, destination);
    assert_eq!(ask("10.0.0.1:40000", "192.0.2.53:53"), None);
    assert_eq!(ask("192.0.2.9:40000", "10.0.0.1:53").as_deref(), Some("resolver"), "an IPv6 socket takes IPv4 too");
    assert_eq!(ask("[2001:db8::9]:40000", "[2001:db8::1]:53").as_deref(), Some("resolver"));
    assert_eq!(ask("192.0.2.9:40000", "224.0.0.251:53").as_deref(), Some("resolver"), "sent to all");
}

#[test]
fn owners_are_remembered_for_a_while() {
    let table = table_of(&server_and_client());
    let empty = Snapshot { addresses: server_and_client().addresses, ..Snapshot::default() };
    let ask = |source, destination| name(&table, Protocol::TCP, source, destination);
    table.update(secs(160), &empty);
    assert_eq!(ask("192.0.2.9:5000", "10.0.0.1:80").as_deref(), Some("server"));
    table.update(secs(161), &empty);
    assert_eq!(ask("192.0.2.9:5000", "10.0.0.1:80"), None);
    table.update(secs(400), &empty);
    assert_eq!(ask("10.0.0.1:40000", "192.0.2.1:443").as_deref(), Some("client"));
    table.update(secs(401), &empty);
    assert_eq!(ask("10.0.0.1:40000", "192.0.2.1:443"), None);
    assert_eq!(table.counters().sockets, 0);
}

#[test]
fn a_socket_that_changes_hands_gets_its_new_owner() {
    let mut snapshot = server_and_client();
    let table = table_of(&snapshot);
    snapshot.processes[1] = process(9, "worker");
    snapshot.processes[0] = process(8, "server2");
    table.update(secs(101), &snapshot);
    assert_eq!(name(&table, Protocol::TCP, "10.0.0.1:40000", "192.0.2.1:443").as_deref(), Some("worker"));
    assert_eq!(name(&table, Protocol::TCP, "192.0.2.9:5000", "10.0.0.1:80").as_deref(), Some("server2"));
}

#[test]
fn more_sockets_than_the_table_takes_are_counted() {
    let socket = |n: u32| {
        let remote = SocketAddr::new(IpAddr::from(n.to_be_bytes()), 443);
        SocketOwner { protocol: Protocol::TCP, local: end("10.0.0.1:40000"), remote: Some(remote), process: 0 }
    };
    let sockets = |range: std::ops::Range<u32>| Snapshot {
        processes: vec![process(1, "p")],
        sockets: range.map(socket).collect(),
        ..Snapshot::default()
    };
    let most = u32::try_from(MAX_SOCKETS).unwrap();
    let table = table_of(&sockets(0..most));
    table.update(secs(101), &sockets(most - 5..most + 7));
    let counters = table.counters();
    assert_eq!((counters.sockets, counters.omitted, counters.snapshots), (u64::from(most), 7, 2));
}

/// Gives what it is told, and takes the time that it is told.
struct Fake {
    took: u32,
}

impl OwnerLookup for Fake {
    fn snapshot(&mut self) -> Result<Snapshot, LookupError> {
        self.took += 1;
        match self.took {
            3 => Err(LookupError::Decode(DecodeError::Damaged)),
            _ => Ok(server_and_client()),
        }
    }
}

/// Runs the attributor from `from`; each reading of the clock is `step` after the one before: a snapshot takes one step.
fn run(attributor: &mut Attributor, lookup: &mut Fake, from: Duration, step: Duration) -> Option<bool> {
    let clock = std::cell::Cell::new(from);
    attributor.run(|| clock.replace(clock.get() + step), lookup).ok()
}

#[test]
fn snapshots_are_taken_when_wanted_and_seldom_when_they_cost_much() {
    let table = Arc::new(ProcessTable::new());
    let mut attributor = Attributor::new(Arc::clone(&table));
    let mut lookup = Fake { took: 0 };
    let mut run = |from: Duration, step: Duration| {
        let outcome = run(&mut attributor, &mut lookup, from, step);
        (outcome, attributor.wait(from + step, Wanted::Soon))
    };
    assert_eq!(run(secs(10), Duration::from_millis(2)), (Some(true), MIN_INTERVAL), "at once");
    assert_eq!(run(secs(20), secs(0)).0, Some(false), "nobody asked");
    let miss = || assert_eq!(table.owner(Protocol::TCP, end("10.0.0.1:1"), end("192.0.2.1:2")), None);
    miss();
    assert_eq!(run(secs(20), Duration::from_millis(50)), (Some(true), secs(5)), "a hundred times its cost");
    miss();
    assert_eq!(run(secs(25), secs(0)).0, Some(false), "too early");
    assert_eq!(run(secs(26), secs(0)), (None, MIN_INTERVAL), "a failure");
    assert_eq!(run(secs(28), secs(9)), (Some(true), MAX_INTERVAL), "still wanted");
    let _ = table.owner(Protocol::TCP, end("192.0.2.1:1"), end("192.0.2.2:2"));
    assert_eq!(run(secs(500), secs(0)).0, Some(false), "both ends are elsewhere");
}

#[test]
fn a_new_flow_is_looked_up_at_once_until_the_credit_is_used_up() {
    let table = Arc::new(ProcessTable::new());
    let mut attributor = Attributor::new(Arc::clone(&table));
    let mut lookup = Fake { took: 9 };
    let cost = Duration::from_millis(10);
    let taken = |table: &ProcessTable| table.counters().snapshots;
    assert_eq!(run(&mut attributor, &mut lookup, secs(1), cost), Some(true));
    let mut begun = Beginnings::new(Arc::clone(&table));
    for millisecond in 1040..3040_u64 {
        let nanos = i64::try_from(millisecond * 1_000_000).unwrap();
        begun.begun(nanos, Protocol::TCP, [end("10.0.0.1:1"), end("192.0.2.1:2")]);
        let _ = run(&mut attributor, &mut lookup, Duration::from_millis(millisecond), cost);
    }
    // Ten of 10 ms are the credit, which earns 20 ms in two seconds; after that one is due when a second has passed.
    assert!((11..=13).contains(&taken(&table)), "{}", taken(&table));
    let before = taken(&table);
    assert_eq!(run(&mut attributor, &mut lookup, secs(20), cost), Some(true), "still wanted");
    begun.begun(0, Protocol::TCP, [end("10.0.0.1:40000"), end("192.0.2.1:443")]);
    begun.begun(0, Protocol::TCP, [end("192.0.2.9:1"), end("192.0.2.1:443")]);
    begun.begun(0, Protocol::SCTP, [end("10.0.0.1:1"), end("192.0.2.1:2")]);
    assert_eq!((table.wanted(), taken(&table)), (Wanted::No, before + 1), "known, elsewhere, without sockets");
}

#[test]
fn a_flood_of_new_flows_is_looked_up_only_so_often() {
    let table = Arc::new(table_of(&server_and_client()));
    let mut begun = Beginnings::new(Arc::clone(&table));
    let known = [end("10.0.0.1:40000"), end("192.0.2.1:443")];
    let new = [end("10.0.0.1:7"), end("192.0.2.1:443")];
    (0..PER_SECOND).for_each(|_| begun.begun(5, Protocol::TCP, known));
    begun.begun(6, Protocol::TCP, new);
    assert_eq!(table.wanted(), Wanted::No, "no more in this second");
    begun.begun(1_000_000_000, Protocol::TCP, new);
    assert_eq!(table.wanted(), Wanted::Now);
}

/// A `/proc` of files and links.
struct FakeProc {
    folder: tempfile::TempDir,
}

impl FakeProc {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("passwd"), "root:x:0:0:root:/root:/bin/sh\n<b>x:x:7:7::/:\nbroken\n").unwrap();
        Self { folder }
    }

    fn add(&self, pid: u32, comm: &[u8], inodes: &[u32]) {
        let folder = self.folder.path().join(pid.to_string());
        fs::create_dir_all(folder.join("fd")).unwrap();
        fs::write(folder.join("comm"), comm).unwrap();
        fs::write(folder.join("cgroup"), format!("0::/docker/{}\n", "ab".repeat(32))).unwrap();
        for inode in inodes {
            symlink(format!("socket:[{inode}]"), folder.join(format!("fd/{inode}"))).unwrap();
        }
    }

    fn lookup(&self) -> ProcLookup {
        ProcLookup::with_paths(self.folder.path(), &self.folder.path().join("passwd"))
    }
}

fn socket(inode: u32) -> Socket {
    Socket { protocol: Protocol::TCP, local: end("10.0.0.1:1"), remote: None, inode }
}

#[test]
fn owners_by_their_links() {
    let proc = FakeProc::new();
    proc.add(10, b"one\n", &[100, 101]);
    proc.add(11, b"<b>x$(reboot)\x1b[31m\n\n", &[102]);
    fs::write(proc.folder.path().join("uptime"), "").unwrap();
    let mut lookup = proc.lookup();
    let snapshot = lookup.attribute(&[socket(100), socket(101), socket(102), socket(103), socket(0)]).unwrap();
    let names: Vec<&str> = snapshot.processes.iter().map(|process| process.name.raw()).collect();
    assert_eq!(names, ["one", "<b>x$(reboot)\x1b[31m\n"]);
    assert_eq!(snapshot.sockets.iter().map(|socket| socket.process).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!(snapshot.unowned, 1, "sockets without inode have no owner by nature");
    assert_eq!(snapshot.processes[0].container, Some("abababababab".into()));

    // A process that ended is searched for no more; what it had may be another's.
    fs::remove_dir_all(proc.folder.path().join("10")).unwrap();
    proc.add(12, b"heir\n", &[100]);
    assert_eq!(lookup.attribute(&[socket(100)]).unwrap().unowned, 1);
    let snapshot = lookup.attribute(&[socket(100)]).unwrap();
    assert_eq!(snapshot.processes[0].name, "heir".into());
}

#[test]
fn what_nobody_has_is_not_searched_for_for_ever() {
    let proc = FakeProc::new();
    proc.add(10, b"one\n", &[]);
    let mut lookup = proc.lookup();
    for _ in 0..lookup::MAX_SEARCHES {
        assert_eq!(lookup.attribute(&[socket(100)]).unwrap().unowned, 1);
    }
    proc.add(11, b"late\n", &[100]);
    assert_eq!(lookup.attribute(&[socket(100)]).unwrap().unowned, 1);
    assert_eq!(lookup.attribute(&[]).unwrap().unowned, 0, "the socket is gone, and forgotten");
    assert_eq!(lookup.attribute(&[socket(100)]).unwrap().processes[0].name, "late".into());
}

/// Real sockets of this process, found through the kernel, for each family.
#[test]
fn own_sockets_are_found() {
    let hostile = "<b>\u{202e}$(x)";
    let before = fs::read("/proc/self/comm").unwrap();
    fs::write("/proc/self/comm", hostile).unwrap(); // what prctl(PR_SET_NAME) does in the first thread
    let mut lookup = ProcLookup::new();
    for address in ["127.0.0.1", "::1"] {
        let ip: IpAddr = address.parse().unwrap();
        let Ok(listener) = TcpListener::bind((ip, 0)) else {
            eprintln!("SKIPPED for {address}: this machine has no such address");
            continue;
        };
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let (connected, peer) = (UdpSocket::bind((ip, 0)).unwrap(), UdpSocket::bind((ip, 0)).unwrap());
        connected.connect(peer.local_addr().unwrap()).unwrap();
        let wildcard = UdpSocket::bind((if ip.is_ipv4() { "0.0.0.0" } else { "::" }, 0)).unwrap();

        let table = table_of(&lookup.snapshot().unwrap());
        let elsewhere = SocketAddr::new(ip, 9);
        let to_wildcard = SocketAddr::new(ip, wildcard.local_addr().unwrap().port());
        let flows = [
            (Protocol::TCP, client.local_addr().unwrap(), client.peer_addr().unwrap()),
            (Protocol::TCP, server.local_addr().unwrap(), server.peer_addr().unwrap()),
            (Protocol::TCP, elsewhere, listener.local_addr().unwrap()),
            (Protocol::UDP, connected.local_addr().unwrap(), peer.local_addr().unwrap()),
            (Protocol::UDP, peer.local_addr().unwrap(), elsewhere),
            (Protocol::UDP, elsewhere, to_wildcard),
        ];
        for (protocol, source, destination) in flows {
            let owner = table.owner(protocol, source, destination);
            let owner = owner.unwrap_or_else(|| panic!("{protocol} {source} {destination} has no owner"));
            assert_eq!(
                (owner.pid, owner.name.raw()),
                (std::process::id(), hostile),
                "{protocol} {source} {destination}"
            );
            assert!(!owner.name.to_string().contains('\u{202e}'), "shown with what it hides");
        }
    }
    fs::write("/proc/self/comm", before).unwrap();
}

/// An IPv4 connection to an IPv6 socket is found by its IPv4 addresses.
#[test]
fn dual_stack_sockets_are_found() {
    let Ok(listener) = TcpListener::bind("[::]:0") else {
        eprintln!("SKIPPED: this machine has no IPv6");
        return;
    };
    let to = SocketAddr::new("127.0.0.1".parse().unwrap(), listener.local_addr().unwrap().port());
    let client = TcpStream::connect(to).unwrap();
    let (server, _) = listener.accept().unwrap();
    let snapshot = ProcLookup::new().snapshot().unwrap();
    let accepted = snapshot
        .sockets
        .iter()
        .find(|socket| socket.local == to && socket.remote == Some(client.local_addr().unwrap()));
    assert!(accepted.is_some(), "{:?} of {:?}", server.peer_addr(), snapshot.sockets);
    assert!(snapshot.addresses.contains(&"127.0.0.1".parse().unwrap()));
    let mut bytes = Vec::new();
    snapshot.encode(&mut bytes);
    assert_eq!(Snapshot::decode(&bytes), Ok(snapshot));
}

#[test]
fn users_have_names_or_numbers() {
    let proc = FakeProc::new();
    proc.add(10, b"one\n", &[100]);
    let snapshot = proc.lookup().attribute(&[socket(100)]).unwrap();
    let uid = rustix::process::geteuid().as_raw();
    let want = if uid == 0 { Untrusted::new("root") } else { Untrusted::new(&uid.to_string()) };
    assert_eq!(snapshot.processes[0].user, want);
}
