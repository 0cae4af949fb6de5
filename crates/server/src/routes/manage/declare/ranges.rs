//! Names of address ranges in a file: one object, `ranges`, with all of them, because a workspace may have more of them than a file has
//! objects. An empty one names nothing, and keeps others from naming by hand.

use std::collections::BTreeMap;

use netwatch_entities::{Reading, Writing};
use netwatch_model::people::{Permission, WorkspaceId};
use netwatch_storage::NamedRange;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Declared, owned};
use crate::app::{App, to_json};
use crate::fault::Fault;
use crate::history::ranges::of_workspace;
use crate::params::parse_body;
use crate::routes::manage::asker::Asker;
use crate::routes::manage::ranges::{DECLARED, NAME, put, refuse_many};

/// See the module.
pub(super) struct Ranges;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Names by network.
    #[serde(default)]
    ranges: BTreeMap<String, String>,
}

impl Declared for Ranges {
    fn word(&self) -> &'static str {
        DECLARED
    }

    fn reading(&self) -> Permission {
        Permission::TrafficRead
    }

    fn writing(&self) -> Permission {
        Permission::NetworksWrite
    }

    fn parse(&self, written: &Value) -> Result<(String, Value), Fault> {
        let mut ranges = BTreeMap::new();
        for NamedRange { network, name } in read(written)? {
            let network = network.to_string();
            if let Some(other) = ranges.insert(network.clone(), name.raw().to_owned()) {
                let detail = format!("{network} has two names, `{other}` and `{name}`: remove one of them");
                return Err(Fault::parameter("ranges", detail));
            }
        }
        Ok((NAME.to_owned(), value(ranges)?))
    }

    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault> {
        let ranges: BTreeMap<_, _> = of_workspace(tx, workspace)?.into_iter().map(|r| (r.network, r.name)).collect();
        owned::only(tx, workspace, (DECLARED, NAME), ranges.is_empty(), value(ranges)?)
    }

    fn create(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        self.change(tx, asker, name, value)
    }

    fn change(&self, tx: &Writing<'_>, asker: &Asker, _: &str, value: &Value) -> Result<(), Fault> {
        replace(tx, asker, &read(value)?)
    }

    fn remove(&self, tx: &Writing<'_>, asker: &Asker, _: &str) -> Result<(), Fault> {
        replace(tx, asker, &[])
    }

    fn tell(&self, app: &App, workspace: WorkspaceId) {
        app.apply_ranges(workspace);
    }
}

fn replace(tx: &Writing<'_>, asker: &Asker, wanted: &[NamedRange]) -> Result<(), Fault> {
    let before = of_workspace(tx, asker.workspace()?)?.len();
    put(tx, asker, before, wanted)
}

fn read(value: &Value) -> Result<Vec<NamedRange>, Fault> {
    let Written { ranges } = parse_body(&to_json(value)?)?;
    refuse_many(ranges.len(), "ranges")?;
    let wrong = |reason: String| Fault::parameter("ranges", reason);
    ranges.iter().map(|(network, name)| NamedRange::read(network, name).map_err(wrong)).collect()
}

fn value(ranges: BTreeMap<String, String>) -> Result<Value, Fault> {
    parse_body(&to_json(&Written { ranges })?)
}
