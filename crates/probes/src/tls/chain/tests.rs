//! What stands in certificates.

use proptest::prelude::*;

use super::*;
use crate::connect::testing::Authority;

#[test]
fn names_are_escaped_as_rfc_4514_wants_it() {
    for (value, written) in
        [(" a ", "\\ a\\ "), ("#1", "\\#1"), ("a#b", "a#b"), ("x<y>z;\"\\", "x\\<y\\>z\\;\\\"\\\\"), ("", "")]
    {
        assert_eq!(escaped(value), written);
    }
}

#[test]
fn a_chain_ends_with_the_first_certificate_that_does() {
    let authority = Authority::new();
    let chain = authority.issue(&["a.example"], |params| params.not_after = rcgen::date_time_ymd(2100, 1, 1)).chain;
    let read = read(&chain);
    let end = Timestamp::from_secs(4_102_444_800);
    assert_eq!(expires_in(&read, Timestamp::from_secs(end.secs() - 60)), 60.0);
    assert_eq!(expires_in(&read, Timestamp::from_secs(end.secs() + 60)), -60.0);
    assert_eq!(expires_in(&[], end), 0.0);
}

#[test]
fn a_long_chain_and_many_names_are_cut() {
    let authority = Authority::new();
    let names: Vec<String> = (0..MAX_NAMES + 20).map(|n| format!("n{n}.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let own = authority.issue(&names, |_| ()).chain.swap_remove(0);
    let read = read(&vec![own; MAX_CHAIN + 3]);
    assert_eq!((read.len(), read[0].names.len()), (MAX_CHAIN, MAX_NAMES));
}

proptest! {
    #[test]
    fn no_octets_break_it(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _read = read(&[CertificateDer::from(octets)]);
    }

    #[test]
    fn no_damage_breaks_it(at in 0_usize..400, octet: u8) {
        let mut own = Authority::new().issue(&["a.example"], |_| ()).chain.swap_remove(0).to_vec();
        let at = at % own.len();
        own[at] = octet;
        let _read = read(&[CertificateDer::from(own)]);
    }
}
