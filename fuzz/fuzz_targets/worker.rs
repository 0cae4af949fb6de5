//! Frames through the whole core: each stands behind four octets that choose link, offload, time step and length on the wire.
#![no_main]

use std::sync::Arc;

use netwatch_capture::config::{Budget, FlowConfig};
use netwatch_capture::frame::{Frame, InterfaceIndex, LinkType};
use netwatch_capture::worker::{Worker, shared::Shared};
use netwatch_model::{Direction, Record, Timestamp, Untrusted};
use netwatch_wire::dns::tcp_message as behind_length;

const LINKS: [LinkType; 5] =
    [LinkType::Ethernet, LinkType::Ip, LinkType::LinuxSll, LinkType::LinuxSll2, LinkType::Null];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let config = FlowConfig { capacity: 32, budget: Budget::EVERYTHING, ..FlowConfig::default() };
    let mut worker = Worker::new(0, 1, config, Arc::new(Shared::new(Arc::default())), [1, 2, 3, 4]);
    worker.interface(InterfaceIndex(0), &Untrusted::new("fuzz"));
    let (mut rest, mut out, mut nanos) = (bytes, Vec::new(), 1_700_000_000_000_000_000_i64);
    while let Some(chunk) = behind_length(rest) {
        rest = rest.get(2 + chunk.len()..).unwrap_or_default();
        let Some(([link, segment, step, more], data)) = chunk.split_first_chunk::<4>() else { continue };
        nanos += i64::from(*step) * 1_000_000_000;
        let frame = Frame {
            time: Timestamp::from_nanos(nanos),
            data,
            wire_length: u32::try_from(data.len()).unwrap_or(0) + u32::from(*more),
            tag: None,
            segment_size: u16::from(*segment) * 100,
            direction: if link & 128 == 0 { Direction::In } else { Direction::Out },
            interface: InterfaceIndex(0),
            link: LINKS[usize::from(link % 5)],
        };
        worker.replay(&[frame], &mut out);
    }
    worker.finish(&mut out);
    assert_eq!(worker.active(), 0);
    for record in &out {
        if let Record::Flow(flow) = record {
            assert!(flow.end_reason.is_some() && flow.conversations >= 1);
        }
    }
});
