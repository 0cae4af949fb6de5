/**
 * The one-time code of a link such as `/start#CODE`. It is taken out of the address before anything else happens, so that it stays
 * neither in the history nor on the screen; it is kept in memory, for a second try when the server could not be reached.
 */
const kept = new Map<string, string>();

export function takeCode(): string {
  const { pathname, hash } = location;
  const code = decoded(hash.slice(1));
  if (code !== "") {
    kept.set(pathname, code);
    history.replaceState(history.state, "", pathname);
  }
  return kept.get(pathname) ?? "";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
