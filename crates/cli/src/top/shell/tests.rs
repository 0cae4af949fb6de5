//! The terminal after a panic: this test runs itself again in a terminal of its own, and panics there.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::with_terminal;

const CHILD: &str = "NETWATCH_TEST_PANICS";
const NAME: &str = "top::shell::tests::a_panic_puts_the_terminal_back_before_it_prints";

#[test]
fn a_panic_puts_the_terminal_back_before_it_prints() {
    if std::env::var_os(CHILD).is_some() {
        let _ = with_terminal(|_| panic!("on purpose"));
        return;
    }
    let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&own).unwrap();
    unlockpt(&own).unwrap();
    let name = ptsname(&own, Vec::new()).unwrap();
    let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let before = tcgetattr(&theirs).unwrap().local_modes;
    let side = || Stdio::from(theirs.try_clone().unwrap());
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", NAME, "--nocapture"]).env(CHILD, "1").env("RUST_BACKTRACE", "0");
    let mut child = again.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
    drop(again);
    // Kept open to the end: a terminal whose other side is closed tells nothing of its modes.
    let mut screen = File::from(own);
    let seen = read_until(&mut screen, "FAILED");
    assert!(!child.wait().unwrap().success());
    let at = |what: &str| seen.find(what).unwrap_or_else(|| panic!("no {what:?} in {seen:?}"));
    assert!(at("\x1b[?1049h") < at("\x1b[?1049l") && at("\x1b[?1049l") < at("on purpose"), "{seen:?}");
    let after = tcgetattr(&theirs).unwrap().local_modes;
    assert!(before.contains(LocalModes::ICANON | LocalModes::ECHO), "a terminal begins so");
    assert_eq!(after, before);
}

/// What is drawn up to and with `last`.
fn read_until(screen: &mut File, last: &str) -> String {
    let (mut seen, mut buffer) = (String::new(), [0; 4096]);
    while !seen.contains(last) {
        let read = screen.read(&mut buffer).unwrap();
        assert!(read > 0, "{seen:?}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    seen
}
