//! Asks for the owners of flows as they begin: a record is made up to a second later, when a short-lived program has gone.
//!
//! Limits: [`PER_SECOND`] flows of each worker in a second of packet time are looked up; a flood costs no more. Nothing is looked up while
//! a snapshot is being asked for anyway.

use std::net::SocketAddr;
use std::sync::Arc;

use netwatch_model::Protocol;

use super::{ProcessTable, Wanted};

/// Flows that are looked up in a second, by each worker: less than a thousandth of its time.
pub const PER_SECOND: u32 = 1000;

/// One worker's part.
#[derive(Debug)]
pub struct Beginnings {
    table: Arc<ProcessTable>,
    second: i64,
    left: u32,
}

impl Beginnings {
    /// Asks through `table`.
    #[must_use]
    pub const fn new(table: Arc<ProcessTable>) -> Self {
        Self { table, second: 0, left: PER_SECOND }
    }

    /// A flow between these ends has begun; `nanos` is the time of its packet.
    pub fn begun(&mut self, nanos: i64, protocol: Protocol, [source, destination]: [SocketAddr; 2]) {
        if self.table.wanted() == Wanted::Now {
            return;
        }
        let second = nanos.div_euclid(1_000_000_000);
        if second != self.second {
            (self.second, self.left) = (second, PER_SECOND);
        }
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        if self.table.is_missing(protocol, source, destination) {
            self.table.want(Wanted::Now);
        }
    }
}
