use netwatch_model::people::WorkspaceId;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const STALE: u64 = 120;
const OFFLINE: u64 = 300;
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn at(seconds: u64) -> Now {
    Now { wall: Timestamp::from_secs(1_800_000_000 + seconds.cast_signed()), mono: Duration::from_secs(seconds) }
}

fn key(n: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    Digest::from_bytes(bytes)
}

fn agent(n: u64) -> Agent {
    Agent {
        id: AgentId(n),
        workspace: WorkspaceId::from_bits(1),
        name: format!("agent {n}").parse().unwrap(),
        origin: AgentOrigin::Enrolled,
        key: Some(key(n)),
        enabled: true,
        global: false,
        labels: [("site".to_owned(), "berlin".to_owned())].into(),
        group: None,
        location: None,
        created: Timestamp::from_secs(0),
    }
}

fn seen(n: u64) -> AgentSeen {
    AgentSeen {
        agent: AgentId(n),
        workspace: WorkspaceId::from_bits(1),
        last_seen: Timestamp::from_secs(1_799_999_000),
        info: AgentInfo::default(),
        peer: None,
        cloned_at: None,
    }
}

fn registry(agents: u64) -> Registry {
    let mut registry = Registry::new(AgentRules::default(), Duration::ZERO);
    assert!(registry.replace_all((2..2 + agents).map(|n| (agent(n), Some(seen(n))))).is_empty());
    registry
}

fn opening(boot: u64) -> Opening {
    Opening { boot, revision: 0, info: AgentInfo::default(), peer: PEER }
}

fn state(registry: &Registry, n: u64, seconds: u64) -> State {
    registry.standing(AgentId(n), at(seconds)).unwrap().state
}

#[test]
fn the_status_follows_the_silence() {
    let mut registry = registry(1);
    let session = registry.open(&key(2), opening(1), at(10)).unwrap().session;
    let states: Vec<State> = [10, 10 + STALE - 1, 10 + STALE, 10 + OFFLINE - 1, 10 + OFFLINE]
        .map(|seconds| state(&registry, 2, seconds))
        .into();
    use State::{Offline, Online, Stale};
    assert_eq!(states, [Online, Online, Stale, Stale, Offline]);
    assert!(registry.heard(AgentId(2), session, at(400)));
    assert_eq!(state(&registry, 2, 401), Online);
    registry.close(AgentId(2), session);
    assert_eq!(state(&registry, 2, 402), Online, "an ended session is no silence");
}

#[test]
fn after_a_start_nobody_is_offline_before_they_could_come_back() {
    let mut registry = registry(1);
    registry.put(agent(9), None);
    let states = [0, STALE - 1, STALE, OFFLINE - 1, OFFLINE].map(|seconds| state(&registry, 2, seconds));
    assert_eq!(states, [State::Unknown, State::Unknown, State::Stale, State::Stale, State::Offline]);
    assert_eq!(state(&registry, 9, OFFLINE), State::Never);
}

#[test]
fn a_reconnect_storm_makes_nobody_offline() {
    let (agents, mut open) = (2000, HashMap::new());
    let mut registry = registry(agents);
    for n in 2..2 + agents {
        open.insert(n, registry.open(&key(n), opening(n), at(n % 20)).unwrap().session);
    }
    // The network is gone for 30 seconds: all sessions end at once, and everybody comes back within 120.
    for (n, session) in open.drain() {
        registry.close(AgentId(n), session);
    }
    let mut told = Vec::new();
    for second in 20..200 {
        for n in (2..2 + agents).filter(|n| 50 + n % 90 == second) {
            let opened = registry.open(&key(n), opening(n), at(second)).unwrap();
            assert!(opened.replaced.is_none() && !opened.cloned);
            open.insert(n, opened.session);
        }
        told.extend(registry.turns(at(second)));
        let (states, _) = registry.counts(at(second));
        assert_eq!(states.get(&State::Offline), None, "at {second}");
    }
    assert!(told.is_empty(), "{told:?}");
    assert!(open.iter().all(|(n, session)| registry.heard(AgentId(*n), *session, at(200))));
    assert_eq!(registry.counts(at(200)), (HashMap::from([(State::Online, agents)]), agents));
    // What is kept of it is one list, and nothing a second later.
    assert_eq!(registry.take_unsaved(at(200)).len(), usize::try_from(agents).unwrap());
    assert!(registry.take_unsaved(at(201)).is_empty());
}

#[test]
fn silence_is_told_once_and_so_is_the_return() {
    let mut registry = registry(1);
    let session = registry.open(&key(2), opening(1), at(0)).unwrap().session;
    let turn = |registry: &mut Registry, seconds| {
        registry.turns(at(seconds)).into_iter().map(|(_, state)| state).collect::<Vec<_>>()
    };
    assert!(turn(&mut registry, 299).is_empty());
    assert_eq!(turn(&mut registry, 300), [State::Offline]);
    assert!(turn(&mut registry, 301).is_empty());
    registry.heard(AgentId(2), session, at(302));
    assert_eq!(turn(&mut registry, 302), [State::Online]);
    assert!(turn(&mut registry, 303).is_empty());
}

#[test]
fn a_restart_replaces_and_a_clone_is_refused_while_the_other_lives() {
    let mut registry = registry(1);
    let first = registry.open(&key(2), opening(1), at(0)).unwrap();
    // The same process comes again before its old connection was found to be dead.
    let again = registry.open(&key(2), opening(1), at(1)).unwrap();
    assert_eq!(again.replaced, Some(End { session: first.session, why: Ending::Replaced }));
    assert!(!again.cloned);
    // A restart.
    let restarted = registry.open(&key(2), opening(2), at(2)).unwrap();
    assert!(restarted.replaced.is_some() && !restarted.cloned);
    // The first process comes back: both live.
    let refused = |result| match result {
        Err(Closed::Cloned(tell)) => tell.is_some(),
        other => panic!("{other:?}"),
    };
    assert!(refused(registry.open(&key(2), opening(1), at(30))), "it is told");
    assert!(!refused(registry.open(&key(2), opening(1), at(60))), "once");
    assert_eq!(registry.standing(AgentId(2), at(60)).unwrap().cloned_at, Some(at(60).wall));
    assert_eq!(registry.session_of(AgentId(2)), Some(restarted.session));
    // When the other is silent it may come in.
    assert!(registry.open(&key(2), opening(1), at(2 + STALE)).is_ok());
}

#[test]
fn who_is_disabled_deleted_or_kicked_goes() {
    let mut registry = registry(2);
    let [a, b] = [2, 3].map(|n| registry.open(&key(n), opening(1), at(0)).unwrap().session);
    assert_eq!(registry.kick(AgentId(2)), Some(End { session: a, why: Ending::Kicked }));
    let a = registry.open(&key(2), opening(1), at(1)).unwrap().session;
    let disabled = Agent { enabled: false, ..agent(2) };
    assert_eq!(registry.put(disabled, None), Some(End { session: a, why: Ending::Disabled }));
    assert!(matches!(registry.open(&key(2), opening(1), at(2)), Err(Closed::Disabled)));
    assert_eq!(state(&registry, 2, 2), State::Disabled);
    assert!(!registry.heard(AgentId(2), a, at(3)), "its last words do not count");
    // Everything but agent 2 is gone.
    assert_eq!(registry.replace_all([(agent(2), None)]), [End { session: b, why: Ending::Deleted }]);
    assert!(matches!(registry.open(&key(3), opening(1), at(4)), Err(Closed::Unknown)));
    assert!(registry.open(&key(2), opening(1), at(4)).is_ok());
}

#[test]
fn a_label_of_people_wins_over_the_agents_own() {
    let mut registry = registry(1);
    let info = AgentInfo {
        labels: [("site", "paris"), ("rack", "7")].map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
        ..AgentInfo::default()
    };
    registry.open(&key(2), Opening { info, ..opening(1) }, at(0)).unwrap();
    let has = |name, value| registry.has_label(AgentId(2), name, value);
    assert!(has("site", "berlin") && !has("site", "paris") && has("rack", "7"));
}

/// What can happen to one agent.
#[derive(Clone, Debug)]
enum Step {
    Open(u64),
    Close,
    Hear,
    Kick,
    Enable(bool),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..4_u64).prop_map(Step::Open),
        Just(Step::Close),
        Just(Step::Hear),
        Just(Step::Kick),
        any::<bool>().prop_map(Step::Enable),
        (1..200_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// There is one session at most, an ended one changes nothing, and who was heard of lately is online.
    #[test]
    fn one_session_and_an_honest_status(steps in vec(step(), 1..60)) {
        let mut registry = registry(1);
        let (mut now, mut open, mut enabled, mut heard) = (0, None, true, None);
        let mut ended: Vec<SessionId> = Vec::new();
        for step in steps {
            match step {
                Step::Open(boot) => match registry.open(&key(2), opening(boot), at(now)) {
                    Ok(opened) => {
                        prop_assert!(enabled);
                        prop_assert_eq!(opened.replaced.map(|end| end.session), open);
                        ended.extend(open.replace(opened.session));
                        heard = Some(now);
                    }
                    Err(Closed::Disabled) => prop_assert!(!enabled),
                    Err(Closed::Cloned(_)) => prop_assert!(open.is_some()),
                    Err(Closed::Unknown) => prop_assert!(false),
                },
                Step::Close => {
                    if let Some(session) = open.take() {
                        registry.close(AgentId(2), session);
                        ended.push(session);
                    }
                }
                Step::Hear => {
                    if let Some(session) = open {
                        prop_assert!(registry.heard(AgentId(2), session, at(now)));
                        heard = Some(now);
                    }
                }
                Step::Kick => {
                    prop_assert_eq!(registry.kick(AgentId(2)).map(|end| end.session), open);
                    ended.extend(open.take());
                }
                Step::Enable(on) => {
                    let end = registry.put(Agent { enabled: on, ..agent(2) }, None);
                    if !on {
                        prop_assert_eq!(end.map(|end| end.session), open);
                        ended.extend(open.take());
                    }
                    enabled = on;
                }
                Step::Wait(seconds) => now += seconds,
            }
            for session in &ended {
                prop_assert!(!registry.heard(AgentId(2), *session, at(now)));
            }
            prop_assert_eq!(registry.session_of(AgentId(2)), open);
            let expected = match (enabled, heard) {
                (false, _) => State::Disabled,
                (_, Some(heard)) if now - heard < STALE => State::Online,
                (_, Some(heard)) if now - heard < OFFLINE => State::Stale,
                (_, Some(_)) => State::Offline,
                (_, None) if now < STALE => State::Unknown,
                (_, None) if now < OFFLINE => State::Stale,
                (_, None) => State::Offline,
            };
            prop_assert_eq!(state(&registry, 2, now), expected);
        }
    }
}
