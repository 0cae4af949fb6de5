//! blackbox_exporter: its modules, and the targets that a configuration of Prometheus has it probe.
//!
//! Targets are the static ones of each job whose `metrics_path` is `/probe`; the module is that of its parameter. What finds targets by
//! itself (files, DNS, clouds) and rules that write labels anew are named in the report.

use std::path::Path;

use netwatch_model::probe::{Family, ProbeKind, ProbeSpec};
use netwatch_server::blackbox::yaml::{self, Node, Value};
use netwatch_server::blackbox::{Module, Modules, duration};

use super::{Import, ImportError, Labels, Place, Wish, check_length, shown};

/// The module of a job that says none.
const USUAL: &str = "http_2xx";
/// How often Prometheus scrapes when it is told nothing. Seconds.
const INTERVAL: f64 = 60.0;

/// A file and its text.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// As it was named.
    pub name: &'a str,
    /// What stands in it.
    pub text: &'a str,
}

/// Reads the modules of the exporter and the targets of Prometheus; files that modules name are relative to `folder`.
///
/// # Errors
/// When one of the files is not what it should be.
pub fn read(modules: File<'_>, folder: &Path, targets: File<'_>) -> Result<Import, ImportError> {
    check_length(targets.name, targets.text)?;
    let wrong = |file: File<'_>, fault: &yaml::Fault| ImportError::Format {
        name: file.name.to_owned(),
        at: if fault.line == 0 { String::new() } else { format!(":{}:{}", fault.line, fault.column) },
        why: fault.message.clone(),
    };
    let read = Modules::parse(modules.text, folder);
    let all = read.map_err(|faults| match faults.first() {
        Some(fault) => wrong(modules, fault),
        None => wrong(modules, &yaml::Fault { line: 0, column: 0, message: "it cannot be read".to_owned() }),
    })?;
    let document = yaml::parse(targets.text).map_err(|fault| wrong(targets, &fault))?;
    let mut import = Import::default();
    for (name, faults) in all.refused() {
        for fault in faults {
            let place = Place { file: modules.name.to_owned(), line: fault.line };
            import.refuse(&place, &format!("module {name}"), &fault.message);
        }
    }
    let global = seconds(document.value.get("global"), "scrape_interval").unwrap_or(INTERVAL);
    let jobs = document.value.get("scrape_configs").map(|jobs| jobs.value.elements()).unwrap_or_default();
    if jobs.is_empty() {
        let place = Place { file: targets.name.to_owned(), line: 0 };
        import.refuse(&place, "scrape_configs", "there are none: name the configuration of Prometheus");
    }
    for job in jobs {
        Job { node: job, file: targets.name, modules: &all, interval: global }.read(&mut import);
    }
    Ok(import)
}

struct Job<'a> {
    node: &'a Node,
    file: &'a str,
    modules: &'a Modules,
    interval: f64,
}

impl Job<'_> {
    fn place(&self, node: &Node) -> Place {
        Place { file: self.file.to_owned(), line: node.referenced.line() }
    }

    fn read(&self, import: &mut Import) {
        let job = &self.node.value;
        let name = job.get("job_name").and_then(|name| name.value.text()).unwrap_or("a job");
        if job.get("metrics_path").and_then(|path| path.value.text()) != Some("/probe") {
            return;
        }
        let said = job.get("params").and_then(|params| params.value.get("module"));
        let module = said.map_or(Some(USUAL), |said| match &said.value {
            Value::List(list) => list.first().and_then(|first| first.value.text()),
            other => other.text(),
        });
        let Some(module) = module else {
            return import.refuse(&self.place(self.node), name, "it names no module");
        };
        for (key, _) in job.pairs().iter().filter(|(key, _)| key.value.ends_with("_sd_configs")) {
            let place = Place { file: self.file.to_owned(), line: key.referenced.line() };
            import.refuse(&place, name, &format!("targets of `{}` are not taken over", shown(&key.value)));
        }
        for group in job.get("static_configs").map(|groups| groups.value.elements()).unwrap_or_default() {
            let labels = labels(group.value.get("labels"), name);
            for target in group.value.get("targets").map(|targets| targets.value.elements()).unwrap_or_default() {
                let Some(text) = target.value.text() else { continue };
                self.target(import, (name, module), (&self.place(target), text), labels.clone());
            }
        }
    }

    fn target(
        &self,
        import: &mut Import,
        (job, module): (&str, &str),
        (place, target): (&Place, &str),
        labels: Labels,
    ) {
        let name = format!("{job}: {target}");
        let found = match self.modules.get(module) {
            Some(Ok(found)) => found,
            Some(Err(_)) => {
                return import.refuse(place, &name, &format!("the module `{}` is not taken over", shown(module)));
            }
            None => return import.refuse(place, &name, &format!("there is no module `{}`", shown(module))),
        };
        let interval = seconds(Some(self.node), "scrape_interval").unwrap_or(self.interval);
        let patience = seconds(Some(self.node), "scrape_timeout").unwrap_or(10.0).min(interval);
        let timeout = found.timeout().unwrap_or(patience - 0.5).min(patience).max(0.1);
        let mut notes: Vec<String> =
            found.beyond().iter().map(|key| format!("`{key}` of the module is not taken over")).collect();
        let spec = ProbeSpec { interval: interval.clamp(1.0, 86_400.0), labels, ..found.probe(target, timeout) };
        if spec.interval != interval {
            notes.push(format!("the interval of {interval} s becomes {} s", spec.interval));
        }
        import.take(place, Wish { name, spec: settle(spec, found, &mut notes), enabled: true, notes });
    }
}

/// What a kept probe has otherwise than a scrape: its family when any will do, and the size of what it reads.
fn settle(mut spec: ProbeSpec, module: &Module, notes: &mut Vec<String>) -> ProbeSpec {
    if module.has_fallback() {
        if spec.family == Family::V4 {
            notes.push("the preferred protocol is IPv4: addresses are taken as the resolver orders them".to_owned());
        }
        spec.family = Family::Any;
    }
    // A scrape is one packet; a probe that is kept may as well tell loss.
    if spec.kind == ProbeKind::Ping {
        spec.spacing = 1.0;
    }
    spec
}

fn seconds(node: Option<&Node>, key: &str) -> Option<f64> {
    duration(node?.value.get(key)?.value.text()?)
}

/// Labels of a group of targets, and the job.
fn labels(node: Option<&Node>, job: &str) -> Labels {
    let pairs = node.map(|node| node.value.pairs()).unwrap_or_default().iter();
    let said = pairs.filter_map(|(name, value)| Some((name.value.clone(), value.value.text()?.to_owned())));
    let mut labels: Labels = said.filter(|(name, _)| !name.starts_with("__")).collect();
    labels.insert("job".to_owned(), job.to_owned());
    labels
}

#[cfg(test)]
mod tests;
