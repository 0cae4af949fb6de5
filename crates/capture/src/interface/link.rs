//! Links as the kernel describes them: `RTM_NEWLINK` and `RTM_DELLINK` of rtnetlink (RFC 3549), read with checked code.
//!
//! Only what capture needs is kept. Unknown attributes and messages are passed over; a message that is cut short ends the reading.

use netwatch_model::Untrusted;

use crate::frame::LinkType;

/// A network interface at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The kernel's index, never used twice at a time.
    pub index: u32,
    /// Its name now.
    pub name: Untrusted,
    /// Whether it is administratively up (`IFF_UP`): frames can be captured.
    pub up: bool,
    /// Whether it can carry frames (`IFF_RUNNING`): it is up and has a carrier.
    pub running: bool,
    /// Whether every packet passes twice (`IFF_LOOPBACK`).
    pub loopback: bool,
    /// Largest packet, in octets of layer 3.
    pub mtu: u32,
    /// Station address, when it is one of Ethernet's size.
    pub station: Option<[u8; 6]>,
    /// How its frames begin; absent when Netwatch cannot read that kind of link.
    pub link: Option<LinkType>,
    /// The kernel's number for the kind of link (`ARPHRD_…`).
    pub hardware: u16,
    /// What it is made of.
    pub made_of: MadeOf,
}

/// How a link stands to others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MadeOf {
    /// The driver's name for a virtual link (`bridge`, `vlan`, `veth`, …); absent for a device.
    pub kind: Option<Untrusted>,
    /// The link of which it is a port: a bridge, a bond.
    pub master: Option<u32>,
    /// The link below, or the other end of a pair, in this network namespace.
    pub below: Option<u32>,
    /// Whether the link below, or the other end of a pair, is in another network namespace.
    pub leads_out: bool,
}

/// `ARPHRD_RAWIP` of `linux/if_arp.h`: mobile modems.
const ARPHRD_RAWIP: u16 = 519;

/// What a netlink message tells about links.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// A link is there, new or changed.
    Present(Link),
    /// The link of that index is gone.
    Gone(u32),
    /// The answer to a dump is complete.
    Done,
    /// The kernel refuses the request: an `errno`.
    Refused(i32),
}

/// The request for all links, with the sequence number `sequence`.
#[must_use]
pub fn dump_request(sequence: u32) -> [u8; 32] {
    let mut request = [0; 32];
    request[0..4].copy_from_slice(&32_u32.to_ne_bytes());
    request[4..6].copy_from_slice(&libc::RTM_GETLINK.to_ne_bytes());
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    request[6..8].copy_from_slice(&flags.to_ne_bytes());
    request[8..12].copy_from_slice(&sequence.to_ne_bytes());
    request
}

/// The messages of one datagram.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = Message> + '_ {
    parts::<16>(datagram, |head| u32::from_ne_bytes([head[0], head[1], head[2], head[3]]) as usize)
        .filter_map(|(head, body)| message(u16::from_ne_bytes([head[4], head[5]]), body))
}

fn message(kind: u16, body: &[u8]) -> Option<Message> {
    match kind {
        libc::RTM_NEWLINK => link(body).map(Message::Present),
        // A bridge tells in the same words that a port has left it (`AF_BRIDGE`): the port itself lives on.
        libc::RTM_DELLINK if *body.first()? == libc::AF_UNSPEC as u8 => {
            link(body).map(|link| Message::Gone(link.index))
        }
        kind if i32::from(kind) == libc::NLMSG_DONE => Some(Message::Done),
        kind if i32::from(kind) == libc::NLMSG_ERROR => {
            let code = i32::from_ne_bytes(*body.first_chunk()?);
            (code != 0).then_some(Message::Refused(-code))
        }
        _ => None,
    }
}

/// `struct ifinfomsg` and its attributes; nothing for other address families, whose messages tell only a part.
fn link(body: &[u8]) -> Option<Link> {
    let head = body.first_chunk::<16>()?;
    if i32::from(head[0]) != libc::AF_UNSPEC {
        return None;
    }
    let hardware = u16::from_ne_bytes([head[2], head[3]]);
    let flags = u32::from_ne_bytes([head[8], head[9], head[10], head[11]]);
    let has = |flag: libc::c_int| flags & flag as u32 != 0;
    let mut link = Link {
        index: u32::from_ne_bytes([head[4], head[5], head[6], head[7]]),
        name: Untrusted::new(""),
        up: has(libc::IFF_UP),
        running: has(libc::IFF_RUNNING),
        loopback: has(libc::IFF_LOOPBACK),
        mtu: 0,
        station: None,
        link: link_type(hardware),
        hardware,
        made_of: MadeOf::default(),
    };
    for (kind, value) in attributes(&body[16..]) {
        let number = || value.first_chunk().map(|n| u32::from_ne_bytes(*n));
        match kind {
            libc::IFLA_IFNAME => link.name = name(value),
            libc::IFLA_MTU => link.mtu = number().unwrap_or(0),
            libc::IFLA_ADDRESS => link.station = value.try_into().ok(),
            libc::IFLA_MASTER => link.made_of.master = number(),
            libc::IFLA_LINK => link.made_of.below = number(),
            libc::IFLA_LINK_NETNSID => link.made_of.leads_out = true,
            libc::IFLA_LINKINFO => {
                let mut info = attributes(value);
                link.made_of.kind = info.find(|(kind, _)| *kind == libc::IFLA_INFO_KIND).map(|(_, kind)| name(kind));
            }
            _ => {}
        }
    }
    // An index of another namespace means another link here; a link that names itself has nothing below.
    let index = link.index;
    link.made_of.below = link.made_of.below.filter(|below| !link.made_of.leads_out && ![0, index].contains(below));
    Some(link)
}

/// The attributes of a message, or of an attribute that has some, with their kinds.
fn attributes(octets: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    /// The upper two bits tell of nesting and of byte order.
    const KIND: u16 = 0x3fff;
    let parts = parts::<4>(octets, |head| usize::from(u16::from_ne_bytes([head[0], head[1]])));
    parts.map(|(head, value)| (u16::from_ne_bytes([head[2], head[3]]) & KIND, value))
}

/// A text that ends with a zero.
fn name(value: &[u8]) -> Untrusted {
    Untrusted::from_bytes(value.strip_suffix(&[0]).unwrap_or(value))
}

/// How the frames of a kind of link begin on a raw packet socket.
fn link_type(hardware: u16) -> Option<LinkType> {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(LinkType::Ethernet),
        libc::ARPHRD_NONE | ARPHRD_RAWIP | libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 | libc::ARPHRD_SIT => {
            Some(LinkType::Ip)
        }
        _ => None,
    }
}

/// Cuts netlink's nested "length, header, value, padding to four" into headers and values. `length` reads a header's length,
/// which counts the header itself. Ends at the first part that does not fit.
fn parts<const HEAD: usize>(
    octets: &[u8],
    length: impl Fn(&[u8; HEAD]) -> usize,
) -> impl Iterator<Item = (&[u8; HEAD], &[u8])> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let head = rest.first_chunk::<HEAD>()?;
        let length = length(head);
        let value = rest.get(HEAD..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((head, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A link message of `kind` as the kernel sends it.
    fn datagram(kind: u16, family: u8, index: u32, flags: i32, name: &[u8]) -> Vec<u8> {
        let mut body = vec![0; 16];
        body[0] = family;
        body[2..4].copy_from_slice(&libc::ARPHRD_ETHER.to_ne_bytes());
        body[4..8].copy_from_slice(&index.to_ne_bytes());
        body[8..12].copy_from_slice(&flags.to_ne_bytes());
        attribute(&mut body, libc::IFLA_IFNAME, name);
        attribute(&mut body, libc::IFLA_MTU, &1400_u32.to_ne_bytes());
        attribute(&mut body, libc::IFLA_ADDRESS, &[2, 0, 0, 0, 0, 1]);
        let mut message = vec![0; 16];
        message[0..4].copy_from_slice(&u32::try_from(16 + body.len()).unwrap().to_ne_bytes());
        message[4..6].copy_from_slice(&kind.to_ne_bytes());
        message.extend(body);
        message
    }

    fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
        body.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
    }

    #[test]
    fn reads_a_link() {
        let flags = libc::IFF_UP | libc::IFF_RUNNING;
        let octets = datagram(libc::RTM_NEWLINK, 0, 7, flags, b"$(reboot)\0");
        let Some(Message::Present(link)) = messages(&octets).next() else { panic!("a link") };
        assert_eq!((link.index, link.name.raw(), link.mtu), (7, "$(reboot)", 1400));
        assert!(link.up && link.running && !link.loopback);
        assert_eq!((link.station, link.link), (Some([2, 0, 0, 0, 0, 1]), Some(LinkType::Ethernet)));
        assert_eq!(link.made_of, MadeOf::default());
    }

    #[test]
    fn reads_what_a_link_is_made_of() {
        let mut info = Vec::new();
        attribute(&mut info, libc::IFLA_INFO_KIND, b"veth\0");
        let made_of = |parts: &[(u16, &[u8])]| {
            let mut octets = datagram(libc::RTM_NEWLINK, 0, 7, 0, b"a\0");
            for (kind, value) in parts {
                attribute(&mut octets, *kind, value);
            }
            let length = u32::try_from(octets.len()).unwrap();
            octets[..4].copy_from_slice(&length.to_ne_bytes());
            let Some(Message::Present(link)) = messages(&octets).next() else { panic!("a link") };
            link.made_of
        };
        let (info, nine, itself) =
            ((libc::IFLA_LINKINFO | 0x8000, &info[..]), 9_u32.to_ne_bytes(), 7_u32.to_ne_bytes());
        let (master, below) = ((libc::IFLA_MASTER, &nine[..]), (libc::IFLA_LINK, &nine[..]));
        let kind = Some("veth".into());
        let port = MadeOf { kind: kind.clone(), master: Some(9), below: Some(9), leads_out: false };
        assert_eq!(made_of(&[info, master, below]), port);
        let out = MadeOf { kind, leads_out: true, ..MadeOf::default() };
        assert_eq!(made_of(&[info, below, (libc::IFLA_LINK_NETNSID, &[0; 4])]), out);
        assert_eq!(made_of(&[(libc::IFLA_LINK, &itself)]), MadeOf::default());
    }

    #[test]
    fn a_port_that_leaves_its_bridge_is_not_gone() {
        let mut octets = datagram(libc::RTM_DELLINK, libc::AF_BRIDGE as u8, 7, 0, b"eth0\0");
        octets.extend(datagram(libc::RTM_DELLINK, 0, 8, 0, b"eth1\0"));
        assert_eq!(messages(&octets).collect::<Vec<_>>(), [Message::Gone(8)]);
    }

    proptest! {
        #[test]
        fn never_panics(mut octets in proptest::collection::vec(any::<u8>(), 0..200), kind in 16_u16..18, length in 0_u32..220) {
            if octets.len() >= 16 {
                octets[0..4].copy_from_slice(&length.to_ne_bytes());
                octets[4..6].copy_from_slice(&kind.to_ne_bytes());
            }
            let _ = messages(&octets).count();
        }

        #[test]
        fn cut_short_tells_nothing_or_the_whole(cut in 0_usize..100) {
            let octets = datagram(libc::RTM_NEWLINK, 0, 7, 0, b"eth0\0");
            let whole: Vec<_> = messages(&octets).collect();
            let part: Vec<_> = messages(&octets[..cut.min(octets.len())]).collect();
            prop_assert!(part.is_empty() || part == whole);
        }
    }
}
