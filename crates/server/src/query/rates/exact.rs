//! Rates from counters of every frame.

use netwatch_api::traffic::{Dimension, RateSeries};
use netwatch_model::Direction;

use super::plot::{Axis, Plot};
use crate::query::RatesRequest;
use crate::query::label::Label;
use crate::store::{Cell, Of, SECONDS, View};

/// The series of counters by interface, direction, protocol or application.
pub(super) fn series(q: &RatesRequest, axis: Axis, view: &View) -> Vec<RateSeries> {
    let all = view.series();
    let port = q.interface.as_ref().map(|name| all.ports.iter().position(|p| p.name.raw() == name));
    // An interface that is not known has no series.
    let wanted = |at: usize| port.is_none_or(|port| port == Some(at));
    let mut plot: Plot<String> = Plot::new(axis);
    // Lines that carry nothing are drawn all the same; both ways even before anything was captured.
    if q.by == Dimension::Direction && q.interface.is_none() {
        each_way(q.by, "", &Cell::default(), |key, cell| plot.add(Some(key), axis.from, &cell));
    }
    for (at, of) in all.keys.iter().filter(|(at, _)| wanted(*at)) {
        if *of == Of::All && matches!(q.by, Dimension::Interface | Dimension::Direction) {
            let name = all.ports.get(*at).map(|p| p.name.raw()).unwrap_or_default();
            each_way(q.by, name, &Cell::default(), |key, cell| plot.add(Some(key), axis.from, &cell));
        }
    }
    for (number, minute) in all.minutes.range(axis.from.div_euclid(SECONDS)..=axis.to().div_euclid(SECONDS)) {
        for series in minute.series() {
            let Some((at, of)) = all.keys.get(series).filter(|(at, _)| wanted(*at)) else { continue };
            let name = all.ports.get(*at).map(|p| p.name.raw()).unwrap_or_default();
            for second in (number * SECONDS)..(number + 1) * SECONDS {
                let cell = minute.carried(series, second);
                match (q.by, of) {
                    (Dimension::Interface | Dimension::Direction, Of::All) => {
                        each_way(q.by, name, &cell, |key, cell| plot.add(Some(key), second, &cell));
                    }
                    (Dimension::Protocol, Of::Protocol(word)) | (Dimension::Application, Of::Application(word))
                        if cell != Cell::default() =>
                    {
                        plot.add(Some(&word.to_string()), second, &cell);
                    }
                    (Dimension::Protocol, Of::OtherProtocols) | (Dimension::Application, Of::OtherApplications) => {
                        plot.add(None, second, &cell);
                    }
                    _ => {}
                }
            }
        }
    }
    let known = known_steps(axis, view);
    let by_port = q.by == Dimension::Interface;
    let is_known = |key: Option<&String>, step: usize| {
        let named = key.filter(|_| by_port).map(|name| all.ports.iter().position(|p| p.name.raw() == name));
        match named.or(port) {
            None => known(None, step),
            Some(Some(port)) => known(Some(port), step),
            Some(None) => false,
        }
    };
    plot.series(q.limit, is_known, |key| Label::word(q.by, key))
}

/// Tells the key of each direction when these are asked for, else that of the interface.
fn each_way(by: Dimension, interface: &str, cell: &Cell, mut to: impl FnMut(&String, Cell)) {
    if by == Dimension::Interface {
        return to(&interface.to_owned(), *cell);
    }
    for way in [Direction::In, Direction::Out] {
        let only = |n: [u64; 2]| if way == Direction::In { [n[0], 0] } else { [0, n[1]] };
        to(&way.as_str().to_owned(), Cell { octets: only(cell.octets), packets: only(cell.packets) });
    }
}

/// Whether an interface, or any, reported in a step.
pub(super) fn known_steps(axis: Axis, view: &View) -> impl Fn(Option<usize>, usize) -> bool {
    move |port, step| {
        let first = axis.from + axis.step * step as i64;
        (first..first + axis.step).any(|second| {
            let minute = view.series().minutes.get(&second.div_euclid(SECONDS));
            minute.is_some_and(|minute| minute.is_reported(port, second))
        })
    }
}
