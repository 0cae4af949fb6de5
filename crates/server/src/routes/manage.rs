//! Managing: workspaces, members, roles, tokens, the audit log, users, backups.
//!
//! Every route acts in the workspace of the request, which the gate has found, or over the site; none takes a workspace from a body.
//! Objects are asked for by workspace and id together, so that a foreign id is not found. A change and its audit record are one
//! transaction. Nobody gives what they do not have: `identity::access` decides.

pub(super) mod agents;
pub(super) mod asker;
mod audit;
mod backup;
mod declare;
mod invitations;
mod lists;
pub(super) mod maintenance;
mod members;
mod memberships;
mod networks;
pub(super) mod probes;
mod ranges;
mod retention;
mod roles;
mod tokens;
mod users;
mod views;
mod workspaces;

use netwatch_model::people::Permission::{
    AgentsRead, AgentsWrite, AuditRead, ConfigRead, ConfigWrite, MembersRead, MembersWrite, NetworksWrite, ProbesRead,
    ProbesWrite, RolesRead, RolesWrite, SiteAudit, SiteBackup, SiteUsers, SiteWorkspaces, SystemRead, SystemWrite,
    TokensOwn, TrafficRead, ViewsRead, WorkspaceDelete, WorkspaceRead, WorkspaceWrite,
};
use utoipa_axum::routes;

use crate::registry::Need::{Local, SignedIn};
use crate::registry::Registry;

/// Adds the routes.
pub(super) fn add(registry: Registry) -> Registry {
    over_the_site(of_a_workspace(registry))
}

fn of_a_workspace(registry: Registry) -> Registry {
    registry
        .route(WorkspaceRead, routes!(workspaces::current))
        .route(WorkspaceWrite, routes!(workspaces::change_current))
        .route(WorkspaceDelete, routes!(workspaces::delete_current))
        .route(MembersRead, routes!(members::list))
        .route(MembersRead, routes!(members::one))
        .route(MembersWrite, routes!(members::change))
        .route(MembersWrite, routes!(members::remove))
        .route(MembersRead, routes!(invitations::list))
        .route(MembersWrite, routes!(invitations::create))
        .route(MembersWrite, routes!(invitations::revoke))
        .route(RolesRead, routes!(roles::list))
        .route(RolesRead, routes!(roles::one))
        .route(RolesWrite, routes!(roles::create))
        .route(RolesWrite, routes!(roles::change))
        .route(RolesWrite, routes!(roles::delete))
        .route(SignedIn, routes!(roles::permissions))
        .route(TokensOwn, routes!(tokens::list))
        .route(TokensOwn, routes!(tokens::one))
        .route(TokensOwn, routes!(tokens::create))
        .route(TokensOwn, routes!(tokens::change))
        .route(TokensOwn, routes!(tokens::rotate))
        .route(TokensOwn, routes!(tokens::revoke))
        .route(ViewsRead, routes!(views::list))
        .route(ViewsRead, routes!(views::one))
        .route(ViewsRead, routes!(views::create))
        .route(ViewsRead, routes!(views::change))
        .route(ViewsRead, routes!(views::delete))
        .route(ProbesRead, routes!(probes::list))
        .route(ProbesRead, routes!(probes::one))
        .route(ProbesWrite, routes!(probes::create))
        .route(ProbesWrite, routes!(probes::change))
        .route(ProbesWrite, routes!(probes::delete))
        .route(ProbesRead, routes!(networks::show))
        .route(WorkspaceWrite, routes!(networks::set))
        .route(AgentsRead, routes!(agents::list))
        .route(AgentsRead, routes!(agents::one))
        .route(AgentsWrite, routes!(agents::change))
        .route(AgentsWrite, routes!(agents::delete))
        .route(AgentsWrite, routes!(agents::kick))
        .route(AgentsRead, routes!(agents::information))
        .route(AgentsRead, routes!(agents::tokens::list))
        .route(AgentsWrite, routes!(agents::tokens::create))
        .route(AgentsWrite, routes!(agents::tokens::delete))
        .route(ProbesRead, routes!(maintenance::list))
        .route(ProbesRead, routes!(maintenance::one))
        .route(ProbesWrite, routes!(maintenance::create))
        .route(ProbesWrite, routes!(maintenance::change))
        .route(ProbesWrite, routes!(maintenance::delete))
        .route(TrafficRead, routes!(ranges::list))
        .upload(NetworksWrite, ranges::MAX_BODY, routes!(ranges::replace))
        .route(AuditRead, routes!(audit::of_workspace))
        .route(ConfigRead, routes!(declare::export))
        .upload(ConfigWrite, declare::MAX_BODY, routes!(declare::apply))
}

fn over_the_site(registry: Registry) -> Registry {
    registry
        .route(SignedIn, routes!(workspaces::create))
        .route(SiteWorkspaces, routes!(workspaces::list))
        .route(SiteWorkspaces, routes!(workspaces::one))
        .route(SiteWorkspaces, routes!(workspaces::change))
        .route(SiteWorkspaces, routes!(workspaces::delete))
        .route(SiteUsers, routes!(users::list))
        .route(SiteUsers, routes!(users::one))
        .route(SiteUsers, routes!(users::create))
        .route(SiteUsers, routes!(users::change))
        .route(SiteUsers, routes!(users::delete))
        .route(SiteUsers, routes!(users::sessions))
        .route(SiteUsers, routes!(users::end_sessions))
        .route(SiteUsers, routes!(users::end_session))
        .route(SiteUsers, routes!(memberships::list))
        .route(SiteUsers, routes!(memberships::put))
        .route(SiteUsers, routes!(memberships::remove))
        .route(SystemRead, routes!(retention::show))
        .route(SystemWrite, routes!(retention::set))
        .route(SiteAudit, routes!(audit::of_site))
        .route(SiteAudit, routes!(audit::verify))
        .route(SiteBackup, routes!(backup::make))
        .upload(Local, backup::MAX_BACKUP, routes!(backup::restore))
        .route(Local, routes!(backup::rotate_keys))
}
