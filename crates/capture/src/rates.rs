//! Counters of everything that was seen: by interface, direction, protocol and application.
//!
//! Every frame is counted here exactly once, also what belongs to no flow: the sums equal what the interface carried. Packets inside
//! tunnels are not counted a second time. Counters only grow; a sample is made of those that changed.

use std::sync::Arc;

use hashbrown::HashMap;
use netwatch_model::{Direction, Label, Metric, Protocol, Record, Sample, Series, Timestamp, Untrusted, Value};

use crate::apps::{AppId, AppTable};
use crate::dissect::Undissected;
use crate::frame::InterfaceIndex;

/// Protocol numbers 0 to 255 are those of IP; these follow.
const ARP: usize = 256;
const LLDP: usize = 257;
const NOT_IP: usize = 258;
const DAMAGED: usize = 259;
const PROTOCOLS: usize = 260;
/// Applications counted one by one; [`AppId`]s are below.
const APPLICATIONS: usize = 1024;

/// Packets and octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Count {
    packets: u64,
    octets: u64,
}

/// Counters of one interface.
#[derive(Debug)]
struct Counts {
    name: Untrusted,
    protocols: Box<[[Count; 2]]>,
    applications: Box<[[Count; 2]]>,
}

/// What is counted, to name a series.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Of {
    All,
    Protocol(u16),
    Application(u16),
}

/// A series already announced, and its last value.
#[derive(Debug)]
struct Sent {
    octets: Arc<Series>,
    packets: Arc<Series>,
    last: Count,
}

/// Counters of all interfaces of a worker.
#[derive(Debug, Default)]
pub struct Rates {
    interfaces: Vec<Option<Counts>>,
    sent: HashMap<(u8, u8, Of), Sent>,
    undissected: [u64; Undissected::ALL.len()],
}

impl Rates {
    /// Makes room for an interface; a new name for a known one begins new series.
    pub fn interface(&mut self, index: InterfaceIndex, name: &Untrusted) {
        let at = usize::from(index.0);
        if self.interfaces.len() <= at {
            self.interfaces.resize_with(at + 1, || None);
        }
        let same = self.interfaces[at].as_ref().is_some_and(|c| c.name == *name);
        if !same {
            self.sent.retain(|(i, _, _), _| *i != index.0);
            self.interfaces[at] = Some(Counts {
                name: name.clone(),
                protocols: vec![[Count::default(); 2]; PROTOCOLS].into_boxed_slice(),
                applications: vec![[Count::default(); 2]; APPLICATIONS].into_boxed_slice(),
            });
        }
    }

    /// Counts a packet of a flow.
    #[inline]
    pub fn packet(
        &mut self,
        interface: InterfaceIndex,
        direction: Direction,
        protocol: Protocol,
        application: u16,
        packets: u32,
        octets: u32,
    ) {
        if let Some(Some(counts)) = self.interfaces.get_mut(usize::from(interface.0)) {
            let d = direction.index();
            counts.protocols[usize::from(protocol.0)][d].add(packets, octets);
            counts.applications[usize::from(application) % APPLICATIONS][d].add(packets, octets);
        }
    }

    /// Counts a frame that gave no packet.
    pub fn undissected(&mut self, interface: InterfaceIndex, direction: Direction, why: Undissected, octets: u32) {
        self.undissected[why as usize] += 1;
        if let Some(Some(counts)) = self.interfaces.get_mut(usize::from(interface.0)) {
            let kind = match why {
                Undissected::Arp => ARP,
                Undissected::Lldp => LLDP,
                Undissected::OtherLink => NOT_IP,
                _ => DAMAGED,
            };
            let d = direction.index();
            counts.protocols[kind][d].add(1, octets);
            counts.applications[0][d].add(1, octets);
        }
    }

    /// Takes over what another set has counted, and sets that to zero.
    pub fn absorb(&mut self, other: &mut Self) {
        for (at, theirs) in other.interfaces.iter_mut().enumerate() {
            let (Some(theirs), Ok(index)) = (theirs, u8::try_from(at)) else { continue };
            self.interface(InterfaceIndex(index), &theirs.name);
            let Some(Some(mine)) = self.interfaces.get_mut(at) else { continue };
            take_all(&mut mine.protocols, &mut theirs.protocols);
            take_all(&mut mine.applications, &mut theirs.applications);
        }
        for (mine, theirs) in self.undissected.iter_mut().zip(&mut other.undissected) {
            *mine += std::mem::take(theirs);
        }
    }

    /// Samples of all counters that have changed since the last call.
    pub fn samples(&mut self, now: Timestamp, apps: &AppTable, out: &mut Vec<Record>) {
        for (at, counts) in self.interfaces.iter().enumerate() {
            let (Some(counts), Ok(index)) = (counts, u8::try_from(at)) else { continue };
            for direction in [Direction::In, Direction::Out] {
                let d = direction.index();
                let mut all = Count::default();
                let mut emit = |of: Of, count: Count| {
                    let sent = self
                        .sent
                        .entry((index, direction as u8, of))
                        .or_insert_with(|| Sent::new(&counts.name, direction, &label(of, apps)));
                    sent.emit(count, now, out);
                };
                for (kind, count) in counts.protocols.iter().enumerate() {
                    if count[d].packets > 0 {
                        all.packets += count[d].packets;
                        all.octets += count[d].octets;
                        emit(Of::Protocol(u16::try_from(kind).unwrap_or(0)), count[d]);
                    }
                }
                for (app, count) in counts.applications.iter().enumerate() {
                    if count[d].packets > 0 {
                        emit(Of::Application(u16::try_from(app).unwrap_or(0)), count[d]);
                    }
                }
                emit(Of::All, all);
            }
        }
    }

    /// How often each reason was met.
    pub fn undissected_counts(&self) -> impl Iterator<Item = (Undissected, u64)> + '_ {
        Undissected::ALL.into_iter().map(|why| (why, self.undissected[why as usize]))
    }
}

impl Count {
    #[inline]
    fn add(&mut self, packets: u32, octets: u32) {
        self.packets += u64::from(packets);
        self.octets += u64::from(octets);
    }
}

impl Sent {
    fn new(interface: &Untrusted, direction: Direction, label: &Option<Label>) -> Self {
        let mut labels = vec![Label::Interface(interface.clone()), Label::Direction(direction)];
        labels.extend(label.clone());
        let series = |metric| Arc::new(Series { metric, labels: labels.clone() });
        Self {
            octets: series(Metric::TrafficOctets),
            packets: series(Metric::TrafficPackets),
            last: Count { packets: u64::MAX, octets: u64::MAX },
        }
    }

    fn emit(&mut self, count: Count, time: Timestamp, out: &mut Vec<Record>) {
        // Totals (two labels) are repeated at each tick: they are the sign that the collector lives.
        if count == self.last && self.octets.labels.len() > 2 {
            return;
        }
        self.last = count;
        let mut push = |series: &Arc<Series>, n| {
            out.push(Record::Sample(Sample { series: Arc::clone(series), time, value: Value::Integer(n) }));
        };
        push(&self.octets, count.octets);
        push(&self.packets, count.packets);
    }
}

fn take_all(mine: &mut [[Count; 2]], theirs: &mut [[Count; 2]]) {
    for (m, t) in mine.iter_mut().flatten().zip(theirs.iter_mut().flatten()) {
        m.packets += t.packets;
        m.octets += t.octets;
        *t = Count::default();
    }
}

fn label(of: Of, apps: &AppTable) -> Option<Label> {
    match of {
        Of::All => None,
        Of::Protocol(n) => Some(Label::Protocol(protocol_word(n))),
        Of::Application(n) => Some(Label::Application(apps.name(AppId(n)))),
    }
}

fn protocol_word(n: u16) -> Arc<str> {
    match usize::from(n) {
        ARP => Arc::from("arp"),
        LLDP => Arc::from("lldp"),
        NOT_IP => Arc::from("not_ip"),
        DAMAGED => Arc::from("damaged"),
        _ => Arc::from(Protocol(u8::try_from(n).unwrap_or(0)).to_string()),
    }
}
