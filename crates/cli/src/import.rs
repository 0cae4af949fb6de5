//! From the files of other monitors to probes: readers of one format each, and what they share.
//!
//! A reader is a function of texts: it opens nothing (but for what [`smokeping`] includes, by a function that it is given), and never
//! fails for one thing that it does not understand: that thing is refused by name and line, and the rest is taken over. What comes out
//! is a file for `netwatch apply`, which the server will take: each probe is checked here as the server checks it.
//!
//! Limits: texts of [`MAX_TEXT`] bytes, [`MAX_PROBES`] probes, notes of some hundred characters.

pub mod blackbox;
pub mod report;
pub mod smokeping;
pub mod uptime_kuma;

use std::collections::{BTreeMap, HashSet};

use netwatch_model::Untrusted;
use netwatch_model::people::DisplayName;
use netwatch_model::probe::spec::{MAX_LABEL, MAX_LABELS};
use netwatch_model::probe::{Family, OptionForm, Options, Probe, ProbeSpec, Source};
use serde_json::{Map, Value, json};

pub use report::{Fate, Item};

/// The longest text that is read, bytes.
pub const MAX_TEXT: usize = 16 << 20;
/// The most probes that come out: those of a workspace.
pub const MAX_PROBES: usize = Probe::MAX_PER_WORKSPACE as usize;
/// The longest name of a probe, characters.
const MAX_NAME: usize = 100;

/// A file that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is too long.
    #[error("{name} is longer than 16 MiB: is it the right file?")]
    Long {
        /// Which file.
        name: String,
    },
    /// It is not of the format.
    #[error("{name}{at}: {why}")]
    Format {
        /// Which file.
        name: String,
        /// Line and column, if they are known.
        at: String,
        /// What is wrong.
        why: String,
    },
}

/// Where something stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
}

/// What is made of a file.
#[derive(Debug, Default)]
pub struct Import {
    names: HashSet<String>,
    /// Objects for a file of `netwatch apply`.
    pub probes: Vec<Value>,
    /// What became of each thing.
    pub items: Vec<Item>,
}

/// A probe that is to be made.
#[derive(Debug)]
pub struct Wish {
    /// What it should be called.
    pub name: String,
    /// What it measures.
    pub spec: ProbeSpec,
    /// Whether it runs.
    pub enabled: bool,
    /// What is not as it was.
    pub notes: Vec<String>,
}

impl Import {
    /// Takes something over.
    pub fn take(&mut self, place: &Place, wish: Wish) {
        let Wish { name, mut spec, enabled, mut notes } = wish;
        if self.probes.len() >= MAX_PROBES {
            return self.refuse(place, &name, &format!("there are {MAX_PROBES} probes already, which is the most"));
        }
        without_secrets(&mut spec, &mut notes);
        within_labels(&mut spec, &mut notes);
        if let Err(error) = spec.check() {
            return self.refuse(place, &name, &error.to_string());
        }
        let named = self.name(&name);
        if named != name.trim() {
            notes.push(format!("it is called `{named}`"));
        }
        self.probes.push(object(&named, enabled, &spec));
        let fate = if notes.is_empty() { Fate::Taken } else { Fate::Changed };
        self.items.push(Item::new(place, &name, fate, Some(named), notes));
    }

    /// Says that something is not taken over, and why.
    pub fn refuse(&mut self, place: &Place, name: &str, why: &str) {
        self.items.push(Item::new(place, name, Fate::NotTaken, None, vec![why.to_owned()]));
    }

    /// A name that no other probe has and that can be shown.
    fn name(&mut self, wanted: &str) -> String {
        let plain: String = wanted.chars().filter(|c| !netwatch_model::untrusted::is_deceptive(*c)).collect();
        let cut = |text: &str, most: usize| text.trim().chars().take(most).collect::<String>().trim().to_owned();
        let base = Some(cut(&plain, MAX_NAME)).filter(|name| name.parse::<DisplayName>().is_ok());
        let base = base.unwrap_or_else(|| "probe".to_owned());
        let mut name = base.clone();
        let mut number = 2_usize;
        while !self.names.insert(name.clone()) {
            let tail = format!(" ({number})");
            name = cut(&base, MAX_NAME - tail.len()) + &tail;
            number += 1;
        }
        name
    }
}

/// Checks the length of a text before it is read.
pub fn check_length(name: &str, text: &str) -> Result<(), ImportError> {
    if text.len() <= MAX_TEXT { Ok(()) } else { Err(ImportError::Long { name: name.to_owned() }) }
}

/// Text for a note: short, and nothing in it deceives the eye.
pub fn shown(text: &str) -> String {
    Untrusted::new(&text.chars().take(80).collect::<String>()).to_string()
}

/// Secrets do not stand in files that are applied.
fn without_secrets(spec: &mut ProbeSpec, notes: &mut Vec<String>) {
    let fields = spec.kind.descriptor().options;
    let field = |name: &str| fields.iter().find(|field| field.name == name);
    let mut kept = Options::default();
    for (name, value) in spec.options.iter() {
        match field(name) {
            Some(field) if field.form != OptionForm::Secret => kept.set(field, value.clone()),
            Some(_) => notes.push(format!("`{name}` is a secret, which does not stand in files: set it by hand")),
            None => {}
        }
    }
    spec.options = kept;
}

fn within_labels(spec: &mut ProbeSpec, notes: &mut Vec<String>) {
    let before = std::mem::take(&mut spec.labels);
    let count = before.len();
    let cut = |text: &str| {
        let end = (0..=text.len().min(MAX_LABEL)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.get(..end).unwrap_or_default().to_owned()
    };
    let named = before.iter().filter(|(name, _)| !name.is_empty()).take(MAX_LABELS);
    spec.labels = named.map(|(name, value)| (cut(name), cut(value))).collect();
    let is_cut = before.iter().any(|(name, value)| name.len() > MAX_LABEL || value.len() > MAX_LABEL);
    if is_cut || spec.labels.len() < count {
        notes.push(format!("labels are cut to {MAX_LABELS} of {MAX_LABEL} bytes"));
    }
}

/// A probe as it stands in a file: what is as its kind has it is left out.
fn object(name: &str, enabled: bool, spec: &ProbeSpec) -> Value {
    let usual = ProbeSpec::new(spec.kind, &spec.target);
    let mut written = Map::new();
    written.insert("kind".to_owned(), json!(spec.kind));
    written.insert("target".to_owned(), json!(spec.target));
    let mut put = |name: &str, is_usual: bool, value: Value| {
        if !is_usual {
            written.insert(name.to_owned(), value);
        }
    };
    put("interval", spec.interval == usual.interval, json!(spec.interval));
    put("timeout", spec.timeout == usual.timeout, json!(spec.timeout));
    put("count", spec.count == usual.count, json!(spec.count));
    put("spacing", spec.spacing == usual.spacing, json!(spec.spacing));
    put("source", spec.source.is_none(), json!(spec.source.clone().map(String::from)));
    put("family", spec.family == Family::Any, json!(spec.family));
    put("dscp", spec.dscp == 0, json!(spec.dscp));
    put("options", spec.options == usual.options, json!(spec.options));
    put("labels", spec.labels.is_empty(), json!(spec.labels));
    let mut probe = Map::new();
    probe.insert("name".to_owned(), json!(name));
    if !enabled {
        probe.insert("enabled".to_owned(), json!(false));
    }
    probe.insert("spec".to_owned(), Value::Object(written));
    Value::Object(probe)
}

/// A source of packets from text.
pub fn source(text: &str) -> Option<Source> {
    let text = text.trim();
    (!text.is_empty()).then(|| Source::from(text.to_owned()))
}

/// Labels of one probe.
pub type Labels = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use netwatch_model::probe::ProbeKind;

    use super::*;

    fn place() -> Place {
        Place { file: "f".to_owned(), line: 1 }
    }

    fn wish(name: &str, spec: ProbeSpec) -> Wish {
        Wish { name: name.to_owned(), spec, enabled: true, notes: Vec::new() }
    }

    #[test]
    fn names_are_unique_and_can_be_shown() {
        let mut import = Import::default();
        let long = "x".repeat(200);
        for name in ["a", "a", " a ", "", "\u{202e}b", &long, &long] {
            import.take(&place(), wish(name, ProbeSpec::new(ProbeKind::Ping, "192.0.2.1")));
        }
        let names: Vec<&str> = import.probes.iter().filter_map(|probe| probe["name"].as_str()).collect();
        let cut = "x".repeat(100);
        assert_eq!(names, ["a", "a (2)", "a (3)", "probe", "b", &cut, &format!("{} (2)", "x".repeat(96))]);
        assert_eq!(import.items.iter().filter(|item| item.outcome == Fate::Taken).count(), 1);
    }

    #[test]
    fn what_cannot_run_and_what_is_secret_is_said() {
        use netwatch_model::probe::OptionValue;
        use netwatch_model::probe::kind::http;
        let mut import = Import::default();
        import.take(&place(), wish("bad", ProbeSpec::new(ProbeKind::Ping, "two words")));
        let mut web = ProbeSpec::new(ProbeKind::Http, "https://example.org/");
        web.options.set(&http::BASIC, OptionValue::Text("user:password".to_owned()));
        web.labels = (0..20).map(|n| (format!("{n:02}"), "é".repeat(100))).collect();
        import.take(&place(), wish("web", web));
        assert_eq!(import.items[0].outcome, Fate::NotTaken);
        assert_eq!(import.items[1].notes.len(), 2, "{:?}", import.items[1].notes);
        assert!(!import.probes[0].to_string().contains("password"));
        assert_eq!(import.probes[0]["spec"]["labels"].as_object().map(Map::len), Some(MAX_LABELS));
    }
}
