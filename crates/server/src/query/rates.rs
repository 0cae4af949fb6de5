//! Rates over time.
//!
//! By interface, direction, protocol and application they are counts of every frame. All others, and whatever a filter selects, are
//! computed from flows: without a filter from the buckets of talkers (a second for the last minute, ten before), with one from what
//! each flow carried second by second.

mod exact;
mod flows;
mod plot;

use std::sync::Arc;
use std::time::Duration;

use netwatch_api::traffic::{Dimension, Layer, Losses, Rates};
use netwatch_model::Timestamp;
use netwatch_model::filter::{Condition, Expr, Field, Filter, Test};

use plot::Axis;

use super::answers::State;
use super::range::Span;
use super::{LiveStore, QueryError, RatesRequest};
use crate::store::{SECONDS, View};

/// Steps unless asked otherwise, at most.
const STEPS: i64 = 600;
/// Steps at most.
const MOST_STEPS: i64 = 3600;

impl LiveStore {
    /// Rates over time.
    ///
    /// # Errors
    /// When there would be more than 3,600 steps.
    pub fn rates(&self, q: &RatesRequest, now: Timestamp) -> Result<Rates, QueryError> {
        let view = self.view(now);
        let span = Span::of(q.range, now);
        let filter = q.filter.as_ref().map(ToString::to_string).unwrap_or_default();
        let to = q.range.to.min(now.max(view.as_of()));
        // The chart moves by whole seconds, so the second belongs to the question.
        let end = Timestamp::from_nanos(to.nanos().saturating_sub(1)).secs().saturating_add(1);
        let question = format!(
            "{} {end} {:?} {:?} {} {:?} {filter}",
            span.words(q.range, now),
            q.step,
            q.by,
            q.limit,
            q.interface
        );
        let state = State::of(&view, span.from, now);
        let answer = self.desk().rates.get(question, state, || self.make_rates(q, span, end, &view).map(Arc::new))?;
        Ok(Arc::unwrap_or_clone(answer))
    }

    fn make_rates(&self, q: &RatesRequest, span: Span, end: i64, view: &View) -> Result<Rates, QueryError> {
        let exact =
            matches!(q.by, Dimension::Interface | Dimension::Direction | Dimension::Protocol | Dimension::Application)
                && q.filter.is_none();
        // An hour before the horizon nothing is kept: a range from the beginning of time starts there.
        let from = span.from.secs().max(view.horizon().secs()).min(end - 1);
        let buckets = !exact && q.filter.is_none() && q.interface.is_none();
        let least = if buckets { flows::least_step(view, from) } else { 1 };
        let axis = axis(from, end, q.step, least)?;
        let series = if exact {
            exact::series(q, axis, view)
        } else if buckets {
            flows::from_buckets(q, axis, view)
        } else {
            let filter = with_interface(q);
            flows::from_flows(q, &filter, axis, view, self.desk())
        };
        let losses = losses(axis, view);
        let incomplete =
            losses.kernel_drops.iter().chain(&losses.records_dropped).chain(&losses.flows_other).any(|n| *n > 0);
        #[expect(clippy::cast_precision_loss, reason = "at most an hour")]
        let step = axis.step as f64;
        Ok(Rates {
            from: Timestamp::from_secs(axis.from),
            to: Timestamp::from_secs(axis.to()),
            step,
            by: q.by,
            layer: if exact { Layer::L2 } else { Layer::L3 },
            series,
            losses,
            incomplete,
            oldest: oldest(view),
        })
    }
}

/// Steps are whole multiples of their length since 1970, so that charts of different times fit together.
fn axis(from: i64, to: i64, step: Option<Duration>, least: i64) -> Result<Axis, QueryError> {
    let asked = step.map(|s| i64::try_from(s.as_secs()).unwrap_or(i64::MAX).max(1));
    let step = asked.unwrap_or_else(|| (to - from + STEPS - 1) / STEPS).max(least);
    let step = step.div_euclid(least) * least;
    let begin = from.div_euclid(step) * step;
    let steps = (to - begin + step - 1) / step;
    if steps > MOST_STEPS {
        return Err(QueryError::TooCostly { what: "more than 3600 steps: take a longer `step` or a shorter range" });
    }
    Ok(Axis { from: begin, step, steps: usize::try_from(steps).unwrap_or(1).max(1) })
}

/// The request's filter and interface in one.
fn with_interface(q: &RatesRequest) -> Filter {
    let mut all: Vec<Expr> = q.filter.iter().flat_map(|f| f.conjuncts().iter().cloned()).collect();
    all.extend(q.interface.iter().map(|name| {
        Expr::Test(Test { field: Field::Interface, negated: false, condition: Condition::Texts(vec![name.clone()]) })
    }));
    Filter::from(if let [one] = all.as_slice() { one.clone() } else { Expr::And(all) })
}

fn losses(axis: Axis, view: &View) -> Losses {
    let zeros = vec![0; axis.steps];
    let mut losses = Losses {
        kernel_drops: zeros.clone(),
        ring_fill: vec![0.0; axis.steps],
        records_dropped: zeros.clone(),
        flows_other: zeros,
    };
    for second in axis.from..axis.to() {
        let Some(minute) = view.series().minutes.get(&second.div_euclid(SECONDS)) else { continue };
        let (lost, at) = (minute.lost(second), axis.place(second));
        let Some(at) = at else { continue };
        losses.kernel_drops[at] += lost.kernel_drops;
        losses.ring_fill[at] = losses.ring_fill[at].max(lost.ring_fill);
        losses.records_dropped[at] += lost.records_dropped;
        losses.flows_other[at] += lost.flows_other;
    }
    losses
}

/// The oldest time of which anything is known: the first second that an interface reported, else where the first bucket begins.
fn oldest(view: &View) -> Option<Timestamp> {
    let reported = view.series().minutes.iter().find_map(|(number, minute)| {
        let mut seconds = number * SECONDS..(number + 1) * SECONDS;
        seconds.find(|second| minute.is_reported(None, *second))
    });
    let bucket = || view.talkers().levels.iter().filter_map(|level| level.keys().next().copied()).min();
    Some(Timestamp::from_secs(reported.or_else(bucket)?).max(view.horizon()))
}
