//! SNMP: the values of some objects of an agent.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::Untrusted;
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::probe::option::{OptionField, OptionForm};

/// The version.
pub const VERSION: OptionField =
    OptionField { name: "version", help: "Version of SNMP", form: OptionForm::Choice(&["2c", "1", "3"]) };
/// The community of versions 1 and 2c.
pub const COMMUNITY: OptionField = OptionField {
    name: "community",
    help: "Community of versions 1 and 2c; `public` when none is said",
    form: OptionForm::Secret,
};
/// The objects.
pub const OIDS: OptionField = OptionField {
    name: "oids",
    help: "Objects in dotted numbers; system description and uptime when none is said",
    form: OptionForm::Texts,
};
/// The user of version 3.
pub const USER: OptionField =
    OptionField { name: "user", help: "User of version 3 (RFC 3414)", form: OptionForm::Text("") };
/// The authentication of version 3.
pub const AUTH: OptionField = OptionField {
    name: "auth_protocol",
    help: "Authentication of version 3",
    form: OptionForm::Choice(&["none", "sha256", "sha512", "sha384", "sha224", "sha1", "md5"]),
};
/// Its password.
pub const AUTH_PASSWORD: OptionField = OptionField {
    name: "auth_password",
    help: "Password of the authentication, at least 8 characters",
    form: OptionForm::Secret,
};
/// The encryption of version 3.
pub const PRIVACY: OptionField = OptionField {
    name: "privacy_protocol",
    help: "Encryption of version 3; AES of 192 and 256 bits with keys as net-snmp makes them, or as Cisco does",
    form: OptionForm::Choice(&["none", "aes128", "aes192", "aes256", "aes192-cisco", "aes256-cisco", "des"]),
};
/// Its password.
pub const PRIVACY_PASSWORD: OptionField = OptionField {
    name: "privacy_password",
    help: "Password of the encryption, at least 8 characters",
    form: OptionForm::Secret,
};

/// All that there is to know of SNMP probes.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "snmp",
    help: "Values of an SNMP agent (RFC 3416), versions 1, 2c and 3",
    target: TargetForm::HostPort { port: Some(161) },
    interval: 60.0,
    least_interval: 1.0,
    timeout: 5.0,
    count: 1,
    spacing: 0.0,
    options: &[&VERSION, &COMMUNITY, &OIDS, &USER, &AUTH, &AUTH_PASSWORD, &PRIVACY, &PRIVACY_PASSWORD],
    metrics: &[M::Lookup, M::RttMedian, M::SnmpValues],
};

/// What an agent answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Snmp {
    /// Seconds to resolve the name; absent for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<f64>,
    /// Seconds from request to answer, with the discovery of version 3; absent without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// The values in the order of the option.
    #[schema(max_items = 32)]
    pub values: Vec<SnmpValue>,
}

/// One value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SnmpValue {
    /// The object.
    pub oid: String,
    /// Its type in SMI: "Counter64", "OctetString", "noSuchInstance" …
    pub syntax: String,
    /// The value for people.
    #[schema(value_type = String)]
    pub text: Untrusted,
    /// The value as a number, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
}

impl Snmp {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.lookup.map(|lookup| Measure::new(M::Lookup, lookup)));
        out.extend(self.time.map(|time| Measure::new(M::RttMedian, time)));
        let numbers = self.values.iter().filter(|value| value.number.is_some()).count();
        out.push(Measure::new(M::SnmpValues, f64::from(u32::try_from(numbers).unwrap_or(u32::MAX))));
    }
}
