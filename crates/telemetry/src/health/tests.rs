use proptest::prelude::*;

use super::*;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

#[test]
fn ready_when_everything_that_is_required_works() {
    let health = Health::new();
    assert!(health.report().is_ready());
    let capture = health.component("capture", Importance::Optional, at(1)).unwrap();
    let server = health.component("server", Importance::Required, at(1)).unwrap();
    assert!(!health.report().is_ready(), "a required component that starts is in the way");
    server.set(State::Ok, at(2));
    assert!(health.report().is_ready(), "an optional one is not");
    capture.set(State::Failed("no right to capture".into()), at(3));
    let report = health.report();
    assert!(report.is_ready());
    assert_eq!(report.worst(), "failed");
    server.set(State::Degraded("the queue is full".into()), at(4));
    assert!(health.report().is_ready(), "what works in part is of use");
    server.set(State::Failed("port 8470 is in use".into()), at(5));
    let report = health.report();
    let culprits: Vec<_> = report.in_the_way().map(|c| (c.name, c.state.to_string(), c.since)).collect();
    assert_eq!(culprits, [("server", "failed: port 8470 is in use".to_owned(), at(5))]);
}

#[test]
fn since_is_the_time_of_the_change() {
    let health = Health::new();
    let component = health.component("store", Importance::Required, at(1)).unwrap();
    for now in 2..5 {
        component.set(State::Ok, at(now));
    }
    assert_eq!(health.report().components[0].since, at(2));
    component.set(State::Degraded("slow".into()), at(9));
    assert_eq!(health.report().components[0].since, at(9));
}

#[test]
fn the_number_of_components_is_bounded() {
    let health = Health::new();
    let names: Vec<&'static str> = (0..=MAX_COMPONENTS).map(|n| &*format!("c{n}").leak()).collect();
    for name in &names[..MAX_COMPONENTS] {
        health.component(name, Importance::Optional, at(0)).unwrap();
    }
    let error = health.component(names[MAX_COMPONENTS], Importance::Optional, at(0)).unwrap_err();
    assert_eq!(error.to_string(), "`c32` cannot be watched: there are 32 components already");
    health.component("c0", Importance::Required, at(1)).expect("a known name is no new one");
    assert_eq!(health.report().components.len(), MAX_COMPONENTS);
}

proptest! {
    #[test]
    fn any_reason_is_cut_at_a_character(reason in any::<String>(), repeat in 1_usize..40) {
        let health = Health::new();
        let component = health.component("x", Importance::Required, at(0)).unwrap();
        let reason = reason.repeat(repeat);
        component.set(State::Failed(reason.clone()), at(0));
        let report = health.report();
        let kept = report.components[0].state.reason().unwrap();
        prop_assert!(kept.len() <= MAX_REASON_BYTES && reason.starts_with(kept));
        prop_assert!(kept.len() == reason.len() || kept.len() > MAX_REASON_BYTES - 4);
    }
}
