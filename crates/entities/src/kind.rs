//! The kinds of entities.
//!
//! One enum, so that no query names a kind by a text from outside. Its words are stored: they never change.

use std::fmt;

/// A kind of entity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A person who can sign in.
    User,
    /// A password, passkey, one-time-password device or external identity of a user.
    Credential,
    /// A signed-in browser.
    Session,
    /// A one-time link: set-up, password reset, verification of an address.
    OneTimeLink,
    /// A tenant.
    Workspace,
    /// A user in a workspace.
    Membership,
    /// A custom role of a workspace.
    Role,
    /// An invitation to a workspace.
    Invitation,
    /// A token of a program.
    ApiToken,
    /// A saved view.
    View,
    /// That an object belongs to a file that was applied.
    Owned,
    /// How much telemetry is kept.
    StorageSettings,
    /// A named address range of a workspace.
    AddressRange,
    /// A probe.
    Probe,
    /// An agent.
    Agent,
    /// When an agent was heard of.
    AgentSeen,
    /// A token by which an agent comes in.
    EnrolmentToken,
    /// A window of maintenance.
    Maintenance,
    /// Which networks probes of a workspace may measure.
    ProbeNetworks,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::User,
        Self::Credential,
        Self::Session,
        Self::OneTimeLink,
        Self::Workspace,
        Self::Membership,
        Self::Role,
        Self::Invitation,
        Self::ApiToken,
        Self::View,
        Self::Owned,
        Self::StorageSettings,
        Self::AddressRange,
        Self::Probe,
        Self::Agent,
        Self::AgentSeen,
        Self::EnrolmentToken,
        Self::Maintenance,
        Self::ProbeNetworks,
    ];

    /// The word that is stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Credential => "credential",
            Self::Session => "session",
            Self::OneTimeLink => "one_time_link",
            Self::Workspace => "workspace",
            Self::Membership => "membership",
            Self::Role => "role",
            Self::Invitation => "invitation",
            Self::ApiToken => "api_token",
            Self::View => "view",
            Self::Owned => "owned",
            Self::StorageSettings => "storage_settings",
            Self::AddressRange => "address_range",
            Self::Probe => "probe",
            Self::Agent => "agent",
            Self::AgentSeen => "agent_seen",
            Self::EnrolmentToken => "enrolment_token",
            Self::Maintenance => "maintenance",
            Self::ProbeNetworks => "probe_networks",
        }
    }

    /// The words for people.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::OneTimeLink => "one-time link",
            Self::ApiToken => "API token",
            Self::Membership => "member",
            Self::Owned => "file",
            Self::StorageSettings => "settings",
            Self::AddressRange => "address range",
            Self::AgentSeen => "agent",
            Self::EnrolmentToken => "enrolment token",
            Self::Maintenance => "window of maintenance",
            Self::ProbeNetworks => "networks of probes",
            other => other.word(),
        }
    }

    /// Whether its objects are encrypted at rest, because they hold secrets that the server itself must read back.
    #[must_use]
    pub const fn is_sealed(self) -> bool {
        matches!(self, Self::Credential | Self::Probe)
    }

    /// From the word that was stored.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(*kind));
        }
        assert_eq!(Kind::from_word("users"), None);
    }
}
