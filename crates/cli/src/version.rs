//! What this program is.

use serde::Serialize;

/// Version, commit and what was compiled in.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// Of the workspace.
    pub version: &'static str,
    /// Git commit, when it was known at build time.
    pub commit: Option<&'static str>,
    /// Architecture and system.
    pub target: String,
    /// Optional parts.
    pub features: Vec<&'static str>,
}

/// The version alone.
pub const fn short() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// All of it.
pub fn long() -> Version {
    let commit = Some(env!("NETWATCH_COMMIT")).filter(|c| !c.is_empty());
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let features = if cfg!(debug_assertions) { vec!["debug"] } else { Vec::new() };
    Version { version: short(), commit, target, features }
}
