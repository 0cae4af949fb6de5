//! How a conversation of mail becomes TLS: SMTP (RFC 3207), IMAP (RFC 9051, 6.2.1) and POP3 (RFC 2595, 4).

use netwatch_model::probe::Failure;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::connect::Deadline;
use crate::connect::lines::Lines;

/// A protocol of mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mail {
    Smtp,
    Imap,
    Pop3,
}

/// Greets the server at `peer` in plain text and asks for TLS.
pub(crate) async fn upgrade(
    stream: TcpStream,
    mail: Mail,
    deadline: Deadline,
    peer: &str,
) -> Result<TcpStream, Failure> {
    let hello = hello(&stream);
    let mut lines = Lines::new(stream, deadline, peer);
    greeting(&mut lines, mail).await?;
    if mail == Mail::Smtp {
        smtp(&mut lines, &hello, "250").await?;
    }
    consent(lines, mail).await
}

/// Waits for the greeting; gives its first line back, and whatever the server says in it besides.
pub(crate) async fn greeting<S: AsyncRead + AsyncWrite + Unpin>(
    lines: &mut Lines<S>,
    mail: Mail,
) -> Result<Vec<String>, Failure> {
    let said = match mail {
        Mail::Smtp => reply(lines).await?,
        Mail::Imap | Mail::Pop3 => vec![lines.line().await?],
    };
    let first = said.first().map(String::as_str).unwrap_or_default();
    let is_well = match mail {
        Mail::Smtp => first.starts_with("220"),
        Mail::Imap => first.starts_with("* OK") || first.starts_with("* PREAUTH"),
        Mail::Pop3 => first.starts_with("+OK"),
    };
    if is_well { Ok(said) } else { Err(lines.unexpected("the connection", first)) }
}

/// The words with which a client of SMTP says who it is: its address, for it may have no name (RFC 5321, 4.1.3).
pub(crate) fn hello(stream: &TcpStream) -> String {
    match stream.local_addr().map(|address| address.ip()) {
        Ok(std::net::IpAddr::V6(address)) => format!("EHLO [IPv6:{address}]"),
        Ok(address) => format!("EHLO [{address}]"),
        Err(_) => "EHLO [127.0.0.1]".to_owned(),
    }
}

/// Says something to a server of SMTP and wants this code; gives its lines back.
pub(crate) async fn smtp<S: AsyncRead + AsyncWrite + Unpin>(
    lines: &mut Lines<S>,
    command: &str,
    code: &str,
) -> Result<Vec<String>, Failure> {
    lines.send(command).await?;
    let said = reply(lines).await?;
    let last = said.last().map(String::as_str).unwrap_or_default();
    if last.starts_with(code) { Ok(said) } else { Err(lines.unexpected(word(command), last)) }
}

/// Says something to a server of IMAP; gives what it says until it is done back.
pub(crate) async fn imap<S: AsyncRead + AsyncWrite + Unpin>(
    lines: &mut Lines<S>,
    tag: &str,
    command: &str,
) -> Result<Vec<String>, Failure> {
    lines.send(&format!("{tag} {command}")).await?;
    let mut said = Vec::new();
    loop {
        let line = lines.line().await?;
        match line.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
            Some(done) if done.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("OK")) => return Ok(said),
            Some(_) => return Err(lines.unexpected(command, &line)),
            None => said.push(line),
        }
    }
}

/// Asks for TLS. The stream that comes back is ready for the handshake.
pub(crate) async fn consent<S: AsyncRead + AsyncWrite + Unpin>(mut lines: Lines<S>, mail: Mail) -> Result<S, Failure> {
    match mail {
        Mail::Smtp => drop(smtp(&mut lines, "STARTTLS", "220").await?),
        Mail::Imap => drop(imap(&mut lines, "t1", "STARTTLS").await?),
        Mail::Pop3 => {
            lines.send("STLS").await?;
            let line = lines.line().await?;
            if !line.starts_with("+OK") {
                return Err(lines.unexpected("STLS", &line));
            }
        }
    }
    lines.into_stream()
}

/// One reply of SMTP: lines with the same code, the last with a space behind it (RFC 5321, 4.2.1).
async fn reply<S: AsyncRead + AsyncWrite + Unpin>(lines: &mut Lines<S>) -> Result<Vec<String>, Failure> {
    let mut said: Vec<String> = Vec::new();
    loop {
        let line = lines.line().await?;
        let code = line.get(..3).filter(|code| code.bytes().all(|octet| octet.is_ascii_digit()));
        let mark = line.as_bytes().get(3);
        let is_same = said.first().is_none_or(|first| first.get(..3) == line.get(..3));
        if code.is_none() || !is_same || !matches!(mark, None | Some(b' ' | b'-')) {
            return Err(lines.malformed("a line that is no reply of SMTP"));
        }
        let is_last = mark != Some(&b'-');
        said.push(line);
        if is_last {
            return Ok(said);
        }
    }
}

fn word(command: &str) -> &str {
    command.split(' ').next().unwrap_or(command)
}
