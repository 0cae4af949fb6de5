//! How much of the telemetry is kept: defaults, what people chose, what the configuration says, and the limits of workspaces.
//!
//! Every limit is a number with a [`LimitKey`]. What the configuration says wins and cannot be changed elsewhere ([`StorageRules`]); then
//! comes what people chose, which is one object of the site ([`Chosen`]); then the default. Whenever one of them changes, all are put
//! together anew and given to the store.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use netwatch_entities::{Entity, Kind as EntityKind, ListQuery, ObjectId, Order, Reading, Site, StoreError};
use netwatch_model::people::{Workspace, WorkspaceId};
use netwatch_storage::{Keep, Kind, Retention, StoreLimits, Watermarks};
use serde::{Deserialize, Serialize};

/// Workspaces whose limits are read.
const MANY: usize = 100_000;
const HOUR: u64 = 3600;
const MIB: u64 = 1 << 20;

/// One number that says how much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LimitKey {
    /// How old data of a kind may become, in seconds.
    Age(Kind),
    /// How many bytes a kind may take.
    Size(Kind),
    /// Below this percentage of free space there is a warning.
    WarnPercent,
    /// Below this percentage of free space nothing new is stored.
    StopPercent,
    /// Below this many free bytes nothing new is stored.
    StopSize,
}

impl LimitKey {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let kinds = Kind::ALL.into_iter().flat_map(|kind| [Self::Age(kind), Self::Size(kind)]);
        kinds.chain([Self::WarnPercent, Self::StopPercent, Self::StopSize])
    }

    /// The name of its key in the section `storage` of the configuration.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Age(kind) => format!("{}_age", kind.as_str()),
            Self::Size(kind) => format!("{}_size", kind.as_str()),
            Self::WarnPercent => "disk_warn_percent".to_owned(),
            Self::StopPercent => "disk_stop_percent".to_owned(),
            Self::StopSize => "disk_stop_size".to_owned(),
        }
    }

    /// What it may be: an hour to a century, 64 MiB to 1 PiB, 0 to 90 %.
    #[must_use]
    pub const fn bounds(self) -> RangeInclusive<u64> {
        match self {
            Self::Age(_) => HOUR..=36_525 * 24 * HOUR,
            Self::Size(_) => 64 * MIB..=1 << 50,
            Self::WarnPercent | Self::StopPercent => 0..=90,
            Self::StopSize => 0..=1 << 40,
        }
    }

    /// What it is unless somebody says otherwise.
    #[must_use]
    pub fn default(self) -> u64 {
        let (retention, marks) = (Retention::default(), Watermarks::default());
        match self {
            Self::Age(kind) => retention.of(kind).age.as_secs(),
            Self::Size(kind) => retention.of(kind).bytes,
            Self::WarnPercent => percent(marks.warn_share),
            Self::StopPercent => percent(marks.stop_share),
            Self::StopSize => marks.stop_bytes,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 1")]
fn percent(share: f64) -> u64 {
    (share * 100.0).round() as u64
}

/// What the configuration says: with each limit its value, and where it was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StorageRules(pub Vec<(LimitKey, u64, String)>);

impl StorageRules {
    /// Value and place of a limit that the configuration says.
    pub(crate) fn get(&self, key: LimitKey) -> Option<(u64, &str)> {
        self.0.iter().find(|(k, ..)| *k == key).map(|(_, value, origin)| (*value, origin.as_str()))
    }
}

/// What people chose, by the word of the limit: one object for the whole site.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chosen {
    limits: BTreeMap<String, u64>,
}

/// The id of the only object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TheOne;

impl From<TheOne> for ObjectId {
    fn from(_: TheOne) -> Self {
        Self(1)
    }
}

impl Entity for Chosen {
    const KIND: EntityKind = EntityKind::StorageSettings;
    type Id = TheOne;
    type Place = Site;
    fn id(&self) -> TheOne {
        TheOne
    }
    fn place(&self) -> Site {
        Site
    }
    fn label(&self) -> String {
        "retention".to_owned()
    }
}

impl Chosen {
    /// What was chosen for a limit.
    pub(crate) fn get(&self, key: LimitKey) -> Option<u64> {
        self.limits.get(&key.word()).copied()
    }

    /// Chooses; the default is as good as no choice.
    pub(crate) fn set(&mut self, key: LimitKey, value: u64) {
        if value == key.default() {
            self.limits.remove(&key.word());
        } else {
            self.limits.insert(key.word(), value);
        }
    }
}

/// What holds for a limit.
pub(crate) fn in_force(key: LimitKey, rules: &StorageRules, chosen: &Chosen) -> u64 {
    rules.get(key).map(|(value, _)| value).or_else(|| chosen.get(key)).unwrap_or_else(|| key.default())
}

/// Everything, as the store is told it. `place` is what a workspace is called there.
pub(crate) fn of_store(
    tx: &Reading<'_>,
    rules: &StorageRules,
    place: impl Fn(WorkspaceId) -> WorkspaceId,
) -> Result<StoreLimits, StoreError> {
    let chosen = tx.find::<Chosen>(Site, TheOne)?.map(|stored| stored.value).unwrap_or_default();
    let workspaces = workspaces(tx)?.into_iter();
    let of = |workspace: Workspace| Some((place(workspace.id), workspace.limits.storage_bytes?));
    Ok(StoreLimits { workspaces: workspaces.filter_map(of).collect(), ..together(rules, &chosen) })
}

/// All workspaces.
pub(crate) fn workspaces(tx: &Reading<'_>) -> Result<Vec<Workspace>, StoreError> {
    let query = ListQuery { order: Order::Oldest, limit: MANY, ..ListQuery::default() };
    Ok(tx.list::<Workspace>(Site, &query)?.items.into_iter().map(|stored| stored.value).collect())
}

#[expect(clippy::cast_precision_loss, reason = "a percentage is at most 100")]
fn together(rules: &StorageRules, chosen: &Chosen) -> StoreLimits {
    let is = |key| in_force(key, rules, chosen);
    let mut retention = Retention::default();
    for kind in Kind::ALL {
        let keep = Keep { age: Duration::from_secs(is(LimitKey::Age(kind))), bytes: is(LimitKey::Size(kind)) };
        retention.set(kind, keep);
    }
    let share = |key| is(key) as f64 / 100.0;
    let watermarks = Watermarks {
        warn_share: share(LimitKey::WarnPercent),
        stop_share: share(LimitKey::StopPercent),
        stop_bytes: is(LimitKey::StopSize),
    };
    StoreLimits { retention, watermarks, workspaces: BTreeMap::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_wins_over_what_was_chosen_over_the_default() {
        let (age, size) = (LimitKey::Age(Kind::Flows), LimitKey::Size(Kind::Flows));
        let mut chosen = Chosen::default();
        assert_eq!(together(&StorageRules::default(), &chosen), StoreLimits::default());
        chosen.set(age, 7200);
        chosen.set(size, 1 << 30);
        let rules = StorageRules(vec![(size, 2 << 30, "netwatch.yaml:3:5".to_owned())]);
        let keep = together(&rules, &chosen).retention.of(Kind::Flows);
        assert_eq!(keep, Keep { age: Duration::from_secs(7200), bytes: 2 << 30 });
        chosen.set(age, age.default());
        assert_eq!(chosen.get(age), None);
    }

    /// All objects share one space of ids, and the agent of this machine has the id 1 too.
    #[test]
    fn what_was_chosen_is_no_agent() {
        let agent = netwatch_model::AgentId(1);
        assert_ne!(ObjectId::from(TheOne), ObjectId::from(agent));
        assert_ne!(ObjectId::from(TheOne), ObjectId::from(netwatch_entities::SeenId(agent)));
    }

    #[test]
    fn every_limit_has_a_word_of_its_own_and_a_default_that_it_may_have() {
        let words: std::collections::HashSet<String> = LimitKey::all().map(LimitKey::word).collect();
        assert_eq!(words.len(), LimitKey::all().count());
        for key in LimitKey::all() {
            assert!(key.bounds().contains(&key.default()), "{}", key.word());
        }
    }
}
