//! Clients that count frames and do nothing else: just enough WebSocket (RFC 6455) for that.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::serve::TOKEN;
use crate::error::BenchError;

/// So many bytes of a frame are looked at, for the number of frames missed before it.
const LOOK: usize = 160;

/// What has arrived at all clients.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Counted {
    pub(super) frames: u64,
    pub(super) bytes: u64,
    pub(super) missed: u64,
}

#[derive(Default)]
struct Counters {
    frames: AtomicU64,
    bytes: AtomicU64,
    missed: AtomicU64,
}

/// Open clients; they close when this is dropped with the runtime.
pub(super) struct Clients(Arc<Counters>);

impl Clients {
    /// Connects and subscribes them all, one after another.
    pub(super) async fn open(
        address: SocketAddr,
        number: usize,
        topic: impl Fn(usize) -> &'static str,
    ) -> Result<Self, BenchError> {
        let counters = Arc::new(Counters::default());
        for n in 0..number {
            let stream = open(address, topic(n)).await.map_err(BenchError::system("open the stream"))?;
            let counters = Arc::clone(&counters);
            tokio::spawn(async move {
                if let Err(error) = count(stream, &counters).await {
                    eprintln!("client {n} has lost its stream: {error}");
                }
            });
        }
        Ok(Self(counters))
    }

    /// What has arrived so far.
    pub(super) fn counted(&self) -> Counted {
        let Counters { frames, bytes, missed } = &*self.0;
        Counted { frames: frames.load(Relaxed), bytes: bytes.load(Relaxed), missed: missed.load(Relaxed) }
    }
}

async fn open(address: SocketAddr, topic: &str) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(32 * 1024, stream);
    let request = format!(
        "GET /api/v1/stream HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer {TOKEN}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    if !head.starts_with(b"HTTP/1.1 101") {
        return Err(io::Error::other(String::from_utf8_lossy(&head).into_owned()));
    }
    stream.write_all(&masked(&format!("{{\"type\":\"subscribe\",\"id\":\"1\",\"topic\":{topic}}}"))).await?;
    Ok(stream)
}

/// A text frame of a client with a mask of zeros (RFC 6455, section 5.3), of less than 64 KiB.
fn masked(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut frame = vec![0x81];
    match u8::try_from(length) {
        Ok(short) if short < 126 => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.bytes().take(usize::from(length)));
    frame
}

async fn count(mut stream: BufReader<TcpStream>, counters: &Counters) -> io::Result<()> {
    loop {
        let [first, second] = [stream.read_u8().await?, stream.read_u8().await?];
        let length = match second {
            126 => u64::from(stream.read_u16().await?),
            127 => stream.read_u64().await?,
            short => u64::from(short),
        };
        let mut look = [0; LOOK];
        let look = &mut look[..LOOK.min(usize::try_from(length).unwrap_or(LOOK))];
        stream.read_exact(look).await?;
        let mut rest = (&mut stream).take(length - look.len() as u64);
        tokio::io::copy_buf(&mut rest, &mut tokio::io::sink()).await?;
        if first & 0x0f == 1 {
            counters.frames.fetch_add(1, Relaxed);
            counters.bytes.fetch_add(length, Relaxed);
            counters.missed.fetch_add(missed(look), Relaxed);
        }
    }
}

/// The number after `"missed":`.
fn missed(look: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(look);
    let digits = text.split_once("\"missed\":").map_or("", |(_, rest)| rest);
    digits.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_tells_what_was_missed() {
        assert_eq!(missed(br#"{"type":"frame","id":"1","time":"x","missed":12,"data":{"#), 12);
        assert_eq!(missed(b"{}"), 0);
    }

    #[test]
    fn a_frame_of_a_client_is_masked() {
        assert_eq!(masked("ab"), [0x81, 0x82, 0, 0, 0, 0, b'a', b'b']);
        assert_eq!(masked(&"x".repeat(200))[..4], [0x81, 0xfe, 0, 200]);
    }
}
