//! Which series there are: answered from the dictionary in memory.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use netwatch_model::Series;

use crate::dictionary::{SeriesKey, label_parts, metric_name};
use crate::port::{Completion, LabelMatch, SeriesPage, SeriesSearch, Wanted};
use crate::tenant::Tenant;

/// Series that fit.
pub(crate) fn search(tenant: &Tenant, search: &SeriesSearch) -> SeriesPage {
    let dictionary = tenant.dictionary.read().unwrap_or_else(PoisonError::into_inner);
    let later = |n: u32| search.after.is_none_or(|after| n > after);
    let found = dictionary.iter().filter(|(n, key)| later(*n) && fits(search, key));
    let mut series: Vec<(u32, SeriesKey)> =
        found.take(search.limit.saturating_add(1)).map(|(n, k)| (n, k.clone())).collect();
    let more = series.len() > search.limit;
    series.truncate(search.limit);
    let next = series.last().map(|s| s.0).filter(|_| more);
    SeriesPage { series, next }
}

/// What a text can become.
pub(crate) fn complete(tenant: &Tenant, wanted: &Wanted, limit: usize) -> Completion {
    let dictionary = tenant.dictionary.read().unwrap_or_else(PoisonError::into_inner);
    let mut values = BTreeSet::new();
    let mut offer = |value: &str, prefix: &str| {
        if value.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) && !values.contains(value)
        {
            values.insert(value.to_owned());
            // The largest goes: what is kept are the first ones of the alphabet.
            if values.len() > limit + 1 {
                values.pop_last();
            }
        }
    };
    for (_, key) in dictionary.iter() {
        let series = &key.series;
        match wanted {
            Wanted::Metric { prefix } => offer(&metric_name(series), prefix),
            Wanted::LabelName { metric, prefix } if of(series, metric.as_deref()) => {
                labels(series).for_each(|(name, _)| offer(name, prefix));
            }
            Wanted::LabelValue { metric, name, prefix } if of(series, metric.as_deref()) => {
                labels(series).filter(|l| l.0 == name).for_each(|(_, value)| offer(value, prefix));
            }
            _ => {}
        }
    }
    let more = values.len() > limit;
    Completion { values: values.into_iter().take(limit).collect(), more }
}

fn labels(series: &Series) -> impl Iterator<Item = (&str, &str)> {
    series.labels.iter().filter_map(label_parts)
}

fn of(series: &Series, metric: Option<&str>) -> bool {
    metric.is_none_or(|wanted| metric_name(series) == wanted)
}

fn fits(search: &SeriesSearch, key: &SeriesKey) -> bool {
    of(&key.series, search.metric.as_deref())
        && search.agent.is_none_or(|agent| agent == key.agent)
        && search.labels.iter().all(|wanted| label_fits(&key.series, wanted))
}

fn label_fits(series: &Series, wanted: &LabelMatch) -> bool {
    let fits = labels(series).any(|(name, value)| name == wanted.name && wanted.value.matches(value));
    fits != wanted.negated
}
