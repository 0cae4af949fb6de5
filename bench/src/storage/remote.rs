//! Remote write 1.0 of Prometheus: a `WriteRequest` in protobuf, compressed as one block of snappy, posted over a kept connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use netwatch_model::{Label, Series};

use super::peer::ADDRESS;
use super::series::Noisy;
use crate::error::BenchError;

/// A connection to one program.
pub(super) struct Writer {
    stream: BufReader<TcpStream>,
    message: Vec<u8>,
    one: Vec<u8>,
    part: Vec<u8>,
}

impl Writer {
    pub(super) fn open() -> Result<Self, BenchError> {
        let stream = TcpStream::connect(ADDRESS).map_err(BenchError::system("connect to the program"))?;
        stream.set_nodelay(true).map_err(BenchError::system("set up a connection"))?;
        let [message, one, part] = [const { Vec::new() }; 3];
        Ok(Self { stream: BufReader::new(stream), message, one, part })
    }

    /// Sends the newest samples and waits until they were taken.
    pub(super) fn send(&mut self, noisy: &Noisy) -> Result<(), BenchError> {
        let time = noisy.time.millis();
        self.message.clear();
        for (series, value) in noisy.samples() {
            self.one.clear();
            for (name, text) in labels(series) {
                self.part.clear();
                bytes(&mut self.part, 1, name.as_bytes());
                bytes(&mut self.part, 2, text.as_bytes());
                bytes(&mut self.one, 1, &self.part);
            }
            self.part.clear();
            self.part.push(1 << 3 | 1);
            self.part.extend(value.to_le_bytes());
            self.part.push(2 << 3);
            varint(&mut self.part, time.cast_unsigned());
            bytes(&mut self.one, 2, &self.part);
            bytes(&mut self.message, 1, &self.one);
        }
        let body = snap::raw::Encoder::new().compress_vec(&self.message);
        let body = body.map_err(|e| BenchError::system("compress")(std::io::Error::other(e)))?;
        self.post(&body).map_err(BenchError::system("send samples"))
    }

    fn post(&mut self, body: &[u8]) -> std::io::Result<()> {
        let head = format!(
            "POST /api/v1/write HTTP/1.1\r\nHost: {ADDRESS}\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n\
             X-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        self.stream.get_mut().write_all(body)?;
        let (mut line, mut status, mut length) = (String::new(), String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if status.is_empty() {
                status.clone_from(&line);
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(std::io::Error::other)?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        if status.contains(" 20") {
            return Ok(());
        }
        Err(std::io::Error::other(status + &String::from_utf8_lossy(&answer)))
    }
}

/// Names and values in the order of names, as remote write demands.
fn labels(series: &Series) -> impl Iterator<Item = (&str, &str)> {
    series.labels.iter().filter_map(|label| match label {
        Label::Name(name) => Some(("__name__", &**name)),
        Label::Other(name, value) => Some((&**name, value.raw())),
        _ => None,
    })
}

/// A field of bytes.
fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_fields_are_written_as_protobuf_has_them() {
        let mut out = Vec::new();
        varint(&mut out, 300);
        bytes(&mut out, 2, b"testing");
        assert_eq!(out, [0xac, 0x02, 0x12, 0x07, b't', b'e', b's', b't', b'i', b'n', b'g']);
    }
}
