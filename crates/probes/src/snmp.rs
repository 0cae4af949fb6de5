//! SNMP: the values of some objects of an agent, versions 1, 2c and 3 (RFC 3416, RFC 3414).
//!
//! One request asks for all objects. The socket is ours ([`transport`]), so that the probe's source and DSCP hold, and is heard by one
//! agent alone. A wrong password of version 3 looks like silence: an agent's refusal cannot be authenticated either.
//!
//! Limits: [`MAX_TEXTS`](netwatch_model::probe::option::MAX_TEXTS) objects. Communities and passwords are in no message.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use async_snmp::{
    Auth, AuthProtocol, ClientBuilder, DesSaltState, Error, Oid, PersistedDesSaltState, PrivProtocol, Retry, UsmConfig,
    Value, ValueKind, VarBind,
};
use netwatch_model::Untrusted;
use netwatch_model::probe::kind::snmp::{
    AUTH, AUTH_PASSWORD, COMMUNITY, OIDS, PRIVACY, PRIVACY_PASSWORD, Snmp, SnmpValue, USER, VERSION,
};
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeSpec};

use crate::connect::{self, Deadline, Laps};
use crate::run::Ran;
use crate::socket::failure_of;
use crate::tools::Tools;

mod keys;
mod transport;

#[cfg(test)]
mod tests;

use keys::{Keys, Passwords};
use transport::Datagrams;

/// What is asked for when nothing is said: sysDescr and sysUpTime (RFC 3418).
const USUAL: [&str; 2] = ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.3.0"];
/// The longest text of a value that is kept, octets.
const MAX_TEXT: usize = Untrusted::MAX_BYTES;

pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let mut ran = Ran::default();
    let mut detail = Snmp { lookup: None, time: None, values: Vec::new() };
    let failure = measure(spec, tools, &mut ran, &mut detail).await.err();
    let is_measured = detail.lookup.is_some() || detail.time.is_some();
    Ran { detail: is_measured.then(|| Detail::Snmp(Box::new(detail))), failure, ..ran }
}

async fn measure(spec: &ProbeSpec, tools: &Tools, ran: &mut Ran, detail: &mut Snmp) -> Result<(), Failure> {
    let objects = objects(spec.options.texts(&OIDS))?;
    let builder = ClientBuilder::new(auth(spec)?).retry(Retry::none());
    let target = connect::locate(spec, None, tools).await?;
    ran.address = Some(target.address.ip());
    detail.lookup = target.lookup;
    let deadline = Deadline::of(spec);
    let (socket, source) = connect::udp(target.address, spec)?;
    ran.source = source;
    let peer = &spec.target;
    let failed = |error: &Error| failure(error, peer);
    let transport =
        Datagrams::new(socket, target.address).map_err(|error| failure_of(&error, &format!("a socket for {peer}")))?;
    let builder =
        builder.request_timeout(deadline.left()).exchange_timeout(Some(deadline.left().max(Duration::from_millis(1))));
    let builder = if spec.options.text(&PRIVACY) == "des" { builder.des_salt_state(salt()?) } else { builder };
    let client = builder.build_with_transport(transport).map_err(|error| failed(&error))?;
    let what = format!("the answer of {peer}");
    let mut laps = Laps::start();
    let answer = deadline.within(&what, client.get_many(&objects)).await?.map_err(|error| failed(&error))?;
    detail.time = Some(laps.lap());
    detail.values = answer.varbinds.iter().take(objects.len()).map(value).collect();
    match answer.varbinds.iter().find(|bound| bound.value.is_exception()) {
        None => Ok(()),
        Some(missing) => {
            let message = format!("{peer} has no object {}: {}", missing.oid, syntax(&missing.value));
            Err(Failure::new(FailureReason::Unexpected, &message))
        }
    }
}

fn objects(said: &[String]) -> Result<Vec<Oid>, Failure> {
    let parse = |text: &str| {
        let oid = Oid::parse(text.trim_start_matches('.'));
        oid.map_err(|_| wrong(&format!("the option `oids` must be dotted numbers as 1.3.6.1.2.1.1.3.0, not `{text}`")))
    };
    if said.is_empty() {
        USUAL.iter().map(|text| parse(text)).collect()
    } else {
        said.iter().map(|text| parse(text)).collect()
    }
}

/// How we say who we are.
fn auth(spec: &ProbeSpec) -> Result<Auth, Failure> {
    let options = &spec.options;
    match options.text(&VERSION) {
        "1" => Ok(Auth::v1(community(options.text(&COMMUNITY)))),
        "3" => user(spec).map(Auth::from),
        _ => Ok(Auth::v2c(community(options.text(&COMMUNITY)))),
    }
}

/// The community that agents have had from the factory when none is said.
fn community(said: &str) -> String {
    if said.is_empty() { "public".to_owned() } else { said.to_owned() }
}

fn user(spec: &ProbeSpec) -> Result<UsmConfig, Failure> {
    let options = &spec.options;
    let name = options.text(&USER);
    if name.is_empty() {
        return Err(wrong("SNMP version 3 needs the option `user`"));
    }
    let user = UsmConfig::new(name.as_bytes().to_vec());
    let (auth, privacy) = (options.text(&AUTH), options.text(&PRIVACY));
    let privacy = privacy_protocol(privacy).map(|protocol| (privacy, protocol, options.text(&PRIVACY_PASSWORD)));
    if auth_protocol(auth).is_none() {
        return match privacy {
            None => Ok(user),
            Some(_) => Err(wrong("encryption of SNMP needs authentication: say the option `auth_protocol`")),
        };
    }
    static KEYS: LazyLock<Keys> = LazyLock::new(Keys::default);
    let keys = KEYS.of(Passwords { auth: (auth, options.text(&AUTH_PASSWORD)), privacy });
    // What the library says of a password is not repeated.
    let short = || wrong("the passwords of SNMP version 3 must have at least 8 characters");
    user.with_master_keys(keys.ok_or_else(short)?).map_err(|_| short())
}

fn auth_protocol(word: &str) -> Option<AuthProtocol> {
    Some(match word {
        "md5" => AuthProtocol::Md5,
        "sha1" => AuthProtocol::Sha1,
        "sha224" => AuthProtocol::Sha224,
        "sha256" => AuthProtocol::Sha256,
        "sha384" => AuthProtocol::Sha384,
        "sha512" => AuthProtocol::Sha512,
        _ => return None,
    })
}

fn privacy_protocol(word: &str) -> Option<PrivProtocol> {
    Some(match word {
        "des" => PrivProtocol::Des,
        "aes128" => PrivProtocol::Aes128,
        "aes192" => PrivProtocol::Aes192Blumenthal,
        "aes192-cisco" => PrivProtocol::Aes192Reeder,
        "aes256" => PrivProtocol::Aes256Blumenthal,
        "aes256-cisco" => PrivProtocol::Aes256Reeder,
        _ => return None,
    })
}

fn value(bound: &VarBind) -> SnmpValue {
    SnmpValue {
        oid: bound.oid.to_string(),
        syntax: syntax(&bound.value),
        text: text(&bound.value),
        number: number(&bound.value),
    }
}

/// The type as SMI and RFC 3416 name it.
fn syntax(value: &Value) -> String {
    let name = match value.kind() {
        ValueKind::Integer => "Integer32",
        ValueKind::OctetString => "OctetString",
        ValueKind::Null => "Null",
        ValueKind::ObjectIdentifier => "ObjectIdentifier",
        ValueKind::IpAddress => "IpAddress",
        ValueKind::Counter32 => "Counter32",
        ValueKind::Gauge32 => "Gauge32",
        ValueKind::UInteger32 => "Unsigned32",
        ValueKind::TimeTicks => "TimeTicks",
        ValueKind::Opaque => "Opaque",
        ValueKind::Nsap => "NsapAddress",
        ValueKind::Counter64 => "Counter64",
        ValueKind::NoSuchObject => "noSuchObject",
        ValueKind::NoSuchInstance => "noSuchInstance",
        ValueKind::EndOfMibView => "endOfMibView",
        other => return other.to_string(),
    };
    name.to_owned()
}

fn text(value: &Value) -> Untrusted {
    match value {
        Value::OctetString(octets) => match std::str::from_utf8(octets) {
            Ok(text) => Untrusted::message(text),
            Err(_) => Untrusted::message(&hex(octets)),
        },
        Value::Opaque(octets) | Value::Nsap(octets) => Untrusted::message(&hex(octets)),
        other => Untrusted::message(&other.to_string()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a counter beyond 2^53 is shown exactly in the text")]
fn number(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Integer(n) => f64::from(*n),
        Value::Counter32(n) | Value::Gauge32(n) | Value::UInteger32(n) | Value::TimeTicks(n) => f64::from(*n),
        Value::Counter64(n) => *n as f64,
        _ => return None,
    })
}

fn hex(octets: &[u8]) -> String {
    octets.iter().take(MAX_TEXT).map(|octet| format!("{octet:02x}")).collect()
}

/// Why a request failed, without what was said of the user.
fn failure(error: &Error, peer: &str) -> Failure {
    use FailureReason as R;
    let (reason, why) = match error.exchange_source() {
        Error::Network { source, .. } => return failure_of(source, &format!("the answer of {peer}")),
        Error::Timeout { .. } | Error::Closed { .. } => {
            (R::Timeout, "no answer: is the community or the password right, and may this agent ask?".to_owned())
        }
        Error::Auth { .. } => (R::Unexpected, "the authentication failed: look at user and passwords".to_owned()),
        Error::Snmp { status, index, .. } => {
            (R::Unexpected, format!("the agent answered with {status} at object {index}"))
        }
        Error::Report { status, .. } => (R::Unexpected, format!("the agent refused: {status}")),
        Error::Decode(_) | Error::MalformedResponse { .. } | Error::ResponseShape { .. } => {
            (R::Malformed, "the answer does not follow SNMP".to_owned())
        }
        other => (R::Agent, format!("the request could not be made: {}", other.kind())),
    };
    Failure::new(reason, &format!("{peer}: {why}"))
}

fn wrong(message: &str) -> Failure {
    Failure::new(FailureReason::Agent, message)
}

/// Salts of DES (RFC 3414, 8.1.1.1), one sequence for all runs of this process. Nothing is kept on disk: the sequence begins at a random
/// boot count, so that it does not begin where one before it did.
fn salt() -> Result<DesSaltState, Failure> {
    static SALT: OnceLock<Option<DesSaltState>> = OnceLock::new();
    let begin = || {
        let boots = getrandom::u32().ok()? >> 1;
        let before = PersistedDesSaltState::new(boots.clamp(1, u32::MAX >> 2)).ok()?;
        DesSaltState::restart(before, |_| Ok::<(), std::io::Error>(())).ok()
    };
    SALT.get_or_init(begin).clone().ok_or_else(|| wrong("DES cannot be used here: use AES"))
}
