use proptest::prelude::*;

use super::*;

fn vault() -> (tempfile::TempDir, Vault) {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(&dir.path().join("secrets.key")).unwrap();
    (dir, vault)
}

#[test]
fn the_key_file_is_for_its_owner_only_and_read_back() {
    let (dir, vault) = vault();
    let path = dir.path().join("secrets.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (key, sealed) = vault.seal(b"hunter2", b"here").unwrap();
    assert!(!sealed.windows(7).any(|w| w == b"hunter2"));
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let again = Vault::open(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "closed to others");
    assert_eq!(again.open_sealed(key, &sealed, b"here").unwrap().as_slice(), b"hunter2");
}

#[test]
fn a_new_key_seals_and_the_old_one_still_opens() {
    let (dir, vault) = vault();
    let (old, sealed) = vault.seal(b"a", b"x").unwrap();
    let new = vault.add_key().unwrap();
    assert_ne!(old, new);
    assert_eq!(vault.seal(b"a", b"x").unwrap().0, new);
    let again = Vault::open(&dir.path().join("secrets.key")).unwrap();
    assert_eq!(again.current(), new);
    assert_eq!(again.open_sealed(old, &sealed, b"x").unwrap().as_slice(), b"a");
}

#[test]
fn a_lost_key_is_named() {
    let ((_a, one), (_b, other)) = (vault(), vault());
    let (key, sealed) = one.seal(b"a", b"x").unwrap();
    let error = other.open_sealed(key, &sealed, b"x").unwrap_err().to_string();
    assert!(error.contains(&key.to_string()) && error.contains("put back"), "{error}");
}

#[test]
fn a_damaged_key_file_is_refused_with_its_line_and_never_replaced() {
    let (dir, vault) = vault();
    vault.add_key().unwrap();
    let path = dir.path().join("secrets.key");
    let good = fs::read(&path).unwrap();
    for (at, line) in [(12, 1), (3, 1), (74 + 30, 2)] {
        let mut bad = good.clone();
        bad[at] = if bad[at] == b'0' { b'1' } else { b'0' };
        fs::write(&path, &bad).unwrap();
        match Vault::open(&path) {
            Err(VaultError::Malformed { line: found, .. }) => assert_eq!(found, line),
            other => panic!("byte {at}: {other:?}"),
        }
        assert_eq!(fs::read(&path).unwrap(), bad, "the file stays as it was found");
    }
}

proptest! {
    #[test]
    fn what_was_changed_or_moved_does_not_open(secret in proptest::collection::vec(any::<u8>(), 0..200), bit in 0_usize..4096) {
        let (_dir, vault) = vault();
        let (key, sealed) = vault.seal(&secret, b"one").unwrap();
        let opened = vault.open_sealed(key, &sealed, b"one").unwrap();
        prop_assert_eq!(opened.as_slice(), secret.as_slice());
        prop_assert!(vault.open_sealed(key, &sealed, b"two").is_err());
        let mut flipped = sealed.clone();
        let at = bit % (sealed.len() * 8);
        flipped[at / 8] ^= 1 << (at % 8);
        prop_assert!(vault.open_sealed(key, &flipped, b"one").is_err());
        prop_assert!(vault.open_sealed(key, &sealed[..sealed.len() - 1], b"one").is_err());
    }
}

#[test]
fn derived_secrets_are_of_their_key_purpose_and_name_and_stay_the_same() {
    let (dir, vault) = vault();
    let first = vault.derived("a").of(b"x");
    assert_eq!(first.len(), 1);
    assert_eq!(Vault::open(&dir.path().join("secrets.key")).unwrap().derived("a").of(b"x"), first, "after a restart");
    let others = [vault.derived("b").of(b"x"), vault.derived("a").of(b"y")];
    assert!(others.iter().all(|other| *other != first) && others[0] != others[1]);
    vault.add_key().unwrap();
    let second = vault.derived("a").of(b"x");
    assert_eq!((second.len(), second[1]), (2, first[0]), "that of the key before can still be told");
    assert_ne!(second[0], first[0]);
    vault.add_key().unwrap();
    assert_eq!(vault.derived("a").of(b"x")[1..], second[..1], "and that of the one before that no more");
    assert_eq!(format!("{:?}", vault.derived("a")), "Derived(hidden)");
}

/// RFC 5869, A.1 to A.3 are about HKDF itself, which ring is tested with; this is that ours is HKDF, with the purpose as its salt.
#[test]
fn derived_secrets_are_those_of_rfc_5869() {
    let derived = Derived::new([[0x0b; 32]].iter(), "salt");
    let must = reference(b"salt", &[0x0b; 32], b"info");
    assert_eq!(derived.of(b"info"), [must]);
}

/// HKDF with HMAC written out (RFC 2104), for salts shorter than a block and one block of output.
fn reference(salt: &[u8], key: &[u8], info: &[u8]) -> [u8; 32] {
    let hmac = |key: &[u8], text: &[u8]| -> [u8; 32] {
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        let inner = Sha256::digest([&block.map(|b| b ^ 0x36)[..], text].concat());
        Sha256::digest([&block.map(|b| b ^ 0x5c)[..], &inner].concat()).into()
    };
    hmac(&hmac(salt, key), &[info, &[1]].concat())
}
