//! Samples that wait in memory until they are written.

use netwatch_model::Value;

use crate::chunk::Point;

/// The waiting samples of each series, by its number.
#[derive(Debug, Default)]
pub(crate) struct SampleHead {
    series: Vec<Vec<Point>>,
    touched: Vec<u32>,
    count: usize,
}

impl SampleHead {
    /// Adds a sample; time in milliseconds.
    pub(crate) fn push(&mut self, series: u32, time: i64, value: Value) {
        let place = series as usize;
        if self.series.len() <= place {
            self.series.resize_with(place + 1, Vec::new);
        }
        if let Some(points) = self.series.get_mut(place) {
            if points.is_empty() {
                self.touched.push(series);
            }
            points.push(Point { time, value });
            self.count += 1;
        }
    }

    /// How many samples wait.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All waiting samples, series by series in the order of their numbers, each in the order of time. They go on waiting.
    pub(crate) fn sorted(&mut self) -> impl Iterator<Item = (u32, &[Point])> {
        self.touched.sort_unstable();
        for number in &self.touched {
            let Some(points) = self.series.get_mut(*number as usize) else { continue };
            if !points.is_sorted_by_key(|p| p.time) {
                points.sort_by_key(|p| p.time);
            }
        }
        let series = &self.series;
        self.touched.iter().filter_map(move |n| series.get(*n as usize).map(|points| (*n, points.as_slice())))
    }

    /// Forgets what waited; the room is kept for the next samples.
    pub(crate) fn clear(&mut self) {
        for number in self.touched.drain(..) {
            if let Some(points) = self.series.get_mut(number as usize) {
                points.clear();
            }
        }
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_out_in_order_and_once() {
        let mut head = SampleHead::default();
        for (series, time) in [(3, 5), (1, 9), (3, 2), (3, 7)] {
            head.push(series, time, Value::Integer(0));
        }
        let times = |points: &[Point]| points.iter().map(|p| p.time).collect::<Vec<_>>();
        let all: Vec<_> = head.sorted().map(|(n, points)| (n, times(points))).collect();
        assert_eq!(all, [(1, vec![9]), (3, vec![2, 5, 7])]);
        assert_eq!(head.len(), 4);
        head.clear();
        assert!(head.is_empty() && head.sorted().next().is_none());
    }
}
