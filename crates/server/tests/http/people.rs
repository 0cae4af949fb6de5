//! People for tests: workspaces, members with every role, sessions and tokens, put into the store without ceremony.

use netwatch_entities::{Site, StoreError, Writing};
use netwatch_identity::{link, session, token};
use netwatch_model::Timestamp;
use netwatch_model::people::*;
use netwatch_model::probe::{Maintenance, Probe, ProbeKind, ProbeSpec, Schedule, Selection};

use crate::support::TestServer;

/// Numbers that no other call gives.
fn next() -> u128 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Somebody with a session.
#[derive(Clone, Debug)]
pub struct Person {
    pub user: User,
    pub cookie: String,
}

/// A workspace with one of everything in it.
#[derive(Clone, Debug)]
pub struct Place {
    pub workspace: Workspace,
    pub owner: Person,
    pub role: CustomRole,
    pub token: ApiToken,
    /// The secret of `token`.
    pub secret: String,
    pub invitation: Invitation,
    /// A shared one of the owner.
    pub view: View,
    pub probe: Probe,
    pub agent: Agent,
    /// An hour long since over.
    pub maintenance: Maintenance,
    pub session: SessionId,
    /// One of the owner's.
    pub passkey: CredentialId,
}

impl TestServer {
    /// Changes the store as the server would.
    pub async fn put<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        let access = std::sync::Arc::clone(&self.access);
        let done = tokio::task::spawn_blocking(move || access.entities().write(now(), work));
        done.await.unwrap().unwrap()
    }

    /// A workspace with an owner, a custom role, a token, an invitation and a session.
    pub async fn place(&self, name: &str) -> Place {
        let id = WorkspaceId::new(now(), next());
        let workspace = Workspace { id, name: name.parse().unwrap(), limits: Limits::default(), created: now() };
        let stored = workspace.clone();
        self.put(move |tx| tx.insert(&stored)).await;
        let owner = self.member(&workspace, &format!("{name}-owner"), Role::BuiltIn(BuiltInRole::Owner)).await;
        let role = CustomRole {
            id: RoleId::new(now(), next()),
            workspace: id,
            name: "Night shift".parse().unwrap(),
            permissions: [Permission::TrafficRead, Permission::MembersRead].into_iter().collect(),
        };
        let scopes = PermissionSet::of_role(BuiltInRole::Viewer);
        let new = token::NewToken {
            workspace: id,
            owner: owner.user.id,
            name: "job".parse().unwrap(),
            scopes,
            expires: None,
        };
        let (token, secret) = token::make(new, now()).unwrap();
        let viewer = Role::BuiltIn(BuiltInRole::Viewer);
        let (invitation, _) = link::invite(id, viewer, None, owner.user.id, now()).unwrap();
        let view = View {
            id: ViewId::new(now(), next()),
            workspace: id,
            owner: Some(owner.user.id),
            name: "Names".parse().unwrap(),
            page: ViewPage::History,
            query: "dims=source".parse().unwrap(),
            shared: true,
            created: now(),
        };
        let probe = Probe {
            id: ProbeId::new(now(), next()),
            workspace: id,
            name: "Router".parse().unwrap(),
            spec: ProbeSpec::new(ProbeKind::Ping, "192.0.2.1"),
            agents: AgentSelector::default(),
            enabled: true,
            objective: None,
            quorum: None,
            created: now(),
        };
        let maintenance = moving(id);
        let agent = north(id);
        let passkey = passkey(&owner.user);
        let id = passkey.id;
        let (r, t, i, v) = (role.clone(), token.clone(), invitation.clone(), view.clone());
        let (p, a, m) = (probe.clone(), agent.clone(), maintenance.clone());
        self.put(move |tx| {
            tx.insert(&r)?;
            tx.insert(&t)?;
            tx.insert(&i)?;
            tx.insert(&passkey)?;
            tx.insert(&v)?;
            tx.insert(&m)?;
            tx.insert(&p)?;
            tx.insert(&a)
        })
        .await;
        let session = self.session_of(&owner.user).await.0;
        let secret = secret.as_str().to_owned();
        let passkey = id;
        Place { workspace, owner, role, token, secret, invitation, view, probe, agent, maintenance, session, passkey }
    }

    /// A new user who is a member with that role.
    pub async fn member(&self, workspace: &Workspace, name: &str, role: Role) -> Person {
        let user = user(name, false);
        let membership = Membership { workspace: workspace.id, user: user.id, role, since: now() };
        let stored = user.clone();
        self.put(move |tx| {
            tx.insert(&stored)?;
            tx.insert_labelled(&membership, stored.name.as_str())
        })
        .await;
        self.signed_in(user).await
    }

    /// A new site administrator, who is a member of nothing.
    pub async fn site_administrator(&self, name: &str) -> Person {
        let user = user(name, true);
        let stored = user.clone();
        self.put(move |tx| tx.insert(&stored)).await;
        self.signed_in(user).await
    }

    /// A user with a new session.
    pub async fn signed_in(&self, user: User) -> Person {
        let (_, cookie) = self.session_of(&user).await;
        Person { user, cookie }
    }

    async fn session_of(&self, user: &User) -> (SessionId, String) {
        let (session, secret) = session::begin(user.id, Method::Password, None, None, "test", now()).unwrap();
        let id = session.id;
        self.put(move |tx| tx.insert(&session)).await;
        (id, format!("netwatch_session={}", secret.as_str()))
    }

    /// How many objects there are, and the sum of all versions of what a workspace has: changes with every change.
    pub fn state_of(&self, place: &Place) -> Vec<(String, u64)> {
        use netwatch_entities::MembershipId;
        let id = place.workspace.id;
        self.access
            .entities()
            .read(|tx| {
                let user = place.owner.user.id;
                let version = |name: &str, version: Option<u64>| (name.to_owned(), version.unwrap_or(0));
                Ok::<_, StoreError>(vec![
                    version("workspace", tx.find::<Workspace>(Site, id)?.map(|s| s.version)),
                    version("member", tx.find::<Membership>(id, MembershipId(id, user))?.map(|s| s.version)),
                    version("role", tx.find::<CustomRole>(id, place.role.id)?.map(|s| s.version)),
                    version("token", tx.find::<ApiToken>(id, place.token.id)?.map(|s| s.version)),
                    version("invitation", tx.find::<Invitation>(id, place.invitation.id)?.map(|s| s.version)),
                    version("view", tx.find::<View>(id, place.view.id)?.map(|s| s.version)),
                    version("agent", tx.find::<Agent>(id, place.agent.id)?.map(|s| s.version)),
                    version("maintenance", tx.find::<Maintenance>(id, place.maintenance.id)?.map(|s| s.version)),
                    version("session", tx.find::<Session>(Site, place.session)?.map(|s| s.version)),
                    version("passkey", tx.find::<Credential>(Site, place.passkey)?.map(|s| s.version)),
                    version("user", tx.find::<User>(Site, user)?.map(|s| s.version)),
                ])
            })
            .unwrap()
    }
}

fn user(name: &str, site_administrator: bool) -> User {
    User {
        id: UserId::new(now(), next()),
        name: name.parse().unwrap(),
        display_name: name.parse().unwrap(),
        email: None,
        email_verified: false,
        site_administrator,
        disabled: false,
        created: now(),
        last_sign_in: None,
    }
}

/// One that lets nobody in.
fn passkey(user: &User) -> Credential {
    let number = next();
    let key = SecretText::new("{}".to_owned());
    Credential {
        id: CredentialId::new(now(), number),
        user: user.id,
        name: "Phone".parse().unwrap(),
        kind: CredentialKind::Passkey { key_id: number.to_string(), key },
        created: now(),
        last_used: None,
    }
}

/// The time of the server.
pub fn now() -> Timestamp {
    netwatch_telemetry::clock::now()
}

/// A window of maintenance.
fn moving(workspace: WorkspaceId) -> Maintenance {
    Maintenance {
        id: MaintenanceId::new(now(), next()),
        workspace,
        name: "Moving".parse().unwrap(),
        selection: Selection { all: true, ..Selection::default() },
        schedule: Schedule::Once { start: Timestamp::from_secs(0), end: Timestamp::from_secs(3600) },
        created: now(),
    }
}

fn north(workspace: WorkspaceId) -> Agent {
    Agent {
        id: netwatch_model::AgentId(u64::try_from(next()).unwrap() + 1_000_000),
        workspace,
        name: "North".parse().unwrap(),
        origin: AgentOrigin::Enrolled,
        key: None,
        enabled: true,
        global: false,
        labels: [].into(),
        group: None,
        location: None,
        created: now(),
    }
}
