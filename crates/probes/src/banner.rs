//! SMTP and IMAP: the greeting of a mail server, and what it says that it can do.
//!
//! The conversation is polite: the server is asked what it can do, changed to TLS when the probe wants that, and left with QUIT or LOGOUT.
//! No mail is named and nobody signs in.
//!
//! Limits: [`MAX_CAPABILITIES`] capabilities; lines as in [`lines`](crate::connect::lines).

use netwatch_model::Untrusted;
use netwatch_model::probe::kind::banner::{AUTHORITY, Banner, EXPECT, MAX_CAPABILITIES, SECURITY, VERIFY};
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeKind, ProbeSpec};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::connect::lines::Lines;
use crate::connect::{self, Deadline, Laps};
use crate::run::Ran;
use crate::tls::session::{Asked, handshake};
use crate::tls::starttls::{self, Mail, consent, greeting, hello, imap, smtp};
use crate::tls::{judge, name_of, trust};
use crate::tools::Tools;

#[cfg(test)]
mod tests;

/// Ports for TLS from the first octet (RFC 8314, 3).
const SUBMISSIONS: u16 = 465;
const IMAPS: u16 = 993;

pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let mut visit = Visit {
        spec,
        mail: if spec.kind == ProbeKind::Imap { Mail::Imap } else { Mail::Smtp },
        deadline: Deadline::of(spec),
        hello: String::new(),
        banner: Banner {
            lookup: None,
            connect: None,
            greeting_time: None,
            greeting: None,
            capabilities: Vec::new(),
            tls: None,
        },
        ran: Ran::default(),
    };
    let failure = visit.go(tools).await.err();
    let Visit { banner, ran, .. } = visit;
    let is_measured = banner.lookup.is_some() || banner.connect.is_some();
    Ran { detail: is_measured.then(|| detail(spec.kind, banner)), failure, ..ran }
}

fn detail(kind: ProbeKind, banner: Banner) -> Detail {
    let banner = Box::new(banner);
    if kind == ProbeKind::Imap { Detail::Imap(banner) } else { Detail::Smtp(banner) }
}

/// One visit at a mail server, and what it has given so far.
struct Visit<'a> {
    spec: &'a ProbeSpec,
    mail: Mail,
    deadline: Deadline,
    /// With which words a client of SMTP says who it is.
    hello: String,
    banner: Banner,
    ran: Ran,
}

impl Visit<'_> {
    async fn go(&mut self, tools: &Tools) -> Result<(), Failure> {
        let spec = self.spec;
        let security = spec.options.text(&SECURITY);
        let usual = (security == "tls").then_some(if self.mail == Mail::Imap { IMAPS } else { SUBMISSIONS });
        let name = name_of(connect::host_and_port(spec, usual)?.0)?;
        let asked = Asked { name, alpn: Vec::new(), roots: trust::roots(spec.options.text(&AUTHORITY)).await? };
        let target = connect::locate(spec, usual, tools).await?;
        self.ran.address = Some(target.address.ip());
        self.banner.lookup = target.lookup;
        let connected = connect::tcp(target.address, spec, self.deadline).await?;
        self.ran.source = connected.source;
        self.banner.connect = Some(connected.seconds);
        self.hello = hello(&connected.stream);
        match security {
            "tls" => {
                let stream = self.secure(connected.stream, &asked).await?;
                let mut lines = self.greet(stream).await?;
                self.explore(&mut lines).await?;
                self.leave(&mut lines).await;
            }
            "starttls" => {
                let mut lines = self.greet(connected.stream).await?;
                self.explore(&mut lines).await?;
                let stream = consent(lines, self.mail).await?;
                let stream = self.secure(stream, &asked).await?;
                let mut lines = Lines::new(stream, self.deadline, &spec.target);
                // What was said before TLS does not count (RFC 3207, 4.2; RFC 9051, 6.2.1).
                self.explore(&mut lines).await?;
                self.leave(&mut lines).await;
            }
            _ => {
                let mut lines = self.greet(connected.stream).await?;
                self.explore(&mut lines).await?;
                self.leave(&mut lines).await;
            }
        }
        Ok(())
    }

    /// Changes to TLS, and goes no further when the certificate is not trusted and must be.
    async fn secure(
        &mut self,
        stream: TcpStream,
        asked: &Asked,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
        let (stream, session) = handshake(stream, asked, self.deadline, &self.spec.target).await?;
        let verdict = judge(&session, self.spec.options.flag(&VERIFY), 0, &self.spec.target);
        self.banner.tls = Some(session);
        verdict.map(|()| stream)
    }

    /// Hears the greeting.
    async fn greet<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: S) -> Result<Lines<S>, Failure> {
        let mut lines = Lines::new(stream, self.deadline, &self.spec.target);
        let mut laps = Laps::start();
        let said = greeting(&mut lines, self.mail).await?;
        self.banner.greeting_time = Some(laps.lap());
        let first = said.first().map(String::as_str).unwrap_or_default();
        self.banner.greeting = Some(Untrusted::message(first));
        let expected = self.spec.options.text(&EXPECT);
        if said.iter().any(|line| line.contains(expected)) {
            return Ok(lines);
        }
        let message = format!("the greeting of {} does not contain `{expected}`", self.spec.target);
        Err(Failure::new(FailureReason::Unexpected, &message))
    }

    /// Asks what the server can do.
    async fn explore<S: AsyncRead + AsyncWrite + Unpin>(&mut self, lines: &mut Lines<S>) -> Result<(), Failure> {
        self.banner.capabilities = match self.mail {
            Mail::Imap => capabilities(&imap(lines, "c1", "CAPABILITY").await?),
            _ => extensions(&smtp(lines, &self.hello, "250").await?),
        };
        Ok(())
    }

    /// Says good-bye. The measurement is done: a server that does not answer to it is none the worse.
    async fn leave<S: AsyncRead + AsyncWrite + Unpin>(&self, lines: &mut Lines<S>) {
        let _answer = match self.mail {
            Mail::Imap => starttls::imap(lines, "l1", "LOGOUT").await,
            _ => smtp(lines, "QUIT", "221").await,
        };
    }
}

/// The extensions in an answer to EHLO: each line but the first (RFC 5321, 4.1.1.1).
fn extensions(said: &[String]) -> Vec<Untrusted> {
    let words = said.iter().skip(1).filter_map(|line| line.get(4..)).map(str::trim).filter(|word| !word.is_empty());
    words.take(MAX_CAPABILITIES).map(Untrusted::new).collect()
}

/// The capabilities in the answer to CAPABILITY (RFC 9051, 7.2.2).
fn capabilities(said: &[String]) -> Vec<Untrusted> {
    let listed = said.iter().filter_map(|line| line.strip_prefix("* CAPABILITY "));
    listed.flat_map(str::split_whitespace).take(MAX_CAPABILITIES).map(Untrusted::new).collect()
}
