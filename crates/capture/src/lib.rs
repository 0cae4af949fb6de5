//! Frames from an AF_PACKET ring or a capture file to flow records, rates and talkers.

pub mod frame;
