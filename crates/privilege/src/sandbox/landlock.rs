//! Files and ports, by Landlock.

use std::io;
use std::path::Path;

use landlock::{ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, PathFdError};
use landlock::{Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope};

use super::{Layer, LayerState, Sandbox, SandboxError, path_error};

/// The newest interface that this was tried with. What the kernel lacks is left out, and told.
const TESTED: ABI = ABI::V7;

/// What the C library, the time zone, a packet filter compiler and `/proc` readers need. Single files of `/etc`, since it also
/// holds what even a process of root must not read here, such as `/etc/shadow`.
const SYSTEM: &[&str] = &[
    "/proc",
    "/sys",
    "/usr",
    "/lib",
    "/lib64",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/netwatch",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/dev/urandom",
    "/dev/zero",
];

/// Read and written by any program.
const NULL: &str = "/dev/null";

/// A path, open, and what may be done beneath it.
type Rule = (PathFd, BitFlags<AccessFs>);

/// The version of the kernel's Landlock interface, or nothing when it has none or it is switched off.
#[must_use]
pub fn abi() -> Option<u32> {
    /// `LANDLOCK_CREATE_RULESET_VERSION`, see landlock_create_ruleset(2).
    const VERSION: u32 = 1;
    // SAFETY: with this flag the call takes no pointer and makes nothing; it returns a number.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION) };
    u32::try_from(version).ok().filter(|v| *v > 0)
}

/// Opens everything that there will be a rule for. System paths that this machine lacks are left out.
pub(super) fn rules(sandbox: &Sandbox) -> Result<Vec<Rule>, SandboxError> {
    let mut rules = Vec::new();
    for path in SYSTEM {
        rules.extend(rule(Path::new(path), reading()));
    }
    rules.extend(rule(Path::new(NULL), reading() | AccessFs::WriteFile));
    for path in &sandbox.read {
        rules.push(rule(path, reading()).map_err(|e| path_error(path, e))?);
    }
    for path in &sandbox.write {
        rules.push(rule(path, writing()).map_err(|e| path_error(path, e))?);
    }
    Ok(rules)
}

/// Restricts the calling thread; tells of files and of the network.
pub(super) fn enforce(sandbox: &Sandbox, rules: Vec<Rule>, threads: u32) -> (Layer, Layer) {
    let result = restrict(sandbox, rules);
    match (abi(), result) {
        (Some(abi), Ok(status)) if status != RulesetStatus::NotEnforced => {
            (files(sandbox, abi, threads), network(sandbox, abi, threads))
        }
        (_, result) => {
            let why = match result {
                Ok(_) => "this kernel has no Landlock, or it is switched off (Linux 5.13, `lsm=landlock,…`)".to_owned(),
                Err(error) => crate::chain(&error),
            };
            let layer = |name| Layer::new(name, LayerState::Unavailable, why.as_str());
            (layer("files"), layer("network"))
        }
    }
}

fn restrict(sandbox: &Sandbox, rules: Vec<Rule>) -> Result<RulesetStatus, RulesetError> {
    let mut ruleset =
        Ruleset::default().handle_access(AccessFs::from_all(TESTED))?.handle_access(AccessNet::BindTcp)?;
    if sandbox.tcp_connect.is_some() {
        ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
    }
    let mut created = ruleset.scope(Scope::Signal | Scope::AbstractUnixSocket)?.create()?;
    for (path, access) in rules {
        created = created.add_rule(PathBeneath::new(path, access))?;
    }
    for port in &sandbox.tcp_bind {
        created = created.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
    }
    for port in sandbox.tcp_connect.iter().flatten() {
        created = created.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    Ok(created.restrict_self()?.ruleset)
}

fn files(sandbox: &Sandbox, abi: u32, threads: u32) -> Layer {
    let writable = match sandbox.write.len() {
        0 => "nothing can be written".to_owned(),
        _ => {
            let paths: Vec<_> = sandbox.write.iter().map(|p| p.display().to_string()).collect();
            format!("only {} can be written", paths.join(", "))
        }
    };
    let missing = match abi {
        1 | 2 => Some("truncating needs Linux 6.2"),
        3 | 4 => Some("device requests need Linux 6.10"),
        _ => None,
    };
    layer("files", format!("Landlock {abi}, {writable}"), missing, threads)
}

fn network(sandbox: &Sandbox, abi: u32, threads: u32) -> Layer {
    if abi < 4 {
        return Layer::new("network", LayerState::Unavailable, format!("Landlock {abi}: ports need Linux 6.7"));
    }
    let ports = |ports: &[u16]| match ports {
        [] => "none".to_owned(),
        ports => ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
    };
    let connect = sandbox.tcp_connect.as_deref().map_or_else(|| "any".to_owned(), ports);
    let detail = format!("Landlock {abi}, TCP ports to bind: {}; to connect to: {connect}", ports(&sandbox.tcp_bind));
    layer("network", detail, (abi < 6).then_some("signals to others need Linux 6.12"), threads)
}

fn layer(name: &'static str, detail: String, missing: Option<&str>, threads: u32) -> Layer {
    let late = (threads > 1).then(|| format!("{} threads were started before and are not restricted", threads - 1));
    let flaws: Vec<_> = missing.map(str::to_owned).into_iter().chain(late).collect();
    if flaws.is_empty() {
        return Layer::new(name, LayerState::Enforced, detail);
    }
    Layer::new(name, LayerState::Partial, format!("{detail}; {}", flaws.join("; ")))
}

fn reading() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::ReadDir
}

fn writing() -> BitFlags<AccessFs> {
    reading()
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSock
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

/// Rights on directories make no sense on a file.
fn rule(path: &Path, access: BitFlags<AccessFs>) -> io::Result<Rule> {
    let open = PathFd::new(path).map_err(|e| match e {
        PathFdError::OpenCall { source, .. } => source,
        other => io::Error::other(other),
    })?;
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(TESTED) };
    Ok((open, access))
}
