//! The host where there is no `/proc`.
//!
//! Limits: macOS and Windows. Windows has no load; the share of busy processors is a mean over all of them.

use netwatch_model::probe::kind::system::{
    Carried, Disk, MAX_DISKS, MAX_INTERFACES, Memory, Processors, SystemInformation,
};
use netwatch_model::{Timestamp, Untrusted};
use sysinfo::{Disks, Networks, ProcessesToUpdate, System};

/// The library measures processors over a time of its own: nothing is kept between readings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ticks;

impl Ticks {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(super) const fn read() -> Option<Self> {
        Some(Self)
    }
}

/// Reads the host; it takes as long as the library wants to see processors at work.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub(super) fn read(_: Option<Ticks>, now: Timestamp) -> Result<(SystemInformation, Option<Ticks>), String> {
    let mut system = System::new();
    system.refresh_memory();
    system.refresh_cpu_all();
    std::thread::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
    system.refresh_cpu_usage();
    system.refresh_processes(ProcessesToUpdate::All, true);
    let text = |text: Option<String>| Untrusted::new(text.as_deref().unwrap_or_default());
    let uptime = std::time::Duration::from_secs(System::uptime());
    let load = System::load_average();
    let information = SystemInformation {
        hostname: text(System::host_name()),
        os: text(System::long_os_version()),
        kernel: text(System::kernel_version()),
        arch: std::env::consts::ARCH.to_owned(),
        container: super::container::kind(),
        boot_time: now - uptime,
        uptime: uptime.as_secs_f64(),
        cpu: Processors {
            model: text(system.cpus().first().map(|cpu| cpu.brand().trim().to_owned())),
            logical: u32::try_from(system.cpus().len()).unwrap_or(u32::MAX),
            busy: Some((f64::from(system.global_cpu_usage()) / 100.0).clamp(0.0, 1.0)),
            load: [load.one, load.five, load.fifteen],
        },
        memory: Memory {
            total: system.total_memory(),
            available: system.available_memory(),
            swap_total: system.total_swap(),
            swap_used: system.used_swap(),
        },
        disks: disks(),
        interfaces: carried(),
        processes: system.processes().len() as u64,
    };
    Ok((information, Some(Ticks)))
}

fn disks() -> Vec<Disk> {
    let disks = Disks::new_with_refreshed_list();
    let one = |disk: &sysinfo::Disk| Disk {
        mount: Untrusted::new(&disk.mount_point().to_string_lossy()),
        device: Untrusted::new(&disk.name().to_string_lossy()),
        file_system: Untrusted::new(&disk.file_system().to_string_lossy()),
        total: disk.total_space(),
        available: disk.available_space(),
    };
    disks.iter().take(MAX_DISKS).map(one).collect()
}

fn carried() -> Vec<Carried> {
    let networks = Networks::new_with_refreshed_list();
    let one = |(name, data): (&String, &sysinfo::NetworkData)| Carried {
        name: Untrusted::new(name),
        received: data.total_received(),
        sent: data.total_transmitted(),
        faults: data.total_errors_on_received().saturating_add(data.total_errors_on_transmitted()),
    };
    let mut carried: Vec<_> = networks.iter().map(one).collect();
    carried.sort_by(|a, b| a.name.cmp(&b.name));
    carried.truncate(MAX_INTERFACES);
    carried
}
