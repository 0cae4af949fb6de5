//! The network of the host where there is no rtnetlink: interfaces, their gateways and name servers.
//!
//! Limits: macOS and Windows. Routes other than the default ones are not read; metrics are not known; changes are not told, so that the
//! network is read at its interval alone.

use std::io;
use std::net::IpAddr;

use netwatch_model::Untrusted;
use netwatch_model::probe::kind::network::{
    Gateway, Interface, MAX_ADDRESSES, MAX_INTERFACES, NetworkInformation, PublicAddress,
};

/// Most name servers that are shown.
const MAX_RESOLVERS: usize = 8;

/// Reads the network; `public` is what the server said last.
pub(super) async fn read(public: Option<PublicAddress>) -> Result<NetworkInformation, String> {
    let found = tokio::task::spawn_blocking(netdev::get_interfaces).await;
    let mut found = found.map_err(|_| "reading this network ended by a defect".to_owned())?;
    // The interface of the default route first.
    found.sort_by_key(|interface| !interface.default);
    let mut information = NetworkInformation { public, ..NetworkInformation::default() };
    for interface in &found {
        let name = Untrusted::new(interface.friendly_name.as_deref().unwrap_or(&interface.name));
        if let Some(gateway) = interface.gateway.as_ref().filter(|_| interface.default) {
            let v4 = gateway.ipv4.iter().map(|address| IpAddr::from(*address));
            let addresses = v4.chain(gateway.ipv6.iter().map(|address| IpAddr::from(*address)));
            let gateways = addresses.map(|address| Gateway { address, interface: name.clone(), metric: 0 });
            information.gateways.extend(gateways);
        }
        for server in &interface.dns_servers {
            if information.resolvers.len() < MAX_RESOLVERS && !information.resolvers.contains(server) {
                information.resolvers.push(*server);
            }
        }
    }
    information.interfaces = found.into_iter().take(MAX_INTERFACES).map(interface).collect();
    Ok(information)
}

fn interface(found: netdev::Interface) -> Interface {
    let up = found.is_up() && found.is_oper_up();
    let v4 = found.ipv4.iter().map(ToString::to_string);
    Interface {
        addresses: v4.chain(found.ipv6.iter().map(ToString::to_string)).take(MAX_ADDRESSES).collect(),
        mac: found.mac_addr.filter(|mac| mac.octets() != [0; 6]).map(|mac| mac.to_string()),
        mtu: found.mtu.unwrap_or(0),
        index: found.index,
        up,
        name: Untrusted::new(&found.friendly_name.unwrap_or(found.name)),
    }
}

/// Addresses by which others may reach this host, those of the interface of the default route first; loopback and link-local ones are
/// left out.
///
/// # Errors
/// When the system does not tell.
pub async fn addresses() -> Result<Vec<IpAddr>, String> {
    let network = read(None).await?;
    let up = network.interfaces.iter().filter(|interface| interface.up);
    let texts = up.flat_map(|interface| &interface.addresses);
    let parsed = texts.filter_map(|text| text.split_once('/')?.0.parse::<IpAddr>().ok());
    Ok(parsed.filter(|address| is_reachable(*address)).collect())
}

const fn is_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

/// Would tell of changes of the network.
#[derive(Debug)]
pub struct Changes;

impl Changes {
    /// From now on.
    ///
    /// # Errors
    /// Always: this system is not asked.
    pub fn watch() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Waits for the next change, which is never told.
    ///
    /// # Errors
    /// Never.
    pub async fn next(&mut self) -> io::Result<()> {
        std::future::pending().await
    }
}
