//! What a topic sends: its question to the store, with all defaults filled in.
//!
//! Topics that ask the same are equal here, however they are spelled, and are produced once.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use netwatch_api::flow::{FlowStatus, SortOrder};
use netwatch_api::stream::{Data, Topic};
use netwatch_api::traffic::Rates;
use netwatch_model::Timestamp;
use netwatch_model::filter::Filter;

use super::mailbox::{Frame, Mark};
use crate::app::App;
use crate::fault::Fault;
use crate::params;
use crate::query::{FlowsRequest, LiveStore, QueryError, RatesRequest, TimeRange, TopRequest};

/// Milliseconds between frames: default (and least), and most.
const INTERVAL: (u32, u32) = (250, 10_000);
/// Statistics come at most so often.
const STATISTICS_INTERVAL: u32 = 1000;
/// Rates of a new subscription begin so long ago; the same time decides which series are the largest.
const FIRST_RATES: Duration = Duration::from_secs(60);
/// Rates go back at most so far.
const MOST_RATES: Duration = Duration::from_secs(3600);
/// Seconds that frames of rates repeat, because records of a second arrive until shortly after its end.
const OVERLAP: Duration = Duration::from_secs(3);
/// Most events in one frame.
const MAX_EVENTS: usize = 500;

/// A topic with all defaults filled in, and how often it is produced. Equal feeds share one producer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FeedKey {
    topic: Topic,
    interval: u32,
}

/// Asks the store what a topic wants to know.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    key: FeedKey,
    filter: Option<Arc<Filter>>,
}

impl Feed {
    /// Checks what a client wrote.
    pub(super) fn new(mut topic: Topic, interval: Option<u32>) -> Result<Self, Fault> {
        let mut interval = params::bounded("interval", interval.unwrap_or(INTERVAL.0), INTERVAL.0, INTERVAL.1)?;
        let mut parsed = None;
        match &mut topic {
            Topic::Rates { filter, limit, .. } => {
                fill("limit", limit, 8, 50)?;
                parsed = read_filter(filter)?;
            }
            Topic::Talkers { filter, limit, window, .. } => {
                fill("limit", limit, 10, 100)?;
                fill("window", window, 10, 3600)?;
                parsed = read_filter(filter)?;
            }
            Topic::Flows { filter, limit, window, .. } => {
                fill("limit", limit, 50, 200)?;
                fill("window", window, 300, 3600)?;
                parsed = read_filter(filter)?;
            }
            Topic::Statistics {} => interval = interval.max(STATISTICS_INTERVAL),
            Topic::Events {} => {}
        }
        Ok(Self { key: FeedKey { topic, interval }, filter: parsed })
    }

    pub(super) const fn key(&self) -> &FeedKey {
        &self.key
    }

    /// Time between frames.
    pub(super) fn interval(&self) -> Duration {
        Duration::from_millis(u64::from(self.key.interval))
    }

    /// Whether a frame tells only what is new since the one before.
    pub(super) const fn is_incremental(&self) -> bool {
        matches!(self.key.topic, Topic::Rates { .. } | Topic::Events {})
    }

    /// Whether a frame that is equal to the one before need not be sent.
    pub(super) const fn only_changes(&self) -> bool {
        matches!(self.key.topic, Topic::Flows { .. } | Topic::Events {})
    }

    /// Whether a shared frame goes on where a subscription stands. Rates may repeat; events may not.
    pub(super) const fn fits(&self, frame: &Frame, position: Mark) -> bool {
        match self.key.topic {
            Topic::Rates { .. } => frame.after <= position,
            Topic::Events {} => frame.after == position,
            _ => true,
        }
    }

    /// Where a subscription begins: what happened after that is sent.
    pub(crate) fn start(&self, store: &LiveStore, since: Option<Timestamp>, now: Timestamp) -> Mark {
        match self.key.topic {
            Topic::Rates { .. } => since.unwrap_or(now - FIRST_RATES).nanos(),
            Topic::Events {} => {
                let newest = store.events(MAX_EVENTS, None).items;
                let seen = newest.iter().find(|e| since.is_none_or(|since| e.time <= since));
                seen.map_or(0, |e| mark(e.id))
            }
            _ => Mark::MIN,
        }
    }

    /// The frame that tells what happened after `after`.
    pub(crate) fn produce(&self, app: &App, store: &LiveStore, after: Mark, now: Timestamp) -> Result<Frame, Fault> {
        let (data, after, until) = match &self.key.topic {
            Topic::Rates { .. } => {
                let (rates, after, until) = self.rates(store, after, now)?;
                (Data::Rates(rates), after, until)
            }
            Topic::Events {} => {
                let mut events = store.events_after(u64::try_from(after).unwrap_or(0));
                events.truncate(MAX_EVENTS);
                let until = events.last().map_or(after, |e| mark(e.id));
                (Data::Events(events), after, until)
            }
            complete => (self.complete(complete, app, store, now)?, Mark::MIN, Mark::MIN),
        };
        let data = serde_json::to_string(&data).map_err(|error| {
            tracing::error!(%error, "a frame cannot be written as JSON");
            Fault::new(netwatch_api::ProblemCode::Internal, "a frame cannot be written; the log tells more")
        })?;
        Ok(Frame { time: now, after, until, data: Utf8Bytes::from(data) })
    }

    /// Full seconds after the mark, the largest series of the last minute at least.
    fn rates(&self, store: &LiveStore, after: Mark, now: Timestamp) -> Result<(Rates, Mark, Mark), QueryError> {
        let Topic::Rates { by, limit, interface, .. } = &self.key.topic else { return Err(QueryError::Gone) };
        let to = Timestamp::from_secs(now.secs());
        let from = Timestamp::from_nanos(after).max(to - MOST_RATES) - OVERLAP;
        let from = Timestamp::from_secs(from.secs()).min(to - OVERLAP);
        let request = RatesRequest {
            range: TimeRange { from: from.min(to - FIRST_RATES), to },
            step: Some(Duration::from_secs(1)),
            by: *by,
            filter: self.filter.clone(),
            limit: limit.unwrap_or(8) as usize,
            interface: interface.clone(),
        };
        let mut rates = store.rates(&request, now)?;
        cut_before(&mut rates, from);
        Ok((rates, from.nanos(), to.nanos()))
    }

    fn complete(&self, topic: &Topic, app: &App, store: &LiveStore, now: Timestamp) -> Result<Data, QueryError> {
        let range = |window: Option<u32>| {
            let window = Duration::from_secs(u64::from(window.unwrap_or(1)));
            TimeRange { from: now - window, to: now }
        };
        let filter = self.filter.clone();
        Ok(match topic {
            Topic::Talkers { by, limit, window, sort, .. } => {
                let limit = limit.unwrap_or(10) as usize;
                Data::Talkers(
                    store.top(&TopRequest { range: range(*window), by: *by, limit, filter, sort: *sort }, now)?,
                )
            }
            Topic::Flows { sort, limit, window, .. } => {
                let limit = limit.unwrap_or(50) as usize;
                let (status, order) = (FlowStatus::All, SortOrder::Desc);
                let request =
                    FlowsRequest { range: range(*window), filter, status, sort: *sort, order, limit, cursor: None };
                Data::Flows(store.flows(&request, now)?.items)
            }
            _ => Data::Statistics(Box::new(app.statistics_of(store, now))),
        })
    }
}

/// Event numbers as marks; they grow by one an event and never come near the limit.
fn mark(id: u64) -> Mark {
    Mark::try_from(id).unwrap_or(Mark::MAX)
}

fn fill(name: &str, value: &mut Option<u32>, default: u32, most: u32) -> Result<(), Fault> {
    *value = Some(params::bounded(name, value.unwrap_or(default), 1, most)?);
    Ok(())
}

/// Parses a filter and puts its canonical spelling in its place.
fn read_filter(text: &mut Option<String>) -> Result<Option<Arc<Filter>>, Fault> {
    let filter = params::filter(text.as_deref())?;
    *text = filter.as_ref().map(ToString::to_string);
    Ok(filter)
}

/// Takes away all steps before `from`.
fn cut_before(rates: &mut Rates, from: Timestamp) {
    if rates.step <= 0.0 || rates.from >= from {
        return;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of steps in an hour")]
    let steps = (from.since(rates.from).as_secs_f64() / rates.step) as usize;
    fn cut<T>(list: &mut Vec<T>, steps: usize) {
        list.drain(..steps.min(list.len()));
    }
    for points in rates.series.iter_mut().flat_map(|s| [&mut s.inbound, &mut s.outbound]) {
        cut(&mut points.octets, steps);
        cut(&mut points.packets, steps);
    }
    let losses = &mut rates.losses;
    cut(&mut losses.kernel_drops, steps);
    cut(&mut losses.ring_fill, steps);
    cut(&mut losses.records_dropped, steps);
    cut(&mut losses.flows_other, steps);
    rates.incomplete =
        losses.kernel_drops.iter().chain(&losses.records_dropped).chain(&losses.flows_other).any(|n| *n > 0);
    rates.from = from;
}

#[cfg(test)]
mod tests {
    use netwatch_api::ProblemCode;
    use netwatch_api::traffic::{Dimension, Layer, Losses, Points, RateSeries};

    use super::*;

    fn topic(json: &str) -> Topic {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_same_question_is_one_feed() {
        let a = Feed::new(topic(r#"{"name":"talkers","filter":"PORT 443"}"#), None).unwrap();
        let b =
            Feed::new(topic(r#"{"name":"talkers","filter":"port=443","limit":10,"window":10}"#), Some(250)).unwrap();
        let c = Feed::new(topic(r#"{"name":"talkers","filter":"port=443"}"#), Some(500)).unwrap();
        assert_eq!(a.key(), b.key());
        assert_ne!(a.key(), c.key());
    }

    #[test]
    fn wrong_numbers_and_filters_are_refused_by_name() {
        let refused = |json, interval| Feed::new(topic(json), interval).unwrap_err().into_problem();
        assert_eq!(refused(r#"{"name":"events"}"#, Some(100)).parameter.as_deref(), Some("interval"));
        assert_eq!(refused(r#"{"name":"flows","limit":201}"#, None).parameter.as_deref(), Some("limit"));
        assert_eq!(refused(r#"{"name":"rates","filter":"(("}"#, None).code, ProblemCode::InvalidFilter);
    }

    #[test]
    fn statistics_come_once_a_second_at_most() {
        let feed = Feed::new(topic(r#"{"name":"statistics"}"#), Some(250)).unwrap();
        assert_eq!(feed.interval(), Duration::from_secs(1));
    }

    #[test]
    fn old_steps_are_cut_from_every_list() {
        let five = || Points { octets: (0..5).map(Some).collect(), packets: vec![None; 5] };
        let series =
            RateSeries { key: String::new(), label: String::new(), other: true, inbound: five(), outbound: five() };
        let losses = Losses {
            kernel_drops: vec![9, 0, 0, 0, 0],
            ring_fill: vec![0.0; 5],
            records_dropped: vec![0; 5],
            flows_other: vec![0; 5],
        };
        let mut rates = Rates {
            from: Timestamp::from_secs(100),
            to: Timestamp::from_secs(105),
            step: 1.0,
            by: Dimension::Host,
            layer: Layer::L3,
            series: vec![series],
            losses,
            incomplete: true,
            oldest: None,
        };
        cut_before(&mut rates, Timestamp::from_secs(103));
        assert_eq!(rates.from, Timestamp::from_secs(103));
        assert_eq!(rates.series[0].inbound.octets, [Some(3), Some(4)]);
        assert_eq!(rates.losses.ring_fill.len(), 2);
        assert!(!rates.incomplete, "the loss was before");
    }
}
