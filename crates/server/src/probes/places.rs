//! Where hops are: what the lookups of the store know of their addresses, added when somebody asks.
//!
//! Agents do not look this up: a new file of the server applies to old traces, too. What an agent did find out stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use netwatch_api::probe::map::{MapSystem, NetworkMap};
use netwatch_model::people::WorkspaceId;
use netwatch_model::probe::ProbeResult;
use netwatch_model::probe::kind::Detail;
use netwatch_model::probe::kind::mtr::Hop;
use netwatch_storage::{AddressFacts, TelemetryStore};

use crate::app::App;

/// What is known of each address.
pub(crate) type Places = HashMap<IpAddr, AddressFacts>;

impl App {
    /// What is known of these addresses in a workspace of the store; nothing where there is no store.
    pub(crate) fn places(&self, workspace: WorkspaceId, addresses: impl Iterator<Item = IpAddr>) -> Places {
        self.history().get().map_or_else(|_| Places::new(), |store| places(&*store, workspace, addresses))
    }
}

/// What a store knows of these addresses. Takes microseconds each.
pub(crate) fn places(
    store: &dyn TelemetryStore,
    workspace: WorkspaceId,
    addresses: impl Iterator<Item = IpAddr>,
) -> Places {
    let distinct: Vec<IpAddr> = addresses.collect::<BTreeSet<_>>().into_iter().collect();
    let facts = store.facts(workspace, &distinct);
    distinct.into_iter().zip(facts).collect()
}

/// The addresses of the hops of a trace.
pub(crate) fn addresses_of(result: &ProbeResult) -> impl Iterator<Item = IpAddr> {
    let trace = if let Some(Detail::Mtr(trace)) = &result.detail { Some(trace) } else { None };
    trace.into_iter().flat_map(|trace| &trace.paths).flat_map(|path| &path.hops).filter_map(|hop| hop.address)
}

/// Tells each hop of a trace its autonomous system.
pub(crate) fn locate(result: &mut ProbeResult, places: &Places) {
    let Some(Detail::Mtr(trace)) = &mut result.detail else { return };
    trace.paths.iter_mut().flat_map(|path| &mut path.hops).for_each(|hop| locate_hop(hop, places));
}

fn locate_hop(hop: &mut Hop, places: &Places) {
    let Some(facts) = hop.address.and_then(|address| places.get(&address)) else { return };
    if facts.asn.is_some() {
        (hop.asn, hop.organization) = (facts.asn, facts.organization.clone());
    }
}

/// The addresses of the nodes of a map.
pub(crate) fn addresses_on(map: &NetworkMap) -> impl Iterator<Item = IpAddr> {
    map.nodes.iter().filter_map(|node| node.address.as_ref()?.parse().ok())
}

/// Tells each node of a map its autonomous system and network.
pub(crate) fn locate_nodes(map: &mut NetworkMap, places: &Places) {
    let mut systems: BTreeMap<u32, Option<String>> = BTreeMap::new();
    for node in &mut map.nodes {
        let facts = node.address.as_ref().and_then(|text| text.parse().ok()).and_then(|address| places.get(&address));
        if let Some(facts) = facts {
            node.asn = facts.asn.or(node.asn);
            node.network = facts.network.as_ref().map(ToString::to_string);
        }
        if let Some(asn) = node.asn {
            let name = facts.and_then(|facts| facts.organization.as_ref()).map(ToString::to_string);
            let known = systems.entry(asn).or_default();
            *known = known.take().or(name);
        }
    }
    map.systems = systems.into_iter().map(|(asn, name)| MapSystem { asn, name }).collect();
}
