//! Agents as objects, when they were heard of, and the tokens by which they come in.

use netwatch_model::AgentId;
use netwatch_model::people::{Agent, AgentSeen, EnrolmentToken, EnrolmentTokenId, WorkspaceId};

use crate::kind::Kind;
use crate::object::{Entity, Key, ObjectId};
use crate::people::keys;

/// What sets the ids of agents apart from the small ones of objects of which there is one.
const AGENT: u128 = 1 << 65;
/// What sets the ids of what is remembered of them apart.
const SEEN: u128 = 1 << 64;

/// The id of what is remembered of an agent: that of the agent, with a bit of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeenId(pub AgentId);

/// Ids of agents have 64 bits and a bit above, those of all else are 128 bits that begin with a time, or small: none is another.
impl From<AgentId> for ObjectId {
    fn from(id: AgentId) -> Self {
        Self(u128::from(id.0) | AGENT)
    }
}

impl From<SeenId> for ObjectId {
    fn from(SeenId(agent): SeenId) -> Self {
        Self(u128::from(agent.0) | AGENT | SEEN)
    }
}

impl From<EnrolmentTokenId> for ObjectId {
    fn from(id: EnrolmentTokenId) -> Self {
        Self(id.bits())
    }
}

impl Entity for Agent {
    const KIND: Kind = Kind::Agent;
    type Id = AgentId;
    type Place = WorkspaceId;

    fn id(&self) -> AgentId {
        self.id
    }

    fn place(&self) -> WorkspaceId {
        self.workspace
    }

    fn label(&self) -> String {
        self.name.to_string()
    }

    fn keys(&self) -> Vec<Key> {
        let key = self.key.map(|key| Key::everywhere(keys::KEY, key.to_string()));
        std::iter::once(Key::in_place(keys::NAME, self.name.as_str().to_lowercase())).chain(key).collect()
    }
}

impl Entity for AgentSeen {
    const KIND: Kind = Kind::AgentSeen;
    type Id = SeenId;
    type Place = WorkspaceId;

    fn id(&self) -> SeenId {
        SeenId(self.agent)
    }

    fn place(&self) -> WorkspaceId {
        self.workspace
    }

    fn owner(&self) -> Option<ObjectId> {
        Some(self.agent.into())
    }

    fn label(&self) -> String {
        self.info.hostname.to_string()
    }
}

impl Entity for EnrolmentToken {
    const KIND: Kind = Kind::EnrolmentToken;
    type Id = EnrolmentTokenId;
    type Place = WorkspaceId;

    fn id(&self) -> EnrolmentTokenId {
        self.id
    }

    fn place(&self) -> WorkspaceId {
        self.workspace
    }

    fn label(&self) -> String {
        self.name.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    fn keys(&self) -> Vec<Key> {
        vec![Key::everywhere(keys::DIGEST, self.digest.to_string())]
    }
}
