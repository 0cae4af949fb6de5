//! Looking for damage: how pages are put together, what refers to what, and the checksum of every row.

use rusqlite::Connection;

use super::connect::failed;
use super::rows::{self, COLUMNS};
use crate::audit::AuditQuery;
use crate::error::StoreError;

/// Records of the audit log that are read at a time.
const CHUNK: usize = 1000;

/// What is wrong with the pages or the references; none when all is well.
pub(super) fn pages(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Ok(Some(found));
    }
    let dangling: i64 = connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    Ok((dangling > 0).then(|| format!("{dangling} rows refer to rows that are not there")))
}

/// Reads every object and every key.
pub(super) fn objects(connection: &Connection) -> Result<(), StoreError> {
    keys(connection)?;
    let failed = failed("check objects");
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM objects")).map_err(&failed)?;
    let mut found = statement.query_map([], rows::read).map_err(&failed)?;
    found.try_for_each(|row| row.map_err(&failed)?.map(|_| ()))
}

fn keys(connection: &Connection) -> Result<(), StoreError> {
    let failed = failed("check keys");
    let damaged = || StoreError::Damaged { what: "a key".to_owned() };
    let mut statement =
        connection.prepare("SELECT kind, name, scope, value, object, checksum FROM keys").map_err(&failed)?;
    let mut found = statement.query([]).map_err(&failed)?;
    while let Some(row) = found.next().map_err(&failed)? {
        let text = |at| row.get::<_, String>(at).map_err(|_| damaged());
        let sum = rows::key_sum(&text(0)?, &text(1)?, &text(2)?, &text(3)?, &text(4)?);
        if row.get::<_, i64>(5).map_err(|_| damaged())? != sum {
            return Err(damaged());
        }
    }
    Ok(())
}

/// Checks everything that there is.
pub(super) fn everything(connection: &Connection) -> Result<(), StoreError> {
    if let Some(what) = pages(connection).map_err(failed("be checked"))? {
        return Err(StoreError::Damaged { what });
    }
    objects(connection)?;
    let mut query = AuditQuery { limit: CHUNK, ..AuditQuery::default() };
    loop {
        let records = super::audit::read(connection, &query)?;
        match records.last() {
            Some(last) if records.len() == CHUNK => query.after = Some(last.sequence),
            _ => return Ok(()),
        }
    }
}
