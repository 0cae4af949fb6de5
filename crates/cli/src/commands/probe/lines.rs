//! A result for people.

use std::io::{self, Write};

use netwatch_model::probe::kind::dns::Dns;
use netwatch_model::probe::kind::http::Http;
use netwatch_model::probe::kind::mtr::{Hop, Trace};
use netwatch_model::probe::kind::network::NetworkInformation;
use netwatch_model::probe::kind::simulation::{Simulation, Way};
use netwatch_model::probe::kind::system::SystemInformation;
use netwatch_model::probe::kind::throughput::{RttMethod, Throughput, Transfer};
use netwatch_model::probe::kind::tls::TlsSession;
use netwatch_model::probe::{Delays, Detail, ProbeResult};

use crate::failure::Failure;
use crate::output::csv as fields;
use crate::output::units::bytes;

/// Prints a result with what its kind has found.
pub fn write(out: &mut impl Write, result: &ProbeResult) -> io::Result<()> {
    let address = result.address.map(|address| format!(" ({address})")).unwrap_or_default();
    writeln!(out, "{} {}{address}", result.kind, result.target)?;
    if let Some(detail) = &result.detail {
        write_detail(out, detail)?;
    }
    match &result.failure {
        Some(failure) => writeln!(out, "  failed: {}", failure.message),
        None => Ok(()),
    }
}

/// Prints the numbers of a result: target, metric, value and unit.
pub fn csv(out: &mut impl Write, result: &ProbeResult) -> Result<(), Failure> {
    for measure in result.measures() {
        let unit = serde_json::to_value(measure.metric.unit()).ok();
        let unit = unit.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        fields::line(out, [&*result.target, measure.metric.name(), &measure.value.to_string(), unit])?;
    }
    Ok(())
}

fn write_detail(out: &mut impl Write, detail: &Detail) -> io::Result<()> {
    match detail {
        Detail::Ping(ping) => {
            let (low, high) = (ping.loss_interval.low * 100.0, ping.loss_interval.high * 100.0);
            let loss = ping.loss * 100.0;
            writeln!(
                out,
                "  {} sent, {} received, {loss:.1} % lost (95 %: {low:.1} to {high:.1} %)",
                ping.sent, ping.received
            )?;
            if ping.duplicates + ping.reordered + ping.late > 0 {
                writeln!(out, "  {} duplicates, {} reordered, {} late", ping.duplicates, ping.reordered, ping.late)?;
            }
            delays(out, "round trip", ping.rtt.as_ref())
        }
        Detail::Mtr(trace) => write_trace(out, trace),
        Detail::Dns(dns) => write_dns(out, dns),
        Detail::Http(http) => write_http(out, http),
        Detail::Tls(tls) => tls.session.as_ref().map_or(Ok(()), |session| write_session(out, session)),
        Detail::Tcp(tcp) => {
            writeln!(out, "  {} of {} connections made", tcp.connected, tcp.tried)?;
            delays(out, "handshake", tcp.connect.as_ref())
        }
        Detail::Udp(udp) => {
            writeln!(out, "  {} sent, {} answered", udp.sent, udp.received)?;
            delays(out, "round trip", udp.rtt.as_ref())
        }
        Detail::Ntp(ntp) => match &ntp.clock {
            Some(clock) => writeln!(
                out,
                "  offset {} ± {}, stratum {}, reference {}",
                time(clock.offset),
                time(clock.error),
                clock.stratum,
                clock.reference
            ),
            None => Ok(()),
        },
        Detail::Smtp(banner) | Detail::Imap(banner) => {
            if let Some(greeting) = &banner.greeting {
                writeln!(out, "  {greeting}")?;
            }
            for capability in &banner.capabilities {
                writeln!(out, "    {capability}")?;
            }
            banner.tls.as_ref().map_or(Ok(()), |session| write_session(out, session))
        }
        Detail::Snmp(snmp) => {
            snmp.values.iter().try_for_each(|value| writeln!(out, "  {} = {}: {}", value.oid, value.syntax, value.text))
        }
        Detail::Simulation(simulation) => write_simulation(out, simulation),
        Detail::Throughput(throughput) => write_throughput(out, throughput),
        Detail::System(system) => write_system(out, system),
        Detail::Network(network) => write_network(out, network),
        Detail::Agent(reach) => reach.tried.iter().try_for_each(|tried| match tried.rtt {
            Some(rtt) => writeln!(out, "  {} answers in {}", tried.address, time(rtt)),
            None => writeln!(out, "  {} does not answer", tried.address),
        }),
    }
}

fn write_trace(out: &mut impl Write, trace: &Trace) -> io::Result<()> {
    for path in &trace.paths {
        if trace.paths.len() > 1 {
            writeln!(out, "  path {} (flow {})", path.id, path.flow)?;
        }
        path.hops.iter().try_for_each(|hop| write_hop(out, hop))?;
    }
    if let Some(mtu) = trace.path_mtu {
        writeln!(out, "  a router passes on at most {mtu} octets")?;
    }
    if let Some(hop) = trace.black_hole_after {
        writeln!(out, "  large packets vanish after hop {hop}")?;
    }
    Ok(())
}

fn write_hop(out: &mut impl Write, hop: &Hop) -> io::Result<()> {
    let Some(address) = hop.address else { return writeln!(out, "  {:>2}  *", hop.ttl) };
    let name = hop.name.as_ref().map_or_else(|| address.to_string(), |name| format!("{name} ({address})"));
    let missing = f64::from(hop.sent.saturating_sub(hop.answered)) / f64::from(hop.sent.max(1)) * 100.0;
    let rtt = hop
        .rtt
        .as_ref()
        .map_or_else(String::new, |rtt| format!("{:>9} {:>9} {:>9}", time(rtt.min), time(rtt.median), time(rtt.max)));
    let note = if hop.rate_limited { "  limits its answers" } else { "" };
    writeln!(out, "  {:>2}  {name:<46} {missing:>5.1} % {rtt}{note}", hop.ttl)
}

fn write_dns(out: &mut impl Write, dns: &Dns) -> io::Result<()> {
    for server in &dns.servers {
        let time = server.time.map(time).unwrap_or_default();
        let problem = server.problem.as_ref().map(|problem| format!("  {problem}")).unwrap_or_default();
        writeln!(out, "  {} {time}{problem}", server.server)?;
        for answer in &server.answers {
            writeln!(out, "    {} {} {} {}", answer.name, answer.ttl, answer.record, answer.value)?;
        }
    }
    if dns.agree { Ok(()) } else { writeln!(out, "  the servers do not agree") }
}

fn write_http(out: &mut impl Write, http: &Http) -> io::Result<()> {
    for hop in &http.hops {
        let (status, version) = (hop.status.unwrap_or(0), hop.version.as_deref().unwrap_or("no answer"));
        writeln!(out, "  {status} {version} {}", hop.url)?;
        let p = &hop.phases;
        let phases = [
            ("resolve", p.resolve),
            ("connect", p.connect),
            ("tls", p.tls),
            ("first byte", p.first_byte),
            ("transfer", p.transfer),
        ];
        let phases: Vec<String> = phases.iter().map(|(name, seconds)| format!("{name} {}", time(*seconds))).collect();
        writeln!(out, "    {}", phases.join(", "))?;
    }
    writeln!(out, "  {} octets{}", http.body_octets, if http.body_cut { ", cut" } else { "" })?;
    http.tls.as_ref().map_or(Ok(()), |session| write_session(out, session))
}

fn write_session(out: &mut impl Write, session: &TlsSession) -> io::Result<()> {
    writeln!(out, "  {} {}, handshake {}", session.version, session.cipher, time(session.handshake))?;
    for certificate in &session.chain {
        writeln!(out, "    {} until {}", certificate.subject, certificate.not_after)?;
    }
    match &session.distrust {
        Some(why) => writeln!(out, "  not trusted: {why}"),
        None => Ok(()),
    }
}

fn write_simulation(out: &mut impl Write, simulation: &Simulation) -> io::Result<()> {
    writeln!(out, "  {} sent, {} came back", simulation.sent, simulation.received)?;
    delays(out, "round trip", simulation.rtt.as_ref())?;
    let ways = [("there", &simulation.forward), ("back", &simulation.reverse)];
    ways.into_iter().try_for_each(|(name, way)| way.as_ref().map_or(Ok(()), |way| write_way(out, name, way)))
}

fn write_way(out: &mut impl Write, name: &str, way: &Way) -> io::Result<()> {
    let mos = way.voice.as_ref().map(|voice| format!(", MOS {:.2} ({})", voice.mos, voice.codec)).unwrap_or_default();
    let (loss, jitter) = (way.loss * 100.0, time(way.jitter));
    let burst = way.longest_burst;
    writeln!(
        out,
        "  {name}: {loss:.1} % lost (longest burst {burst}), jitter {jitter}, {} reordered, {} duplicates{mos}",
        way.reordered, way.duplicates
    )
}

fn write_throughput(out: &mut impl Write, throughput: &Throughput) -> io::Result<()> {
    let ways = [("there", &throughput.forward), ("back", &throughput.reverse)];
    ways.into_iter().try_for_each(|(name, way)| way.as_ref().map_or(Ok(()), |way| write_transfer(out, name, way)))?;
    let by = match throughput.rtt_method {
        RttMethod::Icmp => "pings",
        RttMethod::Tcp => "the kernel's times of TCP",
    };
    match (&throughput.bufferbloat, throughput.idle_rtt) {
        (Some(grade), Some(idle)) => {
            writeln!(out, "  round trip {} when idle; bufferbloat grade {grade}, by {by}", time(idle))
        }
        _ => Ok(()),
    }
}

fn write_transfer(out: &mut impl Write, name: &str, way: &Transfer) -> io::Result<()> {
    let again = way.retransmits.map(|n| format!(", {n} segments sent again")).unwrap_or_default();
    let loaded = way.loaded_rtt.map(|rtt| format!(", round trip {}", time(rtt))).unwrap_or_default();
    let ratio = way.time_ratio.map(|ratio| format!(", {ratio:.2} of the ideal time")).unwrap_or_default();
    writeln!(
        out,
        "  {name}: {:.1} Mbit/s, {} octets in {}{again}{loaded}{ratio}",
        way.bits_per_second / 1e6,
        way.octets,
        time(way.seconds)
    )
}

fn write_system(out: &mut impl Write, system: &SystemInformation) -> io::Result<()> {
    let container = system.container.as_ref().map(|kind| format!(", in a container ({kind})")).unwrap_or_default();
    let SystemInformation { hostname, os, kernel, arch, .. } = system;
    writeln!(out, "  {hostname}: {os}, Linux {kernel} {arch}{container}")?;
    writeln!(out, "  up since {}", system.boot_time)?;
    let busy = system.cpu.busy.map(|busy| format!("{:.1} % busy, ", busy * 100.0)).unwrap_or_default();
    let [one, five, fifteen] = system.cpu.load;
    writeln!(out, "  {} × {}: {busy}load {one} {five} {fifteen}", system.cpu.logical, system.cpu.model)?;
    let memory = &system.memory;
    let (used, total) = (bytes(memory.used()), bytes(memory.total));
    let (swap_used, swap) = (bytes(memory.swap_used), bytes(memory.swap_total));
    writeln!(out, "  memory {used} of {total}, swap {swap_used} of {swap}, {} processes", system.processes)?;
    for disk in &system.disks {
        let (used, total) = (bytes(disk.used()), bytes(disk.total));
        writeln!(out, "  disk {} ({}, {}): {used} of {total}", disk.mount, disk.device, disk.file_system)?;
    }
    for carried in &system.interfaces {
        let (received, sent) = (bytes(carried.received), bytes(carried.sent));
        writeln!(out, "  {}: {received} received, {sent} sent, {} faults", carried.name, carried.faults)?;
    }
    Ok(())
}

fn write_network(out: &mut impl Write, network: &NetworkInformation) -> io::Result<()> {
    for interface in &network.interfaces {
        let state = if interface.up { "up" } else { "down" };
        let mac = interface.mac.as_deref().unwrap_or("-");
        let addresses = interface.addresses.join(" ");
        writeln!(out, "  {} {state} {mac} mtu {} {addresses}", interface.name, interface.mtu)?;
    }
    for route in &network.routes {
        let gateway = route.gateway.map(|gateway| format!(" via {gateway}")).unwrap_or_default();
        writeln!(out, "  {}{gateway} dev {} metric {}", route.destination, route.interface, route.metric)?;
    }
    for resolver in &network.resolvers {
        writeln!(out, "  name server {resolver}")?;
    }
    match &network.public {
        Some(public) => writeln!(out, "  seen from {}", public.address),
        None => Ok(()),
    }
}

fn delays(out: &mut impl Write, name: &str, delays: Option<&Delays>) -> io::Result<()> {
    let Some(d) = delays else { return Ok(()) };
    let [min, median, p95, max, jitter] = [d.min, d.median, d.p95, d.max, d.jitter].map(time);
    writeln!(out, "  {name}: min {min}, median {median}, p95 {p95}, max {max}, jitter {jitter}")
}

/// Seconds with three digits that count.
fn time(seconds: f64) -> String {
    let (number, unit) = match seconds.abs() {
        s if s >= 1.0 => (seconds, "s"),
        s if s >= 1e-3 => (seconds * 1e3, "ms"),
        _ => (seconds * 1e6, "µs"),
    };
    format!("{number:.3} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_their_unit() {
        assert_eq!([time(1.5), time(0.0123), time(-0.000_045)], ["1.500 s", "12.300 ms", "-45.000 µs"]);
    }
}
