//! Active measurement: one run of one probe, from what to measure ([`ProbeSpec`]) to what came out ([`ProbeResult`]).
//!
//! Why: capture sees what others send; a probe asks the network itself, at times and with packets that it chooses, so that loss and
//! delay mean what the standards say. What: [`run()`] resolves the target once, has every address judged by the policy, and measures. The
//! logic of each kind (what to send when, what an answer means) takes `now` and bytes and is tested without a network; sockets stand
//! around it.
//!
//! Limits: a run ends at its timeout and `count`, whatever the target does; answers are read up to a limit. Nothing here decides when a
//! probe is run, keeps a result, or knows the server.

mod agent;
mod banner;
mod connect;
mod dns;
pub mod host;
mod http;
#[cfg_attr(not(target_os = "linux"), path = "icmp/elsewhere.rs")]
mod icmp;
mod ntp;
mod ping;
pub mod reflector;
pub mod resolve;
mod run;
mod simulation;
mod snmp;
pub mod socket;
mod tcp;
pub mod throughput;
mod tls;
pub mod tools;
mod trace;
mod udp;

pub use agent::Peers;
pub use host::Host;
pub use icmp::{Hub, HubCounts};
pub use run::{Occasion, run};
pub use tools::{OwnRights, Rights, Tools};
pub use trace::TraceMemory;

pub use netwatch_model::probe::{ProbeResult, ProbeSpec};
pub use socket2::Socket;
