//! What every telemetry store must do, whatever is behind it: run here against files of DuckDB.
//!
//! The cases know the port alone. A store of another kind joins by another [`support::Bench`].

mod buckets;
mod crowds;
mod damage;
mod durability;
mod flows;
mod lists;
mod series;
mod support;
