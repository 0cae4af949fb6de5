//! Signatures that are right, and every way in which one is not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use ring::digest::digest;

use super::super::signer::Signer;
use super::super::version::Version;
use super::*;

const PROGRAM: &[u8] = b"a program";
const VERSION: Version = Version::new(0, 2, 0);

fn release(program: &[u8], signature: String) -> Release {
    let digest = Digest::from_bytes(digest(&SHA256, program).as_ref().try_into().unwrap());
    Release { version: VERSION, bytes: program.len() as u64, digest, signature }
}

fn verified(release: &Release, keys: &[Key], program: &[u8]) -> Result<(), SignatureError> {
    let sealed = Sealed::new(release, keys)?;
    let mut check = sealed.check();
    program.chunks(4).try_for_each(|part| check.update(part))?;
    check.finish()
}

fn key(signer: &Signer) -> Key {
    signer.key().parse().unwrap()
}

#[test]
fn a_program_that_is_signed_under_its_name_with_a_trusted_key_is_right() {
    let (signer, other) = (Signer::new(), Signer::new());
    let name = VERSION.file_name();
    for comment in [name.clone(), format!("timestamp:1700000000\tfile:{name}\thashed"), format!("Netwatch {name}")] {
        let release = release(PROGRAM, signer.sign(PROGRAM, &comment));
        assert_eq!(verified(&release, &[key(&other), key(&signer)], PROGRAM), Ok(()), "{comment}");
    }
}

#[test]
fn the_key_of_somebody_else_is_none() {
    let (signer, other) = (Signer::new(), Signer::new());
    let release = release(PROGRAM, other.sign(PROGRAM, &VERSION.file_name()));
    assert_eq!(verified(&release, &[key(&signer)], PROGRAM), Err(SignatureError::Key));
    assert_eq!(verified(&release, &[], PROGRAM), Err(SignatureError::Key));
    // Nor does it help to write the name of the trusted key beside the signature of the other.
    let forged = alter(&release.signature, 1, |bytes| {
        let trusted = STANDARD.decode(signer.key()).unwrap();
        bytes[2..10].copy_from_slice(&trusted[2..10]);
    });
    let release = Release { signature: forged, ..release };
    assert_eq!(verified(&release, &[key(&signer)], PROGRAM), Err(SignatureError::Wrong));
}

#[test]
fn an_altered_program_is_wrong_even_with_the_digest_of_the_altered_one() {
    let signer = Signer::new();
    let signature = signer.sign(PROGRAM, &VERSION.file_name());
    let honest = release(PROGRAM, signature.clone());
    let keys = [key(&signer)];
    assert_eq!(verified(&honest, &keys, b"a pr0gram"), Err(SignatureError::Digest));
    assert_eq!(verified(&honest, &keys, b"a progra"), Err(SignatureError::Length { found: 8, offered: 9 }));
    assert_eq!(verified(&honest, &keys, b"a program, and more"), Err(SignatureError::Length { found: 12, offered: 9 }));
    assert_eq!(verified(&release(b"a pr0gram", signature), &keys, b"a pr0gram"), Err(SignatureError::Wrong));
}

#[test]
fn an_old_program_is_not_taken_for_a_new_version() {
    let signer = Signer::new();
    let old = Version::new(0, 1, 9).file_name();
    let signature = signer.sign(PROGRAM, &format!("timestamp:1\tfile:{old}\thashed"));
    let keys = [key(&signer)];
    let wrong = Err(SignatureError::Name(VERSION.file_name()));
    assert_eq!(
        verified(&release(PROGRAM, signature.clone()), &keys, PROGRAM),
        wrong,
        "the signature of another version"
    );
    let altered = signature.replace(&old, &VERSION.file_name());
    assert_ne!(altered, signature);
    assert_eq!(
        verified(&release(PROGRAM, altered), &keys, PROGRAM),
        Err(SignatureError::Wrong),
        "its comment was altered"
    );
    let longer = signer.sign(PROGRAM, &format!("{}.old", VERSION.file_name()));
    assert_eq!(verified(&release(PROGRAM, longer), &keys, PROGRAM), wrong, "the name is a whole word");
}

#[test]
fn signatures_without_a_hash_of_the_file_are_refused() {
    let signer = Signer::new();
    let hashed = signer.sign(PROGRAM, &VERSION.file_name());
    let legacy = alter(&hashed, 1, |bytes| bytes[..2].copy_from_slice(b"Ed"));
    assert_eq!(verified(&release(PROGRAM, legacy), &[key(&signer)], PROGRAM), Err(SignatureError::Form));
    let long = format!("{hashed}{}", " ".repeat(LONGEST));
    assert_eq!(verified(&release(PROGRAM, long), &[key(&signer)], PROGRAM), Err(SignatureError::Form));
}

#[test]
fn a_key_is_the_second_line_of_its_file() {
    let text = Signer::new().key();
    assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
    for wrong in ["", "RW", "untrusted comment: minisign public key", &text[1..], &format!("{text}AAAA")] {
        assert_eq!(wrong.parse::<Key>(), Err(ParseKeyError), "{wrong}");
    }
}

/// Changes the bytes of a line of a signature.
fn alter(signature: &str, line: usize, change: impl Fn(&mut [u8])) -> String {
    let mut lines: Vec<String> = signature.lines().map(str::to_owned).collect();
    let mut bytes = STANDARD.decode(&lines[line]).unwrap();
    change(&mut bytes);
    lines[line] = STANDARD.encode(bytes);
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bit_of_a_signature_can_be_changed(second in any::<bool>(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let signer = Signer::new();
        let signature = signer.sign(PROGRAM, &VERSION.file_name());
        let altered = alter(&signature, if second { 3 } else { 1 }, |bytes| bytes[at.index(bytes.len())] ^= 1 << bit);
        prop_assert!(verified(&release(PROGRAM, altered), &[key(&signer)], PROGRAM).is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", comment in "\\PC{0,40}", lines in prop::collection::vec("[A-Za-z0-9+/=]{0,120}", 0..5)) {
        let signer = Signer::new();
        let shaped = format!("untrusted comment: x\n{}\ntrusted comment: {comment}\n{}", lines.join(""), lines.concat());
        for text in [text, shaped, lines.join("\n")] {
            prop_assert!(verified(&release(PROGRAM, text.clone()), &[key(&signer)], PROGRAM).is_err());
            let _ = text.parse::<Key>();
        }
    }
}
