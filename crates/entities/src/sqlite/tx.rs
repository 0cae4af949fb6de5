//! The operations of a transaction, as SQL. Every value is bound; what is part of a text comes from constants.

use netwatch_model::Timestamp;
use netwatch_model::people::AuditRecord;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params, params_from_iter};

use super::audit;
use super::connect::{failed, meaning};
use super::rows::{self, COLUMNS, checksum};
use crate::audit::AuditQuery;
use crate::error::StoreError;
use crate::kind::Kind;
use crate::object::{Key, ListQuery, Mark, ObjectId, Order, Place, Reach, Row, Slice};
use crate::port::{Read, Write};
use crate::vault::KeyId;

/// An open transaction.
pub(super) struct Tx<'a> {
    pub(super) connection: &'a Connection,
    pub(super) now: Timestamp,
}

impl Tx<'_> {
    fn one(&self, sql: &str, values: impl rusqlite::Params) -> Result<Option<Row>, StoreError> {
        let failed = failed("find an object");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        statement.query_row(values, rows::read).optional().map_err(&failed)?.transpose()
    }

    fn many(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let failed = failed("list objects");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let found = statement.query_map(params_from_iter(values), rows::read).map_err(&failed)?;
        found.map(|row| row.map_err(&failed)?).collect()
    }

    fn number(&self, sql: &str, values: impl rusqlite::Params) -> Result<u64, StoreError> {
        let failed = failed("count objects");
        let mut statement = self.connection.prepare_cached(sql).map_err(&failed)?;
        let count: i64 = statement.query_row(values, |row| row.get(0)).map_err(&failed)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }

    fn put_keys(&self, row: &Row) -> Result<(), StoreError> {
        let sql = "INSERT INTO keys (kind, name, scope, value, object, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for Key { name, reach, value } in &row.keys {
            let (kind, scope, object) = (row.kind.word(), scope(*reach, row.place), row.id.to_string());
            let sum = rows::key_sum(kind, name, &scope, value, &object);
            let put = self.execute(sql, params![kind, name, scope, value, object, sum]);
            put.map_err(|error| match error.sqlite_error_code() {
                Some(ErrorCode::ConstraintViolation) => StoreError::Taken { kind: row.kind, key: name },
                _ => meaning("add a key", error),
            })?;
        }
        Ok(())
    }

    /// Why a statement that names kind, place, id and perhaps a version changed nothing.
    fn why_not(&self, kind: Kind, place: Place, id: ObjectId) -> StoreError {
        match self.object(kind, place, id) {
            Ok(Some(row)) => StoreError::Stale { kind, current: row.version },
            Ok(None) => StoreError::NotFound(kind),
            Err(error) => error,
        }
    }
}

impl Read for Tx<'_> {
    fn object(&self, kind: Kind, place: Place, id: ObjectId) -> Result<Option<Row>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM objects WHERE id = ?1 AND kind = ?2 AND workspace IS ?3");
        self.one(&sql, params![id.to_string(), kind.word(), text(place.workspace())])
    }

    fn object_by_key(&self, kind: Kind, place: Place, name: &str, value: &str) -> Result<Option<Row>, StoreError> {
        let scopes = [scope(Reach::Everywhere, place), scope(Reach::Place, place)];
        let sql = format!(
            "SELECT {COLUMNS} FROM objects WHERE kind = ?1 AND workspace IS ?2 AND id = (SELECT object FROM keys \
             WHERE kind = ?1 AND name = ?3 AND scope IN (?4, ?5) AND value = ?6)"
        );
        let [everywhere, here] = scopes;
        self.one(&sql, params![kind.word(), text(place.workspace()), name, everywhere, here, value])
    }

    fn object_anywhere(&self, kind: Kind, name: &str, value: &str) -> Result<Option<Row>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM objects WHERE kind = ?1 AND id = (SELECT object FROM keys \
             WHERE kind = ?1 AND name = ?2 AND scope = ?3 AND value = ?4)"
        );
        self.one(&sql, params![kind.word(), name, scope(Reach::Everywhere, Place::Site), value])
    }

    fn list(&self, kind: Kind, place: Place, query: &ListQuery) -> Result<Slice<Row>, StoreError> {
        let (sql, values) = list_statement(kind, place, query);
        let mut items = self.many(&sql, values)?;
        let more = items.len() > query.limit;
        items.truncate(query.limit);
        let mark = |row: &Row| Mark { label: row.label.clone(), created: row.created, id: row.id };
        let next = more.then(|| items.last().map(mark)).flatten();
        Ok(Slice { items, next })
    }

    fn owned(&self, kind: Kind, owner: ObjectId, limit: usize) -> Result<Vec<Row>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM objects WHERE owner = ? AND kind = ? ORDER BY id LIMIT ?");
        self.many(&sql, vec![owner.to_string().into(), kind.word().to_owned().into(), count(limit)])
    }

    fn count(&self, kind: Kind, place: Place) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM objects WHERE kind = ?1 AND workspace IS ?2";
        self.number(sql, params![kind.word(), text(place.workspace())])
    }

    fn count_owned(&self, kind: Kind, owner: ObjectId) -> Result<u64, StoreError> {
        self.number(
            "SELECT count(*) FROM objects WHERE owner = ?1 AND kind = ?2",
            params![owner.to_string(), kind.word()],
        )
    }

    fn sealed_otherwise(&self, key: KeyId, limit: usize) -> Result<Vec<Row>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM objects WHERE sealed IS NOT NULL AND sealed <> ? LIMIT ?");
        self.many(&sql, vec![key.to_string().into(), count(limit)])
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        audit::read(self.connection, query)
    }
}

impl Write for Tx<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn as_read(&self) -> &dyn Read {
        self
    }

    fn insert(&self, row: &Row) -> Result<(), StoreError> {
        let sql = format!("INSERT INTO objects ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
        let put = self.execute(
            &sql,
            params![
                row.id.to_string(),
                row.kind.word(),
                text(row.place.workspace()),
                text(row.owner),
                number(row.version),
                row.created.nanos(),
                row.updated.nanos(),
                row.label,
                row.body,
                row.sealed.map(|key| key.to_string()),
                checksum(row)
            ],
        );
        put.map_err(|error| match error.sqlite_error() {
            Some(e) if e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::Orphan(row.kind),
            Some(e) if e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                StoreError::Taken { kind: row.kind, key: "id" }
            }
            _ => meaning("add an object", error),
        })?;
        self.put_keys(row)
    }

    fn update(&self, row: &Row, expected: Option<u64>) -> Result<u64, StoreError> {
        let before = self.object(row.kind, row.place, row.id)?.ok_or(StoreError::NotFound(row.kind))?;
        if expected.is_some_and(|version| version != before.version) {
            return Err(StoreError::Stale { kind: row.kind, current: before.version });
        }
        let after = Row { version: before.version.saturating_add(1), created: before.created, ..row.clone() };
        let sql = "UPDATE objects SET owner = ?2, version = ?3, updated = ?4, label = ?5, body = ?6, sealed = ?7, \
                   checksum = ?8 WHERE id = ?1";
        let put = self.execute(
            sql,
            params![
                after.id.to_string(),
                text(after.owner),
                number(after.version),
                after.updated.nanos(),
                after.label,
                after.body,
                after.sealed.map(|key| key.to_string()),
                checksum(&after)
            ],
        );
        put.map_err(failed("change an object"))?;
        let forget = self.execute("DELETE FROM keys WHERE object = ?1", params![after.id.to_string()]);
        forget.map_err(failed("remove the keys of an object"))?;
        self.put_keys(&after)?;
        Ok(after.version)
    }

    fn reseal(&self, row: &Row) -> Result<(), StoreError> {
        let sql = "UPDATE objects SET body = ?2, sealed = ?3, checksum = ?4 WHERE id = ?1";
        let sealed = row.sealed.map(|key| key.to_string());
        let put = self.execute(sql, params![row.id.to_string(), row.body, sealed, checksum(row)]);
        put.map(|_| ()).map_err(failed("seal an object anew"))
    }

    fn relabel(&self, kind: Kind, place: Place, id: ObjectId, label: &str) -> Result<(), StoreError> {
        let row = self.object(kind, place, id)?.ok_or(StoreError::NotFound(kind))?;
        let row = Row { label: label.to_owned(), ..row };
        let sql = "UPDATE objects SET label = ?2, checksum = ?3 WHERE id = ?1";
        let put = self.execute(sql, params![id.to_string(), row.label, checksum(&row)]);
        put.map(|_| ()).map_err(failed("name an object"))
    }

    fn delete(&self, kind: Kind, place: Place, id: ObjectId, expected: Option<u64>) -> Result<(), StoreError> {
        let sql =
            "DELETE FROM objects WHERE id = ?1 AND kind = ?2 AND workspace IS ?3 AND (?4 IS NULL OR version = ?4)";
        let values = params![id.to_string(), kind.word(), text(place.workspace()), expected.map(number)];
        match self.execute(sql, values).map_err(failed("remove an object"))? {
            0 => Err(self.why_not(kind, place, id)),
            _ => Ok(()),
        }
    }

    fn delete_owned(&self, kind: Kind, owner: ObjectId, keep: Option<ObjectId>) -> Result<u64, StoreError> {
        let sql = "DELETE FROM objects WHERE owner = ?1 AND kind = ?2 AND id IS NOT ?3";
        let removed = self.execute(sql, params![owner.to_string(), kind.word(), text(keep)]);
        removed.map(|n| n as u64).map_err(failed("remove objects"))
    }

    fn delete_all(&self, kind: Kind, place: Place) -> Result<u64, StoreError> {
        let sql = "DELETE FROM objects WHERE kind = ?1 AND workspace IS ?2";
        let removed = self.execute(sql, params![kind.word(), text(place.workspace())]);
        removed.map(|n| n as u64).map_err(failed("remove objects"))
    }

    fn append_audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        audit::append(self.connection, record)
    }
}

/// The statement of a list, and its values. Asks for one row more than wanted, to know whether there are more.
pub(super) fn list_statement(kind: Kind, place: Place, query: &ListQuery) -> (String, Vec<Value>) {
    // The index by label knows which labels match, and which identifiers these have: only the rows of the page are looked up.
    let is_search_by_label = query.search.is_some() && matches!(query.order, Order::Label);
    let columns = if is_search_by_label { "id" } else { COLUMNS };
    let mut sql = format!("SELECT {columns} FROM objects WHERE kind = ? AND workspace IS ?");
    let place = text(place.workspace()).map_or(Value::Null, Value::from);
    let mut values: Vec<Value> = vec![kind.word().to_owned().into(), place];
    if let Some(owner) = query.owner {
        sql.push_str(" AND owner = ?");
        values.push(owner.to_string().into());
    }
    if let Some(search) = &query.search {
        sql.push_str(" AND instr(label, ?) > 0");
        values.push(search.clone().into());
    }
    if let Some(after) = &query.after {
        let (comparison, first): (&str, Value) = match query.order {
            Order::Label => (" AND (label, id) > (?, ?)", after.label.clone().into()),
            Order::Oldest => (" AND (created, id) > (?, ?)", after.created.nanos().into()),
            Order::Newest => (" AND (created, id) < (?, ?)", after.created.nanos().into()),
        };
        sql.push_str(comparison);
        values.extend([first, after.id.to_string().into()]);
    }
    sql.push_str(match query.order {
        Order::Label => " ORDER BY label, id LIMIT ?",
        Order::Oldest => " ORDER BY created, id LIMIT ?",
        Order::Newest => " ORDER BY created DESC, id DESC LIMIT ?",
    });
    values.push(count(query.limit.saturating_add(1)));
    if is_search_by_label {
        sql = format!("SELECT {COLUMNS} FROM objects WHERE id IN ({sql}) ORDER BY label, id");
    }
    (sql, values)
}

/// Where a key is unique: a workspace, or everywhere.
fn scope(reach: Reach, place: Place) -> String {
    match reach {
        Reach::Everywhere => "*".to_owned(),
        Reach::Place => text(place.workspace()).unwrap_or_default(),
    }
}

fn text(id: Option<ObjectId>) -> Option<String> {
    id.map(|id| id.to_string())
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn count(n: usize) -> Value {
    i64::try_from(n).unwrap_or(i64::MAX).into()
}
