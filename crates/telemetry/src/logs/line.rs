//! One line: pure text, from what an event and its spans carry.

use std::fmt::{self, Write};

use netwatch_model::Timestamp;
use netwatch_model::untrusted::is_deceptive;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata};

use super::{LogFormat, MAX_FIELDS, MAX_VALUE_BYTES};

/// A field whose name contains one of these never shows its value.
const SECRET: &[&str] = &["token", "password", "passwd", "secret", "authorization", "cookie", "credential", "api_key"];

/// Named values, in the order in which they were recorded; the message apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    message: String,
    values: Vec<(&'static str, Value)>,
}

/// The name of a span, and what it carries.
pub(super) type Span = (&'static str, Fields);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        let secret = SECRET.iter().any(|word| name.to_ascii_lowercase().contains(word));
        let value = if secret { Value::from("[secret]") } else { value.into() };
        if let Some((_, old)) = self.values.iter_mut().find(|(known, _)| *known == name) {
            *old = value;
        } else if self.values.len() < MAX_FIELDS {
            self.values.push((name, value));
        }
    }

    fn insert_text(&mut self, field: &Field, text: fmt::Arguments<'_>) {
        let text = bounded(text);
        if field.name() == "message" {
            self.message = text;
        } else {
            self.insert(field, text);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert_text(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert_text(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let causes = std::iter::successors(value.source(), |e| e.source()).take(16);
        let causes: Vec<_> = causes.map(|e| format!(": {e}")).collect();
        self.insert_text(field, format_args!("{value}{}", causes.concat()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }
}

/// The whole line with its line feed; `spans` from the outermost.
pub(super) fn line(format: LogFormat, now: Timestamp, about: &Metadata<'_>, event: &Fields, spans: &[Span]) -> String {
    let mut line = match format {
        LogFormat::Human => human(now, about, event, spans, about.level().as_str()),
        LogFormat::Colored => human(now, about, event, spans, colored(*about.level())),
        LogFormat::Json => json_text(now, about, event, spans),
    };
    line.push('\n');
    line
}

fn human(now: Timestamp, about: &Metadata<'_>, event: &Fields, spans: &[Span], level: &str) -> String {
    let mut out = format!("{now} {level} {}: ", about.target());
    push_visible(&mut out, &event.message);
    push_values(&mut out, &event.values);
    for (name, fields) in spans {
        out.push_str(" in ");
        out.push_str(name);
        if !fields.values.is_empty() {
            out.push('{');
            push_values(&mut out, &fields.values);
            out.push_str(" }");
        }
    }
    out
}

fn push_values(out: &mut String, values: &[(&'static str, Value)]) {
    for (name, value) in values {
        out.push(' ');
        out.push_str(name);
        out.push('=');
        match value {
            Value::String(text) if is_plain(text) => out.push_str(text),
            Value::String(text) => {
                out.push('"');
                push_visible(out, &text.replace('\\', r"\\").replace('"', "\\\""));
                out.push('"');
            }
            other => push_visible(out, &other.to_string()),
        }
    }
}

/// Needs no quotes: a reader sees where it ends.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !is_deceptive(c) && !"\"\\={}".contains(c))
}

/// What could move the cursor, or hide, is written as `\u{1b}`.
fn push_visible(out: &mut String, text: &str) {
    for c in text.chars() {
        if is_deceptive(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
}

fn json_text(now: Timestamp, about: &Metadata<'_>, event: &Fields, spans: &[Span]) -> String {
    let spans: Vec<_> = spans.iter().map(|(name, f)| json!({ "name": name, "fields": object(&f.values) })).collect();
    let whole = json!({
        "time": now,
        "level": about.level().as_str().to_ascii_lowercase(),
        "target": about.target(),
        "message": event.message,
        "fields": object(&event.values),
        "spans": spans,
    });
    let mut out = String::new();
    // serde_json escapes control characters below U+0020; the rest is escaped the way that JSON knows.
    for c in whole.to_string().chars() {
        if is_deceptive(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}"); // Writing to a string cannot fail.
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn object(values: &[(&'static str, Value)]) -> Map<String, Value> {
    values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn colored(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31mERROR\u{1b}[0m",
        Level::WARN => "\u{1b}[33mWARN\u{1b}[0m",
        Level::INFO => "\u{1b}[32mINFO\u{1b}[0m",
        Level::DEBUG => "\u{1b}[34mDEBUG\u{1b}[0m",
        Level::TRACE => "\u{1b}[35mTRACE\u{1b}[0m",
    }
}

/// The text, as far as there is room: what is formatted beyond that costs no memory.
fn bounded(text: fmt::Arguments<'_>) -> String {
    let mut room = Bounded(String::new());
    if room.write_fmt(text).is_err() {
        room.0.push('…');
    }
    room.0
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_VALUE_BYTES - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(text.get(..end).unwrap_or_default());
        Err(fmt::Error)
    }
}
