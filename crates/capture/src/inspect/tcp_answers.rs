//! DNS answers over TCP: each message stands behind its length (RFC 7766 section 8), and may span segments.
//!
//! Messages that a segment has whole are read at once and nothing is kept. What is left over waits in the pool until the rest comes, in
//! any order. A message that is longer than a window (a zone transfer) is passed over by its length, and counted. When a segment is
//! missing (it was lost, or cut by the capture length) and the connection has gone on, reading begins anew with the segment at hand.

use netwatch_wire::dns;
use netwatch_wire::window::Window;

use super::buffers::{Content, Stream};
use super::{DNS, Inspector, Payload, Verdict};

/// Octets of the length.
const LENGTH: usize = 2;

impl Inspector {
    /// Reads the answers in a segment. More may always come.
    pub(super) fn dns_over_tcp(&mut self, payload: &Payload<'_>) -> Verdict {
        let is_answer = payload.ports[usize::from(!payload.from_initiator)] == DNS;
        if !is_answer {
            return Verdict::More;
        }
        match self.buffers.take(payload.flow) {
            Some(Content::Answer(mut stream)) if stream.reaches(payload.sequence) => {
                stream.add(payload.sequence, payload.bytes);
                let used = self.whole_messages(payload, stream.bytes());
                if used == 0 && !is_too_long(stream.bytes()) {
                    self.buffers.insert(payload.flow, Content::Answer(stream));
                } else {
                    self.wait(payload.flow, stream.first(), used, stream.bytes());
                }
            }
            _ => {
                let used = self.whole_messages(payload, payload.bytes);
                self.wait(payload.flow, payload.sequence, used, payload.bytes);
            }
        }
        Verdict::More
    }

    /// Reads the messages that are whole; how many octets they took.
    fn whole_messages(&mut self, payload: &Payload<'_>, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let Some(message) = dns::tcp_message(rest) {
            self.dns(payload, message);
            rest = rest.get(LENGTH + message.len()..).unwrap_or_default();
        }
        bytes.len() - rest.len()
    }

    /// Keeps what is left after `used` octets of `bytes`, of which the first has the sequence number `first`.
    fn wait(&mut self, flow: u32, first: u32, used: usize, bytes: &[u8]) {
        let rest = bytes.get(used..).unwrap_or_default();
        let first = first.wrapping_add(u32::try_from(used).unwrap_or(u32::MAX));
        if rest.is_empty() {
            return;
        }
        let mut stream = if is_too_long(rest) {
            self.counters.dns_skipped += 1;
            Stream::new(first.wrapping_add(message_end(rest)))
        } else {
            Stream::new(first)
        };
        stream.add(first, rest);
        self.buffers.insert(flow, Content::Answer(stream));
    }
}

/// Where the message ends, its length included; zero while the length is not there.
fn message_end(bytes: &[u8]) -> u32 {
    bytes.first_chunk::<LENGTH>().map_or(0, |length| LENGTH as u32 + u32::from(u16::from_be_bytes(*length)))
}

fn is_too_long(bytes: &[u8]) -> bool {
    message_end(bytes) > Window::CAPACITY as u32
}
