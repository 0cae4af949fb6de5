//! `netwatch agent install` and `uninstall`: the agent as a service of systemd, with the one right that it needs.
//!
//! Server and token go into a file that only root and the service manager read, so that they stand in no list of processes. The token is
//! of no use once the agent is enrolled.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use netwatch_agent::identity::{Token, write_private};

use super::os::is_administrator;
use crate::args::AgentRunArgs;
use crate::failure::{Failure, Outcome, usage};

const SERVICE: &str = "netwatch-agent";
const UNIT: &str = "/etc/systemd/system/netwatch-agent.service";
const ENVIRONMENT: &str = "/etc/netwatch-agent.env";
/// Where the service keeps its data; systemd makes it for the service's own user.
const DATA: &str = "/var/lib/netwatch-agent";
/// Where a program is copied to that lies where services may not look.
const PROGRAM: &str = "/usr/local/lib/netwatch-agent/netwatch";

pub(super) fn install(args: &AgentRunArgs) -> Outcome {
    if let Some(fault) = args.fault() {
        return Err(usage(fault));
    }
    let Some(server) = &args.server else {
        return Err(usage("--server HOST:PORT is missing: copy the whole command from the web app"));
    };
    let token = args.token.as_deref().map(str::parse::<Token>).transpose();
    let token = token.map_err(|error| Failure::Usage(anyhow::Error::new(error)))?;
    if args.data_dir.is_some() {
        return Err(usage(format!("the service keeps its data in {DATA}: leave --data-dir out")));
    }
    check_system()?;
    let program = program()?;
    let environment = environment(server, token.as_ref().map(Token::reveal), args.proxy.as_deref());
    write_private(Path::new(ENVIRONMENT), environment.as_bytes()).map_err(anyhow::Error::new)?;
    fs::write(UNIT, unit(&program, args)).with_context(|| format!("{UNIT} cannot be written"))?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", SERVICE])?;
    systemctl(&["restart", SERVICE])?;
    tell(&format!("the service {SERVICE} runs; its log: journalctl -u {SERVICE}"))
}

pub(super) fn uninstall(purge: bool) -> Outcome {
    check_system()?;
    if Path::new(UNIT).exists() {
        systemctl(&["disable", "--now", SERVICE])?;
    }
    for file in [UNIT, ENVIRONMENT, PROGRAM] {
        remove(Path::new(file))?;
    }
    systemctl(&["daemon-reload"])?;
    if !purge {
        return tell(&format!(
            "removed; its key and what waited to be sent stay in {DATA} (--purge removes them, too)"
        ));
    }
    // With a user of its own systemd keeps the data beneath `private`.
    for directory in [Path::new(DATA), Path::new("/var/lib/private/netwatch-agent")] {
        remove(directory)?;
    }
    tell("removed, with all that it kept. Delete the agent on the server, too")
}

fn check_system() -> anyhow::Result<()> {
    if !is_administrator() {
        bail!("a service is installed by root: type sudo before the command");
    }
    if !Path::new("/run/systemd/system").exists() {
        bail!(
            "systemd does not run here: have your service manager start `netwatch agent --server HOST:PORT --token TOKEN`"
        );
    }
    Ok(())
}

/// The program that the service starts: this one, or a copy of it when it lies in somebody's home.
fn program() -> anyhow::Result<PathBuf> {
    let this =
        std::env::current_exe().and_then(fs::canonicalize).context("this program cannot be found: mount /proc")?;
    let is_shared = ["/usr", "/opt", "/bin", "/sbin"].iter().any(|place| this.starts_with(place));
    if is_shared {
        return Ok(this);
    }
    let copy = Path::new(PROGRAM);
    let what = || format!("{} cannot be copied to {PROGRAM}", this.display());
    fs::create_dir_all(copy.parent().unwrap_or(copy)).with_context(what)?;
    let new = copy.with_extension("new");
    fs::copy(&this, &new).with_context(what)?;
    // A program that runs cannot be written to, but it can be replaced.
    fs::rename(&new, copy).with_context(what)?;
    Ok(copy.to_owned())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

fn systemctl(words: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("systemctl").args(words).status().context("systemctl cannot be started")?;
    if !status.success() {
        bail!("`systemctl {}` failed: its message stands above", words.join(" "));
    }
    Ok(())
}

fn tell(text: &str) -> Outcome {
    writeln!(io::stderr(), "netwatch: {text}")?;
    Ok(())
}

/// What the service finds in its environment (systemd.exec(5), `EnvironmentFile=`).
fn environment(server: &str, token: Option<&str>, proxy: Option<&str>) -> String {
    let line = |name: &str, value: &str| format!("{name}=\"{}\"\n", value.replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = line("NETWATCH_AGENT_SERVER", server);
    text.extend(token.map(|token| line("NETWATCH_AGENT_TOKEN", token)));
    // Its credentials are nobody's business either.
    text.extend(proxy.map(|proxy| line("HTTPS_PROXY", proxy)));
    text
}

/// The unit: no right but raw sockets, nothing to write but its own directory.
fn unit(program: &Path, args: &AgentRunArgs) -> String {
    let mut words =
        vec![quoted(&program.to_string_lossy()), "agent".to_owned(), "--data-dir".to_owned(), DATA.to_owned()];
    // The unit starts it again, always.
    words.push("--supervised".to_owned());
    let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), quoted(value)]);
    if let Some(name) = &args.name {
        flag("--name", name);
    }
    for (name, value) in &args.label {
        flag("--label", &format!("{name}={value}"));
    }
    if let Some(port) = args.reflector {
        flag("--reflector", &port.to_string());
    }
    if let Some(port) = args.throughput {
        flag("--throughput", &port.to_string());
    }
    for network in &args.reflector_allow {
        flag("--reflector-allow", &network.to_string());
    }
    for key in &args.update_key {
        flag("--update-key", &key.to_string());
    }
    TEMPLATE.replace("{start}", &words.join(" ")).replace("{environment}", ENVIRONMENT)
}

/// A word of a command line of systemd (systemd.service(5)).
fn quoted(text: &str) -> String {
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.:=,".contains(&b)) && !text.is_empty();
    if is_plain {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!("\"{escaped}\"")
}

const TEMPLATE: &str = "# Written by `netwatch agent install`.
[Unit]
Description=Netwatch agent: observes from this host
Documentation=man:netwatch(1)
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={start}
EnvironmentFile={environment}
Restart=always
RestartSec=5
# Usage, or the agent was deleted: trying again does not help.
RestartPreventExitStatus=2

DynamicUser=yes
StateDirectory=netwatch-agent
StateDirectoryMode=0700
UMask=0077
LimitNOFILE=16384
LimitCORE=0
TasksMax=256

# Kept by the broker process only, which opens raw sockets.
AmbientCapabilities=CAP_NET_RAW
CapabilityBoundingSet=CAP_NET_RAW
NoNewPrivileges=yes

ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateMounts=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
# Of /proc it reads the files about the host, too; processes of others stay hidden.
ProtectProc=invisible
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
KeyringMode=private

# Netwatch confines itself further once it runs, for which it needs the calls of the last two lines; adjtimex is asked, never told.
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=capset seccomp adjtimex
SystemCallFilter=landlock_create_ruleset landlock_add_rule landlock_restrict_self

[Install]
WantedBy=multi-user.target
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_has_one_right_and_words_that_systemd_reads_as_they_were_written() {
        let args = AgentRunArgs {
            name: Some("Berlin 50% \"x\" $HOME".to_owned()),
            label: vec![("site".to_owned(), "b".to_owned())],
            token: Some("secret".to_owned()),
            ..AgentRunArgs::default()
        };
        let unit = unit(Path::new("/usr/bin/netwatch"), &args);
        let start = "ExecStart=/usr/bin/netwatch agent --data-dir /var/lib/netwatch-agent --supervised --name \"Berlin 50%% \\\"x\\\" $$HOME\" --label site=b\n";
        assert!(unit.contains(start), "{unit}");
        assert!(unit.contains("CapabilityBoundingSet=CAP_NET_RAW\n"));
        assert!(!unit.contains("secret") && !unit.contains('{'));
        let high = AgentRunArgs { reflector: Some(9862), ..AgentRunArgs::default() };
        assert!(super::unit(Path::new("/x"), &high).contains(" --reflector 9862\n"));
    }

    #[test]
    fn the_environment_keeps_what_nobody_else_may_read() {
        let text = environment("a:1", Some("nwe1.x.y"), Some("http://u:p\"w@h:1"));
        assert_eq!(
            text,
            "NETWATCH_AGENT_SERVER=\"a:1\"\nNETWATCH_AGENT_TOKEN=\"nwe1.x.y\"\nHTTPS_PROXY=\"http://u:p\\\"w@h:1\"\n"
        );
    }
}
