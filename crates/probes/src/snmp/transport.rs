//! Datagrams of SNMP over a socket that the probe has bound.

use std::io;
use std::net::SocketAddr;

use async_snmp::{Candidate, Error, RequestRegistration, ResponseIdentity, Result, Transport};
use bytes::Bytes;
use tokio::net::UdpSocket;

/// The longest message that is read, octets.
const MAX_MESSAGE: usize = 65_507;

/// One agent over a connected socket: what others send does not arrive.
#[derive(Debug)]
pub(super) struct Datagrams {
    socket: UdpSocket,
    peer: SocketAddr,
    local: SocketAddr,
}

impl Datagrams {
    /// Over a socket that is connected to `peer`.
    pub(super) fn new(socket: UdpSocket, peer: SocketAddr) -> io::Result<Self> {
        let local = socket.local_addr()?;
        Ok(Self { socket, peer, local })
    }

    fn network(&self, source: io::Error) -> Box<Error> {
        Box::new(Error::Network { target: self.peer, source })
    }
}

impl Transport for Datagrams {
    async fn send(&self, data: &[u8]) -> Result<()> {
        self.socket.send(data).await.map(|_| ()).map_err(|error| self.network(error))
    }

    async fn request_with<T, F>(&self, data: &[u8], registration: RequestRegistration, mut validate: F) -> Result<T>
    where
        T: Send,
        F: FnMut(Bytes, SocketAddr) -> Result<Candidate<T>> + Send,
    {
        let exchange = async {
            self.send(data).await?;
            let mut room = vec![0_u8; MAX_MESSAGE];
            loop {
                let got = self.socket.recv(&mut room).await.map_err(|error| self.network(error))?;
                let message = Bytes::copy_from_slice(room.get(..got).unwrap_or_default());
                if registration.evaluate_response_identity(&message, true) == ResponseIdentity::Reject {
                    continue;
                }
                if let Candidate::Accept(answer) = validate(message, self.peer)? {
                    return Ok(answer);
                }
            }
        };
        let late = || Box::new(Error::Timeout { target: self.peer, elapsed: std::time::Duration::ZERO, retries: 0 });
        tokio::time::timeout_at(registration.deadline(), exchange).await.map_err(|_| late())?
    }

    fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn is_reliable(&self) -> bool {
        false
    }
}
