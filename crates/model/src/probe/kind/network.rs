//! The network of an agent's host: interfaces, addresses, routes, gateways, and the address from which it is seen outside.
//!
//! Each agent reads it of itself, every ten minutes and when something changes; nobody makes a probe of it. The public address is what
//! the server sees of the agent, so that a site without the Internet needs no outside service.
//!
//! Limits: [`MAX_INTERFACES`] interfaces, [`MAX_ADDRESSES`] addresses of each, [`MAX_ROUTES`] routes of the main table; the rest is left
//! out and counted.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::Untrusted;
use crate::probe::metric::{Measure, ProbeMetric as M};

/// Most interfaces of a reading.
pub const MAX_INTERFACES: usize = 128;
/// Most addresses of an interface.
pub const MAX_ADDRESSES: usize = 32;
/// Most routes of a reading.
pub const MAX_ROUTES: usize = 512;

/// All that there is to know of readings of the network.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "network",
    help: "The network of the agent's host: interfaces, addresses, routes, gateways, public address",
    target: TargetForm::Own,
    interval: 600.0,
    least_interval: 10.0,
    timeout: 10.0,
    count: 1,
    spacing: 0.0,
    options: &[],
    metrics: &[M::HostInterfacesUp, M::HostRoutes],
};

/// The network of an agent's host.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct NetworkInformation {
    /// Its interfaces, in the system's order.
    pub interfaces: Vec<Interface>,
    /// Routes of the main table.
    pub routes: Vec<Route>,
    /// Routes of the main table, with those that are left out.
    pub route_count: u64,
    /// Next hops of default routes, best first.
    pub gateways: Vec<Gateway>,
    /// Name servers of the system's resolver.
    #[schema(value_type = Vec<String>)]
    pub resolvers: Vec<IpAddr>,
    /// How the server sees the agent; absent until it has said so, and for the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicAddress>,
}

/// An interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = HostInterface)]
pub struct Interface {
    /// Its name.
    #[schema(value_type = String)]
    pub name: Untrusted,
    /// The system's number of it.
    pub index: u32,
    /// Its hardware address, `00:1c:42:00:00:08`; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Octets of the largest packet.
    pub mtu: u32,
    /// Whether it is set up and has a carrier.
    pub up: bool,
    /// Its addresses with the length of their prefix, `192.0.2.1/24`.
    pub addresses: Vec<String>,
}

/// A route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = HostRoute)]
pub struct Route {
    /// Where to, `0.0.0.0/0` for the default.
    pub destination: String,
    /// The next hop; absent for what is on the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub gateway: Option<IpAddr>,
    /// The name of the interface.
    #[schema(value_type = String)]
    pub interface: Untrusted,
    /// The smaller, the better.
    pub metric: u32,
}

/// The next hop of a default route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = HostGateway)]
pub struct Gateway {
    /// Its address.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// The name of the interface behind which it is.
    #[schema(value_type = String)]
    pub interface: Untrusted,
    /// The smaller, the better.
    pub metric: u32,
}

/// How the server sees an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PublicAddress {
    /// The address that the session comes from.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// From reverse DNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub name: Option<Untrusted>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub country: Option<Untrusted>,
    /// The autonomous system that announces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// Whose that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub organisation: Option<Untrusted>,
}

impl NetworkInformation {
    #[expect(clippy::cast_precision_loss, reason = "interfaces and routes are far below 2^53")]
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        let up = self.interfaces.iter().filter(|interface| interface.up).count();
        out.push(Measure::new(M::HostInterfacesUp, up as f64));
        out.push(Measure::new(M::HostRoutes, self.route_count as f64));
    }
}
