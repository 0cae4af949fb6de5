/** What a list of steps says in four numbers. Steps without data do not count. */
export type Statistics = { min: number; mean: number; p95: number; max: number; total: number };

/** `values` are amounts in each step of that many seconds; the results are a second, `total` is an amount. */
export function statisticsOf(values: readonly (number | null)[], seconds: number): Statistics {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  const total = known.reduce((sum, value) => sum + value, 0);
  if (known.length === 0) return { min: 0, mean: 0, p95: 0, max: 0, total: 0 };
  // Nearest rank: the smallest value that at least 95 % of the steps do not exceed.
  const p95 = known[Math.ceil(known.length * 0.95) - 1] ?? 0;
  return {
    min: (known[0] ?? 0) / seconds,
    mean: total / known.length / seconds,
    p95: p95 / seconds,
    max: (known.at(-1) ?? 0) / seconds,
    total,
  };
}
