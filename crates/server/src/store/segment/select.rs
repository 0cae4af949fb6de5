//! Which rows of a segment a filter selects.
//!
//! Comparisons of addresses, ports, texts and other listed values are answered for each value of the column once, then for all rows at
//! a time; whatever else the filter asks is asked of the rows that are left. The meaning of every comparison is the filter
//! language's own: values are put to it, not interpreted here, except addresses (searched) and ports (compared as numbers).

use netwatch_model::Untrusted;
use netwatch_model::filter::{Comparison, Condition, Expr, Field, Filter, Test};

use super::column::Coded;
use super::subject::OneValue;
use super::{RowSet, Segment, SegmentRow};
use crate::store::row::Words;
use crate::store::texts::TextId;

impl Segment {
    /// The rows that the filter selects.
    pub(crate) fn select(&self, filter: &Filter, words: &Words) -> RowSet {
        let mut rows = RowSet::all(self.rows);
        let mut slow = Vec::new();
        for conjunct in filter.conjuncts() {
            match self.fast(conjunct, words) {
                Some(some) => rows.intersect(&some),
                None => slow.push(conjunct.clone()),
            }
            if rows.is_empty() {
                return rows;
            }
        }
        if !slow.is_empty() {
            let rest = Filter::from(Expr::And(slow));
            rows.retain(|row| rest.matches(&SegmentRow::new(self, row, words)));
        }
        rows
    }

    /// The rows that an expression selects, when columns alone can tell.
    fn fast(&self, expr: &Expr, words: &Words) -> Option<RowSet> {
        match expr {
            Expr::And(list) => {
                let mut rows = RowSet::all(self.rows);
                for e in list {
                    rows.intersect(&self.fast(e, words)?);
                }
                Some(rows)
            }
            Expr::Or(list) => {
                let mut rows = RowSet::none(self.rows);
                for e in list {
                    rows.unite(&self.fast(e, words)?);
                }
                Some(rows)
            }
            Expr::Not(inner) => {
                let mut rows = self.fast(inner, words)?;
                rows.invert();
                Some(rows)
            }
            Expr::Test(test) => {
                let mut rows = self.fast_test(test, words)?;
                if test.negated {
                    rows.invert();
                }
                Some(rows)
            }
        }
    }

    /// The rows for which a test holds, its negation left aside.
    fn fast_test(&self, test: &Test, words: &Words) -> Option<RowSet> {
        let condition = &test.condition;
        match test.field {
            Field::Source => self.by_address(condition, true, false),
            Field::Destination => self.by_address(condition, false, true),
            Field::Host => self.by_address(condition, true, true),
            Field::SourcePort => Some(self.by_port(condition, true, false)),
            Field::DestinationPort => Some(self.by_port(condition, false, true)),
            Field::Port => {
                let mut rows = self.by_port(condition, true, true);
                if !rows.is_empty() {
                    rows.intersect(&marked(&self.kind, self.rows, |kind| kind.protocol.has_ports()));
                }
                Some(rows)
            }
            Field::Sni | Field::Dns | Field::HttpHost => {
                let mut rows = self.by_text(&Test { field: Field::Name, ..positive(test) }, words)?;
                let filter = Filter::from(Expr::Test(positive(test)));
                rows.retain(|row| filter.matches(&SegmentRow::new(self, row, words)));
                Some(rows)
            }
            _ => self.by_text(&positive(test), words).or_else(|| self.by_value(&positive(test))),
        }
    }

    fn by_address(&self, condition: &Condition, source: bool, destination: bool) -> Option<RowSet> {
        let Condition::Networks(networks) = condition else { return None };
        let mut rows = RowSet::none(self.rows);
        let mut wanted = vec![false; self.addresses.len()];
        if self.addresses.within(networks, &mut wanted) {
            let columns = [(source, &self.source), (destination, &self.destination)];
            columns.into_iter().filter(|(asked, _)| *asked).for_each(|(_, places)| places.mark(&wanted, &mut rows));
        }
        Some(rows)
    }

    fn by_port(&self, condition: &Condition, source: bool, destination: bool) -> RowSet {
        let mut rows = RowSet::none(self.rows);
        let columns = [(source, &self.source_port), (destination, &self.destination_port)];
        let columns = columns.into_iter().filter(|(asked, _)| *asked).map(|(_, ports)| ports);
        match condition {
            Condition::Number(Comparison::Equal, n) => {
                let Some(port) = u16::try_from(*n).ok().filter(|port| self.has_port(*port)) else { return rows };
                columns.for_each(|ports| rows.insert_where(ports, |p| *p == port));
            }
            condition => columns.for_each(|ports| rows.insert_where(ports, |p| holds(condition, (*p).into()))),
        }
        rows
    }

    fn has_port(&self, port: u16) -> bool {
        self.ports.get(usize::from(port) / 64).is_some_and(|word| word >> (port % 64) & 1 == 1)
    }

    /// Columns whose values are numbers of texts or processes.
    fn by_text(&self, test: &Test, words: &Words) -> Option<RowSet> {
        let filter = Filter::from(Expr::Test(test.clone()));
        let text = |id: TextId| words.text(id).map(Untrusted::raw);
        let (column, asked): (_, &dyn Fn(TextId) -> bool) = match test.field {
            Field::Application => {
                (&self.application, &|id| filter.matches(&OneValue { application: text(id), ..OneValue::default() }))
            }
            Field::Interface => {
                (&self.interface, &|id| filter.matches(&OneValue { interface: text(id), ..OneValue::default() }))
            }
            Field::Name => (&self.name, &|id| filter.matches(&OneValue { name: text(id), ..OneValue::default() })),
            Field::Process | Field::Pid | Field::User | Field::Container => {
                (&self.process, &|id| filter.matches(&OneValue { process: words.process(id), ..OneValue::default() }))
            }
            _ => return None,
        };
        Some(marked(column, self.rows, |id| asked(*id)))
    }

    /// Columns of other listed values.
    fn by_value(&self, test: &Test) -> Option<RowSet> {
        let filter = Filter::from(Expr::Test(test.clone()));
        match test.field {
            Field::Protocol | Field::State | Field::EndReason => Some(marked(&self.kind, self.rows, |kind| {
                filter.matches(&OneValue { kind: Some(*kind), ..OneValue::default() })
            })),
            Field::Vlan => Some(marked(&self.vlan, self.rows, |vlan| {
                filter.matches(&OneValue { vlan: vlan.as_slice(), ..OneValue::default() })
            })),
            Field::Tunnel | Field::TunnelId => Some(marked(&self.tunnel, self.rows, |tunnel| {
                filter.matches(&OneValue { tunnel: *tunnel, ..OneValue::default() })
            })),
            _ => None,
        }
    }
}

fn positive(test: &Test) -> Test {
    Test { negated: false, ..test.clone() }
}

/// The rows whose value fits.
fn marked<T>(column: &Coded<T>, rows: usize, fits: impl Fn(&T) -> bool) -> RowSet
where
    T: Copy + Eq + std::hash::Hash + Default,
{
    let wanted: Vec<bool> = column.values().iter().map(fits).collect();
    let mut set = RowSet::none(rows);
    if wanted.contains(&true) {
        column.places().mark(&wanted, &mut set);
    }
    set
}

fn holds(condition: &Condition, n: u64) -> bool {
    match condition {
        Condition::Present => true,
        Condition::Number(comparison, value) => comparison.holds(n, *value),
        Condition::Ranges(list) => list.iter().any(|(low, high)| (*low..=*high).contains(&n)),
        _ => false,
    }
}
