//! The frames that the generator sends.

/// Octets of the longest frame.
pub const LONGEST: usize = 1500;

/// Seven of 64, four of 576, one of 1500 octets.
const SIZES: [usize; 12] = [64, 576, 64, 64, 576, 64, 1500, 64, 576, 64, 576, 64];
/// A prime above the largest number of flows: steps of it visit every flow.
const STEP: u64 = 2_654_435_761;

const ETHERNET: usize = 14;
const IP: usize = 20;
const TCP: usize = 20;
const SYN: u8 = 2;
const PUSH_ACK: u8 = 0x18;
const RST: u8 = 4;

/// Makes one frame after another.
#[derive(Debug)]
pub struct Frames {
    /// Next sequence number of each flow, zero before its first frame.
    sequence: Vec<u32>,
    sent: u64,
}

impl Frames {
    /// Over so many flows.
    pub fn new(flows: u32) -> Self {
        Self { sequence: vec![0; flows.max(1) as usize], sent: 0 }
    }

    /// Writes the next frame's headers and gives its length; the payload stays as it is.
    pub fn next(&mut self, frame: &mut [u8; LONGEST]) -> usize {
        let flow = (self.sent.wrapping_mul(STEP) % self.sequence.len() as u64) as usize;
        let size = SIZES[(self.sent % SIZES.len() as u64) as usize];
        self.sent += 1;
        let tcp = flow.is_multiple_of(2);
        network(frame, flow as u32, size, tcp);
        let ports = [(1024 + flow % 60_000) as u16, 443];
        frame[34..36].copy_from_slice(&ports[0].to_be_bytes());
        frame[36..38].copy_from_slice(&ports[1].to_be_bytes());
        if tcp {
            self.segment(frame, flow, size);
        } else {
            frame[38..40].copy_from_slice(&((size - ETHERNET - IP) as u16).to_be_bytes());
            frame[40..42].fill(0);
        }
        size
    }

    fn segment(&mut self, frame: &mut [u8; LONGEST], flow: usize, size: usize) {
        let next = &mut self.sequence[flow];
        let first = *next == 0;
        let (flags, length) = if first { (SYN, 1) } else { (PUSH_ACK, (size - ETHERNET - IP - TCP) as u32) };
        if first {
            *next = 1;
            // A SYN carries nothing: the rest of the frame is padding.
            total_length(frame, IP + TCP);
        }
        frame[38..42].copy_from_slice(&next.to_be_bytes());
        frame[42..46].copy_from_slice(&1_u32.to_be_bytes());
        frame[46..50].copy_from_slice(&[0x50, flags, 0xff, 0xff]);
        frame[50..54].fill(0);
        *next = next.wrapping_add(length).max(1);
    }
}

/// Makes conversations of two frames each, with other addresses than those of [`Frames`].
#[derive(Debug, Default)]
pub struct Ended {
    sent: u32,
}

impl Ended {
    /// Writes the next frame's headers and gives its length.
    pub fn next(&mut self, frame: &mut [u8; LONGEST]) -> usize {
        let (flow, last) = (self.sent / 2, self.sent % 2 == 1);
        self.sent = self.sent.wrapping_add(1);
        // The numbers above those of flows: destinations from 172.17.0.0.
        network(frame, flow | 1 << 24, SIZES[0], true);
        total_length(frame, IP + TCP);
        frame[34..36].copy_from_slice(&((1024 + flow % 60_000) as u16).to_be_bytes());
        frame[36..38].copy_from_slice(&[443_u16, 80, 22, 8080][(flow / 7 % 4) as usize].to_be_bytes());
        frame[38..42].copy_from_slice(&u32::from(last).to_be_bytes());
        frame[42..46].fill(0);
        frame[46..50].copy_from_slice(&[0x50, if last { RST } else { SYN }, 0xff, 0xff]);
        frame[50..54].fill(0);
        SIZES[0]
    }
}

/// Ethernet and IPv4 headers: 65,536 sources in 10.0/16, and as many destinations from 172.16.0.0 as are needed.
fn network(frame: &mut [u8; LONGEST], flow: u32, size: usize, tcp: bool) {
    frame[..ETHERNET].copy_from_slice(&[2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0]);
    frame[14..24].copy_from_slice(&[0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, if tcp { 6 } else { 17 }]);
    let (source, destination) = (0x0a00_0000 | flow & 0xffff, 0xac10_0000 | flow >> 16);
    frame[26..30].copy_from_slice(&source.to_be_bytes());
    frame[30..34].copy_from_slice(&destination.to_be_bytes());
    total_length(frame, size - ETHERNET);
}

/// Sets the length of the packet and its header's checksum (RFC 1071).
fn total_length(frame: &mut [u8; LONGEST], length: usize) {
    frame[16..18].copy_from_slice(&(length as u16).to_be_bytes());
    frame[24..26].fill(0);
    let words = frame[ETHERNET..ETHERNET + IP].chunks_exact(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1]));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    frame[24..26].copy_from_slice(&checksum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn word(frame: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(frame[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn the_mix_is_right_and_every_flow_is_visited() {
        let mut frames = Frames::new(1000);
        let mut sizes = HashMap::new();
        let (mut tuples, mut tcp) = (HashSet::new(), 0);
        let mut frame = [0; LONGEST];
        for _ in 0..12_000 {
            let size = frames.next(&mut frame);
            *sizes.entry(size).or_insert(0) += 1;
            tuples.insert((word(&frame, 26), word(&frame, 30), word(&frame, 34), frame[23]));
            tcp += u32::from(frame[23] == 6);
        }
        assert_eq!(sizes, HashMap::from([(64, 7000), (576, 4000), (1500, 1000)]));
        assert_eq!((tuples.len(), tcp), (1000, 6000));
    }

    #[test]
    fn a_conversation_that_ends_has_two_frames_and_an_address_of_its_own() {
        let (mut frames, mut ended) = (Frames::new(1000), Ended::default());
        let (mut frame, mut tuples) = ([0; LONGEST], HashMap::new());
        (0..1000).for_each(|_| {
            frames.next(&mut frame);
            *tuples.entry((word(&frame, 26), word(&frame, 30), word(&frame, 34))).or_insert(0) += 1;
        });
        (0..2000).for_each(|at| {
            ended.next(&mut frame);
            assert_eq!(frame[47], if at % 2 == 0 { SYN } else { RST });
            *tuples.entry((word(&frame, 26), word(&frame, 30), word(&frame, 34))).or_insert(0) += 1;
        });
        assert_eq!(tuples.len(), 2000);
    }

    #[test]
    fn sequence_numbers_go_on_without_gaps() {
        let mut frames = Frames::new(10);
        let mut expected: HashMap<u32, u32> = HashMap::new();
        let mut frame = [0; LONGEST];
        for _ in 0..1000 {
            frames.next(&mut frame);
            if frame[23] == 6 {
                let (source, sequence) = (word(&frame, 26), word(&frame, 38));
                let payload = u32::from(u16::from_be_bytes([frame[16], frame[17]])) - 40;
                let syn = frame[47] == SYN;
                if let Some(expected) = expected.get(&source) {
                    assert_eq!(sequence, *expected);
                } else {
                    assert!(syn, "a flow begins with a SYN");
                }
                expected.insert(source, sequence + payload + u32::from(syn));
            }
        }
        assert_eq!(expected.len(), 5);
    }

    #[test]
    fn header_checksums_are_right() {
        let mut frame = [0; LONGEST];
        Frames::new(70_000).next(&mut frame);
        let sum: u32 = frame[14..34].chunks_exact(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }
}
