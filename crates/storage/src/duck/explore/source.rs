//! Where sums of flows come from: from sums made ahead when they can tell, else from the slices.

use std::cell::RefCell;
use std::net::IpAddr;

use duckdb::Connection;
use duckdb::types::Value as Bound;
use netwatch_model::filter::Filter;

use super::Tables;
use crate::address::whole;
use crate::dimension::{Dimension, Lookup, Side};
use crate::duck::chart::Steps;
use crate::duck::columns::Columns;
use crate::duck::files::Lease;
use crate::duck::filter::Clause;
use crate::duck::rows::{OCTETS_IN, OCTETS_OUT, columns, sum};
use crate::error::StoreError;
use crate::lookup::Known;
use crate::partition::Kind;
use crate::port::{Budget, Explore, Measure, Resolution};
use crate::tenant::Tenant;

/// Addresses of which something is looked up in one question.
const MAX_ADDRESSES: usize = 200_000;

pub(super) struct Source<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) lookups: &'a Known,
    pub(super) connection: &'a Connection,
    pub(super) query: &'a Explore,
    pub(super) budget: &'a Budget,
    /// Files stay as they are until the question is answered.
    pub(super) held: RefCell<Vec<Lease>>,
}

impl Source<'_> {
    /// Makes the tables of sums by step and key, and by step.
    pub(super) fn make(&self, name: &str, steps: Steps) -> Result<(Resolution, Tables), StoreError> {
        let (resolution, tables) = match self.make_ahead(name, steps)? {
            Some(made) => made,
            None => (Resolution::Raw, self.make_of_slices(name, steps)?),
        };
        let count = format!("SELECT count(*) FROM {}", tables.keyed);
        let rows: u64 = self.connection.query_row(&count, [], |r| r.get(0)).map_err(StoreError::Query)?;
        if rows > self.budget.max_rows as u64 {
            let text = format!("{rows} sums: narrow the range or the filter, take a longer step or fewer dimensions");
            return Err(StoreError::TooExpensive(text));
        }
        Ok((resolution, tables))
    }

    fn make_of_slices(&self, name: &str, steps: Steps) -> Result<Tables, StoreError> {
        let keyed = format!("keyed_{name}");
        self.add_up_slices(&keyed, &self.query.dimensions, steps)?;
        let mut tables = Tables::of(&keyed);
        if self.query.dimensions.contains(&Dimension::Host) {
            tables.total = format!("total_{name}");
            self.add_up_slices(&tables.total, &[], steps)?;
        }
        Ok(tables)
    }

    pub(super) fn hold(&self, kind: Kind, steps: Steps) -> Result<Vec<Lease>, StoreError> {
        let files = self.tenant.files.leases(kind, steps.from, steps.to)?;
        self.held.borrow_mut().extend(files.iter().cloned());
        Ok(files)
    }

    fn add_up_slices(&self, table: &str, dimensions: &[Dimension], steps: Steps) -> Result<(), StoreError> {
        let (rows, values) = self.slices(steps)?;
        let hosts = dimensions.contains(&Dimension::Host);
        let rows = if hosts { both_ends(&rows) } else { rows };
        // The rows stand there once for each end of a conversation.
        let values: Vec<Bound> = if hosts { [values.clone(), values].concat() } else { values };
        let (mut keys, mut joins) = (String::new(), String::new());
        for (n, dimension) in dimensions.iter().enumerate() {
            let columns = match dimension.lookup() {
                None => columns(*dimension).map(str::to_owned),
                Some((side, what)) => {
                    joins.push_str(&self.look_up(table, n, side, what, steps)?);
                    ["0::UBIGINT".to_owned(), "0::UBIGINT".to_owned(), format!("look{n}.label")]
                }
            };
            let [hi, lo, text] = columns;
            keys.push_str(&format!("{hi} AS hi{n}, {lo} AS lo{n}, {text} AS text{n}, "));
        }
        let measure = match self.query.measure {
            Measure::Octets => "(f_octets + r_octets)",
            Measure::L2Octets => "(f_octets + r_octets + 14 * (f_packets + r_packets))::BIGINT + f_extra + r_extra",
            Measure::Packets => "(f_packets + r_packets)",
            Measure::Flows => "flows",
        };
        let [read, sent] = if hosts { ["host_in", "host_out"] } else { [OCTETS_IN, OCTETS_OUT] };
        let step = step_of("ended", steps);
        let sql = format!(
            "CREATE TEMP TABLE {table} AS SELECT {keys} {step} AS step, {} AS measure, {} AS octets_in, {} AS octets_out
             FROM ({rows}) r {joins} GROUP BY ALL",
            sum(measure),
            sum(read),
            sum(sent)
        );
        self.connection.execute(&sql, duckdb::params_from_iter(values)).map_err(StoreError::Query)?;
        Ok(())
    }

    /// The slices that are asked for, as a query.
    fn slices(&self, steps: Steps) -> Result<(String, Vec<Bound>), StoreError> {
        let filter = self.query.filter.as_deref();
        let clause = filter.map(Clause::of);
        // Octets of an inner flow are part of the outer flow's: only who asks for tunnels gets both.
        let outer = if filter.is_some_and(Filter::uses_tunnel) { "" } else { " AND tunnel IS NULL" };
        let condition = clause.as_ref().map(|c| format!(" AND {}", c.sql)).unwrap_or_default();
        let files = self.hold(Kind::Flows, steps)?;
        let parts: Vec<String> = files.iter().map(|f| format!("SELECT * FROM {}.flow", f.alias)).collect();
        if parts.is_empty() {
            let schema = "SELECT * FROM no_flows";
            let create = crate::duck::schema::tables(Kind::Flows)[1].replacen(
                "TABLE flow",
                "TEMP TABLE IF NOT EXISTS no_flows",
                1,
            );
            self.connection.execute_batch(&create).map_err(StoreError::Query)?;
            return Ok((
                format!("SELECT * FROM ({schema}) WHERE true{condition}"),
                clause.map(|c| c.values).unwrap_or_default(),
            ));
        }
        let all = parts.join(" UNION ALL ");
        let sql =
            format!("SELECT * FROM ({all}) WHERE ended >= {} AND ended < {}{outer}{condition}", steps.from, steps.to);
        Ok((sql, clause.map(|c| c.values).unwrap_or_default()))
    }

    /// Makes a table of what is known about the addresses of one side; gives the join with it.
    fn look_up(&self, table: &str, n: usize, side: Side, what: Lookup, steps: Steps) -> Result<String, StoreError> {
        let side = match side {
            Side::Source => "src",
            Side::Destination => "dst",
        };
        let name = format!("{table}_look{n}");
        let (rows, values) = self.slices(steps)?;
        let mut found: Vec<(u64, u64, String)> = Vec::new();
        if self.lookups.knows(what) {
            let sql = format!("SELECT DISTINCT {side}_hi, {side}_lo FROM ({rows}) LIMIT {}", MAX_ADDRESSES + 1);
            let mut select = self.connection.prepare(&sql).map_err(StoreError::Query)?;
            let mut addresses = select.query(duckdb::params_from_iter(values)).map_err(StoreError::Query)?;
            let mut seen = 0;
            while let Some(row) = addresses.next().map_err(StoreError::Query)? {
                seen += 1;
                let halves = (row.get(0).map_err(StoreError::Query)?, row.get(1).map_err(StoreError::Query)?);
                let address: IpAddr = whole(halves.0, halves.1);
                found
                    .extend(self.lookups.find(what, address).map(|label| (halves.0, halves.1, label.raw().to_owned())));
            }
            if seen > MAX_ADDRESSES {
                let text =
                    format!("more than {MAX_ADDRESSES} addresses would be looked up: narrow the range or the filter");
                return Err(StoreError::TooExpensive(text));
            }
        }
        let create = format!("CREATE TEMP TABLE {name}(hi UBIGINT, lo UBIGINT, label VARCHAR)");
        self.connection.execute_batch(&create).map_err(StoreError::Query)?;
        Columns::default()
            .u64(found.iter().map(|f| f.0).collect())
            .u64(found.iter().map(|f| f.1).collect())
            .text(found.iter().map(|f| Some(f.2.as_str())))
            .append(self.connection, "temp", &name)
            .map_err(StoreError::Query)?;
        Ok(format!("LEFT JOIN {name} look{n} ON look{n}.hi = r.{side}_hi AND look{n}.lo = r.{side}_lo "))
    }
}

/// Start of the step of a time.
pub(super) fn step_of(time: &str, steps: Steps) -> String {
    // A time is never before the first step.
    format!("({} + ({time} - {}) // {} * {})", steps.from, steps.from, steps.width, steps.width)
}

/// Each row once for its source and once for its destination, with what that host received and sent.
fn both_ends(rows: &str) -> String {
    format!(
        "SELECT *, src_hi AS host_hi, src_lo AS host_lo, r_octets AS host_in, f_octets AS host_out FROM ({rows})
         UNION ALL
         SELECT *, dst_hi AS host_hi, dst_lo AS host_lo, f_octets AS host_in, r_octets AS host_out FROM ({rows})
         WHERE NOT (src_hi = dst_hi AND src_lo = dst_lo)"
    )
}
