//! What is said of agents in a file: labels, group and place. A file neither makes an agent nor deletes one: an agent comes in with a key of
//! its own. So an object is what is said of one, and to remove it is to say nothing any more.

use std::collections::BTreeMap;

use netwatch_api::ProblemCode;
use netwatch_entities::{Reading, Stored, Writing};
use netwatch_model::filter::nearest;
use netwatch_model::people::{Agent, DisplayName, Location, Permission, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Declared, owned};
use crate::app::{App, to_json};
use crate::fault::Fault;
use crate::params::parse_body;
use crate::routes::manage::agents::{self, DECLARED, group_of, location_of};
use crate::routes::manage::asker::{Asker, field};
use crate::routes::manage::probes::labels;

/// See the module.
pub(super) struct Agents;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
}

impl Declared for Agents {
    fn word(&self) -> &'static str {
        DECLARED
    }

    fn reading(&self) -> Permission {
        Permission::AgentsRead
    }

    fn writing(&self) -> Permission {
        Permission::AgentsWrite
    }

    fn parse(&self, written: &Value) -> Result<(String, Value), Fault> {
        let (name, said) = read(written)?;
        Ok((name.to_string(), said.value(name.as_str())?))
    }

    /// Those of which something is said, or which a file owns all the same.
    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault> {
        let owned = owned::all(tx, workspace, DECLARED)?;
        let mut all = BTreeMap::new();
        for Stored { value: Agent { name, labels, group, location, .. }, .. } in agents::all(tx, workspace)? {
            let said = Said { labels, group, location };
            if said != Said::default() || owned.contains_key(name.as_str()) {
                all.insert(name.to_string(), said.value(name.as_str())?);
            }
        }
        Ok(all)
    }

    fn create(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        self.change(tx, asker, name, value)
    }

    fn change(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        say(tx, asker, name, read(value)?.1)
    }

    fn remove(&self, tx: &Writing<'_>, asker: &Asker, name: &str) -> Result<(), Fault> {
        say(tx, asker, name, Said::default())
    }

    fn tell(&self, app: &App, _: WorkspaceId) {
        app.agents_changed();
    }
}

/// What is said of an agent.
#[derive(PartialEq, Default)]
struct Said {
    labels: BTreeMap<String, String>,
    group: Option<DisplayName>,
    location: Option<Location>,
}

impl Said {
    fn value(self, name: &str) -> Result<Value, Fault> {
        let Self { labels, group, location } = self;
        let group = group.map(|group| group.to_string());
        parse_body(&to_json(&Written { name: name.to_owned(), labels, group, location })?)
    }
}

fn read(value: &Value) -> Result<(DisplayName, Said), Fault> {
    let Written { name, labels: named, group, location } = parse_body(&to_json(value)?)?;
    labels("labels", &named)?;
    let group = group.as_deref().map(group_of).transpose()?.flatten();
    let location = location.map(location_of).transpose()?.flatten();
    Ok((field("name", &name)?, Said { labels: named, group, location }))
}

/// Says that of an agent; what is so already stays.
fn say(tx: &Writing<'_>, asker: &Asker, name: &str, Said { labels, group, location }: Said) -> Result<(), Fault> {
    let before = find(tx, asker.workspace()?, name)?;
    let after = Agent { labels, group, location, ..before.value.clone() };
    if after == before.value {
        return Ok(());
    }
    agents::alter(tx, asker, &before, &after).map(drop)
}

fn find(tx: &Reading<'_>, workspace: WorkspaceId, name: &str) -> Result<Stored<Agent>, Fault> {
    let all = agents::all(tx, workspace)?;
    let near = nearest(name, all.iter().map(|agent| agent.value.name.as_str()));
    let hint = near.map(|near| format!("did you mean `{near}`, or is it not enrolled yet? "));
    let detail = format!(
        "the workspace has no agent of that name: {}a file describes agents and makes none: `netwatch agents token --name {name:?}` prints the commands that bring one in",
        hint.unwrap_or_default()
    );
    let missing = || Fault::new(ProblemCode::NotFound, detail);
    all.into_iter().find(|agent| agent.value.name.as_str() == name).ok_or_else(missing)
}
