//! Bytes to protocol units that no good library decodes for us; pure, bounded, never panics.
//!
//! A decoder takes a byte slice that somebody else chose and says what is in it: a hello, a request head, a DNS message. It does
//! no I/O, reads no clock, and keeps nothing beyond the object that the caller holds. Its work is linear in the length of the
//! input, its memory has a constant bound, and every length that the input claims is checked before it is used.
//!
//! Names come out as [`netwatch_model::Untrusted`], in lower case (RFC 4343), without a final dot.
//!
//! The feature `build` adds a module of that name, the same messages in the other direction, for tests, corpora and traffic generators.

#![forbid(unsafe_code)]

#[cfg(any(test, feature = "build"))]
pub mod build;
pub mod dns;
pub mod http;
pub mod quic;
mod reader;
pub mod stamp;
pub mod tls;
pub mod window;

use netwatch_model::Untrusted;

/// A host name as it is compared and kept: lower case, no final dot. `None` when nothing is left.
fn host_name(bytes: &[u8]) -> Option<Untrusted> {
    let bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
    let cut = bytes.get(..Untrusted::MAX_BYTES).unwrap_or(bytes);
    (!cut.is_empty()).then(|| Untrusted::from_bytes(&cut.to_ascii_lowercase()))
}
