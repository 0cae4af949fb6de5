//! Fresh stores, and things to put into them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use netwatch_entities::{Entities, SqliteStore, StoreError, Vault};
use netwatch_model::Timestamp;
use netwatch_model::people::*;

/// When everything happens, unless a test says otherwise.
pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A store with nothing in it, in a directory that goes away with it.
pub struct Fresh {
    pub dir: tempfile::TempDir,
    pub entities: Entities,
}

/// The engine under test: the one place that names it.
pub fn fresh() -> Fresh {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("entities.db"), &dir.path().join("copy.db"), "").unwrap();
    let vault = Vault::open(&dir.path().join("secrets.key")).unwrap();
    Fresh { entities: Entities::new(Arc::new(store), Arc::new(vault)), dir }
}

impl Fresh {
    /// Changes that must succeed.
    #[track_caller]
    pub fn put<T: Send + 'static>(
        &self,
        work: impl FnOnce(&netwatch_entities::Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.entities.write(NOW, work).unwrap()
    }

    /// Changes that may fail.
    pub fn try_put<T: Send + 'static>(
        &self,
        work: impl FnOnce(&netwatch_entities::Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.entities.write(NOW, work)
    }

    /// Questions that must be answered.
    #[track_caller]
    pub fn ask<T>(&self, work: impl FnOnce(&netwatch_entities::Reading<'_>) -> Result<T, StoreError>) -> T {
        self.entities.read(work).unwrap()
    }

    /// A user, stored.
    pub fn user(&self, name: &str) -> User {
        let user = user(name);
        let stored = user.clone();
        self.put(move |tx| tx.insert(&stored));
        user
    }

    /// A workspace, stored.
    pub fn workspace(&self, name: &str) -> Workspace {
        let workspace = workspace(name);
        let stored = workspace.clone();
        self.put(move |tx| tx.insert(&stored));
        workspace
    }
}

/// Numbers that no other call gives.
pub fn next() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn digest() -> Digest {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&next().to_be_bytes());
    Digest::from_bytes(bytes)
}

pub fn user(name: &str) -> User {
    User {
        id: UserId::new(NOW, next()),
        name: name.parse().unwrap(),
        display_name: name.parse().unwrap(),
        email: None,
        email_verified: false,
        site_administrator: false,
        disabled: false,
        created: NOW,
        last_sign_in: None,
    }
}

pub fn workspace(name: &str) -> Workspace {
    Workspace {
        id: WorkspaceId::new(NOW, next()),
        name: name.parse().unwrap(),
        limits: Limits::default(),
        created: NOW,
    }
}

pub fn role(workspace: &Workspace, name: &str) -> CustomRole {
    CustomRole {
        id: RoleId::new(NOW, next()),
        workspace: workspace.id,
        name: name.parse().unwrap(),
        permissions: PermissionSet::EMPTY,
    }
}

pub fn token(workspace: &Workspace, owner: &User) -> ApiToken {
    ApiToken {
        id: TokenId::new(NOW, next()),
        workspace: workspace.id,
        owner: owner.id,
        name: "backup job".parse().unwrap(),
        scopes: PermissionSet::EMPTY,
        digest: digest(),
        hint: "nw_abcd".to_owned(),
        created: NOW,
        expires: None,
        last_used: None,
    }
}

pub fn view(workspace: &Workspace, owner: &User, name: &str) -> View {
    View {
        id: ViewId::new(NOW, next()),
        workspace: workspace.id,
        owner: Some(owner.id),
        name: name.parse().unwrap(),
        page: ViewPage::History,
        query: "dims=source&filter=port+%3D+53".parse().unwrap(),
        shared: false,
        created: NOW,
    }
}

pub fn member(workspace: &Workspace, user: &User) -> Membership {
    Membership { workspace: workspace.id, user: user.id, role: Role::BuiltIn(BuiltInRole::Viewer), since: NOW }
}

pub fn session(user: &User) -> Session {
    Session {
        id: SessionId::new(NOW, next()),
        digest: digest(),
        user: user.id,
        method: Method::Password,
        created: NOW,
        used: NOW,
        address: None,
        browser: "Firefox".into(),
        workspace: None,
    }
}

pub fn password(user: &User, hash: &str) -> Credential {
    Credential {
        id: CredentialId::new(NOW, next()),
        user: user.id,
        name: "Password".parse().unwrap(),
        kind: CredentialKind::Password { hash: SecretText::new(hash.to_owned()) },
        created: NOW,
        last_used: None,
    }
}
