//! What the store does by itself: it rolls up, rewrites, deletes, and looks at the disk.

use std::sync::Arc;

use netwatch_model::{Event, EventKind, Severity, Timestamp, Untrusted};

use super::{DuckStore, Open};
use crate::disk::{full_in, growth};
use crate::duck::keep;
use crate::error::StoreError;
use crate::partition::{CORRUPT, HOUR, Kind, MINUTE, Partition};
use crate::port::{Disk, DiskState, KindUsage, Upkeep, Usage};
use crate::tenant::{Tenant, error_text, lock};

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
        for error in self.lookups.refresh() {
            tracing::warn!(error = %error_text(&error), "a file about addresses is not used");
        }
        let open = self.inner();
        for tenant in open.tenants() {
            // Room first: it may be what everything else lacks.
            done.deleted += self.delete_old(&tenant, now.millis(), disk, &mut done.events)?;
            if disk.state == DiskState::ReadOnly {
                continue;
            }
            done.rolled_hours += roll_hours(&open, &tenant, now.millis())?;
            done.compacted += compact(&open, &tenant, now.millis())?;
        }
        Ok(done)
    }

    /// Deletes what is too old, and the oldest of what is too much.
    fn delete_old(&self, tenant: &Tenant, now: i64, disk: Disk, events: &mut Vec<Event>) -> Result<u32, StoreError> {
        let mut deleted = 0;
        for kind in Kind::ALL {
            let keep = self.config.retention.of(kind);
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
                let size = tenant.files.bytes(partition);
                if !tenant.files.delete(partition)? {
                    break;
                }
                tenant.forget(partition);
                bytes -= size.min(bytes);
                deleted += 1;
                if !too_old {
                    events.push(deleted_for_room(partition, keep.bytes, disk, Timestamp::from_millis(now)));
                }
            }
        }
        Ok(deleted)
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
            series += tenant.dictionary.read().unwrap_or_else(std::sync::PoisonError::into_inner).len();
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
            keep: self.config.retention.of(kind),
            bytes_per_day: growth(over),
        }
    }
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
    Event {
        time: now,
        kind: EventKind::DiskLow,
        severity: Severity::Info,
        subject: Untrusted::new(&partition.file_name()),
        text: Untrusted::message(&text),
    }
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
