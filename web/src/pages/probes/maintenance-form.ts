/** The form of a window of maintenance: what is typed, and what is sent. Pure; times are typed in a zone. */
import type { DayOfWeek, Maintenance, MaintenanceCreate, MaintenanceSchedule } from "~/api/schema";
import { momentOf, wallOf, type Zone } from "~/time/zone";

export const days = ["mo", "tu", "we", "th", "fr", "sa", "su"] as const satisfies readonly DayOfWeek[];

export type WindowForm = {
  name: string;
  repeat: "once" | "weekly";
  /** As `2026-11-21T22:00`, on the clock of the reader. */
  start: string;
  end: string;
  days: readonly DayOfWeek[];
  time: string;
  minutes: string;
  zone: string;
  /** Kept as they are. */
  from: string | undefined;
  until: string | undefined;
  all: boolean;
  probes: readonly string[];
  /** `name=value`, one on each line. */
  labels: string;
};

const hour = 3_600_000;

export function blankWindow(now: number, zone: Zone, zoneName: string): WindowForm {
  const start = Math.ceil(now / hour) * hour;
  return {
    name: "",
    repeat: "once",
    start: localText(start, zone),
    end: localText(start + 2 * hour, zone),
    days: [],
    time: "22:00",
    minutes: "120",
    zone: zoneName,
    from: undefined,
    until: undefined,
    all: false,
    probes: [],
    labels: "",
  };
}

export function windowForm(window: Maintenance, now: number, zone: Zone, zoneName: string): WindowForm {
  const { name, schedule, selection } = window;
  const { all = false, probes = [], labels = {} } = selection;
  const form: WindowForm = {
    ...blankWindow(now, zone, zoneName),
    name,
    all,
    probes,
    labels: Object.entries(labels)
      .map(([label, value]) => `${label}=${value}`)
      .join("\n"),
  };
  if (schedule.repeat === "once") {
    const [start, end] = [localText(Date.parse(schedule.start), zone), localText(Date.parse(schedule.end), zone)];
    return { ...form, repeat: "once", start, end };
  }
  return {
    ...form,
    repeat: "weekly",
    days: schedule.days ?? [],
    time: schedule.time,
    minutes: String(schedule.duration / 60),
    zone: schedule.zone,
    from: schedule.from ?? undefined,
    until: schedule.until ?? undefined,
  };
}

/** Fields that are wrong before anything is sent, as the server names them. */
export function windowFaults(form: WindowForm, zone: Zone): ReadonlySet<string> {
  const faults = new Set<string>();
  const [start, end] = [momentIn(form.start, zone), momentIn(form.end, zone)];
  if (form.repeat === "once" && (start === undefined || end === undefined || end <= start)) faults.add("schedule.end");
  if (form.repeat === "weekly") {
    const minutes = Number(form.minutes);
    if (!(minutes >= 1 && minutes <= 10_080)) faults.add("schedule.duration");
    if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(form.time)) faults.add("schedule.time");
  }
  const labels = labelsIn(form.labels);
  if (labels === undefined) faults.add("selection.labels");
  else if (!form.all && form.probes.length === 0 && Object.keys(labels).length === 0) faults.add("selection");
  return faults;
}

/** What is sent. Call it when `windowFaults` finds nothing. */
export function windowBody(form: WindowForm, zone: Zone): MaintenanceCreate {
  const moment = (text: string) => new Date(momentIn(text, zone) ?? 0).toISOString();
  const schedule: MaintenanceSchedule =
    form.repeat === "once"
      ? { repeat: "once", start: moment(form.start), end: moment(form.end) }
      : {
          repeat: "weekly",
          days: days.filter((day) => form.days.includes(day)),
          time: form.time,
          duration: Math.round(Number(form.minutes) * 60),
          zone: form.zone,
          ...(form.from !== undefined && { from: form.from }),
          ...(form.until !== undefined && { until: form.until }),
        };
  const selection = { all: form.all, probes: [...form.probes], labels: labelsIn(form.labels) ?? {} };
  return { name: form.name.trim(), selection, schedule };
}

function labelsIn(text: string): Record<string, string> | undefined {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const pairs = lines.map((line) => /^([^=]+)=(.*)$/.exec(line));
  if (pairs.some((pair) => pair === null)) return undefined;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1]?.trim() ?? "", pair?.[2]?.trim() ?? ""]));
}

/** A moment on the clock of a zone, as a field of date and time has it. */
export function localText(moment: number, zone: Zone): string {
  const { year, month, day, hour, minute } = wallOf(moment, zone);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

export function momentIn(text: string, zone: Zone): number | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = parts;
  return momentOf({ year, month, day, hour, minute, second: 0 }, zone);
}
