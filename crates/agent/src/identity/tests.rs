//! Who the agent is, from what was said and what is there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

fn token(pin: u8) -> Token {
    format!("nwe1.{}.{}", URL_SAFE_NO_PAD.encode([1; 20]), URL_SAFE_NO_PAD.encode([pin; 32])).parse().unwrap()
}

fn enrolled(pin: u8) -> Enrolled {
    Enrolled {
        server: "a.example:8471".to_owned(),
        pin: Digest::from_bytes([pin; 32]),
        agent: Some(netwatch_model::AgentId(42).to_string()),
        name: "berlin".to_owned(),
        workspace: "home".to_owned(),
        enrolled: Timestamp::from_secs(1_700_000_000),
        deleted: None,
    }
}

#[test]
fn the_key_is_made_once_and_readable_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let home = Home::new(&directory.path().join("data"));
    let digest = home.key().unwrap().digest();
    assert_eq!(home.key().unwrap().digest(), digest);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&home.file(KEY)), mode(home.path())), (0o600, 0o700));
    std::fs::write(home.file(KEY), "garbage").unwrap();
    assert!(matches!(home.key(), Err(IdentityError::Key { .. })));
}

#[test]
fn what_is_said_and_what_is_there_decide_what_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::new(directory.path());
    assert!(matches!(home.begin(Some("a:1"), None), Err(IdentityError::NotEnrolled)));
    assert!(matches!(home.begin(None, Some(token(7))), Err(IdentityError::NoServer)));
    let begin = Begin::Enrol { server: "a:1".to_owned(), token: token(7) };
    assert_eq!(home.begin(Some("a:1"), Some(token(7))).unwrap(), begin);

    home.keep(&enrolled(7)).unwrap();
    let known = |spare_token| Begin::Known { enrolled: enrolled(7), spare_token };
    assert_eq!(home.begin(None, None).unwrap(), known(false));
    assert_eq!(home.begin(Some("a.example:8471"), Some(token(7))).unwrap(), known(true));
    let other = home.begin(Some("b:1"), Some(token(8))).unwrap_err();
    assert!(other.to_string().contains("a.example:8471") && other.to_string().contains("--data-dir"), "{other}");

    let moved = home.begin(Some("b.example:8471"), None).unwrap();
    assert!(matches!(moved, Begin::Known { enrolled, .. } if enrolled.server == "b.example:8471"));
    assert_eq!(home.enrolled().unwrap().unwrap().server, "b.example:8471", "it is kept");
}

#[test]
fn a_deleted_agent_says_so_until_it_is_enrolled_anew_with_another_key() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::new(directory.path());
    let before = home.key().unwrap().digest();
    home.clear_deleted().unwrap();
    assert_eq!(home.key().unwrap().digest(), before, "it was not deleted");
    let deleted = Some(Deleted { time: Timestamp::from_secs(1_700_000_100), message: "by anna".to_owned() });
    home.keep(&Enrolled { deleted, ..enrolled(7) }).unwrap();
    std::fs::create_dir_all(home.file("spool")).unwrap();
    let error = home.begin(Some("a:1"), None).unwrap_err().to_string();
    assert!(error.contains("by anna") && error.contains("2023-11-14"), "{error}");
    assert!(matches!(home.begin(Some("a:1"), Some(token(9))).unwrap(), Begin::Enrol { .. }));
    home.clear_deleted().unwrap();
    assert!(!home.file("spool").exists());
    assert_ne!(home.key().unwrap().digest(), before);
}

#[test]
fn a_damaged_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::new(directory.path());
    std::fs::write(home.file(IDENTITY), "{").unwrap();
    assert!(home.begin(None, None).unwrap_err().to_string().contains("identity.json is damaged"));
}
