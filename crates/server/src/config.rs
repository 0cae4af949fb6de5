//! What the server is told.

use std::net::SocketAddr;
use std::time::Duration;

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
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8470)),
            hosts: Vec::new(),
            max_connections: 4096 + 512,
            max_stream_clients: 4096,
            request_timeout: Duration::from_secs(15),
            query_threads: 2,
        }
    }
}
