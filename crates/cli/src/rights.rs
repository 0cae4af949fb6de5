//! Sockets that need a right, from the broker that kept it.

use std::io;

use netwatch_privilege::broker::{BrokerError, BrokerHandle};
use netwatch_probes::{OwnRights, Rights, Socket};

/// Sockets of this process where they need no right, and of the broker where they do.
#[derive(Debug)]
pub struct Brokered(pub BrokerHandle);

impl Rights for Brokered {
    fn icmp(&self, v6: bool) -> io::Result<Socket> {
        OwnRights.icmp(v6).or_else(|_| self.raw_icmp(v6))
    }

    fn raw_icmp(&self, v6: bool) -> io::Result<Socket> {
        self.0.open_icmp_socket(v6).map(Socket::from).map_err(refused)
    }

    fn raw_tcp(&self, v6: bool) -> io::Result<Socket> {
        self.0.open_tcp_socket(v6).map(Socket::from).map_err(refused)
    }
}

fn refused(error: BrokerError) -> io::Error {
    let denied = matches!(error, BrokerError::Denied { .. });
    io::Error::new(if denied { io::ErrorKind::PermissionDenied } else { io::ErrorKind::Other }, error)
}
