//! Whether this process runs in a container, and in which kind.
//!
//! There is no one answer: each runtime leaves marks of its own. They are asked from the surest to the vaguest.

use std::path::Path;

/// The kind of container that this process runs in: `docker`, `podman`, `kubernetes`, `lxc`, …
#[must_use]
pub fn kind() -> Option<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    of(
        std::env::var("container").ok().as_deref(),
        std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
        |path| Path::new(path).exists(),
        &read("/run/systemd/container"),
        &read("/proc/self/cgroup"),
    )
}

/// The same from its marks: the variable that LXC, Podman and systemd-nspawn set, the one of Kubernetes, files of runtimes, what systemd
/// has found, and the names of control groups (version 1 has them within the container, too).
fn of(
    variable: Option<&str>,
    is_kubernetes: bool,
    is_there: impl Fn(&str) -> bool,
    systemd: &str,
    groups: &str,
) -> Option<String> {
    let word = |text: &str| {
        let text = text.trim();
        let is_word =
            !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        is_word.then(|| text.to_ascii_lowercase())
    };
    let named = |name: &str| Some(name.to_owned());
    if is_kubernetes {
        return named("kubernetes");
    }
    if is_there("/.dockerenv") {
        return named("docker");
    }
    if is_there("/run/.containerenv") {
        return named("podman");
    }
    let in_groups = || {
        let marks = [("kubepods", "kubernetes"), ("docker", "docker"), ("libpod", "podman"), ("lxc", "lxc")];
        // systemd names the units that it runs for these programs on a host `system.slice/docker.service`.
        let paths = groups.lines().filter_map(|line| line.rsplit(':').next());
        let inner: Vec<&str> = paths.filter(|path| !path.contains(".service")).collect();
        let found = marks.iter().find(|(mark, _)| inner.iter().any(|path| path.contains(mark)));
        found.map(|(_, kind)| (*kind).to_owned())
    };
    variable.and_then(word).or_else(|| word(systemd)).or_else(in_groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runtime_is_known_by_its_marks() {
        let none = |_: &str| false;
        let kind = |found: Option<String>| found.unwrap_or_else(|| "none".to_owned());
        assert_eq!(kind(of(None, false, none, "", "0::/\n")), "none");
        assert_eq!(kind(of(Some("lxc"), false, none, "", "")), "lxc");
        assert_eq!(kind(of(None, true, none, "", "")), "kubernetes");
        assert_eq!(kind(of(None, false, |path| path == "/.dockerenv", "", "")), "docker");
        assert_eq!(kind(of(None, false, none, "systemd-nspawn\n", "")), "systemd-nspawn");
        assert_eq!(kind(of(None, false, none, "", "4:memory:/docker/0123abcd\n")), "docker");
        assert_eq!(kind(of(None, false, none, "", "0::/system.slice/docker.service\n")), "none");
        assert_eq!(kind(of(Some("a b"), false, none, "", "")), "none");
    }
}
