//! The control connection of a test: states of one octet, and JSON behind its length.

use std::io;
use std::time::Duration;

use netwatch_model::probe::{Failure, FailureReason};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::protocol::{MAX_JSON, State};
use crate::socket::failure_of;

/// The control connection.
pub(super) struct Control {
    pub(super) stream: TcpStream,
    /// For each step.
    pub(super) timeout: Duration,
}

impl Control {
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let sent = tokio::time::timeout(self.timeout, self.stream.write_all(bytes)).await;
        sent.map_err(|_| late("take what it is told"))?.map_err(|error| broken(&error))
    }

    pub(super) async fn send_json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let json = serde_json::to_vec(value).map_err(|error| Failure::new(FailureReason::Agent, &error.to_string()))?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        self.send(&[&length.to_be_bytes()[..], &json].concat()).await
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        let read = tokio::time::timeout(self.timeout, self.stream.read_exact(buffer)).await;
        read.map_err(|_| late("answer"))?.map(|_| ()).map_err(|error| broken(&error))
    }

    pub(super) async fn read_json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Failure> {
        let mut length = [0; 4];
        self.read(&mut length).await?;
        let length = u32::from_be_bytes(length);
        let malformed = |why: &str| Failure::new(FailureReason::Malformed, &format!("the results of the peer: {why}"));
        if length > MAX_JSON {
            return Err(malformed("they are too long"));
        }
        let mut json = vec![0; usize::try_from(length).unwrap_or(0)];
        self.read(&mut json).await?;
        serde_json::from_slice(&json).map_err(|error| malformed(&error.to_string()))
    }

    /// The next state that the peer says.
    pub(super) async fn state(&mut self) -> Result<State, Failure> {
        let mut octet = [0];
        self.read(&mut octet).await?;
        Ok(State::from_octet(octet[0]))
    }

    pub(super) async fn expect(&mut self, wanted: State) -> Result<(), Failure> {
        let state = self.state().await?;
        if state == wanted { Ok(()) } else { Err(unexpected(state)) }
    }
}

pub(super) fn late(what: &str) -> Failure {
    Failure::new(FailureReason::Timeout, &format!("the peer did not {what} in time"))
}

pub(super) fn broken(error: &io::Error) -> Failure {
    failure_of(error, "the control connection broke; is the peer an iperf3 server?")
}

pub(super) fn unexpected(state: State) -> Failure {
    let message = match state {
        State::AccessDenied => "the peer is busy with another test: try again later".to_owned(),
        State::ServerTerminate => "the peer was stopped".to_owned(),
        State::ServerError => "the peer cannot do this test".to_owned(),
        state => format!("the peer does not keep to the protocol of iperf3: it is in state {state:?}"),
    };
    Failure::new(FailureReason::Unexpected, &message)
}
