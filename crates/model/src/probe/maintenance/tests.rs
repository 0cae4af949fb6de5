use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn weekly(days: &[Day], time: &str, duration: u32, zone: &str) -> Schedule {
    let (days, time) = (days.iter().copied().collect(), time.parse().unwrap());
    Schedule::Weekly { days, time, duration, zone: zone.to_owned(), from: None, until: None }
}

fn told(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
    let second = |time: Timestamp| time.to_string()[..16].to_owned();
    let windows = schedule.within(at(from), at(to));
    windows.into_iter().map(|(start, end)| format!("{}/{}", second(start), second(end))).collect()
}

#[test]
fn a_window_keeps_its_local_time_when_the_clocks_change() {
    // Clocks in Berlin went forward on 2026-03-29 and back on 2026-10-25.
    let nightly = weekly(&[], "22:00", 3600, "Europe/Berlin");
    let spring = told(&nightly, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z");
    assert_eq!(spring, ["2026-03-28T21:00/2026-03-28T22:00", "2026-03-29T20:00/2026-03-29T21:00"]);
    let sundays = weekly(&[Day::Su], "22:00", 3600, "Europe/Berlin");
    let autumn = told(&sundays, "2026-10-18T00:00:00Z", "2026-10-26T00:00:00Z");
    assert_eq!(autumn, ["2026-10-18T20:00/2026-10-18T21:00", "2026-10-25T21:00/2026-10-25T22:00"]);
}

#[test]
fn a_time_that_the_clocks_skip_is_so_much_later() {
    let skipped = weekly(&[Day::Su], "02:30", 600, "Europe/Berlin");
    let found = told(&skipped, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z");
    assert_eq!(found, ["2026-03-29T01:30/2026-03-29T01:40"], "02:30 is 03:30 in summer time");
}

#[test]
fn a_window_that_began_before_the_range_touches_it() {
    let long = weekly(&[Day::Fr], "18:00", 2 * 86_400, "UTC");
    let sunday = told(&long, "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z");
    assert_eq!(sunday, ["2026-11-20T18:00/2026-11-22T18:00"]);
    assert_eq!(long.next(at("2026-11-22T18:00:00Z")).unwrap().0, at("2026-11-27T18:00:00Z"));
    let once = Schedule::Once { start: at("2026-11-20T18:00:00Z"), end: at("2026-11-20T19:00:00Z") };
    assert_eq!((once.next(at("2026-11-20T18:30:00Z")).is_some(), once.next(at("2026-11-20T19:00:00Z"))), (true, None));
}

#[test]
fn it_begins_and_ends_when_it_should() {
    let mut schedule = weekly(&[], "06:00", 60, "UTC");
    let Schedule::Weekly { from, until, .. } = &mut schedule else { panic!() };
    *from = Some(at("2026-11-21T06:00:00Z"));
    *until = Some(at("2026-11-23T06:00:00Z"));
    let found = told(&schedule, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(schedule.next(at("2026-01-01T00:00:00Z")).unwrap().0, at("2026-11-21T06:00:00Z"));
}

#[test]
fn what_cannot_be_is_refused_with_its_field() {
    let backwards = Schedule::Once { start: at("2026-11-21T06:00:00Z"), end: at("2026-11-21T06:00:00Z") };
    let cases = [
        (backwards, "schedule.end"),
        (weekly(&[], "06:00", 59, "UTC"), "schedule.duration"),
        (weekly(&[], "06:00", MAX_LENGTH + 1, "UTC"), "schedule.duration"),
        (weekly(&[], "06:00", 60, "Mars/Olympus"), "schedule.zone"),
        (weekly(&[], "06:00", 60, "../../etc/passwd"), "schedule.zone"),
    ];
    for (schedule, field) in cases {
        assert_eq!(schedule.check().unwrap_err().field(), field, "{schedule:?}");
    }
    for wrong in ["6:00", "24:00", "12:60", "noon", "12:3", "+1:00"] {
        assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
    }
    assert!(Selection::default().check().is_err());
}

#[test]
fn a_schedule_is_read_back() {
    let schedule = weekly(&[Day::Mo, Day::Su], "22:30", 7200, "America/New_York");
    let text = serde_json::to_string(&schedule).unwrap();
    assert!(text.starts_with(r#"{"repeat":"weekly","days":["mo","su"],"time":"22:30","duration":7200"#), "{text}");
    assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
}
