//! `netwatch ping|mtr|dns|http|tls|tcp|udp|ntp|smtp|imap|snmp|stamp|throughput TARGET…`: one run of a probe, here and now.
//!
//! The rights are those of whoever types it. Exit codes: 0 everything succeeded, 1 something did not; with `--nagios` those of Nagios.

mod lines;
mod nagios;

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use netwatch_egress::{Network, Policy};
use netwatch_model::AgentId;
use netwatch_model::probe::{ProbeResult, Trigger};
use netwatch_probes::{Occasion, OwnRights, Tools};
use netwatch_telemetry::clock;

use super::stdout;
use crate::args::{Format, OneShot};
use crate::failure::{Failure, Outcome};
use crate::output;

/// Measures every target at once, and prints each result in the order of the targets.
pub fn run(what: &OneShot) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let results = runtime.context("cannot start")?.block_on(measure(what))?;
    let mut out = stdout();
    if what.nagios {
        let code = nagios::report(&mut out, &results)?;
        out.flush()?;
        return if code == 0 { Ok(()) } else { Err(Failure::Said(code)) };
    }
    for result in &results {
        match what.format {
            Format::Json => output::json_line(&mut out, result)?,
            Format::Yaml => output::yaml_document(&mut out, result)?,
            Format::Table => lines::write(&mut out, result)?,
            Format::Csv => lines::csv(&mut out, result)?,
        }
    }
    out.flush()?;
    if results.iter().all(ProbeResult::is_success) { Ok(()) } else { Err(Failure::Said(1)) }
}

async fn measure(what: &OneShot) -> anyhow::Result<Vec<ProbeResult>> {
    let tools = tools();
    let mut running = tokio::task::JoinSet::new();
    for (place, spec) in what.probes.iter().cloned().enumerate() {
        let tools = tools.clone();
        running.spawn(async move {
            let occasion =
                Occasion { probe: None, agent: AgentId::default(), scheduled: clock::now(), trigger: Trigger::Request };
            (place, netwatch_probes::run(&spec, occasion, &tools).await)
        });
    }
    let mut results = Vec::new();
    while let Some(result) = running.join_next().await {
        results.push(result.context("a measurement ended by a defect")?);
    }
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Whoever types a command may reach what they can reach.
fn tools() -> Tools {
    let everything = ["0.0.0.0/0", "::/0"].iter().filter_map(|text| text.parse::<Network>().ok()).collect();
    Tools::new(Arc::new(Policy { allow: everything, deny: Vec::new() }), Arc::new(OwnRights))
}
