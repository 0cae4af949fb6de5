//! What routers add behind the quote: objects of RFC 4884, of which the label stack of MPLS (RFC 4950) is read.

use netwatch_model::probe::kind::mtr::MplsLabel;

use super::checksum::Sum;
use crate::reader::Reader;

/// How many labels are read; deeper stacks are cut.
pub const MAX_LABELS: usize = 16;

const VERSION: u8 = 2;
const HEADER: usize = 4;
/// Class and type of the object that holds the incoming label stack (RFC 4950, 3).
const LABEL_STACK: (u8, u8) = (1, 1);

/// The labels in an extension structure, outermost first. It is believed when its checksum is right; without one (0) only when `strict`
/// does not hold.
#[must_use]
pub fn extensions(bytes: &[u8], strict: bool) -> Vec<MplsLabel> {
    let mut labels = Vec::new();
    let mut reader = Reader::new(bytes);
    let Some([version, _, high, low]) = reader.array::<HEADER>() else { return labels };
    let has_sum = (high, low) != (0, 0);
    // RFC 4884, 7: the sum over all octets, with the checksum in its place, is all ones.
    if version >> 4 != VERSION || (has_sum && Sum::new().octets(bytes).finish() != 0) || (strict && !has_sum) {
        return labels;
    }
    while let Some([high, low, class, kind]) = reader.array::<HEADER>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(object) = length.checked_sub(HEADER).and_then(|length| reader.take(length)) else { break };
        if (class, kind) == LABEL_STACK {
            read_stack(object, &mut labels);
        }
    }
    labels
}

/// Entries of RFC 3032: label 20 bits, traffic class 3, bottom of stack 1, time to live 8.
fn read_stack(object: &[u8], labels: &mut Vec<MplsLabel>) {
    let mut reader = Reader::new(object);
    while let Some(entry) = reader.u32() {
        if labels.len() >= MAX_LABELS {
            return;
        }
        let [.., ttl] = entry.to_be_bytes();
        let class = u8::try_from((entry >> 9) & 7).unwrap_or_default();
        labels.push(MplsLabel { label: entry >> 12, class, ttl });
        if entry & 0x100 != 0 {
            return;
        }
    }
}
