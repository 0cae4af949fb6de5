//! How long probes were up: `/api/v1/uptime` and `/api/v1/probes/{probe}/uptime`.

use netwatch_model::Timestamp;
use netwatch_model::people::ProbeId;
use netwatch_model::probe::ProbeKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::flow::Format;

/// For which time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UptimePeriod {
    /// The day of the calendar, by the hour.
    Day,
    /// The week from Monday on (ISO 8601), by the day.
    Week,
    /// The month, by the day.
    Month,
    /// The quarter, by the day.
    Quarter,
    /// The year, by the month.
    Year,
    /// The last 24 hours, by the hour.
    #[serde(rename = "24h")]
    LastDay,
    /// The last 7 times 24 hours, by the day.
    #[serde(rename = "7d")]
    LastWeek,
    /// The last 30 times 24 hours, by the day.
    #[default]
    #[serde(rename = "30d")]
    LastMonth,
    /// The last 90 times 24 hours, by the day.
    #[serde(rename = "90d")]
    LastQuarter,
}

/// `GET /api/v1/probes/{probe}/uptime`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UptimeQuery {
    /// For which time. Default `30d`.
    #[param(inline)]
    pub period: Option<UptimePeriod>,
    /// The period that contains this time, or ends then: RFC 3339, or so long ago as `-30d`. Default `now`.
    pub at: Option<String>,
    /// Whose days and months they are: a name of the IANA time zone database, as `Europe/Berlin`. Default `UTC`.
    #[param(max_length = 64)]
    pub zone: Option<String>,
}

/// `GET /api/v1/uptime`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UptimesQuery {
    /// For which time. Default `30d`.
    #[param(inline)]
    pub period: Option<UptimePeriod>,
    /// The period that contains this time, or ends then: RFC 3339, or so long ago as `-30d`. Default `now`.
    pub at: Option<String>,
    /// Whose days and months they are: a name of the IANA time zone database, as `Europe/Berlin`. Default `UTC`.
    #[param(max_length = 64)]
    pub zone: Option<String>,
    /// Only probes with this text in name or target.
    pub search: Option<String>,
    /// Only probes of this kind.
    pub kind: Option<String>,
    /// Only probes with this label: `name=value`.
    pub label: Option<String>,
    /// Only probes that have an objective.
    pub objective: Option<bool>,
    /// Rows, 1 to 100. Default 25.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// `json` or `csv`. Default: what `Accept` asks for, else `json`.
    #[param(inline)]
    pub format: Option<Format>,
}

/// The seconds of a stretch of time by what they were. The first five add up to its length.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct UptimeSeconds {
    /// It answered.
    pub up: i64,
    /// It answered with a loss of 5 per cent or more.
    pub degraded: i64,
    /// It failed.
    pub down: i64,
    /// It was in maintenance: counts neither for nor against it.
    pub maintenance: i64,
    /// Nothing is known: no run, or one that says nothing about the target.
    pub unknown: i64,
    /// Part of `maintenance`: it failed then.
    pub maintenance_down: i64,
    /// Outages that touch it, outside of maintenance.
    pub outages: u32,
    /// Share of up and degraded in what is known, 0 to 1; null when nothing is.
    pub availability: Option<f64>,
}

/// A part of a period. What is left out is zero.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct UptimePart {
    /// Its first second.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The first second that is no part of it.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Seconds in which it answered.
    #[serde(default, skip_serializing_if = "is_none")]
    pub up: i64,
    /// Seconds in which it answered with loss.
    #[serde(default, skip_serializing_if = "is_none")]
    pub degraded: i64,
    /// Seconds in which it failed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub down: i64,
    /// Seconds of maintenance.
    #[serde(default, skip_serializing_if = "is_none")]
    pub maintenance: i64,
    /// Seconds of which nothing is known.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unknown: i64,
}

/// What an objective allows, and what is left of it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorBudget {
    /// The share of the time in which it should be up, 0 to 1.
    pub objective: f64,
    /// Seconds that it may be down in the whole period, less maintenance.
    pub allowed: f64,
    /// Seconds that are left; negative when it was down for longer.
    pub left: f64,
    /// Whether the availability so far is what it should be; null when nothing is known.
    pub met: Option<bool>,
}

/// What one agent saw.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AgentUptime {
    /// The agent, 16 hexadecimal digits.
    pub agent: String,
    /// What it saw.
    pub seconds: UptimeSeconds,
}

/// A time in which a probe was down.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Outage {
    /// Its first second.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The first second after it; of the last one, when it goes on, the end of what is told.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// It was in maintenance, and counts nowhere.
    pub maintenance: bool,
}

/// How long a probe was up.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Uptime {
    /// Which probe.
    #[schema(value_type = String)]
    pub probe: ProbeId,
    /// What it is called.
    pub name: String,
    /// How it measures.
    pub kind: ProbeKind,
    /// What it measures.
    pub target: String,
    /// For which time.
    pub period: UptimePeriod,
    /// Whose days and months they are.
    pub zone: String,
    /// First second of the period.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// End of what is told: that of the period, or now.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// End of the period.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// From here on it is known by the minute, before by the hour; null: all by the hour.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub minutes_from: Option<Timestamp>,
    /// So many agents must say that it is down; null: more than half of those that know.
    pub quorum: Option<u32>,
    /// The whole period so far, over all agents.
    pub total: UptimeSeconds,
    /// Its parts, over all agents.
    #[schema(max_items = 100)]
    pub parts: Vec<UptimePart>,
    /// When there is an objective.
    pub budget: Option<ErrorBudget>,
    /// What each agent saw. Left empty in lists.
    pub agents: Vec<AgentUptime>,
    /// When it was down, the newest first. Left empty in lists.
    #[schema(max_items = 100)]
    pub outages: Vec<Outage>,
    /// There were more.
    pub more_outages: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_none(seconds: &i64) -> bool {
    *seconds == 0
}
