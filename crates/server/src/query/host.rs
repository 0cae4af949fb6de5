//! One host: what it carried, with whom, by which services.

use std::net::IpAddr;

use netwatch_api::host::Host;
use netwatch_api::traffic::{Dimension, TopSort};
use netwatch_model::Timestamp;
use netwatch_model::filter::{Condition, Expr, Field, Filter, Network, Test};

use super::label::{Label, talker};
use super::range::Span;
use super::scan::Scan;
use super::sums::Summing;
use super::top::{Ranking, flow_ranking};
use super::{LiveStore, TimeRange};
use crate::store::{Key, View};

/// Peers, ports and applications told.
const MOST: usize = 20;
/// Names told.
const MOST_NAMES: usize = 50;

/// A host in a view.
struct Asked<'a> {
    store: &'a LiveStore,
    view: &'a View,
    span: Span,
    address: IpAddr,
    /// Seen in tunnels only: then inner flows are its only ones, and nothing counts twice.
    inner: bool,
}

impl LiveStore {
    /// One host; none when no flow of it is kept in that range.
    #[must_use]
    pub fn host(&self, address: IpAddr, range: TimeRange, now: Timestamp) -> Option<Host> {
        let view = self.view(now);
        let span = Span::of(range, now);
        let mut asked = Asked { store: self, view: &view, span, address, inner: false };
        asked.tell().or_else(|| {
            asked.inner = true;
            asked.tell()
        })
    }
}

impl Asked<'_> {
    fn tell(&self) -> Option<Host> {
        let either = selecting(Field::Host, self.address);
        let mut hosts = self.ranking(&either, Dimension::Host);
        let own = hosts.rows.iter().position(|(key, ..)| *key == Key::Host(self.address))?;
        let (key, tally, flows) = hosts.rows.swap_remove(own);
        let seen = self.seen(&either);
        let list = |ranking: Ranking, by| ranking.top(by, MOST, self.view).items;
        Some(Host {
            address: self.address.to_string(),
            names: self.names(),
            local: self.address.is_loopback() || (tally.octets > 0 && tally.ways == hosts.total.ways),
            first_seen: seen.map(|(first, _)| first),
            last_seen: seen.map(|(_, last)| last),
            total: talker(Label::of(Dimension::Host, key, self.view.words()), &tally, flows),
            peers: list(hosts, Dimension::Host),
            ports: list(self.ranking(&either, Dimension::Port), Dimension::Port),
            applications: list(self.ranking(&either, Dimension::Application), Dimension::Application),
        })
    }

    /// Names of the service at that address, as initiators asked for it, those with most octets first.
    fn names(&self) -> Vec<String> {
        let ranking = self.ranking(&selecting(Field::Destination, self.address), Dimension::Name);
        let rows = ranking.rows.iter().take(MOST_NAMES);
        rows.map(|(key, ..)| Label::of(Dimension::Name, *key, self.view.words()).label).collect()
    }

    fn ranking(&self, filter: &Filter, by: Dimension) -> Ranking {
        let mut ranking = flow_ranking(&self.summing(filter, by));
        ranking.sort(TopSort::Bytes);
        ranking
    }

    fn summing<'b>(&'b self, filter: &'b Filter, by: Dimension) -> Summing<'b> {
        Summing::new(Scan::new(self.view, self.store.desk(), self.span, Some(filter)), by, self.inner)
    }

    /// First and last packet.
    fn seen(&self, filter: &Filter) -> Option<(Timestamp, Timestamp)> {
        let mut seen: Option<(Timestamp, Timestamp)> = None;
        self.summing(filter, Dimension::Host).rows(|_, volume| {
            let (first, last) = seen.unwrap_or((volume.start, volume.end));
            seen = Some((first.min(volume.start), last.max(volume.end)));
        });
        seen
    }
}

fn selecting(field: Field, address: IpAddr) -> Filter {
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let networks = Network::new(address, bits).into_iter().collect();
    Filter::from(Expr::Test(Test { field, negated: false, condition: Condition::Networks(networks) }))
}
