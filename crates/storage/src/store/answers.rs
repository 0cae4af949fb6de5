//! The port, as the store in files answers it.

use std::net::IpAddr;
use std::sync::PoisonError;

use duckdb::Connection;
use netwatch_model::people::WorkspaceId;
use netwatch_model::{Batch, Timestamp};

use super::DuckStore;
use crate::config::StoreLimits;
use crate::duck::ask::{ask, tells_of_damage};
use crate::duck::{chart, explore, lists, series};
use crate::error::StoreError;
use crate::lookup::{AddressFacts, Ranges};
use crate::partition::{Kind, Span};
use crate::port::{
    BucketQuery, Buckets, Budget, Chart, Completion, EventPage, EventQuery, Explore, Explored, FlowPage, FlowQuery,
    Group, Resolution, ResultPage, ResultQuery, SeriesPage, SeriesQuery, SeriesSearch, Taken, TelemetryStore, Upkeep,
    Usage, Wanted, Whereabouts,
};
use crate::tenant::{Tenant, lock};

impl DuckStore {
    /// Answers from a workspace's files; nothing where there are none.
    fn answer<T>(
        &self,
        workspace: WorkspaceId,
        kinds: &[Kind],
        span: Span,
        budget: &Budget,
        nothing: impl FnOnce() -> T,
        work: impl FnOnce(&Tenant, &Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.freshen(span.to);
        let open = self.inner();
        let Some(tenant) = open.tenant(workspace) else { return Ok(nothing()) };
        let result = ask(&open.engine, budget, |connection| work(&tenant, connection));
        // Who opens everything anew holds the intake and waits for this.
        drop(open);
        if let Err(e) = &result
            && tells_of_damage(e)
        {
            let (from, to) = span.millis();
            let files = kinds.iter().flat_map(|k| tenant.files.within(*k, from, to));
            lock(&self.intake).suspects.extend(files.map(|p| tenant.files.path(p)));
        }
        result
    }
}

impl TelemetryStore for DuckStore {
    fn replay_after(&self) -> u64 {
        self.stored()
    }

    fn append(&self, workspace: WorkspaceId, position: u64, batch: Batch, now: Timestamp) -> Result<Taken, StoreError> {
        self.take(workspace, position, batch, now)
    }

    fn flush(&self, _now: Timestamp) -> Result<(), StoreError> {
        self.write()
    }

    fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (position, events) = self.reopen(now)?;
        lock(&self.news).extend(events);
        Ok(position)
    }

    fn wants_recovery(&self) -> bool {
        let intake = lock(&self.intake);
        intake.broken || !intake.suspects.is_empty()
    }

    fn upkeep(&self, now: Timestamp) -> Result<Upkeep, StoreError> {
        self.keep_up(now)
    }

    fn chart(&self, workspace: WorkspaceId, query: &SeriesQuery, budget: &Budget) -> Result<Chart, StoreError> {
        let kinds = [Kind::Samples, Kind::SampleMinutes, Kind::SampleHours];
        let nothing = || Chart {
            from: query.span.from,
            step: query.step,
            resolution: Resolution::Raw,
            lines: Vec::new(),
            more: false,
            partial_first: false,
            partial_last: false,
        };
        self.answer(workspace, &kinds, query.span, budget, nothing, |tenant, from| {
            chart::chart(tenant, from, query, budget)
        })
    }

    fn buckets(&self, workspace: WorkspaceId, query: &BucketQuery, budget: &Budget) -> Result<Buckets, StoreError> {
        let kinds = [Kind::SampleMinutes, Kind::SampleHours];
        self.answer(workspace, &kinds, query.span, budget, Buckets::default, |tenant, from| {
            chart::buckets::buckets(tenant, from, query, budget)
        })
    }

    fn search(&self, workspace: WorkspaceId, search: &SeriesSearch) -> Result<SeriesPage, StoreError> {
        let tenant = self.inner().tenant(workspace);
        Ok(tenant.map_or_else(|| SeriesPage { series: Vec::new(), next: None }, |t| series::search(&t, search)))
    }

    fn complete(&self, workspace: WorkspaceId, wanted: &Wanted, limit: usize) -> Result<Completion, StoreError> {
        let tenant = self.inner().tenant(workspace);
        let nothing = || Completion { values: Vec::new(), more: false };
        Ok(tenant.map_or_else(nothing, |t| series::complete(&t, wanted, limit)))
    }

    fn explore(&self, workspace: WorkspaceId, query: &Explore, budget: &Budget) -> Result<Explored, StoreError> {
        let kinds = [Kind::Flows, Kind::FlowMinutes, Kind::FlowHours];
        self.answer(
            workspace,
            &kinds,
            query.span,
            budget,
            || unexplored(query),
            |tenant, from| explore::explore(tenant, &self.lookups.of(workspace), from, query, budget),
        )
    }

    fn flows(&self, workspace: WorkspaceId, query: &FlowQuery, budget: &Budget) -> Result<FlowPage, StoreError> {
        let nothing = || FlowPage { flows: Vec::new(), next: None };
        self.answer(workspace, &[Kind::Flows], query.span, budget, nothing, |tenant, from| {
            lists::flows(tenant, from, query, budget)
        })
    }

    fn events(&self, workspace: WorkspaceId, query: &EventQuery, budget: &Budget) -> Result<EventPage, StoreError> {
        let nothing = || EventPage { events: Vec::new(), next: None };
        self.answer(workspace, &[Kind::Events], query.span, budget, nothing, |tenant, from| {
            lists::events(tenant, from, query, budget)
        })
    }

    fn results(&self, workspace: WorkspaceId, query: &ResultQuery, budget: &Budget) -> Result<ResultPage, StoreError> {
        let nothing = || ResultPage { results: Vec::new(), next: None };
        self.answer(workspace, &[Kind::ProbeResults], query.span, budget, nothing, |tenant, from| {
            lists::results(tenant, from, query, budget)
        })
    }

    fn limits(&self) -> StoreLimits {
        self.limits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_limits(&self, limits: StoreLimits) {
        self.disk.set_marks(limits.watermarks);
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    fn name_ranges(&self, workspace: WorkspaceId, ranges: Option<Ranges>) {
        self.lookups.name_ranges(workspace, ranges);
    }

    fn facts(&self, workspace: WorkspaceId, addresses: &[IpAddr]) -> Vec<AddressFacts> {
        let known = self.lookups.of(workspace);
        addresses.iter().map(|address| known.facts(*address)).collect()
    }

    fn whereabouts(&self, address: IpAddr) -> Whereabouts {
        self.lookups.whereabouts(address)
    }

    fn usage(&self, workspace: Option<WorkspaceId>) -> Usage {
        let open = self.inner();
        match workspace {
            None => self.usage_of(&open.tenants()),
            Some(workspace) => self.usage_of(open.tenant(workspace).as_slice()),
        }
    }
}

/// The answer of a workspace that never had a flow.
fn unexplored(query: &Explore) -> Explored {
    let empty = Group {
        key: Vec::new(),
        total: 0,
        octets_in: 0,
        octets_out: 0,
        points: Vec::new(),
        points_in: Vec::new(),
        points_out: Vec::new(),
        summary: None,
        previous: query.previous.then_some(0),
    };
    Explored {
        from: query.span.from,
        to: query.span.to,
        step: None,
        resolution: Resolution::Raw,
        groups: Vec::new(),
        other: empty.clone(),
        total: empty,
        observed: Vec::new(),
        previous: Vec::new(),
        edges: Vec::new(),
        short_by: 0,
        partial_first: false,
        partial_last: false,
    }
}
