//! A conversation in lines, as mail servers hold it, before and after TLS.
//!
//! Limits: a line has at most [`MAX_LINE`] octets, a conversation at most [`MAX_LINES`] lines; more is an error.

use netwatch_model::probe::{Failure, FailureReason};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Deadline;
use crate::socket::failure_of;

/// The longest line, octets: sixteen times what SMTP allows (RFC 5321, 4.5.3.1.5), for the capabilities of IMAP stand in one.
pub(crate) const MAX_LINE: usize = 8192;
/// The most lines of a conversation.
pub(crate) const MAX_LINES: usize = 256;

/// One end of a conversation in lines.
#[derive(Debug)]
pub(crate) struct Lines<S> {
    stream: S,
    pending: Vec<u8>,
    read: usize,
    deadline: Deadline,
    /// With whom, for messages.
    peer: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lines<S> {
    /// Begins a conversation with `peer`.
    pub(crate) fn new(stream: S, deadline: Deadline, peer: &str) -> Self {
        Self { stream, pending: Vec::new(), read: 0, deadline, peer: peer.to_owned() }
    }

    /// The next line, without its end; what is not UTF-8 in it becomes U+FFFD.
    pub(crate) async fn line(&mut self) -> Result<String, Failure> {
        loop {
            if let Some(end) = self.pending.iter().position(|octet| *octet == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=end).collect();
                line.pop();
                line.pop_if(|octet| *octet == b'\r');
                self.read += 1;
                return if self.read > MAX_LINES {
                    Err(self.malformed("more lines than any server has to say"))
                } else {
                    Ok(text(&line))
                };
            }
            if self.pending.len() > MAX_LINE {
                return Err(self.malformed("a line that does not end"));
            }
            self.fill().await?;
        }
    }

    /// Sends one line.
    pub(crate) async fn send(&mut self, line: &str) -> Result<(), Failure> {
        let what = format!("sending to {}", self.peer);
        let octets = format!("{line}\r\n");
        let sent = async {
            self.stream.write_all(octets.as_bytes()).await?;
            self.stream.flush().await
        };
        self.deadline.within(&what, sent).await?.map_err(|error| failure_of(&error, &what))
    }

    /// The stream, to go on with TLS. What the peer has sent already would be taken for words under TLS: it is an error (RFC 3207, 4.2).
    pub(crate) fn into_stream(self) -> Result<S, Failure> {
        if self.pending.is_empty() { Ok(self.stream) } else { Err(self.malformed("more than its consent before TLS")) }
    }

    /// That the peer does not speak as its protocol wants.
    pub(crate) fn malformed(&self, what: &str) -> Failure {
        Failure::new(FailureReason::Malformed, &format!("{} sent {what}", self.peer))
    }

    /// That the peer said something else than it should.
    pub(crate) fn unexpected(&self, to: &str, line: &str) -> Failure {
        let line: String = line.chars().take(200).collect();
        Failure::new(FailureReason::Unexpected, &format!("{} answered {to} with `{line}`", self.peer))
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        let what = format!("the answer of {}", self.peer);
        let mut room = [0_u8; 2048];
        let got = self.deadline.within(&what, self.stream.read(&mut room)).await?;
        match got.map_err(|error| failure_of(&error, &what))? {
            0 => Err(Failure::new(FailureReason::Reset, &format!("{} closed the connection", self.peer))),
            n => {
                self.pending.extend_from_slice(room.get(..n).unwrap_or_default());
                Ok(())
            }
        }
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
