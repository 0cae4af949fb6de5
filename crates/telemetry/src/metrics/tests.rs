use super::*;

fn metrics() -> Metrics {
    Metrics::new(BuildInfo { version: "1.2.3", revision: "abc" })
}

/// The value of the sample that begins with `name` and its labels.
fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no `{name}` in:\n{text}")).parse().unwrap()
}

#[test]
fn the_build_is_told() {
    let text = metrics().encode();
    assert!(text.contains("netwatch_build_info{version=\"1.2.3\",revision=\"abc\"} 1\n"), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn the_process_is_told_as_it_is() {
    let metrics = metrics();
    let before = value(&metrics.encode(), "netwatch_process_open_fds");
    let files: Vec<_> = (0..10).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
    // Something that an optimiser cannot leave out.
    let burnt = (0..20_000_000_u64).fold(1_u64, |a, i| std::hint::black_box(a.wrapping_mul(i | 1)));
    let text = metrics.encode();
    assert!(burnt != 0);
    assert_eq!(value(&text, "netwatch_process_open_fds"), before + 10.0);
    assert!(value(&text, "netwatch_process_cpu_seconds_total") > 0.0);
    assert!(value(&text, "netwatch_process_resident_memory_bytes") > 1_000_000.0);
    assert!(value(&text, "netwatch_process_threads") >= 1.0);
    assert!(value(&text, "netwatch_process_max_fds") > value(&text, "netwatch_process_open_fds"));
    drop(files);
}

#[test]
fn stages_count_together_and_apart() {
    let metrics = metrics();
    let (one, two) = (metrics.stage(Stage::Capture), metrics.stage(Stage::Capture));
    one.received.inc_by(5);
    two.received.inc_by(6);
    two.decoded.inc_by(9);
    two.dropped(DropReason::RingFull, 2);
    metrics.stage(Stage::Agent).dropped(DropReason::QueueFull, 1);
    assert_eq!(one.dropped_for(DropReason::RingFull), 2);
    assert_eq!(one.dropped_for(DropReason::QueueFull), 0);
    let text = metrics.encode();
    assert_eq!(value(&text, "netwatch_stage_received_total{stage=\"capture\"}"), 11.0);
    assert_eq!(value(&text, "netwatch_stage_decoded_total{stage=\"capture\"}"), 9.0);
    assert_eq!(value(&text, "netwatch_stage_stored_total{stage=\"capture\"}"), 0.0);
    assert_eq!(value(&text, "netwatch_stage_dropped_total{stage=\"capture\",reason=\"ring_full\"}"), 2.0);
    assert_eq!(value(&text, "netwatch_stage_dropped_total{stage=\"agent\",reason=\"queue_full\"}"), 1.0);
}

#[test]
fn a_part_can_register_its_own() {
    let mut metrics = metrics();
    let counter: Counter = Counter::default();
    metrics.registry_mut().register("requests", "Answered", counter.clone());
    counter.inc();
    assert_eq!(value(&metrics.encode(), "netwatch_requests_total"), 1.0);
}

#[test]
fn names_follow_the_conventions() {
    let text = metrics().encode();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        assert!(line.starts_with("netwatch_"), "{line}");
    }
    for line in text.lines().filter_map(|l| l.strip_prefix("# TYPE ")) {
        assert!(!line.contains("_total"), "the suffix is the sample's, not the family's: {line}");
    }
}
