//! Signing in with a real OpenID provider (oidc-provider of npm, on loopback), as a browser does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use netwatch_model::people::{BuiltInRole, Role, SecretText};
use netwatch_server::{Config, OidcProvider, Policy, RoleRule};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::data;
use crate::support::{PATIENCE, TestServer};

const JSON: (&str, &str) = ("content-type", "application/json");

/// The provider, running.
struct Provider {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Provider {
    /// Starts it; none, loudly, when it is not installed.
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    async fn start() -> Option<Self> {
        let folder = Path::new("tests/identity-provider");
        if !folder.join("node_modules/oidc-provider").is_dir() {
            eprintln!("SKIPPED: the OpenID provider is not installed: run `scripts/setup.sh test`");
            return None;
        }
        let mut command = Command::new("node");
        command.arg("provider.mjs").current_dir(folder).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts");
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, said.next_line()).await.expect("it listens in time").unwrap().unwrap();
        Some(Self { child, said, address: SocketAddr::from(([127, 0, 0, 1], line.parse().unwrap())) })
    }

    /// Tells it where people go back to.
    async fn send_back_to(&mut self, server: &TestServer) {
        let callback = format!("http://{}/auth/oidc/test/callback\n", server.address);
        self.child.stdin.as_mut().unwrap().write_all(callback.as_bytes()).await.unwrap();
        let line = timeout(PATIENCE, self.said.next_line()).await.expect("it is ready in time").unwrap();
        assert_eq!(line.as_deref(), Some("ready"));
    }

    fn config(&self, allowed: &[&str]) -> OidcProvider {
        OidcProvider {
            id: "test".to_owned(),
            name: "Test".to_owned(),
            issuer: format!("http://{}", self.address),
            client_id: "netwatch".to_owned(),
            client_secret: Some(SecretText::new("the-secret-of-the-tests".to_owned())),
            scopes: ["profile", "email", "groups"].map(str::to_owned).into(),
            provision: true,
            roles: Vec::new(),
            outgoing: Policy { allow: allowed.iter().map(|n| n.parse().unwrap()).collect(), deny: Vec::new() },
        }
    }
}

/// What a browser remembers of two sites.
#[derive(Default)]
struct Browser(BTreeMap<(SocketAddr, String), String>);

struct Page {
    status: u16,
    location: Option<String>,
    body: String,
}

impl Browser {
    async fn open(&mut self, at: SocketAddr, path: &str) -> Page {
        let own = self.0.iter().filter(|((site, _), _)| *site == at);
        let cookies: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {at}\r\ncookie: {}\r\nsec-fetch-site: cross-site\r\nconnection: close\r\n\r\n",
            cookies.join("; ")
        );
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("an answer in time").unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut page = Page { status: head[9..12].parse().unwrap(), location: None, body: body.to_owned() };
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            match name.to_ascii_lowercase().as_str() {
                "location" => page.location = Some(value.to_owned()),
                "set-cookie" => {
                    let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                    self.0.insert((at, name.to_owned()), value.to_owned());
                }
                _ => {}
            }
        }
        page
    }

    /// From the sign-in page to the provider, through it, to the address that leads back.
    async fn at_provider(&mut self, server: &TestServer, provider: &Provider) -> String {
        let begun = self.open(server.address, "/auth/oidc/test/start").await;
        assert_eq!(begun.status, 303, "{}", begun.body);
        let mut next = begun.location.unwrap();
        for part in ["code_challenge_method=S256", "nonce=", "state=", "response_type=code"] {
            assert!(next.contains(part), "{next}");
        }
        for _ in 0..8 {
            let Some(path) = next.strip_prefix(&format!("http://{}", provider.address)) else { break };
            let page = self.open(provider.address, path).await;
            next = page.location.unwrap_or_else(|| panic!("{path}: {} {}", page.status, page.body));
            if next.starts_with('/') {
                next = format!("http://{}{next}", provider.address);
            }
        }
        let back = next.strip_prefix(&format!("http://{}", server.address));
        back.unwrap_or_else(|| panic!("not sent back: {next}")).to_owned()
    }

    fn session(&self, server: &TestServer) -> String {
        let cookie = self.0.get(&(server.address, "netwatch_session".to_owned()));
        format!("netwatch_session={}", cookie.expect("a session"))
    }
}

async fn with(config: OidcProvider, dir: &tempfile::TempDir) -> TestServer {
    let config = Config { identity_providers: vec![config], ..Config::default() };
    TestServer::start_in(dir.path(), SocketAddr::from(([127, 0, 0, 1], 0)), config, data::store()).await
}

#[tokio::test]
async fn an_account_elsewhere_signs_in_by_issuer_and_subject() {
    let Some(mut provider) = Provider::start().await else { return };
    let dir = tempfile::tempdir().unwrap();
    // A first start makes the workspace that the mapping names.
    let first = with(provider.config(&["127.0.0.1"]), &dir).await;
    let workspace = first.access.home();
    first.stop().await;
    let rule = |value: &str, role| RoleRule {
        claim: "groups".to_owned(),
        value: value.to_owned(),
        workspace,
        role: Role::BuiltIn(role),
    };
    let roles = vec![rule("root", BuiltInRole::Admin), rule("net", BuiltInRole::Operator)];
    let server = with(OidcProvider { roles, ..provider.config(&["127.0.0.1"]) }, &dir).await;
    provider.send_back_to(&server).await;
    // The administrator has the address that the provider gives to somebody else.
    let ada = server.sign_in().await;
    let patch = json!({"email": "grace@example.org"}).to_string();
    assert_eq!(server.ask("PATCH", "/api/v1/account", &[("cookie", &ada), JSON], &patch).await.status, 204);

    let mut browser = Browser::default();
    let back = browser.at_provider(&server, &provider).await;
    let page = browser.open(server.address, &back).await;
    assert_eq!((page.status, page.location.as_deref()), (303, Some("/")), "{}", page.body);
    let cookie = browser.session(&server);
    let session = server.ask("GET", "/api/v1/session", &[("cookie", &cookie)], "").await.json();
    assert_eq!(session["user"]["name"], "grace", "nobody is linked by address");
    assert_eq!((&session["workspace"]["role"], &session["user"]["has_password"]), (&json!("operator"), &json!(false)));

    let again = browser.open(server.address, &back).await;
    assert_eq!(again.status, 410, "an answer is good once: {}", again.body);
    let back = browser.at_provider(&server, &provider).await;
    assert_eq!(browser.open(server.address, &back).await.status, 303);
    let cookie = browser.session(&server);
    let second = server.ask("GET", "/api/v1/session", &[("cookie", &cookie)], "").await.json();
    assert_eq!(second["user"]["id"], session["user"]["id"], "the same account");
}

#[tokio::test]
async fn an_answer_that_was_not_asked_for_is_refused() {
    let Some(mut provider) = Provider::start().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = with(provider.config(&["127.0.0.1"]), &dir).await;
    provider.send_back_to(&server).await;
    server.sign_in().await;
    let mut browser = Browser::default();
    let back = browser.at_provider(&server, &provider).await;
    // Somebody else's browser, into which the answer was slipped (login CSRF).
    assert_eq!(Browser::default().open(server.address, &back).await.status, 410);
    let back = browser.at_provider(&server, &provider).await;
    let other = back.split('&').filter(|p| !p.starts_with("iss=")).collect::<Vec<_>>().join("&");
    let mixed = browser.open(server.address, &format!("{other}&iss=https%3A%2F%2Fevil.example")).await;
    assert_eq!(mixed.status, 403, "another provider's answer: {}", mixed.body);
    let back = browser.at_provider(&server, &provider).await;
    let forged = back.replace("code=", "code=x");
    assert_eq!(browser.open(server.address, &forged).await.status, 503);
    assert_eq!(browser.open(server.address, "/auth/oidc/nobody/start").await.status, 404);
}

#[tokio::test]
async fn a_provider_inside_is_reached_only_if_it_is_allowed() {
    let Some(provider) = Provider::start().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = with(provider.config(&[]), &dir).await;
    let refused = Browser::default().open(server.address, "/auth/oidc/test/start").await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(!refused.body.contains("127.0.0.1"), "what stands inside is not told: {}", refused.body);
}
