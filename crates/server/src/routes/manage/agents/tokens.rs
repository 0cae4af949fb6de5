//! `/api/v1/agent-tokens`: tokens by which agents come in, each once.
//!
//! The secret of a token is in one answer: that to its making. Limits: [`EnrolmentToken::MAX_PER_WORKSPACE`] open tokens; those that
//! ended are cleared away when another one is made.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_api::agent::{
    EnrolmentCommands, EnrolmentToken as Shown, EnrolmentTokenCreate, EnrolmentTokenMade, EnrolmentTokensQuery,
};
use netwatch_api::page::Page;
use netwatch_entities::{ListQuery, Order, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::enrolment::{self, NewEnrolment};
use netwatch_model::people::{Action, EnrolmentToken, EnrolmentTokenId, Fields, ObjectKind, ObjectRef, WorkspaceId};

use super::super::asker::{Asker, ask, change as write, field, id};
use super::super::lists::{List, Wanted};
use super::super::probes::labels;
use crate::access::record;
use crate::agents::Served;
use crate::app::App;
use crate::fault::Fault;
use crate::params::{self, Body, Params};
use crate::routes::NoParams;

/// Shortest life, seconds.
const LEAST_LIFE: u32 = 60;

/// The open tokens of agents
#[utoipa::path(
    get, path = "/api/v1/agent-tokens", operation_id = "list_agent_tokens", tag = "agents", params(EnrolmentTokensQuery),
    responses((status = 200, description = "A page of tokens, by name", body = Page<Shown>))
)]
pub(in crate::routes::manage) async fn list(
    app: App,
    asker: Asker,
    Params(query): Params<EnrolmentTokensQuery>,
) -> Result<Json<Page<Shown>>, Fault> {
    let (workspace, now) = (asker.workspace()?, app.now());
    let wanted =
        Wanted { limit: query.limit, cursor: query.cursor.as_deref(), search: query.search.as_deref(), owner: None };
    let list = List::new("agent tokens", &workspace, &wanted)?;
    let page = ask(&app, move |tx| {
        let mut slice = tx.list::<EnrolmentToken>(workspace, &list.query)?;
        slice.items.retain(|stored| stored.value.holds(now));
        list.page(slice, |stored| Ok(shown(&stored.value)))
    });
    Ok(Json(page.await?))
}

/// Make a token for an agent
///
/// The answer has the secret and ready commands, once. Whoever runs one of them brings one agent into this workspace.
#[utoipa::path(
    post, path = "/api/v1/agent-tokens", operation_id = "create_agent_token", tag = "agents",
    request_body = EnrolmentTokenCreate,
    responses((status = 201, description = "The token, its secret and commands", body = EnrolmentTokenMade),
              (status = 409, description = "Agents are not served, or there are as many tokens as there may be"))
)]
pub(in crate::routes::manage) async fn create(
    app: App,
    asker: Asker,
    headers: HeaderMap,
    Body(new): Body<EnrolmentTokenCreate>,
) -> Result<Response, Fault> {
    let workspace = asker.workspace()?;
    let served = app.agents().served().cloned().ok_or_else(not_served)?;
    let server = address(&served, &headers)?;
    labels("labels", &new.labels)?;
    let most = u32::try_from(EnrolmentToken::MAX_LIFE.as_secs()).unwrap_or(u32::MAX);
    let default = u32::try_from(EnrolmentToken::LIFE.as_secs()).unwrap_or(LEAST_LIFE);
    let life = new.expires_in_seconds.unwrap_or(default);
    let new = NewEnrolment {
        workspace,
        name: new.name.as_deref().map(|name| field("name", name)).transpose()?,
        labels: new.labels,
        group: new.group.as_deref().map(|group| field("group", group)).transpose()?,
        by: asker.user(),
        life: Duration::from_secs(params::bounded("expires_in_seconds", life, LEAST_LIFE, most)?.into()),
    };
    let made = write(&app, move |tx| {
        clear(tx, workspace)?;
        let (token, secret) = enrolment::make(new, &served.key, tx.now())?;
        tx.insert(&token)?;
        let after = Fields::new().with("expires", token.expires);
        let did = asker.by().did(Action::EnrolmentOffered, object(&token));
        record(tx, Entry { workspace: Some(workspace), after: Some(after), ..did })?;
        Ok(EnrolmentTokenMade {
            token: shown(&token),
            commands: commands(&server, secret.as_str()),
            secret: secret.as_str().to_owned(),
        })
    });
    Ok((StatusCode::CREATED, Json(made.await?)).into_response())
}

/// Take a token for an agent back
#[utoipa::path(
    delete, path = "/api/v1/agent-tokens/{token}", operation_id = "delete_agent_token", tag = "agents",
    params(("token" = String, Path, description = "Id of the token")),
    responses((status = 204, description = "It is good no more"))
)]
pub(in crate::routes::manage) async fn delete(
    app: App,
    asker: Asker,
    Path(text): Path<String>,
    _: Params<NoParams>,
) -> Result<StatusCode, Fault> {
    let (workspace, id) = (asker.workspace()?, id::<EnrolmentTokenId>(&text, "token")?);
    write(&app, move |tx| {
        let token = tx.get::<EnrolmentToken>(workspace, id)?.value;
        tx.delete::<EnrolmentToken>(workspace, id, None)?;
        let did = asker.by().did(Action::EnrolmentRevoked, object(&token));
        Ok(record(tx, Entry { workspace: Some(workspace), ..did })?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the tokens that ended; refuses when there is no room for another one.
fn clear(tx: &Writing<'_>, workspace: WorkspaceId) -> Result<(), Fault> {
    let most = EnrolmentToken::MAX_PER_WORKSPACE;
    let limit = usize::try_from(most).unwrap_or(usize::MAX);
    let query = ListQuery { order: Order::Oldest, limit, ..ListQuery::default() };
    let all = tx.list::<EnrolmentToken>(workspace, &query)?.items;
    for ended in all.iter().filter(|stored| !stored.value.holds(tx.now())) {
        tx.delete::<EnrolmentToken>(workspace, ended.value.id, None)?;
    }
    if tx.count::<EnrolmentToken>(workspace)? < most {
        return Ok(());
    }
    let detail = format!("there are {most} open tokens, and may be no more: take some back, or wait until they end");
    Err(Fault::new(ProblemCode::LimitReached, detail))
}

fn not_served() -> Fault {
    let detail = "this server does not listen for agents: set `agents.listen` in its configuration, or start it with \
                  --agents-listen ADDRESS:PORT";
    Fault::new(ProblemCode::AgentsNotServed, detail)
}

/// `HOST:PORT` under which agents reach the server: as configured, else the host of the request.
fn address(served: &Served, headers: &HeaderMap) -> Result<String, Fault> {
    if let Some(address) = &served.address {
        return Ok(address.clone());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(host_of);
    // The gate has let only known hosts in; a command must hold nothing that a shell could read otherwise.
    let is_plain = |host: &&str| {
        !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
    };
    let missing = "the host of the request is none that a command can name: set `agents.address` in the configuration";
    let host = host.filter(is_plain).ok_or_else(|| Fault::new(ProblemCode::Conflict, missing))?;
    Ok(format!("{host}:{}", served.listen.port()))
}

/// The host of `host:port`, with the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => host,
        _ => authority,
    }
}

fn commands(server: &str, secret: &str) -> EnrolmentCommands {
    EnrolmentCommands {
        plain: format!("netwatch agent --server {server} --token {secret}"),
        systemd: format!("sudo netwatch agent install --server {server} --token {secret}"),
        container: format!(
            "docker run -d --name netwatch-agent --network host --cap-add NET_RAW \
             -v netwatch-agent:/var/lib/netwatch-agent netwatch/netwatch agent --server {server} --token {secret}"
        ),
    }
}

fn shown(token: &EnrolmentToken) -> Shown {
    Shown {
        id: token.id,
        name: token.name.as_ref().map(ToString::to_string),
        labels: token.labels.clone(),
        group: token.group.as_ref().map(ToString::to_string),
        by: token.by,
        created: token.created,
        expires: token.expires,
    }
}

fn object(token: &EnrolmentToken) -> ObjectRef {
    let name = token.name.as_ref().map(ToString::to_string).unwrap_or_default();
    ObjectRef::new(ObjectKind::EnrolmentToken, token.id, &name)
}

#[cfg(test)]
mod tests {
    use netwatch_model::people::Digest;

    use super::*;

    fn said(configured: Option<&str>, host: &str) -> Option<String> {
        let served = Served {
            listen: "0.0.0.0:8471".parse().unwrap(),
            address: configured.map(str::to_owned),
            key: Digest::default(),
        };
        let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        address(&served, &headers).ok()
    }

    #[test]
    fn commands_name_the_server_as_the_browser_does() {
        for (host, expected) in [
            ("netwatch.example.org", "netwatch.example.org:8471"),
            ("netwatch.example.org:8470", "netwatch.example.org:8471"),
            ("[2001:db8::1]:8470", "[2001:db8::1]:8471"),
            ("127.0.0.1:8470", "127.0.0.1:8471"),
        ] {
            assert_eq!(said(None, host).as_deref(), Some(expected));
        }
        assert_eq!(said(None, "a;reboot"), None);
        assert_eq!(said(Some("agents.example.org:443"), "x").as_deref(), Some("agents.example.org:443"));
    }
}
