//! A small HTTP/1.1 client (RFC 9112) for our own server.
//!
//! One request for each connection, plain HTTP: the server speaks nothing else, and what is far away is reached by a tunnel or through
//! a proxy on this machine. Limits: 64 MiB for an answer, 16 KiB for its head, 20 s for each step.

mod transfer;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use netwatch_api::Problem;
use netwatch_model::people::WorkspaceId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::ServerArgs;
use crate::config::Settings;
use crate::failure::{Failure, usage};

const PATIENCE: Duration = Duration::from_secs(20);
const MAX_ANSWER: u64 = 64 << 20;
const MAX_HEAD: usize = 16 << 10;

/// A server and how to be let in.
#[derive(Clone)]
pub struct Endpoint {
    /// Host and port as in the URL.
    pub authority: String,
    /// Bearer token.
    pub token: String,
    /// Where requests act; none is the workspace of the token, or that of the server's machine.
    pub workspace: Option<WorkspaceId>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The server that was named, or the one of this machine.
    ///
    /// # Errors
    /// A URL that is none, or no token.
    pub fn resolve(args: &ServerArgs, settings: &Settings) -> Result<Self, Failure> {
        let authority = match &args.server {
            Some(url) => authority(url)?,
            None => local_authority(settings),
        };
        let token = match args.token.as_ref().filter(|t| !t.is_empty()) {
            Some(token) => token.trim().to_owned(),
            None if args.server.is_some() && !is_local(&authority) => {
                return Err(usage("a server on another machine needs --token or NETWATCH_TOKEN"));
            }
            None => token_file(&settings.data_dir.join("token"))?,
        };
        if !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(usage("the token has characters that no token has"));
        }
        Ok(Self { authority, token, workspace: None })
    }

    /// The server of this process, or another one on this machine, by its directory.
    ///
    /// # Errors
    /// No token.
    pub fn local(address: SocketAddr, data_dir: &Path) -> Result<Self, Failure> {
        Ok(Self { authority: address.to_string(), token: token_file(&data_dir.join("token"))?, workspace: None })
    }

    /// Asks for `path` with these parameters.
    ///
    /// # Errors
    /// When nobody answers, or what the server says is wrong.
    pub fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Failure> {
        let (status, body) = self.exchange(&request(self, ("GET", path), query, "", None))?;
        if status == 200 {
            let read = serde_json::from_slice(&body);
            return Ok(read.with_context(|| format!("the answer of {} is not what was asked for", self.authority))?);
        }
        Err(self.refusal(status, &body))
    }

    /// Sends `body` as JSON, and reads the answer.
    ///
    /// # Errors
    /// When nobody answers, or what the server says is wrong.
    pub fn send<B: Serialize, T: DeserializeOwned>(&self, method: &str, path: &str, body: &B) -> Result<T, Failure> {
        let body = serde_json::to_string(body).context("the request cannot be written")?;
        self.answered(&request(self, (method, path), &[], "", Some(&body)))
    }

    /// Changes an object, whatever it is now (RFC 9110, section 13.1.1: `If-Match: *`).
    ///
    /// # Errors
    /// When nobody answers, or what the server says is wrong.
    pub fn overwrite<B: Serialize, T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: &B,
    ) -> Result<T, Failure> {
        let body = serde_json::to_string(body).context("the request cannot be written")?;
        self.answered(&request(self, (method, path), &[], "If-Match: *\r\n", Some(&body)))
    }

    /// Asks for something to be done, and reads no answer; an object is changed whatever it is now.
    ///
    /// # Errors
    /// When nobody answers, or what the server says is wrong.
    pub fn command(&self, method: &str, path: &str) -> Result<(), Failure> {
        let (status, answer) = self.exchange(&request(self, (method, path), &[], "If-Match: *\r\n", None))?;
        if (200..300).contains(&status) { Ok(()) } else { Err(self.refusal(status, &answer)) }
    }

    /// The line that names the workspace, if one is named.
    fn workspace_header(&self) -> String {
        self.workspace.map_or_else(String::new, |id| format!("Netwatch-Workspace: {id}\r\n"))
    }

    fn answered<T: DeserializeOwned>(&self, request: &str) -> Result<T, Failure> {
        let (status, answer) = self.exchange(request)?;
        if (200..300).contains(&status) {
            let read = serde_json::from_slice(&answer);
            return Ok(read.with_context(|| format!("the answer of {} is not what was asked for", self.authority))?);
        }
        Err(self.refusal(status, &answer))
    }

    /// What the server said no to. A bad filter or parameter is a wrong question.
    fn refusal(&self, status: u16, body: &[u8]) -> Failure {
        let problem: Option<Problem> = serde_json::from_slice(body).ok();
        let detail = problem.map_or_else(|| format!("status {status}"), |p| p.detail);
        let detail = netwatch_model::Untrusted::new(&detail);
        match status {
            400 | 422 => usage(detail),
            401 => Failure::Other(anyhow::anyhow!(
                "{} does not accept the token: give the right one with --token",
                self.authority
            )),
            _ => Failure::Other(anyhow::anyhow!("{} refused: {detail}", self.authority)),
        }
    }

    fn exchange(&self, request: &str) -> anyhow::Result<(u16, Vec<u8>)> {
        let mut stream = self.connect().with_context(|| {
            format!(
                "no server answers at {}: start one with `netwatch up`, or name another with --server",
                self.authority
            )
        })?;
        let lost = || format!("the connection to {} broke", self.authority);
        stream.write_all(request.as_bytes()).with_context(lost)?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER + 1).read_to_end(&mut answer).with_context(lost)?;
        if answer.len() as u64 > MAX_ANSWER {
            bail!("the answer of {} is longer than 64 MiB: ask for fewer rows with --limit", self.authority);
        }
        parse(&answer).with_context(|| format!("{} does not answer as a Netwatch server does", self.authority))
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in self.authority.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    return Ok(stream);
                }
                Err(e) => last = e,
            }
        }
        Err(last)
    }
}

/// Whether somebody listens where the server of this machine would.
pub fn is_local_server(settings: &Settings) -> bool {
    local_authority(settings).parse().is_ok_and(|a| TcpStream::connect_timeout(&a, PATIENCE).is_ok())
}

/// Host and port of `http://host:port`.
fn authority(url: &str) -> Result<String, Failure> {
    let shown = netwatch_model::Untrusted::new(url);
    if url.starts_with("https://") {
        return Err(usage(format!("{shown}: netwatch speaks plain HTTP only; use a tunnel, for example ssh -L")));
    }
    let rest = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_');
    if rest.is_empty() || !rest.bytes().all(plain) {
        return Err(usage(format!("{shown} is not the URL of a server: expected for example http://127.0.0.1:8470")));
    }
    let has_port = rest.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    Ok(if has_port { rest.to_owned() } else { format!("{rest}:8470") })
}

/// A server that listens everywhere is asked on loopback.
fn local_authority(settings: &Settings) -> String {
    let mut address = settings.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    address.to_string()
}

fn is_local(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
}

fn token_file(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("no token: {} cannot be read; give --token, or the server's directory with --data-dir", path.display())
    })?;
    Ok(text.trim().to_owned())
}

/// `fields` are header fields, each with its end of line.
fn request(
    endpoint: &Endpoint,
    (method, path): (&str, &str),
    query: &[(&str, &str)],
    fields: &str,
    body: Option<&str>,
) -> String {
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let Endpoint { authority, token, .. } = endpoint;
    let workspace = endpoint.workspace_header();
    let body = body.map_or_else(String::new, |body| {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    });
    let end = if body.is_empty() { "\r\n" } else { "" };
    format!(
        "{method} {path}{query} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n{workspace}Accept: application/json\r\n\
         User-Agent: netwatch/{}\r\nConnection: close\r\n{fields}{end}{body}",
        crate::version::short()
    )
}

/// RFC 3986: everything but unreserved characters as `%XX`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// Status and body of an answer.
fn parse(answer: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let head = answer.get(..answer.len().min(MAX_HEAD)).unwrap_or(answer);
    let httparse::Status::Complete(length) = response.parse(head)? else { bail!("the answer was cut") };
    let body = answer.get(length..).unwrap_or_default();
    let header = |name: &str| response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value);
    let chunked = header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case(b"chunked"));
    let body = if chunked { dechunk(body)? } else { body.to_vec() };
    if let Some(expected) = header("content-length").and_then(|v| std::str::from_utf8(v).ok()?.parse::<usize>().ok())
        && body.len() < expected
    {
        bail!("the answer was cut after {} of {expected} bytes", body.len());
    }
    Ok((response.code.unwrap_or(0), body))
}

/// RFC 9112 section 7.1.
fn dechunk(mut rest: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let httparse::Status::Complete((line, size)) =
            httparse::parse_chunk_size(rest).map_err(|_| anyhow::anyhow!("the answer has a damaged chunk"))?
        else {
            bail!("the answer was cut within a chunk");
        };
        if size == 0 {
            return Ok(body);
        }
        let end = usize::try_from(size).ok().and_then(|n| line.checked_add(n)).unwrap_or(usize::MAX);
        body.extend_from_slice(rest.get(line..end).context("the answer was cut within a chunk")?);
        rest = rest.get(end + 2..).context("the answer was cut after a chunk")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_or_refused() {
        assert_eq!(authority("http://127.0.0.1:9/").unwrap(), "127.0.0.1:9");
        assert_eq!(authority("host").unwrap(), "host:8470");
        assert_eq!(authority("[::1]:80").unwrap(), "[::1]:80");
        for bad in ["https://x", "", "http://", "http://a/b", "x\r\nHost: y", "http://u@h"] {
            assert!(matches!(authority(bad), Err(Failure::Usage(_))), "{bad}");
        }
        assert!(is_local("127.0.0.1:1") && is_local("[::1]:1") && is_local("localhost:1") && !is_local("10.0.0.1:1"));
    }

    #[test]
    fn nothing_in_a_filter_can_leave_its_parameter() {
        assert_eq!(escape("a&b=c d\"\r\n é"), "a%26b%3Dc%20d%22%0D%0A%20%C3%A9");
    }

    #[test]
    fn answers_whole_chunked_and_cut() {
        let ok = parse(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert_eq!(ok, (200, b"{}".to_vec()));
        let chunked = b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(parse(chunked).unwrap(), (400, b"abcde".to_vec()));
        for end in 0..chunked.len() - 4 {
            assert!(parse(&chunked[..end]).is_err(), "{end}");
        }
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}").is_err());
        assert!(parse(b"SSH-2.0-OpenSSH_9.2\r\n").is_err());
    }
}
