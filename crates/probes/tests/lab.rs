//! Pings and traces in network namespaces: loss that the kernel makes and counts, routers of a script behind a TUN device.
//!
//! Without the right to make namespaces each test says loudly that it is skipped.

#[path = "lab/network.rs"]
mod network;
#[path = "lab/ping.rs"]
mod ping;
#[path = "lab/simulator.rs"]
mod simulator;
#[path = "lab/trace.rs"]
mod trace;
