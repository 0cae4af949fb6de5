/** Adds a word to what is chosen or takes it away, in the order of the whole; what the whole does not have stays as it is. */
export function toggled(chosen: readonly string[], word: string, whole: readonly string[]): string[] {
  const next = chosen.includes(word) ? chosen.filter((one) => one !== word) : [...chosen, word];
  const known = whole.filter((one) => next.includes(one));
  return [...next.filter((one) => !whole.includes(one)), ...known];
}
