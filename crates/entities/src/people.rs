//! How people, workspaces and their things are kept: ids, places, labels and unique keys.

use netwatch_model::people::{
    ApiToken, Credential, CredentialId, CredentialKind, CustomRole, Invitation, InvitationId, LinkId, MaintenanceId,
    Membership, OneTimeLink, ProbeId, RoleId, Session, SessionId, TokenId, User, UserId, View, ViewId, Workspace,
    WorkspaceId,
};
use sha2::{Digest as _, Sha256};

use crate::kind::Kind;
use crate::object::{Entity, Key, ObjectId, Place, Site};

/// Names of unique keys.
pub mod keys {
    /// Of users: the name. Of custom roles: the name in lower case. Of shared views: the page and the name.
    pub const NAME: &str = "name";
    /// Of users: the address, once it is verified.
    pub const EMAIL: &str = "email";
    /// Of whatever a person or program shows: the digest of the secret.
    pub const DIGEST: &str = "digest";
    /// Of agents: the hash of the public key.
    pub const KEY: &str = "key";
    /// Of credentials: one password for each user.
    pub const PASSWORD: &str = "password";
    /// Of credentials: one device of one-time passwords for each user.
    pub const TOTP: &str = "totp";
    /// Of credentials: the id of the passkey.
    pub const PASSKEY: &str = "passkey";
    /// Of credentials: issuer and subject.
    pub const EXTERNAL: &str = "external";
}

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl From<$name> for ObjectId {
            fn from(id: $name) -> Self {
                Self(id.bits())
            }
        }
    )*};
}

ids!(UserId CredentialId SessionId LinkId WorkspaceId RoleId InvitationId TokenId ViewId ProbeId MaintenanceId);

impl From<WorkspaceId> for Place {
    fn from(id: WorkspaceId) -> Self {
        Self::Workspace(id.into())
    }
}

/// Who is a member of what: a membership has no other identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MembershipId(pub WorkspaceId, pub UserId);

impl From<MembershipId> for ObjectId {
    /// The head of a hash of both ids: the same two always give the same id, and no others do.
    fn from(MembershipId(workspace, user): MembershipId) -> Self {
        let mut hash = Sha256::new();
        hash.update(workspace.bits().to_be_bytes());
        hash.update(user.bits().to_be_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let (head, _) = digest.as_chunks::<16>();
        Self(head.first().copied().map_or(0, u128::from_be_bytes))
    }
}

impl Entity for User {
    const KIND: Kind = Kind::User;
    type Id = UserId;
    type Place = Site;
    fn id(&self) -> UserId {
        self.id
    }
    fn place(&self) -> Site {
        Site
    }
    fn label(&self) -> String {
        format!("{} {}", self.name, self.display_name)
    }
    fn keys(&self) -> Vec<Key> {
        let verified = self.email.as_ref().filter(|_| self.email_verified);
        let email = verified.map(|email| Key::everywhere(keys::EMAIL, email.as_str()));
        std::iter::once(Key::everywhere(keys::NAME, self.name.as_str())).chain(email).collect()
    }
}

impl Entity for Credential {
    const KIND: Kind = Kind::Credential;
    type Id = CredentialId;
    type Place = Site;
    fn id(&self) -> CredentialId {
        self.id
    }
    fn place(&self) -> Site {
        Site
    }
    fn owner(&self) -> Option<ObjectId> {
        Some(self.user.into())
    }
    fn label(&self) -> String {
        self.name.to_string()
    }
    fn keys(&self) -> Vec<Key> {
        let user = self.user.to_string();
        vec![match &self.kind {
            CredentialKind::Password { .. } => Key::everywhere(keys::PASSWORD, user),
            CredentialKind::Totp { .. } => Key::everywhere(keys::TOTP, user),
            CredentialKind::Passkey { key_id, .. } => Key::everywhere(keys::PASSKEY, key_id),
            CredentialKind::External(who) => Key::everywhere(keys::EXTERNAL, external_key(&who.issuer, &who.subject)),
        }]
    }
}

/// The value of the key [`keys::EXTERNAL`]: no two pairs of issuer and subject give the same.
#[must_use]
pub fn external_key(issuer: &str, subject: &str) -> String {
    format!("{} {issuer} {subject}", issuer.len())
}

impl Entity for Session {
    const KIND: Kind = Kind::Session;
    type Id = SessionId;
    type Place = Site;
    fn id(&self) -> SessionId {
        self.id
    }
    fn place(&self) -> Site {
        Site
    }
    fn owner(&self) -> Option<ObjectId> {
        Some(self.user.into())
    }
    fn label(&self) -> String {
        self.browser.to_string()
    }
    fn keys(&self) -> Vec<Key> {
        vec![Key::everywhere(keys::DIGEST, self.digest.to_string())]
    }
}

impl Entity for OneTimeLink {
    const KIND: Kind = Kind::OneTimeLink;
    type Id = LinkId;
    type Place = Site;
    fn id(&self) -> LinkId {
        self.id
    }
    fn place(&self) -> Site {
        Site
    }
    fn owner(&self) -> Option<ObjectId> {
        self.purpose.user().map(Into::into)
    }
    fn label(&self) -> String {
        self.purpose.word().to_owned()
    }
    fn keys(&self) -> Vec<Key> {
        vec![Key::everywhere(keys::DIGEST, self.digest.to_string())]
    }
}

impl Entity for Workspace {
    const KIND: Kind = Kind::Workspace;
    type Id = WorkspaceId;
    type Place = Site;
    fn id(&self) -> WorkspaceId {
        self.id
    }
    fn place(&self) -> Site {
        Site
    }
    fn label(&self) -> String {
        self.name.to_string()
    }
}

impl Entity for Membership {
    const KIND: Kind = Kind::Membership;
    type Id = MembershipId;
    type Place = WorkspaceId;
    fn id(&self) -> MembershipId {
        MembershipId(self.workspace, self.user)
    }
    fn place(&self) -> WorkspaceId {
        self.workspace
    }
    fn owner(&self) -> Option<ObjectId> {
        Some(self.user.into())
    }
    /// None of its own: members are labelled with the name of the user.
    fn label(&self) -> String {
        String::new()
    }
}

impl Entity for CustomRole {
    const KIND: Kind = Kind::Role;
    type Id = RoleId;
    type Place = WorkspaceId;
    fn id(&self) -> RoleId {
        self.id
    }
    fn place(&self) -> WorkspaceId {
        self.workspace
    }
    fn label(&self) -> String {
        self.name.to_string()
    }
    fn keys(&self) -> Vec<Key> {
        vec![Key::in_place(keys::NAME, self.name.as_str().to_lowercase())]
    }
}

impl Entity for Invitation {
    const KIND: Kind = Kind::Invitation;
    type Id = InvitationId;
    type Place = WorkspaceId;
    fn id(&self) -> InvitationId {
        self.id
    }
    fn place(&self) -> WorkspaceId {
        self.workspace
    }
    fn label(&self) -> String {
        self.email.as_ref().map(ToString::to_string).unwrap_or_default()
    }
    fn keys(&self) -> Vec<Key> {
        vec![Key::everywhere(keys::DIGEST, self.digest.to_string())]
    }
}

impl Entity for ApiToken {
    const KIND: Kind = Kind::ApiToken;
    type Id = TokenId;
    type Place = WorkspaceId;
    fn id(&self) -> TokenId {
        self.id
    }
    fn place(&self) -> WorkspaceId {
        self.workspace
    }
    fn owner(&self) -> Option<ObjectId> {
        Some(self.owner.into())
    }
    fn label(&self) -> String {
        self.name.to_string()
    }
    fn keys(&self) -> Vec<Key> {
        vec![Key::everywhere(keys::DIGEST, self.digest.to_string())]
    }
}

impl Entity for View {
    const KIND: Kind = Kind::View;
    type Id = ViewId;
    type Place = WorkspaceId;
    fn id(&self) -> ViewId {
        self.id
    }
    fn place(&self) -> WorkspaceId {
        self.workspace
    }
    fn owner(&self) -> Option<ObjectId> {
        self.owner.map(ObjectId::from)
    }
    fn label(&self) -> String {
        self.name.to_string()
    }
    fn keys(&self) -> Vec<Key> {
        let name = || Key::in_place(keys::NAME, format!("{}/{}", self.page, self.name.as_str().to_lowercase()));
        self.shared.then(name).into_iter().collect()
    }
}
