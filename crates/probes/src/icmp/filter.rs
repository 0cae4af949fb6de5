//! Programs that keep foreign packets from the hub's sockets, in the kernel (classic BPF).
//!
//! A raw socket receives every ICMP message (or TCP segment) of the host. With a program that looks at the identifier or port, thousands
//! of foreign packets cost no wake-up, no copy and no room. Packets of IPv4 begin with their IP header, those of IPv6 behind it.
//!
//! Limits: errors that quote UDP or TCP pass whatever their ports; they are told apart by who receives them.

use socket2::SockFilter;

use super::keys::{TRACE_IDENTIFIERS, TRACE_MASK};

// The instructions in use (linux/bpf_common.h), by what they do to A and X.
const LOAD_BYTE: u16 = 0x30; // A = packet[k]
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE_AT_X: u16 = 0x50; // A = packet[X + k]
const LOAD_HALF_AT_X: u16 = 0x48;
const X_IS_HEADER: u16 = 0xb1; // X = 4 × (packet[k] & 15)
const X_IS_A: u16 = 0x07;
const AND: u16 = 0x54;
const SHIFT_LEFT: u16 = 0x64;
const ADD_X: u16 = 0x0c;
const JUMP: u16 = 0x05;
const EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

const DROP: SockFilter = op(RETURN, 0);
const ACCEPT: SockFilter = op(RETURN, u32::MAX);

/// For ICMP: answers to this identifier and to those of traces, and errors about such requests.
pub(super) fn echoes(v6: bool, identifier: u16) -> Vec<SockFilter> {
    let (own, mask, traces) = (u32::from(identifier), u32::from(TRACE_MASK), u32::from(TRACE_IDENTIFIERS));
    let compare = [equal(own, 3, 0), op(AND, mask), equal(traces, 1, 0), DROP, ACCEPT];
    // An answer has the identifier itself, an error quotes it behind 8 octets of its own header and the IP header of the request.
    let mut program = if v6 {
        vec![
            op(LOAD_BYTE, 0),
            equal(129, 0, 2),
            op(LOAD_HALF, 4),
            op(JUMP, 3),
            op(LOAD_BYTE, 8 + 6),
            equal(58, 0, 4),
            op(LOAD_HALF, 8 + 40 + 4),
        ]
    } else {
        vec![
            op(X_IS_HEADER, 0),
            op(LOAD_BYTE_AT_X, 0),
            equal(0, 0, 2),
            op(LOAD_HALF_AT_X, 4),
            op(JUMP, 8),
            op(LOAD_BYTE_AT_X, 8 + 9),
            equal(1, 0, 9),
            op(LOAD_BYTE_AT_X, 8),
            op(AND, 15),
            op(SHIFT_LEFT, 2),
            op(ADD_X, 0),
            op(X_IS_A, 0),
            op(LOAD_HALF_AT_X, 8 + 4),
        ]
    };
    program.extend(compare);
    program
}

/// For ICMP: errors about UDP and TCP.
pub(super) fn errors(v6: bool) -> Vec<SockFilter> {
    let mut program = if v6 { vec![op(LOAD_BYTE, 8 + 6)] } else { vec![op(X_IS_HEADER, 0), op(LOAD_BYTE_AT_X, 8 + 9)] };
    program.extend([equal(17, 2, 0), equal(6, 1, 0), DROP, ACCEPT]);
    program
}

/// For TCP: segments to one of `ports`, at most 255.
pub(super) fn ports(v6: bool, ports: &[u16]) -> Vec<SockFilter> {
    let mut program = if v6 { vec![op(LOAD_HALF, 2)] } else { vec![op(X_IS_HEADER, 0), op(LOAD_HALF_AT_X, 2)] };
    for (index, port) in ports.iter().enumerate() {
        program.push(equal(u32::from(*port), u8::try_from(ports.len() - index).unwrap_or(u8::MAX), 0));
    }
    program.extend([DROP, ACCEPT]);
    program
}

const fn op(code: u16, value: u32) -> SockFilter {
    SockFilter::new(code, 0, 0, value)
}

/// Goes on `then` instructions further when A is `value`, `or` further when not.
const fn equal(value: u32, then: u8, or: u8) -> SockFilter {
    SockFilter::new(EQUAL, then, or, value)
}
