//! Pages of objects: from the parameters of a list to a question for the store, and from its answer to a page.

use netwatch_api::page::Page;
use netwatch_entities::{ListQuery, Mark, ObjectId, Order, Slice};
use netwatch_model::Timestamp;
use serde::Serialize;

use crate::fault::Fault;
use crate::page::Pager;
use crate::params;

/// Rows of a page unless asked otherwise, and at most.
const LIMIT: (u32, u32) = (50, 500);
/// Longest text that is searched for, in characters.
const MAX_SEARCH: usize = 100;

/// One list, for one question.
pub(super) struct List {
    pager: Pager,
    /// What the store is asked.
    pub(super) query: ListQuery,
}

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub(super) limit: Option<u32>,
    pub(super) cursor: Option<&'a str>,
    pub(super) search: Option<&'a str>,
    pub(super) owner: Option<ObjectId>,
}

impl List {
    /// The list of that name, in the place `place`.
    pub(super) fn new(name: &str, place: &impl Serialize, wanted: &Wanted<'_>) -> Result<Self, Fault> {
        if wanted.search.is_some_and(|text| text.chars().count() > MAX_SEARCH) {
            return Err(Fault::parameter("search", format!("`search` has more than {MAX_SEARCH} characters")));
        }
        let pager = Pager::new(name, &(place, wanted.search, wanted.owner.map(|id| id.to_string())))?;
        let after: Option<(String, i64, String)> = pager.after(wanted.cursor)?;
        let after = after.and_then(|(label, created, id)| {
            Some(Mark { label, created: Timestamp::from_nanos(created), id: id.parse().ok()? })
        });
        let limit = params::limit(wanted.limit, LIMIT.0, LIMIT.1)?;
        let query = ListQuery {
            owner: wanted.owner,
            search: wanted.search.filter(|text| !text.is_empty()).map(str::to_owned),
            order: Order::Label,
            after,
            limit,
        };
        Ok(Self { pager, query })
    }

    /// The page of a part of the list, each of its rows made by `row`.
    pub(super) fn page<S, T>(&self, slice: Slice<S>, row: impl FnMut(S) -> Result<T, Fault>) -> Result<Page<T>, Fault> {
        let mark = |m: Mark| self.pager.write(&(m.label, m.created.nanos(), m.id.to_string()));
        let next_cursor = slice.next.map(mark).transpose()?;
        Ok(Page { items: slice.items.into_iter().map(row).collect::<Result<_, _>>()?, next_cursor })
    }
}
