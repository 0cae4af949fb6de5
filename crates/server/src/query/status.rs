//! How the parts that the store knows are doing: interfaces, statistics, events.

use netwatch_api::event::{Event, Events};
use netwatch_api::interface::{CaptureState, Interface, Interfaces};
use netwatch_api::statistics::{CaptureStatistics, Count, Statistics, StoreStatistics, TableStatistics};
use netwatch_model::Timestamp;

use super::LiveStore;
use crate::store::{Of, Port, SECONDS, View};

impl LiveStore {
    /// Interfaces and capture files, in the order in which they were first heard of.
    #[must_use]
    pub fn interfaces(&self, now: Timestamp) -> Interfaces {
        interfaces_of(&self.view(now), now)
    }

    /// The parts of the statistics that the store knows.
    #[must_use]
    pub fn statistics(&self, now: Timestamp) -> Statistics {
        let view = self.glance(now);
        let (totals, ports, counts) = (&view.series().totals, &view.series().ports, view.counts());
        let sum = |f: fn(&Port) -> u64| ports.iter().map(f).sum::<u64>();
        let undissected = totals.undissected.iter();
        let undissected = undissected.map(|(reason, count)| Count { reason: reason.to_string(), count: *count });
        Statistics {
            now,
            sources: interfaces_of(&view, now).items.into_iter().map(|i| i.name).collect(),
            capture: CaptureStatistics {
                frames: sum(|p| p.frames),
                packets: sum(|p| p.packets[0] + p.packets[1]),
                octets: sum(|p| p.octets[0] + p.octets[1]),
                kernel_drops: sum(|p| p.kernel_drops),
                undissected: undissected.collect(),
                fragments_unknown: totals.fragments_unknown,
            },
            table: TableStatistics {
                active: totals.flows_active,
                capacity: totals.flows_capacity,
                started: totals.flows_started,
                other: totals.flows_other,
            },
            store: StoreStatistics {
                live_flows: counts.live,
                archived_flows: counts.archived,
                archive_bytes: counts.archive_bytes,
                archive_budget: counts.archive_budget,
                archive_dropped: counts.archive_dropped,
                batches: counts.batches,
                records: counts.records,
                batches_repeated: counts.repeated,
                records_dropped: totals.records_dropped,
                flows_unlisted: counts.kept_out,
                texts_dropped: counts.texts_lost,
                series_merged: totals.merged,
                oldest: oldest(&view),
            },
            ..Statistics::default()
        }
    }

    /// Events, newest first; only those before number `before` when it is given.
    #[must_use]
    pub fn events(&self, limit: usize, before: Option<u64>) -> Events {
        let log = self.event_log();
        let mut found = log.before(before).map(|(id, event)| Event::new(*id, event));
        let items: Vec<Event> = found.by_ref().take(limit.max(1)).collect();
        let more = found.next().is_some();
        let next_cursor = items.last().filter(|_| more).map(|e| e.id.to_string());
        Events { items, next_cursor }
    }

    /// Adds events that happened in the server itself, or that programs reported.
    pub fn note_events(&self, events: impl IntoIterator<Item = netwatch_model::Event>) {
        let mut log = self.event_log();
        events.into_iter().for_each(|event| log.push(event));
    }

    /// Events after that number, oldest first.
    #[must_use]
    pub fn events_after(&self, id: u64) -> Vec<Event> {
        self.event_log().after(id).map(|(id, event)| Event::new(*id, event)).collect()
    }
}

fn interfaces_of(view: &View, now: Timestamp) -> Interfaces {
    let second = view.as_of().max(now).secs() - 1;
    let ports = &view.series().ports;
    let unheard = |p: &&Port| !view.sources().iter().any(|s| s.name == p.name);
    let named = view.sources().iter().map(|s| (s.name.clone(), s.state, s.detail.as_ref().map(ToString::to_string)));
    let unnamed = ports.iter().filter(unheard).map(|p| (p.name.clone(), CaptureState::Capturing, None));
    let items = named.chain(unnamed).map(|(name, state, detail)| {
        let port = ports.iter().enumerate().find(|(_, p)| p.name == name);
        let none = Interface { name: name.to_string(), state, detail, ..empty() };
        port.map_or(none.clone(), |(at, port)| measured(none, at, port, view, second))
    });
    Interfaces { items: items.collect() }
}

/// First packet of the oldest ended record kept.
fn oldest(view: &View) -> Option<Timestamp> {
    let archive = view.archive();
    let sealed = archive.segments.iter().map(|s| s.zone().first_end).min();
    let open = archive.open.iter().flat_map(|c| c.rows().map(|(_, _, v)| v.end)).min();
    sealed.into_iter().chain(open).min().map(|oldest| oldest.max(view.horizon()))
}

fn measured(none: Interface, at: usize, port: &Port, view: &View, second: i64) -> Interface {
    let series = view.series();
    let total = series.keys.iter().position(|(p, of)| *p == at && *of == Of::All);
    let minute = series.minutes.get(&second.div_euclid(SECONDS));
    let rate = total.zip(minute).map(|(total, minute)| minute.carried(total, second).octets).unwrap_or_default();
    let fill = if port.ring_fill.0.secs() >= second { port.ring_fill.1 } else { 0.0 };
    Interface {
        frames: port.frames,
        octets_in: port.octets[0],
        octets_out: port.octets[1],
        packets_in: port.packets[0],
        packets_out: port.packets[1],
        rate_in: rate[0],
        rate_out: rate[1],
        kernel_drops: port.kernel_drops,
        ring_fill: fill.clamp(0.0, 1.0),
        last_seen: (port.last_seen != Timestamp::ZERO).then_some(port.last_seen),
        ..none
    }
}

const fn empty() -> Interface {
    Interface {
        name: String::new(),
        state: CaptureState::Capturing,
        detail: None,
        frames: 0,
        octets_in: 0,
        octets_out: 0,
        packets_in: 0,
        packets_out: 0,
        rate_in: 0,
        rate_out: 0,
        kernel_drops: 0,
        ring_fill: 0.0,
        last_seen: None,
    }
}
