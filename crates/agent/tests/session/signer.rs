//! Signs programs, as those do who give them out.

use std::io::Cursor;

use minisign::KeyPair;

pub struct Signer(KeyPair);

impl Signer {
    /// With a new key.
    pub fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    /// Its public key, as `minisign -G` writes it into the second line of its file.
    pub fn key(&self) -> String {
        self.0.pk.to_base64()
    }

    /// As `minisign -S -t COMMENT`.
    pub fn sign(&self, program: &[u8], comment: &str) -> String {
        minisign::sign(Some(&self.0.pk), &self.0.sk, Cursor::new(program), Some(comment), None).unwrap().into_string()
    }
}
