//! `/api/v1/probe-networks`: which networks probes of the workspace may measure.
//!
//! What the configuration of the server says is shown beside it: it bounds all workspaces, and is changed there alone. Agents hear of a
//! change at once, and measure on by it at their times.

use axum::Json;
use axum::response::{IntoResponse, Response};
use netwatch_api::probe::networks::{ProbeNetworks as Shown, ProbeNetworksPut, SiteNetworks};
use netwatch_entities::{Reading, Writing};
use netwatch_identity::audit::Entry;
use netwatch_model::people::{Action, Fields, ObjectKind, ObjectRef, WorkspaceId};
use netwatch_model::probe::ProbeNetworks;

use super::asker::{Asker, ask, change};
use super::declare::owned;
use super::probes::tell;
use crate::access::record;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::probes::networks::{self, Chosen, ChosenId};
use crate::routes::NoParams;

/// The word under which they stand in files.
pub(super) const DECLARED: &str = "probe_networks";
/// What their only object is called there.
pub(super) const NAME: &str = "networks";

/// Which networks probes may measure
#[utoipa::path(
    get, path = "/api/v1/probe-networks", operation_id = "get_probe_networks", tag = "probes",
    responses((status = 200, description = "What the workspace says, and what bounds it", body = Shown))
)]
pub(super) async fn show(app: App, asker: Asker, asked: Preconditions, _: Params<NoParams>) -> Result<Response, Fault> {
    let (workspace, with) = (asker.workspace()?, app.clone());
    let body = ask(&app, move |tx| shown(tx, workspace, &with)).await?;
    Ok(ETag::of(&body)?.tagged(&asked, &body))
}

/// Narrow which networks probes may measure
///
/// Needs `If-Match`. It holds at once for every probe of the workspace, wherever it runs, by the address that is really measured. It never
/// widens what the configuration of the server allows.
#[utoipa::path(
    put, path = "/api/v1/probe-networks", operation_id = "set_probe_networks", tag = "probes", request_body = ProbeNetworksPut,
    responses((status = 200, description = "What holds now", body = Shown),
              (status = 400, description = "A network cannot be read"),
              (status = 409, description = "A file owns them"), (status = 412, description = "Changed meanwhile"))
)]
pub(super) async fn set(
    app: App,
    asker: Asker,
    asked: Preconditions,
    Body(ProbeNetworksPut { only, deny }): Body<ProbeNetworksPut>,
) -> Result<Response, Fault> {
    let (workspace, with) = (asker.workspace()?, app.clone());
    let after = networks::checked(&only, &deny)?;
    let done = change(&app, move |tx| {
        asked.require(&ETag::of(&shown(tx, workspace, &with)?)?)?;
        owned::refuse(tx, workspace, DECLARED, NAME)?;
        alter(tx, &asker, &after)?;
        shown(tx, workspace, &with)
    });
    let body = done.await?;
    tell(&app).await?;
    Ok((ETag::of(&body)?.header(), Json(body)).into_response())
}

/// Narrows, with its audit record; what is so already stays.
pub(super) fn alter(tx: &Writing<'_>, asker: &Asker, after: &ProbeNetworks) -> Result<(), Fault> {
    let workspace = asker.workspace()?;
    let stored = tx.find::<Chosen>(workspace, ChosenId(workspace))?;
    let (is_new, before) = (stored.is_none(), stored.map(|s| s.value.networks).unwrap_or_default());
    if *after == before {
        return Ok(());
    }
    save(tx, workspace, after, is_new)?;
    let (old, new) = Fields::changed(&fields(&before), &fields(after));
    let object = ObjectRef::new(ObjectKind::Workspace, workspace, "networks of probes");
    let did = asker.by().did(Action::WorkspaceChanged, object);
    Ok(record(tx, Entry { workspace: Some(workspace), before: Some(old), after: Some(new), ..did })?)
}

fn save(tx: &Writing<'_>, workspace: WorkspaceId, networks: &ProbeNetworks, is_new: bool) -> Result<(), Fault> {
    let chosen = Chosen { workspace, networks: networks.clone() };
    if is_new {
        tx.insert(&chosen)?
    } else {
        tx.update(&chosen, None)?
    };
    Ok(())
}

fn shown(tx: &Reading<'_>, workspace: WorkspaceId, app: &App) -> Result<Shown, Fault> {
    let ProbeNetworks { only, deny } = networks::of(tx, workspace)?;
    let policy = app.prober().policy();
    let site = SiteNetworks { allow: policy.allow.clone(), deny: policy.deny.clone() };
    Ok(Shown { only, deny, site, managed_by: owned::by(tx, workspace, DECLARED, NAME)? })
}

/// So many networks fit into one value of the audit log, whatever their length.
const IN_A_FIELD: usize = 22;

/// For the audit log, all of them.
fn fields(networks: &ProbeNetworks) -> Fields {
    let lists = [("only", &networks.only, "all"), ("deny", &networks.deny, "none")];
    lists.into_iter().fold(Fields::new(), |fields, (name, list, none)| {
        let name = format!("probe_networks.{name}");
        if list.is_empty() {
            return fields.with(&name, none);
        }
        list.chunks(IN_A_FIELD).enumerate().fold(fields, |fields, (part, networks)| {
            let part = if part == 0 { String::new() } else { format!(".{}", part + 1) };
            fields.with(&format!("{name}{part}"), networks.join(", "))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_log_holds_every_network() {
        let only: Vec<String> = (0..ProbeNetworks::MAX)
            .map(|n| format!("{:x}:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 0xf000 + n))
            .collect();
        let fields = fields(&ProbeNetworks { deny: only.clone(), only: only.clone() });
        let text = serde_json::to_string(&fields).unwrap();
        assert!(
            only.iter().all(|network| text.matches(network.as_str()).count() == 2) && !text.contains('…'),
            "{text}"
        );
    }
}
