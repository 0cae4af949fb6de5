/** Colours beyond the palette of series, and of heat: viridis, which reads the same in grey and to the colour-blind. */

/** Nine stops of the map, dark to light. */
const stops = ["440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725"] as const;
const channels = stops.map((hex) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));

/** The colour at a share of 0 to 1. */
export function viridis(share: number): string {
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(place));
  const [low, high] = [channels[index] ?? [], channels[index + 1] ?? []];
  const mixed = low.map((value, i) => Math.round(value + (place - index) * ((high[i] ?? value) - value)));
  return `rgb(${mixed.join(" ")})`;
}
