//! The whole of access control on a real directory.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;

use netwatch_entities::AuditQuery;
use netwatch_identity::audit::{self as chain, Head};
use netwatch_identity::link::{SET_UP_LIFE, SIGN_IN_LIFE};
use netwatch_identity::session::IDLE_LIFE;
use netwatch_identity::totp::Enrolment;
use netwatch_model::Timestamp;
use netwatch_model::people::{Action, AuditRecord, LinkPurpose, Outcome, Permission, Session, User};
use netwatch_telemetry::clock::ManualClock;

use super::*;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "correct horse battery staple";
const OTHER: &str = "another unlikely passphrase 7";

struct Setup {
    dir: tempfile::TempDir,
    clock: ManualClock,
}

impl Setup {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: ManualClock::at(Timestamp::from_secs(1_700_000_000)) }
    }

    fn open(&self) -> Access {
        Access::open(self.dir.path(), None, Arc::new(self.clock.clone())).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.dir.path().join(name)).unwrap().permissions().mode() & 0o777
    }
}

fn from(peer: IpAddr) -> PeopleRequest {
    PeopleRequest { peer, browser: "Test".to_owned() }
}

/// The first administrator, `ada`.
fn set_up(access: &Access) -> SignedIn {
    let invited = access.invite().unwrap();
    assert!(invited.set_up);
    access.set_up(&from(PEER), &set_up_with(invited.code.as_str(), PASSWORD)).unwrap()
}

fn set_up_with<'a>(code: &'a str, password: &'a str) -> SetUp<'a> {
    SetUp { code, name: "ada", display_name: None, email: None, password, workspace: Some("Lab") }
}

fn who(access: &Access, secret: &Secret) -> Result<Identity, Refused> {
    access.identify(PEER, Credential::Cookie(secret.as_str()), None).unwrap()
}

fn refusal<T>(result: Result<T, AccessError>) -> Refusal {
    match result.err() {
        Some(AccessError::Refused(refusal)) => refusal,
        Some(other) => panic!("{other}"),
        None => panic!("not refused"),
    }
}

fn log(access: &Access) -> Vec<AuditRecord> {
    access.entities().read(|tx| tx.audit(&AuditQuery { limit: 1000, ..AuditQuery::default() })).unwrap()
}

fn totp_on(access: &Access, secret: &Secret) -> (Enrolment, Secret) {
    let identity = who(access, secret).unwrap();
    let enrolment = access.begin_totp(&identity, PEER, Some(PASSWORD)).unwrap();
    let code = code_of(&enrolment, access);
    let renewed = access.confirm_totp(&identity, PEER, &code).unwrap();
    (enrolment, renewed)
}

fn code_of(enrolment: &Enrolment, access: &Access) -> String {
    netwatch_identity::totp::code_at(enrolment.key.as_str(), access.clock.now()).unwrap()
}

#[test]
fn the_link_makes_the_first_administrator_once() {
    let setup = Setup::new();
    let access = setup.open();
    assert!(access.set_up_needed().unwrap());
    let [one, two] = [access.invite().unwrap(), access.invite().unwrap()];
    assert_eq!(refusal(access.sign_in_by_code(&from(PEER), one.code.as_str())), Refusal::SetUpNeeded);
    let weak = access.set_up(&from(PEER), &set_up_with(one.code.as_str(), "password1234"));
    assert!(matches!(refusal(weak), Refusal::Weak(_)), "the code stays good");
    let signed = access.set_up(&from(PEER), &set_up_with(one.code.as_str(), PASSWORD)).unwrap();
    let identity = who(&access, &signed.secret).unwrap();
    assert!(identity.has(Permission::SiteUsers) && identity.workspace() == Some(access.home()));
    assert_eq!(refusal(access.set_up(&from(PEER), &set_up_with(one.code.as_str(), PASSWORD))), Refusal::LinkGone);
    assert_eq!(refusal(access.set_up(&from(PEER), &set_up_with(two.code.as_str(), PASSWORD))), Refusal::SetUpDone);
    assert_eq!(access.openable(&identity).unwrap()[0].name, "Lab");
    assert!(!access.invite().unwrap().set_up, "later links sign in");
}

#[test]
fn a_link_ends() {
    let setup = Setup::new();
    let access = setup.open();
    let invited = access.invite().unwrap();
    setup.clock.advance(SET_UP_LIFE);
    assert_eq!(refusal(access.set_up(&from(PEER), &set_up_with(invited.code.as_str(), PASSWORD))), Refusal::LinkGone);
    set_up(&access);
    let [late, good] = [access.invite().unwrap(), access.invite().unwrap()];
    assert!(access.sign_in_by_code(&from(PEER), good.code.as_str()).is_ok());
    assert_eq!(refusal(access.sign_in_by_code(&from(PEER), good.code.as_str())), Refusal::LinkGone, "used");
    setup.clock.advance(SIGN_IN_LIFE);
    assert_eq!(refusal(access.sign_in_by_code(&from(PEER), late.code.as_str())), Refusal::LinkGone, "too old");
}

#[test]
fn a_session_outlives_a_restart_and_its_end_does_too() {
    let setup = Setup::new();
    let access = setup.open();
    let secret = set_up(&access).secret;
    drop(access);
    assert_eq!((setup.mode("entities.db"), setup.mode("token")), (0o600, 0o600));
    let bytes = fs::read(setup.dir.path().join("entities.db")).unwrap();
    for hidden in [secret.as_str(), PASSWORD] {
        assert!(!bytes.windows(hidden.len()).any(|w| w == hidden.as_bytes()), "nothing to sign in with is on disk");
    }
    let again = setup.open();
    let identity = who(&again, &secret).unwrap();
    again.sign_out(&identity, PEER).unwrap();
    assert_eq!(again.still_holds(&identity).unwrap(), None);
    drop(again);
    assert_eq!(who(&setup.open(), &secret), Err(Refused::Wrong));
}

#[test]
fn an_idle_session_ends_and_use_keeps_it() {
    let setup = Setup::new();
    let access = setup.open();
    let secret = set_up(&access).secret;
    setup.clock.advance(IDLE_LIFE - Duration::from_secs(1));
    assert!(who(&access, &secret).is_ok());
    setup.clock.advance(IDLE_LIFE - Duration::from_secs(1));
    assert!(who(&access, &secret).is_ok(), "use was written down");
    setup.clock.advance(IDLE_LIFE);
    assert_eq!(who(&access, &secret), Err(Refused::Wrong));
    access.tidy().unwrap();
    assert_eq!(access.entities().read(|tx| tx.count::<Session>(Site)).unwrap(), 0);
}

#[test]
fn name_and_password_sign_in_and_nothing_else_does() {
    let access = Setup::new().open();
    set_up(&access);
    assert!(matches!(access.sign_in(&from(PEER), " ADA", PASSWORD), Ok(Step::In(_))));
    for (name, password) in [("ada", "wrong"), ("bob", PASSWORD), ("ada", ""), ("", ""), ("ada\0", PASSWORD)] {
        let peer = IpAddr::from([10, 0, 0, u8::try_from(name.len() + password.len()).unwrap()]);
        assert_eq!(refusal(access.sign_in(&from(peer), name, password)), Refusal::WrongPassword, "{name:?}");
    }
    let disabled = access.change(|tx| {
        let user = tx.find_by_key::<User>(Site, "name", "ada")?.unwrap().value;
        tx.update(&User { disabled: true, ..user }, None)
    });
    disabled.unwrap();
    assert_eq!(refusal(access.sign_in(&from(PEER), "ada", PASSWORD)), Refusal::WrongPassword);
}

#[test]
fn guessing_is_slowed_down_alike_for_all_names() {
    let access = Setup::new().open();
    set_up(&access);
    let tries = |name: &str, last: u8| {
        let peer = IpAddr::from([192, 0, 2, last]);
        (0..7).map(|_| refusal(access.sign_in(&from(peer), name, "wrong"))).collect::<Vec<_>>()
    };
    let [known, unknown] = [tries("ada", 1), tries("nobody", 2)];
    assert_eq!(known, unknown, "nobody learns whether a user exists");
    assert!(known[..5].iter().all(|r| *r == Refusal::WrongPassword) && matches!(known[5], Refusal::Wait(_)));
    assert!(access.sign_in(&from(PEER), "ada", PASSWORD).is_ok(), "others are not locked out");
}

#[test]
fn a_second_factor_is_asked_for_and_is_good_once() {
    let setup = Setup::new();
    let access = setup.open();
    let (enrolment, renewed) = totp_on(&access, &set_up(&access).secret);
    assert!(who(&access, &renewed).is_ok());
    let ticket = || match access.sign_in(&from(PEER), "ada", PASSWORD).unwrap() {
        Step::SecondFactor { ticket, .. } => ticket,
        Step::In(_) => panic!("signed in without the second factor"),
    };
    let first = ticket();
    let used = code_of(&enrolment, &access);
    assert_eq!(
        refusal(access.second_factor(&from(PEER), first.as_str(), &used)),
        Refusal::WrongCode,
        "used to confirm"
    );
    setup.clock.advance(Duration::from_secs(30));
    let code = code_of(&enrolment, &access);
    assert!(access.second_factor(&from(PEER), first.as_str(), &code).is_ok());
    assert_eq!(refusal(access.second_factor(&from(PEER), first.as_str(), &code)), Refusal::TicketGone);
    let second = ticket();
    assert_eq!(refusal(access.second_factor(&from(PEER), second.as_str(), &code)), Refusal::WrongCode, "same step");
    let recovery = enrolment.recovery[0].as_str();
    assert!(access.second_factor(&from(PEER), second.as_str(), recovery).is_ok());
    setup.clock.advance(Duration::from_secs(600));
    assert_eq!(refusal(access.second_factor(&from(PEER), ticket().as_str(), recovery)), Refusal::WrongCode);
    let late = ticket();
    setup.clock.advance(guard::TICKET_LIFE);
    let code = code_of(&enrolment, &access);
    assert_eq!(refusal(access.second_factor(&from(PEER), late.as_str(), &code)), Refusal::TicketGone);
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    let access = Setup::new().open();
    let here = set_up(&access).secret;
    let Step::In(there) = access.sign_in(&from(PEER), "ada", PASSWORD).unwrap() else { panic!() };
    let identity = who(&access, &here).unwrap();
    let wrong = access.change_password(&identity, PEER, Some("wrong"), OTHER);
    assert_eq!(refusal(wrong), Refusal::NeedsPassword);
    assert_eq!(refusal(access.change_password(&identity, PEER, None, OTHER)), Refusal::NeedsPassword);
    let renewed = access.change_password(&identity, PEER, Some(PASSWORD), OTHER).unwrap();
    assert_eq!(who(&access, &here), Err(Refused::Wrong), "the old reference is worth nothing");
    assert_eq!(who(&access, &there.secret), Err(Refused::Wrong));
    assert!(who(&access, &renewed).is_ok());
    assert_eq!(refusal(access.sign_in(&from(PEER), "ada", PASSWORD)), Refusal::WrongPassword);
}

#[test]
fn a_reset_link_sets_a_password_once() {
    let access = Setup::new().open();
    let signed = set_up(&access);
    let user = signed.session.user;
    let purpose = |user: &User| Ok(LinkPurpose::ResetPassword { user: user.id });
    let (_, code) = access.user_link(user, purpose, By::system()).unwrap();
    assert_eq!(refusal(access.sign_in_by_code(&from(PEER), code.as_str())), Refusal::LinkGone, "for another purpose");
    assert!(matches!(refusal(access.reset_password(PEER, code.as_str(), "short")), Refusal::Weak(_)));
    access.reset_password(PEER, code.as_str(), OTHER).unwrap();
    assert_eq!(refusal(access.reset_password(PEER, code.as_str(), OTHER)), Refusal::LinkGone);
    assert_eq!(who(&access, &signed.secret), Err(Refused::Wrong));
    assert!(access.sign_in(&from(PEER), "ada", OTHER).is_ok());
}

#[test]
fn registration_is_off_and_gives_no_rights_when_it_is_on() {
    let access = Setup::new().open();
    set_up(&access);
    let register = || access.register(PEER, "eve", None, "eve@example.org", OTHER);
    assert_eq!(refusal(register()), Refusal::RegistrationOff);
    access.set_registration(Registration { enabled: true, require_verified_email: true });
    register().unwrap();
    assert_eq!(refusal(register()), Refusal::Taken("user name"));
    let Step::In(signed) = access.sign_in(&from(PEER), "eve", OTHER).unwrap() else { panic!() };
    let eve = who(&access, &signed.secret).unwrap();
    assert!(eve.permissions().is_empty() && eve.workspace().is_none());
    let named = access.identify(PEER, Credential::Cookie(signed.secret.as_str()), Some(access.home())).unwrap();
    assert_eq!(named, Err(Refused::NoWorkspace), "a foreign workspace is one that does not exist");
}

#[test]
fn the_log_tells_everything_but_secrets() {
    let access = Setup::new().open();
    let (enrolment, _) = totp_on(&access, &set_up(&access).secret);
    let _refused = refusal(access.sign_in(&from(PEER), PASSWORD, "typed into the wrong field"));
    let records = log(&access);
    chain::verify(Head::default(), &records).unwrap();
    let did = |action, outcome| records.iter().any(|r| r.action == action && r.outcome == outcome);
    for action in [Action::SetUpDone, Action::MemberAdded, Action::SignIn, Action::TotpEnabled] {
        assert!(did(action, Outcome::Done), "{action}");
    }
    assert!(did(Action::SignIn, Outcome::Refused));
    let text = serde_json::to_string(&records).unwrap();
    for secret in [PASSWORD, "wrong field", enrolment.key.as_str(), "argon2"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn the_token_is_kept_and_a_weak_one_is_refused() {
    let setup = Setup::new();
    let path = setup.dir.path().join("token");
    drop(setup.open());
    let drawn = fs::read_to_string(&path).unwrap();
    let access = setup.open();
    let local = access.identify(PEER, Credential::Token(drawn.trim()), None).unwrap().unwrap();
    assert!(*local.who() == Who::Local && local.has(Permission::SiteUsers));
    assert_eq!(access.identify(PEER, Credential::Cookie(drawn.trim()), None).unwrap(), Err(Refused::Wrong));
    for weak in ["", "short", "sixteen letters with spaces"] {
        let dir = tempfile::tempdir().unwrap();
        let error = Access::open(dir.path(), Some(weak), Arc::new(setup.clock.clone())).err().expect(weak);
        assert!(error.to_string().contains("NETWATCH_TOKEN"), "{error}");
    }
}

#[test]
fn wrong_tokens_are_slowed_down() {
    let access = Setup::new().open();
    let ask = |text: &str| access.identify(PEER, Credential::Token(text), None).unwrap();
    for i in 0..60 {
        assert_eq!(ask(&format!("wrong-{i}")), Err(Refused::Wrong));
    }
    assert!(matches!(ask("one-more"), Err(Refused::Wait(_))));
    assert_eq!(ask("wrong-59"), Err(Refused::Wrong), "a known wrong one guesses nothing");
}

#[test]
fn a_mapping_fills_no_workspace_over_its_limit() {
    use netwatch_entities::Site;
    use netwatch_identity::external::{ExternalLogin, RoleRule};
    use netwatch_model::people::{BuiltInRole, ExternalIdentity, Limits, Membership, Role, Workspace};

    let setup = Setup::new();
    let access = setup.open();
    set_up(&access);
    let home = access.home();
    let limits = Limits { members: Some(1), ..Limits::default() };
    let limited = move |tx: &netwatch_entities::Writing<'_>| {
        let before = tx.get::<Workspace>(Site, home)?.value;
        tx.update(&Workspace { limits, ..before }, None).map(drop)
    };
    access.entities().write(access.clock.now(), limited).unwrap();
    let role = Role::BuiltIn(BuiltInRole::Viewer);
    let rule = RoleRule { claim: "groups".to_owned(), value: "net".to_owned(), workspace: home, role };
    let login = ExternalLogin {
        identity: ExternalIdentity { issuer: "https://id.example".to_owned(), subject: "7".to_owned() },
        preferred_name: Some("grace".to_owned()),
        display_name: None,
        email: None,
        email_verified: false,
        claims: [("groups".to_owned(), vec!["net".to_owned()])].into(),
    };
    let rules = external::ExternalRules { provision: true, roles: vec![rule] };
    let signed = access.sign_in_external(&from(PEER), login, rules).unwrap();
    assert_eq!(signed.session.workspace, None, "they are in, and nowhere");
    assert_eq!(access.entities().read(|tx| tx.count::<Membership>(home)).unwrap(), 1);
    let log = log(&access);
    let refused = log.iter().find(|r| r.action == Action::MemberAdded && r.outcome == Outcome::Refused).unwrap();
    assert_eq!((refused.workspace, refused.object.name.raw()), (Some(home), "grace"));
}
