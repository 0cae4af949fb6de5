//! Generated sections of the book, between `<!-- generated: NAME -->` and `<!-- end -->`.

use netwatch_model::filter::{Descriptor, Kind, fields};
use netwatch_model::people::{BuiltInRole, Permission, Reach};
use netwatch_model::probe::{OptionField, ProbeKind};

/// `text` with the section `name` filled with `body`; none when it has no such section.
pub fn replace(text: &str, name: &str, body: &str) -> Option<String> {
    let (before, rest) = text.split_once(&format!("<!-- generated: {name} -->\n"))?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}<!-- generated: {name} -->\n\n{}\n\n<!-- end -->{after}", body.trim_end()))
}

/// The table of the fields of the filter language.
pub fn filter_fields() -> String {
    let rows = fields().iter().map(row).collect::<String>();
    format!("| field | also | values | meaning | example |\n|---|---|---|---|---|\n{rows}")
}

/// The table of permissions and of the roles that have them.
pub fn permissions() -> String {
    let roles = BuiltInRole::ALL.iter().map(|role| format!(" {role} |")).collect::<String>();
    let line = "---|".repeat(BuiltInRole::ALL.len());
    let rows = Permission::ALL.iter().map(|p| permission(*p)).collect::<String>();
    format!("| permission | allows | reaches over |{roles}\n|---|---|---|{line}\n{rows}")
}

fn permission(permission: Permission) -> String {
    let reach = match permission.reach() {
        Reach::Workspace => "workspace",
        Reach::Site => "site",
    };
    let has = |role: &BuiltInRole| if permission.roles().contains(role) { " ✓ |" } else { " |" };
    let roles = BuiltInRole::ALL.iter().map(has).collect::<String>();
    format!("| {} | {} | {reach} |{roles}\n", code(permission.word()), permission.text())
}

/// The kinds of probes, each with its options and metrics.
pub fn probes() -> String {
    ProbeKind::ALL.into_iter().map(probe).collect::<Vec<_>>().join("\n")
}

fn probe(kind: ProbeKind) -> String {
    let d = kind.descriptor();
    let option = |field: &&OptionField| {
        let name = code(field.name);
        format!("| {name} | {} | {} |\n", field.form, field.help)
    };
    let options = d.options.iter().map(option).collect::<String>();
    let options = match d.options {
        [] => String::new(),
        _ => format!("| option | is | meaning |\n|---|---|---|\n{options}\n"),
    };
    let metrics = d.metrics.iter().map(|metric| code(metric.name())).collect::<Vec<_>>().join(" ");
    format!(
        "### {}\n\n{}. The target is {}. By default every {} s, {} in a run, with a timeout of {} s.\n\n{options}Numbers: {metrics}\n",
        d.name,
        d.help,
        d.target.must(),
        d.interval,
        d.count,
        d.timeout
    )
}

/// The sample of the configuration, as YAML.
pub fn configuration(sample: &str) -> String {
    format!("```yaml\n{}\n```", sample.trim_end())
}

fn row(field: &Descriptor) -> String {
    let also = field.aliases.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
    let values = match field.kind {
        Kind::Word(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" "),
        Kind::Number(max) => format!("0 to {max}"),
        Kind::Id => "16 hexadecimal digits".to_owned(),
        Kind::Protocol => "keyword or number".to_owned(),
        kind => kind.as_str().to_owned(),
    };
    format!("| {} | {also} | {values} | {} | {} |\n", code(field.name), field.description, code(field.example))
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_nothing_else() {
        let text = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb\n";
        let fresh = replace(text, "x", "new\n").unwrap();
        assert_eq!(fresh, "a\n<!-- generated: x -->\n\nnew\n\n<!-- end -->\nb\n");
        assert_eq!(replace(&fresh, "x", "new"), Some(fresh.clone()));
        assert_eq!(replace(text, "y", "new"), None);
    }

    #[test]
    fn every_permission_has_a_row_with_its_roles() {
        let table = permissions();
        assert_eq!(table.lines().count(), Permission::ALL.len() + 2);
        let columns = |line: &str| line.matches('|').count();
        assert!(table.lines().all(|line| columns(line) == columns(table.lines().next().unwrap())), "{table}");
    }

    #[test]
    fn every_field_has_a_row() {
        assert_eq!(filter_fields().lines().count(), fields().len() + 2);
    }
}
