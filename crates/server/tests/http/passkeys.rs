//! Passkeys, as a browser with a device uses them: added, signed in with, taken as the second factor, copied, removed.

use netwatch_identity::totp;
use netwatch_testkit::authenticator::Authenticator;
use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, TOKEN, TestServer};

/// A browser that opened the server by its name.
struct Browser<'a> {
    server: &'a TestServer,
    origin: String,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// `ada`, signed in.
    async fn signed_in(server: &'a TestServer) -> Self {
        let cookie = server.sign_in().await;
        Self { cookie, ..Self::stranger(server) }
    }

    fn stranger(server: &'a TestServer) -> Self {
        Self { server, origin: format!("http://localhost:{}", server.address.port()), cookie: String::new() }
    }

    /// One request; a cookie that comes is kept.
    async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let host = format!("localhost:{}", self.server.address.port());
        let cookie = self.cookie.clone();
        let mut headers = vec![("host", host.as_str()), ("origin", &self.origin), ("content-type", "application/json")];
        if !cookie.is_empty() {
            headers.push(("cookie", &cookie));
        }
        let answer = self.server.ask(method, &format!("/api/v1{path}"), &headers, &body.to_string()).await;
        if let Some(set) = answer.headers.get("set-cookie") {
            self.cookie = set.split(';').next().unwrap().to_owned();
        }
        answer
    }

    async fn json(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert!(matches!(answer.status, 200..=201), "{path}: {}", answer.body);
        answer.json()
    }

    /// Adds a passkey on a new device; its id at the server.
    async fn add(&mut self, name: &str) -> (Authenticator, String) {
        let begun = self.json("POST", "/account/passkeys", &json!({"password": PASSWORD})).await;
        let (device, credential) = Authenticator::create(&self.origin, &begun["options"]);
        let body = json!({"ceremony": begun["ceremony"], "name": name, "credential": credential});
        let added = self.json("POST", "/account/passkeys/confirm", &body).await;
        assert_eq!((&added["kind"], &added["name"]), (&json!("passkey"), &json!(name)));
        (device, added["id"].as_str().unwrap().to_owned())
    }

    /// Signs in with a device; with a ticket as the second factor.
    async fn touch(&mut self, device: &mut Authenticator, ticket: Option<&Value>) -> Answer {
        let begun = self.json("POST", "/sign-in/passkey", &json!({"ticket": ticket})).await;
        let credential = device.get(&self.origin, &begun["options"]);
        self.finish(&begun["ceremony"], &credential).await
    }

    async fn finish(&mut self, ceremony: &Value, credential: &Value) -> Answer {
        self.ask("POST", "/sign-in/passkey/finish", &json!({"ceremony": ceremony, "credential": credential})).await
    }

    /// The method by which this session began.
    async fn method(&mut self) -> Value {
        let sessions = self.json("GET", "/account/sessions", &Value::Null).await;
        sessions["items"].as_array().unwrap().iter().find(|s| s["current"] == true).unwrap()["method"].clone()
    }
}

/// The newest records of the audit log with that action.
async fn audit(server: &TestServer, action: &str) -> Vec<Value> {
    let log = server.json(&format!("/api/v1/site/audit?action={action}&limit=100")).await;
    log["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_passkey_is_added_named_and_signs_in_alone() {
    let server = TestServer::start().await;
    let mut ada = Browser::signed_in(&server).await;
    let before = ada.cookie.clone();
    let (mut device, id) = ada.add("Telephone").await;
    assert_ne!(ada.cookie, before, "the session has a new reference");
    assert_eq!(ada.ask("PATCH", &format!("/account/passkeys/{id}"), &json!({"name": "Key ring"})).await.status, 204);
    let account = ada.json("GET", "/account", &Value::Null).await;
    let listed = account["credentials"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap();
    assert_eq!((&listed["name"], &listed["last_used"]), (&json!("Key ring"), &json!(null)));

    let mut other = Browser::stranger(&server);
    assert_eq!(other.json("GET", "/sign-in", &Value::Null).await["passkey_domain"], "localhost");
    let session = other.touch(&mut device, None).await;
    assert_eq!((session.status, &session.json()["user"]["name"]), (200, &json!("ada")), "{}", session.body);
    assert_eq!(other.method().await, "passkey");
    for action in ["passkey.added", "passkey.renamed", "session.sign_in"] {
        assert!(!audit(&server, action).await.is_empty(), "{action}");
    }
    assert_eq!(audit(&server, "session.sign_in").await[0]["after"]["method"], "passkey");
}

#[tokio::test]
async fn a_challenge_is_good_once_and_for_its_own_purpose() {
    let server = TestServer::start().await;
    let mut ada = Browser::signed_in(&server).await;
    let (mut device, _) = ada.add("Telephone").await;
    let mut other = Browser::stranger(&server);
    let begun = other.json("POST", "/sign-in/passkey", &json!({})).await;
    let credential = device.get(&other.origin, &begun["options"]);
    assert_eq!(other.finish(&begun["ceremony"], &credential).await.status, 200);
    other.finish(&begun["ceremony"], &credential).await.assert_problem("gone");
    other.finish(&json!("0"), &credential).await.assert_problem("gone");
    // Another challenge than the one that was signed.
    let second = other.json("POST", "/sign-in/passkey", &json!({})).await;
    other.finish(&second["ceremony"], &credential).await.assert_problem("unauthenticated");
    // Added by another session than the one that asked.
    let begun = ada.json("POST", "/account/passkeys", &json!({"password": PASSWORD})).await;
    let (_, made) = Authenticator::create(&ada.origin, &begun["options"]);
    let body = json!({"ceremony": begun["ceremony"], "name": "Stolen", "credential": made});
    other.ask("POST", "/account/passkeys/confirm", &body).await.assert_problem("gone");
    ada.ask("POST", "/account/passkeys/confirm", &body).await.assert_problem("gone");
}

#[tokio::test]
async fn what_does_not_hold_is_refused_alike_and_recorded() {
    let server = TestServer::start().await;
    let mut ada = Browser::signed_in(&server).await;
    let (mut device, _) = ada.add("Telephone").await;
    let mut other = Browser::stranger(&server);
    let stranger = {
        let begun = ada.json("POST", "/account/passkeys", &json!({"password": PASSWORD})).await;
        Authenticator::create(&ada.origin, &begun["options"]).0
    };
    let mut texts = Vec::new();
    for (device, origin, verifies) in [
        (&mut stranger.clone(), other.origin.clone(), true),
        (&mut device.clone(), "http://evil.localhost".to_owned(), true),
        (&mut device.clone(), other.origin.clone(), false),
    ] {
        device.verifies = verifies;
        let begun = other.json("POST", "/sign-in/passkey", &json!({})).await;
        let answer = other.finish(&begun["ceremony"], &device.get(&origin, &begun["options"])).await;
        answer.assert_problem("unauthenticated");
        texts.push(answer.json()["detail"].clone());
    }
    let begun = other.json("POST", "/sign-in/passkey", &json!({})).await;
    let nonsense = other.finish(&begun["ceremony"], &json!({"id": 7})).await;
    texts.push(nonsense.json()["detail"].clone());
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    let mut copy = device.clone();
    assert_eq!(other.touch(&mut device, None).await.status, 200);
    other.touch(&mut copy, None).await.assert_problem("unauthenticated");
    let newest = &audit(&server, "session.sign_in").await[0];
    assert_eq!((&newest["outcome"], &newest["object"]["name"]), (&json!("refused"), &json!("ada")));
    assert!(newest["after"]["reason"].as_str().unwrap().contains("copied"), "{newest}");
}

#[tokio::test]
async fn a_passkey_stands_for_the_code_after_a_password() {
    let server = TestServer::start().await;
    let mut ada = Browser::signed_in(&server).await;
    let (mut device, _) = ada.add("Telephone").await;
    let enrolment = ada.json("POST", "/account/totp", &json!({"password": PASSWORD})).await;
    let code = totp::code_at(enrolment["key"].as_str().unwrap(), crate::people::now()).unwrap();
    assert_eq!(ada.ask("POST", "/account/totp/confirm", &json!({"code": code})).await.status, 204);

    let mut other = Browser::stranger(&server);
    let step = other.json("POST", "/sign-in", &json!({"name": "ada", "password": PASSWORD})).await;
    assert_eq!(step["methods"], json!(["totp", "recovery", "passkey"]));
    other.ask("POST", "/sign-in/passkey", &json!({"ticket": "0"})).await.assert_problem("gone");
    let begun = other.json("POST", "/sign-in/passkey", &json!({"ticket": step["ticket"]})).await;
    assert_eq!(begun["options"]["allowCredentials"].as_array().unwrap().len(), 1);
    assert_eq!(other.touch(&mut device, Some(&step["ticket"])).await.status, 200);
    assert_eq!(other.method().await, "password_passkey");
    other.ask("POST", "/sign-in/passkey", &json!({"ticket": step["ticket"]})).await.assert_problem("gone");
}

#[tokio::test]
async fn adding_and_removing_need_the_password_and_somebody_who_can_still_come_in() {
    let server = TestServer::start().await;
    let mut ada = Browser::signed_in(&server).await;
    for proof in [json!({}), json!({"password": "not the password"})] {
        ada.ask("POST", "/account/passkeys", &proof).await.assert_problem("forbidden");
    }
    let (mut device, id) = ada.add("Telephone").await;
    let path = format!("/account/passkeys/{id}");
    ada.ask("DELETE", &path, &json!({})).await.assert_problem("forbidden");
    assert_eq!(ada.ask("DELETE", &path, &json!({"password": PASSWORD})).await.status, 204);
    ada.ask("DELETE", &path, &json!({"password": PASSWORD})).await.assert_problem("not_found");
    Browser::stranger(&server).touch(&mut device, None).await.assert_problem("unauthenticated");
    assert_eq!(audit(&server, "passkey.removed").await[0]["before"]["name"], "Telephone");
}

#[tokio::test]
async fn by_an_address_in_figures_there_are_none_and_the_answer_says_why() {
    let server = TestServer::start().await;
    let json = [("content-type", "application/json")];
    let refused = server.ask("POST", "/api/v1/sign-in/passkey", &json, "{}").await;
    refused.assert_problem("conflict");
    assert!(refused.json()["detail"].as_str().unwrap().contains("localhost"), "{}", refused.body);
    let bearer = [("authorization", format!("Bearer {TOKEN}"))];
    let headers = bearer.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(server.ask("GET", "/api/v1/sign-in", &headers, "").await.json()["passkey_domain"], Value::Null);
}

#[tokio::test]
async fn asking_for_passkeys_is_slowed_down() {
    let server = TestServer::start().await;
    let mut other = Browser::stranger(&server);
    for _ in 0..30 {
        assert_eq!(other.ask("POST", "/sign-in/passkey", &json!({})).await.status, 200);
    }
    other.ask("POST", "/sign-in/passkey", &json!({})).await.assert_problem("too_many_requests");
    for _ in 0..10 {
        other.finish(&json!("0"), &json!({})).await.assert_problem("gone");
    }
    other.finish(&json!("0"), &json!({})).await.assert_problem("too_many_requests");
}
