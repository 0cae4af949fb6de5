/** Which part of a drawing is seen, and how large: moving, zooming, fitting. Pure. */
import type { Point } from "./layout";

/** A place p of the drawing is seen at x + scale · p. */
export type View = { x: number; y: number; scale: number };
export type Box = { left: number; top: number; right: number; bottom: number };
export type Size = { width: number; height: number };

const least = 0.15;
const most = 3;
/** Pixels that stay free around what is fitted in. */
const margin = 16;

/** The whole box in the middle, never larger than it is. */
export function fitted(box: Box, { width, height }: Size): View {
  const [wide, high] = [Math.max(1, box.right - box.left), Math.max(1, box.bottom - box.top)];
  const scale = clamped(Math.min(1, (width - 2 * margin) / wide, (height - 2 * margin) / high));
  return {
    x: (width - wide * scale) / 2 - box.left * scale,
    y: (height - high * scale) / 2 - box.top * scale,
    scale,
  };
}

/** Larger or smaller, with what is at the point staying there. */
export function zoomed(view: View, factor: number, { x, y }: Point): View {
  const scale = clamped(view.scale * factor);
  const ratio = scale / view.scale;
  return { x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio, scale };
}

export function moved(view: View, x: number, y: number): View {
  return { ...view, x: view.x + x, y: view.y + y };
}

/** Moved just so far that the place is seen. */
export function showing(view: View, place: Point, { width, height }: Size, around = 60): View {
  const [x, y] = [view.x + place.x * view.scale, view.y + place.y * view.scale];
  return moved(view, into(x, around, width - around) - x, into(y, around, height - around) - y);
}

/** Whether nothing of the box is outside. */
export function holds(view: View, box: Box, { width, height }: Size): boolean {
  return (
    view.x + box.left * view.scale >= 0 &&
    view.y + box.top * view.scale >= 0 &&
    view.x + box.right * view.scale <= width &&
    view.y + box.bottom * view.scale <= height
  );
}

/** The nearest place in a direction, by which arrow keys go from one to the next; none when there is nothing. */
export function nearest(places: ReadonlyMap<string, Point>, from: string, [dx, dy]: readonly [number, number]) {
  const start = places.get(from);
  if (start === undefined) return undefined;
  let best: { id: string; cost: number } | undefined;
  for (const [id, { x, y }] of places) {
    const [right, down] = [x - start.x, y - start.y];
    const along = right * dx + down * dy;
    const across = Math.abs(right * dy) + Math.abs(down * dx);
    // What lies more to the side than ahead is no step in this direction.
    if (along <= 0 || (dy !== 0 && across > 0)) continue;
    const cost = along + 2 * across;
    if (best === undefined || cost < best.cost) best = { id, cost };
  }
  return best?.id;
}

function clamped(scale: number): number {
  return into(scale, least, most);
}

function into(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}
