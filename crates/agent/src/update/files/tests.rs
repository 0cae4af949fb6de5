//! Programs and the state on a real disk.

use std::os::unix::fs::PermissionsExt as _;

use super::super::testing::{Signed, VERSION, signed};
use super::*;

fn parts(program: &[u8]) -> impl FnMut() -> Result<Option<Vec<u8>>, ProgramError> {
    let mut left: Vec<Vec<u8>> = program.chunks(3).map(<[u8]>::to_vec).rev().collect();
    move || Ok(left.pop())
}

fn names(files: &Files) -> Vec<String> {
    let Ok(entries) = fs::read_dir(&files.releases) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_program_is_kept_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::new(&Home::new(directory.path()));
    let Signed { release, keys, program } = signed(VERSION, b"#!/bin/sh\nexit 0\n");
    for wrong in [&program[1..], &program[..3], b"#!/bin/sh\nexit 1\n", b""] {
        let error = files.receive(&release, &keys, parts(wrong)).unwrap_err();
        assert!(matches!(error, ProgramError::Signature(_)), "{error}");
    }
    let mut before = parts(&program[..6]);
    let broken = files.receive(&release, &keys, || match before()? {
        Some(part) => Ok(Some(part)),
        None => Err(ProgramError::Read { path: PathBuf::new(), source: io::ErrorKind::BrokenPipe.into() }),
    });
    assert!(broken.is_err());
    assert_eq!(names(&files), [""; 0], "nothing stays behind");
    files.receive(&release, &keys, parts(&program)).unwrap();
    assert_eq!(names(&files), [VERSION.file_name()]);
    let path = files.verify(&release, &keys).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read(path).unwrap(), program);
}

#[test]
fn a_program_that_others_may_change_or_did_change_is_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::new(&Home::new(directory.path()));
    let Signed { release, keys, program } = signed(VERSION, b"a program");
    files.receive(&release, &keys, parts(&program)).unwrap();
    let path = files.program(VERSION);
    for place in [&path, &files.releases] {
        fs::set_permissions(place, fs::Permissions::from_mode(0o722)).unwrap();
        assert!(matches!(files.verify(&release, &keys), Err(ProgramError::Shared { path }) if path == *place));
        fs::set_permissions(place, fs::Permissions::from_mode(0o700)).unwrap();
    }
    fs::write(&path, b"a pr0gram").unwrap();
    assert!(matches!(files.verify(&release, &keys), Err(ProgramError::Signature(SignatureError::Digest))));
    fs::remove_file(&path).unwrap();
    assert!(matches!(files.verify(&release, &keys), Err(ProgramError::Read { .. })));
}

#[test]
fn a_damaged_state_is_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::new(&Home::new(directory.path()));
    assert_eq!(files.load().unwrap(), State::default());
    let mut state = State::default();
    state.fetched(signed(VERSION, b"x").release);
    state.bad.insert(Version::new(0, 1, 1));
    files.save(&state).unwrap();
    assert_eq!(files.load().unwrap(), state);
    fs::write(&files.state, b"{\"newest\": 7}").unwrap();
    assert!(files.look().is_err());
    assert_eq!(files.load().unwrap(), State::default());
    assert_eq!(fs::read(directory.path().join("update.json.damaged")).unwrap(), b"{\"newest\": 7}");
    assert_eq!(files.look().unwrap(), State::default());
}

#[test]
fn files_that_the_state_does_not_know_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::new(&Home::new(directory.path()));
    let Signed { release, keys, program } = signed(VERSION, b"a program");
    files.receive(&release, &keys, parts(&program)).unwrap();
    fs::write(files.releases.join("netwatch-0.0.9-linux-x86_64.part"), b"part").unwrap();
    let mut state = State::default();
    state.fetched(release);
    files.tidy(&state);
    assert_eq!(names(&files), [VERSION.file_name()]);
    files.tidy(&State::default());
    assert_eq!(names(&files), [""; 0]);
}
