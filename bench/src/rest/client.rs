//! A client that asks and asks again over one connection, and how long it waited.

use std::io;
use std::net::TcpStream as StdStream;
use std::time::Duration;

use netwatch_telemetry::clock::monotonic;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::question::{LIST, Memory, question, text_of};
use crate::api::{self, LISTEN};
use crate::error::BenchError;
use crate::lab::Lab;
use crate::times::Times;

/// Lets many clients, each a browser of its own, ask for that time, all on one thread; gives how long they waited.
pub(super) fn ask_all(lab: &Lab, clients: usize, pace: Option<Duration>, time: Duration) -> Result<Times, BenchError> {
    let open = |number| -> io::Result<StdStream> {
        let stream = api::connect_from(number)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    };
    let streams: io::Result<Vec<StdStream>> = lab.receiver.enter(|| (0..clients).map(open).collect());
    let streams = streams.map_err(BenchError::system("connect to the server"))?;
    let refused = || BenchError::Words { program: "netwatch".to_owned(), words: "a sign-in failed".to_owned() };
    let cookies = (0..clients).map(|number| api::sign_in(&lab.receiver, number).ok_or_else(refused));
    let cookies: Vec<String> = cookies.collect::<Result<_, _>>()?;
    let begin = monotonic();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(BenchError::system("start the runtime"))?;
    runtime.block_on(async {
        let share = |n: usize| pace.unwrap_or_default() * n as u32 / clients.max(1) as u32;
        let start = |(n, (stream, cookie))| {
            let pace = Pace { every: pace, next: begin + share(n) };
            tokio::spawn(ask(Client { stream, cookie, number: n }, pace, begin + time))
        };
        let started: Vec<_> = streams.into_iter().zip(cookies).enumerate().map(start).collect();
        let mut times = Times::default();
        for client in started {
            let of_one = client.await.map_err(|e| BenchError::system("run a client")(e.into()))?;
            times.merge(of_one.map_err(BenchError::system("ask the server"))?);
        }
        Ok(times)
    })
}

/// When questions are due.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// None: as soon as the answer before is there.
    every: Option<Duration>,
    next: Duration,
}

impl Pace {
    /// Waits until the next question is due. Gives the moment from which its answer is waited for: the one at which it was due, if
    /// the answer before came later than that.
    async fn wait(&mut self) -> Duration {
        let now = monotonic();
        let Some(every) = self.every else { return now };
        let due = self.next;
        self.next += every;
        if now >= due {
            return due;
        }
        tokio::time::sleep(due - now).await;
        monotonic()
    }
}

/// A browser.
struct Client {
    stream: StdStream,
    cookie: String,
    number: usize,
}

async fn ask(client: Client, mut pace: Pace, until: Duration) -> io::Result<Times> {
    let Client { stream, cookie, number } = client;
    let mut stream = BufReader::with_capacity(64 * 1024, TcpStream::from_std(stream)?);
    let (mut times, mut memory, mut turn, mut body) = (Times::default(), Memory::default(), number * 7, Vec::new());
    while monotonic() < until {
        let from = pace.wait().await;
        let (kind, path) = question(turn, &memory);
        turn += 1;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {LISTEN}\r\ncookie: {cookie}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        read(&mut stream, &mut body).await.map_err(|e| io::Error::new(e.kind(), format!("{path}: {e}")))?;
        times.note(kind, monotonic().saturating_sub(from));
        if kind == LIST {
            let answer = String::from_utf8_lossy(&body);
            memory.flow = text_of(&answer, "id");
            memory.next = text_of(&answer, "next_cursor").map(|cursor| (path, cursor));
        }
    }
    Ok(times)
}

/// Reads the body of one answer; anything but 200 is an error. A flow may have gone since it was listed.
async fn read(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    let (mut line, mut length, mut status) = (String::new(), 0, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if status.is_empty() {
            status.clone_from(&line);
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if line == "\r\n" {
            break;
        }
    }
    body.resize(length, 0);
    stream.read_exact(body).await?;
    let fine = ["HTTP/1.1 200", "HTTP/1.1 404"].iter().any(|prefix| status.starts_with(prefix));
    if fine { Ok(()) } else { Err(io::Error::other(status + &String::from_utf8_lossy(body))) }
}
