//! What flows carried, by dimensions.
//!
//! One question becomes a table of sums by step and key ([`source`]), from which the largest keys, their steps and the rest are read.
//! Every dimension has three columns, of which it uses those that fit: two halves of an address or a number, and a text.

mod ahead;
mod observed;
mod source;

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use duckdb::Connection;
use netwatch_model::{AgentId, Protocol, Timestamp, Untrusted};

use super::ask::cancelled;
use super::chart::Steps;
use super::rows::{REST, sum};
use crate::address::whole;
use crate::dimension::Dimension;
use crate::error::StoreError;
use crate::lookup::Known;
use crate::partition::MINUTE;
use crate::port::{Budget, Edge, Explore, Explored, Group, Resolution, Summary, Value};
use crate::tally::vlan_ids;
use crate::tenant::Tenant;

use source::Source;

/// Dimensions of one question.
pub(crate) const MAX_DIMENSIONS: usize = 5;
/// Steps of one question.
const MAX_STEPS: i64 = 11_000;

/// Sums of one step or of all.
#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    measure: u64,
    octets_in: u64,
    octets_out: u64,
}

/// Answers a question.
pub(crate) fn explore(
    tenant: &Tenant,
    lookups: &Known,
    from: &Connection,
    query: &Explore,
    budget: &Budget,
) -> Result<Explored, StoreError> {
    if query.dimensions.len() > MAX_DIMENSIONS {
        return Err(StoreError::TooExpensive(format!("more than {MAX_DIMENSIONS} dimensions")));
    }
    let span = query.span.millis();
    let width = query.step.map_or(MINUTE, |s| i64::try_from(s.as_millis()).unwrap_or(i64::MAX).max(1000));
    let steps = match query.step {
        Some(_) => Steps::covering(span, width),
        // Without steps the range is one, of whole minutes.
        None => {
            let all = Steps::covering(span, MINUTE);
            Steps { width: all.to - all.from, ..all }
        }
    };
    if steps.count() > MAX_STEPS {
        return Err(StoreError::TooExpensive(format!("{} steps: take a longer one", steps.count())));
    }
    let asked = Asked { connection: from, query, budget, steps };
    let source = Source { tenant, lookups, connection: from, query, budget, held: RefCell::default() };
    let (resolution, mut tables) = source.make("now", steps)?;
    asked.make_top()?;
    let settled = source.settle(&mut tables, steps, true)?;
    if settled.anew.is_some() {
        asked.make_top()?;
    }
    source.make_points(&tables, steps)?;
    let mut explored = asked.read(settled.anew.unwrap_or(resolution), &tables)?;
    if query.step.is_some() {
        explored.observed = observed::observed(&source, steps, query.complete_until.millis())?;
        asked.summarise_all(&mut explored);
    }
    explored.short_by = settled.short_by;
    explored.partial_first = steps.from < span.0;
    explored.partial_last = steps.to > span.1;
    if query.previous {
        let length = steps.to - steps.from;
        let before = Steps { from: steps.from - length, to: steps.from, ..steps };
        let (_, mut tables) = source.make("before", before)?;
        explored.short_by = explored.short_by.max(source.settle(&mut tables, before, false)?.short_by);
        asked.read_previous(&tables, before, &mut explored)?;
    }
    Ok(explored)
}

impl Group {
    /// Adds to a step; one beyond the range changes nothing.
    fn add(&mut self, step: usize, amount: Amount) {
        let amounts = [amount.measure, amount.octets_in, amount.octets_out];
        for (lane, more) in self.lanes().into_iter().zip(amounts) {
            if let Some(point) = lane.get_mut(step) {
                *point = point.saturating_add(more);
            }
        }
    }

    /// What was measured, received and sent by step.
    fn lanes(&mut self) -> [&mut Vec<u64>; 3] {
        [&mut self.points, &mut self.points_in, &mut self.points_out]
    }
}

/// The tables that [`Source::make`] made.
struct Tables {
    /// Sums by key, and by step when they are made of slices.
    keyed: String,
    /// Sums by step of the keys that are asked for and of all others; they may be those by key.
    lanes: String,
    /// Sums by step; another table only when hosts are a dimension, because then each octet is in two keys.
    total: String,
    /// How those by key were made of sums.
    ahead: Option<ahead::Ahead>,
}

impl Tables {
    /// One for everything.
    fn of(name: &str) -> Self {
        Self { keyed: name.to_owned(), lanes: name.to_owned(), total: name.to_owned(), ahead: None }
    }
}

struct Asked<'a> {
    connection: &'a Connection,
    query: &'a Explore,
    budget: &'a Budget,
    steps: Steps,
}

impl Asked<'_> {
    /// The largest keys, with their place.
    fn make_top(&self) -> Result<(), StoreError> {
        let (keys, limit) = (self.keys(""), self.query.limit);
        let order = if keys.is_empty() { String::new() } else { format!(", {keys}") };
        let group = if keys.is_empty() { String::new() } else { format!("GROUP BY {keys}") };
        let comma = if keys.is_empty() { "" } else { ", " };
        let limit = if keys.is_empty() { 0 } else { limit };
        // What hours have of all values without a row of their own is no value.
        let values = match self.query.dimensions.len() {
            1 => format!(
                "WHERE NOT ({})",
                REST.replace("key_hi", "hi0").replace("key_lo", "lo0").replace("key_text", "text0")
            ),
            _ => String::new(),
        };
        let sql = format!(
            "CREATE OR REPLACE TEMP TABLE top AS SELECT row_number() OVER () - 1 AS place, * FROM (
               SELECT {keys}{comma} {} AS measure, {} AS octets_in, {} AS octets_out
               FROM keyed_now {values} {group} HAVING sum(measure) > 0 ORDER BY measure DESC{order} LIMIT {limit})",
            sum("measure"),
            sum("octets_in"),
            sum("octets_out")
        );
        self.run(&sql)
    }

    fn read(&self, resolution: Resolution, tables: &Tables) -> Result<Explored, StoreError> {
        let mut groups = self.groups()?;
        let total = self.sums(&tables.total, self.steps)?;
        // Keys count each octet of hosts twice: what is in no group is told from the keys' own total.
        let mut other =
            if tables.lanes == tables.total { total.clone() } else { self.sums(&tables.lanes, self.steps)? };
        self.steps_of_groups(&tables.lanes, &mut groups)?;
        for group in &groups {
            other.total = other.total.saturating_sub(group.total);
            other.octets_in = other.octets_in.saturating_sub(group.octets_in);
            other.octets_out = other.octets_out.saturating_sub(group.octets_out);
            for (rest, taken) in other.lanes().into_iter().zip([&group.points, &group.points_in, &group.points_out]) {
                rest.iter_mut().zip(taken).for_each(|(rest, point)| *rest = rest.saturating_sub(*point));
            }
        }
        let edges = edges(&groups);
        Ok(Explored {
            from: Timestamp::from_millis(self.steps.from),
            to: Timestamp::from_millis(self.steps.to),
            step: self.query.step.map(|_| Duration::from_millis(self.steps.width.unsigned_abs())),
            resolution,
            groups,
            other,
            total,
            observed: Vec::new(),
            previous: Vec::new(),
            edges,
            short_by: 0,
            partial_first: false,
            partial_last: false,
        })
    }

    fn read_previous(&self, tables: &Tables, before: Steps, into: &mut Explored) -> Result<(), StoreError> {
        let total = self.sums(&tables.total, before)?;
        let keyed = if tables.keyed == tables.total { total.total } else { self.sums(&tables.keyed, before)?.total };
        let in_groups = self.previous_of_groups(&tables.keyed, &mut into.groups)?;
        into.other.previous = Some(keyed.saturating_sub(in_groups));
        into.total.previous = Some(total.total);
        into.previous = total.points;
        Ok(())
    }

    /// What the groups carried before; tells their sum.
    fn previous_of_groups(&self, table: &str, groups: &mut [Group]) -> Result<u64, StoreError> {
        if groups.is_empty() {
            return Ok(0);
        }
        let sql = format!(
            "SELECT t.place, {}, 0::UBIGINT, 0::UBIGINT FROM {table} k JOIN top t ON {} GROUP BY t.place",
            sum("k.measure"),
            self.join()
        );
        groups.iter_mut().for_each(|group| group.previous = Some(0));
        let mut in_groups = 0_u64;
        self.rows(&sql, |place, amount| {
            if let Some(group) = usize::try_from(place).ok().and_then(|n| groups.get_mut(n)) {
                group.previous = Some(amount.measure);
                in_groups = in_groups.saturating_add(amount.measure);
            }
        })?;
        Ok(in_groups)
    }

    fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let keys = self.keys("");
        let comma = if keys.is_empty() { "" } else { "," };
        let sql = format!("SELECT measure, octets_in, octets_out {comma} {keys} FROM top ORDER BY place");
        let mut select = self.connection.prepare(&sql).map_err(StoreError::Query)?;
        let mut rows = select.query([]).map_err(StoreError::Query)?;
        let mut groups = Vec::new();
        while let Some(row) = rows.next().map_err(StoreError::Query)? {
            let key = self.query.dimensions.iter().enumerate().map(|(n, dimension)| value(row, *dimension, 3 + 3 * n));
            let key = key.collect::<Result<_, duckdb::Error>>().map_err(StoreError::Query)?;
            let number = |n| row.get::<_, u64>(n).map_err(StoreError::Query);
            groups.push(Group {
                key,
                total: number(0)?,
                octets_in: number(1)?,
                octets_out: number(2)?,
                ..self.nothing()
            });
        }
        Ok(groups)
    }

    fn nothing(&self) -> Group {
        let steps = if self.query.step.is_some() { usize::try_from(self.steps.count()).unwrap_or(0) } else { 0 };
        Group {
            key: Vec::new(),
            total: 0,
            octets_in: 0,
            octets_out: 0,
            points: vec![0; steps],
            points_in: vec![0; steps],
            points_out: vec![0; steps],
            summary: None,
            previous: None,
        }
    }

    /// All of a table, by step.
    fn sums(&self, table: &str, steps: Steps) -> Result<Group, StoreError> {
        let mut group = self.nothing();
        let sql = format!(
            "SELECT step, {}, {}, {} FROM {table} GROUP BY step",
            sum("measure"),
            sum("octets_in"),
            sum("octets_out")
        );
        self.rows(&sql, |step, amount| {
            group.total = group.total.saturating_add(amount.measure);
            group.octets_in = group.octets_in.saturating_add(amount.octets_in);
            group.octets_out = group.octets_out.saturating_add(amount.octets_out);
            if let Some(n) = steps.index(step) {
                group.add(n, amount);
            }
        })?;
        Ok(group)
    }

    fn steps_of_groups(&self, table: &str, groups: &mut [Group]) -> Result<(), StoreError> {
        if self.query.step.is_none() || groups.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT t.place * 100000 + (k.step - {}) // {}, {}, {}, {} FROM {table} k JOIN top t ON {} GROUP BY ALL",
            self.steps.from,
            self.steps.width,
            sum("k.measure"),
            sum("k.octets_in"),
            sum("k.octets_out"),
            self.join()
        );
        self.rows(&sql, |cell, amount| {
            let (place, step) = (cell.div_euclid(100_000), cell.rem_euclid(100_000));
            let group = usize::try_from(place).ok().and_then(|n| groups.get_mut(n));
            if let (Some(group), Ok(step)) = (group, usize::try_from(step)) {
                group.add(step, amount);
            }
        })
    }

    /// Reads rows of a number and three sums.
    fn rows(&self, sql: &str, mut each: impl FnMut(i64, Amount)) -> Result<(), StoreError> {
        let mut select = self.connection.prepare(sql).map_err(StoreError::Query)?;
        let mut rows = select.query([]).map_err(StoreError::Query)?;
        while let Some(row) = rows.next().map_err(StoreError::Query)? {
            let number = |n| row.get::<_, u64>(n).map_err(StoreError::Query);
            let amount = Amount { measure: number(1)?, octets_in: number(2)?, octets_out: number(3)? };
            each(row.get(0).map_err(StoreError::Query)?, amount);
        }
        Ok(())
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        if self.budget.cancel.is_cancelled() {
            return Err(cancelled(self.budget));
        }
        self.connection.execute_batch(sql).map_err(StoreError::Query)
    }

    /// The key columns of all dimensions.
    fn keys(&self, prefix: &str) -> String {
        let columns =
            (0..self.query.dimensions.len()).map(|n| format!("{prefix}hi{n}, {prefix}lo{n}, {prefix}text{n}"));
        columns.collect::<Vec<_>>().join(", ")
    }

    fn join(&self) -> String {
        let same = |n| format!("k.hi{n} = t.hi{n} AND k.lo{n} = t.lo{n} AND k.text{n} IS NOT DISTINCT FROM t.text{n}");
        (0..self.query.dimensions.len()).map(same).collect::<Vec<_>>().join(" AND ")
    }

    /// Makes the summaries of all groups, over the steps in which anything was observed.
    fn summarise_all(&self, explored: &mut Explored) {
        // What carried something was observed, whatever the samples say.
        let starts = (self.steps.from..).step_by(usize::try_from(self.steps.width).unwrap_or(usize::MAX));
        for ((length, amount), start) in explored.observed.iter_mut().zip(&explored.total.points).zip(starts) {
            if *length == 0 && *amount > 0 {
                let end = (start + self.steps.width).min(self.query.complete_until.millis());
                *length = u64::try_from(end - start).unwrap_or(0);
            }
        }
        let Explored { groups, other, total, observed, .. } = explored;
        for group in groups.iter_mut().chain([other, total]) {
            group.summary = summary(&group.points, observed);
        }
    }
}

/// What the steps amount to; nothing when none of them was observed.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates need no exact octets, and a rank is small and not negative"
)]
fn summary(points: &[u64], observed: &[u64]) -> Option<Summary> {
    let known = points.iter().zip(observed).filter(|(_, length)| **length > 0);
    let mut rates: Vec<f64> = known.clone().map(|(amount, length)| *amount as f64 * 1000.0 / *length as f64).collect();
    rates.sort_unstable_by(f64::total_cmp);
    let (min, max) = (*rates.first()?, *rates.last()?);
    let rank = (0.95 * rates.len() as f64).ceil() as usize;
    let p95 = rates.get(rank.saturating_sub(1)).copied().unwrap_or(max);
    let (amount, length) = known.fold((0, 0), |(a, l), (amount, length)| (a + amount, l + length));
    Some(Summary { min, avg: amount as f64 * 1000.0 / length as f64, p95, max })
}

/// The value of a dimension, from its three columns.
fn value(row: &duckdb::Row<'_>, dimension: Dimension, column: usize) -> Result<Value, duckdb::Error> {
    let number = |n: usize| row.get::<_, Option<u64>>(column + n).map(Option::unwrap_or_default);
    let small = |n: usize| number(n).map(|n| u16::try_from(n).unwrap_or(u16::MAX));
    let protocol = |n: usize| number(n).map(|n| Protocol(u8::try_from(n).unwrap_or(u8::MAX)));
    Ok(match dimension {
        Dimension::Host | Dimension::Source | Dimension::Destination => Value::Address(whole(number(0)?, number(1)?)),
        Dimension::SourcePort => Value::AnyPort(small(1)?),
        Dimension::Port => Value::Port(protocol(0)?, small(1)?),
        Dimension::Protocol => Value::Protocol(protocol(1)?),
        Dimension::Vlan => Value::Vlan(vlan_ids(number(1)?)),
        Dimension::Agent => Value::Agent(AgentId(number(1)?)),
        _ => match row.get::<_, Option<String>>(column + 2)? {
            Some(text) => Value::Text(Untrusted::new(&text)),
            None => Value::Absent,
        },
    })
}

fn edges(groups: &[Group]) -> Vec<Edge> {
    let mut sums: HashMap<(usize, &Value, &Value), u64> = HashMap::new();
    for group in groups {
        for (level, pair) in group.key.windows(2).enumerate() {
            *sums.entry((level, &pair[0], &pair[1])).or_default() += group.total;
        }
    }
    let edge = |((level, from, to), total): ((usize, &Value, &Value), u64)| Edge {
        level,
        from: from.clone(),
        to: to.clone(),
        total,
    };
    let mut edges: Vec<Edge> = sums.into_iter().map(edge).collect();
    edges.sort_by(|a, b| (a.level, b.total, &a.from, &a.to).cmp(&(b.level, a.total, &b.from, &b.to)));
    edges
}
