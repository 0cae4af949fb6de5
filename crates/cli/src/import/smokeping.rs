//! SmokePing: the sections Targets, Probes and Database of its configuration, in one file or in several that include one another.
//!
//! A target becomes a probe of the kind that its SmokePing probe stands for, as often as `step` says and with as many packets as `pings`
//! says. Probes of ours that make one request a run make it that much more often. Charts of several targets, alerts and slaves are named
//! in the report.

mod grammar;

use std::collections::HashMap;

use netwatch_model::probe::kind::{dns, http, ping};
use netwatch_model::probe::{Family, OptionForm, OptionValue, ProbeKind, ProbeSpec};

use super::{Import, ImportError, Labels, Place, Wish, check_length, shown, source};

pub use grammar::Include;
use grammar::Section;

/// Variables of a section that those below it do not have, too.
const OWN: [&str; 6] = ["host", "menu", "title", "remark", "alerts", "slaves"];
/// Variables that are about more than measuring, and what is said of them.
const PASSED: [(&str, &str); 4] = [
    ("alerts", "alerts are not taken over"),
    ("slaves", "slaves are not taken over: probes run where agents are"),
    ("nomasterpoll", "slaves are not taken over: probes run where agents are"),
    ("parents", "parents of targets are not taken over"),
];

/// Reads a configuration, or the file of targets alone.
///
/// # Errors
/// When the file is too long.
pub fn read(name: &str, text: &str, include: &Include<'_>) -> Result<Import, ImportError> {
    check_length(name, text)?;
    let mut import = Import::default();
    let sections = grammar::read(name, text, include, &mut import);
    let kinds = Kinds::of(&sections);
    let mut path: Vec<&Section> = Vec::new();
    for section in &sections {
        path.retain(|above| above.level < section.level);
        path.push(section);
        if path.first().is_some_and(|first| first.name == "Targets") {
            target(&path, &kinds, &mut import);
        }
    }
    if import.items.is_empty() {
        let place = Place { file: name.to_owned(), line: 0 };
        import.refuse(
            &place,
            name,
            "there is no `host` in a section of targets: is this a configuration of SmokePing?",
        );
    }
    Ok(import)
}

/// What the sections Probes and Database say.
struct Kinds<'a> {
    /// By name of a probe: the probe that it is an instance of, and its variables, the nearest first.
    by_name: HashMap<&'a str, (&'a str, Vec<&'a Section>)>,
    database: Option<&'a Section>,
}

impl<'a> Kinds<'a> {
    fn of(sections: &'a [Section]) -> Self {
        let mut kinds = Self { by_name: HashMap::new(), database: None };
        let (mut top, mut probe) = ("", None);
        for section in sections {
            match (section.level, top) {
                (1, _) => {
                    top = &section.name;
                    if top == "Database" {
                        kinds.database = Some(section);
                    }
                }
                (2, "Probes") => {
                    probe = Some(section);
                    kinds.by_name.insert(&section.name, (&section.name, vec![section]));
                }
                (3, "Probes") => {
                    if let Some(above) = probe {
                        kinds.by_name.insert(&section.name, (&above.name, vec![section, above]));
                    }
                }
                _ => {}
            }
        }
        kinds
    }
}

/// A target with everything that holds for it.
struct Target<'a> {
    path: &'a [&'a Section],
    own: &'a Section,
    instance: Vec<&'a Section>,
    database: Option<&'a Section>,
}

fn target(path: &[&Section], kinds: &Kinds<'_>, import: &mut Import) {
    let Some(own) = path.last() else { return };
    let below: Vec<&str> = path.iter().skip(1).map(|section| section.name.as_str()).collect();
    let name = below.join(" / ");
    let passed = PASSED.iter().filter_map(|(key, why)| Some((own.values.get(*key)?, *why)));
    let Some((host, _)) = own.values.get("host") else {
        for ((_, place), why) in passed {
            import.refuse(place, if name.is_empty() { "all targets" } else { &name }, why);
        }
        return;
    };
    let mut notes: Vec<String> = passed.map(|(_, why)| why.to_owned()).collect();
    let named = inherited(path, "probe").unwrap_or("FPing");
    let (kind, instance) = kinds.by_name.get(named).map_or((named, Vec::new()), |(kind, all)| (*kind, all.clone()));
    let target = Target { path, own, instance, database: kinds.database };
    match target.probe(kind, host, &mut notes) {
        Err(why) => import.refuse(&own.place, &name, &why),
        Ok(mut spec) => {
            spec.labels = target.labels(&below);
            import.take(&own.place, Wish { name, spec, enabled: true, notes });
        }
    }
}

fn inherited<'a>(path: &[&'a Section], key: &str) -> Option<&'a str> {
    let found = |section: &&'a Section| section.values.get(key).map(|(value, _)| value.as_str());
    match path.split_last() {
        Some((own, _)) if OWN.contains(&key) => found(own),
        _ => path.iter().rev().find_map(found),
    }
}

impl Target<'_> {
    /// A variable of the target, of a section above it, of its probe or of the database.
    fn value(&self, key: &str) -> Option<&str> {
        let of_probe =
            || self.instance.iter().copied().chain(self.database).find_map(|section| section.values.get(key));
        inherited(self.path, key)
            .or_else(|| of_probe().map(|(value, _)| value.as_str()))
            .filter(|value| !value.is_empty())
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.value(key)?.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)?.to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" | "on" => Some(true),
            "no" | "false" | "0" | "off" => Some(false),
            _ => None,
        }
    }

    fn probe(&self, kind: &str, host: &str, notes: &mut Vec<String>) -> Result<ProbeSpec, String> {
        if host.starts_with('/') {
            return Err("it is a chart of several targets: the page of a probe compares them".to_owned());
        }
        if host == "DYNAMIC" {
            return Err("its address is told by itself (DYNAMIC), which probes do not know".to_owned());
        }
        let mut spec = match kind {
            "FPing" | "FPing6" | "FPingContinuous" => self.ping(kind, host, notes),
            "TCPPing" => ProbeSpec::new(ProbeKind::Tcp, &joined(host, self.value("port").unwrap_or("80"))),
            "DNS" | "AnotherDNS" | "EchoPingDNS" => self.dns(host)?,
            "Curl" => self.curl(host, notes),
            "EchoPingHttp" | "EchoPingHttps" => self.page(kind, host),
            "EchoPingSmtp" => self.smtp(host),
            other => return Err(format!("there is no probe for the SmokePing probe `{}`", shown(other))),
        };
        if let Some(timeout) = self.number("timeout").filter(|timeout| *timeout > 0.0) {
            spec.timeout = timeout.min(300.0);
        }
        if let Some(said) = self.value("sourceaddress") {
            spec.source = source(said);
        }
        self.pace(&mut spec, notes);
        Ok(spec)
    }

    /// As many packets as SmokePing sends, as often.
    fn pace(&self, spec: &mut ProbeSpec, notes: &mut Vec<String>) {
        let step = self.number("step").filter(|step| *step >= 1.0).unwrap_or(300.0).min(86_400.0);
        let pings = self.number("pings").unwrap_or(20.0).clamp(1.0, 10_000.0).round();
        if spec.kind.is_single() {
            spec.interval = (step / pings).max(spec.kind.descriptor().least_interval).round();
            if pings > 1.0 {
                notes.push(format!("instead of {pings} every {step} s there is one every {} s", spec.interval));
            }
            return;
        }
        spec.interval = step;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10 000")]
        let count = pings as u32;
        spec.count = count;
        if let Some(spacing) = self.number("hostinterval") {
            spec.spacing = spacing.min(60.0);
        }
    }

    fn ping(&self, kind: &str, host: &str, notes: &mut Vec<String>) -> ProbeSpec {
        let mut spec = ProbeSpec::new(ProbeKind::Ping, host);
        spec.family = match self.value("protocol") {
            Some("6") => Family::V6,
            Some("4") => Family::V4,
            _ if kind == "FPing6" => Family::V6,
            _ => Family::Any,
        };
        if let Some(size) = self.value("packetsize").and_then(|size| size.parse().ok()) {
            spec.options.set(&ping::SIZE, OptionValue::Whole(i64::clamp(size, 16, 65_000)));
        }
        if let Some(tos) = self.value("tos") {
            let hexadecimal = tos.strip_prefix("0x").or_else(|| tos.strip_prefix("0X"));
            let octet = hexadecimal.map_or_else(|| tos.parse().ok(), |digits| u8::from_str_radix(digits, 16).ok());
            // The upper six bits of the octet are the DSCP (RFC 2474, 3).
            spec.dscp = octet.map_or(0, |octet: u8| octet >> 2);
        }
        if self.flag("blazemode") == Some(true) {
            notes.push("blaze mode is not taken over: packets leave at their times".to_owned());
        }
        spec
    }

    fn dns(&self, host: &str) -> Result<ProbeSpec, String> {
        let name = self.value("lookup").or_else(|| self.value("dns_request")).unwrap_or(host);
        let mut spec = ProbeSpec::new(ProbeKind::Dns, name);
        let record = self.value("recordtype").or_else(|| self.value("dns_type")).unwrap_or("A").to_ascii_uppercase();
        if !matches!(dns::RECORD.form, OptionForm::Choice(known) if known.contains(&record.as_str())) {
            return Err(format!("records of the type {} are not asked for", shown(&record)));
        }
        spec.options.set(&dns::RECORD, OptionValue::Text(record));
        if self.value("protocol") == Some("tcp") {
            spec.options.set(&dns::TRANSPORT, OptionValue::Text("tcp".to_owned()));
        }
        let server = self.value("server").unwrap_or(host);
        let server = self.value("port").map_or_else(|| server.to_owned(), |port| joined(server, port));
        spec.options.set(&dns::SERVERS, OptionValue::Texts(vec![server]));
        Ok(spec)
    }

    fn curl(&self, host: &str, notes: &mut Vec<String>) -> ProbeSpec {
        let url = self.value("urlformat").unwrap_or("http://%host%/").replace("%host%", host);
        let mut spec = ProbeSpec::new(ProbeKind::Http, &url);
        // Without -L curl does not follow.
        let follows = self.flag("follow_redirects").unwrap_or(false);
        spec.options.set(&http::REDIRECTS, OptionValue::Flag(follows));
        if self.flag("insecure_ssl") == Some(true) {
            spec.options.set(&http::VERIFY, OptionValue::Flag(false));
        }
        if let Some(agent) = self.value("agent") {
            spec.options
                .set(&http::HEADERS, OptionValue::Texts(vec![format!("User-Agent: {}", agent.trim_matches('"'))]));
        }
        if let Some(expect) = self.value("expect") {
            spec.options.set(&http::CONTAINS, OptionValue::Text(expect.to_owned()));
        }
        for key in ["extraargs", "extrare", "include_redirects", "write_out"] {
            if self.value(key).is_some() {
                notes.push(format!("`{key}` is not taken over"));
            }
        }
        // curl takes any answer for a success.
        spec.options.set(&http::STATUS, OptionValue::Texts(vec!["100-599".to_owned()]));
        spec
    }

    fn page(&self, kind: &str, host: &str) -> ProbeSpec {
        let scheme = if kind == "EchoPingHttps" { "https" } else { "http" };
        let place = self.value("port").map_or_else(|| bracketed(host), |port| joined(host, port));
        let path = self.value("url").unwrap_or("/");
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut spec = ProbeSpec::new(ProbeKind::Http, &format!("{scheme}://{place}{slash}{path}"));
        spec.options.set(&http::REDIRECTS, OptionValue::Flag(false));
        spec
    }

    fn smtp(&self, host: &str) -> ProbeSpec {
        let place = self.value("port").map_or_else(|| host.to_owned(), |port| joined(host, port));
        ProbeSpec::new(ProbeKind::Smtp, &place)
    }

    fn labels(&self, below: &[&str]) -> Labels {
        let mut labels = Labels::new();
        if let Some((_, above)) = below.split_last().filter(|(_, above)| !above.is_empty()) {
            labels.insert("group".to_owned(), above.join(" / "));
        }
        if let Some((title, _)) = self.own.values.get("title").filter(|(title, _)| !title.is_empty()) {
            labels.insert("title".to_owned(), title.clone());
        }
        labels
    }
}

/// Host and port; an address of IPv6 in brackets.
fn joined(host: &str, port: &str) -> String {
    format!("{}:{port}", bracketed(host))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests;
