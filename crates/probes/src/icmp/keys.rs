//! What keeps flows apart: identifiers of ICMP and source ports of UDP and TCP.
//!
//! A router that spreads packets over several paths chooses by these (and by the checksum of ICMP). The same flow has the same key in every
//! run and after a restart, so that a route that is seen to change has changed.

use netwatch_model::probe::kind::mtr::MAX_PATHS;

/// The identifiers of ICMP flows: 16 of them, by the lowest four bits.
pub(super) const TRACE_IDENTIFIERS: u16 = 0x4e10;
/// What of an identifier makes it one of them.
pub(super) const TRACE_MASK: u16 = 0xfff0;
/// The source port of the first flow of UDP and TCP; the next ones follow. Below the range of ports that Linux gives away.
const PORTS: u16 = 27_008;

const _: () = assert!(MAX_PATHS <= 16, "a flow has a place in the lowest four bits");

/// The identifier of a flow of ICMP.
pub(super) const fn identifier(flow: u8) -> u16 {
    TRACE_IDENTIFIERS | (flow as u16 & !TRACE_MASK)
}

/// The checksum that all packets of a flow of ICMP have where the identifier is the wanted one.
pub(super) const fn checksum(flow: u8) -> u16 {
    identifier(flow)
}

/// The source port that a flow of UDP or TCP has when nobody else has it.
pub(super) const fn port(flow: u8) -> u16 {
    PORTS | (flow as u16 & !TRACE_MASK)
}
