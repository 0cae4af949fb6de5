//! Probes: what is measured actively, and what came out.
//!
//! A [`ProbeSpec`] says what to measure, a [`ProbeResult`] what one run gave. Each [`ProbeKind`] has one [`Descriptor`]: its name, its
//! options with units and ranges, and its metrics. The parser of files, the schema of the API, the form of the web app, the one-shot of
//! the command line and the documentation are all made from it, so that a kind is added in one place.
//!
//! Limits: [`spec::MAX_COUNT`] packets a run, intervals from [`spec::MIN_INTERVAL`]; each list in a detail has a limit of its own.

pub mod delay;
pub mod kept;
pub mod kind;
pub mod maintenance;
pub mod metric;
pub mod networks;
pub mod option;
pub mod pair;
pub mod result;
pub mod spec;

pub use delay::{Delays, Wilson};
pub use kept::Probe;
pub use kind::{Descriptor, Detail, ProbeKind, TargetForm};
pub use maintenance::{Maintenance, MaintenanceError, Schedule, Selection};
pub use metric::{Measure, ProbeMetric};
pub use networks::{Place, ProbeNetworks};
pub use option::{OptionError, OptionField, OptionForm, OptionValue, Options};
pub use result::{Failure, FailureReason, ProbeResult, Trigger};
pub use spec::{Family, ProbeSpec, Source, SpecError};
