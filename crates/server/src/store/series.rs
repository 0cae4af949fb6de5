//! Rates for every second, made of cumulative samples.
//!
//! Each counter's growth between two samples belongs to the second in which the later one ends. A counter that is smaller than before
//! began anew; an older sample that comes late says nothing new. So a rate is never negative, and never larger than what was counted.
//!
//! Seconds are kept by absolute time, in minutes, for the window; a second in which an interface reported nothing is told apart from
//! one in which it carried nothing. Limits: a number of series (more are added to the interface's other), of interfaces and of reasons.

mod counter;
mod minute;

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use netwatch_model::{Direction, Label, Metric, Sample, Series, Timestamp, Untrusted};

use counter::Counter;
pub(crate) use minute::{Cell, Minute, SECONDS};

/// Interfaces and capture files; more are not charted and their samples counted as lost.
const INTERFACES: usize = 1024;
/// Reasons for which frames are not dissected.
const REASONS: usize = 64;

/// What a series of an interface counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) enum Of {
    /// Everything.
    All,
    /// A protocol.
    Protocol(Arc<str>),
    /// An application.
    Application(Arc<str>),
    /// Protocols that have no series of their own.
    OtherProtocols,
    /// Applications that have no series of their own.
    OtherApplications,
}

/// What is known of an interface.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    /// Its name.
    pub(crate) name: Untrusted,
    /// Since start: in and out.
    pub(crate) octets: [u64; 2],
    /// Since start: in and out.
    pub(crate) packets: [u64; 2],
    /// Frames since start.
    pub(crate) frames: u64,
    /// Frames dropped by the kernel since start.
    pub(crate) kernel_drops: u64,
    /// The newest fill of its ring, and when that was.
    pub(crate) ring_fill: (Timestamp, f64),
    /// The newest sample.
    pub(crate) last_seen: Timestamp,
}

/// Sums since start and newest values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) records_dropped: u64,
    pub(crate) flows_other: u64,
    pub(crate) flows_started: u64,
    pub(crate) flows_active: u64,
    pub(crate) flows_capacity: u64,
    pub(crate) fragments_unknown: u64,
    pub(crate) undissected: BTreeMap<Arc<str>, u64>,
    /// Samples that had no series of their own.
    pub(crate) merged: u64,
}

/// All rates as they were at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesView {
    /// Minutes by number since 1970.
    pub(crate) minutes: BTreeMap<i64, Arc<Minute>>,
    /// Interface (by place in `ports`) and subject of each series.
    pub(crate) keys: Arc<Vec<(usize, Of)>>,
    pub(crate) ports: Arc<Vec<Port>>,
    pub(crate) totals: Arc<Totals>,
}

/// Where a sample goes.
#[derive(Clone, Copy, Debug)]
enum Target {
    Traffic { series: usize, port: usize, direction: Direction, packets: bool, total: bool },
    Port(Metric, usize),
    Global(Metric),
}

/// All rates.
#[derive(Debug)]
pub(super) struct Rates {
    view: SeriesView,
    numbers: HashMap<(usize, Of), usize, RandomState>,
    known: HashMap<Arc<Series>, (Target, Counter), RandomState>,
    capacity: usize,
}

impl Rates {
    pub(super) fn new(capacity: usize) -> Self {
        let view = SeriesView::default();
        Self { view, numbers: HashMap::default(), known: HashMap::default(), capacity: capacity.max(1) }
    }

    /// For readers.
    pub(super) fn view(&self) -> SeriesView {
        self.view.clone()
    }

    /// A new run of an agent: its counters begin at zero.
    pub(super) fn restart(&mut self) {
        self.known.clear();
    }

    /// Takes a sample in.
    pub(super) fn add(&mut self, sample: &Sample) {
        if !self.known.contains_key(&sample.series) {
            let target = self.target(&sample.series);
            if self.known.len() >= 4 * self.capacity {
                Arc::make_mut(&mut self.view.totals).merged += 1;
                return;
            }
            self.known.insert(Arc::clone(&sample.series), (target, Counter::default()));
        }
        let Some((target, counter)) = self.known.get_mut(&sample.series) else { return };
        let target = *target;
        let grown = counter.grown(sample);
        self.apply(target, sample, grown);
    }

    /// Drops minutes that ended before.
    pub(super) fn expire(&mut self, before: Timestamp) {
        let minute = before.secs().div_euclid(SECONDS);
        self.view.minutes = self.view.minutes.split_off(&minute);
    }

    fn apply(&mut self, target: Target, sample: &Sample, grown: u64) {
        // A sample at the very end of a second is about what happened in it.
        let second = Timestamp::from_nanos(sample.time.nanos().saturating_sub(1)).secs();
        match target {
            Target::Traffic { series, port, direction, packets, total } => {
                let minute = self.minute(second);
                let cell = minute.cell(series, second);
                let sum = if packets { &mut cell.packets } else { &mut cell.octets };
                sum[direction.index()] += grown;
                if total {
                    minute.report(port, second);
                    let port = Arc::make_mut(&mut self.view.ports).get_mut(port);
                    if let Some(port) = port {
                        let sum = if packets { &mut port.packets } else { &mut port.octets };
                        sum[direction.index()] += grown;
                        port.last_seen = port.last_seen.max(sample.time);
                    }
                }
            }
            Target::Port(metric, port) => self.apply_port(metric, port, sample, grown, second),
            Target::Global(metric) => self.apply_global(metric, sample, grown, second),
        }
    }

    fn apply_port(&mut self, metric: Metric, port: usize, sample: &Sample, grown: u64, second: i64) {
        if let Some(port) = Arc::make_mut(&mut self.view.ports).get_mut(port) {
            match metric {
                Metric::KernelDrops => port.kernel_drops += grown,
                Metric::FramesReceived => port.frames += grown,
                _ if port.ring_fill.0.secs() == second => {
                    port.ring_fill = (sample.time, port.ring_fill.1.max(sample.value.as_f64()));
                }
                _ => port.ring_fill = (sample.time, sample.value.as_f64()),
            }
        }
        match metric {
            Metric::KernelDrops => self.minute(second).loss(second).kernel_drops += grown,
            Metric::RingFill => {
                let loss = self.minute(second).loss(second);
                loss.ring_fill = loss.ring_fill.max(sample.value.as_f64().clamp(0.0, 1.0));
            }
            _ => {}
        }
    }

    fn apply_global(&mut self, metric: Metric, sample: &Sample, grown: u64, second: i64) {
        let totals = Arc::make_mut(&mut self.view.totals);
        match metric {
            Metric::RecordsDropped => totals.records_dropped += grown,
            Metric::FlowsOther => totals.flows_other += grown,
            Metric::FlowsStarted => totals.flows_started += grown,
            Metric::FragmentsUnknown => totals.fragments_unknown += grown,
            Metric::FlowsActive => totals.flows_active = sample.value.as_u64(),
            Metric::FlowsCapacity => totals.flows_capacity = sample.value.as_u64(),
            Metric::FramesUndissected => {
                let reason = sample.series.labels.iter().find_map(|l| match l {
                    Label::Reason(reason) => Some(Arc::clone(reason)),
                    _ => None,
                });
                let reason = reason.unwrap_or_else(|| "unknown".into());
                if totals.undissected.len() < REASONS || totals.undissected.contains_key(&reason) {
                    *totals.undissected.entry(reason).or_default() += grown;
                }
            }
            _ => {}
        }
        match metric {
            Metric::RecordsDropped => self.minute(second).loss(second).records_dropped += grown,
            Metric::FlowsOther => self.minute(second).loss(second).flows_other += grown,
            _ => {}
        }
    }

    fn minute(&mut self, second: i64) -> &mut Minute {
        Arc::make_mut(self.view.minutes.entry(second.div_euclid(SECONDS)).or_default())
    }

    fn target(&mut self, series: &Series) -> Target {
        let (mut port, mut direction, mut of) = (None, Direction::In, Of::All);
        for label in &series.labels {
            match label {
                Label::Interface(name) => port = self.port(name),
                Label::Direction(way) => direction = *way,
                Label::Protocol(word) => of = Of::Protocol(Arc::clone(word)),
                Label::Application(word) => of = Of::Application(Arc::clone(word)),
                Label::Reason(_) | Label::Name(_) | Label::Other(..) => {}
            }
        }
        let metric = series.metric;
        match (metric, port) {
            (Metric::TrafficOctets | Metric::TrafficPackets, Some(port)) => {
                let (total, packets) = (of == Of::All, metric == Metric::TrafficPackets);
                Target::Traffic { series: self.series(port, of), port, direction, packets, total }
            }
            (Metric::KernelDrops | Metric::RingFill | Metric::FramesReceived, Some(port)) => Target::Port(metric, port),
            _ => Target::Global(metric),
        }
    }

    fn port(&mut self, name: &Untrusted) -> Option<usize> {
        if let Some(at) = self.view.ports.iter().position(|p| p.name == *name) {
            return Some(at);
        }
        let ports = Arc::make_mut(&mut self.view.ports);
        if ports.len() >= INTERFACES {
            Arc::make_mut(&mut self.view.totals).merged += 1;
            return None;
        }
        ports.push(Port::new(name.clone()));
        Some(ports.len() - 1)
    }

    fn series(&mut self, port: usize, of: Of) -> usize {
        if let Some(number) = self.numbers.get(&(port, of.clone())) {
            return *number;
        }
        // Totals and others always have a place: there are at most three for each interface.
        let full = self.numbers.len() >= self.capacity;
        let of = match of {
            Of::Protocol(_) if full => Of::OtherProtocols,
            Of::Application(_) if full => Of::OtherApplications,
            of => of,
        };
        if full {
            Arc::make_mut(&mut self.view.totals).merged += 1;
        }
        let (keys, next) = (Arc::make_mut(&mut self.view.keys), self.numbers.len());
        *self.numbers.entry((port, of.clone())).or_insert_with(|| {
            keys.push((port, of));
            next
        })
    }
}

impl Port {
    fn new(name: Untrusted) -> Self {
        Self {
            name,
            octets: [0; 2],
            packets: [0; 2],
            frames: 0,
            kernel_drops: 0,
            ring_fill: (Timestamp::ZERO, 0.0),
            last_seen: Timestamp::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;
