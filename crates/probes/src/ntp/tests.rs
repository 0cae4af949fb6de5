//! Time servers that answer as a script says.

use netwatch_model::Timestamp;
use netwatch_model::probe::{OptionValue, ProbeKind, ProbeResult};
use proptest::prelude::*;

use super::*;
use crate::connect::testing::{answer, assert_well, failure, probe, spec, with};

/// The answer of a server of stratum 2 whose clock is `ahead` seconds ahead of ours.
fn reply(question: &[u8], ahead: i64) -> Vec<u8> {
    let now = clock::now().nanos() + ahead * 1_000_000_000;
    let stamp = Stamp::of(Timestamp::from_nanos(now)).0.to_be_bytes();
    let mut packet = vec![0_u8; 48];
    packet[0] = 4 << 3 | 4;
    packet[1] = 2;
    packet[4..8].copy_from_slice(&[0, 0, 0x80, 0]);
    packet[8..12].copy_from_slice(&[0, 1, 0, 0]);
    packet[12..16].copy_from_slice(&[192, 0, 2, 1]);
    packet[24..32].copy_from_slice(&question[40..48]);
    packet[32..40].copy_from_slice(&stamp);
    packet[40..48].copy_from_slice(&stamp);
    packet
}

fn detail(result: &ProbeResult) -> &Ntp {
    match &result.detail {
        Some(Detail::Ntp(ntp)) => ntp,
        other => panic!("no time: {other:?}"),
    }
}

#[tokio::test]
async fn a_clock_and_its_error_are_shown() {
    let server = answer(|question, _| {
        assert_eq!(
            (question.len(), question[0], &question[1..40]),
            (48, 0x23, [0_u8; 39].as_slice()),
            "nothing of ours but the cookie"
        );
        vec![reply(question, 3600)]
    })
    .await;
    let result = probe(&ProbeSpec { count: 3, ..spec(ProbeKind::Ntp, server) }).await;
    assert_well(&result);
    let ntp = detail(&result);
    assert_eq!((ntp.sent, ntp.received), (3, 3));
    let clock = ntp.clock.as_ref().expect("a clock");
    assert!((clock.offset - 3600.0).abs() <= clock.error + 1e-6, "{clock:?}");
    assert!(clock.error > 0.0 && clock.error < 5.0);
    assert_eq!((clock.stratum, clock.leap, clock.version), (2, 0, 4));
    assert_eq!((clock.root_delay, clock.root_dispersion, clock.reference.raw()), (0.5, 1.0, "192.0.2.1"));
    let too_far = with(spec(ProbeKind::Ntp, server), &MAX_OFFSET, OptionValue::Number(1.0));
    assert_eq!(failure(&probe(&too_far).await).0, FailureReason::Unexpected);
    let too_low = with(spec(ProbeKind::Ntp, server), &MAX_STRATUM, OptionValue::Whole(1));
    assert!(failure(&probe(&too_low).await).1.contains("stratum 2"));
}

#[tokio::test]
async fn who_does_not_carry_our_stamp_back_is_not_believed() {
    let server = answer(|question, _| {
        let mut guess = reply(question, 99);
        guess[24] ^= 1;
        vec![guess, vec![0; 20], reply(question, 0)]
    })
    .await;
    let result = probe(&spec(ProbeKind::Ntp, server)).await;
    assert_well(&result);
    assert!(detail(&result).clock.as_ref().is_some_and(|clock| clock.offset.abs() < 10.0));
    let guesser = answer(|_, _| vec![vec![0x24; 48]]).await;
    let result = probe(&ProbeSpec { timeout: 0.2, ..spec(ProbeKind::Ntp, guesser) }).await;
    assert_eq!(failure(&result).0, FailureReason::Malformed);
    assert_eq!((detail(&result).sent, detail(&result).received), (1, 0));
}

#[tokio::test]
async fn a_kiss_of_death_is_quoted() {
    let server = answer(|question, _| {
        let mut kiss = reply(question, 0);
        kiss[1] = 0;
        kiss[12..16].copy_from_slice(b"RATE");
        vec![kiss]
    })
    .await;
    let (reason, message) = failure(&probe(&spec(ProbeKind::Ntp, server)).await);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("RATE"), "{message}");
}

#[tokio::test]
async fn a_clock_that_is_not_synchronised_is_a_failure() {
    let server = answer(|question, _| {
        let mut packet = reply(question, 0);
        packet[0] |= 3 << 6;
        vec![packet]
    })
    .await;
    let result = probe(&spec(ProbeKind::Ntp, server)).await;
    assert!(failure(&result).1.contains("not synchronised"));
    assert_eq!(detail(&result).clock.as_ref().map(|clock| clock.leap), Some(3));
}

/// RFC 5905, 8: four stamps give offset and delay.
#[test]
fn offset_and_delay_are_those_of_four_stamps() {
    let at = |millis: i64| Stamp::of(Timestamp::from_millis(1_700_000_000_000 + millis));
    let reply = reply(&[0; 48], 0);
    let mut answer = packet::read(&reply, 0).expect("it is right");
    // The server is 500 ms ahead; 30 ms there, 5 ms in it, 10 ms back.
    (answer.receive, answer.transmit) = (at(530), at(535));
    let read = reading(answer, at(0), Duration::from_millis(45), None);
    assert!((read.delay - 0.040).abs() < 1e-6, "{read:?}");
    assert!((read.offset - 0.510).abs() < 1e-6, "half of the difference of the ways is in it: {read:?}");
    assert!((read.offset - 0.5).abs() <= read.delay / 2.0, "and within the error that is shown");
}

#[test]
fn stamps_differ_across_the_end_of_an_era() {
    let before = Stamp::of(Timestamp::from_secs(2_085_978_495));
    let after = Stamp::of(Timestamp::from_secs(2_085_978_497));
    assert!(after.0 < before.0, "era 1 begins at 2^32 seconds");
    assert_eq!(after.since(before), 2.0);
    assert_eq!(before.since(after), -2.0);
}

proptest! {
    #[test]
    fn no_octets_break_it(octets in prop::collection::vec(any::<u8>(), 0..200), cookie: u64) {
        let _read = packet::read(&octets, cookie);
    }
}
