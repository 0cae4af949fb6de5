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
    owned: &BTreeMap<String, String>,
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
            Some(_) if !owned.contains_key(&name) => steps.push(Step::Adopt { name }),
            Some(_) => unchanged += 1,
        }
    }
    if prune {
        let gone = current.iter().filter(|(name, _)| owned.contains_key(*name) && !wanted.contains_key(*name));
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

/// The fields in which two objects differ; of a field that both have as an object, the fields in that.
fn fields(before: &Value, after: &Value) -> Vec<FieldChange> {
    let names: BTreeSet<&String> =
        [before, after].into_iter().filter_map(Value::as_object).flat_map(|o| o.keys()).collect();
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    differ.flat_map(|name| field(name, before.get(name), after.get(name))).collect()
}

fn field(name: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<FieldChange> {
    if let (Some(before @ Value::Object(_)), Some(after @ Value::Object(_))) = (before, after) {
        let within = |change: FieldChange| FieldChange { field: format!("{name}.{}", change.field), ..change };
        return fields(before, after).into_iter().map(within).collect();
    }
    let [before, after] = [before, after].map(|value| value.map(ToString::to_string));
    vec![FieldChange { field: name.to_owned(), before, after }]
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
        let owned = ["a", "b", "d"].map(|name| (name.to_owned(), "team.yaml".to_owned())).into();
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

    #[test]
    fn of_objects_within_objects_only_what_differs_is_told() {
        let step = Step::Change {
            name: "a".to_owned(),
            before: json!({"spec": {"target": "a", "options": {"port": 1}}, "labels": {"x": "1"}}),
            value: json!({"spec": {"target": "a", "options": {"port": 2}}, "labels": {}, "group": {"y": 1}}),
        };
        let told = step.report("x").fields.into_iter().map(|f| (f.field, f.before, f.after));
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            ("group".to_owned(), None, text(r#"{"y":1}"#)),
            ("labels.x".to_owned(), text(r#""1""#), None),
            ("spec.options.port".to_owned(), text("1"), text("2")),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}
