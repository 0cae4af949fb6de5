/** The area around some places of a map: the convex hull of boxes around them. Pure. */
import type { Point } from "./layout";

/** How far a box reaches to each side of its place: a mark with its name below. */
export type Reach = { left: number; right: number; top: number; bottom: number };

/** The corners of the hull, clockwise on a screen; none of no places. */
export function hullOf(places: readonly Point[], { left, right, top, bottom }: Reach): Point[] {
  const corners = places.flatMap(({ x, y }) => [
    { x: x - left, y: y - top },
    { x: x + right, y: y - top },
    { x: x - left, y: y + bottom },
    { x: x + right, y: y + bottom },
  ]);
  const sorted = corners.toSorted((a, b) => a.x - b.x || a.y - b.y);
  const lower = chain(sorted);
  const upper = chain(sorted.toReversed());
  return [...lower.slice(0, -1), ...upper.slice(0, -1)];
}

/** Half of a hull (Andrew's monotone chain). */
function chain(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    for (let [a, b] = kept.slice(-2); a !== undefined && b !== undefined; [a, b] = kept.slice(-2)) {
      if (turn(a, b, point) > 0) break;
      kept.pop();
    }
    kept.push(point);
  }
  return kept;
}

function turn(a: Point, b: Point, c: Point): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}
