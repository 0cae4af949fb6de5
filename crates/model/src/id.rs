//! Identities: one type for each thing that can be named.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place from which Netwatch observes. Unique within a server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct AgentId(pub u64);

/// A text that is not the id of an agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an agent: expected 16 hexadecimal digits in lower case")]
pub struct ParseAgentIdError(String);

/// 16 hexadecimal digits: programs in JavaScript read no number of 64 bits.
impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for AgentId {
    type Err = ParseAgentIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let bits = fits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        bits.map(Self).ok_or_else(|| ParseAgentIdError(text.chars().take(64).collect()))
    }
}

/// One run of an agent, chosen at random at its start: sequence numbers begin anew with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct BootId(pub u64);

/// The place of a record in a log on disk: from 1, grows by one with each record, never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Position(pub u64);

impl Position {
    /// Before every record.
    pub const ZERO: Self = Self(0);
    /// The place of the first record.
    pub const FIRST: Self = Self(1);

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The place before this one; [`Position::ZERO`] has none and gives itself.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// How many places lie from `earlier` up to this one, this one not counted; zero when it is earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One flow record of one agent run.
///
/// A record that is sent again with the same id replaces the one sent before. Text form: 16 hexadecimal digits.
/// Layout, for those who make ids: worker (8 bits), slot in the flow table (24 bits), generation of the slot (32 bits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FlowId(u64);

/// A text that is not a flow id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a flow id: expected 16 hexadecimal digits")]
pub struct ParseFlowIdError(String);

impl FlowId {
    /// The id of generation `generation` of slot `slot` (below 2^24) in the table of worker `worker`.
    #[must_use]
    pub const fn new(worker: u8, slot: u32, generation: u32) -> Self {
        Self(((worker as u64) << 56) | (((slot & 0xff_ffff) as u64) << 32) | generation as u64)
    }

    /// From its bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FlowId {
    type Err = ParseFlowIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseFlowIdError(text.chars().take(64).collect());
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(fail());
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| fail())
    }
}

impl Serialize for FlowId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FlowId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An agent as text, for `serde(with)`.
pub(crate) mod agent_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use super::AgentId;

    pub(crate) fn serialize<S: Serializer>(agent: &AgentId, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(agent)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<AgentId, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// Agents as texts, for `serde(with)`.
pub(crate) mod agent_texts {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use super::AgentId;

    pub(crate) fn serialize<S: Serializer>(agents: &[AgentId], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(agents.iter().map(ToString::to_string))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<AgentId>, D::Error> {
        let texts = Vec::<String>::deserialize(d)?;
        texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_id_round_trips_as_text() {
        let id = FlowId::new(3, 0x12_3456, 0xdead_beef);
        assert_eq!(id.to_string(), "03123456deadbeef");
        assert_eq!("03123456deadbeef".parse::<FlowId>().unwrap(), id);
        for bad in ["", "03123456deadbee", "03123456deadbeeg", "+3123456deadbeef"] {
            assert!(bad.parse::<FlowId>().is_err(), "{bad}");
        }
    }
}
