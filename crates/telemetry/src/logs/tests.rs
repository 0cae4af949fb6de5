use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What `body` logs, line by line.
fn logged(filter: &str, format: LogFormat, body: impl FnOnce(&LogHandle)) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let layer = LineLayer::new(format, move |line: &str| sink.lock().unwrap().push(line.to_owned()));
    let (subscriber, handle) = subscriber(filter, layer, None).unwrap();
    tracing::subscriber::with_default(subscriber, || body(&handle));
    let lines = lines.lock().unwrap().clone();
    assert!(lines.iter().all(|l| l.ends_with('\n') && l.matches('\n').count() == 1), "{lines:?}");
    lines
}

fn after_time(line: &str) -> &str {
    let (time, rest) = line.trim_end().split_once(' ').unwrap();
    time.parse::<netwatch_model::Timestamp>().unwrap();
    rest
}

fn something_happens() {
    let span = tracing::info_span!("request", method = "GET", status = tracing::field::Empty);
    span.record("status", 200);
    let _entered = span.enter();
    let error = std::io::Error::other("no room");
    tracing::warn!(target: "netwatch_test", count = 3, ok = false, name = "two words", error = &error as &dyn std::error::Error, "it happened");
}

#[test]
fn a_filter_is_as_long_as_it_is_written_out() {
    // Each part is written out with `=trace` and a comma.
    let modules = |n: usize| (0..n).map(|n| format!("m{n:02}")).collect::<Vec<_>>().join(",");
    let longest = (1..250).take_while(|n| parse(&modules(*n)).is_ok()).last().unwrap();
    assert!(parse(&modules(longest)).unwrap().to_string().chars().count() <= MAX_FILTER_CHARS);
    assert!(modules(longest).len() < MAX_FILTER_CHARS / 2, "it is short as it was given");
    let long = parse(&modules(longest + 1)).unwrap_err();
    assert!(matches!(long, LogError::Long(chars) if chars > MAX_FILTER_CHARS), "{long}");
}

#[test]
fn a_line_for_people() {
    let lines = logged("info", LogFormat::Human, |_| something_happens());
    assert_eq!(
        after_time(&lines[0]),
        "WARN netwatch_test: it happened count=3 ok=false name=\"two words\" error=\"no room\" in request{ method=GET status=200 }"
    );
}

#[test]
fn a_line_for_programs() {
    let lines = logged("info", LogFormat::Json, |_| something_happens());
    let object: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(object["level"], "warn");
    assert_eq!(object["target"], "netwatch_test");
    assert_eq!(object["message"], "it happened");
    assert_eq!(object["fields"], serde_json::json!({"count": 3, "ok": false, "name": "two words", "error": "no room"}));
    assert_eq!(object["spans"][0]["name"], "request");
    assert_eq!(object["spans"][0]["fields"]["status"], 200);
    object["time"].as_str().unwrap().parse::<netwatch_model::Timestamp>().unwrap();
}

#[test]
fn colour_is_ours_alone() {
    let lines = logged("info", LogFormat::Colored, |_| tracing::info!(name = "\u{1b}[2J", "x"));
    assert!(lines[0].contains(" \u{1b}[32mINFO\u{1b}[0m "), "{lines:?}");
    assert_eq!(lines[0].matches('\u{1b}').count(), 2, "{lines:?}");
}

#[test]
fn hostile_names_stay_text() {
    let names = [
        "<b>x",
        "$(reboot)",
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "a\r\n2026-11-21T00:00:00Z ERROR forged: x",
        "\u{202e}txt.exe",
        "\u{9b}31m",
    ];
    for format in [LogFormat::Human, LogFormat::Json] {
        for name in names {
            let lines = logged("info", format, |_| tracing::info!(name, "seen {name}"));
            assert_eq!(lines.len(), 1);
            let line = lines[0].trim_end_matches('\n');
            assert!(!line.chars().any(netwatch_model::untrusted::is_deceptive), "{line:?}");
            if format == LogFormat::Json {
                let object: Value = serde_json::from_str(line).unwrap();
                assert_eq!(object["fields"]["name"], name, "JSON keeps the name exactly");
            }
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    for format in [LogFormat::Human, LogFormat::Json] {
        let lines = logged("info", format, |_| {
            let span = tracing::info_span!("login", Cookie = "hunter2");
            let _entered = span.enter();
            tracing::info!(
                token = "hunter2",
                "http.authorization" = "Bearer hunter2",
                api_key = 42,
                user = "eve",
                "in"
            );
        });
        assert!(!lines[0].contains("hunter2") && !lines[0].contains("42,") && lines[0].contains("eve"), "{lines:?}");
        assert_eq!(lines[0].matches("[secret]").count(), 4);
    }
}

#[test]
fn levels_go_by_module_and_change_at_run_time() {
    let lines = logged("warn,netwatch_capture=debug", LogFormat::Human, |handle| {
        let log = || {
            tracing::debug!(target: "netwatch_capture::worker", "capture");
            tracing::info!(target: "hyper", "library");
        };
        log();
        handle.set_filter("info").unwrap();
        log();
        let error = handle.set_filter("netwatch=loud").unwrap_err();
        assert!(error.to_string().starts_with("`netwatch=loud` is not a log filter: write a level"), "{error}");
        assert_eq!(handle.filter(), "info", "a bad filter changes nothing");
        handle.set_filter("off").unwrap();
        log();
    });
    assert_eq!(
        lines.iter().map(|l| after_time(l)).collect::<Vec<_>>(),
        ["DEBUG netwatch_capture::worker: capture", "INFO hyper: library",]
    );
}

#[test]
fn everything_has_a_limit() {
    let long = "é".repeat(MAX_VALUE_BYTES);
    let lines = logged("info", LogFormat::Human, |_| {
        tracing::info!(name = %long, "{long}");
    });
    assert!(lines[0].len() < 2 * MAX_VALUE_BYTES + 200, "{} bytes", lines[0].len());
    assert_eq!(lines[0].matches('…').count(), 2, "what was cut is marked");

    let deep = logged("info", LogFormat::Json, |_| {
        let spans: Vec<_> = (0..2 * MAX_SPANS).map(|depth| tracing::info_span!("s", depth).entered()).collect();
        tracing::info!("deep");
        // Left in order: a span is left before the one around it.
        spans.into_iter().rev().for_each(drop);
    });
    let object: Value = serde_json::from_str(&deep[0]).unwrap();
    let depths: Vec<_> = object["spans"].as_array().unwrap().iter().map(|s| s["fields"]["depth"].as_u64()).collect();
    assert_eq!(depths, (8..16).map(Some).collect::<Vec<_>>(), "the innermost, from outside");
}

proptest! {
    #[test]
    fn any_text_makes_one_line_that_reads_back(text in "\\PC*|[\\x00-\\xff]*", name in any::<String>()) {
        let lines = logged("info", LogFormat::Json, |_| tracing::info!(name, "{text}"));
        let object: Value = serde_json::from_str(&lines[0]).unwrap();
        prop_assert_eq!(object["fields"]["name"].as_str().unwrap(), &name);
        prop_assert_eq!(object["message"].as_str().unwrap(), &text);
        let lines = logged("info", LogFormat::Human, |_| tracing::info!(name, "{text}"));
        prop_assert!(!lines[0].trim_end_matches('\n').chars().any(netwatch_model::untrusted::is_deceptive));
    }
}
