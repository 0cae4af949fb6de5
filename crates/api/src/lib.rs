//! The contract between the server and everything that talks to it.
//!
//! Request and response types of REST (`/api/v1`), the messages of the WebSocket stream, the gRPC of agents, and the problem codes. The OpenAPI document
//! is generated from the handlers that use these types, checked in at `crates/api/openapi.json`, and the web client's types are
//! generated from that. Names are those of the flow record (`source`, `destination`, `octets`, `reverse_octets`…), the same in REST,
//! stream, command line and files.
//!
//! Units: octets and packets are whole numbers; rates are computed by the reader from octets and `step`; times are RFC 3339 in UTC
//! with nanoseconds; durations are seconds as a number.

pub mod account;
pub mod agent;
pub mod audit;
pub mod backup;
pub mod control;
pub mod declare;
pub mod event;
pub mod filter;
pub mod flow;
pub mod history;
pub mod host;
pub mod ingest;
pub mod interface;
pub mod maintenance;
pub mod member;
pub mod page;
pub mod passkey;
pub mod probe;
pub mod problem;
pub mod range;
pub mod role;
pub mod session;
pub mod sign_in;
pub mod statistics;
pub mod stream;
pub mod token;
pub mod traffic;
pub mod uptime;
pub mod user;
pub mod view;
pub mod workspace;

pub use problem::{Problem, ProblemCode};
