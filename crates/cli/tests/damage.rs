//! Every file of a data directory damaged, one at a time, under the whole server: it starts, or says what to put back; twice the same.
//!
//! What was acknowledged is in the log and in history; so damage to one file of either costs nothing that the other still has. Only
//! what came last, and is in the log alone, can be lost, and no more than the damaged part of it; and that is told.
//! `NETWATCH_TEST_DAMAGES=all` tries each kind of damage on each file; else each file gets one of them, and the newest segment of the
//! log, which alone can lose something, gets all.

#[path = "support/durable.rs"]
mod durable;
#[path = "support/ledger.rs"]
mod ledger;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use durable::{House, Refused, Running, say};
use ledger::{Ledger, Moment};

/// Ways to damage a file.
const WAYS: [&str; 7] = ["half", "empty", "flip first", "flip quarter", "flip middle", "flip last", "random"];
/// Files that nothing replaces: without them nobody knows who may come in.
const IRREPLACEABLE: [&str; 3] = ["entities.db", "entities.db-wal", "secrets.key"];

/// Records of the largest batch.
const BATCH: usize = 30;

/// A data directory, and what was acknowledged.
struct Template {
    data: PathBuf,
    /// The newest segment of the log: it has what history has not.
    newest: PathBuf,
    ledger: Ledger,
    moment: Moment,
}

impl Template {
    /// Some of it is in history and in the log, the last in the log alone, because the server was killed.
    fn new(folder: &Path) -> Self {
        let data = folder.join("template");
        let (house, ledger) = (House::new(data.clone(), folder), Ledger::default());
        for is_last in [false, true] {
            let server = house.up();
            ledger.send(&server, || ledger.wait_for(&server, 40));
            if is_last { server.crash() } else { server.stop() }
        }
        let moment = ledger.now();
        let mut template = Self { data, newest: PathBuf::new(), ledger, moment };
        let segments = template.files().into_iter().filter(|file| file.extension().is_some_and(|e| e == "seg"));
        template.newest = segments.max().expect("a log");
        template
    }

    /// Every file below the directory, in order.
    fn files(&self) -> Vec<PathBuf> {
        let output = Command::new("find").args([".", "-type", "f"]).current_dir(&self.data).output().unwrap();
        let mut files: Vec<PathBuf> = String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect();
        files.sort();
        files
    }

    /// A copy with that file damaged in that way is started twice. Gives a line that tells what came of it.
    fn check(&self, file: &Path, way: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let house = House::new(folder.path().join("data"), folder.path());
        let copied = Command::new("cp").arg("-a").arg(&self.data).arg(&house.data).status().unwrap();
        assert!(copied.success());
        damage(&house.data.join(file), way);
        let what = format!("{} {way}", file.display());
        let outcome = match house.start() {
            Ok(server) => self.started(&house, server, file, way),
            Err(refused) => {
                let name = file.file_name().unwrap().to_str().unwrap();
                assert!(IRREPLACEABLE.contains(&name), "{what}: {refused:?}");
                let again = house.start().err().unwrap_or_else(|| panic!("{what}: it starts the second time"));
                assert_eq!((refused.code, again.code), (Some(1), Some(1)), "{what}: {refused:?} {again:?}");
                for Refused { err, .. } in [&refused, &again] {
                    let helps = err.contains("netwatch restore") || err.contains("put back the copy");
                    assert!(helps && err.contains(name) && !err.contains("panicked"), "{what}: {err}");
                }
                "refuses and says what to do".to_owned()
            }
        };
        format!("{what}: {outcome}")
    }

    /// What is lost and told when it starts.
    fn started(&self, house: &House, server: Running, file: &Path, way: &str) -> String {
        let told = told(&server);
        server.stop();
        let server = house.up();
        let is_newest = file == self.newest;
        if !is_newest {
            // Damage inside a file is found when it is read; then the file is made anew from the log.
            server.until("whole again", |server| self.ledger.missing(server, &self.moment).is_empty());
        }
        let lost = self.ledger.missing(&server, &self.moment).len();
        server.stop();
        let what = format!("{} {way}: lacks {lost}, tells {told:?}\n{}", file.display(), house.said());
        match way {
            _ if !is_newest => {}
            // The batch that was hit.
            "flip first" | "flip quarter" | "flip middle" | "flip last" => assert!(lost <= BATCH, "{what}"),
            _ => {}
        }
        let is_store = file.extension().is_some_and(|e| e == "duckdb");
        if is_store && matches!(way, "half" | "empty" | "random") {
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(told.iter().any(|(subject, _)| subject == name), "{what}");
        }
        if is_newest && lost > 0 {
            assert!(told.iter().any(|(subject, _)| subject == "ingest log"), "{what}");
        }
        format!("starts, lacks {lost}, {} events", told.len())
    }
}

/// Subject and text of what the server tells of damage.
fn told(server: &Running) -> Vec<(String, String)> {
    let page = server.ask("/api/v1/events?limit=500");
    let damage = page["items"].as_array().unwrap().iter().filter(|e| e["kind"] == "store_damaged");
    damage.map(|e| ["subject", "text"].map(|k| e[k].as_str().unwrap().to_owned()).into()).collect()
}

fn damage(path: &Path, way: &str) {
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len().saturating_sub(1);
    let flip = |bytes: &mut Vec<u8>, at: usize| {
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 0x40;
        }
    };
    match way {
        "half" => bytes.truncate(bytes.len() / 2),
        "empty" => bytes.clear(),
        "flip first" => flip(&mut bytes, 3.min(last)),
        "flip quarter" => flip(&mut bytes, last / 4),
        "flip middle" => flip(&mut bytes, last / 2),
        "flip last" => flip(&mut bytes, last),
        _ => (0..bytes.len()).for_each(|n| bytes[n] = ((n * 2_654_435_761) >> 13) as u8),
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn damage_of_any_file_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let template = Template::new(folder.path());
    let all = std::env::var("NETWATCH_TEST_DAMAGES").is_ok_and(|text| text == "all");
    for (n, file) in template.files().iter().enumerate() {
        let ways = if all || *file == template.newest { WAYS.len() } else { 1 };
        for way in WAYS.iter().cycle().skip(n * 2).take(ways) {
            say(&template.check(file, way));
        }
    }
}
