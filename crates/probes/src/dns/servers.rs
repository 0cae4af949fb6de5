//! Which name servers are asked, and how.
//!
//! Those of the option are judged by the policy as every target is. Those of the system were chosen by whoever runs this host, who lets
//! every name of a probe be resolved by them: they are not.

use std::net::{IpAddr, SocketAddr};

use netwatch_egress::Scope;
use netwatch_model::probe::kind::dns::{MAX_SERVERS, SERVERS, TRANSPORT};
use netwatch_model::probe::spec::split_port;
use netwatch_model::probe::{Failure, FailureReason, Family, ProbeSpec};
use url::Url;

use crate::connect::Deadline;
use crate::resolve::{forbidden, resolve};
use crate::tools::Tools;

/// Where the system keeps the addresses of its name servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// The path of DNS over HTTPS when none is said: that of all public servers (RFC 8484, 4.1.1 leaves it open).
const USUAL_PATH: &str = "/dns-query";

/// How a server is spoken with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transport {
    Udp,
    Tcp,
    Tls,
    Https,
}

/// A server that is asked.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// As written.
    pub(super) name: String,
    pub(super) transport: Transport,
    /// Host as in a certificate.
    pub(super) host: String,
    /// Path and query of DNS over HTTPS.
    pub(super) path: String,
    /// Where it is, or why nobody knows.
    pub(super) address: Result<SocketAddr, Failure>,
    /// Seconds to find out; absent for an address.
    pub(super) lookup: Option<f64>,
}

impl Transport {
    const fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 53,
            Self::Tls => 853,
            Self::Https => 443,
        }
    }
}

/// The servers to ask.
pub(super) async fn find(spec: &ProbeSpec, tools: &Tools) -> Result<Vec<Server>, Failure> {
    let transport = match spec.options.text(&TRANSPORT) {
        "tcp" => Transport::Tcp,
        "tls" => Transport::Tls,
        "https" => Transport::Https,
        _ => Transport::Udp,
    };
    let said = spec.options.texts(&SERVERS);
    if said.is_empty() {
        return of_system(transport, spec.family, tools).await;
    }
    if said.len() > MAX_SERVERS {
        let message = format!("the option `servers` must have at most {MAX_SERVERS} name servers");
        return Err(Failure::new(FailureReason::Agent, &message));
    }
    let written = said.iter().map(|text| written(text, transport)).collect::<Result<Vec<_>, _>>()?;
    let found = written.into_iter().map(|(server, host, port)| async move {
        let address = resolve(&host, port, spec.family, Deadline::of(spec).left(), tools).await;
        let lookup = address.as_ref().ok().and_then(|resolved| resolved.lookup);
        Server { address: address.map(|resolved| resolved.address), lookup, ..server }
    });
    Ok(futures_util::future::join_all(found).await)
}

/// What somebody wrote: a server without its address yet, its host and its port.
fn written(text: &str, transport: Transport) -> Result<(Server, String, u16), Failure> {
    let wrong = || {
        let message = format!("`{text}` is no name server: write an address, address:port, or an https:// URL");
        Failure::new(FailureReason::Agent, &message)
    };
    let (transport, host, port, path) = if text.starts_with("https://") {
        let url = Url::parse(text).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?.to_owned();
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        (Transport::Https, host, url.port().unwrap_or(443), format!("{}{query}", url.path()))
    } else {
        let (host, port) = split_port(text, Some(transport.port())).ok_or_else(wrong)?;
        (transport, host.to_owned(), port, USUAL_PATH.to_owned())
    };
    let unknown = Err(Failure::new(FailureReason::Unresolved, "the name server has no address"));
    let server = Server { name: text.to_owned(), transport, host: host.clone(), path, address: unknown, lookup: None };
    Ok((server, host, port))
}

/// The servers of the system.
async fn of_system(transport: Transport, family: Family, tools: &Tools) -> Result<Vec<Server>, Failure> {
    let text = tokio::fs::read_to_string(RESOLV_CONF).await.map_err(|error| {
        let message = format!("{RESOLV_CONF} cannot be read: {error}; say the option `servers`");
        Failure::new(FailureReason::Agent, &message)
    })?;
    let servers = listed(&text, transport, family, &tools.scope);
    if servers.is_empty() {
        let message = format!("{RESOLV_CONF} names no name server of the family: say the option `servers`");
        return Err(Failure::new(FailureReason::Unresolved, &message));
    }
    Ok(servers)
}

/// The servers that a resolv.conf names. The system asks them anyway, also on this machine, so that the policy of the site does not judge
/// them; a workspace that narrows it does.
pub(super) fn listed(text: &str, transport: Transport, family: Family, scope: &Scope) -> Vec<Server> {
    let wanted = |address: &IpAddr| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    let server = |address: IpAddr| Server {
        name: address.to_string(),
        transport,
        host: address.to_string(),
        path: USUAL_PATH.to_owned(),
        address: match scope.check(address) {
            Ok(()) => Ok(SocketAddr::new(address, transport.port())),
            Err(refused) => Err(forbidden(&refused)),
        },
        lookup: None,
    };
    nameservers(text).filter(wanted).take(MAX_SERVERS).map(server).collect()
}

/// The addresses of `nameserver` lines (resolv.conf(5)).
pub(super) fn nameservers(text: &str) -> impl Iterator<Item = IpAddr> {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok()).flatten()
    })
}
