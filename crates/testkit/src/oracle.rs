//! Other people's tools, asked for what they see: tshark for dissection and octets of conversations, nfdump for flows.
//!
//! They are right about most things and wrong about some (fragments, stacked tags, reused ports): a test says where it believes
//! them. Helpers panic with the tool's own words when it is missing or fails; `make test` installs the tools.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// What one pair of addresses and ports exchanged, as tshark sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Conversation {
    /// One end: the sender of the first packet.
    pub source: (IpAddr, u16),
    /// The other end.
    pub destination: (IpAddr, u16),
    /// IP protocol.
    pub protocol: u8,
    /// Packets from source and from destination.
    pub packets: [u64; 2],
    /// Octets of frames from source and from destination.
    pub l2_octets: [u64; 2],
}

/// One record of nfdump, one-way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OneWayFlow {
    /// Who sent.
    pub source: (IpAddr, u16),
    /// To whom.
    pub destination: (IpAddr, u16),
    /// IP protocol.
    pub protocol: u8,
    /// Packets; the fragments of a datagram count as one.
    pub packets: u64,
    /// Octets of IP header and payload.
    pub octets: u64,
}

/// The conversations of a capture file by IP protocol and ports, counted packet by packet (`tshark -T fields`); exact, where
/// `tshark -z conv` rounds. Packets that are not IP are left out, and so are all but the outermost addresses.
#[must_use]
pub fn tshark_conversations(file: &[u8]) -> Vec<Conversation> {
    const FIELDS: [&str; 11] = [
        "ip.src",
        "ip.dst",
        "ipv6.src",
        "ipv6.dst",
        "ip.proto",
        "ipv6.nxt",
        "tcp.port",
        "udp.port",
        "sctp.srcport",
        "sctp.dstport",
        "frame.len",
    ];
    let mut arguments =
        vec!["-n", "-T", "fields", "-E", "separator=|", "-E", "occurrence=a", "-o", "ip.defragment:FALSE"];
    FIELDS.iter().for_each(|field| arguments.extend(["-e", field]));
    let mut found: Vec<Conversation> = Vec::new();
    for packet in tshark(file, &arguments).lines().filter_map(packet_of) {
        let same = |c: &&mut Conversation| c.protocol == packet.protocol && c.ends() == packet.ends();
        match found.iter_mut().find(same) {
            Some(known) => {
                let side = usize::from(known.source != packet.source);
                known.packets[side] += 1;
                known.l2_octets[side] += packet.l2_octets[0];
            }
            None => found.push(packet),
        }
    }
    found
}

/// What tshark's expert calls an error or malformed, and checksums that are wrong, one line for each packet.
#[must_use]
pub fn tshark_complaints(file: &[u8]) -> Vec<String> {
    let wrong = "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 \
                 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || sctp.checksum.status == 0";
    let checks = ["ip.check_checksum", "tcp.check_checksum", "udp.check_checksum"].map(|name| format!("{name}:TRUE"));
    let mut arguments = vec!["-n", "-Y", wrong, "-o", "sctp.checksum:TRUE"];
    checks.iter().for_each(|check| arguments.extend(["-o", check]));
    tshark(file, &arguments).lines().map(str::to_owned).collect()
}

/// The flows of a capture file as nfpcapd and nfdump see them.
///
/// # Panics
/// When one of them is missing or fails.
#[must_use]
pub fn nfdump_flows(file: &[u8], folder: &Path) -> Vec<OneWayFlow> {
    let capture = folder.join("input.pcap");
    let flows = folder.join("flows");
    fs::create_dir_all(&flows).expect("a folder for the flows");
    fs::write(&capture, file).expect("a copy of the capture file");
    run(Command::new("nfpcapd").arg("-r").arg(&capture).arg("-l").arg(&flows), &[]);
    let format = "fmt:%sa|%sp|%da|%dp|%pr|%pkt|%byt";
    let text = run(Command::new("nfdump").arg("-R").arg(&flows).args(["-6", "-N", "-q", "-o", format]), &[]);
    text.lines().filter_map(flow_of).collect()
}

impl Conversation {
    fn ends(&self) -> [(IpAddr, u16); 2] {
        let mut ends = [self.source, self.destination];
        ends.sort_unstable();
        ends
    }
}

/// A packet as a conversation of its own; none when it is no IP packet.
fn packet_of(line: &str) -> Option<Conversation> {
    let fields: Vec<&str> = line.split('|').collect();
    let first =
        |index: usize| fields.get(index).and_then(|field| field.split(',').next()).filter(|text| !text.is_empty());
    let is_v4 = first(0).is_some();
    let address = |v4, v6| first(if is_v4 { v4 } else { v6 })?.parse::<IpAddr>().ok();
    // `tcp.port` and `udp.port` hold source and destination, one after the other.
    let both = first(6).and(fields.get(6)).or_else(|| first(7).and(fields.get(7)));
    let ports: Vec<u16> = match both {
        Some(both) => both.split(',').filter_map(|port| port.parse().ok()).collect(),
        None => [first(8), first(9)].into_iter().flatten().filter_map(|port| port.parse().ok()).collect(),
    };
    let port = |index: usize| ports.get(index).copied().unwrap_or(0);
    Some(Conversation {
        source: (address(0, 2)?, port(0)),
        destination: (address(1, 3)?, port(1)),
        protocol: first(if is_v4 { 4 } else { 5 })?.parse().ok()?,
        packets: [1, 0],
        l2_octets: [first(10)?.parse().ok()?, 0],
    })
}

fn flow_of(line: &str) -> Option<OneWayFlow> {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let [source, source_port, destination, destination_port, protocol, packets, octets] = fields.as_slice() else {
        return None;
    };
    let port = |text: &str| text.split('.').next().and_then(|port| port.parse().ok());
    Some(OneWayFlow {
        source: (source.parse().ok()?, port(source_port)?),
        destination: (destination.parse().ok()?, port(destination_port)?),
        protocol: protocol.parse().ok().or_else(|| netwatch_model::Protocol::from_name(protocol).map(|p| p.0))?,
        packets: packets.parse().ok()?,
        octets: octets.parse().ok()?,
    })
}

fn tshark(file: &[u8], arguments: &[&str]) -> String {
    run(Command::new("tshark").args(["-r", "-"]).args(arguments), file)
}

/// Runs a tool with `input` on its standard input and gives what it says.
fn run(command: &mut Command, input: &[u8]) -> String {
    let name = command.get_program().to_string_lossy().into_owned();
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().unwrap_or_else(|error| panic!("cannot start {name} (`make test` installs it): {error}"));
    let mut pipe = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A tool that stops reading early says why on stderr.
            let _ = pipe.write_all(input);
        });
        child.wait_with_output().expect("the output of the tool")
    });
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} failed: {complaint}");
    String::from_utf8(output.stdout).expect("text")
}
