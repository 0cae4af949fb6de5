//! `netwatch quality`: what the E-model (ITU-T G.107) says of a call.

use netwatch_model::voice::{Call, Grade};
use serde::Serialize;

use crate::args::QualityArgs;
use crate::failure::Outcome;
use crate::output::Printer;
use crate::output::table::{Align, Table};

/// A call and its quality, as it is printed.
#[derive(Serialize, Clone, PartialEq, Debug)]
struct Row {
    codec: &'static str,
    /// Seconds, mouth to ear.
    delay: f64,
    /// Share.
    loss: f64,
    burst_ratio: f64,
    r_factor: f64,
    mos: f64,
    grade: Grade,
    /// Shares of people.
    good_or_better: f64,
    poor_or_worse: f64,
    /// Ro, Is, Id and Ie,eff, of which R is made.
    signal_to_noise: f64,
    simultaneous_impairment: f64,
    delay_impairment: f64,
    equipment_impairment: f64,
}

pub fn run(args: &QualityArgs) -> Outcome {
    let call = Call { codec: args.codec, delay: args.delay, loss: args.loss, burst_ratio: args.burst_ratio };
    let columns = [
        "codec",
        "delay",
        "loss",
        "burst_ratio",
        "r_factor",
        "mos",
        "grade",
        "good_or_better",
        "poor_or_worse",
        "signal_to_noise",
        "simultaneous_impairment",
        "delay_impairment",
        "equipment_impairment",
    ];
    let mut out = super::stdout();
    let mut printer = Printer::new(&mut out, args.format, &columns)?;
    printer.rows(vec![row(&call)])?;
    printer.finish(table)
}

fn row(call: &Call) -> Row {
    let rating = call.rate();
    Row {
        codec: call.codec.name(),
        delay: call.delay.as_secs_f64(),
        loss: call.loss,
        burst_ratio: call.burst_ratio,
        r_factor: rating.r_factor,
        mos: rating.mos(),
        grade: rating.grade(),
        good_or_better: rating.good_or_better(),
        poor_or_worse: rating.poor_or_worse(),
        signal_to_noise: rating.signal_to_noise,
        simultaneous_impairment: rating.simultaneous,
        delay_impairment: rating.delay.total(),
        equipment_impairment: rating.equipment,
    }
}

fn table(rows: &[Row]) -> Table {
    let heading = [("CODEC", Align::Left), ("MOS", Align::Right), ("GRADE", Align::Left), ("R", Align::Right)];
    let parts = [("RO", Align::Right), ("IS", Align::Right), ("ID", Align::Right), ("IE,EFF", Align::Right)];
    let people = [("GOOD OR BETTER", Align::Right), ("POOR OR WORSE", Align::Right)];
    let heading: Vec<_> = heading.into_iter().chain(parts).chain(people).collect();
    let mut table = Table::new(&heading);
    for r in rows {
        let parts = [r.signal_to_noise, r.simultaneous_impairment, r.delay_impairment, r.equipment_impairment];
        let people = [r.good_or_better, r.poor_or_worse].map(|share| format!("{:.0} %", share * 100.0));
        let head =
            [r.codec.to_owned(), format!("{:.2}", r.mos), r.grade.as_str().to_owned(), format!("{:.1}", r.r_factor)];
        table.row(head.into_iter().chain(parts.map(|part| format!("{part:.1}"))).chain(people));
    }
    table
}
