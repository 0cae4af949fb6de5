//! Which interfaces are captured when none is named: not two that the same packet passes.
//!
//! A machine has more interfaces than ways for a packet to leave it. What a container sends passes its pair, a bridge and a device; a
//! bond and one of its ports carry the same packets; a tunnel's packets are inside those of a device. So interfaces are ranked by how
//! far out they are, and only those of the first rank that there is are captured:
//!
//! 1. devices; a bond or team stands for its ports;
//! 2. links into another network namespace (what a container calls `eth0`), when they are no port;
//! 3. other virtual links, when they are no port and have no link below: bridges, tunnels;
//! 4. loopback.
//!
//! Limits: what this machine forwards from one device to another passes both and is seen on both, in on one and out on the other. What
//! never leaves the machine (between containers on one bridge) is seen only where its interface is named.

use std::collections::BTreeMap;
use std::fmt;

use netwatch_capture::interface::link::Link;
use netwatch_model::Untrusted;

/// Why an interface is not captured unless it is named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Netwatch does not know its kind of frames.
    Unreadable,
    /// It is down.
    Down,
    /// Its packets pass that one, too: the bond of a port, the device of a VLAN, the other end of a pair.
    PartOf(Untrusted),
    /// It is a port of that bridge.
    PortOf(Untrusted),
    /// It is further in than the ones that are captured.
    Inner(Vec<Untrusted>),
    /// Others are there.
    Loopback,
}

/// How far out, outermost first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Device,
    LeadsOut,
    Virtual,
    Loopback,
}

/// For each link why it is not captured by default; nothing for those that are.
pub fn by_default(links: &[Link]) -> Vec<Option<Reason>> {
    let known = Known(links.iter().filter(|l| usable(l)).map(|l| (l.index, l)).collect());
    let places: Vec<Result<Rank, Reason>> = links.iter().map(|l| known.place(l)).collect();
    let rank_of = |running: bool| {
        let some = links.iter().zip(&places).filter(|(l, _)| l.running || !running);
        some.filter_map(|(_, place)| place.as_ref().ok().copied()).min()
    };
    // An outer one without a carrier does not keep an inner one out that has it.
    let best = rank_of(true).or_else(|| rank_of(false));
    let chosen = |(_, place): &(&Link, &Result<Rank, Reason>)| place.as_ref().ok().copied() == best;
    let captured: Vec<Untrusted> = links.iter().zip(&places).filter(chosen).map(|(l, _)| l.name.clone()).collect();
    places
        .into_iter()
        .map(|place| match place {
            Ok(rank) if Some(rank) == best => None,
            Ok(Rank::Loopback) => Some(Reason::Loopback),
            Ok(_) => Some(Reason::Inner(captured.clone())),
            Err(reason) => Some(reason),
        })
        .collect()
}

/// The links that can be captured, by index.
struct Known<'a>(BTreeMap<u32, &'a Link>);

impl Known<'_> {
    fn place(&self, link: &Link) -> Result<Rank, Reason> {
        let part_of = |other: &Link| Err(Reason::PartOf(other.name.clone()));
        if link.link.is_none() {
            return Err(Reason::Unreadable);
        }
        if !link.up {
            return Err(Reason::Down);
        }
        if link.loopback {
            return Ok(Rank::Loopback);
        }
        let master = self.get(link.made_of.master);
        if let Some(master) = master.filter(|m| carries_its_ports(m)) {
            return part_of(master);
        }
        let kind = match kind(link) {
            None => return Ok(Rank::Device),
            Some("bond" | "team") if self.has_device(link) => return Ok(Rank::Device),
            Some(kind) => kind,
        };
        // Ports of bridges: what goes from port to port would be seen on both.
        if let Some(bridge) = master {
            return Err(Reason::PortOf(bridge.name.clone()));
        }
        // Of a pair, the end that was made first is the one.
        let below = self.get(link.made_of.below).filter(|below| kind != "veth" || below.index < link.index);
        match below {
            Some(below) => part_of(below),
            None if link.made_of.leads_out => Ok(Rank::LeadsOut),
            None => Ok(Rank::Virtual),
        }
    }

    fn get(&self, index: Option<u32>) -> Option<&Link> {
        self.0.get(&index?).copied()
    }

    fn has_device(&self, bond: &Link) -> bool {
        self.0.values().any(|port| port.made_of.master == Some(bond.index) && kind(port).is_none())
    }
}

fn usable(link: &Link) -> bool {
    link.up && link.link.is_some()
}

fn kind(link: &Link) -> Option<&str> {
    link.made_of.kind.as_ref().map(Untrusted::raw)
}

/// All packets of a port pass a bond; a bridge, a virtual router and a switch see only some of them.
fn carries_its_ports(master: &Link) -> bool {
    !matches!(kind(master), Some("bridge" | "vrf" | "openvswitch"))
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("its frames cannot be read"),
            Self::Down => f.write_str("it is down"),
            Self::PartOf(other) => write!(f, "its packets pass {other} too"),
            Self::PortOf(bridge) => write!(f, "it is a port of {bridge}"),
            Self::Inner(captured) => {
                let names: Vec<String> = captured.iter().map(ToString::to_string).collect();
                write!(f, "what leaves the machine through it passes {} too", names.join(" or "))
            }
            Self::Loopback => f.write_str("loopback is captured only when nothing else is up"),
        }
    }
}

#[cfg(test)]
mod tests {
    use netwatch_capture::frame::LinkType;
    use netwatch_capture::interface::link::MadeOf;

    use super::*;

    /// `name kind master below`, each by its place from 1; `-` for none, `out` for another namespace.
    fn links(text: &[&str]) -> Vec<Link> {
        (1..).zip(text).map(|(index, line)| link(index, line)).collect()
    }

    fn link(index: u32, line: &str) -> Link {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |at: usize| words.get(at).copied().filter(|w| *w != "-");
        let name = words[0].trim_end_matches(['!', '~']);
        let made_of = MadeOf {
            kind: word(1).map(Untrusted::new),
            master: word(2).map(|n| n.parse().unwrap()),
            below: word(3).and_then(|n| n.parse().ok()),
            leads_out: word(3) == Some("out"),
        };
        Link {
            index,
            name: name.into(),
            up: !words[0].ends_with('!'),
            running: !words[0].ends_with(['!', '~']),
            loopback: name == "lo",
            mtu: 1500,
            station: None,
            link: (name != "can0").then_some(LinkType::Ethernet),
            hardware: 1,
            made_of,
        }
    }

    #[track_caller]
    fn check(text: &[&str], captured: &[&str]) {
        let links = links(text);
        let found: Vec<String> = links
            .iter()
            .zip(by_default(&links))
            .filter_map(|(l, reason)| reason.is_none().then(|| l.name.to_string()))
            .collect();
        assert_eq!(found, captured, "{text:?}");
    }

    #[test]
    fn no_packet_passes_two_of_them() {
        check(&["lo", "eth0", "wlan0"], &["eth0", "wlan0"]);
        check(&["lo", "eth0", "docker0 bridge", "veth1 veth 3 out"], &["eth0"]);
        check(&["lo", "eth0 - 3", "br0 bridge", "tap0 tun 3"], &["eth0"]);
        check(&["lo", "eth0 - 4", "eth1 - 4", "bond0 bond", "bond0.7 vlan - 4"], &["bond0"]);
        check(&["lo", "eth0 - 3", "bond0 bond 4", "br0 bridge"], &["bond0"]);
        check(&["lo", "eth0", "eth0.7 vlan - 2", "wg0 wireguard", "tun0 tun"], &["eth0"]);
        check(&["lo", "eth0 - 3", "red vrf"], &["eth0"]);
        check(&["lo", "vf0 - 3", "eth0"], &["eth0"]);
        check(&["lo", "eth0 - 3", "ovs-system! openvswitch"], &["eth0"]);
    }

    #[test]
    fn in_a_namespace_the_link_out_is_the_device() {
        check(&["lo", "eth0 veth - out"], &["eth0"]);
        check(
            &["lo", "eth0 veth - out", "eth1 macvlan - out", "docker0 bridge", "veth1 veth 4 out"],
            &["eth0", "eth1"],
        );
        check(&["lo", "br0 bridge", "a veth 2 out", "b veth 2 out"], &["br0"]);
        check(&["lo", "a veth - 3", "b veth - 2"], &["a"]);
        check(&["lo", "tap0 tun"], &["tap0"]);
    }

    #[test]
    fn what_is_down_or_unreadable_counts_for_nothing() {
        check(&["lo", "eth0!", "can0"], &["lo"]);
        check(&["lo!", "eth0!"], &[]);
        check(&["lo", "eth0~", "tun0 tun"], &["tun0"]);
        check(&["lo!", "eth0~"], &["eth0"]);
        check(&["lo", "eth0~", "wlan0"], &["eth0", "wlan0"]);
        check(&["lo", "eth0 - 3", "bond0! bond"], &["eth0"]);
    }

    #[test]
    fn each_reason_names_the_other_interface() {
        let links = links(&["lo", "eth0", "docker0 bridge", "eth0.7 vlan - 2", "eth9!", "can0", "veth1 veth 3 out"]);
        let reasons: Vec<String> = by_default(&links).into_iter().flatten().map(|r| r.to_string()).collect();
        assert_eq!(
            reasons,
            [
                "loopback is captured only when nothing else is up",
                "what leaves the machine through it passes eth0 too",
                "its packets pass eth0 too",
                "it is down",
                "its frames cannot be read",
                "it is a port of docker0"
            ]
        );
    }
}
