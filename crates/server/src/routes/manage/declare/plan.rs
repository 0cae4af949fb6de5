//! What must be done so that what is becomes what a file says. Pure.

use std::collections::{BTreeMap, BTreeSet};

use netwatch_api::declare::{FieldChange, ObjectAction, ObjectChange};
use serde_json::Value;

/// One thing to do with one object.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    Create {
        name: String,
        value: Value,
    },
    Change {
        name: String,
        before: Value,
        value: Value,
    },
    /// It is so already: it belongs to the file from now on.
    Adopt {
        name: String,
    },
    Remove {
        name: String,
        before: Value,
    },
}

/// The steps by name, and how many objects need none.
pub(super) fn steps(
    current: &BTreeMap<String, Value>,
    wanted: &BTreeMap<String, Value>,
    owned: &BTreeSet<String>,
    prune: bool,
) -> (Vec<Step>, u64) {
    let mut unchanged = 0;
    let mut steps = Vec::new();
    for (name, value) in wanted {
        let name = name.clone();
        match current.get(&name) {
            None => steps.push(Step::Create { name, value: value.clone() }),
            Some(before) if before != value => {
                steps.push(Step::Change { name, before: before.clone(), value: value.clone() });
            }
            Some(_) if !owned.contains(&name) => steps.push(Step::Adopt { name }),
            Some(_) => unchanged += 1,
        }
    }
    if prune {
        let gone = current.iter().filter(|(name, _)| owned.contains(*name) && !wanted.contains_key(*name));
        steps.extend(gone.map(|(name, before)| Step::Remove { name: name.clone(), before: before.clone() }));
    }
    (steps, unchanged)
}

impl Step {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Create { name, .. }
            | Self::Change { name, .. }
            | Self::Adopt { name }
            | Self::Remove { name, .. } => name,
        }
    }

    pub(super) const fn is_removal(&self) -> bool {
        matches!(self, Self::Remove { .. })
    }

    /// As it is told.
    pub(super) fn report(&self, kind: &str) -> ObjectChange {
        let (action, fields) = match self {
            Self::Create { value, .. } => (ObjectAction::Create, fields(&Value::Null, value)),
            Self::Change { before, value, .. } => (ObjectAction::Change, fields(before, value)),
            Self::Adopt { .. } => (ObjectAction::Adopt, Vec::new()),
            Self::Remove { before, .. } => (ObjectAction::Remove, fields(before, &Value::Null)),
        };
        ObjectChange { kind: kind.to_owned(), name: self.name().to_owned(), action, fields }
    }
}

/// The fields in which two objects differ.
fn fields(before: &Value, after: &Value) -> Vec<FieldChange> {
    let names: BTreeSet<&String> =
        [before, after].into_iter().filter_map(Value::as_object).flat_map(|o| o.keys()).collect();
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let text = |of: &Value, name: &str| of.get(name).map(ToString::to_string);
    differ
        .map(|name| FieldChange { field: name.clone(), before: text(before, name), after: text(after, name) })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn objects(list: &[(&str, u32)]) -> BTreeMap<String, Value> {
        list.iter().map(|(name, n)| ((*name).to_owned(), json!({"name": name, "n": n}))).collect()
    }

    fn told(steps: &[Step]) -> Vec<(ObjectAction, &str)> {
        steps.iter().map(|s| (s.report("x").action, s.name())).collect()
    }

    #[test]
    fn what_is_becomes_what_the_file_says() {
        let current = objects(&[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)]);
        let wanted = objects(&[("a", 1), ("b", 2), ("c", 1), ("n", 1)]);
        let owned: BTreeSet<String> = ["a", "b", "d"].map(str::to_owned).into();
        let (steps, unchanged) = super::steps(&current, &wanted, &owned, true);
        let expected = [
            (ObjectAction::Change, "b"),
            (ObjectAction::Adopt, "c"),
            (ObjectAction::Create, "n"),
            (ObjectAction::Remove, "d"),
        ];
        assert_eq!((told(&steps), unchanged), (expected.to_vec(), 1));
        assert_eq!(steps[0].report("x").fields.len(), 1, "only the field that differs");
        let (kept, _) = super::steps(&current, &wanted, &owned, false);
        assert!(!kept.iter().any(Step::is_removal), "nothing goes without being asked to prune");
    }
}
