//! Programs against libpcap's own meaning of them, and errors as users see them.

use proptest::prelude::*;

use super::*;

/// Ethernet frames: ARP; UDP to port 53; TCP SYN to port 443, also in a VLAN and in two; IPv6 UDP; a later fragment.
fn frames() -> Vec<Vec<u8>> {
    let udp = [
        &[8, 0, 0x45, 0, 0, 29, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..],
        &[0x30, 0x39, 0, 53, 0, 9, 0, 0, 1],
    ]
    .concat();
    let mut tcp =
        [&[8, 0, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 1, 1, 1, 1][..], &[0x30, 0x39, 1, 0xbb]]
            .concat();
    tcp.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 1, 0, 0, 0, 0, 0]);
    let mut fragment = udp.clone();
    fragment[8] = 0x00;
    fragment[9] = 0x10;
    let mut v6 = vec![0x86, 0xdd, 0x60, 0, 0, 0, 0, 9, 17, 64];
    v6.extend([0x20; 32]);
    v6.extend([0x30, 0x39, 0, 53, 0, 9, 0, 0, 1]);
    let bodies = [
        vec![8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
        udp,
        tcp.clone(),
        [&[0x81, 0, 0, 100][..], &tcp].concat(),
        [&[0x88, 0xa8, 0, 200, 0x81, 0, 0, 100][..], &tcp].concat(),
        v6,
        fragment,
    ];
    bodies.map(|body| [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &body].concat()).to_vec()
}

/// Which of [`frames`] an expression keeps.
fn kept(expression: &str) -> Vec<usize> {
    let program = compile_for_file(expression, 1).unwrap();
    let keeps = |frame: &Vec<u8>| program.run(frame, u32::try_from(frame.len()).unwrap()) != 0;
    frames().iter().enumerate().filter(|(_, frame)| keeps(frame)).map(|(at, _)| at).collect()
}

#[test]
fn expressions_mean_what_tcpdump_says() {
    for (expression, expected) in [
        ("", &[0, 1, 2, 3, 4, 5, 6][..]),
        ("arp", &[0]),
        ("udp", &[1, 5, 6]),
        ("port 53", &[1, 5]),
        ("host 10.0.0.2", &[1, 6]),
        ("tcp[tcpflags] & tcp-syn != 0", &[2]),
        ("vlan 100", &[3]),
        ("vlan and tcp", &[3]),
        ("vlan and vlan and port 443", &[4]),
        ("ip6", &[5]),
        // `and` and `or` have the same precedence and group from the left; `not` binds closest (pcap-filter(7)).
        ("arp or udp and port 53", &[1, 5]),
        ("not udp and not tcp", &[0, 3, 4]),
        ("arp or (udp and port 53)", &[0, 1, 5]),
        ("less 42", &[0]),
        ("ip[6:2] & 0x1fff != 0", &[6]),
    ] {
        assert_eq!(kept(expression), expected, "{expression}");
    }
}

#[test]
fn a_wrong_expression_keeps_the_words_of_libpcap() {
    let error = compile_for_file("tcp prot 80", 1).unwrap_err();
    assert_eq!(error.to_string(), "the filter `tcp prot 80` is not valid: can't parse filter expression: syntax error");
    assert!(compile_for_file("host a\0b", 1).is_err());
}

#[test]
fn files_do_not_know_directions_of_libpcap() {
    let error = compile_for_file("inbound", 1).unwrap_err();
    assert_eq!(error.to_string(), "the filter `inbound` asks for what capture files do not tell");
}

#[test]
fn the_capture_length_changes_what_is_kept_and_not_which() {
    let program = compile_for_file("udp", 1).unwrap().with_capture_length(60);
    let values: Vec<_> = frames().iter().map(|frame| program.run(frame, 100)).collect();
    assert_eq!(values, [0, 60, 0, 0, 0, 60, 60]);
    assert_eq!(Program::accept_all().with_capture_length(0).run(&[], 1), 1, "never refuse by length");
}

#[test]
fn vlan_is_found_as_a_word_only() {
    assert!(mentions_vlan("tcp and (vlan 5)") && mentions_vlan("vlan&&ip"));
    assert!(!mentions_vlan("host vlan.example.com") && !mentions_vlan("host my-vlan"));
}

proptest! {
    #[test]
    fn no_program_panics_or_runs_for_ever(
        instructions in proptest::collection::vec((any::<u16>(), any::<u8>(), any::<u8>(), any::<u32>()), 0..40),
        data in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let code = |(code, jt, jf, k)| Instruction { code: code & 0xff, jt, jf, k };
        let program = Program(instructions.into_iter().map(code).collect());
        let _ = program.run(&data, 100);
    }
}
