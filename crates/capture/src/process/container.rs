//! The container of a process, by the path of its control group.

use netwatch_model::Untrusted;

/// Digits of a container's id that are kept, as the tools show them.
const SHORT_ID: usize = 12;

/// Digits of a whole id of Docker, containerd, Podman and CRI-O.
const WHOLE_ID: usize = 64;

/// The container's short id, or its name for LXC and systemd-nspawn. `None` outside of containers.
///
/// `text` is that of `/proc/PID/cgroup`: lines of `hierarchy:controllers:path`. The paths are a convention of each engine:
/// `…/docker/<id>`, `…/docker-<id>.scope`, `…/cri-containerd-<id>.scope`, `…/crio-<id>.scope`, `…/libpod-<id>.scope`,
/// `/kubepods/…/pod<uid>/<id>`, `/lxc/<name>`, `/lxc.payload.<name>`, `/machine.slice/machine-<name>.scope`.
pub(super) fn container_of(text: &str) -> Option<Untrusted> {
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.clone().find_map(by_id).or_else(|| paths.clone().find_map(by_name))
}

/// The innermost id of the path: containers may stand in containers.
fn by_id(path: &str) -> Option<Untrusted> {
    path.rsplit('/').find_map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let id = part.rsplit(['-', ':']).next()?;
        let is_whole = id.len() == WHOLE_ID && id.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_whole.then(|| id.get(..SHORT_ID).map(Untrusted::new)).flatten()
    })
}

fn by_name(path: &str) -> Option<Untrusted> {
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let name = match part {
            "lxc" | "lxc.payload" => parts.peek().copied(),
            _ => part
                .strip_prefix("lxc.payload.")
                .or_else(|| part.strip_prefix("machine-").and_then(|rest| rest.strip_suffix(".scope")))
                .or_else(|| part.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service"))),
        };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            return Some(Untrusted::new(name));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_the_engines() {
        let id = "0123456789abcdef".repeat(4);
        let cases = [
            (format!("0::/system.slice/docker-{id}.scope\n"), Some("0123456789ab")),
            (format!("12:pids:/docker/{id}\n11:cpu:/docker/{id}\n"), Some("0123456789ab")),
            (format!("0::/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-{id}.scope"), Some("0123456789ab")),
            (format!("0::/kubepods/besteffort/pod6a-7b/{id}"), Some("0123456789ab")),
            (format!("0::/kubepods.slice/crio-{id}.scope/container"), Some("0123456789ab")),
            (format!("0::/user.slice/user-1000.slice/libpod-{id}.scope/x"), Some("0123456789ab")),
            (format!("1:name=systemd:/a:cri-containerd:{id}"), Some("0123456789ab")),
            ("0::/lxc/web/init.scope".to_owned(), Some("web")),
            ("0::/lxc.payload.web/system.slice/nginx.service".to_owned(), Some("web")),
            ("0::/machine.slice/machine-deb.scope".to_owned(), Some("deb")),
            ("0::/machine.slice/systemd-nspawn@deb.service/payload".to_owned(), Some("deb")),
            ("0::/user.slice/user-0.slice/session-1.scope".to_owned(), None),
            ("0::/system.slice/ssh.service".to_owned(), None),
            ("0::/".to_owned(), None),
            ("0::/lxc/".to_owned(), None),
            ("no colon".to_owned(), None),
            (String::new(), None),
            (format!("0::/docker/{}", &id[..63]), None),
        ];
        for (text, want) in cases {
            assert_eq!(container_of(&text), want.map(Untrusted::new), "{text}");
        }
    }
}
