//! The first administrator.

use netwatch_entities::{Site, StoreError};
use netwatch_identity::secret;
use netwatch_identity::{link, password};
use netwatch_model::people::{Action, LinkPurpose, Method, OneTimeLink, User, UserId, Workspace};

use super::Access;
use super::audit::{self, By, record};
use super::error::{AccessError, Refusal};
use super::links::take_link;
use super::people::{FIRST_ROLE, NewUser, PeopleRequest, SignedIn, add_member, add_user, begin};

/// What the first administrator says of themselves.
pub(crate) struct SetUp<'a> {
    /// The code of the printed link.
    pub(crate) code: &'a str,
    /// User name.
    pub(crate) name: &'a str,
    /// How they are shown.
    pub(crate) display_name: Option<&'a str>,
    /// Their address.
    pub(crate) email: Option<&'a str>,
    /// Their password.
    pub(crate) password: &'a str,
    /// Name of the first workspace.
    pub(crate) workspace: Option<&'a str>,
}

impl Access {
    /// Whether there is nobody yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn set_up_needed(&self) -> Result<bool, AccessError> {
        Ok(self.entities().read(|tx| tx.count::<User>(Site))? == 0)
    }

    /// Makes the first administrator, owner of the first workspace, and signs them in. Costs a hash.
    pub(crate) fn set_up(&self, request: &PeopleRequest, set_up: &SetUp<'_>) -> Result<SignedIn, AccessError> {
        self.count_code(request.peer)?;
        let shown = secret::digest(set_up.code);
        // Whoever has no link learns nothing from the other fields.
        self.entities().read(|tx| {
            let known = super::links::find_link(tx, &shown)?;
            let good = known.is_some_and(|l| l.purpose == LinkPurpose::SetUp && holds(&l, self.clock.now()));
            if good { Ok(()) } else { Err(AccessError::from(Refusal::LinkGone)) }
        })?;
        let new = NewUser::check(set_up.name, set_up.display_name, set_up.email)?;
        password::check_policy(set_up.password, &new.words()).map_err(Refusal::Weak)?;
        let name = set_up.workspace.map(str::trim).filter(|t| !t.is_empty()).map(str::parse).transpose();
        let workspace = name.map_err(|source| Refusal::Invalid { field: "workspace", source })?;
        let hash = password::hash(set_up.password)?;
        let id = UserId::new(self.clock.now(), secret::random_bits()?);
        let (asker, home) = (request.clone(), self.home());
        self.change(move |tx| {
            take_link(tx, &shown, |purpose| *purpose == LinkPurpose::SetUp)?;
            if tx.count::<User>(Site)? > 0 {
                return Err(Refusal::SetUpDone.into());
            }
            let user = User { site_administrator: true, ..new.into_user(id, tx.now()) };
            add_user(tx, &user, hash)?;
            let by = By::user(&user, asker.peer);
            audit::user_made(tx, Action::SetUpDone, &user, &by)?;
            if let Some(name) = workspace {
                rename(tx, home, name, &by)?;
            }
            add_member(tx, home, &user, FIRST_ROLE, &by)?;
            begin(tx, &user, Method::Link, &asker, home)
        })
    }
}

fn holds(known: &OneTimeLink, now: netwatch_model::Timestamp) -> bool {
    link::holds(known.created, known.expires, now)
}

fn rename(
    tx: &netwatch_entities::Writing<'_>,
    id: netwatch_model::people::WorkspaceId,
    name: netwatch_model::people::DisplayName,
    by: &By,
) -> Result<(), StoreError> {
    use netwatch_identity::audit::Entry;
    use netwatch_model::people::{Fields, ObjectKind, ObjectRef};

    let before = tx.get::<Workspace>(Site, id)?.value;
    if before.name == name {
        return Ok(());
    }
    let object = ObjectRef::new(ObjectKind::Workspace, id, name.as_str());
    let entry = Entry {
        workspace: Some(id),
        before: Some(Fields::new().with("name", &before.name)),
        after: Some(Fields::new().with("name", &name)),
        ..by.did(Action::WorkspaceChanged, object)
    };
    tx.update(&Workspace { name, ..before }, None)?;
    record(tx, entry)
}
