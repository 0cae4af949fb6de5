//! Who is asking: the session of a browser, and what it may do.
//!
//! A request acts in one workspace: the one that the header `Netwatch-Workspace` names (on the stream the parameter `workspace`), else
//! the one of the token, else the one that is open in the session. What the asker may do there is in [`Session::permissions`].

use std::net::IpAddr;

use netwatch_model::people::{Permission, SessionId, UserId, UserName, WorkspaceId};
use netwatch_model::{Timestamp, Untrusted};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/v1/session`: signs in with the printed link, or one that an administrator made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The one-time code of the link.
    pub code: String,
}

/// `GET /api/v1/session`: who is asking.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// `cookie` (a browser), `api_token` (a program) or `token` (the token of the data directory).
    pub method: String,
    /// When the session ends by itself; null for tokens without an end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// Who is signed in, or whose token it is; null for the token of the data directory.
    pub user: Option<SessionUser>,
    /// The workspace in which this request acted; null when there is none that the asker may see.
    pub workspace: Option<SessionWorkspace>,
    /// What the asker may do there, and over the site.
    #[schema(value_type = Vec<String>, example = json!(["traffic.read", "views.write"]))]
    pub permissions: Vec<Permission>,
    /// The workspaces that the asker can open, by name; at most 200.
    pub workspaces: Vec<SessionWorkspace>,
}

/// A user, as shown to themselves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionUser {
    /// Identity.
    #[schema(value_type = String)]
    pub id: UserId,
    /// What they sign in with.
    #[schema(value_type = String)]
    pub name: UserName,
    /// How they are shown.
    pub display_name: String,
    /// Whether they administer the whole installation.
    pub site_administrator: bool,
    /// Whether they have a password: who came by a link or an identity provider may have none.
    pub has_password: bool,
    /// Whether a second factor is asked for.
    pub has_second_factor: bool,
}

/// A workspace that can be opened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionWorkspace {
    /// Identity.
    #[schema(value_type = String)]
    pub id: WorkspaceId,
    /// Name.
    pub name: String,
    /// The role there: a built-in one, the name of a custom one, or `site_administrator`.
    pub role: String,
}

/// `PUT /api/v1/session/workspace`: opens another workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenWorkspace {
    /// Which.
    #[schema(value_type = String)]
    pub workspace: WorkspaceId,
}

/// `POST /api/v1/session/code`: a new one-time code, for the holder of the token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// 32 hexadecimal digits; the link is `http://ADDRESS/start#CODE`.
    pub code: String,
    /// Seconds for which it can be used.
    pub valid_for: u64,
    /// Whether it makes the first administrator (`POST /api/v1/setup`) instead of signing in.
    pub set_up: bool,
}

/// One session of a user: `GET /api/v1/account/sessions`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AccountSession {
    /// Identity, for ending it.
    #[schema(value_type = String)]
    pub id: SessionId,
    /// How its user signed in: `password`, `password_totp`, `password_recovery`, `password_passkey`, `passkey`, `external` or `link`.
    pub method: String,
    /// When they signed in.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it was last used, to within five minutes.
    #[schema(value_type = String, format = DateTime)]
    pub used: Timestamp,
    /// When it ends unless it is used.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    /// From where they signed in.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// What the browser called itself.
    #[schema(value_type = String)]
    pub browser: Untrusted,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// All sessions of a user: at most 64.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AccountSessions {
    /// Newest first.
    pub items: Vec<AccountSession>,
}
