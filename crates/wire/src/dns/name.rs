//! Domain names on the wire (RFC 1035 sections 3.1 and 4.1.4).

use netwatch_model::Untrusted;

use super::DnsError;

/// A name in lower case, dots between labels; a dot or backslash inside a label stands behind a backslash (RFC 1035 section 5.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Name(Vec<u8>);

impl Name {
    /// Length on the wire, lengths and the root included (RFC 1035 section 3.1).
    const MAX_WIRE: usize = 255;

    /// The name at `at` of the message, and where what follows it stands.
    ///
    /// A pointer must lead to before the part of the name that holds it, so that every name ends.
    pub(super) fn parse(message: &[u8], at: usize) -> Result<(Self, usize), DnsError> {
        let mut text = Vec::new();
        let (mut place, mut part_start, mut wire) = (at, at, 0);
        let mut next = None;
        loop {
            let length = *message.get(place).ok_or(DnsError::Short)?;
            match length >> 6 {
                0b00 => {
                    let label = usize::from(length);
                    wire += 1 + label;
                    if wire > Self::MAX_WIRE {
                        return Err(DnsError::Name);
                    }
                    let end = place + 1 + label;
                    let bytes = message.get(place + 1..end).ok_or(DnsError::Short)?;
                    place = end;
                    if bytes.is_empty() {
                        return Ok((Self(text), next.unwrap_or(place)));
                    }
                    push_label(&mut text, bytes);
                }
                0b11 => {
                    let low = *message.get(place + 1).ok_or(DnsError::Short)?;
                    let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                    if target >= part_start {
                        return Err(DnsError::Name);
                    }
                    next.get_or_insert(place + 2);
                    (place, part_start) = (target, target);
                }
                _ => return Err(DnsError::Name), // 01 and 10 are reserved
            }
        }
    }

    /// As it is kept: cut to the limit of [`Untrusted`]. The root is ".".
    pub(super) fn to_untrusted(&self) -> Untrusted {
        if self.0.is_empty() { Untrusted::new(".") } else { Untrusted::from_bytes(&self.0) }
    }
}

fn push_label(text: &mut Vec<u8>, label: &[u8]) {
    if !text.is_empty() {
        text.push(b'.');
    }
    for byte in label {
        if matches!(byte, b'.' | b'\\') {
            text.push(b'\\');
        }
        text.push(byte.to_ascii_lowercase());
    }
}
