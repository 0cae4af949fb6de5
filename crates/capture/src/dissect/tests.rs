use netwatch_model::{Timestamp, TunnelKind};
use netwatch_testkit::corpus::corpus;
use netwatch_testkit::frames::{ethernet, ipv4, udp};
use proptest::prelude::*;

use super::*;
use crate::frame::LinkType;

const LINKS: [LinkType; 5] =
    [LinkType::Ethernet, LinkType::Ip, LinkType::LinuxSll, LinkType::LinuxSll2, LinkType::Null];

fn frame(data: &[u8], wire_length: u32, segment_size: u16, link: LinkType) -> Frame<'_> {
    let (time, tag) = (Timestamp::from_secs(1), None);
    Frame { time, data, wire_length, tag, segment_size, direction: Direction::In, interface: InterfaceIndex(0), link }
}

fn whole(data: &[u8]) -> Dissected {
    let length = u32::try_from(data.len()).unwrap();
    dissect(&frame(data, length, 0, LinkType::Ethernet), &mut Contexts::default())
}

/// What must hold of any packet, whatever the octets were.
fn check(frame: &Frame<'_>, result: &Dissected) -> Result<(), TestCaseError> {
    let packet = |p: &Packet| {
        prop_assert!(p.amount.packets >= 1);
        prop_assert!(usize::from(p.payload_at) < frame.data.len().max(1));
        if frame.segment_size == 0 {
            prop_assert!(p.amount.octets <= frame.wire_length, "more octets than the wire carried");
            prop_assert!(p.amount.l2_octets <= frame.wire_length);
            prop_assert!(p.payload_length <= p.amount.octets);
        }
        Ok(())
    };
    match result {
        Dissected::Packet(p) | Dissected::Fragment(p, _) => packet(p),
        Dissected::Tunnel(outer, inner) => {
            packet(outer)?;
            packet(inner)?;
            prop_assert!(inner.counted && !outer.counted);
            if frame.segment_size == 0 {
                prop_assert!(inner.amount.octets < outer.amount.octets);
            }
            Ok(())
        }
        Dissected::Not(_, amount) => {
            prop_assert_eq!(amount.octets, 0);
            Ok(())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_octets_are_taken_apart_or_refused(
        data in prop::collection::vec(any::<u8>(), 0..160),
        more in 0u32..70_000,
        segment_size in prop_oneof![3 => Just(0u16), 1 => any::<u16>()],
        link in 0usize..5,
    ) {
        let frame = frame(&data, u32::try_from(data.len()).unwrap() + more, segment_size, LINKS[link]);
        check(&frame, &dissect(&frame, &mut Contexts::default()))?;
    }

    #[test]
    fn damaged_packets_of_the_corpus_are_taken_apart_or_refused(
        pick in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        segment_size in prop_oneof![3 => Just(0u16), 1 => 1u16..3000],
    ) {
        let all: Vec<_> = corpus().into_iter().flat_map(|case| case.packets).collect();
        let packet = &all[pick.index(all.len())];
        let mut data = packet.data.clone();
        for (at, value) in damage {
            if !data.is_empty() {
                let at = at.index(data.len());
                data[at] = value;
            }
        }
        let frame = frame(&data, packet.wire_length, segment_size, LinkType::Ethernet);
        check(&frame, &dissect(&frame, &mut Contexts::default()))?;
    }
}

#[test]
fn labels_and_sessions_are_looked_through() {
    let ip = ipv4("10.0.0.1", "10.0.0.2").carry(udp(1, 2, b"x"));
    let head = |kind: &[u8]| [&[2u8; 12][..], kind].concat();
    let mpls = [&head(&[0x88, 0x47])[..], &[0, 1, 0x00, 64], &[0, 2, 0x01, 64], &ip].concat();
    let pppoe = [&head(&[0x88, 0x64])[..], &[0x11, 0, 0, 1, 0, 31, 0x00, 0x21], &ip].concat();
    for data in [mpls, pppoe] {
        let Dissected::Packet(p) = whole(&data) else { panic!("no packet") };
        assert_eq!((p.source_port, p.destination_port), (1, 2));
        assert_eq!((p.amount.octets as usize, p.amount.l2_octets as usize), (ip.len(), data.len()));
    }
}

#[test]
fn a_tunnelled_super_frame_counts_its_segments_inside_and_outside() {
    let inner = ethernet(ipv4("10.1.0.1", "10.1.0.2").carry(udp(7, 9, &[0; 3000]))).build();
    let vxlan = [&[8u8, 0, 0, 0, 0, 0, 42, 0][..], &inner].concat();
    let data = ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(udp(5555, 4789, &vxlan))).build();
    let length = u32::try_from(data.len()).unwrap();
    let mut contexts = Contexts::default();
    let result = dissect(&frame(&data, length, 1000, LinkType::Ethernet), &mut contexts);
    let Dissected::Tunnel(outer, inside) = result else { panic!("{result:?}") };
    assert_eq!(contexts.get(inside.context).tunnel.map(|t| (t.kind, t.id)), Some((TunnelKind::Vxlan, 42)));
    assert_eq!((outer.amount.packets, inside.amount.packets), (3, 3));
    assert_eq!(inside.amount.octets, 3000 + 3 * 28);
    assert_eq!(outer.amount.octets, 3000 + 3 * (20 + 8 + 8 + 14 + 20 + 8));
}
