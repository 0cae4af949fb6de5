//! Against an authenticator made of software: what must be accepted, and everything that must not.

use netwatch_model::Timestamp;
use netwatch_testkit::authenticator::Authenticator;
use proptest::prelude::*;

use super::*;

const ORIGIN: &str = "https://netwatch.example.org";

fn user() -> User {
    User {
        id: UserId::from_bits(0x0190_0000_0000_7000_8000_0000_0000_0042),
        name: "ada".parse().unwrap(),
        display_name: "Ada L.".parse().unwrap(),
        email: None,
        email_verified: false,
        site_administrator: false,
        disabled: false,
        created: Timestamp::from_secs(0),
        last_sign_in: None,
    }
}

/// A registered passkey: its device, and what is stored.
fn registered() -> (Authenticator, String, SecretText) {
    let party = RelyingParty::of(ORIGIN).unwrap();
    let (options, registration) = party.register(&user(), &[]).unwrap();
    let (device, answer) = Authenticator::create(ORIGIN, &options);
    let CredentialKind::Passkey { key_id, key } = registration.finish(answer).unwrap() else { panic!() };
    (device, key_id, key)
}

/// Signs in with an answer that may have been changed on its way.
fn sign_in(
    device: &mut Authenticator,
    key: &SecretText,
    change: impl FnOnce(&mut Value),
) -> Result<SecretText, Refused> {
    let (options, begun) = RelyingParty::of(ORIGIN).unwrap().ask(&[]).unwrap();
    let mut answer = device.get(ORIGIN, &options);
    change(&mut answer);
    begun.finish(&Answer::read(answer)?, key).unwrap()
}

#[test]
fn passkeys_are_for_names_over_tls_and_for_localhost() {
    let good = [
        "https://netwatch.example.org",
        "https://netwatch.example.org:8443",
        "http://localhost:8470",
        "http://a.localhost",
    ];
    for origin in good {
        assert!(RelyingParty::of(origin).is_ok(), "{origin}");
    }
    for (origin, why) in [
        ("http://127.0.0.1:8470", Unfit::NoName),
        ("https://[::1]", Unfit::NoName),
        ("", Unfit::NoName),
        ("http://netwatch.example.org", Unfit::Insecure),
        ("http://localhost.example.org", Unfit::Insecure),
    ] {
        assert_eq!(RelyingParty::of(origin).unwrap_err(), why, "{origin}");
    }
    assert_eq!(domain("http://netwatch.example.org:1").as_deref(), Some("netwatch.example.org"));
    assert_eq!(domain("http://192.0.2.1"), None);
}

#[test]
fn what_is_asked_for_is_a_discoverable_key_of_a_verified_user() {
    let (_, key_id, _) = registered();
    let party = RelyingParty::of(ORIGIN).unwrap();
    let (options, _) = party.register(&user(), &[&key_id]).unwrap();
    assert_eq!(options["rp"]["id"], "netwatch.example.org");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["excludeCredentials"][0]["id"], key_id);
    let (open, _) = party.ask(&[]).unwrap();
    assert_eq!((&open["userVerification"], &open["allowCredentials"]), (&json!("required"), &json!([])));
    assert_ne!(party.ask(&[]).unwrap().0["challenge"], open["challenge"]);
    assert_eq!(party.ask(&[&key_id]).unwrap().0["allowCredentials"][0]["id"], key_id);
}

#[test]
fn a_passkey_signs_in_and_names_its_user() {
    let (mut device, key_id, key) = registered();
    let (options, begun) = RelyingParty::of(ORIGIN).unwrap().ask(&[]).unwrap();
    let answer = Answer::read(device.get(ORIGIN, &options)).unwrap();
    assert_eq!((answer.key_id(), answer.user()), (key_id, Some(user().id)));
    let stored = begun.finish(&answer, &key).unwrap().unwrap();
    assert_ne!(stored.reveal(), key.reveal(), "the counter is kept");
}

#[test]
fn an_answer_is_good_for_its_challenge_its_origin_and_its_key_alone() {
    let (mut device, _, key) = registered();
    let party = RelyingParty::of(ORIGIN).unwrap();
    let (options, begun) = party.ask(&[]).unwrap();
    let answer = device.get(ORIGIN, &options);
    let (_, other) = party.ask(&[]).unwrap();
    let read = |answer: Value| Answer::read(answer).unwrap();
    let is_invalid =
        |result: Result<Result<SecretText, Refused>, Error>| matches!(result, Ok(Err(Refused::Invalid(_))));
    assert!(is_invalid(other.finish(&read(answer.clone()), &key)), "another challenge");
    assert!(is_invalid(begun.finish(&read(answer), &registered().2)), "another key");
    for origin in ["https://evil.example", "http://netwatch.example.org", "https://netwatch.example.org:444"] {
        assert!(is_invalid(begun.finish(&read(device.get(origin, &options)), &key)), "{origin}");
    }
    device.verifies = false;
    assert!(is_invalid(begun.finish(&read(device.get(ORIGIN, &options)), &key)), "a user who was not verified");
    let damaged = begun.finish(&read(device.get(ORIGIN, &options)), &SecretText::new("{}".to_owned()));
    assert!(matches!(damaged, Err(Error::Stored(_))));
}

#[test]
fn a_registration_holds_for_its_own_challenge_and_a_verified_user() {
    let party = RelyingParty::of(ORIGIN).unwrap();
    let (options, registration) = party.register(&user(), &[]).unwrap();
    let (_, answer) = Authenticator::create(ORIGIN, &options);
    let (_, other) = party.register(&user(), &[]).unwrap();
    assert!(matches!(other.finish(answer), Err(Refused::Invalid(_))));
    let (_, unverified) = Authenticator::create_unverified(ORIGIN, &options);
    assert!(matches!(registration.finish(unverified), Err(Refused::Invalid(WebauthnError::UserNotVerified))));
    let (_, foreign) = Authenticator::create("https://evil.example", &options);
    assert!(matches!(registration.finish(foreign), Err(Refused::Invalid(_))));
}

#[test]
fn a_counter_that_goes_back_tells_of_a_copy() {
    let (mut device, _, key) = registered();
    let mut copy = device.clone();
    let once = sign_in(&mut device, &key, |_| {}).unwrap();
    let twice = sign_in(&mut device, &once, |_| {}).unwrap();
    assert!(matches!(sign_in(&mut copy, &twice, |_| {}), Err(Refused::Copied)));
    // Synchronised passkeys count nothing (section 6.1.1): zero stays zero.
    let (mut still, _, key) = registered();
    still.counts = false;
    let key = sign_in(&mut still, &key, |_| {}).unwrap();
    assert!(sign_in(&mut still, &key, |_| {}).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// One changed bit, in whichever part: never accepted, never a panic.
    #[test]
    fn a_changed_answer_never_signs_in(part in 0..3_usize, at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let (mut device, _, key) = registered();
        let name = ["authenticatorData", "clientDataJSON", "signature"][part];
        let result = sign_in(&mut device, &key, |answer| {
            let mut bytes = URL_SAFE_NO_PAD.decode(answer["response"][name].as_str().unwrap()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            answer["response"][name] = URL_SAFE_NO_PAD.encode(bytes).into();
        });
        prop_assert!(matches!(result, Err(Refused::Invalid(_))), "{name}: {result:?}");
    }

    /// Whatever bytes a browser sends: an answer that does not hold, never a panic.
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..600), cut in any::<prop::sample::Index>()) {
        let party = RelyingParty::of(ORIGIN).unwrap();
        let (options, registration) = party.register(&user(), &[]).unwrap();
        let (_, mut made) = Authenticator::create(ORIGIN, &options);
        let whole = URL_SAFE_NO_PAD.decode(made["response"]["attestationObject"].as_str().unwrap()).unwrap();
        // The client data stay right, so that the bytes reach the decoder of the attestation.
        for object in [bytes.clone(), whole[..cut.index(whole.len())].to_vec(), [&whole[..40], &bytes].concat()] {
            made["response"]["attestationObject"] = URL_SAFE_NO_PAD.encode(object).into();
            prop_assert!(registration.finish(made.clone()).is_err());
        }
        let (mut device, _, key) = registered();
        let data = sign_in(&mut device, &key, |answer| {
            answer["response"]["authenticatorData"] = URL_SAFE_NO_PAD.encode(&bytes).into();
        });
        prop_assert!(data.is_err());
        let client = sign_in(&mut device, &key, |answer| {
            answer["response"]["clientDataJSON"] = URL_SAFE_NO_PAD.encode(&bytes).into();
        });
        prop_assert!(client.is_err());
    }

    /// Any text in the place of JSON.
    #[test]
    fn any_json_is_refused(text in "[\\[\\]{}\":,a-zA-Z0-9 ]{0,200}") {
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            prop_assert!(matches!(Answer::read(value), Err(Refused::Malformed(_))));
        }
    }
}
