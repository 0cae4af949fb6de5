//! From what history keeps of a probe's runs to what happened at each agent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use netwatch_model::people::{ProbeId, WorkspaceId};
use netwatch_model::probe::{ProbeKind, ProbeMetric};
use netwatch_model::{Label, Timestamp};
use netwatch_storage::{
    Bucket, BucketLine, BucketQuery, Budget, Resolution, SeriesKey, Span, StoreError, TelemetryStore,
};

use super::Seconds;
use super::timeline::Runs;

/// Series of one question: three for each pair of probe and agent.
const MOST_SERIES: usize = 3000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// The runs of each agent, 16 hexadecimal digits.
pub(crate) type ByAgent = BTreeMap<String, Vec<Runs>>;

/// What is asked of history.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) workspace: WorkspaceId,
    /// Each with the kind that it has now.
    pub(crate) probes: BTreeMap<ProbeId, ProbeKind>,
    /// Which seconds must be told of.
    pub(crate) span: Seconds,
    /// The longest interval of the probes.
    pub(crate) interval: Duration,
    /// Never finer than this.
    pub(crate) finest: Resolution,
}

/// What history knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) probes: BTreeMap<ProbeId, ByAgent>,
    /// From here on runs are told by the minute, before by the hour; absent: all by the hour.
    pub(crate) minutes_from: Option<Timestamp>,
}

/// Asks for the runs of probes, and of some time before: a state begins with a run.
pub(crate) fn runs(store: &dyn TelemetryStore, asked: &Asked, budget: &Budget) -> Result<Known, StoreError> {
    let before = (asked.interval * 3).max(Bucket::LONGEST);
    let span = Span { from: Timestamp::from_secs(asked.span.0) - before, to: Timestamp::from_secs(asked.span.1) };
    let metrics = [ProbeMetric::Success, ProbeMetric::Degraded, ProbeMetric::Unknown];
    let query = BucketQuery {
        metrics: metrics.map(|metric| metric.name().to_owned()).to_vec(),
        label: "probe".to_owned(),
        values: asked.probes.keys().map(ToString::to_string).collect::<BTreeSet<_>>(),
        span,
        finest: asked.finest,
        limit: MOST_SERIES,
    };
    let found = store.buckets(asked.workspace, &query, budget)?;
    if found.more {
        let detail = format!("more than {MOST_SERIES} series: ask for fewer probes");
        return Err(StoreError::TooExpensive(detail));
    }
    let minutes_from = found.minutes_from.map(Timestamp::millis);
    let mut lines: BTreeMap<(ProbeId, String), Lines> = BTreeMap::new();
    for line in found.lines {
        let Some(of) = Of::read(&line.key).filter(|of| of.counts(&asked.probes)) else { continue };
        lines.entry((of.probe, of.agent)).or_default().add(&of.metric, line);
    }
    let mut probes: BTreeMap<ProbeId, ByAgent> = BTreeMap::new();
    for ((probe, agent), lines) in lines {
        probes.entry(probe).or_default().insert(agent, lines.runs(minutes_from));
    }
    Ok(Known { probes, minutes_from: found.minutes_from })
}

/// Whose series it is.
struct Of {
    probe: ProbeId,
    agent: String,
    kind: String,
    metric: String,
}

impl Of {
    fn read(key: &SeriesKey) -> Option<Self> {
        let label = |wanted: &str| {
            key.series.labels.iter().find_map(|label| match label {
                Label::Other(name, value) if &**name == wanted => Some(value.raw().to_owned()),
                _ => None,
            })
        };
        Some(Self {
            probe: label("probe")?.parse().ok()?,
            agent: label("agent").unwrap_or_else(|| key.agent.to_string()),
            kind: label("kind").unwrap_or_default(),
            metric: key.metric(),
        })
    }

    /// A trace that was added to a probe of another kind is no run of the probe; one that became another kind goes on.
    fn counts(&self, probes: &BTreeMap<ProbeId, ProbeKind>) -> bool {
        let trace = ProbeKind::Mtr;
        probes.get(&self.probe).is_some_and(|kind| *kind == trace || self.kind != trace.name())
    }
}

/// The series of a probe at an agent, one for each target that it had.
#[derive(Default)]
struct Lines {
    success: Vec<Bucket>,
    degraded: Vec<Bucket>,
    unknown: Vec<Bucket>,
}

impl Lines {
    fn add(&mut self, metric: &str, line: BucketLine) {
        let of = if metric == ProbeMetric::Success.name() {
            &mut self.success
        } else if metric == ProbeMetric::Degraded.name() {
            &mut self.degraded
        } else {
            &mut self.unknown
        };
        of.extend(line.buckets);
    }

    fn runs(mut self, minutes_from: Option<i64>) -> Vec<Runs> {
        let bucket = |bucket: &Bucket| {
            let first = bucket.first.millis();
            let width = if minutes_from.is_some_and(|from| first >= from) { MINUTE } else { HOUR };
            first.div_euclid(width) * width
        };
        let mut lossy: BTreeMap<i64, u64> = BTreeMap::new();
        for one in &self.degraded {
            *lossy.entry(bucket(one)).or_default() += one.count;
        }
        self.success.sort_by_key(|one| one.first);
        let mut runs: Vec<Runs> = Vec::with_capacity(self.success.len() + self.unknown.len());
        for one in &self.success {
            let degraded = lossy.get(&bucket(one)).copied().unwrap_or(0);
            runs.push(answered(one, degraded));
        }
        runs.extend(self.unknown.iter().map(silent));
        runs.sort_by_key(|one| (one.first, one.last));
        overlapping(runs)
    }
}

/// Runs that say something about the target.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of zeros and ones")]
fn answered(bucket: &Bucket, degraded: u64) -> Runs {
    let good = (bucket.sum.round().max(0.0) as u64).min(bucket.count);
    let degraded = degraded.min(good);
    Runs {
        first: bucket.first.millis(),
        last: bucket.last.millis(),
        up: good - degraded,
        degraded,
        down: bucket.count - good,
        unknown: 0,
        starts_down: bucket.first_value < 0.5,
        ends_down: bucket.last_value < 0.5,
    }
}

fn silent(bucket: &Bucket) -> Runs {
    Runs { first: bucket.first.millis(), last: bucket.last.millis(), unknown: bucket.count, ..Runs::default() }
}

/// Joins those that ran at the same time.
fn overlapping(runs: Vec<Runs>) -> Vec<Runs> {
    let mut out: Vec<Runs> = Vec::with_capacity(runs.len());
    for next in runs {
        match out.last_mut() {
            Some(last) if next.first < last.last || next.first == last.first => {
                let ends_down = if next.last > last.last { next.ends_down } else { last.ends_down };
                *last = Runs {
                    first: last.first,
                    last: last.last.max(next.last),
                    up: last.up + next.up,
                    degraded: last.degraded + next.degraded,
                    down: last.down + next.down,
                    unknown: last.unknown + next.unknown,
                    starts_down: last.starts_down,
                    ends_down,
                };
            }
            _ => out.push(next),
        }
    }
    out
}
