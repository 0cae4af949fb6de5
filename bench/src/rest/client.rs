//! A client that asks and asks again over one connection, and how long it waited.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use netwatch_telemetry::clock::monotonic;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::serve::TOKEN;

/// Times by kind of question.
#[derive(Debug, Default)]
pub(super) struct Times(BTreeMap<&'static str, Vec<Duration>>);

impl Times {
    /// Adds those of another client.
    pub(super) fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(kind, times)| self.0.entry(kind).or_default().extend(times));
    }

    /// How many answers there were.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub(super) fn answers(&self) -> f64 {
        self.0.values().map(Vec::len).sum::<usize>() as f64
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| question | answers | p50 | p99 | longest |\n|---|---|---|---|---|")?;
        let all: Vec<Duration> = self.0.values().flatten().copied().collect();
        for (kind, times) in self.0.iter().chain([(&"all", &all)]) {
            let mut times = times.clone();
            times.sort_unstable();
            let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
            let longest = times.last().copied().unwrap_or_default();
            writeln!(f, "| {kind} | {} | {:.1?} | {:.1?} | {longest:.1?} |", times.len(), at(50), at(99))?;
        }
        Ok(())
    }
}

/// Asks until the time has come.
pub(super) async fn ask(address: SocketAddr, number: usize, until: Duration, think: Duration) -> io::Result<Times> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    let (mut times, mut turn) = (Times::default(), number * 7);
    while monotonic() < until {
        turn += 1;
        let (kind, path) = question(turn);
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
        let from = monotonic();
        stream.write_all(request.as_bytes()).await?;
        read(&mut stream).await?;
        times.0.entry(kind).or_default().push(monotonic().saturating_sub(from));
        if !think.is_zero() {
            tokio::time::sleep(think).await;
        }
    }
    Ok(times)
}

/// The mix of the bench of the store, flows only.
fn question(turn: usize) -> (&'static str, String) {
    let sort = ["bytes", "packets", "duration", "rate", "start"][turn / 12 % 5];
    let flows = |range: &str, filter: &str| format!("/api/v1/flows?from={range}&sort={sort}&filter={filter}");
    let address = |bits: usize| Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or(0));
    let server = address((turn % 900).wrapping_mul(2_654_435_761) | 0x2000_0000);
    let host = address(0x0a01_0000 + turn % 500);
    match turn % 12 {
        0 | 1 => ("flows", flows("-15m", "")),
        2 => ("flows of an hour", flows("-1h", "")),
        3 | 4 => ("flows of a server", flows("-1h", &format!("host+{server}"))),
        5 => ("flows of a host", flows("-1h", &format!("host+{host}"))),
        6 => ("flows by port 443", flows("-1h", "port+443")),
        7 => ("flows by port 22", flows("-1h", "port+22")),
        8 => ("flows by network", flows("-1h", &format!("src+in+10.1.{}.0%2F24", turn % 2))),
        9 => ("flows by bytes", flows("-1h", "bytes+%3E+1MB")),
        10 => ("flows by name", flows("-1h", "name+~+%22*.example.com%22")),
        _ => ("flows by application", flows("-1h", "app+%3D+dns")),
    }
}

/// Reads one answer and throws it away; anything but 200 is an error.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    let (mut line, mut length, mut first) = (String::new(), 0, true);
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if first && !line.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(line));
        }
        first = false;
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if line == "\r\n" {
            break;
        }
    }
    tokio::io::copy_buf(&mut stream.take(length), &mut tokio::io::sink()).await?;
    Ok(())
}
