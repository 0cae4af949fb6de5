//! The service that is shipped grants what the broker keeps, no more, and is as closed as `SECURITY.md` says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use netwatch_privilege::broker::KEPT;
use netwatch_privilege::caps::CapSet;

fn deploy(file: &str) -> PathBuf {
    Path::new("../../deploy").join(file)
}

/// The capabilities that `setting` names in `file`, in one fixed order.
fn granted(file: &str, setting: &str) -> Vec<String> {
    let text = fs::read_to_string(deploy(file)).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix(setting)?.strip_prefix('='));
    let mut names: Vec<_> = lines.flat_map(str::split_whitespace).map(str::to_ascii_lowercase).collect();
    names.sort_unstable();
    names
}

fn names(set: CapSet) -> Vec<String> {
    let mut names: Vec<_> = set.to_string().split(',').map(str::to_owned).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_unit_and_its_drop_in_grant_what_the_broker_keeps() {
    for setting in ["AmbientCapabilities", "CapabilityBoundingSet"] {
        assert_eq!(granted("netwatch.service", setting), names(CapSet::NET_RAW));
        let both = [granted("netwatch.service", setting), granted("processes.conf", setting)].concat();
        let mut both: Vec<_> = both;
        both.sort_unstable();
        assert_eq!(both, names(KEPT));
    }
}

/// `systemd-analyze security` gives 0 to 10; tenths are what it takes as a threshold.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn the_unit_stays_below_its_exposure() {
    for (with_drop_in, limit) in [(false, 17), (true, 22)] {
        let folder = tempfile::tempdir().unwrap();
        let unit = folder.path().join("netwatch.service");
        fs::copy(deploy("netwatch.service"), &unit).unwrap();
        if with_drop_in {
            let beside = folder.path().join("netwatch.service.d");
            fs::create_dir(&beside).unwrap();
            fs::copy(deploy("processes.conf"), beside.join("processes.conf")).unwrap();
        }
        let threshold = format!("--threshold={limit}");
        let Ok(analysis) =
            Command::new("systemd-analyze").args(["security", "--offline=true", &threshold]).arg(&unit).output()
        else {
            eprintln!("SKIPPED, NOT PASSED: the_unit_stays_below_its_exposure needs systemd-analyze");
            return;
        };
        let told = String::from_utf8_lossy(&analysis.stdout);
        assert!(analysis.status.success(), "more exposed than {limit} tenths (drop-in: {with_drop_in}):\n{told}");
        assert!(told.contains("Overall exposure level"), "{told}");
    }
}
