//! A token becomes an agent, once.

use netwatch_api::agent::v1;
use netwatch_entities::people::keys;
use netwatch_entities::{Site, StoreError, Writing};
use netwatch_identity::audit::Entry;
use netwatch_identity::enrolment;
use netwatch_model::people::{
    Action, Agent, AgentInfo, AgentInstall, AgentOrigin, Digest, DisplayName, EnrolmentToken, Fields, ObjectKind,
    ObjectRef, Workspace,
};
use netwatch_model::probe::spec::{MAX_LABEL, MAX_LABELS};
use netwatch_model::untrusted::is_deceptive;
use netwatch_model::{AgentId, Untrusted};

use crate::access::{By, record};

/// What an agent without a name is called.
const NAMELESS: &str = "agent";
/// Addresses and kinds that an agent may name.
const MAX_LIST: usize = 64;

/// Nobody came in.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnrolError {
    /// The token is not known, was used, or has ended.
    #[error(
        "the token is unknown, was used, or has expired: make a new one on the page Agents, and use it within its time"
    )]
    Token,
    /// The key is an agent's already.
    #[error("this key is an agent's already: start it without a token")]
    Known,
    /// The workspace is full.
    #[error("the workspace has as many agents as it may have: delete some, or have the limit raised")]
    Full,
    /// There are no random bytes.
    #[error("the server has no random bytes")]
    Random,
    /// Nothing could be kept.
    #[error("the server cannot keep the agent now; its log tells more")]
    Store(#[from] StoreError),
}

/// Makes an agent of the holder of a key; the token is used up in the same transaction.
pub(super) fn enrol(
    tx: &Writing<'_>,
    text: &str,
    key: Digest,
    info: &AgentInfo,
    by: &By,
) -> Result<(Agent, DisplayName), EnrolError> {
    let digest = enrolment::digest_of(text).ok_or(EnrolError::Token)?;
    let token = tx.find_anywhere::<EnrolmentToken>(keys::DIGEST, &digest.to_string())?.map(|stored| stored.value);
    let token = token.filter(|token| token.holds(tx.now())).ok_or(EnrolError::Token)?;
    if tx.find_anywhere::<Agent>(keys::KEY, &key.to_string())?.is_some() {
        return Err(EnrolError::Known);
    }
    let workspace = tx.get::<Workspace>(Site, token.workspace)?.value;
    let most = workspace.limits.agents.map_or(Agent::MAX_PER_WORKSPACE, u64::from).min(Agent::MAX_PER_WORKSPACE);
    if tx.count::<Agent>(token.workspace)? >= most {
        return Err(EnrolError::Full);
    }
    let agent = Agent {
        id: AgentId(getrandom::u64().map_err(|_| EnrolError::Random)? | 2),
        workspace: token.workspace,
        name: free_name(tx, &token, info)?,
        origin: AgentOrigin::Enrolled,
        key: Some(key),
        enabled: true,
        global: false,
        labels: token.labels,
        group: token.group,
        location: None,
        created: tx.now(),
    };
    tx.delete::<EnrolmentToken>(token.workspace, token.id, None)?;
    tx.insert(&agent)?;
    let after = Fields::new().with("name", &agent.name).with("key", key).with("token", token.id);
    let did = by.did(Action::AgentEnrolled, object(&agent));
    record(tx, Entry { workspace: Some(agent.workspace), after: Some(after), ..did })?;
    Ok((agent, workspace.name))
}

/// An agent as an object of the audit log.
pub(crate) fn object(agent: &Agent) -> ObjectRef {
    ObjectRef::new(ObjectKind::Agent, agent.id, agent.name.as_str())
}

/// The name of the token or the host, with a number when it is taken.
fn free_name(tx: &Writing<'_>, token: &EnrolmentToken, info: &AgentInfo) -> Result<DisplayName, StoreError> {
    let wanted = token.name.clone().unwrap_or_else(|| DisplayName::made_of(info.hostname.raw(), NAMELESS));
    let mut name = wanted.clone();
    for n in 2..=Agent::MAX_PER_WORKSPACE + 2 {
        let key = name.as_str().to_lowercase();
        if tx.find_by_key::<Agent>(token.workspace, keys::NAME, &key)?.is_none() {
            break;
        }
        let head: String = wanted.as_str().chars().take(90).collect();
        name = DisplayName::made_of(&format!("{head} {n}"), NAMELESS);
    }
    Ok(name)
}

/// What an agent says of itself, within limits.
pub(super) fn info_of(said: Option<v1::AgentInfo>) -> AgentInfo {
    let said = said.unwrap_or_default();
    let install = match said.install() {
        v1::Install::Plain => Some(AgentInstall::Plain),
        v1::Install::Package => Some(AgentInstall::Package),
        v1::Install::Container => Some(AgentInstall::Container),
        v1::Install::Unspecified => None,
    };
    let is_label = |text: &str| !text.is_empty() && text.len() <= MAX_LABEL && !text.chars().any(is_deceptive);
    let labels = said.labels.into_iter().filter(|(name, value)| is_label(name) && is_label(value));
    AgentInfo {
        version: Untrusted::new(&said.version),
        hostname: Untrusted::new(&said.hostname),
        os: Untrusted::new(&said.os),
        arch: Untrusted::new(&said.arch),
        install,
        reflector_port: u16::try_from(said.reflector_port).ok().filter(|port| *port > 0),
        keyed_reflector: said.keyed_reflector,
        throughput_port: u16::try_from(said.throughput_port).ok().filter(|port| *port > 0),
        narrows: said.narrows,
        addresses: said.addresses.iter().take(MAX_LIST).filter_map(|text| text.parse().ok()).collect(),
        labels: labels.take(MAX_LABELS).collect(),
        kinds: said.kinds.iter().take(MAX_LIST).map(|kind| Untrusted::new(kind)).collect(),
    }
}
