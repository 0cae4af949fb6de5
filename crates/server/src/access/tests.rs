//! The whole of access control on a real directory.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;

use netwatch_telemetry::clock::ManualClock;

use super::*;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Setup {
    dir: tempfile::TempDir,
    clock: ManualClock,
}

impl Setup {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: ManualClock::at(Timestamp::from_secs(1_700_000_000)) }
    }

    fn open(&self, token: Option<&str>) -> Access {
        Access::open(self.dir.path(), token, Arc::new(self.clock.clone())).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.dir.path().join(name)).unwrap().permissions().mode() & 0o777
    }
}

fn sign_in(access: &Access) -> Secret {
    let code = access.invite().unwrap();
    access.sign_in(PEER, code.as_str()).unwrap().unwrap().0
}

#[test]
fn a_session_outlives_a_restart_and_its_end_does_too() {
    let setup = Setup::new();
    let secret = sign_in(&setup.open(None));
    assert_eq!((setup.mode("sessions.json"), setup.mode("token")), (0o600, 0o600));
    assert!(!fs::read_to_string(setup.dir.path().join("sessions.json")).unwrap().contains(secret.as_str()));

    let again = setup.open(None);
    let identity = again.identify(PEER, Credential::Cookie(secret.as_str())).unwrap();
    again.sign_out(identity).unwrap();
    assert!(!again.still_holds(identity));
    assert_eq!(setup.open(None).identify(PEER, Credential::Cookie(secret.as_str())), Err(Refused::Wrong));
}

#[test]
fn a_code_is_good_once() {
    let setup = Setup::new();
    let access = setup.open(None);
    let code = access.invite().unwrap();
    assert!(access.sign_in(PEER, code.as_str()).unwrap().is_ok());
    assert_eq!(access.sign_in(PEER, code.as_str()).unwrap().unwrap_err(), Refused::Wrong);
    let late = access.invite().unwrap();
    setup.clock.advance(CODE_LIFE);
    assert_eq!(access.sign_in(PEER, late.as_str()).unwrap().unwrap_err(), Refused::Wrong);
}

#[test]
fn a_guesser_of_codes_has_to_wait() {
    let setup = Setup::new();
    let access = setup.open(None);
    let results: Vec<_> = (0..11).map(|_| access.sign_in(PEER, "0").unwrap().unwrap_err()).collect();
    assert!(results[..10].iter().all(|r| *r == Refused::Wrong));
    assert!(matches!(results[10], Refused::Wait(_)));
    setup.clock.advance(Duration::from_secs(6));
    let code = access.invite().unwrap();
    assert!(access.sign_in(PEER, code.as_str()).unwrap().is_ok());
}

#[test]
fn a_guesser_of_tokens_has_to_wait_but_a_stale_program_locks_nobody_out() {
    let setup = Setup::new();
    let access = setup.open(Some("another-token-of-mine"));
    let right = Credential::Token("another-token-of-mine");
    for _ in 0..1000 {
        assert_eq!(access.identify(PEER, Credential::Token("the-token-of-last-week")), Err(Refused::Wrong));
    }
    assert_eq!(access.identify(PEER, right), Ok(Identity::Token));
    for i in 0..100 {
        let _ = access.identify(PEER, Credential::Token(&format!("guess {i}")));
    }
    assert!(matches!(access.identify(PEER, right), Err(Refused::Wait(_))));
    setup.clock.advance(Duration::from_secs(60));
    assert_eq!(access.identify(PEER, right), Ok(Identity::Token));
}

#[test]
fn the_token_is_drawn_once_or_given_to_a_new_directory() {
    let setup = Setup::new();
    let access = setup.open(None);
    let token = fs::read_to_string(setup.dir.path().join("token")).unwrap();
    assert_eq!(access.identify(PEER, Credential::Token(token.trim())), Ok(Identity::Token));
    assert_eq!(access.identify(PEER, Credential::Token("")), Err(Refused::Wrong));

    let same = setup.open(Some("another-token-of-mine"));
    assert_eq!(same.identify(PEER, Credential::Token("another-token-of-mine")), Err(Refused::Wrong));
    assert_eq!(same.identify(PEER, Credential::Token(token.trim())), Ok(Identity::Token));

    let new = Setup::new();
    let access = new.open(Some("another-token-of-mine"));
    assert_eq!(access.identify(PEER, Credential::Token("another-token-of-mine")), Ok(Identity::Token));
}

#[test]
fn a_weak_or_open_token_is_noticed() {
    let setup = Setup::new();
    let clock = Arc::new(setup.clock.clone());
    for weak in ["", "short", "with a space in the middle", "line\nbreak-line\nbreak"] {
        let error = Access::open(setup.dir.path(), Some(weak), clock.clone()).err().expect(weak).to_string();
        assert!(error.contains("NETWATCH_TOKEN"), "{error}");
    }
    let path = setup.dir.path().join("token");
    fs::write(&path, "a-token-that-is-long-enough\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    setup.open(None);
    assert_eq!(setup.mode("token"), 0o600);
}

#[test]
fn damaged_sessions_sign_everybody_out_and_stop_nothing() {
    let setup = Setup::new();
    let secret = sign_in(&setup.open(None));
    fs::write(setup.dir.path().join("sessions.json"), "{\"version\":1,\"sess").unwrap();
    assert_eq!(setup.open(None).identify(PEER, Credential::Cookie(secret.as_str())), Err(Refused::Wrong));
}
