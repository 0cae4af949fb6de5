//! What the server is told.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::limits::Rate;
use crate::oidc::OidcProvider;

/// Settings of the server, resolved and ready to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Address on which it listens; loopback unless told otherwise.
    pub listen: SocketAddr,
    /// Names under which it may be reached, beside loopback and the listen address.
    pub hosts: Vec<String>,
    /// Most connections at once; more are closed and counted.
    pub max_connections: usize,
    /// Most clients of the stream at once; more are answered 503.
    pub max_stream_clients: usize,
    /// Longest time for an answer; after it 503.
    pub request_timeout: Duration,
    /// Queries that may compute at the same time; others wait for their turn.
    pub query_threads: usize,
    /// How browsers reach the server, such as `https://netwatch.example.org`; where identity providers send people back to.
    pub public_url: Option<String>,
    /// Identity providers with which one can sign in.
    pub identity_providers: Vec<OidcProvider>,
    /// How often an address may ask the API; none is no limit.
    pub address_rate: Option<Rate>,
    /// How often a session or token may ask the API; none is no limit.
    pub credential_rate: Option<Rate>,
}

/// Requests in a second for one address, and for one session or token: many times what the web app needs.
const REQUESTS: NonZeroU32 = NonZeroU32::new(200).unwrap();

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8470)),
            hosts: Vec::new(),
            max_connections: 4096 + 512,
            max_stream_clients: 4096,
            request_timeout: Duration::from_secs(15),
            query_threads: 2,
            public_url: None,
            identity_providers: Vec::new(),
            address_rate: Some(Rate::per_second(REQUESTS)),
            credential_rate: Some(Rate::per_second(REQUESTS)),
        }
    }
}
