//! What the store does by itself: it rolls up, rewrites, deletes, and looks at the disk.

use std::sync::{Arc, PoisonError};

use netwatch_model::{Event, EventKind, Severity, Timestamp, Untrusted};

use super::{DuckStore, Open};
use crate::config::Retention;
use crate::disk::{full_in, growth};
use crate::duck::keep;
use crate::error::StoreError;
use crate::partition::{CORRUPT, HOUR, Kind, MINUTE, Partition};
use crate::port::{Disk, DiskState, KindUsage, TelemetryStore as _, Upkeep, Usage};
use crate::tenant::{Tenant, lock};

/// After an hour is over it is rolled up so much later: most late records have come by then.
const PATIENCE: i64 = 2 * MINUTE;
/// After a day is over its file is rewritten so much later: no flow is open any more.
const CLOSED_FOR: i64 = 6 * HOUR;
/// Hours that are rolled up and files that are rewritten in one round.
const ROUND: usize = 48;

impl DuckStore {
    pub(super) fn keep_up(&self, now: Timestamp) -> Result<Upkeep, StoreError> {
        let mut done = Upkeep { events: std::mem::take(&mut *lock(&self.news)), ..Upkeep::default() };
        let (disk, before) = self.disk.look();
        done.events.extend(disk_event(disk, before, now));
        let open = self.inner();
        let limits = self.limits();
        for (workspace, tenant) in open.named_tenants() {
            // Room first: it may be what everything else lacks.
            done.deleted += delete_old(&tenant, &limits.retention, now.millis(), disk, &mut done.events)?;
            if let Some(most) = limits.workspaces.get(&workspace) {
                done.deleted += delete_beyond(&tenant, *most, now, &mut done.events)?;
            }
            if disk.state == DiskState::ReadOnly {
                continue;
            }
            done.rolled_hours += roll_hours(&open, &tenant, now.millis())?;
            done.compacted += compact(&open, &tenant, now.millis())?;
        }
        Ok(done)
    }

    /// How much room the files of these workspaces take.
    pub(super) fn usage_of(&self, tenants: &[Arc<Tenant>]) -> Usage {
        let kinds: Vec<KindUsage> = Kind::ALL.iter().map(|kind| self.usage_of_kind(tenants, *kind)).collect();
        #[expect(clippy::cast_precision_loss, reason = "a forecast needs no exact bytes")]
        let growing =
            kinds.iter().map(|k| (k.bytes_per_day.unwrap_or(0.0), k.keep.bytes.saturating_sub(k.bytes) as f64));
        let disk = self.disk.last();
        let full_in = full_in(disk.free, &growing.collect::<Vec<_>>());
        let (mut series, mut waiting, mut set_aside) = (0, 0, 0);
        for tenant in tenants {
            series += tenant.dictionary.read().unwrap_or_else(PoisonError::into_inner).len();
            let (samples, others) = tenant.waiting();
            waiting += samples + others;
            set_aside += aside(tenant);
        }
        Usage { kinds, disk: Disk { full_in, ..disk }, series, waiting, set_aside }
    }

    fn usage_of_kind(&self, tenants: &[Arc<Tenant>], kind: Kind) -> KindUsage {
        let mut days: Vec<(i32, u64)> = Vec::new();
        let mut files = 0;
        for tenant in tenants {
            for partition in tenant.files.within(kind, i64::MIN, i64::MAX) {
                files += 1;
                let bytes = tenant.files.bytes(partition);
                match days.iter_mut().find(|d| d.0 == partition.day) {
                    Some(day) => day.1 += bytes,
                    None => days.push((partition.day, bytes)),
                }
            }
        }
        days.sort_unstable();
        let at = |day: &(i32, u64)| Partition { kind, day: day.0 };
        // The last day is not over.
        let over = days.split_last().map_or(&[][..], |(_, rest)| rest);
        KindUsage {
            kind,
            files,
            bytes: days.iter().map(|d| d.1).sum(),
            oldest: days.first().map(|d| Timestamp::from_millis(at(d).start())),
            newest: days.last().map(|d| Timestamp::from_millis(at(d).end())),
            keep: self.limits.read().unwrap_or_else(PoisonError::into_inner).retention.of(kind),
            bytes_per_day: growth(over),
        }
    }
}

/// Deletes what is too old, and the oldest of what is too much.
fn delete_old(
    tenant: &Tenant,
    retention: &Retention,
    now: i64,
    disk: Disk,
    events: &mut Vec<Event>,
) -> Result<u32, StoreError> {
    let mut deleted = 0;
    for kind in Kind::ALL {
        let keep = retention.of(kind);
        let age = i64::try_from(keep.age.as_millis()).unwrap_or(i64::MAX);
        let files = tenant.files.within(kind, i64::MIN, i64::MAX);
        let mut bytes: u64 = files.iter().map(|p| tenant.files.bytes(*p)).sum();
        let newest = files.last().copied();
        for partition in files {
            let too_old = partition.end() < now.saturating_sub(age);
            // The file that is written to is never deleted for want of room.
            let too_much = bytes > keep.bytes && Some(partition) != newest;
            if !(too_old || too_much) {
                break;
            }
            let Some(size) = delete(tenant, partition)? else { break };
            bytes -= size.min(bytes);
            deleted += 1;
            if !too_old {
                events.push(deleted_for_room(partition, keep.bytes, disk, Timestamp::from_millis(now)));
            }
        }
    }
    Ok(deleted)
}

/// Deletes the oldest files of a workspace, whatever their kind, until all of them take at most `most` bytes.
fn delete_beyond(tenant: &Tenant, most: u64, now: Timestamp, events: &mut Vec<Event>) -> Result<u32, StoreError> {
    let files = tenant.files.all();
    let mut bytes: u64 = files.iter().map(|p| tenant.files.bytes(*p)).sum();
    if bytes <= most {
        return Ok(0);
    }
    // The file of each kind that is written to stays.
    let newest = |p: &Partition| files.iter().filter(|q| q.kind == p.kind).all(|q| q.day <= p.day);
    let mut old: Vec<Partition> = files.iter().copied().filter(|p| !newest(p)).collect();
    old.sort_by_key(|p| (p.end(), p.kind));
    let (mut deleted, mut last) = (0, None);
    for partition in old {
        if bytes <= most {
            break;
        }
        if let Some(size) = delete(tenant, partition)? {
            bytes -= size.min(bytes);
            (deleted, last) = (deleted + 1, Some(partition));
        }
    }
    if let Some(partition) = last {
        let text = format!(
            "{deleted} files of the workspace up to {partition} were deleted before their time, because it may take {} MiB. A site \
             administrator can raise that limit.",
            most >> 20
        );
        events.push(low(partition, &text, now));
    }
    Ok(deleted)
}

/// Deletes a file; how much room that made, unless a question still reads it.
fn delete(tenant: &Tenant, partition: Partition) -> Result<Option<u64>, StoreError> {
    let size = tenant.files.bytes(partition);
    if !tenant.files.delete(partition)? {
        return Ok(None);
    }
    tenant.forget(partition);
    Ok(Some(size))
}

fn roll_hours(open: &Open, tenant: &Tenant, now: i64) -> Result<u32, StoreError> {
    let mut rolled = 0;
    for kind in [Kind::SampleHours, Kind::FlowHours] {
        let hours = keep::open_hours(tenant, kind, now - PATIENCE);
        if hours.is_empty() {
            continue;
        }
        let connection = open.engine.connect()?;
        for hour in hours.into_iter().take(ROUND) {
            rolled += u32::from(tenant.roll(kind, hour, || keep::roll_hour(tenant, &connection, kind, hour))?);
        }
    }
    Ok(rolled)
}

fn compact(open: &Open, tenant: &Tenant, now: i64) -> Result<u32, StoreError> {
    let closed = tenant.files.all().into_iter().filter(|p| p.end() + CLOSED_FOR <= now);
    let ready: Vec<Partition> = closed.filter(|p| !lock(&tenant.compacted).contains(p)).collect();
    if ready.is_empty() {
        return Ok(0);
    }
    let connection = open.engine.connect()?;
    let mut compacted = 0;
    for partition in ready.into_iter().take(ROUND) {
        compacted += u32::from(keep::compact(tenant, &connection, partition)?);
    }
    Ok(compacted)
}

/// Files that were set aside, without their logs.
fn aside(tenant: &Tenant) -> u32 {
    let Ok(entries) = std::fs::read_dir(tenant.files.folder()) else { return 0 };
    let names = entries.filter_map(|e| e.ok()?.file_name().into_string().ok());
    let is_aside = |name: &String| name.contains(CORRUPT) && !name.contains(".wal");
    u32::try_from(names.filter(is_aside).count()).unwrap_or(u32::MAX)
}

fn deleted_for_room(partition: Partition, limit: u64, disk: Disk, now: Timestamp) -> Event {
    let gib = limit >> 30;
    let text = format!(
        "{partition} was deleted before its time, because its kind may take {gib} GiB. Raise that limit if the disk has room: {} GiB are free.",
        disk.free >> 30
    );
    low(partition, &text, now)
}

fn low(partition: Partition, text: &str, now: Timestamp) -> Event {
    let subject = Untrusted::new(&partition.file_name());
    Event { time: now, kind: EventKind::DiskLow, severity: Severity::Info, subject, text: Untrusted::message(text) }
}

fn disk_event(now_is: Disk, before: Disk, now: Timestamp) -> Option<Event> {
    if now_is.state == before.state {
        return None;
    }
    let free = format!("{} of {} GiB are free", now_is.free >> 30, now_is.total >> 30);
    let (kind, severity, text) = match now_is.state {
        DiskState::ReadOnly => {
            let text = format!(
                "The disk of the telemetry store is nearly full: {free}. Nothing new is stored until there is room."
            );
            (EventKind::DiskFull, Severity::Critical, text)
        }
        DiskState::Warning if before.state == DiskState::Normal => {
            let text = format!("The disk of the telemetry store is filling up: {free}. Make room, or keep less.");
            (EventKind::DiskLow, Severity::Warning, text)
        }
        _ => (
            EventKind::DiskRecovered,
            Severity::Info,
            format!("The disk of the telemetry store has room again: {free}."),
        ),
    };
    let subject = Untrusted::new("telemetry store");
    Some(Event { time: now, kind, severity, subject, text: Untrusted::message(&text) })
}
