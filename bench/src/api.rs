//! What Netwatch says of itself, asked over its own API inside the namespace.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use netwatch_api::statistics::Statistics;
use netwatch_testkit::netns::Namespace;

/// Where it listens.
pub const LISTEN: &str = "127.0.0.1:8470";
/// A token for the data directory of one run, which is deleted after it.
pub const TOKEN: &str = "bench-0123456789abcdef0123456789abcdef";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The statistics; none when nobody answers.
pub fn statistics(namespace: &Namespace) -> Option<Statistics> {
    let answer = namespace.enter(|| -> std::io::Result<String> {
        let mut stream = TcpStream::connect(LISTEN)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!(
            "GET /api/v1/statistics HTTP/1.1\r\nHost: {LISTEN}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    let answer = answer.ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}
