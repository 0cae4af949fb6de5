//! The words of Netwatch.
//!
//! Every part of the system (collector, session, store, API, web, terminal) speaks with the types of this crate. They are plain
//! values: no I/O, no async, no clock. A [`Record`] is what a collector emits; a [`Batch`] is how records travel.
//!
//! Limits: strings that came from the network are [`Untrusted`], at most [`Untrusted::MAX_BYTES`] bytes long.

pub mod assignment;
pub mod batch;
pub mod codec;
pub mod event;
pub mod filter;
pub mod flow;
pub mod id;
pub mod net;
pub mod people;
pub mod probe;
pub mod sample;
pub mod time;
pub mod untrusted;
pub mod voice;

pub use assignment::{AssignedProbe, Assignment};
pub use batch::{Batch, BatchKey, Record};
pub use event::{Event, EventKind, Severity};
pub use flow::{Counters, EndReason, FlowRecord, FlowState, NameSource, Process, TcpMetrics, Tunnel, TunnelKind};
pub use id::{AgentId, BootId, FlowId, Position};
pub use net::{Direction, Protocol, VlanStack};
pub use sample::{Label, Metric, Sample, Series, Value};
pub use time::Timestamp;
pub use untrusted::Untrusted;
