//! The programs that are measured: how each is started, and how it tells what it has dropped.
//!
//! A new one is added here and nowhere else: a variant, its command, its count.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use netwatch_testkit::netns::{Namespace, Running};
use rustix::process::{Pid, Signal, kill_process};

use crate::api::{LISTEN, TOKEN};
use crate::error::BenchError;
use crate::{api, floor, lab};

/// A program that reads frames.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// A bare ring reader that only counts.
    Floor,
    /// This project.
    Netwatch,
    /// Debian's softflowd.
    Softflowd,
    /// nfpcapd of Debian's nfdump.
    Nfpcapd,
    /// Debian's pmacctd with its export process.
    Pmacctd,
}

/// Where and how a program runs.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'b> {
    /// The receiving side.
    pub namespace: &'b Namespace,
    /// For its files.
    pub directory: &'b Path,
    /// The binary of Netwatch.
    pub netwatch: &'b Path,
    /// Flows that will come.
    pub flows: u32,
    /// How long the floor has to run.
    pub longest: Duration,
}

/// What a program says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Frames dropped before it saw them.
    pub drops: u64,
}

impl Program {
    /// All, in the order of the table.
    pub const ALL: [Self; 5] = [Self::Floor, Self::Netwatch, Self::Softflowd, Self::Nfpcapd, Self::Pmacctd];

    /// As it is called in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Netwatch => "netwatch",
            Self::Softflowd => "softflowd",
            Self::Nfpcapd => "nfpcapd",
            Self::Pmacctd => "pmacctd",
        }
    }

    /// Starts it in the namespace, with its output in the directory's `log`.
    pub fn start(self, bench: &Bench<'_>) -> Result<Running, BenchError> {
        let failed = |source| BenchError::Start { program: self.name().to_owned(), source };
        let log = std::fs::File::create(log(bench)).map_err(failed)?;
        let mut command = self.command(bench).map_err(failed)?;
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(failed)?).stderr(log);
        if find(command.get_program()).is_none() {
            return Err(failed(std::io::ErrorKind::NotFound.into()));
        }
        Ok(bench.namespace.spawn(&mut command))
    }

    /// Ends it and gives its counts. Its use of CPU and memory must be read before.
    pub fn finish(self, mut running: Running, bench: &Bench<'_>) -> Result<Counted, BenchError> {
        let drops = match self {
            Self::Floor => {
                wait(&mut running, bench.longest);
                serde_json::from_str::<floor::Report>(&words(bench)).ok().map(|report| report.drops)
            }
            Self::Netwatch => api::statistics(bench.namespace).map(|s| s.capture.kernel_drops),
            Self::Softflowd => {
                let socket = bench.directory.join("control");
                let output = Command::new("softflowctl").arg("-c").arg(socket).arg("statistics").output();
                let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
                numbers_after(&text, "dropped by libpcap: ")
            }
            Self::Nfpcapd => {
                signal(&running, Signal::TERM);
                wait(&mut running, PATIENCE);
                numbers_after(&words(bench), "dropped by OS/Buffer: ")
            }
            Self::Pmacctd => {
                signal(&running, Signal::USR1);
                let log = bench.directory.join("pmacctd.log");
                let told = || std::fs::read_to_string(&log).unwrap_or_default().contains("dropped_packets=");
                lab::until(PATIENCE, told);
                numbers_after(&std::fs::read_to_string(&log).unwrap_or_default(), "dropped_packets=")
            }
        };
        end(&mut running, self);
        let drops = drops.ok_or_else(|| BenchError::Words { program: self.name().to_owned(), words: tail(bench) })?;
        Ok(Counted { drops })
    }

    fn command(self, bench: &Bench<'_>) -> std::io::Result<Command> {
        let directory = bench.directory;
        let room = (u64::from(bench.flows) * 2).max(200_000).to_string();
        let mut command = match self {
            Self::Floor => Command::new(std::env::current_exe()?),
            Self::Netwatch => Command::new(bench.netwatch),
            other => Command::new(other.name()),
        };
        match self {
            Self::Floor => {
                command.args(["floor", "--interface", lab::RECEIVER, "--seconds"]);
                command.arg(bench.longest.as_secs().to_string());
            }
            Self::Netwatch => {
                command.args(["up", "--interface", lab::RECEIVER, "--listen", LISTEN, "--data-dir"]);
                command.arg(directory.join("data")).env("NETWATCH_TOKEN", TOKEN);
            }
            Self::Softflowd => {
                command.args(["-i", lab::RECEIVER, "-d", "-m", &room, "-n", "127.0.0.1:9995"]);
                command.arg("-c").arg(directory.join("control")).arg("-p").arg(directory.join("pid"));
            }
            Self::Nfpcapd => {
                let flows = directory.join("flows");
                std::fs::create_dir_all(&flows)?;
                command.args(["-i", lab::RECEIVER, "-b", "16", "-B", &room, "-t", "3600", "-w"]).arg(flows);
            }
            Self::Pmacctd => {
                let config = directory.join("pmacctd.conf");
                std::fs::write(&config, pmacctd_config(&directory.join("pmacctd.log")))?;
                command.arg("-f").arg(config);
            }
        }
        Ok(command)
    }
}

/// How long a program may take to answer or to end.
const PATIENCE: Duration = Duration::from_secs(20);

fn pmacctd_config(log: &Path) -> String {
    let lines = [
        "daemonize: false",
        &format!("pcap_interface: {}", lab::RECEIVER),
        "aggregate: src_host, dst_host, src_port, dst_port, proto",
        "plugins: nfprobe",
        "nfprobe_receiver: 127.0.0.1:9995",
        "nfprobe_version: 10",
        "plugin_pipe_size: 16777216",
        "plugin_buffer_size: 65536",
        &format!("logfile: {}", log.display()),
    ];
    lines.join("\n") + "\n"
}

/// The sum of the numbers that stand behind each `key`.
fn numbers_after(text: &str, key: &str) -> Option<u64> {
    let mut numbers = text.split(key).skip(1).filter_map(|rest| {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<u64>().ok()
    });
    numbers.next().map(|first| first + numbers.sum::<u64>())
}

fn signal(running: &Running, signal: Signal) {
    if let Some(pid) = i32::try_from(running.0.id()).ok().and_then(Pid::from_raw) {
        // Fails only when it has ended, which `wait` sees.
        let _ = kill_process(pid, signal);
    }
}

fn wait(running: &mut Running, patience: Duration) {
    lab::until(patience, || !matches!(running.0.try_wait(), Ok(None)));
}

/// Ends a program that has not ended yet, politely first: it must take its children along.
fn end(running: &mut Running, program: Program) {
    if matches!(running.0.try_wait(), Ok(None)) {
        signal(running, if program == Program::Pmacctd { Signal::INT } else { Signal::TERM });
        wait(running, PATIENCE);
    }
}

/// Where a program writes what it says.
pub fn log(bench: &Bench<'_>) -> PathBuf {
    bench.directory.join("log")
}

fn words(bench: &Bench<'_>) -> String {
    String::from_utf8_lossy(&std::fs::read(log(bench)).unwrap_or_default()).into_owned()
}

/// The last line that a program has written.
pub fn tail(bench: &Bench<'_>) -> String {
    words(bench).lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned()
}

/// Where a program is, as the shell finds it; Debian's daemons are not in every user's path.
fn find(program: &std::ffi::OsStr) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::new()]);
    places.map(|place| place.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_in_the_words_of_the_peers() {
        let softflowd = "Packets received by libpcap: 300096\nPackets dropped by libpcap: 3089\n";
        assert_eq!(numbers_after(softflowd, "dropped by libpcap: "), Some(3089));
        let nfpcapd = "Stat: received: 7, dropped by OS/Buffer: 1, freeze_q_cnt: 0\nStat: received: 7, dropped by OS/Buffer: 2, f";
        assert_eq!(numbers_after(nfpcapd, "dropped by OS/Buffer: "), Some(3));
        assert_eq!(numbers_after("", "dropped_packets="), None);
    }
}
