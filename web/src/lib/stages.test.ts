import { expect, it } from "vitest";
import type { Interface, Statistics, Storage } from "~/api/schema";
import { whereItStops } from "./stages";

const flowing = {
  capture: { frames: 9, packets: 9, kernel_drops: 0, fragments_unknown: 0 },
  table: { started: 3, active: 1, other: 0 },
  store: { records: 5, live_flows: 1, archived_flows: 2, records_dropped: 0, archive_dropped: 7 },
} as Statistics;
const of = (
  change: { [K in "capture" | "table" | "store"]?: object },
  states: Interface["state"][] = ["capturing"],
) => {
  const merged = { ...flowing };
  for (const [key, value] of Object.entries(change)) {
    Object.assign(merged, { [key]: { ...flowing[key as "capture"], ...value } });
  }
  return whereItStops(
    merged,
    states.map((state) => ({ state }) as Interface),
  );
};

it("flows when every stage has something, and forgetting the oldest is no loss", () =>
  expect(of({})).toEqual({ kind: "flowing" }));
it("names the first stage that has nothing", () => {
  expect(of({ capture: { frames: 0 } })).toEqual({ kind: "stopped", stage: "received" });
  expect(of({ capture: { packets: 0 } })).toEqual({ kind: "stopped", stage: "dissected" });
  expect(of({ table: { started: 0, active: 0 } })).toEqual({ kind: "stopped", stage: "table" });
  expect(of({ store: { records: 0 } })).toEqual({ kind: "stopped", stage: "records" });
});
it("names what loses", () =>
  expect(of({ capture: { kernel_drops: 1 }, store: { records_dropped: 2 } })).toEqual({
    kind: "lossy",
    stages: ["received", "records"],
  }));
it("tells a missing right and the end of a file from a stop", () => {
  expect(of({ capture: { frames: 0 } }, ["denied"])).toEqual({ kind: "denied" });
  expect(of({}, ["ended"])).toEqual({ kind: "ended" });
  expect(of({}, ["ended", "capturing"])).toEqual({ kind: "flowing" });
});
it("says that a full disk stops what is stored", () => {
  const storage = (state: Storage["state"], set_aside = 0) => ({ state, set_aside }) as Storage;
  const interfaces = [{ state: "capturing" } as Interface];
  expect(whereItStops(flowing, interfaces, storage("read_only"))).toEqual({ kind: "stopped", stage: "stored" });
  expect(whereItStops(flowing, interfaces, storage("warning"))).toEqual({ kind: "flowing" });
  expect(whereItStops(flowing, interfaces, storage("normal", 1))).toEqual({ kind: "lossy", stages: ["stored"] });
});
