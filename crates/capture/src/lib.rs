//! Frames from an AF_PACKET ring or a capture file to flow records, rates and talkers.

pub mod bpf;
pub mod frame;
mod os;
pub mod ring;
