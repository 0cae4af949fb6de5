//! Who manages, and how handlers reach the store.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use netwatch_api::ProblemCode;
use netwatch_entities::{Reading, Writing};
use netwatch_identity::secret::RandomError;
use netwatch_model::people::{Permission, PermissionSet, UserId, WorkspaceId};

use crate::access::{By, Identity, Who};
use crate::app::App;
use crate::driver::Peer;
use crate::fault::Fault;

/// Whoever the gate has let in, with what handlers need of them.
#[derive(Clone, Debug)]
pub(in crate::routes) struct Asker {
    identity: Identity,
    by: By,
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let identity = parts.extensions.get::<Identity>().cloned().ok_or_else(Fault::unauthenticated)?;
        let Some(Peer(peer)) = parts.extensions.get::<Peer>() else { return Err(Fault::unauthenticated()) };
        let by = identity.by(peer.ip());
        Ok(Self { identity, by })
    }
}

impl Asker {
    /// Who did it, for the audit log.
    pub(in crate::routes) const fn by(&self) -> &By {
        &self.by
    }

    /// The workspace of the request.
    pub(in crate::routes) fn workspace(&self) -> Result<WorkspaceId, Fault> {
        self.identity.workspace().ok_or_else(|| {
            Fault::new(ProblemCode::NotFound, "no workspace is open: name one with the header `Netwatch-Workspace`")
        })
    }

    /// What they may do.
    pub(in crate::routes) fn permissions(&self) -> PermissionSet {
        self.identity.permissions()
    }

    /// Whether they may do that.
    pub(in crate::routes) fn has(&self, permission: Permission) -> bool {
        self.identity.has(permission)
    }

    /// The user who asks in person: neither a program nor the token of the data directory makes things that belong to somebody.
    pub(in crate::routes) fn person(&self) -> Result<UserId, Fault> {
        match self.identity.who() {
            Who::Session { user, .. } => Ok(*user),
            Who::Local | Who::Token { .. } => {
                Err(Fault::new(ProblemCode::Forbidden, "this belongs to a person: sign in as a user and do it there"))
            }
        }
    }

    /// The user, or the owner of the token.
    pub(in crate::routes) fn user(&self) -> Option<UserId> {
        self.identity.user()
    }
}

/// Asks the store on a thread that may block.
pub(in crate::routes) async fn ask<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Reading<'_>) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let with = app.clone();
    app.blocking(move || with.access().entities().read(work)).await?
}

/// Changes the store, all or nothing; who asks next is looked up anew.
pub(in crate::routes) async fn change<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Writing<'_>) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let with = app.clone();
    app.blocking(move || with.access().change(work)).await?
}

impl From<RandomError> for Fault {
    fn from(error: RandomError) -> Self {
        tracing::error!(%error, "no random bytes");
        Self::new(ProblemCode::Internal, error.to_string())
    }
}

/// An id in a path: what is none is as unknown as a foreign one.
pub(in crate::routes) fn id<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| not_found(what))
}

/// No such thing, or none that the asker may see.
pub(in crate::routes) fn not_found(what: &str) -> Fault {
    Fault::new(ProblemCode::NotFound, format!("no such {what}"))
}

/// A field of the body that does not fit.
pub(in crate::routes) fn field<T>(name: &'static str, text: &str) -> Result<T, Fault>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Fault::parameter(name, error.to_string()))
}
