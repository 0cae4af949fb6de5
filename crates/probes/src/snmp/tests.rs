//! A real agent (net-snmp), and agents that are none.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use netwatch_model::probe::{OptionField, ProbeKind, ProbeResult};

use super::*;
use crate::connect::testing::{answer, assert_well, failure, probe, skip, spec, text, texts, with};

/// net-snmp on a port of its own, ended when dropped.
struct Agent {
    process: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

impl Agent {
    /// `None`, loudly, where there is no net-snmp.
    async fn start() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("the loopback is there");
        let address = socket.local_addr().expect("it is bound");
        drop(socket);
        let path = directory.path().join("snmpd.conf");
        let mut file = std::fs::File::create(&path).expect("a file");
        let users = [
            ("sha", "SHA", "AES"),
            ("sha256", "SHA-256", "AES"),
            ("md5", "MD5", "DES"),
            ("strong", "SHA-512", "AES-256"),
        ];
        for (name, auth, privacy) in users {
            writeln!(file, "createUser {name} {auth} authpassword {privacy} privpassword\nrouser {name} priv")
                .expect("it is written");
        }
        writeln!(file, "rocommunity secret\nsysDescr <script>\nsysContact nobody").expect("it is written");
        let started = Command::new("snmpd")
            .args(["-f", "-Lo", "-C", "-c"])
            .arg(&path)
            .arg(format!("udp:{address}"))
            .env("SNMP_PERSISTENT_DIR", directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            skip("snmpd is not installed, so that no real agent is asked");
            return None;
        };
        let agent = Self { process, address, _directory: directory };
        for _ in 0..500 {
            if agent.ask(&[(&COMMUNITY, text("secret"))]).await.failure.is_none() {
                return Some(agent);
            }
            // waits: for another program to bind its port, of which it tells nobody
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("snmpd does not answer at {}", agent.address);
    }

    async fn ask(&self, options: &[(&OptionField, netwatch_model::probe::OptionValue)]) -> ProbeResult {
        let spec = ProbeSpec { timeout: 2.0, ..spec(ProbeKind::Snmp, self.address) };
        probe(&options.iter().fold(spec, |spec, (field, value)| with(spec, field, value.clone()))).await
    }
}

fn detail(result: &ProbeResult) -> &Snmp {
    match &result.detail {
        Some(Detail::Snmp(snmp)) => snmp,
        other => panic!("no values: {other:?}"),
    }
}

#[tokio::test]
async fn a_real_agent_tells_its_values_in_every_version() {
    let Some(agent) = Agent::start().await else { return };
    for version in ["1", "2c"] {
        let result = agent.ask(&[(&VERSION, text(version)), (&COMMUNITY, text("secret"))]).await;
        assert_well(&result);
        let [description, uptime] = detail(&result).values.as_slice() else { panic!("two values: {result:?}") };
        assert_eq!((description.oid.as_str(), description.text.raw()), ("1.3.6.1.2.1.1.1.0", "<script>"));
        assert!(uptime.number.is_some() && uptime.syntax.contains("TimeTicks"), "{uptime:?}");
        assert!(detail(&result).time.is_some_and(|time| time > 0.0));
    }
    for (user, auth, privacy) in [
        ("sha", "sha1", "aes128"),
        ("sha256", "sha256", "aes128"),
        ("md5", "md5", "des"),
        ("strong", "sha512", "aes256"),
    ] {
        let result = agent
            .ask(&[
                (&VERSION, text("3")),
                (&USER, text(user)),
                (&AUTH, text(auth)),
                (&AUTH_PASSWORD, text("authpassword")),
                (&PRIVACY, text(privacy)),
                (&PRIVACY_PASSWORD, text("privpassword")),
                (&OIDS, texts(&[".1.3.6.1.2.1.1.4.0"])),
            ])
            .await;
        assert_eq!(result.failure, None, "{user}: {result:?}");
        assert_eq!(detail(&result).values[0].text.raw(), "nobody");
    }
}

#[tokio::test]
async fn a_real_agent_that_has_no_such_object_or_does_not_know_us() {
    let Some(agent) = Agent::start().await else { return };
    let missing =
        agent.ask(&[(&COMMUNITY, text("secret")), (&OIDS, texts(&["1.3.6.1.2.1.1.3.0", "1.3.6.1.4.1.99999.1"]))]).await;
    let (reason, message) = failure(&missing);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("1.3.6.1.4.1.99999.1"), "{message}");
    assert_eq!(detail(&missing).values.len(), 2, "what there is, is shown");
    let stranger = agent.ask(&[(&COMMUNITY, text("hunter2"))]).await;
    let (reason, message) = failure(&stranger);
    assert_eq!(reason, FailureReason::Timeout);
    assert!(!format!("{stranger:?}").contains("hunter2"), "{message}");
}

#[tokio::test]
async fn a_closed_port_refuses_and_noise_is_no_answer() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("the loopback is there");
    let address = socket.local_addr().expect("it is bound");
    drop(socket);
    let result = probe(&spec(ProbeKind::Snmp, address)).await;
    assert_eq!(failure(&result).0, FailureReason::Refused, "{result:?}");
    let noisy = answer(|said, _| vec![b"noise".to_vec(), said.to_vec(), vec![0x30; 500]]).await;
    let result = probe(&ProbeSpec { timeout: 0.2, ..spec(ProbeKind::Snmp, noisy) }).await;
    assert!(matches!(failure(&result).0, FailureReason::Timeout | FailureReason::Malformed), "{result:?}");
}

#[tokio::test]
async fn secrets_are_in_no_message() {
    let version_3 = |options: &[(&OptionField, &str)]| {
        let spec = with(spec(ProbeKind::Snmp, "127.0.0.1:1"), &VERSION, text("3"));
        options.iter().fold(spec, |spec, (field, value)| with(spec, field, text(value)))
    };
    for (spec, says) in [
        (version_3(&[]), "`user`"),
        (version_3(&[(&USER, "u"), (&PRIVACY, "aes128"), (&PRIVACY_PASSWORD, "hunter2")]), "`auth_protocol`"),
        (version_3(&[(&USER, "u"), (&AUTH, "sha256"), (&AUTH_PASSWORD, "hunter2")]), "8 characters"),
        (with(spec(ProbeKind::Snmp, "127.0.0.1:1"), &OIDS, texts(&["sysDescr"])), "`oids`"),
    ] {
        let (reason, message) = failure(&probe(&spec).await);
        assert_eq!(reason, FailureReason::Agent);
        assert!(message.contains(says) && !message.contains("hunter2"), "{message}");
    }
}
