use std::collections::HashMap;

use netwatch_model::{Direction, Protocol};
use proptest::prelude::*;

use super::*;
use crate::dissect::{Amount, Segment};
use crate::frame::InterfaceIndex;

fn packet(addresses: Addresses, ports: (u16, u16)) -> Packet {
    Packet {
        time: 1,
        addresses,
        source_port: ports.0,
        destination_port: ports.1,
        context: ContextId(0),
        protocol: Protocol::UDP,
        direction: Direction::In,
        interface: InterfaceIndex(0),
        counted: false,
        icmp: 0,
        segment: Segment::default(),
        amount: Amount { packets: 1, octets: 100, l2_octets: 114 },
        payload_length: 72,
        payload_at: 0,
    }
}

fn any_packet() -> impl Strategy<Value = Packet> {
    // Few values, so that tuples meet again and buckets overflow.
    let v4 = (0u32..40, 0u32..40).prop_map(|(a, b)| Addresses::V4(a, b));
    let v6 = (0u128..10, 0u128..10).prop_map(|(a, b)| Addresses::V6(a, b));
    (prop_oneof![3 => v4, 1 => v6], (0u16..4, 0u16..4)).prop_map(|(a, p)| packet(a, p))
}

#[test]
fn both_directions_have_one_key_and_different_senders() {
    let table = Table::new(16, [1, 2, 3, 4]);
    for (a, b) in [(Addresses::V4(1, 2), Addresses::V4(2, 1)), (Addresses::V6(1, 2), Addresses::V6(2, 1))] {
        let (there, back) = (table.key(&packet(a, (10, 20))), table.key(&packet(b, (20, 10))));
        assert_eq!(there.key, back.key);
        assert_eq!(there.hash, back.hash);
        assert_ne!(there.sender, back.sender);
    }
}

#[test]
fn the_seed_changes_the_hash() {
    let (a, b) = (Table::new(16, [1, 2, 3, 4]), Table::new(16, [1, 2, 3, 5]));
    let p = packet(Addresses::V4(1, 2), (3, 4));
    assert_ne!(a.key(&p).hash, b.key(&p).hash);
}

#[test]
fn a_full_table_says_so_and_the_lightest_gives_way() {
    let mut table = Table::new(16, [7; 4]);
    for n in 0..16u32 {
        let k = table.key(&packet(Addresses::V4(n, 99), (1, 1)));
        let slot = table.insert(&k, 0).unwrap();
        table.hot_mut(slot).add(0, Amount { packets: 1, octets: 1000 - n, l2_octets: 1000 - n });
    }
    let k = table.key(&packet(Addresses::V4(77, 99), (1, 1)));
    assert!(table.insert(&k, 0).is_none());
    let victim = table.lightest(16).unwrap();
    assert_eq!(table.hot(victim).octets_of(0), 985);
    table.remove(victim);
    assert!(table.insert(&k, 0).is_some());
    assert_eq!(table.len(), 16);
}

#[test]
fn octets_carry_past_32_bits() {
    let mut hot = Hot::default();
    for _ in 0..5 {
        hot.add(1, Amount { packets: 1, octets: u32::MAX, l2_octets: u32::MAX });
    }
    assert_eq!(hot.octets_of(1), 5 * u64::from(u32::MAX));
}

proptest! {
    #[test]
    fn the_table_does_what_a_map_does(steps in prop::collection::vec((any_packet(), any::<bool>()), 1..600)) {
        let mut table = Table::new(64, [11, 22, 33, 44]);
        let mut model: HashMap<String, Slot> = HashMap::new();
        for (p, remove) in steps {
            let k = table.key(&p);
            let name = format!("{:?}", k.key);
            table.prefetch_bucket(k.hash);
            let guess = table.prefetch_entry(k.hash);
            let found = table.find(&k, guess);
            prop_assert_eq!(found, model.get(&name).copied());
            match (found, remove) {
                (Some(slot), true) => {
                    table.remove(slot);
                    model.remove(&name);
                }
                (None, false) => match table.insert(&k, 5) {
                    Some(slot) => {
                        prop_assert_eq!(table.key_of(table.hot(slot)), k.key);
                        model.insert(name, slot);
                    }
                    None => prop_assert_eq!(model.len(), 64),
                },
                _ => {}
            }
            prop_assert_eq!(table.len(), model.len());
        }
    }
}
