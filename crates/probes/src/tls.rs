//! TLS: a handshake, and the certificates that the server shows.
//!
//! The handshake refuses no certificate ([`session`]), so that an expired or untrusted one is shown; whether it is trusted is judged
//! afterwards ([`trust`]), as a browser would. Mail servers are asked to change to TLS first ([`starttls`]).
//!
//! Limits: TLS 1.2 and 1.3; a server that speaks only older versions fails with that reason. Revocation is not looked up.

use netwatch_model::probe::kind::tls::{ALPN, AUTHORITY, DAYS, SERVER_NAME, STARTTLS, Tls, TlsSession, VERIFY};
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeSpec};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use crate::connect::{self, Deadline};
use crate::run::Ran;
use crate::tls::session::Asked;
use crate::tls::starttls::Mail;
use crate::tools::Tools;

mod chain;
pub(crate) mod session;
pub(crate) mod starttls;
pub(crate) mod trust;

#[cfg(test)]
mod tests;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let mut ran = Ran::default();
    let mut detail = Tls { lookup: None, connect: None, session: None };
    let failure = measure(spec, tools, &mut ran, &mut detail).await.err();
    let is_measured = detail.lookup.is_some() || detail.connect.is_some();
    Ran { detail: is_measured.then(|| Detail::Tls(Box::new(detail))), failure, ..ran }
}

async fn measure(spec: &ProbeSpec, tools: &Tools, ran: &mut Ran, detail: &mut Tls) -> Result<(), Failure> {
    let deadline = Deadline::of(spec);
    let name = server_name(spec)?;
    let alpn: Vec<Vec<u8>> = spec.options.texts(&ALPN).iter().map(|text| text.as_bytes().to_vec()).collect();
    let asked = Asked { name, alpn, roots: trust::roots(spec.options.text(&AUTHORITY)).await? };
    let target = connect::locate(spec, None, tools).await?;
    ran.address = Some(target.address.ip());
    detail.lookup = target.lookup;
    let connected = connect::tcp(target.address, spec, deadline).await?;
    ran.source = connected.source;
    detail.connect = Some(connected.seconds);
    let stream = in_the_clear(connected.stream, spec, deadline).await?;
    let (_stream, session) = session::handshake(stream, &asked, deadline, &spec.target).await?;
    let verdict = judge(&session, spec.options.flag(&VERIFY), spec.options.whole(&DAYS), &spec.target);
    detail.session = Some(session);
    verdict
}

/// What is said before TLS, if the probe asks for it.
async fn in_the_clear(stream: TcpStream, spec: &ProbeSpec, deadline: Deadline) -> Result<TcpStream, Failure> {
    let mail = match spec.options.text(&STARTTLS) {
        "smtp" => Mail::Smtp,
        "imap" => Mail::Imap,
        "pop3" => Mail::Pop3,
        _ => return Ok(stream),
    };
    starttls::upgrade(stream, mail, deadline, &spec.target).await
}

/// The name that is asked for and must stand in the certificate.
fn server_name(spec: &ProbeSpec) -> Result<ServerName<'static>, Failure> {
    let said = spec.options.text(&SERVER_NAME);
    let host = if said.is_empty() { connect::host_and_port(spec, None)?.0 } else { said };
    name_of(host)
}

/// A host as TLS names it: without the last dot, an address as an address.
pub(crate) fn name_of(host: &str) -> Result<ServerName<'static>, Failure> {
    let bare = host.trim_start_matches('[').trim_end_matches([']', '.']);
    let name = ServerName::try_from(bare.to_owned());
    name.map_err(|_| {
        Failure::new(
            FailureReason::Agent,
            &format!("`{host}` cannot be the name of a TLS server: use a DNS name or an address"),
        )
    })
}

/// Whether a session is well. `days` is how long each certificate must last.
pub(crate) fn judge(session: &TlsSession, verify: bool, days: i64, target: &str) -> Result<(), Failure> {
    if verify && !session.trusted {
        let why = session.distrust.as_ref().map(ToString::to_string).unwrap_or_default();
        return Err(Failure::new(FailureReason::Tls, &format!("the certificate of {target} is not trusted: {why}")));
    }
    let days = f64::from(i32::try_from(days).unwrap_or(i32::MAX));
    if days > 0.0 && session.expires_in < days * DAY {
        let left = session.expires_in / DAY;
        let message = format!("a certificate of {target} ends in {left:.1} days, which is less than {days}: renew it");
        return Err(Failure::new(FailureReason::Tls, &message));
    }
    Ok(())
}
