//! `netwatch export` and `netwatch apply`: what can be edited, as a file.

use std::io::{Read as _, Write};
use std::path::Path;

use anyhow::Context as _;
use netwatch_api::declare::{ApplyReport, Declarations, FieldChange, ObjectAction, ObjectChange};

use super::steer::endpoint;
use crate::args::{ApplyArgs, Cli, ExportArgs};
use crate::client::escape;
use crate::failure::{Failure, Outcome, usage, visible};
use crate::output;

/// Largest file, bytes.
const MAX_FILE: u64 = 1 << 20;
/// Characters of a value that are shown: a list of all address ranges is long.
const SHOWN: usize = 200;

/// `netwatch export`
pub fn export(cli: &Cli, args: &ExportArgs) -> Outcome {
    let endpoint = endpoint(cli, &args.server, args.data_dir.as_deref())?;
    let objects: Declarations = endpoint.get("/api/v1/export", &[])?;
    let mut out = super::stdout();
    output::yaml_document(&mut out, &objects)?;
    out.flush()?;
    Ok(())
}

/// `netwatch apply -f FILE`
pub fn apply(cli: &Cli, args: &ApplyArgs) -> Outcome {
    let file = read(&args.file)?;
    let endpoint = endpoint(cli, &args.server, args.data_dir.as_deref())?;
    let name = args.file.file_name().map_or_else(|| "standard input".into(), |name| name.to_string_lossy());
    let (dry_run, prune, source) = (args.dry_run, args.prune, escape(&name));
    let path = format!("/api/v1/apply?dry_run={dry_run}&prune={prune}&source={source}");
    let report: ApplyReport = endpoint.send("POST", &path, &file)?;
    let mut out = super::stdout();
    for change in &report.changes {
        tell(&mut out, change)?;
    }
    writeln!(out, "{}", summary(&report))?;
    out.flush()?;
    Ok(())
}

fn read(path: &Path) -> Result<Declarations, Failure> {
    let name = path.display();
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_FILE + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
    };
    read.with_context(|| format!("{name} cannot be read"))?;
    if text.len() as u64 > MAX_FILE {
        return Err(usage(format!("{name} is longer than 1 MiB: split it")));
    }
    serde_saphyr::from_str(&text).map_err(|error| {
        let plain = error.without_snippet().to_string();
        usage(format!("{name}: {}", plain.lines().next().unwrap_or("not valid YAML")))
    })
}

/// Says what became of one object.
pub fn tell(out: &mut impl Write, change: &ObjectChange) -> std::io::Result<()> {
    let (sign, note) = match change.action {
        ObjectAction::Create => ("+", ""),
        ObjectAction::Change => ("~", ""),
        ObjectAction::Adopt => ("=", " (belongs to the file from now on)"),
        ObjectAction::Remove => ("-", ""),
    };
    writeln!(out, "{sign} {} {}{note}", change.kind, visible(&change.name))?;
    for FieldChange { field, before, after } in &change.fields {
        let (field, [before, after]) = (shown(field), [before, after].map(|text| text.as_deref().map(shown)));
        match (before, after) {
            (Some(before), Some(after)) => writeln!(out, "    {field}: {before} -> {after}")?,
            (Some(value), None) | (None, Some(value)) => writeln!(out, "    {field}: {value}")?,
            (None, None) => {}
        }
    }
    Ok(())
}

/// Says how many objects there were of each sort.
pub fn summary(report: &ApplyReport) -> String {
    let count = |action| report.changes.iter().filter(|c| c.action == action).count();
    let [created, changed, adopted, removed] =
        [ObjectAction::Create, ObjectAction::Change, ObjectAction::Adopt, ObjectAction::Remove].map(count);
    let note = if report.dry_run { " (dry run: nothing was changed)" } else { "" };
    let unchanged = report.unchanged;
    format!("{created} created, {changed} changed, {adopted} adopted, {removed} removed, {unchanged} unchanged{note}")
}

/// As much of a text as is shown.
fn shown(text: &str) -> String {
    let (head, length) = (text.chars().take(SHOWN).collect::<String>(), text.chars().count());
    if length > SHOWN { format!("{}… ({length} characters)", visible(&head)) } else { visible(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_field_by_field_and_a_long_value_by_its_head() {
        let field = |field: &str, before: Option<&str>, after: Option<&str>| FieldChange {
            field: field.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let change = ObjectChange {
            kind: "address_ranges".to_owned(),
            name: "ranges".to_owned(),
            action: ObjectAction::Change,
            fields: vec![
                field("ranges.10.0.0.0/8", Some("\"Company\""), Some("\"Office\"")),
                field("ranges.10.1.0.0/16\u{1b}[2J", None, Some(&"x".repeat(201))),
            ],
        };
        let mut out = Vec::new();
        tell(&mut out, &change).unwrap();
        let (text, head) = (String::from_utf8(out).unwrap(), "x".repeat(200));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], ["~ address_ranges ranges", "    ranges.10.0.0.0/8: \"Company\" -> \"Office\""]);
        assert!(lines[2].ends_with(&format!(": {head}… (201 characters)")) && !text.contains('\u{1b}'), "{text}");
    }
}
