//! People and access: who may use Netwatch, where, and what they did.
//!
//! A [`User`] signs in with [`Credential`]s and gets a [`Session`]. A [`Membership`] gives the user a [`Role`] in a [`Workspace`]; the
//! role is a set of [`Permission`]s, all of which stand in one table ([`permission`]). A program brings an [`ApiToken`]. People come in
//! by an [`Invitation`] or a [`OneTimeLink`], an [`Agent`] by an [`EnrolmentToken`]. What they look at again is a saved
//! [`View`]. Every change becomes an [`AuditRecord`].
//!
//! Limits: these are plain values. What is allowed is decided in the crate `identity`, what is remembered is in the crate `entities`.
//! A secret that a person holds (password, token, reference of a session, link) is never part of these values, only its hash; the
//! secrets that the server itself must read back ([`SecretText`]) are hidden from logs and encrypted by the store.

pub mod agent;
pub mod audit;
pub mod credential;
pub mod digest;
pub mod id;
pub mod link;
pub mod permission;
pub mod role;
pub mod session;
pub mod text;
pub mod token;
pub mod user;
pub mod view;
pub mod workspace;

mod words;

pub use agent::{Agent, AgentInfo, AgentInstall, AgentOrigin, AgentSeen, AgentSelector, EnrolmentToken, Location};
pub use audit::{Action, Actor, AuditRecord, Fields, ObjectKind, ObjectRef, Outcome};
pub use credential::{Credential, CredentialKind, ExternalIdentity};
pub use digest::Digest;
pub use id::{
    CredentialId, EnrolmentTokenId, InvitationId, LinkId, MaintenanceId, ProbeId, RoleId, SessionId, TokenId, UserId,
    ViewId, WorkspaceId,
};
pub use link::{Invitation, LinkPurpose, OneTimeLink};
pub use permission::{Permission, PermissionSet, Reach};
pub use role::{BuiltInRole, CustomRole, Role};
pub use session::{Method, Session};
pub use text::{DisplayName, EmailAddress, SecretText, UserName};
pub use token::ApiToken;
pub use user::User;
pub use view::{View, ViewPage, ViewQuery};
pub use workspace::{Limits, Membership, Workspace};
