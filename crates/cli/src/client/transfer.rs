//! Files to and from a server, in pieces: what does not fit into memory.
//!
//! An answer that breaks off is an error, whatever its length: a cut file must not pass for a whole one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

use super::{Endpoint, MAX_HEAD, dechunk, parse};
use crate::failure::Failure;

/// Longest wait for the next piece: the server may work on its answer.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longest refusal that is read, bytes.
const MAX_REFUSAL: u64 = 1 << 20;

impl Endpoint {
    /// Writes what the server gives at `path` to `out`.
    ///
    /// # Errors
    /// When nobody answers, the server refuses, or the answer breaks off.
    pub fn download(&self, path: &str, out: &mut impl Write) -> Result<(), Failure> {
        let lost = || format!("the connection to {} broke", self.authority);
        let mut stream = self.connect().with_context(|| self.nobody())?;
        stream.set_read_timeout(Some(PATIENCE)).with_context(lost)?;
        stream.write_all(self.head("GET", path, None).as_bytes()).with_context(lost)?;
        let mut answer = BufReader::new(stream);
        let head = Head::read(&mut answer).with_context(|| self.no_server())?;
        if head.status != 200 {
            return Err(self.refusal(head.status, &head.rest(answer).with_context(lost)?));
        }
        let copied = match (head.is_chunked, head.length) {
            (true, _) => io::copy(&mut Chunks::new(answer), out).map(drop),
            (false, Some(length)) => match io::copy(&mut answer.take(length), out) {
                Ok(copied) if copied < length => Err(io::ErrorKind::UnexpectedEof.into()),
                other => other.map(drop),
            },
            (false, None) => Err(io::Error::other("the answer does not say how long it is")),
        };
        copied.and_then(|()| out.flush()).with_context(|| format!("the answer of {} is not whole", self.authority))?;
        Ok(())
    }

    /// Sends a file and reads the answer.
    ///
    /// # Errors
    /// When nobody answers, or the server refuses.
    pub fn upload<T: DeserializeOwned>(&self, path: &str, kind: &str, file: &mut File) -> Result<T, Failure> {
        let lost = || format!("the connection to {} broke", self.authority);
        let length = file.metadata().context("the file cannot be read")?.len();
        let mut stream = self.connect().with_context(|| self.nobody())?;
        stream.set_read_timeout(Some(PATIENCE)).with_context(lost)?;
        stream.write_all(self.head("POST", path, Some((kind, length))).as_bytes()).with_context(lost)?;
        // A server that refuses may close before it has read everything: its answer says why.
        let sent = io::copy(file, &mut stream);
        let mut answer = Vec::new();
        let read = (&mut stream).take(MAX_REFUSAL).read_to_end(&mut answer);
        if answer.is_empty() {
            sent.and(read.map(|n| n as u64)).with_context(lost)?;
        }
        let (status, body) = parse(&answer).with_context(|| self.no_server())?;
        if status == 200 {
            return Ok(serde_json::from_slice(&body).with_context(|| self.no_server())?);
        }
        Err(self.refusal(status, &body))
    }

    fn head(&self, method: &str, path: &str, body: Option<(&str, u64)>) -> String {
        let Self { authority, token, .. } = self;
        let workspace = self.workspace_header();
        let body = body
            .map_or_else(String::new, |(kind, length)| format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n"));
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n{workspace}{body}\
             User-Agent: netwatch/{}\r\nConnection: close\r\n\r\n",
            crate::version::short()
        )
    }

    fn nobody(&self) -> String {
        format!("no server answers at {}: name the one that is meant with --server", self.authority)
    }

    fn no_server(&self) -> String {
        format!("{} does not answer as a Netwatch server does", self.authority)
    }
}

/// What an answer begins with.
struct Head {
    status: u16,
    is_chunked: bool,
    length: Option<u64>,
}

impl Head {
    fn read(from: &mut impl BufRead) -> anyhow::Result<Self> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if bytes.len() > MAX_HEAD || from.take(MAX_HEAD as u64).read_until(b'\n', &mut bytes)? == 0 {
                bail!("the answer has no head");
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(&bytes)?;
        let header = |name: &str| response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value);
        Ok(Self {
            status: response.code.unwrap_or(0),
            is_chunked: header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case(b"chunked")),
            length: header("content-length").and_then(|v| std::str::from_utf8(v).ok()?.parse().ok()),
        })
    }

    /// The whole body of a refusal.
    fn rest(&self, from: impl Read) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        from.take(MAX_REFUSAL).read_to_end(&mut body)?;
        if self.is_chunked { dechunk(&body) } else { Ok(body) }
    }
}

/// The content of a chunked body (RFC 9112, section 7.1), piece by piece.
struct Chunks<R> {
    from: R,
    left: u64,
    is_first: bool,
    is_last: bool,
}

impl<R: BufRead> Chunks<R> {
    const fn new(from: R) -> Self {
        Self { from, left: 0, is_first: true, is_last: false }
    }

    /// Reads the line before the next chunk.
    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_first, false) && self.line()? != b"\r\n" {
            return Err(io::Error::other("a chunk is longer than it says"));
        }
        let line = self.line()?;
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let parsed =
            httparse::parse_chunk_size(&line).map_err(|_| io::Error::other("the size of a chunk is damaged"))?;
        let httparse::Status::Complete((_, size)) = parsed else { return Err(cut()) };
        (self.left, self.is_last) = (size, size == 0);
        Ok(())
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let read = (&mut self.from).take(256).read_until(b'\n', &mut line)?;
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(line) }
    }
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_last {
            self.begin()?;
        }
        if self.is_last || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.from.read(buffer.get_mut(..most).unwrap_or_default())?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<String> {
        let mut out = String::new();
        Chunks::new(text.as_bytes()).read_to_string(&mut out).map(|_| out)
    }

    #[test]
    fn chunks_are_put_together() {
        assert_eq!(read("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").unwrap(), "abcde");
        assert_eq!(read("0\r\n\r\n").unwrap(), "");
    }

    #[test]
    fn what_breaks_off_is_no_file() {
        for cut in ["", "3\r\nab", "3\r\nabc\r\n", "3\r\nabcd\r\n0\r\n\r\n", "zz\r\nabc"] {
            assert!(read(cut).is_err(), "{cut:?}");
        }
    }

    #[test]
    fn a_head_tells_how_the_body_comes() {
        let mut text: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nrest";
        let head = Head::read(&mut text).unwrap();
        assert!(head.status == 200 && head.is_chunked && head.length.is_none() && text == b"rest");
        assert!(Head::read(&mut &b"HTTP/1.1 200 OK\r\n"[..]).is_err());
    }
}
