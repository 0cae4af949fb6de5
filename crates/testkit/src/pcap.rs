//! Capture files, written octet by octet.
//!
//! As with [`crate::frames`], no library is between a test and the file, so that a reader is tested against the format and not
//! against its own writer. Formats: pcap with micro- or nanoseconds in both byte orders, and pcapng (nanoseconds, one interface).

use netwatch_model::Timestamp;

/// A captured packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// When it was seen.
    pub time: Timestamp,
    /// What was kept of it.
    pub data: Vec<u8>,
    /// Its length on the wire, without check sequence, in octets.
    pub wire_length: u32,
}

/// The format of a capture file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// The format of 1987 with microseconds, little-endian.
    #[default]
    Pcap,
    /// The same with nanoseconds.
    PcapNanos,
    /// The same with nanoseconds, from a big-endian machine.
    PcapBigEndian,
    /// The next generation, with nanoseconds.
    PcapNg,
}

/// `LINKTYPE_ETHERNET`.
pub const ETHERNET: u32 = 1;
/// `LINKTYPE_RAW`: bare IPv4 or IPv6.
pub const RAW: u32 = 101;
/// `LINKTYPE_LINUX_SLL`: Linux cooked capture v1.
pub const LINUX_SLL: u32 = 113;

const SNAPLEN: u32 = 262_144;

impl Packet {
    /// A packet that was kept whole.
    #[must_use]
    pub fn new(time: Timestamp, data: Vec<u8>) -> Self {
        let wire_length = length(&data);
        Self { time, data, wire_length }
    }

    /// The same packet with at most `snaplen` octets kept.
    #[must_use]
    pub fn cut(&self, snaplen: usize) -> Self {
        Self { data: self.data[..self.data.len().min(snaplen)].to_vec(), ..self.clone() }
    }
}

/// The octets of a capture file with `packets` of the link type `link`.
#[must_use]
pub fn file(format: Format, link: u32, packets: &[Packet]) -> Vec<u8> {
    match format {
        Format::Pcap => pcap(Writer { is_big: false }, 0xa1b2_c3d4, 1_000, link, packets),
        Format::PcapNanos => pcap(Writer { is_big: false }, 0xa1b2_3c4d, 1, link, packets),
        Format::PcapBigEndian => pcap(Writer { is_big: true }, 0xa1b2_3c4d, 1, link, packets),
        Format::PcapNg => pcapng(link, packets),
    }
}

/// Puts numbers in one byte order.
#[derive(Clone, Copy)]
struct Writer {
    is_big: bool,
}

impl Writer {
    fn u16(self, value: u16) -> [u8; 2] {
        if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

fn pcap(order: Writer, magic: u32, nanos_per_tick: i64, link: u32, packets: &[Packet]) -> Vec<u8> {
    let mut file = order.u32(magic).to_vec();
    file.extend([order.u16(2), order.u16(4)].concat());
    file.extend([0, 0, SNAPLEN, link].map(|value| order.u32(value)).concat());
    for packet in packets {
        let nanos = packet.time.nanos();
        let seconds = u32::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(0);
        let ticks = u32::try_from(nanos.rem_euclid(1_000_000_000) / nanos_per_tick).unwrap_or(0);
        file.extend([seconds, ticks, length(&packet.data), packet.wire_length].map(|value| order.u32(value)).concat());
        file.extend(&packet.data);
    }
    file
}

fn pcapng(link: u32, packets: &[Packet]) -> Vec<u8> {
    let order = Writer { is_big: false };
    // Section header: byte order, version 1.0, length unknown.
    let section = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &[0xff; 8]].concat();
    // Interface: if_tsresol (option 9) says 10^-9 seconds.
    let link = u16::try_from(link).unwrap_or(0);
    let resolution = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let interface = [&order.u16(link)[..], &order.u16(0), &order.u32(SNAPLEN), &resolution].concat();
    let mut file = block(order, 0x0a0d_0d0a, &section);
    file.extend(block(order, 1, &interface));
    for packet in packets {
        let ticks = u64::try_from(packet.time.nanos()).unwrap_or(0).to_be_bytes();
        let half = |from: usize| u32::from_be_bytes([ticks[from], ticks[from + 1], ticks[from + 2], ticks[from + 3]]);
        let fields =
            [0, half(0), half(4), length(&packet.data), packet.wire_length].map(|value| order.u32(value)).concat();
        file.extend(block(order, 6, &[&fields[..], &packet.data].concat()));
    }
    file
}

/// A pcapng block: type, length, body filled up to whole words, length.
fn block(order: Writer, kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let total = order.u32(length(body) + length(&padding) + 12);
    [&order.u32(kind)[..], &total, body, &padding, &total].concat()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a packet is shorter than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pcap_file_is_laid_out_as_its_format_says() {
        let packet = Packet { time: Timestamp::from_nanos(1_000_002_000), data: vec![7, 8], wire_length: 60 };
        let written = file(Format::Pcap, ETHERNET, std::slice::from_ref(&packet));
        assert_eq!(written[..8], [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0]);
        assert_eq!(written[24..], [1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 60, 0, 0, 0, 7, 8]);
        let written = file(Format::PcapBigEndian, ETHERNET, &[packet]);
        assert_eq!(written[24..32], [0, 0, 0, 1, 0, 0, 7, 208]);
    }

    #[test]
    fn pcapng_blocks_are_whole_words() {
        let packet = Packet::new(Timestamp::from_secs(5), vec![1; 61]);
        let written = file(Format::PcapNg, ETHERNET, &[packet]);
        assert_eq!(written.len(), 28 + 32 + 96);
        assert!(written.ends_with(&96_u32.to_le_bytes()));
    }
}
