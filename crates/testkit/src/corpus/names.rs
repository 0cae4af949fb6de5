//! Names that are seen on the wire.

use std::net::Ipv4Addr;

use super::Capture;
use super::tape::{Talk, Tape, ms};
use crate::frames::{dns_answer, dns_query, ethernet, flags, http_get, ipv4, tls_client_hello, udp};

const WEB: &str = "192.0.2.80";
const RESOLVER: &str = "10.0.0.53";

/// A DNS answer names the address to which the next conversation goes.
pub fn dns_answer_then_connect() -> Capture {
    let name = "www.example.com";
    let answer = dns_answer(1, name, Ipv4Addr::new(192, 0, 2, 80), 300);
    let ask = ethernet(ipv4("10.0.0.1", RESOLVER).carry(udp(40_001, 53, &dns_query(1, name)))).build();
    let answer = ethernet(ipv4(RESOLVER, "10.0.0.1").carry(udp(53, 40_001, &answer))).build();
    let open = Talk::new(40_000, 443).with_server(WEB).open();
    Tape::new().put_all(ms(0), ms(5), [ask, answer]).put_all(ms(20), ms(5), open).into()
}

/// A TLS client hello with a server name.
pub fn tls_sni() -> Capture {
    first_words(443, &tls_client_hello("www.example.com"))
}

/// A plain HTTP request with a host.
pub fn http_host() -> Capture {
    first_words(80, &http_get("www.example.org"))
}

/// A server name that is markup and a command: it is data.
pub fn hostile_sni() -> Capture {
    first_words(443, &tls_client_hello("<b>x</b>$(reboot)"))
}

/// A conversation in which the client says `words` and the server acknowledges.
fn first_words(port: u16, words: &[u8]) -> Capture {
    let mut talk = Talk::new(40_000, port).with_server(WEB);
    let open = talk.open();
    let frames = open.into_iter().chain([talk.client_says(words), talk.server(flags::ACK, 0)]);
    Tape::new().put_all(ms(0), ms(5), frames).into()
}
