//! Flow records as columns.
//!
//! A word of flags for each record tells which of the optional columns have a value for it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::DecodeError;
use super::bytes::{Reader, put, put_slice, zigzag};
use super::runs::{RunReader, RunWriter};
use super::texts::{TextWriter, Texts};
use super::words::Word;
use crate::{
    Counters, EndReason, FlowId, FlowRecord, FlowState, NameSource, Process, Protocol, Record, TcpMetrics, Timestamp,
    Tunnel, TunnelKind, VlanStack,
};

mod tcp;

/// Columns of bytes, at their index + 1 in the batch.
mod column {
    pub(super) const FLAGS: usize = 0;
    pub(super) const ID: usize = 1;
    pub(super) const ADDRESSES: usize = 2;
    pub(super) const PORTS: usize = 3;
    /// Protocol and state.
    pub(super) const WORDS: usize = 4;
    pub(super) const START: usize = 5;
    pub(super) const LENGTH: usize = 6;
    pub(super) const FORWARD: usize = 7;
    pub(super) const REVERSE: usize = 8;
    pub(super) const WAYS: usize = 9;
    pub(super) const ICMP: usize = 10;
    pub(super) const VLAN: usize = 11;
    pub(super) const TUNNEL: usize = 12;
    pub(super) const TCP: usize = 13;
    pub(super) const END: usize = 14;
    pub(super) const NAME: usize = 15;
    pub(super) const CONVERSATIONS: usize = 16;
    /// Each process once.
    pub(super) const PROCESSES: usize = 17;
    pub(super) const PROCESS: usize = 18;
    pub(super) const COUNT: usize = 19;
    /// Columns of runs, by their id in the batch.
    pub(super) const INTERFACE: u64 = 32;
    pub(super) const APPLICATION: u64 = 33;
}

/// Flags.
mod flag {
    pub(super) const SOURCE_V6: u64 = 1;
    pub(super) const DESTINATION_V6: u64 = 1 << 1;
    pub(super) const ICMP: u64 = 1 << 2;
    pub(super) const VLAN: u64 = 1 << 3;
    pub(super) const TUNNEL: u64 = 1 << 4;
    pub(super) const TCP: u64 = 1 << 5;
    pub(super) const END: u64 = 1 << 6;
    pub(super) const NAME: u64 = 1 << 7;
    pub(super) const PROCESS: u64 = 1 << 8;
    pub(super) const CONVERSATIONS: u64 = 1 << 9;
}

/// Flow records that are being written.
#[derive(Debug, Default)]
pub(super) struct FlowWriter {
    count: u64,
    columns: [Vec<u8>; column::COUNT],
    interface: RunWriter,
    application: RunWriter,
    start: i64,
    processes: Vec<Arc<Process>>,
}

impl FlowWriter {
    pub(super) fn push(&mut self, r: &FlowRecord, texts: &mut TextWriter) {
        self.count += 1;
        self.interface.push(texts.number(r.interface.shared()).into());
        self.application.push(texts.number(&r.application).into());
        let columns = &mut self.columns;
        columns[column::ID].extend_from_slice(&r.id.bits().to_le_bytes());
        put_address(&mut columns[column::ADDRESSES], r.source);
        put_address(&mut columns[column::ADDRESSES], r.destination);
        columns[column::PORTS].extend_from_slice(&r.source_port.to_le_bytes());
        columns[column::PORTS].extend_from_slice(&r.destination_port.to_le_bytes());
        columns[column::WORDS].extend([r.protocol.0, r.state.code()]);
        put(&mut columns[column::START], zigzag(r.start.nanos().wrapping_sub(self.start)));
        put(&mut columns[column::LENGTH], zigzag(r.end.nanos().wrapping_sub(r.start.nanos())));
        self.start = r.start.nanos();
        put_counters(&mut columns[column::FORWARD], r.forward);
        put_counters(&mut columns[column::REVERSE], r.reverse);
        r.interface_octets.iter().for_each(|octets| put(&mut columns[column::WAYS], *octets));
        let flags = self.push_optional(r, texts);
        put(&mut self.columns[column::FLAGS], flags);
    }

    /// What not every record has; tells what this one has.
    fn push_optional(&mut self, r: &FlowRecord, texts: &mut TextWriter) -> u64 {
        let mut flags = flag_if(r.source.is_ipv6(), flag::SOURCE_V6);
        flags |= flag_if(r.destination.is_ipv6(), flag::DESTINATION_V6);
        let columns = &mut self.columns;
        if r.icmp_id != 0 {
            flags |= flag::ICMP;
            put(&mut columns[column::ICMP], r.icmp_id.into());
        }
        if !r.vlan.is_empty() {
            flags |= flag::VLAN;
            put(&mut columns[column::VLAN], r.vlan.as_slice().len() as u64);
            r.vlan.as_slice().iter().for_each(|id| put(&mut columns[column::VLAN], (*id).into()));
        }
        if let Some(tunnel) = r.tunnel {
            flags |= flag::TUNNEL;
            columns[column::TUNNEL].push(tunnel.kind.code());
            put(&mut columns[column::TUNNEL], tunnel.id.into());
        }
        if let Some(tcp) = &r.tcp {
            flags |= flag::TCP;
            tcp::put_metrics(&mut columns[column::TCP], tcp);
        }
        if let Some(reason) = r.end_reason {
            flags |= flag::END;
            columns[column::END].push(reason.code());
        }
        if let Some((name, source)) = &r.name {
            flags |= flag::NAME;
            put(&mut columns[column::NAME], texts.number(name.shared()).into());
            columns[column::NAME].push(source.code());
        }
        if r.conversations != 1 {
            flags |= flag::CONVERSATIONS;
            put(&mut columns[column::CONVERSATIONS], r.conversations);
        }
        if let Some(process) = &r.process {
            flags |= flag::PROCESS;
            let number = self.process(process, texts);
            put(&mut self.columns[column::PROCESS], number as u64);
        }
        flags
    }

    /// The number of a process. Looked for among the newest only: equal ones may be written twice.
    fn process(&mut self, process: &Arc<Process>, texts: &mut TextWriter) -> usize {
        const NEWEST: usize = 32;
        let from = self.processes.len().saturating_sub(NEWEST);
        let newest = self.processes.get(from..).unwrap_or_default();
        if let Some(at) = newest.iter().rposition(|known| Arc::ptr_eq(known, process)) {
            return from + at;
        }
        self.processes.push(Arc::clone(process));
        let out = &mut self.columns[column::PROCESSES];
        put(out, process.pid.into());
        put(out, texts.number(process.name.shared()).into());
        put(out, texts.number(process.user.shared()).into());
        let container = process.container.as_ref();
        put(out, container.map_or(0, |container| u64::from(texts.number(container.shared())) + 1));
        self.processes.len() - 1
    }

    /// The body of the part; then it begins anew. False when there is none.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> bool {
        if self.count == 0 {
            return false;
        }
        put(out, self.count);
        let mut write = |id, bytes: &[u8]| {
            put(out, id);
            put_slice(out, bytes);
        };
        for (id, bytes) in (1..).zip(&mut self.columns) {
            if !bytes.is_empty() {
                write(id, bytes);
                bytes.clear();
            }
        }
        self.interface.finish(|bytes| write(column::INTERFACE, bytes));
        self.application.finish(|bytes| write(column::APPLICATION, bytes));
        self.processes.clear();
        (self.count, self.start) = (0, 0);
        true
    }
}

/// Flow records that are being read.
#[derive(Debug, Default)]
pub(super) struct FlowReader<'a> {
    left: u64,
    columns: [Reader<'a>; column::COUNT],
    interface: RunReader<'a>,
    application: RunReader<'a>,
    start: i64,
    processes: Vec<Arc<Process>>,
}

impl<'a> FlowReader<'a> {
    pub(super) fn new(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut body = Reader::new(body);
        let mut made = Self { left: body.varint()?, ..Self::default() };
        while !body.is_empty() {
            let id = body.varint()?;
            let bytes = body.slice()?;
            match id {
                column::INTERFACE => made.interface = RunReader::new(bytes),
                column::APPLICATION => made.application = RunReader::new(bytes),
                _ => {
                    let at = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
                    if let Some(column) = at.and_then(|at| made.columns.get_mut(at)) {
                        *column = Reader::new(bytes);
                    }
                }
            }
        }
        Ok(made)
    }

    /// The next record; none in the place of one with an unknown word.
    pub(super) fn next(&mut self, texts: &mut Texts<'_>) -> Result<Option<Record>, DecodeError> {
        self.left = self.left.checked_sub(1).ok_or(DecodeError::Damaged("more flows in the order than there are"))?;
        let flags = self.columns[column::FLAGS].varint()?;
        let interface = texts.untrusted(self.interface.index()?)?;
        let application = texts.plain(self.application.index()?)?;
        let columns = &mut self.columns;
        let id = FlowId::from_bits(columns[column::ID].word()?);
        let source = address(&mut columns[column::ADDRESSES], flags & flag::SOURCE_V6 != 0)?;
        let destination = address(&mut columns[column::ADDRESSES], flags & flag::DESTINATION_V6 != 0)?;
        let source_port = u16::from_le_bytes(columns[column::PORTS].array()?);
        let destination_port = u16::from_le_bytes(columns[column::PORTS].array()?);
        let [protocol, state] = columns[column::WORDS].array()?;
        self.start = self.start.wrapping_add(columns[column::START].signed()?);
        let end = self.start.wrapping_add(columns[column::LENGTH].signed()?);
        let forward = counters(&mut columns[column::FORWARD])?;
        let reverse = counters(&mut columns[column::REVERSE])?;
        let interface_octets = [columns[column::WAYS].varint()?, columns[column::WAYS].varint()?];
        let optional = self.optional(flags, texts)?;
        let (Some(state), Some(o)) = (FlowState::of(state), optional) else { return Ok(None) };
        Ok(Some(Record::Flow(Box::new(FlowRecord {
            id,
            interface,
            source,
            destination,
            source_port,
            destination_port,
            protocol: Protocol(protocol),
            icmp_id: o.icmp_id,
            vlan: o.vlan,
            tunnel: o.tunnel,
            start: Timestamp::from_nanos(self.start),
            end: Timestamp::from_nanos(end),
            forward,
            reverse,
            interface_octets,
            state,
            tcp: o.tcp,
            end_reason: o.end_reason,
            application,
            name: o.name,
            process: o.process,
            conversations: o.conversations,
        }))))
    }

    /// What not every record has. All of it is read before any unknown word makes it none.
    fn optional(&mut self, flags: u64, texts: &mut Texts<'_>) -> Result<Option<Optional>, DecodeError> {
        let has = |flag| flags & flag != 0;
        let mut o = Optional { conversations: 1, ..Optional::default() };
        let mut is_known = true;
        let columns = &mut self.columns;
        if has(flag::ICMP) {
            let id = u16::try_from(columns[column::ICMP].varint()?);
            o.icmp_id = id.map_err(|_| DecodeError::Damaged("an ICMP identifier"))?;
        }
        if has(flag::VLAN) {
            o.vlan = vlan(&mut columns[column::VLAN])?;
        }
        if has(flag::TUNNEL) {
            let kind = TunnelKind::of(columns[column::TUNNEL].byte()?);
            let id = columns[column::TUNNEL].small()?;
            o.tunnel = kind.map(|kind| Tunnel { kind, id });
            is_known &= kind.is_some();
        }
        if has(flag::TCP) {
            o.tcp = Some(tcp::metrics(&mut columns[column::TCP])?);
        }
        if has(flag::END) {
            o.end_reason = EndReason::of(columns[column::END].byte()?);
            is_known &= o.end_reason.is_some();
        }
        if has(flag::NAME) {
            let name = texts.untrusted(columns[column::NAME].small()? as usize)?;
            let source = NameSource::of(columns[column::NAME].byte()?);
            o.name = source.map(|source| (name, source));
            is_known &= source.is_some();
        }
        if has(flag::CONVERSATIONS) {
            o.conversations = columns[column::CONVERSATIONS].varint()?;
        }
        if has(flag::PROCESS) {
            let number = columns[column::PROCESS].small()? as usize;
            o.process = Some(self.process(number, texts)?);
        }
        Ok(is_known.then_some(o))
    }

    fn process(&mut self, number: usize, texts: &mut Texts<'_>) -> Result<Arc<Process>, DecodeError> {
        while self.processes.len() <= number {
            let reader = &mut self.columns[column::PROCESSES];
            let pid = reader.small()?;
            let name = texts.untrusted(reader.small()? as usize)?;
            let user = texts.untrusted(reader.small()? as usize)?;
            let container = (reader.small()? as usize).checked_sub(1);
            let container = container.map(|number| texts.untrusted(number)).transpose()?;
            self.processes.push(Arc::new(Process { pid, name, user, container }));
        }
        self.processes.get(number).cloned().ok_or(DecodeError::Damaged("a process that is not there"))
    }
}

/// What not every record has.
#[derive(Debug, Default)]
struct Optional {
    icmp_id: u16,
    vlan: VlanStack,
    tunnel: Option<Tunnel>,
    tcp: Option<TcpMetrics>,
    end_reason: Option<EndReason>,
    name: Option<(crate::Untrusted, NameSource)>,
    process: Option<Arc<Process>>,
    conversations: u64,
}

const fn flag_if(is_set: bool, flag: u64) -> u64 {
    if is_set { flag } else { 0 }
}

fn put_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => out.extend_from_slice(&v4.octets()),
        IpAddr::V6(v6) => out.extend_from_slice(&v6.octets()),
    }
}

fn address(reader: &mut Reader<'_>, is_v6: bool) -> Result<IpAddr, DecodeError> {
    Ok(if is_v6 { IpAddr::from(reader.array::<16>()?) } else { IpAddr::from(reader.array::<4>()?) })
}

/// Layer-2 octets as what they are above the octets.
fn put_counters(out: &mut Vec<u8>, counters: Counters) {
    put(out, counters.packets);
    put(out, counters.octets);
    put(out, zigzag(counters.l2_octets.wrapping_sub(counters.octets).cast_signed()));
}

fn counters(reader: &mut Reader<'_>) -> Result<Counters, DecodeError> {
    let (packets, octets) = (reader.varint()?, reader.varint()?);
    Ok(Counters { packets, octets, l2_octets: octets.wrapping_add(reader.signed()?.cast_unsigned()) })
}

fn vlan(reader: &mut Reader<'_>) -> Result<VlanStack, DecodeError> {
    let mut stack = VlanStack::EMPTY;
    for _ in 0..reader.count()? {
        stack.push(u16::try_from(reader.varint()?).map_err(|_| DecodeError::Damaged("a VLAN identifier"))?);
    }
    Ok(stack)
}

/// Nanoseconds + 1, zero for none; what does not fit into 64 bits is the longest that does.
fn put_time(out: &mut Vec<u8>, time: Option<Duration>) {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).saturating_add(1);
    put(out, time.map_or(0, nanos));
}

fn time(reader: &mut Reader<'_>) -> Result<Option<Duration>, DecodeError> {
    Ok(reader.varint()?.checked_sub(1).map(Duration::from_nanos))
}
