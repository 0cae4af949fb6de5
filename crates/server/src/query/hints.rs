//! Filters on the index: which rows cannot fit, told by a few bytes of each, many at a time.
//!
//! Operands of the outermost `and` that name addresses, ports, protocols, applications, names or octets are answered from columns. If
//! all operands are of that kind the answer is exact (but for addresses that are not IPv4); else the rows that are left are asked as a
//! whole.

use std::cell::RefCell;
use std::net::IpAddr;

use netwatch_model::filter::{Comparison, Condition, Expr, Field, Filter, Network, Subject, Test};
use netwatch_model::{NameSource, Untrusted};

use crate::store::{ASK, Index, RowSet, TextId, Words};

/// Keeps the rows of an index that may fit; tells whether those that are left surely fit.
pub(super) fn narrow(filter: &Filter, index: &Index, words: &Words, rows: &mut RowSet) -> bool {
    let mut exact = true;
    for conjunct in filter.conjuncts() {
        exact &= match conjunct {
            Expr::Test(test) => narrow_by(test, test.negated, index, words, rows),
            Expr::Not(inner) => match &**inner {
                Expr::Test(test) => narrow_by(test, !test.negated, index, words, rows),
                _ => false,
            },
            _ => false,
        };
    }
    exact
}

fn narrow_by(test: &Test, negated: bool, index: &Index, words: &Words, rows: &mut RowSet) -> bool {
    let condition = &test.condition;
    match test.field {
        Field::Host => by_ends([true, true], condition, negated, index, rows),
        Field::Source => by_ends([true, false], condition, negated, index, rows),
        Field::Destination => by_ends([false, true], condition, negated, index, rows),
        Field::SourcePort => {
            rows.retain_where(&index.ports, |p| holds(condition, p[0].into()) != negated);
            true
        }
        Field::DestinationPort => {
            rows.retain_where(&index.ports, |p| holds(condition, p[1].into()) != negated);
            true
        }
        Field::Port => {
            let mut fit = rows.clone();
            by_port(condition, index, &mut fit);
            if negated {
                fit.invert();
            }
            rows.intersect(&fit);
            true
        }
        Field::Protocol => {
            rows.retain_where(&index.protocols, |p| holds(condition, p.0.into()) != negated);
            true
        }
        Field::Bytes => {
            rows.retain_where(&index.octets, |n| holds(condition, *n) != negated);
            true
        }
        Field::Application => by_text(0, test, negated, index, words, rows),
        Field::Name => by_text(1, test, negated, index, words, rows),
        // The name must fit; where it was seen is asked of the row.
        Field::Sni | Field::Dns | Field::HttpHost if !negated => {
            by_text(1, &Test { field: Field::Name, ..test.clone() }, false, index, words, rows);
            false
        }
        _ => false,
    }
}

fn by_ends(which: [bool; 2], condition: &Condition, negated: bool, index: &Index, rows: &mut RowSet) -> bool {
    let Some(networks) = networks(condition) else { return false };
    let within = |end: u32| networks.iter().any(|(first, mask)| end & mask == *first);
    let fits = |ends: &[u32; 2]| {
        ends[0] == ASK || ends[1] == ASK || ((which[0] && within(ends[0])) || (which[1] && within(ends[1]))) != negated
    };
    match networks.as_slice() {
        // By far the most usual: one host, compared without branches.
        [(host, u32::MAX)] if which == [true, true] && !negated => {
            rows.retain_where(&index.ends, |e| (e[0] == *host) | (e[1] == *host) | (e[0] == ASK) | (e[1] == ASK));
        }
        [(first, mask)] if which == [true, false] && !negated && !index.has_far => {
            rows.retain_where(&index.ends, |e| e[0] & mask == *first);
        }
        [(first, mask)] if which == [false, true] && !negated && !index.has_far => {
            rows.retain_where(&index.ends, |e| e[1] & mask == *first);
        }
        _ => rows.retain_where(&index.ends, fits),
    }
    // Rows that are not IPv4 are left; whether there are any among them is known only row by row.
    !index.has_far || !rows.iter().any(|row| index.ends.get(row).is_some_and(|e| e.contains(&ASK)))
}

/// Protocols without ports fit no port.
fn by_port(condition: &Condition, index: &Index, rows: &mut RowSet) {
    match condition {
        Condition::Number(Comparison::Equal, n) => {
            rows.retain_where(&index.ports, |p| (u64::from(p[0]) == *n) | (u64::from(p[1]) == *n));
        }
        _ => rows.retain_where(&index.ports, |p| p.iter().any(|p| holds(condition, (*p).into()))),
    }
    rows.retain_where(&index.protocols, |p| p.has_ports());
}

fn by_text(column: usize, test: &Test, negated: bool, index: &Index, words: &Words, rows: &mut RowSet) -> bool {
    let filter = Filter::from(Expr::Test(Test { negated: false, ..test.clone() }));
    // By number of a text: not known yet, no, yes.
    let known: RefCell<Vec<u8>> = RefCell::default();
    rows.retain_where(&index.texts, |texts| {
        let id = texts[column];
        let mut known = known.borrow_mut();
        let at = id.0 as usize;
        if known.len() <= at {
            known.resize(at + 1, 0);
        }
        let Some(place) = known.get_mut(at) else { return true };
        if *place == 0 {
            *place = if filter.matches(&OneText::of(id, words)) { 2 } else { 1 };
        }
        (*place == 2) != negated
    });
    true
}

/// A text as application and as name.
struct OneText<'a>(Option<&'a str>);

impl<'a> OneText<'a> {
    fn of(id: TextId, words: &'a Words) -> Self {
        Self(words.text(id).map(Untrusted::raw))
    }
}

impl Subject for OneText<'_> {
    fn application(&self) -> Option<&str> {
        self.0
    }
    fn name(&self) -> Option<(&str, NameSource)> {
        self.0.map(|text| (text, NameSource::Dns))
    }
}

/// The networks of IPv4 as first address and mask.
fn networks(condition: &Condition) -> Option<Vec<(u32, u32)>> {
    let Condition::Networks(list) = condition else { return None };
    let v4 = |network: &Network| match network.address() {
        IpAddr::V4(first) => Some((first.to_bits(), u32::MAX.checked_shl(32 - u32::from(network.bits())).unwrap_or(0))),
        IpAddr::V6(_) => None,
    };
    Some(list.iter().filter_map(v4).collect())
}

fn holds(condition: &Condition, n: u64) -> bool {
    match condition {
        Condition::Present => true,
        Condition::Number(comparison, value) => comparison.holds(n, *value),
        Condition::Ranges(list) => list.iter().any(|(low, high)| (*low..=*high).contains(&n)),
        _ => false,
    }
}
