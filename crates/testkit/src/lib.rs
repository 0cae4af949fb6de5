//! What the tests of all crates share: frames and capture files made by code, the corpus of quirks with its golden results, a fake
//! clock, network namespaces, file systems in files, processes to be killed, a device with a passkey, and other people's tools as
//! oracles.
//!
//! Limits: a development dependency only. Helpers panic where a test would, with a message that says what was wrong.

pub mod authenticator;
pub mod child;
pub mod clock;
pub mod corpus;
pub mod disk;
pub mod expectation;
pub mod frames;
pub mod netns;
pub mod oracle;
pub mod pcap;
