//! `netwatch capture`: packets to a pcapng file.
//!
//! Checked first: limits, interfaces, filter. Then the rings are opened, the file is made, and every right is given up: what comes
//! from the wire is only copied. Data may go to standard output, so everything said goes to standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use netwatch_capture::driver::signal::Signal;
use netwatch_capture::frame::InterfaceIndex;
use netwatch_capture::interface::link::Link;
use netwatch_capture::ring::{self, Fanout, Ring, RingSettings, RingTarget};
use netwatch_capture::source::LiveFilter;
use netwatch_capture::writer::record::{Ended, Recorded, record};
use netwatch_capture::writer::{Output, WriteLimits, Writer, WrittenInterface};
use netwatch_model::Untrusted;
use netwatch_model::filter::{Kind, parse_value};
use netwatch_privilege::caps;
use netwatch_privilege::report::{Capture, PrivilegeReport};
use netwatch_privilege::sandbox::Sandbox;
use netwatch_telemetry::clock::SystemClock;

use super::interfaces;
use crate::args::{Cli, Overrides, RecordArgs};
use crate::config::{Key, Settings};
use crate::engine::{refused, ring_settings};
use crate::failure::{Failure, Outcome, usage};
use crate::output::units;

/// The longest frame: a super-frame of segmentation offload.
const WHOLE: u32 = 256 << 10;

pub fn run(cli: &Cli, args: &RecordArgs) -> Outcome {
    let mut flags = Overrides::default();
    flags.list(Key::Interfaces, &args.interface);
    flags.flag(Key::Promiscuous, args.promiscuous);
    let settings = super::settings(cli, flags)?;
    if args.write == Path::new("-") && io::stdout().is_terminal() {
        return Err(usage("packets are no text for a terminal: give a file name, or send standard output elsewhere"));
    }
    let wanted = Wanted::new(args, &settings)?;
    let rings = wanted.open_rings()?;
    let output = Output::create(&args.write, args.force).map_err(|error| {
        let exists = args.write.exists() && !args.force;
        let hint =
            if exists { "it exists already: choose another name, or say --force" } else { "choose another place" };
        anyhow::Error::new(error).context(hint)
    })?;
    caps::drop_all().map_err(anyhow::Error::new)?;
    Sandbox::new().connect_only([]).enforce().map_err(anyhow::Error::new)?;
    let application = format!("netwatch {}", crate::version::short());
    let writer = Writer::new(output, &application, &wanted.written(), wanted.limits).map_err(anyhow::Error::new)?;
    // The first thread starts here.
    let stop = stop_on_signals()?;
    tell(&format!("capturing on {}; Ctrl-C ends", wanted.names()))?;
    let recorded = record(rings, writer, wanted.duration, &stop, &SystemClock).map_err(anyhow::Error::new)?;
    tell(&summary(&recorded, &args.write))
}

/// What is to be captured, checked.
struct Wanted {
    links: Vec<Link>,
    filter: Option<LiveFilter>,
    ring: RingSettings,
    limits: WriteLimits,
    duration: Option<Duration>,
}

impl Wanted {
    fn new(args: &RecordArgs, settings: &Settings) -> Result<Self, Failure> {
        let quantity = |flag: &str, kind, text: &Option<String>| {
            let read = |text: &String| parse_value(kind, text).map_err(|why| usage(format!("{flag}: {why}")));
            text.as_ref().map(read).transpose()
        };
        let octets = quantity("--max-size", Kind::Bytes, &args.max_size)?;
        let duration = quantity("--duration", Kind::Duration, &args.duration)?.map(Duration::from_nanos);
        let length = quantity("--capture-length", Kind::Bytes, &args.capture_length)?;
        let length = length.map_or(WHOLE, |n| u32::try_from(n.clamp(1, WHOLE.into())).unwrap_or(WHOLE));
        let all = interfaces::list()?;
        let names = interfaces::choose(&settings.interfaces, &all)?;
        let expression = args.capture_filter.clone().unwrap_or_else(|| args.expression.join(" "));
        let wanted: Vec<Untrusted> = names.iter().map(|n| Untrusted::new(n)).collect();
        let filter = Some(expression).filter(|e| !e.is_empty());
        let filter = filter.map(|e| LiveFilter::compile(&e, &wanted, &all)).transpose().map_err(refused)?;
        let links: Vec<Link> = all.into_iter().filter(|l| names.iter().any(|n| n == l.name.raw())).collect();
        if links.is_empty() {
            let message = "no interface is up: bring one up (sudo ip link set NAME up), or name one with --interface";
            return Err(Failure::Other(anyhow::anyhow!(message)));
        }
        let ring = RingSettings { capture_length: length, ..ring_settings(settings) };
        let limits = WriteLimits { octets, packets: args.max_packets };
        Ok(Self { links, filter, ring, limits, duration })
    }

    fn open_rings(&self) -> Result<Vec<Ring>, Failure> {
        let report = PrivilegeReport::now().context("this process cannot be inspected: mount /proc")?;
        if report.capture == Capture::Denied {
            return Err(Failure::Other(anyhow::anyhow!("capturing is not allowed: {}", report.grant)));
        }
        let mut filter = self.filter.clone();
        let mut rings = Vec::new();
        for (number, link) in (0..=u8::MAX).zip(&self.links) {
            let kind = link.link.unwrap_or_default();
            let target = RingTarget {
                ifindex: link.index,
                interface: InterfaceIndex(number),
                link: kind,
                loopback: link.loopback,
            };
            let filter = filter.as_mut().map(|f| f.program(kind, link.name.raw())).transpose().map_err(refused)?;
            let settings = RingSettings { filter, ..self.ring.clone() };
            let socket = ring::open_socket().map_err(anyhow::Error::new)?;
            let ring = Ring::open(socket, target, Fanout::Alone, &settings);
            rings.push(ring.with_context(|| format!("cannot capture on {}", link.name))?);
        }
        Ok(rings)
    }

    fn written(&self) -> Vec<WrittenInterface> {
        let capture_length = self.ring.capture_length;
        let one =
            |l: &Link| WrittenInterface { name: l.name.clone(), link: l.link.unwrap_or_default(), capture_length };
        self.links.iter().map(one).collect()
    }

    fn names(&self) -> String {
        self.links.iter().map(|l| l.name.to_string()).collect::<Vec<_>>().join(", ")
    }
}

/// A signal that is raised when the process is asked to end; asked twice it ends at once.
fn stop_on_signals() -> anyhow::Result<Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Signal::new().context("no file descriptor is left: raise the limit (ulimit -n)")?;
    let raised = stop.clone();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build().context("cannot watch for signals")?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for signals")?;
    drop(entered);
    let watch = move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if raised.is_raised() {
                    std::process::exit(130);
                }
                raised.raise();
            }
        });
    };
    let thread = std::thread::Builder::new().name("nw-signals".to_owned());
    thread.spawn(watch).context("cannot start the thread that watches for signals")?;
    Ok(stop)
}

fn tell(text: &str) -> Outcome {
    writeln!(io::stderr(), "netwatch: {text}")?;
    Ok(())
}

fn summary(r: &Recorded, file: &Path) -> String {
    let why = match r.ended {
        Ended::Shutdown => "stopped",
        Ended::Full => "the limit is reached",
        Ended::Time => "the time is over",
        Ended::Gone => "the interface is gone",
    };
    let file = crate::failure::visible(&file.display().to_string());
    let size = units::bytes(r.octets);
    format!("{why}: {} packets, {size} in {file}; the kernel dropped {} frames", r.packets, r.dropped)
}
