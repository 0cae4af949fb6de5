//! The text format of Prometheus, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The media type of an answer.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A gauge: its name, and what it means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gauge {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
}

/// What a gauge means, and its values by labels.
type Values = (&'static str, Vec<(String, f64)>);

/// Gauges with their values, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Gauges(BTreeMap<&'static str, Values>);

impl Gauges {
    /// A value without labels.
    pub(super) fn set(&mut self, gauge: Gauge, value: f64) {
        self.labelled(gauge, &[], value);
    }

    /// A flag.
    pub(super) fn flag(&mut self, gauge: Gauge, is_on: bool) {
        self.set(gauge, if is_on { 1.0 } else { 0.0 });
    }

    /// A value with labels; values of labels may be any text.
    pub(super) fn labelled(&mut self, gauge: Gauge, labels: &[(&str, &str)], value: f64) {
        let written: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if written.is_empty() { String::new() } else { format!("{{{}}}", written.join(",")) };
        self.0.entry(gauge.name).or_insert_with(|| (gauge.help, Vec::new())).1.push((labels, value));
    }

    /// All of them as text.
    pub(super) fn write(&self) -> String {
        let mut out = String::with_capacity(self.0.len() * 160);
        for (name, (help, values)) in &self.0 {
            // Writing to a string does not fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in values {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        }
        out
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_the_format() {
        const ONE: Gauge = Gauge { name: "b_one", help: "The first." };
        const TWO: Gauge = Gauge { name: "a_two", help: "The second." };
        let mut gauges = Gauges::default();
        gauges.flag(ONE, true);
        gauges.labelled(TWO, &[("phase", "x\"\\\n"), ("n", "1")], 0.25);
        gauges.labelled(TWO, &[("phase", "y"), ("n", "2")], -62_135_596_800.0);
        let text = "# HELP a_two The second.\n# TYPE a_two gauge\na_two{phase=\"x\\\"\\\\\\n\",n=\"1\"} 0.25\n\
                    a_two{phase=\"y\",n=\"2\"} -62135596800\n# HELP b_one The first.\n# TYPE b_one gauge\nb_one 1\n";
        assert_eq!(gauges.write(), text);
    }
}
