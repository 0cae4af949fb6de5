//! Rows of the table `objects`, each with a checksum over all that it says.
//!
//! SQLite sees when a page is put together wrongly, but not when a bit of a value was flipped: the checksum (CRC32C) does.

use netwatch_model::Timestamp;
use rusqlite::types::FromSql;

use crate::error::StoreError;
use crate::kind::Kind;
use crate::object::{ObjectId, Place, Row};

/// The columns, in the order in which [`read`] takes them.
pub(super) const COLUMNS: &str = "id, kind, workspace, owner, version, created, updated, label, body, sealed, checksum";

/// A row as it lies in the table.
struct Raw {
    id: String,
    kind: String,
    workspace: Option<String>,
    owner: Option<String>,
    version: i64,
    created: i64,
    updated: i64,
    label: String,
    body: Vec<u8>,
    sealed: Option<String>,
    checksum: i64,
}

/// The checksum of a row.
pub(super) fn checksum(row: &Row) -> i64 {
    let workspace = row.place.workspace().map(|id| id.to_string());
    let (owner, sealed) = (row.owner.map(|id| id.to_string()), row.sealed.map(|key| key.to_string()));
    sum(&[
        Some(row.id.to_string().as_bytes()),
        Some(row.kind.word().as_bytes()),
        workspace.as_deref().map(str::as_bytes),
        owner.as_deref().map(str::as_bytes),
        Some(&row.version.to_be_bytes()),
        Some(&row.created.nanos().to_be_bytes()),
        Some(&row.updated.nanos().to_be_bytes()),
        Some(row.label.as_bytes()),
        Some(&row.body),
        sealed.as_deref().map(str::as_bytes),
    ])
}

/// CRC32C over fields, each with its length, so that none can take from its neighbour.
pub(super) fn sum(fields: &[Option<&[u8]>]) -> i64 {
    let sum = fields.iter().fold(0, |sum, field| match field {
        None => crc32c::crc32c_append(sum, &[0]),
        Some(bytes) => {
            let head = crc32c::crc32c_append(sum, &[1]);
            crc32c::crc32c_append(crc32c::crc32c_append(head, &(bytes.len() as u64).to_be_bytes()), bytes)
        }
    });
    i64::from(sum)
}

/// The checksum of a key.
pub(super) fn key_sum(kind: &str, name: &str, scope: &str, value: &str, object: &str) -> i64 {
    sum(&[kind, name, scope, value, object].map(|text| Some(text.as_bytes())))
}

/// A row of a query that selects [`COLUMNS`]. The inner error is damage.
pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<Row, StoreError>> {
    // A flipped bit can also make another type of a value.
    let raw = || -> rusqlite::Result<Raw> {
        Ok(Raw {
            id: column(row, 0)?,
            kind: column(row, 1)?,
            workspace: column(row, 2)?,
            owner: column(row, 3)?,
            version: column(row, 4)?,
            created: column(row, 5)?,
            updated: column(row, 6)?,
            label: column(row, 7)?,
            body: column(row, 8)?,
            sealed: column(row, 9)?,
            checksum: column(row, 10)?,
        })
    };
    Ok(match raw() {
        Ok(raw) => {
            let what = format!("the row {} ({})", raw.id.escape_debug(), raw.kind.escape_debug());
            parse(raw).ok_or(StoreError::Damaged { what })
        }
        Err(rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..)) => {
            Err(StoreError::Damaged { what: "a row".to_owned() })
        }
        Err(error) => return Err(error),
    })
}

fn column<T: FromSql>(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<T> {
    row.get(at)
}

fn parse(raw: Raw) -> Option<Row> {
    let id = |text: Option<String>| -> Option<Option<ObjectId>> {
        text.map(|t| t.parse().ok()).map_or(Some(None), |id| id.map(Some))
    };
    let row = Row {
        id: raw.id.parse().ok()?,
        kind: Kind::from_word(&raw.kind)?,
        place: id(raw.workspace)?.map_or(Place::Site, Place::Workspace),
        owner: id(raw.owner)?,
        version: u64::try_from(raw.version).ok()?,
        created: Timestamp::from_nanos(raw.created),
        updated: Timestamp::from_nanos(raw.updated),
        label: raw.label,
        body: raw.body,
        sealed: raw.sealed.map(|key| key.parse()).transpose().ok()?,
        keys: Vec::new(),
    };
    (checksum(&row) == raw.checksum).then_some(row)
}
