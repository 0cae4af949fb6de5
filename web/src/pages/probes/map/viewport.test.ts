import { expect, it } from "vitest";
import { fitted, holds, moved, nearest, showing, zoomed } from "./viewport";

const size = { width: 800, height: 400 };
const box = { left: -50, top: -20, right: 1550, bottom: 380 };

it("fits everything in, and enlarges nothing", () => {
  const view = fitted(box, size);
  expect(view.scale).toBeLessThan(0.5);
  expect(holds(view, box, size)).toBe(true);
  expect(fitted({ left: 0, top: 0, right: 10, bottom: 10 }, size)).toEqual({ x: 395, y: 195, scale: 1 });
});

it("zooms around a point, within limits", () => {
  const point = { x: 200, y: 100 };
  const before = { x: 10, y: 20, scale: 1 };
  const after = zoomed(before, 2, point);
  const place = (view: typeof before) => (point.x - view.x) / view.scale;
  expect(after.scale).toBe(2);
  expect(place(after)).toBeCloseTo(place(before));
  expect(zoomed(before, 1000, point).scale).toBe(3);
  expect(zoomed(before, 0, point).scale).toBe(0.15);
});

it("moves no further than a place needs to be seen", () => {
  const view = { x: 0, y: 0, scale: 1 };
  expect(showing(view, { x: 400, y: 200 }, size)).toEqual(view);
  expect(showing(view, { x: 900, y: 200 }, size)).toEqual({ x: -160, y: 0, scale: 1 });
  expect(holds(moved(view, -900, 0), { left: 0, top: 0, right: 10, bottom: 10 }, size)).toBe(false);
});

it("goes to the nearest place in a direction", () => {
  const places = new Map([
    ["a", { x: 0, y: 0 }],
    ["b", { x: 150, y: 30 }],
    ["c", { x: 150, y: 200 }],
    ["d", { x: 0, y: 60 }],
  ]);
  expect(nearest(places, "a", [1, 0])).toBe("b");
  expect(nearest(places, "a", [0, 1])).toBe("d");
  expect(nearest(places, "b", [0, 1])).toBe("c");
  expect(nearest(places, "c", [-1, 0])).toBe("d");
  expect(nearest(places, "a", [-1, 0])).toBeUndefined();
});
