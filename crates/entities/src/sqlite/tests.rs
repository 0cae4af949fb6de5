use super::*;

/// A later Netwatch, which knows one format more.
const LATER: Formats =
    Formats(&[schema::FIRST, schema::SECOND, schema::THIRD, "CREATE TABLE later (id TEXT PRIMARY KEY) STRICT"]);
/// One whose new step cannot work.
const BROKEN: Formats = Formats(&[
    schema::FIRST,
    schema::SECOND,
    schema::THIRD,
    "CREATE TABLE other (id TEXT); CREATE TABLE objects (id TEXT)",
]);
/// The first Netwatch.
const EARLIER: Formats = Formats(&[schema::FIRST]);

fn format_of(path: &Path) -> Option<u32> {
    schema::format_of(&connect::connect(path, false).unwrap()).unwrap()
}

#[test]
fn an_older_format_is_brought_up_to_date_after_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    let [path, copy] = ["entities.db", "copy.db"].map(|name| dir.path().join(name));
    drop(SqliteStore::open(&path, &copy, "").unwrap());
    assert!(!copy.exists(), "nothing is copied when nothing changes");
    drop(SqliteStore::open_with(LATER, &path, &copy, "").unwrap());
    assert_eq!((format_of(&path), format_of(&copy)), (Some(4), Some(3)));
}

#[test]
fn the_first_format_is_brought_up_to_date_with_what_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let [path, copy] = ["entities.db", "copy.db"].map(|name| dir.path().join(name));
    drop(SqliteStore::open_with(EARLIER, &path, &copy, "").unwrap());
    let rows = "INSERT INTO audit VALUES (1, 0, NULL, NULL, 'a', 'o', 'done', '', x'00', 0)";
    connect::connect(&path, true).unwrap().execute_batch(rows).unwrap();
    drop(SqliteStore::open(&path, &copy, "").unwrap());
    assert_eq!((format_of(&path), format_of(&copy)), (Some(3), Some(1)));
    let kept = connect::connect(&path, false).unwrap().query_row("SELECT count(*) FROM audit", [], |row| row.get(0));
    assert_eq!(kept, Ok(1_i64));
}

#[test]
fn a_newer_format_is_refused_by_its_number_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let [path, copy] = ["entities.db", "copy.db"].map(|name| dir.path().join(name));
    drop(SqliteStore::open_with(LATER, &path, &copy, "").unwrap());
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path, &copy, "").err().unwrap();
    assert!(matches!(error, OpenError::Newer { found: 4, known: 3, .. }), "{error}");
    assert!(error.to_string().contains("has format 4"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_step_that_fails_leaves_the_old_format_and_names_the_copy() {
    let dir = tempfile::tempdir().unwrap();
    let [path, copy] = ["entities.db", "copy.db"].map(|name| dir.path().join(name));
    drop(SqliteStore::open(&path, &copy, "").unwrap());
    let error = SqliteStore::open_with(BROKEN, &path, &copy, "").err().unwrap().to_string();
    assert!(error.contains("unchanged") && error.contains("copy.db"), "{error}");
    assert_eq!((format_of(&path), format_of(&copy)), (Some(3), Some(3)));
    drop(SqliteStore::open(&path, &copy, "").unwrap());
}

#[test]
fn the_database_is_durable_and_has_one_writer_that_starts_late() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entities.db");
    let store = SqliteStore::open(&path, &path, "").unwrap();
    let ours = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim() == "nw-entities").count()
    };
    let before = ours();
    let pragmas = store.writer.run(|connection| {
        ["synchronous", "foreign_keys", "busy_timeout"]
            .map(|name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap())
    });
    assert_eq!(pragmas.unwrap(), [2, 1, 5000], "FULL, on, five seconds");
    assert!(ours() > before, "the writer has started now");
    assert!(rusqlite::version_number() >= 3_051_003);
}

#[test]
fn a_page_is_found_by_an_index_and_never_sorted() {
    use crate::kind::Kind;
    use crate::object::{ListQuery, Mark, ObjectId, Order, Place};

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entities.db");
    drop(SqliteStore::open(&path, &path, "").unwrap());
    let connection = connect::connect(&path, false).unwrap();
    let mark = Mark { label: "m".to_owned(), created: Timestamp::ZERO, id: ObjectId(7) };
    let plan_of = |place, query: &ListQuery| {
        let (sql, values) = tx::list_statement(Kind::User, place, query);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        plan.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    for place in [Place::Site, Place::Workspace(ObjectId(1))] {
        for order in [Order::Label, Order::Oldest, Order::Newest] {
            let query = ListQuery { order, after: Some(mark.clone()), limit: 50, ..ListQuery::default() };
            let plan = plan_of(place, &query);
            assert!(plan.contains("USING INDEX objects_by_") && !plan.contains("TEMP B-TREE"), "{order:?}: {plan}");
        }
        // A search looks at many labels and reads few rows.
        let search = ListQuery { search: Some("m".to_owned()), limit: 50, ..ListQuery::default() };
        let plan = plan_of(place, &search);
        assert!(plan.contains("USING COVERING INDEX objects_by_label"), "{plan}");
    }
}
