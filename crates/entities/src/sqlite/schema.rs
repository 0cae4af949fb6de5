//! The format of the database, and how older formats become the present one.
//!
//! `application_id` says whose file it is, `user_version` which format it has. Each step is one transaction together with the new number.

use rusqlite::Connection;

/// `NWEN`: an entity database of Netwatch.
pub(super) const APPLICATION: i32 = 0x4e57_454e;
/// Formats, oldest first: what makes format n+1 of format n. The first makes format 1 of nothing.
#[derive(Clone, Copy)]
pub(super) struct Formats(pub(super) &'static [&'static str]);

/// The formats that this Netwatch knows.
pub(super) const KNOWN: Formats = Formats(&[FIRST, SECOND, THIRD]);

pub(super) const FIRST: &str = "
CREATE TABLE objects (
    id        TEXT PRIMARY KEY,
    kind      TEXT NOT NULL,
    workspace TEXT REFERENCES objects (id) ON DELETE CASCADE,
    owner     TEXT REFERENCES objects (id) ON DELETE CASCADE,
    version   INTEGER NOT NULL CHECK (version > 0),
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    label     TEXT NOT NULL,
    body      BLOB NOT NULL,
    sealed    TEXT,
    checksum  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_by_label ON objects (kind, workspace, label, id);
CREATE INDEX objects_by_time ON objects (kind, workspace, created, id);
CREATE INDEX objects_by_workspace ON objects (workspace) WHERE workspace IS NOT NULL;
CREATE INDEX objects_by_owner ON objects (owner, kind, id) WHERE owner IS NOT NULL;
CREATE INDEX objects_sealed ON objects (sealed) WHERE sealed IS NOT NULL;

CREATE TABLE keys (
    kind   TEXT NOT NULL,
    name   TEXT NOT NULL,
    scope  TEXT NOT NULL,
    value  TEXT NOT NULL,
    object TEXT NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (kind, name, scope, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_object ON keys (object);

CREATE TABLE audit (
    sequence  INTEGER PRIMARY KEY,
    time      INTEGER NOT NULL,
    workspace TEXT,
    user      TEXT,
    action    TEXT NOT NULL,
    object    TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    text      TEXT NOT NULL,
    body      BLOB NOT NULL,
    checksum  INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_by_workspace ON audit (workspace, sequence);
CREATE INDEX audit_by_user ON audit (user, sequence);
CREATE INDEX audit_by_object ON audit (object, sequence);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit records are never changed'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit records are never removed'); END;
";

/// Nothing is laid out anew: from here on there are kinds that a Netwatch of the first format would take for damage.
pub(super) const SECOND: &str = "-- saved views, settings of storage, address ranges";

/// The same: probes, agents and their tokens.
pub(super) const THIRD: &str = "-- probes, agents, enrolment tokens";

/// The format of a database; none when it is not ours. An empty file has format 0.
pub(super) fn format_of(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (application, format) = (number("application_id")?, number("user_version")?);
    Ok(match (application, tables) {
        (APPLICATION, _) => u32::try_from(format).ok(),
        (0, 0) if format == 0 => Some(0),
        _ => None,
    })
}

impl Formats {
    /// The newest one.
    pub(super) fn newest(self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Brings a database of format `from` to the newest one.
    pub(super) fn migrate(self, connection: &mut Connection, from: u32) -> rusqlite::Result<()> {
        for (step, to) in self.0.iter().zip(1_u32..).skip(from as usize) {
            let tx = connection.transaction()?;
            tx.execute_batch(step)?;
            tx.pragma_update(None, "application_id", APPLICATION)?;
            tx.pragma_update(None, "user_version", to)?;
            tx.commit()?;
        }
        Ok(())
    }
}
