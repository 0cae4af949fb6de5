//! `GET /api/v1/probes/{probe}/uptime` and `GET /api/v1/uptime`: how long probes were up in a period.
//!
//! One probe is told by the minute as far as minutes are kept; a list by the minute when it is short, by the hour otherwise. Each answer
//! says which.
//!
//! Limits: [`MOST_OUTAGES`] outages of one probe; 100 probes of a page; a list of more than [`MOST_MINUTE_DAYS`] days of all its probes
//! together goes by the hour.

use std::time::Duration;

use axum::Extension;
use axum::extract::{OriginalUri, Path};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use jiff::tz::TimeZone;
use netwatch_api::page::Page;
use netwatch_api::uptime::{
    AgentUptime, ErrorBudget, Outage, Uptime, UptimePart, UptimePeriod, UptimeQuery, UptimeSeconds, UptimesQuery,
};
use netwatch_entities::{Reading, StoreError};
use netwatch_model::Timestamp;
use netwatch_model::people::{ProbeId, WorkspaceId};
use netwatch_model::probe::maintenance::zone_of;
use netwatch_model::probe::{Maintenance, Probe};
use netwatch_storage::Resolution;

use crate::access::Identity;
use crate::app::App;
use crate::csv::{self, Csv};
use crate::fault::Fault;
use crate::history::{json, workspace};
use crate::page::Pager;
use crate::params::{self, Params};
use crate::probes::uptime::ask::{Asked, ByAgent, Known, runs};
use crate::probes::uptime::periods::Calendar;
use crate::probes::uptime::{Entry, Ledger, Seconds, Segment, Sums, joined, quorum, timeline};
use crate::routes::manage::asker::{Asker, ask, id};
use crate::routes::manage::maintenance;
use crate::routes::manage::probes::Filter;

const MOST_OUTAGES: usize = 100;
/// Days times probes of a list that is told by the minute.
const MOST_MINUTE_DAYS: i64 = 350;
const DAY: i64 = 86_400;

/// How long a probe was up
///
/// Each second of the period is up, degraded, down, maintenance or unknown.
#[utoipa::path(
    get, path = "/api/v1/probes/{probe}/uptime", operation_id = "get_probe_uptime", tag = "probes",
    params(("probe" = String, Path, description = "Id of the probe"), UptimeQuery),
    responses((status = 200, description = "The period, its parts, its outages", body = Uptime))
)]
pub(super) async fn one(
    app: App,
    asker: Asker,
    Extension(identity): Extension<Identity>,
    Path(text): Path<String>,
    Params(query): Params<UptimeQuery>,
) -> Result<Response, Fault> {
    let (own, probe) = (asker.workspace()?, id::<ProbeId>(&text, "probe")?);
    let time = Time::new(query.period, query.at.as_deref(), query.zone.as_deref(), app.now())?;
    let (probe, windows) = ask(&app, move |tx| {
        let probe = tx.get::<Probe>(own, probe)?.value;
        Ok((probe, windows(tx, own)?))
    })
    .await?;
    let place = workspace(&app, &identity);
    let answer = app.ask_history(move |store, budget| {
        let known = runs(store, &time.asked(place, std::slice::from_ref(&probe), Resolution::Minute), budget)?;
        Ok(time.uptime(&probe, &windows, &known, true))
    });
    json(&answer.await?)
}

/// How long probes were up
///
/// As CSV: one line for each probe with its seconds.
#[utoipa::path(
    get, path = "/api/v1/uptime", operation_id = "list_uptime", tag = "probes", params(UptimesQuery),
    responses((status = 200, description = "A page of probes, by name",
               content((Page<Uptime> = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn list(
    app: App,
    asker: Asker,
    Extension(identity): Extension<Identity>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Params(query): Params<UptimesQuery>,
) -> Result<Response, Fault> {
    let own = asker.workspace()?;
    let time = Time::new(query.period, query.at.as_deref(), query.zone.as_deref(), app.now())?;
    let filter = Filter::new(query.kind.as_deref(), query.label.as_deref())?;
    let question = (own, &query.search, &query.kind, &query.label, query.objective);
    let pager = Pager::new("uptime", &question)?;
    let after: Option<(String, String)> = pager.after(query.cursor.as_deref())?;
    let limit = params::limit(query.limit, 25, 100)?;
    let (search, wants_objective) = (query.search.map(|text| text.to_lowercase()), query.objective);
    let (page, windows) = ask(&app, move |tx| {
        let fits = |probe: &Probe| {
            let text = format!("{} {}", probe.name, probe.spec.target).to_lowercase();
            filter.fits(probe)
                && search.as_ref().is_none_or(|wanted| text.contains(wanted))
                && wants_objective.is_none_or(|wanted| wanted == probe.objective.is_some())
        };
        let mut probes = maintenance::all_probes(tx, own)?;
        probes.retain(|probe| fits(probe) && after.as_ref().is_none_or(|after| key(probe) > *after));
        probes.sort_by_cached_key(key);
        Ok((pager.page(probes, limit, key)?, windows(tx, own)?))
    })
    .await?;
    let place = workspace(&app, &identity);
    let Page { items: probes, next_cursor } = page;
    let items = app.ask_history(move |store, budget| {
        let days = (time.calendar.whole.1 - time.calendar.whole.0) / DAY * i64::try_from(probes.len()).unwrap_or(1);
        let finest = if days > MOST_MINUTE_DAYS { Resolution::Hour } else { Resolution::Minute };
        let known = runs(store, &time.asked(place, &probes, finest), budget)?;
        Ok(probes.iter().map(|probe| time.uptime(probe, &windows, &known, false)).collect::<Vec<_>>())
    });
    let page = Page { items: items.await?, next_cursor };
    if csv::wanted(query.format, &headers) {
        return Ok(Csv::uptimes(&page.items).next_page(&uri, page.next_cursor.as_deref()).into_response());
    }
    json(&page)
}

fn key(probe: &Probe) -> (String, String) {
    (probe.name.as_str().to_lowercase(), probe.id.to_string())
}

fn windows(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<Maintenance>, StoreError> {
    Ok(maintenance::all(tx, workspace)?.into_iter().map(|stored| stored.value).collect())
}

/// The time that is asked for.
struct Time {
    period: UptimePeriod,
    zone: String,
    calendar: Calendar,
    /// The first second that is not told.
    until: i64,
}

impl Time {
    fn new(period: Option<UptimePeriod>, at: Option<&str>, zone: Option<&str>, now: Timestamp) -> Result<Self, Fault> {
        let (period, zone) = (period.unwrap_or_default(), zone.unwrap_or("UTC"));
        let found: TimeZone = zone_of(zone).map_err(|error| Fault::parameter("zone", error.to_string()))?;
        let at = at.map_or(Ok(now), |text| params::moment("at", text, now))?.min(now);
        let outside = || Fault::parameter("at", "this time is outside of the calendar");
        let calendar = Calendar::new(period, at.secs(), now.secs(), &found).ok_or_else(outside)?;
        // A period that is over is told to its end, the present one until now.
        let until = calendar.whole.1.min(now.secs());
        Ok(Self { period, zone: zone.to_owned(), calendar, until })
    }

    fn asked(&self, workspace: WorkspaceId, probes: &[Probe], finest: Resolution) -> Asked {
        let longest = probes.iter().map(|probe| probe.spec.interval).fold(1.0, f64::max);
        Asked {
            workspace,
            probes: probes.iter().map(|probe| (probe.id, probe.spec.kind)).collect(),
            span: (self.calendar.whole.0, self.until),
            interval: Duration::try_from_secs_f64(longest).unwrap_or(Duration::from_secs(DAY.unsigned_abs())),
            finest,
        }
    }

    fn uptime(&self, probe: &Probe, windows: &[Maintenance], known: &Known, is_whole: bool) -> Uptime {
        let span = (self.calendar.whole.0, self.until);
        let none = ByAgent::new();
        let agents = self.agents(probe, known.probes.get(&probe.id).unwrap_or(&none));
        let windows = joined(occurrences(probe, windows, self.calendar.whole));
        let lines: Vec<Vec<Segment>> = agents.iter().map(|(_, segments)| segments.clone()).collect();
        let ledger = Ledger::new(&quorum::agreed(&lines, probe.quorum), &windows);
        let total = ledger.sums(span);
        let seen = agents.iter().map(|(agent, segments)| AgentUptime {
            agent: (*agent).to_owned(),
            seconds: seconds(&Ledger::new(segments, &windows).sums(span)),
        });
        let (outages, more_outages) = if is_whole { ledger.outages(span, MOST_OUTAGES) } else { (Vec::new(), false) };
        Uptime {
            probe: probe.id,
            name: probe.name.to_string(),
            kind: probe.spec.kind,
            target: probe.spec.target.clone(),
            period: self.period,
            zone: self.zone.clone(),
            from: Timestamp::from_secs(span.0),
            to: Timestamp::from_secs(span.1),
            until: Timestamp::from_secs(self.calendar.whole.1),
            minutes_from: known.minutes_from,
            quorum: probe.quorum,
            total: seconds(&total),
            parts: self.calendar.parts.iter().map(|part| told(*part, &ledger.sums(*part))).collect(),
            budget: probe.objective.map(|objective| self.budget(objective, &total, &windows)),
            agents: if is_whole { seen.collect() } else { Vec::new() },
            outages: outages.iter().map(outage).collect(),
            more_outages,
        }
    }

    fn agents<'a>(&self, probe: &Probe, agents: &'a ByAgent) -> Vec<(&'a str, Vec<Segment>)> {
        #[expect(clippy::cast_possible_truncation, reason = "at most a day")]
        let interval = (probe.spec.interval * 1000.0) as i64;
        let span = (self.calendar.whole.0, self.until);
        let segments = |runs| timeline::segments(runs, interval, span);
        agents.iter().map(|(agent, runs)| (agent.as_str(), segments(runs))).collect()
    }

    /// Of the whole period, also of what is still to come, less its maintenance.
    #[expect(clippy::cast_precision_loss, reason = "seconds of years are far below 2^53")]
    fn budget(&self, objective: f64, total: &Sums, windows: &[Seconds]) -> ErrorBudget {
        let (from, to) = self.calendar.whole;
        let planned: i64 = windows.iter().map(|window| window.1.min(to) - window.0.max(from)).sum();
        // To the millisecond: 1 − 0.99 is not 0.01.
        let allowed = ((1.0 - objective) * (to - from - planned) as f64 * 1000.0).round() / 1000.0;
        ErrorBudget {
            objective,
            allowed,
            left: allowed - total.down as f64,
            met: total.availability().map(|share| share >= objective),
        }
    }
}

/// The windows of a probe that touch a span.
fn occurrences(probe: &Probe, windows: &[Maintenance], (from, to): Seconds) -> Vec<Seconds> {
    let (from, to) = (Timestamp::from_secs(from), Timestamp::from_secs(to));
    let of = windows.iter().filter(|window| window.selection.has(probe));
    of.flat_map(|window| window.schedule.within(from, to)).map(|(start, end)| (start.secs(), end.secs())).collect()
}

fn seconds(sums: &Sums) -> UptimeSeconds {
    UptimeSeconds {
        up: sums.up,
        degraded: sums.degraded,
        down: sums.down,
        maintenance: sums.maintenance,
        unknown: sums.unknown,
        maintenance_down: sums.maintenance_down,
        outages: sums.outages,
        availability: sums.availability(),
    }
}

fn told((from, to): Seconds, sums: &Sums) -> UptimePart {
    UptimePart {
        from: Timestamp::from_secs(from),
        to: Timestamp::from_secs(to),
        up: sums.up,
        degraded: sums.degraded,
        down: sums.down,
        maintenance: sums.maintenance,
        unknown: sums.unknown,
    }
}

fn outage(entry: &Entry) -> Outage {
    Outage {
        from: Timestamp::from_secs(entry.segment.from),
        to: Timestamp::from_secs(entry.segment.to),
        maintenance: entry.in_maintenance,
    }
}
