//! Keys of Initial packets, header protection and payload protection (RFC 9001 section 5).
//!
//! These keys protect nothing from anybody who sees the packet: they are derived from a published salt.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::Version;

const SALT_V1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f,
    0x0a,
];

const SALT_V2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e,
    0xd9,
];

/// Salt and labels of a version (RFC 9001 section 5.2, RFC 9369 section 3.3).
struct Derivation {
    salt: [u8; 20],
    key: &'static [u8],
    iv: &'static [u8],
    header: &'static [u8],
}

impl Derivation {
    const fn of(version: Version) -> Self {
        match version {
            Version::V1 => {
                Self { salt: SALT_V1, key: b"tls13 quic key", iv: b"tls13 quic iv", header: b"tls13 quic hp" }
            }
            Version::V2 => {
                Self { salt: SALT_V2, key: b"tls13 quicv2 key", iv: b"tls13 quicv2 iv", header: b"tls13 quicv2 hp" }
            }
        }
    }
}

/// What opens the Initial packets of one side of a connection.
pub(crate) struct InitialKeys {
    packet: LessSafeKey,
    header: quic::HeaderProtectionKey,
    iv: [u8; 12],
}

impl InitialKeys {
    /// The client's keys for its first destination connection id.
    pub(crate) fn client(version: Version, connection: &[u8]) -> Option<Self> {
        let derivation = Derivation::of(version);
        let initial = Salt::new(HKDF_SHA256, &derivation.salt).extract(connection);
        let client = Prk::new_less_safe(HKDF_SHA256, &expand_label::<32>(&initial, b"tls13 client in")?);
        let packet = UnboundKey::new(&AES_128_GCM, &expand_label::<16>(&client, derivation.key)?).ok()?;
        let header = expand_label::<16>(&client, derivation.header)?;
        Some(Self {
            packet: LessSafeKey::new(packet),
            header: quic::HeaderProtectionKey::new(&quic::AES_128, &header).ok()?,
            iv: expand_label::<12>(&client, derivation.iv)?,
        })
    }

    /// The payload of a packet whose protected number stands at `number_at`. `None` when it does not open with these keys.
    ///
    /// Packet numbers are taken as they stand, without the high part that RFC 9000 appendix A.3 restores: the first packets of a
    /// connection have none.
    pub(crate) fn open(&self, packet: &[u8], number_at: usize) -> Option<Vec<u8>> {
        let sample = packet.get(number_at.checked_add(4)?..number_at.checked_add(20)?)?;
        let mask = self.header.new_mask(sample).ok()?;
        let first = packet.first()? ^ (mask[0] & 0x0f);
        let number_length = usize::from(first & 0b11) + 1;
        let mut header = packet.get(..number_at.checked_add(number_length)?)?.to_vec();
        let mut payload = packet.get(header.len()..)?.to_vec();
        *header.first_mut()? = first;
        let mut number = 0_u64;
        for (byte, mask) in header.iter_mut().skip(number_at).zip(&mask[1..]) {
            *byte ^= mask;
            number = (number << 8) | u64::from(*byte);
        }
        let length = self.packet.open_in_place(self.nonce(number), Aad::from(&header), &mut payload).ok()?.len();
        payload.truncate(length);
        Some(payload)
    }

    /// Protects a payload behind an unprotected header that ends before the packet number.
    #[cfg(any(test, feature = "build"))]
    pub(crate) fn seal(&self, mut header: Vec<u8>, number: u8, mut payload: Vec<u8>) -> Vec<u8> {
        let number_at = header.len();
        header.push(number);
        let nonce = self.nonce(u64::from(number));
        if self.packet.seal_in_place_append_tag(nonce, Aad::from(&header), &mut payload).is_err() {
            return Vec::new();
        }
        let Some(mask) = payload.get(3..19).and_then(|sample| self.header.new_mask(sample).ok()) else {
            return Vec::new();
        };
        header[0] ^= mask[0] & 0x0f;
        header[number_at] ^= mask[1];
        header.extend(payload);
        header
    }

    fn nonce(&self, number: u64) -> Nonce {
        let mut nonce = self.iv;
        for (byte, part) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *byte ^= part;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1); `label` includes its prefix.
fn expand_label<const N: usize>(secret: &Prk, label: &[u8]) -> Option<[u8; N]> {
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let label_length = [u8::try_from(label.len()).ok()?];
    let mut out = [0; N];
    secret.expand(&[&length, &label_length, label, &[0]], Length(N)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
