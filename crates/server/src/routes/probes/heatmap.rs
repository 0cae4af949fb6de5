//! `GET /api/v1/probes/{probe}/heatmap`: delays over time by size, with loss and percentiles.
//!
//! Made of results as long as there are not too many, of rollups of one delay of each run otherwise.
//!
//! Limits: [`MOST_RESULTS`] results, [`MOST_STEPS`] steps.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Extension;
use axum::extract::Path;
use axum::response::Response;
use netwatch_api::probe::{HeatSource, Heatmap, HeatmapQuery};
use netwatch_model::people::{ProbeId, WorkspaceId};
use netwatch_model::probe::{Probe, ProbeMetric};
use netwatch_model::{AgentId, Label, Timestamp};
use netwatch_storage::{
    BucketLine, BucketQuery, Budget, Resolution, ResultQuery, SeriesKey, Span, StoreError, TelemetryStore,
};

use super::agent;
use crate::access::Identity;
use crate::app::App;
use crate::fault::Fault;
use crate::history::{json, workspace};
use crate::params::{self, Params};
use crate::probes::heat::{QUANTILES, Step, map};
use crate::routes::manage::asker::{Asker, ask, id};

const MOST_RESULTS: usize = 20_000;
const MOST_STEPS: u64 = 1000;
/// Steps unless asked otherwise.
const STEPS: u64 = 200;
/// Lengths that steps have unless asked otherwise, in seconds.
const LENGTHS: [u64; 18] =
    [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 604_800];
/// Series of one delay, one for each pair of agent and target.
const MOST_SERIES: usize = 300;
const DAY: Duration = Duration::from_secs(86_400);

/// Delays of a probe over time, by size
#[utoipa::path(
    get, path = "/api/v1/probes/{probe}/heatmap", operation_id = "get_probe_heatmap", tag = "probes",
    params(("probe" = String, Path, description = "Id of the probe"), HeatmapQuery),
    responses((status = 200, description = "Counts, percentiles and loss of each step", body = Heatmap))
)]
pub(super) async fn show(
    app: App,
    asker: Asker,
    Extension(identity): Extension<Identity>,
    Path(text): Path<String>,
    Params(query): Params<HeatmapQuery>,
) -> Result<Response, Fault> {
    let (own, probe) = (asker.workspace()?, id::<ProbeId>(&text, "probe")?);
    let probe = ask(&app, move |tx| Ok(tx.get::<Probe>(own, probe)?.value)).await?;
    let now = app.now();
    let range = params::range(query.from.as_deref(), query.to.as_deref(), now, now - DAY)?;
    let steps = Steps::new(Span { from: range.from, to: range.to }, query.step, probe.spec.interval)?;
    let agent = query.agent.as_deref().map(agent).transpose()?;
    let of = Of { workspace: workspace(&app, &identity), probe, agent };
    json(&app.ask_history(move |store, budget| of.ask(store, &steps, budget)).await?)
}

/// Whose delays.
struct Of {
    workspace: WorkspaceId,
    probe: Probe,
    agent: Option<AgentId>,
}

impl Of {
    fn ask(&self, store: &dyn TelemetryStore, steps: &Steps, budget: &Budget) -> Result<Heatmap, StoreError> {
        let mut columns = vec![Step::default(); steps.count];
        let source = match self.results(store, steps, &mut columns, budget)? {
            Some(source) => source,
            None => {
                columns = vec![Step::default(); steps.count];
                self.rollups(store, steps, &mut columns, budget)?;
                HeatSource::Rollups
            }
        };
        let (bounds, shown) = map(columns);
        Ok(Heatmap {
            from: Timestamp::from_secs(steps.from),
            step: float(steps.length.unsigned_abs()),
            source,
            bounds,
            quantiles: QUANTILES.to_vec(),
            steps: shown,
        })
    }

    /// From results; `None` when there are too many.
    fn results(
        &self,
        store: &dyn TelemetryStore,
        steps: &Steps,
        columns: &mut [Step],
        budget: &Budget,
    ) -> Result<Option<HeatSource>, StoreError> {
        let expected = steps.span.to.since(steps.span.from).as_secs_f64() / self.probe.spec.interval;
        if expected > float(MOST_RESULTS as u64) {
            return Ok(None);
        }
        let query = ResultQuery {
            span: steps.span,
            probe: Some(self.probe.id),
            agent: self.agent,
            kind: Some(self.probe.spec.kind),
            failed: false,
            limit: MOST_RESULTS,
            after: None,
        };
        let page = store.results(self.workspace, &query, budget)?;
        let mut has_packets = false;
        for result in &page.results {
            if let Some(column) = steps.index(result.start).and_then(|index| columns.get_mut(index)) {
                has_packets |= column.add(result);
            }
        }
        let source = if has_packets { HeatSource::Packets } else { HeatSource::Runs };
        Ok(page.next.is_none().then_some(source))
    }

    fn rollups(
        &self,
        store: &dyn TelemetryStore,
        steps: &Steps,
        columns: &mut [Step],
        budget: &Budget,
    ) -> Result<(), StoreError> {
        let metrics = self.probe.spec.kind.descriptor().metrics;
        let has = |metric: &ProbeMetric| metrics.contains(metric);
        let times = [ProbeMetric::RttMedian, ProbeMetric::Connect, ProbeMetric::QueryTime, ProbeMetric::TlsHandshake];
        let time = times.into_iter().find(has).unwrap_or(ProbeMetric::Duration).name();
        let loss = if has(&ProbeMetric::Loss) { ProbeMetric::Loss } else { ProbeMetric::Success }.name();
        let query = BucketQuery {
            metrics: vec![time.to_owned(), loss.to_owned()],
            label: "probe".to_owned(),
            values: BTreeSet::from([self.probe.id.to_string()]),
            span: steps.span,
            finest: Resolution::Minute,
            limit: MOST_SERIES,
        };
        let wanted = |line: &BucketLine| {
            label(&line.key, "kind").as_deref() == Some(self.probe.spec.kind.name())
                && self.agent.is_none_or(|agent| agent_of(&line.key) == agent.to_string())
        };
        for line in store.buckets(self.workspace, &query, budget)?.lines.iter().filter(|line| wanted(line)) {
            let is_time = line.key.metric() == time;
            for bucket in &line.buckets {
                let Some(column) = steps.index(bucket.first).and_then(|index| columns.get_mut(index)) else { continue };
                let mean = bucket.sum / float(bucket.count);
                if is_time {
                    column.delay(mean);
                } else {
                    let loss = if loss == ProbeMetric::Success.name() { 1.0 - mean } else { mean };
                    column.count(loss, u32::try_from(bucket.count).unwrap_or(u32::MAX));
                }
            }
        }
        Ok(())
    }
}

/// Steps that cover a span; they begin at multiples of their length since the epoch.
struct Steps {
    span: Span,
    from: i64,
    length: i64,
    count: usize,
}

impl Steps {
    fn new(span: Span, step: Option<u32>, interval: f64) -> Result<Self, Fault> {
        let seconds = span.to.since(span.from).as_secs();
        let fits = |length: &u64| seconds <= STEPS * length && float(*length) >= interval;
        let usual = LENGTHS.into_iter().find(fits).unwrap_or(DAY.as_secs() * 31);
        let length = match step {
            Some(step) => params::bounded("step", step, 1, 2_678_400)?.into(),
            None => usual,
        };
        let whole = i64::try_from(length).unwrap_or(i64::MAX);
        let from = span.from.secs().div_euclid(whole) * whole;
        let count = (span.to.secs() - from).unsigned_abs() / length + 1;
        if count > MOST_STEPS + 1 {
            let detail = format!("{count} steps: ask for at most {MOST_STEPS}, by a longer `step` or a shorter range");
            return Err(Fault::parameter("step", detail));
        }
        Ok(Self { span, from, length: whole, count: usize::try_from(count).unwrap_or(1) })
    }

    fn index(&self, time: Timestamp) -> Option<usize> {
        usize::try_from((time.secs() - self.from).div_euclid(self.length)).ok()
    }
}

fn label(key: &SeriesKey, wanted: &str) -> Option<String> {
    key.series.labels.iter().find_map(|label| match label {
        Label::Other(name, value) if &**name == wanted => Some(value.raw().to_owned()),
        _ => None,
    })
}

fn agent_of(key: &SeriesKey) -> String {
    label(key, "agent").unwrap_or_else(|| key.agent.to_string())
}

#[expect(clippy::cast_precision_loss, reason = "counts and seconds are far below 2^53")]
const fn float(number: u64) -> f64 {
    number as f64
}
