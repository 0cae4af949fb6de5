//! The networks that probes of a workspace may measure: one object of the workspace, which narrows what the configuration allows.
//!
//! Agents judge the address that is really measured, at each run (`egress::Scope`); here is what is kept, and what can be said before a
//! probe is kept: that an address which it names lies outside. A workspace without the object narrows nothing.

use std::net::IpAddr;

use netwatch_egress::{Network, Refused, Scope};
use netwatch_entities::{Entity, Kind, ObjectId, Reading, StoreError};
use netwatch_model::people::WorkspaceId;
use netwatch_model::probe::{Place, ProbeNetworks, ProbeSpec};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fault::Fault;

/// What a workspace chose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chosen {
    pub(crate) workspace: WorkspaceId,
    pub(crate) networks: ProbeNetworks,
}

/// The only object of its kind in a workspace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ChosenId(pub(crate) WorkspaceId);

impl From<ChosenId> for ObjectId {
    /// The head of a hash: all objects share one space of ids, and the id of the workspace is the workspace's.
    fn from(ChosenId(workspace): ChosenId) -> Self {
        let mut hash = Sha256::new();
        hash.update(Kind::ProbeNetworks.word());
        hash.update(workspace.bits().to_be_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let (head, _) = digest.as_chunks::<16>();
        Self(head.first().copied().map_or(0, u128::from_be_bytes))
    }
}

impl Entity for Chosen {
    const KIND: Kind = Kind::ProbeNetworks;
    type Id = ChosenId;
    type Place = WorkspaceId;

    fn id(&self) -> ChosenId {
        ChosenId(self.workspace)
    }

    fn place(&self) -> WorkspaceId {
        self.workspace
    }

    fn label(&self) -> String {
        "networks of probes".to_owned()
    }
}

/// What a workspace chose; nothing when it narrows nothing.
pub(crate) fn of(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<ProbeNetworks, StoreError> {
    let stored = tx.find::<Chosen>(workspace, ChosenId(workspace))?;
    Ok(stored.map(|stored| stored.value.networks).unwrap_or_default())
}

/// Networks as somebody wrote them, in one form and each once.
pub(crate) fn checked(only: &[String], deny: &[String]) -> Result<ProbeNetworks, Fault> {
    Ok(ProbeNetworks { only: list("only", only)?, deny: list("deny", deny)? })
}

fn list(field: &str, texts: &[String]) -> Result<Vec<String>, Fault> {
    if texts.len() > ProbeNetworks::MAX {
        let detail = format!("{} networks are too many: a list has at most {}", texts.len(), ProbeNetworks::MAX);
        return Err(Fault::parameter(field, detail));
    }
    let mut networks: Vec<String> = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        let network = text.parse::<Network>();
        let network = network.map_err(|error| Fault::parameter(&format!("{field}[{place}]"), error.to_string()))?;
        let network = network.to_string();
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    Ok(networks)
}

/// Refuses a probe that names an address outside, with the field and what to do. What it named before is left to the agent, so that a probe
/// can still be renamed or paused when its workspace has been narrowed since.
pub(crate) fn refuse_outside(
    networks: &ProbeNetworks,
    spec: &ProbeSpec,
    before: Option<&ProbeSpec>,
) -> Result<(), Fault> {
    let (scope, known) = (Scope::read(&networks.only, &networks.deny), before.map(ProbeSpec::addresses));
    let known = known.unwrap_or_default();
    for (place, address) in spec.addresses() {
        if known.contains(&(place, address)) {
            continue;
        }
        if let Err(refused) = scope.check(address) {
            let field = match place {
                Place::Target => "spec.target".to_owned(),
                Place::Option(name) => format!("spec.options.{name}"),
            };
            return Err(Fault::parameter(&field, detail(&refused, address, networks)));
        }
    }
    Ok(())
}

/// So many networks are named in a message.
const NAMED: usize = 8;

fn detail(refused: &Refused, address: IpAddr, networks: &ProbeNetworks) -> String {
    if let Refused::Excluded { .. } = refused {
        return refused.to_string();
    }
    let named = networks.only.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match networks.only.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{address} lies outside of the networks that probes of this workspace may measure ({named}{more}): choose another target, or have an admin add its network in the settings of the workspace"
    )
}

#[cfg(test)]
mod tests {
    use netwatch_model::probe::ProbeKind;

    use super::*;

    fn networks(only: &[&str], deny: &[&str]) -> ProbeNetworks {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        ProbeNetworks { only: texts(only), deny: texts(deny) }
    }

    #[test]
    fn networks_have_one_form_and_stand_once() {
        let written = networks(&[" 192.0.2.7", "192.0.2.7/32"], &["2001:DB8::/32"]);
        assert_eq!(checked(&written.only, &written.deny).unwrap(), networks(&["192.0.2.7/32"], &["2001:db8::/32"]));
    }

    #[test]
    fn a_new_address_outside_is_refused_and_an_old_one_is_left() {
        let bound = networks(&["192.0.2.0/24"], &["192.0.2.128/25"]);
        let to = |target: &str| ProbeSpec::new(ProbeKind::Ping, target);
        let why = |spec: &ProbeSpec, before: Option<&ProbeSpec>| {
            refuse_outside(&bound, spec, before).map_err(|fault| (fault.into_problem().parameter, spec.target.clone()))
        };
        let refused = |target: &str| Err((Some("spec.target".to_owned()), target.to_owned()));
        assert_eq!(why(&to("192.0.2.1"), None), Ok(()));
        assert_eq!(why(&to("example.org"), None), Ok(()), "the agent judges what it resolves to");
        assert_eq!(why(&to("198.51.100.1"), None), refused("198.51.100.1"));
        assert_eq!(why(&to("192.0.2.200"), None), refused("192.0.2.200"));
        assert_eq!(why(&to("198.51.100.1"), Some(&to("198.51.100.1"))), Ok(()));
        assert_eq!(why(&to("198.51.100.1"), Some(&to("192.0.2.1"))), refused("198.51.100.1"));
    }

    #[test]
    fn the_problem_names_the_networks() {
        let why = |bound: &ProbeNetworks| {
            let spec = ProbeSpec::new(ProbeKind::Ping, "198.51.100.1");
            refuse_outside(bound, &spec, None).unwrap_err().into_problem().detail
        };
        let outside = why(&networks(&["192.0.2.0/24"], &[]));
        assert!(outside.contains("198.51.100.1") && outside.contains("(192.0.2.0/24)"), "{outside}");
        let excluded = why(&networks(&[], &["198.51.100.0/24"]));
        assert!(excluded.contains("198.51.100.0/24") && excluded.contains("settings"), "{excluded}");
        let many: Vec<String> = (0..10).map(|n| format!("10.{n}.0.0/16")).collect();
        let many = why(&ProbeNetworks { only: many, deny: Vec::new() });
        assert!(many.contains("10.7.0.0/16 and 2 more"), "{many}");
    }
}
