//! The audit log: every change and every sign-in, each record chained to the one before.
//!
//! The hash of a record covers all its fields and the hash of the record before, so that a record that was changed, taken out or put
//! in is seen (crate `identity`, module `audit`). Records hold no secrets: fields that would be one are named and not shown.
//!
//! Limits: 64 fields on each side of a change, 64 bytes a name, 1024 bytes a value; what is longer is cut and says so.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::{TokenId, UserId, WorkspaceId};
use super::text::UserName;
use super::words::words;
use crate::{Timestamp, Untrusted};

words! {
    /// What was done.
    pub enum Action ("audit action") {
        /// The first administrator was made.
        SetUpDone = "setup.done",
        /// Somebody signed in, or tried to.
        SignIn = "session.sign_in",
        /// Somebody signed out.
        SignOut = "session.sign_out",
        /// A session was ended by somebody.
        SessionRevoked = "session.revoked",
        /// A user was made.
        UserCreated = "user.created",
        /// A user was changed.
        UserChanged = "user.changed",
        /// A user was deleted.
        UserDeleted = "user.deleted",
        /// A user registered.
        UserRegistered = "user.registered",
        /// A password was set or changed.
        PasswordChanged = "password.changed",
        /// A link to set a new password was made.
        PasswordResetOffered = "password.reset_offered",
        /// A link to sign in was made.
        SignInOffered = "session.offered",
        /// A link to verify an address was made.
        VerificationOffered = "email.verification_offered",
        /// An address of e-mail was shown to be the user's.
        EmailVerified = "email.verified",
        /// One-time passwords were switched on.
        TotpEnabled = "totp.enabled",
        /// One-time passwords were switched off.
        TotpDisabled = "totp.disabled",
        /// A recovery code was used.
        RecoveryUsed = "totp.recovery_used",
        /// A passkey was added.
        PasskeyAdded = "passkey.added",
        /// A passkey got another name.
        PasskeyRenamed = "passkey.renamed",
        /// A passkey was removed.
        PasskeyRemoved = "passkey.removed",
        /// An account at an identity provider was tied to a user.
        IdentityLinked = "identity.linked",
        /// A workspace was made.
        WorkspaceCreated = "workspace.created",
        /// A workspace was changed.
        WorkspaceChanged = "workspace.changed",
        /// A workspace was deleted.
        WorkspaceDeleted = "workspace.deleted",
        /// Somebody was invited.
        InvitationCreated = "invitation.created",
        /// An invitation was taken back.
        InvitationRevoked = "invitation.revoked",
        /// An invitation was accepted.
        InvitationAccepted = "invitation.accepted",
        /// Somebody became a member.
        MemberAdded = "member.added",
        /// The role of a member changed.
        MemberChanged = "member.changed",
        /// Somebody is a member no more.
        MemberRemoved = "member.removed",
        /// A custom role was made.
        RoleCreated = "role.created",
        /// A custom role was changed.
        RoleChanged = "role.changed",
        /// A custom role was deleted.
        RoleDeleted = "role.deleted",
        /// An API token was made.
        TokenCreated = "token.created",
        /// An API token was changed.
        TokenChanged = "token.changed",
        /// An API token got a new secret.
        TokenRotated = "token.rotated",
        /// An API token was revoked.
        TokenRevoked = "token.revoked",
        /// A saved view was made, changed or deleted.
        ViewChanged = "view.changed",
        /// Named address ranges were changed.
        NetworksChanged = "networks.changed",
        /// A probe was made, changed or deleted.
        ProbeChanged = "probe.changed",
        /// A window of maintenance was made, changed or deleted.
        MaintenanceChanged = "maintenance.changed",
        /// A measurement was made on demand.
        ProbeRun = "probe.run",
        /// A token for an agent was made.
        EnrolmentOffered = "agent.offered",
        /// A token for an agent was taken back.
        EnrolmentRevoked = "agent.offer_revoked",
        /// An agent came in for the first time.
        AgentEnrolled = "agent.enrolled",
        /// An agent was changed.
        AgentChanged = "agent.changed",
        /// The session of an agent was ended by somebody.
        AgentKicked = "agent.kicked",
        /// An agent was deleted.
        AgentDeleted = "agent.deleted",
        /// Settings of the server were changed.
        ConfigChanged = "config.changed",
        /// A file was applied.
        ConfigApplied = "config.applied",
        /// A backup was made.
        BackupMade = "backup.made",
        /// A backup was put in place of everything.
        BackupRestored = "backup.restored",
        /// The secrets were sealed with a new key.
        KeysRotated = "keys.rotated",
        /// The log itself was exported.
        AuditExported = "audit.exported",
        /// Data was exported.
        DataExported = "data.exported",
    }
}

words! {
    /// The kind of thing that something was done to.
    pub enum ObjectKind ("kind of object") {
        /// The installation.
        Site = "site",
        /// A user.
        User = "user",
        /// A session.
        Session = "session",
        /// A credential.
        Credential = "credential",
        /// A workspace.
        Workspace = "workspace",
        /// A member of a workspace.
        Member = "member",
        /// An invitation.
        Invitation = "invitation",
        /// A role.
        Role = "role",
        /// An API token.
        Token = "token",
        /// A saved view.
        View = "view",
        /// Named address ranges.
        Networks = "networks",
        /// A probe.
        Probe = "probe",
        /// An agent.
        Agent = "agent",
        /// A token for an agent.
        EnrolmentToken = "enrolment_token",
        /// A window of maintenance.
        Maintenance = "maintenance",
        /// The configuration.
        Configuration = "configuration",
    }
}

words! {
    /// How it ended.
    pub enum Outcome ("outcome") {
        /// It was done.
        Done = "done",
        /// It was refused.
        Refused = "refused",
    }
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Actor {
    /// A user in a browser.
    User {
        /// Who.
        id: UserId,
        /// Their name at that time.
        name: UserName,
    },
    /// A program with an API token.
    Token {
        /// Which token.
        id: TokenId,
        /// Whose.
        owner: UserId,
        /// The owner's name at that time.
        name: UserName,
    },
    /// Whoever holds the token of the data directory: the command line on the machine itself.
    Local,
    /// The server by itself.
    System,
    /// Somebody who was not signed in.
    Anonymous,
}

/// What it was done to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRef {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id in text form; empty when it has none.
    pub id: String,
    /// What it was called at that time, or what somebody wrote who tried.
    pub name: Untrusted,
}

/// One side of a change: fields by name, as text. Ordered, so that the same fields always give the same hash.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(BTreeMap<String, String>);

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    /// Its place in the log, from 1, without gaps.
    pub sequence: u64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: Actor,
    /// From where.
    pub address: Option<IpAddr>,
    /// In which workspace; none when it concerns the site or a user alone.
    pub workspace: Option<WorkspaceId>,
    /// What.
    pub action: Action,
    /// To what.
    pub object: ObjectRef,
    /// How it ended.
    pub outcome: Outcome,
    /// How it was before, for changes and deletions.
    pub before: Option<Fields>,
    /// How it was after, for changes and what was made.
    pub after: Option<Fields>,
    /// Hash of the record before; zero for the first.
    pub previous: Digest,
    /// Hash of this record.
    pub hash: Digest,
}

impl ObjectRef {
    /// A thing with an id and a name.
    #[must_use]
    pub fn new(kind: ObjectKind, id: impl std::fmt::Display, name: &str) -> Self {
        Self { kind, id: id.to_string(), name: Untrusted::new(name) }
    }
}

impl Fields {
    /// Most fields.
    pub const MAX_FIELDS: usize = 64;
    /// Longest name, bytes.
    pub const MAX_NAME: usize = 64;
    /// Longest value, bytes.
    pub const MAX_VALUE: usize = 1024;

    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// With one more field. One too many is left out and `…` says so; a long value ends in `…`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        if self.0.len() >= Self::MAX_FIELDS - 1 && !self.0.contains_key(name) {
            self.0.insert("…".to_owned(), "more fields than the log keeps".to_owned());
            return self;
        }
        self.0.insert(cut(name, Self::MAX_NAME), cut(&value.to_string(), Self::MAX_VALUE));
        self
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields that differ between `before` and `after`, each side with what it has.
    #[must_use]
    pub fn changed(before: &Self, after: &Self) -> (Self, Self) {
        let only = |side: &Self, other: &Self| {
            Self(
                side.0
                    .iter()
                    .filter(|(k, v)| other.0.get(*k) != Some(v))
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect(),
            )
        };
        (only(before, after), only(after, before))
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_bounded_and_say_so() {
        let long = Fields::new().with("a", "é".repeat(2000));
        assert!(long.get("a").unwrap().len() <= Fields::MAX_VALUE && long.get("a").unwrap().ends_with('…'));
        let many = (0..200).fold(Fields::new(), |f, i| f.with(&i.to_string(), i));
        assert_eq!(many.iter().count(), Fields::MAX_FIELDS);
        assert!(many.get("…").is_some());
    }

    #[test]
    fn a_change_shows_only_what_changed() {
        let before = Fields::new().with("name", "a").with("role", "viewer");
        let after = Fields::new().with("name", "a").with("role", "admin").with("email", "x");
        let (b, a) = Fields::changed(&before, &after);
        assert_eq!((b.get("role"), a.get("role"), a.get("email")), (Some("viewer"), Some("admin"), Some("x")));
        assert_eq!((b.get("name"), b.iter().count(), a.iter().count()), (None, 1, 2));
    }

    #[test]
    fn a_record_is_read_back() {
        let record = AuditRecord {
            sequence: 1,
            time: Timestamp::from_secs(1),
            actor: Actor::User { id: UserId::from_bits(1), name: "ada".parse().unwrap() },
            address: Some("::1".parse().unwrap()),
            workspace: None,
            action: Action::SignIn,
            object: ObjectRef::new(ObjectKind::User, UserId::from_bits(1), "ada"),
            outcome: Outcome::Done,
            before: None,
            after: Some(Fields::new().with("method", "password")),
            previous: Digest::default(),
            hash: Digest::default(),
        };
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<AuditRecord>(&json).unwrap(), record);
    }
}
