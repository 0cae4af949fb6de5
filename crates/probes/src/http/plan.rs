//! What a probe of HTTP asks for and expects, read once from its options, so that what is wrong in them is said before anything is sent.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use netwatch_model::probe::kind::http::{
    AUTHORITY, BASIC, BEARER, BODY, CONTAINS, FORBIDS, HEADERS, JSON, MATCHES, MAX_BODY, METHOD, REDIRECTS,
    SERVER_NAME, STATUS, VERIFY, VERSION,
};
use netwatch_model::probe::{Failure, FailureReason, ProbeSpec};
use regex::bytes::{Regex, RegexBuilder};

use super::check::JsonCheck;

/// Memory for a compiled expression, octets: one that needs more is refused.
const MAX_REGEX: usize = 1 << 20;
/// Fields that belong to the connection, not to the probe (RFC 9110, 7.6.1; RFC 9112, 6).
const RESERVED: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
];

/// Which version of HTTP is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    Agreed,
    One,
    Two,
    Three,
}

/// A probe of HTTP, ready to run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) method: Method,
    /// The probe's own fields, `Host` among them.
    pub(super) headers: HeaderMap,
    /// Credentials.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) body: Bytes,
    pub(super) status: Vec<RangeInclusive<u16>>,
    pub(super) contains: String,
    pub(super) matches: Option<Regex>,
    pub(super) forbids: Option<Regex>,
    pub(super) json: Option<JsonCheck>,
    pub(super) follow: bool,
    pub(super) verify: bool,
    pub(super) version: Version,
    pub(super) max_body: usize,
    /// Authorities besides those of the system (PEM).
    pub(super) authority: String,
    /// Name to ask the origin of the target for; that of the URL when empty.
    pub(super) server_name: String,
}

impl Plan {
    pub(super) fn new(spec: &ProbeSpec) -> Result<Self, Failure> {
        let options = &spec.options;
        let json = options.text(&JSON);
        Ok(Self {
            method: options.text(&METHOD).parse().map_err(|_| wrong("the option `method` is not a method of HTTP"))?,
            headers: headers(options.texts(&HEADERS))?,
            authorization: authorization(options.text(&BASIC), options.text(&BEARER))?,
            body: Bytes::copy_from_slice(options.text(&BODY).as_bytes()),
            status: statuses(options.texts(&STATUS))?,
            contains: options.text(&CONTAINS).to_owned(),
            matches: expression("expect_regex", options.text(&MATCHES))?,
            forbids: expression("refuse_regex", options.text(&FORBIDS))?,
            json: if json.is_empty() { None } else { Some(JsonCheck::parse(json).map_err(|why| wrong(&why))?) },
            follow: options.flag(&REDIRECTS),
            verify: options.flag(&VERIFY),
            version: match options.text(&VERSION) {
                "1.1" => Version::One,
                "2" => Version::Two,
                "3" => Version::Three,
                _ => Version::Agreed,
            },
            max_body: usize::try_from(options.whole(&MAX_BODY)).unwrap_or_default(),
            authority: options.text(&AUTHORITY).to_owned(),
            server_name: options.text(&SERVER_NAME).to_owned(),
        })
    }

    /// Whether the body is looked at: otherwise it is counted and forgotten.
    pub(super) fn keeps_body(&self) -> bool {
        !self.contains.is_empty() || self.matches.is_some() || self.forbids.is_some() || self.json.is_some()
    }

    /// Whether the probe asked for gzip, and so wants what is in it.
    pub(super) fn wants_gzip(&self) -> bool {
        let accepted = self.headers.get_all(header::ACCEPT_ENCODING).iter();
        accepted.filter_map(|value| value.to_str().ok()).any(|value| value.to_ascii_lowercase().contains("gzip"))
    }
}

impl Version {
    /// The names to offer (RFC 7301).
    pub(super) fn alpn(self) -> Vec<Vec<u8>> {
        let names: &[&[u8]] = match self {
            Self::Agreed => &[b"h2", b"http/1.1"],
            Self::One => &[b"http/1.1"],
            Self::Two => &[b"h2"],
            Self::Three => &[b"h3"],
        };
        names.iter().map(|name| name.to_vec()).collect()
    }

    /// Whether HTTP/2 was agreed on; an error when only that was wanted.
    pub(super) fn of_alpn(self, agreed: Option<&[u8]>, host: &str) -> Result<bool, Failure> {
        let is_h2 = agreed == Some(b"h2");
        if self == Self::Two && !is_h2 {
            return Err(Failure::new(FailureReason::Unexpected, &format!("{host} does not agree to HTTP/2")));
        }
        Ok(is_h2)
    }
}

fn headers(said: &[String]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for text in said {
        // What follows the colon may be a secret: it is in no message.
        let (name, value) =
            text.split_once(':').ok_or_else(|| wrong("each of the option `headers` must be `Name: value`"))?;
        let name = HeaderName::from_bytes(name.trim().as_bytes())
            .map_err(|_| wrong(&format!("`{name}` is no name of a header field")))?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| {
            wrong(&format!("the value of the header field `{name}` has characters that it must not have"))
        })?;
        if RESERVED.contains(&name) {
            return Err(wrong(&format!(
                "the header field `{name}` belongs to the connection: leave it out of the option `headers`"
            )));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

fn authorization(basic: &str, bearer: &str) -> Result<Option<HeaderValue>, Failure> {
    let text = match (basic.is_empty(), bearer.is_empty()) {
        (true, true) => return Ok(None),
        (false, true) => format!("Basic {}", STANDARD.encode(basic)),
        (true, false) => format!("Bearer {bearer}"),
        (false, false) => return Err(wrong("say the option `basic_auth` or `bearer_token`, not both")),
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| wrong("the option `bearer_token` has characters that it must not have"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// `200`, `200-299` or `2xx`; 2xx when none is said.
pub(super) fn statuses(said: &[String]) -> Result<Vec<RangeInclusive<u16>>, Failure> {
    if said.is_empty() {
        return Ok(vec![200..=299]);
    }
    let code = |text: &str| text.trim().parse::<u16>().ok().filter(|code| (100..=999).contains(code));
    let range = |text: &String| {
        if let Some(hundreds) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            let hundreds = hundreds.parse::<u16>().ok().filter(|digit| (1..=9).contains(digit))?;
            return Some(hundreds * 100..=hundreds * 100 + 99);
        }
        match text.split_once('-') {
            Some((low, high)) => Some(code(low)?..=code(high)?).filter(|range| !range.is_empty()),
            None => code(text).map(|code| code..=code),
        }
    };
    let ranges = said.iter().map(|text| {
        range(text).ok_or_else(|| {
            wrong(&format!("`{text}` in the option `expect_status` is not as `200`, `200-299` or `2xx`"))
        })
    });
    ranges.collect()
}

fn expression(option: &str, text: &str) -> Result<Option<Regex>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let built = RegexBuilder::new(text).size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX).build();
    built.map(Some).map_err(|error| wrong(&format!("the option `{option}` is no usable regular expression: {error}")))
}

fn wrong(message: &str) -> Failure {
    Failure::new(FailureReason::Agent, message)
}
