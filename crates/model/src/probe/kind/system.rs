//! The host of an agent: processor, memory, disks, what its interfaces have carried.
//!
//! Each agent reads it of itself, each minute; nobody makes a probe of it. Shares are of the time since the reading before. Counters of
//! interfaces are the kernel's, since the interface was made.
//!
//! Limits: [`MAX_DISKS`] file systems and [`MAX_INTERFACES`] interfaces; the rest is left out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Descriptor, TargetForm};
use crate::probe::metric::{Measure, ProbeMetric as M};
use crate::{Timestamp, Untrusted};

/// Most file systems of a reading.
pub const MAX_DISKS: usize = 64;
/// Most interfaces of a reading.
pub const MAX_INTERFACES: usize = 128;

/// All that there is to know of readings of the host.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "system",
    help: "The agent's host: processor, memory, disks, octets of its interfaces",
    target: TargetForm::Own,
    interval: 60.0,
    least_interval: 10.0,
    timeout: 10.0,
    count: 1,
    spacing: 0.0,
    options: &[],
    metrics: &[
        M::HostCpu,
        M::HostLoad,
        M::HostMemory,
        M::HostMemoryUsed,
        M::HostSwapUsed,
        M::HostUptime,
        M::HostDisk,
        M::HostDiskUsed,
        M::HostReceived,
        M::HostSent,
        M::HostFaults,
    ],
};

/// The host of an agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SystemInformation {
    /// Its name.
    #[schema(value_type = String)]
    pub hostname: Untrusted,
    /// The operating system and its release.
    #[schema(value_type = String)]
    pub os: Untrusted,
    /// The release of the kernel.
    #[schema(value_type = String)]
    pub kernel: Untrusted,
    /// `x86_64`, `aarch64`, …
    pub arch: String,
    /// The kind of container that the agent runs in, `docker`, `podman`, `lxc` and so on; absent when it runs in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// When the host started.
    #[schema(value_type = String, format = DateTime)]
    pub boot_time: Timestamp,
    /// Seconds since then.
    pub uptime: f64,
    /// Processors.
    pub cpu: Processors,
    /// Memory.
    pub memory: Memory,
    /// File systems on disks.
    pub disks: Vec<Disk>,
    /// What interfaces have carried.
    pub interfaces: Vec<Carried>,
    /// Processes.
    pub processes: u64,
}

/// The processors of a host.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Processors {
    /// As the first of them names itself.
    #[schema(value_type = String)]
    pub model: Untrusted,
    /// Those that the system schedules on.
    pub logical: u32,
    /// Share of their time in which they were busy, 0 to 1; absent when there is no reading before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<f64>,
    /// Tasks that ran or waited for a processor or a disk, means over 1, 5 and 15 minutes.
    pub load: [f64; 3],
}

/// The memory of a host, octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// What programs could still have.
    pub available: u64,
    /// Swap space.
    pub swap_total: u64,
    /// What of it is used.
    pub swap_used: u64,
}

/// A file system on a disk, octets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Disk {
    /// Where it is mounted.
    #[schema(value_type = String)]
    pub mount: Untrusted,
    /// The device.
    #[schema(value_type = String)]
    pub device: Untrusted,
    /// `ext4`, `xfs`, …
    #[schema(value_type = String)]
    pub file_system: Untrusted,
    /// Its size.
    pub total: u64,
    /// What programs without special rights could still write.
    pub available: u64,
}

/// What an interface has carried since it was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Carried {
    /// Its name.
    #[schema(value_type = String)]
    pub name: Untrusted,
    /// Octets received.
    pub received: u64,
    /// Octets sent.
    pub sent: u64,
    /// Packets with errors and packets dropped, both ways.
    pub faults: u64,
}

impl Memory {
    /// What is used.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.total.saturating_sub(self.available)
    }
}

impl Disk {
    /// What cannot be written any more.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.total.saturating_sub(self.available)
    }
}

impl SystemInformation {
    pub(super) fn measure(&self, out: &mut Vec<Measure>) {
        out.extend(self.cpu.busy.map(|busy| Measure::new(M::HostCpu, busy)));
        let [load, ..] = self.cpu.load;
        let memory = &self.memory;
        out.extend([
            Measure::new(M::HostLoad, load),
            Measure::new(M::HostMemory, share(memory.used(), memory.total)),
            Measure::new(M::HostMemoryUsed, float(memory.used())),
            Measure::new(M::HostSwapUsed, float(memory.swap_used)),
            Measure::new(M::HostUptime, self.uptime),
        ]);
    }

    /// Numbers of each file system and interface: the name of the label that tells them apart, its value, and the number.
    pub fn measures_of_parts(&self) -> impl Iterator<Item = (&'static str, &Untrusted, Measure)> {
        let disks = self.disks.iter().flat_map(|disk| {
            let of = |measure| ("mount", &disk.mount, measure);
            [
                of(Measure::new(M::HostDisk, share(disk.used(), disk.total))),
                of(Measure::new(M::HostDiskUsed, float(disk.used()))),
            ]
        });
        let interfaces = self.interfaces.iter().flat_map(|carried| {
            let of = |measure| ("interface", &carried.name, measure);
            [
                of(Measure::new(M::HostReceived, float(carried.received))),
                of(Measure::new(M::HostSent, float(carried.sent))),
                of(Measure::new(M::HostFaults, float(carried.faults))),
            ]
        });
        disks.chain(interfaces)
    }
}

#[expect(clippy::cast_precision_loss, reason = "octets and packets below 2^53")]
const fn float(n: u64) -> f64 {
    n as f64
}

fn share(of: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { float(of) / float(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_whole_and_parts_have_their_labels() {
        let disk = Disk {
            mount: "/".into(),
            device: "/dev/vda".into(),
            file_system: "ext4".into(),
            total: 1000,
            available: 250,
        };
        let carried = Carried { name: "eth0".into(), received: 7, sent: 5, faults: 1 };
        let system = SystemInformation {
            hostname: "host".into(),
            os: "Linux".into(),
            kernel: "6".into(),
            arch: "x86_64".to_owned(),
            container: None,
            boot_time: Timestamp::ZERO,
            uptime: 60.0,
            cpu: Processors { model: "x".into(), logical: 1, busy: None, load: [0.5, 0.4, 0.3] },
            memory: Memory { total: 400, available: 100, swap_total: 0, swap_used: 0 },
            disks: vec![disk],
            interfaces: vec![carried],
            processes: 3,
        };
        let mut measures = Vec::new();
        system.measure(&mut measures);
        assert!(measures.contains(&Measure::new(M::HostMemory, 0.75)));
        assert!(!measures.iter().any(|measure| measure.metric == M::HostCpu), "nothing is known yet");
        let parts: Vec<_> = system.measures_of_parts().map(|(label, of, m)| (label, of.raw().to_owned(), m)).collect();
        assert!(parts.contains(&("mount", "/".to_owned(), Measure::new(M::HostDisk, 0.75))));
        assert!(parts.contains(&("interface", "eth0".to_owned(), Measure::new(M::HostSent, 5.0))));
        assert_eq!(share(1, 0), 0.0);
    }
}
