//! Shared views in a file: page, name and query. What people keep for themselves stays theirs. A view that a file makes has no owner, so
//! that it does not leave with somebody.

use std::collections::BTreeMap;

use netwatch_entities::{Reading, Stored, Writing};
use netwatch_identity::secret::random_bits;
use netwatch_model::people::{DisplayName, Permission, View, ViewId, ViewPage, ViewQuery, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Declared;
use crate::app::to_json;
use crate::fault::Fault;
use crate::params::parse_body;
use crate::routes::manage::asker::{Asker, field, not_found};
use crate::routes::manage::views::{self, declared_name};

/// See the module.
pub(super) struct Views;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    page: String,
    name: String,
    #[serde(default)]
    query: String,
}

impl Declared for Views {
    fn word(&self) -> &'static str {
        views::DECLARED
    }

    fn reading(&self) -> Permission {
        Permission::ViewsRead
    }

    fn writing(&self) -> Permission {
        Permission::ViewsWrite
    }

    fn parse(&self, written: &Value) -> Result<(String, Value), Fault> {
        let (page, name, query) = read(written)?;
        named(page, &name, &query)
    }

    /// Of those that got the same name before names had to differ, the oldest.
    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault> {
        let mut all = BTreeMap::new();
        for Stored { value: View { page, name, query, .. }, .. } in views::shared(tx, workspace)? {
            let (name, value) = named(page, &name, &query)?;
            all.entry(name).or_insert(value);
        }
        Ok(all)
    }

    fn create(&self, tx: &Writing<'_>, asker: &Asker, _: &str, value: &Value) -> Result<(), Fault> {
        let (page, name, query) = read(value)?;
        let (now, workspace) = (tx.now(), asker.workspace()?);
        let id = ViewId::new(now, random_bits()?);
        let view = View { id, workspace, owner: None, name, page, query, shared: true, created: now };
        views::make(tx, asker, &view).map(drop)
    }

    fn change(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        let before = find(tx, asker.workspace()?, name)?;
        let (_, _, query) = read(value)?;
        let after = View { query, ..before.value.clone() };
        views::alter(tx, asker, &before, &after).map(drop)
    }

    fn remove(&self, tx: &Writing<'_>, asker: &Asker, name: &str) -> Result<(), Fault> {
        let before = find(tx, asker.workspace()?, name)?;
        views::drop_it(tx, asker, &before)
    }
}

fn read(value: &Value) -> Result<(ViewPage, DisplayName, ViewQuery), Fault> {
    let Written { page, name, query } = parse_body(&to_json(value)?)?;
    Ok((field("page", &page)?, field("name", &name)?, field("query", &query)?))
}

/// As it stands in a file, and under which name.
fn named(page: ViewPage, name: &DisplayName, query: &ViewQuery) -> Result<(String, Value), Fault> {
    let written = Written { page: page.to_string(), name: name.to_string(), query: query.to_string() };
    Ok((declared_name(page, name.as_str()), parse_body(&to_json(&written)?)?))
}

fn find(tx: &Reading<'_>, workspace: WorkspaceId, name: &str) -> Result<Stored<View>, Fault> {
    let is_it = |view: &Stored<View>| declared_name(view.value.page, view.value.name.as_str()) == name;
    views::shared(tx, workspace)?.into_iter().find(is_it).ok_or_else(|| not_found("view"))
}
