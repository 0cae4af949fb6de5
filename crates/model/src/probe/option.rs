//! Options of a kind of probe: what may be said, in which unit and range, and what holds when nothing is said.
//!
//! A field is a constant beside the kind that it belongs to. A value that the field does not allow is an error that names the option
//! and the range; an option that no field has is an error, too, with the nearest name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, Object, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The longest text of an option, bytes.
pub const MAX_TEXT: usize = 4096;
/// The most texts of a list.
pub const MAX_TEXTS: usize = 32;

/// What an option may be, and its default.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum OptionForm {
    /// On or off.
    Flag(bool),
    /// A whole number.
    Whole {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
        /// When nothing is said.
        default: i64,
    },
    /// Seconds, with a fraction.
    Seconds {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
        /// When nothing is said.
        default: f64,
    },
    /// A text, with its default.
    Text(&'static str),
    /// A text that is never shown again.
    Secret,
    /// One of these words; the first holds when nothing is said.
    Choice(&'static [&'static str]),
    /// Texts, none when nothing is said.
    Texts,
}

/// An option of a kind of probe.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OptionField {
    /// As files, the API and (with `--` and dashes) the command line name it: `snake_case`.
    pub name: &'static str,
    /// One sentence for people, with the unit.
    pub help: &'static str,
    /// What it may be.
    pub form: OptionForm,
}

/// What was said of an option.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OptionValue {
    /// On or off.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction.
    Number(f64),
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
}

/// One schema of several types: as alternatives of which exactly one must hold, a whole number would be two of them.
impl PartialSchema for OptionValue {
    fn schema() -> RefOr<Schema> {
        let types = [Type::Boolean, Type::Number, Type::String, Type::Array];
        let texts = ArrayBuilder::new().schema_type(types.into_iter().collect::<SchemaType>());
        texts.items(Object::with_type(Type::String)).description(Some("What was said of an option.")).into()
    }
}

impl ToSchema for OptionValue {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ProbeOptionValue")
    }
}

/// An option that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OptionError {
    /// The kind has no such option.
    #[error("`{kind}` has no option `{name}`{}", nearest.map(|name| format!("; is `{name}` meant?")).unwrap_or_default())]
    Unknown {
        /// The kind's name.
        kind: &'static str,
        /// What was said.
        name: String,
        /// A similar option, if there is one.
        nearest: Option<&'static str>,
    },
    /// The value is not of the option's form, or out of its range.
    #[error("the option `{name}` must be {must}")]
    Value {
        /// The option.
        name: &'static str,
        /// What it must be.
        must: String,
    },
}

impl OptionError {
    /// The option, as it was written.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Unknown { name, .. } => name,
            Self::Value { name, .. } => name,
        }
    }
}

/// What was said of the options of a probe, by name.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = ProbeOptions)]
pub struct Options(BTreeMap<String, OptionValue>);

impl Options {
    /// Says something of an option.
    pub fn set(&mut self, field: &OptionField, value: OptionValue) {
        self.0.insert(field.name.to_owned(), value);
    }

    /// What was said, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OptionValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether everything said is an option of `kind` within its range.
    ///
    /// # Errors
    /// Names the first option that is not.
    pub fn check(&self, kind: &'static str, fields: &[&'static OptionField]) -> Result<(), OptionError> {
        for (name, value) in self.iter() {
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                let nearest = fields.iter().map(|field| field.name).find(|known| is_near(known, name));
                return Err(OptionError::Unknown { kind, name: name.chars().take(64).collect(), nearest });
            };
            if !field.form.allows(value) {
                return Err(OptionError::Value { name: field.name, must: field.form.to_string() });
            }
        }
        Ok(())
    }

    /// Whether a flag is on.
    #[must_use]
    pub fn flag(&self, field: &OptionField) -> bool {
        match (self.0.get(field.name), field.form) {
            (Some(OptionValue::Flag(on)), _) => *on,
            (_, OptionForm::Flag(default)) => default,
            _ => false,
        }
    }

    /// A whole number.
    #[must_use]
    pub fn whole(&self, field: &OptionField) -> i64 {
        match (self.0.get(field.name), field.form) {
            (Some(OptionValue::Whole(n)), _) => *n,
            (_, OptionForm::Whole { default, .. }) => default,
            _ => 0,
        }
    }

    /// Seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "seconds within the range of a field are exact")]
    pub fn seconds(&self, field: &OptionField) -> f64 {
        match (self.0.get(field.name), field.form) {
            (Some(OptionValue::Number(n)), _) => *n,
            (Some(OptionValue::Whole(n)), _) => *n as f64,
            (_, OptionForm::Seconds { default, .. }) => default,
            _ => 0.0,
        }
    }

    /// A text or a chosen word.
    #[must_use]
    pub fn text(&self, field: &OptionField) -> &str {
        match (self.0.get(field.name), field.form) {
            (Some(OptionValue::Text(text)), _) => text,
            (_, OptionForm::Text(default)) => default,
            (_, OptionForm::Choice(words)) => words.first().copied().unwrap_or_default(),
            _ => "",
        }
    }

    /// Texts.
    #[must_use]
    pub fn texts(&self, field: &OptionField) -> &[String] {
        match self.0.get(field.name) {
            Some(OptionValue::Texts(texts)) => texts,
            _ => &[],
        }
    }
}

impl OptionForm {
    #[expect(clippy::cast_precision_loss, reason = "compared with a range of small numbers")]
    fn allows(&self, value: &OptionValue) -> bool {
        match (self, value) {
            (Self::Flag(_), OptionValue::Flag(_)) => true,
            (Self::Whole { min, max, .. }, OptionValue::Whole(n)) => (min..=max).contains(&n),
            (Self::Seconds { min, max, .. }, OptionValue::Number(n)) => (min..=max).contains(&n),
            (Self::Seconds { min, max, .. }, OptionValue::Whole(n)) => (*min..=*max).contains(&(*n as f64)),
            (Self::Text(_) | Self::Secret, OptionValue::Text(text)) => text.len() <= MAX_TEXT,
            (Self::Choice(words), OptionValue::Text(text)) => words.contains(&text.as_str()),
            (Self::Texts, OptionValue::Texts(texts)) => {
                texts.len() <= MAX_TEXTS && texts.iter().all(|text| text.len() <= MAX_TEXT)
            }
            _ => false,
        }
    }
}

impl fmt::Display for OptionForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(_) => write!(f, "true or false"),
            Self::Whole { min, max, .. } => write!(f, "a whole number from {min} to {max}"),
            Self::Seconds { min, max, .. } => write!(f, "seconds from {min} to {max}"),
            Self::Text(_) | Self::Secret => write!(f, "a text of at most {MAX_TEXT} bytes"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Self::Texts => write!(f, "a list of at most {MAX_TEXTS} texts of at most {MAX_TEXT} bytes"),
        }
    }
}

/// Whether two names differ in case, `-` and `_`, or in at most two letters at one place.
fn is_near(known: &str, said: &str) -> bool {
    let plain = |text: &str| -> Vec<u8> {
        text.bytes().filter(|b| *b != b'-' && *b != b'_').map(|b| b.to_ascii_lowercase()).collect()
    };
    let (known, said) = (plain(known), plain(said));
    let head = known.iter().zip(&said).take_while(|(a, b)| a == b).count();
    let tail = known.iter().rev().zip(said.iter().rev()).take_while(|(a, b)| a == b).count();
    known.len().max(said.len()).saturating_sub(head + tail) <= 2 && head + tail > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: OptionField =
        OptionField { name: "size", help: "Octets", form: OptionForm::Whole { min: 8, max: 1400, default: 56 } };
    const MODE: OptionField = OptionField { name: "mode", help: "How", form: OptionForm::Choice(&["icmp", "udp"]) };

    #[test]
    fn what_is_not_said_is_the_default() {
        let none = Options::default();
        assert_eq!((none.whole(&SIZE), none.text(&MODE)), (56, "icmp"));
        none.check("ping", &[&SIZE, &MODE]).expect("nothing said is right");
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_right() {
        let said = |field: &OptionField, value| {
            let mut options = Options::default();
            options.set(field, value);
            options.check("ping", &[&SIZE, &MODE]).expect_err("it is wrong").to_string()
        };
        assert_eq!(said(&SIZE, OptionValue::Whole(4)), "the option `size` must be a whole number from 8 to 1400");
        assert_eq!(said(&SIZE, OptionValue::Flag(true)), "the option `size` must be a whole number from 8 to 1400");
        assert_eq!(said(&MODE, OptionValue::Text("tcp".into())), "the option `mode` must be one of icmp, udp");
        let wrong = OptionField { name: "siez", ..SIZE };
        assert_eq!(said(&wrong, OptionValue::Whole(9)), "`ping` has no option `siez`; is `size` meant?");
    }
}
