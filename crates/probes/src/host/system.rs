//! The host from the files of `/proc`.

use netwatch_model::probe::kind::system::{
    Carried, Disk, MAX_DISKS, MAX_INTERFACES, Memory, Processors, SystemInformation,
};
use netwatch_model::{Timestamp, Untrusted};
use netwatch_telemetry::clock;
use procfs::net::InterfaceDeviceStatus;
use procfs::process::MountInfos;
use procfs::{CpuInfo, Current as _, CurrentSI as _, FromRead as _, KernelStats, LoadAverage, Meminfo, ProcError};

/// File systems whose space is that of a disk: those of memory, of the kernel and of other hosts are none. Asking one of another host may
/// never return.
const ON_DISKS: &[&str] = &[
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "reiserfs", "ntfs", "ntfs3", "vfat",
    "exfat", "ubifs", "overlay",
];

/// What all processors have done since the host started, in the kernel's ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ticks {
    busy: u64,
    all: u64,
}

impl Ticks {
    /// As they are now.
    pub(super) fn read() -> Option<Self> {
        KernelStats::current().ok().map(|stats| Self::of(&stats))
    }

    /// Guests are counted as user time already; waiting for a disk is idle time.
    fn of(stats: &KernelStats) -> Self {
        let t = &stats.total;
        let or_none = |ticks: Option<u64>| ticks.unwrap_or(0);
        let busy = [t.user, t.nice, t.system, or_none(t.irq), or_none(t.softirq), or_none(t.steal)];
        let busy = busy.iter().fold(0_u64, |sum, ticks| sum.saturating_add(*ticks));
        Self { busy, all: busy.saturating_add(t.idle).saturating_add(or_none(t.iowait)) }
    }

    /// The share of the time since `before` in which they were busy; none when no time has passed.
    #[expect(clippy::cast_precision_loss, reason = "ticks of years are below 2^53")]
    fn share_since(self, before: Self) -> Option<f64> {
        // The kernel's idle time is known to step back by a little.
        let (busy, all) = (self.busy.saturating_sub(before.busy), self.all.checked_sub(before.all)?);
        (all > 0).then(|| (busy as f64 / all as f64).min(1.0))
    }
}

/// Reads the host; `before` are the ticks of the reading before.
pub(super) fn read(before: Option<Ticks>, now: Timestamp) -> Result<(SystemInformation, Option<Ticks>), String> {
    let failed = |what: &str, error: &ProcError| format!("{what} cannot be read: mount /proc ({error})");
    let stats = KernelStats::current().map_err(|error| failed("/proc/stat", &error))?;
    let meminfo = Meminfo::current().map_err(|error| failed("/proc/meminfo", &error))?;
    let ticks = Ticks::of(&stats);
    let uptime = clock::monotonic();
    let name = rustix::system::uname();
    let text = |text: &std::ffi::CStr| Untrusted::from_bytes(text.to_bytes());
    let load = LoadAverage::current().ok();
    let information = SystemInformation {
        hostname: text(name.nodename()),
        os: release(),
        kernel: text(name.release()),
        arch: std::env::consts::ARCH.to_owned(),
        container: super::container::kind(),
        boot_time: now - uptime,
        uptime: uptime.as_secs_f64(),
        cpu: Processors {
            model: model(),
            logical: u32::try_from(stats.cpu_time.len()).unwrap_or(u32::MAX),
            busy: before.and_then(|before| ticks.share_since(before)),
            load: load.as_ref().map_or([0.0; 3], |load| [load.one, load.five, load.fifteen].map(decimal)),
        },
        memory: memory(&meminfo),
        disks: disks(),
        interfaces: carried(),
        processes: load.map_or(0, |load| u64::from(load.max)),
    };
    Ok((information, Some(ticks)))
}

/// A load as the kernel prints it, with two digits.
fn decimal(load: f32) -> f64 {
    (f64::from(load) * 100.0).round() / 100.0
}

/// What the distribution calls itself (os-release(5)).
fn release() -> Untrusted {
    let places = ["/etc/os-release", "/usr/lib/os-release"];
    let text = places.iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    Untrusted::new(name.map_or("Linux", |name| name.trim_matches(['"', '\''])))
}

/// The name of the first processor: on ARM there is none, or one of the board.
fn model() -> Untrusted {
    let info = CpuInfo::current().ok();
    let name =
        info.as_ref().and_then(|info| info.model_name(0).or_else(|| info.fields.get("Model").map(String::as_str)));
    Untrusted::new(name.unwrap_or(std::env::consts::ARCH))
}

fn memory(info: &Meminfo) -> Memory {
    Memory {
        total: info.mem_total,
        // Kernels before 3.14 do not say it.
        available: info.mem_available.unwrap_or(info.mem_free),
        swap_total: info.swap_total,
        swap_used: info.swap_total.saturating_sub(info.swap_free),
    }
}

/// File systems on disks, each once although it may be mounted at several places.
fn disks() -> Vec<Disk> {
    let Ok(mounts) = MountInfos::from_file("/proc/self/mountinfo") else { return Vec::new() };
    let mut seen = Vec::new();
    let mut disks = Vec::new();
    for mount in mounts.iter().filter(|mount| ON_DISKS.contains(&mount.fs_type.as_str())) {
        // An overlay is of interest only where it is the root of a container.
        let is_inner = mount.fs_type == "overlay" && mount.mount_point.as_os_str() != "/";
        if is_inner || seen.contains(&&mount.majmin) || disks.len() >= MAX_DISKS {
            continue;
        }
        let Ok(space) = rustix::fs::statvfs(&mount.mount_point) else { continue };
        seen.push(&mount.majmin);
        disks.push(Disk {
            mount: Untrusted::new(&mount.mount_point.to_string_lossy()),
            device: Untrusted::new(mount.mount_source.as_deref().unwrap_or("")),
            file_system: Untrusted::new(&mount.fs_type),
            total: space.f_blocks.saturating_mul(space.f_frsize),
            available: space.f_bavail.saturating_mul(space.f_frsize),
        });
    }
    disks
}

/// What interfaces have carried, by name.
fn carried() -> Vec<Carried> {
    let Ok(InterfaceDeviceStatus(devices)) = InterfaceDeviceStatus::from_file("/proc/net/dev") else {
        return Vec::new();
    };
    let mut devices: Vec<_> = devices.into_values().collect();
    devices.sort_by(|a, b| a.name.cmp(&b.name));
    let one = |device: procfs::net::DeviceStatus| {
        let faults = [device.recv_errs, device.recv_drop, device.sent_errs, device.sent_drop];
        Carried {
            name: Untrusted::new(&device.name),
            received: device.recv_bytes,
            sent: device.sent_bytes,
            faults: faults.iter().fold(0_u64, |sum, n| sum.saturating_add(*n)),
        }
    };
    devices.into_iter().take(MAX_INTERFACES).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_between_two_readings() {
        let before = Ticks { busy: 100, all: 1000 };
        assert_eq!(Ticks { busy: 150, all: 1200 }.share_since(before), Some(0.25));
        assert_eq!(before.share_since(before), None, "no time has passed");
        assert_eq!(Ticks { busy: 90, all: 1200 }.share_since(before), Some(0.0), "the kernel's counters stepped back");
        assert_eq!(Ticks { busy: 0, all: 10 }.share_since(before), None);
    }

    #[test]
    fn a_load_has_the_digits_of_the_kernel() {
        assert_eq!([0.1_f32, 12.34].map(decimal), [0.1, 12.34]);
    }
}
