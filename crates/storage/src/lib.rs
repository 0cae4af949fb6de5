//! The telemetry store: one port ([`TelemetryStore`]), and files of DuckDB behind it ([`DuckStore`]).
//!
//! Why: what was seen is kept for as long as the user chose, never longer than the disk allows, through power cuts and damage, and is
//! answered quickly over months.
//!
//! ```text
//!            ┌─ samples ─► chunks of a series, packed         ─┐
//! batch ─► heads ─ flows ─► slices of conversations          ──┼─► a file for each kind and day, a transaction a flush
//!            ├─ events                                             │
//!            └─ rollups by minute                      ─────────┘─► by hour, when the hour is over
//! ```
//!
//! - Everything is effectively once: see [`TelemetryStore::replay_after`].
//! - Every workspace has a folder of its own.
//! - The store is derived: a damaged file is set aside and made anew from the ingest log as far as that reaches.
//! - Nothing outside this crate knows SQL, and no text from outside becomes part of it.
//!
//! Limits: times are kept in milliseconds. What happened before anything is kept any more, or more than a day in the future, is not
//! taken in. A sample that comes again with the same time under another position counts again: repeating is the log's business.

mod address;
mod check;
mod chunk;
mod config;
mod dictionary;
mod dimension;
mod disk;
mod duck;
mod error;
mod golomb;
mod head;
mod lookup;
mod pack;
mod partition;
mod port;
mod rollup;
mod sketch;
mod slices;
mod store;
mod tally;
mod tenant;

#[cfg(test)]
mod testing;

pub use check::{Depth, check_files, report_files};
pub use config::{Checker, Keep, Retention, StoreConfig, StoreLimits, Watermarks};
pub use dictionary::SeriesKey;
pub use dimension::Dimension;
pub use error::StoreError;
pub use lookup::{AddressFacts, LookupPaths, Lookups, NamedRange, Ranges, WrongLine};
pub use partition::{Kind, Span};
pub use port::{
    Aggregate, Bucket, BucketLine, BucketQuery, Buckets, Budget, Cancel, Chart, Completion, Cursor, Disk, DiskState,
    Edge, EventPage, EventQuery, Explore, Explored, FlowPage, FlowQuery, Group, KindUsage, LabelMatch, Line, Measure,
    Resolution, ResultPage, ResultQuery, SeriesPage, SeriesQuery, SeriesSearch, StoredEvent, Summary, Taken,
    TelemetryStore, Upkeep, Usage, Value, Wanted, Whereabouts,
};
pub use sketch::{ALPHA, Sketch};
pub use store::{Damaged, DuckStore, inspect};
pub use tenant::error_text;
