//! The table `audit`: records by their sequence, with columns for what is searched by.

use netwatch_model::people::{Actor, AuditRecord, Digest};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::connect::failed;
use super::rows;
use crate::audit::AuditQuery;
use crate::error::StoreError;
use crate::kind::Kind;

/// Adds the next record.
pub(super) fn append(connection: &Connection, record: &AuditRecord) -> Result<(), StoreError> {
    let (last, hash) = head(connection)?;
    if record.sequence != last + 1 || record.previous != hash {
        return Err(StoreError::BrokenChain);
    }
    // The kind only names what failed in the message.
    let body = serde_json::to_vec(record).map_err(|source| StoreError::Encode { kind: Kind::User, source })?;
    let sequence = i64::try_from(record.sequence).unwrap_or(i64::MAX);
    let sql = "INSERT INTO audit (sequence, time, workspace, user, action, object, outcome, text, body, checksum) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let sum = checksum(sequence, &body);
    let mut statement = connection.prepare_cached(sql).map_err(failed("add an audit record"))?;
    let values = params![
        sequence,
        record.time.nanos(),
        record.workspace.map(|id| id.to_string()),
        user(&record.actor),
        record.action.word(),
        record.object.id,
        record.outcome.word(),
        search_text(record),
        body,
        sum
    ];
    statement.execute(values).map(|_| ()).map_err(failed("add an audit record"))
}

/// Records that a query asks for.
pub(super) fn read(connection: &Connection, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
    let failed = failed("read the audit log");
    let (sql, values) = statement(query);
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?));
    let found = statement.query_map(params_from_iter(values), row).map_err(&failed)?;
    found.map(|row| row.map_err(&failed).and_then(|(n, body, sum)| parse(n, &body, sum))).collect()
}

fn head(connection: &Connection) -> Result<(u64, Digest), StoreError> {
    let failed = failed("read the end of the audit log");
    let sql = "SELECT sequence, body, checksum FROM audit ORDER BY sequence DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql).map_err(&failed)?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?));
    let Some((sequence, body, sum)) = statement.query_row([], row).optional().map_err(&failed)? else {
        return Ok((0, Digest::default()));
    };
    let record = parse(sequence, &body, sum)?;
    Ok((record.sequence, record.hash))
}

fn parse(sequence: i64, body: &[u8], sum: i64) -> Result<AuditRecord, StoreError> {
    let damaged = || StoreError::Damaged { what: format!("the audit record {sequence}") };
    if checksum(sequence, body) != sum {
        return Err(damaged());
    }
    serde_json::from_slice(body).map_err(|_| damaged())
}

fn checksum(sequence: i64, body: &[u8]) -> i64 {
    rows::sum(&[Some(&sequence.to_be_bytes()), Some(body)])
}

fn user(actor: &Actor) -> Option<String> {
    match actor {
        Actor::User { id, .. } => Some(id.to_string()),
        Actor::Token { owner, .. } => Some(owner.to_string()),
        Actor::Local | Actor::System | Actor::Anonymous => None,
    }
}

/// What people search for, in lower case: names, address, action and fields.
fn search_text(record: &AuditRecord) -> String {
    let name = match &record.actor {
        Actor::User { name, .. } | Actor::Token { name, .. } => name.as_str(),
        Actor::Local => "local",
        Actor::System => "system",
        Actor::Anonymous => "anonymous",
    };
    let mut text = format!("{name} {} {} {}", record.action, record.object.kind, record.object.name);
    if let Some(address) = record.address {
        text.push_str(&format!(" {address}"));
    }
    for (field, value) in [&record.before, &record.after].into_iter().flatten().flat_map(|fields| fields.iter()) {
        text.push_str(&format!(" {field} {value}"));
    }
    text.to_lowercase()
}

fn statement(query: &AuditQuery) -> (String, Vec<Value>) {
    let mut sql = "SELECT sequence, body, checksum FROM audit WHERE 1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut only = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value);
        }
    };
    let text = |text: &str| Value::from(text.to_owned());
    only(" AND workspace = ?", query.workspace.map(|id| id.to_string().into()));
    only(" AND time >= ?", query.from.map(|t| t.nanos().into()));
    only(" AND time < ?", query.to.map(|t| t.nanos().into()));
    only(" AND user = ?", query.user.map(|id| id.to_string().into()));
    only(" AND action = ?", query.action.map(|action| text(action.word())));
    only(" AND object = ?", query.object.as_deref().map(text));
    only(" AND outcome = ?", query.outcome.map(|outcome| text(outcome.word())));
    only(" AND instr(text, ?) > 0", query.search.as_deref().map(text));
    let after = query.after.map(|n| Value::from(i64::try_from(n).unwrap_or(i64::MAX)));
    only(if query.newest_first { " AND sequence < ?" } else { " AND sequence > ?" }, after);
    sql.push_str(if query.newest_first { " ORDER BY sequence DESC LIMIT ?" } else { " ORDER BY sequence LIMIT ?" });
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    (sql, values)
}
