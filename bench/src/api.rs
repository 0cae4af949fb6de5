//! Netwatch over its own API, asked inside the namespace: what it says of itself, and sessions for clients.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::Duration;

use netwatch_api::session::{Invitation, SessionRequest};
use netwatch_api::statistics::Statistics;
use netwatch_testkit::netns::Namespace;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::error::BenchError;

/// Where it listens.
pub const LISTEN: &str = "127.0.0.1:8470";
const PORT: u16 = 8470;
/// A token for the data directory of one run, which is deleted after it.
pub const TOKEN: &str = "bench-0123456789abcdef0123456789abcdef";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The statistics; none when nobody answers.
pub fn statistics(namespace: &Namespace) -> Option<Statistics> {
    let (_, body) = namespace.enter(|| ask_on(TcpStream::connect(LISTEN)?, "GET", "/api/v1/statistics", "")).ok()?;
    serde_json::from_str(&body).ok()
}

/// The body of an answer with a good status.
pub fn ask(namespace: &Namespace, method: &str, path: &str, body: &str) -> Result<String, BenchError> {
    let asked = namespace.enter(|| ask_on(TcpStream::connect(LISTEN)?, method, path, body));
    let (head, body) = asked.map_err(BenchError::system("ask Netwatch"))?;
    let is_good = head.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
    let words = || format!("{method} {path}: {} {body}", head.lines().next().unwrap_or_default());
    if is_good { Ok(body) } else { Err(BenchError::Words { program: "netwatch".to_owned(), words: words() }) }
}

/// Signs a browser in from an address of its own; gives its cookie.
pub fn sign_in(namespace: &Namespace, number: usize) -> Option<String> {
    let ask = |path, body: &str| namespace.enter(|| ask_on(connect_from(number)?, "POST", path, body));
    let (_, body) = ask("/api/v1/session/code", "").ok()?;
    let Invitation { code, set_up, .. } = serde_json::from_str(&body).ok()?;
    // The first code of a new data directory makes the administrator, as whom the others sign in.
    let (path, request) = if set_up {
        let request = serde_json::json!({ "code": code, "name": "bench", "password": TOKEN });
        ("/api/v1/setup", request.to_string())
    } else {
        ("/api/v1/session", serde_json::to_string(&SessionRequest { code }).ok()?)
    };
    let (head, _) = ask(path, &request).ok()?;
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "))?;
    cookie.split(';').next().map(str::to_owned)
}

/// A connection from an address of its own, as if from another machine: limits for each address see many.
pub fn connect_from(number: usize) -> std::io::Result<TcpStream> {
    let host = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + 1 + number as u32);
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddrV4::new(host, 0))?;
    connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, PORT))?;
    Ok(TcpStream::from(socket))
}

/// Head and body of an answer.
fn ask_on(mut stream: TcpStream, method: &str, path: &str, body: &str) -> std::io::Result<(String, String)> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {LISTEN}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.to_owned(), body.to_owned()))
}
