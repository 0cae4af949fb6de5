//! Which probes a list shows, and in which order, when that follows from how they stand.
//!
//! How probes stand is in memory and changes all the time, so that such a list is made from all probes for each page. A page begins after
//! the place of the last row of the page before: rows that changed their place meanwhile may come again or not at all, others never.

use netwatch_api::page::Page;
use netwatch_api::probe::{Probe as Shown, ProbeSort, ProbeStanding, ProbesQuery};
use netwatch_entities::{ListQuery, Reading, Stored};
use netwatch_model::people::WorkspaceId;
use netwatch_model::probe::kind::ParseKindError;
use netwatch_model::probe::{Probe, ProbeKind, Selection};
use serde::{Deserialize, Serialize};

use super::shown::overall;
use crate::fault::Fault;
use crate::page::Pager;
use crate::params;
use crate::probes::Board;
use crate::probes::board::RunState;

/// Longest text that is searched for, in characters.
const MAX_SEARCH: usize = 100;

/// Whether the store itself can give that list.
pub(super) fn is_plain(query: &ProbesQuery) -> bool {
    let is_by_name = query.sort.unwrap_or_default() == ProbeSort::Name;
    is_by_name && query.state.is_none() && query.kind.is_none() && query.label.is_none()
}

/// Kind and label of a question.
#[derive(Clone, Debug, Default)]
pub(in crate::routes) struct Filter {
    kind: Option<ProbeKind>,
    label: Option<(String, String)>,
}

impl Filter {
    pub(in crate::routes) fn new(kind: Option<&str>, label: Option<&str>) -> Result<Self, Fault> {
        let wrong = |error: ParseKindError| Fault::parameter("kind", error.to_string());
        let kind = kind.map(|text| text.parse().map_err(wrong)).transpose()?;
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty())?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let none = || Fault::parameter("label", "write a label as `name=value`");
        let label = label.map(|text| pair(text).ok_or_else(none)).transpose()?;
        Ok(Self { kind, label })
    }

    pub(in crate::routes) fn fits(&self, probe: &Probe) -> bool {
        let labels = &probe.spec.labels;
        self.kind.is_none_or(|kind| kind == probe.spec.kind)
            && self.label.as_ref().is_none_or(|(name, value)| labels.get(name) == Some(value))
    }
}

/// One list, for one question.
pub(super) struct Chosen {
    workspace: WorkspaceId,
    pager: Pager,
    after: Option<Place>,
    limit: usize,
    search: Option<String>,
    filter: Filter,
    state: Option<ProbeStanding>,
    sort: ProbeSort,
}

/// A row's place in the order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct Place {
    /// Smaller is first.
    rank: u64,
    text: String,
    name: String,
    id: String,
}

impl Chosen {
    pub(super) fn new(workspace: WorkspaceId, query: &ProbesQuery) -> Result<Self, Fault> {
        if query.search.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH) {
            return Err(Fault::parameter("search", format!("`search` has more than {MAX_SEARCH} characters")));
        }
        let sort = query.sort.unwrap_or_default();
        let question = (workspace, &query.search, query.state, &query.kind, &query.label, sort);
        let pager = Pager::new("chosen probes", &question)?;
        Ok(Self {
            workspace,
            after: pager.after(query.cursor.as_deref())?,
            pager,
            limit: params::limit(query.limit, 50, 500)?,
            search: query.search.clone().filter(|text| !text.is_empty()),
            filter: Filter::new(query.kind.as_deref(), query.label.as_deref())?,
            state: query.state,
            sort,
        })
    }

    /// The page, each of its rows made by `row`.
    pub(super) fn page(
        &self,
        tx: &Reading<'_>,
        board: &Board,
        windows: &[Selection],
        row: impl Fn(&Stored<Probe>) -> Result<Shown, Fault>,
    ) -> Result<Page<Shown>, Fault> {
        let limit = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
        let query = ListQuery { search: self.search.clone(), limit, ..ListQuery::default() };
        let fits = |probe: &Probe| self.filter.fits(probe) && self.stands(probe, board, windows);
        let stored = tx.list::<Probe>(self.workspace, &query)?.items.into_iter().filter(|one| fits(&one.value));
        let placed = stored.map(|one| (self.place(&one.value, board), one));
        let later = |(place, _): &(Place, _)| self.after.as_ref().is_none_or(|after| place > after);
        let mut rows: Vec<(Place, Stored<Probe>)> = placed.filter(later).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let page = self.pager.page(rows, self.limit, |(place, _)| place.clone())?;
        let items = page.items.iter().map(|(_, stored)| row(stored)).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor: page.next_cursor })
    }

    fn stands(&self, probe: &Probe, board: &Board, windows: &[Selection]) -> bool {
        let Some(wanted) = self.state else { return true };
        match wanted {
            ProbeStanding::Maintenance => windows.iter().any(|window| window.has(probe)),
            wanted => standing(probe, board) == wanted,
        }
    }

    fn place(&self, probe: &Probe, board: &Board) -> Place {
        let (rank, text) = match self.sort {
            ProbeSort::Name => (0, String::new()),
            ProbeSort::State => (worseness(standing(probe, board)), String::new()),
            ProbeSort::Loss => (longest(board.last(probe.id).iter().filter_map(|run| run.loss)), String::new()),
            ProbeSort::Response => (longest(board.last(probe.id).iter().filter_map(|run| run.time)), String::new()),
            ProbeSort::Kind => (0, probe.spec.kind.name().to_owned()),
            ProbeSort::Target => (0, probe.spec.target.chars().take(200).collect()),
        };
        Place { rank, text, name: probe.name.as_str().to_lowercase(), id: probe.id.to_string() }
    }
}

fn standing(probe: &Probe, board: &Board) -> ProbeStanding {
    if !probe.enabled {
        return ProbeStanding::Paused;
    }
    match overall(probe, board) {
        None => ProbeStanding::Waiting,
        Some(RunState::Up) => ProbeStanding::Up,
        Some(RunState::Degraded) => ProbeStanding::Degraded,
        Some(RunState::Down) => ProbeStanding::Down,
        Some(RunState::Unknown) => ProbeStanding::Unknown,
    }
}

const fn worseness(standing: ProbeStanding) -> u64 {
    match standing {
        ProbeStanding::Down => 0,
        ProbeStanding::Degraded => 1,
        ProbeStanding::Unknown => 2,
        ProbeStanding::Waiting => 3,
        ProbeStanding::Up => 4,
        ProbeStanding::Paused | ProbeStanding::Maintenance => 5,
    }
}

/// The greatest first, none at all last. Numbers that are not negative have the order of their bits.
fn longest(values: impl Iterator<Item = f64>) -> u64 {
    let greatest = values.filter(|value| value.is_finite()).reduce(f64::max);
    u64::MAX - greatest.map_or(0, |value| value.max(0.0).to_bits() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_comes_first_and_nothing_last() {
        let ranks = [Some(1.0), Some(0.5), Some(0.0), None].map(|value| longest(value.into_iter()));
        assert!(ranks.is_sorted() && ranks[2] < ranks[3], "{ranks:?}");
    }

    #[test]
    fn labels_and_kinds_are_read() {
        assert!(Filter::new(Some("ping"), Some("site=berlin")).is_ok());
        for (kind, label, parameter) in [(Some("pong"), None, "kind"), (None, Some("site"), "label")] {
            let fault = Filter::new(kind, label).unwrap_err().into_problem();
            assert_eq!(fault.parameter.as_deref(), Some(parameter));
        }
    }
}
