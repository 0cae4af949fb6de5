//! The direction of dependencies: edges point downward, engines do not know each other, and heavy things stay upstairs.
//!
//! Our own edges are read from the manifests, what stands behind them from `Cargo.lock`. Limits: the lock file knows no features,
//! so that a runtime behind an optional feature of a library counts as if it were switched on.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::Violation;
use crate::tree::Tree;

/// Where a crate stands in the house (ARCHITECTURE.md). A crate may use its own and other packages' public parts as below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Room {
    /// The words.
    Model,
    /// Pure helpers beside it.
    Leaf,
    /// Observes; knows no other engine.
    Engine,
    /// Decides or remembers, for the server alone; knows no other engine.
    Keeper,
    /// The log on disk that agent and server share.
    Log,
    /// The contract.
    Contract,
    /// Runs collectors and speaks to the server; never touches a store.
    Agent,
    /// Remembers and answers; never observes.
    Server,
    /// Joins everything.
    Binary,
    /// Helps tests: a development dependency only.
    Testkit,
    /// Tools of the developers.
    Tool,
}

const ROOMS: &[(&str, Room)] = &[
    ("model", Room::Model),
    ("wire", Room::Leaf),
    ("privilege", Room::Leaf),
    ("telemetry", Room::Leaf),
    ("egress", Room::Leaf),
    ("capture", Room::Engine),
    ("probes", Room::Engine),
    ("entities", Room::Keeper),
    ("identity", Room::Keeper),
    ("storage", Room::Keeper),
    ("spool", Room::Log),
    ("api", Room::Contract),
    ("agent", Room::Agent),
    ("server", Room::Server),
    ("cli", Room::Binary),
    ("testkit", Room::Testkit),
    ("bench", Room::Tool),
    ("fuzz", Room::Tool),
    ("xtask", Room::Tool),
];

/// Async runtimes and their cores: not behind the pure crates.
const RUNTIMES: &[&str] =
    &["tokio", "async-std", "smol", "async-executor", "async-io", "mio", "futures-executor", "glommio"];
const WITHOUT_RUNTIME: &[&str] = &["model", "wire", "privilege"];

/// HTTP, gRPC and WebSocket: not behind leaves and engines, but for the probes, which measure HTTP.
const PROTOCOLS: &[&str] = &[
    "http",
    "hyper",
    "axum",
    "tower-http",
    "reqwest",
    "ureq",
    "h2",
    "tonic",
    "tungstenite",
    "tokio-tungstenite",
    "actix-web",
    "warp",
];

/// SQL: behind the two stores alone.
const DATABASES: &[&str] = &["rusqlite", "sqlx", "sea-orm", "duckdb", "postgres", "clickhouse"];

/// Never, anywhere: one crypto provider (ring) is enough, and these need C libraries or tool chains.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "pcap"];

impl Room {
    /// Whether a crate of this room may depend on one of `other`.
    const fn may_use(self, other: Self) -> bool {
        use Room::{Agent, Binary, Contract, Engine, Keeper, Leaf, Log, Model, Server, Testkit, Tool};
        match self {
            Model => false,
            Leaf => matches!(other, Model),
            Engine | Keeper | Log | Testkit => matches!(other, Model | Leaf),
            Contract => matches!(other, Model),
            Agent => matches!(other, Model | Leaf | Engine | Log | Contract),
            Server => matches!(other, Model | Leaf | Keeper | Log | Contract),
            Binary => matches!(other, Model | Leaf | Engine | Keeper | Log | Contract | Agent | Server),
            Tool => true,
        }
    }
}

struct Manifest<'a> {
    path: &'a str,
    text: &'a str,
    table: Table,
}

/// Edges between our crates point downward, and every crate has a room.
pub fn direction(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for manifest in manifests(tree) {
        let Some(room) = room_of(manifest.name()) else {
            found.push(Violation::new(
                manifest.path,
                0,
                "this crate has no room: add it to ROOMS and to ARCHITECTURE.md",
            ));
            continue;
        };
        for (is_development, name) in manifest.dependencies() {
            let Some(other) = own_name(&name).and_then(room_of) else { continue };
            // A crate may name itself, to switch features of its own on for its tests.
            let is_test_help = is_development && (other == Room::Testkit || own_name(&name) == Some(manifest.name()));
            if !is_test_help && !room.may_use(other) {
                let message = format!("{} ({room:?}) must not depend on {name} ({other:?})", manifest.name());
                found.push(Violation::new(manifest.path, manifest.line_of(&name), message));
            }
        }
    }
    found
}

/// The pure crates have no async runtime behind them.
pub fn no_runtime_in_leaves(tree: &Tree) -> Vec<Violation> {
    banned_behind(tree, |name| WITHOUT_RUNTIME.contains(&name), RUNTIMES, "an async runtime")
}

/// Leaves and engines know no HTTP, gRPC or WebSocket; SQL is known to the two stores alone.
pub fn no_protocols_below_api(tree: &Tree) -> Vec<Violation> {
    let is_below = |name: &str| {
        room_of(name)
            .is_some_and(|room| matches!(room, Room::Model | Room::Leaf | Room::Engine | Room::Keeper | Room::Log))
    };
    let is_no_probe = |name: &str| is_below(name) && name != "probes";
    let mut found = banned_behind(tree, is_no_probe, PROTOCOLS, "a protocol of the floors above");
    let has_no_sql = |name: &str| is_below(name) && !matches!(name, "entities" | "storage");
    found.extend(banned_behind(tree, has_no_sql, DATABASES, "a database, which only the stores know"));
    found
}

/// What nothing may pull in.
pub fn banned_everywhere(tree: &Tree) -> Vec<Violation> {
    let lock = Lock::read(tree);
    BANNED
        .iter()
        .filter(|name| lock.edges.contains_key(**name))
        .map(|name| {
            Violation::new(
                "Cargo.lock",
                0,
                format!("`{name}` is banned (deny.toml): find what pulls it in with `cargo tree -i {name}`"),
            )
        })
        .collect()
}

fn banned_behind(tree: &Tree, applies: impl Fn(&str) -> bool, banned: &[&str], what: &str) -> Vec<Violation> {
    let lock = Lock::read(tree);
    let mut found = Vec::new();
    for manifest in manifests(tree).filter(|manifest| applies(manifest.name())) {
        for (_, name) in manifest.dependencies().into_iter().filter(|(is_development, _)| !is_development) {
            for bad in lock.behind(&name).iter().filter(|name| banned.contains(&name.as_str())) {
                let message = format!("{} has {what} behind it: {name} pulls in `{bad}`", manifest.name());
                found.push(Violation::new(manifest.path, manifest.line_of(&name), message));
            }
        }
    }
    found
}

fn room_of(name: &str) -> Option<Room> {
    ROOMS.iter().find(|(room, _)| *room == name).map(|(_, room)| *room)
}

fn own_name(package: &str) -> Option<&str> {
    package.strip_prefix("netwatch-")
}

fn manifests(tree: &Tree) -> impl Iterator<Item = Manifest<'_>> {
    tree.files().filter(|(path, _)| path.ends_with("/Cargo.toml")).filter_map(|(path, text)| {
        let table: Table = text.parse().ok()?;
        table.contains_key("package").then_some(Manifest { path, text, table })
    })
}

impl Manifest<'_> {
    /// The name of the folder that holds the crate, which is also its role.
    fn name(&self) -> &str {
        self.path.rsplit('/').nth(1).unwrap_or("")
    }

    /// Direct dependencies of all targets: whether one is for development only, and its package name.
    fn dependencies(&self) -> Vec<(bool, String)> {
        let targets = self.table.get("target").and_then(Value::as_table);
        let tables = targets.into_iter().flat_map(|targets| targets.values().filter_map(Value::as_table));
        tables.chain([&self.table]).flat_map(Self::direct).collect()
    }

    fn direct(table: &Table) -> Vec<(bool, String)> {
        let kinds = [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
        let named = |(kind, is_development): (&str, bool)| {
            let entries = table.get(kind).and_then(Value::as_table).into_iter().flatten();
            entries.map(move |(key, value)| (is_development, package_name(key, value))).collect::<Vec<_>>()
        };
        kinds.into_iter().flat_map(named).collect()
    }

    fn line_of(&self, package: &str) -> usize {
        self.text.lines().position(|line| line.trim_start().starts_with(package)).map_or(0, |index| index + 1)
    }
}

fn package_name(key: &str, value: &Value) -> String {
    value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()
}

/// What build scripts alone use, which the lock file does not tell apart: package, and what its script pulls in.
const IN_BUILD_SCRIPTS: &[(&str, &str)] = &[("libduckdb-sys", "ureq")];

/// Which package pulls in which, by name: versions do not matter here.
struct Lock {
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Lock {
    fn read(tree: &Tree) -> Self {
        let table: Table = tree.get("Cargo.lock").and_then(|text| text.parse().ok()).unwrap_or_default();
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in table.get("package").and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = package.get("name").and_then(Value::as_str) else { continue };
            let used = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
            let used = used.filter_map(|entry| entry.as_str()?.split(' ').next().map(str::to_owned));
            let used = used.filter(|used| !IN_BUILD_SCRIPTS.contains(&(name, used)));
            edges.entry(name.to_owned()).or_default().extend(used);
        }
        Self { edges }
    }

    /// `name` and everything that it pulls in; our own crates are left out, because they are checked by themselves.
    fn behind(&self, name: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![name.to_owned()];
        while let Some(name) = waiting.pop() {
            if own_name(&name).is_none() && seen.insert(name.clone()) {
                waiting.extend(self.edges.get(&name).into_iter().flatten().cloned());
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    const CAPTURE: &str = "crates/capture/Cargo.toml";

    #[test]
    fn an_edge_upward_or_sideways_is_found() {
        let text = "[package]\nname = \"netwatch-capture\"\n[dependencies]\nnetwatch-model.workspace = true\nnetwatch-api.workspace = true\n[dev-dependencies]\nnetwatch-testkit.workspace = true\n";
        assert_finds(direction, &[(CAPTURE, text)], &[(CAPTURE, 5)]);
        let text = "[package]\nname = \"netwatch-server\"\n[dependencies]\nnetwatch-testkit.workspace = true\n";
        assert_finds(direction, &[("crates/server/Cargo.toml", text)], &[("crates/server/Cargo.toml", 4)]);
    }

    #[test]
    fn a_crate_without_a_room_is_found() {
        assert_finds(
            direction,
            &[("crates/attic/Cargo.toml", "[package]\nname = \"netwatch-attic\"\n")],
            &[("crates/attic/Cargo.toml", 0)],
        );
    }

    #[test]
    fn a_runtime_two_steps_away_is_found() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b 1.0.0\"]\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\ndependencies = [\"tokio\"]\n";
        let wire = "[package]\nname = \"netwatch-wire\"\n[dependencies]\na = \"1\"\n";
        assert_finds(
            no_runtime_in_leaves,
            &[("Cargo.lock", lock), ("crates/wire/Cargo.toml", wire)],
            &[("crates/wire/Cargo.toml", 4)],
        );
        assert_finds(no_runtime_in_leaves, &[("Cargo.lock", lock), (CAPTURE, wire)], &[]);
    }

    #[test]
    fn http_in_an_engine_is_found() {
        let text = "[package]\nname = \"netwatch-capture\"\n[target.'cfg(unix)'.dependencies]\nweb = { package = \"hyper\", version = \"1\" }\n";
        assert_finds(no_protocols_below_api, &[(CAPTURE, text)], &[(CAPTURE, 0)]);
    }

    #[test]
    fn a_banned_package_is_found() {
        let lock = "[[package]]\nname = \"openssl-sys\"\nversion = \"1.0.0\"\n";
        assert_finds(banned_everywhere, &[("Cargo.lock", lock)], &[("Cargo.lock", 0)]);
    }
}
