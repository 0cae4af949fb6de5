//! The audit log: every change and every sign-in.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netwatch_model::people::{self, Action, Actor, Digest, Outcome, UserId, WorkspaceId};
use netwatch_model::{Timestamp, Untrusted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One record. `hash` is SHA-256 over the record's canonical form, which has `previous`: the chain shows what was changed or removed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    /// Place in the log of the installation, from 1, without gaps.
    pub sequence: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Who.
    pub actor: AuditActor,
    /// From where.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// In which workspace; null when it concerns the site or a user alone.
    #[schema(value_type = Option<String>)]
    pub workspace: Option<WorkspaceId>,
    /// What: `member.changed`, `session.sign_in`…
    #[schema(value_type = String)]
    pub action: Action,
    /// To what.
    pub object: AuditObject,
    /// `done` or `refused`.
    #[schema(value_type = String)]
    pub outcome: Outcome,
    /// How it was before: the fields that changed.
    pub before: Option<BTreeMap<String, String>>,
    /// How it was after: the fields that changed.
    pub after: Option<BTreeMap<String, String>>,
    /// Hash of the record before.
    #[schema(value_type = String)]
    pub previous: Digest,
    /// Hash of this record.
    #[schema(value_type = String)]
    pub hash: Digest,
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// `user`, `token` (a program), `local` (the command line on the machine), `system` or `anonymous`.
    pub kind: String,
    /// The user, or the owner of the token.
    #[schema(value_type = Option<String>)]
    pub user: Option<UserId>,
    /// Their name at that time.
    pub name: Option<String>,
}

/// What it was done to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditObject {
    /// `user`, `member`, `token`…
    pub kind: String,
    /// Its id; empty when it has none.
    pub id: String,
    /// What it was called at that time.
    #[schema(value_type = String)]
    pub name: Untrusted,
}

/// `GET /api/v1/audit` (the workspace of the request) and `GET /api/v1/site/audit` (everything).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// From this time on: RFC 3339, or relative such as `-7d`.
    pub from: Option<String>,
    /// Before this time.
    pub to: Option<String>,
    /// Only what this user did, or a token of theirs.
    #[param(value_type = Option<String>)]
    pub user: Option<UserId>,
    /// Only this action, for example `member.changed`.
    #[param(value_type = Option<String>)]
    pub action: Option<Action>,
    /// Only what was done to the object with this id.
    pub object: Option<String>,
    /// Only `done` or `refused`.
    #[param(value_type = Option<String>)]
    pub outcome: Option<Outcome>,
    /// Only records with this text in names, address or fields.
    pub search: Option<String>,
    /// `csv` or `json` (the default); also by `Accept: text/csv`.
    pub format: Option<AuditFormat>,
}

/// In which form records are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditFormat {
    /// Pages of JSON.
    Json,
    /// Pages of comma-separated values.
    Csv,
}

/// `GET /api/v1/site/audit/verification`: whether the chain is whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditVerification {
    /// Whether every record follows the one before it, unchanged.
    pub whole: bool,
    /// Records that were verified.
    pub records: u64,
    /// Hash of the last one that was: keep it elsewhere, and a log that was made anew is seen.
    #[schema(value_type = String)]
    pub hash: Digest,
    /// What is broken, and where.
    pub fault: Option<String>,
}

impl From<people::AuditRecord> for AuditRecord {
    fn from(record: people::AuditRecord) -> Self {
        let fields = |fields: Option<people::Fields>| {
            fields.map(|f| f.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        };
        Self {
            sequence: record.sequence,
            time: record.time,
            actor: record.actor.into(),
            address: record.address,
            workspace: record.workspace,
            action: record.action,
            object: AuditObject {
                kind: record.object.kind.to_string(),
                id: record.object.id,
                name: record.object.name,
            },
            outcome: record.outcome,
            before: fields(record.before),
            after: fields(record.after),
            previous: record.previous,
            hash: record.hash,
        }
    }
}

impl From<Actor> for AuditActor {
    fn from(actor: Actor) -> Self {
        let of = |kind: &str, user, name| Self { kind: kind.to_owned(), user, name };
        match actor {
            Actor::User { id, name } => of("user", Some(id), Some(name.to_string())),
            Actor::Token { owner, name, .. } => of("token", Some(owner), Some(name.to_string())),
            Actor::Local => of("local", None, None),
            Actor::System => of("system", None, None),
            Actor::Anonymous => of("anonymous", None, None),
        }
    }
}
