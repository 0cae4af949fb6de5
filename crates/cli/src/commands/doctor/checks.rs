//! Everything but rights.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use netwatch_capture::bpf;
use netwatch_capture::frame::{InterfaceIndex, LinkType};
use netwatch_capture::interface::link::Link;
use netwatch_capture::ring::{self, Fanout, Ring, RingSettings, RingTarget};
use netwatch_model::Timestamp;

use super::{Row, line};
use crate::commands::interfaces::{self, choice};
use crate::config::{Layers, Settings};
use crate::failure::Failure;
use crate::output::units;

/// 2026-01-01: no clock of a machine that runs this program is right before.
const EARLIEST: Timestamp = Timestamp::from_secs(1_767_225_600);
/// Free bytes of the data directory below which it is told: sessions and token need little.
const LITTLE_SPACE: u64 = 16 << 20;

pub(super) fn configuration(layers: &Layers) -> Row {
    let files: Vec<String> = layers.files.iter().map(|f| f.display().to_string()).collect();
    Row::ok("configuration", if files.is_empty() { "defaults, no file".to_owned() } else { files.join(", ") })
}

pub(super) fn interfaces() -> Row {
    const CHECK: &str = "interfaces";
    let links = match interfaces::list() {
        Ok(links) => links,
        Err(Failure::Usage(e) | Failure::Other(e)) => return Row::fail(CHECK, format!("{e:#}"), "look at: ip link"),
        Err(_) => return Row::fail(CHECK, "cannot be listed", "look at: ip link"),
    };
    let chosen = interfaces::choose(&[], &links).unwrap_or_default();
    let all = links.iter().map(|l| l.name.to_string()).collect::<Vec<_>>().join(", ");
    let (named, others) = not_captured(&links);
    let only_loopback = links.iter().filter(|l| chosen.iter().any(|c| c == l.name.raw())).all(|l| l.loopback);
    match chosen.len() {
        0 => Row::fail(CHECK, format!("none is up of: {all}"), "bring one up: sudo ip link set NAME up"),
        _ if only_loopback => {
            Row::warn(CHECK, "only loopback is up: it is captured", "bring another up: sudo ip link set NAME up")
        }
        _ if named.is_empty() => Row::ok(CHECK, format!("captured by default: {}", chosen.join(", "))),
        _ => Row::ok(CHECK, format!("captured by default: {}; not: {named}{others}", chosen.join(", "))),
    }
}

/// The interfaces that are up and not captured by default, with the reason, and how many more there are.
fn not_captured(links: &[Link]) -> (String, String) {
    /// Enough for a line; a host of containers has hundreds.
    const SHOWN: usize = 4;
    let left_out = links.iter().zip(choice::by_default(links)).filter(|(link, _)| link.up);
    let left_out: Vec<String> = left_out.filter_map(|(l, r)| Some(format!("{} ({})", l.name, r?))).collect();
    let more = left_out.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(", and {more} more (netwatch interfaces)") } else { String::new() };
    (left_out.into_iter().take(SHOWN).collect::<Vec<_>>().join(", "), more)
}

/// Makes a small ring on loopback, as capture does.
pub(super) fn ring() -> Row {
    const CHECK: &str = "ring";
    let socket = match ring::open_socket() {
        Ok(socket) => socket,
        Err(error) => {
            return Row::warn(CHECK, format!("not tried: {}", line(&error)), "grant the right to capture first");
        }
    };
    let Some(lo) = interfaces::list().ok().and_then(|links| links.into_iter().find(|l| l.loopback)) else {
        return Row::warn(CHECK, "not tried: there is no loopback interface", "sudo ip link set lo up");
    };
    let target =
        RingTarget { ifindex: lo.index, interface: InterfaceIndex(0), link: LinkType::Ethernet, loopback: true };
    let settings = RingSettings { block_size: 64 << 10, block_count: 4, ..RingSettings::default() };
    match Ring::open(socket, target, Fanout::Alone, &settings) {
        Ok(_) => Row::ok(CHECK, "TPACKET_V3 with segment sizes works"),
        Err(error) => {
            Row::fail(CHECK, line(&error), "use Linux 4.20 or later with CONFIG_PACKET and CONFIG_PACKET_MMAP")
        }
    }
}

pub(super) fn libpcap() -> Row {
    match bpf::compile_for_file("tcp port 80", 1) {
        Ok(_) => Row::ok("libpcap", "compiles capture filters"),
        Err(error) => Row::warn(
            "libpcap",
            format!("--capture-filter cannot be used: {}", line(&error)),
            "sudo apt install libpcap0.8",
        ),
    }
}

/// The directory, or the nearest parent that exists, must be writable.
pub(super) fn data_directory(settings: &Settings) -> Row {
    const CHECK: &str = "data directory";
    let dir = &settings.data_dir;
    let existing = dir.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    let access = rustix::fs::access(existing, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
    let advice = "choose another with --data-dir, or change its owner";
    match access {
        Err(e) => Row::fail(CHECK, format!("{} cannot be written: {}", existing.display(), line(&e)), advice),
        Ok(()) if !existing.is_dir() => {
            Row::fail(CHECK, format!("{} is not a directory", existing.display()), "choose another with --data-dir")
        }
        Ok(()) if existing == dir => Row::ok(CHECK, format!("{} is writable", dir.display())),
        Ok(()) => Row::ok(CHECK, format!("{} will be made", dir.display())),
    }
}

pub(super) fn port(settings: &Settings) -> Row {
    const CHECK: &str = "listen address";
    let address = settings.listen;
    match TcpListener::bind(address) {
        Ok(_) if address.ip().is_loopback() => Row::ok(CHECK, format!("{address} is free")),
        Ok(_) => Row::warn(
            CHECK,
            format!("{address} is free and can be reached from other machines"),
            "put a proxy with TLS before it, or listen on 127.0.0.1",
        ),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => Row::warn(
            CHECK,
            format!("{address} is in use"),
            "if that is not Netwatch itself, choose another with --listen",
        ),
        Err(e) => Row::fail(CHECK, format!("{address} cannot be used: {e}"), "choose another with --listen"),
    }
}

pub(super) fn disk(settings: &Settings) -> Row {
    const CHECK: &str = "disk space";
    let existing = settings.data_dir.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(existing) {
        Ok(fs) => {
            let free = fs.f_bavail.saturating_mul(fs.f_frsize);
            let detail = format!("{} free at {}", units::bytes(free), existing.display());
            let little = free < LITTLE_SPACE;
            if little {
                Row::warn(CHECK, detail, "free some space, or choose another --data-dir")
            } else {
                Row::ok(CHECK, detail)
            }
        }
        Err(e) => Row::warn(CHECK, format!("{}: {}", existing.display(), line(&e)), "look at: df"),
    }
}

/// Rings with segment sizes and fanout as we use them are in Linux since 4.20 (`PACKET_IGNORE_OUTGOING`).
pub(super) fn kernel() -> Row {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|n| n.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < (4, 20) {
        return Row::fail("kernel", format!("Linux {release}"), "use Linux 4.20 or later");
    }
    Row::ok("kernel", format!("Linux {release}"))
}

/// Packets bear the kernel's time: it must be about right and quick to read.
pub(super) fn clock() -> Row {
    let now = netwatch_telemetry::clock::now();
    if now < EARLIEST {
        return Row::fail("clock", format!("it is {now}, they say"), "set the clock: sudo timedatectl set-ntp true");
    }
    let source = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    let source = source.unwrap_or_default().trim().to_owned();
    if matches!(source.as_str(), "hpet" | "acpi_pm" | "jiffies") {
        let detail = format!("clock source {source} is slow or coarse: time stamps cost CPU");
        return Row::warn("clock", detail, "look at: dmesg | grep clocksource");
    }
    let source = if source.is_empty() { String::new() } else { format!(", clock source {source}") };
    Row::ok("clock", format!("{}{source}", now.to_string().get(..19).unwrap_or_default()))
}
