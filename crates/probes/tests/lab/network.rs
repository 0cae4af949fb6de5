//! What the tests share: running a probe in a namespace, pairs of namespaces, rules that drop and count.

use std::sync::Arc;

use netwatch_egress::Policy;
use netwatch_model::AgentId;
use netwatch_model::probe::kind::mtr::Trace;
use netwatch_model::probe::kind::ping::Ping;
use netwatch_model::probe::{Detail, OptionField, OptionValue, ProbeKind, ProbeResult, ProbeSpec, Trigger};
use netwatch_probes::{Occasion, OwnRights, Rights, Tools, run};
use netwatch_telemetry::clock;
use netwatch_testkit::netns::Namespace;

/// Tools that may measure everything.
pub(crate) fn tools(rights: Arc<dyn Rights>) -> Tools {
    let allow = ["0.0.0.0/0", "::/0"].map(|range| range.parse().expect("a range")).to_vec();
    Tools::new(Arc::new(Policy { allow, deny: Vec::new() }), rights)
}

/// Runs a probe once in a namespace, with tools of its own.
pub(crate) fn run_in(namespace: &Namespace, spec: &ProbeSpec) -> ProbeResult {
    run_with(namespace, spec, &tools(Arc::new(OwnRights)))
}

/// Runs a probe once in a namespace. Tools stay in the namespace in which they were used first.
pub(crate) fn run_with(namespace: &Namespace, spec: &ProbeSpec, tools: &Tools) -> ProbeResult {
    let occasion = Occasion {
        probe: Default::default(),
        agent: AgentId::default(),
        scheduled: clock::now(),
        trigger: Trigger::Request,
    };
    namespace.enter(|| runtime().block_on(run(spec, occasion, tools)))
}

/// Runs probes at the same time in a namespace, with the same tools, on a runtime of their own.
pub(crate) fn run_together(namespace: &Namespace, specs: &[ProbeSpec], tools: &Tools) -> Vec<ProbeResult> {
    let (scheduled, trigger) = (clock::now(), Trigger::Request);
    let occasion = Occasion { probe: Default::default(), agent: AgentId::default(), scheduled, trigger };
    let mut running = tokio::task::JoinSet::new();
    namespace.enter(|| {
        runtime().block_on(async {
            for spec in specs {
                let (spec, tools) = (spec.clone(), tools.clone());
                running.spawn(async move { run(&spec, occasion, &tools).await });
            }
            running.join_all().await
        })
    })
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A fast ping: 20 ms between requests would make tests slow.
pub(crate) fn ping(target: &str, count: u32, spacing: f64, timeout: f64) -> ProbeSpec {
    ProbeSpec { count, spacing, timeout, ..ProbeSpec::new(ProbeKind::Ping, target) }
}

/// A trace without look-ups of names.
pub(crate) fn trace(target: &str, count: u32, options: &[(&OptionField, OptionValue)]) -> ProbeSpec {
    let mut spec = ProbeSpec { count, spacing: 0.02, timeout: 0.4, ..ProbeSpec::new(ProbeKind::Mtr, target) };
    spec.options.set(&netwatch_model::probe::kind::mtr::NAMES, OptionValue::Flag(false));
    options.iter().for_each(|(field, value)| spec.options.set(field, value.clone()));
    spec
}

/// What a ping measured.
pub(crate) fn ping_of(result: &ProbeResult) -> &Ping {
    match &result.detail {
        Some(Detail::Ping(ping)) => ping,
        _ => panic!("no ping: {result:?}"),
    }
}

/// What a trace found.
pub(crate) fn trace_of(result: &ProbeResult) -> &Trace {
    match &result.detail {
        Some(Detail::Mtr(trace)) => trace,
        _ => panic!("no trace: {result:?}"),
    }
}

/// Two namespaces with a cable: 10.1.0.1 and fd01::1 here, 10.1.0.2 and fd01::2 there. None without the right.
pub(crate) fn pair(test: &str) -> Option<(Namespace, Namespace)> {
    let (here, there) = (Namespace::new_or_skip(test)?, Namespace::new_or_skip(test)?);
    here.connect("a0", &there, "b0");
    for (namespace, device, host) in [(&here, "a0", 1), (&there, "b0", 2)] {
        namespace.ip(&format!("addr add 10.1.0.{host}/24 dev {device}"));
        namespace.enable_ipv6(device);
        namespace.ip(&format!("addr add fd01::{host}/64 dev {device} nodad"));
    }
    Some((here, there))
}

/// Adds a rule to the packets that a namespace takes in.
pub(crate) fn rule(namespace: &Namespace, rule: &str) {
    namespace.run("nft", &["add table inet lab"]);
    namespace.run("nft", &["add chain inet lab in { type filter hook input priority 0 ; }"]);
    namespace.run("nft", &[&format!("add rule inet lab in {rule}")]);
}

/// What the rules of a namespace have counted, packets.
pub(crate) fn counted(namespace: &Namespace) -> u32 {
    let text = String::from_utf8(namespace.run("nft", &["list", "ruleset"]).stdout).expect("text");
    let counters = text.split("counter packets ").skip(1);
    counters.map(|rest| rest.split(' ').next().expect("a number").parse::<u32>().expect("a number")).sum()
}
