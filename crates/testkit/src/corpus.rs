//! Captures named after their quirk, made by code, each with what must come out of it.
//!
//! A case is a few packets and a golden file in `corpus/` whose numbers were counted by hand. [`Case::file`] gives the capture file;
//! [`Expectation::compare`] tells every difference from the records that came out. The case `truth` is the 99 packets against
//! which the flow meters of the field were measured.
//!
//! Limits: times are chosen so that no packet but those of `udp-idle-boundary` stands on the edge of a timeout.

mod broken;
mod names;
mod plain;
mod protocols;
mod tape;
mod tcp;
mod timeouts;
mod truth;
mod tunnels;

use crate::expectation::Expectation;
use crate::pcap::{self, Format, Packet};

pub use tape::{Talk, Tape, ms, secs};

/// One quirk: its packets and what must come out.
#[derive(Clone, Debug)]
pub struct Case {
    /// The quirk, which is also the name of the golden file.
    pub name: &'static str,
    /// In the order of capture.
    pub packets: Vec<Packet>,
    /// How the file is written.
    pub format: Format,
    /// `LINKTYPE_` of the file.
    pub link: u32,
    /// What must come out.
    pub expected: Expectation,
}

/// Packets and how they are written down; what the code of a case makes.
#[derive(Clone, Debug)]
pub struct Capture {
    packets: Vec<Packet>,
    format: Format,
    link: u32,
}

type Entry = (&'static str, &'static str, fn() -> Capture);

/// Name, golden file, packets.
macro_rules! entry {
    ($name:literal, $make:expr) => {
        entry!($name, $name, $make)
    };
    ($name:literal, $golden:literal, $make:expr) => {
        ($name, include_str!(concat!("../corpus/", $golden, ".toml")), $make)
    };
}

const ENTRIES: &[Entry] = &[
    entry!("truth", truth::truth),
    entry!("truth-snaplen-96", "truth", truth::snaplen_96),
    entry!("truth-pcapng", "truth", truth::pcapng),
    entry!("padding", plain::padding),
    entry!("vlan", plain::vlan),
    entry!("vlan-apart", plain::vlan_apart),
    entry!("qinq-88a8", plain::qinq_88a8),
    entry!("qinq-9100", plain::qinq_9100),
    entry!("triple-tag", plain::triple_tag),
    entry!("ipv4-options", plain::ipv4_options),
    entry!("ipv6-extension-chain", plain::ipv6_extension_chain),
    entry!("fragments-in-order", plain::fragments_in_order),
    entry!("fragments-reversed", plain::fragments_reversed),
    entry!("fragments-unknown-first", plain::fragments_unknown_first),
    entry!("ipv6-fragments", plain::ipv6_fragments),
    entry!("pcap-nanoseconds", plain::pcap_nanoseconds),
    entry!("pcap-big-endian", "pcap-nanoseconds", plain::pcap_big_endian),
    entry!("linux-sll", plain::linux_sll),
    entry!("raw-ip", plain::raw_ip),
    entry!("reused-five-tuple", tcp::reused_five_tuple),
    entry!("syn-after-rst", tcp::syn_after_rst),
    entry!("mid-stream-start", tcp::mid_stream_start),
    entry!("mid-stream-responder", tcp::mid_stream_responder),
    entry!("syn-ack-first", tcp::syn_ack_first),
    entry!("refused", tcp::refused),
    entry!("half-open", tcp::half_open),
    entry!("tcp-retransmission", tcp::retransmission),
    entry!("tcp-out-of-order", tcp::out_of_order),
    entry!("tcp-duplicate", tcp::duplicate),
    entry!("tcp-zero-window", tcp::zero_window),
    entry!("tcp-handshake-times", tcp::handshake_times),
    entry!("udp-response-first", timeouts::udp_response_first),
    entry!("udp-idle-split", timeouts::udp_idle_split),
    entry!("udp-idle-boundary", timeouts::udp_idle_boundary),
    entry!("udp-active-split", timeouts::udp_active_split),
    entry!("icmp-echo-two-ids", protocols::icmp_echo_two_ids),
    entry!("icmp-unreachable", protocols::icmp_unreachable),
    entry!("icmpv6-echo", protocols::icmpv6_echo),
    entry!("sctp", protocols::sctp),
    entry!("arp-only", protocols::arp_only),
    entry!("lldp", protocols::lldp),
    entry!("gre", tunnels::gre),
    entry!("gre-key", tunnels::gre_key),
    entry!("vxlan", tunnels::vxlan),
    entry!("ipip", tunnels::ipip),
    entry!("6in4", tunnels::six_in_four),
    entry!("truncated-headers", broken::truncated_headers),
    entry!("zero-length-ip-payload", broken::zero_length_ip_payload),
    entry!("ip-total-length-long", broken::ip_total_length_long),
    entry!("ip-total-length-short", broken::ip_total_length_short),
    entry!("dns-answer-then-connect", names::dns_answer_then_connect),
    entry!("tls-sni", names::tls_sni),
    entry!("http-host", names::http_host),
    entry!("hostile-sni", names::hostile_sni),
];

/// Every case.
#[must_use]
pub fn corpus() -> Vec<Case> {
    ENTRIES.iter().map(make).collect()
}

/// The case of that name.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn case(name: &str) -> Case {
    let entry = ENTRIES.iter().find(|(known, ..)| *known == name);
    make(entry.unwrap_or_else(|| panic!("there is no case `{name}`")))
}

impl Case {
    /// The octets of the capture file.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        pcap::file(self.format, self.link, &self.packets)
    }

    /// The same capture with at most `snaplen` octets kept of each packet.
    #[must_use]
    pub fn cut(&self, snaplen: usize) -> Self {
        Self { packets: self.packets.iter().map(|packet| packet.cut(snaplen)).collect(), ..self.clone() }
    }
}

impl Capture {
    fn format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    fn link(self, link: u32) -> Self {
        Self { link, ..self }
    }
}

fn make((name, golden, make): &Entry) -> Case {
    let Capture { packets, format, link } = make();
    let expected = Expectation::parse(golden).unwrap_or_else(|error| panic!("corpus/{name}.toml: {error}"));
    Case { name, packets, format, link, expected }
}

#[cfg(test)]
mod tests;
