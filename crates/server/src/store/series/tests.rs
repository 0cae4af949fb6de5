use netwatch_model::Value;

use super::*;

fn series(metric: Metric, interface: &str, direction: Option<Direction>, of: Option<Label>) -> Arc<Series> {
    let mut labels = vec![Label::Interface(interface.into())];
    labels.extend(direction.map(Label::Direction));
    labels.extend(of);
    Arc::new(Series { metric, labels })
}

fn sample(series: &Arc<Series>, millis: i64, value: u64) -> Sample {
    Sample { series: Arc::clone(series), time: Timestamp::from_millis(millis), value: Value::Integer(value) }
}

#[test]
fn growth_belongs_to_the_second_in_which_it_ends() {
    let mut rates = Rates::new(10);
    let octets = series(Metric::TrafficOctets, "eth0", Some(Direction::In), None);
    for (millis, value) in [(100_250, 10), (101_000, 30), (101_250, 31), (103_000, 40)] {
        rates.add(&sample(&octets, millis, value));
    }
    let view = rates.view();
    let minute = &view.minutes[&1];
    let carried = |second| minute.carried(0, second).octets[0];
    assert_eq!([100, 101, 102].map(carried), [30, 1, 9], "the very end of a second is a part of it");
    assert!(minute.is_reported(Some(0), 100) && !minute.is_reported(None, 103));
    assert_eq!(view.ports[0].octets, [40, 0]);
}

#[test]
fn a_new_run_begins_at_zero() {
    let mut rates = Rates::new(10);
    let octets = series(Metric::TrafficOctets, "eth0", Some(Direction::Out), None);
    rates.add(&sample(&octets, 1500, 1000));
    rates.restart();
    rates.add(&sample(&octets, 2500, 40));
    assert_eq!(rates.view().ports[0].octets, [0, 1040]);
}

#[test]
fn series_beyond_the_limit_are_added_to_other() {
    let mut rates = Rates::new(3);
    for n in 0..10_u64 {
        let of = Label::Protocol(n.to_string().into());
        rates.add(&sample(&series(Metric::TrafficOctets, "eth0", Some(Direction::In), Some(of)), 1500, 10));
    }
    let view = rates.view();
    let other = view.keys.iter().position(|(_, of)| *of == Of::OtherProtocols).unwrap();
    let sum: u64 = (0..view.keys.len()).map(|s| view.minutes[&0].carried(s, 1).octets[0]).sum();
    assert_eq!((view.keys.len(), sum), (4, 100));
    assert_eq!(view.minutes[&0].carried(other, 1).octets[0], 70);
    assert_eq!(view.totals.merged, 7);
}

#[test]
fn losses_are_kept_by_the_second() {
    let mut rates = Rates::new(10);
    let drops = series(Metric::KernelDrops, "eth0", None, None);
    let fill = series(Metric::RingFill, "eth0", None, None);
    rates.add(&sample(&drops, 5_500, 3));
    rates.add(&sample(&drops, 5_750, 5));
    rates.add(&Sample { value: Value::Float(0.5), ..sample(&fill, 5_750, 0) });
    rates.add(&Sample { value: Value::Float(0.25), ..sample(&fill, 5_900, 0) });
    let view = rates.view();
    let lost = view.minutes[&0].lost(5);
    assert_eq!((lost.kernel_drops, lost.ring_fill), (5, 0.5));
    assert_eq!((view.ports[0].kernel_drops, view.ports[0].ring_fill.1), (5, 0.5));
}
