//! Which names of this server a request may use: the wall against DNS rebinding.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::header;
use axum::http::uri::Authority;
use netwatch_api::ProblemCode;

use crate::fault::Fault;

/// The names under which this server may be reached. Ports do not matter: a forwarded port is as good as ours.
#[derive(Clone, Debug)]
pub(crate) struct AllowedHosts {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    /// Every address in figures: it listens on all of them. A name cannot be rebound to a Host in figures.
    any_address: bool,
}

impl AllowedHosts {
    /// Loopback, the listen address and the configured names.
    pub(crate) fn new(listen: SocketAddr, configured: &[String]) -> Self {
        let plain = |name: &String| name.trim().trim_end_matches('.').to_ascii_lowercase();
        let mut names: Vec<String> = configured.iter().map(plain).filter(|n| !n.is_empty()).collect();
        names.push("localhost".to_owned());
        Self { names, addresses: vec![listen.ip().to_canonical()], any_address: listen.ip().is_unspecified() }
    }

    /// Refuses a request that names another server.
    pub(crate) fn check(&self, host: &Authority) -> Result<(), Fault> {
        if self.allows(host.host()) {
            return Ok(());
        }
        let shown: String = host.host().chars().take(100).collect();
        let detail = format!(
            "`{shown}` is not a name of this server: use its address, or add the name with `--allowed-host` or to `server.allowed_hosts` of the configuration"
        );
        Err(Fault::new(ProblemCode::Forbidden, detail))
    }

    fn allows(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>().map(|a| a.to_canonical()) {
            Ok(address) => self.any_address || address.is_loopback() || self.addresses.contains(&address),
            Err(_) => {
                let name = host.trim_end_matches('.').to_ascii_lowercase();
                name.ends_with(".localhost") || self.names.contains(&name)
            }
        }
    }
}

/// The one host that a request names (RFC 9112, section 3.2): `Host`, which must agree with an absolute target.
pub(crate) fn of(request: &Request) -> Result<Authority, Fault> {
    read(request).ok_or_else(|| {
        let detail = "the request must have exactly one valid `Host`, equal to that of its target";
        Fault::new(ProblemCode::InvalidParameter, detail)
    })
}

fn read(request: &Request) -> Option<Authority> {
    let mut all = request.headers().get_all(header::HOST).iter();
    let host: Authority = all.next()?.to_str().ok()?.parse().ok()?;
    let agrees = request.uri().authority().is_none_or(|a| *a == host);
    (all.next().is_none() && agrees && !host.as_str().contains('@')).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(listen: &str, host: &str) -> bool {
        AllowedHosts::new(listen.parse().unwrap(), &["Netwatch.Example.org.".to_owned()]).allows(host)
    }

    #[test]
    fn only_names_of_this_server_are_allowed() {
        let good = [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "127.0.0.1",
            "127.1.2.3",
            "[::1]",
            "netwatch.example.org",
        ];
        for host in good {
            assert!(allows("127.0.0.1:8470", host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "[2001:db8::1]",
            "",
            "2130706433",
            "127.0.0.1.nip.io",
        ] {
            assert!(!allows("127.0.0.1:8470", host), "{host}");
        }
    }

    #[test]
    fn an_address_in_figures_is_ours_when_we_listen_on_all() {
        assert!(allows("0.0.0.0:8470", "10.0.0.1") && allows("[::]:8470", "[2001:db8::1]"));
        assert!(allows("10.0.0.1:8470", "10.0.0.1") && !allows("10.0.0.1:8470", "10.0.0.2"));
        assert!(!allows("0.0.0.0:8470", "evil.example"));
    }
}
