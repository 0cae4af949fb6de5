//! Why a server does not start.

use std::io;
use std::net::SocketAddr;

/// The server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Somebody else listens there.
    #[error(
        "{address} is in use: is Netwatch running already? Stop the other program, or choose another address with --listen"
    )]
    InUse {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: choose another address with --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The OpenAPI document cannot be written.
    #[error("cannot write the OpenAPI document")]
    Document(#[source] serde_json::Error),
    /// No requests can be made to identity providers.
    #[error("cannot make requests to identity providers")]
    Outgoing(#[source] Box<dyn std::error::Error + Send + Sync>),
}
