//! The first message of TLS: who is called, and which protocol is wanted.
//!
//! A client names the host (server name indication, RFC 6066 section 3) and the protocols that it speaks (ALPN, RFC 7301) in clear
//! in its ClientHello (RFC 8446 section 4.1.2). With encrypted client hello the outer name is what is seen. The hello may be split
//! over several records and segments; what is known of a hello that is not complete yet is given too, because a capture may have
//! cut its packets.
//!
//! Limits: hellos of at most [`MAX_HELLO`] bytes, [`MAX_ALPN`] protocols, names of 255 bytes. DTLS and SSL 2 are not TLS here.

use std::borrow::Cow;

use netwatch_model::Untrusted;

use crate::host_name;
use crate::reader::Reader;

/// The longest ClientHello that is taken for one, in bytes of its body.
pub const MAX_HELLO: usize = 1 << 16;

/// How many protocols of the ALPN list are kept.
pub const MAX_ALPN: usize = 8;

/// What a client says in its first message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientHello {
    /// Server name indication, in lower case.
    pub sni: Option<Untrusted>,
    /// Application protocols by preference, as they came.
    pub alpn: Vec<Untrusted>,
    /// Whether the hello carries an encrypted one, so that `sni` is the outer name. Browsers put random bytes there when they have no
    /// key for it, which looks the same (GREASE ECH).
    pub encrypted: bool,
}

/// What the start of a stream is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hello {
    /// A whole ClientHello.
    Complete(ClientHello),
    /// The start of one.
    NeedMore {
        /// The stream's bytes from its start without which it cannot be complete: always more than were given.
        at_least: usize,
        /// What is known so far.
        so_far: ClientHello,
    },
    /// Something else.
    NotTls,
}

/// Reads the first bytes that a client sent over TCP.
#[must_use]
pub fn client_hello(stream: &[u8]) -> Hello {
    let Some(handshake) = handshake_of_records(stream) else { return Hello::NotTls };
    match handshake_hello(&handshake) {
        Hello::NeedMore { at_least, so_far } => {
            let missing = at_least.saturating_sub(handshake.len()).max(1);
            Hello::NeedMore { at_least: stream.len().saturating_add(missing), so_far }
        }
        other => other,
    }
}

/// Reads the first bytes of the handshake itself, without records: what QUIC's CRYPTO frames carry.
#[must_use]
pub fn handshake_hello(bytes: &[u8]) -> Hello {
    const CLIENT_HELLO: u8 = 1;
    let mut reader = Reader::new(bytes);
    let mut hello = ClientHello::default();
    if reader.u8().is_some_and(|kind| kind != CLIENT_HELLO) {
        return Hello::NotTls;
    }
    let Some(length) = reader.u24() else { return Hello::NeedMore { at_least: 4, so_far: hello } };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_HELLO {
        return Hello::NotTls;
    }
    let missing = length.saturating_sub(reader.rest().len());
    let body = reader.take(length).unwrap_or(reader.rest());
    match read_body(body, &mut hello) {
        Err(Stop::Malformed) => Hello::NotTls,
        Ok(()) | Err(Stop::Short) if missing > 0 => Hello::NeedMore { at_least: bytes.len() + missing, so_far: hello },
        Err(Stop::Short) => Hello::NotTls,
        Ok(()) => Hello::Complete(hello),
    }
}

/// Why a hello could not be read to its end.
enum Stop {
    Short,
    Malformed,
}

/// The handshake bytes of the records at the start of the stream (RFC 8446 section 5.1). `None` when these are no such records.
fn handshake_of_records(stream: &[u8]) -> Option<Cow<'_, [u8]>> {
    const HANDSHAKE: u8 = 22;
    const MAX_FRAGMENT: usize = 1 << 14;
    let mut reader = Reader::new(stream);
    let mut handshake = Cow::Borrowed(&[][..]);
    while !reader.is_empty() && !is_whole(&handshake) {
        // Legacy versions go from 3.0 (SSL 3) to 3.4.
        let fits = |index: usize, good: fn(u8) -> bool| reader.rest().get(index).is_none_or(|byte| good(*byte));
        if !(fits(0, |kind| kind == HANDSHAKE) && fits(1, |major| major == 3) && fits(2, |minor| minor <= 4)) {
            return None;
        }
        let Some([_, _, _, high, low]) = reader.array::<5>() else { break };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 || length > MAX_FRAGMENT {
            return None;
        }
        let fragment = reader.take(length.min(reader.rest().len()))?;
        if handshake.is_empty() {
            handshake = Cow::Borrowed(fragment);
        } else {
            handshake.to_mut().extend_from_slice(fragment);
        }
    }
    Some(handshake)
}

fn is_whole(handshake: &[u8]) -> bool {
    let mut reader = Reader::new(handshake);
    reader.u8().and_then(|_| reader.u24()).is_some_and(|length| reader.rest().len() as u64 >= u64::from(length))
}

fn read_body(body: &[u8], hello: &mut ClientHello) -> Result<(), Stop> {
    let mut reader = Reader::new(body);
    let version = reader.u16().ok_or(Stop::Short)?;
    if version >> 8 != 3 {
        return Err(Stop::Malformed);
    }
    reader.array::<32>().ok_or(Stop::Short)?;
    let session = reader.vector8().ok_or(Stop::Short)?;
    let suites = reader.vector16().ok_or(Stop::Short)?;
    if session.len() > 32 || suites.is_empty() || suites.len() % 2 != 0 {
        return Err(Stop::Malformed);
    }
    reader.vector8().ok_or(Stop::Short)?;
    if reader.is_empty() {
        return Ok(()); // TLS 1.2 and before: extensions may be absent
    }
    let length = reader.u16().ok_or(Stop::Short)?;
    let extensions = reader.take(usize::from(length));
    read_extensions(extensions.unwrap_or(reader.rest()), hello)?;
    extensions.map(|_| ()).ok_or(Stop::Short)
}

fn read_extensions(bytes: &[u8], hello: &mut ClientHello) -> Result<(), Stop> {
    const SERVER_NAME: u16 = 0;
    const ALPN: u16 = 16;
    const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let kind = reader.u16().ok_or(Stop::Short)?;
        let value = reader.vector16().ok_or(Stop::Short)?;
        match kind {
            SERVER_NAME if hello.sni.is_none() => hello.sni = server_name(value),
            ALPN if hello.alpn.is_empty() => hello.alpn = protocols(value),
            ENCRYPTED_CLIENT_HELLO => hello.encrypted = true,
            _ => {}
        }
    }
    Ok(())
}

/// The first host name of the list (RFC 6066 section 3: there is at most one of each type).
fn server_name(value: &[u8]) -> Option<Untrusted> {
    const HOST_NAME: u8 = 0;
    let mut list = Reader::new(Reader::new(value).vector16()?);
    while !list.is_empty() {
        let kind = list.u8()?;
        let name = list.vector16()?;
        if kind == HOST_NAME {
            return host_name(name);
        }
    }
    None
}

fn protocols(value: &[u8]) -> Vec<Untrusted> {
    let mut list = Reader::new(Reader::new(value).vector16().unwrap_or_default());
    std::iter::from_fn(|| list.vector8())
        .filter(|name| !name.is_empty())
        .take(MAX_ALPN)
        .map(Untrusted::from_bytes)
        .collect()
}

#[cfg(test)]
mod tests;
