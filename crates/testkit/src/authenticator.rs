//! A device with a passkey, made of software: answers as a browser with an authenticator does (Web Authentication, level 3).
//!
//! Limits: one key of ES256, attestation `none`. It signs what it is told, also what a browser would refuse: that is what tests need.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// Flags of the authenticator data (section 6.1): the user is present.
const PRESENT: u8 = 0x01;
/// The user was verified.
const VERIFIED: u8 = 0x04;
/// A new key follows.
const ATTESTED: u8 = 0x40;

/// A device with one passkey.
#[derive(Clone, Debug)]
pub struct Authenticator {
    key: Vec<u8>,
    id: Vec<u8>,
    user_handle: String,
    counter: u32,
    /// Whether it counts its signatures; those whose keys are synchronised do not.
    pub counts: bool,
    /// Whether it verifies who touches it.
    pub verifies: bool,
}

impl Authenticator {
    /// Makes a passkey as `options` of the server ask; the answer for the server.
    #[must_use]
    pub fn create(origin: &str, options: &Value) -> (Self, Value) {
        Self::made(origin, options, true)
    }

    /// The same, touched by somebody whom it did not verify.
    #[must_use]
    pub fn create_unverified(origin: &str, options: &Value) -> (Self, Value) {
        Self::made(origin, options, false)
    }

    /// Signs as `options` of the server ask; the answer for the server.
    #[must_use]
    pub fn get(&mut self, origin: &str, options: &Value) -> Value {
        if self.counts {
            self.counter += 1;
        }
        let client = client_data("webauthn.get", origin, options);
        let data = self.data(text(&options["rpId"]), 0);
        let signed = [data.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.key, &random).expect("its own key");
        let signature = key.sign(&random, &signed).expect("a signature");
        json!({
            "id": encode(&self.id), "rawId": encode(&self.id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "authenticatorData": encode(&data),
                "clientDataJSON": encode(client.as_bytes()),
                "signature": encode(signature.as_ref()),
                "userHandle": self.user_handle,
            },
        })
    }

    fn made(origin: &str, options: &Value, verifies: bool) -> (Self, Value) {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let mut id = vec![0; 32];
        random.fill(&mut id).expect("random bytes");
        let user_handle = text(&options["user"]["id"]).to_owned();
        let device = Self { key: key.as_ref().to_vec(), id, user_handle, counter: 0, counts: true, verifies };
        let client = client_data("webauthn.create", origin, options);
        let mut data = device.data(text(&options["rp"]["id"]), ATTESTED);
        data.extend(device.attested());
        let answer = json!({
            "id": encode(&device.id), "rawId": encode(&device.id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "attestationObject": encode(&attestation(&data)),
                "clientDataJSON": encode(client.as_bytes()),
                "transports": ["internal"],
            },
        });
        (device, answer)
    }

    /// The head of the authenticator data: hash of the site's name, flags, counter.
    fn data(&self, rp_id: &str, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { VERIFIED } else { 0 };
        let mut data = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        data.push(PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// Make (all zeros), id and public key (COSE, RFC 9052 section 7).
    fn attested(&self) -> Vec<u8> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.key, &random).expect("its own key");
        let point = key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        let length = u16::try_from(self.id.len()).expect("a short id").to_be_bytes();
        // A map of five: type EC2, algorithm ES256 (-7), curve P-256, x, y.
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01];
        [&[0; 16][..], &length, &self.id, &head, &[0x21, 0x58, 0x20], x, &[0x22, 0x58, 0x20], y].concat()
    }
}

/// `{"fmt": "none", "attStmt": {}, "authData": data}` in CBOR (RFC 8949).
fn attestation(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("short data").to_be_bytes();
    [
        &[0xa3, 0x63][..],
        b"fmt",
        &[0x64],
        b"none",
        &[0x67],
        b"attStmt",
        &[0xa0, 0x68],
        b"authData",
        &[0x59],
        &length,
        data,
    ]
    .concat()
}

fn client_data(kind: &str, origin: &str, options: &Value) -> String {
    json!({"type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": false}).to_string()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text among the options")
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
