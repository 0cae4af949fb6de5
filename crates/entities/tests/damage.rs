//! What goes wrong with files, disks and processes: it is said, bounded, and never hidden by beginning anew.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the child tells its parent; who reads the output must see a skip"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use netwatch_entities::{DataDirectory, ListQuery, OpenError, Order, Site, StoreError, restore_offline};
use netwatch_model::Timestamp;
use netwatch_model::people::*;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
/// The directory in which a child of the test works.
const CHILD: &str = "NETWATCH_TEST_CHILD_DIRECTORY";

fn user(n: u32) -> User {
    User {
        id: UserId::new(NOW, u128::from(n) << 8),
        name: format!("user{n}").parse().unwrap(),
        display_name: "Ada".parse().unwrap(),
        email: None,
        email_verified: false,
        site_administrator: false,
        disabled: false,
        created: NOW,
        last_sign_in: None,
    }
}

fn add(directory: &DataDirectory, n: u32) -> Result<(), StoreError> {
    directory.entities().write(NOW, move |tx| tx.insert(&user(n)).map(drop))
}

fn users(directory: &DataDirectory) -> Result<Vec<User>, StoreError> {
    let all = ListQuery { order: Order::Oldest, limit: 100_000, ..ListQuery::default() };
    let found = directory.entities().read(|tx| tx.list::<User>(Site, &all))?;
    Ok(found.items.into_iter().map(|u| u.value).collect())
}

/// A directory with users and the copy of the day, closed.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(dir.path(), NOW).unwrap();
    let fill = |tx: &netwatch_entities::Writing<'_>| (0..200).try_for_each(|n| tx.insert(&user(n)).map(drop));
    directory.entities().write(NOW, fill).map_err(|error: StoreError| error.to_string()).unwrap();
    let copy = directory.copy_when_due(NOW).unwrap().expect("a copy is due at the start");
    (dir, copy)
}

#[test]
fn a_damaged_database_is_named_and_the_copy_brings_it_back() {
    let (dir, copy) = filled();
    let path = dir.path().join("entities.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096 * 3..4096 * 4].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    let error = DataDirectory::open(dir.path(), NOW).err().expect("damage is seen");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("netwatch restore") && text.contains(copy.to_str().unwrap()), "{text}");
    assert_eq!(fs::read(&path).unwrap(), bytes, "it is left as it was found");
    let restored = restore_offline(dir.path(), &copy, NOW).unwrap();
    assert_eq!(restored.contents.objects["user"], 200);
    assert_eq!(fs::read(restored.kept.unwrap()).unwrap(), bytes, "and kept");
    assert_eq!(users(&DataDirectory::open(dir.path(), NOW).unwrap()).unwrap().len(), 200);
}

#[test]
fn a_database_that_is_gone_is_not_made_anew() {
    let (dir, _) = filled();
    fs::remove_file(dir.path().join("entities.db")).unwrap();
    let error = DataDirectory::open(dir.path(), NOW).err().unwrap();
    assert!(matches!(error, OpenError::Missing { .. }) && error.to_string().contains("netwatch restore"), "{error}");
    assert!(!dir.path().join("entities.db").exists());
}

#[test]
fn another_file_in_its_place_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entities.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    let error = DataDirectory::open(dir.path(), NOW).err().unwrap();
    assert!(matches!(error, OpenError::Foreign(_)), "{error}");
    fs::write(&path, "not a database at all, but long enough to be looked at").unwrap();
    let error = DataDirectory::open(dir.path(), NOW).err().unwrap();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn backups_are_whole_or_refused_and_overwrite_nothing() {
    let (dir, _) = filled();
    let directory = DataDirectory::open(dir.path(), NOW).unwrap();
    let file = dir.path().join("backup.tar");
    let manifest = directory.back_up(&file, NOW).unwrap();
    assert_eq!(netwatch_entities::backup::verify(&file).unwrap(), manifest);
    assert!(matches!(directory.back_up(&file, NOW), Err(OpenError::Exists(_))));
    add(&directory, 1000).unwrap();
    let whole = fs::read(&file).unwrap();
    let bad = dir.path().join("bad.tar");
    for (what, bytes) in [
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("flipped", flip(&whole, whole.len() * 4)),
        ("text", b"hello".repeat(1000)),
    ] {
        fs::write(&bad, bytes).unwrap();
        let error = directory.restore(&bad, NOW).err().unwrap_or_else(|| panic!("{what} is refused"));
        assert!(matches!(error, OpenError::NoBackup { .. }), "{what}: {error}");
        assert_eq!(users(&directory).unwrap().len(), 201, "{what}: nothing has changed");
    }
    let restored = directory.restore(&file, NOW).unwrap();
    assert_eq!((users(&directory).unwrap().len(), restored.contents.objects["user"]), (200, 200));
    add(&directory, 1001).unwrap();
    let later = NOW + Duration::from_secs(1);
    directory.restore(&restored.kept.unwrap(), later).unwrap();
    assert_eq!(users(&directory).unwrap().len(), 201, "the state before the restore was kept");
}

#[test]
fn a_copy_is_made_each_day_and_seven_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(dir.path(), NOW).unwrap();
    let day = Duration::from_secs(24 * 3600);
    for n in 0..10 {
        let now = NOW + day * n;
        assert!(directory.copy_when_due(now).unwrap().is_some(), "day {n}");
        assert!(directory.copy_when_due(now + day / 2).unwrap().is_none(), "half a day later");
    }
    assert_eq!(fs::read_dir(dir.path().join("backups")).unwrap().count(), 7);
    drop(directory);
    let directory = DataDirectory::open(dir.path(), NOW).unwrap();
    assert!(
        directory.copy_when_due(NOW + day * 9 + day / 2).unwrap().is_none(),
        "a restart does not forget the last one"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn a_flipped_bit_changes_nothing_unseen(at in any::<prop::sample::Index>(), cut in proptest::option::weighted(0.1, 0.0..1.0)) {
        static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| fs::read(filled().0.path().join("entities.db")).unwrap());
        let bytes: &[u8] = &WHOLE;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("entities.db");
        let mut bad = flip(bytes, at.index(bytes.len() * 8));
        if let Some(part) = cut {
            // An empty one without copies is a new one.
            bad.truncate(((bytes.len() as f64 * part) as usize).max(1));
        }
        fs::write(&path, &bad).unwrap();
        // Whatever is read is what was written, or an error says that it is not.
        if let Ok(directory) = DataDirectory::open(dir.path(), NOW)
            && let Ok(found) = users(&directory)
        {
            prop_assert_eq!(found, (0..200).map(user).collect::<Vec<_>>());
            let one = directory.entities().read(|tx| {
                tx.find_by_key::<User>(Site, netwatch_entities::people::keys::NAME, "user7")
            });
            prop_assert!(one.is_err() || one.unwrap().is_some());
        }
    }
}

fn flip(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bad = bytes.to_vec();
    bad[bit / 8] ^= 1 << (bit % 8);
    bad
}

/// Not a test by itself: what the child does until it is killed.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let directory = DataDirectory::open(Path::new(&path), NOW).unwrap();
    let first = u32::try_from(users(&directory).unwrap().len()).unwrap();
    for n in first..u32::MAX {
        add(&directory, n).unwrap();
        println!("acked {n}");
    }
}

#[test]
fn what_was_acked_survives_a_kill_and_only_one_process_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut acked = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut lines =
            out.lines().map_while(Result::ok).filter_map(|line| line.split_once("acked ").map(|(_, n)| n.to_owned()));
        for _ in 0..5 + round * 3 {
            acked = lines.next().expect("the child works").trim().parse::<usize>().unwrap() + 1;
        }
        if round == 0 {
            let error = DataDirectory::open(dir.path(), NOW).err().expect("the child has it");
            assert!(matches!(error, OpenError::InUse(_)), "{error}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acked = lines.last().map_or(acked, |n| n.trim().parse::<usize>().unwrap() + 1);
        let directory = DataDirectory::open(dir.path(), NOW).unwrap();
        let found = users(&directory).unwrap();
        assert!(found.len() >= acked, "{} of {acked} are there", found.len());
        assert_eq!(found, (0..u32::try_from(found.len()).unwrap()).map(user).collect::<Vec<_>>());
        directory.entities().check().unwrap();
    }
}

/// A small file system, unmounted when dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(dir.path()).output();
        mount.is_ok_and(|said| said.status.success()).then_some(Self(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_changes_and_nothing_else() {
    let Some(small) = Small::mount() else {
        eprintln!("SKIPPED: no small file system can be mounted here: run the tests as root");
        return;
    };
    let path = small.0.path();
    let directory = DataDirectory::open(path, NOW).unwrap();
    add(&directory, 0).unwrap();
    let filler = path.join("filler");
    let _full = fs::write(&filler, vec![0; 2 << 20]);
    let mut kept = 1;
    let error = loop {
        match add(&directory, kept) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100_000, "the disk never fills");
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert_eq!(users(&directory).unwrap().len(), kept as usize, "reading goes on");
    assert!(directory.copy_when_due(NOW).is_err(), "a copy does not fit");
    fs::remove_file(&filler).unwrap();
    add(&directory, kept).unwrap();
    drop(directory);
    let directory = DataDirectory::open(path, NOW).unwrap();
    assert_eq!(users(&directory).unwrap().len(), kept as usize + 1);
}
