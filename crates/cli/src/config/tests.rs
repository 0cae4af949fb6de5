//! Origins, precedence, places of faults, and that sample, schema and list agree.

use std::path::Path;

use super::*;

fn file(text: &str) -> Layers {
    let mut layers = Layers::default();
    file::apply(&mut layers, Path::new("n.yaml"), text);
    layers
}

fn faults(layers: &Layers) -> Vec<String> {
    layers.check().err().map(|e| e.0.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn the_list_of_keys_is_in_order_and_its_defaults_are_read() {
    for (i, d) in key::KEYS.iter().enumerate() {
        assert_eq!(d.key as usize, i, "{}", d.path());
        d.kind.read(&Raw::Scalar(d.default.to_owned())).unwrap_or_else(|e| panic!("{}: {e}", d.path()));
        assert_eq!(Key::from_path(&d.path()), Some(d.key));
        assert!(key::SECTIONS.iter().any(|(s, _)| *s == d.section), "{}", d.path());
    }
}

#[test]
fn the_shipped_sample_says_the_defaults() {
    let shipped = include_str!("../../netwatch.sample.yaml");
    let read = file(shipped);
    assert_eq!(faults(&read), Vec::<String>::new());
    for d in key::KEYS {
        assert_eq!(read.get(d.key).value, d.default_value(), "{}", d.path());
        assert_ne!(read.get(d.key).origin, Origin::Default, "{} is missing in the sample", d.path());
    }
    assert_eq!(shipped, render::sample(), "write it anew: netwatch config sample");
}

#[test]
fn defaults_are_those_of_the_engine() {
    let s = Settings::resolve(&Layers::default(), "/d".into()).unwrap();
    assert_eq!(s.timeouts, netwatch_capture::config::Timeouts::default());
    assert_eq!(s.capacity, netwatch_capture::config::FlowConfig::default().capacity);
    assert_eq!(s.listen.to_string(), "127.0.0.1:8470");
    assert_eq!(s.data_dir, Path::new("/d"));
}

#[test]
fn flags_win_over_environment_over_files() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("netwatch.yaml");
    std::fs::write(&main, "capture:\n  workers: 1\n  promiscuous: yes\n  interfaces: [eth0]\n").unwrap();
    std::fs::create_dir(folder.path().join("conf.d")).unwrap();
    std::fs::write(folder.path().join("conf.d/20.yaml"), "capture: {workers: 3}\n").unwrap();
    std::fs::write(folder.path().join("conf.d/10.yaml"), "capture:\n  workers: 2\n  length: 4KiB\n").unwrap();
    std::fs::write(folder.path().join("conf.d/README"), "not yaml: [").unwrap();
    let env = env(&[("NETWATCH_CAPTURE__INTERFACES", "a, b"), ("NETWATCH_CAPTURE__LENGTH", ""), ("HOME", "/x")]);
    let layers = Layers::load(Some(&main), &env, &[(Key::Listen, Raw::Scalar("[::1]:9000".into()))]);
    let s = Settings::resolve(&layers, "/d".into()).unwrap();
    assert_eq!((s.workers, s.promiscuous, s.capture_length), (3, true, 4096));
    assert_eq!(s.interfaces, ["a", "b"]);
    assert_eq!(s.listen.to_string(), "[::1]:9000");
    assert_eq!(layers.get(Key::Listen).origin.to_string(), "--listen");
    assert_eq!(layers.get(Key::Interfaces).origin.to_string(), "variable NETWATCH_CAPTURE__INTERFACES");
    assert!(layers.get(Key::Workers).origin.to_string().ends_with("conf.d/20.yaml:1:20"));
}

#[test]
fn what_is_wrong_is_placed_and_all_of_it_is_told() {
    let layers = file("captur:\n  workers: 2\ncapture:\n  worker: 2\n  length: huge\n  filter: [a, b]\nlisten: {}\n");
    assert_eq!(
        faults(&layers),
        [
            "n.yaml:1:1: unknown section `captur`: did you mean `capture`?",
            "n.yaml:4:3: unknown key in capture: `worker`: did you mean `workers`?",
            "n.yaml:5:11: capture.length: `huge` is not a size: expected for example 1500, 10kB, 1MB or 1GiB",
            "n.yaml:6:11: capture.filter: expected one value, found a list",
            "n.yaml:7:1: unknown section `listen`: did you mean `server.listen`?",
        ]
    );
    assert!(faults(&file("a: [b\n"))[0].starts_with("n.yaml:"), "{:?}", faults(&file("a: [b\n")));
    assert!(faults(&file("capture: 5\n"))[0].starts_with("n.yaml:1:10: "), "{:?}", faults(&file("capture: 5\n")));
    assert_eq!(faults(&file("")), Vec::<String>::new());
    assert_eq!(faults(&file("# nothing\ncapture:\nserver:\n  listen:\n")), Vec::<String>::new());
    let missing = Layers::load(Some(Path::new("/nonexistent/n.yaml")), &[], &[]);
    assert!(faults(&missing)[0].starts_with("/nonexistent/n.yaml: cannot be read"), "{:?}", faults(&missing));
}

#[test]
fn variables_are_checked_like_files() {
    let variables = env(&[
        ("NETWATCH_CAPTURE__WORKRS", "1"),
        ("NETWATCH_LOG__LEVEL", "inf"),
        ("NETWATCH_CAPTURE_INTERFCES", "x"),
        ("NETWATCH_TOKN", "x"),
        ("NETWATCH_X", "x"),
        ("NETWATCH_CONFIG", "known"),
        ("NETWATCH_SERVER", "known"),
        ("NETWATCH_TEST_CHILD", "known"),
        ("NETWATCHER", "none of ours"),
        ("NETWATCH_EMPTY", ""),
    ]);
    let layers = Layers::load(Some(Path::new("/dev/null")), &variables, &[]);
    assert_eq!(
        faults(&layers),
        [
            "variable NETWATCH_CAPTURE__WORKRS: unknown variable `NETWATCH_CAPTURE__WORKRS`: did you mean \
         `NETWATCH_CAPTURE__WORKERS`?",
            "variable NETWATCH_LOG__LEVEL: log.level: `inf` is not known here (did you mean `info`?): expected one of error, \
         warn, info, debug, trace",
            "variable NETWATCH_CAPTURE_INTERFCES: unknown variable `NETWATCH_CAPTURE_INTERFCES`: did you mean \
         `NETWATCH_CAPTURE__INTERFACES`?",
            "variable NETWATCH_TOKN: unknown variable `NETWATCH_TOKN`: did you mean `NETWATCH_TOKEN`?",
            "variable NETWATCH_X: unknown variable `NETWATCH_X`: `netwatch config schema` lists all keys",
        ]
    );
}

#[test]
fn secrets_are_never_shown() {
    let layers = Layers::load(Some(Path::new("/dev/null")), &env(&[("NETWATCH_TOKEN", "0123456789abcdef")]), &[]);
    let settings = Settings::resolve(&layers, "/d".into()).unwrap();
    assert_eq!(settings.token.as_ref().map(|t| t.reveal()), Some("0123456789abcdef"));
    for text in [render::show(&layers, true), format!("{settings:?}")] {
        assert!(!text.contains("0123456789abcdef"), "{text}");
    }
    assert!(render::show(&layers, true).contains("token: (hidden)  # variable NETWATCH_TOKEN"));
    let short = Layers::load(Some(Path::new("/dev/null")), &env(&[("NETWATCH_TOKEN", "short")]), &[]);
    assert!(Settings::resolve(&short, "/d".into()).unwrap_err().to_string().contains("shorter than 16"));
}

#[test]
fn what_is_shown_reads_back() {
    let layers = file(
        "capture:\n  filter: \"tcp and port \\\"x\\\" \\u202e\"\n  interfaces: ['yes', 'a b', \"-1\"]\nflows:\n  tcp_timeout: 90s\n",
    );
    let again = file(&render::show(&layers, false));
    assert_eq!(faults(&again), Vec::<String>::new());
    for d in key::KEYS {
        assert_eq!(again.get(d.key).value, layers.get(d.key).value, "{}", d.path());
    }
    assert!(!render::show(&layers, false).contains('\u{202e}'));
}

#[test]
fn the_schema_knows_every_key() {
    let schema = render::schema();
    for d in key::KEYS {
        let key = &schema["properties"][d.section]["properties"][d.name];
        assert_eq!(key["description"], d.description);
    }
}
