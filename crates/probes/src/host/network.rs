//! The network of the host from the tables of rtnetlink (rtnetlink(7)).
//!
//! Limits: routes of the main table alone. A table of a million routes is read route by route and only counted beyond the limit. Of a
//! route over several next hops the first is shown.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, TryStreamExt as _};
use netwatch_model::Untrusted;
use netwatch_model::probe::kind::network::{
    Gateway, Interface, MAX_ADDRESSES, MAX_INTERFACES, MAX_ROUTES, NetworkInformation, PublicAddress, Route,
};
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType};
use rtnetlink::{Handle, RouteMessageBuilder};

mod changes;

pub use changes::Changes;

/// How long the kernel may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most name servers that are shown.
const MAX_RESOLVERS: usize = 8;

/// Reads the network; `public` is what the server said last.
pub(super) async fn read(public: Option<PublicAddress>) -> Result<NetworkInformation, String> {
    let tables = with_kernel(|handle| async move {
        let links = all(handle.link().get().execute()).await?;
        let addresses = all(handle.address().get().execute()).await?;
        let mut routes = Routes::default();
        let v4 = RouteMessageBuilder::<std::net::Ipv4Addr>::new().build();
        let v6 = RouteMessageBuilder::<std::net::Ipv6Addr>::new().build();
        for family in [v4, v6] {
            let mut answers = pin!(handle.route().get(family).execute());
            while let Some(route) = answers.try_next().await? {
                routes.add(&route);
            }
        }
        Ok((links, addresses, routes))
    });
    let (links, addresses, routes) = tables.await?;
    let mut interfaces: BTreeMap<u32, Interface> = links.iter().filter_map(interface).collect();
    for message in &addresses {
        let index = message.header.index;
        if let Some((interface, address)) = interfaces.get_mut(&index).zip(address(message))
            && interface.addresses.len() < MAX_ADDRESSES
        {
            interface.addresses.push(format!("{address}/{}", message.header.prefix_len));
        }
    }
    let (routes, gateways, route_count) = routes.named(&interfaces);
    let interfaces = interfaces.into_values().take(MAX_INTERFACES).collect();
    Ok(NetworkInformation { interfaces, routes, route_count, gateways, resolvers: resolvers(), public })
}

/// Addresses by which others may reach this host, those of the interface of the default route first; loopback and link-local ones are
/// left out.
///
/// # Errors
/// When the kernel does not answer.
pub async fn addresses() -> Result<Vec<IpAddr>, String> {
    let network = read(None).await?;
    let best = network.gateways.first().map(|gateway| &gateway.interface);
    let (first, others): (Vec<_>, Vec<_>) =
        network.interfaces.iter().filter(|interface| interface.up).partition(|interface| Some(&interface.name) == best);
    let text = first.into_iter().chain(others).flat_map(|interface| &interface.addresses);
    let parsed = text.filter_map(|text| text.split_once('/')?.0.parse::<IpAddr>().ok());
    Ok(parsed.filter(|address| is_reachable(*address)).collect())
}

const fn is_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

/// Asks the kernel, and gives up when it does not answer.
async fn with_kernel<T, F>(ask: impl FnOnce(Handle) -> F) -> Result<T, String>
where
    F: Future<Output = Result<T, rtnetlink::Error>>,
{
    let (connection, handle, _) =
        rtnetlink::new_connection().map_err(|error| format!("no socket to the kernel's routing tables: {error}"))?;
    let connection = tokio::spawn(connection);
    let answer = tokio::time::timeout(PATIENCE, ask(handle)).await;
    connection.abort();
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(format!("the kernel's routing tables cannot be read: {error}")),
        Err(_) => Err("the kernel does not tell its routing tables in time".to_owned()),
    }
}

async fn all<T>(answers: impl Stream<Item = Result<T, rtnetlink::Error>>) -> Result<Vec<T>, rtnetlink::Error> {
    answers.try_collect().await
}

fn interface(message: &LinkMessage) -> Option<(u32, Interface)> {
    let mut interface = Interface {
        name: Untrusted::new(""),
        index: message.header.index,
        mac: None,
        mtu: 0,
        up: message.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
        addresses: Vec::new(),
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name = Untrusted::new(name),
            LinkAttribute::Mtu(mtu) => interface.mtu = *mtu,
            LinkAttribute::Address(octets) => interface.mac = mac(octets),
            _ => {}
        }
    }
    (!interface.name.is_empty()).then_some((interface.index, interface))
}

/// An address of Ethernet; loopback has zeros, tunnels have something else.
fn mac(octets: &[u8]) -> Option<String> {
    let is_one = octets.len() == 6 && octets.iter().any(|octet| *octet != 0);
    is_one.then(|| octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":"))
}

/// Of a point-to-point interface the address is the peer's, and the local one is its own.
fn address(message: &AddressMessage) -> Option<IpAddr> {
    let local =
        message.attributes.iter().find_map(|a| if let AddressAttribute::Local(ip) = a { Some(*ip) } else { None });
    let other =
        || message.attributes.iter().find_map(|a| if let AddressAttribute::Address(ip) = a { Some(*ip) } else { None });
    local.or_else(other)
}

/// A route as the kernel has it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Found {
    destination: Option<IpAddr>,
    is_v6: bool,
    prefix: u8,
    gateway: Option<IpAddr>,
    interface: u32,
    metric: u32,
}

/// Routes of the main table.
#[derive(Debug, Default)]
struct Routes {
    found: Vec<Found>,
    count: u64,
}

impl Routes {
    fn add(&mut self, message: &RouteMessage) {
        let Some(found) = found(message) else { return };
        self.count += 1;
        // Default routes are never left out.
        if self.found.len() < MAX_ROUTES || found.prefix == 0 {
            self.found.push(found);
        }
    }

    fn named(mut self, interfaces: &BTreeMap<u32, Interface>) -> (Vec<Route>, Vec<Gateway>, u64) {
        self.found.sort_by_key(|route| (route.prefix != 0, route.metric));
        let name =
            |index| interfaces.get(&index).map_or_else(|| Untrusted::new(""), |interface| interface.name.clone());
        let gateway = |found: &Found| {
            let address = found.gateway.filter(|_| found.prefix == 0)?;
            Some(Gateway { address, interface: name(found.interface), metric: found.metric })
        };
        let gateways = self.found.iter().filter_map(gateway).collect();
        let route = |found: &Found| {
            let all = if found.is_v6 { "::" } else { "0.0.0.0" };
            let destination = found.destination.map_or_else(|| all.to_owned(), |address| address.to_string());
            Route {
                destination: format!("{destination}/{}", found.prefix),
                gateway: found.gateway,
                interface: name(found.interface),
                metric: found.metric,
            }
        };
        (self.found.iter().take(MAX_ROUTES).map(route).collect(), gateways, self.count)
    }
}

fn found(message: &RouteMessage) -> Option<Found> {
    let header = &message.header;
    let mut table = u32::from(header.table);
    let mut found = Found {
        destination: None,
        is_v6: header.address_family == rtnetlink::packet_route::AddressFamily::Inet6,
        prefix: header.destination_prefix_length,
        gateway: None,
        interface: 0,
        metric: 0,
    };
    let mut attributes: Vec<&RouteAttribute> = message.attributes.iter().collect();
    let hops = message
        .attributes
        .iter()
        .find_map(|a| if let RouteAttribute::MultiPath(hops) = a { hops.first() } else { None });
    if let Some(hop) = hops {
        found.interface = hop.interface_index;
        attributes.extend(&hop.attributes);
    }
    for attribute in attributes {
        match attribute {
            RouteAttribute::Table(id) => table = *id,
            RouteAttribute::Destination(address) => found.destination = ip(address),
            RouteAttribute::Gateway(address) => found.gateway = ip(address),
            RouteAttribute::Oif(index) => found.interface = *index,
            RouteAttribute::Priority(metric) => found.metric = *metric,
            _ => {}
        }
    }
    let is_main = table == u32::from(RouteHeader::RT_TABLE_MAIN) && header.kind == RouteType::Unicast;
    is_main.then_some(found)
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some((*v4).into()),
        RouteAddress::Inet6(v6) => Some((*v6).into()),
        _ => None,
    }
}

/// Name servers of resolv.conf(5).
fn resolvers() -> Vec<IpAddr> {
    resolvers_of(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
}

fn resolvers_of(text: &str) -> Vec<IpAddr> {
    let servers = text.lines().filter_map(|line| line.trim_start().strip_prefix("nameserver"));
    let addresses = servers.filter_map(|rest| rest.split_whitespace().next()?.split('%').next()?.parse().ok());
    addresses.take(MAX_RESOLVERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_read_and_comments_left_out() {
        let text =
            "# nameserver 192.0.2.1\nsearch example\nnameserver 192.0.2.2\nnameserver\tfe80::1%eth0\nnameserver x\n";
        assert_eq!(resolvers_of(text), ["192.0.2.2".parse::<IpAddr>().unwrap(), "fe80::1".parse().unwrap()]);
    }

    #[test]
    fn default_routes_come_first_with_their_gateways_and_other_tables_are_left_out() {
        let message = |table: u32, prefix: u8, attributes: Vec<RouteAttribute>| {
            let mut message = RouteMessageBuilder::<std::net::Ipv4Addr>::new().build();
            message.header.destination_prefix_length = prefix;
            message.header.kind = RouteType::Unicast;
            message.attributes = attributes;
            message.attributes.push(RouteAttribute::Table(table));
            message
        };
        let v4 = |text: &str| RouteAddress::Inet(text.parse().unwrap());
        let mut routes = Routes::default();
        routes.add(&message(254, 24, vec![RouteAttribute::Destination(v4("192.0.2.0")), RouteAttribute::Oif(2)]));
        routes.add(&message(255, 32, vec![RouteAttribute::Destination(v4("192.0.2.9"))]));
        let default =
            vec![RouteAttribute::Gateway(v4("192.0.2.1")), RouteAttribute::Oif(2), RouteAttribute::Priority(100)];
        routes.add(&message(254, 0, default));
        let eth0 = Interface { name: "eth0".into(), index: 2, mac: None, mtu: 1500, up: true, addresses: Vec::new() };
        let (routes, gateways, count) = routes.named(&BTreeMap::from([(2, eth0)]));
        let lines: Vec<String> =
            routes.iter().map(|r| format!("{} {:?} {}", r.destination, r.gateway, r.interface)).collect();
        assert_eq!(lines, ["0.0.0.0/0 Some(192.0.2.1) eth0", "192.0.2.0/24 None eth0"]);
        assert_eq!((gateways.len(), gateways[0].metric, count), (1, 100, 2));
    }

    #[test]
    fn hardware_addresses_are_those_of_ethernet() {
        assert_eq!(mac(&[0, 0x1c, 0x42, 0, 0, 8]).as_deref(), Some("00:1c:42:00:00:08"));
        assert_eq!((mac(&[0; 6]), mac(&[1, 2, 3, 4])), (None, None));
    }
}
