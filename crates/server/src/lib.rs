//! Sessions, ingest, the live store, API handlers and the embedded web app.

mod access;
mod agents;
mod app;
mod assets;
pub mod blackbox;
mod body;
mod config;
mod control;
mod csv;
mod document;
mod driver;
mod error;
mod etag;
mod fault;
mod gate;
mod headers;
pub mod history;
mod idempotency;
pub mod ingest;
mod intake;
mod limits;
mod live;
mod metrics;
mod oidc;
mod outgoing;
mod page;
mod params;
pub mod probes;
mod process;
pub mod query;
mod registry;
mod routes;
mod server;
pub mod store;
mod stream;
mod traces;

pub use access::{Access, AccessError, Invited, Secret};
pub use agents::{AgentKeyError, AgentRules, AgentServer, AgentsConfig, AgentsError};
pub use config::Config;
pub use control::{Control, ControlError};
pub use error::ServerError;
pub use intake::{Intake, IntakeError};
pub use limits::Rate;
pub use live::Live;
pub use metrics::ServerMetrics;
pub use netwatch_egress::{Network, Policy};
pub use netwatch_identity::external::RoleRule;
pub use netwatch_identity::registration::Registration;
pub use oidc::OidcProvider;
pub use probes::{ProbePolicy, Prober};
pub use server::{Dependencies, Server, listen};
pub use traces::{HeadersError, TraceExport};

/// The OpenAPI document of all routes as it is checked in: pretty-printed JSON with a line end.
///
/// # Errors
/// When it cannot be written as JSON, which is a defect.
pub fn openapi() -> Result<String, ServerError> {
    let document = routes::all().finish().document;
    Ok(document.to_pretty_json().map_err(ServerError::Document)? + "\n")
}
