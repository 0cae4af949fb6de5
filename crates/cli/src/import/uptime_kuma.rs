//! Backups of Uptime Kuma 1.x: one JSON object with `monitorList`.
//!
//! Monitors that wait for somebody else (push), that need another protocol, or that mean the opposite of what they find are not taken
//! over. Retries, notifications and proxies are none of a probe's business; they are named in the report.

use std::collections::HashMap;

use netwatch_model::probe::kind::{dns, http, ping};
use netwatch_model::probe::{OptionForm, OptionValue, ProbeKind, ProbeSpec};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Import, ImportError, Labels, Place, Wish, check_length, shown};

/// The longest chain of groups that is followed.
const MAX_GROUPS: usize = 8;
/// Redirects that a monitor follows when nothing else is said, and that our probes follow.
const REDIRECTS: i64 = 10;
/// Header fields whose values are secrets.
const SECRET_FIELDS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backup<'a> {
    #[serde(borrow)]
    monitor_list: Vec<&'a RawValue>,
    #[serde(default)]
    notification_list: Vec<IgnoredAny>,
    #[serde(default)]
    proxy_list: Vec<IgnoredAny>,
}

/// A monitor: its fields are of other types from version to version.
struct Monitor {
    fields: Map<String, Value>,
    place: Place,
}

/// Why a monitor is not taken over, else the probe and what is not as it was.
type Made = Result<(ProbeSpec, Vec<String>), String>;

/// Reads a backup.
///
/// # Errors
/// When it is no backup.
pub fn read(name: &str, text: &str) -> Result<Import, ImportError> {
    check_length(name, text)?;
    let text = text.trim_start_matches('\u{feff}');
    let backup: Backup<'_> = serde_json::from_str(text).map_err(|error| ImportError::Format {
        name: name.to_owned(),
        at: format!(":{}:{}", error.line(), error.column()),
        why: format!("this is no backup of Uptime Kuma, which is JSON with `monitorList`: {error}"),
    })?;
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut import = Import::default();
    let mut monitors = Vec::new();
    for raw in backup.monitor_list {
        let place = Place { file: name.to_owned(), line: lines.of(raw.get()) };
        match serde_json::from_str(raw.get()) {
            Ok(fields) => monitors.push(Monitor { fields, place }),
            Err(_) => import.refuse(&place, "a monitor", "it is not an object"),
        }
    }
    let groups: HashMap<i64, usize> = monitors.iter().enumerate().filter_map(|(at, m)| Some((m.id()?, at))).collect();
    for monitor in &monitors {
        monitor.take(&mut import, &monitors, &groups);
    }
    let whole = Place { file: name.to_owned(), line: 0 };
    for (what, count) in [("notifications", backup.notification_list.len()), ("proxies", backup.proxy_list.len())] {
        if count > 0 {
            import.refuse(&whole, what, &format!("{count} {what} are not taken over"));
        }
    }
    Ok(import)
}

/// Counts lines up to parts of a text, in order.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line at which a part of the text begins.
    fn of(&mut self, part: &str) -> u64 {
        let at = part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let between = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = self.at.max(at);
        self.line
    }
}

impl Monitor {
    fn id(&self) -> Option<i64> {
        self.whole("id")
    }

    fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or_default().trim()
    }

    /// A number, also one that is written as a text.
    fn number(&self, key: &str) -> Option<f64> {
        let value = self.fields.get(key)?;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
    }

    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is cut to it, and checked later")]
    fn whole(&self, key: &str) -> Option<i64> {
        self.number(key).map(|number| number as i64)
    }

    /// `true` or a number that is not zero.
    fn flag(&self, key: &str) -> bool {
        self.fields.get(key).is_some_and(|value| value.as_bool().unwrap_or(value.as_f64().is_some_and(|n| n != 0.0)))
    }

    fn take(&self, import: &mut Import, all: &[Self], groups: &HashMap<i64, usize>) {
        let (kind, name) = (self.text("type"), self.text("name"));
        if kind == "group" {
            return;
        }
        match self.probe(kind) {
            Err(why) => import.refuse(&self.place, name, &why),
            Ok((mut spec, mut notes)) => {
                spec.labels = self.labels(all, groups, &mut notes);
                let enabled = !self.fields.contains_key("active") || self.flag("active");
                import.take(&self.place, Wish { name: name.to_owned(), spec, enabled, notes });
            }
        }
    }

    fn probe(&self, kind: &str) -> Made {
        if self.flag("upsideDown") {
            return Err("it is upside down: a probe that fails when its target answers does not exist".to_owned());
        }
        let (mut spec, mut notes) = match kind {
            "http" | "keyword" | "json-query" => self.http(kind)?,
            "ping" => self.ping()?,
            "port" => (self.port()?, Vec::new()),
            "dns" => self.dns()?,
            "push" => return Err("push monitors wait for others to report: send records to the API instead".to_owned()),
            other => return Err(format!("there is no probe for the type `{}`", shown(other))),
        };
        if let Some(interval) = self.number("interval") {
            spec.interval = interval.clamp(spec.kind.descriptor().least_interval, 86_400.0);
            if spec.interval != interval {
                notes.push(format!("the interval of {interval} s becomes {} s", spec.interval));
            }
        }
        let timeout = self.number("timeout").filter(|timeout| *timeout > 0.0);
        spec.timeout = timeout.unwrap_or(spec.timeout).min(300.0).min(spec.interval);
        let retries = self.whole("maxretries").unwrap_or(0);
        if retries > 0 {
            notes.push(format!(
                "{retries} retries are not taken over: each run counts, and bad ones are repeated at once"
            ));
        }
        Ok((spec, notes))
    }

    fn host(&self) -> Result<&str, String> {
        Some(self.text("hostname")).filter(|host| !host.is_empty()).ok_or_else(|| "it has no host".to_owned())
    }

    fn ping(&self) -> Made {
        let mut spec = ProbeSpec::new(ProbeKind::Ping, self.host()?);
        spec.count = 1;
        let size = self.whole("packetSize").filter(|size| *size > 0).unwrap_or(56);
        if size != 56 {
            spec.options.set(&ping::SIZE, OptionValue::Whole(size.clamp(16, 65_000)));
        }
        let notes = (!(16..=65_000).contains(&size)).then(|| format!("the size of {size} octets is out of range"));
        Ok((spec, notes.into_iter().collect()))
    }

    fn port(&self) -> Result<ProbeSpec, String> {
        let port = self.whole("port").filter(|port| (1..=65_535).contains(port)).ok_or("it has no port")?;
        Ok(ProbeSpec::new(ProbeKind::Tcp, &joined(self.host()?, port)))
    }

    fn dns(&self) -> Made {
        let mut spec = ProbeSpec::new(ProbeKind::Dns, self.host()?);
        let record = Some(self.text("dns_resolve_type")).filter(|record| !record.is_empty()).unwrap_or("A");
        if !matches!(dns::RECORD.form, OptionForm::Choice(known) if known.contains(&record)) {
            return Err(format!("records of the type {} are not asked for", shown(record)));
        }
        spec.options.set(&dns::RECORD, OptionValue::Text(record.to_owned()));
        let port = self.whole("port").filter(|port| (1..=65_535).contains(port)).unwrap_or(53);
        let servers = self.text("dns_resolve_server").split(',').map(str::trim).filter(|server| !server.is_empty());
        let servers: Vec<String> = servers.map(|s| if port == 53 { s.to_owned() } else { joined(s, port) }).collect();
        let notes = match servers.len() {
            0 | 1 => Vec::new(),
            count => vec![format!("all {count} name servers are asked and compared, not one after the other")],
        };
        spec.options.set(&dns::SERVERS, OptionValue::Texts(servers));
        Ok((spec, notes))
    }

    fn http(&self, kind: &str) -> Made {
        let mut spec = ProbeSpec::new(ProbeKind::Http, self.text("url"));
        let mut notes = Vec::new();
        if !matches!(self.fields.get("proxyId"), None | Some(Value::Null)) {
            return Err("it goes through a proxy, which probes do not".to_owned());
        }
        self.method(&mut spec)?;
        self.headers(&mut spec, &mut notes);
        self.authentication(&mut spec)?;
        self.body(&mut spec);
        self.redirects(&mut spec, &mut notes);
        if self.flag("ignoreTls") {
            spec.options.set(&http::VERIFY, OptionValue::Flag(false));
        }
        let codes = self.fields.get("accepted_statuscodes").and_then(Value::as_array);
        let codes: Vec<String> = codes.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        if !codes.is_empty() {
            spec.options.set(&http::STATUS, OptionValue::Texts(codes));
        }
        match kind {
            "keyword" => self.keyword(&mut spec),
            "json-query" => self.query(&mut spec, &mut notes)?,
            _ => {}
        }
        Ok((spec, notes))
    }

    fn method(&self, spec: &mut ProbeSpec) -> Result<(), String> {
        let method = self.text("method").to_ascii_uppercase();
        if method.is_empty() {
            return Ok(());
        }
        if !matches!(http::METHOD.form, OptionForm::Choice(known) if known.contains(&method.as_str())) {
            return Err(format!("the method {} is not used", shown(&method)));
        }
        spec.options.set(&http::METHOD, OptionValue::Text(method));
        Ok(())
    }

    /// Header fields are a text of JSON.
    fn headers(&self, spec: &mut ProbeSpec, notes: &mut Vec<String>) {
        let said = self.text("headers");
        if said.is_empty() {
            return;
        }
        let Ok(fields) = serde_json::from_str::<Map<String, Value>>(said) else {
            return notes.push("its header fields are not JSON, and are left out".to_owned());
        };
        let mut headers = Vec::new();
        for (name, value) in &fields {
            if SECRET_FIELDS.contains(&name.to_ascii_lowercase().as_str()) {
                notes.push(format!("the header field `{}` holds a secret: set it by hand", shown(name)));
                continue;
            }
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            headers.push(format!("{name}: {value}"));
        }
        spec.options.set(&http::HEADERS, OptionValue::Texts(headers));
    }

    fn authentication(&self, spec: &mut ProbeSpec) -> Result<(), String> {
        match self.text("authMethod") {
            "ntlm" => return Err("it signs in by NTLM".to_owned()),
            "mtls" => return Err("it shows a certificate of its own".to_owned()),
            "oauth2-cc" => return Err("it fetches a token by OAuth".to_owned()),
            _ => {}
        }
        let user = self.text("basic_auth_user");
        if !user.is_empty() {
            // It is taken out again, and said to be, with all other secrets.
            let both = format!("{user}:{}", self.text("basic_auth_pass"));
            spec.options.set(&http::BASIC, OptionValue::Text(both));
        }
        Ok(())
    }

    fn body(&self, spec: &mut ProbeSpec) {
        let body = self.text("body");
        if body.is_empty() {
            return;
        }
        spec.options.set(&http::BODY, OptionValue::Text(body.to_owned()));
        let mut headers = spec.options.texts(&http::HEADERS).to_vec();
        if !headers.iter().any(|header| header.to_ascii_lowercase().starts_with("content-type:")) {
            let media = match self.text("httpBodyEncoding") {
                "xml" => "text/xml; charset=utf-8",
                "form" => "application/x-www-form-urlencoded",
                _ => "application/json",
            };
            headers.push(format!("Content-Type: {media}"));
            spec.options.set(&http::HEADERS, OptionValue::Texts(headers));
        }
    }

    fn redirects(&self, spec: &mut ProbeSpec, notes: &mut Vec<String>) {
        match self.whole("maxredirects").unwrap_or(REDIRECTS) {
            0 => spec.options.set(&http::REDIRECTS, OptionValue::Flag(false)),
            REDIRECTS => {}
            other => notes.push(format!("up to {REDIRECTS} redirects are followed, not {other}")),
        }
    }

    fn keyword(&self, spec: &mut ProbeSpec) {
        let keyword = self.text("keyword");
        if self.flag("invertKeyword") {
            spec.options.set(&http::FORBIDS, OptionValue::Text(regex::escape(keyword)));
        } else {
            spec.options.set(&http::CONTAINS, OptionValue::Text(keyword.to_owned()));
        }
    }

    /// A path of JSONata that is a JSON path too: names with dots between them.
    fn query(&self, spec: &mut ProbeSpec, notes: &mut Vec<String>) -> Result<(), String> {
        let path = self.text("jsonPath");
        let bare = path.strip_prefix("$.").unwrap_or(if path == "$" { "" } else { path });
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !bare.is_empty() && !bare.split('.').all(is_name) {
            return Err(format!("`{}` is JSONata; probes take JSON paths (RFC 9535): write it anew", shown(path)));
        }
        let path = if bare.is_empty() { "$".to_owned() } else { format!("$.{bare}") };
        let wanted = self.text("expectedValue");
        spec.options.set(&http::JSON, OptionValue::Text(format!("{path} == {wanted}")));
        notes.push(format!("the query is `{} == {}` (JSON path), compared as JSON", shown(&path), shown(wanted)));
        Ok(())
    }

    /// Tags and groups.
    fn labels(&self, all: &[Self], groups: &HashMap<i64, usize>, notes: &mut Vec<String>) -> Labels {
        let mut labels = Labels::new();
        for tag in self.fields.get("tags").and_then(Value::as_array).into_iter().flatten() {
            let part = |key: &str| tag.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
            let (name, value) = (part("name"), part("value"));
            if let Some(before) = labels.insert(name.clone(), value).filter(|_| !name.is_empty()) {
                notes.push(format!("of the tags `{}` one is kept, not the value `{}`", shown(&name), shown(&before)));
            }
        }
        let mut path = Vec::new();
        let mut parent = self.whole("parent");
        while let Some(group) = parent.and_then(|id| all.get(*groups.get(&id)?)).filter(|_| path.len() < MAX_GROUPS) {
            path.push(group.text("name").to_owned());
            parent = group.whole("parent");
        }
        path.reverse();
        if !path.is_empty() {
            labels.insert("group".to_owned(), path.join(" / "));
        }
        labels
    }
}

/// Host and port; an address of IPv6 in brackets.
fn joined(host: &str, port: i64) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests;
