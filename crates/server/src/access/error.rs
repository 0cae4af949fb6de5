//! Why access control refuses, and why it fails.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use netwatch_entities::{OpenError, StoreError};
use netwatch_identity::external::Unusable;
use netwatch_identity::passkey::{self, Unfit};
use netwatch_identity::password::{HashError, Weak};
use netwatch_identity::secret::RandomError;
use netwatch_identity::totp;
use netwatch_model::people::text::InvalidText;

use super::file::{MAX_TOKEN, MIN_TOKEN};

/// Access control cannot work.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The data directory cannot be made.
    #[error("cannot make the data directory {}: choose another with --data-dir", .path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}: its owner must be the user that runs Netwatch", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: check the owner of the directory and the space left", .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The token is too short, too long, or has characters that no header can carry.
    #[error(
        "the token in {place} cannot be used: it must have {MIN_TOKEN} to {MAX_TOKEN} visible ASCII characters and no space"
    )]
    WeakToken {
        /// Where it stands.
        place: String,
    },
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The entity database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A password cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// One-time passwords fail.
    #[error(transparent)]
    Totp(#[from] totp::Error),
    /// Passkeys fail.
    #[error(transparent)]
    Passkey(#[from] passkey::Error),
    /// What was asked for is not given; the text is for the one who asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl AccessError {
    /// Whether what was to be changed was not kept: with room on the disk, or another try, it may be.
    #[must_use]
    pub const fn is_unkept(&self) -> bool {
        matches!(self, Self::Store(StoreError::Full(_) | StoreError::Engine { .. } | StoreError::Busy(_)))
    }
}

/// What was asked for is not given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// Name or password is wrong, or there is no such user, or they may not sign in: nobody is told which.
    #[error("user name or password is wrong")]
    WrongPassword,
    /// The code of the second factor is wrong or was used.
    #[error("the code is wrong or was used already: wait for the next one, or use a recovery code")]
    WrongCode,
    /// The passkey is not known, its user may not come in, or its answer does not hold: nobody is told which.
    #[error("the passkey is not known here, or its answer does not hold")]
    WrongPasskey,
    /// The passkey that was made cannot be kept.
    #[error("the passkey does not fit what was asked for: begin again, on a device that verifies who you are")]
    PasskeyUnusable,
    /// What a passkey was asked for is over.
    #[error("the passkey came too late, or for something else: begin again")]
    CeremonyGone,
    /// Passkeys cannot be used where the browser is.
    #[error(transparent)]
    PasskeyUnfit(Unfit),
    /// No more passkeys.
    #[error("you have {} passkeys, which is as many as there can be: remove one first", passkey::MAX_PER_USER)]
    PasskeysFull,
    /// The user could not come in any more.
    #[error("this is the only way in which you sign in: set a password or add another passkey first")]
    LastWayIn,
    /// The ticket between password and second factor ended.
    #[error("the sign-in took too long or too many attempts: begin again with name and password")]
    TicketGone,
    /// The link was used, is too old, or never was.
    #[error("the link was used already, is too old, or is not one of this server: have a new one made")]
    LinkGone,
    /// Too many attempts.
    #[error("too many attempts: wait a little")]
    Wait(Duration),
    /// Nobody is there yet.
    #[error("there is nobody yet: make the first administrator with `POST /api/v1/setup` and this code")]
    SetUpNeeded,
    /// The first administrator exists.
    #[error("the first administrator exists already: sign in")]
    SetUpDone,
    /// The password is not good enough.
    #[error(transparent)]
    Weak(Weak),
    /// A text does not fit its field.
    #[error("{source}")]
    Invalid {
        /// Name of the field.
        field: &'static str,
        /// Why.
        source: InvalidText,
    },
    /// Somebody has that name.
    #[error("the {0} cannot be had: choose another")]
    Taken(&'static str),
    /// Registration is off.
    #[error("registration is off here: ask for an invitation")]
    RegistrationOff,
    /// The change needs the password, or a fresh sign-in.
    #[error("this changes how you sign in: send your password, or, if you have none, sign in anew")]
    NeedsPassword,
    /// One-time passwords are on or off already, or were not begun.
    #[error("{0}")]
    Totp(&'static str),
    /// The thing does not exist, or not for the one who asks.
    #[error("there is no such {0}, or none that you may see")]
    NotFound(&'static str),
    /// Only a user has this.
    #[error("this is about a user's own account: sign in as one")]
    NotAUser,
    /// A member of the workspace already.
    #[error("you are a member of that workspace already")]
    MemberAlready,
    /// The workspace is full.
    #[error("the workspace has as many members as it may have")]
    Full,
    /// Nobody is left to sign in as.
    #[error(
        "there is no site administrator who may sign in: make one with `netwatch user add NAME --administrator`, or `netwatch user enable NAME`"
    )]
    NoAdministrator,
    /// The address of the user cannot be verified now.
    #[error("{0}")]
    Email(&'static str),
    /// The identity provider's answer cannot be used.
    #[error(transparent)]
    External(Unusable),
    /// The identity is not known here and may not come in.
    #[error("the identity provider knows you, but you have no account here: ask an administrator")]
    NoAccount,
    /// The role may not be given.
    #[error("you cannot give a role that allows more than your own")]
    Role,
}
