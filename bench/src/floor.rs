//! The floor: a bare ring reader that only counts. Nothing that looks at packets can cost less.

use std::time::Duration;

use netwatch_capture::frame::{InterfaceIndex, LinkType};
use netwatch_capture::ring::{Fanout, Ring, RingSettings, RingTarget, open_socket};
use netwatch_telemetry::clock::monotonic;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use crate::error::BenchError;
use crate::process::Usage;

/// `netwatch-bench floor`
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Interface to read
    #[arg(long)]
    interface: String,
    /// How long
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

/// What the floor prints, as JSON.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Frames read.
    pub packets: u64,
    /// Octets on the wire.
    pub octets: u64,
    /// Frames dropped by the kernel.
    pub drops: u64,
    /// CPU nanoseconds of the process for each frame read.
    pub cpu_nanoseconds_per_packet: f64,
    /// Largest resident memory, in bytes.
    pub peak_resident_bytes: u64,
}

/// Reads and counts.
pub fn main(arguments: &Arguments) -> Result<String, BenchError> {
    let mut ring = open(&arguments.interface)?;
    let end = monotonic() + Duration::from_secs_f64(arguments.seconds);
    let (mut packets, mut octets) = (0_u64, 0_u64);
    let before = Usage::own()?;
    loop {
        let left = end.saturating_sub(monotonic());
        if left.is_zero() {
            break;
        }
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: i64::from(left.subsec_nanos()) };
        poll(&mut [PollFd::new(&ring, PollFlags::IN)], Some(&timeout))
            .map_err(|e| BenchError::System { what: "wait for frames", source: e.into() })?;
        while let Some(block) = ring.next_block() {
            for frame in block.frames() {
                packets += 1;
                octets += u64::from(frame.wire_length);
            }
        }
    }
    let after = Usage::own()?;
    let cpu = (after.cpu - before.cpu).as_nanos() as f64;
    let report = Report {
        packets,
        octets,
        drops: ring.statistics()?.dropped,
        cpu_nanoseconds_per_packet: cpu / packets.max(1) as f64,
        peak_resident_bytes: after.peak_resident_bytes,
    };
    serde_json::to_string(&report).map_err(|e| BenchError::System { what: "write JSON", source: e.into() })
}

fn open(interface: &str) -> Result<Ring, BenchError> {
    let socket = open_socket()?;
    let ifindex = rustix::net::netdevice::name_to_index(&socket, interface)
        .map_err(|e| BenchError::Interface { interface: interface.to_owned(), source: e.into() })?;
    let loopback = interface == "lo";
    let target = RingTarget { ifindex, interface: InterfaceIndex(0), link: LinkType::Ethernet, loopback };
    Ok(Ring::open(socket, target, Fanout::Alone, &RingSettings::default())?)
}
