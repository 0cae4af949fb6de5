//! The OpenAPI 3.1 document: what the routes do not say of themselves.

use netwatch_api::Problem;
use netwatch_api::audit::AuditFormat;
use netwatch_api::event::EventGap;
use netwatch_api::stream::{ClientMessage, ServerMessage};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The document without its paths.
pub(crate) fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Netwatch",
        description = "What is on the network and what it carries. Times are RFC 3339 in UTC with nanoseconds, durations are seconds, \
                       sizes are octets. Errors are RFC 9457 problem documents with stable codes."
    ),
    components(schemas(Problem, ClientMessage, ServerMessage, EventGap, AuditFormat)),
    modifiers(&Schemes),
    tags(
        (name = "flows", description = "Conversations"),
        (name = "traffic", description = "Rates and top talkers"),
        (name = "history", description = "What was stored: flows and series over days"),
        (name = "filter", description = "The filter language"),
        (name = "sign-in", description = "Coming in: set-up, passwords, links, invitations"),
        (name = "session", description = "Who asks, and where"),
        (name = "account", description = "One's own account"),
        (name = "workspaces", description = "Workspaces, their limits and use"),
        (name = "members", description = "Who is in a workspace, and who is invited"),
        (name = "roles", description = "Roles and the table of permissions"),
        (name = "tokens", description = "API tokens of programs"),
        (name = "views", description = "Saved views of the pages of the web app"),
        (name = "probes", description = "Active measurement: probes, results, the matrix"),
        (name = "agents", description = "Places from which Netwatch observes, and tokens by which they come in"),
        (name = "audit", description = "What was done, by whom"),
        (name = "users", description = "Everybody, for site administrators"),
        (name = "backup", description = "Backups, and the keys of secrets"),
        (name = "stream", description = "Live data"),
        (name = "declare", description = "What can be edited, as a file"),
        (name = "ingest", description = "Records of programs"),
        (name = "system", description = "How Netwatch itself is doing")
    )
)]
struct Base;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = ApiKeyValue::with_description(
            "netwatch_session",
            "Set by signing in; over TLS its name is `__Host-netwatch_session`.",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let bearer =
            bearer.description(Some("An API token (`nwt_…`), or the token in the file `token` of the data directory."));
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
        document.info.license = None;
        document.info.contact = None;
    }
}
