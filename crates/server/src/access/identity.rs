//! Who asks, and what they may do in the workspace of their request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::people::{
    Actor, Digest, Permission, PermissionSet, SessionId, TokenId, UserId, UserName, WorkspaceId,
};

use super::audit::By;

/// What a request showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Credential<'a> {
    /// `Authorization: Bearer`.
    Token(&'a str),
    /// The session cookie.
    Cookie(&'a str),
}

/// Why nobody was let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// Wrong, ended or revoked.
    Wrong,
    /// Too many wrong tokens from that address: come again after this time.
    Wait(Duration),
    /// The workspace that was named does not exist, or not for the one who asks.
    NoWorkspace,
}

/// Who asks. Cheap to clone; kept by streams to ask again whether it still holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Identity(Arc<Grant>);

/// What was found out about somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Grant {
    pub(super) who: Who,
    pub(super) workspace: Option<WorkspaceId>,
    pub(super) permissions: PermissionSet,
    pub(super) expires: Option<Timestamp>,
}

/// Somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    /// The holder of the token of the data directory.
    Local,
    /// A user in a browser.
    Session {
        /// Which session.
        id: SessionId,
        /// Hash of its reference.
        digest: Digest,
        /// Whose it is.
        user: UserId,
        /// Their name.
        name: UserName,
    },
    /// A program with an API token.
    Token {
        /// Which token.
        id: TokenId,
        /// Hash of it.
        digest: Digest,
        /// Whose it is.
        owner: UserId,
        /// Their name.
        name: UserName,
    },
}

impl Identity {
    pub(super) fn new(grant: Grant) -> Self {
        Self(Arc::new(grant))
    }

    /// Who it is.
    pub(crate) fn who(&self) -> &Who {
        &self.0.who
    }

    /// The user who asks, or whose token it is.
    pub(crate) fn user(&self) -> Option<UserId> {
        match &self.0.who {
            Who::Local => None,
            Who::Session { user, .. } => Some(*user),
            Who::Token { owner, .. } => Some(*owner),
        }
    }

    /// The session, if it is one.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match &self.0.who {
            Who::Session { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The workspace of the request.
    pub(crate) fn workspace(&self) -> Option<WorkspaceId> {
        self.0.workspace
    }

    /// What they may do, in that workspace and over the site.
    pub(crate) fn permissions(&self) -> PermissionSet {
        self.0.permissions
    }

    /// Whether they may do that.
    pub(crate) fn has(&self, permission: Permission) -> bool {
        self.0.permissions.has(permission)
    }

    /// When it ends by itself, unless it is used.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.0.expires
    }

    /// Who did something, for the audit log.
    pub(crate) fn by(&self, peer: IpAddr) -> By {
        let actor = match &self.0.who {
            Who::Local => Actor::Local,
            Who::Session { user, name, .. } => Actor::User { id: *user, name: name.clone() },
            Who::Token { id, owner, name, .. } => Actor::Token { id: *id, owner: *owner, name: name.clone() },
        };
        By { actor, address: Some(peer) }
    }
}
