//! The probes of which an agent has results: what its page shows.
//!
//! All probes of the workspace are looked through, because the store does not know who measures: the board does.

use netwatch_api::page::Page;
use netwatch_api::probe::{Probe as Shown, ProbesQuery};
use netwatch_entities::ListQuery;
use netwatch_model::AgentId;
use netwatch_model::probe::Probe;

use crate::app::App;
use crate::fault::Fault;
use crate::page::Pager;
use crate::params;
use crate::routes::manage::asker::{Asker, ask};

/// A page of them, by name.
pub(super) async fn list(app: &App, asker: &Asker, query: &ProbesQuery, agent: AgentId) -> Result<Page<Shown>, Fault> {
    let workspace = asker.workspace()?;
    let pager = Pager::new("probes of an agent", &(workspace, &query.search, agent))?;
    let after: Option<(String, String)> = pager.after(query.cursor.as_deref())?;
    let limit = params::limit(query.limit, 50, 500)?;
    let most = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    let search = query.search.clone().filter(|text| !text.is_empty());
    let wanted = ListQuery { limit: most, search, ..ListQuery::default() };
    let with = app.clone();
    let mut rows: Vec<Shown> = ask(app, move |tx| {
        let all = tx.list::<Probe>(workspace, &wanted)?.items;
        let has = |probe: &Probe| with.store().probes().of(probe.id).iter().any(|(one, _)| *one == agent);
        all.iter().filter(|stored| has(&stored.value)).map(|stored| super::shown(tx, stored, &with)).collect()
    })
    .await?;
    rows.sort_by_cached_key(place);
    rows.retain(|probe| after.as_ref().is_none_or(|after| place(probe) > *after));
    pager.page(rows, limit, place)
}

fn place(probe: &Shown) -> (String, String) {
    (probe.name.to_lowercase(), probe.id.to_string())
}
