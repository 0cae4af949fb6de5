//! Who may come in, and what they may do.
//!
//! What is decided here follows the rules of the crate `identity`; what is remembered is in the entity database of the data directory.
//! Nobody is anybody until they show one of three things:
//!
//! | shown | who | may |
//! |---|---|---|
//! | the cookie of a session | a user in a browser | what their membership in the workspace allows; everything for site administrators |
//! | an API token (`nwt_…`) | a program of a user | its scopes, as far as its owner may at that moment |
//! | the token of the data directory | whoever may read that file | everything: it is the key of the house |
//!
//! There is no default account. While there is no user, the printed link makes the first administrator; later it signs in as the
//! oldest one. The first workspace exists from the start, so that what this machine observes always belongs to somebody.
//!
//! **Limits**: an answer to "who is this" is kept for three seconds (4096 of them) and forgotten at once when anything changes, so that
//! a right that was taken away is gone within five seconds, open streams included. Guesses are slowed down for each address and each
//! account ([`guard`]). Calls block: not for the threads of the runtime.

mod account;
mod audit;
mod ceremony;
mod error;
mod external;
mod fault;
mod file;
mod guard;
mod identity;
mod invitation;
mod links;
mod passkey;
mod people;
mod resolve;
mod set_up;
mod sign_in;
mod totp;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwatch_entities::{DataDirectory, Entities, ListQuery, Order, Site, StoreError, Writing};
use netwatch_identity::registration::Registration;
use netwatch_identity::{secret, session};
use netwatch_model::people::{Digest, Limits, LinkPurpose, OneTimeLink, Session, Workspace, WorkspaceId};
use netwatch_telemetry::clock::ClockSource;

use ceremony::Ceremonies;
use guard::Guard;
use resolve::Cache;

pub use error::AccessError;
pub use links::Invited;
pub use netwatch_identity::secret::Secret;

pub(crate) use account::{Openable, Profile, verification};
pub(crate) use audit::{By, record};
pub(crate) use error::Refusal;
pub(crate) use external::ExternalRules;
pub(crate) use identity::{Credential, Identity, Refused, Who};
pub(crate) use passkey::Challenge;
pub(crate) use people::{PeopleRequest, SignedIn};
pub(crate) use set_up::SetUp;
pub(crate) use sign_in::Step;

/// Sessions that are looked at each time ended ones are cleared away.
const TIDY: usize = 1000;
/// Name of the workspace that exists from the start.
const HOME: &str = "Home";

/// Access control of one data directory.
pub struct Access {
    directory: Arc<DataDirectory>,
    /// Hash of the token of the data directory.
    token: Digest,
    /// The workspace to which belongs what this machine observes.
    home: Mutex<WorkspaceId>,
    clock: Arc<dyn ClockSource>,
    registration: Mutex<Registration>,
    /// Counts changes: what was found out before the last one is found out anew.
    generation: AtomicU64,
    guard: Mutex<Guard>,
    ceremonies: Mutex<Ceremonies>,
    cache: Mutex<Cache>,
    /// What failed when it was last tidied up.
    untidy: Mutex<Option<String>>,
}

impl Access {
    /// Opens a data directory; makes it, its database and its token when they are missing.
    ///
    /// `token` becomes the token of a directory that has none; otherwise one is drawn.
    ///
    /// # Errors
    /// When the directory cannot be read or written, is in use, or the token is too weak.
    pub fn open(data_dir: &Path, token: Option<&str>, clock: Arc<dyn ClockSource>) -> Result<Self, AccessError> {
        file::make_directory(data_dir)?;
        let token = secret::digest(&file::token(&data_dir.join("token"), token)?);
        let directory = DataDirectory::open(data_dir, clock.now())?;
        let home = home(directory.entities(), clock.as_ref())?;
        Ok(Self {
            directory: Arc::new(directory),
            token,
            home: Mutex::new(home),
            clock,
            registration: Mutex::default(),
            generation: AtomicU64::new(0),
            guard: Mutex::default(),
            ceremonies: Mutex::default(),
            cache: Mutex::default(),
            untidy: Mutex::default(),
        })
    }

    /// Makes a data directory and its token when they are missing, without a thread and without opening the database.
    ///
    /// # Errors
    /// When the directory or the token cannot be made, or the token is too weak.
    pub fn prepare(data_dir: &Path, token: Option<&str>) -> Result<(), AccessError> {
        file::make_directory(data_dir)?;
        file::token(&data_dir.join("token"), token).map(drop)
    }

    /// The data directory, with the database behind everything.
    #[must_use]
    pub const fn directory(&self) -> &Arc<DataDirectory> {
        &self.directory
    }

    /// The entities of the data directory.
    #[must_use]
    pub fn entities(&self) -> &Entities {
        self.directory.entities()
    }

    /// The workspace to which belongs what this machine observes: the oldest one. It cannot be deleted.
    #[must_use]
    pub fn home(&self) -> WorkspaceId {
        *lock(&self.home)
    }

    /// Says that the database was replaced: everything is looked up anew, the first workspace too.
    pub(crate) fn restored(&self) -> Result<(), AccessError> {
        let first = home(self.entities(), self.clock.as_ref())?;
        *lock(&self.home) = first;
        self.changed();
        Ok(())
    }

    /// Whether strangers may register.
    pub fn set_registration(&self, registration: Registration) {
        *lock(&self.registration) = registration;
        self.changed();
    }

    /// Whether strangers may register.
    #[must_use]
    pub fn registration(&self) -> Registration {
        *lock(&self.registration)
    }

    /// Says that rights may have changed: who asks next is looked up anew.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::Release);
        self.guard().forget_wrong_tokens();
    }

    /// Changes people and their things, all or nothing; who asks next is looked up anew.
    pub(crate) fn change<T, E>(&self, work: impl FnOnce(&Writing<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let result = self.entities().write(self.clock.now(), work);
        self.changed();
        result
    }

    /// What does not work: why the last change was not kept, or what of the last tidying failed.
    pub(crate) fn trouble(&self) -> Option<String> {
        let unkept = self.entities().trouble().map(|why| format!("changes are not kept: {why}"));
        unkept.or_else(|| lock(&self.untidy).clone())
    }

    /// Clears away what ended, and makes the copy of the day when it is due. Called now and then. When changes are in trouble it finds out
    /// whether they still are.
    pub(crate) fn tidy(&self) -> Result<(), AccessError> {
        let tidied = self.try_changing().and_then(|()| self.clear_away());
        *lock(&self.untidy) = tidied.as_ref().err().map(ToString::to_string);
        tidied
    }

    fn clear_away(&self) -> Result<(), AccessError> {
        let now = self.clock.now();
        if let Some(copy) = self.directory.copy_when_due(now)? {
            tracing::info!(file = %copy.display(), "the entity database was copied");
        }
        let query = ListQuery { order: Order::Oldest, limit: TIDY, ..ListQuery::default() };
        let sessions = self.entities().read(|tx| tx.list::<Session>(Site, &query))?.items;
        let ended: Vec<_> = sessions.into_iter().map(|s| s.value).filter(|s| !session::holds(s, now)).collect();
        if ended.is_empty() {
            return Ok(());
        }
        self.change(move |tx| {
            for session in ended {
                tx.delete::<Session>(Site, session.id, None)?;
            }
            Ok(())
        })
    }

    /// When the last change was not kept: whether one is now. It leaves nothing behind.
    fn try_changing(&self) -> Result<(), AccessError> {
        if self.entities().trouble().is_none() {
            return Ok(());
        }
        self.change(|tx| {
            let (link, _) = links::make(tx, LinkPurpose::SetUp)?;
            Ok(tx.delete::<OneTimeLink>(Site, link.id, None)?)
        })
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        lock(&self.guard)
    }

    fn ceremonies(&self) -> MutexGuard<'_, Ceremonies> {
        lock(&self.ceremonies)
    }

    /// The time for intervals.
    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Counts an attempt of `peer` to use a code; refuses when there were too many.
    fn count_code(&self, peer: IpAddr) -> Result<(), Refusal> {
        let now = self.monotonic();
        self.guard().code(peer, now).map_err(Refusal::Wait)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is whole before the next begins, so that a poisoned lock guards nothing broken.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The oldest workspace, made when there is none.
fn home(entities: &Entities, clock: &dyn ClockSource) -> Result<WorkspaceId, AccessError> {
    let oldest = ListQuery { order: Order::Oldest, limit: 1, ..ListQuery::default() };
    let first = entities.read(|tx| tx.list::<Workspace>(Site, &oldest))?.items.into_iter().next();
    if let Some(workspace) = first {
        return Ok(workspace.value.id);
    }
    let now = clock.now();
    let id = WorkspaceId::new(now, secret::random_bits()?);
    let name = HOME.parse().map_err(|source| Refusal::Invalid { field: "name", source })?;
    let workspace = Workspace { id, name, limits: Limits::default(), created: now };
    entities.write(now, move |tx| {
        tx.insert(&workspace)?;
        audit::workspace_made(tx, &workspace, &By::system())
    })?;
    Ok(id)
}
